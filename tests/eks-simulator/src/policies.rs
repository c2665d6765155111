//! What the EKS access policies allow, as an authorizer beside RBAC.
//!
//! Source: EKS user guide, "Review access policy permissions", which follows the Kubernetes
//! user-facing roles (cluster-admin, admin, edit, view). Approximate: see RULES.md.

use serde_json::Value;

use crate::store::Association;

/// The access policies the lab knows.
pub(crate) const ACCESS_POLICIES: [&str; 5] = [
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
];

/// Source: EKS user guide, access policies.
pub(crate) fn policy_arn(name: &str) -> String {
    format!("arn:aws:eks::aws:cluster-access-policy/{name}")
}

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];
const ALL: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "delete",
    "deletecollection",
    "patch",
    "update",
];

type Rule = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const VIEW: &[Rule] = &[
    (
        "",
        &[
            "bindings",
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "namespaces",
            "namespaces/status",
            "persistentvolumeclaims",
            "persistentvolumeclaims/status",
            "pods",
            "pods/log",
            "pods/status",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "replicationcontrollers/status",
            "resourcequotas",
            "resourcequotas/status",
            "serviceaccounts",
            "services",
            "services/status",
        ],
        READ,
    ),
    ("discovery.k8s.io", &["endpointslices"], READ),
    (
        "apps",
        &[
            "controllerrevisions",
            "daemonsets",
            "daemonsets/status",
            "deployments",
            "deployments/scale",
            "deployments/status",
            "replicasets",
            "replicasets/scale",
            "replicasets/status",
            "statefulsets",
            "statefulsets/scale",
            "statefulsets/status",
        ],
        READ,
    ),
    (
        "autoscaling",
        &[
            "horizontalpodautoscalers",
            "horizontalpodautoscalers/status",
        ],
        READ,
    ),
    (
        "batch",
        &["cronjobs", "cronjobs/status", "jobs", "jobs/status"],
        READ,
    ),
    (
        "policy",
        &["poddisruptionbudgets", "poddisruptionbudgets/status"],
        READ,
    ),
    (
        "networking.k8s.io",
        &["ingresses", "ingresses/status", "networkpolicies"],
        READ,
    ),
];

const EDIT: &[Rule] = &[
    (
        "",
        &[
            "pods/attach",
            "pods/exec",
            "pods/portforward",
            "pods/proxy",
            "secrets",
            "services/proxy",
        ],
        ALL,
    ),
    ("", &["serviceaccounts"], &["impersonate"]),
    ("", &["pods/eviction", "serviceaccounts/token"], &["create"]),
    (
        "",
        &[
            "configmaps",
            "events",
            "persistentvolumeclaims",
            "pods",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "serviceaccounts",
            "services",
        ],
        WRITE,
    ),
    (
        "apps",
        &[
            "daemonsets",
            "deployments",
            "deployments/rollback",
            "deployments/scale",
            "replicasets",
            "replicasets/scale",
            "statefulsets",
            "statefulsets/scale",
        ],
        WRITE,
    ),
    ("autoscaling", &["horizontalpodautoscalers"], WRITE),
    ("batch", &["cronjobs", "jobs"], WRITE),
    ("policy", &["poddisruptionbudgets"], WRITE),
    (
        "networking.k8s.io",
        &["ingresses", "networkpolicies"],
        WRITE,
    ),
    ("coordination.k8s.io", &["leases"], ALL),
];

const ADMIN: &[Rule] = &[
    (
        "authorization.k8s.io",
        &["localsubjectaccessreviews"],
        &["create"],
    ),
    ("rbac.authorization.k8s.io", &["roles", "rolebindings"], ALL),
];

/// A request to a Kubernetes API, from a SubjectAccessReview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attributes {
    Resource {
        namespace: String,
        verb: String,
        group: String,
        /// With the subresource, `pods/log`.
        resource: String,
    },
    NonResource,
}

impl Attributes {
    /// Reads `spec` of a SubjectAccessReview v1.
    pub(crate) fn read(spec: &Value) -> Self {
        let attributes = &spec["resourceAttributes"];
        if !attributes.is_object() {
            return Self::NonResource;
        }
        let text = |name: &str| attributes[name].as_str().unwrap_or_default().to_owned();
        let resource = match text("subresource").as_str() {
            "" => text("resource"),
            subresource => format!("{}/{subresource}", text("resource")),
        };
        Self::Resource {
            namespace: text("namespace"),
            verb: text("verb"),
            group: text("group"),
            resource,
        }
    }
}

/// Whether an association allows the request.
pub(crate) fn allows(association: &Association, attributes: &Attributes) -> bool {
    let policy = association
        .policy_arn
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let Attributes::Resource {
        namespace,
        verb,
        group,
        resource,
    } = attributes
    else {
        return policy == "AmazonEKSClusterAdminPolicy" && association.namespaces.is_empty();
    };
    let in_scope = association.namespaces.is_empty()
        || association
            .namespaces
            .iter()
            .any(|pattern| matches(pattern, namespace));
    if !in_scope {
        return false;
    }
    let sets: &[&[Rule]] = match policy {
        "AmazonEKSClusterAdminPolicy" => return true,
        "AmazonEKSAdminViewPolicy" => return READ.contains(&verb.as_str()),
        "AmazonEKSAdminPolicy" => &[VIEW, EDIT, ADMIN],
        "AmazonEKSEditPolicy" => &[VIEW, EDIT],
        "AmazonEKSViewPolicy" => &[VIEW],
        _ => &[],
    };
    sets.iter().flat_map(|set| set.iter()).any(|rule| {
        let (rule_group, resources, verbs) = rule;
        rule_group == group
            && resources.contains(&resource.as_str())
            && verbs.contains(&verb.as_str())
    })
}

/// A namespace of an access scope may end in `*`. Source: EKS user guide, associate access
/// policies.
fn matches(pattern: &str, namespace: &str) -> bool {
    if namespace.is_empty() {
        return false;
    }
    match pattern.strip_suffix('*') {
        Some(prefix) => namespace.starts_with(prefix),
        None => pattern == namespace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn policies_allow_by_verb_resource_and_scope() {
        // policy, namespaces, verb, group/resource, namespace, allowed
        let cases = [
            (
                "AmazonEKSClusterAdminPolicy",
                "",
                "delete",
                "",
                "nodes",
                "",
                true,
            ),
            (
                "AmazonEKSClusterAdminPolicy",
                "dev",
                "get",
                "",
                "secrets",
                "dev",
                true,
            ),
            (
                "AmazonEKSClusterAdminPolicy",
                "dev",
                "get",
                "",
                "secrets",
                "prod",
                false,
            ),
            (
                "AmazonEKSClusterAdminPolicy",
                "dev",
                "list",
                "",
                "nodes",
                "",
                false,
            ),
            (
                "AmazonEKSAdminPolicy",
                "",
                "create",
                "rbac.authorization.k8s.io",
                "roles",
                "a",
                true,
            ),
            (
                "AmazonEKSAdminPolicy",
                "",
                "create",
                "rbac.authorization.k8s.io",
                "clusterroles",
                "",
                false,
            ),
            (
                "AmazonEKSEditPolicy",
                "",
                "create",
                "apps",
                "deployments",
                "a",
                true,
            ),
            ("AmazonEKSEditPolicy", "", "get", "", "secrets", "a", true),
            (
                "AmazonEKSEditPolicy",
                "",
                "create",
                "rbac.authorization.k8s.io",
                "roles",
                "a",
                false,
            ),
            (
                "AmazonEKSEditPolicy",
                "dev-*",
                "create",
                "",
                "pods",
                "dev-1",
                true,
            ),
            (
                "AmazonEKSEditPolicy",
                "dev-*",
                "create",
                "",
                "pods",
                "production",
                false,
            ),
            ("AmazonEKSViewPolicy", "", "get", "", "pods/log", "a", true),
            ("AmazonEKSViewPolicy", "", "get", "", "secrets", "a", false),
            ("AmazonEKSViewPolicy", "", "delete", "", "pods", "a", false),
            (
                "AmazonEKSAdminViewPolicy",
                "",
                "list",
                "",
                "secrets",
                "a",
                true,
            ),
            (
                "AmazonEKSAdminViewPolicy",
                "",
                "patch",
                "",
                "secrets",
                "a",
                false,
            ),
            ("SomethingElse", "", "get", "", "pods", "a", false),
        ];
        for (policy, scope, verb, group, resource, namespace, expected) in cases {
            let association = Association {
                policy_arn: policy_arn(policy),
                namespaces: if scope.is_empty() {
                    Vec::new()
                } else {
                    vec![scope.to_owned()]
                },
                associated_at: Timestamp::UNIX_EPOCH,
                modified_at: Timestamp::UNIX_EPOCH,
            };
            let attributes = Attributes::Resource {
                namespace: namespace.to_owned(),
                verb: verb.to_owned(),
                group: group.to_owned(),
                resource: resource.to_owned(),
            };
            assert_eq!(
                allows(&association, &attributes),
                expected,
                "{policy} in {scope:?}: {verb} {group}/{resource} in {namespace:?}"
            );
        }
    }
}
