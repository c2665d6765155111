//! What the calls of IAM have in common.

use crate::aws::{ApiError, Aws, ErrorClass};
use aws_sdk_iam::types as iam;
use std::collections::{BTreeMap, BTreeSet};

/// An IAM call with its errors named.
macro_rules! iam_call {
    ($operation:literal, $resource:expr, $call:expr) => {
        $call
            .send()
            .await
            .map_err(|error| $crate::aws::ApiError::new("IAM", $operation, $resource, error))
    };
}
pub(crate) use iam_call;

/// `None` for an error that says the thing does not exist.
pub(crate) fn absent<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A role with the names of its policies.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) role: iam::Role,
    pub(crate) attached_policies: BTreeSet<String>,
    pub(crate) inline_policies: BTreeSet<String>,
}

impl Role {
    pub(crate) fn permissions_boundary(&self) -> Option<String> {
        self.role
            .permissions_boundary
            .as_ref()
            .and_then(|boundary| boundary.permissions_boundary_arn.clone())
    }

    pub(crate) fn tags(&self) -> BTreeMap<String, String> {
        let tags = self.role.tags.iter().flatten();
        tags.map(|tag| (tag.key.clone(), tag.value.clone()))
            .collect()
    }
}

/// Reads a role; `None` when there is none of the name.
pub(crate) async fn role(aws: &Aws, name: &str) -> Result<Option<Role>, ApiError> {
    let resource = format!("role {name}");
    let resource = resource.as_str();
    let client = aws.iam();
    let answer = iam_call!("GetRole", resource, client.get_role().role_name(name));
    let Some(role) = absent(answer)?.and_then(|answer| answer.role) else {
        return Ok(None);
    };
    let mut attached_policies = BTreeSet::new();
    let mut pages = client
        .list_attached_role_policies()
        .role_name(name)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| ApiError::new("IAM", "ListAttachedRolePolicies", resource, error));
        let Some(page) = absent(page)? else {
            return Ok(None);
        };
        attached_policies.extend(
            page.attached_policies
                .unwrap_or_default()
                .into_iter()
                .filter_map(|policy| policy.policy_arn),
        );
    }
    let mut inline_policies = BTreeSet::new();
    let mut pages = client
        .list_role_policies()
        .role_name(name)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| ApiError::new("IAM", "ListRolePolicies", resource, error));
        let Some(page) = absent(page)? else {
            return Ok(None);
        };
        inline_policies.extend(page.policy_names);
    }
    Ok(Some(Role {
        role,
        attached_policies,
        inline_policies,
    }))
}

/// Tags as IAM takes them.
pub(crate) fn tags(tags: &BTreeMap<String, String>) -> Result<Vec<iam::Tag>, ApiError> {
    tags.iter()
        .map(|(key, value)| {
            iam::Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|error| ApiError {
                    service: "IAM",
                    operation: "TagRole",
                    resource: format!("tag {key}").into(),
                    code: None,
                    message: error.to_string().into(),
                    request_id: None,
                    class: ErrorClass::Other,
                })
        })
        .collect()
}
