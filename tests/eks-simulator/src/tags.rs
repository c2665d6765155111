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
        ["cluster", name] | ["nodegroup", name, _, _] => *name,
        ["access-entry", name, ..] => *name,
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
        let group = cluster.node_groups.values_mut().find(|g| g.arn == arn);
        let entry = cluster.access_entries.values_mut().find(|e| e.arn == arn);
        group
            .map(|group| &mut group.tags)
            .or_else(|| entry.map(|entry| &mut entry.tags))
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
