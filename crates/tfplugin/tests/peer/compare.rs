//! What two answers have in common.

use std::collections::{BTreeMap, BTreeSet};

use tfplugin::cty::{Path, PathStep, Value};
use tfplugin::diagnostics::Diagnostics;
use tfplugin::testing::Answer;

/// One part of the answer to one call in which the providers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The call.
    pub call: &'static str,
    /// In which case.
    pub case: String,
    /// The part of the answer: "value PATH", "private" and so on.
    pub part: String,
    /// What the provider on HashiCorp's framework answers.
    pub hashicorp: String,
    /// What the provider on this framework answers.
    pub own: String,
}

type Describe = fn(&Answer) -> String;

/// What was found so far.
#[derive(Default)]
pub struct Report {
    pub differences: Vec<Difference>,
    /// How many pairs of answers were compared.
    pub calls: usize,
}

impl Report {
    pub fn compare(&mut self, call: &'static str, case: &str, hashicorp: &Answer, own: &Answer) {
        self.calls += 1;
        let mut parts = Vec::new();
        let mut path = Path::root();
        values(&mut path, &hashicorp.value, &own.value, &mut parts);
        let (before, after) = (&hashicorp.identity, &own.identity);
        if before != after {
            parts.push(("identity".to_owned(), text(before), text(after)));
        }
        let both: [(&str, Describe); 5] = [
            ("requires_replace", |answer| paths(&answer.requires_replace)),
            ("private", |answer| (!answer.private.is_empty()).to_string()),
            ("renewal", |answer| answer.renewed.to_string()),
            ("diagnostics", |answer| severities(&answer.diagnostics)),
            ("function error", |answer| {
                let error = answer.function_error.as_ref();
                format!("{:?}", error.map(|error| error.argument_index()))
            }),
        ];
        for (part, describe) in both {
            parts.push((part.to_owned(), describe(hashicorp), describe(own)));
        }
        for (part, hashicorp, own) in parts {
            self.note(call, case, part, hashicorp, own);
        }
    }

    /// Compares texts by name; those that only one has are empty for the other.
    pub fn compare_lines(
        &mut self,
        call: &'static str,
        hashicorp: &BTreeMap<String, String>,
        own: &BTreeMap<String, String>,
    ) {
        self.calls += 1;
        let names: BTreeSet<&String> = hashicorp.keys().chain(own.keys()).collect();
        for name in names {
            let line =
                |lines: &BTreeMap<String, String>| lines.get(name).cloned().unwrap_or_default();
            self.note(call, "schema", name.clone(), line(hashicorp), line(own));
        }
    }

    fn note(
        &mut self,
        call: &'static str,
        case: &str,
        part: String,
        hashicorp: String,
        own: String,
    ) {
        if hashicorp != own {
            self.differences.push(Difference {
                call,
                case: case.to_owned(),
                part,
                hashicorp,
                own,
            });
        }
    }
}

/// The innermost places at which two values differ.
fn values(path: &mut Path, left: &Value, right: &Value, found: &mut Vec<(String, String, String)>) {
    if left == right {
        return;
    }
    let pairs: Vec<(PathStep, &Value, &Value)> = match (left, right) {
        (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => left
            .iter()
            .map(|(name, value)| (PathStep::Attribute(name.clone()), value, &right[name]))
            .collect(),
        (Value::Map(left), Value::Map(right)) if left.keys().eq(right.keys()) => left
            .iter()
            .map(|(key, value)| (PathStep::Key(key.clone()), value, &right[key]))
            .collect(),
        (Value::List(left), Value::List(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .enumerate()
            .map(|(index, (left, right))| {
                let index = i64::try_from(index).expect("a short list");
                (PathStep::Index(index), left, right)
            })
            .collect(),
        _ => {
            found.push((format!("value {path}"), text(left), text(right)));
            return;
        }
    };
    for (step, left, right) in pairs {
        path.push(step);
        values(path, left, right, found);
        path.pop();
    }
}

fn text(value: &Value) -> String {
    format!("{value:?}")
}

fn paths(paths: &[Path]) -> String {
    let texts: Vec<String> = paths.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// Severities and paths, in order.
fn severities(diagnostics: &Diagnostics) -> String {
    let mut texts: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| {
            let path = diagnostic.attribute.as_ref().map(ToString::to_string);
            format!("{:?} at {}", diagnostic.severity, path.unwrap_or_default())
        })
        .collect();
    texts.sort();
    texts.join(", ")
}
