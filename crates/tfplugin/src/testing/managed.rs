use std::sync::Arc;

use super::core::{Core, IdentityType, complete, dynamic, value, warnings};
use super::decode;
use super::proposed::proposed_new;
use crate::cty::{Path, Type, Value, json};
use crate::diagnostics::Diagnostics;
use crate::lint;
use crate::plan::replace::{is_write_only, value_at};
use crate::schema::Schema;
use crate::server::proto;

/// What a plan does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Make the object.
    Create,
    /// Change the object.
    Update,
    /// Remove the object, then make it anew.
    Replace,
    /// Remove the object.
    Delete,
}

/// What the state file holds about one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The attributes.
    pub value: Value,
    /// The provider's private data, as Core keeps them.
    pub private: Vec<u8>,
    /// The identity, null when the resource or this object has none.
    pub identity: Value,
    /// Whether a failed create made it: the next plan replaces it.
    pub tainted: bool,
}

/// The outcome of a plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What apply will do.
    pub action: Action,
    /// The planned state, null for a delete.
    pub planned: Value,
    /// Which changes make it a replacement, as the provider named them.
    pub requires_replace: Vec<Path>,
    /// The warnings.
    pub warnings: Diagnostics,
    /// The private data for the apply.
    private: Vec<u8>,
    /// The planned identity, null for none.
    pub identity: Value,
    /// Whether the provider put it off.
    pub deferred: bool,
    config: Value,
}

/// One resource instance, with its state between calls.
#[derive(Clone)]
pub struct Managed {
    pub(super) core: Core,
    pub(super) type_name: String,
    schema: Arc<Schema>,
    pub(super) ty: Type,
    pub(super) stored: Option<Stored>,
    /// The schema version the state was written with.
    version: i64,
    pub(super) identity: Option<IdentityType>,
}

/// What a provider answered to one plan call.
struct Answer {
    planned: Value,
    requires_replace: Vec<Path>,
    private: Vec<u8>,
    identity: Value,
    deferred: bool,
    warnings: Diagnostics,
}

impl Managed {
    pub(super) fn new(
        core: Core,
        type_name: &str,
        schema: Schema,
        identity: Option<IdentityType>,
    ) -> Self {
        Self {
            identity,
            core,
            type_name: type_name.to_owned(),
            ty: schema.ty(),
            version: schema.version,
            schema: Arc::new(schema),
            stored: None,
        }
    }

    /// What the state file holds, `None` for nothing.
    pub fn stored(&self) -> Option<&Stored> {
        self.stored.as_ref()
    }

    /// The attributes in the state, null for no object.
    pub fn state(&self) -> &Value {
        self.stored
            .as_ref()
            .map_or(&Value::Null, |stored| &stored.value)
    }

    /// Replaces the state, for example by one of an older process.
    pub fn set_stored(&mut self, stored: Option<Stored>) {
        self.stored = stored;
    }

    /// Refreshes and plans. `config` may hold unknown values; attributes left out are null.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error.
    pub async fn plan(&mut self, config: Value) -> Result<Plan, Diagnostics> {
        let config = complete(config, &self.ty);
        let mut warnings = self.refresh().await?;
        warnings.extend(self.validate(&config).await?);
        let mut plan = self.plan_without_refresh(config).await?;
        warnings.extend(std::mem::take(&mut plan.warnings));
        plan.warnings = warnings;
        Ok(plan)
    }

    /// Plans and applies.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error; the state is then what Core would keep.
    pub async fn apply(&mut self, config: Value) -> Result<Plan, Diagnostics> {
        let mut plan = self.plan(config.clone()).await?;
        let warnings = self.apply_plan(&plan, config).await?;
        plan.warnings.extend(warnings);
        Ok(plan)
    }

    /// Applies a plan, with a configuration that is now wholly known. As Core does, it removes an
    /// object that is to be replaced, validates, plans again, compares the plans, and carries the
    /// last one out.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error; the state is then what Core would keep.
    ///
    /// # Panics
    /// When the second plan or the result breaks one of Core's rules.
    pub async fn apply_plan(
        &mut self,
        plan: &Plan,
        config: Value,
    ) -> Result<Diagnostics, Diagnostics> {
        assert!(!plan.deferred, "a deferred plan cannot be applied");
        if plan.action == Action::Delete {
            return self.destroy_planned(plan.private.clone()).await;
        }
        let config = complete(config, &self.ty);
        assert!(
            config.is_wholly_known(),
            "the configuration must be known when it is applied"
        );
        // The apply runs in a process of its own, which upgrades the state again.
        self.upgrade().await?;
        let mut warnings = Diagnostics::new();
        if plan.action == Action::Replace {
            warnings.extend(self.destroy_planned(plan.private.clone()).await?);
        }
        warnings.extend(self.validate(&config).await?);
        let last = self.plan_without_refresh(config).await?;
        let expected = match plan.action {
            // The object is gone by now, and its private data with it.
            Action::Replace => Action::Create,
            action => action,
        };
        assert!(
            last.action == expected || (expected == Action::Update && last.action == Action::NoOp),
            "inconsistent final plan: {expected:?} became {:?}",
            last.action
        );
        let broken = lint::final_plan(&self.schema, &plan.planned, &last.planned);
        assert!(broken.is_empty(), "inconsistent final plan: {broken:?}");
        if last.action != Action::NoOp {
            warnings.extend(self.apply_last(last).await?);
        }
        Ok(warnings)
    }

    /// Upgrades and reads, as every plan does first.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error; the state is then unchanged.
    ///
    /// # Panics
    /// When the answer is not wholly known or holds a write-only value.
    pub async fn refresh(&mut self) -> Result<Diagnostics, Diagnostics> {
        self.upgrade().await?;
        let Some(stored) = self.stored.clone() else {
            return Ok(Diagnostics::new());
        };
        let capabilities = self.core.capabilities();
        let response = self
            .core
            .client
            .read_resource(proto::read_resource::Request {
                type_name: self.type_name.clone(),
                current_state: Some(dynamic(&stored.value, &self.ty)),
                private: stored.private,
                current_identity: self.identity_data(&stored.identity),
                client_capabilities: Some(capabilities),
                ..Default::default()
            })
            .await
            .expect("ReadResource succeeds")
            .into_inner();
        let warnings = warnings(response.diagnostics)?;
        let state = value(response.new_state.as_ref(), &self.ty);
        if state.is_null() {
            self.stored = None;
        } else {
            self.assert_storable(&state);
            let identity = self.known_identity(response.new_identity.as_ref());
            let kept = stored
                .identity
                .as_entries()
                .into_iter()
                .flatten()
                .all(|(name, before)| {
                    let now = identity.as_entries().and_then(|now| now.get(name));
                    before.is_null() || now == Some(before)
                });
            assert!(kept, "the identity changed in a read");
            self.stored = Some(Stored {
                value: state,
                private: response.private,
                identity,
                tainted: stored.tainted,
            });
        }
        Ok(warnings)
    }

    /// Plans a destroy and carries it out.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error; the state is then what Core would keep.
    pub async fn destroy(&mut self) -> Result<Diagnostics, Diagnostics> {
        let mut warnings = self.refresh().await?;
        let plan = self.plan_destroy().await?;
        warnings.extend(plan.warnings);
        if plan.action == Action::Delete {
            warnings.extend(self.destroy_planned(plan.private).await?);
        }
        Ok(warnings)
    }

    /// Plans a destroy of what is in the state.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error.
    pub async fn plan_destroy(&mut self) -> Result<Plan, Diagnostics> {
        let Some(stored) = self.stored.clone() else {
            return Ok(Plan {
                action: Action::NoOp,
                planned: Value::Null,
                requires_replace: Vec::new(),
                warnings: Diagnostics::new(),
                private: Vec::new(),
                identity: Value::Null,
                deferred: false,
                config: Value::Null,
            });
        };
        let answer = self
            .call_plan(&stored.value, &Value::Null, &Value::Null, stored.private)
            .await?;
        assert!(
            answer.planned.is_null(),
            "the plan of a destroy must be null"
        );
        Ok(Plan {
            action: Action::Delete,
            planned: Value::Null,
            requires_replace: Vec::new(),
            warnings: answer.warnings,
            private: answer.private,
            identity: answer.identity,
            deferred: false,
            config: Value::Null,
        })
    }

    async fn validate(&mut self, config: &Value) -> Result<Diagnostics, Diagnostics> {
        let capabilities = self.core.capabilities();
        let response = self
            .core
            .client
            .validate_resource_config(proto::validate_resource_config::Request {
                type_name: self.type_name.clone(),
                config: Some(dynamic(config, &self.ty)),
                client_capabilities: Some(capabilities),
            })
            .await
            .expect("ValidateResourceConfig succeeds")
            .into_inner();
        warnings(response.diagnostics)
    }

    /// Writes the state as the state file has it and lets the provider read it.
    async fn upgrade(&mut self) -> Result<(), Diagnostics> {
        let Some(stored) = &self.stored else {
            return Ok(());
        };
        let raw = json::encode(&stored.value, &self.ty).expect("a state can be written as JSON");
        let identity = stored.identity.clone();
        let upgraded = self.upgrade_raw(self.version, raw).await?;
        let identity = match self.identity.clone() {
            Some(known) if !identity.is_null() => {
                let raw = json::encode(&identity, &known.ty).expect("it can be written as JSON");
                self.upgrade_raw_identity(known.version, raw).await?
            }
            _ => identity,
        };
        if let Some(stored) = &mut self.stored {
            stored.value = upgraded;
            stored.identity = identity;
        }
        Ok(())
    }

    /// Lets the provider read the JSON of a state that was written with the given schema version.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error.
    pub async fn upgrade_raw(&mut self, version: i64, raw: Vec<u8>) -> Result<Value, Diagnostics> {
        let response = self
            .core
            .client
            .upgrade_resource_state(proto::upgrade_resource_state::Request {
                type_name: self.type_name.clone(),
                version,
                raw_state: Some(proto::RawState {
                    json: raw,
                    ..Default::default()
                }),
            })
            .await
            .expect("UpgradeResourceState succeeds")
            .into_inner();
        let _ = warnings(response.diagnostics)?;
        let state = value(response.upgraded_state.as_ref(), &self.ty);
        assert!(!state.is_null(), "an upgraded state must not be null");
        self.assert_storable(&state);
        Ok(state)
    }

    async fn plan_without_refresh(&mut self, config: Value) -> Result<Plan, Diagnostics> {
        let (prior, private) = match &self.stored {
            Some(stored) if !stored.tainted => (stored.value.clone(), stored.private.clone()),
            _ => (Value::Null, Vec::new()),
        };
        let tainted = self.stored.as_ref().is_some_and(|stored| stored.tainted);
        let first = self.plan_once(&prior, &config, private).await?;
        // Core ignores the others.
        let changed = first.requires_replace.iter().any(|path| {
            value_at(&prior, path) != value_at(&first.planned, path)
                || is_write_only(&self.schema, path)
        });
        let action = if tainted {
            Action::Replace
        } else if prior.is_null() {
            Action::Create
        } else if changed {
            Action::Replace
        } else if first.planned == prior {
            Action::NoOp
        } else {
            Action::Update
        };
        let requires_replace = first.requires_replace.clone();
        // Core drops the warnings of the second plan.
        let warnings = first.warnings.clone();
        let mut last = first;
        if action == Action::Replace && !tainted {
            last = self.plan_once(&Value::Null, &config, last.private).await?;
        }
        Ok(Plan {
            action,
            planned: last.planned,
            requires_replace,
            warnings,
            private: last.private,
            identity: last.identity,
            deferred: last.deferred,
            config,
        })
    }

    /// One plan call, checked.
    async fn plan_once(
        &mut self,
        prior: &Value,
        config: &Value,
        private: Vec<u8>,
    ) -> Result<Answer, Diagnostics> {
        let proposed = proposed_new(self.schema.members(), prior, config);
        let answer = self.call_plan(prior, &proposed, config, private).await?;
        let prior = (!prior.is_null()).then_some(prior);
        let broken = lint::planned(&self.schema, prior, config, &answer.planned);
        assert!(broken.is_empty(), "invalid plan: {broken}");
        if let Some(prior) = prior {
            for path in &answer.requires_replace {
                assert!(
                    value_at(prior, path).is_some() || value_at(&answer.planned, path).is_some(),
                    "the replacement path {path} leads nowhere"
                );
            }
        }
        Ok(answer)
    }

    async fn call_plan(
        &mut self,
        prior: &Value,
        proposed: &Value,
        config: &Value,
        private: Vec<u8>,
    ) -> Result<Answer, Diagnostics> {
        let before = match &self.stored {
            Some(stored) if !prior.is_null() => stored.identity.clone(),
            _ => Value::Null,
        };
        let prior_identity = self.identity_data(&before);
        let capabilities = self.core.capabilities();
        let response = self
            .core
            .client
            .plan_resource_change(proto::plan_resource_change::Request {
                type_name: self.type_name.clone(),
                prior_state: Some(dynamic(prior, &self.ty)),
                proposed_new_state: Some(dynamic(proposed, &self.ty)),
                config: Some(dynamic(config, &self.ty)),
                prior_private: private,
                prior_identity,
                client_capabilities: Some(capabilities),
                ..Default::default()
            })
            .await
            .expect("PlanResourceChange succeeds")
            .into_inner();
        assert!(!response.legacy_type_system, "the legacy flag must be off");
        assert!(
            response.deferred.is_none() || capabilities.deferral_allowed,
            "nothing may be deferred"
        );
        let warnings = warnings(response.diagnostics)?;
        let identity = self.known_identity(response.planned_identity.as_ref());
        assert!(
            before.is_null() || before == identity,
            "the planned identity is not that of the object"
        );
        Ok(Answer {
            deferred: response.deferred.is_some(),
            identity,
            planned: value(response.planned_state.as_ref(), &self.ty),
            requires_replace: response.requires_replace.iter().map(decode::path).collect(),
            private: response.planned_private,
            warnings,
        })
    }

    /// The create or update of a plan.
    async fn apply_last(&mut self, plan: Plan) -> Result<Diagnostics, Diagnostics> {
        let prior = self.state().clone();
        let creating = prior.is_null();
        let response = self
            .call_apply(
                &prior,
                &plan.planned,
                &plan.config,
                plan.private,
                &plan.identity,
            )
            .await;
        let diagnostics = decode::diagnostics(response.diagnostics);
        let state = value(response.new_state.as_ref(), &self.ty);
        if diagnostics.has_errors() {
            // No state with an error keeps what was there, with its private data.
            if !state.is_null() {
                self.assert_storable(&state);
                self.stored = Some(Stored {
                    value: state,
                    private: response.private,
                    identity: self.known_identity(response.new_identity.as_ref()),
                    tainted: creating,
                });
            }
            return Err(diagnostics);
        }
        assert!(!state.is_null(), "the provider returned no new state");
        let broken = lint::applied(&self.schema, &plan.planned, &state);
        assert!(broken.is_empty(), "inconsistent result: {broken}");
        let identity = self.known_identity(response.new_identity.as_ref());
        assert_eq!(
            identity.is_null(),
            self.identity.is_none(),
            "an object has an identity when its resource has one"
        );
        self.stored = Some(Stored {
            value: state,
            private: response.private,
            identity,
            tainted: false,
        });
        Ok(diagnostics)
    }

    /// The delete of a plan, or of a replacement.
    async fn destroy_planned(&mut self, private: Vec<u8>) -> Result<Diagnostics, Diagnostics> {
        let Some(stored) = self.stored.clone() else {
            return Ok(Diagnostics::new());
        };
        let response = self
            .call_apply(
                &stored.value,
                &Value::Null,
                &Value::Null,
                private,
                &stored.identity,
            )
            .await;
        let diagnostics = decode::diagnostics(response.diagnostics);
        let state = value(response.new_state.as_ref(), &self.ty);
        if diagnostics.has_errors() {
            if !state.is_null() {
                self.assert_storable(&state);
                self.stored = Some(Stored {
                    value: state,
                    private: response.private,
                    identity: self.known_identity(response.new_identity.as_ref()),
                    tainted: stored.tainted,
                });
            }
            return Err(diagnostics);
        }
        assert!(state.is_null(), "the object is left after its delete");
        self.stored = None;
        Ok(diagnostics)
    }

    async fn call_apply(
        &mut self,
        prior: &Value,
        planned: &Value,
        config: &Value,
        private: Vec<u8>,
        identity: &Value,
    ) -> proto::apply_resource_change::Response {
        let planned_identity = self.identity_data(identity);
        let response = self
            .core
            .client
            .apply_resource_change(proto::apply_resource_change::Request {
                type_name: self.type_name.clone(),
                prior_state: Some(dynamic(prior, &self.ty)),
                planned_state: Some(dynamic(planned, &self.ty)),
                config: Some(dynamic(config, &self.ty)),
                planned_private: private,
                planned_identity,
                ..Default::default()
            })
            .await
            .expect("ApplyResourceChange succeeds")
            .into_inner();
        assert!(!response.legacy_type_system, "the legacy flag must be off");
        response
    }

    #[track_caller]
    pub(super) fn assert_storable(&self, state: &Value) {
        let broken = lint::state(&self.schema, state, "a call");
        assert!(broken.is_empty(), "invalid state: {broken}");
    }
}
