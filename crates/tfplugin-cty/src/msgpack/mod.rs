//! The msgpack form of values, which Terraform Core and providers exchange.
//!
//! [`encode`] writes byte for byte what Core writes, except that refinements of unknown values are never written.
//! [`decode`] reads what Core reads.

mod decode;
mod encode;
mod reader;
mod refinement;

pub use decode::decode;
pub use encode::encode;
