//! Go's types, as far as templates see them: kinds, names, and what may be given for what.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::function::Method;

/// A reflect kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// No value at all: an untyped nil.
    Invalid,
    /// bool
    Bool,
    /// int, which is 64 bits wide here
    Int,
    /// int8
    Int8,
    /// int16
    Int16,
    /// int32
    Int32,
    /// int64
    Int64,
    /// uint, which is 64 bits wide here
    Uint,
    /// uint8
    Uint8,
    /// uint16
    Uint16,
    /// uint32
    Uint32,
    /// uint64
    Uint64,
    /// float32
    Float32,
    /// float64
    Float64,
    /// complex64
    Complex64,
    /// complex128
    Complex128,
    /// A function.
    Func,
    /// An interface.
    Interface,
    /// A map.
    Map,
    /// A pointer.
    Pointer,
    /// A slice.
    Slice,
    /// A string.
    String,
    /// A struct.
    Struct,
}

impl Kind {
    /// The name as `reflect.Kind.String` prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Complex64 => "complex64",
            Self::Complex128 => "complex128",
            Self::Func => "func",
            Self::Interface => "interface",
            Self::Map => "map",
            Self::Pointer => "ptr",
            Self::Slice => "slice",
            Self::String => "string",
            Self::Struct => "struct",
        }
    }

    /// Whether a value of this kind may be nil.
    #[must_use]
    pub const fn can_be_nil(self) -> bool {
        matches!(
            self,
            Self::Func | Self::Interface | Self::Map | Self::Pointer | Self::Slice
        )
    }
}

/// The kinds of signed integers. The order is that of the widths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntKind {
    /// int, which is 64 bits wide here
    Int,
    /// int8
    Int8,
    /// int16
    Int16,
    /// int32
    Int32,
    /// int64
    Int64,
}

/// The kinds of unsigned integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UintKind {
    /// uint, which is 64 bits wide here
    Uint,
    /// uint8, which is also byte
    Uint8,
    /// uint16
    Uint16,
    /// uint32
    Uint32,
    /// uint64
    Uint64,
}

/// The kinds of floating-point numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatKind {
    /// float32: the value is one that float32 has
    Float32,
    /// float64
    Float64,
}

/// A Go type: of a value, of the elements of a list or map, of a parameter or result.
///
/// Maps have string keys. `Display` prints the name as `%T` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    /// bool
    Bool,
    /// A signed integer.
    Int(IntKind),
    /// An unsigned integer.
    Uint(UintKind),
    /// A floating-point number.
    Float(FloatKind),
    /// complex128
    Complex,
    /// string
    String,
    /// A slice of this type.
    List(Arc<Type>),
    /// A map from string to this type.
    Map(Arc<Type>),
    /// A slice or map type that has a name.
    Named(Arc<NamedType>),
    /// The type of a host object.
    Host(HostType),
    /// A function, by its printed type.
    Function(Arc<str>),
    /// `reflect.Value`, the parameter type of builtin functions.
    Reflect,
}

/// A named slice or map type and its methods: `chartutil.Values`, for one.
///
/// Values of it may be given where its underlying type is asked for.
#[derive(Debug)]
pub struct NamedType {
    /// As `%T` prints it, with the package.
    pub name: String,
    /// The slice or map type that it is.
    pub underlying: Type,
    /// The methods, by name.
    pub methods: Vec<(String, Method)>,
}

impl NamedType {
    /// A method by its name.
    #[must_use]
    pub fn method(&self, name: &[u8]) -> Option<&Method> {
        self.methods
            .iter()
            .find(|(known, _)| known.as_bytes() == name)
            .map(|(_, method)| method)
    }
}

/// Types of one name are the same type.
impl PartialEq for NamedType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for NamedType {}

/// The type of a host object: its name as `%T` prints it, and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostType {
    /// `time.Time`, `*semver.Version`
    pub name: Cow<'static, str>,
    /// The kind of the values.
    pub kind: Kind,
}

impl Type {
    /// int
    pub const INT: Self = Self::Int(IntKind::Int);
    /// int64
    pub const INT64: Self = Self::Int(IntKind::Int64);
    /// uint
    pub const UINT: Self = Self::Uint(UintKind::Uint);
    /// uint8, which is also byte
    pub const UINT8: Self = Self::Uint(UintKind::Uint8);
    /// float64
    pub const FLOAT64: Self = Self::Float(FloatKind::Float64);

    /// The slice type with these elements.
    #[must_use]
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// The map type from string to these elements.
    #[must_use]
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    /// The type of a host object.
    #[must_use]
    pub fn host(name: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        Self::Host(HostType {
            name: name.into(),
            kind,
        })
    }

    /// The kind of values of this type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Any => Kind::Interface,
            Self::Bool => Kind::Bool,
            Self::Int(kind) => kind.kind(),
            Self::Uint(kind) => kind.kind(),
            Self::Float(FloatKind::Float32) => Kind::Float32,
            Self::Float(FloatKind::Float64) => Kind::Float64,
            Self::Complex => Kind::Complex128,
            Self::String => Kind::String,
            Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Named(named) => named.underlying.kind(),
            Self::Host(host) => host.kind,
            Self::Function(_) => Kind::Func,
            Self::Reflect => Kind::Struct,
        }
    }

    /// Whether an untyped nil may be given for this type.
    #[must_use]
    pub fn can_be_nil(&self) -> bool {
        matches!(self, Self::Reflect) || self.kind().can_be_nil()
    }

    /// The type of the elements of a slice or map.
    #[must_use]
    pub fn element(&self) -> Option<&Self> {
        match self {
            Self::List(element) | Self::Map(element) => Some(element),
            Self::Named(named) => named.underlying.element(),
            _ => None,
        }
    }

    /// Whether a value of type `self` can be assigned to `other`, by Go's rules.
    #[must_use]
    pub fn assignable_to(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Any) => true,
            // One of two identical underlying types has to be without a name.
            (Self::Named(named), Self::List(_) | Self::Map(_)) => named.underlying == *other,
            (Self::List(_) | Self::Map(_), Self::Named(named)) => named.underlying == *self,
            _ => self == other,
        }
    }
}

impl IntKind {
    /// The reflect kind.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Int => Kind::Int,
            Self::Int8 => Kind::Int8,
            Self::Int16 => Kind::Int16,
            Self::Int32 => Kind::Int32,
            Self::Int64 => Kind::Int64,
        }
    }

    /// The number cut to the width of this kind, as a conversion in Go does.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Go's conversions truncate too"
    )]
    pub fn truncate(self, number: i64) -> i64 {
        match self {
            Self::Int | Self::Int64 => number,
            Self::Int8 => i64::from(number as i8),
            Self::Int16 => i64::from(number as i16),
            Self::Int32 => i64::from(number as i32),
        }
    }
}

impl FloatKind {
    /// The nearest number that this kind has.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Go's conversions round too"
    )]
    pub fn round(self, number: f64) -> f64 {
        match self {
            Self::Float32 => f64::from(number as f32),
            Self::Float64 => number,
        }
    }
}

impl UintKind {
    /// The reflect kind.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Uint => Kind::Uint,
            Self::Uint8 => Kind::Uint8,
            Self::Uint16 => Kind::Uint16,
            Self::Uint32 => Kind::Uint32,
            Self::Uint64 => Kind::Uint64,
        }
    }

    /// The number cut to the width of this kind, as a conversion in Go does.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Go's conversions truncate too"
    )]
    pub fn truncate(self, number: u64) -> u64 {
        match self {
            Self::Uint | Self::Uint64 => number,
            Self::Uint8 => u64::from(number as u8),
            Self::Uint16 => u64::from(number as u16),
            Self::Uint32 => u64::from(number as u32),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("interface {}"),
            Self::List(element) => write!(formatter, "[]{element}"),
            Self::Map(element) => write!(formatter, "map[string]{element}"),
            Self::Named(named) => formatter.write_str(&named.name),
            Self::Host(host) => formatter.write_str(&host.name),
            Self::Function(name) => formatter.write_str(name),
            Self::Reflect => formatter.write_str("reflect.Value"),
            _ => formatter.write_str(self.kind().name()),
        }
    }
}
