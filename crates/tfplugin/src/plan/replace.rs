use crate::cty::{Path, PathStep, Value};
use crate::schema::{Members, Schema};

/// The paths for Core: in order, each once, cut at sets (which have no step on the wire), and only
/// where the value changes; Core ignores the others, and refuses paths that lead nowhere.
pub(super) fn normalize(
    schema: &Schema,
    paths: Vec<Path>,
    prior: &Value,
    planned: &Value,
) -> Vec<Path> {
    let mut paths: Vec<Path> = paths
        .into_iter()
        .map(cut_at_set)
        .filter(|path| !path.is_root())
        .filter(|path| {
            let (before, after) = (value_at(prior, path), value_at(planned, path));
            // A write-only value is null before and after, wherever its object exists.
            before != after || (before.is_some() && is_write_only(schema, path))
        })
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The value at a path; below an unknown value everything is unknown.
pub(crate) fn value_at<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    let mut current = value;
    for step in path.steps() {
        if current.is_unknown() {
            return Some(current);
        }
        let whole = Path::root().step(step.clone());
        current = current.inner().get(&whole)?;
    }
    Some(current)
}

fn cut_at_set(path: Path) -> Path {
    path.into_iter()
        .take_while(|step| !matches!(step, PathStep::Element(_)))
        .collect()
}

/// Whether the attribute at a path is write-only.
pub(crate) fn is_write_only(schema: &Schema, path: &Path) -> bool {
    let mut members = schema.members();
    let mut found = false;
    for step in path.steps() {
        let PathStep::Attribute(name) = step else {
            continue;
        };
        if let Some(attribute) = members.attributes.get(name) {
            found = attribute.write_only;
            match attribute.nested_attributes() {
                Some((_, nested)) => members = Members::of_attributes(nested),
                None => return found,
            }
        } else if let Some(block) = members.blocks.get(name) {
            members = block.members();
        } else {
            return false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Attribute;

    #[test]
    fn paths() {
        let text = || Attribute::string().optional().description("Text.");
        let schema = Schema::new("A thing.")
            .attribute("name", text())
            .attribute("secret", text().write_only())
            .attribute(
                "groups",
                Attribute::map_nested([("size", text()), ("secret", text().write_only())])
                    .optional()
                    .description("Groups."),
            )
            .attribute(
                "rules",
                Attribute::set_nested([("port", text())])
                    .optional()
                    .description("Rules."),
            );
        let group = |size: Value| Value::object([("size", size), ("secret", Value::Null)]);
        let rule = |port: &str| Value::object([("port", Value::from(port))]);
        let object = |name: &str, groups: Value, port: &str| {
            Value::object([
                ("name", Value::from(name)),
                ("secret", Value::Null),
                ("groups", groups),
                ("rules", Value::set([rule(port)])),
            ])
        };
        let prior = object("a", Value::map([("old", group(Value::from("1")))]), "1");
        let planned = object("a", Value::map([("new", group(Value::Unknown))]), "2");
        let root = Path::root;
        let in_group = |key: &str, name: &str| root().attribute("groups").key(key).attribute(name);
        let cases: [(&str, Path, &[&str]); 10] = [
            ("the whole object", root(), &[]),
            ("no change", root().attribute("name"), &[]),
            ("write-only", root().attribute("secret"), &["secret"]),
            ("gone", in_group("old", "size"), &["groups[\"old\"].size"]),
            ("new", in_group("new", "size"), &["groups[\"new\"].size"]),
            (
                "write-only in an element",
                in_group("new", "secret"),
                &["groups[\"new\"].secret"],
            ),
            ("nowhere", in_group("none", "size"), &[]),
            ("write-only nowhere", in_group("none", "secret"), &[]),
            ("not in the schema", root().attribute("none"), &[]),
            (
                "inside a set",
                root()
                    .attribute("rules")
                    .step(PathStep::Element(rule("2")))
                    .attribute("port"),
                &["rules"],
            ),
        ];
        for (name, path, expected) in cases {
            let twice = vec![path.clone(), path];
            let found: Vec<String> = normalize(&schema, twice, &prior, &planned)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
