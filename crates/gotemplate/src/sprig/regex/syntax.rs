//! Go's syntax of regular expressions, written anew in the syntax of the `regex` crate.
//!
//! Every class, anchor and flag is written out, so that nothing depends on the defaults there.

use std::fmt::Write as _;

use crate::error::Error;
use crate::text::decode;

use super::super::go;
use super::super::unicode::{self, NamedClass};

/// The largest count of a repetition, and of repetitions of repetitions.
const MAX_REPEAT: i64 = 1000;
/// The height of the tree of an expression.
const MAX_HEIGHT: usize = 1000;

/// An expression in the syntax of the `regex` crate.
pub(super) struct Parsed {
    pub(super) pattern: String,
    /// The names of the groups, from the whole match on.
    pub(super) names: Vec<String>,
    /// The height of the tree, which tells how much stack compiling it takes.
    pub(super) height: usize,
}

/// The error of package regexp/syntax.
pub(super) fn error(reason: &str, expression: &[u8]) -> Error {
    Error::new(format!(
        "error parsing regexp: {reason}: `{}`",
        go::lossy(expression)
    ))
}

const INVALID_UTF8: &str = "invalid UTF-8";
const INVALID_RANGE: &str = "invalid character class range";
const INVALID_ESCAPE: &str = "invalid escape sequence";

#[derive(Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags of an expression, each by its own"
)]
struct Flags {
    /// `i`
    fold_case: bool,
    /// `m`
    multi_line: bool,
    /// `s`
    dot_newline: bool,
    /// `U`
    swap_greed: bool,
}

/// Something that can be repeated.
struct Piece {
    pattern: String,
    /// The product of the repetitions in it.
    repeats: i64,
    height: usize,
}

/// A group that is not yet closed, or the whole expression.
struct Group {
    flags: Flags,
    captures: bool,
    done: String,
    pieces: Vec<Piece>,
    repeats: i64,
    /// The height of the alternatives that are done, and whether there are several.
    height: usize,
    has_alternatives: bool,
}

impl Group {
    fn new(flags: Flags, captures: bool) -> Self {
        Self {
            flags,
            captures,
            done: String::new(),
            pieces: Vec::new(),
            repeats: 1,
            height: 0,
            has_alternatives: false,
        }
    }

    fn push(&mut self, pattern: String) {
        self.pieces.push(Piece {
            pattern,
            repeats: 1,
            height: 1,
        });
    }

    /// The height of all of the group.
    fn total_height(&self) -> usize {
        self.height.max(1) + usize::from(self.has_alternatives)
    }

    fn finish_alternative(&mut self) {
        let concatenates = self.pieces.len() > 1;
        let highest = self.pieces.iter().map(|piece| piece.height).max();
        self.height = self
            .height
            .max(highest.unwrap_or(1) + usize::from(concatenates));
        for piece in self.pieces.drain(..) {
            self.done.push_str(&piece.pattern);
            self.repeats = self.repeats.max(piece.repeats);
        }
    }
}

struct Parser<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
    flags: Flags,
    groups: Vec<Group>,
    group: Group,
    names: Vec<String>,
}

/// Reads an expression in Go's syntax.
///
/// # Errors
///
/// What package regexp/syntax finds wrong with it.
pub(super) fn parse(expression: &[u8]) -> Result<Parsed, Error> {
    let mut parser = Parser {
        whole: expression,
        rest: expression,
        flags: Flags::default(),
        groups: Vec::new(),
        group: Group::new(Flags::default(), false),
        names: vec![String::new()],
    };
    parser.expression()?;
    if !parser.groups.is_empty() {
        return Err(error("missing closing )", expression));
    }
    parser.group.finish_alternative();
    let height = parser.group.total_height();
    if height > MAX_HEIGHT {
        return Err(error("expression nests too deeply", expression));
    }
    Ok(Parsed {
        height,
        pattern: parser.group.done,
        names: parser.names,
    })
}

fn next(text: &[u8]) -> Result<(char, &[u8]), Error> {
    let (character, length) = decode(text);
    if length == 1 && !text[0].is_ascii() {
        return Err(error(INVALID_UTF8, text));
    }
    Ok((character, &text[length..]))
}

fn check_utf8(mut text: &[u8]) -> Result<(), Error> {
    while !text.is_empty() {
        text = next(text)?.1;
    }
    Ok(())
}

/// The part of `from` before `rest`, which is its end.
fn before<'a>(from: &'a [u8], rest: &[u8]) -> &'a [u8] {
    &from[..from.len() - rest.len()]
}

impl<'a> Parser<'a> {
    fn expression(&mut self) -> Result<(), Error> {
        let mut last_repeat: Option<&'a [u8]> = None;
        while let Some(byte) = self.rest.first() {
            let here = self.rest;
            let mut repeat = None;
            match byte {
                b'(' if here.get(1) == Some(&b'?') => self.flags_or_group()?,
                b'(' => {
                    self.rest = &here[1..];
                    self.open(Some(String::new()));
                }
                b'|' => {
                    self.group.finish_alternative();
                    self.group.has_alternatives = true;
                    self.group.done.push('|');
                    self.rest = &here[1..];
                }
                b')' => self.close()?,
                b'^' => self.push_short(if self.flags.multi_line {
                    "(?m:^)"
                } else {
                    r"\A"
                }),
                b'$' => self.push_short(if self.flags.multi_line {
                    "(?m:$)"
                } else {
                    r"\z"
                }),
                b'.' => self.push_short(if self.flags.dot_newline {
                    "(?s:.)"
                } else {
                    r"[^\n]"
                }),
                b'[' => self.class()?,
                b'*' | b'+' | b'?' => {
                    let (min, max) = match byte {
                        b'*' => (0, -1),
                        b'+' => (1, -1),
                        _ => (0, 1),
                    };
                    let operator = char::from(*byte).to_string();
                    self.repeat(&operator, (min, max), false, &here[1..], last_repeat)?;
                    repeat = Some(here);
                }
                b'{' => match counts(here) {
                    None => {
                        self.literal('{');
                        self.rest = &here[1..];
                    }
                    Some((min, max, after)) => {
                        if !(0..=MAX_REPEAT).contains(&min)
                            || max > MAX_REPEAT
                            || (0..min).contains(&max)
                        {
                            return Err(error("invalid repeat count", before(here, after)));
                        }
                        let operator = String::from_utf8_lossy(before(here, after)).into_owned();
                        self.repeat(&operator, (min, max), true, after, last_repeat)?;
                        repeat = Some(here);
                    }
                },
                b'\\' => self.escape()?,
                _ => {
                    let (character, rest) = next(here)?;
                    self.literal(character);
                    self.rest = rest;
                }
            }
            last_repeat = repeat;
        }
        Ok(())
    }

    fn push_short(&mut self, pattern: &str) {
        self.group.push(pattern.to_owned());
        self.rest = &self.rest[1..];
    }

    fn literal(&mut self, character: char) {
        let mut pattern = String::new();
        if self.flags.fold_case {
            let _ = write!(pattern, "(?i:\\x{{{:x}}})", u32::from(character));
        } else {
            let _ = write!(pattern, "\\x{{{:x}}}", u32::from(character));
        }
        self.group.push(pattern);
    }

    /// Opens a group: with a name, if it captures.
    fn open(&mut self, name: Option<String>) {
        let group = Group::new(self.flags, name.is_some());
        self.names.extend(name);
        let outer = std::mem::replace(&mut self.group, group);
        self.groups.push(outer);
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(outer) = self.groups.pop() else {
            return Err(error("unexpected )", self.whole));
        };
        let mut group = std::mem::replace(&mut self.group, outer);
        group.finish_alternative();
        self.flags = group.flags;
        let start = if group.captures { "(" } else { "(?:" };
        let height = group.total_height() + usize::from(group.captures);
        if height > MAX_HEIGHT {
            return Err(error("expression nests too deeply", self.whole));
        }
        self.group.pieces.push(Piece {
            pattern: format!("{start}{})", group.done),
            repeats: group.repeats,
            height,
        });
        self.rest = &self.rest[1..];
        Ok(())
    }

    fn repeat(
        &mut self,
        operator: &str,
        (min, max): (i64, i64),
        is_counted: bool,
        after: &'a [u8],
        last_repeat: Option<&'a [u8]>,
    ) -> Result<(), Error> {
        let here = self.rest;
        let mut after = after;
        let mut is_lazy = self.flags.swap_greed;
        if let Some(rest) = after.strip_prefix(b"?") {
            after = rest;
            is_lazy = !is_lazy;
        }
        if let Some(last_repeat) = last_repeat {
            return Err(error(
                "invalid nested repetition operator",
                before(last_repeat, after),
            ));
        }
        let Some(piece) = self.group.pieces.last_mut() else {
            return Err(error(
                "missing argument to repetition operator",
                before(here, after),
            ));
        };
        let lazy = if is_lazy { "?" } else { "" };
        piece.height += 1;
        if piece.height > MAX_HEIGHT {
            return Err(error("expression nests too deeply", self.whole));
        }
        // A group around it, so that the repetition of a repetition is one.
        piece.pattern = format!("(?:{}{operator}{lazy})", piece.pattern);
        if is_counted {
            let most = if max < 0 { min } else { max };
            piece.repeats = if max == 0 {
                1
            } else {
                piece.repeats.saturating_mul(most.max(1))
            };
            if (min >= 2 || max >= 2) && piece.repeats > MAX_REPEAT {
                return Err(error("invalid repeat count", before(here, after)));
            }
        }
        self.rest = after;
        Ok(())
    }

    /// `(?i)`, `(?i:`, `(?P<name>` and `(?<name>`.
    fn flags_or_group(&mut self) -> Result<(), Error> {
        let here = self.rest;
        let name_start = if here.len() > 4 && here[2..].starts_with(b"P<") {
            Some(4)
        } else if here.len() > 3 && here[2] == b'<' {
            Some(3)
        } else {
            None
        };
        if let Some(start) = name_start {
            let Some(end) = here.iter().position(|byte| *byte == b'>') else {
                check_utf8(here)?;
                return Err(error("invalid named capture", here));
            };
            let name = &here[start..end];
            check_utf8(name)?;
            let is_valid = !name.is_empty()
                && name
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            if !is_valid {
                return Err(error("invalid named capture", &here[..=end]));
            }
            self.rest = &here[end + 1..];
            self.open(Some(String::from_utf8_lossy(name).into_owned()));
            return Ok(());
        }
        let mut rest = &here[2..];
        let mut flags = self.flags;
        let mut on = true;
        let mut saw_flag = false;
        while !rest.is_empty() {
            let (character, after) = next(rest)?;
            rest = after;
            let flag = match character {
                'i' => &mut flags.fold_case,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_newline,
                'U' => &mut flags.swap_greed,
                '-' if on => {
                    on = false;
                    saw_flag = false;
                    continue;
                }
                ':' | ')' if on || saw_flag => {
                    self.rest = rest;
                    if character == ':' {
                        self.open(None);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            };
            *flag = on;
            saw_flag = true;
        }
        Err(error(
            "invalid or unsupported Perl syntax",
            before(here, rest),
        ))
    }

    /// A backslash outside of a class.
    fn escape(&mut self) -> Result<(), Error> {
        let here = self.rest;
        let mut anchor = |pattern: &str| {
            self.group.push(pattern.to_owned());
            self.rest = &here[2..];
            Ok(())
        };
        match here.get(1) {
            Some(b'A') => return anchor(r"\A"),
            Some(b'z') => return anchor(r"\z"),
            Some(b'b') => return anchor(r"(?-u:\b)"),
            Some(b'B') => return anchor(r"(?-u:\B)"),
            Some(b'C') => return Err(error(INVALID_ESCAPE, &here[..2])),
            Some(b'Q') => {
                let inside = &here[2..];
                let end = super::super::strings::find(inside, br"\E");
                let (mut literal, rest) = match end {
                    Some(end) => (&inside[..end], &inside[end + 2..]),
                    None => (inside, &b""[..]),
                };
                while !literal.is_empty() {
                    let (character, after) = next(literal)?;
                    self.literal(character);
                    literal = after;
                }
                self.rest = rest;
                return Ok(());
            }
            _ => {}
        }
        if let Some((class, rest)) = class_escape(here)? {
            let pattern = self.class_pattern(&[class], false);
            self.group.push(pattern);
            self.rest = rest;
            return Ok(());
        }
        let (code, rest) = character_escape(here)?;
        self.rest = rest;
        match char::from_u32(code) {
            Some(character) => self.literal(character),
            // A surrogate is no character, and nothing matches it.
            None => {
                let pattern = self.class_pattern(&[], false);
                self.group.push(pattern);
            }
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), Error> {
        let here = self.rest;
        let mut rest = &here[1..];
        let mut items = Vec::new();
        let is_negated = rest.first() == Some(&b'^');
        if is_negated {
            rest = &rest[1..];
        }
        let mut is_first = true;
        while rest.first() != Some(&b']') || is_first {
            is_first = false;
            if rest.starts_with(b"[:")
                && rest.len() > 2
                && let Some((item, after)) = posix_class(rest)?
            {
                items.push(item);
                rest = after;
                continue;
            }
            if let Some((item, after)) = class_escape(rest)? {
                items.push(item);
                rest = after;
                continue;
            }
            let range = rest;
            let (low, after) = class_character(rest, here)?;
            rest = after;
            let mut high = low;
            if rest.len() >= 2 && rest[0] == b'-' && rest[1] != b']' {
                (high, rest) = class_character(&rest[1..], here)?;
                if high < low {
                    return Err(error(INVALID_RANGE, before(range, rest)));
                }
            }
            items.push(Item::Ranges(vec![(low, high)], false));
        }
        let pattern = self.class_pattern(&items, is_negated);
        self.group.push(pattern);
        self.rest = &rest[1..];
        Ok(())
    }

    fn class_pattern(&self, items: &[Item], is_negated: bool) -> String {
        let mut inside = String::new();
        for item in items {
            item.append(&mut inside);
        }
        if inside.is_empty() {
            // The class of nothing.
            Item::Ranges(vec![(0, 0x10_ffff)], true).append(&mut inside);
        }
        let sign = if is_negated { "^" } else { "" };
        if self.flags.fold_case {
            format!("(?i:[{sign}{inside}])")
        } else {
            format!("[{sign}{inside}]")
        }
    }
}

/// A part of a class.
enum Item {
    /// Ranges of code points, or all that is outside of them.
    Ranges(Vec<(u32, u32)>, bool),
    Named(NamedClass, bool),
}

impl Item {
    fn append(&self, pattern: &mut String) {
        match self {
            Self::Ranges(ranges, is_negated) => {
                if *is_negated {
                    pattern.push_str("[^");
                }
                for (low, high) in ranges {
                    append_range(pattern, *low, *high);
                }
                if *is_negated {
                    pattern.push(']');
                }
            }
            Self::Named(class, is_negated) => {
                let sign = if *is_negated { "^" } else { "" };
                let text = match class {
                    NamedClass::Any => r"\x{0}-\x{10ffff}".to_owned(),
                    NamedClass::Assigned => r"\P{Cn}".to_owned(),
                    NamedClass::Ascii => r"\x{0}-\x{7f}".to_owned(),
                    // Surrogates, which no text has.
                    NamedClass::Category("Cs") => r"[^\x{0}-\x{10ffff}]".to_owned(),
                    NamedClass::Category(name) => format!(r"\p{{{name}}}"),
                    NamedClass::Script(name) => format!(r"\p{{sc={name}}}"),
                };
                let _ = write!(pattern, "[{sign}{text}]");
            }
        }
    }
}

/// Appends a range without the surrogates.
fn append_range(pattern: &mut String, low: u32, high: u32) {
    for (from, to) in [(0, 0xd7ff), (0xe000, 0x10_ffff)] {
        let (low, high) = (low.max(from), high.min(to));
        if low <= high {
            let _ = write!(pattern, "\\x{{{low:x}}}-\\x{{{high:x}}}");
        }
    }
}

/// `{2}`, `{2,}`, `{2,3}`: the least and most, -1 for no bound, the least -1 if a number is too
/// large.
fn counts(text: &[u8]) -> Option<(i64, i64, &[u8])> {
    let (mut min, rest) = count(text.strip_prefix(b"{")?)?;
    let (max, rest) = match rest.strip_prefix(b",") {
        None => (min, rest),
        Some(rest) if rest.starts_with(b"}") => (-1, rest),
        Some(rest) => {
            let (max, rest) = count(rest)?;
            if max < 0 {
                min = -1;
            }
            (max, rest)
        }
    };
    Some((min, max, rest.strip_prefix(b"}")?))
}

fn count(text: &[u8]) -> Option<(i64, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > 1 && text[0] == b'0' {
        return None;
    }
    let (digits, rest) = text.split_at(length);
    let mut number = 0_i64;
    for digit in digits {
        if number >= 100_000_000 {
            return Some((-1, rest));
        }
        number = number * 10 + i64::from(digit - b'0');
    }
    Some((number, rest))
}

fn class_character<'a>(text: &'a [u8], class: &[u8]) -> Result<(u32, &'a [u8]), Error> {
    match text.first() {
        None => Err(error("missing closing ]", class)),
        Some(b'\\') => character_escape(text),
        Some(_) => {
            let (character, rest) = next(text)?;
            Ok((u32::from(character), rest))
        }
    }
}

const DIGITS: &[(u32, u32)] = &[(0x30, 0x39)];
const SPACES: &[(u32, u32)] = &[(9, 10), (12, 13), (0x20, 0x20)];
const WORDS: &[(u32, u32)] = &[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];

/// `\d`, `\pL`, `\p{Greek}` and their like.
fn class_escape(text: &[u8]) -> Result<Option<(Item, &[u8])>, Error> {
    let [b'\\', letter, rest @ ..] = text else {
        return Ok(None);
    };
    let ranges = match letter.to_ascii_lowercase() {
        b'd' => DIGITS,
        b's' => SPACES,
        b'w' => WORDS,
        b'p' => return named_class(text, *letter == b'P').map(Some),
        _ => return Ok(None),
    };
    Ok(Some((
        Item::Ranges(ranges.to_vec(), letter.is_ascii_uppercase()),
        rest,
    )))
}

fn named_class(text: &[u8], is_negated: bool) -> Result<(Item, &[u8]), Error> {
    // Without a character after it, Go takes U+FFFD of no length.
    let (character, after) = next(&text[2..])?;
    let (name, whole, rest) = if character == '{' {
        let Some(end) = text.iter().position(|byte| *byte == b'}') else {
            check_utf8(text)?;
            return Err(error(INVALID_RANGE, text));
        };
        let name = &text[3..end];
        check_utf8(name)?;
        (name, &text[..=end], &text[end + 1..])
    } else {
        let whole = before(text, after);
        (&whole[2..], whole, after)
    };
    let (name, is_negated) = match name.strip_prefix(b"^") {
        Some(name) => (name, !is_negated),
        None => (name, is_negated),
    };
    let class = std::str::from_utf8(name)
        .ok()
        .and_then(unicode::named_class)
        .ok_or_else(|| error(INVALID_RANGE, whole))?;
    Ok((Item::Named(class, is_negated), rest))
}

/// `[:alpha:]` or `[:^alpha:]` within a class.
fn posix_class(text: &[u8]) -> Result<Option<(Item, &[u8])>, Error> {
    let Some(end) = super::super::strings::find(&text[2..], b":]") else {
        return Ok(None);
    };
    let (whole, rest) = text.split_at(end + 4);
    let name = &whole[2..end + 2];
    let (name, is_negated) = match name.strip_prefix(b"^") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let ranges: &[(u32, u32)] = match name {
        b"alnum" => &[(0x30, 0x39), (0x41, 0x5a), (0x61, 0x7a)],
        b"alpha" => &[(0x41, 0x5a), (0x61, 0x7a)],
        b"ascii" => &[(0, 0x7f)],
        b"blank" => &[(9, 9), (0x20, 0x20)],
        b"cntrl" => &[(0, 0x1f), (0x7f, 0x7f)],
        b"digit" => DIGITS,
        b"graph" => &[(0x21, 0x7e)],
        b"lower" => &[(0x61, 0x7a)],
        b"print" => &[(0x20, 0x7e)],
        b"punct" => &[(0x21, 0x2f), (0x3a, 0x40), (0x5b, 0x60), (0x7b, 0x7e)],
        b"space" => &[(9, 13), (0x20, 0x20)],
        b"upper" => &[(0x41, 0x5a)],
        b"word" => WORDS,
        b"xdigit" => &[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)],
        _ => return Err(error(INVALID_RANGE, whole)),
    };
    Ok(Some((Item::Ranges(ranges.to_vec(), is_negated), rest)))
}

/// A backslash for one character.
fn character_escape(text: &[u8]) -> Result<(u32, &[u8]), Error> {
    if text.len() < 2 {
        return Err(error("trailing backslash at end of expression", b""));
    }
    let (character, mut rest) = next(&text[1..])?;
    let simple = match character {
        'a' => Some(7),
        'f' => Some(12),
        'n' => Some(10),
        'r' => Some(13),
        't' => Some(9),
        'v' => Some(11),
        _ if character.is_ascii() && !character.is_ascii_alphanumeric() => {
            Some(u32::from(character))
        }
        _ => None,
    };
    if let Some(code) = simple {
        return Ok((code, rest));
    }
    let octal = |text: &[u8]| text.first().and_then(|byte| char::from(*byte).to_digit(8));
    match character {
        '0'..='7' if character == '0' || octal(rest).is_some() => {
            let mut code = character.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                let Some(digit) = octal(rest) else { break };
                code = code * 8 + digit;
                rest = &rest[1..];
            }
            return Ok((code, rest));
        }
        'x' if !rest.is_empty() => {
            let (first, after) = next(rest)?;
            rest = after;
            if first == '{' {
                let mut code = 0;
                let mut digits = 0;
                while !rest.is_empty() {
                    let (character, after) = next(rest)?;
                    rest = after;
                    if character == '}' {
                        if digits == 0 {
                            break;
                        }
                        return Ok((code, rest));
                    }
                    let Some(digit) = character.to_digit(16) else {
                        break;
                    };
                    code = code * 16 + digit;
                    if code > 0x10_ffff {
                        break;
                    }
                    digits += 1;
                }
            } else {
                let (second, after) = next(rest)?;
                rest = after;
                if let (Some(high), Some(low)) = (first.to_digit(16), second.to_digit(16)) {
                    return Ok((high * 16 + low, rest));
                }
            }
        }
        _ => {}
    }
    Err(error(INVALID_ESCAPE, before(text, rest)))
}
