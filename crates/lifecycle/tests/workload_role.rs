//! Roles of workloads against moto's IAM: whole lives, and interruptions at each effect.

mod common;

use common::Account;
use devopsgenie_lifecycle::cluster::model::Issuer;
use devopsgenie_lifecycle::workload_role::model::{Claim, DesiredRole, Workload};
use devopsgenie_lifecycle::workload_role::plan::{PlanError, Subject};
use devopsgenie_lifecycle::workload_role::{Engine, Outcome, RoleError};
use eks_simulator::{Fault, FaultKind, Interruption};
use tokio_util::sync::CancellationToken;

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const VIEW_ONLY: &str = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

fn create() -> Claim {
    Claim::Create {
        generation: "g1".to_owned(),
    }
}

const HELD: Claim = Claim::Held { unique_id: None };

fn desired(name: &str, claim: Claim) -> DesiredRole {
    DesiredRole {
        name: name.to_owned(),
        owner: "state-a".to_owned(),
        claim,
        workload: Workload {
            cluster_name: "main".to_owned(),
            namespace: "payments".to_owned(),
            service_account: "api".to_owned(),
        },
        oidc_provider_arn:
            "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A"
                .to_owned(),
        policy_arns: [READ_ONLY.to_owned()].into(),
        inline_policies: [("objects".to_owned(), DOCUMENT.to_owned())].into(),
        permissions_boundary: None,
        max_session_duration: 3600,
        tags: [("team".to_owned(), "payments".to_owned())].into(),
    }
}

/// What an update makes of it.
fn changed(name: &str) -> DesiredRole {
    let mut changed = desired(name, HELD);
    changed.policy_arns = [VIEW_ONLY.to_owned()].into();
    changed.inline_policies = [("other".to_owned(), DOCUMENT.to_owned())].into();
    changed.permissions_boundary = Some(READ_ONLY.to_owned());
    changed.max_session_duration = 7200;
    changed.workload.service_account = "web".to_owned();
    changed.tags = [("stage".to_owned(), "live".to_owned())].into();
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life() {
    let account = Account::start().await;
    let engine = Engine::new(account.aws.clone());
    let name = format!("role-{}", account.name);
    let made = engine
        .apply(&desired(&name, create()), &account.options())
        .await;
    made.result.expect("it is made");
    let role = made.observed.expect("the role exists");
    assert!(role.arn.ends_with(&name) && role.unique_id.starts_with("AROA"));
    assert_eq!(role.inline_policies["objects"], DOCUMENT);

    // A second apply makes no write call.
    account.simulator.request_log().reset();
    let again = engine
        .apply(&desired(&name, HELD), &account.options())
        .await;
    again.result.expect("nothing to do");
    assert!(account.writes().is_empty(), "{:?}", account.writes());

    let wanted = changed(&name);
    let updated = engine.apply(&wanted, &account.options()).await;
    updated.result.expect("it is changed");
    let role = updated.observed.expect("the role exists");
    assert_eq!(role.policy_arns, wanted.policy_arns);
    assert_eq!(role.inline_policies, wanted.inline_policies);
    assert_eq!(role.permissions_boundary, wanted.permissions_boundary);
    assert_eq!(role.max_session_duration, 7200);
    assert!(role.assume_role_policy.contains("payments:web"));
    assert!(!role.tags.contains_key("team") && role.tags["stage"] == "live");
    account.simulator.request_log().reset();
    let again = engine.apply(&wanted, &account.options()).await;
    again.result.expect("nothing to do");
    assert!(account.writes().is_empty(), "{:?}", account.writes());

    let outcome = engine
        .destroy(&name, "state-a", &HELD, &account.options())
        .await;
    outcome.result.expect("it is removed");
    assert_eq!(engine.observe(&name).await.unwrap(), None);
}

/// Runs, unless killed.
async fn interrupted(
    account: &Account,
    sequence: u64,
    how: Interruption,
    run: impl Future<Output = Outcome>,
) -> Option<Outcome> {
    let killed = CancellationToken::new();
    let kill = killed.clone();
    let effects = account.simulator.effects();
    effects.reset();
    effects.interrupt(sequence, how, move |_| kill.cancel());
    tokio::select! {
        biased;
        () = killed.cancelled() => None,
        outcome = run => Some(outcome),
    }
}

/// Each phase is interrupted at each of its effects in each way, and the next run ends where an
/// uninterrupted one does.
#[tokio::test(flavor = "multi_thread")]
async fn every_interruption_is_carried_on_from() {
    let account = Account::start().await;
    let engine = Engine::new(account.aws.clone());
    let options = account.options();
    let mut tried = 0;
    for how in [
        Interruption::KilledBefore,
        Interruption::KilledAfter,
        Interruption::AnswerLost,
    ] {
        for phase in ["create", "update", "destroy"] {
            for sequence in 1.. {
                let what = format!("{phase} {sequence} {how:?}");
                let name = format!("role-{}-{tried}", account.name);
                tried += 1;
                if phase != "create" {
                    let made = engine.apply(&desired(&name, create()), &options).await;
                    made.result.expect(&what);
                }
                let wanted = match phase {
                    "create" => desired(&name, create()),
                    _ => changed(&name),
                };
                let outcome = match phase {
                    "destroy" => {
                        let run = engine.destroy(&name, "state-a", &HELD, &options);
                        interrupted(&account, sequence, how, run).await
                    }
                    _ => {
                        let run = engine.apply(&wanted, &options);
                        interrupted(&account, sequence, how, run).await
                    }
                };
                let done = account.simulator.effects().is_waiting();
                account.simulator.effects().reset();
                if let Some(outcome) = outcome {
                    outcome.result.expect(&what);
                }
                if phase != "destroy" {
                    // A killed creation is in no state: another one, with its own identity, follows.
                    let mut next = wanted.clone();
                    if phase == "create" {
                        next.claim = Claim::Create {
                            generation: "g2".to_owned(),
                        };
                    }
                    let finished =
                        engine.observe(&name).await.unwrap().is_some_and(|role| {
                            role.tags["devopsgenie.dev/creation"] == "complete"
                        });
                    let carried_on = engine.apply(&next, &options).await;
                    if phase == "create" && finished {
                        assert!(
                            matches!(
                                carried_on.result,
                                Err(RoleError::Plan(PlanError::Exists { .. }))
                            ),
                            "{what}: {:?}",
                            carried_on.result
                        );
                    } else {
                        carried_on.result.expect(&what);
                    }
                    let role = engine.observe(&name).await.unwrap().expect(&what);
                    assert_eq!(role.policy_arns, wanted.policy_arns, "{what}");
                    assert_eq!(role.inline_policies, wanted.inline_policies, "{what}");
                }
                let gone = engine.destroy(&name, "state-a", &HELD, &options).await;
                gone.result.expect(&what);
                assert_eq!(engine.observe(&name).await.unwrap(), None, "{what}");
                if done {
                    assert!(sequence > 2, "{phase} has too few effects");
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_the_attribute() {
    let account = Account::start().await;
    let engine = Engine::new(account.aws.clone());
    type Change = fn(&mut DesiredRole);
    let table: [(&str, Change, Subject); 2] = [
        (
            "a policy that does not exist",
            |role| {
                role.policy_arns = ["arn:aws:iam::123456789012:policy/absent".to_owned()].into();
            },
            Subject::Attribute("policy_arns"),
        ),
        (
            "a document that is no policy",
            |role| {
                role.inline_policies = [("bad".to_owned(), "{\"a\":1}".to_owned())].into();
            },
            Subject::InlinePolicy("bad".to_owned()),
        ),
    ];
    for (index, (what, change, subject)) in table.into_iter().enumerate() {
        let mut wanted = desired(&format!("bad-{}-{index}", account.name), create());
        change(&mut wanted);
        let outcome = engine.apply(&wanted, &account.options()).await;
        let error = outcome.result.expect_err(what);
        assert_eq!(error.subject(), Some(subject), "{what}: {error:?}");
        assert!(outcome.observed.is_some(), "{what}: what exists is told");
        let gone = engine
            .destroy(&wanted.name, "state-a", &HELD, &account.options())
            .await;
        gone.result.expect(what);
    }

    let wanted = desired(&format!("bad-{}", account.name), create());
    let fault = Fault::on("iam", "CreateRole", FaultKind::ServerError);
    account.simulator.faults().add(fault);
    let outcome = engine.apply(&wanted, &account.options()).await;
    let error = outcome.result.expect_err("the server fails");
    assert_eq!(error.subject(), None, "{error:?}");
    assert!(
        matches!(error, RoleError::Step { tries: 4, .. }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_of_a_cluster_is_found() {
    let account = Account::start().await;
    let absent = account.engine.issuer(&account.name).await.unwrap();
    assert_eq!(absent, Issuer::NoCluster);
    let mut desired = account.desired();
    desired.node_groups.clear();
    desired.irsa = false;
    let made = account.engine.apply(&desired, &account.options()).await;
    let cluster = made.observed.cluster.expect("the cluster exists");
    let without = account.engine.issuer(&account.name).await.unwrap();
    assert_eq!(without, Issuer::NoProvider(cluster.oidc_issuer));
    desired.irsa = true;
    let made = account.engine.apply(&desired, &account.options()).await;
    let provider = made.observed.oidc_provider.expect("the provider exists");
    let found = account.engine.issuer(&account.name).await.unwrap();
    assert_eq!(found, Issuer::Provider(provider.arn));
}
