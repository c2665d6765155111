//! Times the execution of templates: cases with names are read as JSON lines, and for each its name
//! and the nanoseconds of one execution are printed. `cargo xtask bench gotemplate` runs it.

#![allow(clippy::unwrap_used, reason = "a broken case ends the measurement")]

use std::hint::black_box;
use std::io::BufRead;
use std::time::{Duration, Instant};

use gotemplate::conformance::{parse, value};
use gotemplate::{Limits, Sealed};

const DURATION: Duration = Duration::from_millis(300);

fn main() {
    for line in std::io::stdin().lock().lines() {
        let case: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let (templates, first) = parse(&case).unwrap();
        let data = value(&case["data"]);
        let mut length = 0;
        let start = Instant::now();
        let mut runs = 0_u32;
        while start.elapsed() < DURATION {
            for _ in 0..16 {
                let output = templates
                    .execute(&first, &data, &mut Sealed, Limits::default())
                    .unwrap();
                length = black_box(output.text).len();
            }
            runs += 16;
        }
        let nanoseconds = start.elapsed().as_nanos() / u128::from(runs);
        println!("{} {nanoseconds} {length}", case["name"].as_str().unwrap());
    }
}
