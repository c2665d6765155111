//! The seeds of the fuzz targets: a folder of files for each target.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The seeds of one target.
pub type Seeds = BTreeSet<Vec<u8>>;

/// Says whether the input was good.
pub type Target = fn(&[u8]) -> bool;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target)
}

/// The seeds that are checked in.
pub fn stored(target: &str) -> Seeds {
    std::fs::read_dir(folder(target))
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

/// Requires that these seeds are checked in; with `UPDATE_SEEDS` it writes them first.
pub fn require(target: &str, seeds: &Seeds) {
    if std::env::var_os("UPDATE_SEEDS").is_some() {
        let folder = folder(target);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (index, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("{index:03}")), seed).unwrap();
        }
    }
    assert!(
        stored(target) == *seeds,
        "the seeds of {target} are not those of the vectors: run with UPDATE_SEEDS=1"
    );
}

/// Runs the target on each seed cut off and damaged at every `step`th byte.
pub fn damage(run: Target, seeds: &Seeds, step: usize, changes: &[u8]) {
    for seed in seeds {
        for position in (0..seed.len()).step_by(step) {
            run(&seed[..position]);
            for change in changes {
                let mut damaged = seed.clone();
                damaged[position] ^= change;
                run(&damaged);
            }
        }
    }
}
