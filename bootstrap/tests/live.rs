//! Add-on sets in a real API server with its controllers: the lab's, or the one of
//! `DEVOPSGENIE_TEST_KUBECONFIG`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may panic"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use devopsgenie_bootstrap::plan::{
    AddonInput, AddonSource, BaselineInputs, DesiredSet, Records, Salt, changes, render,
};
use devopsgenie_bootstrap::{
    Applied, ApplyRequest, Generation, Removed, SetIdentity, apply, new_salt, observe,
    read_inventory, remove,
};
use devopsgenie_kubernetes::{
    ApplyOptions, Cluster, Connection, KubeconfigFile, ListOptions, ObjectReference, describe,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

async fn kubeconfig() -> PathBuf {
    static LAB: OnceCell<devopsgenie_lab::Cluster> = OnceCell::const_new();
    if let Some(path) = std::env::var_os("DEVOPSGENIE_TEST_KUBECONFIG") {
        return path.into();
    }
    let lab = LAB
        .get_or_init(|| async {
            let tools = devopsgenie_lab::Toolbox::new()
                .unwrap()
                .kubernetes()
                .unwrap();
            let version = devopsgenie_lab::served_versions(&tools.version)
                .pop()
                .unwrap();
            let spec = devopsgenie_lab::ClusterSpec::new("bootstrap", &version);
            devopsgenie_lab::Cluster::start(&tools, spec).await.unwrap()
        })
        .await;
    lab.kubeconfig()
}

async fn cluster() -> Cluster {
    let file = KubeconfigFile {
        path: Some(kubeconfig().await),
        context: None,
    };
    Cluster::connect(&Connection::Kubeconfig(file))
        .await
        .unwrap()
}

/// One set, its inventory in a namespace of its own, so that tests do not meet.
struct Fixture {
    cluster: Cluster,
    set: SetIdentity,
    salt: Salt,
}

impl Fixture {
    async fn new(name: &str) -> Self {
        Self {
            cluster: cluster().await,
            set: SetIdentity {
                name: name.to_owned(),
                namespace: format!("inventory-{name}"),
                owner: "tests".to_owned(),
                field_manager: "devopsgenie".to_owned(),
            },
            salt: new_salt().unwrap(),
        }
    }

    /// Renders one add-on; `NS` in the manifest is the set's namespace for objects.
    fn render(&self, manifest: &str) -> DesiredSet {
        let addon = AddonInput {
            name: "web".to_owned(),
            namespace: Some(self.namespace()),
            source: AddonSource::Manifests(vec![manifest.replace("NS", &self.namespace())]),
        };
        render(&self.set.name, &[addon]).unwrap()
    }

    fn namespace(&self) -> String {
        format!("objects-{}", self.set.name)
    }

    async fn apply(&self, desired: &DesiredSet, generation: Generation, seconds: u64) -> Applied {
        let request = ApplyRequest {
            set: &self.set,
            desired,
            generation,
            salt: &self.salt,
            deadline: Instant::now() + Duration::from_secs(seconds),
            stop: CancellationToken::new(),
        };
        apply(&self.cluster, request).await
    }

    async fn create(&self, desired: &DesiredSet) -> Applied {
        self.apply(desired, Generation::New("g1".to_owned()), 60)
            .await
    }

    async fn remove(&self, seconds: u64) -> Removed {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        remove(
            &self.cluster,
            &self.set,
            None,
            deadline,
            &CancellationToken::new(),
        )
        .await
    }

    async fn get(&self, api_version: &str, kind: &str, name: &str) -> Option<Value> {
        let reference = ObjectReference::new(api_version, kind, Some(&self.namespace()), name);
        self.cluster.get(&reference).await.unwrap()
    }

    /// Changes an object as `manager`, taking fields by force.
    async fn change(&self, object: Value, manager: &str) {
        let options = ApplyOptions {
            field_manager: manager,
            force: true,
            dry_run: false,
        };
        self.cluster.apply(&object, &options).await.unwrap();
    }
}

fn errors(errors: &[devopsgenie_bootstrap::EngineError]) -> String {
    errors
        .iter()
        .map(|error| describe(error))
        .collect::<Vec<_>>()
        .join("\n")
}

fn complete(applied: &Applied) {
    assert!(applied.is_complete(), "{}", errors(&applied.errors));
}

const NAMESPACE: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: NS}}\n---\n";

const CONFIG: &str = "\
{apiVersion: v1, kind: ConfigMap, metadata: {name: config}, data: {greeting: hello}}
---
{apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {password: hunter2}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_created_kept_and_taken_away_with_nothing_left() {
    let fixture = Fixture::new("whole").await;
    let addons = [
        AddonInput {
            name: "baseline".to_owned(),
            namespace: None,
            source: AddonSource::Baseline(BaselineInputs {
                namespaces: vec![fixture.namespace()],
                priority_classes: Some(BTreeMap::from([("whole-high".to_owned(), 10)])),
                read_only_groups: vec!["auditors".to_owned()],
                ..BaselineInputs::default()
            }),
        },
        AddonInput {
            name: "widgets".to_owned(),
            namespace: Some(fixture.namespace()),
            source: AddonSource::Manifests(vec![
                WIDGETS.to_owned(),
                CONFIG.to_owned(),
                "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 0, selector: {matchLabels: {a: b}}, \
                 template: {metadata: {labels: {a: b}}, spec: {containers: [{name: web, image: pause, resources: {requests: {cpu: 1000m}}}]}}}}"
                    .to_owned(),
            ]),
        },
    ];
    let desired = render(&fixture.set.name, &addons).unwrap();
    let applied = fixture.create(&desired).await;
    complete(&applied);
    assert_eq!(applied.records.len(), desired.iter().count());
    let inventory = read_inventory(&fixture.cluster, &fixture.set)
        .await
        .unwrap()
        .unwrap();
    assert!(inventory.complete);
    assert_eq!(
        inventory.objects.keys().collect::<Vec<_>>(),
        desired.iter().map(|(key, _)| key).collect::<Vec<_>>()
    );
    let text = serde_json::to_string(&inventory).unwrap()
        + &serde_json::to_string(&applied.records).unwrap();
    assert!(
        !text.contains("hunter2") && !text.contains("aHVudGVyMg"),
        "{text}"
    );

    // What the API server stores otherwise than it was sent (cpu: 1000m) is no drift.
    let mut records = applied.records;
    observe(&fixture.cluster, &mut records, &fixture.salt)
        .await
        .unwrap();
    assert_eq!(drifted(&records), Vec::<&str>::new());
    let told = changes(&desired.digests(), &records, Some(&fixture.salt), &desired);
    assert_eq!(told, BTreeMap::new());

    // Applying again stores nothing new.
    let version = |live: Option<Value>| live.unwrap()["metadata"]["resourceVersion"].clone();
    let before = version(fixture.get("apps/v1", "Deployment", "web").await);
    complete(
        &fixture
            .apply(&desired, Generation::Keep("g1".to_owned()), 60)
            .await,
    );
    assert_eq!(
        version(fixture.get("apps/v1", "Deployment", "web").await),
        before
    );

    let removed = fixture.remove(90).await;
    assert!(removed.errors.is_empty(), "{}", errors(&removed.errors));
    assert_eq!(removed.removed.len(), desired.iter().count());
    let options = ListOptions {
        labels: Some("devopsgenie.dev/addon-set=whole"),
        ..ListOptions::default()
    };
    for (api_version, kind) in [
        ("v1", "Namespace"),
        ("v1", "ConfigMap"),
        ("scheduling.k8s.io/v1", "PriorityClass"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ] {
        let left = fixture
            .cluster
            .list(api_version, kind, &options)
            .await
            .unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
    let inventory_namespace = ObjectReference::new("v1", "Namespace", None, &fixture.set.namespace);
    // Its deletion has begun; nothing waits for the end of it.
    let left = fixture.cluster.get(&inventory_namespace).await.unwrap();
    assert!(left.is_none_or(|left| left.pointer("/metadata/deletionTimestamp").is_some()));
    // Once more: what is gone already is no error.
    assert!(fixture.remove(10).await.errors.is_empty());
}

fn drifted(records: &Records) -> Vec<&str> {
    records
        .iter()
        .filter(|(_, record)| record.has_drifted())
        .map(|(key, _)| key.as_str())
        .collect()
}

/// A definition, an object of it, and one of a cluster-scoped kind whose scope only the server knows.
const WIDGETS: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.bootstrap.devopsgenie.dev}
spec:
  group: bootstrap.devopsgenie.dev
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
{apiVersion: bootstrap.devopsgenie.dev/v1, kind: Widget, metadata: {name: one}, spec: {size: 3}}
";

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_leave_the_set_are_deleted() {
    let fixture = Fixture::new("prune").await;
    let both = fixture.render(&format!("{NAMESPACE}{CONFIG}"));
    complete(&fixture.create(&both).await);
    let fewer = fixture.render(&format!(
        "{NAMESPACE}{}",
        CONFIG.split("---").next().unwrap()
    ));
    let applied = fixture
        .apply(&fewer, Generation::Keep("g1".to_owned()), 60)
        .await;
    complete(&applied);
    assert_eq!(
        applied.removed.iter().collect::<Vec<_>>(),
        ["Secret/objects-prune/login"]
    );
    assert_eq!(fixture.get("v1", "Secret", "login").await, None);
    assert!(fixture.get("v1", "ConfigMap", "config").await.is_some());
    assert!(fixture.remove(60).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_seen_and_repaired_and_what_others_add_is_not_drift() {
    let fixture = Fixture::new("drift").await;
    let desired = fixture.render(&format!("{NAMESPACE}{CONFIG}"));
    let applied = fixture.create(&desired).await;
    complete(&applied);
    let mut records = applied.records;
    let metadata = json!({"name": "config", "namespace": fixture.namespace(), "annotations": {"note": "mine"}});
    fixture
        .change(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"greeting": "bye", "extra": "x"}}),
            "kubectl-edit",
        )
        .await;
    let secret = ObjectReference::new("v1", "Secret", Some(&fixture.namespace()), "login");
    fixture
        .cluster
        .delete(
            &secret,
            devopsgenie_kubernetes::Propagation::Background,
            None,
        )
        .await
        .unwrap();
    observe(&fixture.cluster, &mut records, &fixture.salt)
        .await
        .unwrap();
    assert_eq!(
        drifted(&records),
        [
            "ConfigMap/objects-drift/config",
            "Secret/objects-drift/login"
        ]
    );
    let told = changes(&desired.digests(), &records, Some(&fixture.salt), &desired);
    assert_eq!(
        told["ConfigMap/objects-drift/config"],
        "data.greeting: \"bye\" -> \"hello\" (changed outside of Terraform)"
    );

    complete(
        &fixture
            .apply(&desired, Generation::Keep("g1".to_owned()), 60)
            .await,
    );
    let live = fixture.get("v1", "ConfigMap", "config").await.unwrap();
    assert_eq!(live["data"], json!({"greeting": "hello", "extra": "x"}));
    assert!(fixture.get("v1", "Secret", "login").await.is_some());
    assert!(fixture.remove(60).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_others_is_not_touched() {
    let fixture = Fixture::new("ours").await;
    let other = Fixture::new("theirs").await;
    complete(
        &other
            .create(&other.render(&format!("{NAMESPACE}{CONFIG}")))
            .await,
    );

    // An object of another set.
    let stolen = render(
        "ours",
        &[AddonInput {
            name: "web".to_owned(),
            namespace: Some(other.namespace()),
            source: AddonSource::Manifests(vec![CONFIG.to_owned()]),
        }],
    )
    .unwrap();
    let applied = fixture.create(&stolen).await;
    assert_eq!(
        errors(&applied.errors).lines().next().unwrap(),
        "ConfigMap/objects-theirs/config of add-on web exists and belongs to the add-on set \"theirs\". An object can \
         be in one set only: take it out of one of the two"
    );
    // The inventory lists what was wanted; the removal leaves alone what is not ours.
    assert!(fixture.remove(60).await.errors.is_empty());
    assert!(other.get("v1", "ConfigMap", "config").await.is_some());

    // A set of another state.
    let thief = SetIdentity {
        owner: "thief".to_owned(),
        ..other.set.clone()
    };
    let error = read_inventory(&fixture.cluster, &thief)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("belongs to \"tests\", and this configuration is \"thief\""),
        "{error}"
    );

    // A field that somebody else manages.
    let foreign = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared", "namespace": other.namespace()}, "data": {"k": "theirs"}});
    other.change(foreign, "flux").await;
    let manifest = format!(
        "{NAMESPACE}{CONFIG}---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: shared}}, data: {{k: ours}}}}"
    );
    let applied = other
        .apply(
            &other.render(&manifest),
            Generation::Keep("g1".to_owned()),
            60,
        )
        .await;
    assert_eq!(
        errors(&applied.errors),
        "ConfigMap/objects-theirs/shared of add-on web: ConfigMap objects-theirs/shared has fields that others manage: \
         .data.k (by flux). Take the field out of the manifest, or let the other manager go (kubectl apply \
         --server-side --field-manager=NAME without it)"
    );
    assert!(other.remove(60).await.errors.is_empty());

    // A namespace that was there before.
    let early = Fixture::new("early").await;
    early
        .change(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": early.namespace()}}), "admin")
        .await;
    let applied = early.create(&early.render(NAMESPACE)).await;
    let told = errors(&applied.errors);
    assert!(
        told.starts_with(
            "Namespace/objects-early of add-on web exists and was not made by this set"
        ),
        "{told}"
    );
    assert!(early.remove(60).await.errors.is_empty());
    let namespace = ObjectReference::new("v1", "Namespace", None, &early.namespace());
    assert!(early.cluster.get(&namespace).await.unwrap().is_some());
}

const BROKEN: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: broken}
spec:
  selector: {matchLabels: {app: broken}}
  template:
    metadata: {labels: {app: broken}}
    spec:
      nodeSelector: {no: such-node}
      containers: [{name: app, image: registry.invalid/none}]
";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ready_is_named_and_the_next_apply_carries_on() {
    let fixture = Fixture::new("broken").await;
    let desired = fixture.render(&format!("{NAMESPACE}{CONFIG}---\n{BROKEN}"));
    let applied = fixture
        .apply(&desired, Generation::New("g1".to_owned()), 6)
        .await;
    let told = errors(&applied.errors);
    assert!(
        told.starts_with("objects of the stage workloads are not ready: after "),
        "{told}"
    );
    assert!(
        told.contains("Deployment objects-broken/broken: 0 of 1 replicas are ready"),
        "{told}"
    );
    assert!(told.contains("  Pod broken-"), "{told}");
    assert_eq!(applied.records.len(), 4);
    let inventory = read_inventory(&fixture.cluster, &fixture.set)
        .await
        .unwrap()
        .unwrap();
    assert!(!inventory.complete);

    let mended = fixture.render(&format!(
        "{NAMESPACE}{CONFIG}---\n{}",
        BROKEN.replace("spec:\n  selector", "spec:\n  replicas: 0\n  selector")
    ));
    let applied = fixture
        .apply(&mended, Generation::New("g2".to_owned()), 60)
        .await;
    complete(&applied);
    let inventory = read_inventory(&fixture.cluster, &fixture.set)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (inventory.complete, inventory.generation.as_str()),
        (true, "g2")
    );
    assert!(fixture.remove(90).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_names_the_finalizer_that_blocks_it_and_carries_on_later() {
    let fixture = Fixture::new("held").await;
    let desired = fixture.render(&format!("{NAMESPACE}{CONFIG}"));
    complete(&fixture.create(&desired).await);
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config", "namespace": fixture.namespace(), "finalizers": ["example.com/hold"]}});
    fixture.change(object.clone(), "holder").await;
    let removed = fixture.remove(3).await;
    let told = errors(&removed.errors);
    assert!(told.starts_with("objects are not gone: after "), "{told}");
    assert!(
        told.contains("ConfigMap objects-held/config: it is being deleted and waits for finalizers example.com/hold"),
        "{told}"
    );
    assert!(
        read_inventory(&fixture.cluster, &fixture.set)
            .await
            .unwrap()
            .is_some()
    );
    object["metadata"]["finalizers"] = json!([]);
    fixture.change(object, "holder").await;
    let removed = fixture.remove(90).await;
    assert!(removed.errors.is_empty(), "{}", errors(&removed.errors));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_applies_exclude_each_other_and_a_dead_one_gives_way() {
    let fixture = Fixture::new("busy").await;
    let broken = fixture.render(&format!("{NAMESPACE}{BROKEN}"));
    let quick = fixture.render(&format!("{NAMESPACE}{CONFIG}"));
    {
        let mut first =
            std::pin::pin!(fixture.apply(&broken, Generation::New("g1".to_owned()), 600));
        // Until the first one waits for its Deployment.
        loop {
            tokio::select! {
                _ = &mut first => panic!("the first apply cannot end"),
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
            let has_begun = fixture.get("apps/v1", "Deployment", "broken");
            tokio::select! {
                _ = &mut first => panic!("the first apply cannot end"),
                live = has_begun => if live.is_some() { break },
            }
        }
        let second = fixture.apply(&quick, Generation::New("g2".to_owned()), 3);
        let second = tokio::select! {
            _ = &mut first => panic!("the first apply cannot end"),
            second = second => second,
        };
        let told = errors(&second.errors);
        assert!(
            told.contains("another apply works on this add-on set"),
            "{told}"
        );
        // The first one is cut off here, as by a kill: it gives nothing back.
    }
    let third = fixture
        .apply(&quick, Generation::New("g3".to_owned()), 60)
        .await;
    complete(&third);
    // What the dead apply had made and the new one does not want is gone.
    assert_eq!(
        third.removed.iter().collect::<Vec<_>>(),
        ["apps/Deployment/objects-busy/broken"]
    );
    assert!(fixture.remove(90).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_apply_says_what_it_reached() {
    let fixture = Fixture::new("stopped").await;
    let desired = fixture.render(&format!("{NAMESPACE}{CONFIG}---\n{BROKEN}"));
    let stop = CancellationToken::new();
    let request = ApplyRequest {
        set: &fixture.set,
        desired: &desired,
        generation: Generation::New("g1".to_owned()),
        salt: &fixture.salt,
        deadline: Instant::now() + Duration::from_secs(600),
        stop: stop.clone(),
    };
    let work = apply(&fixture.cluster, request);
    let watch = async {
        while fixture
            .get("apps/v1", "Deployment", "broken")
            .await
            .is_none()
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.cancel();
    };
    let (applied, ()) = tokio::join!(work, watch);
    assert_eq!(
        errors(&applied.errors),
        "stopped before it was complete; what exists is in the inventory, and the next apply carries on"
    );
    assert_eq!(applied.records.len(), 4);
    assert!(fixture.remove(90).await.errors.is_empty());
}
