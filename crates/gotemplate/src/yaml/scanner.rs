//! From characters to tokens.

use std::collections::{HashMap, VecDeque};

use super::input::{Input, Mark, width};
use super::problem::Problem;

/// How deep flow collections, and block collections, may be nested.
const MAX_DEPTH: usize = 10_000;

/// How many characters before its colon a key without `?` may begin.
const MAX_SIMPLE_KEY: usize = 1024;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: Mark,
    pub(super) end: Mark,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    StreamStart,
    StreamEnd,
    VersionDirective { major: u8, minor: u8 },
    TagDirective { handle: Vec<u8>, prefix: Vec<u8> },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(Vec<u8>),
    Anchor(Vec<u8>),
    Tag { handle: Vec<u8>, suffix: Vec<u8> },
    Scalar { value: Vec<u8>, plain: bool },
}

/// Where a key without `?` may begin: this is known only at the colon that follows it.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// Whether what begins there can be nothing but a key.
    required: bool,
    token: usize,
    mark: Mark,
}

pub(super) struct Scanner<'a> {
    input: Input<'a>,
    tokens: VecDeque<Token>,
    /// How many tokens were taken from the queue.
    taken: usize,
    started: bool,
    /// Whether the head of the queue may be taken.
    ready: bool,
    /// The column of the innermost block collection, or -1.
    indent: isize,
    outer_indents: Vec<isize>,
    flow_level: usize,
    simple_key_allowed: bool,
    /// One for every flow level, and one for the block context.
    simple_keys: Vec<SimpleKey>,
    /// From the number of a token to the index in `simple_keys` of the key that begins with it.
    ///
    /// It may disagree with `simple_keys`: go-yaml forgets the wrong entry when a flow collection
    /// ends before it held a key, and `[]: 1` is an error for that reason.
    simple_keys_by_token: HashMap<usize, usize>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            input: Input::new(text),
            tokens: VecDeque::new(),
            taken: 0,
            started: false,
            ready: false,
            indent: -1,
            outer_indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: false,
            simple_keys: Vec::new(),
            simple_keys_by_token: HashMap::new(),
        }
    }

    /// The next token, which stays in the queue.
    pub(super) fn peek(&mut self) -> Result<&Token, Problem> {
        if !self.ready {
            self.fill_queue()?;
            self.ready = true;
        }
        self.tokens
            .front()
            .ok_or_else(|| Problem::new("did not find expected token"))
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Result<Token, Problem> {
        self.peek()?;
        self.ready = false;
        self.taken += 1;
        self.tokens
            .pop_front()
            .ok_or_else(|| Problem::new("did not find expected token"))
    }

    /// Scans until the head of the queue cannot become the start of a key any more.
    fn fill_queue(&mut self) -> Result<(), Problem> {
        loop {
            if !self.tokens.is_empty() {
                let Some(&index) = self.simple_keys_by_token.get(&self.taken) else {
                    return Ok(());
                };
                if !self.simple_key_is_valid(index)? {
                    return Ok(());
                }
            }
            self.scan_token()?;
        }
    }

    fn problem(&self, message: impl Into<String>, context: Mark) -> Problem {
        Problem::scanner(message, context.line, self.input.mark.line)
    }

    fn problem_here(&self, message: &str) -> Problem {
        self.problem(message, self.input.mark)
    }

    fn scan_token(&mut self) -> Result<(), Problem> {
        self.input.need(1)?;
        if !self.started {
            self.started = true;
            self.simple_keys.push(SimpleKey::default());
            self.simple_key_allowed = true;
            self.append_here(TokenKind::StreamStart);
            return Ok(());
        }
        self.skip_to_token()?;
        self.close_blocks(self.column());
        self.input.need(4)?;
        if self.input.at_end() {
            return self.stream_end();
        }
        let column = self.input.mark.column;
        let byte = self.input.byte(0);
        if column == 0 && byte == b'%' {
            return self.directive();
        }
        if self.at_document_indicator() {
            return self.document_indicator(byte);
        }
        let in_flow = self.flow_level > 0;
        let separated = self.input.at_blank_break_or_end(1);
        match byte {
            b'[' => return self.flow_start(TokenKind::FlowSequenceStart),
            b'{' => return self.flow_start(TokenKind::FlowMappingStart),
            b']' => return self.flow_end(TokenKind::FlowSequenceEnd),
            b'}' => return self.flow_end(TokenKind::FlowMappingEnd),
            b',' => return self.flow_entry(),
            b'-' if separated => return self.block_entry(),
            b'?' if in_flow || separated => return self.key(),
            b':' if in_flow || separated => return self.value(),
            b'*' | b'&' => return self.anchor_or_alias(byte == b'*'),
            b'!' => return self.tag(),
            b'|' | b'>' if !in_flow => return self.block_scalar(byte == b'|'),
            b'\'' | b'"' => return self.quoted_scalar(byte == b'\''),
            _ => {}
        }
        let plain = match byte {
            b'-' => !self.input.at_blank(1),
            b'?' | b':' => !in_flow && !separated,
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !self.input.at_blank_break_or_end(0),
        };
        if plain {
            return self.plain_scalar();
        }
        Err(self.problem_here("found character that cannot start any token"))
    }

    fn column(&self) -> isize {
        isize::try_from(self.input.mark.column).unwrap_or(isize::MAX)
    }

    /// Whether `---` or `...` stands alone at the beginning of the line.
    fn at_document_indicator(&self) -> bool {
        let byte = self.input.byte(0);
        self.input.mark.column == 0
            && matches!(byte, b'-' | b'.')
            && self.input.byte(1) == byte
            && self.input.byte(2) == byte
            && self.input.at_blank_break_or_end(3)
    }

    fn append(&mut self, kind: TokenKind, start: Mark, end: Mark) {
        self.tokens.push_back(Token { kind, start, end });
    }

    fn append_here(&mut self, kind: TokenKind) {
        let mark = self.input.mark;
        self.append(kind, mark, mark);
    }

    /// Inserts a token before that one, or appends it if that one was already taken.
    fn insert(&mut self, before: usize, kind: TokenKind, mark: Mark) {
        let token = Token {
            kind,
            start: mark,
            end: mark,
        };
        match before.checked_sub(self.taken) {
            Some(index) if index < self.tokens.len() => self.tokens.insert(index, token),
            _ => self.tokens.push_back(token),
        }
    }

    /// Appends the token of an indicator of that many characters, which it passes over.
    fn indicator(&mut self, kind: TokenKind, characters: usize) {
        let start = self.input.mark;
        for _ in 0..characters {
            self.input.skip();
        }
        self.append(kind, start, self.input.mark);
    }

    // Simple keys.

    fn simple_key_is_valid(&mut self, index: usize) -> Result<bool, Problem> {
        let mark = self.input.mark;
        let Some(key) = self.simple_keys.get_mut(index) else {
            return Err(Problem::new("internal error: no simple key at this level"));
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < mark.line || key.mark.index + MAX_SIMPLE_KEY < mark.index {
            if key.required {
                let context = key.mark;
                return Err(self.problem("could not find expected ':'", context));
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn innermost_key(&mut self) -> Result<&mut SimpleKey, Problem> {
        self.simple_keys
            .last_mut()
            .ok_or_else(|| Problem::new("internal error: no simple key at this level"))
    }

    /// Notes that a key may begin here.
    fn note_simple_key(&mut self) -> Result<(), Problem> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let key = SimpleKey {
            possible: true,
            required: self.flow_level == 0 && self.indent == self.column(),
            token: self.taken + self.tokens.len(),
            mark: self.input.mark,
        };
        self.drop_simple_key()?;
        *self.innermost_key()? = key;
        self.simple_keys_by_token
            .insert(key.token, self.simple_keys.len() - 1);
        Ok(())
    }

    /// Gives up the key that may have begun at this level.
    fn drop_simple_key(&mut self) -> Result<(), Problem> {
        let key = self.innermost_key()?;
        if !key.possible {
            return Ok(());
        }
        let SimpleKey {
            required,
            token,
            mark,
            ..
        } = *key;
        if required {
            return Err(self.problem("could not find expected ':'", mark));
        }
        key.possible = false;
        self.simple_keys_by_token.remove(&token);
        Ok(())
    }

    // Indentation.

    /// Opens a block collection at the column, if it is deeper than the innermost one.
    fn open_block(
        &mut self,
        column: usize,
        before: Option<usize>,
        kind: TokenKind,
        mark: Mark,
    ) -> Result<(), Problem> {
        let column = isize::try_from(column).unwrap_or(isize::MAX);
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.outer_indents.push(self.indent);
        self.indent = column;
        if self.outer_indents.len() > MAX_DEPTH {
            let context = self.innermost_key()?.mark;
            return Err(self.problem(format!("exceeded max depth of {MAX_DEPTH}"), context));
        }
        match before {
            Some(token) => self.insert(token, kind, mark),
            None => self.append(kind, mark, mark),
        }
        Ok(())
    }

    /// Closes the block collections that are deeper than the column.
    fn close_blocks(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.append_here(TokenKind::BlockEnd);
            self.indent = self.outer_indents.pop().unwrap_or(-1);
        }
    }

    // Tokens.

    fn stream_end(&mut self) -> Result<(), Problem> {
        if self.input.mark.column != 0 {
            self.input.mark.column = 0;
            self.input.mark.line += 1;
        }
        self.close_blocks(-1);
        self.drop_simple_key()?;
        self.simple_key_allowed = false;
        self.append_here(TokenKind::StreamEnd);
        Ok(())
    }

    fn document_indicator(&mut self, byte: u8) -> Result<(), Problem> {
        self.close_blocks(-1);
        self.drop_simple_key()?;
        self.simple_key_allowed = false;
        let kind = if byte == b'-' {
            TokenKind::DocumentStart
        } else {
            TokenKind::DocumentEnd
        };
        self.indicator(kind, 3);
        Ok(())
    }

    fn flow_start(&mut self, kind: TokenKind) -> Result<(), Problem> {
        self.note_simple_key()?;
        let mark = self.input.mark;
        self.simple_keys.push(SimpleKey {
            possible: false,
            required: false,
            token: self.taken + self.tokens.len(),
            mark,
        });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return Err(self.problem(format!("exceeded max depth of {MAX_DEPTH}"), mark));
        }
        self.simple_key_allowed = true;
        self.indicator(kind, 1);
        Ok(())
    }

    fn flow_end(&mut self, kind: TokenKind) -> Result<(), Problem> {
        self.drop_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.simple_keys.pop() {
                self.simple_keys_by_token.remove(&key.token);
            }
        }
        self.simple_key_allowed = false;
        self.indicator(kind, 1);
        Ok(())
    }

    fn flow_entry(&mut self) -> Result<(), Problem> {
        self.drop_simple_key()?;
        self.simple_key_allowed = true;
        self.indicator(TokenKind::FlowEntry, 1);
        Ok(())
    }

    fn block_entry(&mut self) -> Result<(), Problem> {
        // In a flow collection the parser reports it, which knows what it stands in.
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(
                    self.problem_here("block sequence entries are not allowed in this context")
                );
            }
            let mark = self.input.mark;
            self.open_block(mark.column, None, TokenKind::BlockSequenceStart, mark)?;
        }
        self.drop_simple_key()?;
        self.simple_key_allowed = true;
        self.indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn key(&mut self) -> Result<(), Problem> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.problem_here("mapping keys are not allowed in this context"));
            }
            let mark = self.input.mark;
            self.open_block(mark.column, None, TokenKind::BlockMappingStart, mark)?;
        }
        self.drop_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Problem> {
        if self.simple_key_is_valid(self.simple_keys.len().wrapping_sub(1))? {
            let key = *self.innermost_key()?;
            self.insert(key.token, TokenKind::Key, key.mark);
            self.open_block(
                key.mark.column,
                Some(key.token),
                TokenKind::BlockMappingStart,
                key.mark,
            )?;
            self.innermost_key()?.possible = false;
            self.simple_keys_by_token.remove(&key.token);
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return Err(self.problem_here("mapping values are not allowed in this context"));
                }
                let mark = self.input.mark;
                self.open_block(mark.column, None, TokenKind::BlockMappingStart, mark)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.indicator(TokenKind::Value, 1);
        Ok(())
    }

    fn skip_to_token(&mut self) -> Result<(), Problem> {
        loop {
            self.input.need(1)?;
            if self.input.mark.column == 0 && self.input.portion_has_byte_order_mark() {
                self.input.skip();
            }
            self.input.need(1)?;
            // A tab may not indent a block.
            while self.input.byte(0) == b' '
                || self.input.byte(0) == b'\t' && (self.flow_level > 0 || !self.simple_key_allowed)
            {
                self.input.skip();
                self.input.need(1)?;
            }
            self.skip_comment()?;
            if !self.input.at_break(0) {
                return Ok(());
            }
            self.input.need(2)?;
            self.input.skip_break();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), Problem> {
        if self.input.byte(0) == b'#' {
            while !self.input.at_break_or_end(0) {
                self.input.skip();
                self.input.need(1)?;
            }
        }
        Ok(())
    }

    fn skip_blanks(&mut self) -> Result<(), Problem> {
        self.input.need(1)?;
        while self.input.at_blank(0) {
            self.input.skip();
            self.input.need(1)?;
        }
        Ok(())
    }

    /// Passes over blanks, a comment and a line break, after which there may be nothing else.
    fn finish_line(&mut self, start: Mark) -> Result<(), Problem> {
        self.skip_blanks()?;
        self.skip_comment()?;
        if !self.input.at_break_or_end(0) {
            return Err(self.problem("did not find expected comment or line break", start));
        }
        if self.input.at_break(0) {
            self.input.need(2)?;
            self.input.skip_break();
        }
        Ok(())
    }

    /// Letters, digits, `_` and `-`.
    fn read_word(&mut self, word: &mut Vec<u8>) -> Result<(), Problem> {
        self.input.need(1)?;
        while is_word(self.input.byte(0)) {
            self.input.read(word);
            self.input.need(1)?;
        }
        Ok(())
    }

    fn directive(&mut self) -> Result<(), Problem> {
        self.close_blocks(-1);
        self.drop_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.input.mark;
        self.input.skip();
        let mut name = Vec::new();
        self.read_word(&mut name)?;
        if name.is_empty() {
            return Err(self.problem("could not find expected directive name", start));
        }
        if !self.input.at_blank_break_or_end(0) {
            return Err(self.problem("found unexpected non-alphabetical character", start));
        }
        let kind = match name.as_slice() {
            b"YAML" => {
                self.skip_blanks()?;
                let major = self.version_number(start)?;
                if self.input.byte(0) != b'.' {
                    return Err(self.problem("did not find expected digit or '.' character", start));
                }
                self.input.skip();
                let minor = self.version_number(start)?;
                TokenKind::VersionDirective { major, minor }
            }
            b"TAG" => {
                self.skip_blanks()?;
                let handle = self.tag_handle(true, start)?;
                self.input.need(1)?;
                if !self.input.at_blank(0) {
                    return Err(self.problem("did not find expected whitespace", start));
                }
                self.skip_blanks()?;
                let prefix = self.tag_uri(&[], start)?;
                self.input.need(1)?;
                if !self.input.at_blank_break_or_end(0) {
                    return Err(
                        self.problem("did not find expected whitespace or line break", start)
                    );
                }
                TokenKind::TagDirective { handle, prefix }
            }
            _ => return Err(self.problem("found unknown directive name", start)),
        };
        let end = self.input.mark;
        self.finish_line(start)?;
        self.append(kind, start, end);
        Ok(())
    }

    fn version_number(&mut self, start: Mark) -> Result<u8, Problem> {
        self.input.need(1)?;
        let mut value = 0;
        let mut digits = 0;
        while self.input.byte(0).is_ascii_digit() {
            digits += 1;
            if digits > 2 {
                return Err(self.problem("found extremely long version number", start));
            }
            value = value * 10 + (self.input.byte(0) - b'0');
            self.input.skip();
            self.input.need(1)?;
        }
        if digits == 0 {
            return Err(self.problem("did not find expected version number", start));
        }
        Ok(value)
    }

    fn anchor_or_alias(&mut self, alias: bool) -> Result<(), Problem> {
        self.note_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.input.mark;
        self.input.skip();
        let mut name = Vec::new();
        self.read_word(&mut name)?;
        let ends = self.input.at_blank_break_or_end(0)
            || matches!(
                self.input.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return Err(self.problem(
                "did not find expected alphabetic or numeric character",
                start,
            ));
        }
        let kind = if alias {
            TokenKind::Alias(name)
        } else {
            TokenKind::Anchor(name)
        };
        self.append(kind, start, self.input.mark);
        Ok(())
    }

    fn tag(&mut self) -> Result<(), Problem> {
        self.note_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.input.mark;
        self.input.need(2)?;
        let (handle, suffix);
        if self.input.byte(1) == b'<' {
            self.input.skip();
            self.input.skip();
            handle = Vec::new();
            suffix = self.tag_uri(&[], start)?;
            if self.input.byte(0) != b'>' {
                return Err(self.problem("did not find the expected '>'", start));
            }
            self.input.skip();
        } else {
            let first = self.tag_handle(false, start)?;
            if first.len() > 1 && first.ends_with(b"!") {
                suffix = self.tag_uri(&[], start)?;
                handle = first;
            } else {
                // Not a handle: the beginning of the tag itself.
                let rest = self.tag_uri(&first, start)?;
                if rest.is_empty() {
                    (handle, suffix) = (rest, b"!".to_vec());
                } else {
                    (handle, suffix) = (b"!".to_vec(), rest);
                }
            }
        }
        self.input.need(1)?;
        if !self.input.at_blank_break_or_end(0) {
            return Err(self.problem("did not find expected whitespace or line break", start));
        }
        self.append(TokenKind::Tag { handle, suffix }, start, self.input.mark);
        Ok(())
    }

    fn tag_handle(&mut self, directive: bool, start: Mark) -> Result<Vec<u8>, Problem> {
        self.input.need(1)?;
        if self.input.byte(0) != b'!' {
            return Err(self.problem("did not find expected '!'", start));
        }
        let mut handle = Vec::new();
        self.input.read(&mut handle);
        self.read_word(&mut handle)?;
        if self.input.byte(0) == b'!' {
            self.input.read(&mut handle);
        } else if directive && handle != b"!" {
            return Err(self.problem("did not find expected '!'", start));
        }
        Ok(handle)
    }

    /// A tag's URI, after the beginning of it that was read as a handle.
    fn tag_uri(&mut self, beginning: &[u8], start: Mark) -> Result<Vec<u8>, Problem> {
        let mut uri = beginning.get(1..).unwrap_or_default().to_vec();
        let mut found = !beginning.is_empty();
        self.input.need(1)?;
        loop {
            let byte = self.input.byte(0);
            if byte == b'%' {
                self.uri_escape(&mut uri, start)?;
            } else if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) {
                self.input.read(&mut uri);
            } else {
                break;
            }
            self.input.need(1)?;
            found = true;
        }
        if !found {
            return Err(self.problem("did not find expected tag URI", start));
        }
        Ok(uri)
    }

    /// The escaped bytes of one character.
    fn uri_escape(&mut self, uri: &mut Vec<u8>, start: Mark) -> Result<(), Problem> {
        let mut missing = None;
        while missing != Some(0) {
            self.input.need(3)?;
            let digits = (hex(self.input.byte(1)), hex(self.input.byte(2)));
            let (b'%', (Some(high), Some(low))) = (self.input.byte(0), digits) else {
                return Err(self.problem("did not find URI escaped octet", start));
            };
            let octet = (high << 4 | low) as u8;
            let left = match missing {
                None if width(octet) == 0 => {
                    return Err(self.problem("found an incorrect leading UTF-8 octet", start));
                }
                None => width(octet),
                Some(_) if octet & 0xc0 != 0x80 => {
                    return Err(self.problem("found an incorrect trailing UTF-8 octet", start));
                }
                Some(left) => left,
            };
            uri.push(octet);
            for _ in 0..3 {
                self.input.skip();
            }
            missing = Some(left - 1);
        }
        Ok(())
    }

    // Scalars.

    fn block_scalar(&mut self, literal: bool) -> Result<(), Problem> {
        self.drop_simple_key()?;
        self.simple_key_allowed = true;
        let start = self.input.mark;
        self.input.skip();
        let mut chomping = 0_u8;
        let mut increment = 0;
        // The chomping indicator and that of the indentation, in either order.
        self.input.need(1)?;
        for _ in 0..2 {
            let byte = self.input.byte(0);
            if matches!(byte, b'+' | b'-') && chomping == 0 {
                chomping = byte;
            } else if byte.is_ascii_digit() && increment == 0 {
                if byte == b'0' {
                    return Err(self.problem("found an indentation indicator equal to 0", start));
                }
                increment = isize::from(byte - b'0');
            } else {
                break;
            }
            self.input.skip();
            self.input.need(1)?;
        }
        self.finish_line(start)?;
        let mut end = self.input.mark;
        let mut indent = match increment {
            0 => 0,
            increment => self.indent.max(0) + increment,
        };
        let mut value = Vec::new();
        let mut line_break = Vec::new();
        let mut empty_lines = Vec::new();
        self.block_scalar_breaks(&mut indent, &mut empty_lines, start, &mut end)?;
        self.input.need(1)?;
        let mut follows_blank = false;
        while self.column() == indent && !self.input.at_end() {
            let blank = self.input.at_blank(0);
            let folds = !literal && !follows_blank && !blank && line_break.starts_with(b"\n");
            if !folds {
                value.append(&mut line_break);
            } else if empty_lines.is_empty() {
                value.push(b' ');
            }
            line_break.clear();
            value.append(&mut empty_lines);
            follows_blank = blank;
            while !self.input.at_break_or_end(0) {
                self.input.read(&mut value);
                self.input.need(1)?;
            }
            self.input.need(2)?;
            self.input.read_break(&mut line_break);
            self.block_scalar_breaks(&mut indent, &mut empty_lines, start, &mut end)?;
        }
        if chomping != b'-' {
            value.append(&mut line_break);
        }
        if chomping == b'+' {
            value.append(&mut empty_lines);
        }
        self.append(
            TokenKind::Scalar {
                value,
                plain: false,
            },
            start,
            end,
        );
        Ok(())
    }

    /// Passes over indentation and empty lines, and finds the indentation if it is not known.
    fn block_scalar_breaks(
        &mut self,
        indent: &mut isize,
        breaks: &mut Vec<u8>,
        start: Mark,
        end: &mut Mark,
    ) -> Result<(), Problem> {
        *end = self.input.mark;
        let mut deepest = 0;
        loop {
            self.input.need(1)?;
            while (*indent == 0 || self.column() < *indent) && self.input.byte(0) == b' ' {
                self.input.skip();
                self.input.need(1)?;
            }
            deepest = deepest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.input.byte(0) == b'\t' {
                return Err(self.problem(
                    "found a tab character where an indentation space is expected",
                    start,
                ));
            }
            if !self.input.at_break(0) {
                break;
            }
            self.input.need(2)?;
            self.input.read_break(breaks);
            *end = self.input.mark;
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }

    fn quoted_scalar(&mut self, single: bool) -> Result<(), Problem> {
        self.note_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.input.mark;
        let quote = self.input.byte(0);
        self.input.skip();
        let mut value = Vec::new();
        let mut space = Whitespace::default();
        loop {
            self.input.need(4)?;
            if self.at_document_indicator() {
                return Err(self.problem("found unexpected document indicator", start));
            }
            if self.input.at_end() {
                return Err(self.problem("found unexpected end of stream", start));
            }
            space.clear();
            while !self.input.at_blank_break_or_end(0) {
                let byte = self.input.byte(0);
                if byte == quote {
                    if !single || self.input.byte(1) != quote {
                        break;
                    }
                    value.push(quote);
                    self.input.skip();
                    self.input.skip();
                } else if !single && byte == b'\\' && self.input.at_break(1) {
                    self.input.need(3)?;
                    self.input.skip();
                    self.input.skip_break();
                    space.folding = true;
                    break;
                } else if !single && byte == b'\\' {
                    self.escape(&mut value, start)?;
                } else {
                    self.input.read(&mut value);
                }
                self.input.need(2)?;
            }
            self.input.need(1)?;
            if self.input.byte(0) == quote {
                break;
            }
            self.read_whitespace(&mut space, None)?;
            space.join(&mut value);
        }
        self.input.skip();
        self.append(
            TokenKind::Scalar {
                value,
                plain: false,
            },
            start,
            self.input.mark,
        );
        Ok(())
    }

    /// An escape sequence in double quotes.
    fn escape(&mut self, value: &mut Vec<u8>, start: Mark) -> Result<(), Problem> {
        let mut digits = 0;
        let text: &[u8] = match self.input.byte(1) {
            b'0' => b"\0",
            b'a' => b"\x07",
            b'b' => b"\x08",
            b't' | b'\t' => b"\t",
            b'n' => b"\n",
            b'v' => b"\x0b",
            b'f' => b"\x0c",
            b'r' => b"\r",
            b'e' => b"\x1b",
            b' ' => b" ",
            b'"' => b"\"",
            b'\'' => b"'",
            b'\\' => b"\\",
            b'N' => "\u{85}".as_bytes(),
            b'_' => "\u{a0}".as_bytes(),
            b'L' => "\u{2028}".as_bytes(),
            b'P' => "\u{2029}".as_bytes(),
            b'x' | b'u' | b'U' => {
                digits = match self.input.byte(1) {
                    b'x' => 2,
                    b'u' => 4,
                    _ => 8,
                };
                b""
            }
            _ => return Err(self.problem("found unknown escape character", start)),
        };
        value.extend_from_slice(text);
        self.input.skip();
        self.input.skip();
        if digits == 0 {
            return Ok(());
        }
        self.input.need(digits)?;
        let digits = digits.unsigned_abs();
        let mut code = 0_u32;
        for index in 0..digits {
            let Some(digit) = hex(self.input.byte(index)) else {
                return Err(self.problem("did not find expected hexdecimal number", start));
            };
            code = code << 4 | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return Err(self.problem("found invalid Unicode character escape code", start));
        };
        let mut buffer = [0; 4];
        value.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
        for _ in 0..digits {
            self.input.skip();
        }
        Ok(())
    }

    fn plain_scalar(&mut self) -> Result<(), Problem> {
        self.note_simple_key()?;
        self.simple_key_allowed = false;
        let indent = self.indent + 1;
        let start = self.input.mark;
        let mut end = start;
        let mut value = Vec::new();
        let mut space = Whitespace::default();
        loop {
            self.input.need(4)?;
            if self.at_document_indicator() || self.input.byte(0) == b'#' {
                break;
            }
            while !self.input.at_blank_break_or_end(0) {
                let byte = self.input.byte(0);
                if byte == b':' && self.input.at_blank_break_or_end(1)
                    || self.flow_level > 0
                        && matches!(byte, b',' | b'?' | b'[' | b']' | b'{' | b'}')
                {
                    break;
                }
                space.join(&mut value);
                space.clear();
                self.input.read(&mut value);
                end = self.input.mark;
                self.input.need(2)?;
            }
            if !(self.input.at_blank(0) || self.input.at_break(0)) {
                break;
            }
            self.input.need(1)?;
            self.read_whitespace(&mut space, Some((indent, start)))?;
            if self.flow_level == 0 && self.column() < indent {
                break;
            }
        }
        // What follows on a new line may be a key.
        if space.folding {
            self.simple_key_allowed = true;
        }
        self.append(TokenKind::Scalar { value, plain: true }, start, end);
        Ok(())
    }

    /// Reads blanks and line breaks; in a plain scalar with the indentation that a tab may not be
    /// part of.
    fn read_whitespace(
        &mut self,
        space: &mut Whitespace,
        plain: Option<(isize, Mark)>,
    ) -> Result<(), Problem> {
        while self.input.at_blank(0) || self.input.at_break(0) {
            if self.input.at_blank(0) {
                if let Some((indent, start)) = plain
                    && space.folding
                    && self.column() < indent
                    && self.input.byte(0) == b'\t'
                {
                    return Err(
                        self.problem("found a tab character that violates indentation", start)
                    );
                }
                if space.folding {
                    self.input.skip();
                } else {
                    self.input.read(&mut space.blanks);
                }
            } else {
                self.input.need(2)?;
                if space.folding {
                    self.input.read_break(&mut space.more_breaks);
                } else {
                    space.blanks.clear();
                    self.input.read_break(&mut space.first_break);
                    space.folding = true;
                }
            }
            self.input.need(1)?;
        }
        Ok(())
    }
}

/// What stands between two words of a scalar.
#[derive(Default)]
struct Whitespace {
    blanks: Vec<u8>,
    first_break: Vec<u8>,
    more_breaks: Vec<u8>,
    /// Whether a line ended.
    folding: bool,
}

impl Whitespace {
    fn clear(&mut self) {
        self.blanks.clear();
        self.first_break.clear();
        self.more_breaks.clear();
        self.folding = false;
    }

    fn join(&self, value: &mut Vec<u8>) {
        if !self.folding {
            value.extend_from_slice(&self.blanks);
            return;
        }
        if !self.first_break.starts_with(b"\n") {
            value.extend_from_slice(&self.first_break);
        } else if self.more_breaks.is_empty() {
            value.push(b' ');
        }
        value.extend_from_slice(&self.more_breaks);
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn hex(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}
