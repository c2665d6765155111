//! Strings: trimming, cases, wrapping, splitting and joining.

use super::{cases, go, print, reflection, unicode};
use crate::error::Error;
use crate::function::{Args, Call, Functions};
use crate::string::Str;
use crate::text::{self, decode};
use crate::types::{Kind, Type};
use crate::value::{List, Map, Value};

pub(super) fn register(functions: &mut Functions) {
    register_changes(functions);
    register_tests(functions);
    register_joining(functions);
    register_layout(functions);
}

/// A function of one string.
fn add_change(functions: &mut Functions, name: &str, change: fn(&[u8]) -> Vec<u8>) {
    functions.add(name, [Type::String], Type::String, move |_, args| {
        Ok(Value::from(change(args.string(0)?)))
    });
}

/// A function of two strings.
fn add_of_two(functions: &mut Functions, name: &str, change: fn(&[u8], &[u8]) -> Vec<u8>) {
    functions.add(
        name,
        [Type::String, Type::String],
        Type::String,
        move |_, args| Ok(Value::from(change(args.string(0)?, args.string(1)?))),
    );
}

fn register_changes(functions: &mut Functions) {
    add_change(functions, "trim", |text| trim_space(text).to_vec());
    add_change(functions, "upper", |text| {
        unicode::map(text, unicode::to_upper)
    });
    add_change(functions, "lower", |text| {
        unicode::map(text, unicode::to_lower)
    });
    add_change(functions, "title", cases::title);
    add_change(functions, "untitle", cases::untitle);
    add_change(functions, "swapcase", cases::swap);
    add_change(functions, "snakecase", |text| cases::separated(text, '_'));
    add_change(functions, "kebabcase", |text| cases::separated(text, '-'));
    add_change(functions, "camelcase", cases::pascal);
    add_change(functions, "nospace", without_space);
    add_change(functions, "initials", initials);
    for name in ["trimall", "trimAll"] {
        add_of_two(functions, name, |cutset, text| {
            trim_characters(text, cutset).to_vec()
        });
    }
    add_of_two(functions, "trimSuffix", |suffix, text| {
        text.strip_suffix(suffix).unwrap_or(text).to_vec()
    });
    add_of_two(functions, "trimPrefix", |prefix, text| {
        text.strip_prefix(prefix).unwrap_or(text).to_vec()
    });
    functions.add(
        "substr",
        [Type::INT, Type::INT, Type::String],
        Type::String,
        |_, args| {
            let (start, end, text) = (args.int(0)?, args.int(1)?, args.string(2)?);
            let part = if start < 0 {
                go::slice(text, None, Some(end))
            } else if end < 0 || end > go::int(text.len()) {
                go::slice(text, Some(start), None)
            } else {
                go::slice(text, Some(start), Some(end))
            }?;
            Ok(Value::from(Str::from(part)))
        },
    );
    functions.add(
        "trunc",
        [Type::INT, Type::String],
        Type::String,
        |_, args| {
            let (count, text) = (args.int(0)?, args.string(1)?);
            let length = go::int(text.len());
            let part = if count < 0 && length.wrapping_add(count) > 0 {
                go::slice(text, Some(length + count), None)
            } else if count >= 0 && length > count {
                go::slice(text, None, Some(count))
            } else {
                Ok(&**text)
            }?;
            Ok(Value::from(Str::from(part)))
        },
    );
    functions.add(
        "abbrev",
        [Type::INT, Type::String],
        Type::String,
        |_, args| {
            let (width, text) = (args.int(0)?, args.string(1)?);
            Ok(if width < 4 {
                text.clone().into()
            } else {
                Value::from(abbreviate(text, 0, width))
            })
        },
    );
    functions.add(
        "abbrevboth",
        [Type::INT, Type::INT, Type::String],
        Type::String,
        |_, args| {
            let (left, right, text) = (args.int(0)?, args.int(1)?, args.string(2)?);
            Ok(if right < 4 || left > 0 && right < 7 {
                text.clone().into()
            } else {
                Value::from(abbreviate(text, left, right))
            })
        },
    );
    functions.add(
        "repeat",
        [Type::INT, Type::String],
        Type::String,
        |call, args| {
            let (count, text) = (args.int(0)?, args.string(1)?);
            let count = repetitions(count)?;
            call.charge_bytes(text.len().saturating_mul(count))?;
            Ok(Value::from(if text.is_empty() {
                Vec::new()
            } else {
                text.repeat(count)
            }))
        },
    );
    functions.add(
        "replace",
        [Type::String, Type::String, Type::String],
        Type::String,
        |call, args| {
            let (old, new, text) = (args.string(0)?, args.string(1)?, args.string(2)?);
            let parts = split(text, old, None);
            if old.is_empty() {
                // Also before the first character and after the last.
                call.charge_bytes(new.len().saturating_mul(parts.len() + 1))?;
                let mut replaced = new.to_vec();
                for part in parts {
                    replaced.extend_from_slice(part);
                    replaced.extend_from_slice(new);
                }
                return Ok(replaced.into());
            }
            call.charge_bytes(new.len().saturating_mul(parts.len() - 1))?;
            Ok(Value::from(parts.join(&**new)))
        },
    );
}

fn register_tests(functions: &mut Functions) {
    for (name, test) in [
        (
            "contains",
            (|part, text| find(text, part).is_some()) as fn(&[u8], &[u8]) -> bool,
        ),
        ("hasPrefix", |part, text| text.starts_with(part)),
        ("hasSuffix", |part, text| text.ends_with(part)),
    ] {
        functions.add(
            name,
            [Type::String, Type::String],
            Type::Bool,
            move |_, args| Ok(Value::from(test(args.string(0)?, args.string(1)?))),
        );
    }
}

fn register_joining(functions: &mut Functions) {
    functions.add_variadic("quote", [Type::Any], Type::String, |call, args| {
        joined(args.values(), |value| {
            let mut quoted = Vec::new();
            text::quote::append_quoted(&mut quoted, &print::string(call, value)?, false);
            Ok(quoted)
        })
    });
    functions.add_variadic("squote", [Type::Any], Type::String, |call, args| {
        joined(args.values(), |value| {
            Ok([b"'", &*print::value(call, value)?, b"'"].concat())
        })
    });
    functions.add_variadic("cat", [Type::Any], Type::String, |call, args| {
        joined(args.values(), |value| {
            Ok(print::value(call, value)?.to_vec())
        })
    });
    functions.add("toString", [Type::Any], Type::String, |call, args| {
        print::string(call, args.get(0)).map(Value::from)
    });
    functions.add(
        "toStrings",
        [Type::Any],
        Type::list(Type::String),
        |call, args| strings(call, args.get(0)).map(Value::from),
    );
    functions.add(
        "join",
        [Type::String, Type::Any],
        Type::String,
        |call, args| {
            let separator = args.string(0)?;
            let list = strings(call, args.get(1))?;
            call.charge_bytes(separator.len().saturating_mul(list.len()))?;
            let texts: Vec<Str> = list
                .iter()
                .filter_map(|value| match value {
                    Value::String(text) => Some(text),
                    _ => None,
                })
                .collect();
            Ok(Value::from(texts.join(&**separator)))
        },
    );
    functions.add(
        "sortAlpha",
        [Type::Any],
        Type::list(Type::String),
        |call, args| {
            let value = args.get(0);
            if value.kind() != Kind::Slice {
                return Ok(List::strings([print::string(call, value)?]).into());
            }
            let list = strings(call, value)?;
            if list.is_nil() {
                return Ok(list.into());
            }
            let mut texts: Vec<Str> = list
                .iter()
                .filter_map(|value| match value {
                    Value::String(text) => Some(text),
                    _ => None,
                })
                .collect();
            texts.sort_unstable();
            Ok(List::strings(texts).into())
        },
    );
    functions.add(
        "splitList",
        [Type::String, Type::String],
        Type::list(Type::String),
        |_, args| {
            let parts = split(args.string(1)?, args.string(0)?, None);
            Ok(List::strings(parts).into())
        },
    );
    functions.add(
        "split",
        [Type::String, Type::String],
        Type::map(Type::String),
        |_, args| Ok(numbered(&split(args.string(1)?, args.string(0)?, None))),
    );
    functions.add(
        "splitn",
        [Type::String, Type::INT, Type::String],
        Type::map(Type::String),
        |_, args| {
            let limit = usize::try_from(args.int(1)?).ok();
            Ok(numbered(&split(args.string(2)?, args.string(0)?, limit)))
        },
    );
    functions.add(
        "plural",
        [Type::String, Type::String, Type::INT],
        Type::String,
        |_, mut args: Args<'_>| {
            let index = usize::from(args.int(2)? != 1);
            Ok(args.take(index))
        },
    );
}

fn register_layout(functions: &mut Functions) {
    for (name, before) in [("indent", ""), ("nindent", "\n")] {
        functions.add(
            name,
            [Type::INT, Type::String],
            Type::String,
            move |call, args| {
                let spaces = repetitions(args.int(0)?)?;
                let text = args.string(1)?;
                let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
                call.charge_bytes(spaces.saturating_mul(lines))?;
                let padding = vec![b' '; spaces];
                let mut indented = Vec::with_capacity(before.len() + text.len() + spaces * lines);
                indented.extend_from_slice(before.as_bytes());
                indented.extend_from_slice(&padding);
                for line in text.split_inclusive(|byte| *byte == b'\n') {
                    indented.extend_from_slice(line);
                    if line.ends_with(b"\n") {
                        indented.extend_from_slice(&padding);
                    }
                }
                Ok(indented.into())
            },
        );
    }
    functions.add(
        "wrap",
        [Type::INT, Type::String],
        Type::String,
        |_, args| {
            let text = args.string(1)?;
            Ok(Value::from(wrap(text, args.int(0)?, b"\n", false)))
        },
    );
    functions.add(
        "wrapWith",
        [Type::INT, Type::String, Type::String],
        Type::String,
        |call, args| {
            let (width, separator, text) = (args.int(0)?, args.string(1)?, args.string(2)?);
            let separator = if separator.is_empty() {
                b"\n"
            } else {
                &**separator
            };
            call.charge_bytes(separator.len().saturating_mul(text.len()))?;
            Ok(Value::from(wrap(text, width, separator, true)))
        },
    );
}

fn repetitions(count: i64) -> Result<usize, Error> {
    usize::try_from(count).map_err(|_| "strings: negative Repeat count".into())
}

/// All values but nil, with a space between them.
fn joined(
    values: &[Value],
    mut print: impl FnMut(&Value) -> Result<Vec<u8>, Error>,
) -> Result<Value, Error> {
    let texts: Vec<Vec<u8>> = values
        .iter()
        .filter(|value| !matches!(value, Value::Nil))
        .map(&mut print)
        .collect::<Result<_, _>>()?;
    Ok(texts.join(&b' ').into())
}

/// The elements of a slice as strings, without nils; anything else as a slice of one.
pub(super) fn strings(call: &mut Call<'_>, value: &Value) -> Result<List, Error> {
    if let Value::List(list) = value
        && list.name().is_none()
        && *list.element() == Type::String
    {
        return Ok(list.clone());
    }
    let texts = match reflection::elements(value) {
        Some(list) => list
            .iter()
            .filter(|item| !matches!(item, Value::Nil))
            .map(|item| print::string(call, &item))
            .collect::<Result<_, _>>()?,
        None if matches!(value, Value::Nil) => Vec::new(),
        None => vec![print::string(call, value)?],
    };
    Ok(List::strings(texts))
}

fn numbered(parts: &[&[u8]]) -> Value {
    let entries = parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            (
                Str::from(format!("_{index}")),
                Value::from(Str::from(*part)),
            )
        })
        .collect();
    Map::new(Type::String, entries).into()
}

/// `strings.TrimSpace`
pub(super) fn trim_space(text: &[u8]) -> &[u8] {
    trim_by(text, unicode::is_space)
}

/// `strings.Trim`
fn trim_characters<'a>(text: &'a [u8], cutset: &[u8]) -> &'a [u8] {
    let cutset: Vec<char> = unicode::characters(cutset)
        .map(|(_, character, _)| character)
        .collect();
    trim_by(text, |character| cutset.contains(&character))
}

fn trim_by(text: &[u8], is_cut: impl Fn(char) -> bool) -> &[u8] {
    let mut kept = text.len()..0;
    for (position, character, length) in unicode::characters(text) {
        if !is_cut(character) {
            kept.start = kept.start.min(position);
            kept.end = position + length;
        }
    }
    text.get(kept).unwrap_or_default()
}

/// Where the part first stands in the text.
pub(super) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let Some((first, _)) = part.split_first() else {
        return Some(0);
    };
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let start = from + rest.iter().position(|byte| byte == first)?;
        if text[start..].starts_with(part) {
            return Some(start);
        }
        from = start + 1;
    }
}

/// `strings.SplitN`; with an empty separator, the characters.
pub(super) fn split<'a>(text: &'a [u8], separator: &[u8], limit: Option<usize>) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    if limit == Some(0) {
        return parts;
    }
    let mut rest = text;
    while limit.is_none_or(|limit| parts.len() + 1 < limit) {
        if separator.is_empty() {
            let (_, length) = decode(rest);
            if length == rest.len() {
                break;
            }
            let (part, after) = rest.split_at(length);
            parts.push(part);
            rest = after;
        } else {
            let Some(position) = find(rest, separator) else {
                break;
            };
            parts.push(&rest[..position]);
            rest = &rest[position + separator.len()..];
        }
    }
    if !separator.is_empty() || !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// Bytes taken for characters, as the library under `nospace` and `initials` does.
fn latin1(text: &[u8]) -> impl Iterator<Item = char> + '_ {
    text.iter().map(|byte| char::from(*byte))
}

fn without_space(text: &[u8]) -> Vec<u8> {
    if !latin1(text).any(unicode::is_space) {
        return text.to_vec();
    }
    let kept: String = latin1(text)
        .filter(|character| !unicode::is_space(*character))
        .collect();
    kept.into_bytes()
}

fn initials(text: &[u8]) -> Vec<u8> {
    let mut after_space = true;
    let kept: String = latin1(text)
        .filter(|character| {
            let space = unicode::is_space(*character);
            let initial = after_space && !space;
            after_space = space;
            initial
        })
        .collect();
    kept.into_bytes()
}

/// The text with an ellipsis at its end, or around the part that starts about `offset`; the width
/// is at least 4, and 7 with an ellipsis before.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let length = go::int(text.len());
    if length <= width {
        return text.to_vec();
    }
    let mut offset = offset.min(length);
    let room = width - 3;
    if length.wrapping_sub(offset) < room {
        offset = length - room;
    }
    let part = |from: i64, to: i64| {
        let from = usize::try_from(from).unwrap_or(0);
        let to = usize::try_from(to).unwrap_or(0);
        text.get(from..to).unwrap_or_default()
    };
    if offset <= 4 {
        return [part(0, room), b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + room < length {
        return [b"...", &*abbreviate(part(offset, length), 0, room)].concat();
    }
    [b"...", part(length - room, length)].concat()
}

/// Breaks at spaces so that lines have at most `width` bytes. Words that are longer are broken only
/// if `break_words`.
fn wrap(text: &[u8], width: i64, separator: &[u8], break_words: bool) -> Vec<u8> {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut wrapped = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let in_reach = &rest[..=width];
        let (line, after) = if let Some(space) = in_reach.iter().rposition(|byte| *byte == b' ') {
            (&rest[..space], &rest[space + 1..])
        } else if break_words {
            rest.split_at(width)
        } else if let Some(space) = rest[width..].iter().position(|byte| *byte == b' ') {
            (&rest[..width + space], &rest[width + space + 1..])
        } else {
            break;
        };
        wrapped.extend_from_slice(line);
        wrapped.extend_from_slice(separator);
        rest = after;
    }
    wrapped.extend_from_slice(rest);
    wrapped
}
