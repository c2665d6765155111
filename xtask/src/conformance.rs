//! `cargo xtask conformance`: what our crates make of cases beside what Go's packages printed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use devopsgenie_acceptance::workspace_root;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use gotemplate::conformance::{FAMILIES, Family, Random, result};
use serde_json::{Value as Json, json};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Go's text/template
    Gotemplate(GotemplateArguments),
}

#[derive(Debug, Args)]
struct GotemplateArguments {
    /// Make the cases and let Go print their results anew
    #[arg(long)]
    regenerate: bool,
    /// Only this family
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    /// What the cases are made from; other cases than those checked in need --regenerate
    #[arg(long, default_value_t = 20_260_101)]
    seed: u64,
    /// Print a table of the functions that cases are about, too
    #[arg(long)]
    functions: bool,
    /// How many differences are shown of each family
    #[arg(long, default_value_t = 5)]
    show: usize,
}

/// Compares, and fails if there is any difference.
pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Subject::Gotemplate(arguments) => gotemplate(arguments),
    }
}

fn gotemplate(arguments: &GotemplateArguments) -> Result<()> {
    let folder = workspace_root().join("crates/gotemplate");
    let mut table = String::from("| family | cases | equal | different |\n|---|---|---|---|\n");
    let mut functions = BTreeMap::new();
    let mut any_different = false;
    let mut families = 0;
    for family in FAMILIES {
        if arguments
            .family
            .as_ref()
            .is_some_and(|wanted| wanted != family.name)
        {
            continue;
        }
        families += 1;
        let vectors = folder.join(format!("tests/vectors/{}.jsonl.gz", family.name));
        if arguments.regenerate {
            regenerate(
                family,
                &folder.join("conformance"),
                &vectors,
                arguments.seed,
            )?;
        }
        let (cases, different) = compare(family, &vectors, &mut functions)?;
        let equal = cases - different.len();
        table.push_str(&format!(
            "| {} | {cases} | {equal} | {} |\n",
            family.name,
            different.len()
        ));
        any_different |= !different.is_empty();
        for difference in different.iter().take(arguments.show) {
            println!("{}:\n{difference}\n", family.name);
        }
    }
    ensure!(families > 0, "there is no such family");
    println!("{table}");
    if arguments.functions {
        println!("| function | cases | equal | different |\n|---|---|---|---|");
        for (name, (cases, different)) in &functions {
            println!("| {name} | {cases} | {} | {different} |", cases - different);
        }
    }
    if any_different {
        bail!("not all results are Go's");
    }
    Ok(())
}

/// The number of cases, and those whose result is another one here. Cases that are about one
/// function are counted under its name, with those that differ.
fn compare(
    family: &Family,
    vectors: &Path,
    functions: &mut BTreeMap<String, (usize, usize)>,
) -> Result<(usize, Vec<String>)> {
    let file = File::open(vectors).with_context(|| format!("cannot open {}", vectors.display()))?;
    let mut cases = 0;
    let mut different = Vec::new();
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let vector: Json = serde_json::from_str(&line?)?;
        let ours = result((family.run)(&vector["case"]));
        cases += 1;
        let is_different = ours != vector["result"];
        if let Some(name) = vector["case"]["function"].as_str() {
            let counts = functions.entry(name.to_owned()).or_default();
            counts.0 += 1;
            counts.1 += usize::from(is_different);
        }
        if is_different {
            different.push(format!(
                "  case {}\n  Go   {}\n  here {ours}",
                vector["case"], vector["result"]
            ));
        }
    }
    Ok((cases, different))
}

/// Makes the cases of a family and writes them with what Go printed.
fn regenerate(family: &Family, program: &Path, vectors: &PathBuf, seed: u64) -> Result<()> {
    let cases = (family.generate)(&mut Random::new(seed));
    let mut input = tempfile::tempfile()?;
    for case in &cases {
        writeln!(input, "{case}")?;
    }
    std::io::Seek::rewind(&mut input)?;
    let output = Command::new("go")
        .args(["run", ".", family.name])
        .current_dir(program)
        // Times without an offset are those of the machine.
        .env("TZ", "UTC")
        .stdin(input)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run go")?;
    ensure!(output.status.success(), "the Go program failed");
    let results: Vec<&[u8]> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    ensure!(
        results.len() == cases.len(),
        "{} cases and {} results",
        cases.len(),
        results.len()
    );
    if let Some(folder) = vectors.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = BufWriter::new(File::create(vectors)?);
    let mut encoder = GzEncoder::new(file, Compression::best());
    for (case, result) in cases.iter().zip(results) {
        let result: Json = serde_json::from_slice(result)?;
        if result.get("skip").is_some() {
            continue;
        }
        writeln!(encoder, "{}", json!({ "case": case, "result": result }))?;
    }
    encoder.finish()?.flush()?;
    Ok(())
}
