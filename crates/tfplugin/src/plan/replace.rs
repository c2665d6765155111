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
            is_write_only(schema, path) || value_at(prior, path) != value_at(planned, path)
        })
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The value at a path; below an unknown value everything is unknown.
fn value_at<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
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

fn is_write_only(schema: &Schema, path: &Path) -> bool {
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
