//! Numbers from any value, by the rules of github.com/spf13/cast.

use crate::text::number::{self, NumberError};
use crate::types::FloatKind;
use crate::value::Value;

/// `cast.ToInt64`, and `cast.ToInt` alike: 0 for what is no number.
pub(super) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => number.cast_signed(),
        Value::Float(_, number) => truncate(*number),
        Value::String(text) => int_from_text(text),
        Value::Bool(truth) => i64::from(*truth),
        Value::Object(_) => match named_number(value) {
            Some(Value::String(text)) => int_from_text(&text),
            Some(plain) => to_int64(&plain),
            None => 0,
        },
        _ => 0,
    }
}

/// `cast.ToFloat64`: 0 for what is no number.
#[expect(clippy::cast_precision_loss, reason = "Go's conversions round as well")]
pub(super) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Int(_, number) => *number as f64,
        Value::Uint(_, number) => *number as f64,
        Value::Float(_, number) => *number,
        Value::String(text) => number::parse_float(text).unwrap_or(0.0),
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::Object(_) => named_number(value).map_or(0.0, |plain| to_float64(&plain)),
        _ => 0.0,
    }
}

/// The plain value of the few named types that cast knows; other named numbers count as 0.
fn named_number(value: &Value) -> Option<Value> {
    matches!(
        &*value.type_name(),
        "json.Number" | "time.Month" | "time.Weekday"
    )
    .then(|| value.plain().into_owned())
}

/// Go's conversion of a float to an int64 on amd64: what does not fit is the least number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit is handled before"
)]
pub(super) fn truncate(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// A text as Go writes integers, with an optional fraction of zeros.
fn int_from_text(text: &[u8]) -> i64 {
    number::parse_int(without_zero_fraction(text)).unwrap_or(0)
}

fn without_zero_fraction(text: &[u8]) -> &[u8] {
    let kept = text.len() - text.iter().rev().take_while(|byte| **byte == b'0').count();
    match text[..kept].split_last() {
        Some((b'.', before)) if kept < text.len() => before,
        _ => text,
    }
}

/// `strconv.ParseInt(text, base, 64)` for a base without prefix: the error and the number that Go
/// returns with it.
pub(super) fn parse_int(text: &[u8], base: u32) -> Result<i64, (NumberError, i64)> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let beyond = (
        NumberError::Range,
        if negative { i64::MIN } else { i64::MAX },
    );
    if digits.is_empty() {
        return Err((NumberError::Syntax, 0));
    }
    let mut magnitude: u64 = 0;
    for digit in digits {
        let digit = char::from(*digit)
            .to_digit(base)
            .ok_or((NumberError::Syntax, 0))?;
        magnitude = magnitude
            .checked_mul(u64::from(base))
            .and_then(|number| number.checked_add(u64::from(digit)))
            .ok_or(beyond)?;
    }
    if negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
    .ok_or(beyond)
}

/// A float64.
pub(super) const fn float(number: f64) -> Value {
    Value::Float(FloatKind::Float64, number)
}
