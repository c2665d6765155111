//! The programs the lab runs, built on first use into a cache that all checkouts of one user
//! share.
//!
//! Every version is pinned once, in `tools/<module>/go.mod` and `tools/python/requirements.txt`.
//! A cache entry's name holds the version and a hash of everything that goes into the build, so a
//! changed pin or another Go is another entry and no entry is ever changed.

mod go;
mod python;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::LabError;

/// Directory of the pins.
fn pins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools")
}

/// Where the tools are; nothing is built or run before it is asked for.
#[derive(Debug, Clone)]
pub struct Toolbox {
    cache: PathBuf,
}

/// The programs of a Kubernetes cluster.
#[derive(Debug, Clone)]
pub struct KubernetesTools {
    /// etcd.
    pub etcd: PathBuf,
    /// kube-apiserver.
    pub kube_apiserver: PathBuf,
    /// kube-controller-manager.
    pub kube_controller_manager: PathBuf,
    /// kube-scheduler.
    pub kube_scheduler: PathBuf,
    /// kubectl.
    pub kubectl: PathBuf,
    /// kwok, which plays nodes and their kubelets.
    pub kwok: PathBuf,
    /// The Kubernetes release of all of them but etcd and kwok, such as `1.36.3`.
    pub version: String,
}

/// The programs of the simulated AWS account.
#[derive(Debug, Clone)]
pub struct PythonTools {
    /// moto's server.
    pub moto_server: PathBuf,
    /// The AWS CLI.
    pub aws: PathBuf,
    /// The interpreter that has botocore and moto.
    pub python: PathBuf,
}

impl Toolbox {
    /// The toolbox in `$DEVOPSGENIE_LAB_CACHE`, else in `devopsgenie/lab` of `$XDG_CACHE_HOME` or
    /// `~/.cache`.
    ///
    /// # Errors
    /// When none of these variables is set.
    pub fn new() -> Result<Self, LabError> {
        let variable = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let cache = variable("DEVOPSGENIE_LAB_CACHE")
            .or_else(|| variable("XDG_CACHE_HOME").map(|base| base.join("devopsgenie/lab")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/devopsgenie/lab")))
            .ok_or(LabError::NoCacheDirectory)?;
        let cache = std::path::absolute(&cache)
            .map_err(LabError::io(format!("resolve {}", cache.display())))?;
        Ok(Self { cache })
    }

    /// A toolbox in a directory of the caller's choice.
    #[must_use]
    pub fn in_directory(cache: PathBuf) -> Self {
        Self { cache }
    }

    /// The cache directory.
    #[must_use]
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The Kubernetes programs; builds what is not in the cache, which takes minutes.
    ///
    /// # Errors
    /// When Go is missing or a build fails.
    pub fn kubernetes(&self) -> Result<KubernetesTools, LabError> {
        let kubernetes = go::ensure(&self.cache, &go::KUBERNETES)?;
        let etcd = go::ensure(&self.cache, &go::ETCD)?;
        let kwok = go::ensure(&self.cache, &go::KWOK)?;
        let program = |name: &str| kubernetes.directory.join(name);
        Ok(KubernetesTools {
            etcd: etcd.directory.join("etcd"),
            kube_apiserver: program("kube-apiserver"),
            kube_controller_manager: program("kube-controller-manager"),
            kube_scheduler: program("kube-scheduler"),
            kubectl: program("kubectl"),
            kwok: kwok.directory.join("kwok"),
            version: kubernetes.version,
        })
    }

    /// OpenTofu's `tofu`; builds it if it is not in the cache, which takes minutes.
    ///
    /// # Errors
    /// When Go is missing or the build fails.
    pub fn opentofu(&self) -> Result<PathBuf, LabError> {
        Ok(go::ensure(&self.cache, &go::OPENTOFU)?
            .directory
            .join("tofu"))
    }

    /// moto, the AWS CLI and botocore in a virtual environment of their own.
    ///
    /// # Errors
    /// When Python is missing or the installation fails.
    pub fn python(&self) -> Result<PythonTools, LabError> {
        let programs = python::ensure(&self.cache)?.join("bin");
        Ok(PythonTools {
            moto_server: programs.join("moto_server"),
            aws: programs.join("aws"),
            python: programs.join("python"),
        })
    }
}

/// The Kubernetes release the lab is pinned to, such as `1.36.3`, without building anything.
///
/// # Errors
/// When the pin cannot be read.
pub fn kubernetes_version() -> Result<String, LabError> {
    go::pinned_version(&go::KUBERNETES)
}

/// Hash of everything that goes into a cache entry, short enough for a file name.
fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..6])
}

/// Takes the lock of one cache entry; released when the file is dropped, or by the kernel when
/// the process dies. Says so when it has to wait.
fn lock(cache: &Path, entry: &str) -> Result<File, LabError> {
    fs::create_dir_all(cache).map_err(LabError::io(format!("create {}", cache.display())))?;
    let path = cache.join(format!(".{entry}.lock"));
    let what = || format!("lock {}", path.display());
    let file = File::create(&path).map_err(LabError::io(what()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            say(&format!("waiting for another process that makes {entry}"));
        }
        Err(TryLockError::Error(source)) => {
            return Err(LabError::Io {
                what: what(),
                source,
            });
        }
    }
    file.lock().map_err(LabError::io(what()))?;
    Ok(file)
}

/// One line for the person who waits.
#[allow(clippy::print_stderr)]
fn say(line: &str) {
    eprintln!("lab: {line}");
}

/// Says what is being made and how long it usually takes; returns what says how long it took.
fn announce(what: &str, usually: &str) -> impl FnOnce() + use<> {
    say(&format!("building {what} (once; {usually})"));
    let what = what.to_owned();
    let start = Instant::now();
    move || say(&format!("built {what} in {} s", start.elapsed().as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_of_an_entry_excludes_and_is_released() {
        let cache = tempfile::tempdir().unwrap();
        let first = lock(cache.path(), "entry").unwrap();
        let second = File::create(cache.path().join(".entry.lock")).unwrap();
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        second.try_lock().unwrap();
    }

    #[test]
    fn fingerprints_depend_on_every_part_and_on_where_it_ends() {
        let of = |parts: &[&str]| {
            fingerprint(&parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab", "c"]), of(&["ab", "d"]));
        assert_eq!(of(&["ab"]).len(), 12);
    }
}
