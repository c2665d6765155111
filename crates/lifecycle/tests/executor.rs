//! The executor against the EKS simulator: whole lives of clusters, and what goes wrong in them.

mod common;

use std::time::Duration;

use common::Account;
use devopsgenie_lifecycle::cluster::model::{KubernetesVersion, NodeGroupStatus};
use devopsgenie_lifecycle::cluster::plan::Subject;
use devopsgenie_lifecycle::cluster::{ClusterError, names};
use eks_simulator::{Fault, FaultKind};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life() {
    let account = Account::start().await;
    let mut desired = account.desired();
    let outcome = account.engine.apply(&desired, &account.options()).await;
    outcome.result.expect("it is made");
    let cluster = outcome.observed.cluster.expect("the cluster exists");
    assert!(cluster.endpoint.is_some() && cluster.oidc_issuer.is_some());
    assert_eq!(
        cluster.tags.get(names::CREATION).map(String::as_str),
        Some("complete")
    );
    assert!(outcome.observed.oidc_provider.is_some());
    assert_eq!(outcome.observed.node_groups.len(), 1);

    // A second apply makes no write call.
    account.simulator.request_log().reset();
    account
        .engine
        .apply(&desired, &account.options())
        .await
        .result
        .expect("nothing to do");
    assert!(account.writes().is_empty(), "{:?}", account.writes());

    // Updates of several kinds, two hops of the version, nodes after the control plane.
    desired.enabled_log_types.insert("audit".to_owned());
    desired.vpc.endpoint_public_access = false;
    desired
        .tags
        .insert("team".to_owned(), "platform".to_owned());
    desired.version = KubernetesVersion {
        major: 1,
        minor: 36,
    };
    let group = desired.node_groups.get_mut("general").unwrap();
    group.max_size = 5;
    group.labels.insert("a".to_owned(), "b".to_owned());
    let outcome = account.engine.apply(&desired, &account.options()).await;
    outcome.result.expect("it is changed");
    let cluster = outcome.observed.cluster.unwrap();
    assert_eq!(cluster.version.to_string(), "1.36");
    assert!(!cluster.endpoint_public_access);
    let group = outcome.observed.node_groups.values().next().unwrap();
    assert_eq!(
        (group.version.unwrap().to_string().as_str(), group.max_size),
        ("1.36", 5)
    );
    account.simulator.request_log().reset();
    account
        .engine
        .apply(&desired, &account.options())
        .await
        .result
        .expect("nothing to do");
    assert!(account.writes().is_empty(), "{:?}", account.writes());

    // A group that cannot be changed in place: the new one first.
    desired
        .node_groups
        .get_mut("general")
        .unwrap()
        .instance_types = Some(vec!["m7i.xlarge".to_owned()]);
    let outcome = account.engine.apply(&desired, &account.options()).await;
    outcome.result.expect("the group is replaced");
    assert_eq!(outcome.observed.node_groups.len(), 1);
    let log = account.simulator.request_log().all();
    let position = |operation: &str| {
        log.iter()
            .position(|request| request.operation == operation)
            .unwrap()
    };
    assert!(position("CreateNodegroup") < position("DeleteNodegroup"));

    account
        .engine
        .destroy(&account.removal(), &account.options())
        .await
        .result
        .expect("it is destroyed");
    account.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_faults_are_outlived() {
    let account = Account::start().await;
    let faults = account.simulator.faults();
    faults.add(Fault::on("eks", "CreateCluster", FaultKind::RoleNotVisible).times(2));
    faults.add(
        Fault::on("eks", "CreateCluster", FaultKind::LostResponse)
            .after(2)
            .times(1),
    );
    faults.add(
        Fault::on("eks", "DescribeCluster", FaultKind::Throttle)
            .after(3)
            .times(3),
    );
    faults.add(Fault::on("iam", "AttachRolePolicy", FaultKind::ServerError).times(2));
    faults.add(Fault::on("iam", "CreateRole", FaultKind::LostResponse).times(1));
    faults.add(Fault::on("eks", "CreateNodegroup", FaultKind::Busy).times(2));
    faults.add(
        Fault::on("eks", "CreateNodegroup", FaultKind::LostResponse)
            .after(2)
            .times(1),
    );
    let outcome = account
        .engine
        .apply(&account.desired(), &account.options())
        .await;
    outcome.result.expect("it is made all the same");
    assert_eq!(outcome.observed.node_groups.len(), 1);
    faults.clear_all();
    faults.add(Fault::on("eks", "DeleteNodegroup", FaultKind::LostResponse).times(1));
    faults.add(Fault::on("eks", "DeleteCluster", FaultKind::Busy).times(2));
    faults.add(Fault::on("iam", "DeleteRole", FaultKind::LostResponse).times(1));
    account
        .engine
        .destroy(&account.removal(), &account.options())
        .await
        .result
        .expect("it is destroyed");
    account.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_at_three_points_are_resumed() {
    let failure = |service: &str, operation: &str| {
        let mut fault = Fault::on(service, operation, FaultKind::ServerError);
        fault.count = None;
        fault
    };
    for (service, operation) in [
        ("iam", "AttachRolePolicy"),
        ("eks", "CreateNodegroup"),
        ("iam", "CreateOpenIDConnectProvider"),
    ] {
        let account = Account::start().await;
        let fault = account.simulator.faults().add(failure(service, operation));
        let outcome = account
            .engine
            .apply(&account.desired(), &account.options())
            .await;
        let error = outcome.result.expect_err("it fails");
        let text = format!(
            "{error} {:?}",
            std::error::Error::source(&error).map(ToString::to_string)
        );
        assert!(text.contains(operation), "{operation}: {text}");
        if let Some(cluster) = &outcome.observed.cluster {
            assert!(names::is_incomplete(&cluster.tags), "{operation}");
        }
        account.simulator.faults().clear(fault);
        let outcome = account
            .engine
            .apply(&account.desired(), &account.options())
            .await;
        outcome.result.expect("it is carried on");
        let created = account
            .simulator
            .request_log()
            .all()
            .iter()
            .filter(|request| request.operation == "CreateCluster" && request.status == 200)
            .count();
        assert_eq!(created, 1, "{operation}: the cluster is made once");
        account
            .engine
            .destroy(&account.removal(), &account.options())
            .await
            .result
            .expect("it is destroyed");
        account.assert_nothing_left().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_node_group_names_its_issue_and_is_made_again() {
    let account = Account::start().await;
    account
        .simulator
        .faults()
        .add(Fault::on("eks", "CreateNodegroup", FaultKind::NodeGroupCapacity).times(1));
    let outcome = account
        .engine
        .apply(&account.desired(), &account.options())
        .await;
    match outcome.result.expect_err("the group fails") {
        ClusterError::NodeGroupFailed { issues, status, .. } => {
            assert_eq!(status, NodeGroupStatus::CreateFailed);
            assert!(!issues.contains("no issue"), "{issues}");
        }
        other => panic!("{other:?}"),
    }
    account
        .engine
        .apply(&account.desired(), &account.options())
        .await
        .result
        .expect("it is made again");
    // A half-built cluster is destroyed too.
    account
        .engine
        .destroy(&account.removal(), &account.options())
        .await
        .result
        .expect("it is destroyed");
    account.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_built_cluster_is_destroyed() {
    let account = Account::start().await;
    let mut options = account.options();
    options.timeout = Duration::from_millis(1500);
    account
        .simulator
        .faults()
        .add(Fault::on("eks", "CreateNodegroup", FaultKind::Stuck));
    let outcome = account.engine.apply(&account.desired(), &options).await;
    match outcome.result.expect_err("the time is up") {
        ClusterError::Deadline { waiting, .. } => {
            assert!(
                waiting.iter().any(|text| text.contains("CREATING")),
                "{waiting:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    account.simulator.faults().clear_all();
    account
        .engine
        .destroy(&account.removal(), &account.options())
        .await
        .result
        .expect("it is destroyed");
    account.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_update_says_why_and_what_was_reached() {
    let account = Account::start().await;
    let mut desired = account.desired();
    desired.node_groups.clear();
    account
        .engine
        .apply(&desired, &account.options())
        .await
        .result
        .expect("it is made");
    let kind = FaultKind::UpdateFails {
        error_code: "IpNotAvailable".to_owned(),
        error_message: "no free addresses".to_owned(),
    };
    account
        .simulator
        .faults()
        .add(Fault::on("eks", "UpdateClusterVersion", kind).times(1));
    desired.version = KubernetesVersion {
        major: 1,
        minor: 35,
    };
    let outcome = account.engine.apply(&desired, &account.options()).await;
    let error = outcome.result.expect_err("the update fails");
    assert_eq!(
        error.subject(),
        Some(Subject::Attribute("kubernetes_version"))
    );
    let error = error.to_string();
    assert!(
        error.contains("IpNotAvailable") && error.contains("no free addresses"),
        "{error}"
    );
    assert_eq!(
        outcome.observed.cluster.unwrap().version.to_string(),
        "1.34"
    );
    account
        .engine
        .apply(&desired, &account.options())
        .await
        .result
        .expect("the next one works");
    account
        .engine
        .destroy(&account.removal(), &account.options())
        .await
        .result
        .expect("it is destroyed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_owner_is_left_alone() {
    let account = Account::start().await;
    let desired = account.desired();
    account
        .engine
        .apply(&desired, &account.options())
        .await
        .result
        .expect("it is made");
    account.simulator.request_log().reset();
    let mut other = desired.clone();
    other.owner = "state-b".to_owned();
    let error = account
        .engine
        .apply(&other, &account.options())
        .await
        .result
        .expect_err("refused");
    assert!(error.to_string().contains("state-a"), "{error}");
    let mut removal = account.removal();
    removal.owner = "state-b".to_owned();
    assert!(
        account
            .engine
            .destroy(&removal, &account.options())
            .await
            .result
            .is_err()
    );
    assert!(account.writes().is_empty(), "{:?}", account.writes());
    account
        .engine
        .destroy(&account.removal(), &account.options())
        .await
        .result
        .expect("it is destroyed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_between_two_calls_and_is_resumed() {
    let account = Account::start().await;
    let options = account.options();
    let cancel = options.cancel.clone();
    let mut watched = options.clone();
    watched.progress = Some(std::sync::Arc::new(move |progress| {
        if progress.message.contains("create the cluster with") {
            cancel.cancel();
        }
    }));
    let outcome = account.engine.apply(&account.desired(), &watched).await;
    assert!(
        matches!(outcome.result, Err(ClusterError::Cancelled { .. })),
        "{:?}",
        outcome.result
    );
    assert!(
        outcome.observed.cluster.is_some(),
        "the state reached comes back"
    );
    account
        .engine
        .apply(&account.desired(), &account.options())
        .await
        .result
        .expect("it is carried on");
    account
        .engine
        .destroy(&account.removal(), &account.options())
        .await
        .result
        .expect("it is destroyed");
}
