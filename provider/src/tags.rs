//! What AWS takes as tags (AWS General Reference, "Tag naming limits and requirements").

use devopsgenie_lifecycle::cluster::names::TAG_PREFIX;
use tfplugin::schema::Attribute;
use tfplugin::schema::validators::{self, Validator};

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
