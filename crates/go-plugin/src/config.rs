//! What an application tells the plugin layer about itself.

/// The part of the handshake that host and plugin have agreed on beforehand.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Name of the environment variable by which a host says that it is one.
    pub magic_cookie_key: String,
    /// The value that variable must have.
    pub magic_cookie_value: String,
    /// Version of the application's protocol, the second field of the handshake line.
    pub protocol_version: u32,
    /// Printed on stderr when the process was started by hand, that is, without the cookie: what
    /// this program is and how it is meant to be used.
    pub started_by_hand: String,
}
