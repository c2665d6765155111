//! Which fields the API server does not let change, so that a new value needs a new object.

use super::leaves::{Leaves, closing_bracket};

/// The fixed fields of one kind.
struct Rule {
    group: &'static str,
    kind: &'static str,
    /// Fields that cannot change, with all below them.
    fixed: &'static [&'static str],
    /// Fields below those that can.
    free: &'static [&'static str],
    /// Whether this is so only while the object says `immutable: true`.
    when_immutable: bool,
}

const fn rule(
    group: &'static str,
    kind: &'static str,
    fixed: &'static [&'static str],
    free: &'static [&'static str],
) -> Rule {
    Rule {
        group,
        kind,
        fixed,
        free,
        when_immutable: false,
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";

/// From the update validation of Kubernetes (`pkg/apis/*/validation`). Namespaces,
/// CustomResourceDefinitions and PersistentVolumeClaims are left out on purpose: made anew, they lose
/// what is in them, so the refusal of the API server stands.
const RULES: &[Rule] = &[
    rule(
        "apps",
        "StatefulSet",
        &["spec"],
        &[
            "spec.minReadySeconds",
            "spec.ordinals",
            "spec.persistentVolumeClaimRetentionPolicy",
            "spec.replicas",
            "spec.revisionHistoryLimit",
            "spec.template",
            "spec.updateStrategy",
        ],
    ),
    rule("apps", "DaemonSet", &["spec.selector"], &[]),
    rule("apps", "Deployment", &["spec.selector"], &[]),
    rule("apps", "ReplicaSet", &["spec.selector"], &[]),
    rule(
        "batch",
        "Job",
        &[
            "spec.backoffLimitPerIndex",
            "spec.completionMode",
            "spec.completions",
            "spec.managedBy",
            "spec.manualSelector",
            "spec.podFailurePolicy",
            "spec.podReplacementPolicy",
            "spec.selector",
            "spec.successPolicy",
            "spec.template",
        ],
        &[],
    ),
    rule("discovery.k8s.io", "EndpointSlice", &["addressType"], &[]),
    rule(
        "networking.k8s.io",
        "IngressClass",
        &["spec.controller"],
        &[],
    ),
    rule("node.k8s.io", "RuntimeClass", &["handler"], &[]),
    rule(RBAC, "ClusterRoleBinding", &["roleRef"], &[]),
    rule(RBAC, "RoleBinding", &["roleRef"], &[]),
    rule(
        "scheduling.k8s.io",
        "PriorityClass",
        &["globalDefault", "preemptionPolicy", "value"],
        &[],
    ),
    rule(
        STORAGE,
        "CSIDriver",
        &["spec.attachRequired", "spec.volumeLifecycleModes"],
        &[],
    ),
    rule(
        STORAGE,
        "StorageClass",
        &[
            "parameters",
            "provisioner",
            "reclaimPolicy",
            "volumeBindingMode",
        ],
        &[],
    ),
    rule(
        STORAGE,
        "VolumeAttributesClass",
        &["driverName", "parameters"],
        &[],
    ),
    rule(
        "",
        "Pod",
        &["spec"],
        &[
            "spec.activeDeadlineSeconds",
            "spec.containers[].image",
            "spec.initContainers[].image",
            "spec.tolerations",
        ],
    ),
    rule("", "Secret", &["type"], &[]),
    rule("", "Service", &["spec.clusterIP", "spec.clusterIPs"], &[]),
    Rule {
        when_immutable: true,
        ..rule("", "ConfigMap", &["binaryData", "data", "immutable"], &[])
    },
    Rule {
        when_immutable: true,
        ..rule("", "Secret", &["data", "immutable"], &[])
    },
];

/// Whether a new value of the field at `path` needs a new object. `current` is what the cluster has.
pub(super) fn is_immutable(group: &str, kind: &str, path: &str, current: &Leaves) -> bool {
    let shape = shape(path);
    RULES
        .iter()
        .filter(|rule| rule.group == group && rule.kind == kind)
        .filter(|rule| {
            !rule.when_immutable
                || current
                    .get("immutable")
                    .is_some_and(|value| value == "true")
        })
        .any(|rule| {
            let among = |fields: &[&str]| fields.iter().any(|field| is_within(&shape, field));
            among(rule.fixed) && !among(rule.free)
        })
}

/// Whether objects of the kind are made anew when the API server refuses a change.
pub(super) fn may_be_replaced(group: &str, kind: &str) -> bool {
    RULES
        .iter()
        .any(|rule| rule.group == group && rule.kind == kind)
}

fn is_within(path: &str, field: &str) -> bool {
    path.strip_prefix(field)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The path without what its brackets say: `spec.containers[].image`.
fn shape(path: &str) -> String {
    let mut shape = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find('[') {
        shape.push_str(&rest[..start]);
        shape.push_str("[]");
        let inside = &rest[start + 1..];
        rest = closing_bracket(inside).map_or("", |end| &inside[end + 1..]);
    }
    shape.push_str(rest);
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_need_a_new_object() {
        let open = Leaves::new();
        let closed = Leaves::from([("immutable".to_owned(), "true".to_owned())]);
        // Group, kind, path, whether the object says `immutable`, and whether a new object is needed.
        let cases = [
            (
                "apps",
                "Deployment",
                "spec.selector.matchLabels.app",
                false,
                true,
            ),
            ("apps", "Deployment", "spec.replicas", false, false),
            ("apps", "Deployment", "spec.selectors", false, false),
            (
                "apps",
                "DaemonSet",
                "spec.selector.matchLabels[\"a/b\"]",
                false,
                true,
            ),
            ("apps", "StatefulSet", "spec.serviceName", false, true),
            (
                "apps",
                "StatefulSet",
                "spec.volumeClaimTemplates[0].spec.resources.requests.storage",
                false,
                true,
            ),
            (
                "apps",
                "StatefulSet",
                "spec.template.spec.containers[name=a].image",
                false,
                false,
            ),
            ("apps", "StatefulSet", "spec.replicas", false, false),
            ("apps", "StatefulSet", "metadata.labels.a", false, false),
            (
                "batch",
                "Job",
                "spec.template.spec.containers[name=a].image",
                false,
                true,
            ),
            ("batch", "Job", "spec.selector.matchLabels.a", false, true),
            ("batch", "Job", "spec.completionMode", false, true),
            ("batch", "Job", "spec.parallelism", false, false),
            (
                "batch",
                "CronJob",
                "spec.jobTemplate.spec.template.spec.containers[name=a].image",
                false,
                false,
            ),
            ("scheduling.k8s.io", "PriorityClass", "value", false, true),
            (
                "scheduling.k8s.io",
                "PriorityClass",
                "preemptionPolicy",
                false,
                true,
            ),
            (
                "scheduling.k8s.io",
                "PriorityClass",
                "globalDefault",
                false,
                true,
            ),
            (
                "scheduling.k8s.io",
                "PriorityClass",
                "description",
                false,
                false,
            ),
            (RBAC, "RoleBinding", "roleRef.name", false, true),
            (RBAC, "ClusterRoleBinding", "roleRef.kind", false, true),
            (
                RBAC,
                "ClusterRoleBinding",
                "subjects[name=a].kind",
                false,
                false,
            ),
            (STORAGE, "StorageClass", "provisioner", false, true),
            (STORAGE, "StorageClass", "parameters.type", false, true),
            (STORAGE, "StorageClass", "reclaimPolicy", false, true),
            (STORAGE, "StorageClass", "volumeBindingMode", false, true),
            (
                STORAGE,
                "StorageClass",
                "allowVolumeExpansion",
                false,
                false,
            ),
            ("", "Service", "spec.clusterIP", false, true),
            ("", "Service", "spec.clusterIPs[0]", false, true),
            ("", "Service", "spec.ports[name=a].port", false, false),
            (
                "",
                "PersistentVolumeClaim",
                "spec.storageClassName",
                false,
                false,
            ),
            (
                "",
                "Pod",
                "spec.containers[name=\"a.b]\"].image",
                false,
                false,
            ),
            ("", "Pod", "spec.containers[name=a].args[0]", false, true),
            ("", "ConfigMap", "data.a", false, false),
            ("", "ConfigMap", "data.a", true, true),
            ("", "ConfigMap", "immutable", true, true),
            ("", "Secret", "data.a", false, false),
            ("", "Secret", "data.a", true, true),
            ("", "Secret", "type", false, true),
            (
                "apiextensions.k8s.io",
                "CustomResourceDefinition",
                "spec.scope",
                false,
                false,
            ),
        ];
        for (group, kind, path, is_closed, expected) in cases {
            let current = if is_closed { &closed } else { &open };
            assert_eq!(
                is_immutable(group, kind, path, current),
                expected,
                "{group}/{kind} {path}"
            );
        }
    }
}
