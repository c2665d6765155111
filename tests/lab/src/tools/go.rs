//! Tools built from pinned Go modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{announce, fingerprint, lock, pins};
use crate::LabError;
use crate::process::ProcessGroup;

/// A Go module whose `tool` lines name what is built from it.
pub(super) struct GoTool {
    /// Directory below `tools/`, and the first part of the cache entry's name.
    pub directory: &'static str,
    /// The module whose version is the tool's.
    module: &'static str,
    /// Packages and the names of their binaries.
    programs: &'static [(&'static str, &'static str)],
    /// Go string variables that carry the version; `{major}`, `{minor}` and `{version}` are
    /// filled in. Kubernetes reports these from `/version` and decides compatibility by them.
    version_variables: &'static [(&'static str, &'static str)],
    /// Measured on two cores with empty caches.
    usually: &'static str,
}

pub(super) const KUBERNETES: GoTool = GoTool {
    directory: "kubernetes",
    module: "k8s.io/kubernetes",
    programs: &[
        ("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver"),
        (
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            "kube-controller-manager",
        ),
        ("k8s.io/kubernetes/cmd/kube-scheduler", "kube-scheduler"),
        ("k8s.io/kubernetes/cmd/kubectl", "kubectl"),
    ],
    version_variables: &[
        ("k8s.io/component-base/version.gitVersion", "{version}"),
        ("k8s.io/component-base/version.gitMajor", "{major}"),
        ("k8s.io/component-base/version.gitMinor", "{minor}"),
        ("k8s.io/client-go/pkg/version.gitVersion", "{version}"),
    ],
    usually: "about 7 minutes on 2 cores, and a download",
};

pub(super) const ETCD: GoTool = GoTool {
    directory: "etcd",
    module: "go.etcd.io/etcd/server/v3",
    programs: &[("go.etcd.io/etcd/server/v3", "etcd")],
    version_variables: &[],
    usually: "about a minute on 2 cores",
};

pub(super) const KWOK: GoTool = GoTool {
    directory: "kwok",
    module: "sigs.k8s.io/kwok",
    programs: &[("sigs.k8s.io/kwok/cmd/kwok", "kwok")],
    version_variables: &[],
    usually: "about 2 minutes on 2 cores",
};

pub(super) const OPENTOFU: GoTool = GoTool {
    directory: "opentofu",
    module: "github.com/opentofu/opentofu",
    programs: &[("github.com/opentofu/opentofu/cmd/tofu", "tofu")],
    version_variables: &[],
    usually: "about 4 minutes on 2 cores, and a download",
};

/// A built tool.
pub(super) struct Built {
    /// Where its programs are.
    pub directory: PathBuf,
    /// Its version without the `v`.
    pub version: String,
}

/// `-trimpath` and no VCS stamp, so that the binaries and the Go build cache do not depend on
/// where the checkout is.
const FLAGS: &str = "-trimpath -buildvcs=false";

fn go(directory: &Path) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(directory)
        .env("GOFLAGS", FLAGS)
        .env("GOWORK", "off");
    command
}

/// The version the tool's `go.mod` requires, without the `v`.
pub(super) fn pinned_version(tool: &GoTool) -> Result<String, LabError> {
    let path = pins().join(tool.directory).join("go.mod");
    let text =
        fs::read_to_string(&path).map_err(LabError::io(format!("read {}", path.display())))?;
    required_version(&text, tool.module).ok_or_else(|| LabError::NoPin {
        path,
        what: tool.module.to_owned(),
    })
}

fn required_version(go_mod: &str, module: &str) -> Option<String> {
    go_mod.lines().find_map(|line| {
        let line = line.trim();
        let mut words = line
            .strip_prefix("require ")
            .unwrap_or(line)
            .split_whitespace();
        (words.next() == Some(module))
            .then(|| words.next()?.strip_prefix('v').map(str::to_owned))
            .flatten()
    })
}

/// The tool from the cache, built first if it is not there.
pub(super) fn ensure(cache: &Path, tool: &GoTool) -> Result<Built, LabError> {
    let sources = pins().join(tool.directory);
    let version = pinned_version(tool)?;
    let read = |name: &str| {
        let path = sources.join(name);
        fs::read(&path).map_err(LabError::io(format!("read {}", path.display())))
    };
    let linker_flags = linker_flags(tool, &version);
    let go_version = go_version(&sources)?;
    let hash = fingerprint(&[
        &read("go.mod")?,
        &read("go.sum")?,
        FLAGS.as_bytes(),
        linker_flags.as_bytes(),
        &go_version,
    ]);
    let entry = format!("{}-{version}-{hash}", tool.directory);
    let directory = cache.join(&entry);
    if !directory.exists() {
        let _lock = lock(cache, &entry)?;
        // Another process may have built it while this one waited for the lock.
        if !directory.exists() {
            build(cache, tool, &sources, &version, &linker_flags, &directory)?;
        }
    }
    Ok(Built { directory, version })
}

fn linker_flags(tool: &GoTool, version: &str) -> String {
    let mut parts = version.split('.');
    let major = parts.next().unwrap_or_default();
    let minor = parts.next().unwrap_or_default();
    let mut flags = "-s -w".to_owned();
    for (variable, value) in tool.version_variables {
        let value = value
            .replace("{version}", &format!("v{version}"))
            .replace("{major}", major)
            .replace("{minor}", minor);
        flags.push_str(&format!(" -X {variable}={value}"));
    }
    flags
}

/// The toolchain that `go` selects in the module's directory, with its platform, and whether cgo
/// is used: both change the binary.
fn go_version(sources: &Path) -> Result<Vec<u8>, LabError> {
    let run =
        |arguments: &[&str]| {
            let output = go(sources).args(arguments).output().map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                LabError::MissingProgram {
                    program: "go",
                    needed_for: "the lab builds Kubernetes with it",
                    advice: "install Go 1.26 or newer from https://go.dev/dl/ or your distribution",
                }
            } else {
                LabError::Io { what: "run `go`".to_owned(), source }
            }
        })?;
            if output.status.success() {
                Ok(output.stdout)
            } else {
                Err(LabError::Command {
                    command: format!("go {}", arguments.join(" ")),
                    status: output.status.to_string(),
                    output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                })
            }
        };
    let mut answer = run(&["version"])?;
    answer.extend(run(&["env", "CGO_ENABLED"])?);
    Ok(answer)
}

fn build(
    cache: &Path,
    tool: &GoTool,
    sources: &Path,
    version: &str,
    linker_flags: &str,
    directory: &Path,
) -> Result<(), LabError> {
    let done = announce(&format!("{} {version}", tool.directory), tool.usually);
    // In the cache, because a rename must not cross file systems; removed by its own drop, or, when
    // the process was killed, by the next build of the entry, whose lock is held here.
    let prefix = partial_prefix(directory);
    remove_partial(cache, &prefix)?;
    let partial = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(cache)
        .map_err(LabError::io(format!(
            "make a directory in {}",
            cache.display()
        )))?;
    // In a group, so that an interrupted run does not leave a compiler behind.
    let group = ProcessGroup::new("build")?;
    for (package, program) in tool.programs {
        let mut command = go(sources);
        command
            .args(["build", "-ldflags", linker_flags, "-o"])
            .arg(partial.path().join(program))
            .arg(package);
        let mut process = group.spawn_in(sources, &format!("build-{program}"), command)?;
        let status = process.wait()?;
        if !status.success() {
            return Err(LabError::ToolBuild {
                tool: (*program).to_owned(),
                command: format!("go build {package} (in {})", sources.display()),
                status: status.to_string(),
                output: process.log_tail(),
            });
        }
    }
    let partial = partial.keep();
    fs::rename(&partial, directory).map_err(LabError::io(format!(
        "move the build to {}",
        directory.display()
    )))?;
    done();
    Ok(())
}

/// What the names of the unfinished builds of a cache entry begin with.
fn partial_prefix(entry: &Path) -> String {
    let name = entry.file_name().unwrap_or_default().to_string_lossy();
    format!(".partial-{name}-")
}

/// Removes what killed builds left.
fn remove_partial(cache: &Path, prefix: &str) -> Result<(), LabError> {
    let read = || LabError::io(format!("read {}", cache.display()));
    for entry in fs::read_dir(cache).map_err(read())? {
        let entry = entry.map_err(read())?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(LabError::io(format!(
                "remove the unfinished {}",
                path.display()
            )))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_builds_of_the_same_entry_are_removed() {
        let cache = tempfile::tempdir().unwrap();
        let entry = cache.path().join("etcd-3.7.3-0011");
        for name in [
            ".partial-etcd-3.7.3-0011-abc",
            ".partial-etcd-3.7.3-0022-abc",
            "etcd-3.7.3-0022",
        ] {
            fs::create_dir_all(cache.path().join(name).join("bin")).unwrap();
        }
        remove_partial(cache.path(), &partial_prefix(&entry)).unwrap();
        let mut left: Vec<String> = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [".partial-etcd-3.7.3-0022-abc", "etcd-3.7.3-0022"]);
    }

    #[test]
    fn versions_are_read_from_go_mod() {
        for (go_mod, module, expected) in [
            (
                "require k8s.io/kubernetes v1.36.3\n",
                "k8s.io/kubernetes",
                Some("1.36.3"),
            ),
            (
                "require (\n\ta/b v0.1.0 // indirect\n)\n",
                "a/b",
                Some("0.1.0"),
            ),
            ("require k8s.io/kubernetes v1.36.3\n", "k8s.io/kube", None),
            ("tool a/b\n", "a/b", None),
        ] {
            assert_eq!(
                required_version(go_mod, module).as_deref(),
                expected,
                "{go_mod}"
            );
        }
    }

    #[test]
    fn every_tool_is_pinned() {
        for tool in [&KUBERNETES, &ETCD, &KWOK, &OPENTOFU] {
            let go_mod = fs::read_to_string(pins().join(tool.directory).join("go.mod")).unwrap();
            pinned_version(tool).unwrap();
            for (package, _) in tool.programs {
                assert!(go_mod.contains(package), "{package} is no tool of go.mod");
            }
        }
    }

    #[test]
    fn kubernetes_is_told_its_version() {
        assert_eq!(
            linker_flags(&KUBERNETES, "1.36.3"),
            "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 \
             -X k8s.io/component-base/version.gitMajor=1 \
             -X k8s.io/component-base/version.gitMinor=36 \
             -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3"
        );
        assert_eq!(linker_flags(&ETCD, "3.7.3"), "-s -w");
    }
}
