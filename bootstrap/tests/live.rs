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
    Applied, ApplyRequest, Generation, RemoveRequest, Removed, SetIdentity, apply, find_inventory,
    new_salt, observe, read_inventory, remove,
};
use devopsgenie_kubernetes::{
    ApplyOptions, Cluster, Connection, KubeconfigFile, ListOptions, ObjectReference, Preconditions,
    Propagation, describe,
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

    fn request<'a>(
        &'a self,
        desired: &'a DesiredSet,
        generation: Generation,
        seconds: u64,
    ) -> ApplyRequest<'a> {
        static NONE: Records = Records::new();
        ApplyRequest {
            set: &self.set,
            desired,
            generation,
            salt: &self.salt,
            records: &NONE,
            take_ownership: false,
            deadline: Instant::now() + Duration::from_secs(seconds),
            stop: CancellationToken::new(),
        }
    }

    async fn apply(&self, desired: &DesiredSet, generation: Generation, seconds: u64) -> Applied {
        apply(&self.cluster, self.request(desired, generation, seconds)).await
    }

    async fn update(&self, desired: &DesiredSet) -> Applied {
        self.apply(desired, Generation::Keep("g1".to_owned()), 60)
            .await
    }

    async fn uid(&self, api_version: &str, kind: &str, name: &str) -> Value {
        self.get(api_version, kind, name).await.unwrap()["metadata"]["uid"].clone()
    }

    async fn delete(&self, reference: &ObjectReference) {
        self.cluster
            .delete(reference, Propagation::Background, Preconditions::default())
            .await
            .unwrap();
    }

    async fn create(&self, desired: &DesiredSet) -> Applied {
        self.apply(desired, Generation::New("g1".to_owned()), 60)
            .await
    }

    async fn remove(&self, seconds: u64) -> Removed {
        self.remove_recorded(&Records::new(), seconds).await
    }

    async fn remove_recorded(&self, records: &Records, seconds: u64) -> Removed {
        let request = RemoveRequest {
            set: &self.set,
            generation: None,
            records,
            deadline: Instant::now() + Duration::from_secs(seconds),
            stop: CancellationToken::new(),
        };
        remove(&self.cluster, request).await
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

/// A definition and an object of it.
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
        .delete(&secret, Propagation::Background, Preconditions::default())
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
        "ConfigMap/objects-theirs/config of add-on web exists and belongs to the add-on set inventory-theirs/theirs of \
         \"tests\". An object can be in one set only: take it out of one of the two"
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

    // An object that no set has.
    let foreign = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared", "namespace": other.namespace()}, "data": {"k": "theirs"}});
    other.change(foreign.clone(), "flux").await;
    let manifest = format!(
        "{NAMESPACE}{CONFIG}---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: shared}}, data: {{k: ours}}}}"
    );
    let with_shared = other.render(&manifest);
    let applied = other.update(&with_shared).await;
    assert_eq!(
        errors(&applied.errors),
        "ConfigMap/objects-theirs/shared of add-on web exists and was not made by this set, which would change it now \
         and delete it one day. Take it out of the manifests, delete it in the cluster, or set take_ownership = true \
         to take it over"
    );
    let shared = other.get("v1", "ConfigMap", "shared").await.unwrap();
    assert_eq!(shared["data"]["k"], "theirs");
    // Nor is it pruned: it was never ours.
    complete(
        &other
            .update(&other.render(&format!("{NAMESPACE}{CONFIG}")))
            .await,
    );
    assert!(other.get("v1", "ConfigMap", "shared").await.is_some());
    let taking = ApplyRequest {
        take_ownership: true,
        ..other.request(&with_shared, Generation::Keep("g1".to_owned()), 60)
    };
    complete(&apply(&other.cluster, taking).await);
    let shared = other.get("v1", "ConfigMap", "shared").await.unwrap();
    assert_eq!(shared["data"]["k"], "ours");

    // A set of the same name, whose inventory is in another namespace, has the same label.
    let namesake = SetIdentity {
        namespace: "inventory-namesake".to_owned(),
        ..other.set.clone()
    };
    let applied = apply(
        &other.cluster,
        ApplyRequest {
            set: &namesake,
            take_ownership: true,
            ..other.request(&with_shared, Generation::New("n1".to_owned()), 60)
        },
    )
    .await;
    assert!(
        errors(&applied.errors).contains("belongs to the add-on set inventory-theirs/theirs of"),
        "{}",
        errors(&applied.errors)
    );
    let request = RemoveRequest {
        set: &namesake,
        generation: None,
        records: &Records::new(),
        deadline: Instant::now() + Duration::from_secs(60),
        stop: CancellationToken::new(),
    };
    let removed = remove(&other.cluster, request).await;
    assert!(removed.errors.is_empty(), "{}", errors(&removed.errors));
    assert!(other.get("v1", "ConfigMap", "config").await.is_some());
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
        told.starts_with(
            "objects of the stage workloads are not ready: Deployment objects-broken/broken: "
        ),
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
    assert!(
        told.starts_with(
            "objects are not gone: ConfigMap objects-held/config: it is being deleted and waits for finalizers \
             example.com/hold\nthe wait was given up after "
        ),
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
        stop: stop.clone(),
        ..fixture.request(&desired, Generation::New("g1".to_owned()), 600)
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

/// Kinds whose definitions are not in the set: only the server knows that a Gear has no namespace.
fn machine_definition(kind: &str, scope: &str) -> Value {
    let plural = format!("{}s", kind.to_lowercase());
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.machines.devopsgenie.dev")},
        "spec": {"group": "machines.devopsgenie.dev", "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_only_the_server_knows() {
    let fixture = Fixture::new("scopes").await;
    for (kind, scope) in [("Gear", "Cluster"), ("Cog", "Namespaced")] {
        let definition = machine_definition(kind, scope);
        fixture.change(definition.clone(), "admin").await;
        let reference = vec![ObjectReference::of(&definition).unwrap()];
        let deadline = Instant::now() + Duration::from_secs(30);
        devopsgenie_kubernetes::wait::until_ready(
            &fixture.cluster,
            reference,
            deadline,
            &CancellationToken::new(),
        )
        .await
        .unwrap();
        while fixture
            .cluster
            .scope("machines.devopsgenie.dev/v1", kind)
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let addon = |name: &str, namespace: Option<&str>, manifest: &str| AddonInput {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        source: AddonSource::Manifests(vec![manifest.to_owned()]),
    };
    let set = |namespace| {
        let gear = "{apiVersion: machines.devopsgenie.dev/v1, kind: Gear, metadata: {name: gear}}";
        let cog = "{apiVersion: machines.devopsgenie.dev/v1, kind: Cog, metadata: {name: cog}}";
        render(
            "scopes",
            &[
                addon("gear", Some(namespace), gear),
                addon("cog", None, cog),
            ],
        )
        .unwrap()
    };
    complete(&fixture.create(&set("one")).await);
    let inventory = read_inventory(&fixture.cluster, &fixture.set)
        .await
        .unwrap()
        .unwrap();
    let addresses: Vec<_> = inventory
        .objects
        .iter()
        .map(|(key, entry)| format!("{key} => {}", entry.reference))
        .collect();
    assert_eq!(
        addresses,
        [
            "machines.devopsgenie.dev/Cog/cog => Cog default/cog",
            "machines.devopsgenie.dev/Gear/one/gear => Gear gear",
        ]
    );

    // Another namespace makes another key of the very same object.
    let gear = ObjectReference::new("machines.devopsgenie.dev/v1", "Gear", None, "gear");
    let cog = ObjectReference::new("machines.devopsgenie.dev/v1", "Cog", Some("default"), "cog");
    let before = fixture.cluster.get(&gear).await.unwrap().unwrap();
    let applied = fixture.update(&set("two")).await;
    complete(&applied);
    assert_eq!(
        applied.removed.iter().collect::<Vec<_>>(),
        ["machines.devopsgenie.dev/Gear/one/gear"]
    );
    let after = fixture.cluster.get(&gear).await.unwrap().unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);

    let removed = fixture.remove(60).await;
    assert!(removed.errors.is_empty(), "{}", errors(&removed.errors));
    assert_eq!(fixture.cluster.get(&gear).await.unwrap(), None);
    assert_eq!(fixture.cluster.get(&cog).await.unwrap(), None);
    for (kind, scope) in [("Gear", "Cluster"), ("Cog", "Namespaced")] {
        let definition = machine_definition(kind, scope);
        fixture
            .delete(&ObjectReference::of(&definition).unwrap())
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_does_not_take_over_a_complete_set_with_other_objects() {
    let fixture = Fixture::new("twice").await;
    let first = fixture.render(&format!("{NAMESPACE}{CONFIG}"));
    complete(&fixture.create(&first).await);
    let other = fixture.render(NAMESPACE);
    let applied = fixture
        .apply(&other, Generation::New("g2".to_owned()), 60)
        .await;
    let told = errors(&applied.errors);
    assert!(
        told.starts_with("the cluster has a complete add-on set \"twice\"")
            && told.contains("(ConfigMap/objects-twice/config, Secret/objects-twice/login)"),
        "{told}"
    );
    assert!(fixture.get("v1", "ConfigMap", "config").await.is_some());
    // As after a kill between the last write and the answer to Core.
    complete(
        &fixture
            .apply(&first, Generation::New("g2".to_owned()), 60)
            .await,
    );
    assert!(fixture.remove(60).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_inventory_is_made_again_from_what_is_remembered() {
    let fixture = Fixture::new("lost").await;
    let desired = fixture.render(&format!("{NAMESPACE}{CONFIG}"));
    let applied = fixture.create(&desired).await;
    complete(&applied);
    let inventory = ObjectReference::new(
        "v1",
        "ConfigMap",
        Some(&fixture.set.namespace),
        "devopsgenie-addon-set-lost",
    );
    fixture.delete(&inventory).await;
    let find = || find_inventory(&fixture.cluster, &fixture.set, &applied.records, Some("g1"));
    let found = find().await.unwrap().unwrap();
    assert!(!found.complete);
    assert_eq!(
        found.objects.keys().collect::<Vec<_>>(),
        desired.iter().map(|(key, _)| key).collect::<Vec<_>>()
    );
    // An apply prunes what is remembered and not wanted.
    let fewer = fixture.render(NAMESPACE);
    let again = ApplyRequest {
        records: &applied.records,
        ..fixture.request(&fewer, Generation::Keep("g1".to_owned()), 60)
    };
    let pruned = apply(&fixture.cluster, again).await;
    complete(&pruned);
    assert_eq!(pruned.removed.len(), 2);
    fixture.delete(&inventory).await;
    let removed = fixture.remove_recorded(&applied.records, 60).await;
    assert!(removed.errors.is_empty(), "{}", errors(&removed.errors));
    let namespace = ObjectReference::new("v1", "Namespace", None, &fixture.namespace());
    assert_eq!(fixture.cluster.get(&namespace).await.unwrap(), None);
    assert!(find().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_stays_while_objects_of_others_need_it() {
    let fixture = Fixture::new("needed").await;
    let definition = machine_definition("Wheel", "Cluster");
    let desired = fixture.render(&definition.to_string());
    complete(&fixture.create(&desired).await);
    let wheel = json!({"apiVersion": "machines.devopsgenie.dev/v1", "kind": "Wheel", "metadata": {"name": "theirs"}});
    fixture.change(wheel.clone(), "admin").await;
    let removed = fixture.remove(90).await;
    assert_eq!(
        errors(&removed.errors),
        "apiextensions.k8s.io/CustomResourceDefinition/wheels.machines.devopsgenie.dev of add-on web cannot be deleted \
         while objects of its kind exist that are not deleted with it: Wheel theirs. They would be lost. Delete them \
         first, or keep the definition in the set"
    );
    let wheel = ObjectReference::of(&wheel).unwrap();
    assert!(fixture.cluster.get(&wheel).await.unwrap().is_some());
    fixture.delete(&wheel).await;
    assert!(fixture.remove(60).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_namespace_of_the_inventory_stays_while_it_holds_something() {
    let fixture = Fixture::new("shared").await;
    complete(&fixture.create(&fixture.render(NAMESPACE)).await);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine", "namespace": fixture.set.namespace}});
    fixture.change(secret.clone(), "admin").await;
    assert!(fixture.remove(60).await.errors.is_empty());
    let namespace = ObjectReference::new("v1", "Namespace", None, &fixture.set.namespace);
    let live = fixture.cluster.get(&namespace).await.unwrap().unwrap();
    assert_eq!(live.pointer("/metadata/deletionTimestamp"), None);
    fixture.delete(&ObjectReference::of(&secret).unwrap()).await;
    assert!(fixture.remove(60).await.errors.is_empty());
    let live = fixture.cluster.get(&namespace).await.unwrap();
    assert!(live.is_none_or(|live| live.pointer("/metadata/deletionTimestamp").is_some()));
}

/// Objects with a field each that the API server does not let change.
const FIXED: &str = "\
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: fixed}, value: 1}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: fixed}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: auditors}]}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fixed}, provisioner: example.com/a, volumeBindingMode: WaitForFirstConsumer}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: fixed}, data: {k: '1'}, immutable: true}
---
{apiVersion: v1, kind: Service, metadata: {name: fixed}, spec: {ports: [{port: 80}], clusterIP: None}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: fixed}
spec:
  replicas: 0
  selector: {matchLabels: {app: one}}
  template: {metadata: {labels: {app: one}}, spec: {containers: [{name: app, image: pause}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: fixed}
spec:
  replicas: 0
  serviceName: one
  selector: {matchLabels: {app: one}}
  template: {metadata: {labels: {app: one}}, spec: {containers: [{name: app, image: pause}]}}
";

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_change_is_made_anew_as_the_plan_says() {
    let fixture = Fixture::new("fixed").await;
    let before = fixture.render(&format!("{NAMESPACE}{FIXED}"));
    let created = fixture.create(&before).await;
    complete(&created);
    let after = FIXED
        .replace("value: 1", "value: 2")
        .replace("name: view", "name: edit")
        .replace("example.com/a", "example.com/b")
        .replace("k: '1'", "k: '2'")
        .replace(", clusterIP: None", "")
        .replace("app: one", "app: two")
        .replace("serviceName: one", "serviceName: two");
    let after = fixture.render(&format!("{NAMESPACE}{after}"));
    let told = changes(
        &before.digests(),
        &created.records,
        Some(&fixture.salt),
        &after,
    );
    let expected = [
        (
            "ConfigMap/objects-fixed/fixed",
            "replace: data.k: \"1\" -> \"2\"",
        ),
        (
            "Service/objects-fixed/fixed",
            "replace: spec.clusterIP: removed (was \"None\")",
        ),
        (
            "apps/Deployment/objects-fixed/fixed",
            "replace: spec.selector.matchLabels.app: \"one\" -> \"two\"; spec.template.metadata.labels.app: \"one\" -> \"two\"",
        ),
        (
            "apps/StatefulSet/objects-fixed/fixed",
            "replace: spec.selector.matchLabels.app: \"one\" -> \"two\"; spec.serviceName: \"one\" -> \"two\"; \
             spec.template.metadata.labels.app: \"one\" -> \"two\"",
        ),
        (
            "rbac.authorization.k8s.io/RoleBinding/objects-fixed/fixed",
            "replace: roleRef.name: \"view\" -> \"edit\"",
        ),
        (
            "scheduling.k8s.io/PriorityClass/fixed",
            "replace: value: 1 -> 2",
        ),
        (
            "storage.k8s.io/StorageClass/fixed",
            "replace: provisioner: \"example.com/a\" -> \"example.com/b\"",
        ),
    ];
    let told: Vec<_> = told
        .iter()
        .map(|(key, text)| (key.as_str(), text.as_str()))
        .collect();
    assert_eq!(told, expected);

    let live = async |key: &str| {
        let reference = &after.get(key).unwrap().reference;
        fixture.cluster.get(reference).await.unwrap().unwrap()
    };
    let mut uids = BTreeMap::new();
    for (key, _) in expected {
        uids.insert(key, live(key).await["metadata"]["uid"].clone());
    }
    let request = ApplyRequest {
        records: &created.records,
        ..fixture.request(&after, Generation::Keep("g1".to_owned()), 60)
    };
    let applied = apply(&fixture.cluster, request).await;
    complete(&applied);
    for (key, uid) in &uids {
        // Server-side apply leaves a field that the server has a default for, so a Service may keep its
        // address: what the server accepts is not made anew.
        if !key.starts_with("Service") {
            assert_ne!(live(key).await["metadata"]["uid"], *uid, "{key}");
        }
    }
    let mut records = applied.records;
    observe(&fixture.cluster, &mut records, &fixture.salt)
        .await
        .unwrap();
    assert_eq!(
        changes(&after.digests(), &records, Some(&fixture.salt), &after),
        BTreeMap::new()
    );
    assert!(fixture.remove(60).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_runs_again() {
    let fixture = Fixture::new("job").await;
    let job = "{apiVersion: batch/v1, kind: Job, metadata: {name: task}, spec: {activeDeadlineSeconds: 2, template: \
               {spec: {restartPolicy: Never, nodeSelector: {no: such-node}, containers: [{name: task, image: pause}]}}}}";
    let desired = fixture.render(&format!("{NAMESPACE}{job}"));
    let applied = fixture.create(&desired).await;
    let told = errors(&applied.errors);
    assert!(told.contains("DeadlineExceeded"), "{told}");
    let uid = fixture.uid("batch/v1", "Job", "task").await;
    let again = fixture
        .apply(&desired, Generation::New("g2".to_owned()), 60)
        .await;
    assert!(errors(&again.errors).contains("DeadlineExceeded"));
    assert_ne!(fixture.uid("batch/v1", "Job", "task").await, uid);
    let removed = fixture.remove(60).await;
    assert!(removed.errors.is_empty(), "{}", errors(&removed.errors));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_does_not_answer_is_waited_for_and_holds_up_no_stop() {
    let fixture = Fixture::new("hook").await;
    complete(&fixture.create(&fixture.render(NAMESPACE)).await);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().port();
    let closed = {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        other.local_addr().unwrap().port()
    };
    let webhook = |port: u16| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "bootstrap-hook"},
            "webhooks": [{
                "name": "hook.devopsgenie.dev", "failurePolicy": "Fail", "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "timeoutSeconds": 30,
                "clientConfig": {"url": format!("https://127.0.0.1:{port}/")},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": fixture.namespace()}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}],
            }],
        })
    };
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "namespace": fixture.namespace()}});
    let blocked = || async {
        // Webhooks work a moment after they are stored.
        let dry = ApplyOptions {
            field_manager: "probe",
            force: false,
            dry_run: true,
        };
        let call = fixture.cluster.apply(&config, &dry);
        !matches!(
            tokio::time::timeout(Duration::from_secs(2), call).await,
            Ok(Ok(_))
        )
    };
    let desired = fixture.render(&format!("{NAMESPACE}{CONFIG}"));

    fixture.change(webhook(silent), "admin").await;
    while !blocked().await {}
    for (seconds, stopped, expected) in [
        (2, false, "the time is up before it was complete"),
        (600, true, "stopped before it was complete"),
    ] {
        let stop = CancellationToken::new();
        let request = ApplyRequest {
            stop: stop.clone(),
            ..fixture.request(&desired, Generation::Keep("g1".to_owned()), seconds)
        };
        let started = Instant::now();
        let ending = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            if stopped {
                stop.cancel();
            }
        };
        let (applied, ()) = tokio::join!(apply(&fixture.cluster, request), ending);
        let told = errors(&applied.errors);
        assert!(told.starts_with(expected), "{told}");
        assert!(started.elapsed() < Duration::from_secs(12), "{told}");
    }

    // Nothing listens there, as before a webhook's endpoints are known to the API server.
    fixture.change(webhook(closed), "admin").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let reference = ObjectReference::of(&webhook(closed)).unwrap();
    let mending = async {
        tokio::time::sleep(Duration::from_secs(9)).await;
        fixture.delete(&reference).await;
    };
    let (applied, ()) = tokio::join!(fixture.update(&desired), mending);
    complete(&applied);
    drop(listener);
    assert!(fixture.remove(60).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_comes_while_the_last_one_leaves_keeps_its_namespace() {
    let leaving = Fixture::new("leaving").await;
    let mut coming = Fixture::new("coming").await;
    coming.set.namespace.clone_from(&leaving.set.namespace);
    let object = |name: &str| {
        let manifest = format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: default}}}}"
        );
        (leaving.render(&manifest), coming.render(&manifest))
    };
    let (first, _) = object("race-leaving");
    let (_, second) = object("race-coming");
    for milliseconds in [0, 20, 60, 120] {
        complete(&leaving.create(&first).await);
        let later = async {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            coming.create(&second).await
        };
        let (removed, created) = tokio::join!(leaving.remove(60), later);
        assert!(removed.errors.is_empty(), "{}", errors(&removed.errors));
        complete(&created);
        // A namespace that is being deleted takes a moment to lose what it holds.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let namespace = ObjectReference::new("v1", "Namespace", None, &coming.set.namespace);
        let live = coming.cluster.get(&namespace).await.unwrap().unwrap();
        assert_eq!(live.pointer("/metadata/deletionTimestamp"), None);
        let inventory = read_inventory(&coming.cluster, &coming.set).await.unwrap();
        assert!(inventory.is_some_and(|inventory| inventory.complete));
        assert!(coming.remove(60).await.errors.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lease_ends_the_apply_and_stays_with_its_new_holder() {
    let fixture = Fixture::new("robbed").await;
    let desired = fixture.render(&format!("{NAMESPACE}{BROKEN}"));
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "devopsgenie-addon-set-robbed", "namespace": fixture.set.namespace},
        "spec": {"holderIdentity": "another"},
    });
    let taking = async {
        while fixture
            .get("apps/v1", "Deployment", "broken")
            .await
            .is_none()
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        fixture.change(lease.clone(), "another").await;
    };
    let started = Instant::now();
    let (applied, ()) = tokio::join!(
        fixture.apply(&desired, Generation::New("g1".to_owned()), 600),
        taking
    );
    let told = errors(&applied.errors);
    assert!(
        told.starts_with("the Lease of this add-on set was lost"),
        "{told}"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
    let reference = ObjectReference::of(&lease).unwrap();
    let live = fixture.cluster.get(&reference).await.unwrap().unwrap();
    assert_eq!(live["spec"]["holderIdentity"], "another");
    fixture.delete(&reference).await;
    assert!(fixture.remove(90).await.errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_made_again_while_its_removal_waited_stays() {
    let fixture = Fixture::new("remade").await;
    complete(
        &fixture
            .create(&fixture.render(&format!("{NAMESPACE}{CONFIG}")))
            .await,
    );
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "devopsgenie-addon-set-remade", "namespace": fixture.set.namespace},
        "spec": {"holderIdentity": "another"},
    });
    fixture.change(lease.clone(), "another").await;
    let records = Records::new();
    let request = RemoveRequest {
        set: &fixture.set,
        generation: Some("g1"),
        records: &records,
        deadline: Instant::now() + Duration::from_secs(60),
        stop: CancellationToken::new(),
    };
    let remaking = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let reference = ObjectReference::new(
            "v1",
            "ConfigMap",
            Some(&fixture.set.namespace),
            "devopsgenie-addon-set-remade",
        );
        let live = fixture.cluster.get(&reference).await.unwrap().unwrap();
        let text = live["data"]["inventory.json"].as_str().unwrap();
        let text = text.replace("\"generation\":\"g1\"", "\"generation\":\"g2\"");
        assert!(text.contains("g2"), "{text}");
        let metadata = json!({"name": reference.name, "namespace": reference.namespace});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"inventory.json": text}});
        fixture.change(object, "another").await;
        fixture.delete(&ObjectReference::of(&lease).unwrap()).await;
    };
    let (removed, ()) = tokio::join!(remove(&fixture.cluster, request), remaking);
    assert!(removed.errors.is_empty(), "{}", errors(&removed.errors));
    assert!(fixture.get("v1", "ConfigMap", "config").await.is_some());
    assert!(fixture.remove(60).await.errors.is_empty());
}
