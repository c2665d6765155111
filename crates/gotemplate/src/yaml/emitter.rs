//! From values to text, in the bytes of go-yaml's emitter.

use crate::text::decode;
use crate::text::float::append_float;
use crate::text::{is_broken, is_digit, is_letter};
use crate::types::FloatKind;

use super::Version;
use super::input::is_break;
use super::resolve::{self, Scalar};
use super::tree::{Node, Tree};
use crate::json::base64;

/// The width after which version 2 folds long lines.
const WIDTH: usize = 80;

/// The indentation of one level.
const INDENT: isize = 2;

/// The longest key, in bytes, that is written without `?`.
const MAX_SIMPLE_KEY: usize = 128;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// What is found out about a string before its style is chosen.
struct Analysis {
    multiline: bool,
    plain_allowed: bool,
    single_quoted_allowed: bool,
    block_allowed: bool,
}

/// A scalar to be written.
struct Text {
    tag: &'static [u8],
    value: Vec<u8>,
    style: Style,
    analysis: Analysis,
}

struct Emitter {
    version: Version,
    text: Vec<u8>,
    /// In characters.
    column: usize,
    indent: isize,
    /// Whether the last character was a space or an indicator after which none is needed.
    whitespace: bool,
    /// Whether the line holds nothing but indentation and indicators of it.
    indention: bool,
}

/// A collection that is being written.
enum Open<'a> {
    Sequence {
        items: std::slice::Iter<'a, usize>,
        outer: isize,
    },
    Mapping {
        entries: std::vec::IntoIter<(usize, usize)>,
        outer: isize,
    },
}

/// The document that holds the root of the tree.
pub(super) fn emit(tree: &Tree, version: Version) -> Vec<u8> {
    let mut emitter = Emitter {
        version,
        text: Vec::new(),
        column: 0,
        indent: -1,
        whitespace: true,
        indention: true,
    };
    emitter.document(tree);
    emitter.text
}

impl Emitter {
    fn document(&mut self, tree: &Tree) {
        let mut open = Vec::new();
        self.node(tree, 0, false, &mut open);
        while let Some(innermost) = open.last_mut() {
            match innermost {
                Open::Sequence { items, outer } => match items.next() {
                    Some(&item) => {
                        self.write_indent();
                        self.indicator(b"-", true, true);
                        self.node(tree, item, false, &mut open);
                    }
                    None => {
                        self.indent = *outer;
                        open.pop();
                    }
                },
                Open::Mapping { entries, outer } => match entries.next() {
                    Some((key, value)) => {
                        self.write_indent();
                        let key = self.scalar_of(&tree.nodes[key]);
                        let simple = !key.analysis.multiline
                            && key.value.len() + key.tag.len() <= MAX_SIMPLE_KEY;
                        if simple {
                            self.scalar(&key, true);
                            self.indicator(b":", false, false);
                        } else {
                            self.indicator(b"?", true, true);
                            self.scalar(&key, false);
                            self.write_indent();
                            self.indicator(b":", true, true);
                        }
                        self.node(tree, value, true, &mut open);
                    }
                    None => {
                        self.indent = *outer;
                        open.pop();
                    }
                },
            }
        }
        self.write_indent();
    }

    /// Writes a scalar or an empty collection, or opens a collection.
    fn node<'a>(&mut self, tree: &'a Tree, id: usize, in_mapping: bool, open: &mut Vec<Open<'a>>) {
        match &tree.nodes[id] {
            Node::Sequence(items) if items.is_empty() => {
                self.indicator(b"[", true, false);
                self.indicator(b"]", false, false);
            }
            Node::Mapping(entries) if entries.is_empty() => {
                self.indicator(b"{", true, false);
                self.indicator(b"}", false, false);
            }
            Node::Sequence(items) => {
                let outer = self.indent;
                let compact = self.version == Version::V2 && in_mapping && !self.indention;
                if !compact {
                    self.indent = self.deeper(0);
                }
                let items = items.iter();
                open.push(Open::Sequence { items, outer });
            }
            Node::Mapping(entries) => {
                let outer = self.indent;
                self.indent = self.deeper(0);
                let entries = sorted(tree, entries, self.version).into_iter();
                open.push(Open::Mapping { entries, outer });
            }
            scalar => {
                let scalar = self.scalar_of(scalar);
                self.scalar(&scalar, false);
            }
        }
    }

    /// The indentation of the next level, or the first one.
    fn deeper(&self, first: isize) -> isize {
        if self.indent < 0 {
            first
        } else {
            self.indent + INDENT
        }
    }

    // Scalars.

    fn scalar_of(&self, node: &Node) -> Text {
        let mut style = Style::Plain;
        let mut tag: &[u8] = b"";
        let value = match node {
            Node::Bool(truth) => truth.to_string().into_bytes(),
            Node::Int(number) => number.to_string().into_bytes(),
            Node::Uint(number) => number.to_string().into_bytes(),
            Node::Float(kind, number) => float(*kind, *number),
            Node::Plain(text) => text.to_vec(),
            Node::String(string) => {
                let value = if is_utf8(string) {
                    let plain = resolve::plain(string, self.version, true) == Scalar::String
                        && !resolve::is_base_60(string)
                        && !resolve::is_old_bool(string);
                    if !plain {
                        style = Style::DoubleQuoted;
                    }
                    string.to_vec()
                } else {
                    tag = b"!!binary";
                    in_lines(&base64::encode(string))
                };
                if value.contains(&b'\n') {
                    style = Style::Literal;
                }
                value
            }
            Node::Null | Node::Sequence(_) | Node::Mapping(_) => b"null".to_vec(),
        };
        let analysis = analyze(&value, self.version);
        Text {
            tag,
            value,
            style,
            analysis,
        }
    }

    fn scalar(&mut self, scalar: &Text, simple_key: bool) {
        let Analysis {
            multiline,
            plain_allowed,
            single_quoted_allowed,
            block_allowed,
        } = scalar.analysis;
        let mut style = scalar.style;
        if simple_key && multiline {
            style = Style::DoubleQuoted;
        }
        if style == Style::Plain && (!plain_allowed || simple_key && scalar.value.is_empty()) {
            style = Style::SingleQuoted;
        }
        if style == Style::SingleQuoted && !single_quoted_allowed {
            style = Style::DoubleQuoted;
        }
        if style == Style::Literal && (!block_allowed || simple_key) {
            style = Style::DoubleQuoted;
        }
        if !scalar.tag.is_empty() {
            self.indicator(scalar.tag, true, false);
        }
        let outer = self.indent;
        self.indent = self.deeper(INDENT);
        let value = &scalar.value;
        match style {
            Style::Plain => self.plain(value, !simple_key),
            Style::SingleQuoted => self.single_quoted(value, !simple_key),
            Style::DoubleQuoted => self.double_quoted(value, !simple_key),
            Style::Literal => self.literal(value),
        }
        self.indent = outer;
    }

    fn folds(&self) -> bool {
        self.version == Version::V2 && self.column > WIDTH
    }

    fn plain(&mut self, value: &[u8], may_break: bool) {
        if !self.whitespace {
            self.put(b' ');
        }
        let mut after_space = false;
        let mut at = 0;
        while let Some(&byte) = value.get(at) {
            if byte != b' ' {
                self.copy(value, &mut at);
                self.indention = false;
                after_space = false;
                continue;
            }
            if may_break && !after_space && self.folds() && value.get(at + 1) != Some(&b' ') {
                self.write_indent();
                at += 1;
            } else {
                self.copy(value, &mut at);
            }
            after_space = true;
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, value: &[u8], may_break: bool) {
        self.indicator(b"'", true, false);
        let mut after_space = false;
        let mut after_break = false;
        let mut at = 0;
        while let Some(&byte) = value.get(at) {
            if byte == b' ' {
                let inside = at > 0 && at + 1 < value.len();
                let last = value.get(at + 1) != Some(&b' ');
                if may_break && !after_space && self.folds() && inside && last {
                    self.write_indent();
                    at += 1;
                } else {
                    self.copy(value, &mut at);
                }
                after_space = true;
            } else if is_break(value, at) {
                if !after_break && byte == b'\n' {
                    self.put_break();
                }
                self.copy_break(value, &mut at);
                after_break = true;
            } else {
                if after_break {
                    self.write_indent();
                }
                if byte == b'\'' {
                    self.put(b'\'');
                }
                self.copy(value, &mut at);
                self.indention = false;
                after_space = false;
                after_break = false;
            }
        }
        self.indicator(b"'", false, false);
    }

    fn double_quoted(&mut self, value: &[u8], may_break: bool) {
        self.indicator(b"\"", true, false);
        // A string that begins with a byte order mark is escaped from end to end.
        let marked = value.starts_with(b"\xef\xbb\xbf");
        let mut after_space = false;
        let mut at = 0;
        while let Some(&byte) = value.get(at) {
            if marked
                || matches!(byte, b'"' | b'\\')
                || !is_printable(value, at)
                || is_break(value, at)
            {
                let (character, length) = decode(&value[at..]);
                self.escape(character);
                at += length;
                after_space = false;
            } else if byte == b' ' {
                let inside = at > 0 && at + 1 < value.len();
                if may_break && !after_space && self.folds() && inside {
                    self.write_indent();
                    if value.get(at + 1) == Some(&b' ') {
                        self.put(b'\\');
                    }
                    at += 1;
                } else {
                    self.copy(value, &mut at);
                }
                after_space = true;
            } else {
                self.copy(value, &mut at);
                after_space = false;
            }
        }
        self.indicator(b"\"", false, false);
    }

    fn escape(&mut self, character: char) {
        let short = match character {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let escape = match u32::from(character) {
                    code @ 0..=0xff => format!("\\x{code:02X}"),
                    code @ 0..=0xffff => format!("\\u{code:04X}"),
                    code => format!("\\U{code:08X}"),
                };
                self.put_all(escape.as_bytes());
                return;
            }
        };
        self.put_all(format!("\\{short}").as_bytes());
    }

    fn literal(&mut self, value: &[u8]) {
        self.indicator(b"|", true, false);
        if value.first() == Some(&b' ') || is_break(value, 0) {
            self.indicator(b"2", false, false);
        }
        let ends_in_break = |end: usize| {
            let last = (0..end).rev().find(|&at| value[at] & 0xc0 != 0x80);
            last.filter(|&at| is_break(value, at))
        };
        match ends_in_break(value.len()) {
            None => self.indicator(b"-", false, false),
            Some(0) => self.indicator(b"+", false, false),
            Some(last) if ends_in_break(last).is_some() => self.indicator(b"+", false, false),
            Some(_) => {}
        }
        self.put_break();
        self.whitespace = true;
        let mut after_break = true;
        let mut at = 0;
        while at < value.len() {
            if is_break(value, at) {
                self.copy_break(value, &mut at);
                after_break = true;
            } else {
                if after_break {
                    self.write_indent();
                }
                self.copy(value, &mut at);
                self.indention = false;
                after_break = false;
            }
        }
    }

    // Characters.

    fn put(&mut self, byte: u8) {
        self.text.push(byte);
        self.column += 1;
    }

    fn put_all(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.put(byte);
        }
    }

    fn put_break(&mut self) {
        self.text.push(b'\n');
        self.column = 0;
        self.indention = true;
    }

    /// Copies a character.
    fn copy(&mut self, value: &[u8], at: &mut usize) {
        let (_, length) = decode(&value[*at..]);
        self.text.extend_from_slice(&value[*at..*at + length]);
        self.column += 1;
        *at += length;
    }

    /// Copies a line break.
    fn copy_break(&mut self, value: &[u8], at: &mut usize) {
        if value[*at] == b'\n' {
            self.put_break();
            *at += 1;
        } else {
            self.copy(value, at);
            self.column = 0;
            self.indention = true;
        }
    }

    fn write_indent(&mut self) {
        let indent = usize::try_from(self.indent).unwrap_or(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.put_break();
        }
        while self.column < indent {
            self.put(b' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    /// Writes an indicator, after a space if it needs one. `indents` says that it is part of the
    /// indentation, which the indicators of block collections are.
    fn indicator(&mut self, indicator: &[u8], needs_space: bool, indents: bool) {
        if needs_space && !self.whitespace {
            self.put(b' ');
        }
        self.put_all(indicator);
        self.whitespace = indicator == b"[" || indicator == b"{";
        self.indention &= indents;
    }
}

fn is_utf8(string: &[u8]) -> bool {
    std::str::from_utf8(string).is_ok()
}

fn float(kind: FloatKind, number: f64) -> Vec<u8> {
    if number.is_nan() {
        return b".nan".to_vec();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            b".inf".to_vec()
        } else {
            b"-.inf".to_vec()
        };
    }
    let mut text = Vec::new();
    append_float(&mut text, number, b'g', None, kind);
    text
}

/// Base64 in lines of 70 digits, if it has as many.
fn in_lines(digits: &[u8]) -> Vec<u8> {
    if digits.len() < 70 {
        return digits.to_vec();
    }
    digits
        .chunks(70)
        .flat_map(|line| [line, b"\n".as_slice()].concat())
        .collect()
}

/// What the emitter prints as it is. Characters beyond U+FFFF are not among it.
fn is_printable(text: &[u8], at: usize) -> bool {
    let (character, length) = decode(&text[at..]);
    if is_broken((character, length)) {
        return false;
    }
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

fn analyze(value: &[u8], version: Version) -> Analysis {
    if value.is_empty() {
        return Analysis {
            multiline: false,
            plain_allowed: true,
            single_quoted_allowed: true,
            block_allowed: false,
        };
    }
    let mut indicators = value.starts_with(b"---") || value.starts_with(b"...");
    let mut line_breaks = false;
    let mut special = false;
    let mut tabs = false;
    let mut space_after_break = false;
    let mut break_after_space = false;
    let mut after_space = false;
    let mut after_break = false;
    let mut after_blank = true;
    let mut ends_in_space = false;
    let mut ends_in_break = false;
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let (_, length) = decode(&value[at..]);
        let before_blank = matches!(value.get(at + length), None | Some(b' ' | b'\t'));
        indicators |= match byte {
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`'
                if at == 0 =>
            {
                true
            }
            b'?' | b'-' if at == 0 => before_blank,
            b':' => before_blank,
            b'#' => after_blank,
            _ => false,
        };
        if version == Version::V3 && byte == b'\t' {
            tabs = true;
        } else if !is_printable(value, at) {
            special = true;
        }
        let is_space = byte == b' ';
        let breaks = is_break(value, at);
        space_after_break |= is_space && after_break;
        break_after_space |= breaks && after_space;
        line_breaks |= breaks;
        after_space = is_space;
        after_break = breaks;
        after_blank = is_space || byte == b'\t' || byte == 0 || breaks;
        at += length;
        if at >= value.len() {
            ends_in_space = is_space;
            ends_in_break = breaks;
        }
    }
    let begins_in_space = value[0] == b' ' || is_break(value, 0);
    let broken = break_after_space || special;
    Analysis {
        multiline: line_breaks,
        plain_allowed: !(begins_in_space
            || ends_in_space
            || ends_in_break
            || space_after_break
            || broken
            || tabs
            || line_breaks
            || indicators),
        single_quoted_allowed: !(space_after_break || broken || tabs),
        block_allowed: !(ends_in_space || broken),
    }
}

// Keys.

/// An entry with the characters of its key.
type Keyed = (Vec<char>, (usize, usize));

/// The entries in the order in which go-yaml prints them.
fn sorted(tree: &Tree, entries: &[(usize, usize)], version: Version) -> Vec<(usize, usize)> {
    // The order is not transitive for some keys, which the sorts of the standard library may answer
    // with a panic.
    let keyed = |&entry: &(usize, usize)| match &tree.nodes[entry.0] {
        Node::String(key) => vec![(characters(key), entry)],
        _ => vec![(Vec::new(), entry)],
    };
    let mut runs: Vec<Vec<Keyed>> = entries.iter().map(keyed).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(first) = pairs.next() {
            merged.push(match pairs.next() {
                Some(second) => merge(first, second, version),
                None => first,
            });
        }
        runs = merged;
    }
    let sorted = runs.pop().unwrap_or_default();
    sorted.into_iter().map(|(_, entry)| entry).collect()
}

fn merge(first: Vec<Keyed>, second: Vec<Keyed>, version: Version) -> Vec<Keyed> {
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let mut first = first.into_iter().peekable();
    let mut second = second.into_iter().peekable();
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        let next = if comes_before(&b.0, &a.0, version) {
            second.next()
        } else {
            first.next()
        };
        merged.extend(next);
    }
    merged.extend(first);
    merged.extend(second);
    merged
}

/// The natural order: numbers within strings count as numbers.
fn comes_before(a: &[char], b: &[char], version: Version) -> bool {
    let mut after_digit = false;
    for (index, (&left, &right)) in a.iter().zip(b).enumerate() {
        if left == right {
            after_digit = is_digit(left);
            continue;
        }
        match (is_letter(left), is_letter(right)) {
            (true, true) => return left < right,
            (false, false) => {}
            (left, _) if version == Version::V3 && after_digit => return left,
            (_, right) => return right,
        }
        // After a digit that is not zero, zeros do not lead a number.
        let mut numbers = (0_i64, 0_i64);
        if left == '0' || right == '0' {
            let digits = a[..index].iter().rev().take_while(|c| is_digit(**c));
            if digits.into_iter().any(|&digit| digit != '0') {
                numbers = (1, 1);
            }
        }
        let (left_number, left_length) = number(&a[index..], numbers.0);
        let (right_number, right_length) = number(&b[index..], numbers.1);
        if left_number != right_number {
            return left_number < right_number;
        }
        if left_length != right_length {
            return left_length < right_length;
        }
        return left < right;
    }
    a.len() < b.len()
}

/// The number that the digits at the beginning continue, which wraps, and how many they are.
fn number(text: &[char], before: i64) -> (i64, usize) {
    let digits = text.iter().take_while(|character| is_digit(**character));
    digits.fold((before, 0), |(number, length), &digit| {
        let digit = i64::from(u32::from(digit)) - i64::from(b'0');
        (number.wrapping_mul(10).wrapping_add(digit), length + 1)
    })
}

fn characters(mut text: &[u8]) -> Vec<char> {
    let mut characters = Vec::with_capacity(text.len());
    while !text.is_empty() {
        let (character, length) = decode(text);
        characters.push(character);
        text = &text[length..];
    }
    characters
}
