//! encoding/json's Marshal.

use crate::error::{Error, Limit};
use crate::string::Str;
use crate::text::float::append_float;
use crate::types::FloatKind;
use crate::value::{JsonView, List, Map, Value};

use super::base64;
use super::text::write_string;

/// From this many levels on a map within itself is looked for, as Go does.
const CYCLES_FROM: usize = 1000;

/// The deepest nesting that is printed. Go ends with its stack.
const MAX_DEPTH: usize = 100_000;

/// How the text looks.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// Whether `<`, `>` and `&` are escaped.
    pub escape_html: bool,
    /// The indentation of one level; on one line without it.
    pub indent: Option<&'a str>,
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self {
            escape_html: true,
            indent: None,
        }
    }
}

pub(super) struct Encoder<'a> {
    style: Style<'a>,
    text: Vec<u8>,
    depth: usize,
    /// The maps around the value, from the level on from which cycles are looked for.
    maps: Vec<Map>,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(style: Style<'a>) -> Self {
        Self {
            style,
            text: Vec::new(),
            depth: 0,
            maps: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.text
    }

    pub(super) fn value(&mut self, value: &Value) -> Result<(), Error> {
        stacker::maybe_grow(32 * 1024, 1024 * 1024, || self.value_on_stack(value))
    }

    fn value_on_stack(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Nil => self.text.extend_from_slice(b"null"),
            Value::Bool(true) => self.text.extend_from_slice(b"true"),
            Value::Bool(false) => self.text.extend_from_slice(b"false"),
            Value::Int(_, number) => self.text.extend_from_slice(number.to_string().as_bytes()),
            Value::Uint(_, number) => self.text.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(kind, number) => self.float(*kind, *number)?,
            Value::String(text) => write_string(text, self.style.escape_html, &mut self.text),
            Value::List(list) => self.list(list)?,
            Value::Map(map) => self.map(map)?,
            Value::Object(object) => match object.json()? {
                JsonView::Value(value) => self.value(&value)?,
                JsonView::Members(members) => {
                    let members = members.iter().map(|(name, value)| (name, value));
                    self.object(members)?;
                }
            },
            Value::Complex(..) | Value::Function(_) => {
                let kind = value.type_name();
                return Err(format!("json: unsupported type: {kind}").into());
            }
        }
        Ok(())
    }

    fn float(&mut self, kind: FloatKind, number: f64) -> Result<(), Error> {
        if !number.is_finite() {
            let mut text = Vec::new();
            append_float(&mut text, number, b'g', None, kind);
            let text = String::from_utf8_lossy(&text);
            return Err(format!("json: unsupported value: {text}").into());
        }
        let magnitude = number.abs();
        // Go compares a float32 in its own precision.
        let small = match kind {
            FloatKind::Float32 => magnitude < f64::from(1e-6_f32),
            FloatKind::Float64 => magnitude < 1e-6,
        };
        if magnitude == 0.0 || !small && magnitude < 1e21 {
            append_float(&mut self.text, number, b'f', None, kind);
            return Ok(());
        }
        append_float(&mut self.text, number, b'e', None, kind);
        // e-09 to e-9
        if let [.., b'e', b'-', b'0', _] = self.text.as_slice() {
            let zero = self.text.len() - 2;
            self.text.remove(zero);
        }
        Ok(())
    }

    fn list(&mut self, list: &List) -> Result<(), Error> {
        if list.is_nil() {
            self.text.extend_from_slice(b"null");
            return Ok(());
        }
        if let Some(bytes) = list.as_bytes() {
            self.text.push(b'"');
            self.text.extend_from_slice(&base64::encode(&bytes));
            self.text.push(b'"');
            return Ok(());
        }
        self.text.push(b'[');
        self.enter()?;
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            self.new_line();
            self.value(&item)?;
        }
        self.leave(b']', list.is_empty());
        Ok(())
    }

    fn map(&mut self, map: &Map) -> Result<(), Error> {
        if map.is_nil() {
            self.text.extend_from_slice(b"null");
            return Ok(());
        }
        let watched = self.depth >= CYCLES_FROM;
        if watched {
            if self.maps.iter().any(|outer| outer.same(map)) {
                let kind = map.type_of();
                return Err(
                    format!("json: unsupported value: encountered a cycle via {kind}").into(),
                );
            }
            self.maps.push(map.clone());
        }
        self.object(map.borrow().iter())?;
        if watched {
            self.maps.pop();
        }
        Ok(())
    }

    fn object<'v>(
        &mut self,
        members: impl Iterator<Item = (&'v Str, &'v Value)>,
    ) -> Result<(), Error> {
        self.text.push(b'{');
        self.enter()?;
        let mut empty = true;
        for (name, value) in members {
            if !empty {
                self.text.push(b',');
            }
            empty = false;
            self.new_line();
            write_string(name, self.style.escape_html, &mut self.text);
            self.text.push(b':');
            if self.style.indent.is_some() {
                self.text.push(b' ');
            }
            self.value(value)?;
        }
        self.leave(b'}', empty);
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::limit(
                Limit::Depth,
                format!("json: value is nested in more than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    fn leave(&mut self, bracket: u8, empty: bool) {
        self.depth -= 1;
        if !empty {
            self.new_line();
        }
        self.text.push(bracket);
    }

    fn new_line(&mut self) {
        if let Some(indent) = self.style.indent {
            self.text.push(b'\n');
            for _ in 0..self.depth {
                self.text.extend_from_slice(indent.as_bytes());
            }
        }
    }
}
