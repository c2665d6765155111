//! Logs as hclog JSON on stderr, which a go-plugin host reads line by line.

/// Which events are written.
#[derive(Debug, Clone, Default)]
pub struct LogConfig {
    /// Names of environment variables that hold a level, most important first. The first one that
    /// is set and not empty counts: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `OFF` in any case,
    /// or `JSON`, which means `TRACE`. Nothing is logged when none is set.
    pub level_variables: Vec<String>,
    /// Prefixes of targets (crate names, as a rule) whose events pass only at `TRACE`, beside
    /// those of the transport, which are always treated so.
    pub quiet_targets: Vec<String>,
}

/// Installs the global tracing subscriber. Does nothing when logging is off or when a subscriber
/// is installed already.
pub fn init(config: &LogConfig) {
    let _ = config;
}
