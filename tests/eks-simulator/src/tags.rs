//! TagResource, UntagResource, ListTagsForResource.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::core::Core;
use crate::eks::{Call, empty};
use crate::store::{Store, Tags};
use crate::wire::{ApiError, Code};

/// Source: EKS user guide, tag restrictions (50 tags, key 128, value 256, `aws:` reserved).
pub(crate) fn check(tags: &Tags) -> Result<(), String> {
    if tags.len() > 50 {
        return Err("A resource can have at most 50 tags.".to_owned());
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(format!(
                "The tag key {key:?} must have 1 to 128 characters."
            ));
        }
        if value.chars().count() > 256 {
            return Err(format!(
                "The value of tag {key:?} must have at most 256 characters."
            ));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(format!(
                "The tag key {key:?} begins with aws:, which is reserved for AWS use."
            ));
        }
    }
    Ok(())
}

/// The tags of the resource with this ARN. Tag operations have their own errors.
/// Source: botocore model (BadRequestException, NotFoundException).
fn find<'a>(core: &Core, store: &'a mut Store, arn: &str) -> Result<&'a mut Tags, ApiError> {
    let prefix = core.arn("");
    let Some(resource) = arn.strip_prefix(&prefix) else {
        return Err(ApiError::new(
            Code::BadRequest,
            format!("The resource ARN {arn} is not one of EKS in this account and region."),
        ));
    };
    let parts: Vec<&str> = resource.split('/').collect();
    let cluster = match parts.as_slice() {
        ["cluster", name] | ["podidentityassociation", name, _] => *name,
        ["nodegroup" | "addon" | "fargateprofile", name, _, _]
        | ["identityproviderconfig", name, _, _, _]
        | ["access-entry", name, ..] => *name,
        _ => {
            return Err(ApiError::new(
                Code::BadRequest,
                format!("The resource ARN {arn} names no kind of resource that can be tagged."),
            ));
        }
    };
    let found = store.clusters.get_mut(cluster).and_then(|cluster| {
        if cluster.arn == arn {
            return Some(&mut cluster.tags);
        }
        let groups = cluster.node_groups.values_mut();
        let entries = cluster.access_entries.values_mut();
        let addons = cluster.addons.values_mut();
        let profiles = cluster.fargate_profiles.values_mut();
        let providers = cluster.identity_providers.values_mut();
        let identities = cluster.pod_identities.values_mut();
        groups
            .map(|group| (&group.arn, &mut group.tags))
            .chain(entries.map(|entry| (&entry.arn, &mut entry.tags)))
            .chain(addons.map(|addon| (&addon.arn, &mut addon.tags)))
            .chain(profiles.map(|profile| (&profile.arn, &mut profile.tags)))
            .chain(providers.map(|provider| (&provider.arn, &mut provider.tags)))
            .chain(identities.map(|identity| (&identity.arn, &mut identity.tags)))
            .find(|(own, _)| *own == arn)
            .map(|(_, tags)| tags)
    });
    found.ok_or_else(|| ApiError::new(Code::NotFound, format!("Resource not found: {arn}")))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagRequest {
    tags: Option<Tags>,
}

/// Source: API reference, TagResource.
pub(crate) fn tag(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (request, _) = call.body::<TagRequest>()?;
    let new = request
        .tags
        .ok_or_else(|| ApiError::new(Code::BadRequest, "tags is required"))?;
    let mut store = core.store();
    let tags = find(core, &mut store, call.part(0))?;
    let mut merged = tags.clone();
    merged.extend(new);
    check(&merged).map_err(|text| ApiError::new(Code::BadRequest, text))?;
    *tags = merged;
    Ok(empty())
}

/// Source: API reference, UntagResource.
pub(crate) fn untag(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let keys = call.query_all("tagKeys");
    if keys.is_empty() {
        return Err(ApiError::new(Code::BadRequest, "tagKeys is required"));
    }
    let mut store = core.store();
    let tags = find(core, &mut store, call.part(0))?;
    tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(empty())
}

/// Source: API reference, ListTagsForResource.
pub(crate) fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let mut store = core.store();
    let tags = find(core, &mut store, call.part(0))?;
    Ok(json!({ "tags": tags }))
}
