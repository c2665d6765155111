//! What Go printed for the cases in `tests/vectors`, and what this crate makes of them.

#![allow(clippy::panic, clippy::unwrap_used, missing_docs, reason = "test code")]

use gotemplate::conformance::{FAMILIES, result};

mod vectors;

#[test]
fn vectors_of_go() {
    for family in FAMILIES {
        let vectors = vectors::read(family.name);
        assert!(vectors.len() >= 1000, "{}: {}", family.name, vectors.len());
        for vector in vectors {
            let here = result((family.run)(&vector["case"]));
            assert!(
                here == vector["result"],
                "{}: {}\nGo   {}\nhere {here}",
                family.name,
                vector["case"],
                vector["result"]
            );
        }
    }
}
