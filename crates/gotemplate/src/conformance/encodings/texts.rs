//! YAML and JSON texts: valid, tricky and broken.

use super::{Random, RandomExt};

/// Scalars that the resolver may take for something else than a string.
pub(super) const SCALARS: &[&str] = &[
    "",
    "~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "true",
    "True",
    "TRUE",
    "tRUE",
    "false",
    "False",
    "FALSE",
    "y",
    "Y",
    "yes",
    "Yes",
    "YES",
    "yEs",
    "on",
    "On",
    "ON",
    "n",
    "N",
    "no",
    "No",
    "NO",
    "off",
    "Off",
    "OFF",
    "0",
    "00",
    "-0",
    "+0",
    "1",
    "-1",
    "+1",
    "007",
    "0755",
    "0o755",
    "0O755",
    "-0o7",
    "08",
    "09.5",
    "0x",
    "0x1F",
    "0X1f",
    "-0x1F",
    "0xG",
    "0b",
    "0b101",
    "0B101",
    "-0b101",
    "+0b1",
    "0b-101",
    "0b2",
    "-0b-1",
    "0o",
    "0o8",
    "1_000",
    "_1",
    "1_",
    "1__0",
    "0x_1",
    "0_7",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "0xffffffffffffffff",
    "0x10000000000000000",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1.",
    "1.5",
    ".5",
    "-.5",
    "+.5",
    ".",
    "..",
    "-",
    "+",
    "+.",
    "-.",
    ".e1",
    "1e",
    "1e+",
    "1.5e3",
    "1_0.5_0",
    "._5",
    ".5_0",
    ".5_",
    "1e999",
    "-1e999",
    "1e-999",
    ".1e999",
    "123456789.125",
    "1e21",
    "1e20",
    "1e-7",
    "0.000001",
    "100000000000000000000",
    "3.4028235e38",
    "16777217",
    "0.1",
    ".inf",
    ".Inf",
    ".INF",
    ".iNF",
    "+.inf",
    "-.inf",
    "-.INF",
    ".nan",
    ".NaN",
    ".NAN",
    ".Nan",
    "inf",
    "nan",
    "NaN",
    "Infinity",
    "2001-12-14",
    "2001-1-2",
    "2001-13-01",
    "2001-02-29",
    "2000-02-29",
    "2001-12-14T21:59:43Z",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43",
    "2001-12-14  21:59:43.5",
    "2001-12-14 21:59:43.10 -5",
    "2001-12-14T21:59:43,5Z",
    "2001-12-14T24:00:00Z",
    "2001-12-14T1:2:3Z",
    "2001-12-14T21:59:43+24:60",
    "2001-12-14T21:59:43+25:00",
    "2001-12-14T21:59:43",
    "12001-12-14",
    "190:20:30",
    "1:20",
    "1:60",
    "-1:2:3.5",
    "12:30:45",
    "1:2:",
    "+1_0:59",
    "1:5_9",
    "0:0.5_",
    "<<",
    "=",
    "a",
    "a b",
    "a-b",
    "a:b",
    "a:",
    ":a",
    "a #b",
    "a#b",
    "é",
    "日本",
    "😀",
    "\u{a0}",
    "\u{ad}",
    "null ",
    "truefalse",
    "0x1p3",
    "0x1.8",
    "1,000",
    "1.2.3",
    "v1.2.3",
    "1e1e1",
    "١٢",
];

const TAGS: &[&str] = &[
    "!!str",
    "!!int",
    "!!float",
    "!!bool",
    "!!null",
    "!!binary",
    "!!timestamp",
    "!!merge",
    "!!seq",
    "!!map",
    "!!set",
    "!",
    "!foo",
    "!e!x",
    "!<tag:yaml.org,2002:str>",
    "!<x>",
    "!!",
    "!a!",
    "!%41b",
    "!<a",
    "!\u{e9}",
    "!!st%72",
    "!%ff",
    "!%zz",
    "!%c3%a9",
    "!%c3%41",
];

const WORDS: &[&str] = &[
    "a",
    "b",
    "key",
    "name",
    "value",
    "x y",
    "foo-bar",
    "a.b/c",
    "é",
    "日本",
    "1",
    "2",
    "yes",
    "no",
    "port",
    "http://x.y/z?a=b&c=d",
    "a, b",
    "it's",
    "say \"x\"",
    "<<",
    "-x",
    "?x",
    ":x",
    "a:b",
    "C#",
    "100%",
    "@x",
    "`x",
    "%x",
    "x: y",
    "x #y",
    "{x",
    "x}",
    "[x",
    "x]",
    "*x",
    "&x",
    "!x",
    "|x",
    ">x",
    "---",
    "...",
    "--- x",
    "😀",
    "\t",
    "a\tb",
];

/// Pieces of which texts without any structure are made.
const PIECES: &[&str] = &[
    "a",
    "b",
    "1",
    "yes",
    "key",
    ": ",
    ":",
    " :",
    "- ",
    "-",
    "\n",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "\n ",
    " ",
    "  ",
    "\t",
    "\n\t",
    "? ",
    "?",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ",",
    "#c",
    " # c",
    "&a ",
    "*a",
    "*b",
    "!!int ",
    "!x ",
    "! ",
    "|",
    ">",
    "|\n",
    ">-\n",
    "|2\n",
    "|+\n",
    ">1-\n",
    "|0\n",
    "|22\n",
    "'",
    "\"",
    "''",
    "\\",
    "\\n",
    "\\x41",
    "\\u00e9",
    "\\U0001F600",
    "\\ud800",
    "\\q",
    "\\\n",
    "---\n",
    "--- ",
    "...\n",
    "%YAML 1.1\n",
    "%YAML 1.2\n",
    "%TAG ! x\n",
    "%TAG !e! tag:e,2:\n",
    "%FOO\n",
    "%",
    "<<: ",
    "<<: *a",
    "@",
    "`",
    "\r\n",
    "\r",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{a0}",
    "é",
    "😀",
    "~",
    "null",
    "0x1f",
    "a: b\n",
    "- a\n",
    "a:\n",
    "-\n",
    "{a: b}",
    "[a, b]",
    "\"x\"",
    "'x'",
    "x: &a\n  y: 1\n",
];

/// Texts at the bounds, and some that chance seldom makes.
pub(super) fn special() -> Vec<Vec<u8>> {
    let repeated = |text: &str, times: usize| text.repeat(times);
    let aliases = |levels: usize, width: usize| {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..levels {
            let inner = repeated(&format!("*a{}, ", level - 1), width);
            text.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        text
    };
    let nested = |count: usize| {
        (0..count)
            .map(|level| " ".repeat(level) + "a:\n")
            .collect::<String>()
    };
    let key = |length: usize| format!("{}: x\n", repeated("k", length));
    let mut texts = vec![
        repeated("[", 9_999) + &repeated("]", 9_999),
        repeated("[", 10_000) + &repeated("]", 10_000),
        repeated("[", 10_001) + &repeated("]", 10_001),
        repeated("{a: ", 3_000) + &repeated("}", 3_000),
        repeated("- ", 5_000),
        repeated("- ", 5_000) + &repeated("[", 5_000) + &repeated("]", 5_000),
        repeated("- ", 5_000) + &repeated("[", 5_001) + &repeated("]", 5_001),
        repeated("- ", 10_001),
        repeated("? ", 10_001),
        nested(150),
        aliases(4, 9),
        aliases(7, 9),
        aliases(9, 9),
        "a: &a [1]\n".to_owned() + &repeated("- *a\n", 100),
        "a: &a [1]\nb: [".to_owned() + &repeated("*a, ", 600) + "]\n",
        "a: &a {x: 1}\nb:\n".to_owned() + &repeated("- {<<: *a, y: 2}\n", 300),
        key(1023),
        key(1024),
        key(1025),
        format!("{{{}}}", key(1024)),
        format!("? {}", key(1025)),
        format!("\"{}\": x\n", repeated("k", 1025)),
        "&a [*a]".into(),
        "a: &a {<<: *a}".into(),
        "a: &a {b: *a}".into(),
        "<<: [{a: 1}, {a: 2, b: 3}]\nb: 4\n".into(),
        "b: 4\n<<: {a: 1, b: 2}\n".into(),
        "<<: [[{a: 1}]]".into(),
        "<<: [x]".into(),
        "x: &x [{a: 1}]\n<<: *x\n".into(),
        "!!merge <<: {a: 1}".into(),
        "\"<<\": {a: 1}".into(),
        "%TAG !e! tag:e:\n%TAG !e! tag:f:\n---\n!e!x a".into(),
        "%YAML 1.1\n%YAML 1.1\n---\na".into(),
        "%YAML 100.1\n---\na".into(),
        "%YAML 1.100\n---\na".into(),
        "%YAML 1.1 # c\n--- a".into(),
        "[]: x".into(),
        "{}: x".into(),
        "[a]: x".into(),
        "[a, [b]]: x".into(),
        "? [a]\n: x".into(),
        "? {a: 1, b: [~, 1.5, true, 18446744073709551615]}\n: x".into(),
        "[a: b, c: d]".into(),
        "[? a : b]".into(),
        "[?]".into(),
        "[? , a]".into(),
        "[: a]".into(),
        "{: a}".into(),
        "{a, b: , ? c}".into(),
        "{a: [}".into(),
        "- a\n b".into(),
        "a:\n- b\n c: d".into(),
        "a: 'b'c".into(),
        "a: \"b\" c: d".into(),
        "--- |\n a\n--- b".into(),
        "--- >\n\n a\n b\n\n\n  c\n d\n".into(),
        "a: |\n\n\n  x\n \n".into(),
        "a: |\n   x\n  y\n".into(),
        "\u{feff}\u{feff}a: b\nc: d\ne: f".into(),
        "a: b\n\u{feff}c: d\n".into(),
        format!("#{}\n\u{feff}c: d\n", repeated("x", 510)),
        format!("#{}\n\u{1}c: d\n", repeated("x", 510)),
        format!("a: b: c\n#{}\u{1}", repeated("x", 400)),
        format!("a: b: c\n#{}\u{1}", repeated("x", 600)),
        repeated("\u{e9}", 300) + "\u{7f}",
        "a: 1\na: 2\n1: x\n\"b\": y\n".into(),
        "0.1: a\n1e3: b\n-.inf: c\n0x10: d\n2001-01-01: e\n".into(),
        "123456789.123: a\n16777217.0: b\n".into(),
        "".into(),
        "\n".into(),
        "# only\n".into(),
        "---\n".into(),
        "---\n---\na: 1\n".into(),
        "...\n".into(),
        "a\n...\n...\nb".into(),
        "\t".into(),
        "a:\tb".into(),
        "a:\n\tb: c".into(),
        "-\ta".into(),
        "- \ta: b".into(),
    ];
    texts.push("\u{feff}a: b".into());
    let mut texts: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    texts.push(b"a: \xff".to_vec());
    texts.push(b"a: \xc0\x80".to_vec());
    texts.push(b"a: \xed\xa0\x80".to_vec());
    texts.push(b"a: \xf5\x80\x80\x80".to_vec());
    texts.push(b"\xff\xfea\0:\0 \0b\0".to_vec());
    texts.push(b"\xff\xfea\0:\0 \0b".to_vec());
    texts.push(b"\xfe\xff\0a\0:\0 \xd8\x3d\xde\x00".to_vec());
    texts.push(b"\xfe\xff\0a\0:\0 \xd8\x3d\0a".to_vec());
    texts.push(b"\xfe\xff\0a\0:\0 \xde\x3d\0a".to_vec());
    texts.push(b"\xfe\xff\0a\0:\0 \xd8\x3d".to_vec());
    texts
}

/// A YAML text.
pub(super) fn yaml(random: &mut Random) -> Vec<u8> {
    let mut text = match random.below(10) {
        0..=4 => structured(random).into_bytes(),
        5..=6 => pieces(random).into_bytes(),
        7..=8 => scalar_in_place(random).into_bytes(),
        _ => {
            let mut text = json(random);
            damage(random, &mut text);
            return text;
        }
    };
    match random.below(12) {
        0..=3 => damage(random, &mut text),
        4 if random.once_in(3) => text = utf16(&text, random.once_in(2)),
        5 if random.once_in(3) => text.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        6 if random.once_in(3) => {
            // Beyond the portions in which the text is read.
            let comment = format!("#{}\n", "x".repeat(490 + random.below(40)));
            text.splice(0..0, comment.into_bytes()).for_each(drop);
        }
        _ => {}
    }
    text
}

fn utf16(text: &[u8], little: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

/// Changes some bytes or characters.
fn damage(random: &mut Random, text: &mut Vec<u8>) {
    for _ in 0..=random.below(2) {
        let at = random.below(text.len() + 1);
        match random.below(8) {
            0 | 1 if at < text.len() => {
                text.remove(at);
            }
            2 => text.truncate(at),
            3 if random.once_in(3) => text.insert(at, random.byte()),
            4 if at < text.len() && random.once_in(3) => text[at] = random.byte(),
            5 => {
                let end = (at + random.below(8)).min(text.len());
                let copy = text[at..end].to_vec();
                text.splice(at..at, copy).for_each(drop);
            }
            _ => {
                let piece = random.pick(PIECES).bytes();
                text.splice(at..at, piece).for_each(drop);
            }
        }
    }
}

fn pieces(random: &mut Random) -> String {
    (0..1 + random.below(12))
        .map(|_| random.pick(PIECES))
        .collect()
}

fn scalar_in_place(random: &mut Random) -> String {
    let scalar = random.pick(SCALARS);
    let scalar = match random.below(6) {
        0 => format!("{} {scalar}", random.pick(TAGS)),
        1 => format!("{} \"{scalar}\"", random.pick(TAGS)),
        2 => format!("{} '{scalar}'", random.pick(TAGS)),
        _ => scalar.to_owned(),
    };
    match random.below(9) {
        0 => scalar,
        1 => format!("- {scalar}"),
        2 => format!("{scalar}: {}", random.pick(SCALARS)),
        3 => format!("[{scalar}, {}]", random.pick(SCALARS)),
        4 => format!("{{{scalar}: {}}}", random.pick(SCALARS)),
        5 => format!("a: {scalar}\nb: {}\n", random.pick(SCALARS)),
        6 => format!("? {scalar}\n: {}\n", random.pick(SCALARS)),
        7 => format!("--- {scalar}\n...\n"),
        _ => format!("a: {scalar}\n"),
    }
}

/// A text of nested collections.
fn structured(random: &mut Random) -> String {
    let mut text = String::new();
    match random.below(12) {
        0 => text.push_str("---\n"),
        1 => text.push_str("%YAML 1.1\n---\n"),
        2 => text.push_str("%TAG !e! tag:example.com,2000:\n---\n"),
        3 => text.push_str("# comment\n\n"),
        4 => text.push_str("--- "),
        _ => {}
    }
    let mut writer = Writer {
        random,
        anchors: 0,
        budget: 14,
    };
    writer.block(&mut text, 0, 0);
    match random.below(10) {
        0 => text.push_str("...\n"),
        1 => text.push_str("---\nsecond: document\n"),
        2 => text.push_str("--- \n: broken: [\n"),
        _ => {}
    }
    text
}

struct Writer<'a> {
    random: &'a mut Random,
    anchors: usize,
    budget: usize,
}

impl Writer<'_> {
    /// A node whose first line stands at the indentation already, or after an indicator.
    fn block(&mut self, text: &mut String, indent: usize, depth: usize) {
        self.budget = self.budget.saturating_sub(1);
        let kind = self
            .random
            .below(if depth > 4 || self.budget == 0 { 4 } else { 10 });
        match kind {
            0..=2 => {
                self.properties(text);
                self.scalar(text);
                self.line_end(text);
            }
            3 => self.block_scalar(text, indent),
            4 => {
                self.properties(text);
                self.flow(text, depth);
                self.line_end(text);
            }
            5..=6 => {
                for index in 0..1 + self.random.below(3) {
                    if index > 0 {
                        text.push_str(&" ".repeat(indent));
                    }
                    text.push_str("- ");
                    let more = self.random.below(2);
                    text.push_str(&" ".repeat(more));
                    self.block(text, indent + 2 + more, depth + 1);
                }
            }
            _ => {
                for index in 0..1 + self.random.below(4) {
                    if index > 0 {
                        text.push_str(&" ".repeat(indent));
                    }
                    self.entry(text, indent, depth);
                }
            }
        }
    }

    fn entry(&mut self, text: &mut String, indent: usize, depth: usize) {
        if self.random.once_in(14) {
            text.push_str("? ");
            self.block(text, indent + 2, depth + 2);
            if !self.random.once_in(5) {
                text.push_str(&" ".repeat(indent));
                text.push_str(": ");
                self.block(text, indent + 2, depth + 2);
            }
            return;
        }
        if self.random.once_in(9) && self.anchors > 0 {
            text.push_str("<<: ");
            self.alias(text);
            self.line_end(text);
            return;
        }
        if self.random.once_in(10) {
            self.properties(text);
        }
        if self.random.once_in(6) {
            self.scalar(text);
        } else {
            let keys = [
                "a", "b", "c", "key", "name", "a1", "10", "yes", "x y", "\"q\"", "'s'", "é",
            ];
            text.push_str(self.random.pick(&keys));
        }
        text.push(':');
        match self.random.below(7) {
            0 => {
                self.line_end(text);
                // Perhaps nothing, or something indented.
                if self.random.once_in(2) {
                    return;
                }
                let deeper = indent + self.random.below(4);
                text.push_str(&" ".repeat(deeper));
                self.block(text, deeper, depth + 1);
            }
            1 | 2 => {
                text.push(' ');
                self.properties(text);
                self.line_end(text);
                let deeper = indent + 1 + self.random.below(3);
                text.push_str(&" ".repeat(deeper));
                self.block(text, deeper, depth + 1);
            }
            3 => {
                self.line_end(text);
                for _ in 0..1 + self.random.below(3) {
                    text.push_str(&" ".repeat(indent));
                    text.push_str("- ");
                    self.block(text, indent + 2, depth + 1);
                }
            }
            _ => {
                text.push(' ');
                self.properties(text);
                if self.random.once_in(4) {
                    self.flow(text, depth);
                    self.line_end(text);
                } else if self.random.once_in(5) {
                    self.block_scalar(text, indent);
                } else {
                    self.scalar(text);
                    self.line_end(text);
                }
            }
        }
    }

    fn alias(&mut self, text: &mut String) {
        let anchor = self.random.below(self.anchors.max(1));
        text.push_str(&format!("*x{anchor}"));
    }

    fn properties(&mut self, text: &mut String) {
        if self.random.once_in(7) {
            text.push_str(&format!("&x{} ", self.anchors));
            self.anchors += 1;
        }
        if self.random.once_in(12) {
            text.push_str(self.random.pick(TAGS));
            text.push(' ');
        }
    }

    fn line_end(&mut self, text: &mut String) {
        match self.random.below(14) {
            0 => text.push_str(" # comment\n"),
            1 => text.push_str("\n\n"),
            2 => text.push_str("  \n"),
            3 => text.push_str("\r\n"),
            4 if self.random.once_in(3) => text.push_str("\n# comment\n"),
            _ => text.push('\n'),
        }
    }

    fn scalar(&mut self, text: &mut String) {
        match self.random.below(12) {
            0..=3 => text.push_str(self.random.pick(SCALARS)),
            4..=6 => text.push_str(self.random.pick(WORDS)),
            7 if self.anchors > 0 => self.alias(text),
            8 => {
                text.push('\'');
                text.push_str(&self.words().replace('\'', "''"));
                text.push('\'');
            }
            9 => {
                text.push('"');
                let escapes = [
                    "\\n",
                    "\\t",
                    "\\x41",
                    "\\u263a",
                    "\\U0001f600",
                    "\\\\",
                    "\\\"",
                    "\\ ",
                    "\\N",
                    "\\_",
                    "\\L",
                    "\\P",
                    "\\e",
                    "\\0",
                    "\\/",
                    "\\\n   ",
                ];
                text.push_str(
                    &self
                        .words()
                        .replace(['"', '\\'], self.random.pick(&escapes)),
                );
                text.push('"');
            }
            10 => {
                // Over several lines.
                let words = self.words();
                text.push_str(&words.replace(
                    ' ',
                    self.random.pick(&["\n  ", "\n     ", "\n\n  ", " \n  "]),
                ));
            }
            _ => text.push_str(&self.words()),
        }
    }

    fn words(&mut self) -> String {
        let words: Vec<_> = (0..1 + self.random.below(4))
            .map(|_| self.random.pick(WORDS))
            .collect();
        words.join(self.random.pick(&[" ", " ", "  ", "\n   ", "\n\n    "]))
    }

    fn block_scalar(&mut self, text: &mut String, indent: usize) {
        let headers = [
            "|",
            ">",
            "|-",
            ">-",
            "|+",
            ">+",
            "|1",
            ">2",
            "|2-",
            "|-2",
            ">+1",
            "| # comment",
            "|  ",
            "|x",
            "|9",
        ];
        text.push_str(self.random.pick(&headers));
        text.push('\n');
        let deeper = " ".repeat(indent + self.random.below(4));
        for _ in 0..self.random.below(5) {
            match self.random.below(8) {
                0 => text.push('\n'),
                1 => text.push_str("   \n"),
                2 => text.push_str(&format!("{deeper}  more\n")),
                3 => text.push_str(&format!("{deeper}\ttab\n")),
                _ => text.push_str(&format!("{deeper}{}\n", self.random.pick(WORDS))),
            }
        }
    }

    fn flow(&mut self, text: &mut String, depth: usize) {
        self.budget = self.budget.saturating_sub(1);
        if depth > 4 || self.budget == 0 {
            return self.scalar(text);
        }
        let map = self.random.once_in(2);
        text.push(if map { '{' } else { '[' });
        for _ in 0..self.random.below(4) {
            self.properties(text);
            if map || self.random.once_in(8) {
                if self.random.once_in(12) {
                    text.push_str("? ");
                }
                text.push_str(
                    self.random
                        .pick(&["a", "b", "\"q\"", "'s'", "1", "no", "", "[]", "é"]),
                );
                text.push_str(self.random.pick(&[": ", ": ", ":", " : ", ":\n   ", ""]));
            }
            match self.random.below(5) {
                0 => self.flow(text, depth + 1),
                1 => self.scalar(text),
                _ => text.push_str(
                    self.random
                        .pick(&["x", "1", "true", "\"a b\"", "'c'", "~", "x y"]),
                ),
            }
            text.push_str(
                self.random
                    .pick(&[", ", ", ", ",", " ,", ",\n  ", ", # c\n  "]),
            );
        }
        text.push(if map { '}' } else { ']' });
    }
}

/// A JSON text.
pub(super) fn json_text(random: &mut Random) -> Vec<u8> {
    let mut text = json(random);
    if random.once_in(2) {
        damage(random, &mut text);
    }
    text
}

fn json(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    json_value(random, &mut text, 0);
    text.into_bytes()
}

fn json_value(random: &mut Random, text: &mut String, depth: usize) {
    let space = |random: &mut Random| random.pick(&["", "", "", " ", "\n", "\t", "\r\n"]);
    text.push_str(space(random));
    match random.below(if depth > 3 { 6 } else { 10 }) {
        0 => text.push_str(random.pick(&["null", "true", "false", "nul", "True", "tru", "falsey"])),
        1 | 2 => text.push_str(random.pick(&[
            "0",
            "1",
            "-1",
            "-0",
            "1.5",
            "1e3",
            "1E+3",
            "1e-7",
            "1e999",
            "-1e999",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "1e+",
            "123456789012345678901234567890",
            "0x1",
            "1_0",
            "1.5.5",
            "--1",
            "1e1000000000000000000000",
        ])),
        3..=5 => json_string(random, text),
        6 | 7 => {
            text.push('[');
            for index in 0..random.below(4) {
                if index > 0 {
                    text.push(',');
                }
                json_value(random, text, depth + 1);
            }
            text.push_str(space(random));
            text.push(']');
        }
        _ => {
            text.push('{');
            for index in 0..random.below(4) {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(space(random));
                json_string(random, text);
                text.push_str(space(random));
                text.push(':');
                json_value(random, text, depth + 1);
            }
            text.push_str(space(random));
            text.push('}');
        }
    }
    text.push_str(space(random));
}

fn json_string(random: &mut Random, text: &mut String) {
    text.push('"');
    for _ in 0..random.below(4) {
        text.push_str(random.pick(&[
            "a",
            "b",
            "c d",
            "é",
            "😀",
            "\\n",
            "\\\"",
            "\\\\",
            "\\/",
            "\\b",
            "\\u00e9",
            "\\ud83d\\ude00",
            "\\ud83d",
            "\\ude00x",
            "\\ud83d\\u0041",
            "\\u12",
            "\\x",
            "\t",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "<&>",
            "\\u0000",
            "'",
        ]));
    }
    text.push('"');
}

const TOML_VALUES: &[&str] = &[
    "1",
    "0",
    "-1",
    "+1",
    "01",
    "-01",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "0x1F",
    "0xfg",
    "0x",
    "0x_1",
    "0o17",
    "0o8",
    "0b101",
    "0b2",
    "0b",
    "-0x1",
    "+0b1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "1.5",
    "1.",
    ".5",
    "-.5",
    "1e3",
    "1e",
    "1e+",
    "1E-3",
    "1.5e3",
    "1.e3",
    "1.5.5",
    "1_0.5_0",
    "1_.5",
    "1._5",
    "01.5",
    "1e999",
    "-1e999",
    "1e-999",
    "6.626e-34",
    "inf",
    "+inf",
    "-inf",
    "nan",
    "+nan",
    "-nan",
    "ian",
    "nnf",
    "in",
    "na",
    "-in",
    "+n",
    "true",
    "false",
    "True",
    "tru",
    "truex",
    "x",
    "\u{e9}",
    "2001-12-14",
    "2001-2-14",
    "2001-02-30",
    "2000-02-29",
    "2001-12-14T21:59:43Z",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43",
    "2001-12-14 21:59:43.5  ",
    "2001-12-14T21:59Z",
    "2001-12-14T21:59",
    "21:59:43",
    "21:59",
    "21:59:43.123456789",
    "1:59:43",
    "24:00:00",
    "2001-12-14T21:59:43+00:00",
    "2001-12-14T21:59:43+24:60",
    "2001-12-14T21:59:43+25:00",
    "2001-12-14T21:59:60Z",
    "2001-12-14T",
    "2001-12-14T21",
    "2001-12-14T21:59:43.",
    "21:59:43.Z",
    "2001-12-14T21:59:43.1234567891Z",
    "12001-12-14",
    "\"\"",
    "\"a\"",
    "'a'",
    "''",
    "\"a\\nb\"",
    "\"\\u00e9\"",
    "\"\\U0001F600\"",
    "\"\\ud800\"",
    "\"\\x41\"",
    "\"\\xg0\"",
    "\"\\u12\"",
    "\"\\U00110000\"",
    "\"\\q\"",
    "\"\\e\\b\\t\\f\\r\\\\\\\"\"",
    "\"a\\ b\"",
    "\"a\nb\"",
    "'a\nb'",
    "\"a\r\nb\"",
    "\"a",
    "'a",
    "\"a\\",
    "\"\"\"\"\"\"",
    "\"\"\"a\"\"\"",
    "\"\"\"\na\n\"\"\"",
    "\"\"\"\r\na\\\n   b\"\"\"",
    "\"\"\"a\\  \n\n  b\"\"\"",
    "\"\"\"a\\ b\"\"\"",
    "\"\"\"a\"\"b\"\"\"",
    "\"\"\"a\"\"\"\"\"",
    "\"\"\"a\"\"\"\"\"\"",
    "\"\"\"a\\\"\"\"\"\"\"",
    "\"\"\"a",
    "\"\"\"a\\\\\n b\"\"\"",
    "'''a'''",
    "'''\na'b''c'''''",
    "'''a''''''",
    "'''a",
    "\"\u{7f}\"",
    "\"\u{1}\"",
    "\"\u{e9}\u{1f600}\"",
    "\"\"\"\\u00e9\nx\"\"\"",
    "[]",
    "[1, 2]",
    "[1, \"a\", [true]]",
    "[1,]",
    "[,]",
    "[1 2]",
    "[\n1, # c\n2\n]",
    "[1",
    "[",
    "[[1], [2.5]]",
    "{}",
    "{a = 1}",
    "{a = 1, b = {c = 2}}",
    "{a.b = 1, a.c = 2}",
    "{a = 1, a = 2}",
    "{a = 1,}",
    "{\na = 1 # c\n}",
    "{,}",
    "{a = 1 b = 2}",
    "{a = 1",
    "{",
    "[{a = 1}, {b = 2}]",
    "[{a = [{b = 1}]}, {}]",
    "{a = [1, {b = 2}]}",
    "{a = 1, a.b = 2}",
    "{\"x y\" = 1}",
];

const TOML_KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "a.b",
    "a.c",
    "b.a",
    "a.b.c",
    "\"a\"",
    "'b'",
    "\"x y\"",
    "\"\"",
    "''",
    "a . b",
    "1",
    "1.2",
    "-",
    "_",
    "a-b",
    "\"a.b\"",
    "\"\\u0061\"",
    "\u{e9}",
    "a.",
    ".a",
    "a..b",
    "",
    "a b",
    "\"a",
    "'a\n",
    "\"a\\q\"",
    "a.\"b\".'c'",
    "\"\u{e9}\"",
    "a.\u{e9}",
];

/// TOML texts that chance seldom makes.
pub(super) fn special_toml() -> Vec<String> {
    let texts = [
        "",
        "\u{feff}a = 1",
        "a\0b",
        "a = 1 b = 2",
        "a = 1 # c\n# d",
        "a = 1\r\nb = 2\r\n",
        "a = 1\rb = 2",
        "a",
        "a =",
        "a = \n",
        "= 1",
        "[a]\n[a]",
        "[a]\n[a.b]\n[a]",
        "[a.b]\n[a]\nc = 1",
        "[a.b]\nc = 1\n[a]\nb = 2",
        "[[a]]\n[[a]]\nb = 1\n[a.c]\nd = 2\n[[a.e]]\n[[a.e]]",
        "a = 1\n[a]",
        "a = 1\n[[a]]",
        "a = [1]\n[[a]]",
        "a = [{}]\n[[a]]",
        "[[a]]\n[a]",
        "[a]\n[[a]]",
        "a = {}\n[a]",
        "a = {}\n[a.b]",
        "a = {b = 1}\na.c = 2",
        "a.b = 1\na.c = 2",
        "a.b = 1\n[a]",
        "a.b = 1\n[a.c]",
        "a = 1\na.b = 2",
        "a.b = 1\na = 2",
        "a = 1\na = 2",
        "a = [1, 2]\na = 3",
        "[]",
        "[.a]",
        "[a.]",
        "[a",
        "[a]x",
        "[[a]",
        "[[a] ]",
        "[a]]",
        "[ a . b ]",
        "[\"a\".'b']",
        "[a b]",
        "[\n]",
        "[a]\n\n\n=",
        "a = [\n1,\n\n2\n3]",
        "a = {\n\n",
        "a = \"\"\"\n\n\n",
        "a = '''\n\n\\",
        "\"\" = 1\n[\"\"]\n",
        "[a.\"\"]\n\"\" = [1]\n",
        "\"\" = [1]\n\"\" = 2",
        "a = [[{b = 1}], [{b = 2}]]\n",
        "a = {b = [{c = 1}], d = {e = {}}}\n[f]\na = {b = 1}\n",
        "a = [{b.c = 1, b.d = [{}]}]",
        "a = {b = {c = 1}, b.d = 2}",
        "[a]\nb.c = 1\n[a.b]\n",
        "[a]\nb.c = 1\n[a.b.d]\n",
    ];
    let mut texts: Vec<String> = texts.map(str::to_owned).to_vec();
    texts.push("a = ".to_owned() + &"[".repeat(900) + &"]".repeat(900));
    texts
}

/// A TOML text.
pub(super) fn toml(random: &mut Random) -> Vec<u8> {
    let key = |random: &mut Random| {
        if random.once_in(3) {
            random.pick(TOML_KEYS)
        } else {
            random.pick(&["a", "b", "c", "d", "a.b", "b.c", "c.d"])
        }
    };
    let mut text = String::new();
    for _ in 0..1 + random.below(5) {
        match random.below(8) {
            0 => text.push_str(&format!("[{}]", key(random))),
            1 => text.push_str(&format!("[[{}]]", key(random))),
            2 if random.once_in(2) => text.push_str("# comment"),
            _ => {
                let (key, equals) = (key(random), random.pick(&[" = ", "=", " =  "]));
                text.push_str(&format!("{key}{equals}{}", random.pick(TOML_VALUES)));
            }
        }
        text.push_str(random.pick(&["\n", "\n", "\n", "\n\n", " # c\n", "\r\n", " \n", ""]));
    }
    let mut text = text.into_bytes();
    if random.once_in(4) {
        damage(random, &mut text);
    }
    text
}
