use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::block::object_type;
use super::{PlanModifier, Validator};
use crate::cty::{Type, Value};

/// How many objects a nested attribute holds and how they are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// A list of objects, paired by index.
    List,
    /// A set of objects. Computed values inside are paired by guessing; prefer a map.
    Set,
    /// A map of objects, paired by key.
    Map,
}

/// The type of an attribute.
#[derive(Clone, Debug)]
pub enum AttributeKind {
    /// A plain type.
    Plain(Type),
    /// Objects whose attributes have a schema of their own.
    Nested {
        /// One, list, set or map.
        nesting: Nesting,
        /// The attributes of each object.
        attributes: BTreeMap<String, Attribute>,
        /// Names that were given twice.
        #[doc(hidden)]
        duplicates: Vec<String>,
    },
}

/// Tells whether a new value means the same as the one before it.
pub(crate) type SemanticEquality = Arc<dyn Fn(&Value, &Value) -> bool + Send + Sync>;

/// One argument or result of a resource, data source or provider.
///
/// Made by a constructor for its type and refined by the builder methods. An attribute is
/// [required](Attribute::required), or [optional](Attribute::optional), or
/// [computed](Attribute::computed), or optional and computed.
#[derive(Clone)]
pub struct Attribute {
    pub(crate) kind: AttributeKind,
    pub(crate) description: String,
    pub(crate) required: bool,
    pub(crate) optional: bool,
    pub(crate) computed: bool,
    pub(crate) sensitive: bool,
    pub(crate) write_only: bool,
    pub(crate) deprecated: Option<String>,
    pub(crate) default: Option<Value>,
    pub(crate) validators: Vec<Validator>,
    pub(crate) modifiers: Vec<PlanModifier>,
    pub(crate) semantic_equality: Option<SemanticEquality>,
}

impl Attribute {
    /// An attribute of any type that is not nested.
    pub fn of(ty: Type) -> Self {
        Self {
            kind: AttributeKind::Plain(ty),
            description: String::new(),
            required: false,
            optional: false,
            computed: false,
            sensitive: false,
            write_only: false,
            deprecated: None,
            default: None,
            validators: Vec::new(),
            modifiers: Vec::new(),
            semantic_equality: None,
        }
    }

    /// A text.
    pub fn string() -> Self {
        Self::of(Type::String)
    }

    /// A number, whole or not.
    pub fn number() -> Self {
        Self::of(Type::Number)
    }

    /// True or false.
    pub fn bool() -> Self {
        Self::of(Type::Bool)
    }

    /// A value of any type; in a model it is a [`Value`].
    pub fn dynamic() -> Self {
        Self::of(Type::Dynamic)
    }

    /// A list of plain values.
    pub fn list(element: Type) -> Self {
        Self::of(Type::List(Box::new(element)))
    }

    /// A set of plain values.
    pub fn set(element: Type) -> Self {
        Self::of(Type::Set(Box::new(element)))
    }

    /// A map of plain values.
    pub fn map(element: Type) -> Self {
        Self::of(Type::Map(Box::new(element)))
    }

    fn nested<N: Into<String>>(
        nesting: Nesting,
        attributes: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Self {
        let mut by_name = BTreeMap::new();
        let mut duplicates = Vec::new();
        for (name, attribute) in attributes {
            let name = name.into();
            if by_name.insert(name.clone(), attribute).is_some() {
                duplicates.push(name);
            }
        }
        let mut attribute = Self::of(Type::Dynamic);
        attribute.kind = AttributeKind::Nested {
            nesting,
            attributes: by_name,
            duplicates,
        };
        attribute
    }

    /// One nested object.
    pub fn single_nested<N: Into<String>>(
        attributes: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Self {
        Self::nested(Nesting::Single, attributes)
    }

    /// A list of nested objects.
    pub fn list_nested<N: Into<String>>(
        attributes: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Self {
        Self::nested(Nesting::List, attributes)
    }

    /// A set of nested objects.
    pub fn set_nested<N: Into<String>>(
        attributes: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Self {
        Self::nested(Nesting::Set, attributes)
    }

    /// A map of nested objects.
    pub fn map_nested<N: Into<String>>(
        attributes: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Self {
        Self::nested(Nesting::Map, attributes)
    }

    /// The configuration must set it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The configuration may set it.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The provider sets it, where the configuration does not.
    #[must_use]
    pub fn computed(mut self) -> Self {
        self.computed = true;
        self
    }

    /// What it means, in Markdown. Required: it is what the registry documentation shows.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Terraform hides the value in its output. It is still stored in the state.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// The value exists only in the configuration (Terraform 1.11 and newer, OpenTofu 1.11 and
    /// newer): plan and state hold null, also during apply, where handlers read it from `config`.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Terraform warns where it is used. The message says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, message: impl Into<String>) -> Self {
        self.deprecated = Some(message.into());
        self
    }

    /// The value when the configuration has none. Needs optional and computed.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Adds a check of the configured value, run when it is known and not null.
    #[must_use]
    pub fn validate(mut self, validator: Validator) -> Self {
        self.validators.push(validator);
        self
    }

    /// Adds a plan modifier. They run in the order they were added.
    #[must_use]
    pub fn plan_modifier(mut self, modifier: PlanModifier) -> Self {
        self.modifiers.push(modifier);
        self
    }

    /// Says when a new value means the same as the one before it, given `(before, after)`, neither
    /// null nor unknown. The value before is then kept: a prior value in a plan, a stored one in a
    /// read, a planned one in an apply.
    #[must_use]
    pub fn semantically_equal(
        mut self,
        equal: impl Fn(&Value, &Value) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.semantic_equality = Some(Arc::new(equal));
        self
    }

    /// The plain type or the nested attributes.
    pub fn kind(&self) -> &AttributeKind {
        &self.kind
    }

    /// The type of its value.
    pub fn ty(&self) -> Type {
        match &self.kind {
            AttributeKind::Plain(ty) => ty.clone(),
            AttributeKind::Nested {
                nesting,
                attributes,
                ..
            } => {
                let object = object_type(attributes, &BTreeMap::new());
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => Type::List(Box::new(object)),
                    Nesting::Set => Type::Set(Box::new(object)),
                    Nesting::Map => Type::Map(Box::new(object)),
                }
            }
        }
    }

    pub(crate) fn nested_attributes(&self) -> Option<(Nesting, &BTreeMap<String, Attribute>)> {
        match &self.kind {
            AttributeKind::Plain(_) => None,
            AttributeKind::Nested {
                nesting,
                attributes,
                ..
            } => Some((*nesting, attributes)),
        }
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Attribute")
            .field("kind", &self.kind)
            .field("required", &self.required)
            .field("optional", &self.optional)
            .field("computed", &self.computed)
            .field("sensitive", &self.sensitive)
            .field("write_only", &self.write_only)
            .field("default", &self.default)
            .finish_non_exhaustive()
    }
}
