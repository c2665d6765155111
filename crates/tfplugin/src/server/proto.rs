//! Generated from `proto/tfplugin6.proto`. Only the modules of [`crate::server`] and of the test
//! client see these types.

#![allow(
    dead_code,
    missing_docs,
    clippy::all,
    clippy::unwrap_used,
    unreachable_pub,
    rust_2018_idioms,
    reason = "generated code"
)]

tonic::include_proto!("tfplugin6");
