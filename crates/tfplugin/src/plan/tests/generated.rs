//! For generated schemas and configurations: every plan passes Core's rules, and after an apply
//! there is nothing left to plan.

use proptest::prelude::*;

use super::passive::plan_as_core;
use crate::cty::{Type, Value};
use crate::lint;
use crate::schema::{self, Attribute, Block, BlockNesting, Schema, SchemaRole, modifiers};

/// How the attributes of a generated schema may behave.
#[derive(Clone, Copy, Debug)]
enum Behavior {
    Required,
    Optional,
    Computed,
    Kept,
    OptionalComputed,
    Default,
    WriteOnly,
    Replacing,
}

fn behavior() -> impl Strategy<Value = Behavior> {
    prop_oneof![
        Just(Behavior::Required),
        Just(Behavior::Optional),
        Just(Behavior::Computed),
        Just(Behavior::Kept),
        Just(Behavior::OptionalComputed),
        Just(Behavior::Default),
        Just(Behavior::WriteOnly),
        Just(Behavior::Replacing),
    ]
}

fn behave(attribute: Attribute, behavior: Behavior, in_set: bool, nested: bool) -> Attribute {
    let attribute = attribute.description("Generated.");
    match behavior {
        Behavior::Required => attribute.required(),
        Behavior::Computed if !nested => attribute.computed(),
        Behavior::Kept if !nested => attribute
            .computed()
            .plan_modifier(modifiers::use_state_for_unknown()),
        Behavior::OptionalComputed if !nested => attribute.optional().computed(),
        Behavior::Default if !nested => {
            let default = match attribute.ty() {
                Type::Dynamic => Value::dynamic(Type::String, Value::from("default")),
                _ => Value::from("default"),
            };
            attribute.optional().computed().default(default)
        }
        Behavior::WriteOnly if !nested && !in_set => attribute.optional().write_only(),
        Behavior::Replacing => attribute
            .optional()
            .plan_modifier(modifiers::requires_replace()),
        _ => attribute.optional(),
    }
}

/// How the nested objects of a generated schema are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Single,
    List,
    Set,
    Map,
    BlockSingle,
    BlockGroup,
    BlockList,
    BlockSet,
    BlockMap,
}

impl Kind {
    fn is_set(self) -> bool {
        matches!(self, Self::Set | Self::BlockSet)
    }

    /// Whether it holds one object rather than a collection.
    fn is_single(self) -> bool {
        matches!(self, Self::Single | Self::BlockSingle | Self::BlockGroup)
    }

    /// The nesting as a block; `None` for an attribute.
    fn block(self) -> Option<BlockNesting> {
        match self {
            Self::BlockSingle => Some(BlockNesting::Single),
            Self::BlockGroup => Some(BlockNesting::Group),
            Self::BlockList => Some(BlockNesting::List),
            Self::BlockSet => Some(BlockNesting::Set),
            Self::BlockMap => Some(BlockNesting::Map),
            Self::Single | Self::List | Self::Set | Self::Map => None,
        }
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Single),
        Just(Kind::List),
        Just(Kind::Set),
        Just(Kind::Map),
        Just(Kind::BlockSingle),
        Just(Kind::BlockGroup),
        Just(Kind::BlockList),
        Just(Kind::BlockSet),
        Just(Kind::BlockMap),
    ]
}

/// The members of one generated object.
#[derive(Clone, Debug)]
struct Level {
    /// Texts or, where it says so and may be, dynamic.
    leaves: Vec<(Behavior, bool)>,
    nested: Vec<(Kind, Behavior, Level)>,
}

/// Objects with as many levels of objects in them as `depth`.
fn level(depth: usize) -> BoxedStrategy<Level> {
    let leaves = prop::collection::vec((behavior(), any::<bool>()), 1..4);
    if depth == 0 {
        return leaves
            .prop_map(|leaves| Level {
                leaves,
                nested: Vec::new(),
            })
            .boxed();
    }
    let nested = prop::collection::vec((kind(), behavior(), level(depth - 1)), 0..4);
    (leaves, nested)
        .prop_map(|(leaves, nested)| Level { leaves, nested })
        .boxed()
}

type Members = (Vec<(String, Attribute)>, Vec<(String, Block)>);

/// What is around an object.
#[derive(Clone, Copy)]
struct Around {
    in_set: bool,
    /// Whether it is in any collection, where nothing can be dynamic.
    in_collection: bool,
    /// Nested attributes cannot hold blocks, which become attributes there.
    blocks_allowed: bool,
}

/// What an object consists of.
fn members(level: &Level, around: Around) -> Members {
    let in_set = around.in_set;
    let mut attributes: Vec<(String, Attribute)> = level
        .leaves
        .iter()
        .enumerate()
        .map(|(index, (behavior, is_dynamic))| {
            let attribute = if *is_dynamic && !around.in_collection {
                behave(Attribute::dynamic(), *behavior, in_set, false)
            } else {
                behave(Attribute::string(), *behavior, in_set, false)
            };
            (format!("leaf_{index}"), attribute)
        })
        .collect();
    let mut blocks = Vec::new();
    for (index, (kind, behavior, inner)) in level.nested.iter().enumerate() {
        let name = format!("nested_{index}");
        let block = kind.block().filter(|_| around.blocks_allowed);
        let inside = Around {
            in_set: in_set || kind.is_set(),
            in_collection: around.in_collection || !kind.is_single(),
            blocks_allowed: block.is_some(),
        };
        let (inner_attributes, inner_blocks) = members(inner, inside);
        if let Some(nesting) = block {
            let block = Block::new(nesting).description("Generated.");
            let block = inner_attributes
                .into_iter()
                .fold(block, |block, (name, attribute)| {
                    block.attribute(name, attribute)
                });
            let block = inner_blocks
                .into_iter()
                .fold(block, |block, (name, inner)| block.block(name, inner));
            blocks.push((name, block));
            continue;
        }
        let attribute = match kind {
            Kind::Single | Kind::BlockSingle | Kind::BlockGroup => {
                Attribute::single_nested(inner_attributes)
            }
            Kind::List | Kind::BlockList => Attribute::list_nested(inner_attributes),
            Kind::Set | Kind::BlockSet => Attribute::set_nested(inner_attributes),
            Kind::Map | Kind::BlockMap => Attribute::map_nested(inner_attributes),
        };
        attributes.push((name, behave(attribute, *behavior, in_set, true)));
    }
    (attributes, blocks)
}

fn schema() -> impl Strategy<Value = Schema> {
    level(2).prop_map(|level| {
        let (attributes, blocks) = members(
            &level,
            Around {
                in_set: false,
                in_collection: false,
                blocks_allowed: true,
            },
        );
        blocks.into_iter().fold(
            Schema::new("Generated.").attributes(attributes),
            |schema, (name, block)| schema.block(name, block),
        )
    })
}

/// Draws decisions from generated bytes, so that a failing case shrinks.
struct Choices<'a> {
    bytes: &'a [u8],
    next: usize,
    allow_unknown: bool,
}

impl Choices<'_> {
    fn one_of(&mut self, count: u8) -> u8 {
        let byte = self.bytes[self.next % self.bytes.len()];
        self.next += 1;
        byte.wrapping_add(u8::try_from(self.next / self.bytes.len()).unwrap_or(0)) % count
    }

    fn text(&mut self) -> Value {
        match self.one_of(5) {
            0 if self.allow_unknown => Value::Unknown,
            choice => Value::from(format!("text {choice}").as_str()),
        }
    }

    /// A value of any type. What is required is not null.
    fn dynamic(&mut self, required: bool) -> Value {
        match self.one_of(6) {
            0 if self.allow_unknown => Value::Unknown,
            1 if self.allow_unknown => Value::dynamic(Type::String, Value::Unknown),
            2 if !required => Value::dynamic(Type::Bool, Value::Null),
            3 => Value::dynamic(Type::Number, Value::from(i64::from(self.one_of(3)))),
            4 => {
                let elements = (0..self.one_of(3)).map(|_| self.text()).collect();
                Value::dynamic(Type::list(Type::String), Value::List(elements))
            }
            _ => Value::dynamic(Type::String, self.text()),
        }
    }

    fn attribute(&mut self, attribute: &Attribute) -> Value {
        let configurable = attribute.required || attribute.optional;
        if !configurable || (!attribute.required && self.one_of(3) == 0) {
            return Value::Null;
        }
        match attribute.nested_attributes() {
            None if attribute.ty() == Type::Dynamic => self.dynamic(attribute.required),
            None => self.text(),
            Some((_, nested)) => {
                self.collection(&attribute.ty(), schema::Members::of_attributes(nested))
            }
        }
    }

    fn object(&mut self, members: schema::Members<'_>) -> Value {
        let mut values: Vec<(&str, Value)> = Vec::new();
        for (name, attribute) in members.attributes {
            values.push((name, self.attribute(attribute)));
        }
        for (name, block) in members.blocks {
            let absent = block.nesting == BlockNesting::Single && self.one_of(3) == 0;
            let value = if absent {
                Value::Null
            } else {
                self.collection(&block.ty(), block.members())
            };
            values.push((name, value));
        }
        Value::object(values)
    }

    fn collection(&mut self, ty: &Type, members: schema::Members<'_>) -> Value {
        let count = self.one_of(3);
        match ty {
            Type::List(_) => Value::list((0..count).map(|_| self.object(members))),
            Type::Set(_) => Value::set((0..count).map(|_| self.object(members))),
            Type::Map(_) => {
                Value::map((0..count).map(|index| (format!("k{index}"), self.object(members))))
            }
            _ => self.object(members),
        }
    }
}

fn config_from(schema: &Schema, bytes: &[u8], allow_unknown: bool) -> Value {
    Choices {
        bytes,
        next: 0,
        allow_unknown,
    }
    .object(schema.members())
}

/// What a provider does that finds a value for everything unknown.
fn apply(schema: &Schema, planned: &Value) -> Value {
    let mut count = 0;
    crate::plan::walk::transform(
        schema.members(),
        None,
        None,
        planned.clone(),
        &mut |place, value| {
            if !value.is_unknown() {
                return value;
            }
            count += 1;
            let found = Value::from(format!("found {count}").as_str());
            match place.attribute.nested_attributes() {
                // A nested attribute that is computed as a whole: nothing in it.
                Some(_) => match place.attribute.ty() {
                    Type::List(_) => Value::list([]),
                    Type::Set(_) => Value::set([]),
                    Type::Map(_) => Value::map::<String>([]),
                    _ => Value::Null,
                },
                None if place.attribute.ty() == Type::Dynamic => {
                    Value::dynamic(Type::String, found)
                }
                None => found,
            }
        },
    )
}

fn plan_checked(schema: &Schema, prior: &Value, config: &Value) -> Value {
    let answer = plan_as_core(schema, prior, config);
    // The lint runs inside, as it does in every debug build.
    assert!(
        !answer.diagnostics.has_errors(),
        "{}\nconfig  {config:?}\nprior   {prior:?}\nplanned {:?}",
        answer.diagnostics,
        answer.planned
    );
    answer.planned.expect("something is configured")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn plans_keep_the_rules_and_come_to_rest(
        schema in schema(),
        first in prop::collection::vec(any::<u8>(), 64),
        second in prop::collection::vec(any::<u8>(), 64),
    ) {
        prop_assert_eq!(schema.check(SchemaRole::Resource), Ok(()));

        // With unknown values, only the plan can be checked.
        let open = config_from(&schema, &first, true);
        plan_checked(&schema, &Value::Null, &open);

        let mut state = Value::Null;
        for bytes in [&first, &second, &first] {
            let config = config_from(&schema, bytes, false);
            plan_checked(&schema, &state, &open);
            let planned = plan_checked(&schema, &state, &config);
            let applied = apply(&schema, &planned);
            let broken = lint::applied(&schema, &planned, &applied);
            prop_assert!(broken.is_empty(), "{}", broken);
            let again = plan_checked(&schema, &applied, &config);
            prop_assert_eq!(&again, &applied, "a second plan changes something");
            state = applied;
        }
    }
}
