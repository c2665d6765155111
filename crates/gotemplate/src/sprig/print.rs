//! Values as text.

use crate::error::Error;
use crate::fmt;
use crate::function::Call;
use crate::string::Str;
use crate::types::Type;
use crate::value::Value;

/// `fmt.Sprintf("%v", value)`
pub(super) fn value(call: &mut Call<'_>, value: &Value) -> Result<Str, Error> {
    fmt::sprint(call, std::slice::from_ref(value))
}

/// The string that a value is, or what it prints as.
pub(super) fn string(call: &mut Call<'_>, value: &Value) -> Result<Str, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::List(list) if list.name().is_none() && *list.element() == Type::UINT8 => {
            Ok(Str::from(list.as_bytes().unwrap_or_default().as_ref()))
        }
        other => self::value(call, other),
    }
}
