//! Validation and planning. No I/O: Core plans twice and compares.

use std::collections::BTreeMap;

use devopsgenie_lifecycle::cluster::model::KubernetesVersion;
use devopsgenie_lifecycle::cluster::names;
use devopsgenie_lifecycle::cluster::plan::PlanError;
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;
use tfplugin::{AttributeValue, Planned, Private};

use super::memory::{Intent, Target, with_intent};
use super::model::{
    ACTIVE, AccessConfig, AccessEntryModel, ClusterModel, DELETED, NetworkConfig, NodeGroupModel,
    ScalingConfig, UpdateConfig, UpgradePolicy, VpcConfig, region_and_account,
};
use crate::client::sentence;
use crate::tags;
use crate::values::{Map, Texts, differs, keep, settle};

/// What the provider's configuration adds to a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    pub region: Option<String>,
    pub account_id: Option<String>,
    /// `None` while they are unknown.
    pub default_tags: Option<BTreeMap<String, String>>,
}

pub(super) fn validate(config: &ClusterModel) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let root = Path::root;
    if let Some(vpc) = config.vpc_config.known()
        && vpc.endpoint_public_access.known() == Some(&false)
        && vpc.endpoint_private_access.known() == Some(&false)
    {
        diagnostics.add_attribute_error(
            root().attribute("vpc_config").attribute("endpoint_private_access"),
            "The Kubernetes API would be unreachable",
            "endpoint_public_access and endpoint_private_access are both false. Set one of them to true.",
        );
    }
    if let Some(vpc) = config.vpc_config.known()
        && vpc.endpoint_public_access.known() == Some(&false)
        && vpc.public_access_cidrs.is_known()
    {
        diagnostics.add_attribute_error(
            root().attribute("vpc_config").attribute("public_access_cidrs"),
            "Conflicting arguments",
            "endpoint_public_access is false, so no range reaches the public endpoint. Leave public_access_cidrs \
             out, or set endpoint_public_access to true.",
        );
    }
    let mode = config
        .access_config
        .known()
        .and_then(|access| access.authentication_mode.as_str());
    let has_entries = config
        .access_entries
        .known()
        .is_some_and(|entries| !entries.is_empty());
    if mode == Some("CONFIG_MAP") && has_entries {
        diagnostics.add_attribute_error(
            root().attribute("access_config").attribute("authentication_mode"),
            "Access entries need another authentication mode",
            "In the mode CONFIG_MAP a cluster has no access entries. Set authentication_mode to API or \
             API_AND_CONFIG_MAP, or take access_entries out.",
        );
    }
    validate_entries(config, &mut diagnostics);
    for (key, group) in config.node_groups.known().into_iter().flatten() {
        let path = root().attribute("node_groups").key(key.clone());
        match group {
            AttributeValue::Known(group) => {
                validate_group(config, key, group, &path, &mut diagnostics)
            }
            AttributeValue::Null => diagnostics.add_attribute_error(
                path,
                "The node group is null",
                format!("Take {key:?} out of the map, or give it a scaling_config."),
            ),
            AttributeValue::Unknown => {}
        }
    }
    diagnostics
}

fn validate_entries(config: &ClusterModel, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, entry) in config.access_entries.known().into_iter().flatten() {
        let path = Path::root().attribute("access_entries").key(key.clone());
        let Some(entry) = entry.known() else { continue };
        if let Some(principal) = entry.principal_arn.as_str()
            && let Some(other) = seen.insert(principal, key)
        {
            diagnostics.add_attribute_error(
                path.clone().attribute("principal_arn"),
                "A principal has two access entries",
                format!("{other:?} and {key:?} are both for {principal}. EKS has one entry for a principal: merge them."),
            );
        }
        validate_entry_type(entry, &path, diagnostics);
        let mut associated: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, association) in entry.policy_associations.known().into_iter().flatten() {
            if let Some(policy) = association
                .known()
                .and_then(|association| association.policy_arn.as_str())
                && let Some(other) = associated.insert(policy, name)
            {
                diagnostics.add_attribute_error(
                    path.clone()
                        .attribute("policy_associations")
                        .key(name.clone())
                        .attribute("policy_arn"),
                    "A policy is associated twice",
                    format!(
                        "{other:?} and {name:?} are both for {policy}. EKS associates a policy once with a principal: \
                         merge them, with all namespaces in one access_scope."
                    ),
                );
            }
            let Some(scope) = association
                .known()
                .and_then(|association| association.access_scope.known())
            else {
                continue;
            };
            let path = path
                .clone()
                .attribute("policy_associations")
                .key(name.clone())
                .attribute("access_scope")
                .attribute("namespaces");
            match (scope.r#type.as_str(), &scope.namespaces) {
                (Some("namespace"), AttributeValue::Null) => diagnostics.add_attribute_error(
                    path,
                    "A required argument is missing",
                    "An access scope of type namespace needs namespaces.",
                ),
                (Some("cluster"), AttributeValue::Known(_)) => diagnostics.add_attribute_error(
                    path,
                    "Conflicting arguments",
                    "An access scope of type cluster takes no namespaces. Leave them out, or set type to namespace.",
                ),
                _ => {}
            }
        }
    }
}

/// EKS takes groups and a user name for STANDARD entries only, and access policies for those and for
/// EC2, the nodes of Auto Mode (EKS user guide, "Create access entries").
fn validate_entry_type(entry: &AccessEntryModel, path: &Path, diagnostics: &mut Diagnostics) {
    let kind = match entry.r#type.as_str() {
        None | Some("STANDARD") => return,
        Some(kind) => kind,
    };
    let arguments = [
        (
            "kubernetes_groups",
            entry
                .kubernetes_groups
                .known()
                .is_some_and(|groups| !groups.is_empty()),
        ),
        ("user_name", entry.user_name.is_known()),
        (
            "policy_associations",
            kind != "EC2"
                && entry
                    .policy_associations
                    .known()
                    .is_some_and(|policies| !policies.is_empty()),
        ),
    ];
    for (argument, given) in arguments {
        if given {
            diagnostics.add_attribute_error(
                path.clone().attribute(argument),
                "Conflicting arguments",
                format!(
                    "EKS takes no {argument} for an access entry of type {kind}. Leave it out, or make the type STANDARD."
                ),
            );
        }
    }
}

fn validate_group(
    config: &ClusterModel,
    key: &str,
    group: &NodeGroupModel,
    path: &Path,
    diagnostics: &mut Diagnostics,
) {
    if let Some(ScalingConfig {
        min_size,
        max_size,
        desired_size,
    }) = group.scaling_config.known()
        && let (Some(min), Some(max)) = (min_size.known(), max_size.known())
    {
        let path = path.clone().attribute("scaling_config");
        if min > max {
            diagnostics.add_attribute_error(
                path.attribute("min_size"),
                "The sizes contradict each other",
                format!("Node group {key:?}: min_size is {min} and max_size {max}. min_size may not be the greater one."),
            );
        } else if let Some(desired) = desired_size.known()
            && (desired < min || desired > max)
        {
            diagnostics.add_attribute_error(
                path.attribute("desired_size"),
                "The sizes contradict each other",
                format!(
                    "Node group {key:?}: desired_size is {desired}; it must be from {min} to {max}."
                ),
            );
        }
    }
    if let Some(update) = group.update_config.known()
        && !update.max_unavailable.is_null()
        && !update.max_unavailable_percentage.is_null()
    {
        diagnostics.add_attribute_error(
            path.clone()
                .attribute("update_config")
                .attribute("max_unavailable_percentage"),
            "Conflicting arguments",
            format!(
                "Node group {key:?}: set max_unavailable or max_unavailable_percentage, not both."
            ),
        );
    }
    if let (Some(cluster), Some(nodes)) = (
        version(&config.kubernetes_version),
        version(&group.kubernetes_version),
    ) {
        let oldest = KubernetesVersion {
            minor: cluster.minor.saturating_sub(3),
            ..cluster
        };
        if nodes > cluster || nodes < oldest {
            let error = PlanError::NodeGroupSkew {
                name: config.name.as_str().unwrap_or("(unknown name)").to_owned(),
                key: key.to_owned(),
                desired: nodes,
                cluster,
                oldest,
            };
            diagnostics.add_attribute_error(
                path.clone().attribute("kubernetes_version"),
                "The nodes do not fit the control plane",
                sentence(&error.to_string()),
            );
        }
    }
}

pub(super) fn version(value: &AttributeValue<String>) -> Option<KubernetesVersion> {
    value.as_str()?.parse().ok()
}

/// The part of an optional nested object.
fn part<M, T: Clone>(
    object: Option<&AttributeValue<M>>,
    read: impl Fn(&M) -> &AttributeValue<T>,
) -> AttributeValue<T> {
    match object {
        Some(AttributeValue::Known(object)) => read(object).clone(),
        Some(AttributeValue::Unknown) => AttributeValue::Unknown,
        _ => AttributeValue::Null,
    }
}

/// `settle` for one part of nested objects.
fn settle_part<M, T: Clone>(
    config: &AttributeValue<M>,
    prior: Option<&AttributeValue<M>>,
    read: impl Fn(&M) -> &AttributeValue<T>,
) -> AttributeValue<T> {
    let before = part(prior, &read);
    settle(&part(Some(config), &read), Some(&before))
}

pub(super) fn plan(
    config: &ClusterModel,
    prior: Option<&ClusterModel>,
    proposed: ClusterModel,
    prior_private: &Private,
    surroundings: &Surroundings,
) -> Result<Planned<ClusterModel>, Diagnostics> {
    let mut state = proposed;
    let replaced = prior
        .map(|prior| replacements(config, prior, surroundings))
        .unwrap_or_default();
    if let Some(prior) = prior {
        let renamed = state.name != prior.name;
        if !replaced.is_empty() || renamed {
            refuse_protected(prior)?;
        } else {
            refuse_backward(config, prior)?;
        }
    }
    settings(&mut state, config, prior);
    computed(&mut state, prior, surroundings);
    if !replaced.is_empty() {
        state.arn = AttributeValue::Unknown;
    }
    entries(
        &mut state.access_entries,
        &config.access_entries,
        prior.map(|prior| &prior.access_entries),
    );
    groups(&mut state, config, prior);
    tag_counts(&state, surroundings)?;
    entries_have_a_mode(&state)?;

    let intent = match prior {
        None => Intent::Create(Box::new(Target {
            name: state.name.as_str().map(str::to_owned),
            region: surroundings.region.clone(),
            account_id: surroundings.account_id.clone(),
            role_arn: config.role_arn.as_str().map(str::to_owned),
            service_ipv4_cidr: part(Some(&config.kubernetes_network_config), |network| {
                &network.service_ipv4_cidr
            })
            .into_known(),
            ip_family: part(Some(&config.kubernetes_network_config), |network| {
                &network.ip_family
            })
            .into_known(),
            vpc_id: part(Some(&config.vpc_config), |vpc| &vpc.vpc_id).into_known(),
            subnet_ids: part(Some(&config.vpc_config), |vpc| &vpc.subnet_ids)
                .into_known()
                .filter(|subnets| subnets.known().count() == subnets.len())
                .map(|subnets| subnets.known().cloned().collect()),
            bootstrap_cluster_creator_admin_permissions: part(
                Some(&state.access_config),
                |access| &access.bootstrap_cluster_creator_admin_permissions,
            )
            .into_known(),
        })),
        Some(_) => Intent::Update,
    };
    Ok(Planned {
        state,
        requires_replace: replaced,
        private: with_intent(prior_private, &intent)?,
        diagnostics: Diagnostics::new(),
    })
}

/// Refuses entries in a mode that has none, which the configuration may have left as it was.
fn entries_have_a_mode(state: &ClusterModel) -> Result<(), Diagnostics> {
    let mode = part(Some(&state.access_config), |access| {
        &access.authentication_mode
    });
    let entries = state.access_entries.known();
    if mode.as_str() != Some("CONFIG_MAP") || entries.is_none_or(BTreeMap::is_empty) {
        return Ok(());
    }
    let error = PlanError::AccessEntriesNeedApi {
        name: state.name.as_str().unwrap_or_default().to_owned(),
    };
    Err(Diagnostics::attribute_error(
        Path::root().attribute("access_entries"),
        "Access entries need another authentication mode",
        sentence(&error.to_string()),
    ))
}

/// Refuses more tags than AWS takes: each map alone may be short enough.
fn tag_counts(state: &ClusterModel, surroundings: &Surroundings) -> Result<(), Diagnostics> {
    let defaults = surroundings.default_tags.clone().unwrap_or_default();
    let mut diagnostics = Diagnostics::new();
    let mut check = |path: Path, own: &Map<String>| {
        tags::check_count(path, own, &defaults, &mut diagnostics);
    };
    check(Path::root(), &state.tags);
    for (key, group) in state.node_groups.known().into_iter().flatten() {
        if let Some(group) = group.known() {
            check(
                Path::root().attribute("node_groups").key(key.clone()),
                &group.tags,
            );
        }
    }
    for (key, entry) in state.access_entries.known().into_iter().flatten() {
        if let Some(entry) = entry.known() {
            check(
                Path::root().attribute("access_entries").key(key.clone()),
                &entry.tags,
            );
        }
    }
    if diagnostics.is_empty() {
        Ok(())
    } else {
        Err(diagnostics)
    }
}

/// What cannot be changed in place and has changed, besides the name.
fn replacements(
    config: &ClusterModel,
    prior: &ClusterModel,
    surroundings: &Surroundings,
) -> Vec<Path> {
    let root = Path::root;
    let network = |read: fn(&NetworkConfig) -> &AttributeValue<String>| {
        differs(
            &part(Some(&config.kubernetes_network_config), read),
            &part(Some(&prior.kubernetes_network_config), read),
        )
    };
    let creator = |model: &ClusterModel| {
        part(Some(&model.access_config), |access| {
            &access.bootstrap_cluster_creator_admin_permissions
        })
    };
    let vpc = |model: &ClusterModel| part(Some(&model.vpc_config), |vpc| &vpc.vpc_id);
    let moved = match (
        &surroundings.region,
        prior.arn.as_str().and_then(region_and_account),
    ) {
        (Some(region), Some((before, _))) => region != before,
        _ => false,
    };
    [
        (moved, root().attribute("arn")),
        // What replaces it is a new cluster, and the plan says so.
        (
            prior.status.as_str() == Some(DELETED),
            root().attribute("status"),
        ),
        (
            differs(&config.role_arn, &prior.role_arn),
            root().attribute("role_arn"),
        ),
        (
            network(|network| &network.service_ipv4_cidr),
            root()
                .attribute("kubernetes_network_config")
                .attribute("service_ipv4_cidr"),
        ),
        (
            network(|network| &network.ip_family),
            root()
                .attribute("kubernetes_network_config")
                .attribute("ip_family"),
        ),
        (
            differs(&creator(config), &creator(prior)),
            root()
                .attribute("access_config")
                .attribute("bootstrap_cluster_creator_admin_permissions"),
        ),
        (
            differs(&vpc(config), &vpc(prior)),
            root().attribute("vpc_config").attribute("vpc_id"),
        ),
    ]
    .into_iter()
    .filter(|(changed, _)| *changed)
    .map(|(_, path)| path)
    .collect()
}

/// Refuses to plan the removal of a protected cluster that exists.
pub(super) fn refuse_protected(prior: &ClusterModel) -> Result<(), Diagnostics> {
    let protected = prior.deletion_protection.known() == Some(&true);
    if !protected || prior.status.as_str() == Some(DELETED) {
        return Ok(());
    }
    let error = PlanError::DeletionProtected {
        name: prior.name.as_str().unwrap_or_default().to_owned(),
    };
    Err(Diagnostics::attribute_error(
        Path::root().attribute("deletion_protection"),
        "The cluster is protected from deletion",
        sentence(&error.to_string()),
    ))
}

/// Refuses what AWS never takes back.
fn refuse_backward(config: &ClusterModel, prior: &ClusterModel) -> Result<(), Diagnostics> {
    let name = || prior.name.as_str().unwrap_or_default().to_owned();
    if let (Some(desired), Some(actual)) = (
        version(&config.kubernetes_version),
        version(&prior.kubernetes_version),
    ) && desired < actual
    {
        let error = PlanError::Downgrade {
            name: name(),
            actual,
            desired,
        };
        return Err(Diagnostics::attribute_error(
            Path::root().attribute("kubernetes_version"),
            "A control plane cannot go back to an older version",
            sentence(&error.to_string()),
        ));
    }
    let mode = |model: &ClusterModel| {
        part(Some(&model.access_config), |access| {
            &access.authentication_mode
        })
    };
    let rank = |mode: &str| {
        ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"]
            .iter()
            .position(|known| *known == mode)
    };
    if let (Some(desired), Some(actual)) = (mode(config).into_known(), mode(prior).into_known())
        && rank(&desired) < rank(&actual)
    {
        let error = PlanError::AuthenticationModeIsOneWay {
            name: name(),
            actual,
            desired,
        };
        return Err(Diagnostics::attribute_error(
            Path::root()
                .attribute("access_config")
                .attribute("authentication_mode"),
            "The authentication mode cannot go back",
            sentence(&error.to_string()),
        ));
    }
    Ok(())
}

/// Settings that AWS or we choose when the configuration does not.
fn settings(state: &mut ClusterModel, config: &ClusterModel, prior: Option<&ClusterModel>) {
    state.role_arn = settle(&config.role_arn, prior.map(|prior| &prior.role_arn));
    state.node_role_arn = settle(
        &config.node_role_arn,
        prior.map(|prior| &prior.node_role_arn),
    );
    let before = prior.map(|prior| &prior.vpc_config);
    if let Some(vpc) = state.vpc_config.known_mut() {
        vpc.public_access_cidrs = public_access_cidrs(vpc, &config.vpc_config, before);
        vpc.vpc_id = settle_part(&config.vpc_config, before, |vpc| &vpc.vpc_id);
        vpc.cluster_security_group_id =
            keep(Some(&part(before, |vpc| &vpc.cluster_security_group_id)));
    }
    if !config.kubernetes_network_config.is_unknown() {
        let before = prior.map(|prior| &prior.kubernetes_network_config);
        let config = &config.kubernetes_network_config;
        state.kubernetes_network_config = NetworkConfig {
            service_ipv4_cidr: match settle_part(config, before, |network| {
                &network.service_ipv4_cidr
            }) {
                // With IPv6 there is none, and that is known once the cluster exists.
                AttributeValue::Unknown
                    if before.is_some_and(|before| before.is_known())
                        && part(Some(config), |network| &network.service_ipv4_cidr).is_null() =>
                {
                    AttributeValue::Null
                }
                other => other,
            },
            ip_family: settle_part(config, before, |network| &network.ip_family),
        }
        .into();
    }
    if !config.access_config.is_unknown() {
        let before = prior.map(|prior| &prior.access_config);
        let config = &config.access_config;
        let or = |value: AttributeValue<String>, default: &str| match value {
            AttributeValue::Unknown
                if part(Some(config), |access| &access.authentication_mode).is_null() =>
            {
                default.into()
            }
            other => other,
        };
        let creator = |access: &AccessConfig| access.bootstrap_cluster_creator_admin_permissions;
        state.access_config = AccessConfig {
            authentication_mode: or(
                settle_part(config, before, |access| &access.authentication_mode),
                "API",
            ),
            bootstrap_cluster_creator_admin_permissions: match (
                config.known().map(creator),
                before.and_then(|before| before.known()).map(creator),
            ) {
                (Some(AttributeValue::Known(chosen)), _) => chosen.into(),
                (Some(AttributeValue::Unknown), _) => AttributeValue::Unknown,
                (_, Some(AttributeValue::Known(before))) => before.into(),
                _ => true.into(),
            },
        }
        .into();
    }
    if !config.upgrade_policy.is_unknown() {
        let before = prior.map(|prior| &prior.upgrade_policy);
        state.upgrade_policy = UpgradePolicy {
            support_type: settle_part(&config.upgrade_policy, before, |policy| {
                &policy.support_type
            }),
        }
        .into();
    }
}

/// The configured ranges; else those of before, which EKS chooses anew when public access is switched.
/// A cluster that was made private has none.
fn public_access_cidrs(
    planned: &VpcConfig,
    config: &AttributeValue<VpcConfig>,
    before: Option<&AttributeValue<VpcConfig>>,
) -> Texts {
    let configured = part(Some(config), |vpc| &vpc.public_access_cidrs);
    let public = &planned.endpoint_public_access;
    let was_public = part(before, |vpc| &vpc.endpoint_public_access);
    match (configured, part(before, |vpc| &vpc.public_access_cidrs)) {
        (AttributeValue::Null, _) if *public != was_public => AttributeValue::Unknown,
        (AttributeValue::Null, AttributeValue::Null) if public.known() == Some(&false) => {
            AttributeValue::Null
        }
        (configured, before) => settle(&configured, Some(&before)),
    }
}

/// What AWS and we report, known wherever it does not change: plans stay small.
fn computed(state: &mut ClusterModel, prior: Option<&ClusterModel>, surroundings: &Surroundings) {
    let upgraded = prior.is_none_or(|prior| prior.kubernetes_version != state.kubernetes_version);
    let before = |read: fn(&ClusterModel) -> &AttributeValue<String>| keep(prior.map(read));
    state.id = state.name.clone();
    state.arn = before(|model| &model.arn);
    state.endpoint = before(|model| &model.endpoint);
    state.certificate_authority_data = before(|model| &model.certificate_authority_data);
    state.oidc_issuer_url = before(|model| &model.oidc_issuer_url);
    state.created_at = before(|model| &model.created_at);
    state.creation_id = before(|model| &model.creation_id);
    state.platform_version = if upgraded {
        AttributeValue::Unknown
    } else {
        before(|model| &model.platform_version)
    };
    state.status = match prior.map(|prior| &prior.status) {
        Some(status) if status.as_str() == Some(ACTIVE) => status.clone(),
        // Unknown is a change, and so an apply: it carries on, repairs or waits.
        _ => AttributeValue::Unknown,
    };
    state.oidc_provider_arn = match state.enable_irsa {
        AttributeValue::Known(false) => AttributeValue::Null,
        _ => before(|model| &model.oidc_provider_arn),
    };
    state.tags_all = tags::planned_all(&state.tags, surroundings.default_tags.as_ref());
}

fn entries(
    planned: &mut Map<AccessEntryModel>,
    config: &Map<AccessEntryModel>,
    prior: Option<&Map<AccessEntryModel>>,
) {
    let prior = prior.and_then(|prior| prior.known());
    let config = config.known();
    for (key, entry) in planned.known_mut().into_iter().flatten() {
        let (Some(entry), Some(configured)) = (
            entry.known_mut(),
            config
                .and_then(|config| config.get(key))
                .and_then(|entry| entry.known()),
        ) else {
            continue;
        };
        let before = prior
            .and_then(|prior| prior.get(key))
            .and_then(|entry| entry.known())
            .filter(|before| {
                before.principal_arn == entry.principal_arn && before.r#type == entry.r#type
            });
        entry.user_name = settle(
            &configured.user_name,
            before.map(|before| &before.user_name),
        );
    }
}

fn groups(state: &mut ClusterModel, config: &ClusterModel, prior: Option<&ClusterModel>) {
    let cluster_version = state.kubernetes_version.clone();
    let defaults_tags_changed = prior.is_some_and(|prior| prior.tags_all != state.tags_all);
    let moved = prior.is_none_or(|prior| {
        let subnets = |model: &ClusterModel| part(Some(&model.vpc_config), |vpc| &vpc.subnet_ids);
        subnets(prior) != subnets(state)
    });
    let other_role = prior.is_none_or(|prior| prior.node_role_arn != state.node_role_arn);
    let configured = config.node_groups.known();
    let before = prior.and_then(|prior| prior.node_groups.known());
    for (key, group) in state.node_groups.known_mut().into_iter().flatten() {
        let (Some(group), Some(configured)) = (
            group.known_mut(),
            configured
                .and_then(|groups| groups.get(key))
                .and_then(|group| group.known()),
        ) else {
            continue;
        };
        let before = before
            .and_then(|groups| groups.get(key))
            .and_then(|group| group.known());
        plan_group(
            group,
            configured,
            before,
            &cluster_version,
            moved,
            other_role,
            defaults_tags_changed,
        );
    }
}

/// Plans one group. A change of what AWS cannot change in place makes everything about it unknown:
/// it will be another group.
fn plan_group(
    group: &mut NodeGroupModel,
    config: &NodeGroupModel,
    before: Option<&NodeGroupModel>,
    cluster_version: &AttributeValue<String>,
    moved: bool,
    other_role: bool,
    default_tags_changed: bool,
) {
    let changes = |config: &AttributeValue<String>, before: &AttributeValue<String>| {
        !config.is_null() && config != before
    };
    let kept = before.filter(|before| {
        let subnets_differ =
            group.subnet_ids != before.subnet_ids || (group.subnet_ids.is_null() && moved);
        let types_differ =
            !config.instance_types.is_null() && config.instance_types != before.instance_types;
        let disk_differs = !config.disk_size.is_null() && config.disk_size != before.disk_size;
        !(subnets_differ
            || types_differ
            || disk_differs
            || other_role
            || changes(&config.ami_type, &before.ami_type)
            || changes(&config.capacity_type, &before.capacity_type)
            || before.node_group_name.is_null())
    });
    group.kubernetes_version = match &config.kubernetes_version {
        AttributeValue::Null => cluster_version.clone(),
        configured => configured.clone(),
    };
    let same_version = kept.is_some_and(|kept| kept.kubernetes_version == group.kubernetes_version);
    group.release_version = match &config.release_version {
        AttributeValue::Null if same_version => {
            keep_or_null(kept.map(|kept| &kept.release_version))
        }
        AttributeValue::Null => AttributeValue::Unknown,
        configured => configured.clone(),
    };
    group.instance_types = settle_in(
        &config.instance_types,
        kept.map(|kept| &kept.instance_types),
    );
    group.ami_type = settle_in(&config.ami_type, kept.map(|kept| &kept.ami_type));
    group.capacity_type = settle_in(&config.capacity_type, kept.map(|kept| &kept.capacity_type));
    group.disk_size = settle_in(&config.disk_size, kept.map(|kept| &kept.disk_size));
    group.node_group_name = keep(kept.map(|kept| &kept.node_group_name));
    group.arn = keep(kept.map(|kept| &kept.arn));
    sizes(group, config, kept);
    if !config.update_config.is_unknown() {
        group.update_config = update_config(config, kept);
    }
    group.status = match kept.map(|kept| &kept.status) {
        Some(status) if matches!(status.as_str(), Some("ACTIVE" | "DEGRADED")) => status.clone(),
        _ => AttributeValue::Unknown,
    };
    let unchanged = !default_tags_changed
        && before.is_some_and(|before| {
            let mut same = group.clone();
            same.status = before.status.clone();
            same == *before
        });
    if !unchanged && group.status.as_str() != Some(ACTIVE) {
        group.status = AttributeValue::Unknown;
    }
}

/// `settle` for what AWS may leave empty: an absent value of before stays absent.
fn settle_in<T: Clone>(
    config: &AttributeValue<T>,
    kept: Option<&AttributeValue<T>>,
) -> AttributeValue<T> {
    if config.is_null() {
        keep_or_null(kept)
    } else {
        config.clone()
    }
}

fn keep_or_null<T: Clone>(kept: Option<&AttributeValue<T>>) -> AttributeValue<T> {
    kept.cloned().unwrap_or(AttributeValue::Unknown)
}

fn sizes(group: &mut NodeGroupModel, config: &NodeGroupModel, kept: Option<&NodeGroupModel>) {
    let chosen = part(Some(&config.scaling_config), |scaling| {
        &scaling.desired_size
    });
    let before = part(kept.map(|kept| &kept.scaling_config), |scaling| {
        &scaling.desired_size
    });
    let Some(scaling) = group.scaling_config.known_mut() else {
        return;
    };
    scaling.desired_size = match (chosen, before, &scaling.min_size, &scaling.max_size) {
        (
            AttributeValue::Null,
            AttributeValue::Known(before),
            AttributeValue::Known(min),
            AttributeValue::Known(max),
        ) if (*min..=*max).contains(&before) => before.into(),
        // The new limits move it.
        (AttributeValue::Null, ..) => AttributeValue::Unknown,
        (chosen, ..) => chosen,
    };
}

fn update_config(
    config: &NodeGroupModel,
    kept: Option<&NodeGroupModel>,
) -> AttributeValue<UpdateConfig> {
    let known = config.update_config.known();
    let chosen = known.is_some_and(|update| {
        !update.max_unavailable.is_null() || !update.max_unavailable_percentage.is_null()
    });
    match (known, kept.map(|kept| &kept.update_config)) {
        // One of the two excludes the other.
        (Some(update), _) if chosen => update.clone().into(),
        (_, Some(before)) if before.is_known() => before.clone(),
        (Some(_), _) => UpdateConfig {
            max_unavailable: AttributeValue::Unknown,
            max_unavailable_percentage: AttributeValue::Unknown,
        }
        .into(),
        _ => AttributeValue::Unknown,
    }
}

/// Whether a role is one that we make for the cluster: its ARN ends with the name we give.
pub(super) fn is_managed_role(
    kind: names::RoleKind,
    arn: &str,
    cluster: &str,
    region: &str,
) -> bool {
    arn.rsplit('/').next() == Some(names::role_name(kind, cluster, region).as_str())
}
