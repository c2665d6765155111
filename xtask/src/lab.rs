//! `cargo xtask lab`: the lab for use by hand.

use std::process::Command;

use anyhow::{Context, Result};
use devopsgenie_lab::command::{self, LabDirectory};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Start the lab in the background, building its tools on first use
    Up,
    /// End the lab and all its processes
    Down,
    /// Show the endpoint, the clusters, the processes and their memory
    Status,
    /// Print the variables that point a shell at the lab, for eval "$(cargo xtask lab env)"
    Env,
    /// Run the lab in the foreground; `up` starts this
    #[command(hide = true)]
    Serve,
}

/// Does what the subcommand says.
pub fn run(arguments: &Arguments) -> Result<()> {
    let directory = LabDirectory::of_workspace();
    match arguments.action {
        Action::Up => up(&directory),
        Action::Down => down(&directory),
        Action::Status => Ok(command::status(&directory)?),
        Action::Env => {
            print!("{}", command::env(&directory)?);
            Ok(())
        }
        Action::Serve => Ok(runtime()?.block_on(command::serve(&directory))?),
    }
}

/// Starts the lab in the background if it is not up.
pub fn up(directory: &LabDirectory) -> Result<()> {
    let mut serve = Command::new(std::env::current_exe().context("cannot find this program")?);
    serve.args(["lab", "serve"]);
    Ok(runtime()?.block_on(command::up(directory, serve))?)
}

/// Ends the lab.
pub fn down(directory: &LabDirectory) -> Result<()> {
    Ok(runtime()?.block_on(command::down(directory))?)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
