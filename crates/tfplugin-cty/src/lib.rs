//! The cty value system of Terraform and OpenTofu: types, values, paths, and the msgpack and JSON codecs.
//!
//! Terraform Core describes every configuration, state and plan with the type system of
//! [go-cty](https://github.com/zclconf/go-cty). This crate holds the same system for Rust providers. It does no I/O
//! and depends on no runtime.
//!
//! - [`Type`] and [`ObjectType`]: type constraints, and their JSON form.
//! - [`Number`]: an exact decimal with cty's equality.
//! - [`Value`]: a value; the type is kept outside, except under `dynamic`.
//! - [`Path`]: a place inside a value, written as Terraform writes it.
//! - [`msgpack`] and [`json`]: the two encodings that cross the plugin protocol.

mod concrete;
mod error;
pub mod json;
pub mod msgpack;
mod number;
mod path;
mod set_order;
mod ty;
mod type_json;
mod value;
mod walk;

pub use error::{CodecError, CodecErrorKind, Mismatch, PathError, PathErrorKind};
pub use number::{Number, ParseNumberError};
pub use path::{Path, PathStep};
pub use ty::{ObjectType, Type};
pub use type_json::TypeJsonError;
pub use value::Value;

/// The deepest nesting of types and of values that this crate reads or writes.
///
/// Terraform's own documents stay below twenty levels. The bound keeps hostile input from exhausting the stack of a
/// runtime thread.
pub const MAX_DEPTH: usize = 96;
