//! What the real go-cty makes of generated types, values and bytes: see `conformance/README.md`.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Deserialize;
use tfplugin_cty::{
    CodecError, CodecErrorKind, Number, ParseNumberError, Type, Value, json, msgpack,
};

/// The fields are described in `conformance/main.go`.
#[derive(Debug, Deserialize)]
struct Record {
    kind: String,
    #[serde(rename = "type", default)]
    ty: serde_json::Value,
    #[serde(default)]
    msgpack: String,
    #[serde(default)]
    canonical: String,
    json: Option<String>,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    left: String,
    #[serde(default)]
    right: String,
    equal: Option<bool>,
    order: Option<i8>,
}

impl Record {
    fn ty(&self) -> Type {
        Type::from_json(self.ty.to_string().as_bytes()).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        hex::decode(&self.msgpack).unwrap()
    }
}

/// All records of one kind; at least `least`, so that an empty file is noticed.
fn records(kind: &str, least: usize) -> Vec<Record> {
    let all: Vec<Record> = include_str!("../conformance/vectors.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Record>(line).unwrap())
        .filter(|record| record.kind == kind)
        .collect();
    assert!(all.len() >= least, "{} records of kind {kind}", all.len());
    all
}

/// Fails with the first few of all differences.
fn none(differences: &[String]) {
    let shown: Vec<&String> = differences.iter().take(20).collect();
    assert!(
        differences.is_empty(),
        "{} differences: {shown:#?}",
        differences.len()
    );
}

#[test]
fn values_are_read_and_written_as_cty_does() {
    let mut differences = Vec::new();
    for record in records("value", 1000) {
        let ty = record.ty();
        let value = match msgpack::decode(&record.bytes(), &ty) {
            Ok(value) => value,
            Err(error) => {
                differences.push(format!("{error}: {record:?}"));
                continue;
            }
        };
        if let Err(mismatch) = value.conforms(&ty) {
            differences.push(format!("{mismatch}: {record:?}"));
        }
        let expected = if record.canonical.is_empty() {
            &record.msgpack
        } else {
            &record.canonical
        };
        let written = hex::encode(msgpack::encode(&value, &ty).unwrap());
        if written != *expected {
            differences.push(format!("msgpack {written}: {record:?}"));
        }
        match (&record.json, json::encode(&value, &ty)) {
            (None, Err(_)) => {}
            (Some(expected), Ok(written)) => {
                if written != expected.as_bytes() {
                    differences.push(format!(
                        "JSON {}: {record:?}",
                        String::from_utf8_lossy(&written)
                    ));
                }
                if json::decode(expected.as_bytes(), &ty).as_ref() != Ok(&value) {
                    differences.push(format!("JSON is read as another value: {record:?}"));
                }
            }
            (_, written) => differences.push(format!("JSON {written:?}: {record:?}")),
        }
    }
    none(&differences);
}

#[test]
fn other_spellings_are_read_as_cty_does() {
    let mut differences = Vec::new();
    for record in records("wire", 350) {
        let ty = record.ty();
        let read = msgpack::decode(&record.bytes(), &ty);
        let canonical = msgpack::decode(&hex::decode(&record.canonical).unwrap(), &ty);
        let written = read
            .as_ref()
            .ok()
            .map(|value| hex::encode(msgpack::encode(value, &ty).unwrap()));
        if written.as_ref() != Some(&record.canonical) || read != canonical {
            differences.push(format!("{written:?} {read:?}: {record:?}"));
        }
    }
    none(&differences);
}

/// Why this crate refuses what cty reads.
fn reason_to_refuse(error: &CodecErrorKind, input: &[u8]) -> Option<&'static str> {
    match error {
        CodecErrorKind::Number(ParseNumberError::Syntax) if input.contains(&b'p') => {
            Some("Go reads binary exponents such as 1p4, and nothing writes them")
        }
        CodecErrorKind::NotUtf8 => {
            Some("a cty string that is not UTF-8 is undefined behaviour, and no Rust string")
        }
        CodecErrorKind::Unexpected {
            expected: "the name of an element",
            ..
        } => Some("cty forgets to return the error when a map key is no string"),
        CodecErrorKind::Number(ParseNumberError::TooLong) => {
            Some("the text of the number would fill the memory")
        }
        _ => None,
    }
}

/// Compares with an outcome of cty; whatever cty refuses, crashes on, or reads as something of another type, is an error.
fn compare(record: &Record, ty: &Type, read: Result<Value, CodecError>) -> Option<String> {
    match (record.outcome.as_str(), read) {
        ("ok", Ok(value)) => {
            let written = hex::encode(msgpack::encode(&value, ty).unwrap());
            (written != record.canonical).then(|| format!("written as {written}: {record:?}"))
        }
        ("ok", Err(error)) if reason_to_refuse(&error.kind, &record.bytes()).is_none() => {
            Some(format!("{error}: {record:?}"))
        }
        ("ok", Err(_)) => None,
        (_, Ok(value)) => Some(format!("read as {value:?}: {record:?}")),
        (_, Err(_)) => None,
    }
}

#[test]
fn damaged_bytes_are_refused_as_cty_does() {
    let differences: Vec<String> = records("bytes", 1000)
        .iter()
        .filter_map(|record| {
            let ty = record.ty();
            compare(record, &ty, msgpack::decode(&record.bytes(), &ty))
        })
        .collect();
    none(&differences);
}

#[test]
fn json_is_read_as_leniently_as_cty_does() {
    let differences: Vec<String> = records("json", 400)
        .iter()
        .filter_map(|record| {
            let ty = record.ty();
            let text = record.json.as_deref().unwrap();
            compare(record, &ty, json::decode(text.as_bytes(), &ty))
        })
        .collect();
    none(&differences);
}

#[test]
fn numbers_compare_as_in_cty() {
    for record in records("numbers", 200) {
        let left: Number = record.left.parse().unwrap();
        let right: Number = record.right.parse().unwrap();
        let order = match record.order {
            Some(-1) => Ordering::Less,
            Some(0) => Ordering::Equal,
            _ => Ordering::Greater,
        };
        assert_eq!(
            (Some(left == right), left.cmp(&right)),
            (record.equal, order),
            "{record:?}"
        );
    }
}

#[test]
fn types_are_read_and_written_as_cty_does() {
    let mut differences = BTreeMap::new();
    for record in records("type", 200) {
        let text = record.json.clone().unwrap();
        let read =
            Type::from_json(text.as_bytes()).map(|ty| String::from_utf8(ty.to_json()).unwrap());
        let same = match (&read, record.outcome.as_str()) {
            // A Go slice that is nil is written as null; the type is the same.
            (Ok(written), "ok") => {
                *written
                    == record
                        .canonical
                        .replace(r#"["tuple",null]"#, r#"["tuple",[]]"#)
            }
            (Err(_), "ok") | (Ok(_), _) => false,
            (Err(_), _) => true,
        };
        if !same {
            differences.insert(
                text,
                format!(
                    "{read:?} instead of {} {}",
                    record.outcome, record.canonical
                ),
            );
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}
