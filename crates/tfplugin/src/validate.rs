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
                if let Err(requirement) = validator.check(value.inner()) {
                    let found = match value.inner() {
                        Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                            format!(", got {}", show(&value, place.attribute.sensitive))
                        }
                        _ => String::new(),
                    };
                    diagnostics.push(
                        Diagnostic::error(
                            "Invalid attribute value",
                            format!("`{}` {requirement}{found}.", place.path),
                        )
                        .at(place.path.clone()),
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
