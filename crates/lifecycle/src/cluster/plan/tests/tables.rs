//! Plans as text, beside what they are made from.

use super::world::World;
use super::{access_entry, desired, node_group, set, version};
use crate::cluster::model::{
    AccessScope, Claim, ClusterStatus, DesiredCluster, KubernetesVersion, NodeGroupStatus,
    Observed, Removal, RoleChoice,
};
use crate::cluster::names::{self, RoleKind};
use crate::cluster::plan::{PlanError, Step, plan, plan_removal};

fn show(steps: &[Step]) -> String {
    if steps.is_empty() {
        return "nothing".to_owned();
    }
    let number = |id: &String| {
        let index = steps
            .iter()
            .position(|step| step.action.id() == *id)
            .unwrap();
        (index + 1).to_string()
    };
    steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let after: Vec<String> = step.after.iter().map(number).collect();
            let after = if after.is_empty() {
                String::new()
            } else {
                format!(" [after {}]", after.join(", "))
            };
            format!(
                "{}. {}: {}{after}",
                index + 1,
                step.action.description(),
                step.reason
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The world after `desired` was applied.
fn applied(desired: &DesiredCluster) -> Observed {
    let mut world = World::default();
    for _ in 0..100 {
        let steps = plan(desired, &world.observed).unwrap();
        match steps.iter().find(|step| step.after.is_empty()) {
            Some(step) => world.apply(step),
            None => return world.observed,
        }
    }
    panic!("it does not converge");
}

fn changed(change: impl FnOnce(&mut DesiredCluster)) -> DesiredCluster {
    let mut cluster = desired();
    change(&mut cluster);
    cluster
}

#[test]
fn create_from_nothing() {
    insta::assert_snapshot!(show(&plan(&desired(), &Observed::default()).unwrap()));
}

#[test]
fn nothing_is_missing() {
    assert_eq!(
        show(&plan(&desired(), &applied(&desired())).unwrap()),
        "nothing"
    );
}

#[test]
fn many_settings_change_one_after_another() {
    let observed = applied(&desired());
    let wanted = changed(|cluster| {
        cluster.vpc.endpoint_public_access = false;
        cluster.vpc.security_group_ids = set(["sg-1"]);
        cluster.enabled_log_types = set(["api", "audit"]);
        cluster.support_type = Some("STANDARD".to_owned());
        cluster.version = version(37);
        cluster
            .tags
            .insert("team".to_owned(), "platform".to_owned());
        let mut entry = access_entry();
        entry.policies.insert(
            "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy".to_owned(),
            AccessScope::Cluster,
        );
        cluster
            .access_entries
            .insert("arn:aws:iam::123456789012:role/dev".to_owned(), entry);
    });
    insta::assert_snapshot!(show(&plan(&wanted, &observed).unwrap()));
}

#[test]
fn nodes_that_would_become_too_old_go_first() {
    let old = changed(|cluster| cluster.version = version(31));
    let mut observed = applied(&old);
    observed.cluster.as_mut().unwrap().version = version(34);
    insta::assert_snapshot!(show(&plan(&desired(), &observed).unwrap()));
}

#[test]
fn a_node_group_that_aws_cannot_change_is_replaced() {
    let observed = applied(&desired());
    let wanted = changed(|cluster| {
        let group = cluster.node_groups.get_mut("general").unwrap();
        group.instance_types = Some(vec!["m7i.xlarge".to_owned()]);
    });
    insta::assert_snapshot!(show(&plan(&wanted, &observed).unwrap()));
}

#[test]
fn half_built_is_resumed() {
    let mut observed = applied(&desired());
    observed.node_groups.values_mut().next().unwrap().status = NodeGroupStatus::CreateFailed;
    observed.node_groups.values_mut().next().unwrap().issues =
        vec!["NodeCreationFailure: no node joined".to_owned()];
    observed.oidc_provider = None;
    let tags = &mut observed.cluster.as_mut().unwrap().tags;
    tags.insert(names::CREATION.to_owned(), names::INCOMPLETE.to_owned());
    insta::assert_snapshot!(show(&plan(&desired(), &observed).unwrap()));
}

#[test]
fn drift_of_a_role_is_repaired() {
    let mut observed = applied(&desired());
    let role = observed.node_role.as_mut().unwrap();
    role.attached_policies.clear();
    role.trusted_services.clear();
    role.permissions_boundary = Some("arn:aws:iam::1:policy/b".to_owned());
    role.tags.insert("theirs".to_owned(), "stays".to_owned());
    insta::assert_snapshot!(show(&plan(&desired(), &observed).unwrap()));
}

#[test]
fn a_size_that_is_not_configured_is_left_to_the_autoscaler() {
    let mut observed = applied(&desired());
    observed
        .node_groups
        .values_mut()
        .next()
        .unwrap()
        .desired_size = 3;
    assert_eq!(show(&plan(&desired(), &observed).unwrap()), "nothing");
    let wanted =
        changed(|cluster| cluster.node_groups.get_mut("general").unwrap().desired_size = Some(2));
    let steps = plan(&wanted, &observed).unwrap();
    assert!(
        show(&steps).starts_with("1. change node group general-"),
        "{}",
        show(&steps)
    );
}

#[test]
fn an_entry_that_eks_made_for_the_creator_is_adopted() {
    let mut observed = applied(&desired());
    let principal = "arn:aws:iam::123456789012:role/ci".to_owned();
    let mut entry = access_entry();
    entry
        .policies
        .insert("arn:admin".to_owned(), AccessScope::Cluster);
    observed.access_entries.insert(
        principal.clone(),
        crate::cluster::model::ObservedAccessEntry {
            arn: "arn:entry".to_owned(),
            entry: entry.clone(),
        },
    );
    assert_eq!(show(&plan(&desired(), &observed).unwrap()), "nothing");
    let wanted = changed(|cluster| {
        cluster.access_entries.insert(principal.clone(), entry);
    });
    assert_eq!(
        show(&plan(&wanted, &observed).unwrap()),
        "1. tag the access entry of arn:aws:iam::123456789012:role/ci: tags differ"
    );
}

/// A provider of ours of a cluster of the same name that somebody deleted.
fn stale_provider(
    tags: crate::cluster::model::StringMap,
) -> crate::cluster::model::ObservedOidcProvider {
    crate::cluster::model::ObservedOidcProvider {
        arn: "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/OLD"
            .to_owned(),
        client_ids: set([names::IRSA_AUDIENCE]),
        tags,
    }
}

#[test]
fn oidc_providers_of_earlier_clusters_go() {
    let delete =
        "delete arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/OLD";
    let with_providers = |issuer_known: bool| {
        let mut observed = applied(&desired());
        let present = observed.oidc_provider.clone().unwrap();
        observed.owned_oidc_providers = vec![stale_provider(present.tags.clone()), present.clone()];
        let cluster = observed.cluster.as_mut().unwrap();
        if !issuer_known {
            cluster.oidc_issuer = None;
        }
        observed
    };
    let of_apply = |observed: &Observed| show(&plan(&desired(), observed).unwrap());
    assert_eq!(
        of_apply(&with_providers(true)),
        format!("1. {delete}: its issuer was an earlier cluster of this name")
    );
    // Which one is the present one is not known yet.
    assert_eq!(of_apply(&with_providers(false)), "nothing");
    // There is no cluster: all are of earlier ones, and the first steps.
    let mut gone = with_providers(true);
    gone.cluster = None;
    gone.node_groups.clear();
    assert!(
        of_apply(&gone).starts_with(&format!("1. {delete}: ")),
        "{}",
        of_apply(&gone)
    );

    let steps = plan_removal(&removal(Claim::Held), &with_providers(true)).unwrap();
    let providers = steps
        .iter()
        .filter(|step| step.action.id().starts_with("oidc-provider/"));
    assert_eq!(providers.clone().count(), 2, "{}", show(&steps));
    assert!(
        providers
            .into_iter()
            .all(|step| step.after.contains("cluster/delete"))
    );
    let foreign = Observed {
        owned_oidc_providers: vec![stale_provider(super::tags([(names::OWNER, "state-b")]))],
        ..Observed::default()
    };
    assert_eq!(
        show(&plan_removal(&removal(Claim::Held), &foreign).unwrap()),
        "nothing"
    );
}

#[test]
fn removal_in_order() {
    insta::assert_snapshot!(show(
        &plan_removal(&removal(Claim::Held), &applied(&desired())).unwrap()
    ));
}

fn removal(claim: Claim) -> Removal {
    Removal {
        name: "platform".to_owned(),
        region: "eu-central-1".to_owned(),
        owner: "state-a".to_owned(),
        claim,
        oidc_provider_arn: None,
    }
}

#[test]
fn what_is_not_ours_is_refused() {
    let owner = |observed: &mut Observed, owner: Option<&str>| {
        let tags = &mut observed.cluster.as_mut().unwrap().tags;
        tags.remove(names::OWNER);
        tags.extend(owner.map(|owner| (names::OWNER.to_owned(), owner.to_owned())));
    };
    let foreign = PlanError::ForeignOwner {
        name: "platform".to_owned(),
        owner: "state-b".to_owned(),
    };
    let unowned = PlanError::Unowned {
        name: "platform".to_owned(),
    };
    let table = [
        (Claim::Create, Some("state-a"), None),
        (Claim::Create, Some("state-b"), Some(foreign.clone())),
        (Claim::Create, None, Some(unowned)),
        (Claim::Held, Some("state-a"), None),
        (Claim::Held, Some("state-b"), Some(foreign)),
        (Claim::Held, None, None),
        (Claim::Imported, Some("state-b"), None),
        (Claim::Imported, None, None),
    ];
    for (claim, tag, expected) in table {
        let mut observed = applied(&desired());
        owner(&mut observed, tag);
        let wanted = changed(|cluster| cluster.claim = claim);
        assert_eq!(
            plan(&wanted, &observed).err(),
            expected,
            "{claim:?} {tag:?}"
        );
        let may_remove = matches!((claim, tag), (_, Some("state-a")) | (Claim::Imported, _));
        assert_eq!(
            plan_removal(&removal(claim), &observed).is_ok(),
            may_remove,
            "{claim:?} {tag:?}"
        );
    }
}

#[test]
fn what_aws_cannot_do_is_refused_with_the_way_out() {
    let observed = || applied(&desired());
    let refused = |wanted: DesiredCluster, observed: Observed| {
        let error = plan(&wanted, &observed).unwrap_err();
        format!(
            "{}: {error}",
            error
                .subject()
                .map_or_else(|| "-".to_owned(), |subject| subject.to_string())
        )
    };
    let mut busy = observed();
    busy.cluster.as_mut().unwrap().status = ClusterStatus::Failed;
    let mut taken = Observed {
        cluster_role: observed().cluster_role,
        ..Observed::default()
    };
    taken.cluster_role.as_mut().unwrap().tags.clear();
    let mut foreign_group = observed();
    let group = foreign_group.node_groups.values_mut().next().unwrap();
    group.tags.clear();
    group.version = Some(version(32));
    let answers = [
        refused(changed(|cluster| cluster.version = version(34)), observed()),
        refused(
            changed(|cluster| cluster.vpc.vpc_id = Some("vpc-2".to_owned())),
            observed(),
        ),
        refused(
            changed(|cluster| cluster.service_ipv4_cidr = Some("172.20.0.0/16".to_owned())),
            observed(),
        ),
        refused(
            changed(|cluster| cluster.authentication_mode = "CONFIG_MAP".to_owned()),
            observed(),
        ),
        refused(
            changed(|cluster| cluster.cluster_role = RoleChoice::Given("arn:other".to_owned())),
            observed(),
        ),
        refused(
            changed(|cluster| {
                cluster.node_groups.get_mut("general").unwrap().version = Some(version(36))
            }),
            observed(),
        ),
        refused(
            changed(|cluster| {
                cluster.node_groups.get_mut("general").unwrap().version = Some(version(34))
            }),
            observed(),
        ),
        refused(desired(), busy),
        refused(desired(), taken),
        refused(
            changed(|cluster| {
                cluster.version = version(36);
                cluster.node_groups.clear();
            }),
            foreign_group,
        ),
    ];
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[test]
fn removal_refusals() {
    let mut protected = applied(&desired());
    protected.cluster.as_mut().unwrap().deletion_protection = Some(true);
    let mut foreign = applied(&desired());
    foreign
        .node_groups
        .values_mut()
        .next()
        .unwrap()
        .tags
        .clear();
    let mut unowned = applied(&desired());
    unowned.cluster.as_mut().unwrap().tags.clear();
    let answers: Vec<String> = [protected, foreign, unowned]
        .iter()
        .map(|observed| {
            plan_removal(&removal(Claim::Held), observed)
                .unwrap_err()
                .to_string()
        })
        .collect();
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[test]
fn names_fit_their_limits_and_tell_clusters_apart() {
    let long = "c".repeat(100);
    for kind in [RoleKind::Cluster, RoleKind::Node] {
        assert_eq!(names::role_name(kind, &long, "eu-central-1").len(), 64);
        assert_ne!(
            names::role_name(kind, "platform", "eu-central-1"),
            names::role_name(kind, "platform", "eu-west-1")
        );
    }
    assert_eq!(
        names::role_name(RoleKind::Node, "platform", "eu-central-1"),
        "platform-node-8c016d09"
    );
    let subnets = set(["subnet-a"]);
    let name = |group| names::node_group_name("general", &group, &subnets, &RoleChoice::Managed);
    let mut other_labels = node_group();
    other_labels.labels.insert("a".to_owned(), "b".to_owned());
    other_labels.max_size = 9;
    assert_eq!(
        name(node_group()),
        name(other_labels),
        "what AWS changes in place keeps the name"
    );
    let mut other_disk = node_group();
    other_disk.disk_size = Some(50);
    assert_ne!(name(node_group()), name(other_disk));
    assert!(name(node_group()).len() <= 63);
}

#[test]
fn versions() {
    let table = [
        ("1.36", Some((1, 36))),
        ("1.5", Some((1, 5))),
        ("v1.36", None),
        ("1.36.3", None),
        ("1", None),
        ("1.", None),
        ("1.036", None),
        ("1.-3", None),
        ("", None),
    ];
    for (text, expected) in table {
        let parsed = text.parse::<KubernetesVersion>().ok();
        assert_eq!(
            parsed.map(|version| (version.major, version.minor)),
            expected,
            "{text:?}"
        );
    }
    assert!(version(9) < version(10));
}
