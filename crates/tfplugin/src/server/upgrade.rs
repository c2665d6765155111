//! Reads stored states of the same or an older schema version.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::cty::{Type, Value, json};
use crate::diagnostics::Diagnostics;
use crate::erased::ErasedResource;
use crate::resource::UpgradeRequest;
use crate::schema::Schema;

/// Turns the stored JSON of a state into a value of the present schema.
pub(crate) fn upgrade(
    schema: &Schema,
    ty: &Type,
    resource: &dyn ErasedResource,
    version: i64,
    stored: &[u8],
) -> Result<Value, Diagnostics> {
    if version > schema.version {
        return Err(Diagnostics::error(
            "The state is newer than this provider",
            format!(
                "The state has schema version {version}, this provider version knows {} at most. \
                 Use the provider version that wrote the state, or a newer one.",
                schema.version
            ),
        ));
    }
    if version < schema.version {
        let state = serde_json::from_slice(stored).map_err(|error| invalid_json(&error))?;
        return resource.upgrade_state(UpgradeRequest { version, state });
    }
    // A later release of the same schema version may have removed an attribute, and an earlier one
    // may not have known one: the first is dropped, the second read as null.
    let raw: &RawValue = serde_json::from_slice(stored).map_err(|error| invalid_json(&error))?;
    let mut kept = String::with_capacity(stored.len());
    prune(raw, ty, &mut kept).map_err(|error| invalid_json(&error))?;
    json::decode(kept.as_bytes(), ty).map_err(|error| {
        Diagnostics::attribute_error(
            error.path.clone(),
            "The stored state cannot be read",
            format!(
                "{error}. The state claims schema version {version}, the present one, but does not \
                 fit it: it was changed by hand, or written by another build of the provider. \
                 Restore a backup of the state, or remove the object from the state and import it."
            ),
        )
    })
}

fn invalid_json(error: &serde_json::Error) -> Diagnostics {
    Diagnostics::error(
        "The stored state cannot be read",
        format!("The state of this object is not valid JSON ({error}). Restore a backup of it."),
    )
}

/// Copies JSON without the object attributes that the type does not have. Works on the text, so
/// that no number loses digits.
fn prune(raw: &RawValue, ty: &Type, output: &mut String) -> Result<(), serde_json::Error> {
    let text = raw.get();
    // A value of another shape is copied whole: the decoder says where it is.
    match ty {
        Type::Object(object) => match serde_json::from_str(text) {
            Ok(values) => entries(output, values, |name| object.attribute(name)),
            Err(_) => copy(output, text),
        },
        Type::Map(element) => match serde_json::from_str(text) {
            Ok(values) => entries(output, values, |_| Some(element)),
            Err(_) => copy(output, text),
        },
        Type::List(element) | Type::Set(element) => match serde_json::from_str(text) {
            Ok(values) => elements(output, values, |_| Some(element)),
            Err(_) => copy(output, text),
        },
        Type::Tuple(types) => match serde_json::from_str(text) {
            Ok(values) => elements(output, values, |index| types.get(index)),
            Err(_) => copy(output, text),
        },
        _ => copy(output, text),
    }
}

fn copy(output: &mut String, text: &str) -> Result<(), serde_json::Error> {
    output.push_str(text);
    Ok(())
}

fn entries<'t>(
    output: &mut String,
    values: BTreeMap<String, &RawValue>,
    type_of: impl Fn(&str) -> Option<&'t Type>,
) -> Result<(), serde_json::Error> {
    output.push('{');
    let mut first = true;
    for (name, value) in values {
        let Some(ty) = type_of(&name) else {
            continue;
        };
        if !first {
            output.push(',');
        }
        first = false;
        output.push_str(&serde_json::to_string(&name)?);
        output.push(':');
        prune(value, ty, output)?;
    }
    output.push('}');
    Ok(())
}

fn elements<'t>(
    output: &mut String,
    values: Vec<&RawValue>,
    type_of: impl Fn(usize) -> Option<&'t Type>,
) -> Result<(), serde_json::Error> {
    output.push('[');
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            output.push(',');
        }
        match type_of(index) {
            Some(ty) => prune(value, ty, output)?,
            None => output.push_str(value.get()),
        }
    }
    output.push(']');
    Ok(())
}
