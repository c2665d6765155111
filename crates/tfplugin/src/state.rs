//! Values that go into a state.

use std::collections::BTreeMap;

use crate::cty::{Type, Value};
use crate::plan::without_write_only;
use crate::schema::{Block, BlockNesting, Schema};

/// The value as a state may hold it: without write-only values, and with blocks of which there are
/// none empty rather than null.
///
/// A handler that fills in only what it knows leaves blocks null, and a state from before a block
/// was in the schema has none. A configuration without the block has it empty, so a plan would
/// find a change.
pub(crate) fn storable(schema: &Schema, value: Value) -> Value {
    with_blocks(&schema.blocks, without_write_only(schema, value))
}

fn with_blocks(blocks: &BTreeMap<String, Block>, value: Value) -> Value {
    let Value::Object(mut values) = value else {
        return value;
    };
    for (name, block) in blocks {
        let inner = |value| with_blocks(&block.blocks, value);
        let value = values.remove(name).unwrap_or(Value::Null);
        let value = match (block.nesting, value) {
            (BlockNesting::List, Value::Null) => Value::List(Vec::new()),
            (BlockNesting::Set, Value::Null) => Value::Set(Vec::new()),
            (BlockNesting::Map, Value::Null) => Value::Map(BTreeMap::new()),
            (BlockNesting::Group, Value::Null) => inner(nothing(&block.object_type())),
            (_, Value::List(elements)) => Value::list(elements.into_iter().map(inner)),
            (_, Value::Set(elements)) => Value::set(elements.into_iter().map(inner)),
            (_, Value::Map(elements)) => Value::map(
                elements
                    .into_iter()
                    .map(|(key, element)| (key, inner(element))),
            ),
            (_, value) => inner(value),
        };
        values.insert(name.clone(), value);
    }
    Value::Object(values)
}

/// An object of which nothing is set.
fn nothing(ty: &Type) -> Value {
    match ty {
        Type::Object(object) => Value::object(
            object
                .attributes()
                .keys()
                .map(|name| (name.clone(), Value::Null)),
        ),
        _ => Value::Null,
    }
}

/// The value with every unknown part made null, as Core does with the state of a failed apply.
pub(crate) fn unknown_as_null(value: Value) -> Value {
    if value.is_wholly_known() {
        return value;
    }
    value.transform(|_, value| {
        if matches!(value, Value::Unknown) {
            Value::Null
        } else {
            value
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::walk::part;
    use crate::schema::Attribute;

    #[test]
    fn blocks_of_which_there_are_none() {
        let text = || Attribute::string().optional().description("Text.");
        let block = |nesting| {
            Block::new(nesting)
                .description("A block.")
                .attribute("text", text())
                .block(
                    "inner",
                    Block::new(BlockNesting::Set)
                        .description("A block inside.")
                        .attribute("text", text()),
                )
        };
        let without = || Value::object([("text", Value::Null), ("inner", Value::Null)]);
        let with = || Value::object([("text", Value::Null), ("inner", Value::set([]))]);
        let cases = [
            (BlockNesting::Single, Value::Null, Value::Null),
            (BlockNesting::Single, without(), with()),
            (BlockNesting::Group, Value::Null, with()),
            (BlockNesting::List, Value::Null, Value::list([])),
            (
                BlockNesting::List,
                Value::list([without(), with()]),
                Value::list([with(), with()]),
            ),
            (BlockNesting::List, Value::Unknown, Value::Unknown),
            (BlockNesting::Set, Value::Null, Value::set([])),
            (
                BlockNesting::Set,
                Value::set([without()]),
                Value::set([with()]),
            ),
            (BlockNesting::Map, Value::Null, Value::map::<String>([])),
            (
                BlockNesting::Map,
                Value::map([("a", without())]),
                Value::map([("a", with())]),
            ),
        ];
        for (nesting, value, expected) in cases {
            let schema = Schema::new("A thing.").block("block", block(nesting));
            let state = storable(&schema, Value::object([("block", value.clone())]));
            assert_eq!(
                part(Some(&state), "block"),
                &expected,
                "{nesting:?} {value:?}"
            );
        }
    }
}
