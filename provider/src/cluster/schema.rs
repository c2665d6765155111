//! The attributes.

use std::time::Duration;

use devopsgenie_lifecycle::cluster::model::KubernetesVersion;
use devopsgenie_lifecycle::cluster::names::NODE_GROUP_KEY_LIMIT;
use tfplugin::cty::Type;
use tfplugin::schema::validators::{self, Validator};
use tfplugin::schema::{Attribute, Schema, TimeoutDefaults, modifiers};

const MINUTES: u64 = 60;

/// Log types of the EKS API (`LogType`).
const LOG_TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];

pub(super) fn schema() -> Schema {
    Schema::new(
        "An EKS cluster with its IAM roles, OIDC provider, access entries and managed node groups, as one unit.\n\n\
         Everything made carries the tag `devopsgenie.dev/owner`, the identity of the Terraform state. A creation \
         that failed or was killed is carried on by the next apply: what exists is kept, although Terraform may \
         call it a replacement. A cluster of another owner is never touched, nor is a finished one that is in no state: \
         import it. When a state moves to another backend, directory or workspace, write its old owner as `owner` in \
         the provider block.\n\n\
         A node group is replaced when its instance types, AMI type, capacity type, disk, subnets or role change: \
         the new group is ready before the old one goes.",
    )
    .attribute(
        "name",
        cluster_name()
            .required()
            .description("Name of the cluster. A change replaces the cluster.")
            .plan_modifier(modifiers::requires_replace()),
    )
    .attribute(
        "kubernetes_version",
        Attribute::string()
            .required()
            .description(
                "Kubernetes minor version of the control plane, such as `1.35`. A newer one is reached minor by \
                 minor; an older one is refused.",
            )
            .validate(version()),
    )
    .attribute(
        "role_arn",
        optional_computed(Attribute::string(), "IAM role of the control plane. Default: one is made. A change replaces the cluster.")
            .validate(role()),
    )
    .attribute(
        "node_role_arn",
        optional_computed(Attribute::string(), "IAM role of the nodes. Default: one is made.").validate(role()),
    )
    .attribute(
        "permissions_boundary",
        Attribute::string()
            .optional()
            .description("ARN of the permissions boundary of the roles that are made.")
            .validate(validators::starts_with("arn:")),
    )
    .attribute("vpc_config", vpc_config())
    .attribute("kubernetes_network_config", network_config())
    .attribute("access_config", access_config())
    .attribute(
        "access_entries",
        Attribute::map_nested(access_entry())
            .optional()
            .description(
                "Who may use the Kubernetes API, by a key of your choice. The entry that EKS makes for the \
                 cluster's creator is taken over when its principal is listed. EKS binds an entry to the \
                 principal, not to its name: after an IAM principal was deleted and made again, take its entry out, \
                 apply, and put it back.",
            ),
    )
    .attribute(
        "enabled_cluster_log_types",
        Attribute::set(Type::String)
            .optional()
            .description("Control-plane logs to send to CloudWatch Logs: `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`. EKS makes the log group `/aws/eks/NAME/cluster` for them, without retention, and leaves it behind when the cluster is deleted.")
            .validate(validators::each(validators::one_of(LOG_TYPES))),
    )
    .attribute(
        "upgrade_policy",
        Attribute::single_nested([(
            "support_type",
            optional_computed(
                Attribute::string(),
                "`STANDARD` upgrades the control plane by itself at the end of standard support, `EXTENDED` pays for longer support. Default: EKS's.",
            )
            .validate(validators::one_of(["STANDARD", "EXTENDED"])),
        )])
        .optional()
        .computed()
        .description("What happens at the end of standard support."),
    )
    .attribute(
        "enable_irsa",
        Attribute::bool()
            .optional()
            .computed()
            .default(true)
            .description("Whether the cluster's issuer is an OIDC provider in IAM, for IAM roles of service accounts. Default: true."),
    )
    .attribute(
        "node_groups",
        Attribute::map_nested(node_group())
            .optional()
            .description("Managed node groups by a key of your choice; AWS's names begin with it.")
            .validate(validators::each_key(validators::string_that(
                format!("must have 1 to {NODE_GROUP_KEY_LIMIT} letters, digits, hyphens and underscores and start with a letter or digit"),
                |text| is_name(text, NODE_GROUP_KEY_LIMIT),
            ))),
    )
    .attribute("tags", tags("Tags of the cluster and of what is made for it."))
    .attribute(
        "tags_all",
        Attribute::map(Type::String).computed().description("`tags` and the provider's `default_tags`."),
    )
    .attribute(
        "deletion_protection",
        Attribute::bool()
            .optional()
            .computed()
            .default(false)
            .description("Refuses to destroy the cluster, here and in EKS. Default: false."),
    )
    .attribute("id", computed("Name of the cluster."))
    .attribute("arn", computed("ARN of the cluster."))
    .attribute("endpoint", computed("URL of the Kubernetes API."))
    .attribute("certificate_authority_data", computed("Base64 of the certificate authority of the Kubernetes API."))
    .attribute("oidc_issuer_url", computed("Issuer of the cluster's service account tokens."))
    .attribute("oidc_provider_arn", computed("ARN of the issuer's OIDC provider in IAM, when `enable_irsa` is true."))
    .attribute(
        "status",
        computed(
            "Status in EKS; `INCOMPLETE` for a cluster whose creation is to be carried on, `DRIFTED` for one whose \
             IAM roles or ownership tags were changed outside, `DELETED` for one that was deleted outside while \
             its roles are left. The next apply repairs all three.",
        ),
    )
    .attribute("platform_version", computed("EKS platform version."))
    .attribute("created_at", computed("Time of creation, RFC 3339."))
    .attribute("creation_id", computed("Tells this cluster from one made later under the same name."))
    .timeouts(TimeoutDefaults {
        create: Duration::from_secs(60 * MINUTES),
        read: Duration::from_secs(10 * MINUTES),
        update: Duration::from_secs(180 * MINUTES),
        delete: Duration::from_secs(60 * MINUTES),
    })
}

/// A text that EKS takes as the name of a cluster (EKS API, `CreateCluster`).
pub(crate) fn cluster_name() -> Attribute {
    Attribute::string().validate(validators::string_that(
        "must have 1 to 100 letters, digits, hyphens and underscores and start with a letter or digit",
        |text| is_name(text, 100),
    ))
}

pub(crate) fn computed(description: &str) -> Attribute {
    Attribute::string().computed().description(description)
}

fn optional_computed(attribute: Attribute, description: &str) -> Attribute {
    attribute.optional().computed().description(description)
}

fn is_name(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn version() -> Validator {
    validators::string_that(
        "must be a Kubernetes minor version as in \"1.35\", without \"v\" and without a patch number",
        |text| text.parse::<KubernetesVersion>().is_ok(),
    )
}

fn role() -> Validator {
    validators::string_that(
        "must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/eks",
        |text| text.starts_with("arn:") && text.contains(":role/"),
    )
}

fn tags(description: &str) -> Attribute {
    crate::tags::validated(
        Attribute::map(Type::String)
            .optional()
            .description(description),
    )
}

fn cidr() -> Validator {
    validators::string_that(
        "must be an IP range in CIDR form, such as 203.0.113.0/24",
        |text| {
            text.split_once('/').is_some_and(|(address, bits)| {
                let longest = match address.parse::<std::net::IpAddr>() {
                    Ok(std::net::IpAddr::V4(_)) => 32,
                    Ok(std::net::IpAddr::V6(_)) => 128,
                    Err(_) => return false,
                };
                bits.parse::<u8>().is_ok_and(|bits| bits <= longest)
            })
        },
    )
}

fn subnets() -> Validator {
    validators::each(validators::starts_with("subnet-"))
}

fn vpc_config() -> Attribute {
    Attribute::single_nested([
        (
            "subnet_ids",
            Attribute::set(Type::String)
                .required()
                .description(
                    "Subnets in at least two availability zones of one VPC. EKS changes them to others of the same VPC. \
                     A half-built cluster is made again when none of its subnets is left.",
                )
                .validate(validators::size_at_least(2))
                .validate(subnets()),
        ),
        (
            "security_group_ids",
            Attribute::set(Type::String)
                .optional()
                .description("Additional security groups of the control plane's network interfaces.")
                .validate(validators::each(validators::starts_with("sg-"))),
        ),
        (
            "endpoint_public_access",
            Attribute::bool()
                .optional()
                .computed()
                .default(true)
                .description("Whether the Kubernetes API is reachable from the internet. Default: true."),
        ),
        (
            "endpoint_private_access",
            Attribute::bool().optional().computed().default(true).description(
                "Whether the Kubernetes API is reachable inside the VPC. Default: true, unlike EKS's own: nodes then \
                 reach it without leaving the VPC.",
            ),
        ),
        (
            "public_access_cidrs",
            optional_computed(Attribute::set(Type::String), "Ranges that may reach the public endpoint; not with `endpoint_public_access = false`. Default: EKS's, which is everyone.")
                .validate(validators::size_between(1..=40))
                .validate(validators::each(cidr())),
        ),
        (
            "vpc_id",
            optional_computed(
                Attribute::string(),
                "The VPC of the subnets. When it is written, a cluster in another VPC is refused. EKS tells the VPC of \
                 the subnets only once the cluster exists, and nothing else is asked. A change replaces the cluster.",
            )
            .validate(validators::starts_with("vpc-")),
        ),
        (
            "cluster_security_group_id",
            computed("The security group that EKS makes for control plane and nodes."),
        ),
    ])
    .required()
    .description("Network of the control plane.")
}

fn network_config() -> Attribute {
    Attribute::single_nested([
        (
            "service_ipv4_cidr",
            optional_computed(
                Attribute::string(),
                "Range of service addresses. A change replaces the cluster.",
            )
            .validate(cidr()),
        ),
        (
            "ip_family",
            optional_computed(
                Attribute::string(),
                "`ipv4` or `ipv6`. A change replaces the cluster.",
            )
            .validate(validators::one_of(["ipv4", "ipv6"])),
        ),
    ])
    .optional()
    .computed()
    .description("Addresses of services.")
}

fn access_config() -> Attribute {
    Attribute::single_nested([
        (
            "authentication_mode",
            optional_computed(
                Attribute::string(),
                "`API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`; it can only be moved towards `API`. Default: `API`.",
            )
            .validate(validators::one_of(["API", "API_AND_CONFIG_MAP", "CONFIG_MAP"])),
        ),
        (
            "bootstrap_cluster_creator_admin_permissions",
            optional_computed(
                Attribute::bool(),
                "Whether the principal that creates the cluster becomes its administrator. Default: true. A change replaces the cluster.",
            ),
        ),
    ])
    .optional()
    .computed()
    .description("How principals are authenticated.")
}

fn access_entry() -> Vec<(&'static str, Attribute)> {
    let scope = Attribute::single_nested([
        (
            "type",
            Attribute::string()
                .required()
                .description("`cluster` or `namespace`.")
                .validate(validators::one_of(["cluster", "namespace"])),
        ),
        (
            "namespaces",
            Attribute::set(Type::String)
                .optional()
                .description("The namespaces, for type `namespace`."),
        ),
    ])
    .required()
    .description("Where the policy acts.");
    vec![
        (
            "principal_arn",
            Attribute::string()
                .required()
                .description("ARN of the IAM principal.")
                .validate(validators::starts_with("arn:")),
        ),
        (
            "type",
            Attribute::string()
                .optional()
                .computed()
                .default("STANDARD")
                .description("Type of the entry. Default: `STANDARD`. A change makes the entry again.")
                .validate(validators::one_of([
                    "STANDARD",
                    "EC2_LINUX",
                    "EC2_WINDOWS",
                    "FARGATE_LINUX",
                    "EC2",
                    "HYBRID_LINUX",
                    "HYPERPOD_LINUX",
                ])),
        ),
        (
            "kubernetes_groups",
            Attribute::set(Type::String).optional().description("Groups of the principal in Kubernetes; for type `STANDARD` only."),
        ),
        ("user_name", optional_computed(Attribute::string(), "User name of the principal in Kubernetes; for type `STANDARD` only. Default: EKS's.")),
        (
            "policy_associations",
            Attribute::map_nested([
                (
                    "policy_arn",
                    Attribute::string()
                        .required()
                        .description("ARN of an EKS access policy, such as arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy.")
                        .validate(validators::starts_with("arn:")),
                ),
                ("access_scope", scope),
            ])
            .optional()
            .description("Access policies by a key of your choice; for the types `STANDARD` and `EC2`."),
        ),
        ("tags", tags("Tags of the entry.")),
    ]
}

fn node_group() -> Vec<(&'static str, Attribute)> {
    let size = |minimum| validators::integer_between(minimum..=450);
    vec![
        (
            "kubernetes_version",
            optional_computed(Attribute::string(), "Kubernetes minor version of the nodes. Default: the control plane's.")
                .validate(version()),
        ),
        ("release_version", optional_computed(Attribute::string(), "AMI release. Default: the latest when the group is made or its version changes.")),
        (
            "instance_types",
            optional_computed(Attribute::list(Type::String), "Instance types in order of preference. A change replaces the group.")
                .validate(validators::size_between(1..=20)),
        ),
        ("ami_type", optional_computed(Attribute::string(), "AMI type such as `AL2023_x86_64_STANDARD`. A change replaces the group.")),
        (
            "capacity_type",
            optional_computed(Attribute::string(), "`ON_DEMAND`, `SPOT` or `CAPACITY_BLOCK`. A change replaces the group.")
                .validate(validators::one_of(["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"])),
        ),
        (
            "disk_size",
            optional_computed(Attribute::number(), "Root volume in GiB. A change replaces the group.")
                .validate(validators::integer_between(1..=16_384)),
        ),
        (
            "scaling_config",
            Attribute::single_nested([
                ("min_size", Attribute::number().required().description("Smallest number of nodes.").validate(size(0))),
                ("max_size", Attribute::number().required().description("Largest number of nodes.").validate(size(1))),
                (
                    "desired_size",
                    optional_computed(
                        Attribute::number(),
                        "Number of nodes. Without it the group begins with `min_size`, and whatever scales it later is left alone.",
                    )
                    .validate(size(0)),
                ),
            ])
            .required()
            .description("Sizes."),
        ),
        (
            "update_config",
            Attribute::single_nested([
                (
                    "max_unavailable",
                    optional_computed(Attribute::number(), "Nodes that an update may take out at once.")
                        .validate(validators::integer_between(1..=100)),
                ),
                (
                    "max_unavailable_percentage",
                    optional_computed(Attribute::number(), "Share of the nodes that an update may take out at once.")
                        .validate(validators::integer_between(1..=100)),
                ),
            ])
            .optional()
            .computed()
            .description("How updates of the group go."),
        ),
        (
            "subnet_ids",
            Attribute::set(Type::String)
                .optional()
                .description("Subnets of the nodes. Default: the cluster's. A change replaces the group.")
                .validate(validators::size_at_least(1))
                .validate(subnets()),
        ),
        ("labels", Attribute::map(Type::String).optional().description("Kubernetes labels of the nodes.")),
        (
            "taints",
            Attribute::set_nested([
                ("key", Attribute::string().required().description("Key.")),
                ("value", Attribute::string().optional().description("Value.")),
                (
                    "effect",
                    Attribute::string()
                        .required()
                        .description("`NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`.")
                        .validate(validators::one_of(["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"])),
                ),
            ])
            .optional()
            .description("Kubernetes taints of the nodes."),
        ),
        ("tags", tags("Tags of the node group; AWS does not hand them on to its instances.")),
        ("node_group_name", computed("Name of the group in AWS.")),
        ("arn", computed("ARN of the group.")),
        ("status", computed("Status of the group in EKS.")),
    ]
}
