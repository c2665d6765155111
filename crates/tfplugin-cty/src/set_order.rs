//! The order and the identity of set elements.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use crate::Value;

/// Sorts `elements` as cty does and removes those that equal another one.
///
/// Elements that hold an unknown value are never equal, as in cty.
pub(crate) fn canonicalize(elements: &mut Vec<Value>) {
    if is_canonical(elements) {
        return;
    }
    elements.sort_by(compare);
    elements.dedup_by(|later, earlier| later == earlier && earlier.is_wholly_known());
}

/// `elements` as [`canonicalize`] leaves them.
pub(crate) fn canonical(elements: &[Value]) -> Cow<'_, [Value]> {
    if is_canonical(elements) {
        return Cow::Borrowed(elements);
    }
    let mut elements = elements.to_vec();
    canonicalize(&mut elements);
    Cow::Owned(elements)
}

fn is_canonical(elements: &[Value]) -> bool {
    elements.is_sorted_by(|left, right| compare(left, right).is_lt())
}

/// The order of cty's `setRules.Less`: known before unknown before null; text by bytes, numbers by value, false before
/// true, everything else by its hash text. Structure breaks ties, so that only equal values compare equal.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    fn rank(value: &Value) -> u8 {
        match value {
            Value::Unknown => 1,
            Value::Null => 2,
            _ => 0,
        }
    }
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => rank(left)
            .cmp(&rank(right))
            .then_with(|| hash_text(left).cmp(&hash_text(right)))
            .then_with(|| left.cmp(right)),
    }
}

fn hash_text(value: &Value) -> String {
    let mut text = String::new();
    append_hash_text(value, &mut text);
    text
}

/// The bytes of cty's `appendSetHashBytes`.
fn append_hash_text(value: &Value, text: &mut String) {
    match value {
        Value::Unknown => text.push('?'),
        Value::Null => text.push('~'),
        Value::Number(number) => text.push_str(&number.to_ten_digits()),
        Value::Bool(bool) => text.push(if *bool { 'T' } else { 'F' }),
        Value::String(string) => {
            // Writing to a String cannot fail.
            let _ = write_go_quoted(string, text);
        }
        Value::List(elements) | Value::Set(elements) => {
            text.push('[');
            append_all(elements.iter(), text);
            text.push(']');
        }
        Value::Map(elements) => {
            text.push('{');
            for (key, element) in elements {
                let _ = write_go_quoted(key, text);
                text.push(':');
                append_hash_text(element, text);
                text.push(';');
            }
            text.push('}');
        }
        Value::Tuple(elements) => {
            text.push('<');
            append_all(elements.iter(), text);
            text.push('>');
        }
        Value::Object(attributes) => {
            text.push('<');
            append_all(attributes.values(), text);
            text.push('>');
        }
        Value::Dynamic { value, .. } => append_hash_text(value, text),
    }
}

fn append_all<'a>(values: impl Iterator<Item = &'a Value>, text: &mut String) {
    for value in values {
        append_hash_text(value, text);
        text.push(';');
    }
}

/// Writes `text` as Go's `strconv.Quote` does.
pub(crate) fn write_go_quoted(text: &str, output: &mut impl fmt::Write) -> fmt::Result {
    output.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => output.write_str("\\\"")?,
            '\\' => output.write_str("\\\\")?,
            '\u{7}' => output.write_str("\\a")?,
            '\u{8}' => output.write_str("\\b")?,
            '\u{c}' => output.write_str("\\f")?,
            '\n' => output.write_str("\\n")?,
            '\r' => output.write_str("\\r")?,
            '\t' => output.write_str("\\t")?,
            '\u{b}' => output.write_str("\\v")?,
            ' '..='~' => output.write_char(character)?,
            '\0'..='\u{1f}' | '\u{7f}' => write!(output, "\\x{:02x}", u32::from(character))?,
            _ if is_printable(character) => output.write_char(character)?,
            '\0'..='\u{ffff}' => write!(output, "\\u{:04x}", u32::from(character))?,
            _ => write!(output, "\\U{:08x}", u32::from(character))?,
        }
    }
    output.write_char('"')
}

/// Whether Go's `unicode.IsPrint` holds for a character outside ASCII. The standard library's table has the same
/// definition; after the first character of a text its escaping leaves combining marks alone, as Go does.
fn is_printable(character: char) -> bool {
    let mut pair = String::from("x");
    pair.push(character);
    pair.escape_debug().nth(1) == Some(character)
}
