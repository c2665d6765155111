//! The fuzz targets on their seeds, with the stable compiler.

#![allow(clippy::panic, clippy::unwrap_used, missing_docs, reason = "test code")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

#[path = "../fuzz/templates.rs"]
mod fuzz;
mod vectors;

/// How many seeds come from one family, and the longest.
const SEEDS: usize = 80;
const LENGTH: usize = 200;

type Seeds = BTreeSet<Vec<u8>>;

/// Says whether the input was good.
type Target = fn(&[u8]) -> bool;

fn short(family: &str, seed: impl Fn(&Json) -> Option<Vec<u8>>) -> impl Iterator<Item = Vec<u8>> {
    vectors::read(family)
        .iter()
        .filter_map(|vector| seed(&vector["case"]))
        .filter(|seed| seed.len() <= LENGTH)
        .take(SEEDS)
        .collect::<Vec<_>>()
        .into_iter()
}

fn seeds() -> [(&'static str, Seeds); 2] {
    let text = |case: &Json| Some(case["templates"][0][1].as_str()?.as_bytes().to_vec());
    let format = |case: &Json| {
        let format = case["data"]["map"][1]["format"]["string"].as_str()?;
        let choice = u8::try_from(format.len() % 6).unwrap();
        Some([&[choice], format.as_bytes()].concat())
    };
    [
        (
            "template",
            short("template", text)
                .chain(short("syntax", text))
                .collect(),
        ),
        ("printf", short("printf", format).collect()),
    ]
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target)
}

fn stored(target: &str) -> Seeds {
    std::fs::read_dir(folder(target))
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn the_seeds_are_those_of_the_vectors() {
    for (target, seeds) in seeds() {
        if std::env::var_os("UPDATE_SEEDS").is_some() {
            let folder = folder(target);
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).unwrap();
            for (index, seed) in seeds.iter().enumerate() {
                std::fs::write(folder.join(format!("{index:03}")), seed).unwrap();
            }
        }
        assert!(
            stored(target) == seeds,
            "the seeds of {target} are not those of the vectors: run with UPDATE_SEEDS=1"
        );
    }
}

#[test]
fn the_targets_accept_the_seeds_and_damaged_ones() {
    let targets: [(&str, Target); 2] = [("template", fuzz::template), ("printf", fuzz::printf)];
    for (target, run) in targets {
        let seeds = stored(target);
        let good = seeds.iter().filter(|seed| run(seed)).count();
        assert!(
            good > 15 && good < seeds.len(),
            "{good} of {} seeds of {target} are good",
            seeds.len()
        );
        for seed in &seeds {
            for position in (0..seed.len()).step_by(5) {
                run(&seed[..position]);
                for change in [0x01, 0xa0] {
                    let mut damaged = seed.clone();
                    damaged[position] ^= change;
                    run(&damaged);
                }
            }
        }
    }
}
