//! Engine errors for users.

use devopsgenie_bootstrap::EngineError;
use devopsgenie_kubernetes::{Error, describe};
use tfplugin::cty::Path;
use tfplugin::diagnostics::{Diagnostic, Diagnostics};

/// One diagnostic for each error.
pub(super) fn from_errors(errors: &[EngineError]) -> Diagnostics {
    errors.iter().map(from_error).collect()
}

fn from_error(error: &EngineError) -> Diagnostic {
    let path = |addon: &str| Path::root().attribute("addons").key(addon);
    match error {
        EngineError::Cluster(source) => from_cluster_error(source),
        EngineError::Object { key, addon, source } => {
            let summary = format!("{key} cannot be changed");
            Diagnostic::error(summary, sentence(&describe(source.as_ref()))).at(path(addon))
        }
        EngineError::OtherSet { key, addon, .. } => Diagnostic::error(
            format!("{key} belongs to another add-on set"),
            sentence(&describe(error)),
        )
        .at(path(addon)),
        EngineError::NamespaceExists { key, addon } => {
            Diagnostic::error(format!("{key} exists already"), sentence(&describe(error)))
                .at(path(addon))
        }
        EngineError::OtherOwner { .. } => Diagnostic::error(
            "The add-on set belongs to another Terraform state",
            sentence(&describe(error)),
        )
        .at(Path::root().attribute("name")),
        EngineError::Busy { .. } => Diagnostic::error(
            "The add-on set is being changed",
            sentence(&describe(error)),
        ),
        EngineError::Wait { .. } => {
            Diagnostic::error("The add-on set is not complete", indented(&describe(error)))
        }
        EngineError::Cancelled => Diagnostic::error("Stopped", sentence(&describe(error))),
        other => Diagnostic::error(
            "The add-on set cannot be changed",
            sentence(&describe(other)),
        ),
    }
}

/// An error of the connection, at the attribute `kubernetes`.
pub(super) fn from_cluster_error(error: &Error) -> Diagnostic {
    let summary = match error {
        Error::Unreachable { .. } => "The Kubernetes API cannot be reached",
        Error::Tls { .. } => "The Kubernetes API's certificate is not trusted",
        Error::Unauthorised { .. } => "The Kubernetes API refuses the credentials",
        Error::Credentials { .. } => "No credentials for the Kubernetes API",
        Error::Kubeconfig { .. } | Error::ContextMissing { .. } => "The kubeconfig cannot be used",
        Error::InvalidConnection { .. } => "The connection cannot be used",
        Error::Forbidden { .. } => "Not allowed by the Kubernetes API",
        _ => "The Kubernetes API call failed",
    };
    Diagnostic::error(summary, sentence(&describe(error))).at(Path::root().attribute("kubernetes"))
}

/// Begins with a capital and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let mut sentence: String = characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    });
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// Terraform leaves lines that begin with a space as they are.
fn indented(text: &str) -> String {
    sentence(text).replace('\n', "\n  ")
}
