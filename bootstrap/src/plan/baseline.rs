//! The built-in add-on `baseline`: what every namespace of a production cluster should start with.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Name of the read-only ClusterRole and of its binding.
const READ_ONLY: &str = "devopsgenie-read-only";

/// What the baseline makes. Every `None` has a default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaselineInputs {
    /// Namespaces that get network policies, quota and limits.
    pub namespaces: Vec<String>,
    /// Whether the set makes these namespaces. Default: yes.
    pub create_namespaces: Option<bool>,
    /// Labels of the namespaces that it makes.
    pub namespace_labels: BTreeMap<String, String>,
    /// Priority classes, name to value. Default: `devopsgenie-critical` 1000000, `devopsgenie-high`
    /// 100000, `devopsgenie-low` -1000.
    pub priority_classes: Option<BTreeMap<String, i64>>,
    /// Whether traffic is denied unless a policy allows it; DNS is allowed. Default: yes.
    pub default_deny: Option<bool>,
    /// `hard` of the ResourceQuota. Default: 20 CPUs and 64Gi requested, 128Gi limit, 200 pods. Empty:
    /// no quota.
    pub resource_quota: Option<BTreeMap<String, String>>,
    /// Defaults of containers that say nothing. Default: see [`LimitRangeInputs`].
    pub limit_range: Option<LimitRangeInputs>,
    /// Groups that may read everything but Secrets.
    pub read_only_groups: Vec<String>,
}

/// The LimitRange's entries for containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRangeInputs {
    /// Requests of containers that have none.
    pub default_request: BTreeMap<String, String>,
    /// Limits of containers that have none.
    pub default_limit: BTreeMap<String, String>,
}

/// 100m CPU and 128Mi requested, limited to 512Mi; no CPU limit, which would throttle without need.
impl Default for LimitRangeInputs {
    fn default() -> Self {
        Self {
            default_request: pairs(&[("cpu", "100m"), ("memory", "128Mi")]),
            default_limit: pairs(&[("memory", "512Mi")]),
        }
    }
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub(super) fn render_baseline(inputs: &BaselineInputs) -> Vec<Value> {
    let mut objects = Vec::new();
    let default_classes = || {
        BTreeMap::from([
            ("devopsgenie-critical".to_owned(), 1_000_000),
            ("devopsgenie-high".to_owned(), 100_000),
            ("devopsgenie-low".to_owned(), -1_000),
        ])
    };
    for (name, value) in inputs
        .priority_classes
        .clone()
        .unwrap_or_else(default_classes)
    {
        objects.push(json!({
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": { "name": name },
            "value": value,
            "globalDefault": false,
            "description": format!("Priority {value} of the platform baseline."),
        }));
    }
    objects.extend(read_only(&inputs.read_only_groups));
    for namespace in &inputs.namespaces {
        if inputs.create_namespaces.unwrap_or(true) {
            objects.push(json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": { "name": namespace, "labels": inputs.namespace_labels },
            }));
        }
        if inputs.default_deny.unwrap_or(true) {
            objects.extend(network_policies(namespace));
        }
        let default_quota = || {
            pairs(&[
                ("requests.cpu", "20"),
                ("requests.memory", "64Gi"),
                ("limits.memory", "128Gi"),
                ("pods", "200"),
            ])
        };
        let hard = inputs.resource_quota.clone().unwrap_or_else(default_quota);
        if !hard.is_empty() {
            objects.push(json!({
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": { "name": "baseline", "namespace": namespace },
                "spec": { "hard": hard },
            }));
        }
        let limits = inputs.limit_range.clone().unwrap_or_default();
        if !limits.default_request.is_empty() || !limits.default_limit.is_empty() {
            objects.push(limit_range(namespace, &limits));
        }
    }
    objects
}

fn limit_range(namespace: &str, limits: &LimitRangeInputs) -> Value {
    let mut container = json!({ "type": "Container" });
    if !limits.default_request.is_empty() {
        container["defaultRequest"] = json!(limits.default_request);
    }
    if !limits.default_limit.is_empty() {
        container["default"] = json!(limits.default_limit);
    }
    json!({
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": { "name": "baseline", "namespace": namespace },
        "spec": { "limits": [container] },
    })
}

fn network_policies(namespace: &str) -> [Value; 2] {
    let dns_ports = json!([{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }]);
    [
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": { "name": "default-deny", "namespace": namespace },
            "spec": { "podSelector": {}, "policyTypes": ["Ingress", "Egress"] },
        }),
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": { "name": "allow-dns", "namespace": namespace },
            "spec": {
                "podSelector": {},
                "policyTypes": ["Egress"],
                "egress": [{
                    "to": [{ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } } }],
                    "ports": dns_ports,
                }],
            },
        }),
    ]
}

/// The built-in role `view` does not show nodes, volumes, classes and custom resources; this one adds
/// them and aggregates nothing that `view` leaves out for good reason (Secrets).
fn read_only(groups: &[String]) -> Vec<Value> {
    if groups.is_empty() {
        return Vec::new();
    }
    let read = ["get", "list", "watch"];
    let rule = |api_groups: &[&str], resources: &[&str]| json!({ "apiGroups": api_groups, "resources": resources, "verbs": read });
    let subjects: Vec<_> = groups
        .iter()
        .map(|group| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group }))
        .collect();
    let binding = |name: &str, role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
            "subjects": subjects,
        })
    };
    vec![
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": { "name": READ_ONLY },
            "rules": [
                rule(&[""], &["nodes", "persistentvolumes", "namespaces"]),
                rule(&["storage.k8s.io"], &["storageclasses", "csidrivers", "csinodes", "volumeattachments"]),
                rule(&["scheduling.k8s.io"], &["priorityclasses"]),
                rule(&["apiextensions.k8s.io"], &["customresourcedefinitions"]),
                rule(&["apiregistration.k8s.io"], &["apiservices"]),
                rule(&["metrics.k8s.io"], &["nodes", "pods"]),
                rule(&["rbac.authorization.k8s.io"], &["clusterroles", "clusterrolebindings", "roles", "rolebindings"]),
            ],
        }),
        binding(READ_ONLY, READ_ONLY),
        binding("devopsgenie-read-only-view", "view"),
    ]
}
