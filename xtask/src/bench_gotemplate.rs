//! `cargo xtask bench gotemplate`: our templates beside Go's, on the same cases in the same run.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use devopsgenie_acceptance::workspace_root;

#[derive(Debug, Args)]
pub struct Arguments {
    /// How many times each program measures all cases, one after the other; the best counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

/// Nanoseconds of one execution and the length of its output, by the name of the case.
type Figures = BTreeMap<String, (u64, u64)>;

/// Measures and prints a table.
pub fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace_root();
    let folder = root.join("crates/gotemplate/conformance");
    let built = tempfile::tempdir()?;
    let go = built.path().join("bench");
    command(
        Command::new("go")
            .args(["build", "-o"])
            .arg(&go)
            .arg(".")
            .current_dir(&folder),
    )?;
    command(
        Command::new(env!("CARGO"))
            .args(["build", "--release", "--package", "gotemplate"])
            .args(["--example", "bench", "--features", "conformance"])
            .current_dir(&root),
    )?;
    let ours = root.join("target/release/examples/bench");
    let cases = folder.join("bench.jsonl");
    let (mut best_ours, mut best_go) = (Figures::new(), Figures::new());
    for _ in 0..arguments.runs {
        measure(Command::new(&ours), &cases, &mut best_ours)?;
        measure(Command::new(&go).arg("bench"), &cases, &mut best_go)?;
    }
    println!(
        "best of {} runs, interleaved; microseconds of one execution\n",
        arguments.runs
    );
    println!("| case | gotemplate | Go | ratio |\n|---|---|---|---|");
    for (name, (ours, length)) in &best_ours {
        let (go, go_length) = best_go
            .get(name)
            .with_context(|| format!("Go did not measure {name}"))?;
        ensure!(length == go_length, "{name}: the outputs differ in length");
        println!(
            "| {name} | {:.1} | {:.1} | 1 : {:.1} |",
            microseconds(*ours),
            microseconds(*go),
            microseconds(*go) / microseconds(*ours)
        );
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "printed with one decimal place")]
fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1000.0
}

fn command(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    ensure!(
        status.success(),
        "{} failed",
        command.get_program().display()
    );
    Ok(())
}

/// Runs a program on the cases and keeps the best figures.
fn measure(
    mut program: impl std::borrow::BorrowMut<Command>,
    cases: &Path,
    best: &mut Figures,
) -> Result<()> {
    let program = program.borrow_mut();
    let output = program
        .stdin(File::open(cases)?)
        .output()
        .with_context(|| format!("cannot run {}", program.get_program().display()))?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for line in String::from_utf8(output.stdout)?.lines() {
        let mut words = line.split(' ');
        let (Some(name), Some(time), Some(length)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let figures = (time.parse()?, length.parse()?);
        best.entry(name.to_owned())
            .and_modify(|known| *known = figures.min(*known))
            .or_insert(figures);
    }
    Ok(())
}
