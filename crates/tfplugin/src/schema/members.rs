use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Attribute, Block, Schema};

static NO_BLOCKS: LazyLock<BTreeMap<String, Block>> = LazyLock::new(BTreeMap::new);

/// What one object of a schema consists of: the root, a block, or a nested attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Members<'a> {
    pub(crate) attributes: &'a BTreeMap<String, Attribute>,
    pub(crate) blocks: &'a BTreeMap<String, Block>,
}

impl<'a> Members<'a> {
    pub(crate) fn of_attributes(attributes: &'a BTreeMap<String, Attribute>) -> Self {
        Self {
            attributes,
            blocks: &NO_BLOCKS,
        }
    }
}

impl Schema {
    pub(crate) fn members(&self) -> Members<'_> {
        Members {
            attributes: &self.attributes,
            blocks: &self.blocks,
        }
    }
}

impl Block {
    pub(crate) fn members(&self) -> Members<'_> {
        Members {
            attributes: &self.attributes,
            blocks: &self.blocks,
        }
    }
}
