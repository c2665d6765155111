//! What a set consists of and what a plan says, from manifests alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may panic"
)]

use std::collections::BTreeMap;

use devopsgenie_bootstrap::plan::{
    AddonInput, AddonSource, BaselineInputs, DesiredSet, ObjectRecord, Records, Salt, Stage,
    changes, render,
};

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template:
    spec:
      containers:
      - {name: web, image: 'nginx:1.27'}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: hunter2}
";

fn manifests(name: &str, namespace: Option<&str>, texts: &[&str]) -> AddonInput {
    AddonInput {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        source: AddonSource::Manifests(texts.iter().map(|text| (*text).to_owned()).collect()),
    }
}

fn set(texts: &[&str]) -> DesiredSet {
    render("platform", &[manifests("web", Some("team-a"), texts)]).unwrap()
}

fn salt() -> Salt {
    Salt::new([1; 16])
}

/// The records as after an apply in which the server stored exactly what was sent.
fn records(set: &DesiredSet) -> Records {
    set.iter()
        .map(|(key, object)| {
            let record = ObjectRecord::new(
                object.reference.clone(),
                &object.object,
                &object.object,
                &salt(),
            );
            (key.clone(), record)
        })
        .collect()
}

fn plan(before: &str, after: &str) -> BTreeMap<String, String> {
    let (old, new) = (set(&[before]), set(&[after]));
    changes(&old.digests(), &records(&old), Some(&salt()), &new)
}

#[test]
fn the_changes_name_objects_and_fields_and_no_secret() {
    let cases = [
        (WEB.to_owned(), ""),
        (
            WEB.replace("replicas: 2", "replicas: 3"),
            "apps/Deployment/team-a/web => spec.replicas: 2 -> 3",
        ),
        (
            WEB.replace("1.27", "1.28")
                .replace("replicas: 2", "paused: true"),
            "apps/Deployment/team-a/web => spec.paused: added true; spec.replicas: removed (was 2); \
             spec.template.spec.containers[name=web].image: \"nginx:1.27\" -> \"nginx:1.28\"",
        ),
        (
            WEB.replace("hunter2", "hunter3"),
            "Secret/team-a/login => data.password: (sensitive value changed)",
        ),
        (
            WEB.replace("password: hunter2", "token: hunter2"),
            "Secret/team-a/login => data.password: (sensitive value removed); data.token: (sensitive value added)",
        ),
        (
            WEB.replace("name: login", "name: account"),
            "Secret/team-a/account => create\nSecret/team-a/login => delete",
        ),
        // Neither order nor style nor what a cluster adds is a change.
        (
            WEB.replace(
                "metadata: {name: web}",
                "metadata:\n  creationTimestamp: null\n  name: \"web\"",
            ) + "status: {}\n",
            "",
        ),
    ];
    for (after, expected) in cases {
        let told: Vec<_> = plan(WEB, &after)
            .into_iter()
            .map(|(key, text)| format!("{key} => {text}"))
            .collect();
        assert_eq!(told.join("\n"), expected, "{after}");
    }
}

#[test]
fn a_field_that_cannot_change_replaces_the_object() {
    let class = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, provisioner: ebs.csi.aws.com, \
                 allowVolumeExpansion: false}";
    let claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {storageClassName: gp2, \
                 accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";
    let cases = [
        (
            class,
            "storage.k8s.io/StorageClass/fast",
            class.replace("false", "true"),
            "allowVolumeExpansion: false -> true",
        ),
        // The reason comes first.
        (
            class,
            "storage.k8s.io/StorageClass/fast",
            class
                .replace("ebs.csi.aws.com", "other")
                .replace("{name: fast}", "{name: fast, labels: {a: b}}"),
            "replace: provisioner: \"ebs.csi.aws.com\" -> \"other\"; metadata.labels.a: added \"b\"",
        ),
        // Its data would be lost: the API server refuses it.
        (
            claim,
            "PersistentVolumeClaim/team-a/data",
            claim.replace("gp2", "gp3"),
            "spec.storageClassName: \"gp2\" -> \"gp3\"",
        ),
    ];
    for (before, key, after, expected) in cases {
        assert_eq!(plan(before, &after)[key], expected);
    }
}

#[test]
fn drift_found_by_a_read_is_told_and_repaired() {
    let set = set(&[WEB]);
    let mut records = records(&set);
    let mut state = set.digests();
    let deployment = "apps/Deployment/team-a/web";
    let mut live = set.get(deployment).unwrap().object.clone();
    live["spec"]["replicas"] = 5.into();
    records
        .get_mut(deployment)
        .unwrap()
        .observe(Some(&live), &salt());
    records
        .get_mut("Secret/team-a/login")
        .unwrap()
        .observe(None, &salt());
    state.remove("Secret/team-a/login");
    state.insert(deployment.to_owned(), "drifted".to_owned());
    insta::assert_json_snapshot!(changes(&state, &records, Some(&salt()), &set), @r#"
    {
      "Secret/team-a/login": "create (it was deleted outside of Terraform)",
      "apps/Deployment/team-a/web": "spec.replicas: 5 -> 2 (changed outside of Terraform)"
    }
    "#);
}

#[test]
fn a_long_change_is_bounded() {
    let many = |prefix: &str| {
        let data: String = (0..30).map(|n| format!("  k{n}: {prefix}{n}\n")).collect();
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{data}  long: {}\n",
            prefix.repeat(500)
        )
    };
    let told = plan(&many("a"), &many("b"));
    let text = &told["ConfigMap/team-a/c"];
    assert!(text.ends_with("; and 23 more fields"), "{text}");
    assert!(text.len() < 600, "{text}");
}

#[test]
fn a_state_without_private_data_still_says_what_changes() {
    let old = set(&[WEB]);
    let new = set(&[&WEB.replace("replicas: 2", "replicas: 3")]);
    let told = changes(&old.digests(), &Records::new(), None, &new);
    assert_eq!(
        told,
        BTreeMap::from([("apps/Deployment/team-a/web".to_owned(), "update".to_owned())])
    );
}

#[test]
fn keys_namespaces_and_stages() {
    let crd = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Widget, plural: widgets}}
---
{apiVersion: example.com/v1, kind: Widget, metadata: {name: w, namespace: dropped}}
---
{apiVersion: other.io/v1, kind: Gadget, metadata: {name: g}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: team-a}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: elsewhere}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: v}}
";
    let set = set(&[crd]);
    let mut found: Vec<_> = set
        .iter()
        .map(|(key, object)| (object.stage, key.as_str()))
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            (Stage::Namespaces, "Namespace/team-a"),
            (
                Stage::Definitions,
                "apiextensions.k8s.io/CustomResourceDefinition/widgets.example.com"
            ),
            (Stage::Foundations, "ConfigMap/elsewhere/c"),
            (
                Stage::Foundations,
                "rbac.authorization.k8s.io/ClusterRole/r"
            ),
            (Stage::Workloads, "apps/Deployment/team-a/d"),
            (
                Stage::Extensions,
                "admissionregistration.k8s.io/ValidatingWebhookConfiguration/v"
            ),
            (Stage::CustomResources, "example.com/Widget/w"),
            (Stage::CustomResources, "other.io/Gadget/team-a/g"),
        ]
    );
}

#[test]
fn wrong_manifests_are_refused_with_their_place() {
    let cases = [
        (
            "kind: ConfigMap\nmetadata: {name: a}\n",
            "document 1, line 1: apiVersion is missing in this ConfigMap",
        ),
        (
            "apiVersion: v1\nmetadata: {name: a}\n",
            "document 1, line 1: kind is missing; every object needs apiVersion, kind and metadata.name",
        ),
        (
            "\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n",
            "document 1, line 3: metadata.name is missing in this ConfigMap, or is not a string (quote names that look like numbers)",
        ),
        (
            "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n",
            "document 1, line 1: this Job uses metadata.generateName, which makes a new object on every apply; give it metadata.name",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {n: 1}}\n",
            "document 1, line 1: metadata.labels[\"n\"] of ConfigMap a is not a string; put it in quotes",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {pin: 1234}\n",
            "document 1, line 1: data[\"pin\"] of Secret a is not a string; put base64 in quotes there, or the plain value in stringData",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {pin: hunter2}\n",
            "document 1, line 1: data[\"pin\"] of Secret a is not base64; plain values belong in stringData",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: hunter2\n",
            "document 1, line 1: stringData of Secret a is no mapping",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team-a}\n",
            "document 2, line 5: ConfigMap/team-a/a is in the set already (add-on web, manifest 0, document 1); an object can come from one place only",
        ),
    ];
    for (text, expected) in cases {
        let errors = render("platform", &[manifests("web", Some("team-a"), &[text])]).unwrap_err();
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(told, [expected]);
        assert_eq!(
            (errors[0].addon.as_str(), errors[0].manifest),
            ("web", Some(0))
        );
    }
}

#[test]
fn the_state_digest_of_a_secret_does_not_depend_on_its_values() {
    let (one, other) = (set(&[WEB]), set(&[&WEB.replace("hunter2", "hunter3")]));
    assert_eq!(one.digests(), other.digests());
    assert!(one.digests()["Secret/team-a/login"].starts_with("sha256:"));
}

#[test]
fn the_baseline_renders_what_its_inputs_ask_for() {
    let addon = |inputs| AddonInput {
        name: "baseline".to_owned(),
        namespace: None,
        source: AddonSource::Baseline(inputs),
    };
    let keys = |inputs| {
        let set = render("platform", &[addon(inputs)]).unwrap();
        set.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()
    };
    let defaults = keys(BaselineInputs {
        namespaces: vec!["team-a".to_owned()],
        ..BaselineInputs::default()
    });
    assert_eq!(
        defaults,
        [
            "LimitRange/team-a/baseline",
            "Namespace/team-a",
            "ResourceQuota/team-a/baseline",
            "networking.k8s.io/NetworkPolicy/team-a/allow-dns",
            "networking.k8s.io/NetworkPolicy/team-a/default-deny",
            "scheduling.k8s.io/PriorityClass/devopsgenie-critical",
            "scheduling.k8s.io/PriorityClass/devopsgenie-high",
            "scheduling.k8s.io/PriorityClass/devopsgenie-low",
        ]
    );
    let least = keys(BaselineInputs {
        namespaces: vec!["team-a".to_owned()],
        create_namespaces: Some(false),
        priority_classes: Some(BTreeMap::new()),
        default_deny: Some(false),
        resource_quota: Some(BTreeMap::new()),
        limit_range: Some(devopsgenie_bootstrap::plan::LimitRangeInputs {
            default_request: BTreeMap::new(),
            default_limit: BTreeMap::new(),
        }),
        read_only_groups: vec!["auditors".to_owned()],
        ..BaselineInputs::default()
    });
    assert_eq!(
        least,
        [
            "rbac.authorization.k8s.io/ClusterRole/devopsgenie-read-only",
            "rbac.authorization.k8s.io/ClusterRoleBinding/devopsgenie-read-only",
            "rbac.authorization.k8s.io/ClusterRoleBinding/devopsgenie-read-only-view",
        ]
    );
}
