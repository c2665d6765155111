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
//!
//! # Differences from cty
//! Everything else agrees with go-cty 1.18.1, which `tests/conformance.rs` checks against its output.
//!
//! - Refinements of unknown values are checked and dropped: where cty would conclude a known value from one, the value
//!   stays unknown, except that one refined to null is null.
//! - Numbers are never rounded to 512 bits. A float that is not an integer is held as its decimal text and written so
//!   unless that text is exactly a float, which cty holds to be the same number. Go's binary exponents and numbers of
//!   more than 4096 digits on a side are refused.
//! - Refused where cty reads or crashes: text that is not UTF-8, NaN, map keys that are no strings, elements of mixed
//!   types, contradictory refinements, empty objects and tuples whose type is not empty, nesting beyond [`MAX_DEPTH`].
//! - Compound set elements that differ only after ten digits of a number are ordered by value, not by arrival.

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
