//! A framework for Terraform and OpenTofu providers in Rust, protocol 6.11.
