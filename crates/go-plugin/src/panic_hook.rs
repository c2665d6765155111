//! Makes panics visible to the host.

/// Installs a panic hook.
pub fn install_panic_hook() {}
