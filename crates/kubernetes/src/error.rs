//! What can go wrong between us and an API server, told apart by what the user has to do.

use std::error::Error as StdError;
use std::fmt::Write as _;

use kube::core::Status;

use crate::object::ObjectReference;

/// One field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// The manager that owns the field, `kubectl-edit`.
    pub manager: String,
    /// The field as the API server names it, `.spec.replicas`.
    pub field: String,
}

/// A failed call to, or a failed connection with, a Kubernetes API server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kubeconfig file cannot be read or understood.
    #[error("the kubeconfig {path} cannot be used; check that the file exists and is a kubeconfig")]
    Kubeconfig {
        /// The file, or where the client looked for one.
        path: String,
        /// Why.
        #[source]
        source: kube::config::KubeconfigError,
    },
    /// The kubeconfig has no such context.
    #[error(
        "the kubeconfig {path} has no context {context:?}; it has: {available}. Set config_context \
         to one of these"
    )]
    ContextMissing {
        /// The file.
        path: String,
        /// The context asked for; empty when none was given and the file names no current one.
        context: String,
        /// The contexts of the file, joined by commas.
        available: String,
    },
    /// The description of the connection contradicts itself or cannot be parsed.
    #[error("the connection cannot be used: {reason}")]
    InvalidConnection {
        /// What is wrong and what to write instead.
        reason: String,
    },
    /// An exec plugin or a token source gave no credentials.
    #[error("no credentials for the Kubernetes API at {server}: {reason}")]
    Credentials {
        /// URL of the API server.
        server: String,
        /// What was tried and why it failed.
        reason: String,
    },
    /// No answer: name not found, connection refused, reset, or silence.
    #[error(
        "the Kubernetes API at {server} cannot be reached: {reason}. Check that the cluster runs and \
         that this machine may reach the endpoint (private endpoint, VPN, public_access_cidrs); \
         nothing is assumed about the objects in it"
    )]
    Unreachable {
        /// URL of the API server.
        server: String,
        /// The innermost cause.
        reason: String,
    },
    /// The server's certificate is not the one that the certificate authority vouches for.
    #[error(
        "the TLS connection to the Kubernetes API at {server} failed: {reason}. Check that the \
         certificate authority belongs to this cluster (a cluster that was made again has a new one)"
    )]
    Tls {
        /// URL of the API server.
        server: String,
        /// What the TLS library said.
        reason: String,
    },
    /// 401: the server does not know who we are.
    #[error(
        "the Kubernetes API at {server} refused the credentials (401 Unauthorized). The token may \
         have expired, or the identity has no access to this cluster (EKS: an access entry)"
    )]
    Unauthorised {
        /// URL of the API server.
        server: String,
    },
    /// 403: the server knows us and does not allow it.
    #[error("not allowed to {action}: {message}")]
    Forbidden {
        /// What was tried, `apply Deployment team-a/web`.
        action: String,
        /// The server's words.
        message: String,
    },
    /// Fields of the object belong to other managers.
    #[error("{object} has fields that others manage: {}", list_conflicts(.conflicts))]
    Conflict {
        /// The object.
        object: Box<ObjectReference>,
        /// The fields and their managers.
        conflicts: Vec<FieldConflict>,
    },
    /// An optimistic lock failed: the object changed between read and write.
    #[error("cannot {action}: the object was changed by someone else at the same time")]
    Changed {
        /// What was tried.
        action: String,
    },
    /// The server serves no such kind.
    #[error(
        "the cluster does not serve {kind} of {api_version}; install its CustomResourceDefinition \
         first, or correct apiVersion and kind"
    )]
    KindNotServed {
        /// Group and version.
        api_version: String,
        /// The kind.
        kind: String,
    },
    /// The aggregated API that serves the group does not answer.
    #[error(
        "the API group {group} is registered and its server does not answer; look at `kubectl get \
         apiservices`"
    )]
    GroupUnavailable {
        /// The group.
        group: String,
    },
    /// The server refused the request for its content (400, 422) or for a policy of its own.
    #[error("the API server refused to {action}: {message}")]
    Rejected {
        /// What was tried.
        action: String,
        /// The server's words.
        message: String,
    },
    /// Any other answer, after the retries that make sense for it.
    #[error("cannot {action}: the API server answered {code} {status_reason}: {message}")]
    Api {
        /// What was tried.
        action: String,
        /// HTTP status.
        code: u16,
        /// The status' reason, `InternalError`.
        status_reason: String,
        /// The server's words.
        message: String,
    },
    /// The answer is not what the Kubernetes API sends.
    #[error("cannot {action}: the answer of {server} is not one of a Kubernetes API")]
    Decode {
        /// What was tried.
        action: String,
        /// URL of the API server.
        server: String,
        /// Where it stops making sense.
        #[source]
        source: Option<serde_json::Error>,
    },
}

impl Error {
    /// Whether the object, or its whole namespace, does not exist according to the server itself.
    pub(crate) fn is_not_found_status(status: &Status) -> bool {
        status.code == 404 && status.reason == "NotFound"
    }

    /// Whether the same call may succeed in some seconds without anyone doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Unreachable { .. } | Error::GroupUnavailable { .. } => true,
            Error::Api { code, .. } => matches!(code, 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether a webhook that the server has to ask did not answer: its pods may not run yet, or the
    /// network does not let the server through.
    pub fn is_webhook_silent(&self) -> bool {
        matches!(self, Error::Api { code: 500.., message, .. }
            if message.contains("failed calling webhook") || message.contains("conversion webhook"))
    }

    /// Whether nothing can be said about the objects, because no API server answered us.
    pub fn is_no_answer(&self) -> bool {
        matches!(
            self,
            Error::Unreachable { .. }
                | Error::Tls { .. }
                | Error::Unauthorised { .. }
                | Error::Credentials { .. }
                | Error::Decode { .. }
        )
    }
}

fn list_conflicts(conflicts: &[FieldConflict]) -> String {
    let mut text = String::new();
    for (index, conflict) in conflicts.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(
            text,
            "{separator}{} (by {})",
            conflict.field, conflict.manager
        );
    }
    text.push_str(
        ". Take the field out of the manifest, or let the other manager go (kubectl apply \
         --server-side --field-manager=NAME without it)",
    );
    text
}

/// An error and its sources in one line, outermost first.
pub fn describe(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let _ = write!(text, ": {inner}");
        source = inner.source();
    }
    text
}

/// Turns the client's error into ours. `action` says what was tried, `object` what it was tried on.
pub(crate) fn classify(
    error: kube::Error,
    server: &str,
    action: &str,
    object: Option<&ObjectReference>,
) -> Error {
    match error {
        kube::Error::Api(status) => classify_status(*status, server, action, object),
        kube::Error::SerdeError(source) => Error::Decode {
            action: action.to_owned(),
            server: server.to_owned(),
            source: Some(source),
        },
        kube::Error::FromUtf8(_) => Error::Decode {
            action: action.to_owned(),
            server: server.to_owned(),
            source: None,
        },
        kube::Error::Auth(source) => credentials(&source, server),
        other => classify_transport(&other, server),
    }
}

/// What an exec plugin or token file did wrong. The plugin's stdout may hold a token: only its status
/// and stderr are told.
pub(crate) fn credentials(error: &kube::client::AuthError, server: &str) -> Error {
    use kube::client::AuthError;
    let reason = match error {
        AuthError::AuthExecStart(source) => {
            format!("the exec plugin cannot be started: {source}. Is it installed and on PATH?")
        }
        AuthError::AuthExecRun { cmd, out } => format!(
            "the exec plugin {} ended with {}: {}",
            cmd.split_whitespace()
                .find(|word| !word.contains('='))
                .unwrap_or("")
                .trim_matches('"'),
            out.status,
            shorten(String::from_utf8_lossy(&out.stderr).trim(), 400)
        ),
        AuthError::AuthExecParse(_) => {
            "the exec plugin printed no ExecCredential; check its api_version, command and args"
                .to_owned()
        }
        AuthError::ExecPluginFailed => {
            "the exec plugin's ExecCredential has no status; check its api_version".to_owned()
        }
        other => other.to_string(),
    };
    Error::Credentials {
        server: server.to_owned(),
        reason,
    }
}

fn classify_status(
    status: Status,
    server: &str,
    action: &str,
    object: Option<&ObjectReference>,
) -> Error {
    let action = action.to_owned();
    let message = shorten(&status.message, 2000);
    match status.code {
        401 => Error::Unauthorised {
            server: server.to_owned(),
        },
        403 if status.reason == "Forbidden" => Error::Forbidden { action, message },
        409 if status.reason == "Conflict" => {
            let conflicts: Vec<_> = status
                .details
                .iter()
                .flat_map(|details| &details.causes)
                .filter(|cause| cause.reason == "FieldManagerConflict")
                .map(|cause| FieldConflict {
                    manager: manager_of(&cause.message),
                    field: cause.field.clone(),
                })
                .collect();
            match object {
                Some(object) if !conflicts.is_empty() => Error::Conflict {
                    object: Box::new(object.clone()),
                    conflicts,
                },
                _ => Error::Changed { action },
            }
        }
        400 | 405 | 409 | 413 | 415 | 422 => Error::Rejected { action, message },
        code => Error::Api {
            action,
            code,
            status_reason: status.reason,
            message,
        },
    }
}

/// The manager in `conflict with "kubectl-edit" using apps/v1`, or the whole message.
fn manager_of(message: &str) -> String {
    message
        .split('"')
        .nth(1)
        .map_or_else(|| message.to_owned(), str::to_owned)
}

fn classify_transport(error: &(dyn StdError + 'static), server: &str) -> Error {
    let mut innermost = error.to_string();
    let mut current: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = current {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Error::Tls {
                server: server.to_owned(),
                reason: tls.to_string(),
            };
        }
        if let Some(auth) = error.downcast_ref::<kube::client::AuthError>() {
            return credentials(auth, server);
        }
        innermost = error.to_string();
        // `io::Error::source` skips the error that it wraps.
        current = match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    Error::Unreachable {
        server: server.to_owned(),
        reason: innermost,
    }
}

fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use kube::core::Status;
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_become_errors_that_say_what_to_do() {
        let object = ObjectReference::new("apps/v1", "Deployment", Some("team-a"), "web");
        let cases = [
            (
                json!({"code": 401, "reason": "Unauthorized", "message": "Unauthorized"}),
                "the Kubernetes API at https://k refused the credentials (401 Unauthorized). The token \
                 may have expired, or the identity has no access to this cluster (EKS: an access entry)",
            ),
            (
                json!({"code": 403, "reason": "Forbidden", "message": "u cannot patch"}),
                "not allowed to apply web: u cannot patch",
            ),
            (
                json!({"code": 409, "reason": "Conflict", "message": "m", "details": {"causes": [
                    {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-edit\" using apps/v1", "field": ".spec.replicas"},
                ]}}),
                "Deployment team-a/web has fields that others manage: .spec.replicas (by kubectl-edit). \
                 Take the field out of the manifest, or let the other manager go (kubectl apply \
                 --server-side --field-manager=NAME without it)",
            ),
            (
                json!({"code": 409, "reason": "Conflict", "message": "modified"}),
                "cannot apply web: the object was changed by someone else at the same time",
            ),
            (
                json!({"code": 422, "reason": "Invalid", "message": "spec.x: bad"}),
                "the API server refused to apply web: spec.x: bad",
            ),
            (
                json!({"code": 503, "reason": "ServiceUnavailable", "message": "down"}),
                "cannot apply web: the API server answered 503 ServiceUnavailable: down",
            ),
        ];
        for (status, expected) in cases {
            let status: Status = serde_json::from_value(status).unwrap();
            let error = classify_status(status, "https://k", "apply web", Some(&object));
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_tls_error_inside_an_io_error_is_found() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let io = std::io::Error::other(tls);
        let error = classify_transport(&io, "https://k");
        assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    }
}
