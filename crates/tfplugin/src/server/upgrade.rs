//! Reads stored states of the same or an older schema version.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::cty::{CodecError, Type, Value, json};
use crate::diagnostics::Diagnostics;
use crate::raw_state::RawState;
use crate::resource::UpgradeRequest;

/// Turns stored JSON, of a state or an identity, into a value of the present version: as it is, or
/// through `older` when its version is older.
pub(crate) fn upgrade(
    present: i64,
    ty: &Type,
    version: i64,
    stored: &[u8],
    older: impl FnOnce(UpgradeRequest) -> Result<Value, Diagnostics>,
) -> Result<Value, Diagnostics> {
    if version > present {
        return Err(Diagnostics::error(
            "The state is newer than this provider",
            format!(
                "The state has schema version {version}, this provider version knows {present} at \
                 most. Use the provider version that wrote the state, or a newer one.",
            ),
        ));
    }
    let state = RawState::from_json(stored).map_err(|error| invalid_json(&error))?;
    if version < present {
        return older(UpgradeRequest { version, state });
    }
    state.decode(ty)
}

pub(crate) fn invalid_json(error: &serde_json::Error) -> Diagnostics {
    Diagnostics::error(
        "The stored state cannot be read",
        format!("The state of this object is not valid JSON ({error}). Restore a backup of it."),
    )
}

/// Reads stored JSON as a value of type `ty`. A later release of the same version may have removed
/// an attribute, and an earlier one may not have known one: the first is dropped, the second read
/// as null.
pub(crate) fn read_stored(raw: &RawValue, ty: &Type) -> Result<Value, CodecError> {
    let mut kept = String::with_capacity(raw.get().len());
    match prune(raw, ty, &mut kept) {
        Ok(()) => json::decode(kept.as_bytes(), ty),
        // The decoder says what is wrong with it.
        Err(_) => json::decode(raw.get().as_bytes(), ty),
    }
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
