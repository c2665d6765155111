//! Values.

use std::collections::BTreeMap;

use crate::ty::normalized;
use crate::{Mismatch, Number, Path, PathError, PathErrorKind, PathStep, Type, set_order};

/// A value of cty.
///
/// Its type is kept outside, by the schema, except where the schema says `dynamic`. Equality is cty's: numbers by
/// their shortest decimal text, sets without regard to order when built with [`Value::set`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// No value. Under [`Type::Dynamic`] this is the null without a type.
    Null,
    /// Not known before apply. Refinements are read, checked and dropped.
    Unknown,
    /// Text. Build it with [`Value::string`], which brings it to normal form C.
    String(String),
    /// A number.
    Number(Number),
    /// True or false.
    Bool(bool),
    /// The elements of a list.
    List(Vec<Value>),
    /// The elements of a set, sorted as cty sorts and without duplicates: build it with [`Value::set`]. The codecs
    /// bring another order into this one.
    Set(Vec<Value>),
    /// The elements of a map.
    Map(BTreeMap<String, Value>),
    /// The elements of a tuple.
    Tuple(Vec<Value>),
    /// The attributes of an object; every attribute of the type is present, null or not.
    Object(BTreeMap<String, Value>),
    /// A value where the schema says `dynamic`, with its own type.
    Dynamic {
        /// The type of `value`, itself not [`Type::Dynamic`].
        ty: Box<Type>,
        /// The value, which may be null or unknown.
        value: Box<Value>,
    },
}

impl Value {
    /// A text, brought to Unicode normal form C as cty does.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(normalized(text.into()))
    }

    /// A number.
    pub fn number(number: impl Into<Number>) -> Self {
        Self::Number(number.into())
    }

    /// A list.
    pub fn list(elements: impl IntoIterator<Item = Value>) -> Self {
        Self::List(elements.into_iter().collect())
    }

    /// A set: sorts the elements as cty does and removes duplicates.
    pub fn set(elements: impl IntoIterator<Item = Value>) -> Self {
        let mut elements = elements.into_iter().collect();
        set_order::canonicalize(&mut elements);
        Self::Set(elements)
    }

    /// A map; keys are brought to normal form C.
    pub fn map<K: Into<String>>(elements: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(
            elements
                .into_iter()
                .map(|(key, value)| (normalized(key.into()), value))
                .collect(),
        )
    }

    /// A tuple.
    pub fn tuple(elements: impl IntoIterator<Item = Value>) -> Self {
        Self::Tuple(elements.into_iter().collect())
    }

    /// An object; names are brought to normal form C.
    pub fn object<K: Into<String>>(attributes: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Object(
            attributes
                .into_iter()
                .map(|(name, value)| (normalized(name.into()), value))
                .collect(),
        )
    }

    /// A value for a place where the schema says `dynamic`. The type `dynamic` itself adds nothing and is left out.
    pub fn dynamic(ty: Type, value: Value) -> Self {
        match ty {
            Type::Dynamic => value,
            ty => Self::Dynamic {
                ty: Box::new(ty),
                value: Box::new(value),
            },
        }
    }

    /// The value itself, without the type that a dynamic value carries.
    pub fn inner(&self) -> &Value {
        match self {
            Self::Dynamic { value, .. } => value.inner(),
            value => value,
        }
    }

    /// Whether the value is null, with or without a type of its own.
    pub fn is_null(&self) -> bool {
        matches!(self.inner(), Self::Null)
    }

    /// Whether the value as a whole is unknown. Its parts may be even when this is false.
    pub fn is_unknown(&self) -> bool {
        matches!(self.inner(), Self::Unknown)
    }

    /// Whether neither the value nor any part of it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Null | Self::String(_) | Self::Number(_) | Self::Bool(_) => true,
            Self::List(elements) | Self::Set(elements) | Self::Tuple(elements) => {
                elements.iter().all(Self::is_wholly_known)
            }
            Self::Map(elements) | Self::Object(elements) => {
                elements.values().all(Self::is_wholly_known)
            }
            Self::Dynamic { value, .. } => value.is_wholly_known(),
        }
    }

    /// The text of a known string.
    pub fn as_str(&self) -> Option<&str> {
        match self.inner() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A known number.
    pub fn as_number(&self) -> Option<&Number> {
        match self.inner() {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A known number that is an integer in the range of `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// A known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.inner() {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// The elements of a known list, set or tuple.
    pub fn as_elements(&self) -> Option<&[Value]> {
        match self.inner() {
            Self::List(elements) | Self::Set(elements) | Self::Tuple(elements) => Some(elements),
            _ => None,
        }
    }

    /// The entries of a known map or the attributes of a known object.
    pub fn as_entries(&self) -> Option<&BTreeMap<String, Value>> {
        match self.inner() {
            Self::Map(entries) | Self::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The part of the value at `path`, through dynamic values; `None` when there is none.
    pub fn get(&self, path: &Path) -> Option<&Value> {
        path.steps()
            .iter()
            .try_fold(self, |value, step| match (value.inner(), step) {
                (Self::Object(attributes), PathStep::Attribute(name)) => attributes.get(name),
                (Self::Map(elements), PathStep::Key(key)) => elements.get(key),
                (Self::List(elements) | Self::Tuple(elements), PathStep::Index(index)) => {
                    elements.get(usize::try_from(*index).ok()?)
                }
                (Self::Set(elements), PathStep::Element(element)) => {
                    elements.iter().find(|found| *found == element)
                }
                _ => None,
            })
    }

    /// Puts `new` at `path`, through dynamic values. A map gains a key that is absent; everything else must exist.
    /// A set stays sorted, so an element put there may merge with another one.
    ///
    /// # Errors
    /// When the path does not lead into the value, also because something above it is null or unknown, or when a
    /// dynamic value on the way carries a type that `new` does not have. The value is then unchanged.
    pub fn set_at(&mut self, path: &Path, new: Value) -> Result<(), PathError> {
        self.set_below(path, 0, new)
    }

    fn set_below(&mut self, path: &Path, position: usize, new: Value) -> Result<(), PathError> {
        let Some(step) = path.steps().get(position) else {
            *self = new;
            return Ok(());
        };
        let next = position + 1;
        let fail = |kind| PathError {
            path: path.steps()[..next].iter().cloned().collect(),
            kind,
        };
        match (self, step) {
            (Self::Dynamic { ty, value }, _) => {
                let tail: Path = path.steps()[position..].iter().cloned().collect();
                // Below a further dynamic the type is absent here, and checked there.
                if ty.at(&tail).is_some_and(|ty| new.conforms(ty).is_err()) {
                    return Err(fail(PathErrorKind::DynamicType));
                }
                value.set_below(path, position, new)
            }
            (Self::Object(attributes), PathStep::Attribute(name)) => attributes
                .get_mut(name)
                .ok_or_else(|| fail(PathErrorKind::NotFound))?
                .set_below(path, next, new),
            (Self::Map(elements), PathStep::Key(key)) => match elements.get_mut(key) {
                Some(element) => element.set_below(path, next, new),
                None if next == path.steps().len() => {
                    elements.insert(key.clone(), new);
                    Ok(())
                }
                None => Err(fail(PathErrorKind::NotFound)),
            },
            (Self::List(elements) | Self::Tuple(elements), PathStep::Index(index)) => {
                usize::try_from(*index)
                    .ok()
                    .and_then(|index| elements.get_mut(index))
                    .ok_or_else(|| fail(PathErrorKind::NotFound))?
                    .set_below(path, next, new)
            }
            (Self::Set(elements), PathStep::Element(element)) => {
                elements
                    .iter_mut()
                    .find(|found| *found == element)
                    .ok_or_else(|| fail(PathErrorKind::NotFound))?
                    .set_below(path, next, new)?;
                set_order::canonicalize(elements);
                Ok(())
            }
            (value, _) => Err(fail(PathErrorKind::Unfit {
                found: value.kind(),
            })),
        }
    }

    /// Checks that the value has type `ty`: null and unknown have every type, an object has exactly the attributes of
    /// its type, and where the type says `dynamic` the value is a [`Value::Dynamic`], null or unknown.
    ///
    /// # Errors
    /// The path of the first place that differs, and the kinds expected and found there.
    pub fn conforms(&self, ty: &Type) -> Result<(), Mismatch> {
        let mut path = Path::root();
        self.conforms_at(ty, &mut path)
    }

    fn conforms_at(&self, ty: &Type, path: &mut Path) -> Result<(), Mismatch> {
        let mut below = |value: &Self, ty: &Type, step: PathStep| {
            path.push(step);
            value.conforms_at(ty, path)?;
            path.pop();
            Ok(())
        };
        match (self, ty) {
            (Self::Null | Self::Unknown, _)
            | (Self::String(_), Type::String)
            | (Self::Number(_), Type::Number)
            | (Self::Bool(_), Type::Bool) => Ok(()),
            (Self::Dynamic { ty, value }, Type::Dynamic) => value.conforms_at(ty, path),
            (Self::List(elements), Type::List(ty)) => (0..)
                .zip(elements)
                .try_for_each(|(index, element)| below(element, ty, PathStep::Index(index))),
            (Self::Set(elements), Type::Set(ty)) => elements
                .iter()
                .try_for_each(|element| below(element, ty, PathStep::Element(element.clone()))),
            (Self::Map(elements), Type::Map(ty)) => elements
                .iter()
                .try_for_each(|(key, element)| below(element, ty, PathStep::Key(key.clone()))),
            (Self::Tuple(elements), Type::Tuple(types)) if elements.len() == types.len() => (0..)
                .zip(elements.iter().zip(types))
                .try_for_each(|(index, (element, ty))| below(element, ty, PathStep::Index(index))),
            (Self::Tuple(elements), Type::Tuple(types)) => Err(Mismatch {
                path: path.clone(),
                expected: format!("a tuple of {} elements", types.len()),
                found: format!("{} elements", elements.len()),
            }),
            (Self::Object(attributes), Type::Object(object)) => {
                for (name, ty) in object.attributes() {
                    let Some(attribute) = attributes.get(name) else {
                        return Err(Mismatch {
                            path: path.clone().attribute(name),
                            expected: ty.kind().to_owned(),
                            found: "no such attribute".to_owned(),
                        });
                    };
                    below(attribute, ty, PathStep::Attribute(name.clone()))?;
                }
                match attributes
                    .keys()
                    .find(|name| object.attribute(name).is_none())
                {
                    None => Ok(()),
                    Some(name) => Err(Mismatch {
                        path: path.clone().attribute(name),
                        expected: "no attribute of this name".to_owned(),
                        found: attributes
                            .get(name)
                            .map_or("nothing", Self::kind)
                            .to_owned(),
                    }),
                }
            }
            (value, ty) => Err(Mismatch {
                path: path.clone(),
                expected: ty.kind().to_owned(),
                found: value.kind().to_owned(),
            }),
        }
    }

    /// The kind of the value in words, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unknown => "an unknown value",
            Self::String(_) => "a string",
            Self::Number(_) => "a number",
            Self::Bool(_) => "a bool",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
            Self::Tuple(_) => "a tuple",
            Self::Object(_) => "an object",
            Self::Dynamic { .. } => "a value with its type",
        }
    }
}

impl Type {
    /// Whether `value` has this type; [`Value::conforms`] also says where it does not.
    pub fn accepts(&self, value: &Value) -> bool {
        value.conforms(self).is_ok()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Number(integer.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

/// `None` is null.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Null, Into::into)
    }
}
