//! The Kubernetes objects of each add-on, with its configuration values in them.

use serde_json::{Map, Value, json};

const NAMESPACE: &str = "kube-system";

/// What the objects of an add-on are made from.
pub(crate) struct Input<'a> {
    pub addon: &'a str,
    pub version: &'a str,
    pub cluster: &'a str,
    pub endpoint: &'a str,
    pub region: &'a str,
    pub service_ipv4_cidr: &'a str,
    /// configurationValues, which the add-on's schema allows.
    pub values: &'a Value,
    pub service_account_role: Option<&'a str>,
}

/// The objects of the add-on, in the order of their making. Source of names and kinds: the manifests
/// of aws/amazon-vpc-cni-k8s, coredns/deployment, kubernetes-sigs/aws-ebs-csi-driver,
/// kubernetes-sigs/metrics-server and aws/eks-pod-identity-agent. Probes, volumes, RBAC rules and
/// sidecars that nothing in the lab would run are left out.
pub(crate) fn objects(input: &Input<'_>) -> Vec<Value> {
    match input.addon {
        "vpc-cni" => vpc_cni(input),
        "coredns" => coredns(input),
        "kube-proxy" => kube_proxy(input),
        "eks-pod-identity-agent" => pod_identity_agent(input),
        "aws-ebs-csi-driver" => ebs_csi_driver(input),
        "metrics-server" => metrics_server(input),
        _ => Vec::new(),
    }
}

impl Input<'_> {
    /// Source of the registry: EKS user guide, Amazon container image registries.
    fn image(&self, repository: &str) -> String {
        format!(
            "602401143452.dkr.ecr.{}.amazonaws.com/{repository}:{}",
            self.region, self.version
        )
    }

    fn labels(&self, name: &str) -> Value {
        json!({
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/instance": self.addon,
            "app.kubernetes.io/managed-by": "EKS",
            "app.kubernetes.io/version": self.version,
        })
    }

    fn service_account(&self, name: &str, takes_role: bool) -> Value {
        let mut object = json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": name, "namespace": NAMESPACE, "labels": self.labels(name) },
        });
        if let (true, Some(role)) = (takes_role, self.service_account_role) {
            merge(
                &mut object,
                json!({ "metadata": { "annotations": { "eks.amazonaws.com/role-arn": role } } }),
            );
        }
        object
    }

    fn config_map(&self, name: &str, data: Value) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": NAMESPACE, "labels": self.labels(name) },
            "data": data,
        })
    }

    fn role(&self, name: &str, account: &str, rules: Value) -> [Value; 2] {
        // Names of roles may have colons, label values may not.
        let labels = self.labels(account);
        [
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": { "name": name, "labels": labels }, "rules": rules,
            }),
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "metadata": { "name": name, "labels": labels },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
                "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": NAMESPACE }],
            }),
        ]
    }

    fn budget(&self, name: &str, selector: &Value, values: &Value) -> Option<Value> {
        if values["enabled"] == json!(false) {
            return None;
        }
        let spec = match (&values["minAvailable"], &values["maxUnavailable"]) {
            (Value::Null, Value::Null) => json!({ "maxUnavailable": 1 }),
            (Value::Null, most) => json!({ "maxUnavailable": most }),
            (least, _) => json!({ "minAvailable": least }),
        };
        let mut object = json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": { "name": name, "namespace": NAMESPACE, "labels": self.labels(name) },
            "spec": { "selector": { "matchLabels": selector } },
        });
        merge(&mut object, json!({ "spec": spec }));
        Some(object)
    }

    /// A Deployment or DaemonSet; `values` may set resources of the first container, tolerations,
    /// affinity, nodeSelector, podLabels, podAnnotations and topologySpreadConstraints.
    fn workload(
        &self,
        kind: &str,
        name: &str,
        selector: &Value,
        pod: Value,
        values: &Value,
    ) -> Value {
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": kind,
            "metadata": { "name": name, "namespace": NAMESPACE, "labels": self.labels(name) },
            "spec": {
                "selector": { "matchLabels": selector },
                "template": { "metadata": { "labels": selector }, "spec": pod },
            },
        });
        let template = &mut object["spec"]["template"];
        for (member, place) in [("podLabels", "labels"), ("podAnnotations", "annotations")] {
            if values[member].is_object() {
                let mut change = Map::new();
                change.insert(place.to_owned(), values[member].clone());
                merge(&mut template["metadata"], Value::Object(change));
            }
        }
        for member in [
            "tolerations",
            "affinity",
            "nodeSelector",
            "topologySpreadConstraints",
        ] {
            if !values[member].is_null() {
                template["spec"][member] = values[member].clone();
            }
        }
        if values["resources"].is_object() {
            template["spec"]["containers"][0]["resources"] = values["resources"].clone();
        }
        object
    }
}

/// Puts the members of `change` into `value`, objects into objects.
fn merge(value: &mut Value, change: Value) {
    match (value, change) {
        (Value::Object(members), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(members.entry(name).or_insert(Value::Null), change);
            }
        }
        (value, change) => *value = change,
    }
}

/// Tolerates every taint, as what runs on each node does.
fn everywhere() -> Value {
    json!([{ "operator": "Exists" }])
}

/// Environment variables: the defaults with the configured values over them, sorted by name.
fn environment(defaults: &[(&str, &str)], values: &Value) -> Value {
    let mut all: Map<String, Value> = defaults
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    all.extend(values.as_object().cloned().unwrap_or_default());
    // Names sort the same way each time, so that applying again changes nothing.
    let sorted: std::collections::BTreeMap<String, Value> = all.into_iter().collect();
    sorted
        .into_iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

fn vpc_cni(input: &Input<'_>) -> Vec<Value> {
    let values = input.values;
    let selector = json!({ "k8s-app": "aws-node" });
    let flag = |value: &Value| value == "true";
    let agent = &values["nodeAgent"];
    let arguments: Vec<String> = [
        (
            "enable-network-policy",
            flag(&values["enableNetworkPolicy"]),
        ),
        (
            "enable-cloudwatch-logs",
            flag(&agent["enableCloudWatchLogs"]),
        ),
        (
            "enable-policy-event-logs",
            flag(&agent["enablePolicyEventLogs"]),
        ),
    ]
    .iter()
    .map(|(name, on)| format!("--{name}={on}"))
    .collect();
    let mut containers = vec![json!({
        "name": "aws-node",
        "image": input.image("amazon-k8s-cni"),
        "env": environment(
            &[
                ("AWS_VPC_ENI_MTU", "9001"),
                ("AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"),
                ("CLUSTER_ENDPOINT", input.endpoint),
                ("CLUSTER_NAME", input.cluster),
                ("ENABLE_PREFIX_DELEGATION", "false"),
                ("WARM_ENI_TARGET", "1"),
                ("WARM_PREFIX_TARGET", "1"),
            ],
            &values["env"],
        ),
        "resources": { "requests": { "cpu": "25m" } },
    })];
    if agent["enabled"] != json!(false) {
        let mut node_agent = json!({
            "name": "aws-eks-nodeagent",
            "image": input.image("amazon/aws-network-policy-agent"),
            "args": arguments,
        });
        if agent["resources"].is_object() {
            node_agent["resources"] = agent["resources"].clone();
        }
        containers.push(node_agent);
    }
    let pod = json!({
        "serviceAccountName": "aws-node",
        "priorityClassName": "system-node-critical",
        "hostNetwork": true,
        "tolerations": everywhere(),
        "initContainers": [{
            "name": "aws-vpc-cni-init",
            "image": input.image("amazon-k8s-cni-init"),
            "env": environment(&[("DISABLE_TCP_EARLY_DEMUX", "false")], &values["init"]["env"]),
        }],
        "containers": containers,
    });
    let mut objects = vec![input.service_account("aws-node", true)];
    objects.extend(input.role(
        "aws-node",
        "aws-node",
        json!([{ "apiGroups": [""], "resources": ["namespaces", "nodes", "pods"], "verbs": ["get", "list", "watch"] }]),
    ));
    let text = |value: &Value, default: &str| value.as_str().unwrap_or(default).to_owned();
    objects.push(input.config_map(
        "amazon-vpc-cni",
        json!({
            "enable-network-policy-controller": text(&values["enableNetworkPolicy"], "false"),
            "enable-windows-ipam": text(&values["enableWindowsIpam"], "false"),
            "enable-windows-prefix-delegation":
                text(&values["enableWindowsPrefixDelegation"], "false"),
            "branch-eni-cooldown": values["branchENICooldown"].as_u64().unwrap_or(60).to_string(),
        }),
    ));
    objects.push(input.workload("DaemonSet", "aws-node", &selector, pod, values));
    objects
}

/// Source of the Corefile: EKS user guide, coredns.
const COREFILE: &str = ".:53 {
    errors
    health {
        lameduck 5s
      }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
";

/// The address of cluster DNS: the tenth of the service block. Source: EKS user guide, coredns.
fn dns_address(service_ipv4_cidr: &str) -> Option<String> {
    let base: std::net::Ipv4Addr = service_ipv4_cidr.split('/').next()?.parse().ok()?;
    Some(std::net::Ipv4Addr::from(u32::from(base).checked_add(10)?).to_string())
}

fn coredns(input: &Input<'_>) -> Vec<Value> {
    let values = input.values;
    let selector = json!({ "eks.amazonaws.com/component": "coredns", "k8s-app": "kube-dns" });
    let pod = json!({
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "tolerations": [
            { "key": "CriticalAddonsOnly", "operator": "Exists" },
            { "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" },
        ],
        "containers": [{
            "name": "coredns",
            "image": input.image("eks/coredns"),
            "args": ["-conf", "/etc/coredns/Corefile"],
            "resources": { "limits": { "memory": "170Mi" }, "requests": { "cpu": "100m", "memory": "70Mi" } },
            "volumeMounts": [{ "name": "config-volume", "mountPath": "/etc/coredns", "readOnly": true }],
        }],
        "volumes": [{ "name": "config-volume", "configMap": { "name": "coredns" } }],
    });
    let corefile = values["corefile"].as_str().unwrap_or(COREFILE);
    let mut objects = vec![input.service_account("coredns", false)];
    objects.extend(input.role(
        "system:coredns",
        "coredns",
        json!([{ "apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"] }]),
    ));
    objects.push(input.config_map("coredns", json!({ "Corefile": corefile })));
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "kube-dns", "namespace": NAMESPACE, "labels": input.labels("kube-dns") },
        "spec": {
            "selector": { "k8s-app": "kube-dns" },
            "ports": [
                { "name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53 },
                { "name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53 },
            ],
        },
    });
    if let Some(address) = dns_address(input.service_ipv4_cidr) {
        merge(&mut service, json!({ "spec": { "clusterIP": address } }));
    }
    objects.push(service);
    objects.extend(input.budget("coredns", &selector, &values["podDisruptionBudget"]));
    let mut deployment = input.workload("Deployment", "coredns", &selector, pod, values);
    deployment["spec"]["replicas"] = values["replicaCount"]
        .as_u64()
        .map_or(json!(2), |count| json!(count));
    objects.push(deployment);
    objects
}

fn kube_proxy(input: &Input<'_>) -> Vec<Value> {
    let values = input.values;
    let selector = json!({ "k8s-app": "kube-proxy" });
    let pod = json!({
        "serviceAccountName": "kube-proxy",
        "priorityClassName": "system-node-critical",
        "hostNetwork": true,
        "tolerations": everywhere(),
        "containers": [{
            "name": "kube-proxy",
            "image": input.image("eks/kube-proxy"),
            "command": ["kube-proxy", "--v=2", "--config=/var/lib/kube-proxy-config/config"],
            "resources": { "requests": { "cpu": "100m" } },
        }],
    });
    let config = format!(
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nipvs:\n  scheduler: {}\nmode: {}\n",
        serde_json::to_string(&values["ipvs"]["scheduler"].as_str().unwrap_or_default())
            .unwrap_or_default(),
        serde_json::to_string(&values["mode"].as_str().unwrap_or("iptables")).unwrap_or_default(),
    );
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: {}\n  name: default\n",
        input.endpoint
    );
    let mut objects = vec![input.service_account("kube-proxy", false)];
    objects.extend(input.role(
        "eks:kube-proxy",
        "kube-proxy",
        json!([{ "apiGroups": ["", "discovery.k8s.io"], "resources": ["nodes", "services", "endpointslices"], "verbs": ["get", "list", "watch"] }]),
    ));
    objects.push(input.config_map("kube-proxy", json!({ "kubeconfig": kubeconfig })));
    objects.push(input.config_map("kube-proxy-config", json!({ "config": config })));
    objects.push(input.workload("DaemonSet", "kube-proxy", &selector, pod, values));
    objects
}

fn pod_identity_agent(input: &Input<'_>) -> Vec<Value> {
    let values = input.values;
    let selector = json!({
        "app.kubernetes.io/instance": "eks-pod-identity-agent",
        "app.kubernetes.io/name": "eks-pod-identity-agent",
    });
    let agent = &values["agent"];
    let mut arguments: Vec<String> = vec![
        "--port=80".to_owned(),
        format!("--cluster-name={}", input.cluster),
        format!(
            "--probe-port={}",
            agent["probePort"].as_u64().unwrap_or(2703)
        ),
    ];
    for (name, value) in agent["additionalArgs"].as_object().into_iter().flatten() {
        arguments.push(format!("{name}={}", value.as_str().unwrap_or_default()));
    }
    let pod = json!({
        "priorityClassName": values["priorityClassName"].as_str().unwrap_or("system-node-critical"),
        "hostNetwork": true,
        "tolerations": everywhere(),
        "containers": [{
            "name": "eks-pod-identity-agent",
            "image": input.image("eks/eks-pod-identity-agent"),
            "command": ["/go-runner", "/eks-pod-identity-agent", "server"],
            "args": arguments,
        }],
    });
    let mut workload = input.workload(
        "DaemonSet",
        "eks-pod-identity-agent",
        &selector,
        pod,
        values,
    );
    if values["updateStrategy"].is_object() {
        workload["spec"]["updateStrategy"] = values["updateStrategy"].clone();
    }
    vec![workload]
}

fn ebs_csi_driver(input: &Input<'_>) -> Vec<Value> {
    let (controller, node) = (&input.values["controller"], &input.values["node"]);
    let account = controller["serviceAccount"]["name"]
        .as_str()
        .unwrap_or("ebs-csi-controller-sa");
    let level = |values: &Value| values["logLevel"].as_u64().unwrap_or(2);
    let mut arguments = vec![
        "controller".to_owned(),
        format!(
            "--k8s-tag-cluster-id={}",
            controller["k8sTagClusterId"]
                .as_str()
                .unwrap_or(input.cluster)
        ),
        format!("-v={}", level(controller)),
    ];
    if let Some(tags) = controller["extraVolumeTags"].as_object() {
        let pairs: Vec<String> = tags
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        arguments.push(format!("--extra-tags={}", pairs.join(",")));
    }
    let image = input.image("eks/aws-ebs-csi-driver");
    let controller_selector = json!({ "app": "ebs-csi-controller" });
    let mut deployment = input.workload(
        "Deployment",
        "ebs-csi-controller",
        &controller_selector,
        json!({
            "serviceAccountName": account,
            "priorityClassName": "system-cluster-critical",
            "containers": [{ "name": "ebs-plugin", "image": image, "args": arguments }],
        }),
        controller,
    );
    deployment["spec"]["replicas"] = controller["replicaCount"]
        .as_u64()
        .map_or(json!(2), |count| json!(count));
    let mut node_arguments = vec!["node".to_owned(), format!("-v={}", level(node))];
    for (member, flag) in [
        ("volumeAttachLimit", "volume-attach-limit"),
        ("reservedVolumeAttachments", "reserved-volume-attachments"),
    ] {
        if let Some(number) = node[member].as_u64() {
            node_arguments.push(format!("--{flag}={number}"));
        }
    }
    let daemon = input.workload(
        "DaemonSet",
        "ebs-csi-node",
        &json!({ "app": "ebs-csi-node" }),
        json!({
            "serviceAccountName": "ebs-csi-node-sa",
            "priorityClassName": "system-node-critical",
            "tolerations": everywhere(),
            "containers": [{ "name": "ebs-plugin", "image": image, "args": node_arguments }],
        }),
        node,
    );
    let mut objects = vec![
        input.service_account(account, true),
        input.service_account("ebs-csi-node-sa", false),
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver",
            "metadata": { "name": "ebs.csi.aws.com", "labels": input.labels("aws-ebs-csi-driver") },
            "spec": { "attachRequired": true, "podInfoOnMount": false },
        }),
    ];
    if input.values["defaultStorageClass"]["enabled"] == json!(true) {
        objects.push(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {
                "name": "ebs-csi-default-sc",
                "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
                "labels": input.labels("aws-ebs-csi-driver"),
            },
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": true,
        }));
    }
    objects.extend([deployment, daemon]);
    objects
}

/// Without its APIService: nothing would answer it, and an API group without an answer fails the
/// discovery of every client.
fn metrics_server(input: &Input<'_>) -> Vec<Value> {
    let values = input.values;
    let selector = json!({
        "app.kubernetes.io/instance": "metrics-server",
        "app.kubernetes.io/name": "metrics-server",
    });
    let mut arguments = vec![json!("--secure-port=10251")];
    arguments.extend(values["args"].as_array().cloned().unwrap_or_default());
    let pod = json!({
        "serviceAccountName": "metrics-server",
        "priorityClassName": "system-cluster-critical",
        "containers": [{
            "name": "metrics-server",
            "image": input.image("eks/metrics-server"),
            "args": arguments,
            "resources": { "requests": { "cpu": "100m", "memory": "200Mi" } },
        }],
    });
    let mut deployment = input.workload("Deployment", "metrics-server", &selector, pod, values);
    deployment["spec"]["replicas"] = values["replicas"]
        .as_u64()
        .map_or(json!(2), |count| json!(count));
    if values["updateStrategy"].is_object() {
        deployment["spec"]["strategy"] = values["updateStrategy"].clone();
    }
    let mut objects = vec![input.service_account("metrics-server", false)];
    objects.extend(input.role(
        "system:metrics-server",
        "metrics-server",
        json!([{ "apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"] }]),
    ));
    objects.push(json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "metrics-server", "namespace": NAMESPACE, "labels": input.labels("metrics-server") },
        "spec": { "selector": selector, "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": 10251 }] },
    }));
    objects.extend(input.budget("metrics-server", &selector, &values["podDisruptionBudget"]));
    objects.push(deployment);
    objects
}

/// The object without a field that another manager owns, named as Kubernetes names it in a
/// conflict, such as `.spec.template.spec.containers[name="coredns"].image`.
pub(crate) fn without_field(object: &mut Value, field: &str) {
    let Some(rest) = field.strip_prefix('.') else {
        return;
    };
    let Some(members) = object.as_object_mut() else {
        return;
    };
    // Keys may have dots in them, so the keys there are decide; the longest that fits is meant.
    let key = members
        .keys()
        .filter(|key| {
            rest.strip_prefix(key.as_str())
                .is_some_and(|after| after.is_empty() || after.starts_with(['.', '[']))
        })
        .max_by_key(|key| key.len())
        .cloned();
    let Some(key) = key else {
        return;
    };
    let after = rest.get(key.len()..).unwrap_or_default();
    if after.is_empty() {
        members.remove(&key);
        return;
    }
    let Some(inner) = members.get_mut(&key) else {
        return;
    };
    let Some((selector, after)) = after
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    else {
        without_field(inner, after);
        return;
    };
    let keys: Vec<(&str, Value)> = selector
        .split(',')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name, serde_json::from_str(value).ok()?))
        })
        .collect();
    let Some(items) = inner.as_array_mut() else {
        return;
    };
    let is_meant =
        |item: &Value| !keys.is_empty() && keys.iter().all(|(name, value)| item[*name] == *value);
    if after.is_empty() {
        items.retain(|item| !is_meant(item));
    } else if let Some(item) = items.iter_mut().find(|item| is_meant(item)) {
        without_field(item, after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input<'a>(addon: &'a str, values: &'a Value) -> Input<'a> {
        Input {
            addon,
            version: "v1-eksbuild.1",
            cluster: "c",
            endpoint: "https://c",
            region: "us-east-1",
            service_ipv4_cidr: "172.20.0.0/16",
            values,
            service_account_role: Some("arn:aws:iam::1:role/r"),
        }
    }

    #[test]
    fn every_addon_has_its_objects() {
        let table = [
            (
                "vpc-cni",
                "ServiceAccount aws-node, ClusterRole aws-node, ClusterRoleBinding aws-node, ConfigMap amazon-vpc-cni, DaemonSet aws-node",
            ),
            (
                "coredns",
                "ServiceAccount coredns, ClusterRole system:coredns, ClusterRoleBinding system:coredns, ConfigMap coredns, Service kube-dns, PodDisruptionBudget coredns, Deployment coredns",
            ),
            (
                "kube-proxy",
                "ServiceAccount kube-proxy, ClusterRole eks:kube-proxy, ClusterRoleBinding eks:kube-proxy, ConfigMap kube-proxy, ConfigMap kube-proxy-config, DaemonSet kube-proxy",
            ),
            ("eks-pod-identity-agent", "DaemonSet eks-pod-identity-agent"),
            (
                "aws-ebs-csi-driver",
                "ServiceAccount ebs-csi-controller-sa, ServiceAccount ebs-csi-node-sa, CSIDriver ebs.csi.aws.com, Deployment ebs-csi-controller, DaemonSet ebs-csi-node",
            ),
            (
                "metrics-server",
                "ServiceAccount metrics-server, ClusterRole system:metrics-server, ClusterRoleBinding system:metrics-server, Service metrics-server, PodDisruptionBudget metrics-server, Deployment metrics-server",
            ),
        ];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for (addon, expected) in table {
            let objects = objects(&input(addon, &json!({})));
            let names: Vec<String> = objects
                .iter()
                .map(|object| {
                    format!(
                        "{} {}",
                        text(&object["kind"]),
                        text(&object["metadata"]["name"])
                    )
                })
                .collect();
            assert_eq!(names.join(", "), expected);
        }
        assert_eq!(
            crate::addon_catalogue::CATALOGUE.len(),
            table.len(),
            "every add-on of the catalogue is in the table"
        );
    }

    #[test]
    fn configuration_values_are_in_the_objects() {
        // Add-on, values, which object (from the end), pointer into it, what is there.
        let cases = [
            (
                "coredns",
                json!({"replicaCount": 3}),
                0,
                "/spec/replicas",
                json!(3),
            ),
            (
                "coredns",
                json!({"resources": {"limits": {"cpu": "1"}}}),
                0,
                "/spec/template/spec/containers/0/resources",
                json!({"limits": {"cpu": "1"}}),
            ),
            (
                "coredns",
                json!({"corefile": "x"}),
                3,
                "/data/Corefile",
                json!("x"),
            ),
            (
                "vpc-cni",
                json!({"env": {"ENABLE_PREFIX_DELEGATION": "true"}}),
                0,
                "/spec/template/spec/containers/0/env/4",
                json!({"name": "ENABLE_PREFIX_DELEGATION", "value": "true"}),
            ),
            (
                "vpc-cni",
                json!({"enableNetworkPolicy": "true"}),
                0,
                "/spec/template/spec/containers/1/args/0",
                json!("--enable-network-policy=true"),
            ),
            (
                "vpc-cni",
                json!({}),
                4,
                "/metadata/annotations/eks.amazonaws.com~1role-arn",
                json!("arn:aws:iam::1:role/r"),
            ),
            (
                "metrics-server",
                json!({"replicas": 1, "podLabels": {"a": "b"}}),
                0,
                "/spec/template/metadata/labels/a",
                json!("b"),
            ),
            (
                "aws-ebs-csi-driver",
                json!({"controller": {"extraVolumeTags": {"a": "b"}}}),
                1,
                "/spec/template/spec/containers/0/args/3",
                json!("--extra-tags=a=b"),
            ),
        ];
        for (addon, values, back, pointer, expected) in cases {
            let schema = crate::addon_catalogue::find(addon)
                .unwrap()
                .schema()
                .unwrap();
            assert_eq!(
                crate::schema::complaints(&schema, &values),
                Vec::<String>::new()
            );
            let objects = objects(&input(addon, &values));
            let object = &objects[objects.len() - 1 - back];
            assert_eq!(
                object.pointer(pointer),
                Some(&expected),
                "{addon} {values}: {object}"
            );
        }
        let without = objects(&input(
            "coredns",
            &json!({"podDisruptionBudget": {"enabled": false}}),
        ));
        assert!(
            without
                .iter()
                .all(|object| object["kind"] != "PodDisruptionBudget")
        );
    }

    #[test]
    fn fields_are_taken_out_as_kubernetes_names_them() {
        let object = json!({
            "metadata": { "labels": { "app.kubernetes.io/name": "x", "app": "y" } },
            "spec": { "replicas": 2, "ports": [{ "port": 53, "protocol": "UDP" }, { "port": 53, "protocol": "TCP" }],
                "containers": [{ "name": "a", "image": "i" }, { "name": "b", "image": "j" }] },
        });
        // Field, pointer that is gone, pointer that stays.
        let cases = [
            (".spec.replicas", "/spec/replicas", "/spec/containers"),
            (
                ".metadata.labels.app.kubernetes.io/name",
                "/metadata/labels/app.kubernetes.io~1name",
                "/metadata/labels/app",
            ),
            (
                ".spec.containers[name=\"b\"].image",
                "/spec/containers/1/image",
                "/spec/containers/0/image",
            ),
            (
                ".spec.ports[port=53,protocol=\"TCP\"]",
                "/spec/ports/1",
                "/spec/ports/0",
            ),
        ];
        for (field, gone, stays) in cases {
            let mut changed = object.clone();
            assert!(changed.pointer(gone).is_some(), "{field}");
            without_field(&mut changed, field);
            assert_eq!(changed.pointer(gone), None, "{field}");
            assert!(changed.pointer(stays).is_some(), "{field}");
        }
        let mut changed = object.clone();
        without_field(&mut changed, ".spec.nothing");
        assert_eq!(changed, object);
    }
}
