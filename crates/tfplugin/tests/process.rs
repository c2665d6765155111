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
    PATH.get_or_init(|| example("file_provider"))
}

fn example(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").expect("the tests run under cargo");
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--package", "tfplugin"])
        .args(["--example", name, "--message-format=json"])
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
            .contains("Set exactly one of `content`, `sensitive_content`, `content_wo`.")
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

/// A directory with a configuration, the provider and a place for files.
struct Workspace {
    directory: tempfile::TempDir,
    terraform: String,
}

/// What each configuration begins with.
const PROVIDER: &str = r#"
terraform {
  required_providers { file = { source = "example.com/example/file" } }
}
variable "directory" {}
provider "file" { directory = var.directory }
"#;

const APPLY: [&str; 4] = ["apply", "-no-color", "-input=false", "-auto-approve"];

impl Workspace {
    /// A workspace for the example provider.
    fn new(configuration: &str) -> Self {
        let configuration = format!("{PROVIDER}{configuration}");
        Self::of(provider(), "file", &configuration, None)
    }

    fn of(
        binary: &Path,
        provider: &str,
        configuration: &str,
        cli_configuration: Option<&str>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for folder in ["bin", "files", "configuration"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        let installed = root.join(format!("bin/terraform-provider-{provider}"));
        std::fs::copy(binary, installed).unwrap();
        std::fs::write(root.join("configuration/main.tf"), configuration).unwrap();
        let overrides = cli_configuration.map_or_else(
            || {
                format!(
                    "provider_installation {{\n  dev_overrides {{\n    \
                     \"example.com/example/{provider}\" = {:?}\n  }}\n  direct {{}}\n}}\n",
                    root.join("bin")
                )
            },
            |text| {
                text.replace(
                    "/path/to/terraform-provider-greeting/target/debug",
                    root.join("bin").to_str().unwrap(),
                )
            },
        );
        std::fs::write(root.join("terraform.rc"), overrides).unwrap();
        let terraform = std::env::var("TF_BINARY").unwrap_or_else(|_| "terraform".to_owned());
        Self {
            directory,
            terraform,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join("files").join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let root = self.directory.path();
        let mut command = Command::new(&self.terraform);
        command
            .current_dir(root.join("configuration"))
            .args(arguments)
            .env("TF_CLI_CONFIG_FILE", root.join("terraform.rc"))
            .env("TF_VAR_directory", root.join("files"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}\n{text}\n{errors}");
        text
    }

    /// What the command says on stderr when it fails.
    fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn assert_plan_is_empty(&self) {
        let output = self.run(&["plan", "-no-color", "-input=false", "-detailed-exitcode"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{text}");
    }

    fn destroy(&self) {
        self.succeed(&["destroy", "-no-color", "-input=false", "-auto-approve"]);
        assert_eq!(std::fs::read_dir(self.file("")).unwrap().count(), 0);
    }

    /// Replaces the state by one with these objects: type, schema version and attributes.
    fn set_state(&self, objects: &[(&str, u64, serde_json::Value)]) {
        let resources: Vec<serde_json::Value> = objects
            .iter()
            .map(|(type_name, version, attributes)| {
                serde_json::json!({
                    "mode": "managed",
                    "type": type_name,
                    "name": "old",
                    "provider": "provider[\"example.com/example/file\"]",
                    "instances": [{ "schema_version": version, "attributes": attributes }],
                })
            })
            .collect();
        let state = serde_json::json!({
            "version": 4,
            "terraform_version": "1.11.0",
            "serial": 1,
            "lineage": "aa6cd3d5-5b40-4d6c-9a2c-4e2f7b6f1c11",
            "outputs": {},
            "resources": resources,
        });
        let path = self
            .directory
            .path()
            .join("configuration/terraform.tfstate");
        std::fs::write(path, state.to_string()).unwrap();
    }

    fn state(&self) -> serde_json::Value {
        let path = self
            .directory
            .path()
            .join("configuration/terraform.tfstate");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Whether this Core knows resource identity, which both have from version 1.12 on.
    fn has_identity(&self) -> bool {
        let version: serde_json::Value =
            serde_json::from_str(&self.succeed(&["version", "-json"])).unwrap();
        let version = version["terraform_version"].as_str().unwrap().to_owned();
        let minor = version.split('.').nth(1).unwrap();
        minor.parse::<u32>().unwrap() >= 12
    }
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn resources_under_a_real_core() {
    let workspace = Workspace::new(
        r#"
variable "content" { default = "hello" }
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
"#,
    );
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("2 added, 0 changed, 0 destroyed"), "{text}");
    assert_eq!(workspace.read("first.txt"), "hello");
    let first = workspace.file("first.txt");
    assert_eq!(workspace.read("second.txt"), first.to_str().unwrap());
    workspace.assert_plan_is_empty();

    let mut changed = APPLY.to_vec();
    changed.push("-var=content=changed");
    let text = workspace.succeed(&changed);
    assert!(text.contains("0 added, 1 changed, 0 destroyed"), "{text}");

    // Drift is repaired: the file that is gone comes back.
    std::fs::remove_file(workspace.file("second.txt")).unwrap();
    let text = workspace.succeed(&changed);
    assert!(text.contains("1 added, 0 changed, 0 destroyed"), "{text}");

    workspace.destroy();
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn functions_under_a_real_core() {
    let workspace = Workspace::new(
        r#"
variable "part" { default = "c.txt" }
resource "file_file" "named" {
  path    = "${provider::file::base_name("/a/b.txt")}"
  content = provider::file::join("/a", "b", var.part)
}
output "unknown" { value = provider::file::base_name(file_file.named.id) }
"#,
    );
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("unknown = \"b.txt\""), "{text}");
    assert_eq!(workspace.read("b.txt"), "/a/b/c.txt");
    workspace.assert_plan_is_empty();
    let error = workspace.fail(&["plan", "-no-color", "-var=part=/c"]);
    // The argument with its number is what the function said.
    assert!(
        error.contains("\"parts\" parameter") && error.contains("must not begin with /"),
        "{error}"
    );
    workspace.destroy();
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn an_ephemeral_resource_and_a_write_only_attribute_under_a_real_core() {
    let workspace = Workspace::new(
        r#"
ephemeral "file_lock" "run" { path = "run.lock" }
resource "file_file" "secret" {
  path               = "secret.txt"
  content_wo         = ephemeral.file_lock.run.token
  content_wo_version = 1
}
"#,
    );
    workspace.succeed(&APPLY);
    assert!(!workspace.file("run.lock").exists(), "the lock is closed");
    let token = workspace.read("secret.txt");
    assert!(token.contains('-'), "{token}");
    let state = workspace.state().to_string();
    assert!(!state.contains(&token), "a write-only value is not stored");
    workspace.assert_plan_is_empty();
    assert_eq!(workspace.read("secret.txt"), token);

    std::fs::write(workspace.file("run.lock"), "somebody").unwrap();
    let error = workspace.fail(&["plan", "-no-color"]);
    assert!(error.contains("another run holds the lock"), "{error}");
    assert!(
        error.contains("remove the file when there is none."),
        "the hint: {error}"
    );
    std::fs::remove_file(workspace.file("run.lock")).unwrap();
    workspace.destroy();
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn an_ephemeral_resource_is_renewed_under_a_real_core() {
    let workspace = Workspace::new(
        r#"
ephemeral "file_lock" "run" {
  path          = "run.lock"
  renew_seconds = 1
}
resource "file_file" "late" {
  path               = "later/late.txt"
  wait_for_directory = true
  content_wo         = ephemeral.file_lock.run.token
}
"#,
    );
    let child = workspace
        .command(&APPLY)
        .env("TF_LOG_PROVIDER", "DEBUG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The apply waits for the directory while the lock is held.
    std::thread::sleep(std::time::Duration::from_secs(5));
    std::fs::create_dir(workspace.file("later")).unwrap();
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(log.contains("renewed the lock"), "{log}");
    assert!(!workspace.file("run.lock").exists(), "the lock is closed");
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn older_states_and_other_types_under_a_real_core() {
    let workspace = Workspace::new(
        r#"
resource "file_file" "old" {
  path    = "old.txt"
  content = "old"
}
resource "file_file" "moved" {
  path        = "moved.txt"
  content     = "moved"
  permissions = "0600"
}
moved {
  from = file_text.old
  to   = file_file.moved
}
"#,
    );
    for name in ["old", "moved"] {
        std::fs::write(workspace.file(&format!("{name}.txt")), name).unwrap();
    }
    let attributes = |name: &str, mode: u32| {
        serde_json::json!({
            "path": format!("{name}.txt"),
            "content": name,
            "mode": mode,
            "id": workspace.file(&format!("{name}.txt")),
            "gone": [1, 2],
        })
    };
    workspace.set_state(&[
        ("file_file", 0, attributes("old", 644)),
        ("file_text", 0, attributes("moved", 644)),
    ]);
    // The files are as the state says, so only the permissions that are wanted are new.
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("0 added, 1 changed, 0 destroyed"), "{text}");
    assert!(text.contains("file_file.moved: Modif"), "{text}");
    workspace.assert_plan_is_empty();
    workspace.destroy();
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn identities_under_a_real_core() {
    let workspace = Workspace::new("");
    if !workspace.has_identity() {
        // Terraform 1.11 refuses the configuration below; what it can do is tested above.
        return;
    }
    let path = workspace.file("here.txt");
    std::fs::write(&path, "here").unwrap();
    let configuration = |identity: &Path| {
        format!(
            r#"{PROVIDER}
variable "content" {{ default = "here" }}
import {{
  to       = file_file.imported
  identity = {{ path = {identity:?} }}
}}
resource "file_file" "imported" {{
  path    = {path:?}
  content = var.content
}}
"#
        )
    };
    let main = workspace.directory.path().join("configuration/main.tf");
    std::fs::write(&main, configuration(Path::new("here.txt"))).unwrap();
    let error = workspace.fail(&["plan", "-no-color"]);
    assert!(error.contains("an identity holds the whole"), "{error}");

    std::fs::write(&main, configuration(&path)).unwrap();
    let identity = || {
        let state = workspace.state();
        state["resources"][0]["instances"][0]["identity"].clone()
    };
    let expected = serde_json::json!({ "path": path });
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("1 imported, 0 added, 0 changed"), "{text}");
    assert_eq!(identity(), expected);
    workspace.assert_plan_is_empty();
    let mut changed = APPLY.to_vec();
    changed.push("-var=content=changed");
    let text = workspace.succeed(&changed);
    assert!(text.contains("0 added, 1 changed, 0 destroyed"), "{text}");
    assert_eq!(identity(), expected);
    workspace.destroy();
}

/// The blocks of the README in this language.
fn readme_blocks(language: &str) -> Vec<&'static str> {
    include_str!("../README.md")
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .collect()
}

#[test]
fn the_readme_shows_the_example() {
    let code = readme_blocks("rust,no_run");
    let example = include_str!("../examples/greeting.rs");
    assert!(
        matches!(code[..], [code] if example.ends_with(code)),
        "README.md and examples/greeting.rs differ"
    );
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn the_readme_under_a_real_core() {
    let [cli_configuration, configuration] = readme_blocks("hcl")[..] else {
        panic!("the README has two blocks of configuration");
    };
    let workspace = Workspace::of(
        &example("greeting"),
        "greeting",
        configuration,
        Some(cli_configuration),
    );
    workspace.succeed(&["plan", "-no-color"]);
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("text = \"Hello world!\""), "{text}");
    workspace.assert_plan_is_empty();
}
