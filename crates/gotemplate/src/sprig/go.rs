//! Failures of Go's runtime and reflection, with the text that text/template prints for them.

use super::unicode;
use crate::error::Error;
use crate::types::Kind;
use crate::value::Value;

/// A failure of the runtime.
pub(super) fn runtime(message: impl std::fmt::Display) -> Error {
    Error::new(format!("runtime error: {message}"))
}

/// What a use of nil as an interface with methods ends in.
pub(super) fn nil_dereference() -> Error {
    runtime("invalid memory address or nil pointer dereference")
}

/// What a failed type assertion ends in.
pub(super) fn conversion(value: &Value, wanted: &str) -> Error {
    let found = match value {
        Value::Nil => "nil".into(),
        other => other.type_name(),
    };
    Error::new(format!(
        "interface conversion: interface {{}} is {found}, not {wanted}"
    ))
}

/// `reflect.TypeOf(value).Kind()`, which fails for nil.
pub(super) fn kind_of_type(value: &Value) -> Result<Kind, Error> {
    match value.kind() {
        Kind::Invalid => Err(nil_dereference()),
        kind => Ok(kind),
    }
}

/// `text[from..to]` with Go's failures: without `to` up to the end, without `from` from the start.
pub(super) fn slice(text: &[u8], from: Option<i64>, to: Option<i64>) -> Result<&[u8], Error> {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let end = to.unwrap_or(length);
    let start = from.unwrap_or(0);
    let failure = if to.is_some() && end < 0 {
        Some(format!("[:{end}]"))
    } else if to.is_some() && end > length {
        Some(format!("[:{end}] with length {length}"))
    } else if start < 0 {
        Some(format!("[{start}:]"))
    } else if start > end {
        Some(format!("[{start}:{end}]"))
    } else {
        None
    };
    if let Some(failure) = failure {
        return Err(runtime(format!("slice bounds out of range {failure}")));
    }
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let end = usize::try_from(end).unwrap_or(usize::MAX);
    Ok(text.get(start..end).unwrap_or_default())
}

/// The length of a slice about to be made.
pub(super) fn length(length: i64) -> Result<usize, Error> {
    usize::try_from(length)
        .ok()
        .filter(|length| *length <= 1 << 47)
        .ok_or_else(|| runtime("makeslice: len out of range"))
}

/// The length of a list or string as Go's int.
pub(super) fn int(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// Text for an error, with U+FFFD for each byte that is not UTF-8.
pub(super) fn lossy(text: &[u8]) -> String {
    unicode::characters(text)
        .map(|(_, character, _)| character)
        .collect()
}
