//! The Terraform provider devopsgenie.

fn main() {}
