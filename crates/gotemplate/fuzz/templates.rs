//! Templates and formats. `tests/fuzz_templates.rs` of the crate runs it on the seeds.

use gotemplate::conformance::{functions, value};
use gotemplate::{Error, Limits, Output, Sealed, Templates, Value};
use serde_json::json;

const LIMITS: Limits = Limits {
    depth: 200,
    bytes: 64 << 10,
    steps: 20_000,
};

/// Data with something of every kind.
fn data() -> Value {
    value(&json!({ "map": ["interface {}", {
        "i": { "int": "3" }, "j": { "int64": "-7" }, "n": { "int": "2" }, "u": { "uint8": "200" },
        "f": { "float64": "1.5" }, "s": { "string": "hello" }, "t": { "string": { "base64": "/2E=" } },
        "b": { "bool": true }, "c": { "complex128": ["1", "-2.5"] }, "nil": null,
        "l": { "list": ["interface {}", [{ "int": "1" }, null, { "string": "x" }]] },
        "k": { "list": ["int", null] }, "ss": { "list": ["string", [{ "string": "a" }]] },
        "by": { "bytes": "bytes" },
        "m": { "map": ["interface {}", { "a": { "int": "1" }, "x": { "map": ["string", null] } }] },
        "deep": { "map": ["interface {}", { "x": { "map": ["interface {}", { "y": { "int": "5" } }] } }] },
        "h": { "host": "settings" }, "p": { "host": "pointer" }, "fn": { "host": "function" },
    }] }))
}

fn run(text: &[u8], data: &Value) -> Result<Output, Error> {
    let mut templates = Templates::new("fuzz", functions());
    templates.parse("fuzz", text)?;
    templates.execute("fuzz", data, &mut Sealed, LIMITS)
}

/// Parses and executes a template. Says whether there was output.
///
/// # Panics
///
/// A second execution ends otherwise, an error has no place, or a limit was passed.
pub fn template(text: &[u8]) -> bool {
    let result = run(text, &data());
    let again = run(text, &data());
    assert_eq!(result, again, "the same template gave two results");
    match result {
        Ok(output) => {
            assert!(output.text.len() <= LIMITS.bytes, "longer than the limit");
            true
        }
        Err(error) => {
            assert!(error.message().starts_with("template: fuzz:"), "{error}");
            false
        }
    }
}

/// Formats values: the first byte chooses them, the others are the format. Says whether all verbs
/// had a value that they can print.
///
/// # Panics
///
/// The text of an error has no place.
pub fn printf(input: &[u8]) -> bool {
    const ARGUMENTS: [&str; 6] = [
        ".i .s .f",
        ".u .c .l",
        ".h .p .m",
        ".nil .by .t",
        ".n .f .b",
        "",
    ];
    let Some((choice, format)) = input.split_first() else {
        return false;
    };
    let arguments = ARGUMENTS[usize::from(*choice) % ARGUMENTS.len()];
    let Value::Map(map) = data() else {
        return false;
    };
    if map.insert("format".into(), Value::string(format)).is_err() {
        return false;
    }
    let text = format!("{{{{printf .format {arguments}}}}}");
    match run(text.as_bytes(), &Value::Map(map)) {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.text);
            // Values that the format does not use are no mistake here.
            let used = text.split("%!(EXTRA ").next().unwrap_or_default();
            !used.contains("%!")
        }
        Err(error) => {
            assert!(error.message().starts_with("template: fuzz:"), "{error}");
            false
        }
    }
}
