use std::collections::BTreeMap;

use super::Attribute;
use crate::cty::{ObjectType, Type};

/// How many times a block may appear and how its objects are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockNesting {
    /// At most once; null when absent.
    Single,
    /// At most once; an object whose attributes are null when absent. Tried with this crate's own
    /// client alone.
    Group,
    /// Any number, in order.
    List,
    /// Any number, without order.
    Set,
    /// Any number, each with a label. Tried with this crate's own client alone.
    Map,
}

/// A nested block, for configurations that already use block syntax.
#[derive(Clone, Debug)]
pub struct Block {
    pub(crate) nesting: BlockNesting,
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) blocks: BTreeMap<String, Block>,
    pub(crate) description: String,
    pub(crate) deprecated: Option<String>,
    pub(crate) min_items: i64,
    pub(crate) max_items: i64,
    pub(crate) duplicates: Vec<String>,
}

impl Block {
    /// An empty block of the given nesting.
    pub fn new(nesting: BlockNesting) -> Self {
        Self {
            nesting,
            attributes: BTreeMap::new(),
            blocks: BTreeMap::new(),
            description: String::new(),
            deprecated: None,
            min_items: 0,
            max_items: 0,
            duplicates: Vec::new(),
        }
    }

    /// What it means, in Markdown. Required.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Marks the block as deprecated. The message says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, message: impl Into<String>) -> Self {
        self.deprecated = Some(message.into());
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, attribute: Attribute) -> Self {
        let name = name.into();
        if self.attributes.insert(name.clone(), attribute).is_some() {
            self.duplicates.push(name);
        }
        self
    }

    /// Adds a block inside this one.
    #[must_use]
    pub fn block(mut self, name: impl Into<String>, block: Block) -> Self {
        let name = name.into();
        if self.blocks.insert(name.clone(), block).is_some() {
            self.duplicates.push(name);
        }
        self
    }

    /// How often it must and may appear; a maximum of 0 is no limit. Core checks it.
    #[must_use]
    pub fn items(mut self, minimum: i64, maximum: i64) -> Self {
        self.min_items = minimum;
        self.max_items = maximum;
        self
    }

    /// The object type of one such block.
    pub(crate) fn object_type(&self) -> Type {
        object_type(&self.attributes, &self.blocks)
    }

    /// The type of the block's slot in the enclosing object.
    pub(crate) fn ty(&self) -> Type {
        let object = self.object_type();
        match self.nesting {
            BlockNesting::Single | BlockNesting::Group => object,
            BlockNesting::List => Type::List(Box::new(object)),
            BlockNesting::Set => Type::Set(Box::new(object)),
            BlockNesting::Map => Type::Map(Box::new(object)),
        }
    }
}

pub(crate) fn object_type(
    attributes: &BTreeMap<String, Attribute>,
    blocks: &BTreeMap<String, Block>,
) -> Type {
    Type::Object(ObjectType::new(
        attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.ty()))
            .chain(
                blocks
                    .iter()
                    .map(|(name, block)| (name.clone(), block.ty())),
            ),
    ))
}
