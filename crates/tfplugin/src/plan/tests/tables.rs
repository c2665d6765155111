use serde_json::{Value as Json, json};

use super::passive::plan_as_core;
use crate::cty::{Type, Value};
use crate::schema::{Attribute, Block, BlockNesting, Schema, modifiers};

/// The value of a type from JSON, where "?" stands for unknown and missing attributes are null.
fn value(json: &Json, ty: &Type) -> Value {
    match (json, ty) {
        (Json::String(text), _) if text == "?" => Value::Unknown,
        (Json::Null, Type::Object(_)) | (Json::Null, _) => Value::Null,
        (Json::String(text), _) => Value::from(text.as_str()),
        (Json::Object(fields), Type::Object(object)) => {
            Value::object(object.attributes().iter().map(|(name, ty)| {
                let json = fields.get(name).unwrap_or(&Json::Null);
                (name.as_str(), value(json, ty))
            }))
        }
        (Json::Object(fields), Type::Map(ty)) => {
            Value::map(fields.iter().map(|(key, json)| (key, value(json, ty))))
        }
        (Json::Array(elements), Type::List(ty)) => {
            Value::list(elements.iter().map(|json| value(json, ty)))
        }
        (Json::Array(elements), Type::Set(ty)) => {
            Value::set(elements.iter().map(|json| value(json, ty)))
        }
        (json, ty) => panic!("{json} is no {ty}"),
    }
}

/// What a value looks like in a table: nulls of objects are left out.
fn table(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Unknown => json!("?"),
        Value::String(text) => json!(text),
        Value::List(elements) | Value::Set(elements) => elements.iter().map(table).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), table(value)))
            .collect(),
        Value::Object(attributes) => attributes
            .iter()
            .filter(|(_, value)| **value != Value::Null)
            .map(|(name, value)| (name.clone(), table(value)))
            .collect(),
        other => panic!("{other:?} is not used in these tables"),
    }
}

fn text() -> Attribute {
    Attribute::string().description("Text.")
}

struct Case {
    name: &'static str,
    prior: Json,
    config: Json,
    planned: Json,
    replace: &'static [&'static str],
}

fn check(schema: &Schema, cases: &[Case]) {
    let ty = schema.ty();
    for case in cases {
        let answer = plan_as_core(schema, &value(&case.prior, &ty), &value(&case.config, &ty));
        assert!(
            answer.diagnostics.is_empty(),
            "{}: {}",
            case.name,
            answer.diagnostics
        );
        let planned = answer.planned.as_ref().map_or(Json::Null, table);
        assert_eq!(planned, case.planned, "{}", case.name);
        let replace: Vec<String> = answer
            .requires_replace
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(replace, case.replace, "{}", case.name);
    }
}

#[test]
fn attributes() {
    let schema = Schema::new("Plain attributes.")
        .attribute("req", text().required())
        .attribute("opt", text().optional())
        .attribute("oc", text().optional().computed())
        .attribute("def", text().optional().computed().default("d"))
        .attribute("comp", text().computed())
        .attribute(
            "keep",
            text()
                .computed()
                .plan_modifier(modifiers::use_state_for_unknown()),
        )
        .attribute("wo", text().optional().write_only())
        .attribute(
            "new",
            text()
                .optional()
                .plan_modifier(modifiers::requires_replace()),
        );
    check(
        &schema,
        &[
            Case {
                name: "create",
                prior: json!(null),
                config: json!({"req": "a", "wo": "secret", "new": "n"}),
                planned: json!({"req": "a", "new": "n", "def": "d", "oc": "?", "comp": "?", "keep": "?"}),
                replace: &[],
            },
            Case {
                name: "no change",
                prior: json!({"req": "a", "def": "d", "oc": "o", "comp": "c", "keep": "k"}),
                config: json!({"req": "a", "wo": "secret"}),
                planned: json!({"req": "a", "def": "d", "oc": "o", "comp": "c", "keep": "k"}),
                replace: &[],
            },
            Case {
                name: "a change makes the computed values unknown, but for those that are kept",
                prior: json!({"req": "a", "def": "d", "oc": "o", "comp": "c", "keep": "k"}),
                config: json!({"req": "b"}),
                planned: json!({"req": "b", "def": "d", "oc": "?", "comp": "?", "keep": "k"}),
                replace: &[],
            },
            Case {
                name: "a configured optional and computed value stays",
                prior: json!({"req": "a", "def": "d", "oc": "o", "comp": "c", "keep": "k"}),
                config: json!({"req": "a", "oc": "p"}),
                planned: json!({"req": "a", "def": "d", "oc": "p", "comp": "?", "keep": "k"}),
                replace: &[],
            },
            Case {
                name: "a default comes back when the configuration drops its value",
                prior: json!({"req": "a", "def": "e", "oc": "o", "comp": "c", "keep": "k"}),
                config: json!({"req": "a"}),
                planned: json!({"req": "a", "def": "d", "oc": "?", "comp": "?", "keep": "k"}),
                replace: &[],
            },
            Case {
                name: "an unknown configured value stays unknown",
                prior: json!({"req": "a", "def": "d", "oc": "o", "comp": "c", "keep": "k"}),
                config: json!({"req": "?", "def": "?"}),
                planned: json!({"req": "?", "def": "?", "oc": "?", "comp": "?", "keep": "k"}),
                replace: &[],
            },
            Case {
                name: "a replacement",
                prior: json!({"req": "a", "def": "d", "oc": "o", "comp": "c", "keep": "k", "new": "n"}),
                config: json!({"req": "a", "new": "m"}),
                planned: json!({"req": "a", "def": "d", "oc": "?", "comp": "?", "keep": "k", "new": "m"}),
                replace: &["new"],
            },
            Case {
                name: "a replacement because of a value that is not known yet",
                prior: json!({"req": "a", "def": "d", "oc": "o", "comp": "c", "keep": "k", "new": "n"}),
                config: json!({"req": "a", "new": "?"}),
                planned: json!({"req": "a", "def": "d", "oc": "?", "comp": "?", "keep": "k", "new": "?"}),
                replace: &["new"],
            },
            Case {
                name: "destroy",
                prior: json!({"req": "a"}),
                config: json!(null),
                planned: json!(null),
                replace: &[],
            },
        ],
    );
}

#[test]
fn nested_attributes() {
    let inner = || {
        [
            ("key", text().required()),
            ("def", text().optional().computed().default("d")),
            (
                "keep",
                text()
                    .computed()
                    .plan_modifier(modifiers::use_state_for_unknown()),
            ),
            (
                "new",
                text()
                    .optional()
                    .plan_modifier(modifiers::requires_replace()),
            ),
        ]
    };
    let schema = Schema::new("Nested attributes.")
        .attribute(
            "map",
            Attribute::map_nested(inner())
                .optional()
                .description("Map."),
        )
        .attribute(
            "list",
            Attribute::list_nested(inner())
                .optional()
                .description("List."),
        )
        .attribute(
            "set",
            Attribute::set_nested(inner())
                .optional()
                .description("Set."),
        )
        .attribute(
            "one",
            Attribute::single_nested(inner())
                .optional()
                .computed()
                .description("One."),
        );
    let element = json!({"key": "a", "def": "d", "keep": "k"});
    let prior = json!({
        "map": {"x": element}, "list": [element], "set": [element],
        "one": {"key": "a", "def": "d", "keep": "k"},
    });
    check(
        &schema,
        &[
            Case {
                name: "create",
                prior: json!(null),
                config: json!({"map": {"x": {"key": "a"}}, "list": [{"key": "a"}], "set": [{"key": "a"}, {"key": "b"}]}),
                planned: json!({
                    "map": {"x": {"key": "a", "def": "d", "keep": "?"}},
                    "list": [{"key": "a", "def": "d", "keep": "?"}],
                    "set": [{"key": "a", "def": "d", "keep": "?"}, {"key": "b", "def": "d", "keep": "?"}],
                    "one": "?",
                }),
                replace: &[],
            },
            Case {
                name: "no change",
                prior: prior.clone(),
                config: json!({"map": {"x": {"key": "a"}}, "list": [{"key": "a"}], "set": [{"key": "a"}], "one": {"key": "a"}}),
                planned: prior.clone(),
                replace: &[],
            },
            Case {
                name: "an element is new, the others keep what they have",
                prior: prior.clone(),
                config: json!({
                    "map": {"w": {"key": "b"}, "x": {"key": "a"}}, "list": [{"key": "a"}, {"key": "b"}],
                    "set": [{"key": "a"}, {"key": "b"}], "one": {"key": "a"},
                }),
                planned: json!({
                    "map": {"w": {"key": "b", "def": "d", "keep": "?"}, "x": element},
                    "list": [element, {"key": "b", "def": "d", "keep": "?"}],
                    "set": [element, {"key": "b", "def": "d", "keep": "?"}],
                    "one": element,
                }),
                replace: &[],
            },
            Case {
                name: "the paths of a replacement end at a set",
                prior: prior.clone(),
                config: json!({
                    "map": {"x": {"key": "a", "new": "n"}}, "list": [{"key": "a", "new": "n"}],
                    "set": [{"key": "a", "new": "n"}], "one": {"key": "a"},
                }),
                planned: json!({
                    "map": {"x": {"key": "a", "def": "d", "keep": "k", "new": "n"}},
                    "list": [{"key": "a", "def": "d", "keep": "k", "new": "n"}],
                    "set": [{"key": "a", "def": "d", "keep": "?", "new": "n"}],
                    "one": element,
                }),
                replace: &["list[0].new", "map[\"x\"].new", "set"],
            },
            Case {
                name: "a default comes back inside collections",
                prior: json!({
                    "map": {"x": {"key": "a", "def": "e", "keep": "k"}},
                    "set": [{"key": "a", "def": "e", "keep": "k"}],
                    "one": element,
                }),
                config: json!({"map": {"x": {"key": "a"}}, "set": [{"key": "a"}], "one": {"key": "a"}}),
                planned: json!({
                    "map": {"x": element},
                    "set": [{"key": "a", "def": "d", "keep": "?"}],
                    "one": element,
                }),
                replace: &[],
            },
            Case {
                name: "collections that are not known yet",
                prior: prior.clone(),
                config: json!({"map": "?", "list": "?", "set": "?", "one": "?"}),
                planned: json!({"map": "?", "list": "?", "set": "?", "one": "?"}),
                replace: &[],
            },
        ],
    );
}

/// Core cannot pair the elements of a set that hold another set, and proposes them without the
/// computed values they had.
#[test]
fn sets_in_sets() {
    let port = || {
        Attribute::set_nested([("port", text().required()), ("handle", text().computed())])
            .description("Ports.")
            .required()
    };
    let schema = Schema::new("Sets.").attribute(
        "rules",
        Attribute::set_nested([
            ("name", text().required()),
            ("id", text().computed()),
            ("ports", port()),
        ])
        .optional()
        .description("Rules."),
    );
    let prior = json!({"rules": [
        {"name": "a", "id": "1", "ports": [{"port": "80", "handle": "x"}]},
        {"name": "b", "id": "2", "ports": [{"port": "81", "handle": "y"}, {"port": "82", "handle": "z"}]},
    ]});
    check(
        &schema,
        &[
            Case {
                name: "no change",
                prior: prior.clone(),
                config: json!({"rules": [
                    {"name": "b", "ports": [{"port": "82"}, {"port": "81"}]},
                    {"name": "a", "ports": [{"port": "80"}]},
                ]}),
                planned: prior.clone(),
                replace: &[],
            },
            Case {
                name: "a changed port",
                prior,
                config: json!({"rules": [{"name": "a", "ports": [{"port": "90"}]}]}),
                planned: json!({"rules": [
                    {"name": "a", "id": "?", "ports": [{"port": "90", "handle": "?"}]},
                ]}),
                replace: &[],
            },
        ],
    );
}

#[test]
fn blocks() {
    let block = |nesting| {
        Block::new(nesting)
            .description("Block.")
            .attribute("key", text().required())
            .attribute("comp", text().computed())
            .attribute("def", text().optional().computed().default("d"))
    };
    let schema = Schema::new("Blocks.")
        .block("list", block(BlockNesting::List))
        .block("single", block(BlockNesting::Single))
        .block("set", block(BlockNesting::Set));
    check(
        &schema,
        &[
            Case {
                name: "create",
                prior: json!(null),
                config: json!({"list": [{"key": "a"}], "single": {"key": "b"}, "set": [{"key": "c"}]}),
                planned: json!({
                    "list": [{"key": "a", "comp": "?", "def": "d"}],
                    "single": {"key": "b", "comp": "?", "def": "d"},
                    "set": [{"key": "c", "comp": "?", "def": "d"}],
                }),
                replace: &[],
            },
            Case {
                name: "blocks that are not there",
                prior: json!({"list": [], "set": []}),
                config: json!({"list": [], "set": []}),
                planned: json!({"list": [], "set": []}),
                replace: &[],
            },
            Case {
                name: "a dynamic block that is not known yet",
                prior: json!({"list": [], "set": []}),
                config: json!({"list": "?", "set": []}),
                planned: json!({"list": "?", "set": []}),
                replace: &[],
            },
        ],
    );
}
