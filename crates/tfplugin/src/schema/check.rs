use std::collections::BTreeMap;

use super::{Attribute, AttributeKind, Block, BlockNesting, Nesting, Schema};
use crate::cty::{Path, Type, Value};

/// What a schema describes: some rules depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaRole {
    /// The provider's own configuration.
    Provider,
    /// A managed resource.
    Resource,
    /// A data source.
    DataSource,
    /// An ephemeral resource.
    EphemeralResource,
}

/// One thing that is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if *.path == Path::root() { String::new() } else { format!("{}: ", .path) })]
pub struct SchemaProblem {
    /// The attribute or block, the root for the schema itself.
    pub path: Path,
    /// What is wrong.
    pub problem: String,
}

/// Everything that is wrong with a schema, in the order of the names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct SchemaError {
    /// At least one problem.
    pub problems: Vec<SchemaProblem>,
}

const RESERVED_IN_RESOURCES: [&str; 7] = [
    "connection",
    "count",
    "depends_on",
    "for_each",
    "lifecycle",
    "provider",
    "provisioner",
];
const RESERVED_IN_PROVIDERS: [&str; 2] = ["alias", "version"];

impl Schema {
    /// Checks the schema against the rules by which Core rejects it, and a few of our own that
    /// prevent wrong plans later.
    ///
    /// # Errors
    /// Every broken rule with the attribute or block that breaks it.
    pub fn check(&self, role: SchemaRole) -> Result<(), SchemaError> {
        let mut checker = Checker {
            role,
            problems: Vec::new(),
        };
        let root = Path::root();
        if self.version < 0 {
            checker.report(&root, "the schema version is negative");
        }
        if self.description.trim().is_empty() {
            checker.report(&root, "the schema has no description");
        }
        for name in &self.duplicates {
            checker.report(&root.clone().attribute(name), "the name is used twice");
        }
        let reserved: &[&str] = match role {
            SchemaRole::Provider => &RESERVED_IN_PROVIDERS,
            SchemaRole::Resource | SchemaRole::DataSource | SchemaRole::EphemeralResource => {
                &RESERVED_IN_RESOURCES
            }
        };
        for name in self.attributes.keys().chain(self.blocks.keys()) {
            if reserved.contains(&name.as_str()) {
                checker.report(
                    &root.clone().attribute(name),
                    "the name is reserved by Terraform",
                );
            }
        }
        checker.members(&root, &self.attributes, &self.blocks);
        if checker.problems.is_empty() {
            Ok(())
        } else {
            Err(SchemaError {
                problems: checker.problems,
            })
        }
    }
}

struct Checker {
    role: SchemaRole,
    problems: Vec<SchemaProblem>,
}

impl Checker {
    fn report(&mut self, path: &Path, problem: impl Into<String>) {
        self.problems.push(SchemaProblem {
            path: path.clone(),
            problem: problem.into(),
        });
    }

    fn members(
        &mut self,
        path: &Path,
        attributes: &BTreeMap<String, Attribute>,
        blocks: &BTreeMap<String, Block>,
    ) {
        for (name, attribute) in attributes {
            let path = path.clone().attribute(name);
            self.name(&path, name);
            if blocks.contains_key(name) {
                self.report(&path, "an attribute and a block have this name");
            }
            self.attribute(&path, attribute);
        }
        for (name, block) in blocks {
            let path = path.clone().attribute(name);
            self.name(&path, name);
            self.block(&path, block);
        }
    }

    fn name(&mut self, path: &Path, name: &str) {
        let mut characters = name.chars();
        let first = characters
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first == '_');
        let rest = characters
            .all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || next == '_');
        if !first || !rest {
            self.report(
                path,
                "a name consists of lower-case letters, digits and underscores and does not start \
                 with a digit",
            );
        }
    }

    fn attribute(&mut self, path: &Path, attribute: &Attribute) {
        if attribute.description.trim().is_empty() {
            self.report(path, "the description is missing");
        }
        if !(attribute.required || attribute.optional || attribute.computed) {
            self.report(path, "one of required, optional or computed must be set");
        }
        if attribute.required && (attribute.optional || attribute.computed) {
            self.report(path, "required excludes optional and computed");
        }
        if self.role == SchemaRole::Provider && attribute.computed {
            self.report(path, "a provider's own configuration has no computed value");
        }
        if attribute.write_only {
            if attribute.computed {
                self.report(path, "write-only excludes computed");
            }
            if self.role != SchemaRole::Resource {
                self.report(path, "only resources have write-only attributes");
            }
        }
        if let Some(default) = &attribute.default {
            self.default(path, attribute, default);
        }
        match &attribute.kind {
            AttributeKind::Plain(ty) => {
                if collection_holds_dynamic(ty) {
                    self.report(path, "a collection cannot hold a dynamic type");
                }
            }
            AttributeKind::Nested {
                nesting,
                attributes,
                duplicates,
            } => {
                for name in duplicates {
                    self.report(&path.clone().attribute(name), "the name is used twice");
                }
                self.members(path, attributes, &BTreeMap::new());
                if *nesting != Nesting::Single && attribute.ty().has_dynamic() {
                    self.report(path, "a collection of objects cannot hold a dynamic type");
                }
                if *nesting == Nesting::Set && any_write_only(attributes, &BTreeMap::new()) {
                    self.report(path, "a set cannot hold a write-only attribute");
                }
                if attribute.write_only && attributes.values().any(|nested| !nested.write_only) {
                    self.report(
                        path,
                        "every attribute inside a write-only attribute is write-only too",
                    );
                }
                if attribute.computed && any_write_only(attributes, &BTreeMap::new()) {
                    self.report(path, "a computed object cannot hold a write-only attribute");
                }
            }
        }
    }

    fn default(&mut self, path: &Path, attribute: &Attribute, default: &Value) {
        if !attribute.optional || !attribute.computed {
            self.report(path, "a default needs optional and computed");
        }
        if default.is_null() || !default.is_wholly_known() {
            self.report(path, "a default is known and not null");
        }
        if !attribute.ty().accepts(default) {
            self.report(path, "the default does not have the attribute's type");
        }
    }

    fn block(&mut self, path: &Path, block: &Block) {
        if block.description.trim().is_empty() {
            self.report(path, "the description is missing");
        }
        for name in &block.duplicates {
            self.report(&path.clone().attribute(name), "the name is used twice");
        }
        self.members(path, &block.attributes, &block.blocks);
        let (minimum, maximum) = (block.min_items, block.max_items);
        match block.nesting {
            BlockNesting::Single => {
                if minimum != maximum || !(0..=1).contains(&minimum) {
                    self.report(path, "a single block has equal minimum and maximum, 0 or 1");
                }
            }
            BlockNesting::Group | BlockNesting::Map => {
                if (minimum, maximum) != (0, 0) {
                    self.report(path, "a group or map block has no minimum and no maximum");
                }
            }
            BlockNesting::List | BlockNesting::Set => {
                if minimum < 0 || maximum < 0 || (maximum > 0 && minimum > maximum) {
                    self.report(path, "the minimum exceeds the maximum, or one is negative");
                }
            }
        }
        if matches!(
            block.nesting,
            BlockNesting::List | BlockNesting::Set | BlockNesting::Map
        ) && block.ty().has_dynamic()
        {
            self.report(path, "a collection of blocks cannot hold a dynamic type");
        }
        if block.nesting == BlockNesting::Set && any_write_only(&block.attributes, &block.blocks) {
            self.report(path, "a set cannot hold a write-only attribute");
        }
    }
}

fn any_write_only(
    attributes: &BTreeMap<String, Attribute>,
    blocks: &BTreeMap<String, Block>,
) -> bool {
    attributes.values().any(|attribute| {
        attribute.write_only
            || attribute
                .nested_attributes()
                .is_some_and(|(_, nested)| any_write_only(nested, &BTreeMap::new()))
    }) || blocks
        .values()
        .any(|block| any_write_only(&block.attributes, &block.blocks))
}

fn collection_holds_dynamic(ty: &Type) -> bool {
    match ty {
        Type::Dynamic | Type::String | Type::Number | Type::Bool => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => element.has_dynamic(),
        Type::Tuple(elements) => elements.iter().any(collection_holds_dynamic),
        Type::Object(object) => object.attributes().values().any(collection_holds_dynamic),
    }
}
