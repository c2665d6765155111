//! `cargo xtask crash`: the provider is killed at every effect, and the next apply carries on.

use anyhow::{Result, ensure};
use devopsgenie_acceptance::crash::{Exploration, Outcome, Point, explore};

use crate::steps::step;

/// Points of each subject in the size that CI runs.
const CI_POINTS: usize = 8;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Explore every point, which takes hours
    #[arg(long, conflicts_with_all = ["points", "only"])]
    nightly: bool,
    /// How many points of each subject to explore
    #[arg(long, default_value_t = CI_POINTS)]
    points: usize,
    /// Chooses the points, where not all are explored
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this subject: cluster or addon_set; may be given twice
    #[arg(long = "subject", value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// Exactly this point, as a failure is printed: cluster:create:7:killed_after
    #[arg(long, value_name = "POINT")]
    only: Vec<Point>,
    /// How many labs work side by side; each needs about 1 GiB
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

impl Arguments {
    /// What `cargo xtask test` runs.
    pub fn of_continuous_integration() -> Self {
        Self {
            nightly: false,
            points: CI_POINTS,
            seed: 1,
            subjects: Vec::new(),
            only: Vec::new(),
            jobs: 2,
        }
    }
}

/// Explores, prints the table, and fails if a point failed.
pub fn run(arguments: &Arguments) -> Result<()> {
    let exploration = Exploration {
        seed: arguments.seed,
        points: (!arguments.nightly).then_some(arguments.points),
        subjects: Exploration::subjects(&arguments.subjects)?,
        only: arguments.only.clone(),
        jobs: arguments.jobs,
    };
    let report = step("crash points", || explore(&exploration, tell))?;
    println!("\n{report}");
    let failed = report.failures().len();
    ensure!(
        failed == 0,
        "{failed} of {} points failed",
        report.outcomes.len()
    );
    Ok(())
}

fn tell(outcome: &Outcome) {
    let how = match (&outcome.failure, &outcome.effect) {
        (Some(_), _) => "FAILED",
        (None, Some(_)) if outcome.by_import => "passed, by import",
        (None, Some(_)) => "passed",
        (None, None) => "not reached",
    };
    let effect = outcome.effect.as_ref().map_or_else(String::new, |effect| {
        format!(" ({} {})", effect.service, effect.operation)
    });
    println!("    {}{effect}: {how}", outcome.point);
}
