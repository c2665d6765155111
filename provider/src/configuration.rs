//! The provider's own arguments, named as in hashicorp/aws.

use std::collections::BTreeMap;

use tfplugin::cty::Type;
use tfplugin::schema::{Attribute, Schema, validators};
use tfplugin::{AttributeValue, Sensitive, Set, model};

model! {
    /// The block `provider "devopsgenie"`.
    pub struct Configuration {
        /// AWS region.
        pub region: AttributeValue<String>,
        /// Profile in the shared files.
        pub profile: AttributeValue<String>,
        /// Access key ID.
        pub access_key: AttributeValue<String>,
        /// Secret access key.
        pub secret_key: AttributeValue<Sensitive<String>>,
        /// Session token.
        pub token: AttributeValue<Sensitive<String>>,
        /// Paths of shared configuration files.
        pub shared_config_files: AttributeValue<Vec<AttributeValue<String>>>,
        /// Paths of shared credentials files.
        pub shared_credentials_files: AttributeValue<Vec<AttributeValue<String>>>,
        /// The role to assume.
        pub assume_role: AttributeValue<AssumeRole>,
        /// Service endpoints.
        pub endpoints: AttributeValue<Endpoints>,
        /// Tags of everything.
        pub default_tags: AttributeValue<DefaultTags>,
        /// Retries of one AWS call.
        pub max_retries: AttributeValue<i64>,
        /// Accounts that may be used.
        pub allowed_account_ids: AttributeValue<Set<String>>,
        /// Accounts that may not be used.
        pub forbidden_account_ids: AttributeValue<Set<String>>,
        /// Who owns what is made.
        pub owner: AttributeValue<String>,
    }

    /// `assume_role`.
    pub struct AssumeRole {
        /// The role.
        pub role_arn: AttributeValue<String>,
        /// The session's name.
        pub session_name: AttributeValue<String>,
        /// The external identifier.
        pub external_id: AttributeValue<String>,
        /// How long the credentials live.
        pub duration: AttributeValue<String>,
        /// A session policy.
        pub policy: AttributeValue<String>,
        /// Managed session policies.
        pub policy_arns: AttributeValue<Set<String>>,
        /// Session tags.
        pub tags: AttributeValue<BTreeMap<String, AttributeValue<String>>>,
        /// Keys of session tags that are passed on.
        pub transitive_tag_keys: AttributeValue<Set<String>>,
    }

    /// `endpoints`.
    pub struct Endpoints {
        /// Amazon EKS.
        pub eks: AttributeValue<String>,
        /// AWS IAM.
        pub iam: AttributeValue<String>,
        /// AWS STS.
        pub sts: AttributeValue<String>,
    }

    /// `default_tags`.
    pub struct DefaultTags {
        /// The tags.
        pub tags: AttributeValue<BTreeMap<String, AttributeValue<String>>>,
    }
}

/// The schema of [`Configuration`].
#[must_use]
pub fn schema() -> Schema {
    let text = |description: &str| Attribute::string().optional().description(description);
    Schema::new(
        "Creates production platforms on Amazon EKS: clusters, and what runs in them.\n\n\
         Region and credentials are found as the AWS SDKs find them: in these arguments, the \
         environment variables, the shared files, then the container or instance role.",
    )
    .attributes([
        ("region", text("AWS region. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, or the profile's region.")),
        ("profile", text("Profile in the shared configuration and credentials files. Default: `AWS_PROFILE`.")),
        ("access_key", text("Access key ID; needs `secret_key`. Default: `AWS_ACCESS_KEY_ID`.")),
        ("secret_key", text("Secret access key. Default: `AWS_SECRET_ACCESS_KEY`.").sensitive()),
        ("token", text("Session token of temporary credentials. Default: `AWS_SESSION_TOKEN`.").sensitive()),
        (
            "shared_config_files",
            Attribute::list(Type::String)
                .optional()
                .description("Shared configuration files. Default: `AWS_CONFIG_FILE`, or `~/.aws/config`."),
        ),
        (
            "shared_credentials_files",
            Attribute::list(Type::String).optional().description(
                "Shared credentials files. Default: `AWS_SHARED_CREDENTIALS_FILE`, or `~/.aws/credentials`.",
            ),
        ),
        ("assume_role", assume_role()),
        (
            "endpoints",
            Attribute::single_nested([
                ("eks", endpoint("Amazon EKS", "EKS")),
                ("iam", endpoint("AWS IAM", "IAM")),
                ("sts", endpoint("AWS STS", "STS")),
            ])
            .optional()
            .description("Endpoint URLs that replace those of AWS, for example of interface VPC endpoints."),
        ),
        (
            "default_tags",
            Attribute::single_nested([(
                "tags",
                crate::tags::validated(
                    Attribute::map(Type::String)
                        .optional()
                        .description("Tags for everything that this provider makes; a resource's own tags win."),
                ),
            )])
            .optional()
            .description("Tags for all resources."),
        ),
        (
            "max_retries",
            Attribute::number()
                .optional()
                .description(
                    "How often one AWS call is retried when it is throttled or fails on the way. Default: one less than \
                     `AWS_MAX_ATTEMPTS` or the profile's `max_attempts`, or 25, as in hashicorp/aws. The wait \
                     between two attempts grows to 20 seconds. An endpoint that does not answer at all is tried \
                     5 times.",
                )
                .validate(validators::integer_between(0..=100)),
        ),
        ("allowed_account_ids", account_ids("AWS accounts that may be used; any other is refused. Conflicts with `forbidden_account_ids`.")),
        ("forbidden_account_ids", account_ids("AWS accounts that are refused. Conflicts with `allowed_account_ids`.")),
        (
            "owner",
            text(
                "The owner written on everything that is made, in the tag `devopsgenie.dev/owner`. What an \
                 interrupted apply left behind is taken up again only by the same owner. Default: the \
                 identity of the Terraform state, made from its backend and workspace. Set it where \
                 the state is local and the directory changes from run to run.",
            )
            .validate(validators::string_length_between(1, 256))
            .validate(validators::string_that(
                "must consist of letters, digits, spaces and + - = . _ : / @, as AWS tags do",
                |text| text.chars().all(|character| character.is_alphanumeric() || " +-=._:/@".contains(character)),
            )),
        ),
    ])
    .validate(validators::conflicts_with(["allowed_account_ids", "forbidden_account_ids"]))
    .validate(validators::required_together(["access_key", "secret_key"]))
}

fn assume_role() -> Attribute {
    let text = |description: &str| Attribute::string().optional().description(description);
    Attribute::single_nested([
        (
            "role_arn",
            Attribute::string()
                .required()
                .description("ARN of the role.")
                .validate(validators::starts_with("arn:")),
        ),
        (
            "session_name",
            text("Name of the session, as CloudTrail shows it. Default: `terraform-provider-devopsgenie`."),
        ),
        (
            "external_id",
            text("External identifier that the role's trust policy asks for."),
        ),
        (
            "duration",
            text("How long the credentials live, such as `1h`; 15 minutes to 12 hours.")
                .validate(validators::duration()),
        ),
        (
            "policy",
            text("IAM policy document in JSON that narrows the session further."),
        ),
        (
            "policy_arns",
            Attribute::set(Type::String)
                .optional()
                .description("ARNs of IAM policies that narrow the session further, 10 at most.")
                .validate(validators::size_between(1..=10))
                .validate(validators::each(validators::starts_with("arn:"))),
        ),
        (
            "tags",
            Attribute::map(Type::String)
                .optional()
                .description("Session tags."),
        ),
        (
            "transitive_tag_keys",
            Attribute::set(Type::String)
                .optional()
                .description("Keys of session tags that are passed on to roles that the session assumes."),
        ),
    ])
    .optional()
    .description("IAM role to assume with the credentials that were found.")
}

fn endpoint(service: &str, variable: &str) -> Attribute {
    Attribute::string()
        .optional()
        .description(format!(
            "Endpoint URL of {service}. Default: `AWS_ENDPOINT_URL_{variable}`, `AWS_ENDPOINT_URL`, or the region's."
        ))
        .validate(validators::string_that("must be a URL with http:// or https://", |text| {
            text.starts_with("https://") || text.starts_with("http://")
        }))
}

fn account_ids(description: &str) -> Attribute {
    Attribute::set(Type::String)
        .optional()
        .description(description)
        .validate(validators::size_at_least(1))
        .validate(validators::each(validators::string_that(
            "must be 12 digits",
            |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()),
        )))
}
