//! What the application and the host tell the plugin layer.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::ServeError;

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

impl ServeConfig {
    /// Whether the environment says that a host started this process.
    pub(crate) fn started_by_host(&self, lookup: impl Fn(&str) -> Option<OsString>) -> bool {
        // An empty key or value would let any start pass for one by a host.
        !self.magic_cookie_key.is_empty()
            && !self.magic_cookie_value.is_empty()
            && lookup(&self.magic_cookie_key).is_some_and(|value| value == *self.magic_cookie_value)
    }
}

/// What the host asks for in environment variables (go-plugin `client.go` sets them, `server.go`
/// reads them).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HostEnvironment {
    /// The certificates the host may present. Empty when the host wants no TLS.
    pub(crate) client_certificates: Vec<CertificateDer<'static>>,
    pub(crate) socket_directory: PathBuf,
    pub(crate) ports: RangeInclusive<u16>,
}

impl HostEnvironment {
    pub(crate) fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ServeError> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let port = |name: &'static str| match lookup(name) {
            None => Ok(0),
            Some(value) => value
                .to_str()
                .and_then(|text| text.parse::<u16>().ok())
                .ok_or(ServeError::Port {
                    variable: name,
                    value: value.to_string_lossy().into_owned(),
                }),
        };
        let (lowest, highest) = (port("PLUGIN_MIN_PORT")?, port("PLUGIN_MAX_PORT")?);
        Ok(Self {
            client_certificates: match lookup("PLUGIN_CLIENT_CERT") {
                None => Vec::new(),
                Some(pem) => certificates(&pem)?,
            },
            socket_directory: lookup("PLUGIN_UNIX_SOCKET_DIR")
                .map_or_else(std::env::temp_dir, PathBuf::from),
            // Port 0 lets the operating system choose; half a range is no range.
            ports: if lowest == 0 || highest < lowest {
                0..=0
            } else {
                lowest..=highest
            },
        })
    }
}

fn certificates(pem: &OsString) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let found = CertificateDer::pem_slice_iter(pem.as_encoded_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| ServeError::ClientCertificate { source })?;
    if found.is_empty() {
        return Err(ServeError::ClientCertificate {
            source: rustls_pki_types::pem::Error::NoItemsFound,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(key: &str, value: &str) -> ServeConfig {
        ServeConfig {
            magic_cookie_key: key.to_owned(),
            magic_cookie_value: value.to_owned(),
            protocol_version: 6,
            started_by_hand: String::new(),
        }
    }

    #[test]
    fn cookie() {
        let cases = [
            ("right value", "COOKIE", "abc", Some("abc"), true),
            ("wrong value", "COOKIE", "abc", Some("abd"), false),
            ("longer value", "COOKIE", "abc", Some("abcd"), false),
            ("not set", "COOKIE", "abc", None, false),
            ("no value agreed", "COOKIE", "", Some(""), false),
            ("no key agreed", "", "abc", Some("abc"), false),
        ];
        for (name, key, value, set, expected) in cases {
            let found = config(key, value).started_by_host(|_| set.map(OsString::from));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn ports() {
        let cases = [
            ("none", None, None, Ok(0..=0)),
            ("range", Some("10000"), Some("25000"), Ok(10000..=25000)),
            ("one port", Some("7000"), Some("7000"), Ok(7000..=7000)),
            ("only the lower", Some("10000"), None, Ok(0..=0)),
            ("only the upper", None, Some("10000"), Ok(0..=0)),
            ("empty", Some(""), Some(""), Ok(0..=0)),
            ("not a number", Some("a"), None, Err("PLUGIN_MIN_PORT")),
            ("too big", Some("1"), Some("65536"), Err("PLUGIN_MAX_PORT")),
        ];
        for (name, lowest, highest, expected) in cases {
            let read = HostEnvironment::read(|variable| {
                match variable {
                    "PLUGIN_MIN_PORT" => lowest,
                    "PLUGIN_MAX_PORT" => highest,
                    _ => None,
                }
                .map(OsString::from)
            });
            let found = match read {
                Ok(environment) => Ok(environment.ports),
                Err(ServeError::Port { variable, .. }) => Err(variable),
                Err(other) => panic!("{name}: {other}"),
            };
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn client_certificate() {
        let pem = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        let cases = [
            ("not set", None, Some(Vec::new())),
            ("empty", Some(String::new()), Some(Vec::new())),
            ("one", Some(pem.to_owned()), Some(vec![vec![1, 2, 3]])),
            ("two", Some(pem.repeat(2)), Some(vec![vec![1, 2, 3]; 2])),
            ("no certificate", Some("hello".to_owned()), None),
            ("bad base64", Some(pem.replace("AQID", "!")), None),
        ];
        for (name, value, expected) in cases {
            let read = HostEnvironment::read(|variable| {
                (variable == "PLUGIN_CLIENT_CERT")
                    .then(|| value.clone().map(OsString::from))
                    .flatten()
            });
            let found = read.ok().map(|environment| {
                let list = environment.client_certificates.iter();
                list.map(|one| one.as_ref().to_vec()).collect::<Vec<_>>()
            });
            assert_eq!(found, expected, "{name}");
        }
    }
}
