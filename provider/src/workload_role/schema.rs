//! The attributes.

use std::time::Duration;

use devopsgenie_lifecycle::policy_document;
use tfplugin::cty::{Type, Value};
use tfplugin::schema::validators::{self, Validator};
use tfplugin::schema::{Attribute, Schema, TimeoutDefaults};

use crate::cluster::schema::{cluster_name, computed};

const MINUTES: u64 = 60;

pub(super) fn schema() -> Schema {
    Schema::new(
        "The IAM role of a workload: the pods of one service account in one EKS cluster may assume it, and nobody \
         else (IAM roles for service accounts).\n\n\
         The cluster can be a `devopsgenie_cluster` or one made elsewhere; its issuer needs an OIDC provider in IAM, \
         which `devopsgenie_cluster` makes. The service account needs the annotation `eks.amazonaws.com/role-arn` \
         with the role's ARN, and running pods have to be restarted once.\n\n\
         The role has the policies that are listed here and no others: what is attached elsewhere is taken away by the \
         next apply. It carries the tag `devopsgenie.dev/owner`, the identity of the Terraform state; a role of \
         another owner is never touched, nor is a finished one that is in no state: import it. When the cluster \
         was made again, the next plan moves the trust to its new issuer.",
    )
    .attribute(
        "name",
        Attribute::string()
            .optional()
            .computed()
            .description(
                "Name of the role. Default: namespace, service account and a hash of both with cluster and region. A \
                 change replaces the role.",
            )
            .validate(iam_name("64", 64)),
    )
    .attribute(
        "cluster_name",
        cluster_name()
            .required()
            .description("The EKS cluster of the service account, in the provider's region."),
    )
    .attribute(
        "namespace",
        Attribute::string()
            .required()
            .description("Kubernetes namespace of the service account.")
            .validate(validators::string_that(
                "must be the name of a namespace: 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends",
                |text| text.len() <= 63 && !text.contains('.') && is_dns_name(text),
            )),
    )
    .attribute(
        "service_account",
        Attribute::string()
            .required()
            .description("The Kubernetes service account whose pods may assume the role.")
            .validate(validators::string_that(
                "must be the name of a service account: 1 to 253 lower-case letters, digits, hyphens and dots, with a letter or digit at both ends",
                |text| text.len() <= 253 && is_dns_name(text),
            )),
    )
    .attribute(
        "policy_arns",
        Attribute::set(Type::String)
            .optional()
            .description("ARNs of the managed policies of the role; no others stay attached.")
            .validate(validators::each(validators::starts_with("arn:"))),
    )
    .attribute(
        "inline_policies",
        Attribute::map(Type::String)
            .optional()
            .description(
                "Inline policies, JSON documents by name; no others stay. A document that means the same as before is no \
                 change.",
            )
            .validate(validators::each_key(iam_name("128", 128)))
            .validate(validators::each(validators::string_that(
                "must be a policy document, a JSON object as jsonencode makes it",
                |text| serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object()),
            )))
            .semantically_equal(same_documents),
    )
    .attribute(
        "permissions_boundary",
        Attribute::string()
            .optional()
            .description("ARN of the permissions boundary of the role.")
            .validate(validators::starts_with("arn:")),
    )
    .attribute(
        "max_session_duration",
        Attribute::number()
            .optional()
            .computed()
            .default(3600)
            .description("Longest session in seconds, 3600 to 43200. Default: 3600.")
            .validate(validators::integer_between(3600..=43_200)),
    )
    .attribute(
        "tags",
        crate::tags::validated(
            Attribute::map(Type::String)
                .optional()
                .description("Tags of the role."),
        ),
    )
    .attribute(
        "tags_all",
        Attribute::map(Type::String)
            .computed()
            .description("The tags with the provider's `default_tags`."),
    )
    .attribute("id", computed("Name of the role."))
    .attribute("arn", computed("ARN of the role."))
    .attribute("unique_id", computed("IAM's unique id of the role."))
    .attribute(
        "oidc_provider_arn",
        computed("ARN of the OIDC provider of the cluster's issuer, which the role trusts."),
    )
    .attribute("assume_role_policy", computed("Trust policy of the role."))
    .timeouts(TimeoutDefaults::all(Duration::from_secs(10 * MINUTES)))
}

/// A name as IAM takes it (IAM API, patterns of `roleName` and `policyName`).
fn iam_name(limit: &str, longest: usize) -> Validator {
    validators::string_that(
        format!("must have 1 to {limit} letters, digits and characters of _+=,.@-"),
        move |text| {
            (1..=longest).contains(&text.len())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
        },
    )
}

/// A DNS name as Kubernetes takes it, lower case (RFC 1123).
fn is_dns_name(text: &str) -> bool {
    text.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    })
}

/// Whether two maps hold documents that mean the same.
fn same_documents(before: &Value, after: &Value) -> bool {
    let (Value::Map(before), Value::Map(after)) = (before, after) else {
        return before == after;
    };
    before.len() == after.len()
        && before
            .iter()
            .all(|(name, one)| match (one, after.get(name)) {
                (Value::String(one), Some(Value::String(other))) => {
                    policy_document::equivalent(one, other)
                }
                (one, other) => Some(one) == other,
            })
}
