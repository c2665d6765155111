//! Rules of schemas, and durations of `timeouts`.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::time::Duration;

use tfplugin::cty::Type;
use tfplugin::schema::timeouts::{DurationError, format_duration, parse_duration};
use tfplugin::schema::{Attribute, Block, BlockNesting, Schema, SchemaRole};

fn text() -> Attribute {
    Attribute::string().description("Text.")
}

#[test]
fn broken_schemas_name_the_attribute() {
    let resource = SchemaRole::Resource;
    let one = |attribute| Schema::new("X.").attribute("a", attribute);
    let cases: [(SchemaRole, Schema, &str); 22] = [
        (resource, Schema::new(" "), "the schema has no description"),
        (
            resource,
            Schema::new("X.").version(-1),
            "the schema version is negative",
        ),
        (
            resource,
            one(Attribute::string().required()),
            "a: the description is missing",
        ),
        (
            resource,
            one(text()),
            "a: one of required, optional or computed must be set",
        ),
        (
            resource,
            one(text().required().computed()),
            "a: required excludes optional and computed",
        ),
        (
            SchemaRole::Provider,
            one(text().optional().computed()),
            "a: a provider's own configuration has no computed value",
        ),
        (
            SchemaRole::DataSource,
            one(text().optional().write_only()),
            "a: only resources have write-only attributes",
        ),
        (
            resource,
            one(text().computed().write_only()),
            "a: write-only excludes computed",
        ),
        (
            resource,
            one(text().optional().default("x")),
            "a: a default needs optional and computed",
        ),
        (
            resource,
            one(text().optional().computed().default(1)),
            "a: the default does not have the attribute's type",
        ),
        (
            resource,
            one(Attribute::list(Type::Dynamic).description("X.").optional()),
            "a: a collection cannot hold a dynamic type",
        ),
        (
            resource,
            one(
                Attribute::map_nested([("b", Attribute::dynamic().description("X.").optional())])
                    .description("X.")
                    .optional(),
            ),
            "a: a collection of objects cannot hold a dynamic type",
        ),
        (
            resource,
            one(
                Attribute::set_nested([("b", text().optional().write_only())])
                    .description("X.")
                    .optional(),
            ),
            "a: a set cannot hold a write-only attribute",
        ),
        (
            resource,
            one(Attribute::single_nested([("b", text())])
                .description("X.")
                .optional()),
            "a.b: one of required, optional or computed must be set",
        ),
        (
            resource,
            one(
                Attribute::single_nested([("b", text().optional()), ("b", text().optional())])
                    .description("X.")
                    .optional(),
            ),
            "a.b: the name is used twice",
        ),
        (
            resource,
            one(text().optional()).attribute("a", text().optional()),
            "a: the name is used twice",
        ),
        (
            resource,
            one(text().optional()).block("a", Block::new(BlockNesting::List).description("X.")),
            "a: an attribute and a block have this name",
        ),
        (
            resource,
            Schema::new("X.").attribute("count", text().optional()),
            "count: the name is reserved by Terraform",
        ),
        (
            SchemaRole::Provider,
            Schema::new("X.").attribute("alias", text().optional()),
            "alias: the name is reserved by Terraform",
        ),
        (
            resource,
            Schema::new("X.").attribute("fooBar", text().optional()),
            "fooBar: a name consists of lower-case letters, digits and underscores and does not \
             start with a digit",
        ),
        (
            resource,
            Schema::new("X.").block(
                "b",
                Block::new(BlockNesting::Map).description("X.").items(1, 0),
            ),
            "b: a group or map block has no minimum and no maximum",
        ),
        (
            resource,
            Schema::new("X.").block(
                "b",
                Block::new(BlockNesting::Single)
                    .description("X.")
                    .items(0, 1),
            ),
            "b: a single block has equal minimum and maximum, 0 or 1",
        ),
    ];
    for (role, schema, expected) in cases {
        assert_eq!(schema.check(role).unwrap_err().to_string(), expected);
    }
}

#[test]
fn durations() {
    let seconds = |seconds| Ok(Duration::from_secs(seconds));
    let cases = [
        ("0", seconds(0)),
        ("90m", seconds(5400)),
        ("1h30m", seconds(5400)),
        ("1.5h", seconds(5400)),
        (".5s", Ok(Duration::from_millis(500))),
        ("1m0.25s", Ok(Duration::from_millis(60_250))),
        ("3us", Ok(Duration::from_micros(3))),
        ("", Err(DurationError::Syntax)),
        ("10", Err(DurationError::Syntax)),
        ("m", Err(DurationError::Syntax)),
        ("-1s", Err(DurationError::Syntax)),
        ("1d", Err(DurationError::Syntax)),
        ("9999999999h", Err(DurationError::TooLong)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_duration(text), expected, "{text:?}");
    }
    for text in ["1h30m", "20m", "45s", "1m0.25s", "0s"] {
        assert_eq!(format_duration(parse_duration(text).unwrap()), text);
    }
}
