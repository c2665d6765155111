//! Go's text/template for Rust.
//!
//! Values keep Go's kinds ([`Value`]), functions have Go-like signatures ([`Signature`]), and what
//! templates print, and the errors they end in, are the bytes that Go's own package gives. The crate
//! does no input or output.
//!
//! ```
//! use std::sync::Arc;
//! use gotemplate::{Functions, Limits, Sealed, Templates, Type, Value};
//!
//! let mut functions = Functions::new();
//! functions.add("upper", [Type::String], Type::String, |_, args| {
//!     Ok(args.string(0)?.to_text().to_uppercase().into())
//! });
//! let mut templates = Templates::new("hello", functions);
//! templates.parse("hello", "{{range .names}}Hello, {{. | upper | printf \"%q\"}}!\n{{end}}")?;
//!
//! let data = Value::map([("names".into(), Value::list(vec!["Ann".into(), "Bob".into()]))]);
//! let output = templates.execute("hello", &data, &mut Sealed, Limits::default())?;
//! assert_eq!(output.text, b"Hello, \"ANN\"!\nHello, \"BOB\"!\n");
//! # Ok::<(), gotemplate::Error>(())
//! ```
//!
//! Errors name the template, the line and column, and the action:
//!
//! ```
//! # use gotemplate::{Functions, Limits, Sealed, Templates, Value};
//! let mut templates = Templates::new("t", Functions::new());
//! templates.parse("t", "port: {{.port.number}}")?;
//! let data = Value::map([("port".into(), Value::int(80))]);
//! let error = templates
//!     .execute("t", &data, &mut Sealed, Limits::default())
//!     .unwrap_err();
//! assert_eq!(
//!     error.message(),
//!     r#"template: t:1:13: executing "t" at <.port.number>: can't evaluate field number in type interface {}"#
//! );
//! # Ok::<(), gotemplate::Error>(())
//! ```
//!
//! # Values
//!
//! Maps have string keys and are shared references, as in Go: what a function sets, all see. Lists do
//! not change. Numbers keep their kind, because templates print and compare it. Anything else is a
//! host value ([`Object`]) with fields, methods and its own printing; a slice or map type with methods
//! is a [`NamedType`].
//!
//! # Execution
//!
//! A set of [`Templates`] is parsed once, executed any number of times, and may be shared between
//! threads; its clones are cheap and have their own names. Depth, output and steps are bounded by
//! [`Limits`], and no template overflows the stack. Randomness and the time come from the caller's
//! [`Environment`], and an [`Output`] says whether they were used.
//!
//! [`json`], [`yaml`] and [`toml`] print and read as the libraries do that Helm uses; [`encodings`]
//! has Helm's functions of them. With the feature `sprig`, which is on by default, [`sprig`] has
//! the functions of Sprig.
//!
//! # What differs from Go
//!
//! - Addresses, of pointers within other values and of functions, are made up.
//! - A slice has no capacity beyond its length.
//! - Arrays, channels, iterator functions and maps with other keys than strings do not exist.
//! - The text of an error is UTF-8; a byte that is not becomes U+FFFD.
//! - Templates within templates end at a depth of 10,000, where Go's limit is 100,000, unless
//!   [`Limits::depth`] is set; blocks may be nested 20,000 deep in a source, of which Go knows no bound.

#![forbid(unsafe_code)]

mod builtin;
mod calendar;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod encodings;
mod error;
mod exec;
pub mod fmt;
mod function;
pub mod json;
mod print;
mod run;
mod slot;
#[cfg(feature = "sprig")]
pub mod sprig;
mod string;
mod syntax;
mod template;
mod text;
pub mod toml;
mod types;
mod value;
pub mod yaml;

pub use error::{Error, Limit};
pub use function::{
    Args, Call, Environment, Function, Functions, Method, Sealed, Signature, UnixTime,
};
pub use run::{Limits, Used};
pub use string::Str;
pub use template::{MissingKey, Output, Templates};
pub use types::{FloatKind, HostType, IntKind, Kind, NamedType, Type, UintKind};
pub use value::{JsonView, List, Map, Object, Value};
