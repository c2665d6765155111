//! Plans and states as tables.

use std::collections::{BTreeMap, BTreeSet};

use devopsgenie_lifecycle::cluster::model::{
    AccessEntry, Claim, ClusterStatus, KubernetesVersion, Observed, ObservedAccessEntry,
    ObservedCluster, ObservedOidcProvider,
};
use devopsgenie_lifecycle::cluster::names;
use tfplugin::cty::Path;
use tfplugin::{AttributeValue, Private};

use super::memory::{Intent, intent};
use super::model::{ACTIVE, AccessEntryModel, ClusterModel, DELETED, PolicyAssociation, VpcConfig};
use super::plan::{Surroundings, plan, refuse_protected, validate};
use super::state::{Place, desired, remembered, state_from};
use crate::values::Texts;

const ROLE: &str = "arn:aws:iam::123456789012:role/nodes";
const VIEW: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";

fn set<const N: usize>(items: [&str; N]) -> Texts {
    AttributeValue::Known(items.into_iter().map(str::to_owned).collect())
}

fn config() -> ClusterModel {
    ClusterModel {
        name: "main".into(),
        kubernetes_version: "1.35".into(),
        vpc_config: VpcConfig {
            subnet_ids: set(["subnet-a", "subnet-b"]),
            endpoint_public_access: true.into(),
            endpoint_private_access: true.into(),
            ..VpcConfig::default()
        }
        .into(),
        enable_irsa: true.into(),
        deletion_protection: false.into(),
        ..ClusterModel::default()
    }
}

fn place() -> Place {
    Place {
        region: "eu-central-1".to_owned(),
        partition: "aws".to_owned(),
        account_id: "123456789012".to_owned(),
        owner: "state-a".to_owned(),
        default_tags: BTreeMap::new(),
    }
}

fn observed() -> Observed {
    let mut tags = names::ownership("state-a", "main", "g1");
    tags.insert(names::CREATION.to_owned(), names::COMPLETE.to_owned());
    Observed {
        cluster: Some(ObservedCluster {
            arn: "arn:aws:eks:eu-central-1:123456789012:cluster/main".to_owned(),
            status: ClusterStatus::Active,
            version: KubernetesVersion {
                major: 1,
                minor: 35,
            },
            platform_version: Some("eks.1".to_owned()),
            endpoint: Some("https://cluster".to_owned()),
            certificate_authority: Some("PEM".to_owned()),
            oidc_issuer: Some("https://oidc.example/id/1".to_owned()),
            created_at: Some(1_700_000_000),
            role_arn: "arn:aws:iam::123456789012:role/cluster".to_owned(),
            subnet_ids: ["subnet-a", "subnet-b"].map(str::to_owned).into(),
            security_group_ids: BTreeSet::new(),
            cluster_security_group_id: Some("sg-1".to_owned()),
            vpc_id: Some("vpc-1".to_owned()),
            endpoint_public_access: true,
            endpoint_private_access: true,
            public_access_cidrs: ["0.0.0.0/0".to_owned()].into(),
            service_ipv4_cidr: Some("10.100.0.0/16".to_owned()),
            ip_family: Some("ipv4".to_owned()),
            authentication_mode: Some("API".to_owned()),
            bootstrap_cluster_creator_admin_permissions: Some(true),
            enabled_log_types: BTreeSet::new(),
            support_type: Some("EXTENDED".to_owned()),
            deletion_protection: Some(false),
            issues: Vec::new(),
            tags,
        }),
        ..Observed::default()
    }
}

fn state() -> ClusterModel {
    state_from(&config(), &observed(), &place(), false)
}

fn planned(config: &ClusterModel, prior: &ClusterModel) -> tfplugin::Planned<ClusterModel> {
    let mut proposed = config.clone();
    proposed.id = prior.id.clone();
    plan(
        config,
        Some(prior),
        proposed,
        &Private::new(),
        &Surroundings {
            default_tags: Some(BTreeMap::new()),
            ..Surroundings::default()
        },
    )
    .unwrap()
}

fn entry(kind: &str, change: impl FnOnce(&mut AccessEntryModel)) -> ClusterModel {
    let mut entry = AccessEntryModel {
        principal_arn: ROLE.into(),
        r#type: kind.into(),
        ..AccessEntryModel::default()
    };
    change(&mut entry);
    ClusterModel {
        access_entries: BTreeMap::from([("nodes".to_owned(), entry.into())]).into(),
        ..config()
    }
}

fn associations<const N: usize>(
    policies: [&str; N],
) -> AttributeValue<BTreeMap<String, AttributeValue<PolicyAssociation>>> {
    policies
        .into_iter()
        .enumerate()
        .map(|(index, policy)| {
            let association = PolicyAssociation {
                policy_arn: policy.into(),
                ..PolicyAssociation::default()
            };
            (format!("p{index}"), association.into())
        })
        .collect::<BTreeMap<_, _>>()
        .into()
}

#[test]
fn what_cannot_be_is_refused_where_it_is_written() {
    let groups = |entry: &mut AccessEntryModel| entry.kubernetes_groups = set(["g"]);
    let user = |entry: &mut AccessEntryModel| entry.user_name = "u".into();
    let policy = |entry: &mut AccessEntryModel| entry.policy_associations = associations([VIEW]);
    let twice =
        |entry: &mut AccessEntryModel| entry.policy_associations = associations([VIEW, VIEW]);
    let ranges = |public: bool| {
        let mut config = config();
        let vpc = config.vpc_config.known_mut().unwrap();
        vpc.endpoint_public_access = public.into();
        vpc.public_access_cidrs = set(["203.0.113.0/24"]);
        config
    };
    let entries = "access_entries[\"nodes\"]";
    let table: [(&str, ClusterModel, Option<String>); 11] = [
        ("nothing unusual", config(), None),
        ("a user's entry", entry("STANDARD", groups), None),
        ("a named user", entry("STANDARD", user), None),
        (
            "nodes with groups",
            entry("EC2_LINUX", groups),
            Some(format!("{entries}.kubernetes_groups")),
        ),
        (
            "nodes with a user",
            entry("EC2_LINUX", user),
            Some(format!("{entries}.user_name")),
        ),
        (
            "nodes with a policy",
            entry("EC2_LINUX", policy),
            Some(format!("{entries}.policy_associations")),
        ),
        (
            "nodes of Auto Mode with a policy",
            entry("EC2", policy),
            None,
        ),
        (
            "nodes of Auto Mode with groups",
            entry("EC2", groups),
            Some(format!("{entries}.kubernetes_groups")),
        ),
        (
            "a policy twice",
            entry("STANDARD", twice),
            Some(format!("{entries}.policy_associations[\"p1\"].policy_arn")),
        ),
        ("ranges of a public endpoint", ranges(true), None),
        (
            "ranges without a public endpoint",
            ranges(false),
            Some("vpc_config.public_access_cidrs".to_owned()),
        ),
    ];
    for (what, config, path) in table {
        let found: Vec<String> = validate(&config)
            .iter()
            .map(|diagnostic| {
                diagnostic
                    .attribute
                    .as_ref()
                    .map(Path::to_string)
                    .unwrap_or_default()
            })
            .collect();
        assert_eq!(found, Vec::from_iter(path), "{what}");
    }
}

#[test]
fn ranges_of_the_public_endpoint() {
    let with = |public: bool, ranges: &[&str]| {
        let mut observed = observed();
        let cluster = observed.cluster.as_mut().unwrap();
        cluster.endpoint_public_access = public;
        cluster.public_access_cidrs = ranges.iter().map(|range| (*range).to_owned()).collect();
        state_from(&config(), &observed, &place(), false)
    };
    let configured = |public: bool| {
        let mut config = config();
        let vpc = config.vpc_config.known_mut().unwrap();
        vpc.endpoint_public_access = public.into();
        config
    };
    let everyone: Texts = set(["0.0.0.0/0"]);
    // Before, configured, and the plan: a value of before stays unless public access is switched.
    let table = [
        (with(true, &["0.0.0.0/0"]), true, everyone.clone()),
        (with(true, &["0.0.0.0/0"]), false, AttributeValue::Unknown),
        (with(false, &["0.0.0.0/0"]), false, everyone),
        (with(false, &[]), false, AttributeValue::Null),
        (with(false, &[]), true, AttributeValue::Unknown),
    ];
    for (before, public, expected) in table {
        let planned = planned(&configured(public), &before).state;
        let vpc = planned.vpc_config.known().unwrap();
        assert_eq!(vpc.public_access_cidrs, expected, "{before:?} {public}");
        let desired = desired(
            &configured(public),
            &planned,
            &place(),
            Claim::Held,
            None,
            remembered(&before),
        )
        .unwrap();
        assert_ne!(
            desired.vpc.public_access_cidrs,
            Some(BTreeSet::new()),
            "no ranges are no wish"
        );
    }
}

#[test]
fn a_cluster_deleted_outside_is_made_again_and_the_plan_says_so() {
    let mut prior = state();
    prior.deletion_protection = true.into();
    assert!(refuse_protected(&prior).is_err());
    prior.status = DELETED.into();
    assert!(
        refuse_protected(&prior).is_ok(),
        "there is nothing left to protect"
    );
    let again = planned(&config(), &prior);
    assert_eq!(
        again.requires_replace,
        [Path::root().attribute("status")],
        "the plan shows a replacement"
    );
    assert!(again.state.status.is_unknown() && again.state.arn.is_unknown());

    prior.status = ACTIVE.into();
    prior.deletion_protection = false.into();
    let update = planned(&config(), &prior);
    assert!(update.requires_replace.is_empty());
    assert_eq!(intent(&update.private), Some(Intent::Update));
}

#[test]
fn entries_in_a_mode_that_was_left_as_it_was_are_refused_in_the_plan() {
    for (mode, refused) in [("API", false), ("CONFIG_MAP", true)] {
        let mut observed = observed();
        observed.cluster.as_mut().unwrap().authentication_mode = Some(mode.to_owned());
        let prior = state_from(&config(), &observed, &place(), false);
        let config = entry("STANDARD", |_| {});
        let result = plan(
            &config,
            Some(&prior),
            config.clone(),
            &Private::new(),
            &Surroundings::default(),
        );
        assert_eq!(result.is_err(), refused, "{mode}");
    }
}

#[test]
fn an_oidc_provider_of_others_settles_with_irsa_off() {
    let provider = |tags| ObservedOidcProvider {
        arn: "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1".to_owned(),
        client_ids: BTreeSet::new(),
        tags,
    };
    let ours = names::ownership("state-a", "main", "g1");
    // IRSA, the provider's tags, and whether the state shows it.
    for (irsa, tags, shown) in [
        (true, BTreeMap::new(), true),
        (true, ours.clone(), true),
        (false, BTreeMap::new(), false),
        (false, ours, true),
    ] {
        let mut observed = observed();
        observed.oidc_provider = Some(provider(tags));
        let base = ClusterModel {
            enable_irsa: irsa.into(),
            ..config()
        };
        let state = state_from(&base, &observed, &place(), false);
        assert_eq!(state.oidc_provider_arn.is_known(), shown, "{irsa}");
    }
}

#[test]
fn groups_that_eks_writes_into_entries_of_nodes_are_not_shown() {
    for (kind, shown) in [
        ("STANDARD", set(["system:nodes"])),
        ("EC2_LINUX", AttributeValue::Null),
    ] {
        let mut observed = observed();
        let actual = AccessEntry {
            entry_type: kind.to_owned(),
            kubernetes_groups: ["system:nodes".to_owned()].into(),
            ..AccessEntry::default()
        };
        observed.access_entries.insert(
            ROLE.to_owned(),
            ObservedAccessEntry {
                arn: "arn:entry".to_owned(),
                created_at: None,
                entry: actual,
            },
        );
        let state = state_from(&entry(kind, |_| {}), &observed, &place(), false);
        let entries = state.access_entries.known().unwrap();
        let found = entries["nodes"].known().unwrap();
        assert_eq!(found.kubernetes_groups, shown, "{kind}");
    }
}

#[test]
fn tags_that_were_lost_do_not_make_it_another_creation() {
    let before = state();
    assert_eq!(before.creation_id.as_str(), Some("g1"));
    let mut observed = observed();
    observed.cluster.as_mut().unwrap().tags.clear();
    let after = state_from(&before, &observed, &place(), false);
    assert_eq!(after.creation_id.as_str(), Some("g1"));
    assert!(remembered(&before).is(observed.cluster.as_ref().unwrap()));
}

#[test]
fn more_tags_than_aws_takes_are_refused() {
    let numbered = |prefix: &str, count: usize| -> BTreeMap<String, String> {
        (0..count)
            .map(|number| (format!("{prefix}{number}"), "x".to_owned()))
            .collect()
    };
    for (defaults, own, refused) in [(0, 46, false), (20, 26, false), (20, 27, true)] {
        let config = ClusterModel {
            tags: crate::values::known_map(numbered("own", own)),
            ..config()
        };
        let planned = plan(
            &config,
            None,
            config.clone(),
            &Private::new(),
            &Surroundings {
                default_tags: Some(numbered("default", defaults)),
                ..Surroundings::default()
            },
        );
        assert_eq!(planned.is_err(), refused, "{defaults} and {own}");
    }
}
