//! What `cargo xtask lab up|down|status|env` does, and the hidden `serve` that `up` starts.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::cluster::ProcessReport;
use crate::lab::{ACCOUNT_PREFIX, Lab};
use crate::process::{log_tail, resident_kib};
use crate::{LabError, Toolbox};

/// How long the daemon may take to start or stop, building tools not counted.
const PATIENCE: Duration = Duration::from_secs(120);

const POLL: Duration = Duration::from_millis(50);

/// The directory in which a lab that stays up keeps its state: `state.json` (where it is and how
/// to reach it), `log`, `kubeconfig` and `lock`, which the daemon holds while it lives, so that a
/// state file left by a killed daemon is known to be stale.
#[derive(Debug, Clone)]
pub struct LabDirectory(PathBuf);

/// What the daemon writes for the other commands.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    process_id: u32,
    endpoint: String,
    control: PathBuf,
    programs: PathBuf,
    environment: Vec<(String, String)>,
}

/// What the daemon answers to `status`.
#[derive(Debug, Serialize, Deserialize)]
struct Status {
    clusters: Vec<ClusterStatus>,
    moto: ProcessReport,
}

#[derive(Debug, Serialize, Deserialize)]
struct ClusterStatus {
    name: String,
    version: String,
    endpoint: String,
    directory: PathBuf,
    processes: Vec<ProcessReport>,
}

impl LabDirectory {
    /// `.lab` in the root of this workspace.
    #[must_use]
    pub fn of_workspace() -> Self {
        Self(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.lab"))
    }

    /// A directory of the caller's choice.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn create(&self) -> Result<(), LabError> {
        fs::create_dir_all(&self.0)
            .map_err(LabError::io(format!("create {}", self.0.display())))?;
        let ignore = self.file(".gitignore");
        fs::write(&ignore, "*\n").map_err(LabError::io(format!("write {}", ignore.display())))
    }

    /// The lock if no daemon lives.
    fn lock(&self) -> Result<Option<File>, LabError> {
        let path = self.file("lock");
        let what = || format!("lock {}", path.display());
        let file = match File::options().create(true).append(true).open(&path) {
            Ok(file) => file,
            Err(error) => return Err(LabError::io(what())(error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(LabError::io(what())(error)),
        }
    }

    /// The state of the living daemon, or the error that says how to start one.
    fn living(&self) -> Result<State, LabError> {
        self.state()?.ok_or_else(|| LabError::NotUp(self.0.clone()))
    }

    /// The state of the living daemon, `None` if there is none or it is still starting.
    fn state(&self) -> Result<Option<State>, LabError> {
        Ok(match self.daemon()? {
            Daemon::Up(state) => Some(*state),
            Daemon::Starting | Daemon::Absent => None,
        })
    }

    fn daemon(&self) -> Result<Daemon, LabError> {
        if !self.0.exists() {
            return Ok(Daemon::Absent);
        }
        let path = self.file("state.json");
        if let Some(_lock) = self.lock()? {
            // Of a daemon that was killed. Removed under the lock, so that it is never taken for
            // the state of the next one.
            let _ = fs::remove_file(&path);
            return Ok(Daemon::Absent);
        }
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(|state| Daemon::Up(Box::new(state)))
                .map_err(|source| LabError::Answer {
                    what: path.display().to_string(),
                    source,
                }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Daemon::Starting),
            Err(error) => Err(LabError::io(format!("read {}", path.display()))(error)),
        }
    }

    /// The state of the living daemon, once it has started; `None` if there is none, or none any
    /// more.
    async fn started(&self) -> Result<Option<State>, LabError> {
        let start = Instant::now();
        loop {
            match self.daemon()? {
                Daemon::Up(state) => return Ok(Some(*state)),
                Daemon::Absent => return Ok(None),
                // Or another command looks for the daemon, and holds the lock for a moment.
                Daemon::Starting if start.elapsed() <= PATIENCE => {
                    tokio::time::sleep(POLL).await;
                }
                Daemon::Starting => {
                    let log = self.file("log");
                    return Err(LabError::NotReady {
                        what: "the lab's start, which has to end first".to_owned(),
                        seconds: PATIENCE.as_secs(),
                        last: "the daemon runs, but has not written its state".to_owned(),
                        tail: log_tail(&log),
                        log,
                    });
                }
            }
        }
    }
}

/// What is known of a daemon.
enum Daemon {
    /// Nobody holds the lock.
    Absent,
    /// The lock is held, and there is no state yet.
    Starting,
    Up(Box<State>),
}

/// Starts the lab in the background if it is not up, and says what it does and how to go on.
/// `serve` is the command whose process calls [`serve`] with the same directory: the caller's own
/// executable with a hidden subcommand.
///
/// # Errors
/// When a tool cannot be built, or, with its last log lines, when the daemon does not start.
pub async fn up(directory: &LabDirectory, mut serve: Command) -> Result<(), LabError> {
    directory.create()?;
    if let Some(state) = directory.state()? {
        println!(
            "The lab is already up at {} (process {}).",
            state.endpoint, state.process_id
        );
        return Ok(());
    }
    // Here and not in the daemon, so that the lines about it are seen.
    tokio::task::spawn_blocking(|| {
        let toolbox = Toolbox::new()?;
        toolbox.kubernetes()?;
        toolbox.python()
    })
    .await
    .map_err(|error| LabError::Unexpected(format!("building the tools: {error}")))??;

    let start = Instant::now();
    let log = directory.file("log");
    println!("Starting the lab (log: {}) ...", log.display());
    let output = File::create(&log).map_err(LabError::io(format!("create {}", log.display())))?;
    let errors = output
        .try_clone()
        .map_err(LabError::io(format!("open {}", log.display())))?;
    let mut daemon = serve
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        // Out of the terminal's foreground group, so that Ctrl-C does not reach it.
        .process_group(0)
        .spawn()
        .map_err(LabError::io("start the lab's daemon"))?;
    loop {
        if let Some(state) = directory.state()? {
            println!(
                "The lab is up at {} after {:.1} s (process {}).\n\
                 Next: eval \"$(cargo xtask lab env)\", then for example `aws eks list-clusters`;\n\
                 `cargo xtask lab down` ends it.",
                state.endpoint,
                start.elapsed().as_secs_f64(),
                state.process_id
            );
            return Ok(());
        }
        let ended = daemon
            .try_wait()
            .map_err(LabError::io("ask for the status of the lab's daemon"))?;
        if let Some(status) = ended {
            return Err(LabError::ProcessEnded {
                name: "the lab's daemon".to_owned(),
                status: status.to_string(),
                tail: log_tail(&log),
                log,
            });
        }
        if start.elapsed() > PATIENCE {
            // It would come up later, unseen.
            let _ = daemon.kill();
            let _ = daemon.wait();
            return Err(LabError::NotReady {
                what: "the lab's start".to_owned(),
                seconds: PATIENCE.as_secs(),
                last: "the daemon runs, but has not written its state".to_owned(),
                tail: log_tail(&log),
                log,
            });
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Ends the lab if it is up, and returns when none of its processes is left. One that is starting is
/// ended when it is up.
///
/// # Errors
/// When the daemon does not end.
pub async fn down(directory: &LabDirectory) -> Result<(), LabError> {
    let Some(state) = directory.started().await? else {
        println!("The lab is not up.");
        return Ok(());
    };
    let start = Instant::now();
    println!("Ending the lab (process {}) ...", state.process_id);
    let mut processes = vec![state.process_id];
    match ask::<Status>(&state.control, "status") {
        Ok(status) => {
            processes.push(status.moto.process_id);
            let clusters = status
                .clusters
                .iter()
                .flat_map(|cluster| &cluster.processes);
            processes.extend(clusters.map(|process| process.process_id));
        }
        Err(error) => println!("The daemon does not answer ({error}); ending it anyway."),
    }
    if ask::<bool>(&state.control, "stop").is_err() {
        kill(state.process_id)?;
    }
    loop {
        // The watchers end the other processes even when the daemon was killed.
        let left: Vec<u32> = processes
            .iter()
            .copied()
            .filter(|process| resident_kib(*process).is_some())
            .collect();
        if left.is_empty() && directory.lock()?.is_some() {
            let _ = fs::remove_file(directory.file("kubeconfig"));
            println!(
                "The lab is down after {:.1} s.",
                start.elapsed().as_secs_f64()
            );
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            let log = directory.file("log");
            return Err(LabError::NotReady {
                what: "the lab's end".to_owned(),
                seconds: PATIENCE.as_secs(),
                last: format!("still running: {left:?}"),
                tail: log_tail(&log),
                log,
            });
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Prints where the lab is, its clusters, processes and memory.
///
/// # Errors
/// When the daemon lives, but does not answer.
pub fn status(directory: &LabDirectory) -> Result<(), LabError> {
    let state = match directory.daemon()? {
        Daemon::Up(state) => state,
        Daemon::Starting => {
            println!("The lab is starting.");
            return Ok(());
        }
        Daemon::Absent => {
            println!("The lab is not up; start it with `cargo xtask lab up`.");
            return Ok(());
        }
    };
    let status: Status = ask(&state.control, "status")?;
    let daemon = ProcessReport {
        name: "lab (EKS simulator)".to_owned(),
        process_id: state.process_id,
        resident_kib: resident_kib(state.process_id),
    };
    println!(
        "The lab is up at {} (log: {})",
        state.endpoint,
        directory.file("log").display()
    );
    let mut total = 0;
    let mut print = |process: &ProcessReport| {
        let kib = process.resident_kib.unwrap_or_default();
        total += kib;
        println!(
            "  {:<26} pid {:<8} {:>6} MiB",
            process.name,
            process.process_id,
            kib / 1024
        );
    };
    print(&daemon);
    print(&status.moto);
    for cluster in &status.clusters {
        println!(
            "cluster {} (Kubernetes {}) at {}\n  files: {}",
            cluster.name,
            cluster.version,
            cluster.endpoint,
            cluster.directory.display()
        );
        cluster.processes.iter().for_each(&mut print);
    }
    println!("memory: {} MiB in all", total / 1024);
    Ok(())
}

/// Whether the lab is up.
///
/// # Errors
/// When the directory cannot be read.
pub fn is_up(directory: &LabDirectory) -> Result<bool, LabError> {
    Ok(directory.state()?.is_some())
}

/// How many calls that can change something the lab's account has seen.
///
/// # Errors
/// When the lab is not up or its daemon does not answer.
pub fn write_calls(directory: &LabDirectory) -> Result<u64, LabError> {
    ask(&directory.living()?.control, "writes")
}

/// The variables that point a process at the lab, and the directory with the lab's `aws` and
/// `kubectl`, for its PATH.
///
/// # Errors
/// When the lab is not up.
pub fn environment(directory: &LabDirectory) -> Result<(Vec<(String, String)>, PathBuf), LabError> {
    let state = directory.living()?;
    let kubeconfig = std::path::absolute(directory.file("kubeconfig"))
        .map_err(LabError::io("resolve the lab's directory"))?;
    let mut variables = state.environment;
    variables.push(("KUBECONFIG".to_owned(), kubeconfig.display().to_string()));
    Ok((variables, state.programs))
}

/// The lines that point a shell at the lab, for `eval`.
///
/// # Errors
/// When the lab is not up.
pub fn env(directory: &LabDirectory) -> Result<String, LabError> {
    let (variables, programs) = environment(directory)?;
    // Done by the shell itself, because the lines may be evaluated in another one than asked for them.
    let mut lines = format!(
        "for devopsgenie_name in $(env | sed -n 's/^\\({ACCOUNT_PREFIX}[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset \"$devopsgenie_name\"; done; unset devopsgenie_name\n"
    );
    for (name, value) in &variables {
        lines.push_str(&format!("export {name}={}\n", quoted(value)));
    }
    lines.push_str(&format!(
        "export PATH={}:\"$PATH\"\n",
        quoted(&programs.display().to_string())
    ));
    Ok(lines)
}

/// A word of the POSIX shell.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Runs the lab until it is told to stop, by [`down`] or by SIGTERM or SIGINT.
///
/// # Errors
/// When the lab does not start, or one is already up in this directory.
pub async fn serve(directory: &LabDirectory) -> Result<(), LabError> {
    directory.create()?;
    let lock = own(directory).await?;
    let listen = |kind| signal(kind).map_err(LabError::io("listen for signals"));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    // Handled and ignored: the lab outlives the terminal it was started from.
    let _hangup = listen(SignalKind::hangup())?;

    let lab = tokio::select! {
        lab = Lab::start(|_| {}) => lab?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    // In the lab's temporary directory, because socket paths are short.
    let control = lab.directory().join("control");
    let listener = UnixListener::bind(&control)
        .map_err(LabError::io(format!("listen on {}", control.display())))?;
    let state = State {
        process_id: std::process::id(),
        endpoint: lab.endpoint().to_owned(),
        programs: lab.programs(),
        environment: lab.environment(),
        control,
    };
    write_state(directory, &state)?;
    println!("serving at {}", state.endpoint);

    let lab = Arc::new(lab);
    let (stop, mut stopped) = tokio::sync::mpsc::channel(1);
    // Each in a task of its own, so that none keeps the others waiting.
    let mut connections = JoinSet::new();
    let caller = loop {
        tokio::select! {
            connection = listener.accept() => {
                let Ok((stream, _)) = connection else { continue };
                let (lab, stop) = (Arc::clone(&lab), stop.clone());
                connections.spawn(async move {
                    if let Some(caller) = answer(&lab, stream).await {
                        // A second one who asks is told by the closed connection.
                        let _ = stop.send(caller).await;
                    }
                });
            }
            caller = stopped.recv() => break caller,
            _ = terminate.recv() => break None,
            _ = interrupt.recv() => break None,
            Some(_) = connections.join_next() => {}
        }
    };
    let _ = fs::remove_file(directory.file("state.json"));
    // They hold the lab.
    connections.shutdown().await;
    tokio::task::spawn_blocking(move || drop(lab))
        .await
        .map_err(|error| LabError::Unexpected(format!("ending the lab: {error}")))?;
    if let Some(mut caller) = caller {
        // A caller that has gone away does not want to know.
        let _ = caller.write_all(b"true\n").await;
    }
    drop(lock);
    Ok(())
}

/// Takes the lock for the daemon's life. The other commands hold it for a moment when they look
/// whether a daemon lives, so a taken lock is believed only when it stays taken.
async fn own(directory: &LabDirectory) -> Result<File, LabError> {
    for _ in 0..40 {
        if let Some(lock) = directory.lock()? {
            let _ = fs::remove_file(directory.file("state.json"));
            return Ok(lock);
        }
        tokio::time::sleep(POLL).await;
    }
    Err(LabError::Unexpected(format!(
        "a lab is already up in {}; use it, or end it with `cargo xtask lab down`",
        directory.0.display()
    )))
}

/// Answers one request; returns the connection of one that asks to stop.
async fn answer(lab: &Lab, mut stream: tokio::net::UnixStream) -> Option<tokio::net::UnixStream> {
    let mut request = String::new();
    let mut reader = tokio::io::BufReader::new(&mut stream);
    // A caller that says nothing must not keep the others waiting.
    let read = reader.read_line(&mut request);
    let _ = tokio::time::timeout(Duration::from_secs(2), read).await;
    match request.trim() {
        "stop" => return Some(stream),
        "writes" => {
            let writes = lab.simulator().request_log().counters().writes;
            let _ = stream.write_all(format!("{writes}\n").as_bytes()).await;
        }
        "status" => {
            let mut status = Status {
                clusters: Vec::new(),
                moto: lab.moto(),
            };
            for cluster in lab.backend().clusters().await {
                status.clusters.push(ClusterStatus {
                    name: cluster.name().to_owned(),
                    version: cluster.version(),
                    endpoint: cluster.endpoint().to_owned(),
                    directory: cluster.directory().to_owned(),
                    processes: cluster.processes(),
                });
            }
            if let Ok(mut bytes) = serde_json::to_vec(&status) {
                bytes.push(b'\n');
                let _ = stream.write_all(&bytes).await;
            }
        }
        _ => {}
    }
    None
}

/// Asks the daemon.
fn ask<T: for<'a> Deserialize<'a>>(control: &Path, request: &str) -> Result<T, LabError> {
    let exchange = || {
        let mut stream = UnixStream::connect(control)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{request}\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    };
    let line = exchange().map_err(LabError::io(format!(
        "ask the lab's daemon at {}",
        control.display()
    )))?;
    serde_json::from_str(&line).map_err(|source| LabError::Answer {
        what: "the lab's daemon".to_owned(),
        source,
    })
}

/// Replaces the state in one step, so that no reader sees half of it.
fn write_state(directory: &LabDirectory, state: &State) -> Result<(), LabError> {
    let path = directory.file("state.json");
    let bytes = serde_json::to_vec_pretty(state).map_err(|source| LabError::Answer {
        what: "the lab's state".to_owned(),
        source,
    })?;
    let what = || format!("write {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(&directory.0).map_err(LabError::io(what()))?;
    file.write_all(&bytes).map_err(LabError::io(what()))?;
    file.persist(&path)
        .map_err(|error| LabError::io(what())(error.error))?;
    Ok(())
}

/// Kills a daemon that does not listen any more; that it lives is known from its lock.
fn kill(process_id: u32) -> Result<(), LabError> {
    Command::new("sh")
        .args(["-c", "kill -KILL \"$1\"", "sh", &process_id.to_string()])
        .stderr(Stdio::null())
        .status()
        .map(drop)
        .map_err(LabError::io("run `sh` to kill the lab's daemon"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn values_are_quoted_for_the_shell() {
        for (value, expected) in [
            ("", "''"),
            ("a b", "'a b'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
        ] {
            assert_eq!(quoted(value), expected);
        }
    }
}
