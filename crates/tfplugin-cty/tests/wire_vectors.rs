//! The hand-checked vectors of the wire facts: exact bytes both ways, what Core accepts beyond them, and what both
//! refuse.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use tfplugin_cty::{Number, Type, Value, msgpack};

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// Value, type, msgpack as Core writes it, whether it reads back as the same value.
fn exact() -> Vec<(Value, Type, &'static str)> {
    let object = Type::object([("a", Type::String), ("b", Type::Number)]);
    vec![
        (number("128"), Type::Number, "cc80"),
        (number("-33"), Type::Number, "d0df"),
        (number("0.5"), Type::Number, "cb3fe0000000000000"),
        (number("0.1"), Type::Number, "a3302e31"),
        (
            number("9223372036854775808"),
            Type::Number,
            "b339323233333732303336383534373735383038",
        ),
        (Value::string("e\u{301}"), Type::String, "a2c3a9"),
        (Value::Unknown, Type::String, "d40000"),
        (
            Value::list(["a".into(), Value::Null, Value::Unknown]),
            Type::list(Type::String),
            "93a161c0d40000",
        ),
        (
            Value::set(["b".into(), "a".into(), "b".into()]),
            Type::set(Type::String),
            "92a161a162",
        ),
        (
            Value::object([("b", 1.into()), ("a", Value::from("x"))]),
            object,
            "82a161a178a16201",
        ),
        (
            Value::map([("b", true.into()), ("a", Value::from(false))]),
            Type::map(Type::Bool),
            "82a161c2a162c3",
        ),
        (
            Value::dynamic(Type::String, "x".into()),
            Type::Dynamic,
            "92c40822737472696e6722a178",
        ),
        (
            Value::dynamic(Type::String, Value::Null),
            Type::Dynamic,
            "92c40822737472696e6722c0",
        ),
        (Value::Null, Type::Dynamic, "c0"),
        (Value::Unknown, Type::Dynamic, "d40000"),
        (
            Value::dynamic(Type::String, Value::Unknown),
            Type::Dynamic,
            "92c40822737472696e6722d40000",
        ),
        (
            Value::dynamic(
                Type::tuple([Type::Number, Type::String]),
                Value::tuple([1.into(), "a".into()]),
            ),
            Type::Dynamic,
            "92c41d5b227475706c65222c5b226e756d626572222c22737472696e67225d5d9201a161",
        ),
        (
            Value::object([("d", Value::dynamic(Type::Bool, true.into()))]),
            Type::object([("d", Type::Dynamic)]),
            "81a16492c40622626f6f6c22c3",
        ),
    ]
}

#[test]
fn values_are_written_as_core_writes_them() {
    for (value, ty, hex) in exact() {
        assert_eq!(
            hex::encode(msgpack::encode(&value, &ty).unwrap()),
            hex,
            "{value:?} of {ty}"
        );
        assert_eq!(
            msgpack::decode(&hex::decode(hex).unwrap(), &ty).unwrap(),
            value,
            "{hex} of {ty}"
        );
    }
}

#[test]
fn every_form_that_core_accepts_is_read() {
    let object = Type::object([("a", Type::String), ("b", Type::Number)]);
    let long = "c8000b0c8301c2039201c304920ac3";
    let cases: Vec<(&str, &str, Type, Value)> = vec![
        (
            "refined: not null",
            "c7030c8101c2",
            Type::String,
            Value::Unknown,
        ),
        (
            "refined: prefix",
            "c7070c8201c202a2782d",
            Type::String,
            Value::Unknown,
        ),
        (
            "refined: range",
            "c70b0c8301c2039201c304920ac3",
            Type::Number,
            Value::Unknown,
        ),
        (
            "refined: range, long header",
            long,
            Type::Number,
            Value::Unknown,
        ),
        (
            "refined: range, longest header",
            "c90000000b0c8301c2039201c304920ac3",
            Type::Number,
            Value::Unknown,
        ),
        (
            "refined: length",
            "c7070c8301c205010603",
            Type::list(Type::String),
            Value::Unknown,
        ),
        (
            "refined: fixed header of 4 bytes",
            "d60c8101c2c0",
            Type::String,
            Value::Unknown,
        ),
        (
            "refined: fixed header of 8 bytes",
            "d70c8202a3782d7901c2",
            Type::String,
            Value::Unknown,
        ),
        (
            "refined: of dynamic",
            "c7030c8101c2",
            Type::Dynamic,
            Value::Unknown,
        ),
        (
            "refined: a key of the future, last",
            "c7030c8109c2",
            Type::String,
            Value::Unknown,
        ),
        (
            "unknown: any extension of one byte",
            "d4ff07",
            Type::Bool,
            Value::Unknown,
        ),
        (
            "unknown: an extension of no bytes",
            "c70063",
            Type::Bool,
            Value::Unknown,
        ),
        (
            "wide unsigned",
            "cf0000000000000001",
            Type::Number,
            1.into(),
        ),
        (
            "wide signed",
            "d3ffffffffffffffff",
            Type::Number,
            (-1).into(),
        ),
        (
            "largest unsigned",
            "cfffffffffffffffff",
            Type::Number,
            number("18446744073709551615"),
        ),
        ("float32", "ca3f000000", Type::Number, number("0.5")),
        (
            "float64 of a short decimal",
            "cb3fb999999999999a",
            Type::Number,
            number("0.1"),
        ),
        (
            "float64 of an integer",
            "cb4000000000000000",
            Type::Number,
            2.into(),
        ),
        (
            "infinity",
            "cb7ff0000000000000",
            Type::Number,
            Value::Number(Number::INFINITY),
        ),
        ("text of an integer", "a23130", Type::Number, 10.into()),
        ("text with exponent", "a3316532", Type::Number, 100.into()),
        ("bytes as text", "c40161", Type::String, "a".into()),
        ("long text header", "db0000000161", Type::String, "a".into()),
        (
            "text not normalized",
            "a365cc81",
            Type::String,
            "\u{e9}".into(),
        ),
        (
            "attributes in another order",
            "82a16201a161a178",
            object,
            Value::object([("a", Value::from("x")), ("b", 1.into())]),
        ),
        (
            "set with duplicates",
            "93a162a161a162",
            Type::set(Type::String),
            Value::set(["a".into(), "b".into()]),
        ),
        ("bytes after the value", "01ff", Type::Number, 1.into()),
        (
            "array header of 32 bits",
            "dd00000001c3",
            Type::list(Type::Bool),
            Value::list([true.into()]),
        ),
        (
            "map header of 32 bits",
            "df00000001a161c3",
            Type::map(Type::Bool),
            Value::map([("a", true.into())]),
        ),
        (
            "dynamic inside dynamic",
            "92c4092264796e616d69632292c40622626f6f6c22c3",
            Type::Dynamic,
            { Value::dynamic(Type::Bool, true.into()) },
        ),
        (
            "list of dynamic, one of them an untyped null",
            "9292c40622626f6f6c22c3c0",
            Type::list(Type::Dynamic),
            Value::list([
                Value::dynamic(Type::Bool, true.into()),
                Value::dynamic(Type::Bool, Value::Null),
            ]),
        ),
        (
            "list of dynamic under dynamic",
            "92c4125b226c697374222c2264796e616d6963225d9192c40622626f6f6c22c3",
            Type::Dynamic,
            Value::dynamic(Type::list(Type::Bool), Value::list([true.into()])),
        ),
    ];
    for (name, hex, ty, value) in cases {
        assert_eq!(
            msgpack::decode(&hex::decode(hex).unwrap(), &ty).as_ref(),
            Ok(&value),
            "{name}"
        );
    }
}

#[test]
fn errors_name_the_path_and_what_was_found() {
    let nested = Type::object([(
        "groups",
        Type::map(Type::object([("size", Type::list(Type::Number))])),
    )]);
    let pair = Type::object([("a", Type::String), ("b", Type::Number)]);
    let cases: Vec<(&str, Type, &str)> = vec![
        (
            "81a667726f75707381a161 81a473697a65 9201a178",
            nested.clone(),
            r#"groups["a"].size[1]: expected a number, found a text or float that is none"#,
        ),
        (
            "81a667726f75707381a161 81a473697a65 9201c3",
            nested.clone(),
            { r#"groups["a"].size[1]: expected a number, found a msgpack bool"# },
        ),
        ("81a667726f757073 81a161 81a473697a65 92", nested.clone(), {
            r#"groups["a"].size[0]: the input ends inside a number"#
        }),
        ("81a667726f757073 81a161 81a478697a65", nested, {
            r#"groups["a"].xize: the object type has no attribute of this name"#
        }),
        (
            "",
            Type::Bool,
            "the whole value: the input ends inside a bool",
        ),
        (
            "01",
            Type::String,
            "the whole value: expected a string, found a msgpack integer",
        ),
        (
            "a161",
            Type::Bool,
            "the whole value: expected a bool, found a msgpack string",
        ),
        (
            "a2ffff",
            Type::String,
            "the whole value: the text is not valid UTF-8",
        ),
        (
            "cb7ff8000000000000",
            Type::Number,
            "the whole value: expected a number, found a text or float that is none",
        ),
        (
            "ca7fc00000",
            Type::Number,
            "the whole value: expected a number, found a text or float that is none",
        ),
        (
            "ddffffffff",
            Type::list(Type::Bool),
            "[0]: the input ends inside a bool",
        ),
        (
            "dfffffffff",
            Type::map(Type::Bool),
            "the whole value: the input ends inside the name of an element",
        ),
        (
            "dbffffffff61",
            Type::String,
            "the whole value: the input ends inside a string",
        ),
        (
            "c9ffffffff0c",
            Type::String,
            "the whole value: the refinement of the unknown value is invalid: it is longer than 1024 bytes",
        ),
        (
            "d50b0000",
            Type::String,
            "the whole value: msgpack extension type 11 of 2 bytes is not an unknown value",
        ),
        (
            "c7030c8103c2",
            Type::String,
            "the whole value: the refinement of the unknown value is invalid: it does not apply to the type of the value",
        ),
        (
            "c7090c820392 05c3 0492 01c3",
            Type::Number,
            "the whole value: the refinement of the unknown value is invalid: the lowest number is above the highest",
        ),
        (
            "80",
            pair.clone(),
            r#"the whole value: expected each of the 2 attributes of the object once, "a" is absent"#,
        ),
        (
            "82a161a178a161a178",
            pair,
            r#"the whole value: expected each of the 2 attributes of the object once, "b" is absent"#,
        ),
        (
            "9101",
            Type::tuple([Type::Number, Type::Number]),
            "the whole value: expected a tuple of 2 elements, found 1",
        ),
        (
            "9101",
            Type::Dynamic,
            "the whole value: expected an array of a type and a value, found an array of 1 elements",
        ),
        (
            "92a3227822c0",
            Type::Dynamic,
            "the whole value: the type of the dynamic value cannot be read",
        ),
        (
            "9292c40622626f6f6c22c392c40822737472696e6722a178",
            Type::list(Type::Dynamic),
            "[1]: all elements must have one type, found bool and then string",
        ),
        (
            "9281a16492c40622626f6f6c22c381a164c0",
            Type::list(Type::object([("d", Type::Dynamic)])),
            "[1]: all elements must have one type, found object({ d = bool }) and then object({ d = any })",
        ),
        (
            "c1",
            Type::Bool,
            "the whole value: expected a bool, found the byte c1, which msgpack does not use",
        ),
    ];
    for (hex, ty, message) in cases {
        let bytes = hex::decode(hex.replace(' ', "")).unwrap();
        let result = msgpack::decode(&bytes, &ty);
        assert_eq!(
            result.as_ref().map_err(ToString::to_string),
            Err(message.to_owned()),
            "{hex} of {ty}"
        );
    }
}

#[test]
fn a_long_name_from_the_input_is_cut_in_the_message() {
    let bytes = msgpack::encode(
        &Value::map([("x".repeat(1000), Value::Null)]),
        &Type::map(Type::Bool),
    )
    .unwrap();
    let error = msgpack::decode(&bytes, &Type::object([("a", Type::Bool)])).unwrap_err();
    let expected = format!(
        "{}…: the object type has no attribute of this name",
        "x".repeat(64)
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_would_crash_core_is_not_written() {
    let mixed = Value::list([
        Value::dynamic(Type::Bool, true.into()),
        Value::dynamic(Type::String, "x".into()),
    ]);
    let cases: Vec<(Value, Type, &str)> = vec![
        (
            mixed.clone(),
            Type::list(Type::Dynamic),
            "[1]: all elements must have one type, found bool and then string",
        ),
        (
            Value::dynamic(Type::list(Type::Dynamic), mixed),
            Type::Dynamic,
            "[1]: all elements must have one type, found bool and then string",
        ),
        (
            "x".into(),
            Type::Number,
            "the whole value: expected a number, found a string",
        ),
        (
            "x".into(),
            Type::Dynamic,
            "the whole value: expected a value with its type, found a string",
        ),
        (
            Value::object([("a", Value::Null), ("c", Value::Null)]),
            Type::object([("a", Type::Bool)]),
            "c: the object type has no attribute of this name",
        ),
        (
            Value::object([("x", Value::object::<String>([]))]),
            Type::object([("x", Type::object([("a", Type::Bool)]))]),
            r#"x: expected each of the 1 attributes of the object once, "a" is absent"#,
        ),
        (
            Value::dynamic(Type::Number, "x".into()),
            Type::Dynamic,
            "the whole value: expected a number, found a string",
        ),
        (
            Value::dynamic(Type::Number, Value::Null),
            Type::String,
            "the whole value: expected a string, found a value with its type",
        ),
    ];
    for (value, ty, message) in cases {
        let result = msgpack::encode(&value, &ty).map(hex::encode);
        assert_eq!(
            result.map_err(|error| error.to_string()),
            Err(message.to_owned()),
            "{value:?} of {ty}"
        );
    }
}

#[test]
fn headers_grow_with_lengths() {
    let text = |length: usize| (Value::from("x".repeat(length)), Type::String);
    let list = |length: usize| {
        (
            Value::List(vec![Value::Null; length]),
            Type::list(Type::Bool),
        )
    };
    let map = |length: usize| {
        (
            Value::map((0..length).map(|key| (key.to_string(), Value::Null))),
            Type::map(Type::Bool),
        )
    };
    // A type whose JSON is 22 bytes longer than the name of its attribute.
    let dynamic = |length: usize| {
        let ty = Type::object([("x".repeat(length), Type::Bool)]);
        (Value::dynamic(ty, Value::Null), Type::Dynamic)
    };
    let cases = [
        (text(31), "bf78"),
        (text(32), "d92078"),
        (text(255), "d9ff78"),
        (text(256), "da010078"),
        (text(65535), "daffff78"),
        (text(65536), "db0001000078"),
        (list(15), "9fc0"),
        (list(16), "dc0010c0"),
        (list(65535), "dcffffc0"),
        (list(65536), "dd00010000c0"),
        (map(15), "8fa130"),
        (map(16), "de0010a130"),
        (map(65535), "deffffa130"),
        (map(65536), "df00010000a130"),
        (dynamic(233), "92c4ff5b"),
        (dynamic(234), "92c501005b"),
        (dynamic(65536), "92c6000100165b"),
    ];
    for ((value, ty), start) in cases {
        let bytes = msgpack::encode(&value, &ty).unwrap();
        assert_eq!(hex::encode(&bytes[..start.len() / 2]), start);
        assert_eq!(msgpack::decode(&bytes, &ty).as_ref(), Ok(&value), "{start}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = 200_000;
    let arrays = vec![0x91; deep];
    let mut ty = Type::Bool;
    let mut json = Vec::new();
    for _ in 0..90 {
        ty = Type::list(ty);
    }
    // As deep as the type allows, and then something that is no bool.
    assert!(
        msgpack::decode(&arrays, &ty)
            .unwrap_err()
            .to_string()
            .ends_with("found a msgpack array")
    );
    for _ in 0..90 {
        ty = Type::list(ty);
    }
    assert!(
        msgpack::decode(&arrays, &ty)
            .unwrap_err()
            .to_string()
            .ends_with("nested more than 96 levels deep")
    );
    // A type that says of itself that it is dynamic, again and again.
    let dynamic = hex::decode("92c4092264796e616d696322")
        .unwrap()
        .repeat(deep);
    let error = msgpack::decode(&dynamic, &Type::Dynamic).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the whole value: nested more than 96 levels deep"
    );
    for _ in 0..deep {
        json.extend_from_slice(br#"["list","#);
    }
    assert_eq!(
        Type::from_json(&json).unwrap_err().to_string(),
        "the type is nested more than 96 levels deep"
    );
}
