//! One log line: an hclog JSON object that a host accepts.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::Level;

/// Fields in the order they were recorded.
pub(super) type Fields = Vec<(&'static str, Value)>;

/// Hosts read lines into a buffer of 65536 bytes and take what is longer for plain text (go-plugin
/// `client.go`, `stdErrBufferSize`).
const MAX_LINE_BYTES: usize = 60 * 1024;

/// How much of a single text is kept when the line is too long, at first and at last.
const MAX_TEXT_BYTES: usize = 16 * 1024;
const MIN_TEXT_BYTES: usize = 64;

/// The keys that hclog gives a meaning.
const RESERVED: [&str; 5] = ["@caller", "@level", "@message", "@module", "@timestamp"];

/// What a line says besides its fields.
pub(super) struct Head<'a> {
    pub(super) level: Level,
    pub(super) message: &'a str,
    pub(super) target: &'a str,
    pub(super) timestamp: Timestamp,
}

/// The line for an event, with its end. Of fields with one name the last counts.
pub(super) fn format(head: &Head<'_>, fields: &Fields) -> String {
    let mut limit = usize::MAX;
    loop {
        let mut line = Value::Object(object(head, fields, limit)).to_string();
        if line.len() < MAX_LINE_BYTES {
            line.push('\n');
            return line;
        }
        limit = match limit {
            usize::MAX => MAX_TEXT_BYTES,
            _ => limit / 2,
        };
        if limit < MIN_TEXT_BYTES {
            // Thousands of fields: what matters most still gets through.
            let only_dropped = vec![("fields_dropped", Value::from(fields.len()))];
            let mut line = Value::Object(object(head, &only_dropped, MIN_TEXT_BYTES)).to_string();
            line.push('\n');
            return line;
        }
    }
}

fn object(head: &Head<'_>, fields: &Fields, limit: usize) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in fields {
        let value = match value {
            Value::String(text) => Value::from(truncate(text, limit)),
            other => other.clone(),
        };
        object.insert(key(name), value);
    }
    let level = match head.level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    };
    object.insert("@level".to_owned(), level.into());
    object.insert("@message".to_owned(), truncate(head.message, limit).into());
    // Modules have dots in Go's world.
    let module = head.target.replace("::", ".");
    object.insert("@module".to_owned(), truncate(&module, limit).into());
    // Exactly six digits: hosts parse this one layout.
    let timestamp = head
        .timestamp
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    object.insert("@timestamp".to_owned(), timestamp.into());
    object
}

fn key(name: &str) -> String {
    if RESERVED.contains(&name) {
        name.replacen('@', "field_", 1)
    } else {
        // Raw identifiers, such as r#type, are written as they are spelled elsewhere.
        name.strip_prefix("r#").unwrap_or(name).to_owned()
    }
}

fn truncate(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut kept = text[..text.floor_char_boundary(limit)].to_owned();
    let _ = write!(kept, "… (truncated, {} bytes in all)", text.len());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(message: &str) -> Head<'_> {
        Head {
            level: Level::INFO,
            message,
            target: "provider::cluster",
            timestamp: Timestamp::constant(1_767_323_045, 123_456_789),
        }
    }

    #[test]
    fn lines() {
        const REST: &str =
            r#""@module":"provider.cluster","@timestamp":"2026-01-02T03:04:05.123456Z""#;
        let cases: [(&str, &str, Fields, String); 5] = [
            (
                "no fields",
                "hello",
                vec![],
                format!(r#"{{"@level":"info","@message":"hello",{REST}}}"#),
            ),
            (
                "fields keep their types",
                "hello",
                vec![
                    ("count", 3.into()),
                    ("done", true.into()),
                    ("name", "a\"b\nc".into()),
                ],
                format!(
                    r#"{{"@level":"info","@message":"hello",{REST},"count":3,"done":true,"name":"a\"b\nc"}}"#
                ),
            ),
            (
                "reserved keys stay ours",
                "hello",
                vec![
                    ("@level", 1.into()),
                    ("@message", 2.into()),
                    ("@module", 3.into()),
                    ("@timestamp", 4.into()),
                ],
                format!(
                    r#"{{"@level":"info","@message":"hello",{REST},"field_level":1,"field_message":2,"field_module":3,"field_timestamp":4}}"#
                ),
            ),
            (
                "the last of one name counts",
                "",
                vec![("a", 1.into()), ("a", 2.into())],
                format!(r#"{{"@level":"info","@message":"",{REST},"a":2}}"#),
            ),
            (
                "raw identifiers",
                "x",
                vec![("r#type", "t".into())],
                format!(r#"{{"@level":"info","@message":"x",{REST},"type":"t"}}"#),
            ),
        ];
        for (name, message, fields, expected) in cases {
            assert_eq!(format(&head(message), &fields), expected + "\n", "{name}");
        }
    }

    #[test]
    fn level_names() {
        let cases = [
            (Level::TRACE, r#"{"@level":"trace","#),
            (Level::DEBUG, r#"{"@level":"debug","#),
            (Level::INFO, r#"{"@level":"info","#),
            (Level::WARN, r#"{"@level":"warn","#),
            (Level::ERROR, r#"{"@level":"error","#),
        ];
        for (level, expected) in cases {
            let line = format(&Head { level, ..head("") }, &vec![]);
            assert!(line.starts_with(expected), "{line}");
        }
    }

    #[test]
    fn timestamps_have_six_digits() {
        let cases = [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (1_767_323_045, 5_000, "2026-01-02T03:04:05.000005Z"),
            (1_767_323_045, 999_999_999, "2026-01-02T03:04:05.999999Z"),
            (1_709_210_096, 120_000_000, "2024-02-29T12:34:56.120000Z"),
        ];
        for (seconds, nanoseconds, expected) in cases {
            let timestamp = Timestamp::constant(seconds, nanoseconds);
            let line = format(
                &Head {
                    timestamp,
                    ..head("")
                },
                &vec![],
            );
            let object: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(object["@timestamp"], expected);
        }
    }

    #[test]
    fn long_lines_fit_the_buffer_of_the_host() {
        let big = "x".repeat(100_000);
        // Six bytes of JSON for each byte of text.
        let escaped = "\u{1}".repeat(100_000);
        let wide = "€".repeat(100_000);
        let cases: [(&str, &str, Fields); 6] = [
            ("message", &big, vec![("a", 1.into())]),
            ("field", "m", vec![("a", big.clone().into())]),
            ("escapes", &escaped, vec![("a", escaped.clone().into())]),
            ("wide characters", &wide, vec![("a", wide.clone().into())]),
            ("many long fields", "m", vec![("a", big.clone().into()); 3]),
            (
                "many fields",
                "m",
                (0..6000)
                    .map(|number| (&*format!("field_number_{number}").leak(), 1.into()))
                    .collect(),
            ),
        ];
        for (name, message, fields) in cases {
            let line = format(&head(message), &fields);
            assert!(line.len() < 65_536, "{name}: {} bytes", line.len());
            assert_eq!(line.matches('\n').count(), 1, "{name}");
            let object: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(object["@level"], "info", "{name}");
            let mark = match name {
                "many fields" => "\"fields_dropped\":6000",
                _ => "bytes in all)",
            };
            assert!(line.contains(mark), "{name}");
        }
    }
}
