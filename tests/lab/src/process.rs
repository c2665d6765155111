//! Child processes that never outlive the process that started them.
//!
//! Every lab process joins the process group of a small shell, the watcher, whose standard input
//! is a pipe only this process can write to. When this process ends in any way, `kill -9`
//! included, the kernel closes the pipe, the watcher reads end of file, kills the whole group and
//! removes the group's directory. Three properties make it hold without unsafe code:
//! the pipe is close-on-exec, so no child keeps it open after its exec; a child joins the group
//! before its exec, so when the pipe is closed every child is already in the group; and process
//! group ids are not reused while a member lives. `setpriv --pdeathsig` was not taken: that
//! signal is sent when the *thread* that started the child ends, which test and runtime threads
//! do all the time, and it misses a parent that died before it was armed.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::LabError;

/// Reads until its standard input ends, then kills the other members of its process group,
/// removes the directory `$1` and kills what is left of the group, itself included. The members
/// are looked up in /proc first, so that nothing writes to the directory while it is removed;
/// where there is no /proc, the last line alone does the killing.
const WATCHER: &str = r#"
while read -r _; do :; done
for stat in /proc/[0-9]*/stat; do
  { read -r pid _ _ _ group _ < "$stat"; } 2>/dev/null || continue
  if [ "$group" = "$$" ] && [ "$pid" != "$$" ]; then kill -KILL "$pid" 2>/dev/null; fi
done
rm -rf -- "$1"
kill -KILL 0
"#;

/// How much of a log's end is shown in errors.
const TAIL_BYTES: u64 = 16 * 1024;
const TAIL_LINES: usize = 15;

/// A group of processes with a directory of their own; both are gone when the value is dropped or
/// when this process dies.
#[derive(Debug)]
pub struct ProcessGroup {
    directory: PathBuf,
    id: u32,
    /// `None` once the group was ended.
    watcher: Mutex<Option<Watcher>>,
}

#[derive(Debug)]
struct Watcher {
    process: Child,
    pipe: Option<ChildStdin>,
}

impl ProcessGroup {
    /// Makes a new directory below the system's temporary directory and starts the watcher.
    ///
    /// # Errors
    /// When the directory cannot be made or `sh` cannot be started.
    pub fn new(label: &str) -> Result<Self, LabError> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("devopsgenie-{label}-"))
            .tempdir()
            .map_err(LabError::io("make a temporary directory for the lab"))?;
        let mut watcher = Command::new("sh")
            .args(["-c", WATCHER, "devopsgenie-lab-watcher"])
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(LabError::io("start `sh`, which guards the lab's processes"))?;
        let pipe = watcher.stdin.take();
        Ok(Self {
            directory: directory.keep(),
            id: watcher.id(),
            watcher: Mutex::new(Some(Watcher {
                process: watcher,
                pipe,
            })),
        })
    }

    fn watcher(&self) -> MutexGuard<'_, Option<Watcher>> {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills all processes and removes the directory, whoever else holds the group; returns when the
    /// directory is gone, while a process may take a moment to end. Nothing can be started in it
    /// afterwards.
    pub fn end(&self) {
        if let Some(mut watcher) = self.watcher().take() {
            drop(watcher.pipe.take());
            // The watcher ends by its own signal after it has removed the directory; there is
            // nobody to report a failure to.
            let _ = watcher.process.wait();
        }
    }

    /// Whether [`ProcessGroup::end`] was called.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.watcher().is_none()
    }

    /// The directory of the group.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Process id of the watcher, which is the id of the process group.
    #[cfg(test)]
    fn id(&self) -> u32 {
        self.id
    }

    /// Starts `command` in the group, with its output in `<name>.log` of the group's directory
    /// (appended to when the process is started again).
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started.
    pub fn spawn(&self, name: &str, command: Command) -> Result<Process, LabError> {
        self.spawn_in(&self.directory, name, command)
    }

    /// As [`ProcessGroup::spawn`], with another working directory.
    pub(crate) fn spawn_in(
        &self,
        working_directory: &Path,
        name: &str,
        mut command: Command,
    ) -> Result<Process, LabError> {
        // Held until the process is in the group, so that `end` does not miss it.
        let watcher = self.watcher();
        if watcher.is_none() {
            return Err(LabError::Unexpected(format!(
                "{name} cannot be started, because what it belongs to was ended"
            )));
        }
        let log = self.directory.join(format!("{name}.log"));
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(LabError::io(format!("open {}", log.display())))?;
        let errors = output
            .try_clone()
            .map_err(LabError::io(format!("open {}", log.display())))?;
        let child = command
            .current_dir(working_directory)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(self.id.cast_signed())
            .spawn()
            .map_err(LabError::io(format!(
                "start {name} ({})",
                command.get_program().display()
            )))?;
        Ok(Process {
            name: name.to_owned(),
            child,
            log,
        })
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.end();
    }
}

/// A process of a [`ProcessGroup`]; killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Name, as in the log file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The log file.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of the log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        log_tail(&self.log)
    }

    /// # Errors
    /// [`LabError::ProcessEnded`] with the last log lines when the process no longer runs.
    pub fn check(&mut self) -> Result<(), LabError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.ended(status)),
            Err(source) => Err(LabError::Io {
                what: format!("ask for the status of {}", self.name),
                source,
            }),
        }
    }

    fn ended(&self, status: ExitStatus) -> LabError {
        LabError::ProcessEnded {
            name: self.name.clone(),
            status: status.to_string(),
            log: self.log.clone(),
            tail: self.log_tail(),
        }
    }

    /// Kills the process and reaps it.
    pub fn kill(&mut self) {
        // Both fail only for a process that is already gone and reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the end of the process.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn wait(&mut self) -> Result<ExitStatus, LabError> {
        self.child
            .wait()
            .map_err(LabError::io(format!("wait for {}", self.name)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines of a log file, or why they cannot be read.
#[must_use]
pub fn log_tail(path: &Path) -> String {
    fn read(path: &Path) -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
    match read(path) {
        Ok(text) => {
            let lines: Vec<&str> = text.lines().collect();
            let start = lines.len().saturating_sub(TAIL_LINES);
            let tail = lines.get(start..).unwrap_or_default().join("\n");
            if tail.is_empty() {
                "(the log is empty)".to_owned()
            } else {
                tail
            }
        }
        Err(error) => format!("(the log cannot be read: {error})"),
    }
}

/// Whether a process runs no more, with all its threads, reaped or not. True where there is no /proc.
pub(crate) fn has_exited(process_id: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process_id}/task")) else {
        return true;
    };
    // The first thread is a zombie as soon as itself has ended.
    let dead = fs::read_to_string(format!("/proc/{process_id}/stat"))
        .is_ok_and(|stat| stat.contains(") Z ") || stat.contains(") X "));
    dead && threads.count() <= 1
}

/// Resident memory of a process in KiB; `None` when it does not run or there is no /proc.
#[must_use]
pub fn resident_kib(process_id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Command {
        let mut command = Command::new("sleep");
        command.arg("1000");
        command
    }

    fn runs(process_id: u32) -> bool {
        Path::new(&format!("/proc/{process_id}")).exists()
    }

    #[test]
    fn dropping_the_group_ends_members_and_removes_the_directory() {
        let group = ProcessGroup::new("test").unwrap();
        let directory = group.directory().to_owned();
        let watcher = group.id();
        // A member whose handle is not dropped first: the watcher has to end it.
        let forgotten = std::mem::ManuallyDrop::new(group.spawn("sleep", sleeper()).unwrap());
        let mut handled = group.spawn("sleep-2", sleeper()).unwrap();
        handled.check().unwrap();
        let handled_id = handled.id();
        drop(handled);
        assert!(!runs(handled_id));
        drop(group);
        assert!(!directory.exists());
        assert!(!runs(watcher));
        // Killed, which takes a moment, but not reaped by anybody in this test: a zombie at most.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !has_exited(forgotten.id()) {
            assert!(std::time::Instant::now() < deadline, "still alive");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    #[test]
    fn an_ended_process_is_reported_with_its_last_lines() {
        let group = ProcessGroup::new("test").unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let mut process = group.spawn("speaker", command).unwrap();
        process.wait().unwrap();
        let error = process.check().unwrap_err().to_string();
        assert!(
            error.starts_with("speaker ended with exit status: 3; the last lines of "),
            "{error}"
        );
        assert!(error.ends_with("speaker.log were:\none\ntwo"), "{error}");
    }
}
