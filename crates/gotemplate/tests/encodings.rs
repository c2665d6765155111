//! What the vectors of Go cannot hold.

#![allow(clippy::expect_used, clippy::panic, missing_docs, reason = "test code")]

use gotemplate::{
    Error, Functions, Limit, Limits, Map, Sealed, Templates, Type, Value, encodings, json, toml,
    yaml,
};

/// A map with a list that holds the map.
fn cycle() -> Map {
    let map = Map::new(Type::Any, [].into());
    let list = Value::list(vec![Value::Map(map.clone())]);
    map.insert("a".into(), list).expect("insert");
    map
}

#[test]
fn cycles_are_errors() {
    let map = cycle();
    let value = Value::Map(map.clone());
    // As Go prints it.
    let found = "json: unsupported value: encountered a cycle via map[string]interface {}";
    let message = |result: Result<_, Error>| result.map_err(|error| error.to_string());
    assert_eq!(message(json::marshal(&value)), Err(found.into()));
    assert_eq!(
        message(yaml::marshal(&value)),
        Err(format!("error marshaling into JSON: {found}"))
    );
    // Go ends with its stack.
    for result in [yaml::marshal_pretty(&value), toml::marshal(&value)] {
        let error = result.expect_err("a cycle cannot be printed");
        assert_eq!(error.reached(), Some(Limit::Depth), "{error}");
    }
    // It would never be dropped.
    map.remove(b"a").expect("remove");
}

#[test]
fn deep_nesting_needs_no_stack() {
    let text = "[".repeat(10_000) + &"]".repeat(10_000);
    let value = yaml::unmarshal(text.as_bytes()).expect("read YAML");
    let printed = yaml::marshal(&value).expect("print YAML");
    let again = yaml::unmarshal(&printed);
    let again = again.expect("read what was printed");
    assert_eq!(
        json::marshal(&again).map_err(|error| error.to_string()),
        Ok(text.into_bytes())
    );
    let _ = yaml::marshal_pretty(&again).expect("print pretty YAML");
    let key = "a.".repeat(100_000) + "a = 1";
    assert!(toml::unmarshal(key.as_bytes()).is_err());
}

#[test]
fn templates_call_the_functions() {
    let data = json::unmarshal(br#"{"map": {"b": [1, "yes"], "a": null}}"#).expect("JSON");
    let Value::Map(entries) = &data else {
        panic!("no map");
    };
    entries
        .insert("nan".into(), Value::float64(f64::NAN))
        .expect("insert");
    let cases = [
        ("{{ toYaml .map }}", "a: null\nb:\n- 1\n- \"yes\""),
        ("{{ toYamlPretty .map }}", "a: null\nb:\n  - 1\n  - \"yes\""),
        ("{{ toJson .map }}", r#"{"a":null,"b":[1,"yes"]}"#),
        ("{{ toToml .map }}", "b = [1.0, \"yes\"]\n"),
        (
            "{{ toToml (fromJson `{\"a\":[null]}`) }}",
            "toml: cannot encode array with nil element",
        ),
        ("{{ toToml (fromJson `{\"a\":true}`) }}", "a = true\n"),
        ("{{ toYaml .nan }}{{ toJson .nan }}", ""),
        ("{{ (fromYaml `a: {b: 0x10}`).a.b }}", "16"),
        ("{{ index (fromYamlArray `[on]`) 0 }}", "true"),
        ("{{ index (fromJsonArray `[2]`) 0 }}", "2"),
        ("{{ (fromJson `{`).Error }}", "unexpected end of JSON input"),
        ("{{ (fromToml `a = 1`).a }}", "1"),
        (
            "{{ mustToToml (fromToml `a = 2001-01-01`) }}",
            "a = 2001-01-01\n",
        ),
        (
            "{{ mustToYaml .nan }}",
            "template: t:1:3: executing \"t\" at <mustToYaml .nan>: error calling mustToYaml: error \
             marshaling into JSON: json: unsupported value: NaN",
        ),
        (
            "{{ mustToJson .nan }}",
            "template: t:1:3: executing \"t\" at <mustToJson .nan>: error calling mustToJson: json: \
             unsupported value: NaN",
        ),
    ];
    let mut functions = Functions::new();
    encodings::add_to(&mut functions);
    let functions = std::sync::Arc::new(functions);
    for (text, expected) in cases {
        let mut templates = Templates::new("t", std::sync::Arc::clone(&functions));
        let result = templates
            .parse("t", text)
            .and_then(|()| templates.execute(b"t", &data, &mut Sealed, Limits::default()));
        let found = match result {
            Ok(output) => String::from_utf8_lossy(&output.text).into_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }
}
