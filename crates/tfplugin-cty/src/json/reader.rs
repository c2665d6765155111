//! A pull reader of JSON text that keeps numbers as text and never recurses.

/// Where and why the input is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// How many bytes of the input come before the fault.
    pub(crate) offset: usize,
    pub(crate) problem: &'static str,
}

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// The kind in words, for messages.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a JSON bool",
            Self::Number => "a JSON number",
            Self::String => "a JSON string",
            Self::Array => "a JSON array",
            Self::Object => "a JSON object",
        }
    }
}

/// Reads `input` from its start. The caller asks for what [`Reader::peek`] announced.
pub(crate) struct Reader<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0 }
    }

    pub(crate) fn offset(&self) -> usize {
        self.position
    }

    fn fault<T>(&self, problem: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError {
            offset: self.position,
            problem,
        })
    }

    fn byte(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    /// Whether nothing but white space is left.
    pub(crate) fn at_end(&mut self) -> bool {
        self.skip_whitespace();
        self.byte().is_none()
    }

    /// The kind of the next value, by its first byte.
    pub(crate) fn peek(&mut self) -> Result<Kind, SyntaxError> {
        self.skip_whitespace();
        match self.byte() {
            Some(b'n') => Ok(Kind::Null),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b'"') => Ok(Kind::String),
            Some(b'[') => Ok(Kind::Array),
            Some(b'{') => Ok(Kind::Object),
            Some(_) => self.fault("expected a value"),
            None => self.fault("the input ends where a value was expected"),
        }
    }

    fn literal(&mut self, text: &'static [u8]) -> Result<(), SyntaxError> {
        if self.input[self.position..].starts_with(text) {
            self.position += text.len();
            Ok(())
        } else {
            self.fault("expected null, true or false")
        }
    }

    pub(crate) fn null(&mut self) -> Result<(), SyntaxError> {
        self.literal(b"null")
    }

    pub(crate) fn bool(&mut self) -> Result<bool, SyntaxError> {
        if self.byte() == Some(b't') {
            self.literal(b"true").map(|()| true)
        } else {
            self.literal(b"false").map(|()| false)
        }
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return self.fault("expected a digit");
        }
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
        Ok(())
    }

    /// The text of a number.
    pub(crate) fn number(&mut self) -> Result<&'a str, SyntaxError> {
        let start = self.position;
        if self.byte() == Some(b'-') {
            self.position += 1;
        }
        if self.byte() == Some(b'0') {
            self.position += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.position += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits()?;
        }
        // Only ASCII has been passed.
        std::str::from_utf8(&self.input[start..self.position]).or(Err(SyntaxError {
            offset: start,
            problem: "expected a number",
        }))
    }

    /// A string. As in Go's `encoding/json`, bytes that are not UTF-8 and surrogates without a partner become U+FFFD.
    pub(crate) fn string(&mut self) -> Result<String, SyntaxError> {
        let mut text = String::new();
        self.position += 1;
        loop {
            let start = self.position;
            while !matches!(self.byte(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.position += 1;
            }
            push_lossy(&self.input[start..self.position], &mut text);
            match self.byte() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.position += 1;
                    text.push(self.escape()?);
                }
                Some(_) => return self.fault("a control character in a string"),
                None => return self.fault("the input ends inside a string"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let character = match self.byte() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.position += 1;
                return self.unicode_escape();
            }
            _ => return self.fault("an unknown escape in a string"),
        };
        self.position += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, SyntaxError> {
        let first = self.four_hex_digits()?;
        if (0xd800..0xdc00).contains(&first) && self.input[self.position..].starts_with(b"\\u") {
            let after_first = self.position;
            self.position += 2;
            let second = self.four_hex_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.position = after_first;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_hex_digits(&mut self) -> Result<u32, SyntaxError> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.byte().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.fault("expected four hexadecimal digits");
            };
            code = code * 16 + digit;
            self.position += 1;
        }
        Ok(code)
    }

    /// Enters an array or an object.
    pub(crate) fn open(&mut self) {
        self.position += 1;
    }

    /// Moves to the next item of an array that ends with `]`, or an object that ends with `}`; false at its end.
    pub(crate) fn next_item(&mut self, close: u8, first: bool) -> Result<bool, SyntaxError> {
        self.skip_whitespace();
        match self.byte() {
            Some(byte) if byte == close => {
                self.position += 1;
                Ok(false)
            }
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.position += 1;
                self.skip_whitespace();
                if self.byte() == Some(close) {
                    self.fault("a comma without an item after it")
                } else {
                    Ok(true)
                }
            }
            Some(_) => self.fault("expected a comma or the end of the array or object"),
            None => self.fault("the input ends inside an array or object"),
        }
    }

    /// The name of an object's item and the colon after it.
    pub(crate) fn key(&mut self) -> Result<String, SyntaxError> {
        self.skip_whitespace();
        if self.byte() != Some(b'"') {
            return self.fault("expected the name of an item");
        }
        let name = self.string()?;
        self.skip_whitespace();
        if self.byte() != Some(b':') {
            return self.fault("expected a colon");
        }
        self.position += 1;
        Ok(name)
    }

    /// Passes over one whole value and returns its text.
    pub(crate) fn skip(&mut self) -> Result<&'a [u8], SyntaxError> {
        self.skip_whitespace();
        let start = self.position;
        // The closing bytes of the arrays and objects around the current place.
        let mut open = Vec::new();
        loop {
            let entered = match self.peek()? {
                Kind::Null => self.null().map(|()| None)?,
                Kind::Bool => self.bool().map(|_| None)?,
                Kind::Number => self.number().map(|_| None)?,
                Kind::String => self.string().map(|_| None)?,
                Kind::Array => Some(b']'),
                Kind::Object => Some(b'}'),
            };
            let mut first = false;
            if let Some(close) = entered {
                self.open();
                open.push(close);
                first = true;
            }
            loop {
                let Some(&close) = open.last() else {
                    return Ok(&self.input[start..self.position]);
                };
                if self.next_item(close, first)? {
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                }
                open.pop();
                first = false;
            }
        }
    }
}

/// One U+FFFD for each byte that is not part of valid UTF-8, as Go does.
fn push_lossy(bytes: &[u8], text: &mut String) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}
