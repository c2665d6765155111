//! Wrong input: each diagnostic names the attribute and the way out.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;
use serde_json::Value;

fn cluster(name: &str, version: &str) -> String {
    format!(
        "resource \"devopsgenie_cluster\" \"main\" {{\n  name = \"{name}\"\n  kubernetes_version = \"{version}\"\n  \
         vpc_config = {{ subnet_ids = var.subnet_ids }}\n}}\n"
    )
}

/// What is wrong, how, and the texts that the diagnostic has to hold: the attribute's source line
/// or name, and the way out.
struct Case {
    what: &'static str,
    configuration: String,
    environment: Vec<(&'static str, String)>,
    expected: &'static [&'static str],
}

/// A session whose time is over: AWS gives none shorter than 15 minutes, the lab's STS does.
async fn expired_session(scenario: &Scenario) -> Result<[String; 3]> {
    let configuration = scenario.lab.directory().join("unchecked-parameters");
    std::fs::write(&configuration, "[default]\nparameter_validation = false\n")?;
    let output = scenario
        .lab
        .command("aws")
        .env("AWS_CONFIG_FILE", &configuration)
        .args(["sts", "get-session-token", "--duration-seconds", "1"])
        .args(["--output", "json"])
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    let part = |name: &str| {
        answer["Credentials"][name]
            .as_str()
            .map(str::to_owned)
            .context("a session has all parts")
    };
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok([
        part("AccessKeyId")?,
        part("SecretAccessKey")?,
        part("SessionToken")?,
    ])
}

fn credentials([key, secret, token]: [String; 3]) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SESSION_TOKEN", token),
    ]
}

fn cases(expired: [String; 3]) -> Vec<Case> {
    let good = cluster("main", "1.35");
    let provider = |arguments: &str| format!("provider \"devopsgenie\" {{ {arguments} }}\n{good}");
    vec![
        Case {
            what: "bad name",
            configuration: cluster("-main!", "1.35"),
            environment: vec![],
            expected: &["name = \"-main!\"", "letters"],
        },
        Case {
            what: "malformed version",
            configuration: cluster("main", "v1.35.2"),
            environment: vec![],
            expected: &["kubernetes_version = \"v1.35.2\"", "1.35"],
        },
        Case {
            what: "unknown version",
            configuration: cluster("main", "1.99"),
            environment: vec![],
            expected: &["kubernetes_version", "1.99", "1.36"],
        },
        Case {
            what: "missing credentials",
            configuration: good.clone(),
            environment: vec![
                ("AWS_ACCESS_KEY_ID", String::new()),
                ("AWS_SECRET_ACCESS_KEY", String::new()),
            ],
            expected: &["credentials", "AWS_ACCESS_KEY_ID"],
        },
        Case {
            what: "wrong account",
            configuration: provider("allowed_account_ids = [\"999999999999\"]"),
            environment: vec![],
            expected: &["allowed_account_ids", "123456789012"],
        },
        Case {
            what: "forbidden account",
            configuration: provider("forbidden_account_ids = [\"123456789012\"]"),
            environment: vec![],
            expected: &["forbidden_account_ids", "123456789012", "another account"],
        },
        Case {
            what: "reserved default tag",
            configuration: provider(
                "default_tags = { tags = { \"devopsgenie.dev/owner\" = \"me\" } }",
            ),
            environment: vec![],
            expected: &["default_tags", "devopsgenie.dev/", "reserved"],
        },
        Case {
            what: "role that cannot be assumed",
            configuration: provider(
                "assume_role = { role_arn = \"arn:aws:iam::123456789012:role/absent\" }",
            ),
            environment: vec![],
            expected: &["role/absent", "assume_role.role_arn", "trust policy"],
        },
        Case {
            what: "unreachable endpoint",
            configuration: provider("endpoints = { eks = \"http://127.0.0.1:9\" }"),
            environment: vec![],
            expected: &["http://127.0.0.1:9", "endpoints.eks"],
        },
        Case {
            what: "unknown key",
            configuration: good.clone(),
            environment: credentials(
                ["ASIAUNKNOWN000000000", "not-a-real-secret", "token"].map(str::to_owned),
            ),
            expected: &["credentials as invalid", "AWS_ACCESS_KEY_ID"],
        },
        Case {
            what: "expired session",
            configuration: good,
            environment: credentials(expired),
            expected: &["credentials as expired", "ExpiredToken", "aws sso login"],
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_explained() {
    async fn run(scenario: &mut Scenario) -> Result<()> {
        let expired = expired_session(scenario).await?;
        let secrets = [
            "lab-root-secret".to_owned(),
            "not-a-real-secret".to_owned(),
            expired[1].clone(),
            expired[2].clone(),
        ];
        for case in cases(expired) {
            scenario.configure(&case.configuration)?;
            let before = scenario.workspace.environment().clone();
            for (name, value) in &case.environment {
                if value.is_empty() {
                    scenario.workspace.unset(name);
                } else {
                    scenario.workspace.set(name, value);
                }
            }
            let run = scenario.apply_fails()?;
            let text = run.flat();
            for expected in case.expected {
                ensure!(
                    text.contains(expected),
                    "{}: no {expected:?} in {}",
                    case.what,
                    run.text()
                );
            }
            for secret in &secrets {
                ensure!(
                    !text.contains(secret),
                    "{}: a secret is shown: {}",
                    case.what,
                    run.text()
                );
            }
            ensure!(!text.contains("panic"), "{}: {}", case.what, run.text());
            for (name, _) in &case.environment {
                match before.get(*name) {
                    Some(value) => scenario.workspace.set(name, value),
                    None => scenario.workspace.unset(name),
                }
            }
        }
        Ok(())
    }
    let mut scenario = Scenario::start(Core::default_binary().unwrap())
        .await
        .unwrap();
    run(&mut scenario).await.unwrap();
}
