//! From what is observed in AWS to a state, and from a plan to what is desired in AWS.

use std::collections::{BTreeMap, BTreeSet};

use devopsgenie_lifecycle::cluster::model::{
    AccessEntry, AccessScope, Claim, DesiredCluster, DesiredNodeGroup, DesiredVpc, MaxUnavailable,
    Observed, ObservedAccessEntry, ObservedCluster, ObservedNodeGroup, Remembered, RoleChoice,
    StringMap, Taint,
};
use devopsgenie_lifecycle::cluster::names::{self, RoleKind};
use tfplugin::cty::{Path, Value};
use tfplugin::diagnostics::Diagnostics;
use tfplugin::{AttributeValue, ConversionError, Model as _, Set};

use super::model::{
    AccessConfig, AccessEntryModel, AccessScopeModel, ClusterModel, INCOMPLETE, NetworkConfig,
    NodeGroupModel, PolicyAssociation, ScalingConfig, TaintModel, UpdateConfig, UpgradePolicy,
    VpcConfig,
};
use super::plan::{is_managed_role, version};
use crate::tags;
use crate::values::{Texts, known_map, map, set, strings, texts};

/// The account and the provider's settings that a cluster is made with.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub region: String,
    pub partition: String,
    pub account_id: String,
    pub owner: String,
    pub default_tags: BTreeMap<String, String>,
}

/// What a state knows of what exists.
pub(super) fn remembered(state: &ClusterModel) -> Remembered {
    Remembered {
        created_at: state
            .created_at
            .as_str()
            .and_then(|time| time.parse::<jiff::Timestamp>().ok())
            .map(jiff::Timestamp::as_second),
        node_groups: state
            .node_groups
            .known()
            .into_iter()
            .flatten()
            .filter_map(|(key, group)| {
                let name = group.known()?.node_group_name.as_str()?;
                Some((name.to_owned(), key.clone()))
            })
            .collect(),
    }
}

/// What AWS shall become. `config` tells what the user chose from what AWS chose before.
pub(super) fn desired(
    config: &ClusterModel,
    planned: &ClusterModel,
    place: &Place,
    claim: Claim,
    generation: Option<String>,
    remembered: Remembered,
) -> Result<DesiredCluster, Diagnostics> {
    let name = planned.name.as_str().unwrap_or_default().to_owned();
    let unusable = |attribute: &str| {
        Diagnostics::attribute_error(
            Path::root().attribute(attribute),
            "The plan lacks a value",
            format!(
                "{attribute} is not known during apply. This is a bug in the provider; please report it."
            ),
        )
    };
    let role =
        |kind: RoleKind, configured: &AttributeValue<String>, planned: &AttributeValue<String>| {
            match (configured.as_str(), planned.as_str()) {
                (Some(arn), _) => RoleChoice::Given(arn.to_owned()),
                (None, Some(arn)) if !is_managed_role(kind, arn, &name, &place.region) => {
                    RoleChoice::Given(arn.to_owned())
                }
                _ => RoleChoice::Managed,
            }
        };
    let vpc = planned
        .vpc_config
        .known()
        .ok_or_else(|| unusable("vpc_config"))?;
    let access = planned.access_config.known();
    let network = planned.kubernetes_network_config.known();
    let text = |value: Option<&AttributeValue<String>>| {
        value.and_then(|value| value.as_str().map(str::to_owned))
    };
    Ok(DesiredCluster {
        region: place.region.clone(),
        partition: place.partition.clone(),
        account_id: place.account_id.clone(),
        owner: place.owner.clone(),
        claim,
        remembered,
        generation,
        version: version(&planned.kubernetes_version)
            .ok_or_else(|| unusable("kubernetes_version"))?,
        cluster_role: role(RoleKind::Cluster, &config.role_arn, &planned.role_arn),
        node_role: role(
            RoleKind::Node,
            &config.node_role_arn,
            &planned.node_role_arn,
        ),
        permissions_boundary: text(Some(&planned.permissions_boundary)),
        vpc: DesiredVpc {
            subnet_ids: texts(&vpc.subnet_ids),
            security_group_ids: texts(&vpc.security_group_ids),
            endpoint_public_access: vpc.endpoint_public_access.known().copied().unwrap_or(true),
            endpoint_private_access: vpc.endpoint_private_access.known().copied().unwrap_or(true),
            public_access_cidrs: Some(texts(&vpc.public_access_cidrs))
                .filter(|ranges| !ranges.is_empty()),
            vpc_id: text(Some(&vpc.vpc_id)),
        },
        service_ipv4_cidr: text(network.map(|network| &network.service_ipv4_cidr)),
        ip_family: text(network.map(|network| &network.ip_family)),
        authentication_mode: text(access.map(|access| &access.authentication_mode))
            .unwrap_or_else(|| "API".to_owned()),
        bootstrap_cluster_creator_admin_permissions: access
            .and_then(|access| {
                access
                    .bootstrap_cluster_creator_admin_permissions
                    .known()
                    .copied()
            })
            .unwrap_or(true),
        access_entries: planned
            .access_entries
            .known()
            .into_iter()
            .flatten()
            .filter_map(|(key, entry)| {
                let entry = entry.known()?;
                Some((
                    entry.principal_arn.as_str()?.to_owned(),
                    desired_entry(key, entry, place),
                ))
            })
            .collect(),
        enabled_log_types: texts(&planned.enabled_cluster_log_types),
        support_type: text(
            planned
                .upgrade_policy
                .known()
                .map(|policy| &policy.support_type),
        ),
        irsa: planned.enable_irsa.known().copied().unwrap_or(true),
        node_groups: planned
            .node_groups
            .known()
            .into_iter()
            .flatten()
            .filter_map(|(key, group)| {
                let configured = config
                    .node_groups
                    .known()
                    .and_then(|groups| groups.get(key)?.known());
                Some((
                    key.clone(),
                    desired_group(configured, group.known()?, place),
                ))
            })
            .collect(),
        tags: tags::with_defaults(&planned.tags, &place.default_tags),
        deletion_protection: planned
            .deletion_protection
            .known()
            .copied()
            .unwrap_or(false),
        name,
    })
}

fn desired_entry(key: &str, entry: &AccessEntryModel, place: &Place) -> AccessEntry {
    let policies = entry
        .policy_associations
        .known()
        .into_iter()
        .flatten()
        .filter_map(|(_, association)| {
            let association = association.known()?;
            let scope = association.access_scope.known()?;
            let scope = match scope.r#type.as_str() {
                Some("namespace") => AccessScope::Namespaces(texts(&scope.namespaces)),
                _ => AccessScope::Cluster,
            };
            Some((association.policy_arn.as_str()?.to_owned(), scope))
        });
    let mut entry_tags = tags::with_defaults(&entry.tags, &place.default_tags);
    entry_tags.insert(names::ACCESS_ENTRY.to_owned(), tag_value(key));
    AccessEntry {
        entry_type: entry.r#type.as_str().unwrap_or("STANDARD").to_owned(),
        kubernetes_groups: texts(&entry.kubernetes_groups),
        user_name: entry.user_name.as_str().map(str::to_owned),
        policies: policies.collect(),
        tags: entry_tags,
    }
}

/// A text without the characters that AWS refuses in tag values.
fn tag_value(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_alphanumeric() || " _.:/=+-@".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(256)
        .collect()
}

fn desired_group(
    configured: Option<&NodeGroupModel>,
    group: &NodeGroupModel,
    place: &Place,
) -> DesiredNodeGroup {
    let number =
        |value: &AttributeValue<i64>| value.known().and_then(|number| i32::try_from(*number).ok());
    let text = |value: &AttributeValue<String>| value.as_str().map(str::to_owned);
    let scaling = group.scaling_config.known().cloned().unwrap_or_default();
    let chosen = configured
        .and_then(|group| group.scaling_config.known())
        .and_then(|scaling| number(&scaling.desired_size));
    DesiredNodeGroup {
        version: version(&group.kubernetes_version),
        release_version: text(&group.release_version),
        instance_types: group
            .instance_types
            .known()
            .map(|types| types.iter().filter_map(text).collect()),
        ami_type: text(&group.ami_type),
        capacity_type: text(&group.capacity_type),
        disk_size: number(&group.disk_size),
        subnet_ids: group
            .subnet_ids
            .is_known()
            .then(|| texts(&group.subnet_ids)),
        min_size: number(&scaling.min_size).unwrap_or_default(),
        max_size: number(&scaling.max_size).unwrap_or(1),
        desired_size: chosen,
        max_unavailable: group.update_config.known().and_then(|update| {
            number(&update.max_unavailable)
                .map(MaxUnavailable::Count)
                .or_else(|| {
                    number(&update.max_unavailable_percentage).map(MaxUnavailable::Percentage)
                })
        }),
        labels: strings(&group.labels),
        taints: group
            .taints
            .known()
            .into_iter()
            .flat_map(Set::known)
            .map(|taint| Taint {
                key: text(&taint.key).unwrap_or_default(),
                value: text(&taint.value).unwrap_or_default(),
                effect: text(&taint.effect).unwrap_or_default(),
            })
            .collect(),
        tags: tags::with_defaults(&group.tags, &place.default_tags),
    }
}

/// The state of what is observed. `base` is the state or plan before: it tells what the user left
/// out from what is empty, and keeps what AWS does not know.
pub(super) fn state_from(
    base: &ClusterModel,
    observed: &Observed,
    place: &Place,
    importing: bool,
) -> ClusterModel {
    let mut state = without_unknowns(base);
    let name = state.name.as_str().unwrap_or_default().to_owned();
    state.id = name.clone().into();
    let role = |kind: RoleKind, before: &AttributeValue<String>, observed: Option<&str>| match (
        before, observed,
    ) {
        // A given role is the user's; whether it exists is not ours to say.
        (AttributeValue::Known(arn), _) if !is_managed_role(kind, arn, &name, &place.region) => {
            before.clone()
        }
        (_, observed) => observed.map(str::to_owned).into(),
    };
    let arn = |role: &Option<devopsgenie_lifecycle::cluster::model::ObservedRole>| {
        role.as_ref().map(|role| role.arn.clone())
    };
    let cluster_role = arn(&observed.cluster_role);
    let mut node_role = arn(&observed.node_role);
    if importing && node_role.is_none() {
        let roles: BTreeSet<&String> = observed
            .node_groups
            .values()
            .map(|group| &group.node_role)
            .collect();
        node_role = roles
            .first()
            .filter(|_| roles.len() == 1)
            .map(|role| (*role).clone());
    }
    state.role_arn = match &observed.cluster {
        Some(cluster) if importing || base.role_arn.is_null() => cluster.role_arn.clone().into(),
        _ => role(RoleKind::Cluster, &state.role_arn, cluster_role.as_deref()),
    };
    state.node_role_arn = role(RoleKind::Node, &state.node_role_arn, node_role.as_deref());
    // One that others made is none of the cluster's business while IRSA is off.
    let irsa = importing || state.enable_irsa.known() != Some(&false);
    state.oidc_provider_arn = observed
        .oidc_provider
        .as_ref()
        .filter(|provider| irsa || is_ours(&provider.tags, place, &name))
        .map(|provider| provider.arn.clone())
        .into();
    if importing {
        state.enable_irsa = observed.oidc_provider.is_some().into();
        if observed.cluster_role.as_ref().map(|role| &role.arn)
            == observed.cluster.as_ref().map(|cluster| &cluster.role_arn)
        {
            state.permissions_boundary = observed
                .cluster_role
                .as_ref()
                .and_then(|role| role.permissions_boundary.clone())
                .into();
        }
    }
    match &observed.cluster {
        Some(cluster) => control_plane(&mut state, cluster, place, importing),
        None => {
            state.status = INCOMPLETE.into();
            state.arn = AttributeValue::Null;
            state.endpoint = AttributeValue::Null;
            state.certificate_authority_data = AttributeValue::Null;
            state.oidc_issuer_url = AttributeValue::Null;
        }
    }
    access_entries(&mut state, observed, place);
    node_groups(&mut state, observed, place, importing);
    state
}

fn control_plane(
    state: &mut ClusterModel,
    cluster: &ObservedCluster,
    place: &Place,
    importing: bool,
) {
    let text = |value: &Option<String>| AttributeValue::from(value.clone());
    state.arn = cluster.arn.clone().into();
    state.kubernetes_version = cluster.version.to_string().into();
    state.endpoint = text(&cluster.endpoint);
    state.certificate_authority_data = text(&cluster.certificate_authority);
    state.oidc_issuer_url = text(&cluster.oidc_issuer);
    state.platform_version = text(&cluster.platform_version);
    state.created_at = created_at(cluster);
    if let Some(generation) = cluster.tags.get(names::GENERATION) {
        state.creation_id = generation.clone().into();
    }
    state.status = if names::is_incomplete(&cluster.tags) {
        INCOMPLETE.to_owned()
    } else {
        cluster.status.to_string()
    }
    .into();
    let before = state.vpc_config.known().cloned().unwrap_or_default();
    state.vpc_config = vpc_config(cluster, &before.security_group_ids).into();
    state.kubernetes_network_config = network_config(cluster).into();
    let before = state.access_config.known().cloned().unwrap_or_default();
    state.access_config = AccessConfig {
        authentication_mode: match &cluster.authentication_mode {
            Some(mode) => mode.clone().into(),
            None => before.authentication_mode,
        },
        // EKS may not report it; it never changes.
        bootstrap_cluster_creator_admin_permissions: match before
            .bootstrap_cluster_creator_admin_permissions
        {
            AttributeValue::Known(before) => before.into(),
            _ => cluster
                .bootstrap_cluster_creator_admin_permissions
                .unwrap_or(true)
                .into(),
        },
    }
    .into();
    state.enabled_cluster_log_types =
        set(&cluster.enabled_log_types, &state.enabled_cluster_log_types);
    state.upgrade_policy = UpgradePolicy {
        support_type: text(&cluster.support_type),
    }
    .into();
    if let Some(protected) = cluster.deletion_protection {
        state.deletion_protection = protected.into();
    } else if importing {
        state.deletion_protection = false.into();
    }
    state.tags = tags::own(&cluster.tags, &state.tags, &place.default_tags);
    state.tags_all = known_map(names::user_tags(&cluster.tags));
}

/// Time of creation, RFC 3339.
pub(super) fn created_at(cluster: &ObservedCluster) -> AttributeValue<String> {
    cluster
        .created_at
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map(|time| time.to_string())
        .into()
}

/// The network of a control plane; `security_group_ids` are those of before.
pub(super) fn vpc_config(cluster: &ObservedCluster, security_group_ids: &Texts) -> VpcConfig {
    VpcConfig {
        subnet_ids: AttributeValue::Known(cluster.subnet_ids.iter().cloned().collect()),
        security_group_ids: set(&cluster.security_group_ids, security_group_ids),
        endpoint_public_access: cluster.endpoint_public_access.into(),
        endpoint_private_access: cluster.endpoint_private_access.into(),
        // EKS reports an empty list for a cluster that was made private.
        public_access_cidrs: set(&cluster.public_access_cidrs, &AttributeValue::Null),
        vpc_id: cluster.vpc_id.clone().into(),
        cluster_security_group_id: cluster.cluster_security_group_id.clone().into(),
    }
}

/// The addresses of a cluster's services.
pub(super) fn network_config(cluster: &ObservedCluster) -> NetworkConfig {
    NetworkConfig {
        service_ipv4_cidr: cluster.service_ipv4_cidr.clone().into(),
        ip_family: cluster.ip_family.clone().into(),
    }
}

fn is_ours(tags: &StringMap, place: &Place, cluster: &str) -> bool {
    names::is_ours(tags, &place.owner, cluster)
}

fn access_entries(state: &mut ClusterModel, observed: &Observed, place: &Place) {
    let name = state.name.as_str().unwrap_or_default().to_owned();
    let before = state.access_entries.known().cloned().unwrap_or_default();
    let mut entries = BTreeMap::new();
    let mut listed = BTreeSet::new();
    for (key, entry) in &before {
        let Some(entry) = entry.known() else { continue };
        let Some(principal) = entry.principal_arn.as_str() else {
            continue;
        };
        if let Some(actual) = observed.access_entries.get(principal) {
            listed.insert(principal.to_owned());
            entries.insert(
                key.clone(),
                AttributeValue::Known(entry_from(entry, principal, actual, place)),
            );
        }
    }
    for (principal, actual) in &observed.access_entries {
        if !listed.contains(principal) && is_ours(&actual.entry.tags, place, &name) {
            let key = actual
                .entry
                .tags
                .get(names::ACCESS_ENTRY)
                .unwrap_or(principal)
                .clone();
            let key = if entries.contains_key(&key) {
                principal.clone()
            } else {
                key
            };
            let entry = entry_from(&AccessEntryModel::default(), principal, actual, place);
            entries.insert(key, AttributeValue::Known(entry));
        }
    }
    state.access_entries = if entries.is_empty() && state.access_entries.is_null() {
        AttributeValue::Null
    } else {
        entries.into()
    };
}

fn entry_from(
    before: &AccessEntryModel,
    principal: &str,
    actual: &ObservedAccessEntry,
    place: &Place,
) -> AccessEntryModel {
    let written = before
        .policy_associations
        .known()
        .cloned()
        .unwrap_or_default();
    let mut rest = actual.entry.policies.clone();
    let mut associations = BTreeMap::new();
    for (key, association) in &written {
        let Some(policy_arn) = association
            .known()
            .and_then(|association| association.policy_arn.as_str())
        else {
            continue;
        };
        if let Some(scope) = rest.remove(policy_arn) {
            associations.insert(key.clone(), association_from(policy_arn, &scope).into());
        }
    }
    for (policy_arn, scope) in &rest {
        let short = policy_arn.rsplit('/').next().unwrap_or(policy_arn);
        associations.insert(short.to_owned(), association_from(policy_arn, scope).into());
    }
    AccessEntryModel {
        principal_arn: principal.into(),
        r#type: actual.entry.entry_type.clone().into(),
        // Those of the other types are EKS's and cannot be configured.
        kubernetes_groups: if actual.entry.is_standard() {
            set(&actual.entry.kubernetes_groups, &before.kubernetes_groups)
        } else {
            set(&BTreeSet::new(), &before.kubernetes_groups)
        },
        user_name: actual.entry.user_name.clone().into(),
        policy_associations: if associations.is_empty() && before.policy_associations.is_null() {
            AttributeValue::Null
        } else {
            associations.into()
        },
        tags: tags::own(&actual.entry.tags, &before.tags, &place.default_tags),
    }
}

fn association_from(policy_arn: &str, scope: &AccessScope) -> PolicyAssociation {
    PolicyAssociation {
        policy_arn: policy_arn.into(),
        access_scope: match scope {
            AccessScope::Cluster => AccessScopeModel {
                r#type: "cluster".into(),
                namespaces: AttributeValue::Null,
            },
            AccessScope::Namespaces(namespaces) => AccessScopeModel {
                r#type: "namespace".into(),
                namespaces: AttributeValue::Known(namespaces.iter().cloned().collect()),
            },
        }
        .into(),
    }
}

fn node_groups(state: &mut ClusterModel, observed: &Observed, place: &Place, importing: bool) {
    let name = state.name.as_str().unwrap_or_default().to_owned();
    let cluster_subnets = observed
        .cluster
        .as_ref()
        .map(|cluster| cluster.subnet_ids.clone())
        .unwrap_or_default();
    let before = state.node_groups.known().cloned().unwrap_or_default();
    let known = remembered(state).node_groups;
    let mut chosen: BTreeMap<String, (&String, &ObservedNodeGroup)> = BTreeMap::new();
    for (aws_name, group) in &observed.node_groups {
        let key = match known.get(aws_name) {
            Some(key) if !group.tags.contains_key(names::NODE_GROUP) => key.clone(),
            _ => names::node_group_key(aws_name, group).to_owned(),
        };
        if !importing && !is_ours(&group.tags, place, &name) && !before.contains_key(&key) {
            continue;
        }
        // While a group is being replaced there are two of a key. The older one is shown: it has to
        // go, and as long as it is there the plan must not look finished.
        let older = chosen
            .get(&key)
            .is_none_or(|(_, other)| group.created_at < other.created_at);
        if older {
            chosen.insert(key, (aws_name, group));
        }
    }
    let groups: BTreeMap<_, _> = chosen
        .into_iter()
        .map(|(key, (aws_name, group))| {
            let base = before
                .get(&key)
                .and_then(|group| group.known())
                .cloned()
                .unwrap_or_default();
            (
                key,
                group_from(&base, aws_name, group, &cluster_subnets, place).into(),
            )
        })
        .collect();
    state.node_groups = if groups.is_empty() && state.node_groups.is_null() {
        AttributeValue::Null
    } else {
        groups.into()
    };
}

fn group_from(
    base: &NodeGroupModel,
    aws_name: &str,
    group: &ObservedNodeGroup,
    cluster_subnets: &BTreeSet<String>,
    place: &Place,
) -> NodeGroupModel {
    let text = |value: &Option<String>| AttributeValue::from(value.clone());
    let (count, percentage) = match group.max_unavailable {
        Some(MaxUnavailable::Count(count)) => (Some(i64::from(count)), None),
        Some(MaxUnavailable::Percentage(share)) => (None, Some(i64::from(share))),
        None => (None, None),
    };
    let empty_value = |taint: &Taint| {
        taint.value.is_empty()
            && base.taints.known().is_none_or(|taints| {
                taints
                    .known()
                    .any(|known| known.key.as_str() == Some(&taint.key) && known.value.is_null())
            })
    };
    NodeGroupModel {
        kubernetes_version: match &group.version {
            Some(version) => version.to_string().into(),
            None => base.kubernetes_version.clone(),
        },
        release_version: text(&group.release_version),
        instance_types: AttributeValue::Known(
            group
                .instance_types
                .iter()
                .cloned()
                .map(AttributeValue::Known)
                .collect(),
        ),
        ami_type: text(&group.ami_type),
        capacity_type: text(&group.capacity_type),
        disk_size: group.disk_size.map(i64::from).into(),
        scaling_config: ScalingConfig {
            min_size: i64::from(group.min_size).into(),
            max_size: i64::from(group.max_size).into(),
            desired_size: i64::from(group.desired_size).into(),
        }
        .into(),
        update_config: UpdateConfig {
            max_unavailable: count.into(),
            max_unavailable_percentage: percentage.into(),
        }
        .into(),
        subnet_ids: if base.subnet_ids.is_null() && group.subnet_ids == *cluster_subnets {
            AttributeValue::Null
        } else {
            AttributeValue::Known(group.subnet_ids.iter().cloned().collect())
        },
        labels: map(group.labels.clone(), &base.labels),
        taints: if group.taints.is_empty() && base.taints.is_null() {
            AttributeValue::Null
        } else {
            AttributeValue::Known(
                group
                    .taints
                    .iter()
                    .map(|taint| TaintModel {
                        key: taint.key.clone().into(),
                        value: if empty_value(taint) {
                            AttributeValue::Null
                        } else {
                            taint.value.clone().into()
                        },
                        effect: taint.effect.clone().into(),
                    })
                    .collect(),
            )
        },
        tags: tags::own(&group.tags, &base.tags, &place.default_tags),
        node_group_name: aws_name.into(),
        arn: group.arn.clone().into(),
        status: group.status.to_string().into(),
    }
}

/// The plan with every unknown value taken from what exists.
pub(super) fn fill(
    planned: &ClusterModel,
    actual: &ClusterModel,
) -> Result<ClusterModel, ConversionError> {
    ClusterModel::from_value(filled(planned.to_value(), Some(&actual.to_value())))
}

fn filled(planned: Value, actual: Option<&Value>) -> Value {
    let member = |key: &str| match actual {
        Some(Value::Object(members) | Value::Map(members)) => members.get(key),
        _ => None,
    };
    match planned {
        Value::Unknown => actual.cloned().unwrap_or(Value::Null),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| {
                    let actual = member(&key);
                    let value = filled(value, actual);
                    (key, value)
                })
                .collect(),
        ),
        Value::Map(members) => Value::Map(
            members
                .into_iter()
                .map(|(key, value)| {
                    let actual = member(&key);
                    let value = filled(value, actual);
                    (key, value)
                })
                .collect(),
        ),
        other if other.is_wholly_known() => other,
        _ => actual.cloned().unwrap_or(Value::Null),
    }
}

/// The model with null for every unknown value.
fn without_unknowns(model: &ClusterModel) -> ClusterModel {
    ClusterModel::from_value(filled(model.to_value(), None)).unwrap_or_else(|_| model.clone())
}
