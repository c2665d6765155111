//! `cargo xtask bench`: measurements of the provider beside others, and of our crates beside Go's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use devopsgenie_acceptance::build_provider;
use tfplugin::testing::{Memory, Startup, measure_startup};

use crate::bench_gotemplate;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure how long the provider takes to start, and its memory (Linux only)
    Startup(StartupArguments),
    /// Measure the execution of templates, beside Go's text/template
    Gotemplate(bench_gotemplate::Arguments),
}

#[derive(Debug, Args)]
struct StartupArguments {
    /// Another provider's binary to measure beside ours; may be given several times
    #[arg(long = "peer", value_name = "PATH")]
    peers: Vec<PathBuf>,
    /// How many times each provider is started, after one start that is not counted
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// A binary of ours to measure, in place of a release build made for this
    #[arg(long, value_name = "PATH")]
    provider: Option<PathBuf>,
}

/// Runs one benchmark and prints its figures.
pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Startup(arguments) => startup(arguments),
        Command::Gotemplate(arguments) => bench_gotemplate::run(arguments),
    }
}

/// One provider and what was measured of it.
struct Subject {
    path: PathBuf,
    /// Size of the binary, in bytes.
    size: u64,
    runs: Vec<Startup>,
}

fn startup(arguments: &StartupArguments) -> Result<()> {
    let ours = match &arguments.provider {
        Some(path) => path.clone(),
        None => build_provider(true)?,
    };
    let mut subjects = std::iter::once(&ours)
        .chain(&arguments.peers)
        .map(|path| Subject::new(path))
        .collect::<Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for run in 0..=arguments.runs {
        for subject in &mut subjects {
            let startup = runtime
                .block_on(measure_startup(&subject.path))
                .with_context(|| format!("cannot measure {}", subject.path.display()))?;
            // The first start reads the binary from the disk.
            if run > 0 {
                subject.runs.push(startup);
            }
        }
    }
    print!("{}", report(&subjects, arguments.runs));
    Ok(())
}

impl Subject {
    fn new(path: &Path) -> Result<Self> {
        // A name without a slash would be looked up in PATH.
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot find {}", path.display()))?;
        let metadata = path.metadata()?;
        ensure!(metadata.is_file(), "{} is not a file", path.display());
        Ok(Self {
            size: metadata.len(),
            path,
            runs: Vec::new(),
        })
    }

    fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// The figures of one measure, when every run has one.
    fn figures(&self, measure: &Measure) -> Option<Figures> {
        let values = self
            .runs
            .iter()
            .map(measure.value)
            .collect::<Option<Vec<f64>>>()?;
        Figures::of(values)
    }
}

/// Something measured in every run.
struct Measure {
    name: &'static str,
    value: fn(&Startup) -> Option<f64>,
}

const MEASURES: [Measure; 6] = [
    Measure {
        name: "start to handshake, ms",
        value: |startup| Some(milliseconds(startup.handshake)),
    },
    Measure {
        name: "resident after handshake, MiB",
        value: |startup| Some(mebibytes(startup.memory.resident)),
    },
    Measure {
        name: "peak at handshake, MiB",
        value: |startup| Some(mebibytes(startup.memory.peak)),
    },
    Measure {
        name: "schema call, ms",
        value: |startup| {
            startup
                .schema
                .as_ref()
                .map(|schema| milliseconds(schema.duration))
        },
    },
    Measure {
        name: "resident after schema, MiB",
        value: |startup| schema_memory(startup).map(|memory| mebibytes(memory.resident)),
    },
    Measure {
        name: "peak at schema, MiB",
        value: |startup| schema_memory(startup).map(|memory| mebibytes(memory.peak)),
    },
];

fn schema_memory(startup: &Startup) -> Option<Memory> {
    startup.schema.as_ref().map(|schema| schema.memory)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "printed with two decimal places"
)]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[derive(Debug, PartialEq)]
struct Figures {
    minimum: f64,
    median: f64,
    maximum: f64,
}

impl Figures {
    /// None without values. The median of an even number of values is the mean of the middle two.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (minimum, maximum) = (*values.first()?, *values.last()?);
        let (low, high) = (
            values.get((values.len() - 1) / 2)?,
            values.get(values.len() / 2)?,
        );
        Some(Self {
            minimum,
            median: f64::midpoint(*low, *high),
            maximum,
        })
    }
}

/// A Markdown table: a row for each measure, a column for each provider, and for each peer the
/// ratio of the medians.
fn report(subjects: &[Subject], runs: u32) -> String {
    let Some((ours, peers)) = subjects.split_first() else {
        return String::new();
    };
    let mut text = format!(
        "{runs} starts of each, interleaved, after one that is not counted; minimum / median / maximum\n\n"
    );
    let mut header = vec![String::new(), ours.name()];
    for peer in peers {
        header.extend([peer.name(), "ratio of medians".to_owned()]);
    }
    text.push_str(&row(&header));
    text.push_str(&row(&vec!["---".to_owned(); header.len()]));
    for measure in &MEASURES {
        let own = ours.figures(measure);
        let mut cells = vec![measure.name.to_owned(), show(own.as_ref())];
        for peer in peers {
            let other = peer.figures(measure);
            cells.push(show(other.as_ref()));
            cells.push(match (&own, &other) {
                (Some(own), Some(other)) => ratio(own.median, other.median),
                _ => String::new(),
            });
        }
        text.push_str(&row(&cells));
    }
    let mut size = vec![
        "size of the binary, MiB".to_owned(),
        format!("{:.1}", mebibytes(ours.size)),
    ];
    let mut protocol = vec!["protocol; schema, KiB".to_owned(), schema(ours)];
    for peer in peers {
        let (own, other) = (mebibytes(ours.size), mebibytes(peer.size));
        size.extend([format!("{other:.1}"), ratio(own, other)]);
        protocol.extend([schema(peer), String::new()]);
    }
    text.push_str(&row(&size));
    text.push_str(&row(&protocol));
    text
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn show(figures: Option<&Figures>) -> String {
    figures.map_or("not measured".to_owned(), |figures| {
        format!(
            "{:.2} / {:.2} / {:.2}",
            figures.minimum, figures.median, figures.maximum
        )
    })
}

fn ratio(own: f64, other: f64) -> String {
    format!("1 : {:.1}", other / own)
}

/// The protocol and the length of the schema, which every start has alike.
fn schema(subject: &Subject) -> String {
    let Some(startup) = subject.runs.first() else {
        return String::new();
    };
    let length = startup
        .schema
        .as_ref()
        .map_or("not measured".to_owned(), |schema| {
            schema.length.div_ceil(1024).to_string()
        });
    format!("{}; {length}", startup.protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        let figures = |minimum, median, maximum| {
            Some(Figures {
                minimum,
                median,
                maximum,
            })
        };
        let cases: [(&[f64], Option<Figures>); 4] = [
            (&[], None),
            (&[2.0], figures(2.0, 2.0, 2.0)),
            (&[3.0, 1.0], figures(1.0, 2.0, 3.0)),
            (&[9.0, 1.0, 4.0], figures(1.0, 4.0, 9.0)),
        ];
        for (values, expected) in cases {
            assert_eq!(Figures::of(values.to_vec()), expected, "{values:?}");
        }
    }
}
