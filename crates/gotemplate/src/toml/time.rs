//! The dates and times of TOML.

use crate::calendar::days_in;
use crate::error::Error;
use crate::string::Str;
use crate::types::Kind;
use crate::value::{JsonView, Object, Value};

/// A date, a time or both. What has no offset is in UTC, as on a machine whose zone that is.
pub(super) struct Time {
    date: [u32; 3],
    time: [u32; 3],
    /// Without zeros at the end.
    fraction: String,
    zone: Zone,
}

enum Zone {
    Utc,
    /// With sign, as `+02:00`.
    Offset(String),
    LocalDateTime,
    LocalDate,
    LocalTime,
}

impl Time {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let has_date = text.as_bytes().get(4) == Some(&b'-');
        let (date, rest) = if has_date {
            let (date, rest) = text.split_at_checked(10)?;
            (parse_date(date)?, rest)
        } else {
            ([0, 1, 1], text)
        };
        if has_date && rest.is_empty() {
            return Some(Self {
                date,
                time: [0; 3],
                fraction: String::new(),
                zone: Zone::LocalDate,
            });
        }
        let rest = if has_date {
            rest.strip_prefix('T')?
        } else {
            rest
        };
        let (clock, rest) = rest.split_at_checked(5)?;
        let [hour, minute] = numbers::<2>(clock, ':', 2)?;
        let mut second = 0;
        let mut fraction = "";
        let mut rest = rest;
        if let Some(after) = rest.strip_prefix(':') {
            let (digits, after) = after.split_at_checked(2)?;
            [second] = numbers::<1>(digits, ':', 2)?;
            rest = after;
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(|c: char| !c.is_ascii_digit());
                let (digits, after) = after.split_at(end.unwrap_or(after.len()));
                if digits.is_empty() {
                    return None;
                }
                fraction = digits.get(..9).unwrap_or(digits).trim_end_matches('0');
                rest = after;
            }
        }
        let zone = match rest {
            "" if has_date => Zone::LocalDateTime,
            "" => Zone::LocalTime,
            _ if !has_date => return None,
            "Z" => Zone::Utc,
            offset => {
                let [hours, minutes] = numbers::<2>(offset.strip_prefix(['+', '-'])?, ':', 2)?;
                if hours > 24 || minutes > 60 {
                    return None;
                }
                let sign = &offset[..1];
                match hours * 60 + minutes {
                    0 => Zone::Utc,
                    minutes => {
                        Zone::Offset(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
                    }
                }
            }
        };
        let valid = hour < 24 && minute < 60 && second < 60;
        valid.then(|| Self {
            date,
            time: [hour, minute, second],
            fraction: fraction.to_owned(),
            zone,
        })
    }

    fn date_text(&self) -> String {
        let [year, month, day] = self.date;
        format!("{year:04}-{month:02}-{day:02}")
    }

    fn time_text(&self) -> String {
        let [hour, minute, second] = self.time;
        let point = if self.fraction.is_empty() { "" } else { "." };
        format!("{hour:02}:{minute:02}:{second:02}{point}{}", self.fraction)
    }

    fn offset(&self) -> &str {
        match &self.zone {
            Zone::Offset(offset) => offset,
            _ => "Z",
        }
    }

    /// As in TOML.
    pub(super) fn toml(&self) -> String {
        let (date, time) = (self.date_text(), self.time_text());
        match self.zone {
            Zone::LocalDate => date,
            Zone::LocalTime => time,
            Zone::LocalDateTime => format!("{date}T{time}"),
            Zone::Utc | Zone::Offset(_) => format!("{date}T{time}{}", self.offset()),
        }
    }
}

fn parse_date(text: &str) -> Option<[u32; 3]> {
    let (year, rest) = text.split_at_checked(4)?;
    let [year] = numbers::<1>(year, '-', 4)?;
    let [month, day] = numbers::<2>(rest.strip_prefix('-')?, '-', 2)?;
    let days = days_in(year.into(), month.into());
    (1..=days)
        .contains(&day.into())
        .then_some([year, month, day])
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, separator: char, digits: usize) -> Option<[u32; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for number in &mut numbers {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

impl Object for Time {
    fn type_name(&self) -> &str {
        "time.Time"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn text(&self) -> Option<Str> {
        let (offset, name) = match &self.zone {
            Zone::Utc => ("+0000".to_owned(), "UTC".to_owned()),
            Zone::Offset(offset) => {
                let offset = offset.replace(':', "");
                (offset.clone(), offset)
            }
            Zone::LocalDateTime => ("+0000".to_owned(), "datetime-local".to_owned()),
            Zone::LocalDate => ("+0000".to_owned(), "date-local".to_owned()),
            Zone::LocalTime => ("+0000".to_owned(), "time-local".to_owned()),
        };
        let (date, time) = (self.date_text(), self.time_text());
        Some(format!("{date} {time} {offset} {name}").into())
    }

    fn json(&self) -> Result<JsonView, Error> {
        if self.offset().get(1..3).is_some_and(|hours| hours > "23") {
            return Err(
                "json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: \
                        timezone hour outside of range [0,23]"
                    .into(),
            );
        }
        let (date, time) = (self.date_text(), self.time_text());
        let text = format!("{date}T{time}{}", self.offset());
        Ok(JsonView::Value(Value::string(text)))
    }
}
