//! Lines that say what is being done and how long it took.

use std::time::Instant;

use anyhow::Result;

/// Does `work` under a heading; prints how long it took, or that it failed.
pub fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n==> {title}");
    let started = Instant::now();
    let result = work();
    let outcome = if result.is_ok() { "done" } else { "FAILED" };
    println!("    {outcome} in {:.1} s", started.elapsed().as_secs_f64());
    result
}
