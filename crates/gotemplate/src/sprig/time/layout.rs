//! Go's layouts: formats of times written as one reference time would be.

use crate::calendar::days_in;
use crate::error::Error;
use crate::text::{REPLACEMENT, decode};

use super::{MONTHS, Time, WEEKDAYS, Zone, days_from_civil};

pub(super) const STRING: &str = "2006-01-02 15:04:05.999999999 -0700 MST";
pub(super) const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
pub(super) const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(Offset),
    /// Digits and separator; with nines, zeros at the end are dropped.
    Fraction {
        digits: usize,
        separator: u8,
        nines: bool,
    },
}

/// How the distance to UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offset {
    /// `Z` for UTC.
    z: bool,
    colon: bool,
    minutes: bool,
    seconds: bool,
}

const fn offset(z: bool, colon: bool, minutes: bool, seconds: bool) -> Element {
    Element::Offset(Offset {
        z,
        colon,
        minutes,
        seconds,
    })
}

/// The elements that a text alone decides about, longer ones first.
const ELEMENTS: &[(&[u8], Element)] = &[
    (b"January", Element::LongMonth),
    (b"Monday", Element::LongWeekday),
    (b"MST", Element::ZoneName),
    (b"01", Element::ZeroMonth),
    (b"02", Element::ZeroDay),
    (b"03", Element::ZeroHour12),
    (b"04", Element::ZeroMinute),
    (b"05", Element::ZeroSecond),
    (b"06", Element::Year),
    (b"002", Element::ZeroYearDay),
    (b"15", Element::Hour),
    (b"1", Element::NumberMonth),
    (b"2006", Element::LongYear),
    (b"2", Element::Day),
    (b"_2", Element::UnderDay),
    (b"__2", Element::UnderYearDay),
    (b"3", Element::Hour12),
    (b"4", Element::Minute),
    (b"5", Element::Second),
    (b"PM", Element::UpperPm),
    (b"pm", Element::LowerPm),
    (b"-070000", offset(false, false, true, true)),
    (b"-07:00:00", offset(false, true, true, true)),
    (b"-0700", offset(false, false, true, false)),
    (b"-07:00", offset(false, true, true, false)),
    (b"-07", offset(false, false, false, false)),
    (b"Z070000", offset(true, false, true, true)),
    (b"Z07:00:00", offset(true, true, true, true)),
    (b"Z0700", offset(true, false, true, false)),
    (b"Z07:00", offset(true, true, true, false)),
    (b"Z07", offset(true, false, false, false)),
];

/// An element and its text.
type Found<'a> = (Element, &'a [u8]);

/// The text before the first element of a layout, the element with its text, and the rest.
fn next_element(layout: &[u8]) -> (&[u8], Option<Found<'_>>, &[u8]) {
    for start in 0..layout.len() {
        let rest = &layout[start..];
        if let Some((element, length)) = element_at(rest) {
            let text = &rest[..length];
            // "_2006" is an underscore before a year.
            let (prefix, text) = if rest.starts_with(b"_2006") {
                (&layout[..=start], &rest[1..5])
            } else {
                (&layout[..start], text)
            };
            let element = if rest.starts_with(b"_2006") {
                Element::LongYear
            } else {
                element
            };
            let end = prefix.len() + text.len();
            return (prefix, Some((element, text)), &layout[end..]);
        }
    }
    (layout, None, b"")
}

fn element_at(text: &[u8]) -> Option<(Element, usize)> {
    for (word, element) in [(b"Jan", Element::Month), (b"Mon", Element::Weekday)] {
        if text.starts_with(word)
            && !text.starts_with(b"January")
            && !text.starts_with(b"Monday")
            && !text.get(3).is_some_and(u8::is_ascii_lowercase)
        {
            return Some((element, 3));
        }
    }
    if let [separator @ (b'.' | b','), digit @ (b'0' | b'9'), ..] = text {
        let digits = text[1..].iter().take_while(|byte| *byte == digit).count();
        // Only a fraction is nothing but such digits.
        if !text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
            let element = Element::Fraction {
                digits,
                separator: *separator,
                nines: *digit == b'9',
            };
            return Some((element, 1 + digits));
        }
        return None;
    }
    ELEMENTS
        .iter()
        .find(|(word, _)| text.starts_with(word))
        .map(|(word, element)| (*element, word.len()))
}

fn append_number(output: &mut Vec<u8>, number: i64, width: usize) {
    if number < 0 {
        output.push(b'-');
    }
    let magnitude = number.unsigned_abs();
    output.extend_from_slice(format!("{magnitude:0width$}").as_bytes());
}

/// `Time.Format`
pub(in super::super) fn format(time: &Time, layout: &[u8]) -> Vec<u8> {
    let civil = time.civil();
    let (zone_name, zone_offset, _) = time.zone.at(time.seconds);
    let mut output = Vec::with_capacity(layout.len() + 10);
    let out = &mut output;
    let mut rest = layout;
    let hour12 = match civil.hour % 12 {
        0 => 12,
        hour => hour,
    };
    loop {
        let (prefix, element, suffix) = next_element(rest);
        out.extend_from_slice(prefix);
        let Some((element, _)) = element else { break };
        rest = suffix;
        match element {
            Element::Year => append_number(out, civil.year.abs() % 100, 2),
            Element::LongYear => append_number(out, civil.year, 4),
            Element::Month => out.extend_from_slice(&MONTHS[civil.month - 1].as_bytes()[..3]),
            Element::LongMonth => out.extend_from_slice(MONTHS[civil.month - 1].as_bytes()),
            Element::NumberMonth => append_number(out, civil.month as i64, 0),
            Element::ZeroMonth => append_number(out, civil.month as i64, 2),
            Element::Weekday => out.extend_from_slice(&WEEKDAYS[civil.weekday].as_bytes()[..3]),
            Element::LongWeekday => out.extend_from_slice(WEEKDAYS[civil.weekday].as_bytes()),
            Element::Day => append_number(out, civil.day, 0),
            Element::UnderDay => {
                out.extend_from_slice(format!("{:2}", civil.day).as_bytes());
            }
            Element::ZeroDay => append_number(out, civil.day, 2),
            Element::UnderYearDay => {
                out.extend_from_slice(format!("{:3}", civil.year_day).as_bytes());
            }
            Element::ZeroYearDay => append_number(out, civil.year_day, 3),
            Element::Hour => append_number(out, civil.hour, 2),
            Element::Hour12 => append_number(out, hour12, 0),
            Element::ZeroHour12 => append_number(out, hour12, 2),
            Element::Minute => append_number(out, civil.minute, 0),
            Element::ZeroMinute => append_number(out, civil.minute, 2),
            Element::Second => append_number(out, civil.second, 0),
            Element::ZeroSecond => append_number(out, civil.second, 2),
            Element::UpperPm => {
                out.extend_from_slice(if civil.hour >= 12 { b"PM" } else { b"AM" });
            }
            Element::LowerPm => {
                out.extend_from_slice(if civil.hour >= 12 { b"pm" } else { b"am" });
            }
            Element::ZoneName if !zone_name.is_empty() => out.extend_from_slice(&zone_name),
            Element::ZoneName => append_offset(
                out,
                zone_offset,
                Offset {
                    z: false,
                    colon: false,
                    minutes: true,
                    seconds: false,
                },
            ),
            Element::Offset(offset) => append_offset(out, zone_offset, offset),
            Element::Fraction {
                digits,
                separator,
                nines,
            } => append_fraction(out, time.nanoseconds, digits, separator, nines),
        }
    }
    output
}

fn append_offset(output: &mut Vec<u8>, seconds: i64, offset: Offset) {
    if offset.z && seconds == 0 {
        output.push(b'Z');
        return;
    }
    let minutes = seconds / 60;
    output.push(if minutes < 0 { b'-' } else { b'+' });
    let (minutes, seconds) = if minutes < 0 {
        (-minutes, -seconds)
    } else {
        (minutes, seconds)
    };
    append_number(output, minutes / 60, 2);
    if offset.colon {
        output.push(b':');
    }
    if offset.minutes {
        append_number(output, minutes % 60, 2);
    }
    if offset.seconds {
        if offset.colon {
            output.push(b':');
        }
        append_number(output, seconds % 60, 2);
    }
}

fn append_fraction(
    output: &mut Vec<u8>,
    nanoseconds: u32,
    digits: usize,
    separator: u8,
    nines: bool,
) {
    if nines && nanoseconds == 0 {
        return;
    }
    let all = format!("{nanoseconds:09}");
    let mut kept = &all[..digits.min(9)];
    if nines {
        kept = kept.trim_end_matches('0');
        if kept.is_empty() {
            return;
        }
    }
    output.push(separator);
    output.extend_from_slice(kept.as_bytes());
}

/// The quoting of package time, which is not that of strconv.
pub(super) fn quoted(text: &[u8]) -> String {
    let mut quoted = String::from('"');
    let mut rest = text;
    while !rest.is_empty() {
        let (character, width) = decode(rest);
        if !character.is_ascii() || character < ' ' {
            for byte in &rest[..width] {
                quoted.push_str(&format!("\\x{byte:02x}"));
            }
        } else {
            if character == '"' || character == '\\' {
                quoted.push('\\');
            }
            quoted.push(character);
        }
        rest = &rest[width..];
    }
    quoted.push('"');
    debug_assert!(!quoted.contains(REPLACEMENT));
    quoted
}

/// Why an element could not be read.
enum Bad {
    /// It is not there.
    Element,
    /// It is out of range: what it is.
    Range(&'static str),
}

/// What was read of a time.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    is_am: bool,
    is_pm: bool,
    is_utc: bool,
    zone_offset: Option<i64>,
    zone_name: Option<Vec<u8>>,
}

/// `time.ParseInLocation` with the local zone, which is UTC.
///
/// # Errors
///
/// The text is not as the layout says, in Go's words.
pub(in super::super) fn parse(layout: &[u8], text: &[u8]) -> Result<Time, Error> {
    if (layout == RFC3339.as_bytes() || layout == RFC3339_NANO.as_bytes())
        && let Some(time) = parse_rfc3339(text)
    {
        return Ok(time);
    }
    let mut fields = Fields::default();
    let mut layout_rest = layout;
    let mut rest = text;
    let cannot = |element: &[u8], rest: &[u8]| {
        Error::new(format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quoted(text),
            quoted(layout),
            quoted(rest),
            quoted(element)
        ))
    };
    let wrong = |message: &str| Error::new(format!("parsing time {}: {message}", quoted(text)));
    loop {
        let (prefix, element, suffix) = next_element(layout_rest);
        rest = skip(rest, prefix).map_err(|rest| cannot(prefix, rest))?;
        let Some((element, element_text)) = element else {
            if !rest.is_empty() {
                return Err(wrong(&format!("extra text: {}", quoted(rest))));
            }
            break;
        };
        layout_rest = suffix;
        let held = rest;
        match fields.read(element, &mut rest, suffix) {
            Ok(()) => {}
            Err(Bad::Element) => return Err(cannot(element_text, held)),
            Err(Bad::Range(what)) => return Err(wrong(&format!("{what} out of range"))),
        }
    }
    fields.finish().map_err(wrong)
}

/// The text after the prefix, in which runs of spaces are alike.
fn skip<'a>(mut text: &'a [u8], mut prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    while let Some((first, after)) = prefix.split_first() {
        if *first == b' ' {
            if text.first().is_some_and(|byte| *byte != b' ') {
                return Err(text);
            }
            prefix = without_spaces(prefix);
            text = without_spaces(text);
            continue;
        }
        match text.split_first() {
            Some((byte, rest)) if byte == first => text = rest,
            _ => return Err(text),
        }
        prefix = after;
    }
    Ok(text)
}

fn without_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    &text[spaces..]
}

fn take<'a>(text: &mut &'a [u8], count: usize) -> Result<&'a [u8], Bad> {
    let (taken, rest) = text.split_at_checked(count).ok_or(Bad::Element)?;
    *text = rest;
    Ok(taken)
}

/// One digit or two; two if `fixed`.
fn number(text: &mut &[u8], fixed: bool) -> Result<i64, Bad> {
    let digit = |index: usize| {
        text.get(index)
            .filter(|byte| byte.is_ascii_digit())
            .map(|byte| i64::from(byte - b'0'))
    };
    match (digit(0), digit(1)) {
        (Some(first), Some(second)) => {
            *text = &text[2..];
            Ok(first * 10 + second)
        }
        (Some(first), None) if !fixed => {
            *text = &text[1..];
            Ok(first)
        }
        _ => Err(Bad::Element),
    }
}

/// A decimal number with an optional sign.
fn signed(text: &[u8]) -> Result<i64, Bad> {
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut number = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return Err(Bad::Element);
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Ok(if is_negative { -number } else { number })
}

fn lookup(text: &mut &[u8], names: &[&str], length: Option<usize>) -> Result<i64, Bad> {
    for (index, name) in names.iter().enumerate() {
        let name = &name.as_bytes()[..length.unwrap_or(name.len())];
        if text
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
        {
            *text = &text[name.len()..];
            return Ok(index as i64);
        }
    }
    Err(Bad::Element)
}

fn in_range(number: i64, range: std::ops::Range<i64>, what: &'static str) -> Result<i64, Bad> {
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(Bad::Range(what))
    }
}

impl Fields {
    fn read(&mut self, element: Element, rest: &mut &[u8], suffix: &[u8]) -> Result<(), Bad> {
        match element {
            Element::Year => {
                let year = signed(take(rest, 2)?)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Element::LongYear => {
                if rest.len() < 4 || !rest[0].is_ascii_digit() {
                    return Err(Bad::Element);
                }
                self.year = signed(take(rest, 4)?)?;
            }
            Element::Month => self.month = Some(lookup(rest, &MONTHS, Some(3))? + 1),
            Element::LongMonth => self.month = Some(lookup(rest, &MONTHS, None)? + 1),
            Element::NumberMonth | Element::ZeroMonth => {
                let month = number(rest, element == Element::ZeroMonth)?;
                self.month = Some(in_range(month, 1..13, "month")?);
            }
            Element::Weekday => {
                lookup(rest, &WEEKDAYS, Some(3))?;
            }
            Element::LongWeekday => {
                lookup(rest, &WEEKDAYS, None)?;
            }
            Element::Day | Element::UnderDay | Element::ZeroDay => {
                if element == Element::UnderDay {
                    *rest = rest.strip_prefix(b" ").unwrap_or(rest);
                }
                self.day = Some(number(rest, element == Element::ZeroDay)?);
            }
            Element::UnderYearDay | Element::ZeroYearDay => {
                if element == Element::UnderYearDay {
                    for _ in 0..2 {
                        *rest = rest.strip_prefix(b" ").unwrap_or(rest);
                    }
                }
                let digits = rest
                    .iter()
                    .take(3)
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                if digits == 0 || element == Element::ZeroYearDay && digits != 3 {
                    return Err(Bad::Element);
                }
                self.year_day = Some(signed(take(rest, digits)?)?);
            }
            Element::Hour => self.hour = in_range(number(rest, false)?, 0..24, "hour")?,
            Element::Hour12 | Element::ZeroHour12 => {
                let hour = number(rest, element == Element::ZeroHour12)?;
                self.hour = in_range(hour, 0..13, "hour")?;
            }
            Element::Minute | Element::ZeroMinute => {
                let minute = number(rest, element == Element::ZeroMinute)?;
                self.minute = in_range(minute, 0..60, "minute")?;
            }
            Element::Second | Element::ZeroSecond => {
                let second = number(rest, element == Element::ZeroSecond)?;
                self.second = in_range(second, 0..60, "second")?;
                self.read_unannounced_fraction(rest, suffix)?;
            }
            Element::UpperPm => match take(rest, 2)? {
                b"PM" => self.is_pm = true,
                b"AM" => self.is_am = true,
                _ => return Err(Bad::Element),
            },
            Element::LowerPm => match take(rest, 2)? {
                b"pm" => self.is_pm = true,
                b"am" => self.is_am = true,
                _ => return Err(Bad::Element),
            },
            Element::Offset(offset) => {
                if offset.z && rest.starts_with(b"Z") {
                    *rest = &rest[1..];
                    self.is_utc = true;
                } else {
                    self.zone_offset = Some(read_offset(rest, offset)?);
                }
            }
            Element::ZoneName => {
                if rest.starts_with(b"UTC") {
                    self.is_utc = true;
                    *rest = &rest[3..];
                } else {
                    let length = zone_name_length(rest).ok_or(Bad::Element)?;
                    self.zone_name = Some(take(rest, length)?.to_vec());
                }
            }
            Element::Fraction {
                digits,
                nines: false,
                ..
            } => self.nanosecond = nanoseconds(take(rest, 1 + digits)?)?,
            Element::Fraction { nines: true, .. } => {
                if is_fraction(rest) {
                    let digits = digits_from(rest, 1);
                    self.nanosecond = nanoseconds(take(rest, 1 + digits)?)?;
                }
            }
        }
        Ok(())
    }

    /// A fraction after the seconds, of which the layout says nothing.
    fn read_unannounced_fraction(&mut self, rest: &mut &[u8], suffix: &[u8]) -> Result<(), Bad> {
        if !is_fraction(rest)
            || matches!(next_element(suffix).1, Some((Element::Fraction { .. }, _)))
        {
            return Ok(());
        }
        let digits = digits_from(rest, 1);
        self.nanosecond = nanoseconds(take(rest, 1 + digits)?)?;
        Ok(())
    }

    fn finish(self) -> Result<Time, &'static str> {
        let hour = if self.is_pm && self.hour < 12 {
            self.hour + 12
        } else if self.is_am && self.hour == 12 {
            0
        } else {
            self.hour
        };
        let (month, day) = match self.year_day {
            Some(year_day) => {
                let (month, day) =
                    from_year_day(self.year, year_day).ok_or("day-of-year out of range")?;
                if self.month.is_some_and(|known| known != month) {
                    return Err("day-of-year does not match month");
                }
                if self.day.is_some_and(|known| known != day) {
                    return Err("day-of-year does not match day");
                }
                (month, day)
            }
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        if day < 1 || day > days_in(self.year, month) {
            return Err("day out of range");
        }
        let seconds = days_from_civil(self.year, month, day) * 86_400
            + hour * 3600
            + self.minute * 60
            + self.second;
        let nanoseconds = u32::try_from(self.nanosecond).unwrap_or(0);
        let time = |seconds: i64, zone: Zone| Time {
            seconds,
            nanoseconds,
            zone,
        };
        if self.is_utc {
            return Ok(time(seconds, Zone::Utc));
        }
        let name = self.zone_name.unwrap_or_default();
        if let Some(offset) = self.zone_offset {
            let is_local = offset == 0 && (name.is_empty() || name == b"UTC");
            let zone = if is_local {
                Zone::Utc
            } else {
                Zone::Fixed(name.into(), offset)
            };
            return Ok(time(seconds - offset, zone));
        }
        if name.is_empty() {
            return Ok(time(seconds, Zone::Utc));
        }
        // The local zone has no abbreviation of this name.
        let hours = name
            .strip_prefix(b"GMT")
            .filter(|digits| !digits.is_empty())
            .and_then(|digits| signed(digits).ok())
            .unwrap_or(0);
        Ok(time(seconds, Zone::Fixed(name.into(), hours * 3600)))
    }
}

fn is_fraction(text: &[u8]) -> bool {
    matches!(text, [b'.' | b',', digit, ..] if digit.is_ascii_digit())
}

fn digits_from(text: &[u8], start: usize) -> usize {
    text[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// A separator and digits, as nanoseconds.
fn nanoseconds(text: &[u8]) -> Result<i64, Bad> {
    let [b'.' | b',', digits @ ..] = text else {
        return Err(Bad::Element);
    };
    let digits = &digits[..digits.len().min(9)];
    let number = signed(digits)?;
    if number < 0 {
        return Err(Bad::Range("fractional second"));
    }
    let missing = u32::try_from(9 - digits.len()).unwrap_or(0);
    Ok(number * 10_i64.pow(missing))
}

fn read_offset(rest: &mut &[u8], offset: Offset) -> Result<i64, Bad> {
    let length = 3
        + if offset.minutes { 2 } else { 0 }
        + if offset.seconds { 2 } else { 0 }
        + if offset.colon {
            1 + usize::from(offset.seconds)
        } else {
            0
        };
    let text = rest.get(..length).ok_or(Bad::Element)?;
    if offset.colon && (text[3] != b':' || offset.seconds && text[6] != b':') {
        return Err(Bad::Element);
    }
    *rest = &rest[length..];
    let step = 2 + usize::from(offset.colon);
    let part = |index: usize| {
        let start = 1 + step * index;
        let mut digits = &text[start..start + 2];
        number(&mut digits, true)
    };
    // A part that cannot be read ends the reading, but those before it have to be in range first.
    let mut parts = [0; 3];
    let mut is_bad = false;
    let count = 1 + usize::from(offset.minutes) + usize::from(offset.seconds);
    for (index, part_of_three) in parts.iter_mut().enumerate().take(count) {
        match part(index) {
            Ok(number) => *part_of_three = number,
            Err(_) => {
                is_bad = true;
                break;
            }
        }
    }
    let [hours, minutes, seconds] = parts;
    if hours > 24 {
        return Err(Bad::Range("time zone offset hour"));
    }
    if minutes > 60 {
        return Err(Bad::Range("time zone offset minute"));
    }
    if seconds > 60 {
        return Err(Bad::Range("time zone offset second"));
    }
    if is_bad {
        return Err(Bad::Element);
    }
    let total = (hours * 60 + minutes) * 60 + seconds;
    match text[0] {
        b'+' => Ok(total),
        b'-' => Ok(-total),
        _ => Err(Bad::Element),
    }
}

/// The length of an abbreviation of a time zone.
fn zone_name_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if text.starts_with(b"GMT") {
        return Some(3 + signed_offset_length(&text[3..]));
    }
    if matches!(text[0], b'+' | b'-') {
        return Some(signed_offset_length(text)).filter(|length| *length > 0);
    }
    let capitals = text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    match capitals {
        3 => Some(3),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        5 if text[4] == b'T' => Some(5),
        _ => None,
    }
}

/// The length of a sign and hours up to 23.
fn signed_offset_length(text: &[u8]) -> usize {
    if !matches!(text.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let digits = digits_from(text, 1);
    let is_small = signed(&text[1..(1 + digits).min(19)]).is_ok_and(|hours| hours <= 23);
    if digits == 0 || !is_small {
        return 0;
    }
    1 + digits
}

fn from_year_day(year: i64, year_day: i64) -> Option<(i64, i64)> {
    let mut day = year_day;
    if day < 1 {
        return None;
    }
    for month in 1..=12 {
        let days = days_in(year, month);
        if day <= days {
            return Some((month, day));
        }
        day -= days;
    }
    None
}

/// The form that Go reads faster, and a little more strictly.
fn parse_rfc3339(text: &[u8]) -> Option<Time> {
    let field = |from: usize, to: usize, range: std::ops::RangeInclusive<i64>| {
        let digits = text.get(from..to)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        signed(digits).ok().filter(|number| range.contains(number))
    };
    let year = field(0, 4, 0..=9999)?;
    let month = field(5, 7, 1..=12)?;
    let day = field(8, 10, 1..=days_in(year, month))?;
    let hour = field(11, 13, 0..=23)?;
    let minute = field(14, 16, 0..=59)?;
    let second = field(17, 19, 0..=59)?;
    for (position, separator) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if text[position] != separator {
            return None;
        }
    }
    let mut rest = &text[19..];
    let mut nanosecond = 0;
    if rest.starts_with(b".") && is_fraction(rest) {
        let digits = digits_from(rest, 1);
        nanosecond = nanoseconds(&rest[..=digits]).ok()?;
        rest = &rest[1 + digits..];
    }
    let mut time = Time {
        seconds: days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second,
        nanoseconds: u32::try_from(nanosecond).unwrap_or(0),
        zone: Zone::Utc,
    };
    match rest {
        b"Z" => {}
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let start = text.len() - 5;
            let hours = field(start, start + 2, 0..=23)?;
            let minutes = field(start + 3, start + 5, 0..=59)?;
            let mut offset = (hours * 60 + minutes) * 60;
            if *sign == b'-' {
                offset = -offset;
            }
            time.seconds -= offset;
            if offset != 0 {
                time.zone = Zone::Fixed("".into(), offset);
            }
        }
        _ => return None,
    }
    Some(time)
}
