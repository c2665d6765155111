//! The plan of a managed resource, from configuration and prior state to planned state.
//!
//! The order is the one users of other providers rely on: defaults, write-only values out,
//! semantic equality, computed values unknown where anything changes, plan modifiers, the
//! resource's own plan, then the paths that need a replacement, sorted. Validation comes before,
//! in a call of its own. A destroy plan stays null.

mod pairing;
pub(crate) mod replace;
pub(crate) mod walk;

use crate::cty::{Path, PathStep, Value};
use crate::diagnostics::Diagnostics;
use crate::erased::{AnyClient, ErasedPlanInput, ErasedResource};
use crate::lint;
use crate::private::Private;
use crate::resource::{Deferral, Planned};
use crate::schema::{ModifierInput, ModifierOutput, Schema};

/// What Core sends for a create, update or destroy plan.
pub(crate) struct PlanRequest<'a> {
    pub(crate) config: Option<Value>,
    pub(crate) prior: Option<Value>,
    pub(crate) proposed: Option<Value>,
    pub(crate) prior_private: Private,
    pub(crate) client: Option<&'a AnyClient>,
    /// Whether the plan may be put off.
    pub(crate) deferral_allowed: bool,
}

/// The answer to Core.
#[derive(Debug)]
pub(crate) struct PlanAnswer {
    pub(crate) planned: Option<Value>,
    pub(crate) requires_replace: Vec<Path>,
    pub(crate) private: Private,
    pub(crate) diagnostics: Diagnostics,
    /// Why the plan is put off, if it is. What is planned is then a guess.
    pub(crate) deferred: Option<Deferral>,
}

/// Plans one change of one resource.
pub(crate) fn plan(
    schema: &Schema,
    resource: &dyn ErasedResource,
    request: PlanRequest<'_>,
) -> PlanAnswer {
    let mut answer = PlanAnswer {
        planned: None,
        requires_replace: Vec::new(),
        private: request.prior_private.clone(),
        diagnostics: Diagnostics::new(),
        deferred: None,
    };
    let Some(proposed) = request.proposed else {
        if let Some(prior) = &request.prior {
            match resource.plan_destroy(prior, &request.prior_private) {
                Ok((private, diagnostics)) => {
                    answer.private = private;
                    answer.diagnostics = diagnostics;
                }
                Err(diagnostics) => answer.diagnostics = diagnostics,
            }
        }
        return answer;
    };
    // Core proposes something only where something is configured; an ill-behaved one would send
    // null, and then everything counts as not configured.
    let config = request.config.unwrap_or(Value::Null);
    let prior = request.prior.as_ref();

    let (proposed, mut requires_replace) =
        match propose(schema, &config, prior, proposed, &mut answer.diagnostics) {
            Ok(prepared) => prepared,
            Err(proposed) => {
                answer.planned = Some(proposed);
                return answer;
            }
        };

    if request.deferral_allowed {
        match resource.defer(Some(&config), request.client) {
            Ok(None) => {}
            Ok(deferred) => {
                answer.deferred = deferred;
                answer.planned = Some(without_write_only(schema, proposed));
                return answer;
            }
            Err(diagnostics) => {
                answer.diagnostics.extend(diagnostics);
                answer.planned = Some(proposed);
                return answer;
            }
        }
    }

    let planned = resource.plan(ErasedPlanInput {
        config: &config,
        prior,
        proposed: proposed.clone(),
        prior_private: &request.prior_private,
        client: request.client,
    });
    let Planned {
        state,
        requires_replace: more,
        private,
        diagnostics,
    } = match planned {
        Ok(planned) => planned,
        Err(diagnostics) => {
            answer.diagnostics.extend(diagnostics);
            answer.planned = Some(proposed);
            return answer;
        }
    };
    answer.diagnostics.extend(diagnostics);
    answer.private = private;
    if !answer.diagnostics.has_errors() && lint::is_enabled() {
        answer
            .diagnostics
            .extend(lint::planned(schema, prior, &config, &state));
    }
    let state = without_write_only(schema, state);
    if let Some(prior) = prior {
        requires_replace.extend(more);
        answer.requires_replace = replace::normalize(schema, requires_replace, prior, &state);
    }
    answer.planned = Some(state);
    answer
}

/// Everything before the resource's own plan. `Err` when a modifier reported an error.
fn propose(
    schema: &Schema,
    config: &Value,
    prior: Option<&Value>,
    proposed: Value,
    diagnostics: &mut Diagnostics,
) -> Result<(Value, Vec<Path>), Value> {
    let proposed = with_defaults(schema, config, prior, proposed);
    let proposed = with_prior_in_sets(schema, config, prior, proposed);
    let proposed = keep_equal(schema, config, prior, proposed);
    let proposed = if prior == Some(&proposed) {
        proposed
    } else {
        with_unknown_computed(schema, config, prior, proposed)
    };
    let (proposed, requires_replace) = run_modifiers(schema, config, prior, proposed, diagnostics);
    if diagnostics.has_errors() {
        Err(proposed)
    } else {
        Ok((proposed, requires_replace))
    }
}

/// Fills in the defaults of what is not configured and takes out write-only values.
pub(crate) fn with_defaults(
    schema: &Schema,
    config: &Value,
    prior: Option<&Value>,
    value: Value,
) -> Value {
    let config = (!config.is_null()).then_some(config);
    walk::transform(
        schema.members(),
        config,
        prior,
        value,
        &mut |place, value| {
            if place.attribute.write_only {
                return Value::Null;
            }
            match &place.attribute.default {
                // Inside an object that is itself computed, only gaps are filled.
                Some(default)
                    if place.config.is_null() && (place.configured || value.is_null()) =>
                {
                    default.clone()
                }
                _ => value,
            }
        },
    )
}

/// Gives elements of sets the computed values they had, where Core did not. It cannot pair the
/// elements of a set that hold another set, and proposes those as if they were new.
fn with_prior_in_sets(
    schema: &Schema,
    config: &Value,
    prior: Option<&Value>,
    value: Value,
) -> Value {
    let in_set = |place: &walk::Place<'_>| {
        let mut steps = place.path.steps().iter();
        steps.any(|step| matches!(step, PathStep::Element(_)))
    };
    walk::transform(
        schema.members(),
        Some(config),
        prior,
        value,
        &mut |place, value| {
            let attribute = place.attribute;
            // What an optional nested attribute held may have been configured.
            let carried = attribute.computed
                && !(attribute.optional && attribute.nested_attributes().is_some());
            if carried && value.is_null() && place.config.is_null() && in_set(place) {
                place.prior.clone()
            } else {
                value
            }
        },
    )
}

/// Replaces write-only values by null.
pub(crate) fn without_write_only(schema: &Schema, value: Value) -> Value {
    walk::transform(schema.members(), None, None, value, &mut |place, value| {
        if place.attribute.write_only {
            Value::Null
        } else {
            value
        }
    })
}

/// Keeps the prior value where the configured one means the same.
fn keep_equal(schema: &Schema, config: &Value, prior: Option<&Value>, value: Value) -> Value {
    walk::transform(
        schema.members(),
        Some(config),
        prior,
        value,
        &mut |place, value| match &place.attribute.semantic_equality {
            Some(equal)
                if is_settled(&value)
                    && is_settled(place.prior)
                    && is_settled(place.config)
                    && value != *place.prior
                    && equal(place.prior, &value) =>
            {
                place.prior.clone()
            }
            _ => value,
        },
    )
}

/// Keeps the value of `before` wherever the one after it means the same: for reads and applies.
pub(crate) fn keep_semantically_equal(schema: &Schema, before: &Value, after: Value) -> Value {
    walk::transform(
        schema.members(),
        None,
        Some(before),
        after,
        &mut |place, value| match &place.attribute.semantic_equality {
            Some(equal)
                if is_settled(&value)
                    && is_settled(place.prior)
                    && value != *place.prior
                    && equal(place.prior, &value) =>
            {
                place.prior.clone()
            }
            _ => value,
        },
    )
}

fn is_settled(value: &Value) -> bool {
    !value.is_null() && !value.is_unknown()
}

/// Makes every computed value unknown that neither configuration nor default decides.
fn with_unknown_computed(
    schema: &Schema,
    config: &Value,
    prior: Option<&Value>,
    value: Value,
) -> Value {
    walk::transform(
        schema.members(),
        Some(config),
        prior,
        value,
        &mut |place, value| {
            let undecided = place.attribute.computed
                && place.config.is_null()
                && place.attribute.default.is_none();
            // In an object that a default made, what the default decides stays.
            if undecided && (place.configured || value.is_null()) {
                Value::Unknown
            } else {
                value
            }
        },
    )
}

fn run_modifiers(
    schema: &Schema,
    config: &Value,
    prior: Option<&Value>,
    value: Value,
    diagnostics: &mut Diagnostics,
) -> (Value, Vec<Path>) {
    let mut requires_replace = Vec::new();
    let planned = walk::transform(
        schema.members(),
        Some(config),
        prior,
        value,
        &mut |place, mut value| {
            for modifier in &place.attribute.modifiers {
                let input = ModifierInput {
                    path: place.path,
                    config: place.config,
                    prior: place.prior,
                    planned: &value,
                    prior_exists: place.prior_exists,
                    creating: prior.is_none(),
                };
                let mut output = ModifierOutput {
                    planned: value.clone(),
                    requires_replace: false,
                    diagnostics: Diagnostics::new(),
                };
                modifier.modify(&input, &mut output);
                diagnostics.extend(output.diagnostics);
                if output.requires_replace && prior.is_some() && output.planned != *place.prior {
                    requires_replace.push(place.path.clone());
                }
                value = output.planned;
            }
            value
        },
    );
    (planned, requires_replace)
}

#[cfg(test)]
mod tests;
