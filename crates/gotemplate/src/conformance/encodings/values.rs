//! Values to print, in the form that [`value`](super::super::value) reads.

use serde_json::{Map as Members, Value as Json, json};

use super::super::text as plain_text;
use super::texts::SCALARS;
use super::{Random, RandomExt};

const PIECES: &[&str] = &[
    "a", "b", "word", "another", "10", "2", " ", " ", " ", "  ", "\n", "\n", "\n\n", "\t", ":",
    ": ", " #", "#", "-", "- ", "? ", "'", "\"", "\\", ",", "[", "]", "{", "}", "&", "*", "!", "|",
    ">", "%", "@", "`", "é", "日本", "😀", "\u{a0}", "\u{ad}", "\u{2028}", "\u{2029}", "\u{feff}",
    "\u{fffd}", "\u{e000}", "---", "...", "<&>",
];

/// Pieces that JSON or YAML cannot hold as they are.
const ODD_PIECES: &[&str] = &[
    "\r",
    "\r\n",
    "\0",
    "\u{1}",
    "\u{7}",
    "\u{8}",
    "\u{b}",
    "\u{c}",
    "\u{1b}",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "\u{9f}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10ffff}",
];

const KEYS: &[&str] = &[
    "a",
    "b",
    "ab",
    "a1",
    "a2",
    "a10",
    "a01",
    "a001",
    "a1b",
    "a1.5",
    "1",
    "2",
    "10",
    "02",
    "002",
    "0",
    "00",
    "A",
    "B",
    "Z",
    "z",
    "_",
    "-",
    ".",
    "a-b",
    "a_b",
    "a.b",
    "a b",
    "é",
    "É",
    "ß",
    "日本",
    "😀",
    "a😀",
    "１",
    "２",
    "१",
    "a१",
    "",
    "yes",
    "true",
    "null",
    "1.5",
    "<<",
    "~",
    "key",
    "key1",
    "key10",
    "key2",
    "v1.10.0",
    "v1.9.0",
    "10a",
    "9a",
    "99999999999999999999",
    "99999999999999999998",
    "a99999999999999999999b",
    "x/y",
    "app.kubernetes.io/name",
    "0x10",
];

/// A value.
pub(super) fn value(random: &mut Random) -> Json {
    let depth = random.below(4);
    nested(random, depth)
}

fn nested(random: &mut Random, depth: usize) -> Json {
    if depth == 0 || random.once_in(5) {
        return scalar(random);
    }
    let count = random.below(4);
    match random.below(16) {
        0 if random.once_in(2) => json!({"map": ["interface {}", null]}),
        0 => json!({"list": ["interface {}", null]}),
        1..=6 => {
            let items: Vec<Json> = (0..count).map(|_| nested(random, depth - 1)).collect();
            json!({"list": ["interface {}", items]})
        }
        _ => {
            let entries: Members<String, Json> = (0..count + random.below(2))
                .map(|_| (key(random), nested(random, depth - 1)))
                .collect();
            json!({"map": ["interface {}", entries]})
        }
    }
}

fn key(random: &mut Random) -> String {
    match random.below(40) {
        0 => string(random),
        1 if random.once_in(3) => {
            let key = "long key ".repeat(1 + random.below(16));
            key.trim_end().to_owned()
        }
        2 if random.once_in(3) => "k".repeat(126 + random.below(5)),
        3 if random.once_in(12) => "k".repeat(1018 + random.below(8)),
        4 => SCALARS[random.below(SCALARS.len())].to_owned(),
        _ => random.pick(KEYS).to_owned(),
    }
}

fn scalar(random: &mut Random) -> Json {
    match random.below(24) {
        0 => Json::Null,
        1 => json!({"bool": random.once_in(2)}),
        2 => json!({"int": integer(random).to_string()}),
        3 => json!({"int64": integer(random).to_string()}),
        4 => json!({"uint64": (integer(random) as u64).to_string()}),
        5 | 6 => json!({"float64": float(random).to_string()}),
        7 if random.once_in(3) => json!({"float32": (float(random) as f32).to_string()}),
        8 if random.once_in(3) => json!({"bytes": plain_text(string(random).as_bytes())}),
        9..=12 => text(SCALARS[random.below(SCALARS.len())].as_bytes()),
        13 if random.once_in(4) => {
            let mut bytes = string(random).into_bytes();
            let at = random.below(bytes.len() + 1);
            bytes.insert(at, 0x80 | random.byte());
            if random.once_in(3) {
                bytes.extend("long".repeat(20).bytes());
            }
            text(&bytes)
        }
        14 if random.once_in(2) => text(paragraph(random).as_bytes()),
        16 => text(lines(random).as_bytes()),
        _ => text(string(random).as_bytes()),
    }
}

fn integer(random: &mut Random) -> i64 {
    let bits = random.below(64) as u32;
    let number = (random.bits() >> bits) as i64;
    match random.below(8) {
        0 => i64::MIN,
        1 => i64::MAX,
        2 => -number.abs().max(1),
        3 => 10_i64.pow(random.below(19) as u32),
        _ => number,
    }
}

fn float(random: &mut Random) -> f64 {
    match random.below(12) {
        0 if random.once_in(4) => [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][random.below(3)],
        3 => [-0.0, 0.0, 5e-324, f64::MAX, f64::MIN_POSITIVE][random.below(5)],
        4 => f64::from_bits(random.bits()),
        5 | 6 => integer(random) as f64,
        7 => 10_f64.powi(random.below(60) as i32 - 30),
        8 => integer(random) as f64 / 1e6,
        _ => random.below(1_000_000) as f64 / [1.0, 10.0, 100.0, 1e9][random.below(4)],
    }
}

fn string(random: &mut Random) -> String {
    (0..random.below(7))
        .map(|_| {
            if random.once_in(100) {
                random.pick(ODD_PIECES)
            } else {
                random.pick(PIECES)
            }
        })
        .collect()
}

/// A line that is long enough to be folded.
fn paragraph(random: &mut Random) -> String {
    let mut line = String::new();
    let length = 60 + random.below(110);
    while line.chars().count() < length {
        line.push_str(random.pick(&[
            "word ",
            "longer-word ",
            "a ",
            "é ",
            "  ",
            "x",
            "http://example.com/some/path ",
            "it's ",
            "\"q\" ",
            "日本 ",
            "key: ",
            "😀",
        ]));
    }
    line.truncate(line.trim_end().len());
    if random.once_in(8) {
        line.push(' ');
    }
    line
}

/// Lines as configuration files have them.
fn lines(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..1 + random.below(6) {
        text.push_str(random.pick(&[
            "key = value",
            "  indented",
            "# comment",
            "",
            "",
            " ",
            "trailing ",
            "\ttab",
            "- item",
            "a: b",
            "é",
            "end",
        ]));
        text.push_str(random.pick(&["\n", "\n", "\n", "\n\n", ""]));
    }
    text
}

fn text(bytes: &[u8]) -> Json {
    json!({"string": plain_text(bytes)})
}
