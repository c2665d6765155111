//! Dates and durations.

use super::cast;
use super::time::{self, Duration, Time, Zone, time_type};
use crate::error::Error;
use crate::function::{Call, Functions};
use crate::types::{IntKind, Type};
use crate::value::Value;

const SECOND: i64 = 1_000_000_000;
const DATE: &[u8] = b"2006-01-02";

pub(super) fn register(functions: &mut Functions) {
    functions.add("now", [], time_type(), |call, _| {
        Time::now(call).map(Value::object)
    });
    functions.add(
        "date",
        [Type::String, Type::Any],
        Type::String,
        |call, args| date(call, args.string(0)?, args.get(1), Zone::Utc),
    );
    for name in ["dateInZone", "date_in_zone"] {
        functions.add(
            name,
            [Type::String, Type::Any, Type::String],
            Type::String,
            |call, args| {
                let zone = Zone::load(args.string(2)?);
                date(call, args.string(0)?, args.get(1), zone)
            },
        );
    }
    functions.add("htmlDate", [Type::Any], Type::String, |call, args| {
        date(call, DATE, args.get(0), Zone::Utc)
    });
    functions.add(
        "htmlDateInZone",
        [Type::Any, Type::String],
        Type::String,
        |call, args| date(call, DATE, args.get(0), Zone::load(args.string(1)?)),
    );
    for name in ["dateModify", "date_modify"] {
        functions.add(name, [Type::String, time_type()], time_type(), |_, args| {
            let date = time::argument(&args, 1)?;
            // Sprig drops the error for a text that is no duration.
            let duration = time::parse_duration(args.string(0)?).unwrap_or(0);
            Ok(Value::object(date.plus(duration)))
        });
    }
    for name in ["mustDateModify", "must_date_modify"] {
        functions.add(name, [Type::String, time_type()], time_type(), |_, args| {
            let date = time::argument(&args, 1)?;
            let duration = time::parse_duration(args.string(0)?)?;
            Ok(Value::object(date.plus(duration)))
        });
    }
    functions.add(
        "toDate",
        [Type::String, Type::String],
        time_type(),
        |_, args| {
            let date = time::parse(args.string(0)?, args.string(1)?);
            Ok(Value::object(date.unwrap_or(Time::ZERO)))
        },
    );
    functions.add(
        "mustToDate",
        [Type::String, Type::String],
        time_type(),
        |_, args| time::parse(args.string(0)?, args.string(1)?).map(Value::object),
    );
    functions.add("unixEpoch", [time_type()], Type::String, |_, args| {
        Ok(time::argument(&args, 0)?.seconds.to_string().into())
    });
    functions.add("ago", [Type::Any], Type::String, |call, args| {
        let now = Time::now(call)?;
        let then = match args.get(0) {
            Value::Int(IntKind::Int | IntKind::Int64, seconds) => Time::unix(*seconds),
            value => time_of(value).unwrap_or_else(|| now.clone()),
        };
        Ok(Duration(now.since(&then)).round(SECOND).to_string().into())
    });
    functions.add("duration", [Type::Any], Type::String, |_, args| {
        let seconds = match args.get(0) {
            Value::String(text) => match cast::parse_int(text, 10) {
                Ok(seconds) | Err((_, seconds)) => seconds,
            },
            Value::Int(IntKind::Int64, seconds) => *seconds,
            _ => 0,
        };
        Ok(Duration(seconds.wrapping_mul(SECOND)).to_string().into())
    });
    functions.add("durationRound", [Type::Any], Type::String, |call, args| {
        let duration = match args.get(0) {
            Value::String(text) => time::parse_duration(text).unwrap_or(0),
            Value::Int(IntKind::Int64, nanoseconds) => *nanoseconds,
            value => match time_of(value) {
                Some(then) => Time::now(call)?.since(&then),
                None => 0,
            },
        };
        Ok(rounded(duration).into())
    });
}

fn time_of(value: &Value) -> Option<Time> {
    match value {
        Value::Object(object) => object.downcast::<Time>().cloned(),
        _ => None,
    }
}

/// A date of a moment, or of seconds since 1970; of now for anything else.
fn date(call: &mut Call<'_>, layout: &[u8], value: &Value, zone: Zone) -> Result<Value, Error> {
    let time = match value {
        Value::Int(IntKind::Int | IntKind::Int32 | IntKind::Int64, seconds) => Time::unix(*seconds),
        value => match time_of(value) {
            Some(time) => time,
            None => Time::now(call)?,
        },
    };
    Ok(time::format(&time.within(zone), layout).into())
}

/// The largest unit that the duration is longer than, and how often.
fn rounded(duration: i64) -> String {
    const HOUR: u64 = 3_600_000_000_000;
    let length = duration.unsigned_abs();
    for (unit, name) in [
        (HOUR * 24 * 365, "y"),
        (HOUR * 24 * 30, "mo"),
        (HOUR * 24, "d"),
        (HOUR, "h"),
        (HOUR / 60, "m"),
        (HOUR / 3600, "s"),
    ] {
        if length > unit {
            return format!("{}{name}", length / unit);
        }
    }
    "0s".into()
}
