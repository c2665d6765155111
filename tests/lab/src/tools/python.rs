//! moto and the AWS CLI in a virtual environment.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{announce, fingerprint, lock, pins};
use crate::LabError;
use crate::process::ProcessGroup;

/// Exists in an environment that is complete. A virtual environment holds absolute paths, so it
/// cannot be made elsewhere and renamed as the Go tools are.
const COMPLETE: &str = "devopsgenie-complete";

/// The environment from the cache, made first if it is not there.
pub(super) fn ensure(cache: &Path) -> Result<PathBuf, LabError> {
    let requirements = pins().join("python/requirements.txt");
    let text = fs::read_to_string(&requirements)
        .map_err(LabError::io(format!("read {}", requirements.display())))?;
    let moto = pinned(&text, "moto").ok_or_else(|| LabError::NoPin {
        path: requirements.clone(),
        what: "moto".to_owned(),
    })?;
    let interpreter = interpreter()?;
    let hash = fingerprint(&[
        text.as_bytes(),
        &interpreter,
        cache.as_os_str().as_encoded_bytes(),
    ]);
    let entry = format!("python-moto-{moto}-{hash}");
    let directory = cache.join(&entry);
    let complete = directory.join(COMPLETE);
    if !complete.exists() {
        let _lock = lock(cache, &entry)?;
        if !complete.exists() {
            let done = announce(
                &format!("the Python environment of moto {moto} and the AWS CLI"),
                "about a minute, and a download",
            );
            make(&directory, &requirements)?;
            File::create(&complete)
                .map_err(LabError::io(format!("create {}", complete.display())))?;
            done();
        }
    }
    Ok(directory)
}

fn pinned(requirements: &str, package: &str) -> Option<String> {
    requirements.lines().find_map(|line| {
        let (name, rest) = line.split_once("==")?;
        let version = rest.split_whitespace().next()?;
        (name == package).then(|| version.to_owned())
    })
}

/// What identifies the interpreter: its version, its file and its platform.
fn interpreter() -> Result<Vec<u8>, LabError> {
    let output = Command::new("python3")
        .args([
            "-c",
            "import ensurepip, sys, sysconfig; print(sys.version, sys.executable, sysconfig.get_platform())",
        ])
        .output()
        .map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                missing()
            } else {
                LabError::Io { what: "run `python3`".to_owned(), source }
            }
        })?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(output.stdout)
    } else if errors.contains("ensurepip") {
        Err(LabError::MissingProgram {
            program: "python3 -m venv",
            needed_for: "the lab runs moto and the AWS CLI in a virtual environment",
            advice: "install Python's venv module (Debian and Ubuntu: `apt install python3-venv`)",
        })
    } else {
        Err(LabError::Command {
            command: "python3".to_owned(),
            status: output.status.to_string(),
            output: errors.trim().to_owned(),
        })
    }
}

fn missing() -> LabError {
    LabError::MissingProgram {
        program: "python3",
        needed_for: "the lab runs moto and the AWS CLI with it",
        advice: "install Python 3.11 or newer with its venv module (Debian and Ubuntu: `apt install python3-venv`)",
    }
}

fn make(directory: &Path, requirements: &Path) -> Result<(), LabError> {
    if directory.exists() {
        fs::remove_dir_all(directory).map_err(LabError::io(format!(
            "remove the unfinished {}",
            directory.display()
        )))?;
    }
    let group = ProcessGroup::new("build")?;
    let mut create = Command::new("python3");
    create.args(["-m", "venv"]).arg(directory);
    let mut install = Command::new(directory.join("bin/python"));
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--require-hashes", "--no-deps", "--requirement"])
        .arg(requirements);
    for (name, command) in [("venv", create), ("pip", install)] {
        let line = format!("{command:?}");
        let mut process = group.spawn(name, command)?;
        let status = process.wait()?;
        if !status.success() {
            return Err(LabError::ToolBuild {
                tool: "the Python environment".to_owned(),
                command: line,
                status: status.to_string(),
                output: process.log_tail(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_requirements() {
        let text = "# note\nmoto==5.2.5 \\\n    --hash=sha256:00\nmoto-ext==1.0 \\\n";
        assert_eq!(pinned(text, "moto").as_deref(), Some("5.2.5"));
        assert_eq!(pinned(text, "boto3"), None);
    }
}
