//! A resource through Core's calls, as in the tables of Terraform's behaviour.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

mod support;

use support::{Thing, config, settle, start};
use tfplugin::cty::{Type, Value};
use tfplugin::testing::Action;
use tfplugin::{Applied, Deleted, Diagnostics, Model, ReadResponse};

type Change = fn(Thing) -> Thing;

fn thing(state: &Value) -> Thing {
    Thing::from_value(state.clone()).expect("a thing")
}

#[tokio::test]
async fn create_update_replace_destroy() {
    let (probe, _, mut managed) = start().await;
    let first = config([
        ("name", Value::from("a")),
        ("secret", Value::from("s3cret")),
        (
            "groups",
            Value::map([("x", Value::object([("minimum", Value::from(1))]))]),
        ),
        (
            "rules",
            Value::set([
                Value::object([("port", Value::from(80))]),
                Value::object([("port", Value::from(443))]),
            ]),
        ),
        ("anything", Value::dynamic(Type::Bool, Value::Bool(true))),
    ]);

    let plan = managed.plan(first.clone()).await.unwrap();
    assert_eq!(plan.action, Action::Create);
    let planned = thing(&plan.planned);
    assert!(planned.secret.is_null() && planned.id.is_unknown() && planned.label.is_unknown());
    assert_eq!(planned.size, 3.into(), "the default");
    managed.apply_plan(&plan, first.clone()).await.unwrap();
    let state = thing(managed.state());
    assert_eq!(state.id, "id-a".into());
    assert!(state.secret.is_null());
    assert_eq!(
        probe.calls(),
        [
            "plan create with \"\"",
            "plan create with \"\"",
            "create in here with secret Some(\"s3cret\") within 1200s"
        ]
    );

    let plan = managed.plan(first.clone()).await.unwrap();
    assert_eq!(plan.action, Action::NoOp);
    assert_eq!(plan.planned, *managed.state());

    let second = config([("name", Value::from("a")), ("size", Value::from(5))]);
    let plan = managed.apply(second).await.unwrap();
    assert_eq!(plan.action, Action::Update);
    let planned = thing(&plan.planned);
    assert_eq!(planned.id, "id-a".into(), "kept from the state");
    assert!(planned.revision.is_unknown());
    assert_eq!(thing(managed.state()).revision, 2.into());
    assert!(
        probe
            .calls()
            .contains(&"update with \"planned from created\"".to_owned()),
        "the private data of create reach the update through the plan"
    );

    let third = config([("name", Value::from("b")), ("size", Value::from(4))]);
    let plan = managed.apply(third).await.unwrap();
    assert_eq!(plan.action, Action::Replace);
    let paths: Vec<String> = plan
        .requires_replace
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(paths, ["name", "size"]);
    assert_eq!(thing(managed.state()).id, "id-b".into());
    // Terraform 1.11 and OpenTofu 1.12 plan the create again once the old object is gone, and
    // without the private data of the plan.
    let calls = probe.calls();
    assert_eq!(
        calls[calls.len() - 5..],
        [
            "plan update with \"planned from created\"",
            "plan create with \"planned from planned from created\"",
            "delete with \"planned from planned from planned from created\"",
            "plan create with \"\"",
            "create in here with secret None within 1200s"
        ]
    );

    let warnings = managed.destroy().await.unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(managed.stored().is_none());
    assert_eq!(
        probe.calls().last().unwrap(),
        "delete with \"destroy planned\""
    );
}

#[tokio::test]
async fn unknown_configuration_becomes_known_at_apply() {
    let (_, _, mut managed) = start().await;
    let group = |minimum| Value::map([("x", Value::object([("minimum", minimum)]))]);
    let unknown = config([("name", Value::Unknown), ("groups", group(Value::Unknown))]);
    let plan = managed.plan(unknown).await.unwrap();
    assert!(thing(&plan.planned).name.is_unknown());
    let known = config([
        ("name", Value::from("a")),
        ("groups", group(Value::from(2))),
    ]);
    managed.apply_plan(&plan, known).await.unwrap();
    assert_eq!(thing(managed.state()).id, "id-a".into());
}

#[tokio::test]
async fn core_shows_the_warnings_of_the_first_plan_of_a_replacement() {
    let (_, _, mut managed) = start().await;
    let named = |name: &str| config([("name", Value::from(name)), ("label", Value::from("warn"))]);
    let plan = managed.apply(named("a")).await.unwrap();
    assert!(plan.warnings.to_string().contains("Planned: create"));
    let plan = managed.plan(named("b")).await.unwrap();
    assert_eq!(plan.action, Action::Replace);
    assert_eq!(
        plan.warnings.to_string(),
        "Warning: Planned: update: Have a look."
    );
}

#[tokio::test]
async fn plans_and_reads_are_deferred_where_core_allows_it() {
    let (probe, core, mut strict) = start().await;
    let mut lenient = core.clone().allow_deferral().resource("probe_thing");
    let open = config([("name", Value::Unknown)]);
    let known = config([("name", Value::from("a"))]);

    let plan = strict.plan(open.clone()).await.unwrap();
    assert!(!plan.deferred);
    probe.calls();
    let plan = lenient.plan(open).await.unwrap();
    assert!(plan.deferred && thing(&plan.planned).id.is_unknown());
    assert_eq!(probe.calls(), [""; 0], "the resource does not plan");
    lenient.apply(known.clone()).await.unwrap();
    probe.calls();

    let mut core = core.allow_deferral();
    core.configure(config([("region", Value::from("unknown"))]))
        .await
        .unwrap();
    let before = lenient.stored().unwrap().clone();
    let plan = lenient.plan(known).await.unwrap();
    assert!(plan.deferred);
    assert_eq!(lenient.stored(), Some(&before));
    assert_eq!(
        probe.calls(),
        [""; 0],
        "the resource neither reads nor plans"
    );
}

#[tokio::test]
async fn a_value_of_the_same_meaning_is_no_change() {
    let (_, _, mut managed) = start().await;
    let named = |document: &str| {
        config([
            ("name", Value::from("a")),
            ("document", Value::from(document)),
        ])
    };
    managed.apply(named("Hello")).await.unwrap();
    let plan = managed.plan(named("HELLO")).await.unwrap();
    assert_eq!(plan.action, Action::NoOp);
    let plan = managed.plan(named("bye")).await.unwrap();
    assert_eq!(plan.action, Action::Update);
}

#[tokio::test]
async fn failed_creates() {
    let (probe, _, mut managed) = start().await;
    let wanted = config([("name", Value::from("a"))]);

    probe.script(|script| {
        script.create = Some(Box::new(|_| {
            Applied::failed(Diagnostics::error("No", "Nothing made."))
        }));
    });
    managed.apply(wanted.clone()).await.unwrap_err();
    assert!(managed.stored().is_none(), "nothing is stored");

    probe.script(|script| {
        script.create = Some(Box::new(|planned| {
            let mut private = planned.private.clone();
            private.insert("note", "half");
            Applied::partial(
                planned.planned,
                private,
                Diagnostics::error("No", "Half made."),
            )
        }));
    });
    managed.apply(wanted.clone()).await.unwrap_err();
    let stored = managed.stored().unwrap();
    assert!(stored.tainted);
    assert!(thing(&stored.value).id.is_null(), "unknown becomes null");

    managed.set_stored(None);
    probe.script(|script| script.create = Some(Box::new(|_| panic!("told to panic"))));
    let error = managed.apply(wanted.clone()).await.unwrap_err();
    assert!(
        error.to_string().contains(
            "Please report this to the provider's developers. The object may exist, in part or as \
             a whole: the state holds it as it was planned"
        ),
        "{error}"
    );
    let stored = managed.stored().unwrap();
    assert!(stored.tainted);
    assert_eq!(thing(&stored.value).name, "a".into());
    assert!(thing(&stored.value).id.is_null(), "unknown becomes null");
    assert_eq!(stored.private, br#"{"note":"planned from "}"#);

    probe.script(|script| script.create = None);
    probe.calls();
    let plan = managed.apply(wanted.clone()).await.unwrap();
    assert_eq!(plan.action, Action::Replace);
    assert_eq!(
        probe.calls(),
        [
            "read",
            "plan create with \"\"",
            "delete with \"planned from \"",
            "plan create with \"\"",
            "create in here with secret None within 1200s"
        ],
        "the delete half of a tainted object gets the private data of the create plan"
    );
    assert!(!managed.stored().unwrap().tainted);
}

#[tokio::test]
async fn failed_updates_and_deletes_keep_what_is_there() {
    let (probe, _, mut managed) = start().await;
    managed
        .apply(config([("name", Value::from("a"))]))
        .await
        .unwrap();
    let before = managed.stored().unwrap().clone();
    let wanted = config([("name", Value::from("a")), ("label", Value::from("new"))]);

    probe.script(|script| script.update = Some(Box::new(|_| panic!("told to panic"))));
    let error = managed.apply(wanted.clone()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("updating a probe_thing: told to panic (") && text.contains("lifecycle.rs:"),
        "{text}"
    );
    assert_eq!(managed.stored(), Some(&before));

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
    });
    managed.apply(wanted.clone()).await.unwrap_err();
    assert_eq!(thing(managed.state()).label, "halfway".into());
    assert!(!managed.stored().unwrap().tainted);

    let before = managed.stored().unwrap().clone();
    probe.script(|script| {
        script.delete = Some(Box::new(|_| {
            Deleted::failed(Diagnostics::error("No", "It stays."))
        }));
    });
    managed.destroy().await.unwrap_err();
    assert_eq!(managed.stored(), Some(&before));

    probe.script(|script| {
        script.delete = Some(Box::new(|planned| {
            Deleted::partial(
                Thing {
                    label: "rest".into(),
                    ..planned.prior
                },
                planned.private,
                Diagnostics::error("No", "A part stays."),
            )
        }));
    });
    managed.destroy().await.unwrap_err();
    assert_eq!(thing(managed.state()).label, "rest".into());
}

#[tokio::test]
async fn a_panic_after_the_effect_keeps_what_the_handler_returned() {
    let (probe, _, mut managed) = start().await;
    let explode = |thing: Thing| Thing {
        document: "explode".into(),
        ..thing
    };
    let note = |note: &str| {
        let mut private = tfplugin::Private::new();
        private.insert("note", note);
        private
    };
    let wanted = config([
        ("name", Value::from("a")),
        ("document", Value::from("text")),
    ]);
    let assert_kept = |stored: Option<&tfplugin::testing::Stored>, error: Diagnostics| {
        let error = error.to_string();
        assert!(
            error.contains("told to explode") && error.contains("what the operation itself"),
            "{error}"
        );
        let stored = stored.expect("the object is kept");
        assert_eq!(thing(&stored.value).document, "explode".into());
        assert_eq!(stored.private, br#"{"note":"made"}"#);
    };
    probe.script(|script| {
        script.create = Some(Box::new(move |planned| {
            Applied::done(explode(settle(planned.planned, 1)), note("made"))
        }));
    });
    let error = managed.apply(wanted.clone()).await.unwrap_err();
    assert_kept(managed.stored(), error);
    assert!(managed.stored().unwrap().tainted);

    probe.script(|script| script.create = None);
    managed.set_stored(None);
    managed.apply(wanted.clone()).await.unwrap();
    probe.script(|script| {
        script.update = Some(Box::new(move |planned| {
            Applied::done(explode(settle(planned.planned, 2)), note("made"))
        }));
    });
    let changed = config([
        ("name", Value::from("a")),
        ("document", Value::from("text")),
        ("label", Value::from("new")),
    ]);
    let error = managed.apply(changed.clone()).await.unwrap_err();
    assert_kept(managed.stored(), error);
    assert!(!managed.stored().unwrap().tainted);

    managed.set_stored(None);
    managed.apply(wanted.clone()).await.unwrap();
    let before = managed.stored().unwrap().clone();
    probe.script(|script| {
        script.read = Some(Box::new(move |request| {
            ReadResponse::found(explode(request.state), request.private)
        }));
    });
    let error = managed.plan(wanted).await.unwrap_err();
    assert!(error.to_string().contains("told to explode"), "{error}");
    assert_eq!(managed.stored(), Some(&before));
}

#[tokio::test]
async fn an_answer_that_cannot_be_encoded_keeps_the_object() {
    let (probe, _, mut managed) = start().await;
    let broken = || Value::dynamic(tfplugin::cty::Type::Bool, Value::from("no"));
    let private = |note: &str| {
        let mut private = tfplugin::Private::new();
        private.insert("note", note);
        private
    };
    let named = |label: &str| config([("name", Value::from("a")), ("label", Value::from(label))]);

    // A create made something: it is kept, tainted, as it was planned.
    probe.script(|script| {
        script.create = Some(Box::new(move |planned| {
            let mut thing = support::settle(planned.planned, 1);
            thing.anything = broken().into();
            Applied::done(thing, private("made"))
        }));
    });
    managed.apply(named("first")).await.unwrap_err();
    let stored = managed.stored().unwrap();
    assert!(stored.tainted);
    assert_eq!(stored.private, br#"{"note":"made"}"#);
    assert_eq!(thing(managed.state()).label, "first".into());

    probe.script(|script| script.create = None);
    managed.apply(named("second")).await.unwrap();
    let before = managed.state().clone();
    probe.script(|script| {
        script.update = Some(Box::new(move |planned| {
            let mut thing = support::settle(planned.planned, 2);
            thing.anything = broken().into();
            Applied::done(thing, private("half changed"))
        }));
    });
    let error = managed.apply(named("third")).await.unwrap_err();
    assert!(error.to_string().contains("(at anything)"), "{error}");
    assert_eq!(managed.state(), &before);
    assert_eq!(
        managed.stored().unwrap().private,
        br#"{"note":"half changed"}"#
    );
}

#[tokio::test]
async fn reads() {
    let (probe, _, mut managed) = start().await;
    let wanted = config([("name", Value::from("a"))]);
    managed.apply(wanted.clone()).await.unwrap();
    let before = managed.stored().unwrap().clone();

    probe.script(|script| {
        script.read = Some(Box::new(|request| {
            ReadResponse::failed(request, Diagnostics::error("Unreachable", "Try again."))
        }));
    });
    managed.plan(wanted.clone()).await.unwrap_err();
    assert_eq!(
        managed.stored(),
        Some(&before),
        "an unreachable object is not gone"
    );

    probe.script(|script| {
        script.read = Some(Box::new(|request| {
            ReadResponse::found(
                Thing {
                    size: 7.into(),
                    ..request.state
                },
                request.private,
            )
        }));
    });
    let plan = managed.plan(wanted.clone()).await.unwrap();
    assert_eq!(
        plan.action,
        Action::Replace,
        "drift from 7 to 3 is a shrink"
    );

    probe.script(|script| script.read = Some(Box::new(|_| ReadResponse::gone())));
    let plan = managed.plan(wanted).await.unwrap();
    assert_eq!(plan.action, Action::Create);
}

#[tokio::test]
async fn imports() {
    let (_, _, mut managed) = start().await;
    let error = managed.import("nonsense").await.unwrap_err();
    assert!(error.to_string().contains("does not start with id-"));
    managed.import("id-a").await.unwrap();
    let plan = managed
        .plan(config([("name", Value::from("a"))]))
        .await
        .unwrap();
    assert_eq!(plan.action, Action::NoOp);
}

#[tokio::test]
async fn state_upgrades() {
    let (_, _, mut managed) = start().await;
    let cases: [(i64, &str, Result<&str, &str>); 9] = [
        (2, r#"{"name":"a","dropped":{"x":1}}"#, Ok("a")),
        (2, r#"{"name":7}"#, Ok("7")),
        (
            2,
            r#"{"name":["a"]}"#,
            Err("The stored state cannot be read (at name)"),
        ),
        (
            2,
            r#"{"name":"a","groups":"x"}"#,
            Err("The stored state cannot be read (at groups)"),
        ),
        (
            2,
            r#"{"name":"a","groups":{"x":[]}}"#,
            Err("The stored state cannot be read (at groups[\"x\"])"),
        ),
        (
            2,
            r#"{"name":"a","groups":null,"rules":[{"port":1,"gone":2}]}"#,
            Ok("a"),
        ),
        (1, r#"{"title":"old"}"#, Ok("old")),
        (0, r#"{}"#, Err("Version 0 without a title")),
        (3, r#"{}"#, Err("The state is newer than this provider")),
    ];
    for (version, raw, expected) in cases {
        let upgraded = managed.upgrade_raw(version, raw.as_bytes().to_vec()).await;
        match (upgraded, expected) {
            (Ok(state), Ok(name)) => assert_eq!(thing(&state).name, name.into(), "{raw}"),
            (Err(error), Err(text)) => {
                assert!(error.to_string().contains(text), "{raw}: {error}");
            }
            (result, _) => panic!("{raw}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn stop_and_timeouts_end_the_work_at_a_safe_point() {
    let (_, core, mut managed) = start().await;
    let waiting = |timeout: &str| {
        config([
            ("name", Value::from("a")),
            ("label", Value::from("wait")),
            (
                "timeouts",
                Value::object([("create", Value::from(timeout))]),
            ),
        ])
    };
    let error = managed.apply(waiting("10ms")).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the operation took longer than its timeout of 0.01s"),
        "{error}"
    );
    assert_eq!(thing(managed.state()).id, "id-a".into());
    assert!(managed.stored().unwrap().tainted);

    let mut other = core.resource("probe_thing");
    let (stopped, ()) = tokio::join!(other.apply(waiting("1h")), core.stop());
    let error = stopped.unwrap_err();
    assert!(error.to_string().contains("stopped by the user"), "{error}");
    assert_eq!(thing(other.state()).id, "id-a".into());
}

#[tokio::test]
async fn broken_rules_are_named() {
    let cases: [(&str, Change, &str); 4] = [
        (
            "a configured value is changed",
            |planned| Thing {
                name: "other".into(),
                ..planned
            },
            "`name`: the plan has \"other\" but the configuration has \"a\"",
        ),
        (
            "a value appears that is not computed",
            |planned| Thing {
                document: "x".into(),
                ..planned
            },
            "`document`: the plan sets \"x\" but the attribute is not configured and not computed",
        ),
        (
            "a write-only value is kept",
            |planned| Thing {
                secret: "s3cret".into(),
                ..planned
            },
            "`secret`: a write-only attribute must be null in the plan",
        ),
        (
            "a key appears",
            |planned| Thing {
                groups: std::collections::BTreeMap::new().into(),
                ..planned
            },
            "`groups`: the plan sets a map but the attribute is not configured and not computed",
        ),
    ];
    for (case, change, expected) in cases {
        let (probe, _, mut managed) = start().await;
        probe.script(|script| script.plan = Some(Box::new(move |thing| Ok(change(thing)))));
        let error = managed
            .plan(config([("name", Value::from("a"))]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{case}: {error}");
    }

    let applied: [(Change, &str); 3] = [
        (
            |planned| planned,
            "`id`: the value is unknown, and only a plan may hold unknown values",
        ),
        (
            |planned| Thing {
                size: 4.into(),
                ..settle(planned, 1)
            },
            "`size`: was planned as 3 but is 4",
        ),
        (
            |planned| Thing {
                secret: "s3cret".into(),
                ..settle(planned, 1)
            },
            "`secret`: a write-only attribute must be null in the state",
        ),
    ];
    for (change, expected) in applied {
        let (probe, _, mut managed) = start().await;
        probe.script(|script| {
            script.create = Some(Box::new(move |planned| {
                Applied::done(change(planned.planned), planned.private)
            }));
        });
        let error = managed
            .apply(config([("name", Value::from("a"))]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let stored = managed.stored().expect("what was made is not lost");
        assert!(stored.tainted && thing(&stored.value).secret.is_null());
    }
}
