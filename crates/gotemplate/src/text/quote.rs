//! Go's string and character literals.

use super::{REPLACEMENT, decode, is_broken, is_print, push};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// `strconv.AppendQuote`, or with `ascii` `strconv.AppendQuoteToASCII`.
pub(crate) fn append_quoted(buffer: &mut Vec<u8>, text: &[u8], ascii: bool) {
    buffer.push(b'"');
    let mut rest = text;
    while let Some(byte) = rest.first() {
        let decoded = decode(rest);
        if is_broken(decoded) {
            append_hex(buffer, b'x', u32::from(*byte), 2);
        } else {
            append_escaped(buffer, decoded.0, '"', ascii);
        }
        rest = &rest[decoded.1..];
    }
    buffer.push(b'"');
}

/// `strconv.AppendQuoteRune`, or with `ascii` `strconv.AppendQuoteRuneToASCII`.
pub(crate) fn append_quoted_char(buffer: &mut Vec<u8>, character: char, ascii: bool) {
    buffer.push(b'\'');
    append_escaped(buffer, character, '\'', ascii);
    buffer.push(b'\'');
}

/// `strconv.Quote`
pub(crate) fn quoted(text: &[u8]) -> String {
    let mut buffer = Vec::with_capacity(text.len() + 2);
    append_quoted(&mut buffer, text, false);
    String::from_utf8_lossy(&buffer).into_owned()
}

fn append_escaped(buffer: &mut Vec<u8>, character: char, quote: char, ascii: bool) {
    if character == quote || character == '\\' {
        buffer.push(b'\\');
        push(buffer, character);
        return;
    }
    if is_print(character) && (character.is_ascii() || !ascii) {
        push(buffer, character);
        return;
    }
    let short = match character {
        '\x07' => b'a',
        '\x08' => b'b',
        '\x0c' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\x0b' => b'v',
        _ => {
            let code = u32::from(character);
            match code {
                0..0x20 | 0x7f => append_hex(buffer, b'x', code, 2),
                0x20..0x1_0000 => append_hex(buffer, b'u', code, 4),
                _ => append_hex(buffer, b'U', code, 8),
            }
            return;
        }
    };
    buffer.extend_from_slice(&[b'\\', short]);
}

fn append_hex(buffer: &mut Vec<u8>, letter: u8, code: u32, digits: u32) {
    buffer.extend_from_slice(&[b'\\', letter]);
    for digit in (0..digits).rev() {
        buffer.push(HEX[(code >> (4 * digit) & 0xf) as usize]);
    }
}

/// `strconv.CanBackquote`
pub(crate) fn can_backquote(text: &[u8]) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let (character, width) = decode(rest);
        rest = &rest[width..];
        if width > 1 {
            if character == '\u{feff}' {
                return false;
            }
        } else if character == REPLACEMENT
            || (character < ' ' && character != '\t')
            || character == '`'
            || character == '\x7f'
        {
            return false;
        }
    }
    true
}

/// A character of a literal: a byte, or a character that is written in UTF-8.
pub(crate) enum Unquoted {
    Byte(u8),
    Char(char),
}

/// `strconv.UnquoteChar`: the first character of the inside of a literal, and the rest; none where
/// Go has `invalid syntax`.
pub(crate) fn unquote_char(text: &[u8], quote: u8) -> Option<(Unquoted, &[u8])> {
    let (first, rest) = text.split_first()?;
    if *first == quote && matches!(quote, b'\'' | b'"') {
        return None;
    }
    if !first.is_ascii() {
        let (character, width) = decode(text);
        return Some((Unquoted::Char(character), &text[width..]));
    }
    if *first != b'\\' {
        return Some((Unquoted::Byte(*first), rest));
    }
    let (escape, rest) = rest.split_first()?;
    let byte = |byte| Some((Unquoted::Byte(byte), rest));
    match escape {
        b'a' => byte(7),
        b'b' => byte(8),
        b'f' => byte(12),
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'v' => byte(11),
        b'\\' => byte(b'\\'),
        b'x' => {
            let (code, rest) = digits(rest, 2, 16)?;
            Some((Unquoted::Byte(u8::try_from(code).ok()?), rest))
        }
        b'u' | b'U' => {
            let count = if *escape == b'u' { 4 } else { 8 };
            let (code, rest) = digits(rest, count, 16)?;
            Some((Unquoted::Char(char::from_u32(code)?), rest))
        }
        b'0'..=b'7' => {
            let (code, rest) = digits(&text[1..], 3, 8)?;
            Some((Unquoted::Byte(u8::try_from(code).ok()?), rest))
        }
        b'\'' | b'"' if *escape == quote => byte(*escape),
        _ => None,
    }
}

fn digits(text: &[u8], count: usize, radix: u32) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let mut code: u32 = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(radix)?;
        // Eight hexadecimal digits fit; what exceeds the last character is refused by the caller.
        code = code.wrapping_mul(radix).wrapping_add(digit);
    }
    Some((code, rest))
}

/// `strconv.Unquote` of a string literal, raw or not; none where Go has `invalid syntax`.
pub(crate) fn unquote(literal: &[u8]) -> Option<Vec<u8>> {
    let (quote, rest) = literal.split_first()?;
    if *quote == b'`' {
        let (last, inside) = rest.split_last()?;
        if *last != b'`' || inside.contains(&b'`') {
            return None;
        }
        // As in Go source, carriage returns are not part of a raw string.
        return Some(
            inside
                .iter()
                .copied()
                .filter(|byte| *byte != b'\r')
                .collect(),
        );
    }
    let mut rest = rest;
    let mut text = Vec::with_capacity(rest.len());
    loop {
        match rest {
            [byte] if byte == quote => return Some(text),
            [b'\n', ..] => return None,
            _ => {}
        }
        let (character, after) = unquote_char(rest, *quote)?;
        match character {
            Unquoted::Byte(byte) => text.push(byte),
            Unquoted::Char(character) => push(&mut text, character),
        }
        rest = after;
    }
}
