//! Wrong input: each diagnostic names the attribute and the way out.

use anyhow::{Result, ensure};
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;

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
    environment: &'static [(&'static str, &'static str)],
    expected: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    let good = cluster("main", "1.35");
    let provider = |arguments: &str| format!("provider \"devopsgenie\" {{ {arguments} }}\n{good}");
    vec![
        Case {
            what: "bad name",
            configuration: cluster("-main!", "1.35"),
            environment: &[],
            expected: &["name = \"-main!\"", "letters"],
        },
        Case {
            what: "malformed version",
            configuration: cluster("main", "v1.35.2"),
            environment: &[],
            expected: &["kubernetes_version = \"v1.35.2\"", "1.35"],
        },
        Case {
            what: "unknown version",
            configuration: cluster("main", "1.99"),
            environment: &[],
            expected: &["kubernetes_version", "1.99", "1.36"],
        },
        Case {
            what: "missing credentials",
            configuration: good.clone(),
            environment: &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")],
            expected: &["credentials", "AWS_ACCESS_KEY_ID"],
        },
        Case {
            what: "wrong account",
            configuration: provider("allowed_account_ids = [\"999999999999\"]"),
            environment: &[],
            expected: &["allowed_account_ids", "123456789012"],
        },
        Case {
            what: "unreachable endpoint",
            configuration: provider("endpoints = { eks = \"http://127.0.0.1:9\" }"),
            environment: &[],
            expected: &["http://127.0.0.1:9", "endpoints.eks"],
        },
        Case {
            what: "expired token",
            configuration: good,
            environment: &[
                ("AWS_ACCESS_KEY_ID", "ASIAEXPIRED000000000"),
                ("AWS_SECRET_ACCESS_KEY", "not-a-real-secret"),
                ("AWS_SESSION_TOKEN", "expired"),
            ],
            expected: &["credentials"],
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_explained() {
    fn run(scenario: &mut Scenario) -> Result<()> {
        for case in cases() {
            scenario.configure(&case.configuration)?;
            let before = scenario.workspace.environment().clone();
            for (name, value) in case.environment {
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
            for secret in ["lab-root-secret", "not-a-real-secret"] {
                ensure!(
                    !text.contains(secret),
                    "{}: a secret is shown: {}",
                    case.what,
                    run.text()
                );
            }
            ensure!(!text.contains("panic"), "{}: {}", case.what, run.text());
            for (name, _) in case.environment {
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
    run(&mut scenario).unwrap();
}
