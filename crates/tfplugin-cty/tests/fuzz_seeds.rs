//! The fuzz targets on their seeds, with the stable compiler.

#![allow(clippy::panic, clippy::unwrap_used, missing_docs, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tfplugin_cty::Type;

#[path = "../fuzz/lib.rs"]
mod fuzz;

/// The fields of a vector that seeds are made from, see `conformance/main.go`.
#[derive(Deserialize)]
struct Record {
    kind: String,
    #[serde(rename = "type", default)]
    ty: serde_json::Value,
    #[serde(default)]
    msgpack: String,
    json: Option<String>,
}

/// How many seeds one type gets of one kind of vector, so that all types have their share.
const SEEDS_OF_A_TYPE: usize = 12;

type Seeds = BTreeSet<Vec<u8>>;

/// Says whether the input was a value.
type Target = fn(&[u8]) -> bool;

/// The seeds for msgpack and for JSON: vectors of the targets' types as they are, others through
/// the dynamic type.
fn seeds() -> [(&'static str, Seeds); 2] {
    let types = fuzz::types();
    let dynamic = u8::try_from(types.len() - 1).unwrap();
    let mut taken: BTreeMap<(String, u8), usize> = BTreeMap::new();
    let (mut msgpack, mut json) = (Seeds::new(), Seeds::new());
    for line in include_str!("../conformance/vectors.jsonl").lines() {
        let record: Record = serde_json::from_str(line).unwrap();
        if !matches!(record.kind.as_str(), "value" | "wire" | "bytes" | "json") {
            continue;
        }
        let ty = Type::from_json(record.ty.to_string().as_bytes()).unwrap();
        let known = types.iter().position(|known| *known == ty);
        let choice = known.map_or(dynamic, |index| u8::try_from(index).unwrap());
        let count = taken.entry((record.kind.clone(), choice)).or_default();
        if *count == SEEDS_OF_A_TYPE {
            continue;
        }
        *count += 1;
        let bytes = hex::decode(&record.msgpack).unwrap();
        let text = record.json.unwrap_or_default();
        let type_json = ty.to_json();
        if !bytes.is_empty() {
            let mut seed = vec![choice];
            if known.is_none() {
                let length = u8::try_from(type_json.len()).unwrap_or(u8::MAX);
                seed.extend([0x92, 0xc4, length]);
                seed.extend(&type_json);
            }
            seed.extend(bytes);
            msgpack.insert(seed);
        }
        if !text.is_empty() {
            let mut seed = vec![choice];
            if known.is_some() {
                seed.extend(text.as_bytes());
            } else {
                let ty = String::from_utf8(type_json).unwrap();
                seed.extend(format!(r#"{{"value":{text},"type":{ty}}}"#).as_bytes());
            }
            json.insert(seed);
        }
    }
    [("msgpack", msgpack), ("json", json)]
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
    let targets: [(&str, Target); 2] = [("msgpack", fuzz::msgpack), ("json", fuzz::json)];
    for (target, run) in targets {
        let seeds = stored(target);
        let decoded = seeds.iter().filter(|seed| run(seed)).count();
        assert!(
            decoded > 50 && decoded < seeds.len(),
            "{decoded} of {} seeds of {target} are values",
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
