//! Under a real Terraform or OpenTofu.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::provider;

/// A directory with a configuration, the provider and a place for files.
pub struct Workspace {
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

pub const APPLY: [&str; 4] = ["apply", "-no-color", "-input=false", "-auto-approve"];

impl Workspace {
    /// A workspace for the example provider.
    fn new(configuration: &str) -> Self {
        let configuration = format!("{PROVIDER}{configuration}");
        Self::of(provider(), "file", &configuration, None)
    }

    pub fn of(
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

    pub fn succeed(&self, arguments: &[&str]) -> String {
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

    pub fn assert_plan_is_empty(&self) {
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
                let provider = match *type_name {
                    "terraform_data" => "terraform.io/builtin/terraform",
                    _ => "example.com/example/file",
                };
                serde_json::json!({
                    "mode": "managed",
                    "type": type_name,
                    "name": "old",
                    "provider": format!("provider[{provider:?}]"),
                    "instances": [{ "schema_version": version, "attributes": attributes }],
                })
            })
            .collect();
        self.write_state(&resources);
    }

    fn write_state(&self, resources: &[serde_json::Value]) {
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
output "none" { value = provider::file::count(null) }
output "count" { value = provider::file::count([file_file.named.id, "/b"]) }
output "counted_later" {
  value = provider::file::count(file_file.named.id == "" ? [] : ["/b"])
}
"#,
    );
    // The elements are not known in the plan; how many there are is.
    let text = workspace.succeed(&["plan", "-no-color", "-input=false"]);
    for planned in [
        "count         = 2",
        "none          = 0",
        "counted_later = (known",
    ] {
        assert!(text.contains(planned), "{planned} in {text}");
    }
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("counted_later = 1"), "{text}");
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
fn an_object_of_another_provider_under_a_real_core() {
    let workspace = Workspace::new(
        r#"
resource "file_file" "moved" {
  path    = "moved.txt"
  content = "moved"
}
moved {
  from = terraform_data.old
  to   = file_file.moved
}
"#,
    );
    let data = |input: serde_json::Value| {
        let input = serde_json::json!({ "value": input, "type": "string" });
        let attributes = serde_json::json!({ "id": "an-id", "input": input, "output": input });
        [("terraform_data", 0, attributes)]
    };
    workspace.set_state(&data(serde_json::Value::Null));
    let error = workspace.fail(&["plan", "-no-color"]);
    assert!(error.contains("is not the path of a file"), "{error}");

    std::fs::write(workspace.file("moved.txt"), "moved").unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(workspace.file("moved.txt"), permissions).unwrap();
    workspace.set_state(&data("moved.txt".into()));
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("0 added, 0 changed, 0 destroyed"), "{text}");
    workspace.assert_plan_is_empty();
    workspace.destroy();
}

/// The provider that the test `peer` compares with one on HashiCorp's framework.
#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn blocks_and_dynamic_attributes_under_a_real_core() {
    let configuration = r#"
terraform {
  required_providers { peer = { source = "example.com/example/peer" } }
}
variable "changed" { default = false }
resource "peer_thing" "thing" {
  name     = "thing"
  anything = jsondecode(var.changed ? "{\"list\": [1, 2]}" : "\"text\"")
  zones    = ["a", "b"]
  settings = { mode = "fast" }
  rules    = [for port in range(1, var.changed ? 3 : 2) : { port = port }]
  groups   = { a = { minimum = 1 }, b = { minimum = 2, maximum = 3 } }
  steps    = [{ run = "a" }]
  dynamic "disk" {
    for_each = var.changed ? ["a", "b"] : ["a"]
    content {
      size = 1
      part { mount = disk.value }
    }
  }
  network { cidr = "10.0.0.0/8" }
}
output "anything" { value = peer_thing.thing.anything }
output "paths" { value = peer_thing.thing.disk[*].path }
"#;
    let binary = crate::example::example("peer_provider");
    let workspace = Workspace::of(&binary, "peer", configuration, None);
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("1 added, 0 changed, 0 destroyed"), "{text}");
    workspace.assert_plan_is_empty();
    let mut changed = APPLY.to_vec();
    changed.push("-var=changed=true");
    let text = workspace.succeed(&changed);
    assert!(text.contains("0 added, 1 changed, 0 destroyed"), "{text}");
    let text = workspace.succeed(&changed);
    assert!(text.contains("0 added, 0 changed, 0 destroyed"), "{text}");

    // A state from before the blocks were in the schema is not a change.
    let mut state = workspace.state();
    let attributes = state["resources"][0]["instances"][0]["attributes"]
        .as_object_mut()
        .unwrap();
    assert!(attributes.remove("disk").is_some());
    let path = workspace.directory.path();
    let path = path.join("configuration/terraform.tfstate");
    std::fs::write(path, state.to_string()).unwrap();
    let main = workspace.directory.path().join("configuration/main.tf");
    let begin = configuration.find("  dynamic \"disk\"").unwrap();
    let end = configuration.find("  network").unwrap();
    let without = format!("{}{}", &configuration[..begin], &configuration[end..]);
    std::fs::write(main, without).unwrap();
    // A refresh would hide it: Core corrects what a read answers, and nothing else.
    changed.push("-refresh=false");
    let text = workspace.succeed(&changed);
    assert!(text.contains("0 added, 0 changed, 0 destroyed"), "{text}");
    workspace.destroy();
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn failures_replacements_and_imports_under_a_real_core() {
    let configuration = r#"
terraform {
  required_providers { peer = { source = "example.com/example/peer" } }
}
variable "name" { default = "a" }
variable "label" {}
variable "size" { default = 5 }
resource "peer_thing" "thing" {
  name     = var.name
  label    = var.label
  size     = var.size
  password = "not stored"
}
"#;
    let binary = crate::example::example("peer_provider");
    let workspace = Workspace::of(&binary, "peer", configuration, None);
    let apply = |variables: &[&'static str]| {
        let mut arguments = APPLY.to_vec();
        arguments.extend(variables);
        arguments
    };
    let instance = || workspace.state()["resources"][0]["instances"][0].clone();

    let error = workspace.fail(&apply(&["-var=label=half", "-var=name=b"]));
    assert!(error.contains("Told to fail"), "{error}");
    assert!(
        error.contains("in resource \"peer_thing\" \"thing\""),
        "{error}"
    );
    assert_eq!(instance()["status"], "tainted");
    let text = workspace.succeed(&apply(&["-var=label=private", "-var=name=b"]));
    assert!(text.contains("1 added, 0 changed, 1 destroyed"), "{text}");
    assert!(instance()["private"].is_string(), "{}", instance());
    assert!(!instance().to_string().contains("not stored"));

    // name, by `requires_replace`; size, by `requires_replace_if`; label, by the resource's plan.
    for variables in [
        ["-var=label=b", "-var=size=5"],
        ["-var=label=b", "-var=size=4"],
        ["-var=label=plan-replaces", "-var=size=4"],
    ] {
        let text = workspace.succeed(&apply(&variables));
        assert!(text.contains("1 added, 0 changed, 1 destroyed"), "{text}");
    }
    let text = workspace.succeed(&apply(&["-var=label=c", "-var=size=5"]));
    assert!(text.contains("0 added, 1 changed, 0 destroyed"), "{text}");

    let _ = workspace.fail(&apply(&["-var=label=fails"]));
    assert_eq!(instance()["attributes"]["label"], "c");
    let error = workspace.fail(&apply(&["-var=label=plan-fails"]));
    assert!(error.contains("Told to fail"), "{error}");
    let text = workspace.succeed(&apply(&["-var=label=plan-warns"]));
    assert!(text.contains("Told to warn"), "{text}");
    let text = workspace.succeed(&apply(&["-var=label=protected"]));
    assert!(text.contains("0 added, 1 changed, 0 destroyed"), "{text}");
    let destroy = ["destroy", "-no-color", "-auto-approve", "-var=label=x"];
    let error = workspace.fail(&destroy);
    assert!(error.contains("Protected"), "{error}");
    workspace.succeed(&apply(&["-var=label=x"]));

    workspace.succeed(&["state", "rm", "peer_thing.thing"]);
    let import = [
        "import",
        "-no-color",
        "-input=false",
        "-var=label=x",
        "peer_thing.thing",
    ];
    let error = workspace.fail(&[&import[..], &["none"]].concat());
    assert!(error.contains("There is none"), "{error}");
    workspace.succeed(&[&import[..], &["private"]].concat());
    assert_eq!(instance()["attributes"]["name"], "private");
    assert_eq!(instance()["attributes"]["disk"], serde_json::json!([]));
    assert!(instance()["private"].is_string(), "{}", instance());
    workspace.succeed(&destroy);
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

    // An identity of the schema's first version.
    let mut resources = workspace.state()["resources"].as_array().unwrap().clone();
    let instance = &mut resources[0]["instances"][0];
    assert_eq!(instance["identity_schema_version"], 1);
    instance["identity_schema_version"] = 0.into();
    instance["identity"] = serde_json::json!({ "file": path });
    workspace.write_state(&resources);
    let text = workspace.succeed(&changed);
    assert!(text.contains("0 added, 0 changed, 0 destroyed"), "{text}");
    assert_eq!(identity(), expected);
    workspace.destroy();
}
