//! From the attribute `kubernetes` to a handle on the cluster.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use devopsgenie_kubernetes::{
    Cluster, Connection, Credentials, Endpoint, Error, ExecPlugin, KubeconfigFile, ObjectReference,
    Sensitive,
};
use serde_json::Value;
use tfplugin::diagnostics::Diagnostics;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::diagnostics::from_cluster_error;
use super::model::{AddonSetModel, ClusterModel, ConnectionModel, EksModel, list, text};

/// How long a new cluster may refuse us: its access entries and its DNS name take a moment.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a new cluster may know us and allow us nothing: access policies come after the entry.
const PATIENCE_WITHOUT_RIGHTS: Duration = Duration::from_secs(20);

/// What EKS says about a cluster.
pub(super) enum EksCluster {
    /// How to reach it.
    Reachable(Connection),
    /// There is no such cluster.
    Gone,
}

/// Where connections to EKS clusters come from.
pub(super) trait EksConnections: Sync {
    /// The connection to an EKS cluster, with tokens made from the provider's credentials.
    /// What the configuration gives (endpoint, certificate authority) is not asked from EKS.
    fn eks_connection(
        &self,
        cluster: &EksModel,
    ) -> impl Future<Output = Result<EksCluster, Diagnostics>> + Send;
}

/// The cluster of a connection; `None` when EKS says that it does not exist.
pub(super) async fn connect(
    connections: &impl EksConnections,
    model: Option<&ConnectionModel>,
    patient_until: Option<Instant>,
    stop: &CancellationToken,
) -> Result<Option<Cluster>, Diagnostics> {
    let Some(model) = model else {
        return Err(Diagnostics::attribute_error(
            tfplugin::cty::Path::root().attribute("kubernetes"),
            "The connection is missing",
            "The state has no connection. Apply the configuration, or import the set again.",
        ));
    };
    let connection = if let Some(eks) = model.eks.known() {
        match connections.eks_connection(eks).await? {
            EksCluster::Gone => return Ok(None),
            EksCluster::Reachable(connection) => connection,
        }
    } else if let Some(file) = model.kubeconfig.known() {
        Connection::Kubeconfig(KubeconfigFile {
            path: file.config_path.as_str().map(PathBuf::from),
            context: file.config_context.as_str().map(str::to_owned),
        })
    } else {
        let cluster = model.cluster.known().cloned().unwrap_or_default();
        by_url(&cluster)
    };
    let begun = Instant::now();
    let give_up = patient_until.map_or(begun, |deadline| deadline.min(begun + PATIENCE));
    loop {
        let error = match Cluster::connect(&connection).await {
            Ok(cluster) => {
                let without_rights = (begun + PATIENCE_WITHOUT_RIGHTS).min(give_up);
                if Instant::now() >= without_rights {
                    return Ok(Some(cluster));
                }
                match cluster.get(&kube_system()).await {
                    Err(error @ Error::Forbidden { .. }) => error,
                    _ => return Ok(Some(cluster)),
                }
            }
            Err(error) => error,
        };
        let may_pass = matches!(
            error,
            Error::Unauthorised { .. } | Error::Unreachable { .. } | Error::Forbidden { .. }
        );
        if !may_pass || Instant::now() >= give_up {
            return Err(from_cluster_error(&error).into());
        }
        tracing::info!(error = %error, "waiting for the new cluster to let us in");
        tokio::select! {
            () = stop.cancelled() => return Err(from_cluster_error(&error).into()),
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

fn by_url(cluster: &ClusterModel) -> Connection {
    let credentials = if let Some(token) = cluster.token.known() {
        Credentials::Token(Sensitive::new(token.reveal().clone()))
    } else if let Some(exec) = cluster.exec.known() {
        Credentials::Exec(ExecPlugin {
            api_version: text(&exec.api_version),
            command: text(&exec.command),
            args: list(&exec.args).unwrap_or_default(),
            env: exec
                .env
                .known()
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| Some((name, value.known()?)))
                .map(|(name, value)| (name.clone(), Sensitive::new(value.reveal().clone())))
                .collect(),
        })
    } else if let (Some(certificate), Some(key)) = (
        cluster.client_certificate.as_str(),
        cluster.client_key.known(),
    ) {
        Credentials::ClientCertificate {
            certificate: certificate.to_owned(),
            key: Sensitive::new(key.reveal().clone()),
        }
    } else {
        Credentials::Anonymous
    };
    Connection::Endpoint(Box::new(Endpoint {
        host: text(&cluster.host),
        certificate_authority: cluster.cluster_ca_certificate.as_str().map(str::to_owned),
        tls_server_name: cluster.tls_server_name.as_str().map(str::to_owned),
        insecure: cluster.insecure.known().copied().unwrap_or(false),
        credentials,
    }))
}

/// The UID of the namespace `kube-system`, which no two clusters share; `None` without permission to
/// read it.
pub(super) async fn cluster_uid(cluster: &Cluster) -> Option<String> {
    let live = cluster.get(&kube_system()).await.ok()??;
    live.pointer("/metadata/uid")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// Requires that the connection leads to the cluster that the state knows: in another one the set may be
/// missing or be another set, and neither says anything about this one.
pub(super) fn require_same_cluster(
    state: &AddonSetModel,
    found: Option<&str>,
) -> Result<(), Diagnostics> {
    match (state.cluster_uid.as_str(), found) {
        (Some(known), Some(found)) if known != found => Err(Diagnostics::attribute_error(
            tfplugin::cty::Path::root().attribute("kubernetes"),
            "The connection leads to another cluster",
            format!(
                "The set was applied to the cluster whose namespace kube-system has the UID {known}, and the \
                 connection leads to {found} now. Nothing is read, changed or deleted there. If the connection is \
                 wrong (a kubeconfig context, credentials of another account), correct it. To move the set, apply with \
                 -replace=ADDRESS while the old connection still works. If the old cluster does not exist any more, \
                 take the set out of the state with a removed block (lifecycle {{ destroy = false }}); \
                 replace_triggered_by with the cluster's id removes the set before its cluster is replaced."
            ),
        )),
        _ => Ok(()),
    }
}

fn kube_system() -> ObjectReference {
    ObjectReference::new("v1", "Namespace", None, "kube-system")
}
