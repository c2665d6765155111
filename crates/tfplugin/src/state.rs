//! Helpers for values that go into a state.

use crate::cty::Value;

/// The value with every unknown part made null, as Core does with the state of a failed apply.
pub(crate) fn unknown_as_null(value: Value) -> Value {
    if value.is_wholly_known() {
        return value;
    }
    value.transform(|_, value| {
        if matches!(value, Value::Unknown) {
            Value::Null
        } else {
            value
        }
    })
}
