//! What the acceptance tests and `cargo xtask demo` share: the provider binary in a filesystem
//! mirror, the Core binary (Terraform or OpenTofu) that runs it, and a workspace to run it in.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

pub mod crash;
pub mod scenario;

/// The provider's source address without a host: both registries' hosts are in the mirror.
pub const PROVIDER_SOURCE: &str = "devopsgenie/devopsgenie";

/// Hosts that Terraform and OpenTofu put before [`PROVIDER_SOURCE`].
const REGISTRY_HOSTS: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

/// What to ask AWS, and the part of the answer that has to be an empty list, before an account
/// counts as empty: everything that our resources can leave behind.
pub const EMPTY_ACCOUNT: [(&[&str], &str); 4] = [
    (&["eks", "list-clusters"], "clusters"),
    (
        &["iam", "list-roles"],
        "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName",
    ),
    (
        &["iam", "list-open-id-connect-providers"],
        "OpenIDConnectProviderList[].Arn",
    ),
    (
        &["ec2", "describe-security-groups"],
        "SecurityGroups[?GroupName!='default'].GroupName",
    ),
];

/// The oldest Terraform and OpenTofu that know write-only attributes.
const OLDEST_CORE: (u32, u32) = (1, 11);

/// The root of the workspace that this crate was built from.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .unwrap_or(manifest)
        .to_path_buf()
}

/// Builds the provider with cargo and returns the path of its binary.
///
/// # Errors
/// When cargo cannot be run, or the build fails (its messages go to stderr).
pub fn build_provider(release: bool) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace_root())
        .args([
            "build",
            "--quiet",
            // With the features of the whole workspace, as the tests are built: its dependencies are
            // then compiled once.
            "--workspace",
            "--bin",
            "terraform-provider-devopsgenie",
        ])
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if release {
        command.arg("--release");
    }
    let output = command.output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the provider does not build ({})", output.status);
    }
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| message["target"]["name"] == "terraform-provider-devopsgenie")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built the provider and named no executable")
}

/// The provider binary of this test run, built once.
///
/// # Errors
/// As [`build_provider`].
pub fn provider_binary() -> Result<&'static Path> {
    static BINARY: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    BINARY
        .get_or_init(|| build_provider(false).map_err(|error| format!("{error:#}")))
        .as_deref()
        .map_err(|message| anyhow::anyhow!("{message}"))
}

/// Ends every process of the provider `binary` that works against `endpoint` with SIGKILL, and
/// returns when they are dead. How many there were.
pub fn kill_providers(binary: &Path, endpoint: &str) -> usize {
    let running = |process: &Path| {
        // A zombie has no executable any more.
        std::fs::read_link(process.join("exe")).is_ok_and(|executable| executable == binary)
            && std::fs::read(process.join("environ"))
                .is_ok_and(|environment| String::from_utf8_lossy(&environment).contains(endpoint))
    };
    let processes: Vec<PathBuf> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|process| running(process))
        .collect();
    for process in &processes {
        let id = process.file_name().unwrap_or_default();
        let _ = Command::new("kill").arg("-9").arg(id).status();
    }
    while processes.iter().any(|process| running(process)) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    processes.len()
}

/// Lays out a filesystem mirror with the provider in it, and writes the CLI configuration file
/// that makes plain `init` take the provider from there and nowhere else.
///
/// Returns the path of the CLI configuration file.
///
/// # Errors
/// When a file or link cannot be made.
pub fn write_mirror(directory: &Path, provider: &Path) -> Result<PathBuf> {
    let version = env!("CARGO_PKG_VERSION");
    let mirror = directory.join("mirror");
    for host in REGISTRY_HOSTS {
        let package = mirror
            .join(host)
            .join(PROVIDER_SOURCE)
            .join(version)
            .join(format!("{}_{}", go_os(), go_architecture()));
        std::fs::create_dir_all(&package)
            .with_context(|| format!("cannot make {}", package.display()))?;
        let link = package.join(format!("terraform-provider-devopsgenie_v{version}"));
        if link.is_symlink() {
            std::fs::remove_file(&link)?;
        }
        std::os::unix::fs::symlink(provider, &link)
            .with_context(|| format!("cannot link {}", link.display()))?;
    }
    let configuration = directory.join("terraform.tfrc");
    std::fs::write(
        &configuration,
        format!(
            "disable_checkpoint = true\n\nprovider_installation {{\n  filesystem_mirror {{\n    \
             path    = \"{}\"\n    include = [\"registry.terraform.io/{PROVIDER_SOURCE}\", \
             \"registry.opentofu.org/{PROVIDER_SOURCE}\"]\n  }}\n}}\n",
            mirror.display()
        ),
    )?;
    Ok(configuration)
}

fn go_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

fn go_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Terraform or OpenTofu, as a binary.
#[derive(Clone, Debug)]
pub struct Core {
    /// The binary.
    pub path: PathBuf,
    /// What it prints of itself, such as `Terraform v1.11.4`.
    pub version: String,
}

impl Core {
    /// The binary at `path`, asked for its version.
    ///
    /// # Errors
    /// When it cannot be run, is neither Terraform nor OpenTofu, or is too old for the provider.
    pub fn at(path: &Path) -> Result<Self> {
        let output = Command::new(path)
            .arg("version")
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().next().unwrap_or_default().to_owned();
        match minor_version(&version).filter(|_| output.status.success()) {
            Some(found) if found >= OLDEST_CORE => Ok(Self {
                path: path.to_path_buf(),
                version,
            }),
            Some(_) => bail!(
                "{} is {version}; the provider's write-only attributes need 1.11 or newer",
                path.display()
            ),
            None => bail!(
                "{} is neither Terraform nor OpenTofu: `version` printed {version:?} and ended with {}",
                path.display(),
                output.status
            ),
        }
    }

    /// Terraform: the binary of `DEVOPSGENIE_TERRAFORM`, else `terraform` on PATH, if there is one.
    ///
    /// # Errors
    /// As [`Core::at`].
    pub fn terraform() -> Result<Option<Self>> {
        std::env::var_os("DEVOPSGENIE_TERRAFORM")
            .map(PathBuf::from)
            .or_else(|| find_on_path("terraform"))
            .map(|path| Self::at(&path))
            .transpose()
    }

    /// OpenTofu as the lab builds it from its Go module, on first use.
    ///
    /// # Errors
    /// When the build fails.
    pub fn opentofu() -> Result<Self> {
        Self::at(&devopsgenie_lab::Toolbox::new()?.opentofu()?)
    }

    /// The binary of `DEVOPSGENIE_TERRAFORM`, else `terraform` on PATH, else OpenTofu.
    ///
    /// # Errors
    /// When none can be run or built.
    pub fn default_binary() -> Result<Self> {
        match Self::terraform()? {
            Some(core) => Ok(core),
            None => Self::opentofu(),
        }
    }
}

/// Major and minor version in a line such as `OpenTofu v1.12.6`.
fn minor_version(line: &str) -> Option<(u32, u32)> {
    let (_, version) = line
        .split_once(" v")
        .filter(|(name, _)| ["Terraform", "OpenTofu"].contains(name))?;
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The first file called `name` in the directories of PATH.
#[must_use]
pub fn find_on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// What one run of Core printed and how it ended.
#[derive(Debug)]
pub struct Run {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Standard output and error as one text, for assertions on diagnostics, with the box lines
    /// and line breaks that Core puts into long sentences removed.
    #[must_use]
    pub fn flat(&self) -> String {
        let mut flat = String::new();
        for line in self.stdout.lines().chain(self.stderr.lines()) {
            let line = line.trim_start_matches(['│', '╷', '╵']).trim();
            flat.push_str(line);
            flat.push(' ');
        }
        flat.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Both streams, for a failing assertion.
    #[must_use]
    pub fn text(&self) -> String {
        format!("exit {:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

/// A directory with a configuration, and the environment that Core runs in there.
#[derive(Debug)]
pub struct Workspace {
    /// Where the configuration and the state are.
    pub directory: PathBuf,
    core: Core,
    environment: BTreeMap<String, String>,
}

impl Workspace {
    /// A workspace in `directory`, with the provider installed in a mirror below it.
    ///
    /// The environment is not inherited: only `environment`, PATH, HOME (the directory itself)
    /// and what makes Core quiet.
    ///
    /// # Errors
    /// When the mirror cannot be written.
    pub fn new(
        directory: &Path,
        core: Core,
        provider: &Path,
        environment: BTreeMap<String, String>,
    ) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let tools = directory.join(".devopsgenie");
        std::fs::create_dir_all(&tools)?;
        let configuration = write_mirror(&tools, provider)?;
        let mut variables = BTreeMap::from([
            (
                "TF_CLI_CONFIG_FILE".to_owned(),
                configuration.display().to_string(),
            ),
            ("TF_IN_AUTOMATION".to_owned(), "1".to_owned()),
            ("TF_INPUT".to_owned(), "0".to_owned()),
            ("CHECKPOINT_DISABLE".to_owned(), "1".to_owned()),
            ("HOME".to_owned(), directory.display().to_string()),
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
        ]);
        variables.extend(environment);
        Ok(Self {
            directory: directory.to_path_buf(),
            core,
            environment: variables,
        })
    }

    /// Sets a variable of the environment that Core runs in.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Removes a variable of the environment that Core runs in.
    pub fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// The environment that Core runs in.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Writes a file of the configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.directory.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The command for a run, to be started by the caller.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(&self.core.path);
        command
            .current_dir(&self.directory)
            .env_clear()
            .envs(&self.environment)
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs Core to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Run> {
        let output = self
            .command(arguments)
            .output()
            .with_context(|| format!("cannot run {}", self.core.path.display()))?;
        Ok(Run {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs Core and requires the exit code 0.
    ///
    /// # Errors
    /// When it ends otherwise; the error holds all that it printed.
    pub fn ok<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Run> {
        let run = self.run(arguments)?;
        if run.code != Some(0) {
            let arguments: Vec<_> = arguments
                .iter()
                .map(|argument| argument.as_ref().to_string_lossy())
                .collect();
            bail!(
                "{} {}: {}",
                self.core.version,
                arguments.join(" "),
                run.text()
            );
        }
        Ok(run)
    }

    /// Starts Core with its output captured, for tests that act while it runs.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Child> {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.core.path.display()))
    }

    /// `show -json` of the state.
    ///
    /// # Errors
    /// When Core fails or its answer is not JSON.
    pub fn state(&self) -> Result<serde_json::Value> {
        let run = self.ok(&["show", "-json"])?;
        serde_json::from_str(&run.stdout).context("the state is not JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::minor_version;

    #[test]
    fn versions_that_cores_print() {
        let table = [
            ("Terraform v1.11.4", Some((1, 11))),
            ("OpenTofu v1.12.6", Some((1, 12))),
            ("Terraform v1.17.0-dev", Some((1, 17))),
            ("Terraform", None),
            ("GNU bash, version 5.2", None),
            ("", None),
        ];
        for (line, expected) in table {
            assert_eq!(minor_version(line), expected, "{line}");
        }
    }
}
