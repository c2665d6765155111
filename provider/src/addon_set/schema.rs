//! The attributes.

use std::time::Duration;

use devopsgenie_bootstrap::plan::validate_name;
use tfplugin::cty::Type;
use tfplugin::schema::validators::{self, Validator};
use tfplugin::schema::{Attribute, Schema, TimeoutDefaults, modifiers};

use super::model::{DEFAULT_FIELD_MANAGER, DEFAULT_NAMESPACE};

const MINUTES: u64 = 60;

pub(super) fn schema() -> Schema {
    Schema::new(
        "What runs in a cluster, applied and removed as one unit.\n\n\
         Objects are applied with server-side apply in stages (namespaces, custom resource definitions, what \
         others refer to, workloads, webhooks, custom resources); each stage is ready before the next begins. \
         Objects that leave the set are deleted. An inventory in the cluster is written before the objects, so \
         that an apply that failed or was killed is carried on by the next one.\n\n\
         The plan names each object that is created, changed (with the changed fields) or deleted in `changes`. \
         Values of Secrets are never shown there, and `objects` holds digests without them. The manifests \
         themselves are write-only: they are in no plan and no state, and their change shows in `changes` alone. \
         Fields of other kinds than Secret are shown there and are kept in the resource's private data, so put \
         what is secret in Secrets; of those the private data hold digests with a salt, which notice a change and \
         do not keep who can read the state from guessing short values.\n\n\
         After each apply `changes` says what was done; the next refresh empties it, which a plan with \
         `-refresh-only` reports once.\n\n\
         Some fields cannot be changed (the selector of a Deployment, the template of a Job, `value` of a \
         PriorityClass, the provisioner of a StorageClass, …). `changes` says `replace: …` then, and the apply \
         deletes the object and makes it anew. A PersistentVolumeClaim would lose its data: there the refusal of the \
         API server stands. A Job that failed is made anew by the next apply. Jobs are waited for until they are complete.\n\n\
         An apply takes a Lease, so two at once exclude each other. Every object carries a label with the set and \
         an annotation with its owner. An object in the cluster that another add-on set has, or none, is refused, \
         unless `take_ownership` says otherwise, and only what carries the annotation is deleted. On objects of \
         this set the configuration wins over other field managers. A CustomResourceDefinition is not deleted \
         while objects of its kind exist that are not deleted with it.",
    )
    .attribute(
        "name",
        Attribute::string()
            .required()
            .description("Name of the set, unique in the cluster. A change replaces the set.")
            .validate(name())
            .plan_modifier(modifiers::requires_replace()),
    )
    .attribute("kubernetes", connection())
    .attribute(
        "namespace",
        Attribute::string()
            .optional()
            .computed()
            .default(DEFAULT_NAMESPACE)
            .description(
                "Namespace of the set's inventory (a ConfigMap and a Lease). It is made if it does not exist, and \
                 deleted with the last set in it when nothing else is left there. A change replaces the set.",
            )
            .plan_modifier(modifiers::requires_replace()),
    )
    .attribute(
        "field_manager",
        Attribute::string()
            .optional()
            .computed()
            .default(DEFAULT_FIELD_MANAGER)
            .description(
                "Field manager of the set's objects (server-side apply). A change replaces the set, because \
                 fields that the old manager owns could not be taken out any more.",
            )
            .validate(validators::string_length_between(1, 128))
            .plan_modifier(modifiers::requires_replace()),
    )
    .attribute(
        "take_ownership",
        Attribute::bool().optional().description(
            "Whether objects that exist and belong to no add-on set are taken over, together with the fields that \
             other managers have in them. The set deletes them when they leave it. Namespaces and objects of other \
             sets are never taken over. Default: `false`.",
        ),
    )
    .attribute(
        "addons",
        Attribute::map_nested(addon())
            .required()
            .description("The add-ons by name.")
            .validate(validators::each_key(name())),
    )
    .attribute("id", Attribute::string().computed().description("Namespace and name of the set, joined by `/`."))
    .attribute(
        "objects",
        Attribute::map(Type::String).computed().description(
            "Digest of every object of the set, by `GROUP/KIND/NAMESPACE/NAME` (without group for the core group, \
             without namespace for cluster-scoped kinds). `drifted` stands for an object that was changed outside \
             of Terraform; the next apply repairs it.",
        ),
    )
    .attribute(
        "changes",
        Attribute::map(Type::String).computed().description(
            "What the plan does to each object it touches: `create`, `delete`, `replace: …`, or the changed \
             fields, such as `spec.replicas: 2 -> 3`.",
        ),
    )
    .attribute(
        "status",
        Attribute::string()
            .computed()
            .description("`complete`, or `incomplete` after an apply that did not go through; the next apply carries on."),
    )
    .attribute(
        "creation_id",
        Attribute::string()
            .computed()
            .description("Tells this set from one made later under the same name."),
    )
    .attribute(
        "cluster_uid",
        Attribute::string().computed().description(
            "UID of the namespace `kube-system`: which cluster the set is in. A connection that leads to another one \
             is an error, and nothing happens there.",
        ),
    )
    .timeouts(TimeoutDefaults {
        create: Duration::from_secs(20 * MINUTES),
        read: Duration::from_secs(5 * MINUTES),
        update: Duration::from_secs(20 * MINUTES),
        delete: Duration::from_secs(20 * MINUTES),
    })
    .validate(validators::exactly_one_of([
        "kubernetes.eks",
        "kubernetes.kubeconfig",
        "kubernetes.cluster",
    ]))
}

fn name() -> Validator {
    validators::string_that(
        "must have 1 to 40 lower-case letters, digits and hyphens, with a letter or digit at both ends",
        |text| validate_name(text).is_ok(),
    )
}

fn text(description: &str) -> Attribute {
    Attribute::string().optional().description(description)
}

fn connection() -> Attribute {
    Attribute::single_nested([
        (
            "eks",
            Attribute::single_nested([
                (
                    "cluster_name",
                    Attribute::string().required().description("Name of the EKS cluster. A change replaces the set."),
                ),
                ("region", text("Its region. Default: the provider's. A change replaces the set.")),
                ("endpoint", text("URL of its API. Default: asked from EKS.")),
                (
                    "certificate_authority_data",
                    text("Base64 of its certificate authority. Default: asked from EKS."),
                ),
            ])
            .optional()
            .description("An EKS cluster, with tokens made from the provider's AWS credentials."),
        ),
        (
            "kubeconfig",
            Attribute::single_nested([
                (
                    "config_path",
                    text("The file. Default: `KUBE_CONFIG_PATH`, `KUBECONFIG`, or `~/.kube/config`."),
                ),
                (
                    "config_context",
                    text("The context. Default: the file's current one. A change replaces the set."),
                ),
            ])
            .optional()
            .description("A context of a kubeconfig file."),
        ),
        ("cluster", cluster()),
    ])
    .required()
    .description("How to reach the cluster: exactly one of `eks`, `kubeconfig` and `cluster`. May depend on a cluster of the same apply. A change that may lead to another cluster replaces the set; so does one that is unknown in the plan, unless something that only one cluster has (`cluster_name`, `host`, the certificate authority) is known to stay the same. Give the certificate authority where the URL comes from a resource that may change.")
}

fn cluster() -> Attribute {
    Attribute::single_nested([
        (
            "host",
            Attribute::string().required().description(
                "URL of the API. A change replaces the set, unless the certificate authority is given and stays the \
                 same; should it be another cluster all the same, the apply refuses it.",
            ),
        ),
        (
            "cluster_ca_certificate",
            text("Certificate authority of the API, PEM or base64 of PEM. Default: the machine's trust store."),
        ),
        ("tls_server_name", text("Name in the API's certificate, if it is not the host's.")),
        (
            "insecure",
            Attribute::bool().optional().description("Do not check the API's certificate. Default: `false`."),
        ),
        ("token", text("A bearer token. Stored in the state.").sensitive()),
        ("client_certificate", text("Client certificate, PEM; needs `client_key`.")),
        ("client_key", text("Key of the client certificate, PEM. Stored in the state.").sensitive()),
        (
            "exec",
            Attribute::single_nested([
                (
                    "api_version",
                    Attribute::string()
                        .required()
                        .description("`client.authentication.k8s.io/v1` or `client.authentication.k8s.io/v1beta1`."),
                ),
                ("command", Attribute::string().required().description("The program.")),
                ("args", Attribute::list(Type::String).optional().description("Its arguments.")),
                (
                    "env",
                    Attribute::map(Type::String)
                        .optional()
                        .sensitive()
                        .description("Added to its environment. Stored in the state."),
                ),
            ])
            .optional()
            .description("A credential plugin, as in kubeconfig files."),
        ),
    ])
    .optional()
    .description("An API server by its URL, with one of `token`, `client_certificate` and `exec`.")
}

fn addon() -> [(&'static str, Attribute); 4] {
    [
        (
            "enabled",
            Attribute::bool()
                .optional()
                .description("Whether the add-on is installed; `false` removes its objects. Default: `true`."),
        ),
        ("namespace", text("Namespace of objects that name none. Default: `default`.")),
        (
            "manifests",
            Attribute::list(Type::String).optional().write_only().description(
                "YAML texts, each with any number of documents; `List` objects are expanded. They are in neither \
                 plan nor state; the plan shows what changes in `changes`. Ephemeral values may go into Secrets; \
                 anywhere else they must be the same in plan and apply. Conflicts with `baseline`.",
            ),
        ),
        ("baseline", baseline()),
    ]
}

fn baseline() -> Attribute {
    Attribute::single_nested([
        (
            "namespaces",
            Attribute::list(Type::String)
                .required()
                .description("Namespaces that get network policies, quota and limits."),
        ),
        (
            "create_namespaces",
            Attribute::bool().optional().description("Whether the set makes these namespaces. Default: `true`."),
        ),
        (
            "namespace_labels",
            Attribute::map(Type::String).optional().description("Labels of the namespaces that it makes."),
        ),
        (
            "priority_classes",
            Attribute::map(Type::Number).optional().description(
                "PriorityClasses, name to value. Default: `devopsgenie-critical` 1000000, `devopsgenie-high` 100000, \
                 `devopsgenie-low` -1000.",
            ),
        ),
        (
            "default_deny",
            Attribute::bool().optional().description(
                "Whether NetworkPolicies deny all traffic but DNS, until other policies allow it. They have an effect only where the cluster's network plugin enforces NetworkPolicies (on EKS: `enableNetworkPolicy` of the VPC CNI). Default: `true`.",
            ),
        ),
        (
            "resource_quota",
            Attribute::map(Type::String).optional().description(
                "`hard` of each namespace's ResourceQuota. Default: 20 CPUs and 64Gi requested, 128Gi limit, 200 \
                 pods. Empty: no quota.",
            ),
        ),
        (
            "limit_range",
            Attribute::single_nested([
                (
                    "default_request",
                    Attribute::map(Type::String).optional().description("Requests of containers that have none."),
                ),
                (
                    "default_limit",
                    Attribute::map(Type::String).optional().description("Limits of containers that have none."),
                ),
            ])
            .optional()
            .description(
                "LimitRange of each namespace. Default: 100m CPU and 128Mi requested, limited to 512Mi. Empty: none.",
            ),
        ),
        (
            "read_only_groups",
            Attribute::list(Type::String).optional().description(
                "Groups that may read everything but Secrets: the built-in role `view`, and nodes, classes, \
                 volumes, definitions and roles.",
            ),
        ),
    ])
    .optional()
    .description(
        "The built-in baseline: priority classes, default-deny network policies, quotas, limits and read-only \
         roles. Conflicts with `manifests`.",
    )
}
