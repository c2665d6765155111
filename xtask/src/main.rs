//! The project's own commands, run as `cargo xtask COMMAND`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod bench_gotemplate;
mod conformance;
mod crash;
mod demo;
mod dependencies;
mod docs;
mod lab;
mod purity;
mod steps;
mod test;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own commands", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take an empty simulated AWS account to a working cluster, and back, with real Terraform
    Demo(demo::Arguments),
    /// Check formatting, lints and purity, and run all tests
    Test(test::Arguments),
    /// A simulated AWS account with real Kubernetes control planes, for use by hand
    Lab(lab::Arguments),
    /// Write the registry pages from the schema and the examples
    Docs(docs::Arguments),
    /// Kill the provider at external effects, and require that the next apply carries on
    Crash(crash::Arguments),
    /// Compare crates that do what Go packages do with what those print
    Conformance(conformance::Arguments),
    /// Measure the provider beside others, and our crates beside what they do the work of
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Lab(arguments) => lab::run(&arguments),
        Command::Docs(arguments) => docs::run(&arguments),
        Command::Crash(arguments) => crash::run(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
