//! JSON strings.

use crate::text::{decode, is_broken, push};

/// Appends the string in quotes as encoding/json does.
pub(super) fn write_string(string: &[u8], escape_html: bool, text: &mut Vec<u8>) {
    text.push(b'"');
    // What is written as it is, from here on.
    let mut from = 0;
    let mut at = 0;
    while let Some(&byte) = string.get(at) {
        let plain = match byte {
            b'"' | b'\\' | 0..=0x1f => false,
            b'<' | b'>' | b'&' => !escape_html,
            _ => true,
        };
        if byte < 0x80 && plain {
            at += 1;
            continue;
        }
        let mut length = 1;
        let escape = match byte {
            b'"' => "\\\"".to_owned(),
            b'\\' => "\\\\".to_owned(),
            0x08 => "\\b".to_owned(),
            0x0c => "\\f".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\t' => "\\t".to_owned(),
            0..=0x7f => format!("\\u{byte:04x}"),
            _ => {
                let decoded = decode(&string[at..]);
                length = decoded.1;
                match decoded.0 {
                    '\u{2028}' => "\\u2028".to_owned(),
                    '\u{2029}' => "\\u2029".to_owned(),
                    _ if is_broken(decoded) => "\\ufffd".to_owned(),
                    _ => {
                        at += length;
                        continue;
                    }
                }
            }
        };
        text.extend_from_slice(&string[from..at]);
        text.extend_from_slice(escape.as_bytes());
        at += length;
        from = at;
    }
    text.extend_from_slice(&string[from..]);
    text.push(b'"');
}

/// The string that the characters between quotes are, as encoding/json reads them. They must be
/// valid JSON.
pub(super) fn unquote(quoted: &[u8]) -> Vec<u8> {
    let mut string = Vec::with_capacity(quoted.len());
    let mut push = |character| push(&mut string, character);
    let mut rest = quoted;
    loop {
        match rest {
            [] => break,
            [b'\\', b'u', after @ ..] => {
                let unit = hexadecimal(after);
                rest = after.get(4..).unwrap_or_default();
                let mut character = char::from_u32(unit);
                if (0xd800..0xdc00).contains(&unit)
                    && let [b'\\', b'u', after @ ..] = rest
                {
                    let low = hexadecimal(after);
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        character = char::from_u32(code);
                        rest = after.get(4..).unwrap_or_default();
                    }
                }
                push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            [b'\\', escape, after @ ..] => {
                push(match escape {
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    other => char::from(*other),
                });
                rest = after;
            }
            _ => {
                let (character, length) = decode(rest);
                push(character);
                rest = &rest[length..];
            }
        }
    }
    string
}

fn hexadecimal(digits: &[u8]) -> u32 {
    digits.iter().take(4).fold(0, |value, &digit| {
        value << 4 | char::from(digit).to_digit(16).unwrap_or(0)
    })
}
