//! The typed form of the configuration, plan and state.

use tfplugin::{AttributeValue, Timeouts, model};

use crate::values::{Map, Texts};

model! {
    /// The resource.
    pub struct WorkloadRoleModel {
        /// The name again.
        pub id: AttributeValue<String>,
        /// Name.
        pub name: AttributeValue<String>,
        /// The cluster of the service account.
        pub cluster_name: AttributeValue<String>,
        /// Its namespace.
        pub namespace: AttributeValue<String>,
        /// Its name.
        pub service_account: AttributeValue<String>,
        /// Managed policies.
        pub policy_arns: Texts,
        /// Inline policies by name.
        pub inline_policies: Map<String>,
        /// Permissions boundary.
        pub permissions_boundary: AttributeValue<String>,
        /// Longest session in seconds.
        pub max_session_duration: AttributeValue<i64>,
        /// The user's tags.
        pub tags: Map<String>,
        /// Those and the provider's.
        pub tags_all: Map<String>,
        /// ARN.
        pub arn: AttributeValue<String>,
        /// IAM's unique id.
        pub unique_id: AttributeValue<String>,
        /// OIDC provider of the cluster's issuer.
        pub oidc_provider_arn: AttributeValue<String>,
        /// Trust policy.
        pub assume_role_policy: AttributeValue<String>,
        /// Timeouts.
        pub timeouts: AttributeValue<Timeouts>,
    }
}
