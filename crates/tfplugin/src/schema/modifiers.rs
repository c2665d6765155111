//! Plan modifiers: what an attribute's planned value becomes beyond configuration and defaults.

use std::fmt;
use std::sync::Arc;

use crate::cty::{Path, Value};
use crate::diagnostics::Diagnostics;

/// What a modifier sees.
#[derive(Clone, Copy, Debug)]
pub struct ModifierInput<'a> {
    /// Where the attribute is.
    pub path: &'a Path,
    /// The configured value, null when there is none.
    pub config: &'a Value,
    /// The value in the state, null when there is none.
    pub prior: &'a Value,
    /// The value planned so far.
    pub planned: &'a Value,
    /// Whether the object that holds the attribute exists in the state: false when the resource is
    /// created and for a nested object that is new.
    pub prior_exists: bool,
    /// Whether the resource itself is created, so that a replacement has no meaning.
    pub creating: bool,
}

/// What a modifier may change.
#[derive(Clone, Debug, PartialEq)]
pub struct ModifierOutput {
    /// The planned value, at first the one from the input.
    pub planned: Value,
    /// Whether the change needs a new resource. Ignored where the value does not change.
    pub requires_replace: bool,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

type Modify = dyn Fn(&ModifierInput<'_>, &mut ModifierOutput) + Send + Sync;

/// A step of the plan of one attribute.
#[derive(Clone)]
pub struct PlanModifier {
    description: String,
    modify: Arc<Modify>,
}

impl PlanModifier {
    /// A modifier of one's own. It must be pure: Core plans twice and compares.
    pub fn new(
        description: impl Into<String>,
        modify: impl Fn(&ModifierInput<'_>, &mut ModifierOutput) + Send + Sync + 'static,
    ) -> Self {
        Self {
            description: description.into(),
            modify: Arc::new(modify),
        }
    }

    /// What it does, in one sentence.
    pub fn description(&self) -> &str {
        &self.description
    }

    pub(crate) fn modify(&self, input: &ModifierInput<'_>, output: &mut ModifierOutput) {
        (self.modify)(input, output);
    }
}

impl fmt::Debug for PlanModifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("PlanModifier")
            .field(&self.description)
            .finish()
    }
}

/// Keeps the value from the state where the plan would say "known after apply": for computed
/// values that no update changes.
pub fn use_state_for_unknown() -> PlanModifier {
    PlanModifier::new(
        "Keeps the value from the state: it does not change once set.",
        |input, output| {
            // An unknown configured value must stay unknown: it will be known at apply.
            if input.planned.is_unknown() && input.prior_exists && !input.config.is_unknown() {
                output.planned = input.prior.clone();
            }
        },
    )
}

/// A change of the value needs a new resource.
pub fn requires_replace() -> PlanModifier {
    PlanModifier::new("A change replaces the resource.", |_, output| {
        output.requires_replace = true;
    })
}

/// A change of the value needs a new resource when `needed` says so. It is asked only when the
/// resource exists and the planned value differs from the prior one; either may be unknown.
pub fn requires_replace_if(
    description: impl Into<String>,
    needed: impl Fn(&ModifierInput<'_>) -> bool + Send + Sync + 'static,
) -> PlanModifier {
    PlanModifier::new(description, move |input, output| {
        if !input.creating && input.planned != input.prior && needed(input) {
            output.requires_replace = true;
        }
    })
}
