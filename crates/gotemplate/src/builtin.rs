//! The functions that every template has.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::error::Error;
use crate::function::Signature;
use crate::print;
use crate::slot::Slot;
use crate::string::Str;
use crate::text;
use crate::types::{Kind, Type, UintKind};
use crate::value::{Map, Object, Value};

/// A builtin function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    Urlquery,
}

/// The parameters of the builtin functions.
struct Signatures {
    one: Signature,
    two: Signature,
    at_least_one: Signature,
    anything: Signature,
    format: Signature,
}

static SIGNATURES: LazyLock<Signatures> = LazyLock::new(|| Signatures {
    one: Signature::new([Type::Reflect], Type::Reflect),
    two: Signature::new([Type::Reflect, Type::Reflect], Type::Reflect),
    at_least_one: Signature::variadic([Type::Reflect, Type::Reflect], Type::Reflect),
    anything: Signature::variadic([Type::Any], Type::Reflect),
    format: Signature::variadic([Type::String, Type::Any], Type::Reflect),
});

impl Builtin {
    /// The builtin function of this name.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "and" => Self::And,
            "call" => Self::Call,
            "eq" => Self::Eq,
            "ge" => Self::Ge,
            "gt" => Self::Gt,
            "html" => Self::Html,
            "index" => Self::Index,
            "js" => Self::Js,
            "le" => Self::Le,
            "len" => Self::Len,
            "lt" => Self::Lt,
            "ne" => Self::Ne,
            "not" => Self::Not,
            "or" => Self::Or,
            "print" => Self::Print,
            "printf" => Self::Printf,
            "println" => Self::Println,
            "slice" => Self::Slice,
            "urlquery" => Self::Urlquery,
            _ => return None,
        })
    }

    pub(crate) fn signature(self) -> &'static Signature {
        let signatures = &*SIGNATURES;
        match self {
            Self::Len | Self::Not => &signatures.one,
            Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => &signatures.two,
            Self::And | Self::Or | Self::Call | Self::Eq | Self::Index | Self::Slice => {
                &signatures.at_least_one
            }
            Self::Html | Self::Js | Self::Print | Self::Println | Self::Urlquery => {
                &signatures.anything
            }
            Self::Printf => &signatures.format,
        }
    }

    /// Calls a function other than `and`, `or` and `call`, which the executor evaluates itself.
    /// What it makes has at most `limit` bytes.
    pub(crate) fn call(self, args: &mut [Slot], limit: usize) -> Result<Slot, Error> {
        match (self, args) {
            (Self::And | Self::Or | Self::Call, _) => {
                Err("the executor evaluates this function".into())
            }
            (Self::Eq, [first, rest @ ..]) => eq(first, rest).map(Slot::from),
            (Self::Ne, [a, b]) => eq(a, std::slice::from_ref(b)).map(|equal| Slot::from(!equal)),
            (Self::Lt, [a, b]) => lt(a, b).map(Slot::from),
            (Self::Le, [a, b]) => le(a, b).map(Slot::from),
            (Self::Gt, [a, b]) => le(a, b).map(|less| Slot::from(!less)),
            (Self::Ge, [a, b]) => lt(a, b).map(|less| Slot::from(!less)),
            (Self::Index, [item, indexes @ ..]) => index(item, indexes),
            (Self::Slice, [item, indexes @ ..]) => slice(item, indexes),
            (Self::Len, [item]) => len(item),
            (Self::Not, [item]) => Ok(Slot::from(!item.value.truth())),
            (Self::Html, args) => escaped(args, limit, html),
            (Self::Js, args) => escaped(args, limit, js),
            (Self::Urlquery, args) => escaped(args, limit, urlquery),
            (Self::Print, args) => {
                let mut out = Vec::new();
                print::print(&mut out, &values(args), limit)?;
                Ok(out.into())
            }
            (Self::Println, args) => {
                let mut out = Vec::new();
                print::println(&mut out, &values(args), limit)?;
                Ok(out.into())
            }
            (Self::Printf, [format, args @ ..]) => {
                let mut out = Vec::new();
                if let Value::String(format) = &format.value {
                    print::printf(&mut out, format, &values(args), limit)?;
                }
                Ok(out.into())
            }
            _ => Err("the number of arguments does not fit".into()),
        }
    }
}

fn values(slots: &mut [Slot]) -> Vec<Value> {
    slots
        .iter_mut()
        .map(|slot| std::mem::take(&mut slot.value))
        .collect()
}

/// What Go's reflection says to the type of no value.
fn no_type() -> Error {
    "reflect: call of reflect.Value.Type on zero Value".into()
}

// Length, elements

fn len(item: &Slot) -> Result<Slot, Error> {
    if item.is_nil_interface() || is_nil_pointer(&item.value) {
        return Err("len of nil pointer".into());
    }
    let length = match item.value.plain().as_ref() {
        Value::String(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Nil => return Err(no_type()),
        _ => return Err(format!("len of type {}", pointed_type(&item.value)).into()),
    };
    Ok(Value::int(i64::try_from(length).unwrap_or(i64::MAX)).into())
}

fn is_nil_pointer(value: &Value) -> bool {
    matches!(value, Value::Object(object) if object.kind() == Kind::Pointer && object.is_nil())
}

/// The type of a value, or of what a pointer points to.
fn pointed_type(value: &Value) -> Cow<'static, str> {
    let name = value.type_name();
    match value {
        Value::Object(object) if object.kind() == Kind::Pointer => {
            Cow::Owned(name.trim_start_matches('*').to_owned())
        }
        _ => name,
    }
}

/// An index up to and including `end`.
fn index_arg(index: &Slot, end: usize) -> Result<usize, Error> {
    let plain = index.value.plain();
    let number = match plain.as_ref() {
        Value::Int(_, number) => *number,
        // As Go converts it, a number beyond int64 is negative.
        Value::Uint(_, number) => number.cast_signed(),
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        _ => {
            let name = index.value.type_name();
            return Err(format!("cannot index slice/array with type {name}").into());
        }
    };
    usize::try_from(number)
        .ok()
        .filter(|index| *index <= end)
        .ok_or_else(|| format!("index out of range: {number}").into())
}

fn index(item: &mut Slot, indexes: &[Slot]) -> Result<Slot, Error> {
    let mut item = std::mem::take(item).unwrapped();
    if item.is_invalid() {
        return Err("index of untyped nil".into());
    }
    for index in indexes {
        if item.is_nil_interface() || is_nil_pointer(&item.value) {
            return Err("index of nil pointer".into());
        }
        let plain = item.value.plain().into_owned();
        item = match &plain {
            Value::String(text) => {
                let index = index_arg(index, text.len())?;
                let byte = text
                    .get(index)
                    .ok_or("reflect: string index out of range")?;
                Value::Uint(UintKind::Uint8, u64::from(*byte)).into()
            }
            Value::List(list) => {
                let index = index_arg(index, list.len())?;
                let value = list.get(index).ok_or("reflect: slice index out of range")?;
                Slot::of(value, list.element())
            }
            Value::Map(map) => element(map, index)?,
            _ => {
                let name = pointed_type(&item.value);
                return Err(format!("can't index item of type {name}").into());
            }
        };
    }
    Ok(item)
}

/// An element of a map, or the zero value of its elements.
fn element(map: &Map, key: &Slot) -> Result<Slot, Error> {
    let value = match &key.value {
        Value::String(key) => map.get(key),
        Value::Nil => return Err("value is nil; should be of type string".into()),
        other => {
            let name = other.type_name();
            return Err(format!("value has type {name}; should be string").into());
        }
    };
    let value = value.unwrap_or_else(|| Value::zero(map.element()));
    Ok(Slot::of(value, map.element()))
}

fn slice(item: &mut Slot, indexes: &[Slot]) -> Result<Slot, Error> {
    let item = std::mem::take(item).unwrapped();
    if item.is_invalid() {
        return Err("slice of untyped nil".into());
    }
    if is_nil_pointer(&item.value) {
        return Err("slice of nil pointer".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let plain = item.value.plain();
    let length = match plain.as_ref() {
        Value::String(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".into());
        }
        Value::String(text) => text.len(),
        Value::List(list) => list.len(),
        _ => {
            let name = pointed_type(&item.value);
            return Err(format!("can't slice item of type {name}").into());
        }
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        // Unlike `index`, Go does not look into an interface here.
        if index.is_interface {
            return Err("cannot index slice/array with type interface {}".into());
        }
        *bound = index_arg(index, length)?;
    }
    let [from, to, capacity] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}").into());
    }
    if to > capacity {
        return Err(format!("invalid slice index: {to} > {capacity}").into());
    }
    let sliced = match plain.as_ref() {
        Value::String(text) => text.get(from..to).map(|text| Value::String(Str::new(text))),
        Value::List(list) => list.slice(from, to).map(Value::List),
        _ => None,
    };
    sliced
        .map(Slot::from)
        .ok_or_else(|| "invalid slice index".into())
}

// Comparison

/// The kinds that can be compared with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    None,
    Bool,
    Complex,
    Int,
    Float,
    String,
    Uint,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(..) => Basic::Int,
        Value::Uint(..) => Basic::Uint,
        Value::Float(..) => Basic::Float,
        Value::Complex(..) => Basic::Complex,
        Value::String(_) => Basic::String,
        _ => Basic::None,
    }
}

fn eq(first: &Slot, rest: &[Slot]) -> Result<bool, Error> {
    if rest.is_empty() {
        return Err("missing argument for comparison".into());
    }
    let one = first.value.plain();
    for slot in rest {
        let other = slot.value.plain();
        if equal(&first.value, &one, &slot.value, &other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[expect(clippy::float_cmp, reason = "this is the comparison of templates")]
fn equal(first: &Value, one: &Value, second: &Value, other: &Value) -> Result<bool, Error> {
    Ok(match (one, other) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(_, a), Value::Int(_, b)) => a == b,
        (Value::Uint(_, a), Value::Uint(_, b)) => a == b,
        (Value::Int(_, a), Value::Uint(_, b)) | (Value::Uint(_, b), Value::Int(_, a)) => {
            u64::try_from(*a) == Ok(*b)
        }
        (Value::Float(_, a), Value::Float(_, b)) => a == b,
        (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
        (Value::String(a), Value::String(b)) => a == b,
        _ if basic(one) != basic(other) => {
            if !matches!(first, Value::Nil) && !matches!(second, Value::Nil) {
                return Err(incompatible(first, second));
            }
            false
        }
        _ => equal_by_reference(first, second)?,
    })
}

fn incompatible(first: &Value, second: &Value) -> Error {
    Error::new(format!(
        "incompatible types for comparison: {} and {}",
        first.type_name(),
        second.type_name()
    ))
}

/// Two values of kinds that are not basic, or nil.
fn equal_by_reference(first: &Value, second: &Value) -> Result<bool, Error> {
    let (a, b) = (first.kind(), second.kind());
    if a != b && a != Kind::Invalid && b != Kind::Invalid {
        return Err(Error::new(format!(
            "non-comparable types {}: {}, {}: {}",
            formatted(b"%s", first),
            first.type_name(),
            second.type_name(),
            formatted(b"%v", second)
        )));
    }
    if first.is_nil() || second.is_nil() {
        return Ok(first.is_nil() == second.is_nil());
    }
    match (first, second) {
        (Value::Object(a), Value::Object(b)) if b.comparable() => {
            Ok(a.type_name() == b.type_name() && a.equals(b.as_ref()))
        }
        _ => Err(Error::new(format!(
            "non-comparable type {}: {}",
            formatted(b"%s", second),
            second.type_name()
        ))),
    }
}

/// A value in the text of an error; what is beyond 64 KiB is cut off.
fn formatted(format: &[u8], value: &Value) -> String {
    let mut out = Vec::new();
    if print::printf(&mut out, format, std::slice::from_ref(value), 64 << 10).is_err() {
        out.truncate(64 << 10);
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn lt(first: &Slot, second: &Slot) -> Result<bool, Error> {
    let bad = || Error::from("invalid type for comparison");
    let (one, other) = (first.value.plain(), second.value.plain());
    if basic(&one) == Basic::None || basic(&other) == Basic::None {
        return Err(bad());
    }
    Ok(match (one.as_ref(), other.as_ref()) {
        (Value::Int(_, a), Value::Int(_, b)) => a < b,
        (Value::Uint(_, a), Value::Uint(_, b)) => a < b,
        (Value::Int(_, a), Value::Uint(_, b)) => u64::try_from(*a).is_ok_and(|a| a < *b) || *a < 0,
        (Value::Uint(_, a), Value::Int(_, b)) => u64::try_from(*b).is_ok_and(|b| *a < b),
        (Value::Float(_, a), Value::Float(_, b)) => a < b,
        (Value::String(a), Value::String(b)) => a < b,
        (a, b) if basic(a) == basic(b) => return Err(bad()),
        _ => return Err(incompatible(&first.value, &second.value)),
    })
}

fn le(first: &Slot, second: &Slot) -> Result<bool, Error> {
    Ok(lt(first, second)? || eq(first, std::slice::from_ref(second))?)
}

// Escaping

/// The arguments as `print` prints them, with what a function does to each byte or character.
fn escaped(
    args: &mut [Slot],
    limit: usize,
    escape: impl Fn(&[u8], &mut Vec<u8>),
) -> Result<Slot, Error> {
    let mut values = values(args);
    let text = match values.as_slice() {
        [Value::String(text)] => text.clone(),
        _ => {
            for value in &mut values {
                match value {
                    Value::Nil => *value = Value::from("<no value>"),
                    // A pointer counts as what it points to.
                    Value::Object(object) if object.kind() == Kind::Pointer && !object.is_nil() => {
                        let mut text = Vec::new();
                        print::print_action(&mut text, value, limit)?;
                        *value = Value::object(Printed(text.into()));
                    }
                    _ => {}
                }
            }
            let mut out = Vec::new();
            print::print(&mut out, &values, limit)?;
            Str::from(out)
        }
    };
    let mut out = Vec::with_capacity(text.len());
    escape(&text, &mut out);
    Ok(out.into())
}

/// Text that is no string for the spaces between the operands of `print`.
struct Printed(Str);

impl Object for Printed {
    fn type_name(&self) -> &str {
        "printed"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn text(&self) -> Option<Str> {
        Some(self.0.clone())
    }
}

fn html(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            0 => text::push(out, text::REPLACEMENT),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(*byte),
        }
    }
}

fn js(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(byte) = rest.first() {
        let (character, width) = text::decode(rest);
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\'' => out.extend_from_slice(b"\\'"),
            b'"' => out.extend_from_slice(b"\\\""),
            b'<' | b'>' | b'&' | b'=' | 0..0x20 => {
                out.extend_from_slice(format!("\\u{byte:04X}").as_bytes());
            }
            // A byte that is not UTF-8 stays as it is, as it is a printable U+FFFD.
            _ if byte.is_ascii() || text::is_print(character) => {
                out.extend_from_slice(&rest[..width]);
            }
            _ => {
                let code = u32::from(character);
                out.extend_from_slice(format!("\\u{code:04X}").as_bytes());
            }
        }
        rest = &rest[width..];
    }
}

fn urlquery(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            b' ' => out.push(b'+'),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}

/// A value as an argument of a function called by `call`: integers of one kind are converted to
/// another.
pub(crate) fn prepare(value: Value, to: &Type) -> Result<Value, Error> {
    let found = value.type_name();
    match (&value, to) {
        (Value::Int(_, number), Type::Int(kind)) => Ok(Value::Int(*kind, kind.truncate(*number))),
        (Value::Int(_, number), Type::Uint(kind)) => {
            Ok(Value::Uint(*kind, kind.truncate(number.cast_unsigned())))
        }
        (Value::Uint(_, number), Type::Uint(kind)) => {
            Ok(Value::Uint(*kind, kind.truncate(*number)))
        }
        (Value::Uint(_, number), Type::Int(kind)) => {
            Ok(Value::Int(*kind, kind.truncate(number.cast_signed())))
        }
        _ => match crate::slot::assign(Slot::concrete(value), to) {
            Ok(slot) => Ok(slot.value),
            Err(crate::slot::Mismatch::Invalid) => {
                Err(format!("value is nil; should be of type {to}").into())
            }
            Err(crate::slot::Mismatch::Type(_)) => {
                Err(format!("value has type {found}; should be {to}").into())
            }
        },
    }
}

/// How far `range` counts to a number; none if the value is no integer.
pub(crate) fn count(value: &Value) -> Option<u64> {
    match value {
        Value::Int(_, number) => Some(u64::try_from(*number).unwrap_or(0)),
        Value::Uint(_, number) => Some(*number),
        _ => None,
    }
}

/// A number that `range` counts, of the kind of the number that it counts to.
pub(crate) fn counted(number: u64, to: &Value) -> Value {
    match to {
        Value::Int(kind, _) => Value::Int(*kind, number.cast_signed()),
        Value::Uint(kind, _) => Value::Uint(*kind, number),
        _ => Value::Nil,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::List;

    /// Only lists are made of lists here.
    #[test]
    fn slices_keep_their_element_type() {
        let list = Value::List(List::strings(["a", "b", "c"]));
        let mut args = [
            Slot::from(list),
            Slot::from(Value::int(1)),
            Slot::from(Value::int(2)),
        ];
        let sliced = Builtin::Slice.call(&mut args, 100).unwrap();
        assert_eq!(sliced.value.type_name(), "[]string");
    }
}
