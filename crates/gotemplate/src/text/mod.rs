//! Text as Go's standard library handles it: UTF-8 that may be broken, classes of characters,
//! quoting, numbers.

pub(crate) mod float;
pub(crate) mod number;
pub(crate) mod quote;
mod tables;

/// What a byte that is not UTF-8 decodes to.
pub(crate) const REPLACEMENT: char = '\u{fffd}';

/// The first character and its width in bytes: U+FFFD of width 1 for a byte that is not UTF-8, of
/// width 0 for no byte.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> (char, usize) {
    match bytes.first() {
        None => (REPLACEMENT, 0),
        Some(byte) if byte.is_ascii() => (char::from(*byte), 1),
        Some(_) => decode_long(bytes),
    }
}

fn decode_long(bytes: &[u8]) -> (char, usize) {
    (2..=bytes.len().min(4))
        .find_map(|width| {
            let text = std::str::from_utf8(bytes.get(..width)?).ok()?;
            Some((text.chars().next()?, width))
        })
        .unwrap_or((REPLACEMENT, 1))
}

/// Whether [`decode`] found a byte that is not UTF-8.
pub(crate) fn is_broken((character, width): (char, usize)) -> bool {
    character == REPLACEMENT && width == 1
}

/// The number of characters, each byte that is not UTF-8 counted as one.
pub(crate) fn count(bytes: &[u8]) -> usize {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.chars().count();
    }
    let mut rest = bytes;
    let mut count = 0;
    while !rest.is_empty() {
        rest = &rest[decode(rest).1..];
        count += 1;
    }
    count
}

/// The bytes up to and without the character at this index.
pub(crate) fn truncate(bytes: &[u8], characters: usize) -> &[u8] {
    let mut end = 0;
    for _ in 0..characters {
        if end >= bytes.len() {
            return bytes;
        }
        end += decode(&bytes[end..]).1;
    }
    &bytes[..end]
}

/// Appends a character in UTF-8.
pub(crate) fn push(buffer: &mut Vec<u8>, character: char) {
    buffer.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// `unicode.IsLetter`
pub(crate) fn is_letter(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphabetic()
    } else {
        within(tables::LETTER, character)
    }
}

/// `unicode.IsDigit`
pub(crate) fn is_digit(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_digit()
    } else {
        within(tables::DIGIT, character)
    }
}

/// `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
pub(crate) fn is_print(character: char) -> bool {
    if character.is_ascii() {
        (' '..='~').contains(&character)
    } else {
        within(tables::PRINT, character)
    }
}

fn within(table: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let index = table.partition_point(|(_, last)| *last < code);
    table.get(index).is_some_and(|(first, _)| *first <= code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_broken_utf8() {
        let cases: [(&[u8], (char, usize)); 8] = [
            (b"", (REPLACEMENT, 0)),
            (b"a", ('a', 1)),
            ("\u{e9}x".as_bytes(), ('\u{e9}', 2)),
            ("\u{20ac}".as_bytes(), ('\u{20ac}', 3)),
            ("\u{1f600}".as_bytes(), ('\u{1f600}', 4)),
            (b"\xff", (REPLACEMENT, 1)),
            (b"\xe2\x82", (REPLACEMENT, 1)),
            (b"\xed\xa0\x80", (REPLACEMENT, 1)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(decode(bytes), expected, "{bytes:?}");
        }
    }
}
