//! The attribute `timeouts`: how long each operation may take.

use std::time::Duration;

use super::{Attribute, validators};
use crate::cty::Value;
use crate::model::AttributeValue;

crate::model! {
    /// The value of the attribute `timeouts`, as configured: Go duration strings.
    pub struct Timeouts {
        /// For create.
        pub create: AttributeValue<String>,
        /// For read, which also bounds import.
        pub read: AttributeValue<String>,
        /// For update.
        pub update: AttributeValue<String>,
        /// For delete.
        pub delete: AttributeValue<String>,
    }
}

/// What an operation is allowed to take when the configuration does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeoutDefaults {
    /// For create.
    pub create: Duration,
    /// For read, which also bounds import.
    pub read: Duration,
    /// For update.
    pub update: Duration,
    /// For delete.
    pub delete: Duration,
}

impl TimeoutDefaults {
    /// The same duration for every operation.
    pub const fn all(duration: Duration) -> Self {
        Self {
            create: duration,
            read: duration,
            update: duration,
            delete: duration,
        }
    }
}

impl Default for TimeoutDefaults {
    /// 20 minutes each, as in HashiCorp's framework.
    fn default() -> Self {
        Self::all(Duration::from_secs(20 * 60))
    }
}

/// What a deadline is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Making the object.
    Create,
    /// Reading the object, or a data source.
    Read,
    /// Changing the object.
    Update,
    /// Removing the object.
    Delete,
    /// Finding the object by its id. Bounded like a read.
    Import,
    /// Opening an ephemeral resource. Bounded like a read.
    Open,
    /// Renewing an ephemeral resource. Bounded like a read.
    Renew,
    /// Closing an ephemeral resource. Bounded like a read.
    Close,
}

impl Operation {
    /// The name as an attribute of `timeouts`.
    const fn attribute(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read | Self::Import | Self::Open | Self::Renew | Self::Close => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl TimeoutDefaults {
    const fn of(&self, operation: Operation) -> Duration {
        match operation {
            Operation::Create => self.create,
            Operation::Read
            | Operation::Import
            | Operation::Open
            | Operation::Renew
            | Operation::Close => self.read,
            Operation::Update => self.update,
            Operation::Delete => self.delete,
        }
    }

    /// The duration for `operation` given the resource's value. A text that is no duration cannot
    /// pass validation; should one come from an old state, the default holds.
    pub(crate) fn resolve(&self, operation: Operation, resource: Option<&Value>) -> Duration {
        resource
            .and_then(Value::as_entries)
            .and_then(|attributes| attributes.get("timeouts"))
            .and_then(Value::as_entries)
            .and_then(|timeouts| timeouts.get(operation.attribute()))
            .and_then(Value::as_str)
            .and_then(|text| parse_duration(text).ok())
            .unwrap_or_else(|| self.of(operation))
    }
}

pub(super) fn attribute(defaults: TimeoutDefaults) -> Attribute {
    let one = |operation: &str, default: Duration| {
        Attribute::string()
            .optional()
            .description(format!(
                "How long {operation} may take, such as `30m` or `1h30m`. Default: `{}`.",
                format_duration(default)
            ))
            .validate(validators::duration())
    };
    Attribute::single_nested([
        ("create", one("creation", defaults.create)),
        ("read", one("reading", defaults.read)),
        ("update", one("an update", defaults.update)),
        ("delete", one("deletion", defaults.delete)),
    ])
    .optional()
    .description("How long each operation may take.")
}

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A number or unit is missing, as in "", "10" or "m".
    #[error("a number with a unit is expected, the units are h, m, s, ms, us and ns")]
    Syntax,
    /// Longer than about 292 years, the longest that Go can hold.
    #[error("the duration is too long")]
    TooLong,
}

/// Reads a duration in the form of Go's `time.ParseDuration`, without a sign: "90m", "1h30m",
/// "1.5s", "0".
///
/// # Errors
/// [`DurationError`].
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(DurationError::Syntax);
    }
    let mut rest = text;
    let mut nanoseconds: u128 = 0;
    while !rest.is_empty() {
        let whole = take_digits(&mut rest);
        let fraction = if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            take_digits(&mut rest)
        } else {
            ""
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(DurationError::Syntax);
        }
        let unit = take_unit(&mut rest)?;
        let whole: u128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| DurationError::TooLong)?
        };
        // Digits beyond a nanosecond are dropped, as Go does.
        let fraction = &fraction[..fraction.len().min(18)];
        let parts = if fraction.is_empty() {
            0
        } else {
            let digits: u128 = fraction.parse().map_err(|_| DurationError::TooLong)?;
            digits * unit / 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(18))
        };
        nanoseconds = whole
            .checked_mul(unit)
            .and_then(|value| value.checked_add(parts))
            .and_then(|value| value.checked_add(nanoseconds))
            .filter(|value| *value <= i64::MAX as u128)
            .ok_or(DurationError::TooLong)?;
    }
    u64::try_from(nanoseconds)
        .map(Duration::from_nanos)
        .map_err(|_| DurationError::TooLong)
}

fn take_digits<'a>(rest: &mut &'a str) -> &'a str {
    let length = rest
        .find(|next: char| !next.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, after) = rest.split_at(length);
    *rest = after;
    digits
}

fn take_unit(rest: &mut &str) -> Result<u128, DurationError> {
    let length = rest
        .find(|next: char| next == '.' || next.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, after) = rest.split_at(length);
    *rest = after;
    match unit {
        "ns" => Ok(1),
        "us" | "µs" | "μs" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(1_000_000_000),
        "m" => Ok(60_000_000_000),
        "h" => Ok(3_600_000_000_000),
        _ => Err(DurationError::Syntax),
    }
}

/// Writes a duration the short way: "1h30m", "45s", "1.5s".
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let nanoseconds = duration.subsec_nanos();
    let mut text = String::new();
    if hours > 0 {
        text.push_str(&format!("{hours}h"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}m"));
    }
    if nanoseconds > 0 {
        let fraction = format!("{nanoseconds:09}");
        text.push_str(&format!("{rest}.{}s", fraction.trim_end_matches('0')));
    } else if rest > 0 || text.is_empty() {
        text.push_str(&format!("{rest}s"));
    }
    text
}
