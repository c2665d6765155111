//! Functions of Sprig whose results depend on chance or on the time: their properties, and what
//! Go's packages say about keys, certificates and hashes that were made here.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail anywhere"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use gotemplate::{Environment, Error, Limits, Sealed, Templates, UnixTime, Used, Value, sprig};
use serde_json::{Value as Json, json};

/// A repeatable source of bytes, and a clock.
struct World(u64);

impl Environment for World {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[3];
        }
        Ok(())
    }

    fn now(&mut self) -> Result<UnixTime, Error> {
        Ok(UnixTime {
            seconds: 1_700_000_000,
            nanoseconds: 123_456_789,
        })
    }
}

fn execute(
    text: &str,
    data: &Value,
    environment: &mut dyn Environment,
) -> Result<(String, Used), Error> {
    let mut templates = Templates::new("t", sprig::functions());
    templates.parse("t", text)?;
    let output = templates.execute("t", data, environment, Limits::default())?;
    Ok((String::from_utf8(output.text).unwrap(), output.used))
}

fn render(text: &str) -> String {
    execute(text, &Value::Nil, &mut World(0x9e37_79b9_7f4a_7c15))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .0
}

#[test]
fn has_every_function_but_those_that_helm_removes() {
    let functions = sprig::functions();
    assert_eq!(functions.names().count(), 211 - 2);
    for name in ["env", "expandenv"] {
        assert!(functions.get(name).is_none(), "{name}");
    }
}

#[test]
fn random_texts() {
    type Class = fn(char) -> bool;
    let classes: [(&str, Class); 4] = [
        ("randAlphaNum", |c| c.is_ascii_alphanumeric()),
        ("randAlpha", |c| c.is_ascii_alphabetic()),
        ("randNumeric", |c| c.is_ascii_digit()),
        ("randAscii", |c| (' '..='~').contains(&c)),
    ];
    for (name, class) in classes {
        for (count, length) in [(0, 0), (-3, 0), (1, 1), (4000, 4000)] {
            let text = render(&format!("{{{{ {name} {count} }}}}"));
            assert_eq!(text.chars().count(), length, "{name} {count}");
            assert!(text.chars().all(class), "{name}: {text}");
        }
        // All characters of the class occur among so many.
        let text = render(&format!("{{{{ {name} 4000 }}}}"));
        for expected in (0..128_u8).map(char::from).filter(|c| class(*c)) {
            assert!(text.contains(expected), "{name}: no {expected:?}");
        }
    }
}

#[test]
fn random_numbers_bytes_and_identifiers() {
    for _ in 0..20 {
        let numbers = render("{{ range until 200 }}{{ randInt -3 4 }} {{ end }}");
        let numbers: Vec<i64> = numbers
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        assert_eq!(numbers.len(), 200);
        for expected in -3..4 {
            assert!(numbers.contains(&expected), "{expected}");
        }
        assert!(numbers.iter().all(|number| (-3..4).contains(number)));
    }
    assert_eq!(render("{{ randBytes 16 | b64dec | len }}"), "16");
    let uuid = render("{{ uuidv4 }}");
    let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
    assert_eq!(uuid.as_bytes()[14], b'4', "{uuid}");
    assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
    let shuffled = render(r#"{{ shuffle "abcdefghijklmnop\u00e9" }}"#);
    let mut sorted: Vec<char> = shuffled.chars().collect();
    sorted.sort_unstable();
    assert_eq!(sorted.iter().collect::<String>(), "abcdefghijklmnop\u{e9}");
    assert_ne!(shuffled, "abcdefghijklmnop\u{e9}");
}

#[test]
fn errors_as_go_prints_them() {
    let cases = [
        (
            "{{ randInt 5 5 }}",
            "error calling randInt: invalid argument to Intn",
        ),
        (
            "{{ randBytes -1 }}",
            "error calling randBytes: runtime error: makeslice: len out of range",
        ),
    ];
    for (text, expected) in cases {
        let error = execute(text, &Value::Nil, &mut World(1)).unwrap_err();
        assert!(error.message().ends_with(expected), "{text}: {error}");
    }
}

/// What the world is asked for is noted, and nothing else.
#[test]
fn notes_what_was_used() {
    let cases = [
        ("{{ upper \"a\" }}", false, false),
        ("{{ date \"2006\" 0 }}", false, false),
        ("{{ now }}", false, true),
        ("{{ date \"2006\" \"x\" }}", false, true),
        ("{{ ago 0 }}", false, true),
        ("{{ randAlpha 3 }}", true, false),
        ("{{ shuffle \"ab\" }}", true, false),
        ("{{ uuidv4 }}", true, false),
        ("{{ bcrypt \"a\" }}", true, false),
        ("{{ encryptAES \"a\" \"b\" }}", true, false),
    ];
    for (text, random, clock) in cases {
        let (_, used) = execute(text, &Value::Nil, &mut World(1)).unwrap();
        assert_eq!(used, Used { random, clock }, "{text}");
        if random || clock {
            let error = execute(text, &Value::Nil, &mut Sealed).unwrap_err();
            assert!(
                error.message().contains("was given to this execution"),
                "{text}: {error}"
            );
        }
    }
}

#[test]
fn times_of_the_clock() {
    let cases = [
        ("{{ now }}", "2023-11-14 22:13:20.123456789 +0000 UTC"),
        ("{{ now | date \"2006-01-02\" }}", "2023-11-14"),
        ("{{ htmlDate nil }}", "2023-11-14"),
        ("{{ ago 1699999000 }}", "16m40s"),
        ("{{ now | dateModify \"-90m\" | ago }}", "1h30m0s"),
        ("{{ now | dateModify \"-50h\" | durationRound }}", "2d"),
        ("{{ now | unixEpoch }}", "1700000000"),
        (
            "{{ dateInZone \"15:04 MST\" now \"Asia/Tokyo\" }}",
            "07:13 JST",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(render(text), expected, "{text}");
    }
}

/// Keys, certificates, hashes and cipher texts, of which Go's own packages have to approve.
#[test]
fn go_accepts_what_was_made() {
    let mut made = Vec::new();
    for kind in ["rsa", "ecdsa", "ed25519", "dsa"] {
        let key = render(&format!("{{{{ genPrivateKey {kind:?} }}}}"));
        made.push(json!({ "Kind": kind, "Key": key }));
    }
    let certificates = r#"{{ $ca := genCA "the-ca" 365 -}}
{{ $self := genSelfSignedCert "a.example" (list "10.1.2.3" "::1") (list "a.example" "*.b.example") 30 -}}
{{ $leaf := genSignedCert "a.example" (list "10.1.2.3") (list "a.example") 7 $ca -}}
{{ $ecdsa := genPrivateKey "ecdsa" }}{{ $ed25519 := genPrivateKey "ed25519" -}}
{{ $second := genCAWithKey "second" 20 $ecdsa -}}
{{ $other := genSignedCertWithKey "x" (list "10.1.2.3") (list "a.example") 5 $second $ed25519 -}}
{{ $third := genSelfSignedCertWithKey "" (list "10.1.2.3") (list "a.example") 40000 $ecdsa -}}
{{ $custom := buildCustomCert (b64enc $ca.Cert) (b64enc $ca.Key) -}}
{{ $again := genSignedCert "\u00e9" (list "10.1.2.3") (list "a.example") 7 $custom -}}
{{ toJson (list
  (dict "Cert" $self.Cert "Key" $self.Key "CA" $self.Cert "Days" 30)
  (dict "Cert" $leaf.Cert "Key" $leaf.Key "CA" $ca.Cert "Days" 7)
  (dict "Cert" $other.Cert "Key" $other.Key "CA" $second.Cert "Days" 5)
  (dict "Cert" $third.Cert "Key" $third.Key "CA" $third.Cert "Days" 40000)
  (dict "Cert" $again.Cert "Key" $again.Key "CA" $ca.Cert "Days" 7)
) }}"#;
    let certificates: Vec<Json> = serde_json::from_str(&render(certificates)).unwrap();
    for mut certificate in certificates {
        certificate["Kind"] = "certificate".into();
        certificate["Name"] = "a.example".into();
        certificate["Address"] = "10.1.2.3".into();
        made.push(certificate);
    }
    let long = "p".repeat(72);
    for password in ["", "secret", "p\u{e4}ssw\u{f6}rd", long.as_str()] {
        let hash = render(&format!("{{{{ bcrypt {password:?} }}}}"));
        made.push(json!({ "Kind": "bcrypt", "Password": password, "Output": hash }));
        let line = render(&format!("{{{{ htpasswd \"ann\" {password:?} }}}}"));
        let hash = line.strip_prefix("ann:").unwrap();
        made.push(json!({ "Kind": "bcrypt", "Password": password, "Output": hash }));
        for text in ["x", "exactly 16 bytes", "some more than sixteen bytes"] {
            let output = render(&format!("{{{{ encryptAES {password:?} {text:?} }}}}"));
            made.push(
                json!({ "Kind": "aes", "Password": password, "Text": text, "Output": output }),
            );
        }
    }
    assert_eq!(
        render("{{ bcrypt (repeat 73 \"p\") }}"),
        "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes"
    );
    assert_eq!(
        render("{{ htpasswd \"a:b\" \"c\" }}"),
        "invalid username: a:b"
    );
    let said = ask_go(&made);
    assert_eq!(said.len(), made.len());
    for (said, made) in said.iter().zip(&made) {
        assert_eq!(said, "ok", "{made}");
    }
}

fn ask_go(made: &[Json]) -> Vec<String> {
    let mut go = Command::new("go")
        .args(["run", ".", "check"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("go runs");
    let mut stdin = go.stdin.take().unwrap();
    for value in made {
        writeln!(stdin, "{value}").unwrap();
    }
    drop(stdin);
    let output = go.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Compiling an expression recurses, and Go allows a thousand levels.
#[test]
fn deeply_nested_expressions_need_no_stack_of_the_caller() {
    for (levels, close, expected) in [(900, ")", "a"), (450, ")*", "a")] {
        let expression = format!("{}a{}", "(".repeat(levels), close.repeat(levels));
        assert_eq!(
            render(&format!("{{{{ regexFind {expression:?} \"a\" }}}}")),
            expected
        );
    }
    let expression = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
    let text = format!("{{{{ mustRegexFind {expression:?} \"a\" }}}}");
    let error = execute(&text, &Value::Nil, &mut World(1)).unwrap_err();
    assert!(error.message().contains("expression nests too deeply"));
}
