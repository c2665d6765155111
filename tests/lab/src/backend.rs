//! What makes the simulator's EKS clusters real.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use eks_simulator::{
    ApplyOutcome, BackendError, BackendFuture, ClusterBackend, ControlPlane, ControlPlaneSpec,
    DeprecatedUse, DrainOutcome, Effects, NodeSpec,
};
use serde_json::Value;
use tokio::sync::RwLock;

use crate::LabError;
use crate::cluster::{Cluster, ClusterSpec, served_versions};
use crate::gate::Gate;
use crate::tools::KubernetesTools;

/// Runs one [`Cluster`] per EKS cluster.
pub struct KubernetesBackend {
    tools: KubernetesTools,
    clusters: RwLock<BTreeMap<String, Arc<Cluster>>>,
    /// Where the calls that come by the EKS endpoints are counted, if they are.
    effects: OnceLock<Effects>,
    gates: RwLock<BTreeMap<String, Gate>>,
}

impl KubernetesBackend {
    /// A backend without clusters.
    #[must_use]
    pub fn new(tools: KubernetesTools) -> Self {
        Self {
            tools,
            clusters: RwLock::default(),
            effects: OnceLock::new(),
            gates: RwLock::default(),
        }
    }

    /// Puts a gate before the API server of each cluster that is made from now on: the writing calls
    /// that come by its EKS endpoint are effects.
    pub fn count_effects(&self, effects: Effects) {
        // A second call has nothing to add: a lab has one log of effects.
        let _ = self.effects.set(effects);
    }

    /// The endpoint that EKS tells, behind a gate if effects are counted.
    async fn endpoint(&self, cluster: &Cluster) -> Result<String, LabError> {
        let Some(effects) = self.effects.get() else {
            return Ok(cluster.endpoint().to_owned());
        };
        let mut gates = self.gates.write().await;
        if let Some(gate) = gates.get(cluster.name()) {
            return Ok(gate.endpoint().to_owned());
        }
        let gate = cluster.gate(effects.clone()).await?;
        let endpoint = gate.endpoint().to_owned();
        gates.insert(cluster.name().to_owned(), gate);
        Ok(endpoint)
    }

    /// The running cluster of this name.
    ///
    /// # Errors
    /// When there is none.
    pub async fn cluster(&self, name: &str) -> Result<Arc<Cluster>, LabError> {
        let clusters = self.clusters.read().await;
        clusters
            .get(name)
            .cloned()
            .ok_or_else(|| LabError::UnknownCluster(name.to_owned()))
    }

    /// All running clusters, by name.
    pub async fn clusters(&self) -> Vec<Arc<Cluster>> {
        self.clusters.read().await.values().cloned().collect()
    }

    async fn create(&self, spec: ControlPlaneSpec) -> Result<ControlPlane, LabError> {
        let name = spec.cluster_name.clone();
        let cluster = match self.cluster(&name).await {
            Ok(cluster) => cluster,
            Err(_) => {
                let cluster = Cluster::start(
                    &self.tools,
                    ClusterSpec {
                        name: spec.cluster_name,
                        version: spec.version,
                        service_cidr: spec.service_ipv4_cidr,
                        issuer_url: spec.issuer_url,
                        authentication_webhook_url: Some(spec.authentication_webhook_url),
                        authorization_webhook_url: Some(spec.authorization_webhook_url),
                    },
                )
                .await?;
                let cluster = Arc::new(cluster);
                self.clusters
                    .write()
                    .await
                    .insert(name, Arc::clone(&cluster));
                cluster
            }
        };
        Ok(ControlPlane {
            endpoint: self.endpoint(&cluster).await?,
            certificate_authority_pem: cluster.certificate_authority_pem().to_owned(),
        })
    }

    async fn delete(&self, name: &str) -> Result<(), LabError> {
        self.gates.write().await.remove(name);
        let Some(cluster) = self.clusters.write().await.remove(name) else {
            return Ok(());
        };
        // Others may hold the cluster, a node call that still runs or a test.
        tokio::task::spawn_blocking(move || cluster.stop())
            .await
            .map_err(|error| LabError::Unexpected(format!("stopping cluster {name}: {error}")))
    }
}

/// Says what failed; the cluster that is not there and the version that is not served keep the
/// meaning the simulator gives them.
fn refused(what: String) -> impl FnOnce(LabError) -> BackendError {
    move |error| match error {
        LabError::UnknownCluster(name) => BackendError::UnknownCluster(name),
        LabError::UnsupportedVersion { version, .. } => BackendError::UnsupportedVersion(version),
        error => BackendError::caused(what, error),
    }
}

impl ClusterBackend for KubernetesBackend {
    fn served_versions(&self) -> Vec<String> {
        served_versions(&self.tools.version)
    }

    /// The API server's own release for its own minor; an emulated minor has no patch release, so
    /// its first stands for it.
    fn patch_version(&self, minor: &str) -> Option<String> {
        if !self.served_versions().iter().any(|served| served == minor) {
            None
        } else if self.tools.version.starts_with(&format!("{minor}.")) {
            Some(self.tools.version.clone())
        } else {
            Some(format!("{minor}.0"))
        }
    }

    fn create_control_plane(&self, spec: ControlPlaneSpec) -> BackendFuture<'_, ControlPlane> {
        let what = format!(
            "starting the control plane of cluster {}",
            spec.cluster_name
        );
        Box::pin(async move { self.create(spec).await.map_err(refused(what)) })
    }

    fn update_control_plane<'a>(
        &'a self,
        cluster_name: &'a str,
        version: &'a str,
    ) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let change = async {
                self.cluster(cluster_name)
                    .await?
                    .change_version(version)
                    .await
            };
            let what = format!("changing cluster {cluster_name} to Kubernetes {version}");
            change.await.map_err(refused(what))
        })
    }

    fn delete_control_plane<'a>(&'a self, cluster_name: &'a str) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let what = format!("stopping the control plane of cluster {cluster_name}");
            self.delete(cluster_name).await.map_err(refused(what))
        })
    }

    fn apply_node<'a>(&'a self, cluster_name: &'a str, node: NodeSpec) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let apply = async { self.cluster(cluster_name).await?.apply_node(&node).await };
            let what = format!("registering node {} with cluster {cluster_name}", node.name);
            apply.await.map_err(refused(what))
        })
    }

    fn drain_node<'a>(
        &'a self,
        cluster_name: &'a str,
        node_name: &'a str,
        timeout: Duration,
        force: bool,
    ) -> BackendFuture<'a, DrainOutcome> {
        Box::pin(async move {
            let drain = async {
                let cluster = self.cluster(cluster_name).await?;
                cluster.drain_node(node_name, timeout, force).await
            };
            let what = format!("draining node {node_name} of cluster {cluster_name}");
            drain.await.map_err(refused(what))
        })
    }

    fn delete_node<'a>(
        &'a self,
        cluster_name: &'a str,
        node_name: &'a str,
    ) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let delete = async {
                self.cluster(cluster_name)
                    .await?
                    .delete_node(node_name)
                    .await
            };
            let what = format!("removing node {node_name} from cluster {cluster_name}");
            delete.await.map_err(refused(what))
        })
    }

    fn apply_object<'a>(
        &'a self,
        cluster_name: &'a str,
        object: &'a Value,
        manager: &'a str,
        force: bool,
        dry_run: bool,
    ) -> BackendFuture<'a, ApplyOutcome> {
        Box::pin(async move {
            let apply = async {
                let cluster = self.cluster(cluster_name).await?;
                cluster.apply_object(object, manager, force, dry_run).await
            };
            apply.await.map_err(refused(format!(
                "applying an object to cluster {cluster_name}"
            )))
        })
    }

    fn get_object<'a>(
        &'a self,
        cluster_name: &'a str,
        reference: &'a Value,
    ) -> BackendFuture<'a, Option<Value>> {
        Box::pin(async move {
            let get = async {
                self.cluster(cluster_name)
                    .await?
                    .get_object(reference)
                    .await
            };
            get.await.map_err(refused(format!(
                "reading an object of cluster {cluster_name}"
            )))
        })
    }

    fn delete_object<'a>(
        &'a self,
        cluster_name: &'a str,
        reference: &'a Value,
    ) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let delete = async {
                let cluster = self.cluster(cluster_name).await?;
                cluster.delete_object(reference).await
            };
            delete.await.map_err(refused(format!(
                "deleting an object of cluster {cluster_name}"
            )))
        })
    }

    fn deprecated_uses<'a>(
        &'a self,
        cluster_name: &'a str,
    ) -> BackendFuture<'a, Vec<DeprecatedUse>> {
        Box::pin(async move {
            let read = async { self.cluster(cluster_name).await?.deprecated_uses().await };
            read.await.map_err(refused(format!(
                "reading the metrics of cluster {cluster_name}"
            )))
        })
    }
}
