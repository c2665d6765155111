//! What makes a simulated cluster real: the trait the lab implements with Kubernetes processes.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The boxed future the backend's methods return, so that the trait can be a trait object.
pub type BackendFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send + 'a>>;

/// Why the backend could not do its part. The simulator turns it into a FAILED cluster, a failed
/// update or a CREATE_FAILED node group whose message carries this text.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The backend has no control plane of this name.
    #[error(
        "the backend has no control plane for cluster {0}: it was never created or is already deleted"
    )]
    UnknownCluster(String),
    /// The backend does not serve this Kubernetes minor version.
    #[error(
        "the backend does not serve Kubernetes {0}; use one of the versions it names in served_versions"
    )]
    UnsupportedVersion(String),
    /// Anything else: a process that did not start, a port that was taken, a refused API call.
    #[error("{what}")]
    Failed {
        /// What was being done, and what happened.
        what: String,
        /// The cause, if there is one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl BackendError {
    /// A failure without an underlying error.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::Failed {
            what: what.into(),
            source: None,
        }
    }

    /// A failure with the error that caused it.
    pub fn caused(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed {
            what: what.into(),
            source: Some(source.into()),
        }
    }
}

/// A control plane to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPlaneSpec {
    /// The cluster's name; unique among the clusters that exist.
    pub cluster_name: String,
    /// Kubernetes minor version, such as `1.36`.
    pub version: String,
    /// TokenReview v1 endpoint for `--authentication-token-webhook-config-file`.
    pub authentication_webhook_url: String,
    /// SubjectAccessReview v1 endpoint for the API server's webhook authorizer, to be placed
    /// before or after RBAC (it answers "no opinion" unless it allows).
    pub authorization_webhook_url: String,
    /// The cluster's OIDC issuer, for `--service-account-issuer`.
    pub issuer_url: String,
    /// `--service-cluster-ip-range`.
    pub service_ipv4_cidr: String,
}

/// A control plane that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPlane {
    /// `https://host:port`; stays the same for the cluster's whole life, as on AWS.
    pub endpoint: String,
    /// The certificate authority of the API server, PEM.
    pub certificate_authority_pem: String,
}

/// A Kubernetes taint with the effect as Kubernetes spells it (`NoSchedule`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeTaint {
    /// Taint key.
    pub key: String,
    /// Taint value; empty for none.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// What the node reports as capacity and allocatable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCapacity {
    /// Virtual CPUs.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Largest number of pods.
    pub pods: u32,
}

/// One node of a managed node group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// Node name and hostname, `ip-10-0-x-y.ec2.internal`.
    pub name: String,
    /// `aws:///<zone>/<instance id>`.
    pub provider_id: String,
    /// InternalIP address.
    pub internal_ip: Ipv4Addr,
    /// `v1.36.3-eks-...`.
    pub kubelet_version: String,
    /// All labels the node must carry.
    pub labels: BTreeMap<String, String>,
    /// All taints the node must carry.
    pub taints: Vec<NodeTaint>,
    /// Capacity and allocatable.
    pub capacity: NodeCapacity,
    /// `amd64` or `arm64`.
    pub architecture: String,
    /// `status.nodeInfo.osImage`.
    pub os_image: String,
}

/// How a drain ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DrainOutcome {
    /// No evictable pod is left on the node.
    Drained,
    /// Pods could not be evicted in time; names as `namespace/name`.
    Blocked {
        /// The pods that are still there.
        pods: Vec<String>,
    },
}

/// How server-side apply of one object ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyOutcome {
    /// The object is as applied, or would be.
    Applied,
    /// Other field managers own fields with other values, and nothing was changed. The fields as
    /// Kubernetes spells them in a conflict, such as `.spec.replicas`.
    Conflicts(Vec<String>),
}

/// A use of an API that a later Kubernetes no longer serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeprecatedUse {
    /// API group; empty for the core group.
    pub group: String,
    /// API version, such as `v1beta1`.
    pub version: String,
    /// Plural resource name.
    pub resource: String,
    /// The minor version that no longer serves it, such as `1.38`.
    pub removed_release: String,
}

/// Runs control planes and nodes. All methods may be called for different clusters at once; for
/// one cluster the simulator never runs two control-plane methods at once, but node methods may
/// run beside them, and wait while the API is away. Methods are idempotent: doing again what is done succeeds.
pub trait ClusterBackend: Send + Sync + 'static {
    /// Kubernetes minor versions this backend can run, oldest first, such as `["1.35", "1.36"]`.
    fn served_versions(&self) -> Vec<String>;

    /// The patch release of a served minor, such as `1.36.3`; becomes part of kubelet versions
    /// and release versions. `None` if the minor is not served.
    fn patch_version(&self, minor: &str) -> Option<String>;

    /// Starts a control plane; resolves when its API answers `/readyz`.
    fn create_control_plane(&self, spec: ControlPlaneSpec) -> BackendFuture<'_, ControlPlane>;

    /// Changes the minor version in place, keeping endpoint, certificates and data; resolves when
    /// the API answers again with the new version.
    fn update_control_plane<'a>(
        &'a self,
        cluster_name: &'a str,
        version: &'a str,
    ) -> BackendFuture<'a, ()>;

    /// Stops everything of the cluster and removes its data; resolves when it is gone.
    fn delete_control_plane<'a>(&'a self, cluster_name: &'a str) -> BackendFuture<'a, ()>;

    /// Creates the node, or changes labels and taints of one that exists (labels and taints which
    /// the spec no longer has are removed if they came from an earlier spec) and makes it
    /// schedulable again if a drain cordoned it; resolves when the node is Ready.
    fn apply_node<'a>(&'a self, cluster_name: &'a str, node: NodeSpec) -> BackendFuture<'a, ()>;

    /// Cordons the node and evicts its pods through the eviction API for at most `timeout` of real
    /// time. With `force`, pods that a disruption budget protects are deleted at the end of it.
    /// The simulator drops the future when simulated time is over, and asks again without a
    /// timeout for what is left.
    fn drain_node<'a>(
        &'a self,
        cluster_name: &'a str,
        node_name: &'a str,
        timeout: Duration,
        force: bool,
    ) -> BackendFuture<'a, DrainOutcome>;

    /// Removes the node; resolves when the Node object is gone.
    fn delete_node<'a>(
        &'a self,
        cluster_name: &'a str,
        node_name: &'a str,
    ) -> BackendFuture<'a, ()>;

    /// Applies an object (a whole manifest) by server-side apply as field manager `manager`. Without
    /// `force`, foreign fields are conflicts; with `dry_run`, nothing is changed in any case. The
    /// default is for backends that run no API server.
    fn apply_object<'a>(
        &'a self,
        cluster_name: &'a str,
        _object: &'a Value,
        _manager: &'a str,
        _force: bool,
        _dry_run: bool,
    ) -> BackendFuture<'a, ApplyOutcome> {
        no_objects(cluster_name)
    }

    /// The object of this `apiVersion`, `kind`, name and namespace; `None` if there is none.
    fn get_object<'a>(
        &'a self,
        cluster_name: &'a str,
        _reference: &'a Value,
    ) -> BackendFuture<'a, Option<Value>> {
        no_objects(cluster_name)
    }

    /// Deletes the object of this `apiVersion`, `kind`, name and namespace; one that is not there
    /// is no error.
    fn delete_object<'a>(
        &'a self,
        cluster_name: &'a str,
        _reference: &'a Value,
    ) -> BackendFuture<'a, ()> {
        no_objects(cluster_name)
    }

    /// The uses of deprecated APIs the API server has seen, sorted.
    fn deprecated_uses<'a>(
        &'a self,
        cluster_name: &'a str,
    ) -> BackendFuture<'a, Vec<DeprecatedUse>> {
        no_objects(cluster_name)
    }
}

fn no_objects<T: Send>(cluster_name: &str) -> BackendFuture<'_, T> {
    Box::pin(async move {
        Err(BackendError::failed(format!(
            "the backend of cluster {cluster_name} runs no API server that keeps objects"
        )))
    })
}
