//! The schema of `peer_thing`.

use tfplugin::cty::Type;
use tfplugin::schema::{
    Attribute, Block, BlockNesting, Schema, TimeoutDefaults, modifiers, validators,
};

fn text() -> Attribute {
    Attribute::string().description("Text.")
}

fn number() -> Attribute {
    Attribute::number().description("Number.")
}

/// Set once by the provider.
fn kept() -> Attribute {
    text()
        .computed()
        .plan_modifier(modifiers::use_state_for_unknown())
}

fn defaulted(default: i64) -> Attribute {
    number()
        .optional()
        .computed()
        .default(default)
        .validate(whole())
}

/// HashiCorp's framework has a type for whole numbers, and checks them.
fn whole() -> validators::Validator {
    validators::integer_between(i64::MIN..=i64::MAX)
}

fn between(minimum: i64, maximum: i64) -> Attribute {
    number()
        .required()
        .validate(validators::integer_between(minimum..=maximum))
}

pub fn thing() -> Schema {
    with_blocks(with_nested(plain()))
        .timeouts(TimeoutDefaults::default())
        .validate(validators::conflicts_with(["document", "anything"]))
        .validate(validators::required_together(["secret", "ratio"]))
}

fn plain() -> Schema {
    let shrinks = modifiers::requires_replace_if("A thing cannot shrink.", |input| {
        match (input.prior.as_i64(), input.planned.as_i64()) {
            (Some(before), Some(after)) => after < before,
            _ => false,
        }
    });
    Schema::new("A thing.").version(2).attributes([
        ("id", kept()),
        (
            "name",
            text()
                .required()
                .validate(validators::string_length_between(1, 12))
                .plan_modifier(modifiers::requires_replace()),
        ),
        ("label", text().optional().computed()),
        (
            "size",
            number()
                .optional()
                .computed()
                .default(3)
                .validate(validators::integer_between(1..=9))
                .plan_modifier(shrinks),
        ),
        ("ratio", number().optional()),
        (
            "enabled",
            Attribute::bool()
                .optional()
                .computed()
                .default(false)
                .description("Flag."),
        ),
        ("secret", text().optional().sensitive()),
        ("password", text().optional().sensitive().write_only()),
        ("document", text().optional()),
        (
            "anything",
            Attribute::dynamic().optional().description("Anything."),
        ),
        (
            "tags",
            Attribute::map(Type::String).optional().description("Tags."),
        ),
        (
            "ports",
            Attribute::list(Type::Number)
                .optional()
                .description("Ports.")
                .validate(validators::size_between(0..=2))
                .validate(validators::each(validators::integer_between(1..=9))),
        ),
        (
            "zones",
            Attribute::set(Type::String)
                .optional()
                .computed()
                .description("Zones."),
        ),
        ("revision", number().computed()),
    ])
}

fn with_nested(schema: Schema) -> Schema {
    schema.attributes([
        (
            "status",
            Attribute::single_nested([("phase", text().computed())])
                .computed()
                .description("Status."),
        ),
        (
            "settings",
            Attribute::single_nested([
                (
                    "mode",
                    text()
                        .required()
                        .plan_modifier(modifiers::requires_replace()),
                ),
                ("speed", defaulted(10)),
                ("arn", kept()),
            ])
            .optional()
            .description("Settings."),
        ),
        (
            "steps",
            Attribute::list_nested([("run", text().required()), ("handle", kept())])
                .optional()
                .description("Steps."),
        ),
        (
            "rules",
            Attribute::set_nested([
                ("port", between(1, 9)),
                ("protocol", text().optional()),
                ("handle", kept()),
            ])
            .optional()
            .description("Rules."),
        ),
        (
            "groups",
            Attribute::map_nested([
                ("minimum", between(0, 9)),
                ("maximum", defaulted(10)),
                ("arn", kept()),
            ])
            .optional()
            .description("Groups."),
        ),
    ])
}

fn with_blocks(schema: Schema) -> Schema {
    let part = Block::new(BlockNesting::Set)
        .description("A part.")
        .attribute("mount", text().required());
    let disk = Block::new(BlockNesting::List)
        .description("A disk.")
        .attribute("size", between(1, 9))
        .attribute("kind", text().optional().computed().default("fast"))
        .attribute("path", kept())
        .block("part", part);
    let network = Block::new(BlockNesting::Single)
        .description("The network.")
        .attribute(
            "cidr",
            text()
                .optional()
                .plan_modifier(modifiers::requires_replace()),
        )
        .attribute("address", text().computed());
    schema.block("disk", disk).block("network", network)
}
