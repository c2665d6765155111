//! The example provider as a process of its own: over the real socket with mutual TLS, and under
//! the real Terraform.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tfplugin::cty::Value;
use tfplugin::testing::{Action, Core};

/// Path of the example provider, which cargo builds unless it is fresh.
fn provider() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").expect("the tests run under cargo");
        let output = Command::new(cargo)
            .args(["build", "--quiet", "--package", "tfplugin"])
            .args(["--example", "file_provider", "--message-format=json"])
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        assert!(output.status.success(), "the example does not build");
        let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
        let executable = messages.lines().rev().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message["executable"].as_str()?))
        });
        executable.expect("cargo names the executable")
    })
}

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
            .contains("Set exactly one of `content`, `sensitive_content`.")
    );
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

/// Kills a provider that was started with `--debug`.
struct Attached(std::process::Child);

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn each_connection_of_a_debugged_provider_has_its_own_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(provider())
        .arg("--debug")
        .env("TMPDIR", directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let _attached = Attached(child);
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

    let mut first = Core::attach(socket).await;
    let mut second = Core::attach(socket).await;
    let third = Core::attach(socket).await;
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

/// A directory with a configuration, a file mirror of the provider and a place for files.
struct Workspace {
    directory: tempfile::TempDir,
    terraform: String,
}

const CONFIGURATION: &str = r#"
terraform {
  required_providers { file = { source = "example.com/example/file" } }
}
variable "directory" {}
variable "content" { default = "hello" }
provider "file" { directory = var.directory }
resource "file_file" "first" {
  path    = "first.txt"
  content = var.content
}
resource "file_file" "second" {
  path              = "second.txt"
  sensitive_content = file_file.first.id
}
data "file_content" "second" {
  path       = file_file.second.path
  depends_on = [file_file.second]
}
output "second" { value = data.file_content.second.content }
"#;

impl Workspace {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for folder in ["bin", "files", "configuration"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        std::fs::copy(provider(), root.join("bin/terraform-provider-file")).unwrap();
        std::fs::write(root.join("configuration/main.tf"), CONFIGURATION).unwrap();
        let overrides = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"example.com/example/file\" = {:?}\n  }}\n  direct {{}}\n}}\n",
            root.join("bin")
        );
        std::fs::write(root.join("terraform.rc"), overrides).unwrap();
        let terraform = std::env::var("TF_BINARY").unwrap_or_else(|_| "terraform".to_owned());
        Self {
            directory,
            terraform,
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let root = self.directory.path();
        Command::new(&self.terraform)
            .current_dir(root.join("configuration"))
            .args(arguments)
            .env("TF_CLI_CONFIG_FILE", root.join("terraform.rc"))
            .env("TF_VAR_directory", root.join("files"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .output()
            .unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}\n{text}\n{errors}");
        text
    }

    fn assert_plan_is_empty(&self) {
        let output = self.run(&["plan", "-no-color", "-input=false", "-detailed-exitcode"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{text}");
    }
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn the_real_terraform() {
    let workspace = Workspace::new();
    let file = |name: &str| workspace.directory.path().join("files").join(name);
    let apply = ["apply", "-no-color", "-input=false", "-auto-approve"];

    let text = workspace.succeed(&apply);
    assert!(text.contains("2 added, 0 changed, 0 destroyed"), "{text}");
    assert_eq!(std::fs::read_to_string(file("first.txt")).unwrap(), "hello");
    assert_eq!(
        std::fs::read_to_string(file("second.txt")).unwrap(),
        file("first.txt").to_str().unwrap()
    );
    workspace.assert_plan_is_empty();

    let mut changed = apply.to_vec();
    changed.push("-var=content=changed");
    let text = workspace.succeed(&changed);
    assert!(text.contains("0 added, 1 changed, 0 destroyed"), "{text}");

    // Drift is repaired: the file that is gone comes back.
    std::fs::remove_file(file("second.txt")).unwrap();
    let text = workspace.succeed(&changed);
    assert!(text.contains("1 added, 0 changed, 0 destroyed"), "{text}");

    workspace.succeed(&["destroy", "-no-color", "-input=false", "-auto-approve"]);
    assert_eq!(std::fs::read_dir(file("")).unwrap().count(), 0);
}
