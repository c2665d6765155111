//! `cargo xtask bench`: measurements of the provider, beside other providers given by path.

use anyhow::Result;

#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Result<()> {
    anyhow::bail!("being written")
}
