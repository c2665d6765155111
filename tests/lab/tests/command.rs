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
        // What would lead the clients elsewhere, or nowhere.
        .env("AWS_PROFILE", "a-profile-that-does-not-exist")
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        .env("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
        .env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
        .env("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
        .env("AWS_SESSION_TOKEN", "of-another-account")
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
    let (success, text) = shell(&environment, "aws dynamodb list-tables --output text");
    assert!(success, "{text}");
    let (success, text) = shell(&environment, "env | grep ^AWS_ | cut -d= -f1 | sort");
    assert!(success, "{text}");
    assert_eq!(
        text.split_whitespace().collect::<Vec<_>>(),
        [
            "AWS_ACCESS_KEY_ID",
            "AWS_CONFIG_FILE",
            "AWS_DEFAULT_REGION",
            "AWS_EC2_METADATA_DISABLED",
            "AWS_ENDPOINT_URL",
            "AWS_PAGER",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SHARED_CREDENTIALS_FILE",
        ]
    );
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

/// Reaped by nobody: the daemon's parent is this test, which lives on. The lock is held until the last
/// thread has ended, and the first is a zombie before.
fn zombie(process_id: &str) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{process_id}/task"));
    std::fs::read_to_string(format!("/proc/{process_id}/stat"))
        .is_ok_and(|stat| stat.contains(") Z ") && threads.is_ok_and(|all| all.count() == 1))
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

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_that_starts_is_taken_down_when_it_is_up() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join(".lab");
    let directory = LabDirectory::at(path.clone());
    let mut daemon = daemon_command(&path).spawn().unwrap();
    let starting = || {
        std::fs::File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock().is_err())
            && !path.join("state.json").exists()
    };
    while !starting() {
        assert!(daemon.try_wait().unwrap().is_none(), "the daemon ended");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    down(&directory).await.unwrap();
    assert!(daemon.wait().unwrap().success());
    assert!(matches!(env(&directory), Err(LabError::NotUp(_))));
}

/// A user's cluster by hand: what README.md shows, by an administrator, by a user with an access
/// policy, and by one whom the cluster does not know.
#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_used_by_hand_with_the_rights_of_access_entries() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join(".lab");
    let directory = LabDirectory::at(path.clone());
    up(&directory, daemon_command(&path)).await.unwrap();
    let environment = env(&directory).unwrap();
    let run = |line: &str| shell(&environment, &format!("set -e\n{line}"));
    let must = |line: &str| {
        let (success, text) = run(line);
        assert!(success, "{line}\n{text}");
        text.trim().to_owned()
    };
    let trust = |service: &str| {
        format!(
            r#"'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}]}}'"#
        )
    };
    let role = |name: &str, service: &str, policies: &[&str]| {
        let arn = must(&format!(
            "aws iam create-role --role-name {name} --assume-role-policy-document {} --query Role.Arn --output text",
            trust(service)
        ));
        for policy in policies {
            must(&format!(
                "aws iam attach-role-policy --role-name {name} --policy-arn arn:aws:iam::aws:policy/{policy}"
            ));
        }
        arn
    };
    let cluster_role = role("cluster", "eks.amazonaws.com", &["AmazonEKSClusterPolicy"]);
    let node_role = role(
        "node",
        "ec2.amazonaws.com",
        &[
            "AmazonEKSWorkerNodePolicy",
            "AmazonEC2ContainerRegistryPullOnly",
        ],
    );
    let subnets = must(
        "aws ec2 describe-subnets --filters Name=availability-zone,Values=us-east-1a,us-east-1b --query 'Subnets[].SubnetId' --output text",
    );
    let subnets: Vec<&str> = subnets.split_whitespace().collect();
    must(&format!(
        "aws eks create-cluster --name hand --role-arn {cluster_role} --resources-vpc-config subnetIds={} --access-config authenticationMode=API",
        subnets.join(",")
    ));
    let until = |what: &str, expected: &str| {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
        loop {
            let status = must(what);
            if status == expected {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{what}: {status}");
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    };
    until(
        "aws eks describe-cluster --name hand --query cluster.status --output text",
        "ACTIVE",
    );
    must(&format!(
        "aws eks create-nodegroup --cluster-name hand --nodegroup-name workers --node-role {node_role} --subnets {}",
        subnets.join(" ")
    ));
    until(
        "aws eks describe-nodegroup --cluster-name hand --nodegroup-name workers --query nodegroup.status --output text",
        "ACTIVE",
    );
    // The creator is an administrator.
    let nodes =
        must("aws eks update-kubeconfig --name hand >/dev/null && kubectl get nodes --no-headers");
    assert_eq!(nodes.lines().count(), 2, "{nodes}");
    assert!(
        nodes.lines().all(|line| line.contains(" Ready ")),
        "{nodes}"
    );
    must("kubectl create configmap seen --from-literal=a=b");

    // Two users with a kubeconfig of their own; only one has an entry.
    let as_user = |name: &str| {
        must(&format!("aws iam create-user --user-name {name}"));
        let keys = must(&format!(
            "aws iam create-access-key --user-name {name} --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text"
        ));
        let keys: Vec<&str> = keys.split_whitespace().collect();
        let head = format!(
            "export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} KUBECONFIG={}/kubeconfig-{name}",
            keys[0],
            keys[1],
            path.display()
        );
        must(&format!("{head}\naws eks update-kubeconfig --name hand"));
        head
    };
    let (viewer, stranger) = (as_user("viewer"), as_user("stranger"));
    let denied = |head: &str, line: &str, reason: &str| {
        let (success, text) = run(&format!("{head}\n{line}"));
        assert!(!success, "{line}\n{text}");
        assert!(text.contains(reason), "{line}\n{text}");
    };
    let get = "kubectl get configmap seen";
    denied(&viewer, get, "Unauthorized");
    let arn = "arn:aws:iam::123456789012:user/viewer";
    must(&format!(
        "aws eks create-access-entry --cluster-name hand --principal-arn {arn}"
    ));
    denied(&viewer, get, "Forbidden");
    must(&format!(
        "aws eks associate-access-policy --cluster-name hand --principal-arn {arn} --policy-arn arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy --access-scope type=namespace,namespaces=default"
    ));
    must(&format!("{viewer}\n{get}"));
    denied(&viewer, "kubectl delete configmap seen", "Forbidden");
    denied(
        &viewer,
        "kubectl -n kube-system get configmaps",
        "Forbidden",
    );
    denied(&viewer, "kubectl get nodes", "Forbidden");
    denied(&stranger, get, "Unauthorized");

    status(&directory).unwrap();
    down(&directory).await.unwrap();
}
