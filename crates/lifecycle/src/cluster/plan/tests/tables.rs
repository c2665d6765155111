//! Plans as text, beside what they are made from.

use super::world::World;
use super::{access_entry, desired, node_group, set, version};
use crate::cluster::model::{
    AccessScope, Claim, ClusterStatus, DesiredCluster, KubernetesVersion, NodeGroupStatus,
    Observed, Remembered, Removal, RoleChoice,
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
            created_at: None,
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
        remembered: Remembered::default(),
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
    let created_at = applied(&desired()).cluster.unwrap().created_at;
    // Claim, owner tag, creation time in the state, refusal, and whether it may be removed.
    let table = [
        (Claim::Create, Some("state-a"), None, None, true),
        (
            Claim::Create,
            Some("state-b"),
            None,
            Some(foreign.clone()),
            false,
        ),
        (Claim::Create, None, None, Some(unowned.clone()), false),
        (Claim::Held, Some("state-a"), None, None, true),
        (
            Claim::Held,
            Some("state-b"),
            created_at,
            Some(foreign),
            false,
        ),
        (Claim::Held, None, created_at, None, true),
        // Another cluster of the name: it was made at another time.
        (Claim::Held, None, Some(99), Some(unowned.clone()), false),
        (Claim::Held, None, None, Some(unowned), false),
        (Claim::Imported, Some("state-b"), None, None, true),
        (Claim::Imported, None, None, None, true),
    ];
    for (claim, tag, created_at, expected, may_remove) in table {
        let mut observed = applied(&desired());
        owner(&mut observed, tag);
        let node_groups = observed
            .node_groups
            .keys()
            .map(|name| (name.clone(), "general".to_owned()))
            .collect();
        let remembered = Remembered {
            created_at,
            node_groups,
        };
        let wanted = changed(|cluster| {
            cluster.claim = claim;
            cluster.remembered = remembered.clone();
        });
        assert_eq!(
            plan(&wanted, &observed).err(),
            expected,
            "{claim:?} {tag:?} {created_at:?}"
        );
        let removal = Removal {
            remembered,
            ..removal(claim)
        };
        assert_eq!(
            plan_removal(&removal, &observed).is_ok(),
            may_remove,
            "{claim:?} {tag:?} {created_at:?}"
        );
    }
}

#[test]
fn a_creation_takes_over_only_what_is_half_built_or_its_own() {
    let finished = PlanError::Finished {
        name: "platform".to_owned(),
        owner: "state-a".to_owned(),
    };
    let table = [
        (names::INCOMPLETE, "g1", None),
        (names::INCOMPLETE, "g2", None),
        (names::COMPLETE, "g1", None),
        (names::COMPLETE, "g2", Some(finished)),
    ];
    for (creation, generation, expected) in table {
        let mut observed = applied(&desired());
        let tags = &mut observed.cluster.as_mut().unwrap().tags;
        tags.insert(names::CREATION.to_owned(), creation.to_owned());
        let wanted = changed(|cluster| cluster.generation = Some(generation.to_owned()));
        assert_eq!(
            plan(&wanted, &observed).err(),
            expected,
            "{creation} {generation}"
        );
    }
}

/// What a state knows of everything that is observed, with one key for all groups.
fn remembered(observed: &Observed) -> Remembered {
    Remembered {
        created_at: observed
            .cluster
            .as_ref()
            .and_then(|cluster| cluster.created_at),
        node_groups: observed
            .node_groups
            .keys()
            .map(|name| (name.clone(), "general".to_owned()))
            .collect(),
    }
}

#[test]
fn things_that_lost_their_tags_are_tagged_again_and_removed() {
    let mut observed = applied(&desired());
    observed.cluster.as_mut().unwrap().tags.clear();
    for role in [&mut observed.cluster_role, &mut observed.node_role] {
        role.as_mut().unwrap().tags.clear();
    }
    for group in observed.node_groups.values_mut() {
        group.tags.clear();
    }
    let held = changed(|cluster| {
        cluster.claim = Claim::Held;
        cluster.remembered = remembered(&observed);
    });
    let steps = show(&plan(&held, &observed).unwrap());
    insta::assert_snapshot!(steps);
    let removal = Removal {
        remembered: remembered(&observed),
        ..removal(Claim::Held)
    };
    let steps = show(&plan_removal(&removal, &observed).unwrap());
    for expected in [
        "delete node group general-",
        "delete the cluster:",
        "delete the cluster role",
        "delete the node role",
    ] {
        assert!(steps.contains(expected), "{expected}: {steps}");
    }
}

#[test]
fn a_half_built_cluster_that_does_not_fit_is_made_again() {
    type Change = fn(&mut DesiredCluster);
    let table: [(&str, Change, Option<&str>); 7] = [
        ("nothing", |_| {}, None),
        (
            "one subnet more",
            |cluster| cluster.vpc.subnet_ids.extend(set(["subnet-c"])),
            None,
        ),
        (
            "subnets elsewhere",
            |cluster| cluster.vpc.subnet_ids = set(["subnet-x", "subnet-y"]),
            Some("none of its subnets is desired"),
        ),
        (
            "another VPC",
            |cluster| {
                cluster.vpc.vpc_id = Some("vpc-2".to_owned());
                cluster.vpc.subnet_ids = set(["subnet-x", "subnet-y"]);
            },
            Some("it is in VPC vpc-1 and not vpc-2"),
        ),
        (
            "another creator's rights",
            |cluster| cluster.bootstrap_cluster_creator_admin_permissions = false,
            Some("bootstrap_cluster_creator_admin_permissions is true and not false"),
        ),
        (
            "an older version",
            |cluster| cluster.version = version(34),
            Some("its version is 1.35 and not 1.34"),
        ),
        (
            "another role",
            |cluster| cluster.cluster_role = RoleChoice::Given("arn:other".to_owned()),
            Some("its role_arn is"),
        ),
    ];
    for (what, change, misfit) in table {
        let mut observed = applied(&desired());
        let tags = &mut observed.cluster.as_mut().unwrap().tags;
        tags.insert(names::CREATION.to_owned(), names::INCOMPLETE.to_owned());
        let wanted = changed(change);
        let steps = plan(&wanted, &observed).unwrap();
        let delete = steps
            .iter()
            .find(|step| step.action.id() == "cluster/delete");
        assert_eq!(
            delete.is_some(),
            misfit.is_some(),
            "{what}: {}",
            show(&steps)
        );
        if let (Some(delete), Some(misfit)) = (delete, misfit) {
            assert!(
                delete.reason.starts_with(misfit),
                "{what}: {}",
                delete.reason
            );
            assert!(
                delete.after.iter().any(|id| id.starts_with("node-group/")),
                "{what}: node groups go first"
            );
        }
        // It ends as desired, and never when the state holds a finished cluster.
        let mut world = World {
            observed: observed.clone(),
            writes: 100,
        };
        for _ in 0..100 {
            let steps = plan(&wanted, &world.observed).unwrap();
            match steps.iter().find(|step| step.after.is_empty()) {
                Some(step) => world.apply(step),
                None => break,
            }
        }
        assert_eq!(
            world.observed.cluster.unwrap().subnet_ids,
            wanted.vpc.subnet_ids,
            "{what}"
        );
        let mut held = wanted;
        held.claim = Claim::Held;
        let steps = plan(&held, &observed).map_or_else(|_| String::new(), |steps| show(&steps));
        assert!(!steps.contains("delete the cluster"), "{what}: {steps}");
    }
    // The written VPC contradicts the written subnets: making it again would change nothing.
    let mut observed = applied(&desired());
    let tags = &mut observed.cluster.as_mut().unwrap().tags;
    tags.insert(names::CREATION.to_owned(), names::INCOMPLETE.to_owned());
    let wanted = changed(|cluster| cluster.vpc.vpc_id = Some("vpc-2".to_owned()));
    assert!(matches!(
        plan(&wanted, &observed),
        Err(PlanError::WrongVpc { .. })
    ));
}

#[test]
fn groups_made_after_an_import_are_left_alone() {
    let mut observed = applied(&desired());
    let mut later = observed.node_groups.values().next().unwrap().clone();
    observed.cluster.as_mut().unwrap().tags.clear();
    for group in observed.node_groups.values_mut() {
        group.tags.clear();
    }
    let known = remembered(&observed);
    later.tags.clear();
    observed.node_groups.insert("theirs".to_owned(), later);
    let imported = changed(|cluster| {
        cluster.claim = Claim::Imported;
        cluster.remembered = known.clone();
        cluster.node_groups.clear();
    });
    let steps = show(&plan(&imported, &observed).unwrap());
    assert!(steps.contains("delete node group general-"), "{steps}");
    assert!(!steps.contains("theirs"), "{steps}");
    let removal = Removal {
        remembered: known,
        ..removal(Claim::Imported)
    };
    assert!(matches!(
        plan_removal(&removal, &observed),
        Err(PlanError::ForeignNodeGroups { groups, .. }) if groups == "theirs"
    ));
}

#[test]
fn a_group_stays_until_what_replaces_it_is_active() {
    let first = applied(&desired());
    let (old, mut group) = first
        .node_groups
        .iter()
        .next()
        .map(|(n, g)| (n.clone(), g.clone()))
        .unwrap();
    let wanted = changed(|cluster| {
        let group = cluster.node_groups.get_mut("general").unwrap();
        group.instance_types = Some(vec!["m7i.xlarge".to_owned()]);
    });
    let mut observed = applied(&wanted);
    let new = observed.node_groups.keys().next().unwrap().clone();
    observed.node_groups.get_mut(&new).unwrap().status = NodeGroupStatus::Degraded;
    assert_eq!(show(&plan(&wanted, &observed).unwrap()), "nothing");
    group.status = NodeGroupStatus::Active;
    observed.node_groups.insert(old.clone(), group);
    assert_eq!(
        show(&plan(&wanted, &observed).unwrap()),
        format!(
            "1. wait for node group {new}, which is DEGRADED: the group that it replaces stays until it is ACTIVE\n\
             2. delete node group {old}: it is no longer desired [after 1]"
        )
    );
}

#[test]
fn entries_wait_for_a_mode_that_has_them() {
    let principal = "arn:aws:iam::123456789012:role/ci";
    let old = changed(|cluster| cluster.authentication_mode = "CONFIG_MAP".to_owned());
    let observed = applied(&old);
    let wanted = changed(|cluster| {
        cluster
            .access_entries
            .insert(principal.to_owned(), access_entry());
    });
    assert_eq!(
        show(&plan(&wanted, &observed).unwrap()),
        format!(
            "1. set the cluster's authentication mode to API_AND_CONFIG_MAP: authentication_mode differs\n\
             2. create the access entry of {principal}: the principal has none [after 1]"
        )
    );
    let mut world = World {
        observed,
        writes: 0,
    };
    for _ in 0..20 {
        let steps = plan(&wanted, &world.observed).unwrap();
        match steps.iter().rfind(|step| step.after.is_empty()) {
            Some(step) => world.apply(step),
            None => break,
        }
    }
    assert!(world.observed.access_entries.contains_key(principal));
}

#[test]
fn groups_and_user_are_ours_only_in_standard_entries() {
    let principal = "arn:aws:iam::123456789012:role/nodes".to_owned();
    let with_type = |entry_type: &str| {
        changed(|cluster| {
            let mut entry = access_entry();
            entry.entry_type = entry_type.to_owned();
            cluster.access_entries.insert(principal.clone(), entry);
        })
    };
    for (entry_type, expected) in [
        ("EC2_LINUX", "nothing".to_owned()),
        (
            "STANDARD",
            format!("1. change the access entry of {principal}: groups or user name differ"),
        ),
    ] {
        let wanted = with_type(entry_type);
        let mut observed = applied(&wanted);
        let entry = &mut observed.access_entries.get_mut(&principal).unwrap().entry;
        entry.kubernetes_groups = set(["system:nodes"]);
        entry.user_name = Some("system:node:{{EC2PrivateDNSName}}".to_owned());
        assert_eq!(
            show(&plan(&wanted, &observed).unwrap()),
            expected,
            "{entry_type}"
        );
    }
}

#[test]
fn the_entry_of_a_role_that_was_made_again_is_made_again() {
    let mut observed = applied(&desired());
    let role = observed.node_role.as_mut().unwrap();
    let arn = role.arn.clone();
    let entry = |created_at| crate::cluster::model::ObservedAccessEntry {
        arn: "arn:entry".to_owned(),
        created_at: Some(created_at),
        entry: crate::cluster::model::AccessEntry {
            entry_type: "EC2_LINUX".to_owned(),
            ..access_entry()
        },
    };
    observed.access_entries.insert(arn.clone(), entry(90));
    assert_eq!(show(&plan(&desired(), &observed).unwrap()), "nothing");
    observed.node_role.as_mut().unwrap().created_at = Some(100);
    assert_eq!(
        show(&plan(&desired(), &observed).unwrap()),
        format!(
            "1. delete the access entry of {arn}: it is bound to a deleted role of this name; it is made again"
        )
    );
    observed.access_entries.clear();
    assert_eq!(
        show(&plan(&desired(), &observed).unwrap()),
        format!("1. create the access entry of {arn}: the nodes' role was made again")
    );
    observed.access_entries.insert(arn, entry(101));
    assert_eq!(show(&plan(&desired(), &observed).unwrap()), "nothing");
}

#[test]
fn nodes_of_an_ipv6_cluster_get_the_policy_of_its_network() {
    let wanted = changed(|cluster| cluster.ip_family = Some("ipv6".to_owned()));
    let steps = show(&plan(&wanted, &Observed::default()).unwrap());
    assert!(
        steps.contains("write inline policy AmazonEKS_CNI_IPv6_Policy of role platform-node-"),
        "{steps}"
    );
    assert!(!steps.contains("AmazonEKS_CNI_Policy"), "{steps}");
    let observed = applied(&wanted);
    assert_eq!(show(&plan(&wanted, &observed).unwrap()), "nothing");
    let steps = show(&plan_removal(&removal(Claim::Held), &observed).unwrap());
    assert!(
        steps.contains("delete inline policy AmazonEKS_CNI_IPv6_Policy"),
        "{steps}"
    );
}

#[test]
fn a_private_cluster_has_no_ranges() {
    let private = changed(|cluster| {
        cluster.vpc.endpoint_public_access = false;
        cluster.vpc.public_access_cidrs = Some(set(["203.0.113.0/24"]));
    });
    let observed = applied(&private);
    assert_eq!(show(&plan(&private, &observed).unwrap()), "nothing");
    let public = changed(|cluster| {
        cluster.vpc.public_access_cidrs = Some(set(["203.0.113.0/24"]));
    });
    assert_eq!(
        show(&plan(&public, &observed).unwrap()),
        "1. change the access to the cluster's endpoint: endpoint access differs"
    );
}

#[test]
fn tags_that_are_taken_out_go_everywhere() {
    let with_tag = changed(|cluster| {
        cluster
            .tags
            .insert("team".to_owned(), "platform".to_owned());
    });
    let mut observed = applied(&with_tag);
    // Tags that somebody else wrote on a role are not the cluster's and stay.
    let role = observed.node_role.as_mut().unwrap();
    role.tags.insert("theirs".to_owned(), "stays".to_owned());
    let steps = plan(&desired(), &observed).unwrap();
    assert!(
        show(&steps).ends_with("tag the cluster: tags differ [after 3, 1, 2]"),
        "{}",
        show(&steps)
    );
    let mut world = World {
        observed,
        writes: 0,
    };
    for _ in 0..20 {
        let steps = plan(&desired(), &world.observed).unwrap();
        match steps.iter().find(|step| step.after.is_empty()) {
            Some(step) => world.apply(step),
            None => break,
        }
    }
    let observed = world.observed;
    let role = observed.node_role.unwrap();
    assert!(role.tags.contains_key("theirs") && !role.tags.contains_key("team"));
    for tags in [
        observed.cluster.unwrap().tags,
        observed.cluster_role.unwrap().tags,
        observed.oidc_provider.unwrap().tags,
    ] {
        assert!(!tags.contains_key("team"), "{tags:?}");
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
    let mut fargate = applied(&desired());
    fargate.fargate_profiles = set(["batch", "web"]);
    let answers: Vec<String> = [protected, foreign, unowned, fargate]
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
