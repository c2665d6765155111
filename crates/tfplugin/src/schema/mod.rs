//! What a provider, resource or data source can be configured with, and what Terraform may expect
//! of each attribute.
//!
//! A [`Schema`] is checked by [`Schema::check`] against the rules by which Core rejects a provider
//! when it loads the schema (`configschema/internal_validate.go`, `loadschemas/plugins.go` of
//! hashicorp/terraform); the server runs the check when it is asked for its schemas, and the module
//! `testing` has an assertion for unit tests.

mod attribute;
mod block;
mod check;
mod fit;
mod members;
pub mod modifiers;
pub mod timeouts;
pub mod validators;

use std::collections::BTreeMap;

pub use attribute::{Attribute, AttributeKind, Nesting};
pub use block::{Block, BlockNesting};
pub use check::{SchemaError, SchemaProblem, SchemaRole};
pub(crate) use fit::model_matches;
pub(crate) use members::Members;
pub use modifiers::{ModifierInput, ModifierOutput, PlanModifier};
pub use timeouts::TimeoutDefaults;
pub use validators::{ConfigValidator, Validator};

use crate::cty::Type;

/// The attributes and blocks of a provider, resource or data source.
///
/// ```
/// use tfplugin::schema::{Attribute, Schema, modifiers, validators};
///
/// let schema = Schema::new("A file on the machine that runs Terraform.")
///     .attribute(
///         "path",
///         Attribute::string()
///             .required()
///             .description("Absolute path of the file.")
///             .validate(validators::string_length_between(1, 4096))
///             .plan_modifier(modifiers::requires_replace()),
///     )
///     .attribute("size", Attribute::number().computed().description("Length in bytes."));
/// schema.check(tfplugin::schema::SchemaRole::Resource).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub(crate) version: i64,
    pub(crate) description: String,
    pub(crate) deprecated: Option<String>,
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) blocks: BTreeMap<String, Block>,
    pub(crate) validators: Vec<ConfigValidator>,
    pub(crate) timeouts: Option<TimeoutDefaults>,
    /// Names that were added twice: reported by the check.
    pub(crate) duplicates: Vec<String>,
}

impl Schema {
    /// A schema of version 0 without attributes, described in Markdown.
    pub fn new(description: impl Into<String>) -> Self {
        Self {
            description: description.into(),
            ..Self::default()
        }
    }

    /// The version of the state written with this schema, not negative. Core hands state of an
    /// older version to the resource's upgrade.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }

    /// Marks the whole thing as deprecated. The message says what to use instead.
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

    /// Adds several attributes.
    #[must_use]
    pub fn attributes<N: Into<String>>(
        self,
        attributes: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Self {
        attributes
            .into_iter()
            .fold(self, |schema, (name, attribute)| {
                schema.attribute(name, attribute)
            })
    }

    /// Adds a nested block. New schemas should prefer nested attributes, which may be computed,
    /// null and given by an expression.
    #[must_use]
    pub fn block(mut self, name: impl Into<String>, block: Block) -> Self {
        let name = name.into();
        if self.blocks.insert(name.clone(), block).is_some() {
            self.duplicates.push(name);
        }
        self
    }

    /// Adds a check that looks at several attributes, run once the values are known.
    #[must_use]
    pub fn validate(mut self, validator: ConfigValidator) -> Self {
        self.validators.push(validator);
        self
    }

    /// Adds the optional attribute `timeouts` with these defaults: what applies when the
    /// configuration leaves an operation out. The model has a field
    /// `timeouts: AttributeValue<Timeouts>`.
    #[must_use]
    pub fn timeouts(mut self, defaults: TimeoutDefaults) -> Self {
        self.timeouts = Some(defaults);
        self.attribute("timeouts", timeouts::attribute(defaults))
    }

    /// The attributes by name.
    pub fn attribute_map(&self) -> &BTreeMap<String, Attribute> {
        &self.attributes
    }

    /// The object type of a value of this schema.
    pub fn ty(&self) -> Type {
        block::object_type(&self.attributes, &self.blocks)
    }
}
