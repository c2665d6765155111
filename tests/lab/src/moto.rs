//! moto's server: every AWS service but EKS.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::LabError;
use crate::cluster::ProcessReport;
use crate::lab::clear_account;
use crate::process::{Process, ProcessGroup};
use crate::tools::PythonTools;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running moto server; ends when it is dropped and when this process dies.
#[derive(Debug)]
pub struct Moto {
    process: Process,
    url: String,
    _group: ProcessGroup,
}

impl Moto {
    /// Starts the server on a free loopback port and waits until it accepts connections.
    ///
    /// # Errors
    /// With the last log lines when it ends or does not listen.
    pub async fn start(tools: &PythonTools) -> Result<Self, LabError> {
        let group = ProcessGroup::new("moto")?;
        let mut command = Command::new(&tools.moto_server);
        clear_account(&mut command);
        command
            .args(["-H", "127.0.0.1", "-p", "0"])
            // The AWS managed policies exist, so that they can be attached.
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("PYTHONUNBUFFERED", "1")
            // moto's own calls must not meet the user's account.
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("HOME", group.directory());
        let mut process = group.spawn("moto", command)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            process.check()?;
            let log = fs::read_to_string(process.log())
                .map_err(LabError::io(format!("read {}", process.log().display())))?;
            if let Some(address) = address(&log)
                && TcpStream::connect(address).await.is_ok()
            {
                return Ok(Self {
                    url: format!("http://{address}"),
                    process,
                    _group: group,
                });
            }
            if Instant::now() > deadline {
                return Err(LabError::NotReady {
                    what: "moto's server listening".to_owned(),
                    seconds: PATIENCE.as_secs(),
                    last: "its log names no address, or nobody listens there".to_owned(),
                    log: process.log().to_owned(),
                    tail: process.log_tail(),
                });
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process with its memory.
    #[must_use]
    pub fn process(&self) -> ProcessReport {
        ProcessReport::of(self.process.name(), self.process.id())
    }
}

/// The server takes a free port itself, without a race, and says which in its log.
fn address(log: &str) -> Option<&str> {
    let (_, rest) = log.split_once("Running on http://")?;
    // A whole line, not one that is still being written.
    let (line, _) = rest.split_once('\n')?;
    Some(line.trim())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_is_taken_from_a_whole_line() {
        for (log, expected) in [
            (
                " * Running on http://127.0.0.1:34671\nPress",
                Some("127.0.0.1:34671"),
            ),
            (" * Running on http://127.0.0.1:346", None),
            ("WARNING: This is a development server.\n", None),
        ] {
            assert_eq!(address(log), expected, "{log}");
        }
    }
}
