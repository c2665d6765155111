//! The fuzz targets on their seeds, with the stable compiler.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "test code"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[path = "../fuzz/encodings.rs"]
mod fuzz;
mod vectors;

type Seeds = BTreeSet<Vec<u8>>;

/// Says whether the text was read.
type Target = fn(&[u8]) -> bool;

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
    for (target, _) in TARGETS {
        let seeds = seeds(target);
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
fn the_targets_take_the_seeds_and_damaged_ones() {
    for (target, run) in TARGETS {
        let seeds = stored(target);
        let read = seeds.iter().filter(|seed| run(seed)).count();
        assert!(
            read > 5 && read < seeds.len(),
            "{read} of {} seeds of {target} are read",
            seeds.len()
        );
        for seed in &seeds {
            for position in 0..seed.len() {
                run(&seed[..position]);
                for change in [0x01, 0x10, 0x80, 0xff] {
                    let mut damaged = seed.clone();
                    damaged[position] ^= change;
                    run(&damaged);
                }
            }
        }
    }
}
