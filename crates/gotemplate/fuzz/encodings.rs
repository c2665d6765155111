//! The readers of YAML, JSON and TOML, and what is printed of what they read.

use gotemplate::{Value, encodings, json, toml, yaml};

/// Any bytes are read as YAML or refused, and what was read is printed and read again as the same. Says whether they were
/// read.
pub fn yaml(text: &[u8]) -> bool {
    let Ok(value) = yaml::unmarshal(text) else {
        // An error does not depend on whether equal keys are one.
        assert!(yaml::unmarshal_strict(text).is_err());
        return false;
    };
    let _ = yaml::unmarshal_strict(text);
    let _ = encodings::from_yaml(text);
    check(&value);
    true
}

/// The same for JSON.
pub fn json(text: &[u8]) -> bool {
    let Ok(value) = json::unmarshal(text) else {
        return false;
    };
    check(&value);
    true
}

/// The same for TOML, which is also printed again.
pub fn toml(text: &[u8]) -> bool {
    let Ok(map) = toml::unmarshal(text) else {
        return false;
    };
    let value = Value::Map(map);
    let text = toml::marshal(&value).expect("TOML");
    toml::unmarshal(&text).expect("read TOML");
    true
}

fn check(value: &Value) {
    // What was read is finite.
    let text = json::marshal(value).expect("JSON");
    let again = json::unmarshal(&text).expect("read JSON");
    assert_eq!(json::marshal(&again).expect("JSON"), text);
    let Ok(printed) = yaml::marshal(value) else {
        // Control characters, or keys too long for YAML.
        return;
    };
    // It need not be the same: go-yaml folds some line breaks that it prints.
    if let Ok(again) = yaml::unmarshal(&printed) {
        let _ = json::marshal(&again).expect("JSON");
    }
    let _ = yaml::marshal_pretty(value);
}
