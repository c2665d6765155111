//! Cases whose results Go's own packages have printed, and what this crate makes of them.
//!
//! A case is one line of JSON. `conformance/main.go` describes it and runs the Go side; the vectors
//! of a family are in `tests/vectors/FAMILY.jsonl.gz`, each line an object with the members `case`
//! and `result`.

mod encodings;
mod fixtures;
mod generate;
#[cfg(feature = "sprig")]
mod sprig;

use serde_json::{Value as Json, json};

use crate::error::Error;
use crate::function::Sealed;
use crate::json::base64;
use crate::run::Limits;
use crate::template::{MissingKey, Templates};

pub use encodings::run_encoding;
use fixtures::bytes;
pub use fixtures::{functions, value};
pub use generate::Random;

/// A kind of cases.
pub struct Family {
    /// The name: of the vectors, and of the family in the Go program.
    pub name: &'static str,
    /// Makes the cases. Equal random numbers make equal cases.
    pub generate: fn(&mut Random) -> Vec<Json>,
    /// Runs one case here: its output, or the text of its error.
    pub run: fn(&Json) -> Result<Vec<u8>, String>,
}

/// All families.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "template",
        generate: generate::templates,
        run: run_template,
    },
    Family {
        name: "syntax",
        generate: generate::syntax,
        run: run_template,
    },
    Family {
        name: "printf",
        generate: generate::printf,
        run: run_template,
    },
    Family {
        name: "yaml",
        generate: encodings::yaml_texts,
        run: run_encoding,
    },
    Family {
        name: "json",
        generate: encodings::json_texts,
        run: run_encoding,
    },
    Family {
        name: "toml",
        generate: encodings::toml_texts,
        run: run_encoding,
    },
    Family {
        name: "printed",
        generate: encodings::printed_values,
        run: run_encoding,
    },
    #[cfg(feature = "sprig")]
    Family {
        name: "sprig",
        generate: sprig::generate,
        run: sprig::run,
    },
];

/// The result of a case as the Go program writes it.
#[must_use]
pub fn result(outcome: Result<Vec<u8>, String>) -> Json {
    match outcome {
        Ok(output) => json!({ "output": text(&output) }),
        Err(error) => json!({ "error": error }),
    }
}

/// Text of a case or result: a string, or `{"base64": ...}` if it is not UTF-8.
#[must_use]
pub fn text(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => Json::from(text),
        Err(_) => json!({ "base64": String::from_utf8_lossy(&base64::encode(bytes)) }),
    }
}

/// Runs a case of text/template: texts with their names, of which the first is executed.
///
/// # Errors
///
/// The text of the error of parsing or of execution.
pub fn run_template(case: &Json) -> Result<Vec<u8>, String> {
    let (templates, first) = parse(case).map_err(|error| error.to_string())?;
    templates
        .execute(first, &value(&case["data"]), &mut Sealed, limits())
        .map(|output| output.text)
        .map_err(|error| error.to_string())
}

fn limits() -> Limits {
    Limits {
        depth: 100_000,
        ..Limits::default()
    }
}

/// The templates of a case and the name of the first.
///
/// # Errors
///
/// A text cannot be parsed.
pub fn parse(case: &Json) -> Result<(Templates, Vec<u8>), Error> {
    let texts: Vec<(Vec<u8>, Vec<u8>)> = case["templates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pair| (fixtures::bytes(&pair[0]), fixtures::bytes(&pair[1])))
        .collect();
    let first = texts
        .first()
        .map(|(name, _)| name.clone())
        .unwrap_or_default();
    let mut templates = Templates::new(first.clone(), functions());
    templates.set_missing_key(match case["missingkey"].as_str() {
        Some("zero") => MissingKey::Zero,
        Some("error") => MissingKey::Error,
        _ => MissingKey::Default,
    });
    if let Some([left, right]) = case["delimiters"].as_array().map(Vec::as_slice) {
        templates.set_delimiters(fixtures::bytes(left), fixtures::bytes(right));
    }
    for (name, text) in texts {
        templates.parse(name, text)?;
    }
    Ok((templates, first))
}
