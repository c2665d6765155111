//! Errors of the codecs and of path operations.

use std::error::Error;
use std::fmt;

use crate::{ParseNumberError, Path, TypeJsonError};

/// Why a value could not be encoded or decoded, and where in it.
///
/// The message names the path and the kinds that were expected and found, never the content of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecError {
    /// Where in the value.
    pub path: Path,
    /// What is wrong there.
    pub kind: CodecErrorKind,
}

impl fmt::Display for CodecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path.for_message(), self.kind)
    }
}

impl Error for CodecError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The message holds that of the kind already.
        self.kind.source()
    }
}

/// What is wrong at the path of a [`CodecError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecErrorKind {
    /// Something of another kind than the type asks for.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What the type asks for.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The input ends inside a value.
    #[error("the input ends inside {inside}")]
    Truncated {
        /// What was being read.
        inside: &'static str,
    },
    /// Not JSON.
    #[error("invalid JSON at byte {offset}: {problem}")]
    JsonSyntax {
        /// How many bytes of the input come before the fault.
        offset: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A text that is not UTF-8, which a cty string must be.
    #[error("the text is not valid UTF-8")]
    NotUtf8,
    /// A text or float that is no number.
    #[error("expected a number, found a text or float that is none")]
    Number(#[source] ParseNumberError),
    /// The type that accompanies a dynamic value cannot be read.
    #[error("the type of the dynamic value cannot be read")]
    Type(#[source] TypeJsonError),
    /// A list or tuple of another length than the type asks for.
    #[error("expected a tuple of {expected} elements, found {found}")]
    TupleLength {
        /// The length of the tuple type.
        expected: usize,
        /// The length that was found.
        found: usize,
    },
    /// An attribute that the object type does not have.
    #[error("the object type has no attribute of this name")]
    UnsupportedAttribute,
    /// An attribute that is absent, or present twice.
    #[error("expected each of the {expected} attributes of the object once, {name:?} is absent")]
    MissingAttribute {
        /// How many attributes the object type has.
        expected: usize,
        /// The first attribute that is absent.
        name: String,
    },
    /// Elements of one collection that have different types, which crashes Terraform Core.
    #[error("all elements must have one type, found {first} and then {second}")]
    MixedElementTypes {
        /// The type of the elements before.
        first: Box<crate::Type>,
        /// The type of this element.
        second: Box<crate::Type>,
    },
    /// An unknown value where the encoding has no form for it.
    #[error("the value is not known yet, and JSON cannot hold an unknown value")]
    UnknownInJson,
    /// An infinity where the encoding has no form for it.
    #[error("JSON cannot hold an infinite number")]
    InfinityInJson,
    /// A refinement of an unknown value that is malformed or does not fit its type.
    #[error("the refinement of the unknown value is invalid: {problem}")]
    Refinement {
        /// What is wrong.
        problem: &'static str,
    },
    /// An extension of msgpack that is neither an unknown nor a refined unknown value.
    #[error("msgpack extension type {code} of {length} bytes is not an unknown value")]
    Extension {
        /// The extension type.
        code: u8,
        /// The claimed length in bytes.
        length: usize,
    },
    /// Nesting beyond [`crate::MAX_DEPTH`].
    #[error("nested more than {} levels deep", crate::MAX_DEPTH)]
    TooDeep,
    /// More than 2^32 - 1 bytes or elements, which msgpack cannot count.
    #[error("longer than msgpack can count")]
    TooLong,
}

/// The first place where a value does not have a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: expected {expected}, found {found}", path.for_message())]
pub struct Mismatch {
    /// Where in the value.
    pub path: Path,
    /// What the type asks for.
    pub expected: String,
    /// What is there: a kind, never the content.
    pub found: String,
}

/// Why a path cannot be followed in a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {kind}", path.for_message())]
pub struct PathError {
    /// The path up to and including the step that failed.
    pub path: Path,
    /// What is wrong there.
    pub kind: PathErrorKind,
}

/// What is wrong at the path of a [`PathError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathErrorKind {
    /// The object, list, tuple or set has no such part.
    #[error("there is no such attribute or element")]
    NotFound,
    /// The step is of another kind than the value that holds it.
    #[error("the step does not fit {found}")]
    Unfit {
        /// The kind of the value that holds it.
        found: &'static str,
    },
    /// The new value does not have the type that the dynamic value around it carries.
    #[error("the new value does not have the type of the dynamic value around it")]
    DynamicType,
}

/// An error at `path`.
pub(crate) fn fail<T>(path: &Path, kind: CodecErrorKind) -> Result<T, CodecError> {
    Err(CodecError {
        path: path.clone(),
        kind,
    })
}

/// An object has no attribute `name`. The name comes from the input, so only its start is kept.
pub(crate) fn unsupported_attribute<T>(path: &Path, name: &str) -> Result<T, CodecError> {
    const LONGEST: usize = 64;
    let mut shown: String = name.chars().take(LONGEST).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    fail(
        &path.clone().attribute(shown),
        CodecErrorKind::UnsupportedAttribute,
    )
}
