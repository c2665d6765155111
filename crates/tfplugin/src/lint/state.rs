use super::Violation;
use crate::cty::Value;
use crate::plan::walk;
use crate::schema::Members;

/// A stored state is wholly known and holds no write-only value.
pub(super) fn check(members: Members<'_>, state: &Value) -> Vec<Violation> {
    let mut violations = Vec::new();
    state.walk(|path, value| {
        if matches!(value, Value::Unknown) {
            violations.push(Violation {
                path: path.clone(),
                problem: "the value is unknown, and only a plan may hold unknown values".to_owned(),
            });
        }
        true
    });
    walk::transform(members, None, None, state.clone(), &mut |place, value| {
        if place.attribute.write_only && !value.is_null() {
            violations.push(Violation {
                path: place.path.clone(),
                problem: "a write-only attribute must be null in the state".to_owned(),
            });
        }
        value
    });
    violations
}
