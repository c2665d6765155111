//! Which kinds live in namespaces, as far as it is known without asking a server.

use std::collections::BTreeMap;

use devopsgenie_kubernetes::Scope;
use serde_json::Value;

/// Cluster-scoped kinds of Kubernetes itself, by group (`kubectl api-resources --namespaced=false`,
/// 1.36).
const CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    (
        "",
        &["Namespace", "Node", "PersistentVolume", "ComponentStatus"],
    ),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    (
        "certificates.k8s.io",
        &["CertificateSigningRequest", "ClusterTrustBundle"],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    (
        "networking.k8s.io",
        &["IngressClass", "IPAddress", "ServiceCIDR"],
    ),
    ("node.k8s.io", &["RuntimeClass"]),
    (
        "rbac.authorization.k8s.io",
        &["ClusterRole", "ClusterRoleBinding"],
    ),
    (
        "resource.k8s.io",
        &["DeviceClass", "DeviceTaintRule", "ResourceSlice"],
    ),
    ("scheduling.k8s.io", &["PriorityClass"]),
    (
        "storage.k8s.io",
        &[
            "CSIDriver",
            "CSINode",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
    ),
    ("storagemigration.k8s.io", &["StorageVersionMigration"]),
];

/// Groups whose other kinds are namespaced.
const BUILT_IN_GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Whether a group is one of Kubernetes itself.
pub(super) fn is_built_in(group: &str) -> bool {
    BUILT_IN_GROUPS.contains(&group)
}

/// Scope of the kinds that CustomResourceDefinitions among `objects` bring, by group and kind.
pub(super) fn defined_by<'a>(
    objects: impl Iterator<Item = &'a Value>,
) -> BTreeMap<(String, String), Scope> {
    objects
        .filter(|object| {
            object.get("kind").and_then(Value::as_str) == Some("CustomResourceDefinition")
        })
        .filter_map(|definition| {
            let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str);
            let scope = match text("/spec/scope")? {
                "Cluster" => Scope::Cluster,
                _ => Scope::Namespaced,
            };
            let group = text("/spec/group")?.to_owned();
            let kind = text("/spec/names/kind")?.to_owned();
            Some(((group, kind), scope))
        })
        .collect()
}

/// The scope of a kind: built in, or defined by the set; else `None`.
pub(super) fn scope(
    group: &str,
    kind: &str,
    defined: &BTreeMap<(String, String), Scope>,
) -> Option<Scope> {
    let cluster_scoped = CLUSTER_SCOPED
        .iter()
        .any(|(known, kinds)| *known == group && kinds.contains(&kind));
    if cluster_scoped {
        Some(Scope::Cluster)
    } else if is_built_in(group) {
        Some(Scope::Namespaced)
    } else {
        defined.get(&(group.to_owned(), kind.to_owned())).copied()
    }
}
