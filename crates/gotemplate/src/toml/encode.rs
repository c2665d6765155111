//! From values to TOML, in the bytes of BurntSushi/toml's Encoder.

use crate::error::{Error, Limit};
use crate::string::Str;
use crate::text::float::append_float;
use crate::types::{FloatKind, Kind};
use crate::value::{JsonView, List, Map, Value};

use super::time::Time;

/// The deepest nesting that is printed. Go ends with its stack.
const MAX_DEPTH: usize = 1_000;

/// The indentation of one level.
const INDENT: &str = "  ";

/// What decides where a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Left out.
    Nil,
    Scalar,
    Array,
    Table,
    ArrayOfTables,
}

impl Shape {
    /// Whether it comes after the keys that are not tables.
    fn has_header(self) -> bool {
        matches!(self, Self::Table | Self::ArrayOfTables)
    }
}

#[derive(Default)]
pub(super) struct Encoder {
    text: Vec<u8>,
    depth: usize,
}

impl Encoder {
    pub(super) fn finish(self) -> Vec<u8> {
        self.text
    }

    /// Writes a value as a line, or as tables of their own.
    pub(super) fn value(&mut self, key: &[Str], value: &Value) -> Result<(), Error> {
        self.deeper(|encoder| encoder.value_on_stack(key, value))
    }

    fn value_on_stack(&mut self, key: &[Str], value: &Value) -> Result<(), Error> {
        match value {
            Value::Nil => Ok(()),
            Value::Map(map) if map.is_nil() => Ok(()),
            Value::Map(map) => self.table(key, &members(map)),
            Value::List(list) if shape_of_list(list)? == Shape::ArrayOfTables => {
                self.array_of_tables(key, list)
            }
            Value::Object(object) => match view(value)? {
                View::Members(members) => self.table(key, &members),
                View::Value(value) => self.value(key, &value),
                View::Text(_) if object.is_nil() => Ok(()),
                View::Text(_) => self.key_value(key, value, false),
            },
            Value::Complex(..) | Value::Function(_) => {
                let kind = value.kind().name();
                let key = dotted(key);
                let key = String::from_utf8_lossy(&key);
                Err(format!("unsupported type for key '{key}': {kind}").into())
            }
            _ => self.key_value(key, value, false),
        }
    }

    fn deeper<T>(&mut self, go_on: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth > MAX_DEPTH {
            return Err(Error::limit(
                Limit::Depth,
                format!("toml: value is nested in more than {MAX_DEPTH} levels"),
            ));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(32 * 1024, 1024 * 1024, || go_on(self));
        self.depth -= 1;
        result
    }

    fn key_value(&mut self, key: &[Str], value: &Value, inline: bool) -> Result<(), Error> {
        let Some((last, _)) = key.split_last() else {
            return self.element(value);
        };
        self.indent(key);
        self.text.extend(quoted_key(last));
        self.text.extend_from_slice(b" = ");
        self.element(value)?;
        if !inline {
            self.new_line();
        }
        Ok(())
    }

    fn table(&mut self, key: &[Str], members: &[(Str, Value)]) -> Result<(), Error> {
        if key.len() == 1 {
            self.new_line();
        }
        if !key.is_empty() {
            self.header(key, "[", "]");
        }
        self.members(key, members)
    }

    fn array_of_tables(&mut self, key: &[Str], list: &List) -> Result<(), Error> {
        if key.is_empty() {
            return Err("toml: top-level values must be Go maps or structs".into());
        }
        for item in list.iter() {
            self.new_line();
            self.header(key, "[[", "]]");
            match (&item, view(&item)?) {
                (Value::Map(map), _) => self.members(key, &members(map))?,
                (_, View::Members(members)) => self.members(key, &members)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn header(&mut self, key: &[Str], open: &str, close: &str) {
        self.indent(key);
        self.text.extend_from_slice(open.as_bytes());
        self.text.extend(dotted(key));
        self.text.extend_from_slice(close.as_bytes());
        self.new_line();
    }

    /// The members of a table, those that are tables last.
    fn members(&mut self, key: &[Str], members: &[(Str, Value)]) -> Result<(), Error> {
        for (name, value) in in_order(members)?.into_iter().flatten() {
            if shape(value)? == Shape::Nil {
                continue;
            }
            let key = [key, std::slice::from_ref(name)].concat();
            self.value(&key, value)?;
        }
        Ok(())
    }

    fn inline_table(&mut self, members: &[(Str, Value)]) -> Result<(), Error> {
        let [lines, tables] = in_order(members)?;
        self.text.push(b'{');
        let groups = [(&lines, !tables.is_empty()), (&tables, false)];
        for (group, more) in groups {
            for (index, (name, value)) in group.iter().enumerate() {
                if shape(value)? == Shape::Nil {
                    continue;
                }
                self.key_value(std::slice::from_ref(name), value, true)?;
                if more || index + 1 != group.len() {
                    self.text.extend_from_slice(b", ");
                }
            }
        }
        self.text.push(b'}');
        Ok(())
    }

    fn element(&mut self, value: &Value) -> Result<(), Error> {
        self.deeper(|encoder| encoder.element_on_stack(value))
    }

    fn element_on_stack(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Bool(truth) => self.text.extend_from_slice(truth.to_string().as_bytes()),
            Value::Int(_, number) => self.text.extend_from_slice(number.to_string().as_bytes()),
            Value::Uint(_, number) => self.text.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(kind, number) => self.text.extend(float(*kind, *number)),
            Value::String(string) => self.text.extend(quoted(string)),
            Value::List(list) => {
                self.text.push(b'[');
                for (index, item) in list.iter().enumerate() {
                    if index > 0 {
                        self.text.extend_from_slice(b", ");
                    }
                    self.element(&item)?;
                }
                self.text.push(b']');
            }
            Value::Map(map) => self.inline_table(&members(map))?,
            Value::Object(object) => match view(value)? {
                View::Members(members) => self.inline_table(&members)?,
                View::Value(value) => self.element(&value)?,
                View::Text(time) if object.type_name() == "time.Time" => {
                    self.text.extend_from_slice(&time);
                }
                View::Text(text) => self.text.extend(quoted(&text)),
            },
            Value::Nil | Value::Complex(..) | Value::Function(_) => {
                return Err(format!("unexpected type: {}", value.type_name()).into());
            }
        }
        Ok(())
    }

    fn indent(&mut self, key: &[Str]) {
        for _ in 1..key.len() {
            self.text.extend_from_slice(INDENT.as_bytes());
        }
    }

    /// Ends the line, but not before the first.
    fn new_line(&mut self) {
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
    }
}

/// How a host object is written.
enum View {
    Text(Str),
    Value(Value),
    Members(Vec<(Str, Value)>),
}

fn view(value: &Value) -> Result<View, Error> {
    let Value::Object(object) = value else {
        return Ok(View::Value(value.clone()));
    };
    if let Some(time) = object.downcast::<Time>() {
        return Ok(View::Text(time.toml().into()));
    }
    // What has a text of its own in JSON has the same here.
    if let JsonView::Value(Value::String(text)) = object.json()?
        && object.kind() != Kind::String
    {
        return Ok(View::Text(text));
    }
    Ok(match object.underlying() {
        Some(value) => View::Value(value),
        None if object.is_nil() => View::Value(Value::Nil),
        None => View::Members(
            object
                .fields()
                .into_iter()
                .map(|(name, value)| (Str::from(name), value))
                .collect(),
        ),
    })
}

fn members(map: &Map) -> Vec<(Str, Value)> {
    map.entries()
}

/// Those that are written on a line, and those with a header.
fn in_order(members: &[(Str, Value)]) -> Result<[Vec<&(Str, Value)>; 2], Error> {
    let mut groups = [Vec::new(), Vec::new()];
    for member in members {
        let [lines, tables] = &mut groups;
        if shape(&member.1)?.has_header() {
            tables.push(member);
        } else {
            lines.push(member);
        }
    }
    Ok(groups)
}

fn shape(value: &Value) -> Result<Shape, Error> {
    Ok(match value {
        _ if value.is_nil() => Shape::Nil,
        Value::Map(_) => Shape::Table,
        Value::List(list) => shape_of_list(list)?,
        Value::Object(_) => match view(value)? {
            View::Members(_) => Shape::Table,
            View::Value(value) => shape(&value)?,
            View::Text(_) => Shape::Scalar,
        },
        Value::Complex(..) | Value::Function(_) => {
            return Err(format!("unsupported type: {}", value.kind().name()).into());
        }
        _ => Shape::Scalar,
    })
}

fn shape_of_list(list: &List) -> Result<Shape, Error> {
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || {
        if list.is_nil() {
            return Ok(Shape::Nil);
        }
        let mut tables = !list.is_empty();
        for item in list.iter() {
            match shape(&item)? {
                Shape::Nil => return Err("toml: cannot encode array with nil element".into()),
                Shape::Table => {}
                _ => tables = false,
            }
        }
        Ok(if tables {
            Shape::ArrayOfTables
        } else {
            Shape::Array
        })
    })
}

fn float(kind: FloatKind, number: f64) -> Vec<u8> {
    let mut text = Vec::new();
    if number.is_finite() {
        append_float(&mut text, number, b'g', None, kind);
        if !text.iter().any(|byte| matches!(byte, b'e' | b'.')) {
            text.extend_from_slice(b".0");
        }
        return text;
    }
    if number.is_sign_negative() {
        text.push(b'-');
    }
    text.extend_from_slice(if number.is_nan() { b"nan" } else { b"inf" });
    text
}

fn quoted(string: &[u8]) -> Vec<u8> {
    let mut text = vec![b'"'];
    for &byte in string {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', byte]),
            0x08 => text.extend_from_slice(b"\\b"),
            b'\t' => text.extend_from_slice(b"\\t"),
            b'\n' => text.extend_from_slice(b"\\n"),
            0x0c => text.extend_from_slice(b"\\f"),
            b'\r' => text.extend_from_slice(b"\\r"),
            0..=0x1f | 0x7f => text.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => text.push(byte),
        }
    }
    text.push(b'"');
    text
}

fn quoted_key(name: &[u8]) -> Vec<u8> {
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.iter().all(bare) {
        return name.to_vec();
    }
    quoted(name)
}

pub(super) fn dotted(key: &[Str]) -> Vec<u8> {
    let names: Vec<_> = key.iter().map(|name| quoted_key(name)).collect();
    names.join(&b'.')
}
