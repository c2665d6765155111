//! The plugin under a host: its whole life, seen from outside the process.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod host;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use host::{COOKIE, Client, ConnInfo, Empty, Handshake, Identity, Knock, Plugin, Tls};
use rustls::version::{TLS12, TLS13};
use tonic::{Code, Response};

const SERVING: i32 = 1;

/// A started plugin, after its handshake.
struct Started {
    plugin: Plugin,
    handshake: Handshake,
    identity: Identity,
    directory: tempfile::TempDir,
}

impl Started {
    fn with(extra: &[(&str, &str)]) -> Self {
        let identity = Identity::new();
        let directory = tempfile::tempdir().unwrap();
        let mut environment = vec![
            COOKIE,
            ("TMPDIR", directory.path().to_str().unwrap()),
            ("PLUGIN_CLIENT_CERT", &identity.pem),
        ];
        environment.extend(extra);
        let mut plugin = Plugin::start(&environment, &[]);
        let handshake = Handshake::parse(&plugin.line());
        Self {
            plugin,
            handshake,
            identity,
            directory,
        }
    }

    fn new() -> Self {
        Self::with(&[])
    }

    async fn connect(&self) -> Client {
        let tls = Tls {
            identity: Some(&self.identity),
            versions: &[&TLS13],
        };
        Client::connect(&self.handshake, Some(tls)).await.unwrap()
    }

    /// Checks that the process ends well and leaves nothing behind.
    fn assert_clean_end(self) {
        let (status, stdout, stderr) = self.plugin.finish();
        assert_eq!(status.code(), Some(0), "{stderr}");
        assert_eq!(stdout, "", "nothing follows the handshake line");
        assert_eq!(stderr, "", "nothing is logged by default");
        assert_eq!(entries(self.directory.path()), 0, "the socket is removed");
    }
}

fn entries(directory: &Path) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[tokio::test]
async fn serves_with_either_tls_version_until_shutdown() {
    for versions in [[&TLS13], [&TLS12]] {
        let started = Started::new();
        let tls = Tls {
            identity: Some(&started.identity),
            versions: &versions,
        };
        let client = Client::connect(&started.handshake, Some(tls))
            .await
            .unwrap();
        assert_eq!(client.health("plugin").await.unwrap(), SERVING);
        assert_eq!(client.health("").await.unwrap(), SERVING);
        let refusal = client.health("other").await.unwrap_err();
        assert_eq!(refusal.code(), Code::NotFound);
        client.shut_down().await.unwrap();
        started.assert_clean_end();
    }
}

#[tokio::test]
async fn unix_socket_is_private() {
    let started = Started::new();
    assert_eq!(started.handshake.network(), "unix");
    let socket = Path::new(started.handshake.address());
    assert!(socket.starts_with(started.directory.path()));
    let mode = socket.parent().unwrap().metadata().unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o700);
}

#[tokio::test]
async fn only_the_host_is_admitted() {
    let started = Started::new();
    let stranger = Identity::new();
    for versions in [[&TLS13], [&TLS12]] {
        for (name, identity) in [("another certificate", Some(&stranger)), ("none", None)] {
            let tls = Tls {
                identity,
                versions: &versions,
            };
            // In TLS 1.3 the client learns of the refusal only after its side of the handshake.
            let health = match Client::connect(&started.handshake, Some(tls)).await {
                Ok(client) => client
                    .health("plugin")
                    .await
                    .map_err(|error| error.to_string()),
                Err(error) => Err(error),
            };
            assert!(health.is_err(), "{name} was admitted: {health:?}");
        }
    }
    let plaintext = match Client::connect(&started.handshake, None).await {
        Ok(client) => client
            .health("plugin")
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    assert!(plaintext.is_err(), "plaintext was admitted: {plaintext:?}");

    let client = started.connect().await;
    assert_eq!(client.health("plugin").await.unwrap(), SERVING);
}

#[tokio::test]
async fn plaintext_when_the_host_sends_no_certificate() {
    let started = Started::with(&[("PLUGIN_CLIENT_CERT", "")]);
    assert_eq!(started.handshake.fields[5], "");
    let client = Client::connect(&started.handshake, None).await.unwrap();
    assert_eq!(client.health("plugin").await.unwrap(), SERVING);
    client.shut_down().await.unwrap();
    started.assert_clean_end();
}

#[test]
fn started_by_hand() {
    let cases: [&[(&str, &str)]; 3] = [&[], &[(COOKIE.0, "other")], &[(COOKIE.0, "")]];
    for environment in cases {
        let (status, stdout, stderr) = Plugin::start(environment, &[]).finish();
        assert_eq!(status.code(), Some(1));
        assert_eq!(stdout, "");
        assert_eq!(
            stderr,
            "This is a plugin. Its host starts it by itself; there is nothing to do here by hand.\n"
        );
    }
}

#[test]
fn wrong_environment() {
    let cases = [
        ("PLUGIN_CLIENT_CERT", "garbage", "ClientCertificate"),
        ("PLUGIN_MIN_PORT", "many", "Port"),
    ];
    for (name, value, error) in cases {
        let (status, stdout, stderr) = Plugin::start(&[COOKIE, (name, value)], &[]).finish();
        assert_eq!(status.code(), Some(2));
        assert_eq!(stdout, "");
        assert!(stderr.contains(error), "{stderr}");
    }
}

#[tokio::test]
async fn tcp_when_the_socket_path_would_be_too_long() {
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("x".repeat(120));
    std::fs::create_dir(&long).unwrap();
    let started = Started::with(&[
        ("TMPDIR", long.to_str().unwrap()),
        ("PLUGIN_MIN_PORT", "10000"),
        ("PLUGIN_MAX_PORT", "25000"),
    ]);
    assert_eq!(started.handshake.network(), "tcp");
    let (host, port) = started.handshake.address().split_once(':').unwrap();
    assert_eq!(host, "127.0.0.1");
    assert!((10000..=25000).contains(&port.parse::<u16>().unwrap()));
    let client = started.connect().await;
    assert_eq!(client.health("plugin").await.unwrap(), SERVING);
    client.shut_down().await.unwrap();
    started.assert_clean_end();
    assert_eq!(entries(&long), 0);
}

#[tokio::test]
async fn shutdown_drops_running_calls_and_ends_streams() {
    let started = Started::new();
    let client = started.connect().await;
    let hanging = tokio::spawn({
        let client = client.clone();
        async move {
            client
                .call::<_, Empty>("/example.Probe/Hang", Empty {})
                .await
        }
    });
    let stdio = client.stream::<_, Empty>(
        "/plugin.GRPCStdio/StreamStdio",
        tokio_stream::once(Empty {}),
    );
    let mut stdio = stdio.await.unwrap();
    client.health("plugin").await.unwrap();
    assert!(!hanging.is_finished());
    client.shut_down().await.unwrap();
    assert!(hanging.await.unwrap().is_err());
    assert!(stdio.message().await.unwrap().is_none());
    // The client is still there: the end must not depend on the host closing its connection.
    started.assert_clean_end();
    drop(client);
}

#[tokio::test]
async fn broker_refuses_knocks() {
    let started = Started::new();
    let client = started.connect().await;
    let announced = ConnInfo {
        service_id: 1,
        network: "unix".to_owned(),
        address: "/nowhere".to_owned(),
        knock: None,
    };
    let knocked = ConnInfo {
        service_id: 2,
        knock: Some(Knock {
            knock: true,
            ..Knock::default()
        }),
        ..ConnInfo::default()
    };
    let messages = tokio_stream::iter([announced, knocked]);
    let answers = client.stream::<_, ConnInfo>("/plugin.GRPCBroker/StartStream", messages);
    let mut answers = answers.await.unwrap();
    let answer = answers.message().await.unwrap().unwrap();
    let expected = ConnInfo {
        service_id: 2,
        knock: Some(Knock {
            knock: true,
            ack: false,
            error: "this plugin accepts no connection for service 2".to_owned(),
        }),
        ..ConnInfo::default()
    };
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_host_decides_and_no_signal() {
    let started = Started::new();
    let client = started.connect().await;
    for signal in ["INT", "TERM"] {
        started.plugin.signal(signal);
        assert_eq!(client.health("plugin").await.unwrap(), SERVING, "{signal}");
    }
    client.shut_down().await.unwrap();
    started.assert_clean_end();
}

#[tokio::test]
async fn ends_when_the_host_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let output = tempfile::NamedTempFile::new().unwrap();
    // The shell is the plugin's parent; it ends after the handshake and leaves the plugin behind.
    let script = r#""$0" >"$1" & until [ -s "$1" ]; do sleep 0.05; done"#;
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]);
    shell.args([host::plugin_path(), output.path()]);
    shell
        .env(COOKIE.0, COOKIE.1)
        .env("TMPDIR", directory.path());
    // Reads stderr until the last process that has it is gone.
    let shell = shell.output().unwrap();
    assert_eq!(String::from_utf8(shell.stderr).unwrap(), "");
    Handshake::parse(std::fs::read_to_string(output.path()).unwrap().trim_end());
    assert_eq!(entries(directory.path()), 0);
}

#[tokio::test]
async fn debug_serves_several_connections() {
    let directory = tempfile::tempdir().unwrap();
    let environment = [("TMPDIR", directory.path().to_str().unwrap())];
    for signal in ["INT", "TERM"] {
        let mut plugin = Plugin::start(&environment, &["--debug"]);
        let line = plugin.line();
        let fields: Vec<&str> = line.split('|').collect();
        assert_eq!(fields[2], plugin.child.id().to_string());
        let handshake = Handshake::parse(&format!("1|6|{}|{}|grpc|", fields[0], fields[1]));
        let mut numbers = Vec::new();
        let mut clients = Vec::new();
        for _ in 0..3 {
            let client = Client::connect(&handshake, None).await.unwrap();
            numbers.push(connection_number(&client).await);
            assert_eq!(connection_number(&client).await, *numbers.last().unwrap());
            clients.push(client);
        }
        assert_eq!(numbers, ["1", "2", "3"]);
        // One host's end is not the end of the process.
        clients.pop().unwrap().shut_down().await.unwrap();
        assert_eq!(connection_number(&clients[0]).await, "1");
        plugin.signal(signal);
        let (status, stdout, _) = plugin.finish();
        assert_eq!((status.code(), stdout.as_str()), (Some(0), ""), "{signal}");
        assert_eq!(entries(directory.path()), 0);
    }
}

#[tokio::test]
async fn a_debugged_process_lets_calls_end_until_the_second_signal() {
    let directory = tempfile::tempdir().unwrap();
    let environment = [("TMPDIR", directory.path().to_str().unwrap())];
    let mut plugin = Plugin::start(&environment, &["--debug"]);
    let line = plugin.line();
    let fields: Vec<&str> = line.split('|').collect();
    let handshake = Handshake::parse(&format!("1|6|{}|{}|grpc|", fields[0], fields[1]));
    let client = Client::connect(&handshake, None).await.unwrap();
    let hanging = tokio::spawn({
        let client = client.clone();
        async move {
            client
                .call::<_, Empty>("/example.Probe/Hang", Empty {})
                .await
        }
    });
    connection_number(&client).await;
    plugin.signal("INT");
    // Longer than a host would wait.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(!hanging.is_finished());
    plugin.signal("INT");
    assert!(hanging.await.unwrap().is_err());
    let (status, _, _) = plugin.finish();
    assert_eq!(status.code(), Some(0));
    assert_eq!(entries(directory.path()), 0);
}

async fn connection_number(client: &Client) -> String {
    let answer = client.call("/example.Probe/Connection", Empty {}).await;
    let answer: Response<String> = answer.unwrap();
    answer.into_inner()
}

#[tokio::test]
async fn a_panic_is_announced_and_ends_only_its_call() {
    let started = Started::new();
    let client = started.connect().await;
    let answer = client
        .call::<_, String>("/example.Probe/Panic", Empty {})
        .await;
    assert!(answer.is_err());
    assert_eq!(client.health("plugin").await.unwrap(), SERVING);
    client.shut_down().await.unwrap();
    let (status, _, stderr) = started.plugin.finish();
    assert_eq!(status.code(), Some(0));
    let expected = "panic: asked to panic [crates/go-plugin/examples/plugin.rs:";
    assert!(stderr.starts_with(expected), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[tokio::test]
async fn logs_reach_stderr_as_hclog() {
    let started = Started::with(&[("EXAMPLE_LOG", "debug")]);
    let client = started.connect().await;
    connection_number(&client).await;
    client.shut_down().await.unwrap();
    let (_, _, stderr) = started.plugin.finish();
    let lines: Vec<serde_json::Value> = stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let called = lines
        .iter()
        .find(|line| line["@message"] == "called")
        .unwrap();
    assert_eq!(called["@level"], "info");
    assert_eq!(called["@module"], "plugin");
    assert_eq!(called["path"], "/example.Probe/Connection");
    assert_eq!(
        called["@timestamp"].as_str().unwrap().len(),
        "2026-01-02T03:04:05.123456Z".len()
    );
}
