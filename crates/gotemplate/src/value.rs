//! Values as Go has them: their kind is kept, because templates print and compare it.

use std::any::Any;
use std::borrow::Cow;
use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::Error;
use crate::function::{Args, Call, Function, Method, Signature};
use crate::string::Str;
use crate::types::{FloatKind, HostType, IntKind, Kind, NamedType, Type, UintKind};

/// A value of a template.
///
/// A clone never copies what the value holds: lists and host objects are shared and do not change,
/// and maps are shared references, as in Go, so that a function that changes one is seen by all
/// who have it.
#[derive(Clone, Default)]
pub enum Value {
    /// An untyped nil.
    #[default]
    Nil,
    /// A bool.
    Bool(bool),
    /// A signed integer of this kind. The number is within the kind's range.
    Int(IntKind, i64),
    /// An unsigned integer of this kind. The number is within the kind's range.
    Uint(UintKind, u64),
    /// A floating-point number. A float32 holds a number that float32 has.
    Float(FloatKind, f64),
    /// A complex128: real and imaginary part.
    Complex(f64, f64),
    /// A string.
    String(Str),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// Anything else: structs, pointers, named numbers and strings.
    Object(Rc<dyn Object>),
    /// A function, which the builtin `call` calls.
    Function(Arc<Function>),
}

impl Value {
    /// An int.
    #[must_use]
    pub const fn int(number: i64) -> Self {
        Self::Int(IntKind::Int, number)
    }

    /// An int64.
    #[must_use]
    pub const fn int64(number: i64) -> Self {
        Self::Int(IntKind::Int64, number)
    }

    /// A float64.
    #[must_use]
    pub const fn float64(number: f64) -> Self {
        Self::Float(FloatKind::Float64, number)
    }

    /// A string.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// A `[]interface {}`.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(Type::Any, items))
    }

    /// A `map[string]interface {}`.
    pub fn map(entries: impl IntoIterator<Item = (Str, Self)>) -> Self {
        Self::Map(Map::new(Type::Any, entries.into_iter().collect()))
    }

    /// A host object.
    pub fn object(object: impl Object + 'static) -> Self {
        Self::Object(Rc::new(object))
    }

    /// What a variable of this type holds when nothing was assigned to it.
    #[must_use]
    pub fn zero(kind: &Type) -> Self {
        match kind {
            Type::Bool => Self::Bool(false),
            Type::Int(kind) => Self::Int(*kind, 0),
            Type::Uint(kind) => Self::Uint(*kind, 0),
            Type::Float(kind) => Self::Float(*kind, 0.0),
            Type::Complex => Self::Complex(0.0, 0.0),
            Type::String => Self::String(Str::EMPTY),
            Type::List(element) => Self::List(List::nil(Type::clone(element))),
            Type::Map(element) => Self::Map(Map::nil(Type::clone(element))),
            Type::Named(named) => match Self::zero(&named.underlying) {
                Self::List(list) => Self::List(list.named(Some(Arc::clone(named)))),
                Self::Map(map) => Self::Map(map.named(Some(Arc::clone(named)))),
                other => other,
            },
            Type::Any | Type::Host(_) | Type::Function(_) | Type::Reflect => Self::Nil,
        }
    }

    /// The kind, [`Kind::Invalid`] for nil.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(kind, _) => kind.kind(),
            Self::Uint(kind, _) => kind.kind(),
            Self::Float(FloatKind::Float32, _) => Kind::Float32,
            Self::Float(FloatKind::Float64, _) => Kind::Float64,
            Self::Complex(..) => Kind::Complex128,
            Self::String(_) => Kind::String,
            Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Object(object) => object.kind(),
            Self::Function(_) => Kind::Func,
        }
    }

    /// The type; none for nil.
    #[must_use]
    pub fn type_of(&self) -> Option<Type> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => Type::Bool,
            Self::Int(kind, _) => Type::Int(*kind),
            Self::Uint(kind, _) => Type::Uint(*kind),
            Self::Float(kind, _) => Type::Float(*kind),
            Self::Complex(..) => Type::Complex,
            Self::String(_) => Type::String,
            Self::List(list) => list.type_of(),
            Self::Map(map) => map.type_of(),
            Self::Object(object) => Type::Host(HostType {
                name: Cow::Owned(object.type_name().to_owned()),
                kind: object.kind(),
            }),
            Self::Function(function) => Type::Function(function.signature.to_string().into()),
        })
    }

    /// The type as `%T` prints it: `map[string]interface {}`, `<nil>` for nil.
    #[must_use]
    pub fn type_name(&self) -> Cow<'static, str> {
        match self {
            Self::Nil => Cow::Borrowed("<nil>"),
            Self::String(_) => Cow::Borrowed("string"),
            Self::Object(object) => Cow::Owned(object.type_name().to_owned()),
            _ => self
                .type_of()
                .map_or(Cow::Borrowed("<nil>"), |kind| Cow::Owned(kind.to_string())),
        }
    }

    /// Whether this is nil: untyped, or a nil slice, map or pointer.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::List(list) => list.is_nil(),
            Self::Map(map) => map.is_nil(),
            Self::Object(object) => object.is_nil(),
            _ => false,
        }
    }

    /// Truth as `if`, `and`, `or` and `not` see it.
    #[must_use]
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(truth) => *truth,
            Self::Int(_, number) => *number != 0,
            Self::Uint(_, number) => *number != 0,
            Self::Float(_, number) => *number != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Function(_) => true,
            Self::Object(object) => match object.kind() {
                Kind::Struct => true,
                Kind::Pointer | Kind::Func | Kind::Interface => !object.is_nil(),
                _ => object
                    .underlying()
                    .map_or(!object.is_nil(), |value| value.truth()),
            },
        }
    }

    /// The plain value behind a named number, string, slice or map; the value itself otherwise.
    #[must_use]
    pub fn plain(&self) -> Cow<'_, Self> {
        match self {
            Self::Object(object) => object.underlying().map_or(Cow::Borrowed(self), Cow::Owned),
            _ => Cow::Borrowed(self),
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(text: Vec<u8>) -> Self {
        Self::String(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::String(text)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// The type, and the value of what is not nested.
impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.type_name())?;
        match self {
            Self::Bool(truth) => write!(formatter, "({truth})"),
            Self::Int(_, number) => write!(formatter, "({number})"),
            Self::Uint(_, number) => write!(formatter, "({number})"),
            Self::Float(_, number) => write!(formatter, "({number:?})"),
            Self::Complex(real, imaginary) => write!(formatter, "({real:?}, {imaginary:?})"),
            Self::String(text) => write!(formatter, "({text:?})"),
            Self::List(list) => write!(formatter, "({} elements)", list.len()),
            Self::Map(map) => write!(formatter, "({} entries)", map.len()),
            Self::Nil | Self::Object(_) | Self::Function(_) => Ok(()),
        }
    }
}

/// A Go slice: immutable, shared, with its static element type.
#[derive(Clone)]
pub struct List {
    data: Rc<ListData>,
    named: Option<Arc<NamedType>>,
}

struct ListData {
    element: Type,
    items: Items,
    nil: bool,
}

enum Items {
    Values(Vec<Value>),
    /// A `[]uint8`.
    Bytes(Str),
}

impl List {
    /// A list of elements of this type. The elements must be of it; of [`Type::Any`] all are.
    #[must_use]
    pub fn new(element: Type, items: Vec<Value>) -> Self {
        Self::from_data(element, Items::Values(items), false)
    }

    /// The nil slice of this element type: prints as `[]`, is `null` in JSON.
    #[must_use]
    pub fn nil(element: Type) -> Self {
        Self::from_data(element, Items::Values(Vec::new()), true)
    }

    /// A `[]uint8`.
    pub fn bytes(bytes: impl Into<Str>) -> Self {
        Self::from_data(Type::UINT8, Items::Bytes(bytes.into()), false)
    }

    /// A `[]string`.
    pub fn strings(items: impl IntoIterator<Item = impl Into<Str>>) -> Self {
        Self::new(
            Type::String,
            items
                .into_iter()
                .map(|item| Value::String(item.into()))
                .collect(),
        )
    }

    fn from_data(element: Type, items: Items, nil: bool) -> Self {
        Self {
            data: Rc::new(ListData {
                element,
                items,
                nil,
            }),
            named: None,
        }
    }

    /// The same elements with the type of that name, or with none.
    #[must_use]
    pub fn named(self, named: Option<Arc<NamedType>>) -> Self {
        Self { named, ..self }
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.data.items {
            Items::Values(values) => values.len(),
            Items::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this is a nil slice.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.data.nil
    }

    /// The element at this index, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value> {
        match &self.data.items {
            Items::Values(values) => values.get(index).cloned(),
            Items::Bytes(bytes) => bytes.get(index).map(|byte| byte_value(*byte)),
        }
    }

    /// The elements in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Value> + ExactSizeIterator + '_ {
        (0..self.len()).map(|index| self.get(index).unwrap_or_default())
    }

    /// The elements, copied for a list to be made of them.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Value> {
        match &self.data.items {
            Items::Values(values) => values.clone(),
            Items::Bytes(_) => self.iter().collect(),
        }
    }

    /// The bytes of a `[]uint8`.
    #[must_use]
    pub fn as_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match &self.data.items {
            Items::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Items::Values(values) if self.data.element == Type::UINT8 => Some(
                values
                    .iter()
                    .map(|value| match value {
                        Value::Uint(UintKind::Uint8, byte) => u8::try_from(*byte).unwrap_or(0),
                        _ => 0,
                    })
                    .collect(),
            ),
            Items::Values(_) => None,
        }
    }

    /// The elements from `from` up to and without `to`; none if that is not within the list.
    #[must_use]
    pub fn slice(&self, from: usize, to: usize) -> Option<Self> {
        let items = match &self.data.items {
            Items::Values(values) => Items::Values(values.get(from..to)?.to_vec()),
            Items::Bytes(bytes) => Items::Bytes(Str::new(bytes.get(from..to)?)),
        };
        let nil = self.data.nil;
        Some(Self::from_data(self.data.element.clone(), items, nil).named(self.named.clone()))
    }

    /// The type of the elements.
    #[must_use]
    pub fn element(&self) -> &Type {
        &self.data.element
    }

    /// The named type, if this list has one.
    #[must_use]
    pub fn name(&self) -> Option<&Arc<NamedType>> {
        self.named.as_ref()
    }

    /// The type of the list.
    #[must_use]
    pub fn type_of(&self) -> Type {
        match &self.named {
            Some(named) => Type::Named(Arc::clone(named)),
            None => Type::list(self.data.element.clone()),
        }
    }

    /// Whether both share their elements.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.data, &other.data)
    }
}

fn byte_value(byte: u8) -> Value {
    Value::Uint(UintKind::Uint8, u64::from(byte))
}

/// A Go map with string keys: a shared reference with its static element type, sorted by the bytes
/// of the keys.
#[derive(Clone)]
pub struct Map {
    data: Rc<MapData>,
    named: Option<Arc<NamedType>>,
}

struct MapData {
    element: Type,
    entries: RefCell<BTreeMap<Str, Value>>,
    nil: bool,
}

impl Map {
    /// A map to elements of this type. The elements must be of it; of [`Type::Any`] all are.
    #[must_use]
    pub fn new(element: Type, entries: BTreeMap<Str, Value>) -> Self {
        Self::from_data(element, entries, false)
    }

    /// The nil map of this element type: prints as `map[]`, is `null` in JSON, and takes no entry.
    #[must_use]
    pub fn nil(element: Type) -> Self {
        Self::from_data(element, BTreeMap::new(), true)
    }

    fn from_data(element: Type, entries: BTreeMap<Str, Value>, nil: bool) -> Self {
        Self {
            data: Rc::new(MapData {
                element,
                entries: RefCell::new(entries),
                nil,
            }),
            named: None,
        }
    }

    /// The same map with the type of that name, or with none.
    #[must_use]
    pub fn named(self, named: Option<Arc<NamedType>>) -> Self {
        Self { named, ..self }
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.borrow().len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.borrow().is_empty()
    }

    /// Whether this is a nil map.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.data.nil
    }

    /// The entry of this key.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.borrow().get(key).cloned()
    }

    /// Whether there is an entry of this key.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.borrow().contains_key(key)
    }

    /// Sets an entry, which all who hold the map see.
    ///
    /// # Errors
    ///
    /// The map is nil, or is being read through [`Map::borrow`].
    pub fn insert(&self, key: Str, value: Value) -> Result<(), Error> {
        if self.data.nil {
            return Err("assignment to entry in nil map".into());
        }
        self.change(|entries| {
            entries.insert(key, value);
        })
    }

    /// Removes an entry, which all who hold the map see; nothing happens if there is none.
    ///
    /// # Errors
    ///
    /// The map is being read through [`Map::borrow`].
    pub fn remove(&self, key: &[u8]) -> Result<(), Error> {
        self.change(|entries| {
            entries.remove(key);
        })
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<Str, Value>)) -> Result<(), Error> {
        let mut entries = self
            .data
            .entries
            .try_borrow_mut()
            .map_err(|_| Error::new("concurrent map iteration and map write"))?;
        change(&mut entries);
        Ok(())
    }

    /// The entries for reading. Do not keep this while the map may be changed: that change fails.
    #[must_use]
    pub fn borrow(&self) -> Ref<'_, BTreeMap<Str, Value>> {
        self.data.entries.borrow()
    }

    /// The entries as they are now, sorted by the bytes of the keys.
    #[must_use]
    pub fn entries(&self) -> Vec<(Str, Value)> {
        self.borrow()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The keys as they are now, sorted by their bytes.
    #[must_use]
    pub fn keys(&self) -> Vec<Str> {
        self.borrow().keys().cloned().collect()
    }

    /// The type of the elements.
    #[must_use]
    pub fn element(&self) -> &Type {
        &self.data.element
    }

    /// The named type, if this map has one.
    #[must_use]
    pub fn name(&self) -> Option<&Arc<NamedType>> {
        self.named.as_ref()
    }

    /// The type of the map.
    #[must_use]
    pub fn type_of(&self) -> Type {
        match &self.named {
            Some(named) => Type::Named(Arc::clone(named)),
            None => Type::map(self.data.element.clone()),
        }
    }

    /// Whether both are references to one map.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.data, &other.data)
    }
}

// A value may be nested more deeply than the stack allows to drop by recursion.
impl Drop for ListData {
    fn drop(&mut self) {
        if let Items::Values(values) = &mut self.items
            && values.iter().any(is_container)
        {
            unravel(std::mem::take(values));
        }
    }
}

impl Drop for MapData {
    fn drop(&mut self) {
        let entries = self.entries.get_mut();
        if entries.values().any(is_container) {
            unravel(std::mem::take(entries).into_values().collect());
        }
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

/// Drops values one after another, each with its elements taken out.
fn unravel(mut values: Vec<Value>) {
    while let Some(mut value) = values.pop() {
        match &mut value {
            Value::List(list) => {
                if let Some(ListData {
                    items: Items::Values(items),
                    ..
                }) = Rc::get_mut(&mut list.data)
                {
                    values.append(items);
                }
            }
            Value::Map(map) => {
                if let Some(data) = Rc::get_mut(&mut map.data) {
                    values.extend(std::mem::take(data.entries.get_mut()).into_values());
                }
            }
            _ => {}
        }
    }
}

/// A value of the host: a struct, a pointer, or a named number or string, with methods.
///
/// Only [`Object::type_name`] and [`Object::kind`] have to be given. What is not given behaves as a
/// Go value of that kind without methods.
pub trait Object: Any {
    /// The type as `%T` prints it: `time.Time`, `*semver.Version`.
    fn type_name(&self) -> &str;

    /// The kind: [`Kind::Struct`] or [`Kind::Pointer`], or the kind of [`Object::underlying`].
    fn kind(&self) -> Kind;

    /// Whether this is a nil pointer, map or slice.
    fn is_nil(&self) -> bool {
        false
    }

    /// The plain value of a named number, string, slice or map, which decides about truth, length,
    /// elements, comparison and, without [`Object::text`], printing.
    fn underlying(&self) -> Option<Value> {
        None
    }

    /// A number as one of this named type: what `range` counts to it with.
    fn renamed(&self, number: Value) -> Value {
        number
    }

    /// A field of a struct, or of the struct that a pointer points to.
    fn field(&self, name: &[u8]) -> Option<Value> {
        self.fields()
            .into_iter()
            .find(|(known, _)| known.as_bytes() == name)
            .map(|(_, value)| value)
    }

    /// The fields of a struct, or of the struct that a pointer points to, in their order: what
    /// `%v` and JSON print.
    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        Vec::new()
    }

    /// Whether the type of a field is an interface, which errors name in place of what it holds.
    fn field_is_interface(&self, _name: &[u8]) -> bool {
        false
    }

    /// The signature of a method.
    fn method(&self, _name: &[u8]) -> Option<Signature> {
        None
    }

    /// Calls a method that [`Object::method`] knows, with arguments of its signature.
    ///
    /// # Errors
    ///
    /// What the method fails with.
    fn call(&self, name: &[u8], _call: &mut Call<'_>, _args: Args<'_>) -> Result<Value, Error> {
        Err(Error::new(format!(
            "no method {} in type {}",
            String::from_utf8_lossy(name),
            self.type_name()
        )))
    }

    /// The text of the method `Error` or `String`, which `%v` and `%s` print.
    fn text(&self) -> Option<Str> {
        None
    }

    /// The text of the method `GoString`, which `%#v` prints.
    fn go_text(&self) -> Option<Str> {
        None
    }

    /// Whether Go's `==` can compare values of this type.
    fn comparable(&self) -> bool {
        true
    }

    /// Go's `==` with another object of the same type name.
    fn equals(&self, other: &dyn Object) -> bool {
        std::ptr::addr_eq(std::ptr::from_ref(self), std::ptr::from_ref(other))
    }

    /// What encoding/json prints for this object.
    ///
    /// # Errors
    ///
    /// What `MarshalJSON` fails with.
    fn json(&self) -> Result<JsonView, Error> {
        Ok(if self.is_nil() {
            JsonView::Value(Value::Nil)
        } else if let Some(value) = self.underlying() {
            JsonView::Value(value)
        } else {
            JsonView::Members(
                self.fields()
                    .into_iter()
                    .map(|(name, value)| (Str::from(name), value))
                    .collect(),
            )
        })
    }
}

/// How a host object appears in JSON.
pub enum JsonView {
    /// As this value.
    Value(Value),
    /// As an object with these members in this order.
    Members(Vec<(Str, Value)>),
}

impl dyn Object {
    /// The object as the type that it is.
    #[must_use]
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// A method of a value of a named slice or map type.
pub(crate) fn named_method<'a>(value: &'a Value, name: &[u8]) -> Option<&'a Method> {
    match value {
        Value::List(list) => list.named.as_ref()?.method(name),
        Value::Map(map) => map.named.as_ref()?.method(name),
        _ => None,
    }
}
