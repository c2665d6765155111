//! Nodes as EKS would register them; KWOK plays their kubelets.

use std::collections::BTreeMap;

use eks_simulator::NodeSpec;
use k8s_openapi::api::core::v1::{Node, NodeAddress, NodeStatus, NodeSystemInfo, Pod, Taint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde::{Deserialize, Serialize};

use crate::LabError;

/// Remembers, on the node, which labels and taints came from the last spec, so that the next one
/// removes only those and leaves what people or controllers added.
const APPLIED: &str = "lab.devopsgenie.dev/applied";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Applied {
    labels: Vec<String>,
    /// Key and effect: what makes a taint the same taint to Kubernetes.
    taints: Vec<(String, String)>,
}

/// Creates the node or brings its labels, taints and provider id to the spec.
pub(super) async fn apply(client: &kube::Client, spec: &NodeSpec) -> Result<(), LabError> {
    let nodes: Api<Node> = Api::all(client.clone());
    loop {
        let existing = nodes
            .get_opt(&spec.name)
            .await
            .map_err(LabError::kubernetes(format!("get node {}", spec.name)))?;
        let result = match existing {
            None => {
                nodes
                    .create(&PostParams::default(), &merge(Node::default(), spec)?)
                    .await
            }
            Some(existing) => {
                let merged = merge(existing.clone(), spec)?;
                if merged == existing {
                    return Ok(());
                }
                nodes
                    .replace(&spec.name, &PostParams::default(), &merged)
                    .await
            }
        };
        match result {
            Ok(_) => return Ok(()),
            // Changed or created by somebody else since it was read.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => {
                return Err(LabError::kubernetes(format!("write node {}", spec.name))(
                    error,
                ));
            }
        }
    }
}

/// The node with the spec's labels and taints. The status is only taken from it when the node is
/// created; the API server ignores it in a replacement.
fn merge(mut node: Node, spec: &NodeSpec) -> Result<Node, LabError> {
    let answer = |source| LabError::Answer {
        what: format!("annotation {APPLIED} of node {}", spec.name),
        source,
    };
    let annotations = node.metadata.annotations.get_or_insert_default();
    let before: Applied = match annotations.get(APPLIED) {
        Some(text) => serde_json::from_str(text).map_err(answer)?,
        None => Applied::default(),
    };
    let now = Applied {
        labels: spec.labels.keys().cloned().collect(),
        taints: spec
            .taints
            .iter()
            .map(|taint| (taint.key.clone(), taint.effect.clone()))
            .collect(),
    };
    annotations.insert(
        APPLIED.to_owned(),
        serde_json::to_string(&now).map_err(answer)?,
    );

    let labels = node.metadata.labels.get_or_insert_default();
    labels.retain(|key, _| !before.labels.contains(key));
    labels.extend(spec.labels.clone());
    labels
        .entry("kubernetes.io/hostname".to_owned())
        .or_insert_with(|| spec.name.clone());

    let node_spec = node.spec.get_or_insert_default();
    node_spec.provider_id = Some(spec.provider_id.clone());
    let mut taints = node_spec.taints.take().unwrap_or_default();
    taints.retain(|taint| {
        let same = |(key, effect): &(String, String)| *key == taint.key && *effect == taint.effect;
        !before.taints.iter().any(same) && !now.taints.iter().any(same)
    });
    taints.extend(spec.taints.iter().map(|taint| Taint {
        key: taint.key.clone(),
        value: (!taint.value.is_empty()).then(|| taint.value.clone()),
        effect: taint.effect.clone(),
        time_added: None,
    }));
    node_spec.taints = (!taints.is_empty()).then_some(taints);

    if node.metadata.name.is_none() {
        node.metadata.name = Some(spec.name.clone());
        node.status = Some(status(spec));
    }
    Ok(node)
}

fn status(spec: &NodeSpec) -> NodeStatus {
    let capacity: BTreeMap<String, Quantity> = [
        ("cpu", spec.capacity.cpus.to_string()),
        ("memory", format!("{}Mi", spec.capacity.memory_mib)),
        ("pods", spec.capacity.pods.to_string()),
        ("ephemeral-storage", "20Gi".to_owned()),
    ]
    .into_iter()
    .map(|(name, quantity)| (name.to_owned(), Quantity(quantity)))
    .collect();
    let address = |kind: &str, address: String| NodeAddress {
        type_: kind.to_owned(),
        address,
    };
    NodeStatus {
        addresses: Some(vec![
            address("InternalIP", spec.internal_ip.to_string()),
            address("Hostname", spec.name.clone()),
            address("InternalDNS", spec.name.clone()),
        ]),
        allocatable: Some(capacity.clone()),
        capacity: Some(capacity),
        node_info: Some(NodeSystemInfo {
            architecture: spec.architecture.clone(),
            container_runtime_version: "containerd://2.1.5".to_owned(),
            kernel_version: "6.12.0-lab".to_owned(),
            kubelet_version: spec.kubelet_version.clone(),
            operating_system: "linux".to_owned(),
            os_image: spec.os_image.clone(),
            ..NodeSystemInfo::default()
        }),
        ..NodeStatus::default()
    }
}

/// Whether the node's Ready condition is true.
pub(super) async fn ready(client: &kube::Client, name: &str) -> Result<bool, LabError> {
    Api::<Node>::all(client.clone())
        .get(name)
        .await
        .map(|node| is_ready(&node))
        .map_err(LabError::kubernetes(format!("get node {name}")))
}

pub(super) async fn ready_names(client: &kube::Client) -> Result<Vec<String>, LabError> {
    let nodes = Api::<Node>::all(client.clone())
        .list(&ListParams::default())
        .await
        .map_err(LabError::kubernetes("list nodes"))?;
    let mut names: Vec<String> = nodes
        .into_iter()
        .filter(is_ready)
        .filter_map(|node| node.metadata.name)
        .collect();
    names.sort();
    Ok(names)
}

fn is_ready(node: &Node) -> bool {
    node.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Deletes the node, then its pods: what Kubernetes' own pod garbage collector does about a
/// minute after a node is gone.
pub(super) async fn delete(client: &kube::Client, name: &str) -> Result<(), LabError> {
    ignore_missing(
        Api::<Node>::all(client.clone())
            .delete(name, &DeleteParams::default())
            .await,
        format!("delete node {name}"),
    )?;
    for pod in pods_on(client, name).await? {
        let (Some(namespace), Some(pod)) = (pod.metadata.namespace, pod.metadata.name) else {
            continue;
        };
        ignore_missing(
            Api::<Pod>::namespaced(client.clone(), &namespace)
                .delete(&pod, &DeleteParams::default().grace_period(0))
                .await,
            format!("delete pod {namespace}/{pod} of the deleted node {name}"),
        )?;
    }
    Ok(())
}

pub(super) async fn pods_on(client: &kube::Client, node: &str) -> Result<Vec<Pod>, LabError> {
    let list = Api::<Pod>::all(client.clone())
        .list(&ListParams::default().fields(&format!("spec.nodeName={node}")))
        .await
        .map_err(LabError::kubernetes(format!(
            "list the pods of node {node}"
        )))?;
    Ok(list.items)
}

/// What is already gone needs no deletion.
pub(super) fn ignore_missing<T>(
    result: Result<T, kube::Error>,
    what: String,
) -> Result<(), LabError> {
    match result {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(LabError::kubernetes(what)(error)),
    }
}

#[cfg(test)]
mod tests {
    use eks_simulator::{NodeCapacity, NodeTaint};

    use super::*;

    fn spec(labels: &[(&str, &str)], taints: &[(&str, &str, &str)]) -> NodeSpec {
        NodeSpec {
            name: "ip-10-0-0-1.ec2.internal".to_owned(),
            provider_id: "aws:///us-east-1a/i-1".to_owned(),
            internal_ip: [10, 0, 0, 1].into(),
            kubelet_version: "v1.35.0-eks-1".to_owned(),
            labels: labels
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            taints: taints
                .iter()
                .map(|(key, value, effect)| NodeTaint {
                    key: (*key).to_owned(),
                    value: (*value).to_owned(),
                    effect: (*effect).to_owned(),
                })
                .collect(),
            capacity: NodeCapacity {
                cpus: 2,
                memory_mib: 8192,
                pods: 29,
            },
            architecture: "amd64".to_owned(),
            os_image: "Amazon Linux 2023".to_owned(),
        }
    }

    fn labels(node: &Node) -> Vec<String> {
        let labels = node.metadata.labels.clone().unwrap();
        labels
            .iter()
            .filter(|(key, _)| *key != "kubernetes.io/hostname")
            .map(|(key, value)| format!("{key}={value}"))
            .collect()
    }

    fn taints(node: &Node) -> Vec<String> {
        let taints = node.spec.clone().unwrap().taints.unwrap_or_default();
        taints
            .iter()
            .map(|taint| {
                let value = taint.value.as_deref().unwrap_or_default();
                format!("{}={value}:{}", taint.key, taint.effect)
            })
            .collect()
    }

    #[test]
    fn later_specs_remove_only_what_earlier_ones_brought() {
        let first = spec(&[("a", "1"), ("b", "1")], &[("gpu", "x", "NoSchedule")]);
        let mut node = merge(Node::default(), &first).unwrap();
        assert_eq!(labels(&node), ["a=1", "b=1"]);
        assert_eq!(taints(&node), ["gpu=x:NoSchedule"]);
        let info = node.status.clone().unwrap().node_info.unwrap();
        assert_eq!(info.kubelet_version, "v1.35.0-eks-1");

        node.metadata
            .labels
            .as_mut()
            .unwrap()
            .insert("mine".to_owned(), "1".to_owned());
        node.spec
            .as_mut()
            .unwrap()
            .taints
            .as_mut()
            .unwrap()
            .push(Taint {
                key: "node.kubernetes.io/unschedulable".to_owned(),
                effect: "NoSchedule".to_owned(),
                ..Taint::default()
            });
        let second = spec(&[("b", "2")], &[("gpu", "x", "NoExecute")]);
        let node = merge(node, &second).unwrap();
        assert_eq!(labels(&node), ["b=2", "mine=1"]);
        assert_eq!(
            taints(&node),
            [
                "node.kubernetes.io/unschedulable=:NoSchedule",
                "gpu=x:NoExecute"
            ]
        );
    }

    #[test]
    fn applying_a_spec_again_changes_nothing() {
        let spec = spec(
            &[("a", "1")],
            &[("x", "", "NoSchedule"), ("y", "1", "NoExecute")],
        );
        let node = merge(Node::default(), &spec).unwrap();
        assert_eq!(merge(node.clone(), &spec).unwrap(), node);
    }
}
