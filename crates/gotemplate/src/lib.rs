//! Go's text/template for Rust.
//!
//! Values keep Go's kinds ([`Value`]), functions have Go-like signatures ([`Signature`]), and what
//! templates print and the errors they end in are the bytes that Go's own package gives.

mod builtin;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod exec;
pub mod fmt;
mod function;
mod print;
mod run;
mod slot;
mod string;
mod syntax;
mod template;
mod text;
mod types;
mod value;

pub use error::{Error, Limit};
pub use function::{
    Args, Call, Environment, Function, Functions, Method, Sealed, Signature, UnixTime,
};
pub use run::{Limits, Used};
pub use string::Str;
pub use template::{MissingKey, Output, Templates};
pub use types::{FloatKind, HostType, IntKind, Kind, NamedType, Type, UintKind};
pub use value::{JsonView, List, Map, Object, Value};
