//! Logs as hclog JSON on stderr, one object on a line, as a go-plugin host reads them
//! (go-plugin `log_entry.go`, go-hclog `intlogger.go`).

mod layer;
mod line;

use std::ffi::OsString;
use std::io::Write as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use self::layer::HclogLayer;

/// Crates of the transport: what they say is of use only to who debugs the transport itself.
const TRANSPORT_TARGETS: [&str; 8] = [
    "h2",
    "hyper",
    "hyper_util",
    "rustls",
    "tokio_rustls",
    "tokio_util",
    "tonic",
    "tower",
];

/// Which events are written.
#[derive(Debug, Clone, Default)]
pub struct LogConfig {
    /// Names of environment variables that hold a level, most important first. The first one that
    /// is set and not empty counts: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `OFF` in any
    /// case, or `JSON`, which means `TRACE`, as does any other word. Nothing is logged when none
    /// is set.
    pub level_variables: Vec<String>,
    /// Targets, such as crate names, whose events pass only at `TRACE`, they and everything below
    /// them; those of the transport are always treated so.
    pub quiet_targets: Vec<String>,
}

/// Installs the global tracing subscriber, which writes to stderr. When logging is off no
/// subscriber is installed; one that the process has already stays.
pub fn init(config: &LogConfig) {
    let level = level(&config.level_variables, |name| std::env::var_os(name));
    if level == LevelFilter::OFF {
        return;
    }
    let layer = HclogLayer::new(|line: &[u8]| {
        // Fails when the host is gone, which must not stop the work. A host that is there and does
        // not read holds it up once the pipe is full.
        let _ = std::io::stderr().lock().write_all(line);
    });
    let filter = filter(level, config.quiet_targets.clone());
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn level(variables: &[String], lookup: impl Fn(&str) -> Option<OsString>) -> LevelFilter {
    let value = variables
        .iter()
        .filter_map(|name| lookup(name))
        .find(|value| !value.is_empty());
    let Some(value) = value else {
        return LevelFilter::OFF;
    };
    match value.to_string_lossy().to_ascii_uppercase().as_str() {
        "OFF" => LevelFilter::OFF,
        "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

fn filter(
    level: LevelFilter,
    quiet: Vec<String>,
) -> FilterFn<impl Fn(&tracing::Metadata<'_>) -> bool> {
    FilterFn::new(move |metadata| {
        *metadata.level() <= level
            && (level == LevelFilter::TRACE || !is_quiet(metadata.target(), &quiet))
    })
    .with_max_level_hint(level)
}

fn is_quiet(target: &str, quiet: &[String]) -> bool {
    let quiet = quiet.iter().map(String::as_str);
    TRANSPORT_TARGETS.into_iter().chain(quiet).any(|prefix| {
        target
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        let cases: [(&str, [Option<&str>; 3], LevelFilter); 9] = [
            ("none", [None, None, None], LevelFilter::OFF),
            ("last", [None, None, Some("info")], LevelFilter::INFO),
            (
                "first wins",
                [Some("WARN"), Some("TRACE"), None],
                LevelFilter::WARN,
            ),
            (
                "empty is not set",
                [Some(""), Some("DEBUG"), None],
                LevelFilter::DEBUG,
            ),
            (
                "off stops the search",
                [Some("off"), None, Some("TRACE")],
                LevelFilter::OFF,
            ),
            (
                "error",
                [None, Some("ERROR"), Some("DEBUG")],
                LevelFilter::ERROR,
            ),
            ("JSON", [None, None, Some("JSON")], LevelFilter::TRACE),
            ("trace", [None, None, Some("Trace")], LevelFilter::TRACE),
            ("other word", [None, None, Some("1")], LevelFilter::TRACE),
        ];
        let names = ["A", "B", "C"];
        for (name, values, expected) in cases {
            let found = level(&names.map(str::to_owned), |variable| {
                let index = names.iter().position(|known| *known == variable)?;
                values[index].map(OsString::from)
            });
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn quiet_targets() {
        let quiet = ["aws_smithy_runtime".to_owned()];
        let cases = [
            ("h2", true),
            ("h2::codec::framed_read", true),
            ("h2o", false),
            ("hyper_util::client", true),
            ("hyper", true),
            ("aws_smithy_runtime::client", true),
            ("aws_smithy", false),
            ("provider::cluster", false),
        ];
        for (target, expected) in cases {
            assert_eq!(is_quiet(target, &quiet), expected, "{target}");
        }
    }
}
