//! The calls that Core makes in the life of an object, to both providers.

use tfplugin::cty::Value;
use tfplugin::testing::{Answer, Change, Core};

use crate::compare::Report;

pub const THING: &str = "peer_thing";

/// Both providers. What follows from an answer, such as the state that is sent with the next call,
/// is taken from this framework's, so that both get the same; each gets its own private data.
pub struct Pair {
    pub hashicorp: Core,
    pub own: Core,
    pub report: Report,
}

/// What is known of the object between calls.
struct Object {
    value: Value,
    identity: Value,
    /// Of the provider on HashiCorp's framework, and of the one on this.
    private: [Vec<u8>; 2],
}

impl Object {
    fn none() -> Self {
        Self {
            value: Value::Null,
            identity: Value::Null,
            private: [Vec::new(), Vec::new()],
        }
    }
}

/// Makes one call to both providers and compares the answers.
macro_rules! both {
    ($pair:expr, $call:literal, $case:expr, |$core:ident, $side:ident| $answer:expr) => {{
        let hashicorp = {
            let ($core, $side) = (&mut $pair.hashicorp, 0_usize);
            let _ = $side;
            $answer.await
        };
        let own = {
            let ($core, $side) = (&mut $pair.own, 1_usize);
            let _ = $side;
            $answer.await
        };
        $pair.report.compare($call, $case, &hashicorp, &own);
        (hashicorp, own)
    }};
}
pub(crate) use both;

impl Pair {
    /// Creates an object with the first configuration, brings it to each of the others, and
    /// destroys it. A configuration with unknown values is only planned.
    pub async fn live(&mut self, case: &str, configs: &[Value]) {
        let mut object = Object::none();
        for config in configs {
            let validated = both!(self, "ValidateResourceConfig", case, |core, _side| core
                .call_validate(THING, config));
            if has_errors(&validated) {
                // Core ends here.
                continue;
            }
            if config.is_wholly_known() {
                self.change(case, &mut object, config).await;
            } else {
                self.plan(case, &object, config).await;
            }
            if !object.value.is_null() {
                self.read(case, &mut object).await;
            }
        }
        if !object.value.is_null() {
            let planned = self.plan(case, &object, &Value::Null).await;
            if !has_errors(&planned) {
                self.apply(case, &mut object, &Value::Null, planned).await;
            }
        }
    }

    async fn change(&mut self, case: &str, object: &mut Object, config: &Value) {
        let mut planned = self.plan(case, object, config).await;
        if has_errors(&planned) {
            return;
        }
        if !planned.1.requires_replace.is_empty() {
            let gone = Object {
                private: [planned.0.private.clone(), planned.1.private.clone()],
                ..Object::none()
            };
            planned = self.plan(case, &gone, config).await;
            if has_errors(&planned) {
                return;
            }
            let destroyed = (
                Answer {
                    private: planned.0.private.clone(),
                    ..Answer::default()
                },
                Answer {
                    private: planned.1.private.clone(),
                    ..Answer::default()
                },
            );
            self.apply(case, object, &Value::Null, destroyed).await;
            if !object.value.is_null() {
                return;
            }
        }
        self.apply(case, object, config, planned).await;
    }

    async fn plan(&mut self, case: &str, object: &Object, config: &Value) -> (Answer, Answer) {
        both!(self, "PlanResourceChange", case, |core, side| {
            let change = Change {
                prior: &object.value,
                config,
                private: &object.private[side],
            };
            core.call_plan(THING, change, &object.identity)
        })
    }

    async fn apply(
        &mut self,
        case: &str,
        object: &mut Object,
        config: &Value,
        planned: (Answer, Answer),
    ) {
        let private = [planned.0.private, planned.1.private.clone()];
        let planned = planned.1;
        let answers = both!(self, "ApplyResourceChange", case, |core, side| {
            let change = Change {
                prior: &object.value,
                config,
                private: &private[side],
            };
            core.call_apply(THING, change, &planned.value, &planned.identity)
        });
        *object = kept(answers);
    }

    async fn read(&mut self, case: &str, object: &mut Object) {
        let answers = both!(self, "ReadResource", case, |core, side| core.call_read(
            THING,
            &object.value,
            &object.private[side],
            &object.identity
        ));
        if !has_errors(&answers) {
            *object = kept(answers);
        }
    }
}

fn kept((hashicorp, own): (Answer, Answer)) -> Object {
    Object {
        value: own.value,
        identity: own.identity,
        private: [hashicorp.private, own.private],
    }
}

fn has_errors((hashicorp, own): &(Answer, Answer)) -> bool {
    hashicorp.diagnostics.has_errors() || own.diagnostics.has_errors()
}
