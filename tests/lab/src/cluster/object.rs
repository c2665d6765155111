//! Objects of any kind, by server-side apply.

use eks_simulator::{ApplyOutcome, DeprecatedUse};
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use serde_json::Value;

use super::node::ignore_missing;
use crate::LabError;

/// What names an object.
struct Reference<'a> {
    version: &'a str,
    kind: &'a str,
    name: &'a str,
    namespace: Option<&'a str>,
}

impl<'a> Reference<'a> {
    fn of(object: &'a Value) -> Result<Self, LabError> {
        let member = |value: &'a Value, what: &str| {
            value.as_str().ok_or_else(|| {
                LabError::Unexpected(format!("an object without {what} was given: {object}"))
            })
        };
        Ok(Self {
            version: member(&object["apiVersion"], "apiVersion")?,
            kind: member(&object["kind"], "kind")?,
            name: member(&object["metadata"]["name"], "metadata.name")?,
            namespace: object["metadata"]["namespace"].as_str(),
        })
    }

    fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// The API of the object's kind, where the API server says it is.
    async fn api(&self, client: &kube::Client) -> Result<Api<DynamicObject>, LabError> {
        let (group, version) = self.version.split_once('/').unwrap_or(("", self.version));
        let gvk = GroupVersionKind::gvk(group, version, self.kind);
        let (resource, capabilities): (ApiResource, _) = pinned_kind(client, &gvk)
            .await
            .map_err(LabError::kubernetes(format!("find the kind {}", self.kind)))?;
        Ok(match (capabilities.scope, self.namespace) {
            (Scope::Namespaced, Some(namespace)) => {
                Api::namespaced_with(client.clone(), namespace, &resource)
            }
            (Scope::Namespaced, None) => Api::default_namespaced_with(client.clone(), &resource),
            (Scope::Cluster, _) => Api::all_with(client.clone(), &resource),
        })
    }
}

/// Applies the object; fields of other managers are conflicts unless forced.
pub(super) async fn apply(
    client: &kube::Client,
    object: &Value,
    manager: &str,
    force: bool,
    dry_run: bool,
) -> Result<ApplyOutcome, LabError> {
    let reference = Reference::of(object)?;
    let parameters = PatchParams {
        field_manager: Some(manager.to_owned()),
        force,
        dry_run,
        ..PatchParams::default()
    };
    let api = reference.api(client).await?;
    match api
        .patch(reference.name, &parameters, &Patch::Apply(object))
        .await
    {
        Ok(_) => Ok(ApplyOutcome::Applied),
        Err(error) => match conflicts(&error) {
            Some(fields) => Ok(ApplyOutcome::Conflicts(fields)),
            None => Err(LabError::kubernetes(format!("apply {}", reference.title()))(error)),
        },
    }
}

/// The fields of an apply that other managers own.
fn conflicts(error: &kube::Error) -> Option<Vec<String>> {
    let kube::Error::Api(status) = error else {
        return None;
    };
    let fields: Vec<String> = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| cause.field.clone())
        .collect();
    (status.code == 409 && !fields.is_empty()).then_some(fields)
}

/// The object, if it is there.
pub(super) async fn get(
    client: &kube::Client,
    reference: &Value,
) -> Result<Option<Value>, LabError> {
    let reference = Reference::of(reference)?;
    let failed = || format!("get {}", reference.title());
    let found = reference
        .api(client)
        .await?
        .get_opt(reference.name)
        .await
        .map_err(LabError::kubernetes(failed()))?;
    found
        .map(|object| {
            serde_json::to_value(object).map_err(|source| LabError::Answer {
                what: failed(),
                source,
            })
        })
        .transpose()
}

/// Deletes the object.
pub(super) async fn delete(client: &kube::Client, reference: &Value) -> Result<(), LabError> {
    let reference = Reference::of(reference)?;
    let result = reference
        .api(client)
        .await?
        .delete(reference.name, &DeleteParams::background())
        .await;
    ignore_missing(result, format!("delete {}", reference.title()))
}

/// What the API server's metric `apiserver_requested_deprecated_apis` says of APIs that a release
/// removes. Source: Kubernetes deprecation policy.
pub(super) async fn deprecated_uses(client: &kube::Client) -> Result<Vec<DeprecatedUse>, LabError> {
    let request = http::Request::get("/metrics")
        .body(Vec::new())
        .map_err(|error| LabError::Unexpected(format!("the request for metrics: {error}")))?;
    let metrics = client
        .request_text(request)
        .await
        .map_err(LabError::kubernetes("read the metrics".to_owned()))?;
    Ok(deprecated_in(&metrics))
}

fn deprecated_in(metrics: &str) -> Vec<DeprecatedUse> {
    let mut uses: Vec<DeprecatedUse> = metrics
        .lines()
        .filter_map(|line| {
            let labels = line
                .strip_prefix("apiserver_requested_deprecated_apis{")?
                .split_once('}')?
                .0;
            let label = |name: &str| {
                labels.split(',').find_map(|pair| {
                    let value = pair.strip_prefix(name)?.strip_prefix("=\"")?;
                    value.strip_suffix('"').map(str::to_owned)
                })
            };
            Some(DeprecatedUse {
                group: label("group")?,
                version: label("version")?,
                resource: label("resource")?,
                removed_release: label("removed_release").filter(|release| !release.is_empty())?,
            })
        })
        .collect();
    uses.sort();
    uses.dedup();
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_apis_that_a_release_removes_count() {
        let metrics = "\
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{group=\"\",removed_release=\"\",resource=\"endpoints\",subresource=\"\",version=\"v1\"} 1
apiserver_requested_deprecated_apis{group=\"policy\",removed_release=\"1.25\",resource=\"podsecuritypolicies\",subresource=\"\",version=\"v1beta1\"} 1
other{group=\"policy\"} 1
";
        let expected = DeprecatedUse {
            group: "policy".to_owned(),
            version: "v1beta1".to_owned(),
            resource: "podsecuritypolicies".to_owned(),
            removed_release: "1.25".to_owned(),
        };
        assert_eq!(deprecated_in(metrics), [expected]);
    }
}
