//! The fuzz targets on their seeds, with the stable compiler.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "test code"
)]

#[path = "../fuzz/encodings.rs"]
mod fuzz;
mod seeds;
mod vectors;

use seeds::{Seeds, Target, damage, require, stored};

const TARGETS: [(&str, Target); 3] = [
    ("yaml", fuzz::yaml),
    ("json", fuzz::json),
    ("toml", fuzz::toml),
];

/// Short texts of the vectors of the family with the target's name.
fn seeds(target: &str) -> Seeds {
    let vectors = vectors::read(target);
    let texts = vectors.iter().filter_map(|vector| {
        let text = vector["case"]["read"].as_str()?;
        (text.len() < 160).then(|| text.as_bytes().to_vec())
    });
    texts.step_by(40).collect()
}

#[test]
fn the_seeds_are_those_of_the_vectors() {
    for (target, _) in TARGETS {
        require(target, &seeds(target));
    }
}

#[test]
fn the_targets_take_the_seeds_and_damaged_ones() {
    for (target, run) in TARGETS {
        let seeds = stored(target);
        let read = seeds.iter().filter(|seed| run(seed)).count();
        assert!(
            read > 5 && read < seeds.len(),
            "{read} of {} seeds of {target} are read",
            seeds.len()
        );
        damage(run, &seeds, 1, &[0x01, 0x10, 0x80, 0xff]);
    }
}
