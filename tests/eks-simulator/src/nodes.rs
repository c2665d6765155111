//! The nodes of managed node groups: names, labels, kubelet versions, making and removing them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::aws::InstanceType;
use crate::backend::{NodeCapacity, NodeSpec};
use crate::clusters::with_causes;
use crate::core::Core;
use crate::store::{Cluster, Node, NodeGroup};

/// The build suffix of kubelet versions; EKS has another for each build.
const KUBELET_BUILD: &str = "3a10415";
/// Build dates of the AMI releases each minor has, oldest first.
const RELEASE_DATES: [&str; 2] = ["20261016", "20261106"];
/// Releases of Bottlerocket, which carry no Kubernetes version.
const BOTTLEROCKET_RELEASES: [&str; 2] = ["1.49.0-713f44ce", "1.50.0-82e3a1d1"];

/// The AMI release versions of a minor, oldest first. Source of the form: EKS user guide, AMI
/// versions (`<patch>-<date>`); the releases themselves are the lab's.
pub(crate) fn releases(core: &Core, minor: &str, ami_type: &str) -> Vec<String> {
    if ami_type.starts_with("BOTTLEROCKET") {
        return BOTTLEROCKET_RELEASES.map(str::to_owned).to_vec();
    }
    let patch = patch(core, minor);
    RELEASE_DATES
        .iter()
        .map(|date| format!("{patch}-{date}"))
        .collect()
}

fn patch(core: &Core, minor: &str) -> String {
    core.config
        .backend
        .patch_version(minor)
        .unwrap_or_else(|| format!("{minor}.0"))
}

/// `v1.36.3-eks-...`.
pub(crate) fn kubelet_version(core: &Core, minor: &str) -> String {
    format!("v{}-eks-{KUBELET_BUILD}", patch(core, minor))
}

/// Takes a free address of the subnet. The first four and the last are AWS's. Source: VPC user
/// guide, subnet sizing. `None` if the subnet is full.
fn take_address(base: Ipv4Addr, prefix: u8, used: &mut BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let size = 1_u32.checked_shl(32_u32.saturating_sub(u32::from(prefix)))?;
    let first = u32::from(base);
    (4..size.saturating_sub(1))
        .map(|offset| Ipv4Addr::from(first.wrapping_add(offset)))
        .find(|address| used.insert(*address))
}

/// The default host name of an instance. Source: EC2 user guide, hostname types.
fn node_name(region: &str, address: Ipv4Addr) -> String {
    let dashed = address.to_string().replace('.', "-");
    if region == "us-east-1" {
        format!("ip-{dashed}.ec2.internal")
    } else {
        format!("ip-{dashed}.{region}.compute.internal")
    }
}

/// Plans `count` more nodes over the group's subnets in turn; the zone with the fewest nodes
/// first. `Err` with a message if no subnet has a free address.
pub(crate) fn plan(
    core: &Core,
    cluster: &mut Cluster,
    group: &str,
    count: usize,
    minor: &str,
) -> Result<Vec<Node>, String> {
    let Some(found) = cluster.node_groups.get(group) else {
        return Ok(Vec::new());
    };
    let subnets = found.subnets.clone();
    let instance_type = found.instance_types.first().cloned().unwrap_or_default();
    let mut zones: Vec<String> = found.nodes.iter().map(|node| node.zone.clone()).collect();
    let mut planned = Vec::new();
    for _ in 0..count {
        let mut order: Vec<usize> = (0..subnets.len()).collect();
        order.sort_by_key(|index| {
            subnets.get(*index).map_or(0, |subnet| {
                zones.iter().filter(|zone| **zone == subnet.zone).count()
            })
        });
        let place = order.into_iter().find_map(|index| {
            let subnet = subnets.get(index)?;
            let address = take_address(subnet.base, subnet.prefix, &mut cluster.used_addresses)?;
            Some((subnet, address))
        });
        let Some((subnet, address)) = place else {
            for node in &planned {
                let node: &Node = node;
                cluster.used_addresses.remove(&node.address);
            }
            return Err("One or more subnets do not have enough free addresses".to_owned());
        };
        zones.push(subnet.zone.clone());
        let unique = uuid::Uuid::new_v4().simple().to_string();
        planned.push(Node {
            name: node_name(&core.config.region, address),
            instance_id: format!("i-0{}", unique.get(..16).unwrap_or(&unique)),
            address,
            zone: subnet.zone.clone(),
            zone_id: subnet.zone_id.clone(),
            instance_type: instance_type.clone(),
            kubelet_version: kubelet_version(core, minor),
        });
    }
    Ok(planned)
}

/// What the backend is to make of a node. Labels: EKS user guide, managed node groups, and
/// cloud-provider-aws (well-known labels).
pub(crate) fn spec(core: &Core, group: &NodeGroup, node: &Node) -> NodeSpec {
    let details = group.instance_details.first();
    let arm = |details: &InstanceType| details.architectures.iter().any(|a| a == "arm64");
    let custom = group.ami_type == "CUSTOM";
    let architecture = if group.ami_type.contains("ARM_64") || (custom && details.is_some_and(arm))
    {
        "arm64"
    } else {
        "amd64"
    };
    let mut labels = group.labels.clone();
    let region = &core.config.region;
    let own = [
        ("eks.amazonaws.com/nodegroup", group.name.as_str()),
        (
            "eks.amazonaws.com/nodegroup-image",
            if custom {
                group.release_version.as_str()
            } else {
                "ami-0e1b2c3d4f5a69788"
            },
        ),
        (
            "eks.amazonaws.com/capacityType",
            group.capacity_type.as_str(),
        ),
        ("topology.kubernetes.io/zone", node.zone.as_str()),
        ("topology.kubernetes.io/region", region.as_str()),
        ("topology.k8s.aws/zone-id", node.zone_id.as_str()),
        ("failure-domain.beta.kubernetes.io/zone", node.zone.as_str()),
        ("failure-domain.beta.kubernetes.io/region", region.as_str()),
        (
            "node.kubernetes.io/instance-type",
            node.instance_type.as_str(),
        ),
        (
            "beta.kubernetes.io/instance-type",
            node.instance_type.as_str(),
        ),
        ("kubernetes.io/hostname", node.name.as_str()),
        ("kubernetes.io/os", "linux"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", architecture),
        ("beta.kubernetes.io/arch", architecture),
    ];
    labels.extend(
        own.into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect::<BTreeMap<_, _>>(),
    );
    if let Some(template) = &group.launch_template {
        for (suffix, value) in [("Id", &template.id), ("Version", &template.version)] {
            labels.insert(
                format!("eks.amazonaws.com/sourceLaunchTemplate{suffix}"),
                value.clone(),
            );
        }
    }
    NodeSpec {
        name: node.name.clone(),
        provider_id: format!("aws:///{}/{}", node.zone, node.instance_id),
        internal_ip: node.address,
        kubelet_version: node.kubelet_version.clone(),
        labels,
        taints: group
            .taints
            .iter()
            .map(|taint| taint.to_node_taint())
            .collect(),
        capacity: NodeCapacity {
            cpus: details.map_or(2, |details| details.cpus),
            memory_mib: details.map_or(4096, |details| details.memory_mib),
            pods: details.map_or(17, |details| details.max_pods),
        },
        architecture: architecture.to_owned(),
        os_image: if group.ami_type.starts_with("BOTTLEROCKET") {
            "Bottlerocket OS (aws-k8s)".to_owned()
        } else {
            "Amazon Linux 2023".to_owned()
        },
    }
}

/// Makes the nodes Ready, all at once; the first failure's message is the error.
pub(crate) async fn apply(
    core: &Arc<Core>,
    cluster: &str,
    specs: Vec<NodeSpec>,
) -> Result<(), String> {
    let mut tasks = JoinSet::new();
    for spec in specs {
        let core = core.clone();
        let cluster = cluster.to_owned();
        tasks.spawn(async move {
            core.config
                .backend
                .apply_node(&cluster, spec)
                .await
                .map_err(|error| with_causes(&error))
        });
    }
    first_failure(tasks).await
}

/// Removes nodes of a group, all at once. Each is forgotten, and its address free again, when it is
/// gone; one that cannot be removed stays in the group.
pub(crate) async fn retire(
    core: &Arc<Core>,
    cluster: &str,
    group: &str,
    nodes: &[Node],
) -> Result<(), String> {
    let mut tasks = JoinSet::new();
    for node in nodes.iter().cloned() {
        let core = core.clone();
        let (cluster, group) = (cluster.to_owned(), group.to_owned());
        tasks.spawn(async move {
            core.config
                .backend
                .delete_node(&cluster, &node.name)
                .await
                .map_err(|error| with_causes(&error))?;
            if let Ok(found) = core.store().cluster_mut(&cluster) {
                found.used_addresses.remove(&node.address);
                if let Some(group) = found.node_groups.get_mut(&group) {
                    group.nodes.retain(|other| other.name != node.name);
                }
            }
            Ok(())
        });
    }
    first_failure(tasks).await
}

async fn first_failure(mut tasks: JoinSet<Result<(), String>>) -> Result<(), String> {
    let mut result = Ok(());
    while let Some(done) = tasks.join_next().await {
        let done = done.unwrap_or_else(|error| Err(error.to_string()));
        if result.is_ok() {
            result = done;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_leave_out_the_reserved_ones_and_end() {
        let base = Ipv4Addr::new(10, 0, 1, 0);
        let mut used = BTreeSet::new();
        let mut taken = Vec::new();
        while let Some(address) = take_address(base, 28, &mut used) {
            taken.push(address.octets()[3]);
        }
        assert_eq!(taken, (4..15).collect::<Vec<u8>>());
    }

    #[test]
    fn names_follow_the_region() {
        let address = Ipv4Addr::new(10, 0, 3, 17);
        let cases = [
            ("us-east-1", "ip-10-0-3-17.ec2.internal"),
            ("eu-west-1", "ip-10-0-3-17.eu-west-1.compute.internal"),
        ];
        for (region, expected) in cases {
            assert_eq!(node_name(region, address), expected);
        }
    }
}
