//! Connections to a real API server: the lab's, or the one of `DEVOPSGENIE_TEST_KUBECONFIG`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may panic"
)]

use std::path::PathBuf;

use devopsgenie_kubernetes::wait;
use devopsgenie_kubernetes::{
    ApplyOptions, Cluster, Connection, Credentials, Deletion, Endpoint, Error, ExecPlugin,
    KubeconfigFile, ListOptions, ObjectReference, Preconditions, Propagation, Scope, Sensitive,
};
use serde_json::json;
use tokio::sync::OnceCell;
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
            let spec = devopsgenie_lab::ClusterSpec::new("kubernetes", &version);
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

fn endpoint(host: &str, insecure: bool, credentials: Credentials) -> Connection {
    Connection::Endpoint(Box::new(Endpoint {
        host: host.to_owned(),
        certificate_authority: None,
        tls_server_name: None,
        insecure,
        credentials,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_fail_is_told_apart() {
    let server = cluster().await.server().to_owned();
    let token = || Credentials::Token(Sensitive::new("expired"));

    // Nothing listens on a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let dead = endpoint(&format!("https://127.0.0.1:{port}"), true, token());
    let error = Cluster::connect(&dead).await.err().unwrap();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("Connection refused"), "{error}");

    // The machine's trust store does not know the lab's authority.
    let error = Cluster::connect(&endpoint(&server, false, token()))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::Tls { .. }), "{error}");

    let error = Cluster::connect(&endpoint(&server, true, token()))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::Unauthorised { .. }), "{error}");

    let failing = Credentials::Exec(ExecPlugin {
        api_version: "client.authentication.k8s.io/v1".to_owned(),
        command: "sh".to_owned(),
        args: vec![
            "-c".to_owned(),
            "echo no such profile >&2; exit 3".to_owned(),
        ],
        env: vec![("SECRET".to_owned(), Sensitive::new("hunter2"))],
    });
    let error = Cluster::connect(&endpoint(&server, true, failing))
        .await
        .err()
        .unwrap();
    let told = error.to_string();
    assert!(matches!(error, Error::Credentials { .. }), "{told}");
    assert!(
        told.contains("no such profile") && !told.contains("hunter2"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_applied_listed_and_deleted() {
    let cluster = cluster().await;
    let reference = ObjectReference::new("v1", "ConfigMap", Some("default"), "client-test");
    let object = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "client-test", "namespace": "default", "labels": {"test": "client"}}, "data": {"k": value}});
    let options = |field_manager, force, dry_run| ApplyOptions {
        field_manager,
        force,
        dry_run,
    };

    let dry = cluster
        .apply(&object("a"), &options("one", false, true))
        .await
        .unwrap();
    assert_eq!(dry["data"]["k"], "a");
    assert_eq!(cluster.get(&reference).await.unwrap(), None);

    cluster
        .apply(&object("a"), &options("one", false, false))
        .await
        .unwrap();
    let error = cluster
        .apply(&object("b"), &options("two", false, false))
        .await
        .unwrap_err();
    let Error::Conflict { conflicts, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(
        (conflicts[0].manager.as_str(), conflicts[0].field.as_str()),
        ("one", ".data.k")
    );
    cluster
        .apply(&object("b"), &options("two", true, false))
        .await
        .unwrap();

    let found = ListOptions {
        namespace: Some("default"),
        labels: Some("test=client"),
        fields: None,
    };
    let listed = cluster.list("v1", "ConfigMap", &found).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(ObjectReference::of(&listed[0]).as_ref(), Some(&reference));

    // A misspelt field is refused, not dropped.
    let mut wrong = object("b");
    wrong["dta"] = json!({});
    let error = cluster
        .apply(&wrong, &options("two", true, false))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("dta"), "{error}");

    // The uid of another object keeps this one.
    let other = Preconditions {
        uid: Some("00000000-0000-0000-0000-000000000000"),
        ..Preconditions::default()
    };
    assert_eq!(
        cluster
            .delete(&reference, Propagation::Background, other)
            .await
            .unwrap(),
        Deletion::Gone
    );
    let live = cluster.get(&reference).await.unwrap().unwrap();
    // The object changes after it was read: it is not deleted, and that is an error.
    let read_before = live.clone();
    cluster
        .apply(&object("c"), &options("two", true, false))
        .await
        .unwrap();
    let error = cluster
        .delete(
            &reference,
            Propagation::Background,
            Preconditions::unchanged(&read_before),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    // A UID that is gone does not wait for the object that has its name now.
    let targets = wait::Targets::from([(reference.clone(), Some("another".to_owned()))]);
    let soon = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    wait::until_gone(&cluster, targets, soon, &CancellationToken::new())
        .await
        .unwrap();
    cluster
        .delete(
            &reference,
            Propagation::Background,
            Preconditions::same(&live),
        )
        .await
        .unwrap();
    assert_eq!(cluster.get(&reference).await.unwrap(), None);
    assert_eq!(
        cluster
            .delete(
                &reference,
                Propagation::Background,
                Preconditions::default()
            )
            .await
            .unwrap(),
        Deletion::Gone
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_are_found_also_when_they_come_later() {
    let cluster = cluster().await;
    assert_eq!(
        cluster.scope("v1", "Namespace").await.unwrap(),
        Scope::Cluster
    );
    assert_eq!(
        cluster.scope("apps/v1", "Deployment").await.unwrap(),
        Scope::Namespaced
    );
    let kind = "Gizmo";
    let api_version = "client.devopsgenie.dev/v1";
    let error = cluster.scope(api_version, kind).await.unwrap_err();
    assert!(matches!(error, Error::KindNotServed { .. }), "{error}");
    // An object of a kind that is not served does not exist.
    let gizmo = ObjectReference::new(api_version, kind, None, "g");
    assert_eq!(cluster.get(&gizmo).await.unwrap(), None);

    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gizmos.client.devopsgenie.dev"},
        "spec": {"group": "client.devopsgenie.dev", "scope": "Cluster",
            "names": {"kind": kind, "plural": "gizmos", "singular": "gizmo", "listKind": "GizmoList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
    });
    let options = ApplyOptions {
        field_manager: "test",
        force: false,
        dry_run: false,
    };
    cluster.apply(&definition, &options).await.unwrap();
    let reference = ObjectReference::of(&definition).unwrap();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    let stop = CancellationToken::new();
    wait::until_ready(&cluster, vec![reference.clone()], deadline, &stop)
        .await
        .unwrap();
    let scope = loop {
        match cluster.scope(api_version, kind).await {
            // Established comes a moment before discovery has the kind.
            Err(Error::KindNotServed { .. }) if tokio::time::Instant::now() < deadline => {}
            other => break other.unwrap(),
        }
    };
    assert_eq!(scope, Scope::Cluster);

    // A record may name a version that is not served any more.
    let gizmo = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "g"}});
    cluster.apply(&gizmo, &options).await.unwrap();
    let old = ObjectReference::new("client.devopsgenie.dev/v1alpha1", kind, Some("none"), "g");
    assert_eq!(
        cluster.resolve(&old).await.unwrap(),
        ObjectReference::of(&gizmo).unwrap()
    );
    assert!(cluster.get(&old).await.unwrap().is_some());
    cluster
        .delete(&old, Propagation::Background, Preconditions::default())
        .await
        .unwrap();
    assert_eq!(cluster.get(&old).await.unwrap(), None);
    cluster
        .delete(
            &reference,
            Propagation::Background,
            Preconditions::default(),
        )
        .await
        .unwrap();
}
