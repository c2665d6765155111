//! Cases of letters and words: Go's `strings.Title`, Masterminds/goutils and huandu/xstrings.

use super::unicode::{
    self, is_lower, is_number, is_punctuation, is_space, is_title, is_upper, to_lower, to_title,
    to_upper,
};
use crate::text::{REPLACEMENT, decode, is_digit, is_letter, push};

/// `strings.Title`
pub(super) fn title(text: &[u8]) -> Vec<u8> {
    let mut before = ' ';
    unicode::map(text, |character| {
        let starts = separates(before);
        before = character;
        if starts {
            to_title(character)
        } else {
            character
        }
    })
}

fn separates(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_alphanumeric() && character != '_';
    }
    !is_letter(character) && !is_digit(character) && is_space(character)
}

/// The first letter of each word in lower case.
pub(super) fn untitle(text: &[u8]) -> Vec<u8> {
    let mut starts = true;
    unicode::map(text, |character| {
        if is_space(character) {
            starts = true;
            character
        } else if std::mem::take(&mut starts) {
            to_lower(character)
        } else {
            character
        }
    })
}

/// Upper case for lower case and lower for upper; title case at the start of a word.
pub(super) fn swap(text: &[u8]) -> Vec<u8> {
    let mut after_space = true;
    unicode::map(text, |character| {
        if is_upper(character) || is_title(character) {
            after_space = false;
            to_lower(character)
        } else if is_lower(character) {
            if std::mem::take(&mut after_space) {
                to_title(character)
            } else {
                to_upper(character)
            }
        } else {
            after_space = is_space(character);
            character
        }
    })
}

fn connects(character: char) -> bool {
    character == '-' || character == '_' || is_space(character)
}

/// Words joined, each with a capital. Leading connectors stay, and of several in a row all but one.
pub(super) fn pascal(text: &[u8]) -> Vec<u8> {
    let mut words = Vec::with_capacity(text.len());
    let mut characters = unicode::characters(text).map(|(_, character, _)| character);
    let mut current = None;
    let mut connector = None;
    let mut run_of_capitals = false;
    for character in characters.by_ref() {
        if connects(character) {
            push(&mut words, character);
            connector = Some(character);
        } else {
            run_of_capitals = is_upper(character);
            current = Some(to_upper(character));
            break;
        }
    }
    let Some(mut current) = current else {
        // Of connectors alone, the last counts twice.
        if let Some(connector) = connector {
            push(&mut words, connector);
        }
        return words;
    };
    for next in characters {
        let before = std::mem::replace(&mut current, next);
        match (connects(before), connects(next)) {
            (true, true) => push(&mut words, before),
            (true, false) => {
                run_of_capitals = is_upper(next);
                current = to_upper(next);
            }
            (false, _) => {
                if run_of_capitals {
                    if is_upper(next) {
                        current = to_lower(next);
                    } else {
                        run_of_capitals = false;
                    }
                }
                push(&mut words, before);
            }
        }
    }
    push(&mut words, current);
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// The end, or what is not UTF-8.
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// `camelCase` as words with a separator between them, in lower case.
pub(super) fn separated(text: &[u8], separator: char) -> Vec<u8> {
    let mut output = Vec::with_capacity(text.len() + text.len() / 2);
    let mut words = Words { rest: text };
    let (mut kind, mut word) = words.next();
    while !words.rest.is_empty() {
        if kind != Word::Connector {
            append_lower(&mut output, kind, word, separator);
        }
        let (last_kind, last_word) = (kind, word);
        (kind, word) = words.next();
        match last_kind {
            Word::Number => {
                (kind, word) = words.append_alphanumeric(&mut output, kind, word, separator);
                if !matches!(kind, Word::Invalid | Word::Punctuation | Word::Connector) {
                    push(&mut output, separator);
                }
            }
            Word::Connector => append_lower(&mut output, last_kind, last_word, separator),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punctuation) {
                    push(&mut output, separator);
                }
            }
            _ if words.rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word) = words.next();
                if kind == Word::Alphabet {
                    // Letters in lower case after a number belong to it: "http_2xx".
                    push(&mut output, separator);
                    append_lower(&mut output, Word::Number, number, separator);
                    (kind, word) = words.append_alphanumeric(&mut output, kind, word, separator);
                    if !matches!(kind, Word::Invalid | Word::Connector | Word::Punctuation) {
                        push(&mut output, separator);
                    }
                } else {
                    // The number belongs to the word before: "bld4_floor".
                    append_lower(&mut output, Word::Number, number, separator);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        push(&mut output, separator);
                    }
                }
            }
        }
    }
    append_lower(&mut output, kind, word, separator);
    output
}

fn append_lower(output: &mut Vec<u8>, kind: Word, word: &[u8], separator: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        output.extend_from_slice(word);
        return;
    }
    for (_, character, _) in unicode::characters(word) {
        push(
            output,
            if connects(character) {
                separator
            } else if is_upper(character) {
                to_lower(character)
            } else {
                character
            },
        );
    }
}

struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// Appends words of letters and numbers; gives the first that is neither.
    fn append_alphanumeric(
        &mut self,
        output: &mut Vec<u8>,
        mut kind: Word,
        mut word: &'a [u8],
        separator: char,
    ) -> (Word, &'a [u8]) {
        while matches!(kind, Word::Alphabet | Word::Number) {
            append_lower(output, kind, word, separator);
            (kind, word) = self.next();
        }
        (kind, word)
    }

    fn next(&mut self) -> (Word, &'a [u8]) {
        let text = self.rest;
        let (first, size) = next_valid(text, REPLACEMENT);
        let mut end = size;
        let kind = if first == REPLACEMENT {
            Word::Invalid
        } else if connects(first) {
            end = advance(text, end, first, connects);
            Word::Connector
        } else if is_punctuation(first) {
            end = advance(text, end, first, is_punctuation);
            Word::Punctuation
        } else if is_upper(first) {
            end = upper_end(text, end, first);
            Word::Upper
        } else if is_alphabet(first) {
            end = advance(text, end, first, |character| {
                is_alphabet(character) && !is_upper(character)
            });
            Word::Alphabet
        } else if is_number(first) {
            end = advance(text, end, first, is_number);
            Word::Number
        } else {
            end = other_end(text, end, first);
            Word::Other
        };
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        (kind, word)
    }
}

/// The end of a word that starts with a capital. Of capitals before a small letter, the last
/// belongs to the next word: "HTTP" and "Status".
fn upper_end(text: &[u8], mut end: usize, first: char) -> usize {
    if end == text.len() {
        return end;
    }
    let (second, size) = next_valid(&text[end..], first);
    if is_upper(second) {
        let mut last = size;
        let mut character = second;
        end += size;
        while end < text.len() {
            let (next, size) = next_valid(&text[end..], character);
            character = next;
            if !is_upper(next) {
                break;
            }
            last = size;
            end += size;
        }
        if end < text.len() && is_alphabet(character) {
            end -= last;
        }
        return end;
    }
    if is_alphabet(second) {
        return advance(text, end + size, second, |character| {
            is_alphabet(character) && !is_upper(character)
        });
    }
    end
}

fn other_end(text: &[u8], mut end: usize, first: char) -> usize {
    let mut before = first;
    while end < text.len() {
        let (character, size) = next_valid(&text[end..], before);
        before = character;
        if size == 0
            || connects(character)
            || is_alphabet(character)
            || is_number(character)
            || is_punctuation(character)
        {
            break;
        }
        end += size;
    }
    end
}

/// The end of the characters from `end` on that belong to the word.
fn advance(text: &[u8], mut end: usize, first: char, belongs: impl Fn(char) -> bool) -> usize {
    let mut before = first;
    while end < text.len() {
        let (character, size) = next_valid(&text[end..], before);
        before = character;
        if !belongs(character) {
            break;
        }
        end += size;
    }
    end
}

/// The next character that is valid, and the bytes up to its end; `before` if none is left.
fn next_valid(text: &[u8], before: char) -> (char, usize) {
    let mut end = 0;
    while end < text.len() {
        let (character, length) = decode(&text[end..]);
        end += length;
        if character != REPLACEMENT {
            return (character, end);
        }
    }
    (before, end)
}

/// Letters but those of Chinese characters, of which each is a word.
fn is_alphabet(character: char) -> bool {
    is_letter(character)
        && !matches!(
            character,
            '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}'
        )
}
