//! Values, paths and diagnostics to and from their protobuf form.

use super::proto;
use crate::cty::{Path, PathStep, Type, Value, json, msgpack};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::resource::Deferral;

/// Reads a value of type `ty`. A missing or empty one is null.
pub(crate) fn decode(
    dynamic: Option<&proto::DynamicValue>,
    ty: &Type,
) -> Result<Value, Diagnostics> {
    let Some(dynamic) = dynamic else {
        return Ok(Value::Null);
    };
    let decoded = if !dynamic.msgpack.is_empty() {
        msgpack::decode(&dynamic.msgpack, ty)
    } else if !dynamic.json.is_empty() {
        json::decode(&dynamic.json, ty)
    } else {
        return Ok(Value::Null);
    };
    decoded.map_err(|error| {
        Diagnostics::attribute_error(
            error.path.clone(),
            "A value from Terraform cannot be read",
            format!(
                "{error}. Terraform and the provider disagree about the schema; check that the \
                 provider's version is the one in the lock file, and report this to the provider's \
                 developers if it is."
            ),
        )
    })
}

/// Reads an object of type `ty`, `None` when it is null.
pub(crate) fn decode_object(
    dynamic: Option<&proto::DynamicValue>,
    ty: &Type,
) -> Result<Option<Value>, Diagnostics> {
    decode(dynamic, ty).map(|value| (!value.is_null()).then_some(value))
}

/// Writes a value of type `ty`.
pub(crate) fn encode(value: &Value, ty: &Type) -> Result<proto::DynamicValue, Diagnostics> {
    let msgpack = msgpack::encode(value, ty).map_err(|error| {
        Diagnostics::attribute_error(
            error.path.clone(),
            "Provider bug: the provider produced a value that does not fit its schema",
            format!("{error}. Please report this to the provider's developers."),
        )
    })?;
    Ok(proto::DynamicValue {
        msgpack,
        json: Vec::new(),
    })
}

/// Writes an object of type `ty`, null for `None`.
pub(crate) fn encode_object(
    value: Option<&Value>,
    ty: &Type,
) -> Result<proto::DynamicValue, Diagnostics> {
    encode(value.unwrap_or(&Value::Null), ty)
}

/// Writes a path; it ends before the first set element, which has no step.
pub(crate) fn encode_path(path: &Path) -> proto::AttributePath {
    use proto::attribute_path::{Step, step::Selector};
    let steps = path
        .steps()
        .iter()
        .map_while(|step| {
            let selector = match step {
                PathStep::Attribute(name) => Selector::AttributeName(name.clone()),
                PathStep::Key(key) => Selector::ElementKeyString(key.clone()),
                PathStep::Index(index) => Selector::ElementKeyInt(*index),
                PathStep::Element(_) => return None,
            };
            Some(Step {
                selector: Some(selector),
            })
        })
        .collect();
    proto::AttributePath { steps }
}

pub(crate) fn encode_diagnostics(diagnostics: Diagnostics) -> Vec<proto::Diagnostic> {
    diagnostics.into_iter().map(encode_diagnostic).collect()
}

fn encode_diagnostic(diagnostic: Diagnostic) -> proto::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => proto::diagnostic::Severity::Error,
        Severity::Warning => proto::diagnostic::Severity::Warning,
    };
    proto::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary,
        detail: diagnostic.detail,
        // The path of the whole object says nothing more than no path.
        attribute: diagnostic
            .attribute
            .filter(|path| !path.is_root())
            .map(|path| encode_path(&path)),
    }
}

/// Whether Core lets an object be dealt with later.
pub(crate) fn deferral_allowed(capabilities: Option<&proto::ClientCapabilities>) -> bool {
    capabilities.is_some_and(|capabilities| capabilities.deferral_allowed)
}

pub(crate) fn encode_deferral(deferral: Deferral) -> proto::Deferred {
    use proto::deferred::Reason;
    let reason = match deferral {
        Deferral::ResourceConfigUnknown => Reason::ResourceConfigUnknown,
        Deferral::ProviderConfigUnknown => Reason::ProviderConfigUnknown,
    };
    proto::Deferred {
        reason: reason.into(),
    }
}
