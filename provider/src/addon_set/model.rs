//! The typed form of the configuration, plan and state.

use std::collections::BTreeMap;

use devopsgenie_bootstrap::SetIdentity;
use devopsgenie_bootstrap::plan::{AddonInput, AddonSource, BaselineInputs, LimitRangeInputs};
use tfplugin::{AttributeValue, Model as _, Sensitive, Timeouts, model};

type Texts = BTreeMap<String, AttributeValue<String>>;

model! {
    /// The resource.
    pub struct AddonSetModel {
        /// Namespace and name.
        pub id: AttributeValue<String>,
        /// Name of the set.
        pub name: AttributeValue<String>,
        /// The cluster.
        pub kubernetes: AttributeValue<ConnectionModel>,
        /// Namespace of the inventory.
        pub namespace: AttributeValue<String>,
        /// Field manager of the objects.
        pub field_manager: AttributeValue<String>,
        /// Whether objects that no set has are taken over.
        pub take_ownership: AttributeValue<bool>,
        /// The add-ons.
        pub addons: AttributeValue<BTreeMap<String, AttributeValue<AddonModel>>>,
        /// Key to digest.
        pub objects: AttributeValue<BTreeMap<String, AttributeValue<String>>>,
        /// Key to what happens to the object.
        pub changes: AttributeValue<BTreeMap<String, AttributeValue<String>>>,
        /// `complete` or `incomplete`.
        pub status: AttributeValue<String>,
        /// Which creation made the set.
        pub creation_id: AttributeValue<String>,
        /// Which cluster the set is in.
        pub cluster_uid: AttributeValue<String>,
        /// Timeouts.
        pub timeouts: AttributeValue<Timeouts>,
    }

    /// `kubernetes`.
    pub struct ConnectionModel {
        /// An EKS cluster.
        pub eks: AttributeValue<EksModel>,
        /// A kubeconfig file.
        pub kubeconfig: AttributeValue<KubeconfigModel>,
        /// A URL.
        pub cluster: AttributeValue<ClusterModel>,
    }

    /// `kubernetes.eks`.
    pub struct EksModel {
        /// Name of the cluster.
        pub cluster_name: AttributeValue<String>,
        /// Its region.
        pub region: AttributeValue<String>,
        /// Its URL.
        pub endpoint: AttributeValue<String>,
        /// Its certificate authority.
        pub certificate_authority_data: AttributeValue<String>,
    }

    /// `kubernetes.kubeconfig`.
    pub struct KubeconfigModel {
        /// The file.
        pub config_path: AttributeValue<String>,
        /// The context.
        pub config_context: AttributeValue<String>,
    }

    /// `kubernetes.cluster`.
    pub struct ClusterModel {
        /// The URL.
        pub host: AttributeValue<String>,
        /// The certificate authority.
        pub cluster_ca_certificate: AttributeValue<String>,
        /// Name in the certificate.
        pub tls_server_name: AttributeValue<String>,
        /// No check of the certificate.
        pub insecure: AttributeValue<bool>,
        /// A bearer token.
        pub token: AttributeValue<Sensitive<String>>,
        /// A client certificate.
        pub client_certificate: AttributeValue<String>,
        /// Its key.
        pub client_key: AttributeValue<Sensitive<String>>,
        /// A credential plugin.
        pub exec: AttributeValue<ExecModel>,
    }

    /// `kubernetes.cluster.exec`.
    pub struct ExecModel {
        /// Version of the plugin's protocol.
        pub api_version: AttributeValue<String>,
        /// The program.
        pub command: AttributeValue<String>,
        /// Its arguments.
        pub args: AttributeValue<Vec<AttributeValue<String>>>,
        /// Its environment.
        pub env: AttributeValue<BTreeMap<String, AttributeValue<Sensitive<String>>>>,
    }

    /// One of `addons`.
    pub struct AddonModel {
        /// Whether it is installed.
        pub enabled: AttributeValue<bool>,
        /// Namespace of objects that name none.
        pub namespace: AttributeValue<String>,
        /// YAML texts. Write-only: null in plans and states.
        pub manifests: AttributeValue<Vec<AttributeValue<String>>>,
        /// The built-in baseline.
        pub baseline: AttributeValue<BaselineModel>,
    }

    /// `baseline`.
    pub struct BaselineModel {
        /// Namespaces.
        pub namespaces: AttributeValue<Vec<AttributeValue<String>>>,
        /// Whether they are made.
        pub create_namespaces: AttributeValue<bool>,
        /// Their labels.
        pub namespace_labels: AttributeValue<BTreeMap<String, AttributeValue<String>>>,
        /// Priority classes.
        pub priority_classes: AttributeValue<BTreeMap<String, AttributeValue<i64>>>,
        /// Network policies.
        pub default_deny: AttributeValue<bool>,
        /// Quota.
        pub resource_quota: AttributeValue<BTreeMap<String, AttributeValue<String>>>,
        /// Defaults of containers.
        pub limit_range: AttributeValue<LimitRangeModel>,
        /// Groups that may read.
        pub read_only_groups: AttributeValue<Vec<AttributeValue<String>>>,
    }

    /// `baseline.limit_range`.
    pub struct LimitRangeModel {
        /// Requests.
        pub default_request: AttributeValue<BTreeMap<String, AttributeValue<String>>>,
        /// Limits.
        pub default_limit: AttributeValue<BTreeMap<String, AttributeValue<String>>>,
    }
}

/// The value of `status` after an apply that went through.
pub const COMPLETE: &str = "complete";

/// The value of `status` after one that did not.
pub const INCOMPLETE: &str = "incomplete";

/// The digest of an object that is not as it was applied.
pub const DRIFTED: &str = "drifted";

/// The default of `namespace`.
pub const DEFAULT_NAMESPACE: &str = "devopsgenie-system";

/// The default of `field_manager`.
pub const DEFAULT_FIELD_MANAGER: &str = "devopsgenie";

impl AddonSetModel {
    /// Which set this is, for an owner.
    pub fn identity(&self, owner: &str) -> SetIdentity {
        SetIdentity {
            name: text(&self.name),
            namespace: text_or(&self.namespace, DEFAULT_NAMESPACE),
            owner: owner.to_owned(),
            field_manager: text_or(&self.field_manager, DEFAULT_FIELD_MANAGER),
        }
    }

    /// The enabled add-ons, or `None` while something about them is unknown. Only of a configuration:
    /// plans and states do not hold the manifests.
    pub fn inputs(&self) -> Option<Vec<AddonInput>> {
        self.name.as_str()?;
        let addons = self.addons.known()?;
        if !self.addons_value().is_wholly_known() {
            return None;
        }
        let inputs = addons
            .iter()
            .filter_map(|(name, addon)| Some((name, addon.known()?)))
            .filter(|(_, addon)| addon.enabled.known() != Some(&false));
        Some(inputs.map(|(name, addon)| addon.input(name)).collect())
    }

    fn addons_value(&self) -> tfplugin::cty::Value {
        let only = Self {
            addons: self.addons.clone(),
            ..Self::default()
        };
        only.to_value()
    }
}

impl AddonModel {
    fn input(&self, name: &str) -> AddonInput {
        let source = match (&self.baseline, &self.manifests) {
            (AttributeValue::Known(baseline), _) => AddonSource::Baseline(baseline.inputs()),
            (_, manifests) => AddonSource::Manifests(list(manifests).unwrap_or_default()),
        };
        AddonInput {
            name: name.to_owned(),
            namespace: self.namespace.as_str().map(str::to_owned),
            source,
        }
    }
}

impl BaselineModel {
    fn inputs(&self) -> BaselineInputs {
        BaselineInputs {
            namespaces: list(&self.namespaces).unwrap_or_default(),
            create_namespaces: self.create_namespaces.known().copied(),
            namespace_labels: texts(&self.namespace_labels).unwrap_or_default(),
            priority_classes: self.priority_classes.known().map(|classes| {
                classes
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), *value.known()?)))
                    .collect()
            }),
            default_deny: self.default_deny.known().copied(),
            resource_quota: texts(&self.resource_quota),
            limit_range: self.limit_range.known().map(|range| LimitRangeInputs {
                default_request: texts(&range.default_request).unwrap_or_default(),
                default_limit: texts(&range.default_limit).unwrap_or_default(),
            }),
            read_only_groups: list(&self.read_only_groups).unwrap_or_default(),
        }
    }
}

/// A known text, or an empty one.
pub fn text(value: &AttributeValue<String>) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A known text, or a default.
pub fn text_or(value: &AttributeValue<String>, default: &str) -> String {
    value.as_str().unwrap_or(default).to_owned()
}

/// The known elements of a known list.
pub fn list(value: &AttributeValue<Vec<AttributeValue<String>>>) -> Option<Vec<String>> {
    let items = value.known()?.iter();
    Some(
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
    )
}

/// The known elements of a known map.
pub fn texts(value: &AttributeValue<Texts>) -> Option<BTreeMap<String, String>> {
    let entries = value.known()?.iter();
    Some(
        entries
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
    )
}

/// A map attribute.
pub fn map(entries: BTreeMap<String, String>) -> AttributeValue<Texts> {
    AttributeValue::Known(
        entries
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect(),
    )
}
