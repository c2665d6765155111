//! Engine errors for users.

use devopsgenie_bootstrap::EngineError;
use devopsgenie_kubernetes::{Error, describe};
use tfplugin::cty::Path;
use tfplugin::diagnostics::{Diagnostic, Diagnostics};

use crate::client::sentence;

/// One diagnostic for each error.
pub(super) fn from_errors(errors: &[EngineError]) -> Diagnostics {
    errors.iter().map(from_error).collect()
}

fn from_error(error: &EngineError) -> Diagnostic {
    match error {
        EngineError::Cluster(source) => from_cluster_error(source),
        EngineError::Object { key, addon, source } => {
            let summary = format!("{key} cannot be changed");
            Diagnostic::error(summary, sentence(&describe(source.as_ref()))).at(path(addon))
        }
        EngineError::OtherSet { key, addon, .. } => {
            at_addon(format!("{key} belongs to another add-on set"), error, addon)
        }
        EngineError::NamespaceExists { key, addon } | EngineError::ObjectExists { key, addon } => {
            at_addon(format!("{key} exists already"), error, addon)
        }
        EngineError::DefinitionInUse { key, addon, .. } => {
            at_addon(format!("{key} is in use"), error, addon)
        }
        EngineError::OtherOwner { .. } => {
            at_name("The add-on set belongs to another Terraform state", error)
        }
        EngineError::SetExists { .. } => at_name("The add-on set exists already", error),
        EngineError::NewerInventory { .. } | EngineError::BrokenInventory { .. } => {
            at_name("The inventory of the add-on set cannot be used", error)
        }
        EngineError::Busy { .. } => at_name("The add-on set is being changed", error),
        EngineError::LeaseLost => at_name("The add-on set was changed by another apply", error),
        EngineError::TimedOut => Diagnostic::error("The time is up", sentence(&describe(error)))
            .at(Path::root().attribute("timeouts")),
        EngineError::Wait { addon, .. } => {
            let path = match addon {
                Some(addon) => path(addon),
                None => Path::root().attribute("addons"),
            };
            Diagnostic::error("The add-on set is not complete", indented(&describe(error))).at(path)
        }
        EngineError::Cancelled => Diagnostic::error("Stopped", sentence(&describe(error))),
        other => Diagnostic::error(
            "The add-on set cannot be changed",
            sentence(&describe(other)),
        ),
    }
}

fn path(addon: &str) -> Path {
    Path::root().attribute("addons").key(addon)
}

fn at_addon(summary: String, error: &EngineError, addon: &str) -> Diagnostic {
    Diagnostic::error(summary, sentence(&describe(error))).at(path(addon))
}

fn at_name(summary: &str, error: &EngineError) -> Diagnostic {
    Diagnostic::error(summary, sentence(&describe(error))).at(Path::root().attribute("name"))
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

/// Terraform leaves lines that begin with a space as they are.
fn indented(text: &str) -> String {
    sentence(text).replace('\n', "\n  ")
}
