//! What the vectors of Go cannot hold.

#![allow(clippy::expect_used, clippy::panic, missing_docs, reason = "test code")]

use gotemplate::{Error, Limit, Map, Type, Value, json, toml, yaml};

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
