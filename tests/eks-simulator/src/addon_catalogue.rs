//! The add-ons EKS offers, DescribeAddonVersions and DescribeAddonConfiguration.

use serde_json::{Value, json};

use crate::eks::Call;
use crate::pages;
use crate::versions;
use crate::wire::{ApiError, Code};

/// A version of an add-on and the cluster minors (`1.N`) it is for.
pub(crate) struct AddonVersion {
    pub version: &'static str,
    first_minor: u32,
    last_minor: u32,
    /// Minors whose default it is.
    default_of: &'static [u32],
}

impl AddonVersion {
    pub(crate) fn serves(&self, minor: &str) -> bool {
        versions::number(minor)
            .is_some_and(|minor| (self.first_minor..=self.last_minor).contains(&minor))
    }

    pub(crate) fn is_default_of(&self, minor: &str) -> bool {
        versions::number(minor).is_some_and(|minor| self.default_of.contains(&minor))
    }
}

/// A service account of an add-on and the managed policies AWS recommends for it.
pub(crate) struct ServiceAccount {
    pub name: &'static str,
    pub policies: &'static [&'static str],
}

/// An add-on.
pub(crate) struct CatalogueEntry {
    pub name: &'static str,
    kind: &'static str,
    publisher: &'static str,
    owner: &'static str,
    compute_types: &'static [&'static str],
    /// Service accounts that can have a pod identity.
    pub service_accounts: &'static [ServiceAccount],
    /// Newest first.
    pub versions: &'static [AddonVersion],
    schema: &'static str,
}

const fn version(
    version: &'static str,
    first_minor: u32,
    last_minor: u32,
    default_of: &'static [u32],
) -> AddonVersion {
    AddonVersion {
        version,
        first_minor,
        last_minor,
        default_of,
    }
}

/// Source of names, kinds, publishers, service accounts and policies: EKS user guide, "AWS add-ons"
/// and "IAM roles for EKS add-ons". The versions have the form the service gives them; which ones
/// there are, and for which minors, is the lab's own. The schemas are the lab's own too: not verified
/// beyond the members that the user guide, AWS's blog "EKS add-ons: advanced configuration" and
/// aws/amazon-vpc-cni-k8s issue 2272 show.
pub(crate) const CATALOGUE: &[CatalogueEntry] = &[
    CatalogueEntry {
        name: "aws-ebs-csi-driver",
        kind: "storage",
        publisher: "eks",
        owner: "aws",
        compute_types: &["ec2", "hybrid"],
        service_accounts: &[ServiceAccount {
            name: "ebs-csi-controller-sa",
            policies: &["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"],
        }],
        versions: &[
            version("v1.62.0-eksbuild.1", 33, 36, &[36]),
            version("v1.57.1-eksbuild.1", 31, 36, &[33, 34, 35]),
            version("v1.51.0-eksbuild.1", 31, 34, &[31, 32]),
        ],
        schema: include_str!("addon_schemas/aws-ebs-csi-driver.json"),
    },
    CatalogueEntry {
        name: "coredns",
        kind: "networking",
        publisher: "eks",
        owner: "aws",
        compute_types: &["ec2", "fargate", "hybrid"],
        service_accounts: &[],
        versions: &[
            version("v1.14.2-eksbuild.1", 35, 36, &[36]),
            version("v1.13.2-eksbuild.1", 33, 36, &[34, 35]),
            version("v1.12.4-eksbuild.1", 32, 35, &[33]),
            version("v1.11.4-eksbuild.24", 31, 33, &[31, 32]),
        ],
        schema: include_str!("addon_schemas/coredns.json"),
    },
    CatalogueEntry {
        name: "eks-pod-identity-agent",
        kind: "security",
        publisher: "eks",
        owner: "aws",
        compute_types: &["ec2", "hybrid"],
        service_accounts: &[],
        versions: &[
            version("v1.3.11-eksbuild.1", 31, 36, &[35, 36]),
            version("v1.3.10-eksbuild.1", 31, 36, &[31, 32, 33, 34]),
        ],
        schema: include_str!("addon_schemas/eks-pod-identity-agent.json"),
    },
    CatalogueEntry {
        name: "kube-proxy",
        kind: "networking",
        publisher: "eks",
        owner: "aws",
        compute_types: &["ec2", "hybrid"],
        service_accounts: &[],
        versions: &[
            version("v1.36.1-eksbuild.2", 36, 36, &[36]),
            version("v1.35.3-eksbuild.2", 35, 36, &[35]),
            version("v1.34.6-eksbuild.2", 34, 36, &[34]),
            version("v1.33.10-eksbuild.2", 33, 36, &[33]),
            version("v1.32.13-eksbuild.2", 32, 35, &[32]),
            version("v1.31.14-eksbuild.2", 31, 34, &[31]),
        ],
        schema: include_str!("addon_schemas/kube-proxy.json"),
    },
    CatalogueEntry {
        name: "metrics-server",
        kind: "observability",
        publisher: "eks",
        owner: "community",
        compute_types: &["ec2", "fargate", "hybrid"],
        service_accounts: &[],
        versions: &[
            version("v0.8.1-eksbuild.1", 32, 36, &[34, 35, 36]),
            version("v0.8.0-eksbuild.2", 31, 36, &[31, 32, 33]),
        ],
        schema: include_str!("addon_schemas/metrics-server.json"),
    },
    CatalogueEntry {
        name: "vpc-cni",
        kind: "networking",
        publisher: "eks",
        owner: "aws",
        compute_types: &["ec2"],
        service_accounts: &[ServiceAccount {
            name: "aws-node",
            policies: &["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"],
        }],
        versions: &[
            version("v1.21.2-eksbuild.1", 33, 36, &[35, 36]),
            version("v1.21.1-eksbuild.3", 33, 36, &[]),
            version("v1.20.5-eksbuild.1", 31, 35, &[33, 34]),
            version("v1.19.6-eksbuild.7", 31, 34, &[31, 32]),
        ],
        schema: include_str!("addon_schemas/vpc-cni.json"),
    },
];

pub(crate) fn find(name: &str) -> Option<&'static CatalogueEntry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

impl CatalogueEntry {
    /// The version of this name, if clusters of the minor can have it.
    pub(crate) fn version_for(&self, version: &str, minor: &str) -> Option<&'static str> {
        self.versions
            .iter()
            .find(|known| known.version == version && known.serves(minor))
            .map(|known| known.version)
    }

    /// The default version of a minor.
    pub(crate) fn default_version(&self, minor: &str) -> Option<&'static str> {
        self.versions
            .iter()
            .find(|known| known.is_default_of(minor))
            .map(|known| known.version)
    }

    /// The schema of configurationValues.
    pub(crate) fn schema(&self) -> Result<Value, ApiError> {
        serde_json::from_str(self.schema).map_err(|error| {
            ApiError::new(
                Code::Server,
                format!("the lab's schema of {} is not JSON: {error}", self.name),
            )
        })
    }

    pub(crate) fn publisher(&self) -> &'static str {
        self.publisher
    }

    pub(crate) fn owner(&self) -> &'static str {
        self.owner
    }
}

/// Source: API reference, DescribeAddonVersions.
pub(crate) fn describe_versions(call: &Call<'_>) -> Result<Value, ApiError> {
    let minor = call.query("kubernetesVersion");
    if let Some(minor) = minor
        && versions::find(minor).is_none()
    {
        return Err(ApiError::parameter(format!(
            "Kubernetes version {minor} is not supported"
        )));
    }
    let name = call.query("addonName");
    if let Some(name) = name
        && find(name).is_none()
    {
        return Err(ApiError::parameter("Addon specified is not supported"));
    }
    let wanted = |filter: &str, value: &str| {
        let values = call.query_all(filter);
        values.is_empty() || values.contains(&value)
    };
    let mut shown: Vec<(&str, Value)> = CATALOGUE
        .iter()
        .filter(|entry| {
            name.is_none_or(|name| name == entry.name)
                && wanted("types", entry.kind)
                && wanted("publishers", entry.publisher)
                && wanted("owners", entry.owner)
        })
        .map(|entry| (entry.name, show(entry, minor)))
        .filter(|(_, shown)| shown["addonVersions"] != json!([]))
        .collect();
    let next = pages::cut(&mut shown, call, Code::InvalidParameter, |(name, _)| {
        (*name).to_owned()
    })?;
    let addons: Vec<Value> = shown.into_iter().map(|(_, addon)| addon).collect();
    Ok(json!({ "addons": addons, "nextToken": next }))
}

/// Source of the members: botocore model, AddonInfo.
fn show(entry: &CatalogueEntry, minor: Option<&str>) -> Value {
    let minors: Vec<&str> = versions::VERSIONS
        .iter()
        .rev()
        .map(|version| version.minor)
        .filter(|known| minor.is_none_or(|minor| minor == *known))
        .collect();
    let shown: Vec<Value> = entry
        .versions
        .iter()
        .filter_map(|version| {
            let compatibilities: Vec<Value> = minors
                .iter()
                .filter(|minor| version.serves(minor))
                .map(|minor| {
                    json!({
                        "clusterVersion": minor,
                        "platformVersions": ["*"],
                        "defaultVersion": version.is_default_of(minor),
                    })
                })
                .collect();
            (!compatibilities.is_empty()).then(|| {
                json!({
                    "addonVersion": version.version,
                    "architecture": ["amd64", "arm64"],
                    "computeTypes": entry.compute_types,
                    "compatibilities": compatibilities,
                    "requiresConfiguration": false,
                    "requiresIamPermissions": !entry.service_accounts.is_empty(),
                })
            })
        })
        .collect();
    json!({
        "addonName": entry.name,
        "type": entry.kind,
        "addonVersions": shown,
        "publisher": entry.publisher,
        "owner": entry.owner,
        "marketplaceInformation": null,
        "defaultNamespace": "kube-system",
    })
}

/// Source: API reference, DescribeAddonConfiguration; texts not verified.
pub(crate) fn describe_configuration(call: &Call<'_>) -> Result<Value, ApiError> {
    let asked = |name: &str| {
        call.query(name)
            .ok_or_else(|| ApiError::parameter(format!("{name} is required")))
    };
    let (name, version) = (asked("addonName")?, asked("addonVersion")?);
    let entry = find(name)
        .ok_or_else(|| ApiError::parameter("Addon specified is not supported").addon(name))?;
    if !entry.versions.iter().any(|known| known.version == version) {
        return Err(ApiError::parameter("Addon version specified is not supported").addon(name));
    }
    let identities: Vec<Value> = entry
        .service_accounts
        .iter()
        .map(|account| {
            json!({
                "serviceAccount": account.name,
                "recommendedManagedPolicies": account.policies,
            })
        })
        .collect();
    Ok(json!({
        "addonName": name,
        "addonVersion": version,
        "configurationSchema": entry.schema()?.to_string(),
        "podIdentityConfiguration": identities,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minor_has_one_default_and_another_version_of_each_addon() {
        for entry in CATALOGUE {
            for minor in versions::VERSIONS {
                let defaults = entry
                    .versions
                    .iter()
                    .filter(|version| version.is_default_of(minor.minor))
                    .collect::<Vec<_>>();
                assert_eq!(defaults.len(), 1, "{} {}", entry.name, minor.minor);
                assert!(defaults.iter().all(|version| version.serves(minor.minor)));
            }
            for minor in ["1.33", "1.34", "1.35", "1.36"] {
                let count = entry
                    .versions
                    .iter()
                    .filter(|version| version.serves(minor));
                assert!(count.count() > 1, "{} {minor}", entry.name);
            }
        }
    }

    #[test]
    fn the_schemas_use_only_what_is_checked() {
        for entry in CATALOGUE {
            let schema = entry.schema().unwrap();
            assert_eq!(
                crate::schema::unknown_keyword(&schema),
                None,
                "{}",
                entry.name
            );
            assert_eq!(
                crate::schema::complaints(&schema, &json!({})),
                Vec::<String>::new()
            );
            assert_ne!(
                crate::schema::complaints(&schema, &json!({"unknownMember": 1})),
                Vec::<String>::new(),
                "{}",
                entry.name
            );
        }
    }
}
