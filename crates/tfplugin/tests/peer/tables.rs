//! Chosen cases for every call.

use tfplugin::cty::{Type, Value};

use crate::life::{Pair, THING, both};

/// A value of a dynamic attribute.
fn dynamic(ty: Type, value: Value) -> Value {
    Value::dynamic(ty, value)
}

/// A configuration that has these values besides what every one needs.
fn thing<const N: usize>(values: [(&str, Value); N]) -> Value {
    let base = [("name", Value::from("a")), ("disk", Value::list([]))];
    Value::object(base.into_iter().chain(values))
}

fn object<const N: usize>(values: [(&str, Value); N]) -> Value {
    Value::object(values)
}

pub async fn run(pair: &mut Pair) {
    let hashicorp = pair.hashicorp.call_get_provider_schema().await;
    let own = pair.own.call_get_provider_schema().await;
    pair.report
        .compare_lines("GetProviderSchema", &hashicorp, &own);
    for region in [Value::Null, Value::Unknown, Value::from("here")] {
        let config = object([("region", region)]);
        both!(pair, "ValidateProviderConfig", "region", |core, _side| core
            .call_validate_provider(config.clone()));
    }
    for (case, configs) in lives() {
        pair.live(case, &configs).await;
    }
    states(pair).await;
    imports(pair).await;
    others(pair).await;
}

/// Configurations that follow one another.
fn lives() -> Vec<(&'static str, Vec<Value>)> {
    let label = |text: &str| thing([("label", Value::from(text))]);
    let labels = [
        ("invalid label", vec![label("invalid")]),
        ("doubtful label", vec![label("doubtful")]),
        ("plan fails", vec![label("a"), label("plan-fails")]),
        ("plan warns", vec![label("plan-warns"), label("a")]),
        ("plan private", vec![label("plan-private"), label("a")]),
        ("plan replaces", vec![label("a"), label("plan-replaces")]),
        ("create fails", vec![label("fails")]),
        ("create ends half-way", vec![label("half")]),
        ("create private", vec![label("private"), label("a")]),
        ("update fails", vec![label("a"), label("fails")]),
        (
            "update ends half-way",
            vec![label("a"), label("half"), label("b")],
        ),
        ("read finds nothing", vec![label("gone")]),
        ("read fails", vec![label("unreadable"), label("a")]),
        ("delete fails", vec![label("kept")]),
        ("destroy is refused", vec![label("protected")]),
    ];
    let settings = |mode: &str| {
        let settings = object([("mode", Value::from(mode))]);
        thing([("settings", settings)])
    };
    let disk = |size: i64, kind: Value, parts: &[&str]| {
        let parts = parts
            .iter()
            .map(|mount| object([("mount", Value::from(*mount))]));
        object([
            ("size", Value::from(size)),
            ("kind", kind),
            ("part", Value::set(parts)),
        ])
    };
    let network = |cidr: Value| thing([("network", object([("cidr", cidr)]))]);
    let unknown = |name: &'static str| vec![thing([]), thing([(name, Value::Unknown)])];
    let group = |minimum: i64| object([("minimum", Value::from(minimum))]);
    let values = [
        ("least", vec![thing([]), thing([])]),
        (
            "requires replace",
            vec![thing([]), thing([("name", Value::from("b"))])],
        ),
        (
            "requires replace if",
            vec![
                thing([("size", Value::from(5))]),
                thing([("size", Value::from(6))]),
                thing([]),
            ],
        ),
        (
            "name too long",
            vec![thing([("name", Value::from("a name that is too long"))])],
        ),
        ("name empty", vec![thing([("name", Value::from(""))])]),
        (
            "size out of range",
            vec![thing([("size", Value::from(10))])],
        ),
        (
            "size not whole",
            vec![thing([(
                "size",
                Value::number("1.5".parse::<tfplugin::cty::Number>().unwrap()),
            )])],
        ),
        (
            "element out of range",
            vec![thing([(
                "ports",
                Value::list([Value::from(1), Value::from(10)]),
            )])],
        ),
        (
            "too many elements",
            vec![thing([("ports", Value::list([1, 2, 3].map(Value::from)))])],
        ),
        (
            "null element",
            vec![thing([("ports", Value::list([Value::Null]))])],
        ),
        (
            "conflict",
            vec![thing([
                ("document", Value::from("a")),
                ("anything", dynamic(Type::String, Value::from("a"))),
            ])],
        ),
        (
            "conflict that may be none",
            vec![thing([
                ("document", Value::from("a")),
                ("anything", Value::Unknown),
            ])],
        ),
        (
            "required together",
            vec![thing([("secret", Value::from("s"))])],
        ),
        (
            "write-only",
            vec![
                thing([("password", Value::from("p"))]),
                thing([("password", Value::from("q"))]),
            ],
        ),
        (
            "timeouts",
            vec![
                thing([("timeouts", object([("create", Value::from("5m"))]))]),
                thing([("timeouts", object([("create", Value::from("soon"))]))]),
            ],
        ),
        (
            "dynamic",
            vec![
                thing([("anything", dynamic(Type::String, Value::from("a")))]),
                thing([(
                    "anything",
                    dynamic(
                        Type::list(Type::Number),
                        Value::list([Value::from(1), Value::from(2)]),
                    ),
                )]),
                thing([("anything", dynamic(Type::String, Value::Unknown))]),
                thing([]),
            ],
        ),
        (
            "dynamic null",
            vec![thing([("anything", dynamic(Type::Bool, Value::Null))])],
        ),
        ("settings", vec![settings("a"), settings("b"), thing([])]),
        (
            "settings appear",
            vec![thing([]), settings("a"), settings("a")],
        ),
        (
            "steps",
            vec![
                thing([("steps", Value::list([object([("run", Value::from("a"))])]))]),
                thing([(
                    "steps",
                    Value::list([
                        object([("run", Value::from("a"))]),
                        object([("run", Value::from("b"))]),
                    ]),
                )]),
                thing([("steps", Value::list([]))]),
            ],
        ),
        (
            "groups",
            vec![
                thing([("groups", Value::map([("x", group(1)), ("y", group(2))]))]),
                thing([("groups", Value::map([("x", group(1)), ("z", group(3))]))]),
                thing([("groups", Value::map([("x", group(99))]))]),
            ],
        ),
        (
            "rules",
            vec![
                thing([("rules", Value::set([object([("port", Value::from(1))])]))]),
                thing([("rules", Value::set([object([("port", Value::from(77))])]))]),
                thing([(
                    "rules",
                    Value::set([
                        object([("port", Value::from(1))]),
                        object([("port", Value::from(2)), ("protocol", Value::from("udp"))]),
                    ]),
                )]),
            ],
        ),
        (
            "disks",
            vec![
                thing([("disk", Value::list([disk(1, Value::Null, &["a"])]))]),
                thing([(
                    "disk",
                    Value::list([
                        disk(1, Value::from("slow"), &["a", "b"]),
                        disk(2, Value::Null, &[]),
                    ]),
                )]),
                thing([("disk", Value::list([disk(10, Value::Null, &[])]))]),
                thing([]),
            ],
        ),
        (
            "network",
            vec![
                network(Value::from("a")),
                network(Value::from("b")),
                thing([]),
                network(Value::Null),
            ],
        ),
        ("zones", vec![thing([("zones", Value::set([]))]), thing([])]),
        ("unknown name", unknown("name")),
        ("unknown label", unknown("label")),
        ("unknown size", unknown("size")),
        ("unknown enabled", unknown("enabled")),
        ("unknown password", unknown("password")),
        ("unknown settings", unknown("settings")),
        ("unknown steps", unknown("steps")),
        ("unknown rules", unknown("rules")),
        ("unknown groups", unknown("groups")),
        ("unknown tags", unknown("tags")),
        ("unknown zones", unknown("zones")),
        ("unknown disk", unknown("disk")),
        ("unknown anything", unknown("anything")),
        ("unknown timeouts", unknown("timeouts")),
        (
            "unknown inside",
            vec![
                settings("a"),
                thing([("settings", object([("mode", Value::Unknown)]))]),
                thing([("tags", Value::map([("k", Value::Unknown)]))]),
                thing([("steps", Value::list([object([("run", Value::Unknown)])]))]),
                thing([(
                    "groups",
                    Value::map([("x", object([("minimum", Value::Unknown)]))]),
                )]),
                thing([("disk", Value::list([disk(1, Value::Unknown, &["a"])]))]),
                network(Value::Unknown),
            ],
        ),
    ];
    labels.into_iter().chain(values).collect()
}

async fn states(pair: &mut Pair) {
    let present = r#"{"id":"a","name":"a","disk":[],"revision":1"#;
    let upgrades = [
        ("same version", 2, format!("{present}}}")),
        (
            "same version, an attribute more",
            2,
            format!("{present},\"more\":1}}"),
        ),
        (
            "same version, wrong type",
            2,
            format!("{present},\"size\":\"many\"}}"),
        ),
        (
            "same version, number as text",
            2,
            format!("{present},\"size\":\"4\"}}"),
        ),
        (
            "same version, dynamic",
            2,
            format!("{present},\"anything\":{{\"type\":\"string\",\"value\":\"a\"}}}}"),
        ),
        (
            "same version, blocks missing",
            2,
            "{\"id\":\"a\",\"name\":\"a\"}".to_owned(),
        ),
        ("version 0", 0, r#"{"title":"a","gone":[1]}"#.to_owned()),
        ("version 0, refused", 0, r#"{"title":"broken"}"#.to_owned()),
        ("version 1, without upgrade", 1, "{}".to_owned()),
    ];
    for (case, version, state) in &upgrades {
        both!(pair, "UpgradeResourceState", case, |core, _side| core
            .call_upgrade(THING, *version, state));
    }
    let identities = [
        ("same version", 1, r#"{"id":"a","region":"here"}"#),
        ("version 0", 0, r#"{"key":"a"}"#),
        ("version 3, newer", 3, r#"{"id":"a"}"#),
    ];
    for (case, version, identity) in identities {
        both!(pair, "UpgradeResourceIdentity", case, |core, _side| core
            .call_upgrade_identity(THING, version, identity));
    }
    let builtin = "terraform.io/builtin/terraform";
    let moves = [
        (
            "taken over",
            builtin,
            ("terraform_data", 0),
            r#"{"input":"a"}"#,
        ),
        (
            "refused",
            builtin,
            ("terraform_data", 0),
            r#"{"input":"broken"}"#,
        ),
        ("another type", builtin, ("other", 0), "{}"),
        (
            "another provider",
            "example.com/a/b",
            ("terraform_data", 0),
            "{}",
        ),
    ];
    for (case, provider, source, state) in moves {
        both!(pair, "MoveResourceState", case, |core, _side| core
            .call_move(THING, provider, source, state));
    }
}

async fn imports(pair: &mut Pair) {
    let identity = |id: &str| object([("id", Value::from(id)), ("region", Value::Null)]);
    let imports = [
        ("by id", "a", Value::Null),
        ("by id, private", "private", Value::Null),
        ("by id, none", "none", Value::Null),
        ("by identity", "", identity("a")),
        ("by identity, none", "", identity("none")),
    ];
    for (case, id, identity) in imports {
        let hashicorp = pair.hashicorp.call_import(THING, id, &identity).await;
        let own = pair.own.call_import(THING, id, &identity).await;
        assert_eq!((hashicorp.len(), own.len()), (1, 1), "{case}");
        let (hashicorp, own) = (&hashicorp[0], &own[0]);
        pair.report
            .compare("ImportResourceState", case, hashicorp, own);
        if own.value.is_null() || hashicorp.value.is_null() {
            continue;
        }
        let private = [hashicorp.private.clone(), own.private.clone()];
        let (state, known) = (own.value.clone(), own.identity.clone());
        both!(pair, "ReadResource", case, |core, side| core.call_read(
            THING,
            &state,
            &private[side],
            &known
        ));
    }
}

async fn others(pair: &mut Pair) {
    for name in ["a", "none"] {
        let config = object([("name", Value::from(name))]);
        both!(pair, "ReadDataSource", name, |core, _side| core
            .call_read_data_source("peer_lookup", config.clone()));
    }
    let text = |text: &str| dynamic(Type::String, Value::from(text));
    let calls = [
        ("join", vec![Value::from("-")]),
        (
            "join",
            vec!["-", "a", "b"].into_iter().map(Value::from).collect(),
        ),
        (
            "join",
            vec!["-", "a", ""].into_iter().map(Value::from).collect(),
        ),
        ("describe", vec![text("a")]),
        ("describe", vec![Value::Null]),
        ("describe", vec![dynamic(Type::String, Value::Null)]),
        ("describe", vec![Value::Unknown]),
        ("describe", vec![dynamic(Type::String, Value::Unknown)]),
    ];
    for (name, arguments) in calls {
        let case = format!("{name} {arguments:?}");
        both!(pair, "CallFunction", &case, |core, _side| core
            .call_function_once(name, &arguments));
    }
    let names = [
        "a",
        "plain",
        "warns",
        "renewed",
        "unrenewable",
        "unclosable",
        "fails",
        "a name that is too long",
        "",
    ];
    for name in names {
        let config = object([("name", Value::from(name))]);
        both!(
            pair,
            "ValidateEphemeralResourceConfig",
            name,
            |core, _side| core.call_validate_ephemeral("peer_token", &config)
        );
        let opened = both!(pair, "OpenEphemeralResource", name, |core, _side| core
            .call_open("peer_token", &config));
        let private = [opened.0.private, opened.1.private];
        let renewed = both!(pair, "RenewEphemeralResource", name, |core, side| core
            .call_renew("peer_token", &private[side]));
        let private = if renewed.1.diagnostics.has_errors() {
            private
        } else {
            [renewed.0.private, renewed.1.private]
        };
        both!(pair, "CloseEphemeralResource", name, |core, side| core
            .call_close("peer_token", &private[side]));
    }
}
