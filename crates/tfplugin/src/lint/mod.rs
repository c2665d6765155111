//! Core's own checks of what a provider answers, made before Core makes them.
//!
//! Core reports a broken rule as a bug in the provider, often without saying what broke and
//! sometimes after losing the state. Here each violation names its attribute. Source: the
//! functions `AssertPlanValid` and `AssertObjectCompatible` of hashicorp/terraform
//! `internal/plans/objchange`.
//!
//! Always on in debug builds, which includes tests; in release builds when the environment
//! variable `TFPLUGIN_LINT` is `1`.

mod applied;
mod planned;
mod state;

use std::sync::LazyLock;

use crate::cty::{Number, Path, Value};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::schema::Schema;

static ENABLED: LazyLock<bool> = LazyLock::new(|| {
    cfg!(debug_assertions) || std::env::var("TFPLUGIN_LINT").is_ok_and(|value| value == "1")
});

/// Whether answers are checked.
pub(crate) fn is_enabled() -> bool {
    *ENABLED
}

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) path: Path,
    pub(crate) problem: String,
}

/// Checks a planned state against configuration and prior state.
pub(crate) fn planned(
    schema: &Schema,
    prior: Option<&Value>,
    config: &Value,
    planned: &Value,
) -> Diagnostics {
    let violations = match conformance(schema, planned) {
        Some(violation) => vec![violation],
        None => planned::check(schema.members(), prior, config, planned),
    };
    report("an invalid plan", violations)
}

/// Checks the state after a successful apply against the planned state.
pub(crate) fn applied(schema: &Schema, planned: &Value, state: &Value) -> Diagnostics {
    let mut violations = state_violations(schema, state);
    if violations.is_empty() {
        violations = applied::check(schema.members(), planned, state);
    }
    report("an inconsistent result after apply", violations)
}

/// Checks a state by itself: after a read, an import, an upgrade or a failed apply.
pub(crate) fn state(schema: &Schema, state: &Value, when: &str) -> Diagnostics {
    report(
        &format!("an invalid state after {when}"),
        state_violations(schema, state),
    )
}

/// The rules for the first plan against the one that apply makes, once more is known.
#[cfg(feature = "testing")]
pub(crate) fn final_plan(schema: &Schema, first: &Value, last: &Value) -> Vec<Violation> {
    applied::check(schema.members(), first, last)
}

fn state_violations(schema: &Schema, state: &Value) -> Vec<Violation> {
    match conformance(schema, state) {
        Some(violation) => vec![violation],
        None => state::check(schema.members(), state),
    }
}

fn conformance(schema: &Schema, value: &Value) -> Option<Violation> {
    value
        .conforms(&schema.ty())
        .err()
        .map(|mismatch| Violation {
            problem: format!("expected {}, found {}", mismatch.expected, mismatch.found),
            path: mismatch.path,
        })
}

fn report(what: &str, violations: Vec<Violation>) -> Diagnostics {
    violations
        .into_iter()
        .map(|Violation { path, problem }| {
            let place = if path.is_root() {
                "The whole object".to_owned()
            } else {
                format!("`{path}`")
            };
            Diagnostic::error(
                format!("Provider bug: the provider produced {what}"),
                format!(
                    "{place}: {problem}. Terraform would refuse this value. This is a bug in the \
                     provider, please report it to the provider's developers."
                ),
            )
            .at(path)
        })
        .collect()
}

/// A value for a message: short, and never a secret.
pub(crate) fn show(value: &Value, sensitive: bool) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Null => "null".to_owned(),
        Value::Unknown => "an unknown value".to_owned(),
        _ if sensitive => "(sensitive value)".to_owned(),
        Value::String(text) if text.chars().count() > LONGEST => {
            let start: String = text.chars().take(LONGEST).collect();
            format!("{start:?}…")
        }
        Value::String(text) => format!("{text:?}"),
        Value::Number(number) => Number::to_string(number),
        Value::Bool(flag) => flag.to_string(),
        Value::Dynamic { value, .. } => show(value, sensitive),
        other => other.kind().to_owned(),
    }
}
