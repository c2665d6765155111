//! The fuzz targets on their seeds, with the stable compiler.

#![allow(clippy::panic, clippy::unwrap_used, missing_docs, reason = "test code")]

use serde_json::Value as Json;

#[path = "../fuzz/templates.rs"]
mod fuzz;
mod seeds;
mod vectors;

use seeds::{Seeds, Target, damage, require, stored};

/// How many seeds come from one family, and the longest.
const SEEDS: usize = 80;
const LENGTH: usize = 200;

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

#[test]
fn the_seeds_are_those_of_the_vectors() {
    for (target, seeds) in seeds() {
        require(target, &seeds);
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
        damage(run, &seeds, 5, &[0x01, 0xa0]);
    }
}
