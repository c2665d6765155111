//! JSON Schema, as far as the configuration schemas of add-ons use it.

use serde_json::Value;

/// The keywords that are checked, and those that say nothing about a value.
#[cfg(test)]
const KEYWORDS: [&str; 16] = [
    "$ref",
    "$schema",
    "additionalProperties",
    "default",
    "definitions",
    "description",
    "enum",
    "format",
    "items",
    "maximum",
    "minimum",
    "properties",
    "required",
    "title",
    "type",
    "minLength",
];

/// What is wrong with the value, in the words the service passes on: `path: complaint`. Source of
/// the words: aws/containers-roadmap issue 2216 and cookpad/terraform-aws-eks pull request 331 (unknown
/// members, types); the others are those of the same validator, networknt/json-schema-validator.
pub(crate) fn complaints(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str()
        && let Some(target) = root.pointer(reference.trim_start_matches('#'))
    {
        check(root, target, value, path, found);
        return;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is_of(value, kind)) {
        let expected = match types.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("[{}]", many.join(", ")),
        };
        found.push(format!(
            "{path}: {} found, {expected} expected",
            type_of(value)
        ));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        let words: Vec<String> = allowed.iter().map(word).collect();
        found.push(format!(
            "{path}: does not have a value in the enumeration [{}]",
            words.join(", ")
        ));
    }
    if let (Some(number), Some(least)) = (value.as_f64(), schema["minimum"].as_f64())
        && number < least
    {
        found.push(format!("{path}: must have a minimum value of {least}"));
    }
    if let (Some(number), Some(most)) = (value.as_f64(), schema["maximum"].as_f64())
        && number > most
    {
        found.push(format!("{path}: must have a maximum value of {most}"));
    }
    if let (Some(text), Some(least)) = (value.as_str(), schema["minLength"].as_u64())
        && (text.chars().count() as u64) < least
    {
        found.push(format!("{path}: must be at least {least} characters long"));
    }
    if let Some(members) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            if let Some(name) = name.as_str()
                && !members.contains_key(name)
            {
                found.push(format!("{path}.{name}: is missing but it is required"));
            }
        }
        for (name, member) in members {
            let inner = format!("{path}.{name}");
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Value::Null, Value::Bool(false)) => found.push(format!(
                    "{inner}: is not defined in the schema and the schema does not allow additional properties"
                )),
                (Value::Null, other @ Value::Object(_)) => {
                    check(root, other, member, &inner, found);
                }
                (Value::Null, _) => {}
                (known, _) => check(root, known, member, &inner, found),
            }
        }
    }
    if let (Some(items), Value::Object(_)) = (value.as_array(), &schema["items"]) {
        for (index, item) in items.iter().enumerate() {
            check(
                root,
                &schema["items"],
                item,
                &format!("{path}[{index}]"),
                found,
            );
        }
    }
}

fn word(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn is_of(value: &Value, kind: &str) -> bool {
    let actual = type_of(value);
    actual == kind || (kind == "number" && actual == "integer")
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The first keyword anywhere in the schema that [`complaints`] does not know.
#[cfg(test)]
pub(crate) fn unknown_keyword(schema: &Value) -> Option<String> {
    let members = schema.as_object()?;
    members.iter().find_map(|(name, inner)| {
        if !KEYWORDS.contains(&name.as_str()) {
            return Some(name.clone());
        }
        match name.as_str() {
            "properties" | "definitions" => inner.as_object()?.values().find_map(unknown_keyword),
            "items" | "additionalProperties" => unknown_keyword(inner),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_keyword_complains() {
        let schema = json!({
            "$ref": "#/definitions/Root",
            "definitions": {
                "Size": { "type": ["integer", "null"], "minimum": 1, "maximum": 3 },
                "Root": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["size"],
                    "properties": {
                        "size": { "$ref": "#/definitions/Size" },
                        "mode": { "type": "string", "enum": ["a", "b"] },
                        "name": { "type": "string", "minLength": 2 },
                        "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                        "list": { "type": "array", "items": { "type": "boolean" } }
                    }
                }
            }
        });
        let cases = [
            (
                json!({"size": 2, "mode": "a", "labels": {"x": "y"}, "list": [true]}),
                vec![],
            ),
            (json!({"size": null}), vec![]),
            (json!(null), vec!["$: null found, object expected"]),
            (json!({}), vec!["$.size: is missing but it is required"]),
            (
                json!({"size": 0}),
                vec!["$.size: must have a minimum value of 1"],
            ),
            (
                json!({"size": 4}),
                vec!["$.size: must have a maximum value of 3"],
            ),
            (
                json!({"size": "1"}),
                vec!["$.size: string found, [integer, null] expected"],
            ),
            (
                json!({"size": 1, "other": 1}),
                vec![
                    "$.other: is not defined in the schema and the schema does not allow additional properties",
                ],
            ),
            (
                json!({"size": 1, "mode": "c"}),
                vec!["$.mode: does not have a value in the enumeration [a, b]"],
            ),
            (
                json!({"size": 1, "name": "x"}),
                vec!["$.name: must be at least 2 characters long"],
            ),
            (
                json!({"size": 1, "labels": {"x": 1}, "list": [1]}),
                vec![
                    "$.labels.x: integer found, string expected",
                    "$.list[0]: integer found, boolean expected",
                ],
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(complaints(&schema, &value), expected, "{value}");
        }
        assert_eq!(unknown_keyword(&schema), None);
        assert_eq!(
            unknown_keyword(&json!({"items": {"pattern": "x"}})),
            Some("pattern".to_owned())
        );
    }
}
