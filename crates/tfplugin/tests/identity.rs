//! Identities of objects, and states that are taken over from other types.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

mod support;

use support::{Thing, config, settle, start};
use tfplugin::cty::Value;
use tfplugin::testing::Action;
use tfplugin::{Applied, Diagnostics, Model, Private, ReadResponse};

fn identity(id: &str) -> Value {
    Value::object([("id", Value::from(id)), ("region", Value::from("here"))])
}

#[tokio::test]
async fn an_identity_goes_with_the_object() {
    let (probe, _, mut managed) = start().await;
    let named = |name: &str, label: &str| {
        config([("name", Value::from(name)), ("label", Value::from(label))])
    };
    let plan = managed.plan(named("a", "x")).await.unwrap();
    assert!(plan.identity.is_null(), "its id is not known yet");
    managed.apply_plan(&plan, named("a", "x")).await.unwrap();
    assert_eq!(managed.stored().unwrap().identity, identity("id-a"));

    let plan = managed.apply(named("a", "y")).await.unwrap();
    assert_eq!(plan.action, Action::Update);
    assert_eq!(plan.identity, identity("id-a"));
    assert_eq!(managed.stored().unwrap().identity, identity("id-a"));

    let plan = managed.apply(named("b", "y")).await.unwrap();
    assert_eq!(plan.action, Action::Replace);
    assert_eq!(managed.stored().unwrap().identity, identity("id-b"));

    // An object of a provider version without identities gets one when it is read.
    let mut stored = managed.stored().unwrap().clone();
    stored.identity = Value::Null;
    managed.set_stored(Some(stored));
    managed.refresh().await.unwrap();
    assert_eq!(managed.stored().unwrap().identity, identity("id-b"));

    // What fails keeps it.
    probe.script(|script| {
        script.update = Some(Box::new(|planned| {
            Applied::partial(
                Thing {
                    label: "halfway".into(),
                    ..planned.prior
                },
                planned.private,
                Diagnostics::error("No", "Half done."),
            )
        }));
        script.delete = Some(Box::new(|planned| {
            tfplugin::Deleted::partial(
                planned.prior,
                planned.private,
                Diagnostics::error("No", "It stays."),
            )
        }));
    });
    managed.apply(named("b", "z")).await.unwrap_err();
    assert_eq!(managed.stored().unwrap().identity, identity("id-b"));
    managed.destroy().await.unwrap_err();
    assert_eq!(managed.stored().unwrap().identity, identity("id-b"));
}

#[tokio::test]
async fn an_identity_that_changes_is_refused() {
    let (probe, _, mut managed) = start().await;
    let wanted = config([("name", Value::from("a")), ("size", Value::from(3))]);
    managed.apply(wanted.clone()).await.unwrap();
    let before = managed.stored().unwrap().clone();
    let refusal = "The identity of the object changed: `id` of its identity is not what it was.";

    let other = |thing: Thing| Thing {
        id: "id-other".into(),
        ..thing
    };
    probe.script(|script| {
        script.read = Some(Box::new(move |request| {
            ReadResponse::found(other(request.state), request.private)
        }));
    });
    let error = managed.refresh().await.unwrap_err();
    assert!(error.to_string().contains(refusal), "{error}");
    assert_eq!(managed.stored(), Some(&before));

    probe.script(|script| {
        script.read = None;
        script.update = Some(Box::new(move |planned| {
            Applied::done(other(settle(planned.planned, 2)), planned.private)
        }));
    });
    let changed = config([("name", Value::from("a")), ("size", Value::from(4))]);
    let error = managed.apply(changed).await.unwrap_err();
    assert!(error.to_string().contains(refusal), "{error}");
    assert_eq!(managed.stored().unwrap().identity, before.identity);
}

#[tokio::test]
async fn a_failed_create_has_the_identity_that_is_known() {
    let (probe, _, mut managed) = start().await;
    let wanted = config([("name", Value::from("a"))]);
    for (settled, expected) in [(false, Value::Null), (true, identity("id-a"))] {
        probe.script(|script| {
            script.create = Some(Box::new(move |planned| {
                let state = if settled {
                    settle(planned.planned, 1)
                } else {
                    planned.planned
                };
                Applied::partial(
                    state,
                    Private::new(),
                    Diagnostics::error("No", "Half made."),
                )
            }));
        });
        managed.set_stored(None);
        managed.apply(wanted.clone()).await.unwrap_err();
        assert_eq!(managed.stored().unwrap().identity, expected);
    }
}

#[tokio::test]
async fn imports_by_identity() {
    let (_, _, mut managed) = start().await;
    managed
        .import_by_identity(Value::object([("id", Value::from("id-a"))]))
        .await
        .unwrap();
    assert_eq!(managed.stored().unwrap().identity, identity("id-a"));
    assert_eq!(
        Thing::from_value(managed.state().clone()).unwrap().name,
        "a".into()
    );
    managed.import("id-b").await.unwrap();
    assert_eq!(managed.stored().unwrap().identity, identity("id-b"));
    let error = managed
        .import_by_identity(Value::object([("id", Value::from("nonsense"))]))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("does not start with id-"),
        "{error}"
    );
    // What was asked for is not what is there.
    let error = managed
        .import_by_identity(Value::object([
            ("id", Value::from("id-a")),
            ("region", Value::from("elsewhere")),
        ]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`region`"), "{error}");
}

#[tokio::test]
async fn identities_are_upgraded() {
    let (_, _, mut managed) = start().await;
    let cases: [(i64, &str, Result<Value, &str>); 4] = [
        (1, r#"{"id":"id-a","region":"here"}"#, Ok(identity("id-a"))),
        (0, r#"{"key":"id-a"}"#, Ok(identity("id-a"))),
        (0, "no JSON", Err("is not valid JSON")),
        (2, "{}", Err("newer than this provider")),
    ];
    for (version, raw, expected) in cases {
        let found = managed
            .upgrade_raw_identity(version, raw.as_bytes().to_vec())
            .await;
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{raw}"),
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{raw}: {error}"),
            (found, _) => panic!("{raw}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn states_of_other_types() {
    let (_, _, mut managed) = start().await;
    for registry in ["registry.terraform.io", "registry.opentofu.org"] {
        let warnings = managed
            .move_from(
                &format!("{registry}/example/old"),
                "old_thing",
                7,
                r#"{"key":"a"}"#,
            )
            .await
            .unwrap();
        assert_eq!(warnings.len(), 1);
        let stored = managed.stored().unwrap();
        assert_eq!(stored.private, br#"{"note":"moved from old_thing"}"#);
        assert_eq!(stored.identity, identity("id-a"));
        let plan = managed
            .plan(config([("name", Value::from("a"))]))
            .await
            .unwrap();
        assert_eq!(plan.action, Action::Update, "the defaults are filled in");
    }
    let refused = [
        ("registry.terraform.io/example/old", "other_thing"),
        ("registry.terraform.io/other/old", "old_thing"),
        ("registry.terraform.io/example/old", "probe_thing"),
    ];
    for (provider, type_name) in refused {
        let error = managed
            .move_from(provider, type_name, 0, "{}")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains(&format!(
                "probe_thing cannot take over the state of {type_name} ({provider}). It takes \
                 over old_thing (example/old) alone."
            )),
            "{error}"
        );
    }
    let error = managed
        .move_from("x/example/old", "old_thing", 0, r#"{"key":[]}"#)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("(at key)"), "{error}");
}
