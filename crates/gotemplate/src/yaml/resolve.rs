//! The types of scalars.

use crate::calendar::days_in;
use crate::text::number::parse_float;

use super::Version;
use super::problem::Problem;

/// The beginning of the tags that `!!` stands for.
const STANDARD: &[u8] = b"tag:yaml.org,2002:";

/// What a plain scalar is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Beyond `i64`.
    Uint(u64),
    Float(f64),
    /// A date or a time, which stays a string.
    Timestamp,
    String,
}

impl Scalar {
    fn tag(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Uint(_) => "int",
            Self::Float(_) => "float",
            Self::Timestamp => "timestamp",
            Self::String => "str",
        }
    }
}

/// The type of a scalar with that tag (in its long form; empty if there is none).
pub(super) fn resolve(tag: &[u8], value: &[u8]) -> Result<Scalar, Problem> {
    if tag.is_empty() {
        return Ok(plain(value, Version::V2, true));
    }
    let wanted = match tag.strip_prefix(STANDARD) {
        Some(b"str") => return Ok(Scalar::String),
        Some(name @ (b"bool" | b"int" | b"float" | b"null" | b"timestamp")) => name,
        _ => return Ok(Scalar::String),
    };
    let scalar = plain(value, Version::V2, wanted == b"timestamp");
    match scalar {
        Scalar::Int(value) if wanted == b"float" => Ok(Scalar::Float(value as f64)),
        scalar if scalar.tag().as_bytes() == wanted => Ok(scalar),
        scalar => Err(Problem::new(format!(
            "cannot decode !!{} `{}` as a !!{}",
            scalar.tag(),
            String::from_utf8_lossy(value),
            String::from_utf8_lossy(wanted)
        ))),
    }
}

/// Whether the tag says that the value is in base64.
pub(super) fn is_binary(tag: &[u8]) -> bool {
    tag.strip_prefix(STANDARD) == Some(b"binary")
}

/// Whether the tag is that of a merge key.
pub(super) fn is_merge(tag: &[u8]) -> bool {
    tag.strip_prefix(STANDARD) == Some(b"merge")
}

/// The type of a scalar without a tag.
pub(super) fn plain(value: &[u8], version: Version, timestamps: bool) -> Scalar {
    let Some(&first) = value.first() else {
        return Scalar::Null;
    };
    match first {
        b'+' | b'-' | b'.' | b'0'..=b'9' | b'~' => {}
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => {
            return word(value, version);
        }
        _ => return Scalar::String,
    }
    match value {
        b"~" => return Scalar::Null,
        b".nan" | b".NaN" | b".NAN" => return Scalar::Float(f64::NAN),
        b".inf" | b".Inf" | b".INF" | b"+.inf" | b"+.Inf" | b"+.INF" => {
            return Scalar::Float(f64::INFINITY);
        }
        b"-.inf" | b"-.Inf" | b"-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match first {
        b'~' => Scalar::String,
        b'.' => parse_float(value).map_or(Scalar::String, Scalar::Float),
        _ if timestamps && is_timestamp(value) => Scalar::Timestamp,
        _ => number(value, version),
    }
}

fn word(value: &[u8], version: Version) -> Scalar {
    let old = version == Version::V2;
    match value {
        b"true" | b"True" | b"TRUE" => Scalar::Bool(true),
        b"false" | b"False" | b"FALSE" => Scalar::Bool(false),
        b"null" | b"Null" | b"NULL" => Scalar::Null,
        _ if old && is_old_bool(value) => {
            Scalar::Bool(matches!(value[0], b'y' | b'Y') || matches!(value, b"on" | b"On" | b"ON"))
        }
        _ => Scalar::String,
    }
}

/// Whether only YAML 1.1 takes it for a boolean.
pub(super) fn is_old_bool(value: &[u8]) -> bool {
    matches!(
        value,
        b"y" | b"Y"
            | b"yes"
            | b"Yes"
            | b"YES"
            | b"on"
            | b"On"
            | b"ON"
            | b"n"
            | b"N"
            | b"no"
            | b"No"
            | b"NO"
            | b"off"
            | b"Off"
            | b"OFF"
    )
}

fn number(value: &[u8], version: Version) -> Scalar {
    let digits: Vec<u8> = value.iter().copied().filter(|&b| b != b'_').collect();
    let integer = |digits: &[u8], base| match parse_int(digits, base) {
        Some(int) => Some(Scalar::Int(int)),
        None => parse_uint(digits, base).map(Scalar::Uint),
    };
    if let Some(scalar) = integer(&digits, 0) {
        return scalar;
    }
    if is_yaml_float(&digits)
        && let Ok(float) = parse_float(&digits)
    {
        return Scalar::Float(float);
    }
    // The digits after these prefixes may have a sign of their own.
    let octal = (version == Version::V3).then_some(("0o", "-0o", 8));
    for (prefix, negative, base) in [Some(("0b", "-0b", 2)), octal].into_iter().flatten() {
        let scalar = if let Some(digits) = digits.strip_prefix(prefix.as_bytes()) {
            integer(digits, base)
        } else if let Some(digits) = digits.strip_prefix(negative.as_bytes()) {
            parse_int(&[b"-", digits].concat(), base).map(Scalar::Int)
        } else {
            None
        };
        if let Some(scalar) = scalar {
            return scalar;
        }
    }
    Scalar::String
}

/// As `strconv.ParseUint` does, without underscores. Base 0 takes it from the prefix.
fn parse_uint(text: &[u8], base: u32) -> Option<u64> {
    let (digits, base) = match (text, base) {
        ([], _) => return None,
        ([b'0', b'b' | b'B', rest @ ..], 0) if !rest.is_empty() => (rest, 2),
        ([b'0', b'o' | b'O', rest @ ..], 0) if !rest.is_empty() => (rest, 8),
        ([b'0', b'x' | b'X', rest @ ..], 0) if !rest.is_empty() => (rest, 16),
        ([b'0', rest @ ..], 0) => (rest, 8),
        (_, 0) => (text, 10),
        (_, base) => (text, base),
    };
    digits.iter().try_fold(0_u64, |value, &digit| {
        let digit = char::from(digit).to_digit(base)?;
        value.checked_mul(base.into())?.checked_add(digit.into())
    })
}

/// As `strconv.ParseInt` does, without underscores.
fn parse_int(text: &[u8], base: u32) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => 0_i64.checked_sub_unsigned(parse_uint(digits, base)?),
        [b'+', digits @ ..] => parse_uint(digits, base)?.try_into().ok(),
        digits => parse_uint(digits, base)?.try_into().ok(),
    }
}

/// Whether it is `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_yaml_float(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = match text {
        [b'-' | b'+', rest @ ..] => rest,
        _ => text,
    };
    let whole = digits(rest);
    rest = &rest[whole..];
    if let [b'.', fraction @ ..] = rest {
        let length = digits(fraction);
        if whole == 0 && length == 0 {
            return false;
        }
        rest = &fraction[length..];
    } else if whole == 0 {
        return false;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'-' | b'+', exponent @ ..] => exponent,
            _ => exponent,
        };
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

/// Whether it is a date or a time of the forms that go-yaml knows:
/// `2006-1-2T15:4:5.999999999Z07:00`, also with a small `t`, `2006-1-2 15:4:5.999999999` and
/// `2006-1-2`.
pub(super) fn is_timestamp(text: &[u8]) -> bool {
    timestamp(text).is_some()
}

fn timestamp(text: &[u8]) -> Option<()> {
    let year = text.get(..4)?;
    if !year.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let year = year
        .iter()
        .fold(0_u32, |year, digit| year * 10 + u32::from(digit - b'0'));
    let (month, rest) = one_or_two_digits(text[4..].strip_prefix(b"-")?)?;
    let (day, rest) = one_or_two_digits(rest.strip_prefix(b"-")?)?;
    if !(1..=days_in(year.into(), month.into())).contains(&day.into()) {
        return None;
    }
    match rest {
        [] => Some(()),
        [b'T' | b't', rest @ ..] => {
            let rest = time_of_day(rest)?;
            if rest == b"Z" {
                return Some(());
            }
            let [b'+' | b'-', a, b, b':', c, d] = rest else {
                return None;
            };
            let (hours, _) = one_or_two_digits(&[*a, *b]).filter(|(_, rest)| rest.is_empty())?;
            let (minutes, _) = one_or_two_digits(&[*c, *d]).filter(|(_, rest)| rest.is_empty())?;
            (hours <= 24 && minutes <= 60).then_some(())
        }
        [b' ', rest @ ..] => {
            let spaces = rest.iter().take_while(|&&b| b == b' ').count();
            time_of_day(&rest[spaces..])?.is_empty().then_some(())
        }
        _ => None,
    }
}

/// Passes over `15:4:5.999999999`.
fn time_of_day(text: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = one_or_two_digits(text)?;
    let (minute, rest) = one_or_two_digits(rest.strip_prefix(b":")?)?;
    let (second, rest) = one_or_two_digits(rest.strip_prefix(b":")?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    match rest {
        [b'.' | b',', fraction @ ..] if fraction.first().is_some_and(u8::is_ascii_digit) => {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            Some(&fraction[digits..])
        }
        _ => Some(rest),
    }
}

fn one_or_two_digits(text: &[u8]) -> Option<(u32, &[u8])> {
    let digit = |byte: &u8| u32::from(byte - b'0');
    match text {
        [a, b, rest @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => {
            Some((digit(a) * 10 + digit(b), rest))
        }
        [a, rest @ ..] if a.is_ascii_digit() => Some((digit(a), rest)),
        _ => None,
    }
}

/// Whether it is a number in base 60 of YAML 1.1, which this package reads as a string:
/// `[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?`.
pub(super) fn is_base_60(text: &[u8]) -> bool {
    let mut rest = match text {
        [b'-' | b'+', rest @ ..] => rest,
        _ => text,
    };
    if !rest.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let in_number = |b: &&u8| b.is_ascii_digit() || **b == b'_';
    rest = &rest[rest.iter().take_while(in_number).count()..];
    let mut parts = 0;
    while let [b':', part @ ..] = rest {
        rest = match part {
            [b'0'..=b'5', b'0'..=b'9', rest @ ..] | [b'0'..=b'9', rest @ ..] => rest,
            _ => return false,
        };
        parts += 1;
    }
    if let [b'.', fraction @ ..] = rest {
        rest = &fraction[fraction.iter().take_while(in_number).count()..];
    }
    parts > 0 && rest.is_empty()
}
