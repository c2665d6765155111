//! Reading manifests: YAML streams of objects and lists of objects.

use serde_json::{Map, Value};

/// A manifest that cannot be read. Lines and documents count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("document {document}, line {line}: {problem}")]
pub struct ManifestError {
    /// Which document of the stream.
    pub document: usize,
    /// Line in the whole text.
    pub line: usize,
    /// What is wrong and what to write instead. Holds no value of the manifest.
    pub problem: String,
}

/// One object and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parsed {
    pub document: usize,
    pub line: usize,
    pub object: Value,
}

/// Parses a YAML (or JSON) stream. Empty documents are skipped, `List` objects are expanded.
pub(super) fn parse(text: &str) -> Result<Vec<Parsed>, ManifestError> {
    let mut objects = Vec::new();
    for (index, (first_line, document)) in documents(text).into_iter().enumerate() {
        let number = index + 1;
        let value = parse_document(&document, number, first_line)?;
        let line = first_line
            + document
                .lines()
                .position(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
                .unwrap_or(0);
        match value {
            Value::Null => {}
            Value::Object(object) => expand(Value::Object(object), number, line, &mut objects)?,
            _ => {
                return Err(ManifestError {
                    document: number,
                    line,
                    problem: "this is not a Kubernetes object: it is no mapping".to_owned(),
                });
            }
        }
    }
    Ok(objects)
}

/// The documents of a stream with the number of their first line. A `---` in the first column is a
/// marker wherever it stands (YAML 1.2, 9.1.4), so a text search finds them all.
fn documents(text: &str) -> Vec<(usize, String)> {
    let mut documents = Vec::new();
    let mut current = String::new();
    let mut first_line = 1;
    for (index, line) in text.lines().enumerate() {
        let marker = line
            .strip_prefix("---")
            .or_else(|| line.strip_prefix("..."))
            .filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']));
        if let Some(rest) = marker {
            if !only_comments(&current) {
                documents.push((first_line, std::mem::take(&mut current)));
            }
            current.clear();
            first_line = index + 1;
            // What follows the marker on its line belongs to the document.
            current.push_str(rest.trim_start());
            current.push('\n');
        } else {
            current.push_str(line);
            current.push('\n');
        }
    }
    if !only_comments(&current) {
        documents.push((first_line, current));
    }
    documents
}

fn only_comments(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line.starts_with("%YAML")
    })
}

fn parse_document(text: &str, document: usize, first_line: usize) -> Result<Value, ManifestError> {
    // Octal numbers as kubectl reads them (`defaultMode: 0644`); no snippet, for it may hold a secret.
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error
            .location()
            .and_then(|location| usize::try_from(location.line()).ok())
            .unwrap_or(1);
        ManifestError {
            document,
            line: first_line + line.saturating_sub(1),
            problem: format!(
                "this is not valid YAML: {}",
                without_values(&error.to_string())
            ),
        }
    })
}

/// The parser's message without the position (ours is the one in the whole text) and without quoted
/// parts of the input.
fn without_values(message: &str) -> String {
    let first = message.lines().next().unwrap_or(message);
    let first = match first.find(" at line ") {
        Some(position) => &first[..position],
        None => first,
    };
    let first = match first.split_once(": ") {
        Some((prefix, rest)) if prefix.starts_with("error") => rest,
        _ => first,
    };
    first.trim().to_owned()
}

fn expand(
    object: Value,
    document: usize,
    line: usize,
    objects: &mut Vec<Parsed>,
) -> Result<(), ManifestError> {
    let is_list = object
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("List"))
        && object.get("items").is_some_and(Value::is_array);
    if !is_list {
        objects.push(Parsed {
            document,
            line,
            object,
        });
        return Ok(());
    }
    let Value::Object(mut list) = object else {
        return Ok(());
    };
    let item_kind = list
        .get("kind")
        .and_then(Value::as_str)
        .and_then(|kind| kind.strip_suffix("List"))
        .filter(|kind| !kind.is_empty())
        .map(str::to_owned);
    let api_version = list.get("apiVersion").cloned();
    let Some(Value::Array(items)) = list.remove("items") else {
        return Ok(());
    };
    for item in items {
        let Value::Object(mut item) = item else {
            return Err(ManifestError {
                document,
                line,
                problem: "an item of this List is no object".to_owned(),
            });
        };
        // Items of a typed list (ConfigMapList) may leave out what the list says.
        if let Some(kind) = &item_kind {
            fill(&mut item, "kind", Some(Value::String(kind.clone())));
            fill(&mut item, "apiVersion", api_version.clone());
        }
        expand(Value::Object(item), document, line, objects)?;
    }
    Ok(())
}

fn fill(object: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value
        && !object.contains_key(key)
    {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn summary(text: &str) -> Result<Vec<(usize, usize, Value)>, String> {
        parse(text)
            .map(|objects| {
                objects
                    .into_iter()
                    .map(|parsed| (parsed.document, parsed.line, parsed.object))
                    .collect()
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn streams_lists_and_the_yaml_that_kubectl_reads() {
        let cases = [
            ("", Ok(vec![])),
            ("# only a comment\n---\n---\n", Ok(vec![])),
            (
                "---\n# a comment\na: 1\n---\nb: 2\n...\n",
                Ok(vec![(1, 3, json!({"a": 1})), (2, 5, json!({"b": 2}))]),
            ),
            ("mode: 0644\n", Ok(vec![(1, 1, json!({"mode": 420}))])),
            (
                "t: |\n  a: b\n  c\n",
                Ok(vec![(1, 1, json!({"t": "a: b\nc\n"}))]),
            ),
            (
                "kind: List\napiVersion: v1\nitems:\n- {kind: A}\n- {kind: List, items: [{kind: B}]}\n",
                Ok(vec![
                    (1, 1, json!({"kind": "A"})),
                    (1, 1, json!({"kind": "B"})),
                ]),
            ),
            (
                "kind: ConfigMapList\napiVersion: v1\nitems: [{metadata: {name: x}}]\n",
                Ok(vec![(
                    1,
                    1,
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}),
                )]),
            ),
            (
                "{\"kind\": \"A\", \"n\": 1.5}",
                Ok(vec![(1, 1, json!({"kind": "A", "n": 1.5}))]),
            ),
            (
                "a: 1\n---\n- x\n",
                Err(
                    "document 2, line 3: this is not a Kubernetes object: it is no mapping"
                        .to_owned(),
                ),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(summary(text), expected, "{text}");
        }
    }

    #[test]
    fn errors_name_document_and_line_and_no_value() {
        for (text, document, line) in [
            ("a: 1\n---\nok: 1\npassword: [hunter2\n", 2, 4),
            ("a: hunter2\na: hunter2\n", 1, 2),
            ("a:\n\t- hunter2\n", 1, 2),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.document, document, "{error}");
            assert!(error.line >= line && error.line <= line + 1, "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
