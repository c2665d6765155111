//! Cases made from a grammar of templates and values.

use serde_json::{Map as Members, Value as Json, json};

use super::text;

/// A random source that gives the same numbers for the same seed.
pub struct Random(u64);

impl Random {
    /// The source of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// Whether something of this probability in hundredths happens.
    pub fn percent(&mut self, probability: usize) -> bool {
        self.below(100) < probability
    }

    /// One of these.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

const TEMPLATES: usize = 5_000;
const SYNTAX: usize = 2_500;
const PRINTF: usize = 5_000;

const INTS: [&str; 15] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "42",
    "65",
    "-128",
    "255",
    "8364",
    "1000000",
    "9223372036854775807",
    "-9223372036854775808",
];
/// So many of them are no larger than an int8.
const SMALL_INTS: usize = 10;
const UINTS: [&str; 8] = [
    "0",
    "1",
    "2",
    "3",
    "10",
    "128",
    "65535",
    "18446744073709551615",
];
const SMALL_UINTS: usize = 6;
const FLOATS: [&str; 22] = [
    "0",
    "-0",
    "1",
    "1.5",
    "-2.25",
    "0.1",
    "3.14159265358979",
    "100",
    "1000000",
    "1e6",
    "123456789",
    "1e20",
    "1e21",
    "1e-5",
    "2.5e-7",
    "1e100",
    "5e-324",
    "1.7976931348623157e308",
    "NaN",
    "+Inf",
    "-Inf",
    "0.000123",
];
const STRINGS: [&str; 20] = [
    "",
    "a",
    "hello",
    "Hello, World",
    "x y  z",
    "tab\there",
    "line\nbreak",
    "\"quoted\"",
    "it's",
    "<a href=\"x\">&</a>",
    "back\\slash",
    "`tick`",
    "h\u{e9}llo",
    "\u{65e5}\u{672c}\u{8a9e}",
    "\u{1f600}",
    "\u{7f}\u{1}",
    "\u{feff}bom",
    "\u{ad}soft",
    "a=b&c=d e",
    "\u{e000}\u{2028}",
];
const BROKEN: [&[u8]; 3] = [b"\xff\xfe", b"a\xc3", b"\xed\xa0\x80z"];
const INT_KINDS: [&str; 5] = ["int", "int8", "int16", "int32", "int64"];
const UINT_KINDS: [&str; 5] = ["uint", "uint8", "uint16", "uint32", "uint64"];
const HOSTS: [&str; 11] = [
    "person", "pointer", "nobody", "version", "level", "mode", "label", "failure", "names",
    "settings", "function",
];
/// Hosts that print the same everywhere: no address is shown.
const PLAIN_HOSTS: [&str; 7] = [
    "person", "level", "mode", "label", "failure", "names", "settings",
];

/// Small numbers: templates count to them.
fn int(random: &mut Random) -> Json {
    let kind = if random.percent(60) {
        "int"
    } else {
        random.pick(&INT_KINDS)
    };
    json!({ kind: random.pick(&INTS[..SMALL_INTS]) })
}

fn large_int(random: &mut Random) -> Json {
    json!({ random.pick(&["int", "int64"]): random.pick(&INTS) })
}

fn uint(random: &mut Random) -> Json {
    json!({ random.pick(&UINT_KINDS): random.pick(&UINTS[..SMALL_UINTS]) })
}

fn float(random: &mut Random) -> Json {
    let kind = random.pick(&["float64", "float64", "float32"]);
    let number = if kind == "float32" {
        random.pick(&FLOATS[..14])
    } else {
        random.pick(&FLOATS)
    };
    json!({ kind: number })
}

fn string(random: &mut Random) -> Json {
    if random.percent(6) {
        return json!({ "string": text(random.pick(&BROKEN)) });
    }
    json!({ "string": random.pick(&STRINGS) })
}

fn scalar(random: &mut Random) -> Json {
    match random.below(12) {
        0..=2 => int(random),
        3 => uint(random),
        4 | 5 => float(random),
        6..=8 => string(random),
        9 => json!({ "bool": random.percent(50) }),
        10 => json!({ "complex128": [random.pick(&FLOATS[..9]), random.pick(&FLOATS[..9])] }),
        _ => Json::Null,
    }
}

fn items(random: &mut Random, item: impl Fn(&mut Random) -> Json) -> Json {
    let count = random.below(4);
    (0..count).map(|_| item(random)).collect()
}

fn entries(random: &mut Random, item: impl Fn(&mut Random) -> Json) -> Json {
    let mut members = Members::new();
    for _ in 0..random.below(4) {
        let key = random.pick(&["a", "b", "x", "k", "key", "A", "z9", "a b", "\u{e9}"]);
        members.insert(key.to_owned(), item(random));
    }
    members.into()
}

fn list(random: &mut Random, depth: usize) -> Json {
    match random.below(9) {
        0 => json!({ "list": ["string", items(random, string)] }),
        1 => {
            json!({ "list": ["int", items(random, |random| json!({ "int": random.pick(&INTS[..SMALL_INTS]) }))] })
        }
        2 => json!({ "bytes": text(random.pick(&STRINGS).as_bytes()) }),
        3 => json!({ "list": [random.pick(&["interface {}", "string", "int"]), null] }),
        4 => json!({ "list": ["[]interface {}", items(random, |random| {
            json!({ "list": ["interface {}", items(random, scalar)] })
        })] }),
        _ => json!({ "list": ["interface {}", items(random, |random| any(random, depth + 1))] }),
    }
}

fn map(random: &mut Random, depth: usize) -> Json {
    match random.below(7) {
        0 => json!({ "map": ["string", entries(random, string)] }),
        1 => {
            json!({ "map": ["int", entries(random, |random| json!({ "int": random.pick(&INTS[..SMALL_INTS]) }))] })
        }
        2 => json!({ "map": [random.pick(&["interface {}", "string"]), null] }),
        _ => json!({ "map": ["interface {}", entries(random, |random| any(random, depth + 1))] }),
    }
}

fn any(random: &mut Random, depth: usize) -> Json {
    if depth > 2 {
        return scalar(random);
    }
    match random.below(10) {
        0 | 1 => list(random, depth),
        2 | 3 => map(random, depth),
        4 => json!({ "host": random.pick(&PLAIN_HOSTS) }),
        _ => scalar(random),
    }
}

/// Data whose fields are named after what they mostly hold.
fn data(random: &mut Random) -> Json {
    let mut members = Members::new();
    for name in ["i", "j"] {
        members.insert(name.into(), int(random));
    }
    members.insert(
        "n".into(),
        json!({ "int": random.pick(&["0", "1", "2", "3", "5"]) }),
    );
    members.insert("u".into(), uint(random));
    members.insert("f".into(), float(random));
    for name in ["s", "t"] {
        members.insert(name.into(), string(random));
    }
    members.insert("b".into(), json!({ "bool": random.percent(50) }));
    members.insert("c".into(), json!({ "complex128": ["1", "-2.5"] }));
    members.insert("nil".into(), Json::Null);
    for name in ["l", "k"] {
        members.insert(name.into(), list(random, 0));
    }
    members.insert(
        "ss".into(),
        json!({ "list": ["string", items(random, string)] }),
    );
    members.insert("by".into(), json!({ "bytes": "bytes" }));
    for name in ["m", "o"] {
        members.insert(name.into(), map(random, 0));
    }
    members.insert(
        "deep".into(),
        json!({ "map": ["interface {}", {
            "x": { "map": ["interface {}", { "y": scalar(random), "z": list(random, 1) }] },
            "w": scalar(random),
        }] }),
    );
    // Cases that print an address are dropped, as it differs from run to run.
    let host = if random.percent(40) {
        random.pick(&HOSTS)
    } else {
        random.pick(&PLAIN_HOSTS)
    };
    members.insert("h".into(), json!({ "host": host }));
    members.insert(
        "p".into(),
        json!({ "host": random.pick(&["person", "person", "pointer"]) }),
    );
    if random.percent(25) {
        members.insert("fn".into(), json!({ "host": "function" }));
    }
    json!({ "map": ["interface {}", members] })
}

/// Writes templates. What is asked for by type is of that type most of the time.
struct Writer<'r> {
    random: &'r mut Random,
    variables: Vec<String>,
    names: Vec<String>,
    ranges: usize,
    defines: String,
}

impl Writer<'_> {
    fn open(&mut self) -> String {
        let marker = self
            .random
            .pick(&["{{", "{{", "{{", "{{ ", "{{- ", "{{-\n"]);
        marker.to_owned()
    }

    fn close(&mut self) -> String {
        let marker = self
            .random
            .pick(&["}}", "}}", "}}", " }}", " -}}", "\n-}}"]);
        marker.to_owned()
    }

    fn action(&mut self, inside: &str) -> String {
        format!("{}{inside}{}", self.open(), self.close())
    }

    fn literal_text(&mut self) -> String {
        self.random
            .pick(&[
                "", " ", "\n", "text", "a: ", "\n  b", " - ", "{ }", "}} ", "\u{65e5}", "\t\n ",
                "-",
            ])
            .to_owned()
    }

    fn body(&mut self, depth: usize) -> String {
        let mut out = String::new();
        for _ in 0..=self.random.below(3) {
            out.push_str(&self.literal_text());
            out.push_str(&self.statement(depth));
        }
        out.push_str(&self.literal_text());
        out
    }

    fn statement(&mut self, depth: usize) -> String {
        if depth > 3 {
            let value = self.any(depth);
            return self.action(&value);
        }
        let mark = self.variables.len();
        let statement = match self.random.below(22) {
            0..=2 => {
                let condition = self.any(depth + 1);
                self.branch("if", &condition, depth)
            }
            3 | 4 => {
                let value = self.any(depth + 1);
                let declared = self.declared("", &value);
                self.branch("with", &declared, depth)
            }
            5..=8 => self.range(depth),
            9 | 10 => {
                let name = self
                    .random
                    .pick(&["$x", "$y", "$v", "$long_name"])
                    .to_owned();
                let value = self.any(depth + 1);
                let action = self.action(&format!("{name} := {value}"));
                self.variables.push(name);
                return action;
            }
            11 => {
                let name = self.variable().unwrap_or_else(|| "$x".to_owned());
                let value = self.any(depth + 1);
                self.action(&format!("{name} = {value}"))
            }
            12 => {
                let comment = self
                    .random
                    .pick(&["/* c */", "/**/", "/* a\nb */"])
                    .to_owned();
                let trim = self
                    .random
                    .pick(&["{{@}}", "{{- @ -}}", "{{@ -}}", "{{- @}}"]);
                trim.replace('@', &comment)
            }
            13 | 14 => {
                let name = self.name();
                let argument = if self.random.percent(80) {
                    format!(" {}", self.any(depth + 1))
                } else {
                    String::new()
                };
                self.action(&format!("template \"{name}\"{argument}"))
            }
            15 => {
                let name = format!("block{}", self.random.below(3));
                let value = self.any(depth + 1);
                let variables = std::mem::take(&mut self.variables);
                let body = self.body(depth + 1);
                self.variables = variables;
                format!("{{{{block `{name}` {value}}}}}{body}{{{{end}}}}")
            }
            16 if self.ranges > 0 => {
                let word = self.random.pick(&["break", "continue"]);
                let condition = self.any(depth + 1);
                format!("{{{{if {condition}}}}}{{{{{word}}}}}{{{{end}}}}")
            }
            _ => {
                let value = self.any(depth);
                return self.action(&value);
            }
        };
        self.variables.truncate(mark);
        statement
    }

    fn declared(&mut self, separator: &str, value: &str) -> String {
        if self.random.percent(30) {
            let name = format!("$w{}", self.random.below(3));
            self.variables.push(name.clone());
            format!("{name} :={separator} {value}")
        } else {
            value.to_owned()
        }
    }

    fn branch(&mut self, keyword: &str, pipeline: &str, depth: usize) -> String {
        let mut out = self.action(&format!("{keyword} {pipeline}"));
        out.push_str(&self.body(depth + 1));
        if self.random.percent(25) {
            let condition = self.any(depth + 1);
            out.push_str(&self.action(&format!("else {keyword} {condition}")));
            out.push_str(&self.body(depth + 1));
        }
        if self.random.percent(40) {
            out.push_str(&self.action("else"));
            out.push_str(&self.body(depth + 1));
        }
        out.push_str(&self.action("end"));
        out
    }

    fn range(&mut self, depth: usize) -> String {
        let value = match self.random.below(6) {
            0 => self.int(depth + 1),
            1 => self.any(depth + 1),
            2 | 3 => self
                .random
                .pick(&[".m", "$.m", ".o", ".deep", "$.deep.x"])
                .to_owned(),
            _ => self.list(depth + 1),
        };
        let declared = match self.random.below(8) {
            0 | 1 => {
                self.variables.push("$e".into());
                format!("$e := {value}")
            }
            2 | 3 => {
                self.variables.extend(["$i".into(), "$e".into()]);
                format!("$i, $e := {value}")
            }
            4 if !self.variables.is_empty() => {
                let name = self.variable().unwrap_or_default();
                format!("{name} = {value}")
            }
            _ => value,
        };
        self.ranges += 1;
        let mut out = self.action(&format!("range {declared}"));
        out.push_str(&self.body(depth + 1));
        self.ranges -= 1;
        if self.random.percent(30) {
            out.push_str(&self.action("else"));
            out.push_str(&self.body(depth + 1));
        }
        out.push_str(&self.action("end"));
        out
    }

    fn name(&mut self) -> String {
        if self.random.percent(5) {
            return "undefined".into();
        }
        let index = self.random.below(self.names.len());
        self.names[index].clone()
    }

    fn variable(&mut self) -> Option<String> {
        if self.variables.is_empty() {
            return None;
        }
        let index = self.random.below(self.variables.len());
        Some(self.variables[index].clone())
    }

    fn arguments(&mut self, words: &[String]) -> String {
        words.join(self.random.pick(&[" ", " ", " ", "  ", "\n"]))
    }

    fn any(&mut self, depth: usize) -> String {
        match self.random.below(20) {
            0..=3 => self.int(depth),
            4 => self.float(depth),
            5..=8 => self.string(depth),
            9..=11 => self.bool(depth),
            12 | 13 => self.list(depth),
            14 | 15 => self.map(depth),
            16 => self.host(depth),
            17 => self.variable().unwrap_or_else(|| "$".to_owned()),
            18 => self
                .random
                .pick(&[
                    ".",
                    "$",
                    "nil",
                    ".nil",
                    ".missing",
                    ".missing.x",
                    "$.h",
                    ".c",
                    "1i",
                    "1+2i",
                ])
                .to_owned(),
            _ => {
                let value = self.argument(depth);
                let function = self
                    .random
                    .pick(&[
                        "print",
                        "printf `%v`",
                        "len",
                        "not",
                        "same",
                        "html",
                        "js",
                        "urlquery",
                        "println",
                        "kind",
                        "call",
                        "call 1",
                        "printf \"%T|%v\" 1",
                        "index",
                        "slice",
                        "list",
                    ])
                    .to_owned();
                format!("{value} | {function}")
            }
        }
    }

    /// Something that can stand as an argument.
    fn argument(&mut self, depth: usize) -> String {
        let value = if depth > 4 {
            self.random
                .pick(&["1", "\"a\"", ".i", ".s", "true", "."])
                .to_owned()
        } else {
            self.any(depth + 1)
        };
        parenthesized(&value)
    }

    fn int(&mut self, depth: usize) -> String {
        if depth > 4 || self.random.percent(60) {
            return self
                .random
                .pick(&[
                    ".i",
                    ".j",
                    ".n",
                    ".n",
                    "$.n",
                    "0",
                    "1",
                    "2",
                    "-3",
                    "0x1F",
                    "0b101",
                    "0o17",
                    "017",
                    "1_0",
                    "'a'",
                    "'\\n'",
                    "'\\u00e9'",
                    "1e2",
                    "1.0",
                    "+4",
                    ".deep.x.y",
                    ".p.Age",
                    "(len .s)",
                ])
                .to_owned();
        }
        let (a, b) = (self.int_argument(depth), self.int_argument(depth));
        match self.random.below(8) {
            0 => format!("len {}", parenthesized(&self.list(depth + 1))),
            1 | 2 => format!("add {a} {b}"),
            3 => format!("{a} | add {b}"),
            4 => format!("add64 {a} {b} {a}"),
            5 => format!(
                "{} {a}",
                self.random
                    .pick(&["byte", "small", "half", "single", "imag"])
            ),
            6 => format!(".p.Older {a}"),
            _ => format!("index {} {a}", parenthesized(&self.list(depth + 1))),
        }
    }

    fn int_argument(&mut self, depth: usize) -> String {
        parenthesized(&self.int(depth + 1))
    }

    fn float(&mut self, depth: usize) -> String {
        if self.random.percent(70) {
            return self
                .random
                .pick(&[
                    ".f", "$.f", "1.5", "1e6", ".5", "2.", "0x1p-2", "1e-7", "-0.0", "1_0.5e1",
                    "1E400", "0x.8p1",
                ])
                .to_owned();
        }
        format!("half {}", self.int_argument(depth))
    }

    fn string(&mut self, depth: usize) -> String {
        if depth > 4 || self.random.percent(55) {
            return self
                .random
                .pick(&[
                    ".s",
                    ".t",
                    "$.s",
                    "\"\"",
                    "\"a b\"",
                    "`raw \"x\"`",
                    "\"\\u00e9\\x41\\101\\n\"",
                    "\"%v-%d\"",
                    "`a\nb`",
                    "\"\\U0001F600\"",
                    ".p.Name",
                    ".p",
                    "\"\\xff\"",
                ])
                .to_owned();
        }
        let a = parenthesized(&self.string(depth + 1));
        let b = self.argument(depth + 1);
        match self.random.below(17) {
            13 | 14 => {
                let name = self.name();
                format!("include \"{name}\" {b}")
            }
            15 | 16 => {
                let text = self.random.pick(&[
                    "{{.}}",
                    "a{{range .l}}x{{end}}b",
                    "{{.x.y}}",
                    "{{nope}}",
                    "{{",
                    "",
                    "{{define \"q\"}}{{.}}{{end}}{{template \"q\" .s}}",
                    "{{include \"q\" .}}",
                    "{{define \"one\"}}!{{end}}{{template \"one\"}}",
                ]);
                let data = self.random.pick(&[".", "$", ".m", "$.s", b.as_str()]);
                format!("tpl `{text}` {data}")
            }
            12 => {
                let number = self.random.pick(&[
                    "9223372036854775807",
                    "9223372036854775808",
                    "0x8000000000000000",
                    "1e20",
                    "0xFFp3",
                    "-9223372036854775808",
                    "18446744073709551615",
                ]);
                format!(
                    "{} {number} {b}",
                    self.random.pick(&["print", "eq", "lt", "add64", "half"])
                )
            }
            0 => format!("print {a} {b}"),
            1 => format!("println {b} {b} {a}"),
            2 => format!("printf \"%v %q\" {a} {b}"),
            3 => format!("{a} | upper"),
            4 => format!("slice {a} {}", self.int_argument(depth)),
            5 => format!("slice {a} 1 {}", self.int_argument(depth)),
            6 => format!(".p.Greet {a}"),
            7 => format!("{a} | .p.Join \",\" \"w\""),
            8 => format!("join {a} {}", parenthesized(&self.list(depth + 1))),
            9 => format!("call .fn {a} {}", self.random.pick(&["0", "1", "2", ".n"])),
            10 => {
                let function = self
                    .random
                    .pick(&["html", "js", "urlquery", "upper", "fail", "kind"]);
                format!("{function} {a}")
            }
            _ => format!("{b} | printf \"%5v|\" "),
        }
    }

    fn bool(&mut self, depth: usize) -> String {
        if depth > 4 || self.random.percent(30) {
            return self
                .random
                .pick(&["true", "false", ".b", "$.b", ".p"])
                .to_owned();
        }
        let (a, b) = if self.random.percent(40) {
            (self.int_argument(depth), self.int_argument(depth))
        } else if self.random.percent(50) {
            (
                parenthesized(&self.string(depth + 1)),
                parenthesized(&self.string(depth + 1)),
            )
        } else {
            (self.argument(depth + 1), self.argument(depth + 1))
        };
        match self.random.below(10) {
            0 => format!("not {a}"),
            1 => format!("and {a} {b}"),
            2 => format!("or {a} {b}"),
            3 => format!("eq {a} {b} {a}"),
            4 => format!(
                "{a} | {} {b}",
                self.random.pick(&["eq", "ne", "and", "or", "lt"])
            ),
            5 => format!("and {a} (eq {b} {a}) {b}"),
            _ => {
                let function = self.random.pick(&["eq", "ne", "lt", "le", "gt", "ge"]);
                format!("{function} {a} {b}")
            }
        }
    }

    fn list(&mut self, depth: usize) -> String {
        if depth > 4 || self.random.percent(65) {
            return self
                .random
                .pick(&[
                    ".l",
                    ".k",
                    "$.l",
                    ".ss",
                    ".by",
                    ".p.Tags",
                    ".deep.x.z",
                    ".s",
                ])
                .to_owned();
        }
        match self.random.below(5) {
            0 => {
                let words: Vec<String> = (0..self.random.below(4))
                    .map(|_| self.argument(depth + 1))
                    .collect();
                format!("list {}", self.arguments(&words))
                    .trim_end()
                    .to_owned()
            }
            1 => format!("words {}", parenthesized(&self.string(depth + 1))),
            2 => format!(
                "slice {} {}",
                parenthesized(&self.list(depth + 1)),
                self.int_argument(depth)
            ),
            3 => format!("bytes {}", parenthesized(&self.string(depth + 1))),
            _ => format!(
                "index {} {}",
                parenthesized(&self.list(depth + 1)),
                self.int_argument(depth)
            ),
        }
    }

    fn map(&mut self, depth: usize) -> String {
        if depth > 4 || self.random.percent(60) {
            return self
                .random
                .pick(&[".m", ".o", "$.m", ".deep", ".deep.x", ".", "$"])
                .to_owned();
        }
        let value = self.argument(depth + 1);
        match self.random.below(6) {
            0 => format!("dict \"k\" {value} \"x\" 1"),
            // No map is set into itself: Go does not survive printing that.
            1 => format!(
                "set {} \"k\" {}",
                self.random.pick(&[".m", "$", ".deep.x", "(dict)"]),
                self.random.pick(&[".s", "1", "nil", "2.5", "(list 1)"])
            ),
            2 => format!(
                "index {} \"{}\"",
                self.random.pick(&[".m", ".deep", "$.o"]),
                self.random.pick(&["a", "x", "k", "missing"])
            ),
            3 => format!(
                "(dict \"a\" {value}).{}",
                self.random.pick(&["a", "b", "a.b"])
            ),
            4 => format!("index .m {value}"),
            _ => format!(
                "({}).{}",
                self.random.pick(&[".deep", "$", ".m", ".missing"]),
                self.random.pick(&["x", "a", "x.y", "k"])
            ),
        }
    }

    fn host(&mut self, depth: usize) -> String {
        let value = self.argument(depth + 1);
        match self.random.below(14) {
            0 => ".h".to_owned(),
            1 => format!(
                ".h.{}",
                self.random
                    .pick(&["Name", "Any", "Any.x", "Code", "Major", "k", "nope"])
            ),
            2 => format!(".h.Has {value}"),
            3 => ".h.Keys".to_owned(),
            4 => ".h.String".to_owned(),
            5 => ".h.Error".to_owned(),
            6 => ".h.Shout".to_owned(),
            7 => format!(".p.Fail {value}"),
            8 => ".p.Nothing".to_owned(),
            9 => format!(".p.Name {value}"),
            10 => format!(
                "{} .h",
                self.random.pick(&[
                    "named",
                    "plain",
                    "isPerson",
                    "len",
                    "not",
                    "kind",
                    "print",
                    "index",
                    "half",
                    "join \"-\""
                ])
            ),
            11 => format!("eq .h {value}"),
            12 => format!("call .h {value} 2"),
            _ => format!("printf \"%v %s %d %T\" .h .h .h .h | print {value}"),
        }
    }
}

fn parenthesized(value: &str) -> String {
    if value.contains([' ', '\n']) && !is_one_word(value) {
        format!("({value})")
    } else {
        value.to_owned()
    }
}

/// Whether this is one string literal, or parentheses around all.
fn is_one_word(value: &str) -> bool {
    for quote in ['"', '`'] {
        if let Some(inside) = value
            .strip_prefix(quote)
            .and_then(|it| it.strip_suffix(quote))
        {
            return !inside.replace("\\\"", "").contains(quote);
        }
    }
    false
}

fn template_case(random: &mut Random) -> Json {
    let mut writer = Writer {
        random,
        variables: Vec::new(),
        names: vec!["one".into(), "two".into()],
        ranges: 0,
        defines: String::new(),
    };
    // What is defined does not call what is defined, so that nothing calls itself.
    let names = std::mem::replace(&mut writer.names, vec!["undefined".into()]);
    for name in &names {
        let body = writer.body(2);
        writer.variables.clear();
        writer
            .defines
            .push_str(&format!("{{{{define \"{name}\"}}}}{body}{{{{end}}}}\n"));
    }
    writer.names = names;
    let body = writer.body(0);
    let defines = std::mem::take(&mut writer.defines);
    let mut data = data(random);
    // What is not named would only make the case long.
    let text = format!("{defines}{body}");
    if let Some(members) = data["map"][1].as_object_mut() {
        members.retain(|name, _| names_field(&text, name));
    }
    let mut case = json!({ "data": data });
    case["templates"] = if random.percent(80) {
        json!([["t", format!("{defines}{body}")]])
    } else {
        let again = random.pick(&[
            "",
            "",
            "{{define \"one\"}}again{{end}}",
            "{{define \"two\"}} {{/* empty */}} {{end}}x",
            "{{block \"one\" .}}{{.}}{{end}}",
        ]);
        let name = random.pick(&["more", "main.txt"]);
        json!([["main.txt", body], ["other", defines], [name, again]])
    };
    match random.below(10) {
        0 | 1 => case["missingkey"] = "zero".into(),
        2 => case["missingkey"] = "error".into(),
        3 => case["missingkey"] = "default".into(),
        _ => {}
    }
    case
}

/// Whether a field of this name is taken from something.
fn names_field(text: &str, name: &str) -> bool {
    let field = format!(".{name}");
    text.match_indices(&field).any(|(at, _)| {
        let after = text[at + field.len()..].chars().next();
        !after.is_some_and(|next| next.is_alphanumeric() || next == '_')
    })
}

/// Executions of text/template.
pub(super) fn templates(random: &mut Random) -> Vec<Json> {
    (0..TEMPLATES).map(|_| template_case(random)).collect()
}

/// Templates with damage, and words in any order.
pub(super) fn syntax(random: &mut Random) -> Vec<Json> {
    (0..SYNTAX)
        .map(|_| {
            let mut case = template_case(random);
            let text = case["templates"][0][1]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let damaged = match random.below(4) {
                0 => soup(random),
                1 => {
                    let inside = soup_words(random);
                    format!("a\n{{{{{inside}}}}}b")
                }
                _ => damage(random, &text),
            };
            case["templates"][0][1] = damaged.into();
            if random.percent(10) {
                let text = case["templates"][0][1].as_str().unwrap_or_default();
                let text = text.replace("{{", "<<").replace("}}", ">>");
                case["templates"][0][1] = text.into();
                case["delimiters"] = json!(["<<", ">>"]);
            }
            case
        })
        .collect()
}

const WORDS: [&str; 78] = [
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{- ",
    " -}}",
    "if",
    "else",
    "end",
    "range",
    "with",
    "define",
    "template",
    "block",
    "break",
    "continue",
    "nil",
    "true",
    ".",
    ".x",
    ".x.y",
    "$",
    "$x",
    "$x.y",
    "$x :=",
    "$x =",
    "$i, $e :=",
    ":=",
    "=",
    ",",
    "|",
    "(",
    ")",
    "\"a\"",
    "`b`",
    "'c'",
    "''",
    "'ab'",
    "\"",
    "`",
    "'",
    "1",
    "1.5",
    "1i",
    "1+2i",
    "0x",
    "0b2",
    "1_",
    "08",
    "1e",
    "1.2.3",
    "1a",
    "/*",
    "*/",
    "/* c */",
    "print",
    "len",
    "nope",
    "index .l",
    ".1",
    "..",
    "@",
    "!",
    "\u{e9}",
    "\u{65e5}",
    "\\",
    "\u{0}",
    "\n",
    " ",
    "else if",
    "else with",
    "{{end}}",
    "{{else}}",
    "{{if .b}}",
    "{{range .l}}",
    "9223372036854775808",
    "99999999999999999999",
    "(1).x",
];

fn soup(random: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..random.below(14) {
        out.push_str(random.pick(&WORDS));
        if random.percent(60) {
            out.push(' ');
        }
    }
    out
}

fn soup_words(random: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..=random.below(6) {
        let word = random.pick(&WORDS[6..]);
        if !word.contains(['{', '}']) {
            out.push_str(word);
            if random.percent(70) {
                out.push(' ');
            }
        }
    }
    out
}

/// Removes, repeats or inserts something.
fn damage(random: &mut Random, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(characters.len());
        let end = (at + 1 + random.below(6)).min(characters.len());
        match random.below(3) {
            0 => {
                characters.drain(at.min(end)..end);
            }
            1 => {
                let word: Vec<char> = random.pick(&WORDS).chars().collect();
                characters.splice(at..at, word);
            }
            _ => {
                let piece: Vec<char> = characters[at.min(end)..end].to_vec();
                let to = random.below(characters.len());
                characters.splice(to..to, piece);
            }
        }
    }
    characters.into_iter().collect()
}

/// Formats with arguments of every kind.
pub(super) fn printf(random: &mut Random) -> Vec<Json> {
    (0..PRINTF).map(|_| printf_case(random)).collect()
}

fn printf_case(random: &mut Random) -> Json {
    let mut format = String::new();
    for _ in 0..=random.below(2) {
        format.push_str(random.pick(&["", "x", " ", "100%%", "\u{e9}"]));
        format.push_str(&verb(random));
    }
    let mut members = Members::new();
    members.insert("format".into(), json!({ "string": format }));
    let (function, mut words) = match random.below(14) {
        0 => ("print", String::new()),
        1 => ("println", String::new()),
        2 => (random.pick(&["html", "js", "urlquery"]), String::new()),
        _ => ("printf", " .format".to_owned()),
    };
    for name in &["a", "b", "c"][..random.below(4)] {
        members.insert((*name).into(), printed(random));
        words.push_str(" .");
        words.push_str(name);
    }
    json!({
        "templates": [["t", format!("{{{{{function}{words}}}}}")]],
        "data": { "map": ["interface {}", members] },
    })
}

/// A value that prints the same everywhere.
fn printed(random: &mut Random) -> Json {
    match random.below(12) {
        0 => int(random),
        1 => large_int(random),
        2 => json!({ random.pick(&["uint", "uint64"]): random.pick(&UINTS) }),
        3 | 4 => float(random),
        5 | 6 => string(random),
        7 => {
            json!({ "host": random.pick(&["person", "pointer", "nobody", "version", "level", "mode",
            "label", "failure", "names", "settings"]) })
        }
        8 => list(random, 0),
        9 => map(random, 0),
        _ => any(random, 0),
    }
}

fn verb(random: &mut Random) -> String {
    let mut out = String::from("%");
    for _ in 0..random.below(3) {
        if random.percent(40) {
            out.push_str(random.pick(&["+", "-", "#", " ", "0"]));
        }
    }
    if random.percent(6) {
        out.push_str(random.pick(&["[1]", "[2]", "[3]", "[9]", "[0]", "[x]", "[", "[]", "[-1]"]));
    }
    if random.percent(35) {
        out.push_str(random.pick(&["1", "2", "5", "8", "12", "20", "*", "99999999"]));
    }
    if random.percent(30) {
        out.push('.');
        out.push_str(random.pick(&["", "0", "1", "2", "3", "6", "10", "25", "*", "[2]*"]));
    }
    if random.percent(4) {
        out.push_str(random.pick(&["[1]", "[2]", "[3]", "[4]"]));
    }
    out.push_str(random.pick(&[
        "v", "v", "v", "v", "s", "s", "d", "d", "q", "q", "x", "X", "t", "T", "b", "o", "O", "c",
        "U", "e", "E", "f", "F", "g", "G", "w", "z", "!", "\u{e9}", "",
    ]));
    out
}
