//! Types, values and paths apart from the codecs.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use tfplugin_cty::{Path, PathStep, Type, Value};

fn cluster_type() -> Type {
    Type::object([
        ("name", Type::String),
        (
            "groups",
            Type::map(Type::object([
                ("sizes", Type::list(Type::Number)),
                ("labels", Type::set(Type::String)),
            ])),
        ),
        ("extra", Type::Dynamic),
    ])
}

fn cluster() -> Value {
    let group = Value::object([
        ("sizes", Value::list([1.into(), 2.into()])),
        ("labels", Value::set(["b".into(), "a".into()])),
    ]);
    Value::object([
        ("name", Value::from("prod")),
        ("groups", Value::map([("a", group)])),
        (
            "extra",
            Value::dynamic(
                Type::map(Type::Bool),
                Value::map([("on", Value::Bool(true))]),
            ),
        ),
    ])
}

fn size(index: i64) -> Path {
    Path::root()
        .attribute("groups")
        .key("a")
        .attribute("sizes")
        .index(index)
}

#[test]
fn paths_are_written_as_terraform_writes_them() {
    let cases = [
        (Path::root(), ""),
        (Path::root().attribute("name"), "name"),
        (size(1), r#"groups["a"].sizes[1]"#),
        (Path::root().key("a\"b\n").index(-1), r#"["a\"b\n"][-1]"#),
        (
            Path::root().attribute("labels").element("secret".into()),
            "labels[...]",
        ),
    ];
    for (path, text) in cases {
        assert_eq!(path.to_string(), text);
    }
}

#[test]
fn paths_know_their_place() {
    let path = size(1);
    let list = path.parent().unwrap();
    assert!(path.starts_with(&list) && !list.starts_with(&path) && path.starts_with(&Path::root()));
    assert_eq!(list.clone().step(PathStep::Index(1)), path);
    assert_eq!(Path::root().join(&list).index(1), path);
    assert_eq!(Path::root().parent(), None);
}

#[test]
fn types_are_written_as_type_expressions() {
    let ty = Type::tuple([
        cluster_type(),
        Type::set(Type::Bool),
        Type::object::<String>([]),
    ]);
    assert_eq!(
        ty.to_string(),
        "tuple([object({ extra = any, groups = map(object({ labels = set(string), sizes = list(number) })), \
         name = string }), set(bool), object({})])"
    );
    let optional = Type::from_json(br#"["object",{"a":"string","b":"bool"},["b","b"]]"#).unwrap();
    assert_eq!(
        optional.to_string(),
        "object({ a = string, b = optional(bool) })"
    );
    assert_eq!(
        optional.to_json(),
        br#"["object",{"a":"string","b":"bool"},["b"]]"#
    );
}

#[test]
fn the_type_at_a_path_is_found() {
    let cases = [
        (size(5), Some(Type::Number)),
        (Path::root().attribute("extra"), Some(Type::Dynamic)),
        (Path::root().attribute("extra").key("on"), None),
        (Path::root().attribute("missing"), None),
        (Path::root().key("name"), None),
    ];
    for (path, ty) in cases {
        assert_eq!(cluster_type().at(&path), ty.as_ref(), "{path}");
    }
}

#[test]
fn parts_are_read_through_dynamic_values() {
    let cases = [
        (Path::root().attribute("name"), Some(Value::from("prod"))),
        (size(1), Some(2.into())),
        (size(2), None),
        (size(-1), None),
        (Path::root().attribute("extra").key("on"), Some(true.into())),
        (Path::root().attribute("name").attribute("x"), None),
        (Path::root().attribute("groups").attribute("a"), None),
    ];
    for (path, value) in cases {
        assert_eq!(cluster().get(&path), value.as_ref(), "{path}");
    }
}

#[test]
fn parts_are_put_in_place_or_refused() {
    let labels = Path::root()
        .attribute("groups")
        .key("a")
        .attribute("labels");
    let cases = [
        (size(0), Value::Unknown, Ok(())),
        (
            Path::root().attribute("groups").key("b"),
            Value::Null,
            Ok(()),
        ),
        (
            Path::root().attribute("extra").key("on"),
            Value::Bool(false),
            Ok(()),
        ),
        (labels.clone().element("a".into()), "c".into(), Ok(())),
        (
            size(2),
            1.into(),
            Err(r#"groups["a"].sizes[2]: there is no such attribute or element"#),
        ),
        (labels.element("x".into()), "c".into(), {
            Err(r#"groups["a"].labels[...]: there is no such attribute or element"#)
        }),
        (
            Path::root().attribute("groups").key("b").attribute("sizes"),
            Value::Null,
            { Err(r#"groups["b"]: there is no such attribute or element"#) },
        ),
        (
            Path::root().attribute("name").index(0),
            1.into(),
            Err("name[0]: the step does not fit a string"),
        ),
        (Path::root().attribute("extra").key("on"), 1.into(), {
            Err(
                r#"extra["on"]: the new value does not have the type of the dynamic value around it"#,
            )
        }),
    ];
    for (path, new, expected) in cases {
        let mut value = cluster();
        let result = value
            .set_at(&path, new.clone())
            .map_err(|error| error.to_string());
        assert_eq!(result, expected.map_err(str::to_owned), "{path}");
        match expected {
            Ok(()) => assert!(
                value.conforms(&cluster_type()).is_ok() && value != cluster(),
                "{path}"
            ),
            Err(_) => assert_eq!(value, cluster(), "{path}"),
        }
    }
}

#[test]
fn a_set_stays_a_set() {
    let mut value = Value::set(["c".into(), "a".into(), "b".into(), "a".into()]);
    assert_eq!(value, Value::Set(vec!["a".into(), "b".into(), "c".into()]));
    value
        .set_at(&Path::root().element("a".into()), "c".into())
        .unwrap();
    assert_eq!(value, Value::Set(vec!["b".into(), "c".into()]));
    // Two unknown elements may turn out to differ; null and unknown come last.
    let open = Value::set([
        Value::Null,
        Value::Unknown,
        "a".into(),
        Value::Unknown,
        Value::Null,
    ]);
    assert_eq!(
        open,
        Value::Set(vec![
            "a".into(),
            Value::Unknown,
            Value::Unknown,
            Value::Null
        ])
    );
    let objects =
        |order: [i64; 2]| Value::set(order.map(|n| Value::object([("n", Value::from(n))])));
    assert_eq!(objects([1, 2]), objects([2, 1]));
}

#[test]
fn the_first_mismatch_is_named() {
    let with = |path: Path, new: Value| {
        let mut value = cluster();
        value.set_at(&path, new).unwrap();
        value
            .conforms(&cluster_type())
            .map_err(|mismatch| mismatch.to_string())
    };
    let attribute = |name: &str| Path::root().attribute(name);
    let cases = [
        (attribute("name"), Value::Null, Ok(())),
        (attribute("groups"), Value::Unknown, Ok(())),
        (
            attribute("name"),
            1.into(),
            Err("name: expected a string, found a number"),
        ),
        (
            size(1),
            true.into(),
            Err(r#"groups["a"].sizes[1]: expected a number, found a bool"#),
        ),
        (
            attribute("extra"),
            "x".into(),
            Err("extra: expected a value with its type, found a string"),
        ),
        (
            attribute("extra"),
            Value::Dynamic {
                ty: Box::new(Type::Number),
                value: Box::new("x".into()),
            },
            { Err("extra: expected a number, found a string") },
        ),
        (attribute("groups").key("a"), Value::object::<String>([]), {
            Err(r#"groups["a"].labels: expected a set, found no such attribute"#)
        }),
        (
            attribute("groups").key("a"),
            {
                Value::object([
                    ("labels", Value::Null),
                    ("sizes", Value::Null),
                    ("x", Value::Null),
                ])
            },
            Err(r#"groups["a"].x: expected no attribute of this name, found null"#),
        ),
    ];
    for (path, new, expected) in cases {
        assert_eq!(with(path, new), expected.map_err(str::to_owned));
    }
}

#[test]
fn a_walk_goes_where_it_is_let() {
    let mut visited = Vec::new();
    cluster().walk(|path, _| {
        visited.push(path.to_string());
        path.to_string() != r#"groups["a"].sizes"#
    });
    let expected = [
        "",
        "extra",
        r#"extra["on"]"#,
        "groups",
        r#"groups["a"]"#,
        r#"groups["a"].labels"#,
        r#"groups["a"].labels[...]"#,
        r#"groups["a"].labels[...]"#,
        r#"groups["a"].sizes"#,
        "name",
    ];
    assert_eq!(visited, expected);
}

#[test]
fn a_transform_sees_children_first_and_keeps_sets_sorted() {
    let mut order = Vec::new();
    let changed = cluster().transform(|path, value| {
        order.push(path.to_string());
        match value {
            Value::String(text) if text == "a" => "z".into(),
            Value::Number(_) => Value::Unknown,
            value => value,
        }
    });
    assert_eq!(order.last().map(String::as_str), Some(""));
    assert_eq!(changed.get(&size(0)), Some(&Value::Unknown));
    let labels = changed.get(
        &Path::root()
            .attribute("groups")
            .key("a")
            .attribute("labels"),
    );
    assert_eq!(labels, Some(&Value::Set(vec!["b".into(), "z".into()])));
    let failed = cluster().try_transform(|path, value| {
        if *path == size(1) {
            Err("stop")
        } else {
            Ok(value)
        }
    });
    assert_eq!(failed, Err("stop"));
}

#[test]
fn a_difference_names_the_deepest_paths() {
    let mut other = cluster();
    other.set_at(&size(1), 3.into()).unwrap();
    other
        .set_at(&Path::root().attribute("groups").key("b"), Value::Null)
        .unwrap();
    other
        .set_at(&Path::root().attribute("extra").key("on"), false.into())
        .unwrap();
    let labels = Path::root()
        .attribute("groups")
        .key("a")
        .attribute("labels");
    other
        .set_at(&labels.element("a".into()), "c".into())
        .unwrap();
    other
        .set_at(&Path::root().attribute("name"), Value::Unknown)
        .unwrap();
    let paths: Vec<String> = cluster()
        .diff(&other)
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        r#"extra["on"]"#,
        r#"groups["a"].labels"#,
        r#"groups["a"].sizes[1]"#,
        r#"groups["b"]"#,
        "name",
    ];
    assert_eq!(paths, expected);
    assert_eq!(other.diff(&cluster()).len(), expected.len());
}

#[test]
fn null_and_unknown_are_seen_through_dynamic() {
    let null = Value::dynamic(Type::String, Value::Null);
    let unknown = Value::dynamic(Type::String, Value::Unknown);
    assert!(null.is_null() && !null.is_unknown() && null.is_wholly_known());
    assert!(unknown.is_unknown() && !unknown.is_null() && !unknown.is_wholly_known());
    assert!(!Value::list([Value::map([("a", Value::Unknown)])]).is_wholly_known());
    assert_eq!(Value::dynamic(Type::Dynamic, null.clone()), null);
}
