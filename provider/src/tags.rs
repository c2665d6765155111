//! What AWS takes as tags (AWS General Reference, "Tag naming limits and requirements").

use std::collections::BTreeMap;

use devopsgenie_lifecycle::cluster::names::{self, TAG_PREFIX};
use tfplugin::AttributeValue;
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;
use tfplugin::schema::Attribute;
use tfplugin::schema::validators::{self, Validator};

use crate::values::{Map, known_map, map, strings};

/// AWS takes 50 tags on a thing, and four of them are ours.
pub const LIMIT: usize = 46;

/// `attribute`, a map of tags, with AWS's limits.
pub fn validated(attribute: Attribute) -> Attribute {
    attribute
        .validate(validators::size_between(0..=LIMIT))
        .validate(validators::each_key(key()))
        .validate(validators::each(validators::string_length_between(0, 256)))
}

fn key() -> Validator {
    validators::string_that(
        "must have 1 to 128 characters and must not begin with aws: or devopsgenie.dev/, which are reserved",
        |key| {
            (1..=128).contains(&key.chars().count())
                && !key.starts_with("aws:")
                && !key.starts_with(TAG_PREFIX)
        },
    )
}

/// The tags with the provider's defaults.
pub fn with_defaults(
    tags: &Map<String>,
    defaults: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut all = defaults.clone();
    all.extend(strings(tags));
    all
}

/// The observed tags that are not merely the provider's defaults.
pub fn own(
    observed: &BTreeMap<String, String>,
    before: &Map<String>,
    defaults: &BTreeMap<String, String>,
) -> Map<String> {
    let written = strings(before);
    let own = names::user_tags(observed)
        .into_iter()
        .filter(|(key, value)| written.contains_key(key) || defaults.get(key) != Some(value))
        .collect();
    map(own, before)
}

/// `tags_all` of a plan; unknown while a tag or the defaults are.
pub fn planned_all(tags: &Map<String>, defaults: Option<&BTreeMap<String, String>>) -> Map<String> {
    let known = tags
        .known()
        .is_none_or(|tags| !tags.values().any(AttributeValue::is_unknown));
    match defaults {
        Some(defaults) if known && !tags.is_unknown() => known_map(with_defaults(tags, defaults)),
        _ => AttributeValue::Unknown,
    }
}

/// Refuses more tags than AWS takes: each map alone may be short enough. `path` is that of the object.
pub fn check_count(
    path: Path,
    tags: &Map<String>,
    defaults: &BTreeMap<String, String>,
    diagnostics: &mut Diagnostics,
) {
    let count = with_defaults(tags, defaults).len();
    if count > LIMIT {
        diagnostics.add_attribute_error(
            path.attribute("tags"),
            "Too many tags",
            format!(
                "Together with default_tags of the provider there are {count} tags. AWS takes 50 on a thing, and 4 of \
                 them say who owns it: leave {LIMIT} at most."
            ),
        );
    }
}
