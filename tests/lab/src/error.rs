//! What can go wrong in the lab, each with what to do next.

use std::io;
use std::path::PathBuf;

/// An error of the lab. `Display` never repeats the source.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A program the lab needs on PATH is missing.
    #[error("`{program}` is not on PATH, but {needed_for}; {advice}")]
    MissingProgram {
        /// Name of the program.
        program: &'static str,
        /// What it is needed for.
        needed_for: &'static str,
        /// How to install it.
        advice: &'static str,
    },
    /// A program that builds a tool ended with a failure.
    #[error(
        "building {tool} failed: `{command}` ended with {status}; its last lines were:\n{output}"
    )]
    ToolBuild {
        /// The tool.
        tool: String,
        /// The command line.
        command: String,
        /// Exit status in words.
        status: String,
        /// The end of the command's output.
        output: String,
    },
    /// A pinned file of the lab does not name the version of its tool.
    #[error("{path} does not pin {what}; restore the line, for example from git")]
    NoPin {
        /// The file.
        path: PathBuf,
        /// What should be pinned there.
        what: String,
    },
    /// No directory for the tool cache is known.
    #[error(
        "there is no place for the lab's tool cache: set DEVOPSGENIE_LAB_CACHE, XDG_CACHE_HOME or HOME"
    )]
    NoCacheDirectory,
    /// A file or socket operation failed.
    #[error("cannot {what}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A lab process ended although it should be running.
    #[error("{name} ended with {status}; the last lines of {log} were:\n{tail}")]
    ProcessEnded {
        /// Name of the process.
        name: String,
        /// Exit status in words.
        status: String,
        /// Its log file.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// A lab process runs, but does not do what is waited for.
    #[error(
        "{what} did not happen within {seconds} s; last observation: {last}; the machine may be overloaded or the process stuck. The last lines of {log} were:\n{tail}"
    )]
    NotReady {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// What the last look showed.
        last: String,
        /// Log of the process that should have done it.
        log: PathBuf,
        /// The end of that log.
        tail: String,
    },
    /// Making a key or certificate failed.
    #[error("cannot make the {what} of the cluster")]
    Certificate {
        /// Which one.
        what: &'static str,
        /// The cause.
        #[source]
        source: rcgen::Error,
    },
    /// The API server of a lab cluster refused or did not answer a call.
    #[error("the lab cluster's API server failed to {what}")]
    Kubernetes {
        /// What was asked.
        what: String,
        /// The cause.
        #[source]
        source: Box<kube::Error>,
    },
    /// A version change failed, and so did the return to the version before.
    #[error(
        "Kubernetes {version} of cluster {cluster} could not be served again after a failed version change ({failure}); delete the cluster"
    )]
    NotRestored {
        /// The cluster.
        cluster: String,
        /// The version before.
        version: String,
        /// Why it does not start.
        failure: String,
        /// Why the change failed.
        #[source]
        source: Box<LabError>,
    },
    /// The version is not one the pinned API server can serve.
    #[error("the lab cannot serve Kubernetes {version}; it serves {served}")]
    UnsupportedVersion {
        /// What was asked for.
        version: String,
        /// What there is.
        served: String,
    },
    /// No cluster of this name runs in the lab.
    #[error(
        "no cluster {0} runs in the lab; `aws eks list-clusters` names those that exist, and only ACTIVE ones run"
    )]
    UnknownCluster(String),
    /// A client program run by the lab failed.
    #[error("`{command}` ended with {status}: {output}")]
    Command {
        /// The command line.
        command: String,
        /// Exit status in words.
        status: String,
        /// Its standard error.
        output: String,
    },
    /// A program answered something the lab cannot read.
    #[error("cannot read the answer of {what}")]
    Answer {
        /// Who answered.
        what: String,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// An answer lacks what the lab needs.
    #[error("{0}")]
    Unexpected(String),
    /// The AWS simulator did not start.
    #[error("the EKS simulator did not start")]
    Simulator(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No lab runs.
    #[error("no lab is up in {0}; start one with `cargo xtask lab up`")]
    NotUp(PathBuf),
}

impl LabError {
    /// Wraps an I/O error with what was tried, such as `write /tmp/x`.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Wraps a failed API call with what was asked.
    pub(crate) fn kubernetes(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |source| Self::Kubernetes {
            what,
            source: Box::new(source),
        }
    }
}
