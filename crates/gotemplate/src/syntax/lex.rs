//! From text to tokens.

use crate::text::{self, decode, quote};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text of the token is the error.
    Error,
    Bool,
    /// Any printable ASCII character that has no meaning of its own.
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    End,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParenthesis,
    Space,
    String,
    Text,
    Variable,
    Keyword(Keyword),
}

/// A word, or the dot, with a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Dot,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A token: its place in the source, or the text of an error.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The line in which it begins, counted from 1.
    pub(super) line: usize,
    pub(super) error: Option<String>,
}

impl Token {
    /// As it is shown in errors.
    pub(super) fn describe(&self, source: &[u8]) -> String {
        let value = &source[self.start..self.end];
        match self.kind {
            Kind::End => "EOF".to_owned(),
            Kind::Error => self.error.clone().unwrap_or_default(),
            Kind::Keyword(_) => format!("<{}>", String::from_utf8_lossy(value)),
            _ if value.len() > 10 => {
                format!("{}...", quote::quoted(text::truncate(value, 10)))
            }
            _ => quote::quoted(value),
        }
    }
}

/// Which words are keywords rather than functions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keywords {
    pub(super) break_: bool,
    pub(super) continue_: bool,
}

pub(super) struct Lexer<'s> {
    source: &'s [u8],
    /// After an error there is no more input.
    end: usize,
    left: &'s [u8],
    right: &'s [u8],
    position: usize,
    start: usize,
    line: usize,
    start_line: usize,
    parentheses: usize,
    inside: bool,
    keywords: Keywords,
}

/// A character, none at the end of the input.
type Next = Option<char>;

impl<'s> Lexer<'s> {
    pub(super) fn new(
        source: &'s [u8],
        left: &'s [u8],
        right: &'s [u8],
        keywords: Keywords,
    ) -> Self {
        Self {
            source,
            end: source.len(),
            left,
            right,
            position: 0,
            start: 0,
            line: 1,
            start_line: 1,
            parentheses: 0,
            inside: false,
            keywords,
        }
    }

    pub(super) fn next_token(&mut self) -> Token {
        if self.inside {
            self.inside_action()
        } else {
            self.text()
        }
    }

    fn rest(&self) -> &'s [u8] {
        &self.source[self.position.min(self.end)..self.end]
    }

    fn peek(&self) -> Next {
        let rest = self.rest();
        (!rest.is_empty()).then(|| decode(rest).0)
    }

    fn next(&mut self) -> Next {
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        let (character, width) = decode(rest);
        self.position += width;
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    fn accept(&mut self, valid: impl Fn(char) -> bool) -> bool {
        let accepted = self.peek().is_some_and(valid);
        if accepted {
            self.next();
        }
        accepted
    }

    fn accept_run(&mut self, valid: impl Fn(char) -> bool) {
        while self.accept(&valid) {}
    }

    /// The token that ends here.
    fn token(&mut self, kind: Kind) -> Token {
        let token = Token {
            kind,
            start: self.start,
            end: self.position,
            line: self.start_line,
            error: None,
        };
        self.start = self.position;
        self.start_line = self.line;
        token
    }

    /// Drops what came since the last token; `lines` counts what was not read by `next`.
    fn ignore(&mut self) {
        self.line += lines(&self.source[self.start..self.position]);
        self.start = self.position;
        self.start_line = self.line;
    }

    fn error(&mut self, message: impl Into<String>) -> Token {
        let token = Token {
            kind: Kind::Error,
            start: self.start,
            end: self.start,
            line: self.start_line,
            error: Some(message.into()),
        };
        self.start = 0;
        self.position = 0;
        self.end = 0;
        token
    }

    /// Text up to the next left delimiter, or that delimiter, or the end.
    fn text(&mut self) -> Token {
        loop {
            let rest = self.rest();
            let Some(offset) = find(rest, self.left) else {
                self.position = self.end;
                if self.position > self.start {
                    self.line += lines(&self.source[self.start..self.position]);
                    return self.token(Kind::Text);
                }
                return self.token(Kind::End);
            };
            if offset > 0 {
                let text = &rest[..offset];
                let delimiter = self.position + offset;
                let trimmed = if has_left_trim_marker(&rest[offset + self.left.len()..]) {
                    text.len() - text.trim_ascii_end_go().len()
                } else {
                    0
                };
                self.position = delimiter - trimmed;
                self.line += lines(&self.source[self.start..self.position]);
                let token = self.token(Kind::Text);
                self.position = delimiter;
                self.ignore();
                if token.end > token.start {
                    return token;
                }
            }
            if let Some(token) = self.left_delimiter() {
                return token;
            }
        }
    }

    /// The left delimiter, which is here; none for a comment, which is skipped.
    fn left_delimiter(&mut self) -> Option<Token> {
        self.position += self.left.len();
        let after_marker = if has_left_trim_marker(self.rest()) {
            2
        } else {
            0
        };
        if self.rest()[after_marker..].starts_with(b"/*") {
            self.position += after_marker;
            self.ignore();
            return self.comment();
        }
        let token = self.token(Kind::LeftDelimiter);
        self.inside = true;
        self.position += after_marker;
        self.ignore();
        self.parentheses = 0;
        Some(token)
    }

    fn comment(&mut self) -> Option<Token> {
        self.position += 2;
        let Some(offset) = find(self.rest(), b"*/") else {
            return Some(self.error("unclosed comment"));
        };
        self.position += offset + 2;
        let Some(trim) = self.at_right_delimiter() else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        if trim {
            self.position += 2;
        }
        self.position += self.right.len();
        if trim {
            self.skip_space();
        }
        self.ignore();
        None
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.position += rest.iter().take_while(|byte| is_space_byte(**byte)).count();
    }

    /// Whether the right delimiter is here, and then whether a trim marker precedes it.
    fn at_right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest[2..].starts_with(self.right) {
            Some(true)
        } else if rest.starts_with(self.right) {
            Some(false)
        } else {
            None
        }
    }

    fn right_delimiter(&mut self) -> Token {
        let trim = self.at_right_delimiter() == Some(true);
        if trim {
            self.position += 2;
            self.ignore();
        }
        self.position += self.right.len();
        let token = self.token(Kind::RightDelimiter);
        if trim {
            self.skip_space();
            self.ignore();
        }
        self.inside = false;
        token
    }

    fn inside_action(&mut self) -> Token {
        if self.at_right_delimiter().is_some() {
            if self.parentheses == 0 {
                return self.right_delimiter();
            }
            return self.error("unclosed left paren");
        }
        let Some(character) = self.peek() else {
            return self.error("unclosed action");
        };
        if is_space(character) {
            return self.space();
        }
        if matches!(character, '+' | '-' | '0'..='9')
            || character == '.' && self.rest().get(1).is_some_and(u8::is_ascii_digit)
        {
            return self.number();
        }
        if character == '.' && self.rest().len() == 1 {
            // A dot at the very end of the input counts as a number.
            return self.number();
        }
        self.next();
        match character {
            '=' => self.token(Kind::Assign),
            ':' => {
                if self.next() == Some('=') {
                    self.token(Kind::Declare)
                } else {
                    self.error("expected :=")
                }
            }
            '|' => self.token(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.raw_string(),
            '$' => self.field_or_variable(Kind::Variable, Kind::Variable),
            '.' => self.field_or_variable(Kind::Field, Kind::Keyword(Keyword::Dot)),
            '(' => {
                self.parentheses += 1;
                self.token(Kind::LeftParenthesis)
            }
            ')' => {
                if self.parentheses == 0 {
                    return self.error("unexpected right paren");
                }
                self.parentheses -= 1;
                self.token(Kind::RightParenthesis)
            }
            _ if is_alphanumeric(character) => self.identifier(),
            _ if character.is_ascii() && text::is_print(character) => self.token(Kind::Char),
            _ => self.error(format!(
                "unrecognized character in action: {}",
                show(Some(character))
            )),
        }
    }

    /// A run of space. Its last one may belong to a right delimiter with a trim marker.
    fn space(&mut self) -> Token {
        let mut count = 0;
        while self.accept(is_space) {
            count += 1;
        }
        let before = &self.source[self.position - 1..self.end];
        if has_right_trim_marker(before) && before[2..].starts_with(self.right) {
            self.position -= 1;
            if before.first() == Some(&b'\n') {
                self.line -= 1;
            }
            if count == 1 {
                return self.right_delimiter();
            }
        }
        self.token(Kind::Space)
    }

    fn identifier(&mut self) -> Token {
        self.accept_run(is_alphanumeric);
        let next = self.peek();
        if !self.at_terminator() {
            return self.error(format!("bad character {}", show(next)));
        }
        let kind = match &self.source[self.start..self.position] {
            b"true" | b"false" => Kind::Bool,
            b"block" => Kind::Keyword(Keyword::Block),
            b"break" if self.keywords.break_ => Kind::Keyword(Keyword::Break),
            b"continue" if self.keywords.continue_ => Kind::Keyword(Keyword::Continue),
            b"define" => Kind::Keyword(Keyword::Define),
            b"else" => Kind::Keyword(Keyword::Else),
            b"end" => Kind::Keyword(Keyword::End),
            b"if" => Kind::Keyword(Keyword::If),
            b"nil" => Kind::Keyword(Keyword::Nil),
            b"range" => Kind::Keyword(Keyword::Range),
            b"template" => Kind::Keyword(Keyword::Template),
            b"with" => Kind::Keyword(Keyword::With),
            _ => Kind::Identifier,
        };
        self.token(kind)
    }

    /// A name after `.` or `$`, which was read; `alone` if there is no name.
    fn field_or_variable(&mut self, kind: Kind, alone: Kind) -> Token {
        if self.at_terminator() {
            return self.token(alone);
        }
        self.accept_run(is_alphanumeric);
        let next = self.peek();
        if !self.at_terminator() {
            return self.error(format!("bad character {}", show(next)));
        }
        self.token(kind)
    }

    /// Whether an identifier may end here.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(character) => is_space(character) || self.rest().starts_with(self.right),
        }
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Token {
        loop {
            match self.next() {
                Some('\\') => match self.next() {
                    Some(character) if character != '\n' => {}
                    _ => return self.error(unterminated),
                },
                None | Some('\n') => return self.error(unterminated),
                Some(character) if character == quote => return self.token(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_string(&mut self) -> Token {
        loop {
            match self.next() {
                None => return self.error("unterminated raw quoted string"),
                Some('`') => return self.token(Kind::RawString),
                Some(_) => {}
            }
        }
    }

    /// Decimal, octal, hexadecimal, binary, floating-point, imaginary and complex numbers. Takes
    /// more than is valid; the parser sorts that out.
    fn number(&mut self) -> Token {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || self.source.get(self.position - 1) != Some(&b'i') {
                return self.bad_number();
            }
            return self.token(Kind::Complex);
        }
        self.token(Kind::Number)
    }

    fn bad_number(&mut self) -> Token {
        let text = quote::quoted(&self.source[self.start..self.position]);
        self.error(format!("bad number syntax: {text}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept(|character| matches!(character, '+' | '-'));
        let mut base = 10;
        if self.accept(|character| character == '0') {
            if self.accept(|character| matches!(character, 'x' | 'X')) {
                base = 16;
            } else if self.accept(|character| matches!(character, 'o' | 'O')) {
                base = 8;
            } else if self.accept(|character| matches!(character, 'b' | 'B')) {
                base = 2;
            }
        }
        let is_digit = move |character: char| character == '_' || character.is_digit(base);
        self.accept_run(is_digit);
        if self.accept(|character| character == '.') {
            self.accept_run(is_digit);
        }
        let exponent: fn(char) -> bool = match base {
            10 => |character| matches!(character, 'e' | 'E'),
            16 => |character| matches!(character, 'p' | 'P'),
            _ => |_| false,
        };
        if self.accept(exponent) {
            self.accept(|character| matches!(character, '+' | '-'));
            self.accept_run(|character| character == '_' || character.is_ascii_digit());
        }
        self.accept(|character| character == 'i');
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

/// The spaces that trim markers and actions know.
pub(super) fn is_space_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || text::is_letter(character) || text::is_digit(character)
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space_byte(*space))
}

fn has_right_trim_marker(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space_byte(*space))
}

trait TrimEnd {
    fn trim_ascii_end_go(&self) -> &[u8];
}

impl TrimEnd for [u8] {
    /// Without the spaces at the end that trim markers know.
    fn trim_ascii_end_go(&self) -> &[u8] {
        let end = self
            .iter()
            .rposition(|byte| !is_space_byte(*byte))
            .map_or(0, |last| last + 1);
        &self[..end]
    }
}

fn lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    let first = *pattern.first()?;
    let mut from = 0;
    while let Some(offset) = text[from..].iter().position(|byte| *byte == first) {
        let at = from + offset;
        if text[at..].starts_with(pattern) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// A character as `%#U` shows it; the end of the input as the number that Go uses for it.
fn show(character: Next) -> String {
    let Some(character) = character else {
        return "U+FFFFFFFFFFFFFFFF".to_owned();
    };
    let code = u32::from(character);
    if text::is_print(character) {
        format!("U+{code:04X} '{character}'")
    } else {
        format!("U+{code:04X}")
    }
}
