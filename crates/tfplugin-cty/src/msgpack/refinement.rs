//! Refinements of unknown values: what is known about a value before it is.

use super::decode::{NumberError, read_number};
use super::reader::{Integer, Kind, Reader, TokenError};
use crate::{Number, ParseNumberError, Type, Value};

/// The msgpack extension type of a refined unknown value.
pub(super) const EXTENSION: u8 = 0x0c;

/// One end of a range of numbers.
struct Bound {
    number: Number,
    inclusive: bool,
}

/// What has been read so far.
#[derive(Default)]
struct Refinement {
    null: Option<bool>,
    prefix: String,
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    shortest: Option<i64>,
    longest: Option<i64>,
}

/// Checks the refinement of an unknown value of type `ty` by cty's rules, which panics on contradictions, and drops it.
/// A value refined to null is null.
pub(super) fn read(body: &[u8], ty: &Type) -> Result<Value, &'static str> {
    let mut reader = Reader::new(body);
    let count = match reader.peek() {
        Ok(Kind::Nil) => 0,
        _ => reader.map_length().or(Err("it is not a map"))?,
    };
    if *ty == Type::Dynamic {
        return Ok(Value::Unknown);
    }
    let mut refinement = Refinement::default();
    for _ in 0..count {
        let key = read_integer(&mut reader).or(Err("a key is not an integer"))?;
        refinement.entry(key, &mut reader, ty)?;
    }
    Ok(if refinement.null == Some(true) {
        Value::Null
    } else {
        Value::Unknown
    })
}

impl Refinement {
    /// As in cty, the value of a key that is not known here is not passed over: only as the last it does no harm.
    fn entry(&mut self, key: i64, reader: &mut Reader<'_>, ty: &Type) -> Result<(), &'static str> {
        match (key, ty) {
            (1, _) => {
                let null = read_bool(reader).or(Err("the nullness is not a bool"))?;
                if self.null.replace(null).is_some_and(|before| before != null) {
                    return Err("it is null and not null");
                }
            }
            (2, Type::String) => {
                let text = read_text(reader).or(Err("the prefix is not a string"))?;
                let text = std::str::from_utf8(text).or(Err("the prefix is not valid UTF-8"))?;
                let prefix = crate::ty::normal(text);
                if !prefix.starts_with(&self.prefix) && !self.prefix.starts_with(prefix.as_ref()) {
                    return Err("two prefixes contradict each other");
                }
                if prefix.len() > self.prefix.len() {
                    self.prefix = prefix.into_owned();
                }
            }
            (3, Type::Number) => {
                let bound = read_bound(reader)?;
                if self
                    .minimum
                    .as_ref()
                    .is_none_or(|before| bound.is_above(before))
                {
                    self.minimum = Some(bound);
                }
                self.check_range()?;
            }
            (4, Type::Number) => {
                let bound = read_bound(reader)?;
                if self
                    .maximum
                    .as_ref()
                    .is_none_or(|before| bound.is_below(before))
                {
                    self.maximum = Some(bound);
                }
                self.check_range()?;
            }
            (5 | 6, Type::List(_) | Type::Set(_) | Type::Map(_)) => {
                let bound =
                    read_integer(reader).or(Err("the bound of the length is not an integer"))?;
                if key == 5 {
                    self.shortest = Some(self.shortest.map_or(bound, |before| before.max(bound)));
                } else {
                    self.longest = Some(self.longest.map_or(bound, |before| before.min(bound)));
                }
                // A length is never negative.
                if self
                    .longest
                    .is_some_and(|longest| longest < self.shortest.unwrap_or(0).max(0))
                {
                    return Err("the lowest length is above the highest");
                }
            }
            (2..=6, _) => return Err("it does not apply to the type of the value"),
            _ => {}
        }
        Ok(())
    }

    fn check_range(&self) -> Result<(), &'static str> {
        let (Some(minimum), Some(maximum)) = (&self.minimum, &self.maximum) else {
            return Ok(());
        };
        // cty forbids equal bounds only when one is inclusive and the other is not.
        let fits = if minimum.inclusive == maximum.inclusive {
            minimum.number <= maximum.number
        } else {
            minimum.number < maximum.number
        };
        if fits {
            Ok(())
        } else {
            Err("the lowest number is above the highest")
        }
    }
}

impl Bound {
    fn is_above(&self, other: &Self) -> bool {
        self.number > other.number || (self.number == other.number && !self.inclusive)
    }

    fn is_below(&self, other: &Self) -> bool {
        self.number < other.number || (self.number == other.number && !self.inclusive)
    }
}

fn read_integer(reader: &mut Reader<'_>) -> Result<i64, TokenError> {
    if reader.peek()? == Kind::Nil {
        return reader.nil().map(|()| 0);
    }
    Ok(match reader.integer()? {
        Integer::Signed(integer) => integer,
        Integer::Unsigned(integer) => i64::try_from(integer).unwrap_or(i64::MAX),
    })
}

fn read_bool(reader: &mut Reader<'_>) -> Result<bool, TokenError> {
    if reader.peek()? == Kind::Nil {
        reader.nil().map(|()| false)
    } else {
        reader.bool()
    }
}

fn read_text<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], TokenError> {
    if reader.peek()? == Kind::Nil {
        reader.nil().map(|()| [].as_slice())
    } else {
        reader.text()
    }
}

fn read_bound(reader: &mut Reader<'_>) -> Result<Bound, &'static str> {
    const PROBLEM: &str = "the bound of the number is not an array of a number and a bool";
    if reader.array_length() != Ok(2) {
        return Err(PROBLEM);
    }
    let number = read_number(reader).map_err(|error| match error {
        NumberError::Number(ParseNumberError::NotANumber) => "the bound of the number is NaN",
        NumberError::Number(_) | NumberError::Token(_) => PROBLEM,
    })?;
    let inclusive = reader.bool().or(Err(PROBLEM))?;
    Ok(Bound { number, inclusive })
}
