//! Versions and constraints of github.com/Masterminds/semver, whose rules are not those of Cargo.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

use super::regex::Regex;
use crate::error::Error;
use crate::function::{Args, Call, Functions, Signature};
use crate::string::Str;
use crate::text::quote;
use crate::types::{Kind, Type};
use crate::value::{JsonView, List, Object, Value};

const POINTER: &str = "*semver.Version";
const STRUCT: &str = "semver.Version";

pub(super) fn register(functions: &mut Functions) {
    functions.add("semver", [Type::String], version_type(), |_, args| {
        Version::parse(args.string(0)?).map(Value::object)
    });
    functions.add(
        "semverCompare",
        [Type::String, Type::String],
        Type::Bool,
        |_, args| {
            let constraints = parse_constraints(args.string(0)?)?;
            let version = Version::parse(args.string(1)?)?;
            let is_met = constraints.iter().any(|alternative| {
                alternative
                    .iter()
                    .all(|constraint| constraint.accepts(&version))
            });
            Ok(Value::from(is_met))
        },
    );
}

fn version_type() -> Type {
    Type::host(POINTER, Kind::Pointer)
}

/// A version, which templates see as a pointer to a struct, or as the struct.
#[derive(Clone, Debug)]
pub(super) struct Version {
    is_pointer: bool,
    numbers: [u64; 3],
    prerelease: Str,
    metadata: Str,
    original: Str,
}

impl Version {
    /// The version 0.0.0 as a pointer to a struct with nothing set.
    pub(super) fn zero() -> Self {
        Self {
            is_pointer: true,
            numbers: [0; 3],
            prerelease: Str::EMPTY,
            metadata: Str::EMPTY,
            original: Str::EMPTY,
        }
    }

    pub(super) fn is_pointer(&self) -> bool {
        self.is_pointer
    }

    /// Whether all fields are equal, also those that do not count in a comparison.
    pub(super) fn is_identical(&self, other: &Self) -> bool {
        self.numbers == other.numbers
            && self.prerelease == other.prerelease
            && self.metadata == other.metadata
            && self.original == other.original
    }

    /// `semver.NewVersion`
    ///
    /// # Errors
    ///
    /// The text is no version.
    fn parse(text: &[u8]) -> Result<Self, Error> {
        let invalid = || Error::from("Invalid Semantic Version");
        let mut rest = text.strip_prefix(b"v").unwrap_or(text);
        let mut segments = [&b""[..]; 3];
        for (index, segment) in segments.iter_mut().enumerate() {
            let digits = if index == 0 {
                rest
            } else {
                let Some(digits) = rest.strip_prefix(b".") else {
                    break;
                };
                digits
            };
            let length = digits
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if length == 0 {
                return Err(invalid());
            }
            *segment = &digits[..length];
            rest = &digits[length..];
        }
        let prerelease = take_identifiers(&mut rest, b'-').ok_or_else(invalid)?;
        let metadata = take_identifiers(&mut rest, b'+').ok_or_else(invalid)?;
        if !rest.is_empty() {
            return Err(invalid());
        }
        let mut numbers = [0; 3];
        for (number, segment) in numbers.iter_mut().zip(segments) {
            *number = parse_segment(segment)?;
        }
        check_prerelease(prerelease)?;
        Ok(Self {
            is_pointer: true,
            numbers,
            prerelease: prerelease.into(),
            metadata: metadata.into(),
            original: text.into(),
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }

    /// A changed copy as a struct, whose original is its text.
    fn changed(&self, numbers: [u64; 3], prerelease: &[u8], metadata: &[u8]) -> Self {
        let mut changed = Self {
            is_pointer: false,
            numbers,
            prerelease: prerelease.into(),
            metadata: metadata.into(),
            original: Str::EMPTY,
        };
        let prefix = if self.original.starts_with(b"v") {
            "v"
        } else {
            ""
        };
        changed.original = Str::from(format!("{prefix}{changed}"));
        changed
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(formatter, "{major}.{minor}.{patch}")?;
        if !self.prerelease.is_empty() {
            write!(formatter, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(formatter, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// The identifiers after a sign, separated by dots; empty without the sign, none if they are wrong.
fn take_identifiers<'a>(rest: &mut &'a [u8], sign: u8) -> Option<&'a [u8]> {
    let Some(after) = rest.strip_prefix(&[sign]) else {
        return Some(b"");
    };
    let length = after
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        .count();
    let (identifiers, after) = after.split_at(length);
    *rest = after;
    identifiers
        .split(|byte| *byte == b'.')
        .all(|identifier| !identifier.is_empty())
        .then_some(identifiers)
}

fn parse_segment(segment: &[u8]) -> Result<u64, Error> {
    if segment.is_empty() {
        return Ok(0);
    }
    String::from_utf8_lossy(segment).parse().map_err(|_| {
        Error::new(format!(
            "Error parsing version segment: strconv.ParseUint: parsing {}: value out of range",
            quote::quoted(segment)
        ))
    })
}

fn check_prerelease(prerelease: &[u8]) -> Result<(), Error> {
    for identifier in prerelease.split(|byte| *byte == b'.') {
        if identifier.iter().all(u8::is_ascii_digit) {
            if identifier.len() > 1 && identifier[0] == b'0' {
                return Err("Version segment starts with 0".into());
            }
        } else if !is_identifier(identifier) {
            return Err("Invalid Prerelease string".into());
        }
    }
    Ok(())
}

fn check_metadata(metadata: &[u8]) -> Result<(), Error> {
    if metadata.split(|byte| *byte == b'.').all(is_identifier) {
        Ok(())
    } else {
        Err("Invalid Metadata string".into())
    }
}

fn is_identifier(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// As [`Ordering`] of the parts from the left; a part that is not there is lower.
fn compare_prereleases(a: &[u8], b: &[u8]) -> Ordering {
    let mut a = a.split(|byte| *byte == b'.');
    let mut b = b.split(|byte| *byte == b'.');
    loop {
        let (a, b) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => (a.unwrap_or_default(), b.unwrap_or_default()),
        };
        let order = compare_parts(a, b);
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_parts(a: &[u8], b: &[u8]) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if a.is_empty() {
        return Ordering::Less;
    }
    if b.is_empty() {
        return Ordering::Greater;
    }
    let number = |part: &[u8]| -> Option<u64> {
        if part.iter().all(u8::is_ascii_digit) {
            String::from_utf8_lossy(part).parse().ok()
        } else {
            None
        }
    };
    match (number(a), number(b)) {
        (None, None) => a.cmp(b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(a), Some(b)) if a > b => Ordering::Greater,
        // Equal numbers of different texts count as less, as there.
        _ => Ordering::Less,
    }
}

/// A method of a version, of the pointer alone or of the struct too.
struct Method {
    on_struct: bool,
    parameters: Vec<Type>,
    result: Type,
}

fn method(name: &[u8]) -> Option<Method> {
    let (on_struct, parameters, result) = match name {
        b"Major" | b"Minor" | b"Patch" => (true, vec![], Type::Uint(crate::UintKind::Uint64)),
        b"Prerelease" | b"Metadata" | b"String" => (true, vec![], Type::String),
        b"Value" => (true, vec![], Type::Any),
        b"Original" => (false, vec![], Type::String),
        b"IncMajor" | b"IncMinor" | b"IncPatch" => (true, vec![], struct_type()),
        b"SetPrerelease" | b"SetMetadata" => (true, vec![Type::String], struct_type()),
        b"MarshalJSON" | b"MarshalText" => (true, vec![], Type::list(Type::UINT8)),
        b"Compare" => (false, vec![version_type()], Type::INT),
        b"Equal" | b"GreaterThan" | b"GreaterThanEqual" | b"LessThan" | b"LessThanEqual" => {
            (false, vec![version_type()], Type::Bool)
        }
        _ => return None,
    };
    Some(Method {
        on_struct,
        parameters,
        result,
    })
}

fn struct_type() -> Type {
    Type::host(STRUCT, Kind::Struct)
}

impl Object for Version {
    fn type_name(&self) -> &str {
        if self.is_pointer { POINTER } else { STRUCT }
    }

    fn kind(&self) -> Kind {
        if self.is_pointer {
            Kind::Pointer
        } else {
            Kind::Struct
        }
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        Vec::new()
    }

    fn method(&self, name: &[u8]) -> Option<Signature> {
        let method = method(name)?;
        (method.on_struct || self.is_pointer)
            .then(|| Signature::new(method.parameters, method.result))
    }

    fn call(&self, name: &[u8], _call: &mut Call<'_>, args: Args<'_>) -> Result<Value, Error> {
        let [major, minor, patch] = self.numbers;
        let number = |number| Value::Uint(crate::UintKind::Uint64, number);
        let text = || Str::from(self.to_string());
        let order = || -> Result<Ordering, Error> {
            match args.get(0) {
                Value::Object(object) => object
                    .downcast::<Self>()
                    .map(|other| self.compare(other))
                    .ok_or_else(super::go::nil_dereference),
                _ => Err(super::go::nil_dereference()),
            }
        };
        Ok(match name {
            b"Major" => number(major),
            b"Minor" => number(minor),
            b"Patch" => number(patch),
            b"Prerelease" => self.prerelease.clone().into(),
            b"Metadata" => self.metadata.clone().into(),
            b"Original" => self.original.clone().into(),
            b"String" | b"Value" => text().into(),
            b"MarshalText" => List::bytes(text()).into(),
            b"MarshalJSON" => List::bytes(crate::json::marshal(&Value::from(text()))?).into(),
            b"IncMajor" => Value::object(self.changed([major.wrapping_add(1), 0, 0], b"", b"")),
            b"IncMinor" => Value::object(self.changed([major, minor.wrapping_add(1), 0], b"", b"")),
            b"IncPatch" => {
                let step = u64::from(self.prerelease.is_empty());
                Value::object(self.changed([major, minor, patch.wrapping_add(step)], b"", b""))
            }
            b"SetPrerelease" => {
                let prerelease = args.string(0)?;
                check_prerelease(prerelease)?;
                Value::object(self.changed(self.numbers, prerelease, &self.metadata))
            }
            b"SetMetadata" => {
                let metadata = args.string(0)?;
                check_metadata(metadata)?;
                Value::object(self.changed(self.numbers, &self.prerelease, metadata))
            }
            b"Compare" => Value::int(order()? as i64),
            b"Equal" => match args.get(0) {
                Value::Nil => Value::Bool(false),
                _ => Value::Bool(order()?.is_eq()),
            },
            b"GreaterThan" => Value::Bool(order()?.is_gt()),
            b"GreaterThanEqual" => Value::Bool(order()?.is_ge()),
            b"LessThan" => Value::Bool(order()?.is_lt()),
            b"LessThanEqual" => Value::Bool(order()?.is_le()),
            _ => return Err(Error::new("no such method of a version")),
        })
    }

    fn text(&self) -> Option<Str> {
        Some(self.to_string().into())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        if self.is_pointer {
            return std::ptr::addr_eq(std::ptr::from_ref(self), std::ptr::from_ref(other));
        }
        other
            .downcast::<Self>()
            .is_some_and(|other| self.is_identical(other))
    }

    fn json(&self) -> Result<JsonView, Error> {
        Ok(JsonView::Value(Value::from(self.to_string())))
    }
}

/// One comparison of a constraint.
struct Constraint {
    operator: Operator,
    version: Version,
    /// A part was left out, or is `x` or `*`.
    is_dirty: bool,
    minor_is_dirty: bool,
    patch_is_dirty: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

impl Operator {
    fn parse(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"" | b"=" => Self::TildeOrEqual,
            b"!=" => Self::NotEqual,
            b">" => Self::Greater,
            b"<" => Self::Less,
            b">=" | b"=>" => Self::GreaterOrEqual,
            b"<=" | b"=<" => Self::LessOrEqual,
            b"~" | b"~>" => Self::Tilde,
            b"^" => Self::Caret,
            _ => return None,
        })
    }
}

/// The expressions by which Masterminds/semver reads constraints: they accept more than the
/// documented grammar, as `[0-9|x|X|\*]+` for a number.
struct Expressions {
    one: Regex,
    range: Regex,
    find: Regex,
    valid: Regex,
}

fn expressions() -> Result<&'static Expressions, Error> {
    static EXPRESSIONS: OnceLock<Result<Expressions, Error>> = OnceLock::new();
    let made = EXPRESSIONS.get_or_init(|| {
        const VERSION: &str = concat!(
            r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?",
            r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
            r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
        );
        const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
        let one = format!(r"({OPERATORS})\s*({VERSION})");
        let compile = |expression: String| Regex::compile(expression.as_bytes());
        Ok(Expressions {
            one: compile(format!(r"^\s*{one}\s*$"))?,
            range: compile(format!(r"\s*({VERSION})\s+-\s+({VERSION})\s*"))?,
            valid: compile(format!(r"^(\s*{one}\s*)((?:\s+|,\s*){one}\s*)*$"))?,
            find: compile(one)?,
        })
    });
    made.as_ref().map_err(Clone::clone)
}

/// Alternatives of constraints that all have to be met.
fn parse_constraints(text: &[u8]) -> Result<Vec<Vec<Constraint>>, Error> {
    let expressions = expressions()?;
    let text = rewrite_ranges(expressions, text);
    let improper =
        |text: &[u8]| Error::new(format!("improper constraint: {}", super::go::lossy(text)));
    super::strings::split(&text, b"||", None)
        .into_iter()
        .map(|alternative| {
            if !expressions.valid.is_match(alternative) {
                return Err(improper(alternative));
            }
            let mut parts = expressions.find.find_all(alternative, None);
            if parts.is_empty() {
                parts.push(alternative);
            }
            parts
                .into_iter()
                .map(|part| Constraint::parse(expressions, part))
                .collect()
        })
        .collect()
}

/// `1.2 - 1.4` as `>= 1.2, <= 1.4 `.
fn rewrite_ranges(expressions: &Expressions, text: &[u8]) -> Vec<u8> {
    let mut rewritten = text.to_vec();
    for found in expressions.range.captures_all(text) {
        let part = |index: usize| {
            found
                .get(index)
                .and_then(Clone::clone)
                .and_then(|range| text.get(range))
                .unwrap_or_default()
        };
        let replacement = [b">= ", part(1), b", <= ", part(11), b" "].concat();
        let whole = part(0);
        if let Some(start) = super::strings::find(&rewritten, whole) {
            rewritten.splice(start..start + whole.len(), replacement);
        }
    }
    rewritten
}

fn is_any(part: &[u8]) -> bool {
    matches!(part, b"" | b"x" | b"X" | b"*")
}

impl Constraint {
    fn parse(expressions: &Expressions, text: &[u8]) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self {
                operator: Operator::TildeOrEqual,
                version: Version::zero(),
                is_dirty: true,
                minor_is_dirty: false,
                patch_is_dirty: false,
            });
        }
        let improper = || Error::new(format!("improper constraint: {}", super::go::lossy(text)));
        let found = expressions
            .one
            .captures_all(text)
            .into_iter()
            .next()
            .ok_or_else(improper)?;
        let part = |index: usize| {
            found
                .get(index)
                .and_then(Clone::clone)
                .and_then(|range| text.get(range))
                .unwrap_or_default()
        };
        let after_dot = |part: &[u8]| is_any(part.strip_prefix(b".").unwrap_or(part));
        let (major, minor, patch, prerelease) = (part(3), part(4), part(5), part(6));
        let (version, dirty) = if is_any(major) {
            ([b"0.0.0", prerelease].concat(), [true, false, false])
        } else if after_dot(minor) {
            ([major, b".0.0", prerelease].concat(), [true, true, false])
        } else if after_dot(patch) {
            (
                [major, minor, b".0", prerelease].concat(),
                [true, false, true],
            )
        } else {
            (part(2).to_vec(), [false, false, false])
        };
        let [is_dirty, minor_is_dirty, patch_is_dirty] = dirty;
        Ok(Self {
            operator: Operator::parse(part(1)).ok_or_else(improper)?,
            version: Version::parse(&version)
                .map_err(|_| Error::from("constraint Parser Error"))?,
            is_dirty,
            minor_is_dirty,
            patch_is_dirty,
        })
    }

    fn accepts(&self, version: &Version) -> bool {
        let wanted = &self.version;
        let ignores_prereleases = !version.prerelease.is_empty() && wanted.prerelease.is_empty();
        if ignores_prereleases && (self.operator != Operator::NotEqual || self.is_dirty) {
            return false;
        }
        let order = version.compare(wanted);
        let [major, minor, patch] = version.numbers;
        let [wanted_major, wanted_minor, wanted_patch] = wanted.numbers;
        match self.operator {
            Operator::TildeOrEqual if self.is_dirty => self.tilde(version, order),
            Operator::TildeOrEqual => order.is_eq(),
            Operator::Tilde => self.tilde(version, order),
            Operator::NotEqual if self.is_dirty => {
                if major != wanted_major {
                    true
                } else if self.minor_is_dirty {
                    false
                } else if minor != wanted_minor {
                    true
                } else if self.patch_is_dirty {
                    (!version.prerelease.is_empty() || !wanted.prerelease.is_empty())
                        && compare_prereleases(&version.prerelease, &wanted.prerelease).is_ne()
                } else if patch != wanted_patch {
                    true
                } else {
                    order.is_ne()
                }
            }
            Operator::NotEqual => order.is_ne(),
            Operator::Greater if self.is_dirty && major != wanted_major => major > wanted_major,
            Operator::Greater if self.is_dirty && self.minor_is_dirty => false,
            Operator::Greater if self.is_dirty && self.patch_is_dirty => minor > wanted_minor,
            Operator::Greater => order.is_gt(),
            Operator::Less => order.is_lt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::LessOrEqual if self.is_dirty => {
                major < wanted_major
                    || major == wanted_major && (minor <= wanted_minor || self.minor_is_dirty)
            }
            Operator::LessOrEqual => order.is_le(),
            Operator::Caret => {
                if order.is_lt() {
                    false
                } else if wanted_major > 0 || self.minor_is_dirty {
                    major == wanted_major
                } else if major > 0 {
                    false
                } else if wanted_minor > 0 || self.patch_is_dirty {
                    minor == wanted_minor
                } else {
                    minor == 0 && patch == wanted_patch
                }
            }
        }
    }

    fn tilde(&self, version: &Version, order: Ordering) -> bool {
        if order.is_lt() {
            return false;
        }
        // Any version is near 0.0.0.
        if self.version.numbers == [0; 3] && !self.minor_is_dirty && !self.patch_is_dirty {
            return true;
        }
        let [major, minor, _] = version.numbers;
        let [wanted_major, wanted_minor, _] = self.version.numbers;
        major == wanted_major && (minor == wanted_minor || self.minor_is_dirty)
    }
}
