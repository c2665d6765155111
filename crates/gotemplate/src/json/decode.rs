//! encoding/json's Unmarshal.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::string::Str;
use crate::value::Value;

use super::text::unquote;

/// How many collections may stand in one another.
const MAX_DEPTH: usize = 10_000;

/// What a text holds, and the first number in it that float64 cannot hold: nil stands for those.
pub(super) struct Decoded {
    pub(super) value: Value,
    pub(super) error: Option<Error>,
}

impl Decoded {
    /// Whether the text is `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Nil) && self.error.is_none()
    }
}

enum Open {
    List(Vec<Value>),
    /// The entries so far, and the name of the next one.
    Map(BTreeMap<Str, Value>, Str),
}

struct Decoder<'a> {
    text: &'a [u8],
    position: usize,
    error: Option<Error>,
}

/// Decodes a whole text. The error is one of syntax.
pub(super) fn decode(text: &[u8]) -> Result<Decoded, Error> {
    let mut decoder = Decoder {
        text,
        position: 0,
        error: None,
    };
    let value = decoder.document()?;
    decoder.skip_space();
    if decoder.position < text.len() {
        return Err(decoder.unexpected("after top-level value"));
    }
    Ok(Decoded {
        value,
        error: decoder.error,
    })
}

impl Decoder<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.position += 1;
        }
    }

    /// The next byte is wrong. Go takes the end of the text for a space to find out whether a
    /// literal ends there.
    fn unexpected(&self, context: &str) -> Error {
        let byte = self.peek().unwrap_or(b' ');
        format!("invalid character {} {context}", quote(byte)).into()
    }

    /// The next byte, which is not space, is wrong, or the text ended.
    fn unexpected_token(&self, context: &str) -> Error {
        if self.position < self.text.len() {
            self.unexpected(context)
        } else {
            "unexpected end of JSON input".into()
        }
    }

    fn document(&mut self) -> Result<Value, Error> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.skip_space();
            let mut complete = None;
            match self.peek() {
                Some(bracket @ (b'[' | b'{')) => {
                    if open.len() >= MAX_DEPTH {
                        return Err(self.unexpected("exceeded max depth"));
                    }
                    self.position += 1;
                    self.skip_space();
                    match (bracket, self.peek()) {
                        (b'[', Some(b']')) => complete = Some(Value::list(Vec::new())),
                        (b'{', Some(b'}')) => complete = Some(Value::map([])),
                        (b'[', _) => open.push(Open::List(Vec::new())),
                        _ => {
                            let name = self.name()?;
                            open.push(Open::Map(BTreeMap::new(), name));
                        }
                    }
                    if complete.is_some() {
                        self.position += 1;
                    }
                }
                _ => complete = Some(self.literal()?),
            }
            // A value that is complete may complete those around it.
            while let Some(value) = complete.take() {
                let Some(container) = open.last_mut() else {
                    return Ok(value);
                };
                let (end, context) = match container {
                    Open::List(items) => {
                        items.push(value);
                        (b']', "after array element")
                    }
                    Open::Map(entries, name) => {
                        entries.insert(std::mem::take(name), value);
                        (b'}', "after object key:value pair")
                    }
                };
                self.skip_space();
                match self.peek() {
                    Some(b',') => {
                        self.position += 1;
                        if end == b'}' {
                            self.skip_space();
                            let next = self.name()?;
                            if let Some(Open::Map(_, name)) = open.last_mut() {
                                *name = next;
                            }
                        }
                    }
                    Some(byte) if byte == end => {
                        self.position += 1;
                        complete = open.pop().map(|container| match container {
                            Open::List(items) => Value::list(items),
                            Open::Map(entries, _) => Value::map(entries),
                        });
                    }
                    _ => return Err(self.unexpected_token(context)),
                }
            }
        }
    }

    /// A name and the colon after it.
    fn name(&mut self) -> Result<Str, Error> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected_token("looking for beginning of object key string"));
        }
        let name = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected_token("after object key"));
        }
        self.position += 1;
        Ok(name)
    }

    fn literal(&mut self) -> Result<Value, Error> {
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Nil),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected_token("looking for beginning of value")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        for byte in word.bytes() {
            if self.peek() != Some(byte) {
                let expected = char::from(byte);
                return Err(self.unexpected(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.position += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        match self.peek() {
            Some(b'0') => self.position += 1,
            _ => self.digits("in numeric literal")?,
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.position += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.position += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(&self.text[start..self.position]);
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::float64(number)),
            _ => {
                if self.error.is_none() {
                    let error = format!(
                        "json: cannot unmarshal number {text} into Go value of type float64"
                    );
                    self.error = Some(error.into());
                }
                Ok(Value::Nil)
            }
        }
    }

    /// Passes over digits, of which there must be one.
    fn digits(&mut self, context: &str) -> Result<(), Error> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected(context));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Str, Error> {
        self.position += 1;
        let start = self.position;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let string = unquote(&self.text[start..self.position]);
                    self.position += 1;
                    return Ok(string.into());
                }
                Some(b'\\') => {
                    self.position += 1;
                    self.escape()?;
                }
                Some(0..=0x1f) | None => return Err(self.unexpected_token("in string literal")),
                Some(_) => self.position += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => self.position += 1,
            Some(b'u') => {
                self.position += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.unexpected("in \\u hexadecimal character escape"));
                    }
                    self.position += 1;
                }
            }
            _ => return Err(self.unexpected("in string escape code")),
        }
        Ok(())
    }
}

/// A byte as Go's scanner quotes it, which takes it for a character of that number.
fn quote(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'\\' => "'\\\\'".to_owned(),
        0x07 => "'\\a'".to_owned(),
        0x08 => "'\\b'".to_owned(),
        0x0c => "'\\f'".to_owned(),
        b'\n' => "'\\n'".to_owned(),
        b'\r' => "'\\r'".to_owned(),
        b'\t' => "'\\t'".to_owned(),
        0x0b => "'\\v'".to_owned(),
        0..=0x1f | 0x7f => format!("'\\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}
