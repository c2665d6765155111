use serde_json::{Value, json};

use super::*;

fn ready() -> Readiness {
    Readiness::Ready
}

fn waits(reason: &str) -> Readiness {
    Readiness::InProgress(reason.to_owned())
}

fn fails(reason: &str) -> Readiness {
    Readiness::Failed(reason.to_owned())
}

fn object(api_version: &str, kind: &str, spec: Value, status: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "generation": 2}, "spec": spec, "status": status})
}

fn condition(name: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": name, "status": status, "reason": reason, "message": message})
}

#[test]
fn deployments() {
    let deployment = |spec, status| object("apps/v1", "Deployment", spec, status);
    let cases = [
        (
            deployment(json!({}), json!({})),
            waits("its controller has not seen it yet"),
        ),
        (
            deployment(json!({}), json!({"observedGeneration": 1})),
            waits("its controller has seen generation 1 of 2"),
        ),
        (
            deployment(
                json!({"replicas": 3}),
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 3, "availableReplicas": 3}),
            ),
            waits("1 of 3 replicas are of the new version"),
        ),
        (
            deployment(
                json!({"replicas": 3}),
                json!({"observedGeneration": 2, "replicas": 4, "updatedReplicas": 3, "readyReplicas": 4, "availableReplicas": 4}),
            ),
            waits("1 replicas of the old version are being ended"),
        ),
        (
            deployment(
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 0, "updatedReplicas": 0,
                "conditions": [condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota")]}),
            ),
            waits("0 of 2 replicas are of the new version; FailedCreate: exceeded quota"),
        ),
        (
            deployment(
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 1}),
            ),
            waits("1 of 2 replicas are ready"),
        ),
        (
            deployment(
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 1,
                "conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded", "has timed out progressing.")]}),
            ),
            fails("ProgressDeadlineExceeded: has timed out progressing."),
        ),
        (
            deployment(
                json!({}),
                json!({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}),
            ),
            ready(),
        ),
        (
            deployment(json!({"replicas": 0}), json!({"observedGeneration": 2})),
            ready(),
        ),
    ];
    for (object, expected) in cases {
        assert_eq!(readiness(&object), expected, "{object}");
    }
}

#[test]
fn other_workloads() {
    let cases = [
        (
            object(
                "apps/v1",
                "StatefulSet",
                json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}),
                json!({"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 0}),
            ),
            waits("0 of 1 replicas are of the new version"),
        ),
        (
            object(
                "apps/v1",
                "StatefulSet",
                json!({"replicas": 1}),
                json!({"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "a"}),
            ),
            ready(),
        ),
        (
            object(
                "apps/v1",
                "StatefulSet",
                json!({"updateStrategy": {"type": "OnDelete"}}),
                json!({}),
            ),
            ready(),
        ),
        (
            object(
                "apps/v1",
                "DaemonSet",
                json!({}),
                json!({"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberReady": 2}),
            ),
            waits("2 of 3 pods are ready"),
        ),
        (
            object(
                "apps/v1",
                "DaemonSet",
                json!({}),
                json!({"observedGeneration": 2, "desiredNumberScheduled": 0}),
            ),
            ready(),
        ),
        (
            object(
                "apps/v1",
                "ReplicaSet",
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 2, "availableReplicas": 1}),
            ),
            waits("1 of 2 replicas are available"),
        ),
        (
            object(
                "batch/v1",
                "Job",
                json!({"completions": 2}),
                json!({"active": 1, "succeeded": 1}),
            ),
            waits("1 pods active, 1 succeeded of 2, 0 failed"),
        ),
        (
            object(
                "batch/v1",
                "Job",
                json!({}),
                json!({"conditions": [condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")]}),
            ),
            fails("BackoffLimitExceeded: Job has reached the specified backoff limit"),
        ),
        (
            object("batch/v1", "Job", json!({"suspend": true}), json!({})),
            ready(),
        ),
        (
            object(
                "batch/v1",
                "Job",
                json!({"suspend": true}),
                json!({"conditions": [condition("Failed", "True", "DeadlineExceeded", "too late")]}),
            ),
            fails("DeadlineExceeded: too late"),
        ),
        (
            object("batch/v1", "CronJob", json!({"suspend": true}), json!({})),
            ready(),
        ),
        (
            object(
                "batch/v1",
                "Job",
                json!({}),
                json!({"conditions": [condition("Complete", "True", "", "")]}),
            ),
            ready(),
        ),
    ];
    for (object, expected) in cases {
        assert_eq!(readiness(&object), expected, "{object}");
    }
}

#[test]
fn pods_name_the_container_and_the_reason() {
    let pod = |status| object("v1", "Pod", json!({}), status);
    let cases = [
        (
            pod(
                json!({"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available")]}),
            ),
            waits("Unschedulable: 0/3 nodes are available"),
        ),
        (
            pod(
                json!({"phase": "Pending", "containerStatuses": [{"name": "app", "restartCount": 0,
                "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\""}}}]}),
            ),
            waits("container app: ImagePullBackOff: Back-off pulling image \"x\""),
        ),
        (
            pod(
                json!({"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 1m20s"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]}),
            ),
            waits(
                "container app: CrashLoopBackOff after 4 restarts: last exit OOMKilled, exit code 137",
            ),
        ),
        (
            pod(
                json!({"phase": "Pending", "containerStatuses": [{"name": "app", "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}]}),
            ),
            waits("phase Pending, not Ready"),
        ),
        (
            pod(json!({"phase": "Running", "conditions": [condition("Ready", "True", "", "")]})),
            ready(),
        ),
        (pod(json!({"phase": "Succeeded"})), ready()),
        (
            pod(json!({"phase": "Failed", "reason": "Evicted"})),
            fails("phase Failed: Evicted"),
        ),
    ];
    for (object, expected) in cases {
        assert_eq!(readiness(&object), expected, "{object}");
    }
}

#[test]
fn the_other_kinds() {
    let definition = |conditions: Value| {
        object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            json!({}),
            json!({"conditions": conditions}),
        )
    };
    let custom = |status| object("example.com/v1", "Widget", json!({}), status);
    let cases = [
        (object("v1", "ConfigMap", json!({}), json!({})), ready()),
        (
            object("v1", "Namespace", json!({}), json!({"phase": "Active"})),
            ready(),
        ),
        (
            object("v1", "Namespace", json!({}), json!({})),
            waits("it has no phase yet"),
        ),
        (
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Terminating", "conditions": [
                    condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", "example.com/hold in 1 resource instances")]}}),
            waits(
                "it is being deleted and waits for NamespaceFinalizersRemaining: example.com/hold in 1 resource instances",
            ),
        ),
        (
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "deletionTimestamp": "t", "finalizers": ["example.com/hold"]}}),
            waits("it is being deleted and waits for finalizers example.com/hold"),
        ),
        (definition(json!([])), waits("it is not Established")),
        (
            definition(json!([
                condition("NamesAccepted", "True", "", ""),
                condition("Established", "True", "", "")
            ])),
            ready(),
        ),
        (
            definition(json!([condition(
                "NamesAccepted",
                "False",
                "ListKindConflict",
                "WidgetList is already in use"
            )])),
            fails("NamesAccepted is False: ListKindConflict: WidgetList is already in use"),
        ),
        (
            object(
                "v1",
                "PersistentVolumeClaim",
                json!({}),
                json!({"phase": "Bound"}),
            ),
            ready(),
        ),
        (
            object(
                "v1",
                "PersistentVolumeClaim",
                json!({}),
                json!({"phase": "Lost"}),
            ),
            fails("its volume is lost (phase Lost)"),
        ),
        (
            object(
                "v1",
                "Service",
                json!({"type": "ClusterIP"}),
                json!({"loadBalancer": {}}),
            ),
            ready(),
        ),
        (
            object(
                "v1",
                "Service",
                json!({"type": "LoadBalancer"}),
                json!({"loadBalancer": {}}),
            ),
            waits("its load balancer has no address yet; does a load balancer controller run?"),
        ),
        (
            object(
                "v1",
                "Service",
                json!({"type": "LoadBalancer"}),
                json!({"loadBalancer": {"ingress": [{"hostname": "h"}]}}),
            ),
            ready(),
        ),
        (
            object(
                "apiregistration.k8s.io/v1",
                "APIService",
                json!({}),
                json!({"conditions": [condition("Available", "False", "MissingEndpoints", "no endpoints")]}),
            ),
            waits("Available is False: MissingEndpoints: no endpoints"),
        ),
        (
            object(
                "policy/v1",
                "PodDisruptionBudget",
                json!({}),
                json!({"observedGeneration": 2, "conditions": [condition("DisruptionAllowed", "False", "InsufficientPods", "")]}),
            ),
            ready(),
        ),
        (custom(json!({})), ready()),
        (
            custom(
                json!({"conditions": [condition("Ready", "False", "Issuing", "waiting for order")]}),
            ),
            waits("Ready is False: Issuing: waiting for order"),
        ),
        (
            custom(json!({"conditions": [condition("Ready", "True", "", "")]})),
            ready(),
        ),
        (
            custom(
                json!({"conditions": [condition("Stalled", "True", "BadSpec", "no such issuer")]}),
            ),
            fails("BadSpec: no such issuer"),
        ),
        (
            custom(json!({"observedGeneration": 1})),
            waits("its controller has seen generation 1 of 2"),
        ),
    ];
    for (object, expected) in cases {
        assert_eq!(readiness(&object), expected, "{object}");
    }
}
