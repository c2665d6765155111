//! Plans without a cluster, and whole lives in the lab's cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use devopsgenie_bootstrap::EngineError;
use devopsgenie_bootstrap::plan::{ObjectRecord, Salt, render};
use devopsgenie_kubernetes::wait::WaitError;
use devopsgenie_kubernetes::{
    ApplyOptions, Cluster, Connection, KubeconfigFile, ObjectReference, Preconditions, Propagation,
};
use serde_json::{Value, json};
use tfplugin::context::Operation;
use tfplugin::schema::SchemaRole;
use tfplugin::{AttributeValue, Context, Model as _, Private};
use tokio_util::sync::CancellationToken;

use super::memory::{Intent, Memory, intent, keep};
use super::model::{AddonModel, EksModel, KubeconfigModel, map, texts};
use super::*;
use crate::client::AwsUnavailable;

const MANIFEST: &str = "\
{apiVersion: v1, kind: Namespace, metadata: {name: NS}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: config}, data: {greeting: hello}}
---
{apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {password: hunter2}}
";

fn addon(namespace: &str, manifest: &str) -> AddonModel {
    AddonModel {
        namespace: namespace.into(),
        manifests: AttributeValue::Known(vec![manifest.replace("NS", namespace).into()]),
        ..AddonModel::default()
    }
}

fn model(name: &str, connection: model::ConnectionModel, addon: AddonModel) -> AddonSetModel {
    AddonSetModel {
        name: name.into(),
        namespace: format!("inventory-{name}").into(),
        field_manager: "devopsgenie".into(),
        kubernetes: AttributeValue::Known(connection),
        addons: AttributeValue::Known(BTreeMap::from([(
            "web".to_owned(),
            AttributeValue::Known(addon),
        )])),
        ..AddonSetModel::default()
    }
}

fn eks(name: &str) -> model::ConnectionModel {
    model::ConnectionModel {
        eks: AttributeValue::Known(EksModel {
            cluster_name: name.into(),
            ..EksModel::default()
        }),
        ..model::ConnectionModel::default()
    }
}

/// Plans as Core and the framework do: what is proposed has no write-only values, and takes the computed
/// ones from the prior state.
fn planned(
    prior: Option<&AddonSetModel>,
    config: &AddonSetModel,
    private: &Private,
) -> Planned<AddonSetModel> {
    let mut proposed = AddonSetModel {
        addons: without_manifests(config),
        ..config.clone()
    };
    if let Some(prior) = prior {
        proposed.id = prior.id.clone();
        proposed.objects = prior.objects.clone();
        proposed.changes = prior.changes.clone();
        proposed.status = prior.status.clone();
        proposed.creation_id = prior.creation_id.clone();
        proposed.cluster_uid = prior.cluster_uid.clone();
    }
    plan::plan(config, prior, proposed, private, Some("eu-central-1")).unwrap()
}

fn without_manifests(
    config: &AddonSetModel,
) -> AttributeValue<BTreeMap<String, AttributeValue<AddonModel>>> {
    let mut addons = config.addons.known().unwrap().clone();
    for addon in addons.values_mut() {
        if let AttributeValue::Known(addon) = addon {
            addon.manifests = AttributeValue::Null;
        }
    }
    AttributeValue::Known(addons)
}

#[test]
fn the_schema_is_one_and_fits_the_model() {
    let schema = AddonSet.schema();
    schema.check(SchemaRole::Resource).unwrap();
    assert_eq!(schema.ty(), AddonSetModel::ty());
}

#[test]
fn a_create_names_its_objects_and_an_unknown_manifest_leaves_them_open() {
    let first = planned(
        None,
        &model("platform", eks("main"), addon("team-a", MANIFEST)),
        &Private::new(),
    );
    assert_eq!(
        texts(&first.state.changes).unwrap(),
        BTreeMap::from([
            ("ConfigMap/team-a/config".to_owned(), "create".to_owned()),
            ("Namespace/team-a".to_owned(), "create".to_owned()),
            ("Secret/team-a/login".to_owned(), "create".to_owned()),
        ])
    );
    assert_eq!(first.state.status.as_str(), Some("complete"));
    assert!(first.state.creation_id.is_unknown());
    assert_eq!(
        intent(&first.private),
        Some(Intent::Create {
            name: "platform".to_owned(),
            namespace: "inventory-platform".to_owned(),
            cluster: Some("eks:eu-central-1/main".to_owned()),
        })
    );
    // Core plans again when it applies: the answer is the same.
    let again = planned(
        None,
        &model("platform", eks("main"), addon("team-a", MANIFEST)),
        &Private::new(),
    );
    assert_eq!(first, again);

    let mut open = addon("team-a", MANIFEST);
    open.manifests = AttributeValue::Known(vec![AttributeValue::Unknown]);
    let first = planned(None, &model("platform", eks("main"), open), &Private::new());
    assert!(first.state.objects.is_unknown() && first.state.changes.is_unknown());
}

/// A set as an apply leaves it, if the API server stores what it is sent.
fn applied(config: &AddonSetModel) -> (AddonSetModel, Private) {
    let mut state = planned(None, config, &Private::new()).state;
    state.creation_id = "0123456789abcdef".into();
    state.cluster_uid = "4f3c".into();
    state.changes = map(BTreeMap::new());
    let salt = Salt::new([7; 16]);
    let desired = render("platform", &config.inputs().unwrap()).unwrap();
    let records = desired
        .iter()
        .map(|(key, object)| {
            let (sent, reference) = (&object.object, object.reference.clone());
            (key.clone(), ObjectRecord::new(reference, sent, sent, &salt))
        })
        .collect();
    let memory = Memory {
        salt,
        records,
        digests: desired.digests(),
        half_built: false,
    };
    (state, keep(&memory).unwrap())
}

#[test]
fn a_change_of_manifests_is_an_update_and_nothing_else_is() {
    let config = |manifest: &str| model("platform", eks("main"), addon("team-a", manifest));
    let (prior, private) = applied(&config(MANIFEST));
    let secret = [(
        "Secret/team-a/login",
        "data.password: (sensitive value changed)",
    )];
    let cases: [(&str, &[(&str, &str)]); 5] = [
        (MANIFEST, &[]),
        (&format!("# a comment\n{MANIFEST}\n---\n"), &[]),
        (&MANIFEST.replace("hunter2", "hunter3"), &secret),
        (
            &MANIFEST.replace("hello", "hi"),
            &[(
                "ConfigMap/team-a/config",
                "data.greeting: \"hello\" -> \"hi\"",
            )],
        ),
        (
            &MANIFEST[..MANIFEST.rfind("---").unwrap()],
            &[("Secret/team-a/login", "delete")],
        ),
    ];
    for (manifest, expected) in cases {
        let plan = planned(Some(&prior), &config(manifest), &private);
        let expected: BTreeMap<_, _> = expected
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect();
        assert_eq!(texts(&plan.state.changes), Some(expected.clone()));
        // Core makes an update of it exactly when the plan differs from the state.
        assert_eq!(plan.state == prior, expected.is_empty(), "{manifest}");
        let told = format!("{:?} {:?}", plan.state, plan.private);
        for hidden in ["hunter", "aHVudGVy", "kind: Secret"] {
            assert!(!told.contains(hidden), "{told}");
        }
    }

    // Without a refresh `changes` still tells of the last apply. A Secret that changes again makes the
    // same text, and must be an update all the same; nothing that changes must stay nothing.
    let last = planned(
        Some(&prior),
        &config(&MANIFEST.replace("hunter2", "hunter3")),
        &private,
    )
    .state;
    let again = planned(
        Some(&last),
        &config(&MANIFEST.replace("hunter2", "hunter4")),
        &private,
    );
    assert!(again.state.changes.is_unknown());
    let nothing = planned(Some(&last), &config(MANIFEST), &private);
    assert_eq!(nothing.state, last);
}

#[test]
fn only_another_cluster_replaces() {
    let file = |path: &str, context: &str| model::ConnectionModel {
        kubeconfig: AttributeValue::Known(KubeconfigModel {
            config_path: path.into(),
            config_context: context.into(),
        }),
        ..model::ConnectionModel::default()
    };
    let mut other_endpoint = eks("main");
    other_endpoint.eks = AttributeValue::Known(EksModel {
        cluster_name: "main".into(),
        region: "eu-central-1".into(),
        endpoint: "https://proxy".into(),
        ..EksModel::default()
    });
    // An empty host stands for one that is not known yet.
    let url = |host: &str, authority: Option<&str>| model::ConnectionModel {
        cluster: AttributeValue::Known(model::ClusterModel {
            host: match host {
                "" => AttributeValue::Unknown,
                host => host.into(),
            },
            cluster_ca_certificate: authority.map(str::to_owned).into(),
            ..model::ClusterModel::default()
        }),
        ..model::ConnectionModel::default()
    };
    let mut unknown = eks("main");
    unknown.eks = AttributeValue::Unknown;
    let cases = [
        (eks("main"), eks("main"), ""),
        (eks("main"), other_endpoint, ""),
        (eks("main"), eks("other"), "kubernetes.eks"),
        (eks("main"), unknown, "kubernetes.eks"),
        (
            url("https://a", Some("ca")),
            url("https://b", None),
            "kubernetes.cluster.host",
        ),
        // The certificate authority tells, whatever the URL becomes.
        (
            url("https://a", Some("ca")),
            url("https://b", Some("ca")),
            "",
        ),
        (url("https://a", Some("ca")), url("", Some("ca")), ""),
        (
            url("https://a", Some("ca")),
            url("", Some("other")),
            "kubernetes.cluster.host",
        ),
        (
            url("https://a", None),
            url("", None),
            "kubernetes.cluster.host",
        ),
        (url("https://a", None), url("https://a/", None), ""),
        (eks("main"), file("a", "b"), ""),
        (file("a", "b"), file("c", "b"), ""),
        (
            file("a", "b"),
            file("a", "c"),
            "kubernetes.kubeconfig.config_context",
        ),
    ];
    for (before, after, expected) in cases {
        let prior = planned(
            None,
            &model("p", before, addon("team-a", MANIFEST)),
            &Private::new(),
        )
        .state;
        let second = planned(
            Some(&prior),
            &model("p", after, addon("team-a", MANIFEST)),
            &Private::new(),
        );
        let found: Vec<_> = second
            .requires_replace
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.join(","), expected);
    }
}

#[test]
fn without_private_data_everything_is_applied_again() {
    let config = model("platform", eks("main"), addon("team-a", MANIFEST));
    let (prior, _) = applied(&config);
    let plan = planned(Some(&prior), &config, &Private::new());
    let again = "apply again (what was applied last is not known)".to_owned();
    assert_eq!(
        texts(&plan.state.changes).unwrap(),
        BTreeMap::from([
            ("ConfigMap/team-a/config".to_owned(), again.clone()),
            ("Namespace/team-a".to_owned(), again.clone()),
            ("Secret/team-a/login".to_owned(), again),
        ])
    );
}

#[test]
fn wrong_configurations_name_their_attribute() {
    let both = AddonModel {
        baseline: AttributeValue::Known(model::BaselineModel::default()),
        ..addon("team-a", MANIFEST)
    };
    let null = AddonModel {
        manifests: AttributeValue::Known(vec!["".into(), AttributeValue::Null]),
        ..AddonModel::default()
    };
    let repeated = model::BaselineModel {
        namespaces: AttributeValue::Known(vec!["a".into(), "a".into()]),
        ..model::BaselineModel::default()
    };
    let cases = [
        (addon("team-a", MANIFEST), ""),
        (
            null,
            "Error: The manifest is null (at addons[\"web\"].manifests[1])",
        ),
        (
            AddonModel {
                baseline: AttributeValue::Known(repeated),
                ..AddonModel::default()
            },
            "Error: The add-on cannot be rendered (at addons[\"web\"]): Add-on web: Namespace/a is in the set already",
        ),
        (
            AddonModel::default(),
            "Error: A required argument is missing (at addons[\"web\"])",
        ),
        (
            both,
            "Error: Conflicting arguments (at addons[\"web\"].baseline)",
        ),
        (
            addon("team-a", "kind: ConfigMap\n"),
            "Error: The add-on cannot be rendered (at addons[\"web\"].manifests[0]): Add-on web, manifest 0: document 1, \
             line 1: apiVersion is missing in this ConfigMap.",
        ),
    ];
    for (addon, expected) in cases {
        let told = AddonSet
            .validate(&model("p", eks("main"), addon))
            .to_string();
        assert!(
            told.starts_with(expected) && told.is_empty() == expected.is_empty(),
            "{told}"
        );
    }
}

#[test]
fn each_failure_is_at_the_attribute_that_can_change_it() {
    let (key, addon) = ("ConfigMap/a/b".to_owned(), "web".to_owned());
    let wait = |addon: Option<&str>| EngineError::Wait {
        what: "objects are not ready".to_owned(),
        addon: addon.map(str::to_owned),
        source: WaitError::NotReady {
            culprits: Vec::new(),
            waited: None,
        },
    };
    let cases = [
        (
            EngineError::ObjectExists {
                key: key.clone(),
                addon: addon.clone(),
            },
            "Error: ConfigMap/a/b exists already (at addons[\"web\"]): ",
        ),
        (
            EngineError::DefinitionInUse {
                key,
                addon,
                objects: "Widget a".to_owned(),
            },
            "Error: ConfigMap/a/b is in use (at addons[\"web\"]): ",
        ),
        (
            EngineError::SetExists {
                name: "base".to_owned(),
                namespace: "n".to_owned(),
                config_map: "c".to_owned(),
                difference: "ConfigMap/a/b".to_owned(),
            },
            "Error: The add-on set exists already (at name): ",
        ),
        (
            EngineError::Busy {
                namespace: "n".to_owned(),
                lease: "l".to_owned(),
                holder: "h".to_owned(),
            },
            "Error: The add-on set is being changed (at name): ",
        ),
        (
            EngineError::LeaseLost,
            "Error: The add-on set was changed by another apply (at name): ",
        ),
        (
            EngineError::BrokenInventory {
                namespace: "n".to_owned(),
                config_map: "c".to_owned(),
                set: "base".to_owned(),
                reason: "r".to_owned(),
            },
            "Error: The inventory of the add-on set cannot be used (at name): ",
        ),
        (
            EngineError::TimedOut,
            "Error: The time is up (at timeouts): ",
        ),
        (
            wait(Some("web")),
            "Error: The add-on set is not complete (at addons[\"web\"]): ",
        ),
        (
            wait(None),
            "Error: The add-on set is not complete (at addons): ",
        ),
    ];
    for (error, expected) in cases {
        let told = diagnostics::from_errors(&[error]).to_string();
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn imports_say_what_the_id_must_look_like() {
    for (id, name) in [
        ("eks/main/base", "base"),
        ("kubeconfig/arn:aws:eks:x/main/base", "base"),
    ] {
        assert_eq!(read::import(id).unwrap().state.name.as_str(), Some(name));
    }
    for id in ["base", "eks/base", "eks//base", "gke/main/base"] {
        let told = read::import(id).unwrap_err().to_string();
        assert!(told.contains("eks/CLUSTER_NAME/SET_NAME"), "{told}");
    }
}

/// A set in the lab's cluster (or that of `DEVOPSGENIE_TEST_KUBECONFIG`), driven as Core drives it.
struct Live {
    context: Context<Client>,
    connection: model::ConnectionModel,
    cluster: Cluster,
    name: String,
}

async fn kubeconfig() -> PathBuf {
    static LAB: tokio::sync::OnceCell<devopsgenie_lab::Cluster> =
        tokio::sync::OnceCell::const_new();
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
            let spec = devopsgenie_lab::ClusterSpec::new("addon-set", &version);
            devopsgenie_lab::Cluster::start(&tools, spec).await.unwrap()
        })
        .await;
    lab.kubeconfig()
}

impl Live {
    async fn new(name: &str, seconds: u64) -> Self {
        let path = kubeconfig().await;
        let file = KubeconfigFile {
            path: Some(path.clone()),
            context: None,
        };
        let client = Client::new(
            Err(AwsUnavailable::Unknown(Vec::new())),
            None,
            None,
            "tests".to_owned(),
        );
        Self {
            context: Context::new(
                Arc::new(client),
                CancellationToken::new(),
                Operation::Create,
                Duration::from_secs(seconds),
            ),
            connection: model::ConnectionModel {
                kubeconfig: AttributeValue::Known(KubeconfigModel {
                    config_path: path.display().to_string().into(),
                    config_context: AttributeValue::Null,
                }),
                ..model::ConnectionModel::default()
            },
            cluster: Cluster::connect(&Connection::Kubeconfig(file))
                .await
                .unwrap(),
            name: name.to_owned(),
        }
    }

    fn objects(&self) -> String {
        format!("objects-{}", self.name)
    }

    fn model(&self, manifest: &str) -> AddonSetModel {
        model(
            &self.name,
            self.connection.clone(),
            addon(&self.objects(), manifest),
        )
    }

    async fn create(&self, manifest: &str) -> Applied<AddonSetModel> {
        let plan = planned(None, &self.model(manifest), &Private::new());
        AddonSet
            .create(
                self.context.clone(),
                PlannedCreate {
                    config: self.model(manifest),
                    planned: plan.state,
                    private: plan.private,
                },
            )
            .await
    }

    async fn read(&self, state: AddonSetModel, private: Private) -> ReadResponse<AddonSetModel> {
        AddonSet
            .read(self.context.clone(), ReadRequest { state, private })
            .await
    }

    /// Plans and applies a change of what a read has found.
    async fn update(
        &self,
        prior: AddonSetModel,
        private: &Private,
        manifest: &str,
    ) -> (BTreeMap<String, String>, Applied<AddonSetModel>) {
        let plan = planned(Some(&prior), &self.model(manifest), private);
        let told = texts(&plan.state.changes).unwrap();
        let update = PlannedUpdate {
            config: self.model(manifest),
            prior,
            planned: plan.state,
            private: plan.private,
        };
        (told, AddonSet.update(self.context.clone(), update).await)
    }

    async fn delete(&self, prior: AddonSetModel, private: Private) -> Deleted<AddonSetModel> {
        AddonSet
            .delete(self.context.clone(), PlannedDelete { prior, private })
            .await
    }

    async fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let reference = ObjectReference::new("v1", kind, Some(&self.objects()), name);
        self.cluster.get(&reference).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_lives_from_create_to_destroy() {
    let live = Live::new("life", 90).await;
    let created = live.create(MANIFEST).await;
    assert!(created.diagnostics.is_empty(), "{}", created.diagnostics);
    let state = created.state.unwrap();
    assert!(state.to_value().is_wholly_known());
    let kept = format!("{:?} {state:?}", created.private);
    assert!(
        !kept.contains("hunter2") && !kept.contains("aHVudGVyMg"),
        "{kept}"
    );

    // A plan after the refresh is empty.
    let read = live.read(state, created.private).await;
    assert!(read.diagnostics.is_empty(), "{}", read.diagnostics);
    let (state, private) = (read.state.unwrap(), read.private);
    let plan = planned(Some(&state), &live.model(MANIFEST), &private);
    assert_eq!(plan.state, state);

    // One value of a ConfigMap and the value of a Secret.
    let changed = MANIFEST
        .replace("hello", "hi")
        .replace("hunter2", "hunter3");
    let (told, updated) = live.update(state, &private, &changed).await;
    assert!(updated.diagnostics.is_empty(), "{}", updated.diagnostics);
    assert_eq!(
        told,
        BTreeMap::from([
            (
                "ConfigMap/objects-life/config".to_owned(),
                "data.greeting: \"hello\" -> \"hi\"".to_owned()
            ),
            (
                "Secret/objects-life/login".to_owned(),
                "data.password: (sensitive value changed)".to_owned()
            ),
        ])
    );

    // Drift is in the next plan, and the apply repairs it.
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config", "namespace": live.objects()}, "data": {"greeting": "bye"}});
    let force = ApplyOptions {
        field_manager: "kubectl-edit",
        force: true,
        dry_run: false,
    };
    live.cluster.apply(&object, &force).await.unwrap();
    let secret = ObjectReference::new("v1", "Secret", Some(&live.objects()), "login");
    live.cluster
        .delete(&secret, Propagation::Background, Preconditions::default())
        .await
        .unwrap();
    let read = live.read(updated.state.unwrap(), updated.private).await;
    let (told, repaired) = live
        .update(read.state.unwrap(), &read.private, &changed)
        .await;
    assert!(repaired.diagnostics.is_empty(), "{}", repaired.diagnostics);
    assert_eq!(
        told,
        BTreeMap::from([
            (
                "ConfigMap/objects-life/config".to_owned(),
                "data.greeting: \"bye\" -> \"hi\" (changed outside of Terraform)".to_owned()
            ),
            (
                "Secret/objects-life/login".to_owned(),
                "create (it was deleted outside of Terraform)".to_owned()
            ),
        ])
    );
    assert_eq!(
        live.get("ConfigMap", "config").await.unwrap()["data"]["greeting"],
        "hi"
    );

    let (private, _) = AddonSet
        .plan_destroy(repaired.state.as_ref().unwrap(), &repaired.private)
        .unwrap();
    let deleted = live.delete(repaired.state.clone().unwrap(), private).await;
    assert!(deleted.diagnostics.is_empty(), "{}", deleted.diagnostics);
    assert_eq!(deleted.remaining, None);
    let namespace = ObjectReference::new("v1", "Namespace", None, &live.objects());
    assert_eq!(live.cluster.get(&namespace).await.unwrap(), None);
    // Deleted outside: the next refresh says so.
    let read = live.read(repaired.state.unwrap(), repaired.private).await;
    assert_eq!((read.state, read.diagnostics), (None, Diagnostics::new()));
}

const BROKEN: &str = "---
apiVersion: v1
kind: Pod
metadata: {name: stuck}
spec:
  nodeSelector: {no: such-node}
  containers: [{name: app, image: registry.invalid/none}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_half_built_set_is_kept_and_completed() {
    let live = Live::new("half", 8).await;
    let failed = live.create(&format!("{MANIFEST}{BROKEN}")).await;
    let told = failed.diagnostics.to_string();
    assert!(told.contains("Pod objects-half/stuck"), "{told}");
    let tainted = failed.state.unwrap();
    assert_eq!(tainted.status.as_str(), Some("incomplete"));
    assert_eq!(texts(&tainted.objects).unwrap().len(), 4);
    let uid = live.get("ConfigMap", "config").await.unwrap()["metadata"]["uid"].clone();

    let live = Live::new("half", 90).await;
    let read = live.read(tainted, failed.private).await;
    let warning = read.diagnostics.to_string();
    assert!(
        warning.contains("Nothing that exists is deleted"),
        "{warning}"
    );

    // Core plans a tainted object's replacement as a create, and gives that plan's private data to the
    // delete half.
    let plan = planned(None, &live.model(MANIFEST), &Private::new());
    let deleted = live.delete(read.state.clone().unwrap(), plan.private).await;
    assert_eq!(
        (deleted.remaining, deleted.diagnostics),
        (None, Diagnostics::new())
    );
    assert!(live.get("Pod", "stuck").await.is_some());

    let created = live.create(MANIFEST).await;
    assert!(created.diagnostics.is_empty(), "{}", created.diagnostics);
    assert_eq!(
        live.get("ConfigMap", "config").await.unwrap()["metadata"]["uid"],
        uid
    );
    assert_eq!(live.get("Pod", "stuck").await, None);

    // With create_before_destroy the delete half comes last, and must not take what was just made.
    let plan = planned(None, &live.model(MANIFEST), &Private::new());
    let deleted = live.delete(read.state.unwrap(), plan.private).await;
    assert_eq!(deleted.remaining, None);
    assert!(live.get("ConfigMap", "config").await.is_some());

    let state = created.state.unwrap();
    let (private, _) = AddonSet.plan_destroy(&state, &created.private).unwrap();
    let deleted = live.delete(state, private).await;
    assert!(deleted.diagnostics.is_empty(), "{}", deleted.diagnostics);
    assert_eq!(live.get("ConfigMap", "config").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_cluster_is_an_error_and_the_state_stays() {
    let live = Live::new("away", 30).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut state = live.model(MANIFEST);
    state.objects = map(BTreeMap::new());
    state.kubernetes = AttributeValue::Known(model::ConnectionModel {
        cluster: AttributeValue::Known(model::ClusterModel {
            host: format!("https://127.0.0.1:{port}").into(),
            ..model::ClusterModel::default()
        }),
        ..model::ConnectionModel::default()
    });
    let read = live.read(state.clone(), Private::new()).await;
    assert!(read.state.is_some());
    let deleted = live.delete(state, Private::new()).await;
    for told in [
        read.diagnostics.to_string(),
        deleted.diagnostics.to_string(),
    ] {
        assert!(
            told.starts_with("Error: The Kubernetes API cannot be reached (at kubernetes): "),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_is_an_error_and_the_state_stays() {
    let live = Live::new("moved", 90).await;
    let created = live.create(MANIFEST).await;
    assert!(created.diagnostics.is_empty(), "{}", created.diagnostics);
    let state = created.state.unwrap();
    let moved = AddonSetModel {
        cluster_uid: "the UID of another cluster".into(),
        ..state.clone()
    };
    let read = live.read(moved.clone(), created.private.clone()).await;
    assert_eq!(read.state.as_ref(), Some(&moved));
    let (private, _) = AddonSet.plan_destroy(&moved, &created.private).unwrap();
    let deleted = live.delete(moved.clone(), private.clone()).await;
    let (_, updated) = live.update(moved, &created.private, MANIFEST).await;
    for told in [
        read.diagnostics.to_string(),
        deleted.diagnostics.to_string(),
        updated.diagnostics.to_string(),
    ] {
        assert!(
            told.starts_with("Error: The connection leads to another cluster (at kubernetes): "),
            "{told}"
        );
    }
    assert!(live.get("ConfigMap", "config").await.is_some());
    let deleted = live.delete(state, private).await;
    assert!(deleted.diagnostics.is_empty(), "{}", deleted.diagnostics);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_without_its_inventory_is_not_forgotten() {
    let live = Live::new("forgotten", 90).await;
    let created = live.create(MANIFEST).await;
    let namespace = "inventory-forgotten";
    let inventory = ObjectReference::new(
        "v1",
        "ConfigMap",
        Some(namespace),
        "devopsgenie-addon-set-forgotten",
    );
    live.cluster
        .delete(
            &inventory,
            Propagation::Background,
            Preconditions::default(),
        )
        .await
        .unwrap();
    let read = live.read(created.state.unwrap(), created.private).await;
    let state = read.state.unwrap();
    assert_eq!(state.status.as_str(), Some("incomplete"));
    assert_eq!(texts(&state.objects).unwrap().len(), 3);
    let (private, _) = AddonSet.plan_destroy(&state, &read.private).unwrap();
    let deleted = live.delete(state, private).await;
    assert!(deleted.diagnostics.is_empty(), "{}", deleted.diagnostics);
    assert_eq!(live.get("ConfigMap", "config").await, None);
    let namespace = ObjectReference::new("v1", "Namespace", None, &live.objects());
    assert_eq!(live.cluster.get(&namespace).await.unwrap(), None);
}
