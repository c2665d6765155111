//! Cases of printing and reading YAML, JSON and TOML.
//!
//! A case has the name of a `function`, and a text to `read` or a value to `write`. What is read is
//! shown in JSON.

mod texts;
mod values;

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::error::Error;
use crate::json::Style;
use crate::value::Value;
use crate::{encodings, toml, yaml};

use super::generate::Random;
use super::{bytes, text, value};

/// How many texts of each kind, and how many values.
const YAML_TEXTS: usize = 6_000;
const JSON_TEXTS: usize = 1_500;
const TOML_TEXTS: usize = 2_500;
const VALUES: usize = 5_500;

trait RandomExt {
    /// Once in so many times.
    fn once_in(&mut self, times: usize) -> bool;

    fn byte(&mut self) -> u8;

    fn bits(&mut self) -> u64;
}

impl RandomExt for Random {
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }

    fn bits(&mut self) -> u64 {
        (0..8).fold(0, |bits, _| bits << 8 | u64::from(self.byte()))
    }
}

/// Cases of so many different texts or values, after those that are always there.
fn cases(
    random: &mut Random,
    kind: &str,
    count: usize,
    special: Vec<Json>,
    make: impl Fn(&mut Random) -> Json,
    functions: impl Fn(&mut Random) -> &'static [&'static str],
    all: &[&str],
) -> Vec<Json> {
    let case = |subject: &Json, function: &str| json!({kind: subject, "function": function});
    let mut cases = Vec::new();
    let mut seen = BTreeSet::new();
    for subject in special {
        cases.extend(all.iter().map(|function| case(&subject, function)));
        seen.insert(subject.to_string());
    }
    let count = count + seen.len();
    while seen.len() < count {
        let subject = make(random);
        let functions = functions(random);
        if seen.insert(subject.to_string()) {
            cases.extend(functions.iter().map(|function| case(&subject, function)));
        }
    }
    cases
}

pub(super) fn yaml_texts(random: &mut Random) -> Vec<Json> {
    let special = texts::special().iter().map(|bytes| text(bytes)).collect();
    let functions = |random: &mut Random| match random.below(12) {
        0 => ["yaml", "yamlStrict", "fromYaml", "fromYamlArray"].as_slice(),
        1..=3 => ["yaml", "yamlStrict"].as_slice(),
        _ => ["yaml"].as_slice(),
    };
    let make = |random: &mut Random| text(&texts::yaml(random));
    let all = ["yaml", "yamlStrict", "json"];
    cases(random, "read", YAML_TEXTS, special, make, functions, &all)
}

pub(super) fn json_texts(random: &mut Random) -> Vec<Json> {
    let functions = |random: &mut Random| match random.below(4) {
        0 => ["json", "fromJson", "fromJsonArray", "yaml"].as_slice(),
        _ => ["json"].as_slice(),
    };
    let make = |random: &mut Random| text(&texts::json_text(random));
    cases(random, "read", JSON_TEXTS, Vec::new(), make, functions, &[])
}

pub(super) fn toml_texts(random: &mut Random) -> Vec<Json> {
    let special = texts::special_toml().into_iter().map(Json::from).collect();
    let functions = |random: &mut Random| match random.below(4) {
        0 => ["fromToml", "tomlAgain"].as_slice(),
        _ => ["fromToml"].as_slice(),
    };
    let make = |random: &mut Random| text(&texts::toml(random));
    let all = ["fromToml", "tomlAgain"];
    cases(random, "read", TOML_TEXTS, special, make, functions, &all)
}

pub(super) fn printed_values(random: &mut Random) -> Vec<Json> {
    let functions = |random: &mut Random| match random.below(8) {
        0 => [
            "toYaml",
            "toYamlPretty",
            "toJson",
            "toPrettyJson",
            "toRawJson",
        ]
        .as_slice(),
        1 => ["toYaml", "toYamlPretty", "toJson"].as_slice(),
        2 | 3 => ["toYaml", "toYamlPretty", "toToml"].as_slice(),
        _ => ["toYaml", "toYamlPretty"].as_slice(),
    };
    let all = ["toYaml", "toYamlPretty", "toJson", "toToml"];
    let special = vec![Json::Null];
    cases(
        random,
        "write",
        VALUES,
        special,
        values::value,
        functions,
        &all,
    )
}

/// Runs a case.
///
/// # Errors
///
/// The text of the error that the function ends in.
pub fn run_encoding(case: &Json) -> Result<Vec<u8>, String> {
    let function = case["function"].as_str().unwrap_or_default();
    let result = match case.get("read") {
        Some(text) => read(function, &bytes(text)),
        None => write(function, &value(&case["write"])),
    };
    result.map_err(|error| error.to_string())
}

fn read(function: &str, text: &[u8]) -> Result<Vec<u8>, Error> {
    let value = match function {
        "yaml" => yaml::unmarshal(text)?,
        "yamlStrict" => yaml::unmarshal_strict(text)?,
        "fromYaml" => encodings::from_yaml(text).into(),
        "fromYamlArray" => encodings::from_yaml_array(text).into(),
        "json" => crate::json::unmarshal(text)?,
        "fromJson" => encodings::from_json(text).into(),
        "fromJsonArray" => encodings::from_json_array(text).into(),
        "fromToml" => encodings::from_toml(text).into(),
        "tomlAgain" => return toml::marshal(&encodings::from_toml(text).into()),
        _ => return Err(format!("no function {function}").into()),
    };
    crate::json::marshal(&value)
}

fn write(function: &str, value: &Value) -> Result<Vec<u8>, Error> {
    let style = |escape_html, indent| Style {
        escape_html,
        indent,
    };
    match function {
        "toYaml" => yaml::marshal(value),
        "toYamlPretty" => yaml::marshal_pretty(value),
        "toToml" => toml::marshal(value),
        "toJson" => crate::json::marshal(value),
        "toPrettyJson" => crate::json::marshal_with(value, style(true, Some("  "))),
        "toRawJson" => crate::json::marshal_with(value, style(false, None)),
        _ => Err(format!("no function {function}").into()),
    }
}
