//! Classes and cases of characters, by Go's own tables.

mod tables;

use tables::{
    ALIASES, CASES, CATEGORIES, LOWER, NUMBER, PUNCT, SCRIPTS, TITLE, UPPER, UPPER_LOWER,
};

use crate::text::{decode, push};

/// The characters of the bytes with their positions and lengths; each byte that is not part of
/// UTF-8 is one U+FFFD.
pub(super) fn characters(bytes: &[u8]) -> impl Iterator<Item = (usize, char, usize)> + '_ {
    let mut position = 0;
    std::iter::from_fn(move || {
        let (character, length) = decode(&bytes[position..]);
        if length == 0 {
            return None;
        }
        position += length;
        Some((position - length, character, length))
    })
}

/// Go's `strings.Map`: each character replaced, what is not UTF-8 by U+FFFD.
pub(super) fn map(bytes: &[u8], mut change: impl FnMut(char) -> char) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    for (_, character, _) in characters(bytes) {
        push(&mut text, change(character));
    }
    text
}

fn within(table: &[(u32, u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let index = table.partition_point(|(_, last, _)| *last < code);
    table
        .get(index)
        .is_some_and(|(first, _, stride)| *first <= code && (code - first).is_multiple_of(*stride))
}

/// `unicode.IsUpper`
pub(super) fn is_upper(character: char) -> bool {
    within(UPPER, character)
}

/// `unicode.IsLower`
pub(super) fn is_lower(character: char) -> bool {
    within(LOWER, character)
}

/// `unicode.IsTitle`
pub(super) fn is_title(character: char) -> bool {
    within(TITLE, character)
}

/// `unicode.IsNumber`
pub(super) fn is_number(character: char) -> bool {
    within(NUMBER, character)
}

/// `unicode.IsPunct`
pub(super) fn is_punctuation(character: char) -> bool {
    within(PUNCT, character)
}

/// `unicode.IsSpace`
pub(super) fn is_space(character: char) -> bool {
    matches!(
        character,
        '\t'..='\r'
            | ' '
            | '\u{85}'
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
    )
}

#[derive(Clone, Copy)]
enum Case {
    Upper,
    Lower,
    Title,
}

fn to_case(case: Case, character: char) -> char {
    let code = u32::from(character);
    let index = CASES.partition_point(|(_, last, _)| *last < code);
    let Some((first, _, distances)) = CASES.get(index).filter(|(first, ..)| *first <= code) else {
        return character;
    };
    let distance = distances[match case {
        Case::Upper => 0,
        Case::Lower => 1,
        Case::Title => 2,
    }];
    let changed = if distance == UPPER_LOWER {
        // Upper and lower case alternate from the first character on.
        let offset = (code - first) & !1;
        first + offset + u32::from(matches!(case, Case::Lower))
    } else {
        code.saturating_add_signed(distance)
    };
    char::from_u32(changed).unwrap_or(character)
}

/// `unicode.ToUpper`
pub(super) fn to_upper(character: char) -> char {
    to_case(Case::Upper, character)
}

/// `unicode.ToLower`
pub(super) fn to_lower(character: char) -> char {
    to_case(Case::Lower, character)
}

/// `unicode.ToTitle`
pub(super) fn to_title(character: char) -> char {
    to_case(Case::Title, character)
}

/// A set of characters that a regular expression may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamedClass {
    Any,
    Assigned,
    Ascii,
    /// A general category, by its short name.
    Category(&'static str),
    Script(&'static str),
}

/// The class of a name in `\p{name}`, as package regexp/syntax finds it.
pub(super) fn named_class(name: &str) -> Option<NamedClass> {
    let name = canonical(name);
    match name.as_str() {
        "Any" => return Some(NamedClass::Any),
        "Assigned" => return Some(NamedClass::Assigned),
        "Ascii" => return Some(NamedClass::Ascii),
        "Lc" => return Some(NamedClass::Category("LC")),
        _ => {}
    }
    if let Ok(index) = CATEGORIES.binary_search(&name.as_str()) {
        return Some(NamedClass::Category(CATEGORIES[index]));
    }
    if let Ok(index) = SCRIPTS.binary_search(&name.as_str()) {
        return Some(NamedClass::Script(SCRIPTS[index]));
    }
    ALIASES.iter().find_map(|entry| {
        let (alias, category) = entry.split_once('=')?;
        (canonical(alias) == name).then_some(NamedClass::Category(category))
    })
}

/// A capital, then small letters, without separators.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '_' | '-' | ' ' => {}
            _ if canonical.is_empty() => canonical.push(character.to_ascii_uppercase()),
            _ => canonical.push(character.to_ascii_lowercase()),
        }
    }
    canonical
}
