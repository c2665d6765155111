//! Which kinds the server has, where they are served, and whether they live in namespaces.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Accept header of aggregated discovery (Kubernetes 1.30; v2beta1 from 1.26), with the plain list as
/// last resort: an old server then answers with a kind that says so.
pub(crate) const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// One per cluster and name.
    Cluster,
    /// One per namespace and name.
    Namespaced,
}

/// Where a kind is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub plural: String,
    pub scope: Scope,
    pub listable: bool,
}

/// One answer of the discovery endpoints.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    /// (`apps/v1`, `Deployment`) to where it is served.
    kinds: BTreeMap<(String, String), Served>,
    /// (`apps`, `Deployment`) to the versions that serve it, in the server's order of preference.
    versions: BTreeMap<(String, String), Vec<String>>,
    /// Groups whose aggregated server does not answer.
    stale: BTreeSet<String>,
}

impl Discovery {
    /// Adds one `APIGroupDiscoveryList` (of `/api` or `/apis`); false when the answer is not one.
    pub(crate) fn add(&mut self, list: &Value) -> bool {
        if list.get("kind").and_then(Value::as_str) != Some("APIGroupDiscoveryList") {
            return false;
        }
        for group in array(list, "items") {
            let group_name = group
                .pointer("/metadata/name")
                .and_then(Value::as_str)
                .unwrap_or("");
            for version in array(group, "versions") {
                let Some(version_name) = version.get("version").and_then(Value::as_str) else {
                    continue;
                };
                if version.get("freshness").and_then(Value::as_str) == Some("Stale") {
                    self.stale.insert(group_name.to_owned());
                }
                let api_version = if group_name.is_empty() {
                    version_name.to_owned()
                } else {
                    format!("{group_name}/{version_name}")
                };
                for resource in array(version, "resources") {
                    self.add_resource(&api_version, resource);
                }
            }
        }
        true
    }

    fn add_resource(&mut self, api_version: &str, resource: &Value) {
        let kind = resource
            .pointer("/responseKind/kind")
            .and_then(Value::as_str);
        let plural = resource.get("resource").and_then(Value::as_str);
        let (Some(kind), Some(plural)) = (kind, plural) else {
            return;
        };
        // Review kinds (TokenReview …) can only be created; nothing here concerns them.
        let can = |wanted: &str| array(resource, "verbs").any(|verb| verb == wanted);
        if !can("get") {
            return;
        }
        let scope = match resource.get("scope").and_then(Value::as_str) {
            Some("Cluster") => Scope::Cluster,
            _ => Scope::Namespaced,
        };
        let key = (api_version.to_owned(), kind.to_owned());
        if self.kinds.contains_key(&key) {
            return;
        }
        let listable = can("list");
        self.versions
            .entry((group_of(api_version).to_owned(), kind.to_owned()))
            .or_default()
            .push(api_version.to_owned());
        self.kinds.insert(
            key,
            Served {
                plural: plural.to_owned(),
                scope,
                listable,
            },
        );
    }

    pub(crate) fn find(&self, api_version: &str, kind: &str) -> Option<&Served> {
        self.kinds.get(&(api_version.to_owned(), kind.to_owned()))
    }

    /// The version in which the server prefers to serve a kind.
    pub(crate) fn preferred(&self, group: &str, kind: &str) -> Option<&str> {
        let key = (group.to_owned(), kind.to_owned());
        Some(self.versions.get(&key)?.first()?.as_str())
    }

    /// Version and kind of everything that lives in namespaces and can be listed, each kind once.
    pub(crate) fn namespaced(&self) -> Vec<(String, String)> {
        self.versions
            .iter()
            .filter_map(|((_, kind), versions)| {
                let version = versions.first()?;
                let served = self.find(version, kind)?;
                (served.scope == Scope::Namespaced && served.listable)
                    .then(|| (version.clone(), kind.clone()))
            })
            .collect()
    }

    /// A group whose aggregated server does not answer.
    pub(crate) fn stale_group(&self) -> Option<&str> {
        self.stale.first().map(String::as_str)
    }

    pub(crate) fn is_stale(&self, group: &str) -> bool {
        self.stale.contains(group)
    }
}

/// `apps` of `apps/v1`, empty for the core group.
pub(crate) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_scopes_and_groups_that_do_not_answer() {
        let mut discovery = Discovery::default();
        let verbs = json!(["get", "list"]);
        assert!(discovery.add(&json!({"kind": "APIGroupDiscoveryList", "items": [
            {"versions": [{"version": "v1", "resources": [
                {"resource": "namespaces", "responseKind": {"kind": "Namespace"}, "scope": "Cluster", "verbs": verbs},
                {"resource": "bindings", "responseKind": {"kind": "Binding"}, "scope": "Namespaced", "verbs": ["create"]},
            ]}]},
            {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]},
            {"metadata": {"name": "apps"}, "versions": [
                {"version": "v1", "freshness": "Current", "resources": [
                    {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced", "verbs": verbs}]},
                {"version": "v1beta1", "freshness": "Current", "resources": [
                    {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced", "verbs": verbs}]},
            ]},
        ]})));
        let served = |plural: &str, scope| {
            Some(Served {
                plural: plural.to_owned(),
                scope,
                listable: true,
            })
        };
        assert_eq!(discovery.preferred("apps", "Deployment"), Some("apps/v1"));
        assert_eq!(discovery.preferred("apps", "Gizmo"), None);
        assert_eq!(
            discovery.namespaced(),
            [("apps/v1".to_owned(), "Deployment".to_owned())]
        );
        assert_eq!(
            discovery.find("v1", "Namespace").cloned(),
            served("namespaces", Scope::Cluster)
        );
        assert_eq!(
            discovery.find("apps/v1", "Deployment").cloned(),
            served("deployments", Scope::Namespaced)
        );
        assert_eq!(discovery.find("v1", "Binding"), None);
        assert!(discovery.is_stale("metrics.k8s.io"));
        assert!(!discovery.is_stale("apps"));
        assert!(!discovery.add(&json!({"kind": "APIGroupList"})));
    }
}
