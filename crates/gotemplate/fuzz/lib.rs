//! What the fuzz targets do. Tests of the crate run it on the seeds with the stable compiler.

#![forbid(unsafe_code)]

pub mod encodings;
pub mod templates;
