//! Type constraints.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::{Path, PathStep};

/// A type constraint of cty.
///
/// `Display` writes it as Terraform's type expressions: `map(object({ a = string }))`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// Unicode text in normal form C.
    String,
    /// A decimal number, see [`crate::Number`].
    Number,
    /// True or false.
    Bool,
    /// Any type: the value carries its own.
    Dynamic,
    /// A sequence whose elements have one type.
    List(Box<Type>),
    /// Distinct elements of one type, without order.
    Set(Box<Type>),
    /// Elements of one type, by text keys.
    Map(Box<Type>),
    /// A sequence of fixed length with a type for each place.
    Tuple(Vec<Type>),
    /// Named attributes with a type for each.
    Object(ObjectType),
}

/// The attributes of an object type.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectType {
    attributes: BTreeMap<String, Type>,
    optional: BTreeSet<String>,
}

impl ObjectType {
    /// An object type whose attributes are all required. Names are brought to normal form C, as cty does.
    pub fn new<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        let attributes = attributes
            .into_iter()
            .map(|(name, ty)| (normalized(name.into()), ty))
            .collect();
        Self {
            attributes,
            optional: BTreeSet::new(),
        }
    }

    /// The same attributes, of which those named are optional in a type expression. Names that are no attribute are
    /// left out. Optional attributes matter to conversions in modules only: a value always has every attribute.
    #[must_use]
    pub fn with_optional<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().map(|name| normalized(name.into()));
        self.optional = names
            .filter(|name| self.attributes.contains_key(name))
            .collect();
        self
    }

    /// All attributes in byte order of their names.
    pub fn attributes(&self) -> &BTreeMap<String, Type> {
        &self.attributes
    }

    /// The names of the optional attributes.
    pub fn optional(&self) -> &BTreeSet<String> {
        &self.optional
    }

    /// The type of one attribute.
    pub fn attribute(&self, name: &str) -> Option<&Type> {
        self.attributes.get(name)
    }
}

impl Type {
    /// A list of `element`.
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// A set of `element`.
    pub fn set(element: Type) -> Self {
        Self::Set(Box::new(element))
    }

    /// A map of `element`.
    pub fn map(element: Type) -> Self {
        Self::Map(Box::new(element))
    }

    /// A tuple of `elements`.
    pub fn tuple(elements: impl IntoIterator<Item = Type>) -> Self {
        Self::Tuple(elements.into_iter().collect())
    }

    /// An object whose attributes are all required.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self::Object(ObjectType::new(attributes))
    }

    /// The element type of a list, set or map.
    pub fn element(&self) -> Option<&Type> {
        match self {
            Self::List(element) | Self::Set(element) | Self::Map(element) => Some(element),
            _ => None,
        }
    }

    /// Whether this is `string`, `number` or `bool`.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::String | Self::Number | Self::Bool)
    }

    /// Whether `dynamic` occurs anywhere, so that values carry types of their own.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::String | Self::Number | Self::Bool => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_dynamic(),
            Self::Tuple(elements) => elements.iter().any(Self::has_dynamic),
            Self::Object(object) => object.attributes.values().any(Self::has_dynamic),
        }
    }

    /// The type at `path`; `None` when the path does not fit, or leads below a `dynamic`.
    pub fn at(&self, path: &Path) -> Option<&Type> {
        path.steps()
            .iter()
            .try_fold(self, |ty, step| match (ty, step) {
                (Self::Object(object), PathStep::Attribute(name)) => object.attribute(name),
                (Self::Map(element), PathStep::Key(_))
                | (Self::List(element), PathStep::Index(_))
                | (Self::Set(element), PathStep::Element(_)) => Some(element.as_ref()),
                (Self::Tuple(elements), PathStep::Index(index)) => {
                    elements.get(usize::try_from(*index).ok()?)
                }
                _ => None,
            })
    }

    /// The same type with every attribute required, which is the type that values have.
    pub(crate) fn without_optional(&self) -> Self {
        match self {
            Self::String | Self::Number | Self::Bool | Self::Dynamic => self.clone(),
            Self::List(element) => Self::list(element.without_optional()),
            Self::Set(element) => Self::set(element.without_optional()),
            Self::Map(element) => Self::map(element.without_optional()),
            Self::Tuple(elements) => {
                Self::Tuple(elements.iter().map(Self::without_optional).collect())
            }
            Self::Object(object) => {
                let attributes = object
                    .attributes
                    .iter()
                    .map(|(name, ty)| (name.clone(), ty.without_optional()));
                Self::Object(ObjectType {
                    attributes: attributes.collect(),
                    optional: BTreeSet::new(),
                })
            }
        }
    }

    /// The kind of the type in words, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a bool",
            Self::Dynamic => "a value with its type",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
            Self::Tuple(_) => "a tuple",
            Self::Object(_) => "an object",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => formatter.write_str("string"),
            Self::Number => formatter.write_str("number"),
            Self::Bool => formatter.write_str("bool"),
            Self::Dynamic => formatter.write_str("any"),
            Self::List(element) => write!(formatter, "list({element})"),
            Self::Set(element) => write!(formatter, "set({element})"),
            Self::Map(element) => write!(formatter, "map({element})"),
            Self::Tuple(elements) => {
                formatter.write_str("tuple([")?;
                for (position, element) in elements.iter().enumerate() {
                    let separator = if position == 0 { "" } else { ", " };
                    write!(formatter, "{separator}{element}")?;
                }
                formatter.write_str("])")
            }
            Self::Object(object) => write!(formatter, "{object}"),
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("object({")?;
        for (position, (name, ty)) in self.attributes.iter().enumerate() {
            let separator = if position == 0 { " " } else { ", " };
            if self.optional.contains(name) {
                write!(formatter, "{separator}{name} = optional({ty})")?;
            } else {
                write!(formatter, "{separator}{name} = {ty}")?;
            }
        }
        formatter.write_str(if self.attributes.is_empty() {
            "})"
        } else {
            " })"
        })
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Debug for ObjectType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// `text` in Unicode normal form C, in which cty holds all strings.
pub(crate) fn normalized(text: String) -> String {
    match normal(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(normalized) => normalized,
    }
}

/// `text` in Unicode normal form C.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || unicode_normalization::is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}
