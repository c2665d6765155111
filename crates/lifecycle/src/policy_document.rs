//! IAM policy documents: when two mean the same.
//!
//! In the policy language (IAM user guide, "IAM JSON policy element reference") the order of lists
//! and of members means nothing, a list of one is the same as its element, and numbers and booleans
//! in conditions are the same as their text.

use serde_json::Value;

/// Whether the two documents mean the same. Text that is not JSON means only itself.
#[must_use]
pub fn equivalent(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    match (parse(one), parse(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// The document in the one form that all documents of its meaning share.
fn parse(document: &str) -> Option<Value> {
    serde_json::from_str(document).ok().map(canonical)
}

fn canonical(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| (key, canonical(value)))
                .collect(),
        ),
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.into_iter().map(canonical).collect();
            elements.sort_by_cached_key(ToString::to_string);
            elements.dedup();
            match <[Value; 1]>::try_from(elements) {
                Ok([element]) => element,
                Err(elements) => Value::Array(elements),
            }
        }
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Number(number) => Value::String(number.to_string()),
        other => other,
    }
}

/// Decodes `%XX`, as IAM encodes the documents that it answers; what is not valid stays as it is.
#[must_use]
pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = (byte == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(value) => {
                decoded.push(value);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{equivalent, percent_decode};

    #[test]
    fn documents_of_one_meaning() {
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}"#;
        let table = [
            ("the same", document.to_owned(), true),
            ("white space", document.replace(',', " ,\n  "), true),
            (
                "order of a list",
                document.replace(
                    r#"["s3:GetObject","s3:PutObject"]"#,
                    r#"["s3:PutObject","s3:GetObject"]"#,
                ),
                true,
            ),
            (
                "a list of one",
                document.replace(r#""Resource":"*""#, r#""Resource":["*"]"#),
                true,
            ),
            (
                "one statement without a list",
                document.replace("[{", "{").replace("}]}", "}}"),
                true,
            ),
            (
                "a boolean as a boolean",
                document.replace(r#""true""#, "true"),
                true,
            ),
            (
                "another action",
                document.replace("s3:PutObject", "s3:DeleteObject"),
                false,
            ),
            (
                "another version",
                document.replace("2012-10-17", "2008-10-17"),
                false,
            ),
            (
                "another letter case",
                document.replace("Allow", "allow"),
                false,
            ),
            ("no JSON", "{".to_owned(), false),
        ];
        for (what, other, expected) in table {
            assert_eq!(equivalent(document, &other), expected, "{what}: {other}");
            assert_eq!(equivalent(&other, document), expected, "{what}: {other}");
        }
    }

    #[test]
    fn percent_encoded_documents() {
        for (encoded, expected) in [
            ("%7B%22a%22%3A1%7D", r#"{"a":1}"#),
            ("100%", "100%"),
            ("%zz%41", "%zzA"),
            ("", ""),
        ] {
            assert_eq!(percent_decode(encoded), expected, "{encoded}");
        }
    }
}
