//! Checks of a configuration: the schema's validators, then the handler's own.

use crate::cty::Value;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::lint::show;
use crate::plan::walk;
use crate::schema::Schema;

/// Runs every validator. `typed` is the handler's own check; it runs only when the others found
/// no error, so that it can rely on them.
pub(crate) fn config(
    schema: &Schema,
    config: &Value,
    typed: impl FnOnce(Value) -> Diagnostics,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    walk::transform(
        schema.members(),
        None,
        None,
        config.clone(),
        &mut |place, value| {
            if value.is_null() || value.is_unknown() {
                return value;
            }
            for validator in &place.attribute.validators {
                for (inside, requirement) in validator.findings(value.inner()) {
                    let found = match value.inner().get(&inside).map(Value::inner) {
                        Some(found @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => {
                            format!(", got {}", show(found, place.secret))
                        }
                        _ => String::new(),
                    };
                    let path = place.path.clone().join(&inside);
                    diagnostics.push(
                        Diagnostic::error(
                            "Invalid attribute value",
                            format!("`{path}` {requirement}{found}."),
                        )
                        .at(path),
                    );
                }
            }
            value
        },
    );
    for validator in &schema.validators {
        diagnostics.extend(validator.check(config));
    }
    if !diagnostics.has_errors() && !config.is_null() {
        diagnostics.extend(typed(config.clone()));
    }
    diagnostics
}

/// Refuses configured write-only values, for a Core that does not know them: it would store them.
pub(crate) fn no_write_only(schema: &Schema, config: &Value) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    walk::transform(
        schema.members(),
        None,
        None,
        config.clone(),
        &mut |place, value| {
            if place.attribute.write_only && !value.is_null() {
                diagnostics.push(
                    Diagnostic::error(
                        "Write-only attributes are not supported by this Terraform version",
                        format!(
                            "`{}` is write-only, which needs Terraform or OpenTofu 1.11 or newer. \
                             Upgrade, or leave the attribute out.",
                            place.path
                        ),
                    )
                    .at(place.path.clone()),
                );
            }
            value
        },
    );
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint;
    use crate::model::{Model as _, Sensitive};
    use crate::schema::{Attribute, validators};

    /// A secret in each place where one can be, and one value that may be shown.
    fn schema() -> Schema {
        let text = || {
            Attribute::string()
                .optional()
                .description("Text.")
                .validate(validators::string_length_between(1, 3))
        };
        Schema::new("A thing.")
            .attribute("open", text())
            .attribute("sensitive", text().sensitive())
            .attribute("write_only", text().write_only())
            .attribute(
                "group",
                Attribute::single_nested([
                    ("token", text()),
                    (
                        "inner",
                        Attribute::map_nested([("token", text())])
                            .optional()
                            .description("Objects."),
                    ),
                ])
                .optional()
                .sensitive()
                .description("An object."),
            )
    }

    fn object(secret: &str, shown: &str) -> Value {
        let inner = Value::object([("token", Value::from(secret))]);
        let group = Value::object([
            ("token", Value::from(secret)),
            ("inner", Value::map([("key", inner)])),
        ]);
        Value::object([
            ("open", Value::from(shown)),
            ("sensitive", Value::from(secret)),
            ("write_only", Value::from(secret)),
            ("group", group),
        ])
    }

    #[test]
    fn messages_show_no_secret() {
        let found = config(&schema(), &object("s3cret", "shown"), |_| {
            Diagnostics::new()
        });
        let broken = lint::planned(
            &schema(),
            Some(&object("s3cret", "shown")),
            &object("s3cret", "shown"),
            &object("s3cret too", "shown too"),
        );
        // The write-only value breaks another rule of plans.
        for (diagnostics, hidden) in [(found, 4), (broken, 3)] {
            let text = diagnostics.to_string();
            assert_eq!(diagnostics.len(), 5, "{text}");
            assert_eq!(
                text.lines()
                    .filter(|line| line.contains("(sensitive value)"))
                    .count(),
                hidden,
                "{text}"
            );
            assert!(!text.contains("s3cret"), "{text}");
            assert!(text.contains("\"shown"), "{text}");
        }
    }

    #[test]
    fn errors_of_elements_are_at_the_elements() {
        use crate::cty::Type;
        let checked = |attribute: Attribute| {
            let short = validators::each(validators::string_length_between(1, 3));
            attribute.optional().description("Texts.").validate(short)
        };
        let texts = [Value::from("fits"), Value::Null, Value::from("a")];
        let cases = [
            (
                Attribute::list(Type::String),
                Value::list(texts.clone()),
                "Error: Invalid attribute value (at texts[0]): `texts[0]` must have 1 to 3 \
                 characters, got \"fits\".",
            ),
            (
                Attribute::map(Type::String),
                Value::map(["x", "y", "z"].into_iter().zip(texts.clone())),
                "Error: Invalid attribute value (at texts[\"x\"]): `texts[\"x\"]` must have 1 to 3 \
                 characters, got \"fits\".",
            ),
            (
                Attribute::map(Type::String).sensitive(),
                Value::map(["x", "y", "z"].into_iter().zip(texts.clone())),
                "Error: Invalid attribute value (at texts[\"x\"]): `texts[\"x\"]` must have 1 to 3 \
                 characters, got (sensitive value).",
            ),
            (
                Attribute::set(Type::String),
                Value::set(texts),
                "Error: Invalid attribute value (at texts): `texts` element 1 must have 1 to 3 \
                 characters.",
            ),
        ];
        for (attribute, value, expected) in cases {
            let schema = Schema::new("A thing.").attribute("texts", checked(attribute));
            let found = config(&schema, &Value::object([("texts", value)]), |_| {
                Diagnostics::new()
            });
            assert_eq!(found.to_string(), expected);
        }
    }

    #[test]
    fn a_secret_that_does_not_fit_its_model_is_not_shown() {
        type Numbers = std::collections::BTreeMap<String, crate::AttributeValue<i64>>;
        let fraction = || Value::from("4.711".parse::<crate::cty::Number>().unwrap());
        let errors = [
            i64::from_value(fraction()).unwrap_err(),
            Sensitive::<i64>::from_value(fraction()).unwrap_err(),
            Sensitive::<Numbers>::from_value(Value::map([("4.711", fraction())])).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(
                error.to_string(),
                format!("expected a whole number from {} to {}", i64::MIN, i64::MAX)
            );
        }
    }
}
