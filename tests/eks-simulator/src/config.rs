//! What a simulator is started with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::backend::ClusterBackend;
use crate::clock::{Clock, SteppedClock};

/// An access key pair. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKeyPair {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
}

impl fmt::Debug for AccessKeyPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccessKeyPair")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// How long each transition takes in simulated time, beside what the backend needs. The real
/// durations are minutes; the defaults are tens of milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timings {
    /// Cluster CREATING.
    pub cluster_create: Duration,
    /// Cluster DELETING.
    pub cluster_delete: Duration,
    /// Control plane version update.
    pub cluster_version_update: Duration,
    /// Any other cluster update.
    pub cluster_config_update: Duration,
    /// Node group CREATING.
    pub node_group_create: Duration,
    /// Node group DELETING.
    pub node_group_delete: Duration,
    /// Node group update, per step.
    pub node_group_update: Duration,
    /// Add-on CREATING, UPDATING and DELETING, each.
    pub addon: Duration,
    /// How long the workloads of an add-on may take to be ready on the nodes there are, before the
    /// add-on is DEGRADED.
    pub addon_health: Duration,
    /// Fargate profile CREATING and DELETING, each.
    pub fargate_profile: Duration,
    /// Longest drain of one node before PodEvictionFailure (15 minutes on AWS).
    pub drain_timeout: Duration,
    /// Between the drain of nodes and their end (60 seconds on AWS). Source of both: EKS user guide,
    /// managed node update behaviour.
    pub node_termination_wait: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            cluster_create: Duration::from_millis(200),
            cluster_delete: Duration::from_millis(150),
            cluster_version_update: Duration::from_millis(200),
            cluster_config_update: Duration::from_millis(60),
            node_group_create: Duration::from_millis(100),
            node_group_delete: Duration::from_millis(100),
            node_group_update: Duration::from_millis(60),
            addon: Duration::from_millis(60),
            addon_health: Duration::from_secs(60),
            fargate_profile: Duration::from_millis(100),
            drain_timeout: Duration::from_secs(10),
            node_termination_wait: Duration::from_millis(10),
        }
    }
}

/// Start parameters of [`crate::Simulator::start`].
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Base URL of the moto server, `http://127.0.0.1:port`, without a path.
    pub moto_url: String,
    /// What runs the control planes and nodes.
    pub backend: Arc<dyn ClusterBackend>,
    /// The region EKS is simulated in.
    pub region: String,
    /// The account id; moto's default is 123456789012.
    pub account_id: String,
    /// The key pair known from the start.
    pub root: AccessKeyPair,
    /// The principal the root pair stands for.
    pub root_arn: String,
    /// The version of clusters created without one; `None` takes the newest the backend serves.
    pub default_version: Option<String>,
    /// Durations.
    pub timings: Timings,
    /// Time source.
    pub clock: Arc<dyn Clock>,
    /// Listen address; port 0 takes a free one. Must be loopback.
    pub listen: SocketAddr,
}

impl SimulatorConfig {
    /// A configuration with the lab's defaults: us-east-1, account 123456789012, key pair
    /// `AKIALABROOTEXAMPLE00`, a free port on 127.0.0.1.
    pub fn new(moto_url: impl Into<String>, backend: Arc<dyn ClusterBackend>) -> Self {
        Self {
            moto_url: moto_url.into(),
            backend,
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            root: AccessKeyPair {
                access_key_id: "AKIALABROOTEXAMPLE00".to_owned(),
                secret_access_key: "lab-root-secret-not-a-real-credential".to_owned(),
            },
            root_arn: "arn:aws:iam::123456789012:root".to_owned(),
            default_version: None,
            timings: Timings::default(),
            clock: Arc::new(SteppedClock::running()),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }
}
