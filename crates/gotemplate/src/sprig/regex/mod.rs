//! Regular expressions as Go's package regexp reads them, matched by the `regex` crate.

mod syntax;

use std::borrow::Cow;
use std::ops::Range;

use crate::error::Error;
use crate::function::{Args, Call, Functions};
use crate::string::Str;
use crate::text::{self, decode, quote};
use crate::types::Type;
use crate::value::{List, Value};

use super::unicode;

/// The bytes that a compiled expression may take.
const SIZE_LIMIT: usize = 32 << 20;
/// More than the groups that our own parser lets through make.
const NEST_LIMIT: u32 = 10_000;
/// The stack that compilation may take for a level of the tree, without optimisation.
const STACK_PER_LEVEL: usize = 64 << 10;

/// What a function does with an expression and its further arguments.
type Body = fn(&mut Call<'_>, &Regex, &Args<'_>) -> Result<Value, Error>;

pub(super) fn register(functions: &mut Functions) {
    let strings = || Type::list(Type::String);
    let text = || Type::String;
    functions.add("regexMatch", [text(), text()], Type::Bool, |call, args| {
        // The error for a bad expression is dropped.
        let is_match = compile(call, &args)
            .map_err(|failure| failure.limit())
            .map(|regex| args.string(1).map(|text| regex.is_match(text)));
        match is_match {
            Ok(is_match) => Ok(Value::Bool(is_match?)),
            Err(Some(error)) => Err(error),
            Err(None) => Ok(Value::Bool(false)),
        }
    });
    functions.add(
        "mustRegexMatch",
        [text(), text()],
        Type::Bool,
        |call, args| {
            let regex = compile(call, &args).map_err(Failure::returned)?;
            Ok(Value::Bool(regex.is_match(args.string(1)?)))
        },
    );
    let mut both = |names: [&str; 2], parameters: Vec<Type>, result: Type, body: Body| {
        for (index, name) in names.into_iter().enumerate() {
            let panics = index == 0;
            functions.add(
                name,
                parameters.clone(),
                result.clone(),
                move |call, args| {
                    let regex = compile(call, &args).map_err(|failure| {
                        if panics {
                            failure.panicked()
                        } else {
                            failure.returned()
                        }
                    })?;
                    body(call, &regex, &args)
                },
            );
        }
    };
    both(
        ["regexFind", "mustRegexFind"],
        vec![text(), text()],
        text(),
        |_, regex, args| {
            let text = args.string(1)?;
            let found = regex.find_all(text, Some(1));
            let first = found.first().copied().unwrap_or_default();
            Ok(Value::from(Str::from(first)))
        },
    );
    both(
        ["regexFindAll", "mustRegexFindAll"],
        vec![text(), text(), Type::INT],
        strings(),
        |call, regex, args| {
            let text = args.string(1)?;
            let found = regex.find_all(text, usize::try_from(args.int(2)?).ok());
            call.charge_bytes(found.len() * 24)?;
            Ok(if found.is_empty() {
                List::nil(Type::String).into()
            } else {
                List::strings(found).into()
            })
        },
    );
    both(
        ["regexSplit", "mustRegexSplit"],
        vec![text(), text(), Type::INT],
        strings(),
        |call, regex, args| {
            let text = args.string(1)?;
            let parts = regex.split(text, args.int(2)?);
            call.charge_bytes(parts.as_ref().map_or(0, Vec::len) * 24)?;
            Ok(parts
                .map_or_else(|| List::nil(Type::String), List::strings)
                .into())
        },
    );
    both(
        ["regexReplaceAll", "mustRegexReplaceAll"],
        vec![text(), text(), text()],
        text(),
        |call, regex, args| {
            let (text, template) = (args.string(1)?, args.string(2)?);
            let replaced = regex.replace_all(call, text, |found, replaced| {
                regex.expand(template, text, found, replaced);
            })?;
            Ok(replaced.into())
        },
    );
    both(
        ["regexReplaceAllLiteral", "mustRegexReplaceAllLiteral"],
        vec![text(), text(), text()],
        text(),
        |call, regex, args| {
            let (text, replacement) = (args.string(1)?, args.string(2)?);
            let replaced = regex.replace_all(call, text, |_, replaced| {
                replaced.extend_from_slice(replacement);
            })?;
            Ok(replaced.into())
        },
    );
    functions.add("regexQuoteMeta", [text()], text(), |_, args| {
        let mut quoted = Vec::new();
        for byte in args.string(0)?.iter() {
            if b"\\.+*?()|[]{}^$".contains(byte) {
                quoted.push(b'\\');
            }
            quoted.push(*byte);
        }
        Ok(quoted.into())
    });
}

/// Why the expression of a call could not be compiled.
enum Failure {
    /// The expression and what is wrong with it.
    Syntax(Str, Error),
    Other(Error),
}

impl Failure {
    /// As `regexp.Compile` returns it.
    fn returned(self) -> Error {
        match self {
            Self::Syntax(_, error) | Self::Other(error) => error,
        }
    }

    /// As `regexp.MustCompile` panics with it.
    fn panicked(self) -> Error {
        match self {
            Self::Syntax(expression, error) => {
                let expression = if quote::can_backquote(&expression) {
                    format!("`{expression}`")
                } else {
                    quote::quoted(&expression)
                };
                Error::new(format!("regexp: Compile({expression}): {error}"))
            }
            Self::Other(error) => error,
        }
    }

    /// The failure that is not about the expression.
    fn limit(self) -> Option<Error> {
        match self {
            Self::Syntax(..) => None,
            Self::Other(error) => Some(error),
        }
    }
}

fn compile(call: &mut Call<'_>, args: &Args<'_>) -> Result<Regex, Failure> {
    let expression = args.string(0).map_err(Failure::Other)?;
    let length = args.string(1).map_or(0, |text| text.len());
    // Compilation takes some microseconds, and matching is linear in the text.
    call.charge_steps(100 + 10 * expression.len() as u64 + length as u64 / 10)
        .map_err(Failure::Other)?;
    Regex::compile(expression).map_err(|error| Failure::Syntax(expression.clone(), error))
}

/// The places of a match and of its groups.
pub(super) type Groups = Vec<Option<Range<usize>>>;

/// A compiled expression.
pub(super) struct Regex {
    regex: regex::Regex,
    /// The names of the groups, from the whole match on.
    names: Vec<String>,
    is_empty: bool,
}

/// A text in UTF-8: with U+FFFD for each byte that is not, and where the characters were.
struct Haystack<'a> {
    text: Cow<'a, str>,
    positions: Option<Vec<usize>>,
}

impl<'a> Haystack<'a> {
    fn new(text: &'a [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(text) {
            return Self {
                text: Cow::Borrowed(text),
                positions: None,
            };
        }
        let mut valid = String::with_capacity(text.len());
        let mut positions = Vec::with_capacity(text.len());
        for (position, character, _) in unicode::characters(text) {
            valid.push(character);
            positions.resize(valid.len(), position);
        }
        positions.push(text.len());
        Self {
            text: Cow::Owned(valid),
            positions: Some(positions),
        }
    }

    fn position(&self, index: usize) -> usize {
        self.positions.as_ref().map_or(index, |positions| {
            positions.get(index).copied().unwrap_or_default()
        })
    }

    /// The length of the character at this index.
    fn width(&self, index: usize) -> usize {
        decode(&self.text.as_bytes()[index..]).1
    }
}

impl Regex {
    /// `regexp.Compile`
    ///
    /// # Errors
    ///
    /// The expression is wrong, in Go's words.
    pub(super) fn compile(expression: &[u8]) -> Result<Self, Error> {
        let parsed = syntax::parse(expression)?;
        let build = || {
            regex::RegexBuilder::new(&parsed.pattern)
                .size_limit(SIZE_LIMIT)
                .nest_limit(NEST_LIMIT)
                .build()
        };
        // Compilation recurses.
        let stack = parsed.height * STACK_PER_LEVEL;
        let regex = stacker::maybe_grow(stack, 2 * stack, build)
            .map_err(|_| syntax::error("expression too large", expression))?;
        Ok(Self {
            regex,
            names: parsed.names,
            is_empty: expression.is_empty(),
        })
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(&Haystack::new(text).text)
    }

    fn groups_at(&self, haystack: &Haystack<'_>, start: usize) -> Option<Groups> {
        let found = self.regex.captures_at(&haystack.text, start)?;
        Some(
            found
                .iter()
                .map(|group| group.map(|group| group.range()))
                .collect(),
        )
    }

    /// All matches that do not overlap, as `FindAll` has them: an empty match next to the match
    /// before is none.
    fn matches(&self, haystack: &Haystack<'_>, limit: Option<usize>) -> Vec<Groups> {
        let mut matches = Vec::new();
        let mut start = 0;
        let mut last_end = None;
        while start <= haystack.text.len() && limit.is_none_or(|limit| matches.len() < limit) {
            let Some(groups) = self.groups_at(haystack, start) else {
                break;
            };
            let Some(Some(whole)) = groups.first().cloned() else {
                break;
            };
            let mut is_new = true;
            if whole.end == start {
                is_new = last_end != Some(whole.start);
                start += haystack.width(start).max(1);
            } else {
                start = whole.end;
            }
            last_end = Some(whole.end);
            if is_new {
                matches.push(groups);
            }
        }
        for groups in &mut matches {
            for group in groups.iter_mut().flatten() {
                *group = haystack.position(group.start)..haystack.position(group.end);
            }
        }
        matches
    }

    /// All matches with their groups.
    pub(super) fn captures_all(&self, text: &[u8]) -> Vec<Groups> {
        self.matches(&Haystack::new(text), None)
    }

    /// `FindAllString`
    pub(super) fn find_all<'t>(&self, text: &'t [u8], limit: Option<usize>) -> Vec<&'t [u8]> {
        self.matches(&Haystack::new(text), limit)
            .into_iter()
            .filter_map(|groups| text.get(groups.into_iter().next()??))
            .collect()
    }

    /// `Split`; none for the limit 0.
    fn split<'t>(&self, text: &'t [u8], limit: i64) -> Option<Vec<&'t [u8]>> {
        if limit == 0 {
            return None;
        }
        if !self.is_empty && text.is_empty() {
            return Some(vec![text]);
        }
        let count = usize::try_from(limit).ok();
        let mut parts = Vec::new();
        let (mut begin, mut end) = (0, 0);
        for groups in self.matches(&Haystack::new(text), count) {
            if count.is_some_and(|count| parts.len() + 1 == count) {
                break;
            }
            let Some(Some(whole)) = groups.into_iter().next() else {
                continue;
            };
            end = whole.start;
            if whole.end != 0 {
                parts.push(&text[begin..end]);
            }
            begin = whole.end;
        }
        if end != text.len() {
            parts.push(&text[begin..]);
        }
        Some(parts)
    }

    /// `ReplaceAll`, with what `append` appends for each match.
    fn replace_all(
        &self,
        call: &mut Call<'_>,
        text: &[u8],
        mut append: impl FnMut(&Groups, &mut Vec<u8>),
    ) -> Result<Vec<u8>, Error> {
        let haystack = Haystack::new(text);
        let mut replaced = Vec::with_capacity(text.len());
        let mut last_end = 0;
        let mut start = 0;
        while start <= haystack.text.len() {
            let Some(mut groups) = self.groups_at(&haystack, start) else {
                break;
            };
            let Some(Some(whole)) = groups.first().cloned() else {
                break;
            };
            let width = haystack.width(start);
            for group in groups.iter_mut().flatten() {
                *group = haystack.position(group.start)..haystack.position(group.end);
            }
            let found = haystack.position(whole.start)..haystack.position(whole.end);
            let before = replaced.len();
            replaced.extend_from_slice(&text[last_end..found.start]);
            // An empty match next to the match before is none.
            if found.end > last_end || found.start == 0 {
                append(&groups, &mut replaced);
            }
            call.charge_bytes(replaced.len() - before)?;
            last_end = found.end;
            start = if start + width > whole.end {
                start + width
            } else if start + 1 > whole.end {
                start + 1
            } else {
                whole.end
            };
        }
        replaced.extend_from_slice(&text[last_end..]);
        Ok(replaced)
    }

    /// Appends the template with `$1`, `$name`, `${name}` replaced by groups and `$$` by `$`.
    fn expand(&self, template: &[u8], text: &[u8], found: &Groups, output: &mut Vec<u8>) {
        let mut rest = template;
        while let Some(dollar) = rest.iter().position(|byte| *byte == b'$') {
            output.extend_from_slice(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(after) = rest.strip_prefix(b"$") {
                output.push(b'$');
                rest = after;
                continue;
            }
            let Some((name, after)) = group_name(rest) else {
                output.push(b'$');
                continue;
            };
            rest = after;
            let group = match group_number(name) {
                Some(number) => found.get(number).and_then(Clone::clone),
                None => self
                    .names
                    .iter()
                    .zip(found)
                    .filter(|(known, _)| known.as_bytes() == name)
                    .find_map(|(_, group)| group.clone()),
            };
            output.extend_from_slice(group.and_then(|group| text.get(group)).unwrap_or_default());
        }
        output.extend_from_slice(rest);
    }
}

/// The name of a group after `$`, in braces or not, and the rest.
fn group_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (in_braces, start) = match text.strip_prefix(b"{") {
        Some(inside) => (true, inside),
        None => (false, text),
    };
    let length = unicode::characters(start)
        .take_while(|(_, character, _)| {
            text::is_letter(*character) || text::is_digit(*character) || *character == '_'
        })
        .map(|(.., length)| length)
        .sum();
    if length == 0 {
        return None;
    }
    let (name, rest) = start.split_at(length);
    if in_braces {
        return Some((name, rest.strip_prefix(b"}")?));
    }
    Some((name, rest))
}

/// The number that a name is: digits without leading zero, below a hundred million.
fn group_number(name: &[u8]) -> Option<usize> {
    if name.len() > 1 && name[0] == b'0' {
        return None;
    }
    let mut number = 0_usize;
    for byte in name {
        if !byte.is_ascii_digit() || number >= 100_000_000 {
            return None;
        }
        number = number * 10 + usize::from(byte - b'0');
    }
    Some(number)
}
