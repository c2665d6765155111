//! Makes panics visible to the host.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io::Write as _;

/// Makes every panic print a line that begins with `panic: `, the mark by which a go-plugin host
/// knows one on stderr (Terraform then shows it to the user; it reads Rust's own "thread …
/// panicked" as a debug message).
///
/// The text holds the message, the place and the thread, and a backtrace when `RUST_BACKTRACE`
/// asks for one.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let mut text = describe(
            info.payload_as_str(),
            info.location().map(ToString::to_string).as_deref(),
            thread.name(),
        );
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(text, "{backtrace}");
        }
        // Nobody is left to tell when stderr is gone.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }));
}

fn describe(message: Option<&str>, location: Option<&str>, thread: Option<&str>) -> String {
    format!(
        "panic: {} [{}, thread {}]\n",
        message.unwrap_or("no message"),
        location.unwrap_or("unknown place"),
        thread.unwrap_or("without name"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions() {
        let cases = [
            (
                (Some("it broke"), Some("src/a.rs:1:2"), Some("main")),
                "panic: it broke [src/a.rs:1:2, thread main]\n",
            ),
            (
                (None, None, None),
                "panic: no message [unknown place, thread without name]\n",
            ),
        ];
        for ((message, location, thread), expected) in cases {
            assert_eq!(describe(message, location, thread), expected);
        }
    }
}
