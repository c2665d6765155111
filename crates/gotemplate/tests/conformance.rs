//! What Go printed for the cases in `tests/vectors`, and what this crate makes of them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use gotemplate::conformance::{FAMILIES, result};
use serde_json::Value as Json;

#[test]
fn vectors_of_go() {
    for family in &FAMILIES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/vectors/{}.jsonl.gz", family.name));
        let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut cases = 0;
        let mut different = Vec::new();
        for line in BufReader::new(GzDecoder::new(file)).lines() {
            let line: Json = serde_json::from_str(&line.unwrap()).unwrap();
            let ours = result((family.run)(&line["case"]));
            cases += 1;
            if ours != line["result"] {
                different.push(format!("{line}\nhere {ours}"));
            }
        }
        assert!(cases >= 1000, "{}: {cases} cases", family.name);
        different.truncate(5);
        assert!(different.is_empty(), "{}", different.join("\n\n"));
    }
}
