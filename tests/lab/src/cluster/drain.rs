//! Draining a node by the rules of a managed node group's update: cordon, then evict through the
//! eviction API until nothing evictable is left or the time is over.

use std::time::{Duration, Instant};

use eks_simulator::DrainOutcome;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, EvictParams, Patch, PatchParams};
use tokio::time::sleep;

use super::node::{ignore_missing, pods_on};
use crate::LabError;

/// Between two looks at what is left.
const POLL: Duration = Duration::from_millis(100);

pub(super) async fn drain(
    client: &kube::Client,
    node: &str,
    deadline: Instant,
    force: bool,
) -> Result<DrainOutcome, LabError> {
    cordon(client, node).await?;
    loop {
        let pods: Vec<(String, String)> = pods_on(client, node)
            .await?
            .into_iter()
            .filter(must_leave)
            .filter_map(|pod| Some((pod.metadata.namespace?, pod.metadata.name?)))
            .collect();
        if pods.is_empty() {
            return Ok(DrainOutcome::Drained);
        }
        let late = Instant::now() >= deadline;
        if late && !force {
            let pods = pods
                .into_iter()
                .map(|(namespace, pod)| format!("{namespace}/{pod}"))
                .collect();
            return Ok(DrainOutcome::Blocked { pods });
        }
        for (namespace, pod) in &pods {
            let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
            if late {
                ignore_missing(
                    api.delete(pod, &DeleteParams::default()).await,
                    format!("delete pod {namespace}/{pod}"),
                )?;
            } else {
                evict(&api, namespace, pod).await?;
            }
        }
        sleep(POLL).await;
    }
}

async fn cordon(client: &kube::Client, node: &str) -> Result<(), LabError> {
    let patch = serde_json::json!({"spec": {"unschedulable": true}});
    ignore_missing(
        Api::<Node>::all(client.clone())
            .patch(node, &PatchParams::default(), &Patch::Merge(patch))
            .await,
        format!("cordon node {node}"),
    )
}

/// Asks for one eviction; that a disruption budget forbids it now (429) is no error.
async fn evict(api: &Api<Pod>, namespace: &str, pod: &str) -> Result<(), LabError> {
    match api.evict(pod, &EvictParams::default()).await {
        Err(kube::Error::Api(status)) if status.code == 429 => Ok(()),
        result => ignore_missing(result, format!("evict pod {namespace}/{pod}")),
    }
}

/// Pods of daemon sets would come back at once, and mirror pods belong to the kubelet.
fn must_leave(pod: &Pod) -> bool {
    let mirror = pod
        .metadata
        .annotations
        .iter()
        .any(|annotations| annotations.contains_key("kubernetes.io/config.mirror"));
    let daemon = pod
        .metadata
        .owner_references
        .iter()
        .flatten()
        .any(|owner| owner.controller == Some(true) && owner.kind == "DaemonSet");
    !mirror && !daemon
}
