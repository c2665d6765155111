//! `time.Duration`: nanoseconds in 64 bits.

use crate::error::Error;
use crate::function::{Args, Call, Signature};
use crate::string::Str;
use crate::types::{Kind, Type};
use crate::value::{Object, Value};

use super::duration_type;
use super::layout::quoted;

/// A duration in nanoseconds.
#[derive(Clone, Copy)]
pub(in super::super) struct Duration(pub(in super::super) i64);

impl Duration {
    /// `Duration.Round`: to a multiple of the unit, half away from zero.
    pub(in super::super) fn round(self, unit: i64) -> Self {
        if unit <= 0 {
            return self;
        }
        let rest = self.0 % unit;
        let magnitude = rest.unsigned_abs();
        let is_less_than_half = magnitude < unit.unsigned_abs() - magnitude;
        Self(if is_less_than_half {
            self.0 - rest
        } else if self.0 < 0 {
            (self.0 - rest).checked_sub(unit).unwrap_or(i64::MIN)
        } else {
            (self.0 - rest).checked_add(unit).unwrap_or(i64::MAX)
        })
    }
}

impl std::fmt::Display for Duration {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = self.0.unsigned_abs();
        if self.0 < 0 {
            formatter.write_str("-")?;
        }
        let fraction = |rest: u64, digits: usize| {
            let text = format!("{rest:0digits$}");
            let kept = text.trim_end_matches('0');
            if kept.is_empty() {
                String::new()
            } else {
                format!(".{kept}")
            }
        };
        match total {
            0 => formatter.write_str("0s"),
            1..1000 => write!(formatter, "{total}ns"),
            1000..1_000_000 => write!(
                formatter,
                "{}{}\u{b5}s",
                total / 1000,
                fraction(total % 1000, 3)
            ),
            1_000_000..1_000_000_000 => write!(
                formatter,
                "{}{}ms",
                total / 1_000_000,
                fraction(total % 1_000_000, 6)
            ),
            _ => {
                let seconds = total / 1_000_000_000;
                let fraction = fraction(total % 1_000_000_000, 9);
                let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
                if hours > 0 {
                    write!(formatter, "{hours}h")?;
                }
                if seconds >= 60 {
                    write!(formatter, "{minutes}m")?;
                }
                write!(formatter, "{}{fraction}s", seconds % 60)
            }
        }
    }
}

/// `time.ParseDuration`, in nanoseconds.
///
/// # Errors
///
/// The text is no duration, in Go's words.
pub(in super::super) fn parse(text: &[u8]) -> Result<i64, Error> {
    let failure = |reason: &str| Error::new(format!("time: {reason} {}", quoted(text)));
    let invalid = || failure("invalid duration");
    let (is_negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while let Some(first) = rest.first() {
        if *first != b'.' && !first.is_ascii_digit() {
            return Err(invalid());
        }
        let length = digits(rest);
        let (whole, after) = rest.split_at(length);
        let mut number: u64 = 0;
        for digit in whole {
            if number > (1 << 63) / 10 {
                return Err(invalid());
            }
            number = number * 10 + u64::from(digit - b'0');
            if number > 1 << 63 {
                return Err(invalid());
            }
        }
        rest = after;
        let mut fraction = &b""[..];
        if let Some(after) = rest.strip_prefix(b".") {
            let length = digits(after);
            (fraction, rest) = after.split_at(length);
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let length = rest
            .iter()
            .take_while(|byte| **byte != b'.' && !byte.is_ascii_digit())
            .count();
        let (name, after) = rest.split_at(length);
        if name.is_empty() {
            return Err(failure("missing unit in duration"));
        }
        let unit = unit(name)
            .ok_or_else(|| failure(&format!("unknown unit {} in duration", quoted(name))))?;
        rest = after;
        if number > (1 << 63) / unit {
            return Err(invalid());
        }
        let mut nanoseconds = number * unit;
        let (value, scale) = leading_fraction(fraction);
        if value > 0 {
            nanoseconds += part_of(unit, value, scale);
            if nanoseconds > 1 << 63 {
                return Err(invalid());
            }
        }
        total = total.checked_add(nanoseconds).ok_or_else(invalid)?;
        if total > 1 << 63 {
            return Err(invalid());
        }
    }
    if is_negative {
        return Ok(total.cast_signed().wrapping_neg());
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn unit(name: &[u8]) -> Option<u64> {
    Some(match std::str::from_utf8(name).ok()? {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// The digits of a fraction as a number and its scale, as many as fit.
fn leading_fraction(digits: &[u8]) -> (u64, f64) {
    let mut number: u64 = 0;
    let mut scale = 1.0;
    for digit in digits {
        if number > ((1 << 63) - 1) / 10 {
            break;
        }
        let next = number * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            break;
        }
        number = next;
        scale *= 10.0;
    }
    (number, scale)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Go computes with floats here, and the result is within the unit"
)]
fn part_of(unit: u64, value: u64, scale: f64) -> u64 {
    (value as f64 * (unit as f64 / scale)) as u64
}

#[expect(clippy::cast_precision_loss, reason = "Go computes with floats here")]
fn in_units(nanoseconds: i64, unit: i64) -> f64 {
    (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64
}

impl Object for Duration {
    fn type_name(&self) -> &str {
        "time.Duration"
    }

    fn kind(&self) -> Kind {
        Kind::Int64
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::int64(self.0))
    }

    fn method(&self, name: &[u8]) -> Option<Signature> {
        let (parameters, result) = match name {
            b"Hours" | b"Minutes" | b"Seconds" => (vec![], Type::FLOAT64),
            b"Milliseconds" | b"Microseconds" | b"Nanoseconds" => (vec![], Type::INT64),
            b"String" => (vec![], Type::String),
            b"Abs" => (vec![], duration_type()),
            b"Round" | b"Truncate" => (vec![duration_type()], duration_type()),
            _ => return None,
        };
        Some(Signature::new(parameters, result))
    }

    fn call(&self, name: &[u8], _call: &mut Call<'_>, args: Args<'_>) -> Result<Value, Error> {
        let unit = match &*args.get(0).plain() {
            Value::Int(_, unit) => *unit,
            _ => 0,
        };
        Ok(match name {
            b"Hours" => super::super::cast::float(in_units(self.0, 3_600_000_000_000)),
            b"Minutes" => super::super::cast::float(in_units(self.0, 60_000_000_000)),
            b"Seconds" => super::super::cast::float(in_units(self.0, 1_000_000_000)),
            b"Milliseconds" => Value::int64(self.0 / 1_000_000),
            b"Microseconds" => Value::int64(self.0 / 1000),
            b"Nanoseconds" => Value::int64(self.0),
            b"Abs" => Value::object(Self(self.0.saturating_abs())),
            b"Round" => Value::object(self.round(unit)),
            b"Truncate" => Value::object(Self(if unit <= 0 {
                self.0
            } else {
                self.0 - self.0 % unit
            })),
            _ => self.to_string().into(),
        })
    }

    fn text(&self) -> Option<Str> {
        Some(self.to_string().into())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other
            .downcast::<Self>()
            .is_some_and(|other| self.0 == other.0)
    }
}
