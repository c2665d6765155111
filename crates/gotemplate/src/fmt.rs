//! Go's package fmt and `strconv.Quote`, for functions that print values.

use crate::error::Error;
use crate::function::Call;
use crate::print;
use crate::string::Str;
use crate::text;
use crate::types::FloatKind;
use crate::value::Value;

/// `fmt.Sprint`: the values as `%v` prints them, with spaces between those that are no strings.
///
/// # Errors
///
/// The text is longer than the bytes that the execution has left.
pub fn sprint(call: &mut Call<'_>, values: &[Value]) -> Result<Str, Error> {
    if let [Value::String(text)] = values {
        return Ok(text.clone());
    }
    charged(call, |out, limit| print::print(out, values, limit))
}

/// `fmt.Sprintf`
///
/// # Errors
///
/// The text is longer than the bytes that the execution has left.
pub fn sprintf(call: &mut Call<'_>, format: &[u8], values: &[Value]) -> Result<Str, Error> {
    charged(call, |out, limit| print::printf(out, format, values, limit))
}

fn charged(
    call: &mut Call<'_>,
    print: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), Error>,
) -> Result<Str, Error> {
    let mut out = Vec::new();
    print(&mut out, call.run.bytes_left()).map_err(|error| call.run.explained(error))?;
    call.charge_bytes(out.len())?;
    Ok(out.into())
}

/// `strconv.Quote`
#[must_use]
pub fn quote(text: &[u8]) -> Str {
    let mut out = Vec::with_capacity(text.len() + 2);
    text::quote::append_quoted(&mut out, text, false);
    out.into()
}

/// `strconv.FormatFloat`: the format is one of `b`, `e`, `E`, `f`, `g`, `G`, `x`, `X`; without a
/// precision the number has the fewest digits that tell it apart from its neighbours.
#[must_use]
pub fn format_float(number: f64, format: u8, precision: Option<usize>, kind: FloatKind) -> Str {
    let mut out = Vec::new();
    text::float::append_float(&mut out, number, format, precision, kind);
    out.into()
}

/// `strconv.ParseFloat(text, 64)`; none where it fails.
#[must_use]
pub fn parse_float(text: &[u8]) -> Option<f64> {
    text::number::parse_float(text).ok()
}

/// `strconv.ParseInt(text, 0, 64)`; none where it fails.
#[must_use]
pub fn parse_int(text: &[u8]) -> Option<i64> {
    text::number::parse_int(text).ok()
}

/// `strconv.ParseUint(text, 0, 64)`; none where it fails.
#[must_use]
pub fn parse_uint(text: &[u8]) -> Option<u64> {
    text::number::parse_uint(text).ok()
}

/// `unicode.IsLetter`
#[must_use]
pub fn is_letter(character: char) -> bool {
    text::is_letter(character)
}

/// `unicode.IsDigit`
#[must_use]
pub fn is_digit(character: char) -> bool {
    text::is_digit(character)
}

/// `unicode.IsPrint`
#[must_use]
pub fn is_print(character: char) -> bool {
    text::is_print(character)
}
