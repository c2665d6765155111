//! The JSON form of values, as it stands in state files and in the `json` field of the protocol's `DynamicValue`.
//!
//! A number is its shortest plain decimal, a set an array in the order of the set, an object has its attributes in
//! byte order, and a value where the type says `dynamic` is `{"value":…,"type":…}`. Unknown values and infinities
//! cannot be written.

mod decode;
mod encode;
pub(crate) mod reader;

pub use decode::decode;
pub use encode::encode;
pub(crate) use encode::write_string;
