//! From every state that a crash can leave, doing the plan's ready steps ends at the goal.

use super::world::World;
use super::{access_entry, desired, node_group, set, tags, version};
use crate::cluster::model::{
    AccessScope, Claim, ClusterStatus, DesiredCluster, DesiredNodeGroup, MaxUnavailable,
    NodeGroupStatus, Remembered, Removal, RoleChoice, Taint,
};
use crate::cluster::names;
use crate::cluster::plan::{plan, plan_removal};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Does ready steps, chosen by `choices`, until nothing is missing or `limit` steps are done.
/// Returns whether the goal was reached.
fn drive(
    world: &mut World,
    limit: usize,
    choices: &[usize],
    steps: impl Fn(&World) -> Vec<crate::cluster::plan::Step>,
) -> bool {
    for turn in 0..limit {
        let plan = steps(world);
        let ids: BTreeSet<String> = plan.iter().map(|step| step.action.id()).collect();
        assert_eq!(ids.len(), plan.len(), "ids are unique");
        for step in &plan {
            assert!(
                step.after.is_subset(&ids),
                "{:?} waits for a step that is not in the plan",
                step.action
            );
        }
        let ready: Vec<_> = plan.iter().filter(|step| step.after.is_empty()).collect();
        if plan.is_empty() {
            return true;
        }
        assert!(!ready.is_empty(), "a plan has a first step: {plan:#?}");
        let choice = choices
            .get(turn % choices.len().max(1))
            .copied()
            .unwrap_or_default();
        world.apply(ready[choice % ready.len()]);
    }
    false
}

fn apply_plan(desired: &DesiredCluster) -> impl Fn(&World) -> Vec<crate::cluster::plan::Step> + '_ {
    move |world| plan(desired, &world.observed).expect("a plan exists")
}

fn node_group_strategy() -> impl Strategy<Value = DesiredNodeGroup> {
    (
        prop::sample::select(vec!["m7i.large", "c7g.large"]),
        prop::option::of(prop::sample::select(vec!["SPOT", "ON_DEMAND"])),
        prop::option::of(30..40i32),
        (0..3i32, 3..6i32, prop::option::of(0..6i32)),
        prop::collection::btree_map("[ab]", "[xy]", 0..2),
        prop::collection::vec(("[ab]", "[xy]"), 0..2),
        prop::option::of(1..4i32),
    )
        .prop_map(
            |(instance, capacity, disk, (min, max, size), labels, taints, unavailable)| {
                DesiredNodeGroup {
                    instance_types: Some(vec![instance.to_owned()]),
                    capacity_type: capacity.map(str::to_owned),
                    disk_size: disk,
                    min_size: min,
                    max_size: max,
                    desired_size: size.map(|size| size.clamp(min, max)),
                    labels,
                    taints: taints
                        .into_iter()
                        .collect::<BTreeMap<_, _>>()
                        .into_iter()
                        .map(|(key, value)| Taint {
                            key,
                            value,
                            effect: "NO_SCHEDULE".to_owned(),
                        })
                        .collect(),
                    max_unavailable: unavailable.map(MaxUnavailable::Count),
                    ..DesiredNodeGroup::default()
                }
            },
        )
}

fn desired_strategy() -> impl Strategy<Value = DesiredCluster> {
    (
        (0..6u32, any::<bool>(), any::<bool>(), any::<bool>()),
        prop::collection::btree_map("[a-c]", node_group_strategy(), 0..3),
        prop::collection::btree_map(
            "arn:[p-r]",
            prop::collection::btree_set("g[12]", 0..2),
            0..3,
        ),
        prop::collection::btree_set(prop::sample::select(vec!["api", "audit"]), 0..2),
        prop::collection::btree_map("[ab]", "[xy]", 0..2),
        (any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |((minor, irsa, private, protection), groups, entries, logs, tags, (given, scoped))| {
                let mut cluster = desired();
                cluster.version = version(30 + minor);
                cluster.irsa = irsa;
                cluster.vpc.endpoint_private_access = private;
                cluster.deletion_protection = protection;
                cluster.node_groups = groups;
                cluster.enabled_log_types = logs.into_iter().map(str::to_owned).collect();
                cluster.tags = tags;
                if given {
                    cluster.node_role =
                        RoleChoice::Given("arn:aws:iam::123456789012:role/theirs".to_owned());
                }
                cluster.access_entries = entries
                    .into_iter()
                    .map(|(principal, groups)| {
                        let mut entry = access_entry();
                        entry.kubernetes_groups = groups;
                        if scoped {
                            entry.policies.insert(
                                "arn:view".to_owned(),
                                AccessScope::Namespaces(set(["team"])),
                            );
                        }
                        (principal, entry)
                    })
                    .collect();
                cluster
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_crash_anywhere_is_resumed(
        first in desired_strategy(),
        second in desired_strategy(),
        crash in 0..30usize,
        choices in prop::collection::vec(0..7usize, 1..8),
        settle in any::<bool>(),
        fail_groups in any::<bool>(),
    ) {
        let mut world = World::default();
        drive(&mut world, crash, &choices, apply_plan(&first));
        if settle {
            world.settle();
        }
        if fail_groups {
            for group in world.observed.node_groups.values_mut() {
                if group.status == NodeGroupStatus::Creating {
                    group.status = NodeGroupStatus::CreateFailed;
                }
            }
        }
        // The next configuration goes on from there; it may not go back to an older version.
        let mut second = second;
        let oldest = world.observed.cluster.as_ref().map_or(second.version, |cluster| cluster.version);
        second.version = second.version.max(oldest);
        prop_assert!(drive(&mut world, 400, &choices, apply_plan(&second)), "it does not converge");

        // Everything is there, the creation is complete, and another run makes no write.
        let cluster = world.observed.cluster.clone().expect("the cluster exists");
        prop_assert_eq!(cluster.tags.get(names::CREATION).map(String::as_str), Some(names::COMPLETE));
        prop_assert_eq!(cluster.version, second.version);
        prop_assert_eq!(world.observed.node_groups.len(), second.node_groups.len());
        prop_assert_eq!(world.observed.access_entries.len(), second.access_entries.len());
        prop_assert_eq!(world.observed.oidc_provider.is_some(), second.irsa);
        let writes = world.writes;
        prop_assert!(drive(&mut world, 1, &choices, apply_plan(&second)));
        prop_assert_eq!(world.writes, writes);
    }

    #[test]
    fn a_removal_leaves_nothing_of_ours(
        first in desired_strategy(),
        crash in 0..40usize,
        interrupted in 0..12usize,
        choices in prop::collection::vec(0..7usize, 1..8),
    ) {
        let mut first = first;
        first.deletion_protection = false;
        let mut world = World::default();
        drive(&mut world, crash, &choices, apply_plan(&first));
        let removal = Removal {
            name: first.name.clone(),
            region: first.region.clone(),
            owner: first.owner.clone(),
            claim: Claim::Held,
            remembered: Remembered::default(),
            oidc_provider_arn: None,
        };
        let steps = |world: &World| plan_removal(&removal, &world.observed).expect("a plan exists");
        drive(&mut world, interrupted, &choices, steps);
        prop_assert!(drive(&mut world, 200, &choices, steps));
        prop_assert!(world.observed.cluster.is_none());
        prop_assert!(world.observed.node_groups.is_empty());
        prop_assert!(world.observed.oidc_provider.is_none());
        prop_assert!(world.observed.cluster_role.is_none());
        prop_assert!(world.observed.node_role.is_none());
    }
}

#[test]
fn a_replaced_group_goes_only_when_the_new_one_is_active() {
    let mut cluster = desired();
    let mut world = World::default();
    assert!(drive(&mut world, 100, &[0], apply_plan(&cluster)));
    let old = world.observed.node_groups.keys().next().unwrap().clone();
    let mut group = node_group();
    group.instance_types = Some(vec!["m7i.xlarge".to_owned()]);
    cluster.node_groups.insert("general".to_owned(), group);
    loop {
        let steps = plan(&cluster, &world.observed).unwrap();
        let Some(step) = steps.iter().find(|step| step.after.is_empty()) else {
            break;
        };
        if step.action.id() == format!("node-group/{old}/delete") {
            let active =
                world.observed.node_groups.iter().filter(|(name, group)| {
                    **name != old && group.status == NodeGroupStatus::Active
                });
            assert_eq!(
                active.count(),
                1,
                "the new group stands before the old one goes"
            );
        }
        world.apply(step);
    }
    assert_eq!(world.observed.node_groups.len(), 1);
    assert!(!world.observed.node_groups.contains_key(&old));
}

#[test]
fn a_failed_creation_is_made_again_and_a_finished_cluster_is_not() {
    let cluster = desired();
    let mut world = World::default();
    drive(&mut world, 8, &[0], apply_plan(&cluster));
    world.observed.cluster.as_mut().unwrap().status = ClusterStatus::Failed;
    assert!(drive(&mut world, 200, &[0], apply_plan(&cluster)));
    world.observed.cluster.as_mut().unwrap().status = ClusterStatus::Failed;
    assert!(plan(&cluster, &world.observed).is_err());
}

#[test]
fn tags_of_aws_stay() {
    let cluster = desired();
    let mut world = World::default();
    assert!(drive(&mut world, 100, &[0], apply_plan(&cluster)));
    world
        .cluster_tags()
        .extend(tags([("aws:eks:cluster-name", "platform"), ("stray", "x")]));
    assert!(drive(&mut world, 10, &[0], apply_plan(&cluster)));
    assert!(world.cluster_tags().contains_key("aws:eks:cluster-name"));
    assert!(!world.cluster_tags().contains_key("stray"));
}

impl World {
    fn cluster_tags(&mut self) -> &mut crate::cluster::model::StringMap {
        &mut self.observed.cluster.as_mut().unwrap().tags
    }
}
