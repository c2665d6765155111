//! The lab that stays up: `up`, `status`, `env`, `down`, and what a killed daemon leaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail anywhere"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use devopsgenie_lab::LabError;
use devopsgenie_lab::command::{LabDirectory, down, env, serve, status, up};

const DIRECTORY: &str = "DEVOPSGENIE_LAB_TEST_DIRECTORY";

/// Not a test of its own: the daemon that the tests start.
#[tokio::test(flavor = "multi_thread")]
async fn daemon() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        serve(&LabDirectory::at(PathBuf::from(directory)))
            .await
            .unwrap();
    }
}

fn daemon_command(directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "daemon", "--nocapture"])
        .env(DIRECTORY, directory);
    command
}

/// Runs a line in a shell that was pointed at the lab.
fn shell(environment: &str, line: &str) -> (bool, String) {
    let output = Command::new("sh")
        .args(["-c", &format!("{environment}\n{line}")])
        .env("AWS_PROFILE", "a-profile-that-does-not-exist")
        .output()
        .unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    (output.status.success(), text)
}

fn process_id(directory: &Path) -> String {
    let state = std::fs::read(directory.join("state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    state["process_id"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_is_up_until_it_is_taken_down() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join(".lab");
    let directory = LabDirectory::at(path.clone());
    assert!(matches!(env(&directory), Err(LabError::NotUp(_))));
    down(&directory).await.unwrap();

    up(&directory, daemon_command(&path)).await.unwrap();
    let first = process_id(&path);
    // Nothing is started a second time.
    up(&directory, daemon_command(&path)).await.unwrap();
    assert_eq!(process_id(&path), first);
    status(&directory).unwrap();

    let environment = env(&directory).unwrap();
    let (success, text) = shell(
        &environment,
        "aws sts get-caller-identity --query Account --output text",
    );
    assert!(success, "{text}");
    assert_eq!(text.trim(), "123456789012");
    let (success, text) = shell(
        &environment,
        "command -v kubectl && kubectl version --client && echo $KUBECONFIG",
    );
    assert!(success, "{text}");
    assert!(text.contains("Client Version: v1.36.3"), "{text}");
    assert!(text.contains("/.lab/kubeconfig"), "{text}");

    down(&directory).await.unwrap();
    assert!(!Path::new(&format!("/proc/{first}")).exists() || zombie(&first));
    assert!(matches!(env(&directory), Err(LabError::NotUp(_))));
}

/// Reaped by nobody: the daemon's parent is this test, which lives on.
fn zombie(process_id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{process_id}/stat"))
        .is_ok_and(|stat| stat.contains(") Z "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_does_not_stand_in_the_way() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join(".lab");
    let directory = LabDirectory::at(path.clone());
    up(&directory, daemon_command(&path)).await.unwrap();
    let first = process_id(&path);
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -KILL {first}")])
        .status()
        .unwrap();
    assert!(killed.success());
    while !zombie(&first) && Path::new(&format!("/proc/{first}")).exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(matches!(env(&directory), Err(LabError::NotUp(_))));

    up(&directory, daemon_command(&path)).await.unwrap();
    assert_ne!(process_id(&path), first);
    down(&directory).await.unwrap();
}
