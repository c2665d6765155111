//! BurntSushi/toml's Unmarshal into a `map[string]interface {}`.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::error::Error;
use crate::string::Str;
use crate::text::number::{NumberError, parse_float, parse_int};
use crate::text::quote::quoted;
use crate::text::{decode as decode_character, is_broken, is_letter, push};
use crate::types::Type;
use crate::value::{List, Map, Value};

use super::encode::dotted;
use super::time::Time;

/// How many arrays and inline tables may stand in one another, and how many parts a key may have.
const MAX_DEPTH: usize = 1_000;

/// Decodes a whole text.
pub(super) fn decode(text: &[u8]) -> Result<Map, Error> {
    let text = match text {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] | [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        _ => text,
    };
    if text.iter().take(6).any(|&byte| byte == 0) {
        return Err(
            "toml: line 1: files cannot contain NULL bytes; probably using UTF-16; TOML \
                    files must be UTF-8"
                .into(),
        );
    }
    let mut parser = Parser::new(text);
    parser.document()?;
    Ok(parser.finish())
}

/// What stands at a key. Tables are nodes, because they may be added to.
enum Node {
    Table(BTreeMap<Str, Node>),
    /// The tables of `[[key]]`.
    Tables(Vec<BTreeMap<Str, Node>>),
    Value(Value),
}

struct Parser<'a> {
    text: &'a [u8],
    /// Where the current piece begins.
    start: usize,
    position: usize,
    line: usize,
    at_end: bool,
    /// The widths of the last characters, by which can be gone back.
    widths: [usize; 4],
    /// Whether the string has escapes.
    escaped: bool,
    depth: usize,

    /// The table that keys belong to.
    context: Vec<Str>,
    /// The key whose value is read; empty if there is none.
    key: Str,
    /// The line of the last first part of a key.
    key_line: usize,
    root: BTreeMap<Str, Node>,
    /// The keys of arrays, as they are printed.
    arrays: HashMap<Vec<u8>, bool>,
    /// The keys of tables that were not defined themselves, as they are printed.
    implicit: HashSet<Vec<u8>>,
}

const END: char = '\0';

impl<'a> Parser<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            start: 0,
            position: 0,
            line: 1,
            at_end: false,
            widths: [0; 4],
            escaped: false,
            depth: 0,
            context: Vec::new(),
            key: Str::EMPTY,
            key_line: 0,
            root: BTreeMap::new(),
            arrays: HashMap::new(),
            implicit: HashSet::new(),
        }
    }

    // Errors.

    fn error_at(&self, line: usize, message: &str) -> Error {
        let context = String::from_utf8_lossy(&dotted(&self.context)).into_owned();
        let last = match (context.as_str(), self.key.to_text()) {
            (context, key) if key.is_empty() => context.to_owned(),
            ("", key) => key.into_owned(),
            (context, key) => format!("{context}.{key}"),
        };
        if last.is_empty() {
            return format!("toml: line {line}: {message}").into();
        }
        let last = quoted(last.as_bytes());
        format!("toml: line {line} (last key {last}): {message}").into()
    }

    /// Wrong at the current position. After the last line it is reported at the end of that.
    fn error(&self, message: &str) -> Error {
        let after_line = self.at_end && self.text[..self.position].last() == Some(&b'\n');
        self.error_at(self.line - usize::from(after_line), message)
    }

    /// Wrong at the line break that was passed over.
    fn error_before(&self, message: &str) -> Error {
        self.error_at(self.line - 1, message)
    }

    /// Wrong in the piece that was read last.
    fn error_here(&self, message: &str) -> Error {
        self.error_at(self.line, message)
    }

    // Characters.

    /// The next character, [`END`] at the end.
    fn next(&mut self) -> Result<char, Error> {
        let rest = &self.text[self.position..];
        let Some(&byte) = rest.first() else {
            self.at_end = true;
            return Ok(END);
        };
        if byte == b'\n' {
            self.line += 1;
        }
        let decoded = decode_character(rest);
        if is_broken(decoded) {
            return Err(self.error_here(&format!("invalid UTF-8 byte: 0x{byte:02x}")));
        }
        let (character, width) = decoded;
        let lone_return = character == '\r' && rest.get(1) != Some(&b'\n');
        let control = matches!(byte, 0..=0x1f | 0x7f) && !matches!(byte, b'\t' | b'\n' | b'\r');
        if control || lone_return {
            return Err(self.error_here(&format!(
                "TOML files cannot contain control characters: '0x{byte:02x}'"
            )));
        }
        self.widths.rotate_right(1);
        self.widths[0] = width;
        self.position += width;
        Ok(character)
    }

    fn back(&mut self) {
        if std::mem::take(&mut self.at_end) {
            return;
        }
        self.position -= self.widths[0];
        self.widths.rotate_left(1);
        self.widths[3] = 0;
        if self.text.get(self.position) == Some(&b'\n') {
            self.line -= 1;
        }
    }

    fn peek(&mut self) -> Result<char, Error> {
        let character = self.next()?;
        self.back();
        Ok(character)
    }

    fn accept(&mut self, wanted: char) -> Result<bool, Error> {
        if self.next()? == wanted {
            return Ok(true);
        }
        self.back();
        Ok(false)
    }

    /// Passes over characters and forgets them.
    fn skip(&mut self, unwanted: impl Fn(char) -> bool) -> Result<(), Error> {
        while unwanted(self.next()?) {}
        self.back();
        self.ignore();
        Ok(())
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) -> Result<char, Error> {
        loop {
            let character = self.next()?;
            if !wanted(character) {
                return Ok(character);
            }
        }
    }

    fn ignore(&mut self) {
        self.start = self.position;
    }

    fn current(&self) -> String {
        String::from_utf8_lossy(&self.text[self.start..self.position]).into_owned()
    }

    /// Takes the current piece.
    fn piece(&mut self) -> &'a [u8] {
        let piece = &self.text[self.start..self.position];
        self.start = self.position;
        piece
    }

    // The document.

    fn document(&mut self) -> Result<(), Error> {
        loop {
            let character = self.next()?;
            match character {
                '\t' | ' ' | '\r' | '\n' => self.ignore(),
                '#' => self.comment()?,
                END => return Ok(()),
                '[' => {
                    let array = self.accept('[')?;
                    self.ignore();
                    let key = self.table_name()?;
                    let character = if array { self.next()? } else { ']' };
                    if character != ']' {
                        return Err(self.error(&format!(
                            "expected end of table array name delimiter ']', but got {} instead",
                            quoted_char(character)
                        )));
                    }
                    self.ignore();
                    self.enter(&key, array)?;
                    self.note(&Str::EMPTY, false);
                    self.line_end()?;
                }
                _ => {
                    self.back();
                    let key = self.key_start()?;
                    let outer = self.context.clone();
                    let last = self.enter_key(&key)?;
                    let value = self.value(false)?;
                    let array = matches!(value, Value::List(_));
                    self.set(&last, Node::Value(value))?;
                    self.note(&last, array);
                    self.context = outer;
                    self.key = Str::EMPTY;
                    self.line_end()?;
                }
            }
        }
    }

    /// After a value or a table.
    fn line_end(&mut self) -> Result<(), Error> {
        let character = self.skip_while(is_space)?;
        match character {
            '#' => self.comment(),
            '\r' | '\n' => {
                self.ignore();
                Ok(())
            }
            // The caller sees the end again.
            END => {
                self.at_end = false;
                Ok(())
            }
            _ => Err(self.error(&format!(
                "expected a top-level item to end with a newline, comment, or EOF, but got {} \
                 instead",
                quoted_char(character)
            ))),
        }
    }

    fn comment(&mut self) -> Result<(), Error> {
        self.ignore();
        self.skip_while(|character| !matches!(character, '\r' | '\n' | END))?;
        self.back();
        self.ignore();
        Ok(())
    }

    // Keys.

    fn table_name(&mut self) -> Result<Vec<Str>, Error> {
        let mut key = Vec::new();
        loop {
            self.skip(is_space)?;
            match self.peek()? {
                ']' | END => {
                    return Err(
                        self.error("unexpected end of table name (table names cannot be empty)")
                    );
                }
                '.' => {
                    return Err(
                        self.error("unexpected table separator (table names cannot be empty)")
                    );
                }
                _ => {}
            }
            self.key_part(&mut key)?;
            self.skip(is_space)?;
            match self.next()? {
                '.' => self.ignore(),
                ']' => return Ok(key),
                other => {
                    return Err(self.error(&format!(
                        "expected '.' or ']' to end table name, but got {} instead",
                        quoted_char(other)
                    )));
                }
            }
        }
    }

    /// The parts of a key and the `=` after it.
    fn key_start(&mut self) -> Result<Vec<Str>, Error> {
        self.skip(is_space)?;
        match self.peek()? {
            '=' | END => return Err(self.error("unexpected '=': key name appears blank")),
            '.' => return Err(self.error("unexpected '.': keys cannot start with a '.'")),
            _ => self.ignore(),
        }
        let mut key = Vec::new();
        loop {
            self.skip(is_space)?;
            match self.peek()? {
                '=' | END if !key.is_empty() => return Err(self.error("unexpected '='")),
                '.' if !key.is_empty() => return Err(self.error("unexpected '.'")),
                _ => {}
            }
            self.key_part(&mut key)?;
            self.skip(is_space)?;
            match self.next()? {
                '.' => self.ignore(),
                '=' => {
                    self.ignore();
                    return Ok(key);
                }
                END => return Err(self.error("unexpected EOF; expected key separator '='")),
                other => {
                    let message = format!(
                        "expected '.' or '=', but got {} instead",
                        quoted_char(other)
                    );
                    return Err(match other {
                        '\n' => self.error_before(&message),
                        _ => self.error(&message),
                    });
                }
            }
        }
    }

    fn key_part(&mut self, key: &mut Vec<Str>) -> Result<(), Error> {
        let quote = self.peek()?;
        let part = if matches!(quote, '"' | '\'') {
            self.next()?;
            self.ignore();
            if quote == '"' {
                let (text, escaped) = self.basic_string()?;
                if key.is_empty() {
                    self.key_line = self.line;
                }
                if escaped {
                    self.unescape(text)?
                } else {
                    text.to_vec()
                }
            } else {
                self.literal_string()?.to_vec()
            }
        } else {
            self.skip_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))?;
            self.back();
            self.piece().to_vec()
        };
        if key.is_empty() {
            self.key_line = self.line;
        }
        key.push(part.into());
        Ok(())
    }

    // Values.

    fn value(&mut self, in_array: bool) -> Result<Value, Error> {
        if self.depth > MAX_DEPTH {
            return Err(self.error(&format!("nested in more than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        let value = stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.value_on_stack(in_array));
        self.depth -= 1;
        value
    }

    fn value_on_stack(&mut self, in_array: bool) -> Result<Value, Error> {
        self.skip(is_space)?;
        let character = self.next()?;
        match character {
            '0'..='9' => return self.number_or_date(character),
            '[' => {
                self.ignore();
                return self.array();
            }
            '{' => {
                self.ignore();
                return self.inline_table(in_array);
            }
            '"' => return self.double_quoted(),
            '\'' => return self.single_quoted(),
            '.' => return Err(self.error("floats must start with a digit, not '.'")),
            'i' | 'n' => {
                let word = self.accept('n')? && self.accept('f')?
                    || self.accept('a')? && self.accept('n')?;
                if word {
                    return self.float();
                }
            }
            '-' | '+' => return self.signed(),
            _ => {}
        }
        if is_letter(character) {
            self.back();
            let from = self.position;
            self.skip_while(is_letter)?;
            self.back();
            let word = &self.text[from..self.position];
            if word == b"true" || word == b"false" {
                self.ignore();
                return Ok(Value::Bool(word == b"true"));
            }
            return Err(self.error(&format!(
                "expected value but found {} instead",
                quoted(word)
            )));
        }
        let message = format!(
            "expected value but found {} instead",
            quoted_char(character)
        );
        Err(match character {
            END => self.error("unexpected EOF; expected value"),
            '\n' => self.error_before(&message),
            _ => self.error(&message),
        })
    }

    fn array(&mut self) -> Result<Value, Error> {
        self.note(&self.key.clone(), true);
        let mut items = Vec::new();
        loop {
            match self.skip_lines()? {
                ',' => return Err(self.error("unexpected comma")),
                ']' => break,
                _ => {}
            }
            self.back();
            items.push(self.value(true)?);
            let character = self.skip_lines()?;
            match character {
                ',' => self.ignore(),
                ']' => break,
                _ => {
                    return Err(self.error(&format!(
                        "expected a comma (',') or array terminator (']'), but got {}",
                        or_end(character)
                    )));
                }
            }
        }
        self.ignore();
        Ok(Value::list(items))
    }

    /// Passes over blanks, line breaks and comments, and takes the character after them.
    fn skip_lines(&mut self) -> Result<char, Error> {
        loop {
            match self.next()? {
                '\t' | ' ' | '\r' | '\n' => self.ignore(),
                '#' => self.comment()?,
                character => return Ok(character),
            }
        }
    }

    fn inline_table(&mut self, in_array: bool) -> Result<Value, Error> {
        let table = Map::new(Type::Any, BTreeMap::new());
        let outer_context = self.context.clone();
        let outer_key = std::mem::take(&mut self.key);
        self.context.push(outer_key.clone());
        let within = self.context.clone();
        self.implicit.insert(dotted(&within));
        self.enter(&within, in_array)?;
        loop {
            match self.skip_lines()? {
                ',' => return Err(self.error("unexpected comma")),
                '}' => break,
                _ => {}
            }
            self.back();
            let key = self.key_start()?;
            let last = self.enter_key(&key)?;
            let value = self.value(false)?;
            let array = matches!(value, Value::List(_));
            self.set(&last, Node::Value(value.clone()))?;
            self.note(&last, array);
            let mut innermost = table.clone();
            for part in &key[..key.len() - 1] {
                let next = match innermost.get(part) {
                    Some(Value::Map(next)) => next,
                    Some(_) => {
                        let context = quoted(&dotted(&self.context));
                        let message = format!("{context} is not a table");
                        return Err(self.error_at(self.key_line, &message));
                    }
                    None => {
                        let next = Map::new(Type::Any, BTreeMap::new());
                        innermost.insert(part.clone(), Value::Map(next.clone()))?;
                        next
                    }
                };
                innermost = next;
            }
            innermost.insert(last, value)?;
            self.context.clone_from(&within);
            let character = self.skip_lines()?;
            match character {
                ',' => {
                    self.ignore();
                    self.skip(is_space)?;
                    if self.peek()? == '}' {
                        self.next()?;
                        break;
                    }
                }
                '}' => break,
                _ => {
                    return Err(self.error(&format!(
                        "expected a comma or an inline table terminator '}}', but got {} instead",
                        or_end(character)
                    )));
                }
            }
        }
        self.ignore();
        self.context = outer_context;
        self.key = outer_key;
        Ok(Value::Map(table))
    }

    // Strings.

    fn double_quoted(&mut self) -> Result<Value, Error> {
        if self.accept('"')? {
            if self.accept('"')? {
                self.ignore();
                return self.long_string(b'"');
            }
            self.back();
        }
        self.ignore();
        let (text, escaped) = self.basic_string()?;
        let text = if escaped {
            self.unescape(text)?
        } else {
            text.to_vec()
        };
        Ok(Value::string(text))
    }

    fn single_quoted(&mut self) -> Result<Value, Error> {
        if self.accept('\'')? {
            if self.accept('\'')? {
                self.ignore();
                return self.long_string(b'\'');
            }
            self.back();
        }
        self.ignore();
        let text = self.literal_string()?;
        Ok(Value::string(text))
    }

    /// What is in quotes, and whether there are escapes in it.
    fn basic_string(&mut self) -> Result<(&'a [u8], bool), Error> {
        loop {
            match self.next()? {
                END => return Err(self.error("unexpected EOF; expected '\"'")),
                '\r' | '\n' => return Err(self.error_before("strings cannot contain newlines")),
                '\\' => self.escape()?,
                '"' => {
                    self.back();
                    let text = self.piece();
                    self.next()?;
                    self.ignore();
                    return Ok((text, std::mem::take(&mut self.escaped)));
                }
                _ => {}
            }
        }
    }

    fn literal_string(&mut self) -> Result<&'a [u8], Error> {
        loop {
            match self.next()? {
                END => return Err(self.error("unexpected EOF; expected \"'\"")),
                '\r' | '\n' => return Err(self.error_before("strings cannot contain newlines")),
                '\'' => {
                    self.back();
                    let text = self.piece();
                    self.next()?;
                    self.ignore();
                    return Ok(text);
                }
                _ => {}
            }
        }
    }

    /// A string in three quotes, which may have two quotes more at its end.
    fn long_string(&mut self, quote: u8) -> Result<Value, Error> {
        let mark = char::from(quote);
        loop {
            match self.next()? {
                END if quote == b'"' => {
                    return Err(self.error("unexpected EOF; expected '\"\"\"'"));
                }
                END => return Err(self.error("unexpected EOF; expected \"'''\"")),
                '\\' if quote == b'"' => {
                    let character = self.next()?;
                    if !matches!(character, '\r' | '\n') {
                        self.back();
                        self.escape()?;
                    }
                }
                character if character == mark => {
                    if !self.accept(mark)? {
                        continue;
                    }
                    if !self.accept(mark)? {
                        self.back();
                        continue;
                    }
                    if self.peek()? == mark {
                        let current = &self.text[self.start..self.position];
                        let five = current.ends_with(&[quote; 5]);
                        if quote == b'"' && five && !current.ends_with(b"\\\"\"\"\"\"") {
                            return Err(self.error("unexpected '\"\"\"\"\"\"'"));
                        }
                        if quote == b'\'' && five {
                            return Err(self.error("unexpected \"''''''\""));
                        }
                        self.back();
                        self.back();
                        continue;
                    }
                    for _ in 0..3 {
                        self.back();
                    }
                    let text = self.piece();
                    let line = self.line;
                    for _ in 0..3 {
                        self.next()?;
                    }
                    self.ignore();
                    let text = text
                        .strip_prefix(b"\n")
                        .or_else(|| text.strip_prefix(b"\r\n"))
                        .unwrap_or(text);
                    if quote == b'\'' {
                        return Ok(Value::string(text));
                    }
                    self.escaped = false;
                    let text = join_lines(text);
                    let text = self.unescape_at(&text, line)?;
                    return Ok(Value::string(text));
                }
                _ => {}
            }
        }
    }

    /// After a backslash.
    fn escape(&mut self) -> Result<(), Error> {
        self.escaped = true;
        let (digits, count) = match self.next()? {
            'e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\' => return Ok(()),
            'x' => (2, "two hexadecimal digits after '\\x'"),
            'u' => (4, "four hexadecimal digits after '\\u'"),
            'U' => (8, "eight hexadecimal digits after '\\U'"),
            other => {
                // The end is reported on the line before it, which need not have ended.
                let message = format!("invalid escape in string '\\{other}'");
                return Err(if self.at_end {
                    self.error_before(&message)
                } else {
                    self.error_here(&message)
                });
            }
        };
        for _ in 0..digits {
            if !self.next()?.is_ascii_hexdigit() {
                let current = quoted(self.current().as_bytes());
                return Err(self.error(&format!("expected {count}, but got {current} instead")));
            }
        }
        Ok(())
    }

    fn unescape(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        self.unescape_at(text, self.line)
    }

    fn unescape_at(&self, text: &[u8], line: usize) -> Result<Vec<u8>, Error> {
        let mut result = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            if byte != b'\\' {
                result.push(byte);
                rest = after;
                continue;
            }
            let Some((&escape, after)) = after.split_first() else {
                break;
            };
            rest = after;
            let digits = match escape {
                b'b' => {
                    result.push(8);
                    continue;
                }
                b't' => {
                    result.push(b'\t');
                    continue;
                }
                b'n' => {
                    result.push(b'\n');
                    continue;
                }
                b'f' => {
                    result.push(12);
                    continue;
                }
                b'r' => {
                    result.push(b'\r');
                    continue;
                }
                b'e' => {
                    result.push(0x1b);
                    continue;
                }
                b' ' | b'\t' => {
                    let escape = char::from(escape);
                    return Err(self.error_at(line, &format!("invalid escape: '\\{escape}'")));
                }
                b'x' => 2,
                b'u' => 4,
                b'U' => 8,
                other => {
                    result.push(other);
                    continue;
                }
            };
            let code = rest.get(..digits).unwrap_or_default();
            let value = code.iter().fold(0_u32, |value, &digit| {
                value << 4 | char::from(digit).to_digit(16).unwrap_or(0)
            });
            let Some(character) = char::from_u32(value) else {
                let code = String::from_utf8_lossy(code);
                return Err(self.error_at(
                    line,
                    &format!("Escaped character '\\u{code}' is not valid UTF-8."),
                ));
            };
            push(&mut result, character);
            rest = &rest[digits..];
        }
        Ok(result)
    }

    // Numbers and dates.

    fn number_or_date(&mut self, first: char) -> Result<Value, Error> {
        let mut second = None;
        if first == '0' {
            let character = self.next()?;
            let base: Option<(u32, &str)> = match character {
                'b' => Some((2, "a binary")),
                'o' => Some((8, "an octal")),
                'x' => Some((16, "a hexadecimal")),
                _ => None,
            };
            if let Some((base, name)) = base {
                let next = self.peek()?;
                if !next.is_digit(base) {
                    let current = self.current();
                    // At the end Go prints the character that stands for it.
                    return Err(self.error(&format!("not {name} number: '{current}{next}'")));
                }
                self.skip_while(|c| c.is_digit(base) || c == '_')?;
                self.back();
                return self.integer();
            }
            match character {
                '0'..='9' => {}
                '_' | '.' | 'e' | 'E' => second = Some(character),
                _ => {
                    self.back();
                    return self.integer();
                }
            }
        }
        let character = match second {
            Some(character) => character,
            None => self.skip_while(|c| c.is_ascii_digit())?,
        };
        match character {
            '-' | ':' => {
                self.skip_while(|c| {
                    c.is_ascii_digit()
                        || matches!(c, '-' | ':' | 'T' | 't' | ' ' | '.' | 'Z' | 'z' | '+')
                })?;
                self.back();
                self.date()
            }
            '_' => self.decimal(),
            '.' | 'e' | 'E' => self.rest_of_float(),
            _ => {
                self.back();
                self.integer()
            }
        }
    }

    fn signed(&mut self) -> Result<Value, Error> {
        let character = self.next()?;
        match character {
            'i' | 'n' => {
                let rest = if character == 'i' {
                    ['n', 'f']
                } else {
                    ['a', 'n']
                };
                if !self.accept(rest[0])? || !self.accept(rest[1])? {
                    let current = self.current();
                    return Err(self.error(&format!("invalid float: '{current}'")));
                }
                self.float()
            }
            '.' => Err(self.error("floats must start with a digit, not '.'")),
            '0'..='9' => {
                if character == '0' {
                    let base = self.peek()?;
                    if matches!(base, 'b' | 'o' | 'x') {
                        let current = self.current();
                        return Err(self.error(&format!(
                            "cannot use sign with non-decimal numbers: '{current}{base}'"
                        )));
                    }
                }
                self.decimal()
            }
            _ => Err(self.error(&format!(
                "expected a digit but got {}",
                quoted_char(character)
            ))),
        }
    }

    /// Digits and underscores, and perhaps the rest of a float.
    fn decimal(&mut self) -> Result<Value, Error> {
        match self.skip_while(|c| c.is_ascii_digit() || c == '_')? {
            '.' | 'e' | 'E' => self.rest_of_float(),
            _ => {
                self.back();
                self.integer()
            }
        }
    }

    fn rest_of_float(&mut self) -> Result<Value, Error> {
        self.skip_while(|c| c.is_ascii_digit() || matches!(c, '_' | '.' | '-' | '+' | 'e' | 'E'))?;
        self.back();
        self.float()
    }

    fn integer(&mut self) -> Result<Value, Error> {
        let text = self.piece();
        let refuse = |reason: &str| {
            let integer = quoted(text);
            self.error_here(&format!("Invalid integer {integer}: {reason}"))
        };
        if !underscores_are_between_digits(text) {
            return Err(refuse("underscores must be surrounded by digits"));
        }
        if has_leading_zero(text) {
            return Err(refuse("cannot have leading zeroes"));
        }
        match parse_int(text) {
            Ok(number) => Ok(Value::int64(number)),
            Err(NumberError::Range) => {
                let text = String::from_utf8_lossy(text);
                Err(self.error_here(&format!("{text} is out of range for int64")))
            }
            Err(NumberError::Syntax) => Err(refuse("it is not a number")),
        }
    }

    fn float(&mut self) -> Result<Value, Error> {
        let text = self.piece();
        let refuse = |reason: &str| {
            let float = quoted(text);
            self.error_here(&format!("Invalid float {float}: {reason}"))
        };
        let separates = |byte: &u8| matches!(byte, b'.' | b'e' | b'E');
        let mut parts = text.split(separates).filter(|part| !part.is_empty());
        if !parts.clone().all(underscores_are_between_digits) {
            return Err(refuse("underscores must be surrounded by digits"));
        }
        if parts.next().is_some_and(has_leading_zero) {
            return Err(refuse("cannot have leading zeroes"));
        }
        let mut after_point = text.split(|&byte| byte == b'.').skip(1);
        if !after_point.all(|part| part.first().is_some_and(u8::is_ascii_digit)) {
            return Err(refuse("'.' must be followed by one or more digits"));
        }
        let digits: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'_').collect();
        let number = match digits.as_slice() {
            b"+nan" => Ok(f64::NAN),
            b"-nan" => Ok(-f64::NAN),
            digits => parse_float(digits),
        };
        match number {
            Ok(number) => Ok(Value::float64(number)),
            Err(NumberError::Range) => {
                let text = String::from_utf8_lossy(text);
                Err(self.error_here(&format!("{text} is out of range for float64")))
            }
            Err(NumberError::Syntax) => {
                let float = quoted(text);
                Err(self.error_here(&format!("Invalid float value: {float}")))
            }
        }
    }

    fn date(&mut self) -> Result<Value, Error> {
        let line = self.line;
        let text = self.piece().trim_ascii();
        let text: Vec<u8> = text
            .iter()
            .map(|&byte| match byte {
                b'z' => b'Z',
                b't' | b' ' => b'T',
                other => other,
            })
            .collect();
        match Time::parse(&text) {
            Some(time) => Ok(Value::object(time)),
            None => Err(self.error_at(line, &format!("invalid datetime: {}", quoted(&text)))),
        }
    }

    // Tables.

    /// Notes whether the key of the context is of an array; an empty key is the context itself.
    fn note(&mut self, key: &Str, array: bool) {
        let mut path = self.context.clone();
        if !key.is_empty() || path.is_empty() {
            path.push(key.clone());
        }
        self.arrays.insert(dotted(&path), array);
    }

    /// Enters the tables of a dotted key, and gives its last part.
    fn enter_key(&mut self, key: &[Str]) -> Result<Str, Error> {
        let (last, tables) = key.split_last().unwrap_or((&Str::EMPTY, &[]));
        self.key = last.clone();
        for table in tables {
            let path = [self.context.as_slice(), std::slice::from_ref(table)].concat();
            self.implicit.insert(dotted(&path));
            self.enter(&path, false)?;
        }
        Ok(last.clone())
    }

    /// Makes a table, or one more table of an array, the context.
    fn enter(&mut self, key: &[Str], array: bool) -> Result<(), Error> {
        let Some((last, parents)) = key.split_last() else {
            return Ok(());
        };
        let line = self.key_line;
        if key.len() > MAX_DEPTH {
            let message = format!("nested in more than {MAX_DEPTH} levels");
            return Err(self.error_at(line, &message));
        }
        let mut missing = Vec::new();
        let mut table = Some(&mut self.root);
        let mut path = Vec::new();
        for parent in parents {
            path.push(parent.clone());
            let Some(entries) = table.take() else {
                break;
            };
            if !entries.contains_key(parent) {
                missing.push(dotted(&path));
            }
            let node = entries
                .entry(parent.clone())
                .or_insert_with(|| Node::Table(BTreeMap::new()));
            table = match node {
                Node::Table(entries) => Some(entries),
                Node::Tables(tables) => tables.last_mut(),
                Node::Value(_) => None,
            };
            if table.is_none() {
                break;
            }
        }
        let Some(table) = table else {
            self.implicit.extend(missing);
            let path = dotted(&path);
            let path = String::from_utf8_lossy(&path);
            let message = format!("Key '{path}' was already created as a hash.");
            return Err(self.error_at(line, &message));
        };
        let mut used = false;
        if array {
            let node = table
                .entry(last.clone())
                .or_insert_with(|| Node::Tables(Vec::new()));
            match node {
                Node::Tables(tables) => tables.push(BTreeMap::new()),
                _ => used = true,
            }
        }
        self.implicit.extend(missing);
        self.context = parents.to_vec();
        if used {
            let key = dotted(key);
            let key = String::from_utf8_lossy(&key);
            let message =
                format!("Key '{key}' was already created and cannot be used as an array.");
            return Err(self.error_at(line, &message));
        }
        if !array {
            self.set(last, Node::Table(BTreeMap::new()))?;
        }
        self.context.push(last.clone());
        Ok(())
    }

    /// Sets a key of the context.
    fn set(&mut self, key: &Str, node: Node) -> Result<(), Error> {
        let line = self.key_line;
        let mut path = Vec::new();
        let mut table = Some(&mut self.root);
        for part in &self.context {
            path.push(part.clone());
            table = match table.take().and_then(|entries| entries.get_mut(part)) {
                Some(Node::Table(entries)) => Some(entries),
                Some(Node::Tables(tables)) => tables.last_mut(),
                Some(Node::Value(_)) | None => None,
            };
            if table.is_none() {
                break;
            }
        }
        let Some(table) = table else {
            let path = dotted(&path);
            let path = String::from_utf8_lossy(&path);
            let message = format!("Key '{path}' has already been defined.");
            return Err(self.error_at(line, &message));
        };
        path.push(key.clone());
        let path = dotted(&path);
        if !table.contains_key(key) {
            table.insert(key.clone(), node);
            return Ok(());
        }
        // What was defined only by what is in it may be defined once.
        if self.implicit.remove(&path) {
            if self.arrays.get(&path) == Some(&true) {
                table.insert(key.clone(), node);
            }
            return Ok(());
        }
        let path = String::from_utf8_lossy(&path);
        let message = format!("Key '{path}' has already been defined.");
        Err(self.error_at(line, &message))
    }

    fn finish(mut self) -> Map {
        Map::new(Type::Any, values(std::mem::take(&mut self.root)))
    }
}

// Tables may be nested more deeply than the stack allows to drop by recursion.
impl Drop for Parser<'_> {
    fn drop(&mut self) {
        let mut tables = vec![std::mem::take(&mut self.root)];
        while let Some(table) = tables.pop() {
            for node in table.into_values() {
                match node {
                    Node::Table(inner) => tables.push(inner),
                    Node::Tables(inner) => tables.extend(inner),
                    Node::Value(_) => {}
                }
            }
        }
    }
}

fn values(table: BTreeMap<Str, Node>) -> BTreeMap<Str, Value> {
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || {
        let map = |table| Map::new(Type::Any, values(table));
        let value = |node| match node {
            Node::Value(value) => value,
            Node::Table(table) => Value::Map(map(table)),
            Node::Tables(tables) => {
                let tables = tables.into_iter().map(|table| Value::Map(map(table)));
                Value::List(List::new(Type::map(Type::Any), tables.collect()))
            }
        };
        table
            .into_iter()
            .map(|(key, node)| (key, value(node)))
            .collect()
    })
}

fn is_space(character: char) -> bool {
    matches!(character, '\t' | ' ')
}

/// A character as the verb `%q` prints it.
fn quoted_char(character: char) -> String {
    let mut text = Vec::new();
    crate::text::quote::append_quoted_char(&mut text, character, false);
    String::from_utf8_lossy(&text).into_owned()
}

fn or_end(character: char) -> String {
    match character {
        END => "end of file".to_owned(),
        other => format!("'{other}'"),
    }
}

fn underscores_are_between_digits(text: &[u8]) -> bool {
    if matches!(
        text,
        b"nan" | b"+nan" | b"-nan" | b"inf" | b"-inf" | b"+inf"
    ) {
        return true;
    }
    let mut accepted = false;
    for byte in text {
        if *byte == b'_' && !accepted {
            return false;
        }
        accepted = byte.is_ascii_hexdigit();
    }
    accepted
}

fn has_leading_zero(text: &[u8]) -> bool {
    match text {
        [b'0', b'b' | b'o' | b'x', ..] => false,
        [b'0', _, ..] => true,
        [b'-' | b'+', b'0', _, ..] => true,
        _ => false,
    }
}

/// Removes line breaks after a backslash, and the blanks around them.
fn join_lines(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'\\' {
            if after.first() == Some(&b'\\') {
                result.extend_from_slice(b"\\\\");
                rest = &after[1..];
                continue;
            }
            let blanks = after
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
                .count();
            if after[..blanks].contains(&b'\n') {
                rest = &after[blanks..];
                continue;
            }
        }
        result.push(byte);
        rest = after;
    }
    result
}
