//! Settings and credentials: what is refused, where, and with which way out.

mod common;

use common::Account;
use devopsgenie_lifecycle::aws::{AssumeRole, Aws, AwsError, EksTokenSource, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn the_account_is_checked() {
    let account = Account::start().await;
    let identity = account.aws.caller_identity().await.unwrap();
    assert_eq!(identity.account_id, "123456789012");
    type Change = fn(&mut Settings);
    let table: [(Change, Option<&str>, &str); 4] = [
        (
            |settings| settings.allowed_account_ids = vec!["123456789012".to_owned()],
            None,
            "",
        ),
        (
            |settings| settings.allowed_account_ids = vec!["210987654321".to_owned()],
            Some("allowed_account_ids"),
            "belong to AWS account 123456789012",
        ),
        (
            |settings| settings.forbidden_account_ids = vec!["123456789012".to_owned()],
            Some("forbidden_account_ids"),
            "which forbidden_account_ids excludes",
        ),
        (
            |settings| {
                settings.endpoints.sts = Some("http://127.0.0.1:1".to_owned());
                settings.max_retries = Some(0);
            },
            Some("endpoints.sts"),
            "the AWS account could not be determined",
        ),
    ];
    for (change, attribute, text) in table {
        let mut settings = account.settings();
        change(&mut settings);
        let aws = Aws::new(settings).await.unwrap();
        match aws.caller_identity().await {
            Ok(_) => assert_eq!(attribute, None),
            Err(error) => {
                assert_eq!(error.attribute(), attribute, "{error}");
                assert!(error.to_string().contains(text), "{error}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_say_what_to_do_and_show_no_secret() {
    let account = Account::start().await;
    let mut settings = account.settings();
    settings.secret_key = Some("not-the-secret".to_owned());
    let aws = Aws::new(settings).await.unwrap();
    let error = aws.caller_identity().await.unwrap_err();
    assert!(
        matches!(
            error,
            AwsError::CredentialsRefused {
                kind: "invalid",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(!format!("{error:?} {aws:?}").contains("not-the-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_work_name_their_attribute() {
    type Change = fn(&mut Settings);
    let table: [(Change, &str); 5] = [
        (|settings| settings.secret_key = None, "secret_key"),
        (|settings| settings.access_key = None, "access_key"),
        (
            |settings| {
                settings.access_key = None;
                settings.secret_key = None;
                settings.token = Some("t".to_owned());
            },
            "token",
        ),
        (
            |settings| settings.endpoints.eks = Some("localhost:1".to_owned()),
            "endpoints.eks",
        ),
        (
            |settings| {
                settings.assume_role = Some(AssumeRole {
                    role_arn: "deploy".to_owned(),
                    ..AssumeRole::default()
                });
            },
            "assume_role.role_arn",
        ),
    ];
    for (change, attribute) in table {
        let mut settings = Settings {
            region: Some("us-east-1".to_owned()),
            access_key: Some("a".to_owned()),
            secret_key: Some("s".to_owned()),
            ..Settings::default()
        };
        change(&mut settings);
        let error = Aws::new(settings).await.unwrap_err();
        assert_eq!(error.attribute(), Some(attribute), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_without_a_call() {
    let account = Account::start().await;
    account.simulator.request_log().reset();
    let token = EksTokenSource::new(account.aws.clone(), "platform")
        .token()
        .await
        .unwrap();
    assert!(token.value.starts_with("k8s-aws-v1."));
    assert!(account.simulator.request_log().all().is_empty());
}
