//! States as they were stored, for upgrades and moves.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::cty::{Type, Value};
use crate::diagnostics::Diagnostics;
use crate::model::Model;
use crate::resource::UpgradeRequest;
use crate::server::upgrade::read_stored;

/// The JSON of a state, exactly as Core stored it: no number loses a digit.
#[derive(Clone)]
pub struct RawState(Arc<RawValue>);

impl RawState {
    /// Reads the text of a stored state.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        let raw: Box<RawValue> = serde_json::from_slice(text)?;
        Ok(Self(raw.into()))
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The parsed JSON, for states whose shape no model can tell. Numbers beyond 64 bits lose
    /// precision here, and nowhere else.
    pub fn to_json(&self) -> Json {
        // The text has been read as JSON once.
        serde_json::from_str(self.text()).unwrap_or(Json::Null)
    }

    /// The value of type `ty`. Attributes that the type does not have are dropped, missing ones
    /// are null.
    ///
    /// # Errors
    /// Diagnostics with the attribute that does not fit.
    pub fn decode(&self, ty: &Type) -> Result<Value, Diagnostics> {
        read_stored(&self.0, ty).map_err(|error| {
            Diagnostics::attribute_error(
                error.path.clone(),
                "The stored state cannot be read",
                format!(
                    "{error}. The state does not fit the version it claims: it was changed by \
                     hand, or written by another build of the provider. Restore a backup of the \
                     state, or remove the object from the state and import it."
                ),
            )
        })
    }

    /// The state as the model of the provider version that wrote it.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn model<M: Model>(&self) -> Result<M, Diagnostics> {
        M::from_value(self.decode(&M::ty())?).map_err(|error| error.into_diagnostics("state"))
    }
}

/// Without the text, which may hold secrets.
impl fmt::Debug for RawState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RawState({} bytes)", self.text().len())
    }
}

impl PartialEq for RawState {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

type Upgrade<'a> = Box<dyn FnOnce(Stage) -> Result<Value, Diagnostics> + 'a>;

/// The state on its way through the steps.
enum Stage {
    Stored(RawState),
    Upgraded(Value),
}

/// Upgrades a state from version to version, each step from the model of one to that of the next.
///
/// ```
/// use tfplugin::{AttributeValue, RawState, StateUpgrades, UpgradeRequest, model};
///
/// model! {
///     struct Version0 { title: AttributeValue<String> }
///     struct Version1 { name: AttributeValue<String> }
///     struct Version2 { name: AttributeValue<String>, labels: AttributeValue<Vec<AttributeValue<String>>> }
/// }
///
/// let state = RawState::from_json(br#"{"title": "main"}"#).unwrap();
/// let upgraded: Version2 = StateUpgrades::new()
///     .step(0, |old: Version0| Ok(Version1 { name: old.title }))
///     .step(1, |old: Version1| Ok(Version2 { name: old.name, labels: Vec::new().into() }))
///     .run(UpgradeRequest { version: 0, state })
///     .unwrap();
/// assert_eq!(upgraded.name.as_str(), Some("main"));
/// ```
#[derive(Default)]
pub struct StateUpgrades<'a> {
    steps: Vec<(i64, Upgrade<'a>)>,
}

impl<'a> StateUpgrades<'a> {
    /// No steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// The step from `version` to the next one there is. Steps are added in the order of their
    /// versions.
    #[must_use]
    pub fn step<Old: Model, New: Model>(
        mut self,
        version: i64,
        upgrade: impl FnOnce(Old) -> Result<New, Diagnostics> + 'a,
    ) -> Self {
        let run = move |stage| {
            let old = match stage {
                Stage::Stored(raw) => raw.model()?,
                Stage::Upgraded(value) => {
                    Old::from_value(value).map_err(|error| error.into_diagnostics("state"))?
                }
            };
            upgrade(old).map(|new| new.to_value())
        };
        self.steps.push((version, Box::new(run)));
        self
    }

    /// Runs the steps from the version of the state to the last one.
    ///
    /// # Errors
    /// There is no step for the version, or a step says why the state cannot be read.
    pub fn run<M: Model>(self, request: UpgradeRequest) -> Result<M, Diagnostics> {
        let mut steps = self
            .steps
            .into_iter()
            .skip_while(|(version, _)| *version != request.version)
            .peekable();
        if steps.peek().is_none() {
            return Err(request.too_old());
        }
        let mut stage = Stage::Stored(request.state);
        for (_, upgrade) in steps {
            stage = Stage::Upgraded(upgrade(stage)?);
        }
        match stage {
            Stage::Stored(raw) => raw.model(),
            Stage::Upgraded(value) => {
                M::from_value(value).map_err(|error| error.into_diagnostics("state"))
            }
        }
    }
}

impl fmt::Debug for StateUpgrades<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.steps.iter().map(|(version, _)| version))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AttributeValue;
    use crate::cty::Number;

    crate::model! {
        struct Version0 {
            count: AttributeValue<Number>,
        }

        struct Version1 {
            counts: AttributeValue<Vec<AttributeValue<Number>>>,
        }

        struct Version2 {
            counts: AttributeValue<Vec<AttributeValue<Number>>>,
            name: AttributeValue<String>,
        }
    }

    const HUGE: &str = "123456789012345678901234567890.5";

    #[test]
    fn versions_follow_each_other_and_numbers_keep_their_digits() {
        let cases = [
            (0, format!(r#"{{"count":{HUGE},"gone":[1]}}"#), Ok("none")),
            (1, format!(r#"{{"counts":[{HUGE}]}}"#), Ok("none")),
            (1, r#"{"counts":"x"}"#.to_owned(), Err("(at counts)")),
            (2, "{}".to_owned(), Err("The state has schema version 2")),
            (-1, "{}".to_owned(), Err("The state has schema version -1")),
        ];
        for (version, text, expected) in cases {
            let state = RawState::from_json(text.as_bytes()).unwrap();
            let upgraded: Result<Version2, Diagnostics> = StateUpgrades::new()
                .step(0, |old: Version0| {
                    Ok(Version1 {
                        counts: vec![old.count].into(),
                    })
                })
                .step(1, |old: Version1| {
                    Ok(Version2 {
                        counts: old.counts,
                        name: "none".into(),
                    })
                })
                .run(UpgradeRequest { version, state });
            match (upgraded, expected) {
                (Ok(upgraded), Ok(name)) => {
                    assert_eq!(upgraded.name.as_str(), Some(name));
                    let counts = upgraded.counts.into_known().unwrap();
                    assert_eq!(counts[0].known().unwrap().to_string(), HUGE);
                }
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{text}: {error}");
                }
                (upgraded, _) => panic!("{text}: {upgraded:?}"),
            }
        }
    }
}
