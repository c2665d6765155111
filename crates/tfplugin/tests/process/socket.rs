//! Over the real socket, with this crate's own client.

use std::path::Path;
use std::process::{Command, Stdio};

use tfplugin::cty::Value;
use tfplugin::testing::{Action, Core};

use crate::provider;

fn text(value: &Value, attribute: &str) -> String {
    let path = tfplugin::cty::Path::root().attribute(attribute);
    let value = value.get(&path).and_then(Value::as_str);
    value.expect("a known text").to_owned()
}

#[tokio::test]
async fn a_file_over_the_real_socket() {
    let directory = tempfile::tempdir().unwrap();
    let mut core = Core::spawn(provider()).await;
    core.configure(Value::object([(
        "directory",
        Value::from(directory.path().to_str().unwrap()),
    )]))
    .await
    .unwrap();
    let mut file = core.resource("file_file");
    let named = |path: &str, content: &str| {
        Value::object([
            ("path", Value::from(path)),
            ("content", Value::from(content)),
        ])
    };
    let on_disk = |path: &str| std::fs::read_to_string(directory.path().join(path)).ok();

    let plan = file.apply(named("a.txt", "one")).await.unwrap();
    assert_eq!(plan.action, Action::Create);
    assert_eq!(on_disk("a.txt").as_deref(), Some("one"));
    let plan = file.plan(named("a.txt", "one")).await.unwrap();
    assert_eq!(plan.action, Action::NoOp);

    let plan = file.apply(named("a.txt", "two")).await.unwrap();
    assert_eq!(plan.action, Action::Update);
    assert_eq!(on_disk("a.txt").as_deref(), Some("two"));

    std::fs::write(directory.path().join("a.txt"), "drift").unwrap();
    let plan = file.apply(named("a.txt", "two")).await.unwrap();
    assert_eq!(plan.action, Action::Update, "drift is repaired");
    assert_eq!(on_disk("a.txt").as_deref(), Some("two"));

    let plan = file.apply(named("b.txt", "two")).await.unwrap();
    assert_eq!(plan.action, Action::Replace);
    assert_eq!(
        (on_disk("a.txt"), on_disk("b.txt").as_deref()),
        (None, Some("two"))
    );

    let mut imported = core.resource("file_file");
    imported.import("b.txt").await.unwrap();
    assert_eq!(text(imported.state(), "content"), "two");

    let (content, _) = core
        .read_data_source(
            "file_content",
            Value::object([("path", Value::from("b.txt"))]),
        )
        .await
        .unwrap();
    assert_eq!(text(&content, "content"), "two");

    file.destroy().await.unwrap();
    assert_eq!(on_disk("b.txt"), None);

    let error = file
        .plan(Value::object([("path", Value::from("c"))]))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Set exactly one of `content`, `sensitive_content`, `content_wo`.")
    );
}

#[tokio::test]
async fn a_directory_that_is_not_known_yet() {
    let mut core = Core::spawn(provider()).await;
    core.configure(Value::object([("directory", Value::Unknown)]))
        .await
        .unwrap();
    let wanted = Value::object([("path", Value::from("a")), ("content", Value::from("x"))]);
    let mut file = core.resource("file_file");
    assert!(!file.plan(wanted.clone()).await.unwrap().deferred);
    let config = Value::object([("path", Value::from("a"))]);
    let error = core
        .read_data_source("file_content", config)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("The directory is not known yet"),
        "{error}"
    );
    let mut file = core.allow_deferral().resource("file_file");
    assert!(file.plan(wanted).await.unwrap().deferred);
}

#[tokio::test]
async fn stop_and_shutdown_over_the_real_socket() {
    let directory = tempfile::tempdir().unwrap();
    let mut core = Core::spawn(provider()).await;
    core.configure(Value::object([(
        "directory",
        Value::from(directory.path().to_str().unwrap()),
    )]))
    .await
    .unwrap();
    let mut file = core.resource("file_file");
    let waiting = Value::object([
        ("path", Value::from("later/a.txt")),
        ("content", Value::from("x")),
        ("wait_for_directory", Value::from(true)),
    ]);
    let stop = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        core.stop().await;
    };
    let (applied, ()) = tokio::join!(file.apply(waiting), stop);
    let error = applied.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("but the operation was stopped by the user."),
        "{error}"
    );
    assert!(file.stored().is_none(), "nothing was made");
    drop(file);
    core.shut_down().await;
}

/// The provider started so that no file it writes may be longer than a block.
#[tokio::test]
async fn a_file_that_cannot_be_finished_is_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let limited = directory.path().join("limited.sh");
    let script = format!(
        "#!/bin/sh\ntrap '' XFSZ\nulimit -f 1\nexec {}\n",
        provider().display()
    );
    std::fs::write(&limited, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&limited, executable).unwrap();
    let mut core = Core::spawn(&limited).await;
    core.configure(Value::object([(
        "directory",
        Value::from(directory.path().to_str().unwrap()),
    )]))
    .await
    .unwrap();
    let mut file = core.resource("file_file");
    let wanted = |content: &str| {
        Value::object([
            ("path", Value::from("long")),
            ("content", Value::from(content)),
        ])
    };
    let long = "x".repeat(10_000);
    let error = file.apply(wanted(&long)).await.unwrap_err();
    assert!(
        error.to_string().contains("Cannot write the file"),
        "{error}"
    );
    let stored = file.stored().expect("the file is in the state");
    assert!(stored.tainted && directory.path().join("long").exists());
    file.apply(wanted("short")).await.unwrap();
    assert_eq!(text(file.state(), "content"), "short");
}

#[tokio::test]
async fn files_of_others_and_secret_files() {
    let directory = tempfile::tempdir().unwrap();
    let mut core = Core::spawn(provider()).await;
    core.configure(Value::object([(
        "directory",
        Value::from(directory.path().to_str().unwrap()),
    )]))
    .await
    .unwrap();
    let mut others = core.resource("file_file");
    let wanted = |path: &str| {
        Value::object([
            ("path", Value::from(path)),
            ("sensitive_content", Value::from("s3cret")),
            ("permissions", Value::from("600")),
        ])
    };
    let error = others.apply(wanted("/dev/null")).await.unwrap_err();
    assert!(
        error.to_string().contains("The file exists already"),
        "{error}"
    );
    assert!(others.stored().is_none());

    let mut secret = core.resource("file_file");
    secret.apply(wanted("secret")).await.unwrap();
    let path = directory.path().join("secret");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let attribute = |name: &str| {
        let path = tfplugin::cty::Path::root().attribute(name);
        secret.state().get(&path).unwrap().clone()
    };
    assert_eq!(
        (attribute("checksum"), attribute("size")),
        (Value::Null, Value::Null),
        "a secret shows neither checksum nor length"
    );
    let plan = secret.plan(wanted("secret")).await.unwrap();
    assert_eq!(plan.action, Action::NoOp, "600 is 0600");
}

#[tokio::test]
async fn functions_locks_and_write_only_values_over_the_real_socket() {
    let directory = tempfile::tempdir().unwrap();
    let mut core = Core::spawn(provider()).await;
    let joined = core
        .call_function("join", &[Value::from("/a/"), Value::from("b")])
        .await
        .unwrap();
    assert_eq!(joined, Value::from("/a/b"));
    core.configure(Value::object([(
        "directory",
        Value::from(directory.path().to_str().unwrap()),
    )]))
    .await
    .unwrap();
    let wanted = || Value::object([("path", Value::from("lock"))]);
    let mut lock = core.open_ephemeral("file_lock", wanted()).await.unwrap();
    assert!(lock.renew_at.is_some());
    let Err(taken) = core.open_ephemeral("file_lock", wanted()).await else {
        panic!("a lock has one holder");
    };
    assert!(
        taken.to_string().contains("another run holds the lock"),
        "{taken}"
    );
    lock.renew().await.unwrap();

    let mut file = core.resource("file_file");
    let secret = |content: &str, version: i64| {
        Value::object([
            ("path", Value::from("secret")),
            ("content_wo", Value::from(content)),
            ("content_wo_version", Value::from(version)),
        ])
    };
    file.apply(secret("one", 1)).await.unwrap();
    let plan = file.plan(secret("two", 1)).await.unwrap();
    assert_eq!(plan.action, Action::NoOp, "the content is stored nowhere");
    file.apply(secret("two", 2)).await.unwrap();
    let plan = file.plan(secret("two", 1)).await.unwrap();
    assert_eq!(plan.action, Action::Replace, "a version before");
    let path = directory.path().join("secret");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    assert_eq!(
        file.stored().unwrap().identity,
        Value::object([("path", Value::from(path.to_str().unwrap()))])
    );

    lock.close().await.unwrap();
    assert!(!directory.path().join("lock").exists());
}

/// Kills a provider that was started with `--debug`.
struct Attached(std::process::Child);

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A provider started with `--debug`, and its socket below `directory`.
fn debug(directory: &Path) -> (Attached, String) {
    let mut child = Command::new(provider())
        .arg("--debug")
        .env("TMPDIR", directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let attached = Attached(child);
    let reattach = std::io::BufRead::lines(stdout)
        .map(Result::unwrap)
        .find_map(|line| {
            let (_, json) = line.split_once("TF_REATTACH_PROVIDERS='")?;
            let json = json.strip_suffix('\'')?;
            Some(serde_json::from_str::<serde_json::Value>(json).unwrap())
        })
        .unwrap();
    let socket = reattach["registry.terraform.io/example/file"]["Addr"]["String"]
        .as_str()
        .unwrap();
    (attached, socket.to_owned())
}

#[tokio::test]
async fn each_connection_of_a_debugged_provider_has_its_own_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let (_attached, socket) = debug(directory.path());

    let mut first = Core::attach(&socket).await;
    let mut second = Core::attach(&socket).await;
    let third = Core::attach(&socket).await;
    for (core, folder) in [(&mut first, "one"), (&mut second, "two")] {
        let path = directory.path().join(folder);
        std::fs::create_dir(&path).unwrap();
        core.configure(Value::object([(
            "directory",
            Value::from(path.to_str().unwrap()),
        )]))
        .await
        .unwrap();
    }
    let wanted = |content: &str| {
        Value::object([
            ("path", Value::from("a.txt")),
            ("content", Value::from(content)),
        ])
    };
    let (mut in_first, mut in_second) = (first.resource("file_file"), second.resource("file_file"));
    // Stopping one instance leaves the other at work.
    first.stop().await;
    let (of_first, of_second) = tokio::join!(
        in_first.apply(wanted("first")),
        in_second.apply(wanted("second"))
    );
    of_first.unwrap();
    of_second.unwrap();
    let on_disk = |path: &str| std::fs::read_to_string(directory.path().join(path)).unwrap();
    assert_eq!(
        (on_disk("one/a.txt").as_str(), on_disk("two/a.txt").as_str()),
        ("first", "second")
    );
    let error = third
        .resource("file_file")
        .apply(wanted("third"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("The provider is not configured"),
        "{error}"
    );
}

#[test]
fn started_by_hand_it_says_what_it_is() {
    let output = Command::new(provider())
        .env_remove("TF_PLUGIN_MAGIC_COOKIE")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("registry.terraform.io/example/file"),
        "{message}"
    );
}

#[tokio::test]
async fn an_interrupt_of_a_debugged_provider_stops_what_runs() {
    let directory = tempfile::tempdir().unwrap();
    let (mut attached, socket) = debug(directory.path());
    let mut core = Core::attach(&socket).await;
    core.configure(Value::object([(
        "directory",
        Value::from(directory.path().to_str().unwrap()),
    )]))
    .await
    .unwrap();
    let mut file = core.resource("file_file");
    let waiting = Value::object([
        ("path", Value::from("later/a.txt")),
        ("content", Value::from("x")),
        ("wait_for_directory", Value::from(true)),
    ]);
    let pid = attached.0.id().to_string();
    let interrupt = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.unwrap().success());
    };
    let (applied, ()) = tokio::join!(file.apply(waiting), interrupt);
    let error = applied.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("but the operation was stopped by the user."),
        "{error}"
    );
    drop((file, core));
    assert!(attached.0.wait().unwrap().success());
}
