//! Plans and states as tables.

use std::collections::BTreeMap;

use devopsgenie_lifecycle::workload_role::model::{ObservedRole, Workload};
use devopsgenie_lifecycle::workload_role::names;
use tfplugin::{AttributeValue, Private};

use super::model::WorkloadRoleModel;
use super::plan::plan;
use super::state::state_from;
use crate::values::known_map;

const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A";

fn config() -> WorkloadRoleModel {
    WorkloadRoleModel {
        cluster_name: "main".into(),
        namespace: "payments".into(),
        service_account: "api".into(),
        max_session_duration: 3600.into(),
        ..WorkloadRoleModel::default()
    }
}

fn derived(service_account: &str) -> String {
    let workload = Workload {
        cluster_name: "main".to_owned(),
        namespace: "payments".to_owned(),
        service_account: service_account.to_owned(),
    };
    names::role_name(&workload, "eu-west-1")
}

/// The state of the role that `config` makes.
fn state() -> WorkloadRoleModel {
    let name = derived("api");
    WorkloadRoleModel {
        id: name.clone().into(),
        arn: format!("arn:aws:iam::123456789012:role/{name}").into(),
        name: name.into(),
        unique_id: "AROA1".into(),
        oidc_provider_arn: PROVIDER.into(),
        assume_role_policy: names::trust_policy(PROVIDER, "payments", "api").into(),
        tags_all: known_map(BTreeMap::new()),
        ..config()
    }
}

fn text(value: &AttributeValue<String>) -> &str {
    match value {
        AttributeValue::Null => "null",
        AttributeValue::Unknown => "unknown",
        AttributeValue::Known(text) => text,
    }
}

#[test]
fn planned_names_and_trust() {
    type Change = fn(&mut WorkloadRoleModel, &mut Option<WorkloadRoleModel>);
    let unchanged = names::trust_policy(PROVIDER, "payments", "api");
    let trust_of_web = names::trust_policy(PROVIDER, "payments", "web");
    let moved = format!("{PROVIDER}B");
    let trust_of_moved = names::trust_policy(&moved, "payments", "api");
    // Name, trust policy, and whether the role is replaced.
    let table: [(&str, Change, &str, &str, bool); 8] = [
        (
            "a creation",
            |_, prior| *prior = None,
            &derived("api"),
            "unknown",
            false,
        ),
        (
            "a creation whose cluster is unknown",
            |config, prior| {
                config.cluster_name = AttributeValue::Unknown;
                *prior = None;
            },
            "unknown",
            "unknown",
            false,
        ),
        ("no change", |_, _| {}, &derived("api"), &unchanged, false),
        (
            "another service account, derived name",
            |config, _| config.service_account = "web".into(),
            &derived("web"),
            "unknown",
            true,
        ),
        (
            "another service account, given name",
            |config, prior| {
                config.service_account = "web".into();
                config.name = "mine".into();
                prior.as_mut().unwrap().name = "mine".into();
            },
            "mine",
            &trust_of_web,
            false,
        ),
        (
            "the name is no longer given",
            |_, prior| prior.as_mut().unwrap().name = "mine".into(),
            "mine",
            &unchanged,
            false,
        ),
        (
            "another name",
            |config, _| config.name = "mine".into(),
            "mine",
            "unknown",
            true,
        ),
        (
            "the cluster was made again",
            |_, prior| {
                prior.as_mut().unwrap().oidc_provider_arn = format!("{PROVIDER}B").into();
            },
            &derived("api"),
            &trust_of_moved,
            false,
        ),
    ];
    for (what, change, name, trust, replaced) in table {
        let (mut config, mut prior) = (config(), Some(state()));
        change(&mut config, &mut prior);
        let planned = plan(
            &config,
            prior.as_ref(),
            config.clone(),
            &Private::new(),
            Some("eu-west-1"),
            Some(&BTreeMap::new()),
        )
        .unwrap();
        assert_eq!(text(&planned.state.name), name, "{what}");
        assert_eq!(text(&planned.state.assume_role_policy), trust, "{what}");
        assert_eq!(!planned.requires_replace.is_empty(), replaced, "{what}");
        assert_eq!(
            planned.state.arn.is_unknown(),
            prior.is_none() || replaced,
            "{what}"
        );
    }
}

#[test]
fn nothing_changes_where_nothing_differs() {
    let state = state();
    let planned = plan(
        &config(),
        Some(&state),
        config(),
        &Private::new(),
        Some("eu-west-1"),
        Some(&BTreeMap::new()),
    )
    .unwrap();
    assert_eq!(planned.state, state);
}

fn observed() -> ObservedRole {
    let state = state();
    ObservedRole {
        arn: text(&state.arn).to_owned(),
        unique_id: "AROA1".to_owned(),
        assume_role_policy: text(&state.assume_role_policy).to_owned(),
        policy_arns: Default::default(),
        inline_policies: BTreeMap::new(),
        permissions_boundary: None,
        max_session_duration: 3600,
        tags: [
            (names::WORKLOAD, "main/payments/api"),
            ("devopsgenie.dev/owner", "state-a"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into(),
    }
}

#[test]
fn states_of_roles() {
    let none = BTreeMap::new();
    assert_eq!(state_from(&state(), &observed(), &none), state());

    // What an import has to find out.
    let imported = WorkloadRoleModel {
        name: state().name,
        ..WorkloadRoleModel::default()
    };
    assert_eq!(state_from(&imported, &observed(), &none), state());

    let mut drifted = observed();
    drifted.assume_role_policy = r#"{"Statement":[]}"#.to_owned();
    drifted.policy_arns = ["arn:p".to_owned()].into();
    drifted.inline_policies = [("q".to_owned(), "{}".to_owned())].into();
    let found = state_from(&state(), &drifted, &none);
    assert_eq!(text(&found.assume_role_policy), r#"{"Statement":[]}"#);
    assert!(found.policy_arns.is_known() && found.inline_policies.is_known());
    assert_eq!(text(&found.namespace), "payments");
}
