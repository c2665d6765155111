//! Single calls: validation, configuration, data sources.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

mod support;

use support::{Probe, config, start};
use tfplugin::cty::{Type, Value};
use tfplugin::testing::{Core, assert_valid_provider, assert_valid_resource};

#[test]
fn the_schemas_are_valid() {
    assert_valid_provider(Probe::default());
    assert_valid_resource(&Probe::default());
}

#[tokio::test]
async fn validation() {
    let (_, _, mut managed) = start().await;
    let name = ("name", Value::from("a"));
    let cases: [(Value, Option<&str>); 8] = [
        (config([name.clone()]), None),
        (config([("name", Value::Unknown)]), None),
        (
            config([("name", Value::from("A b"))]),
            Some("(at name): `name` must consist of lower-case letters only, got \"A b\"."),
        ),
        (
            config([name.clone(), ("size", Value::from(12))]),
            Some("(at size): `size` must be a whole number from 1 to 9, got 12."),
        ),
        (
            config([
                name.clone(),
                (
                    "size",
                    Value::number("1.5".parse::<tfplugin::cty::Number>().unwrap()),
                ),
            ]),
            Some("`size` must be a whole number from 1 to 9, got 1.5."),
        ),
        (
            config([
                name.clone(),
                ("document", Value::from("x")),
                ("anything", Value::dynamic(Type::String, Value::from("x"))),
            ]),
            Some("Conflicting arguments (at anything): `document`, `anything` are set."),
        ),
        (
            config([
                name.clone(),
                ("timeouts", Value::object([("read", Value::from("soon"))])),
            ]),
            Some("(at timeouts.read): `timeouts.read` must be a duration such as"),
        ),
        (
            config([
                name.clone(),
                (
                    "groups",
                    Value::map([(
                        "x",
                        Value::object([(
                            "minimum",
                            "0.5".parse::<tfplugin::cty::Number>().unwrap().into(),
                        )]),
                    )]),
                ),
            ]),
            Some(
                "(at groups[\"x\"].minimum): `groups[\"x\"].minimum` in the configuration: expected a whole number from -9223372036854775808 to 9223372036854775807.",
            ),
        ),
    ];
    for (config, expected) in cases {
        let result = managed.plan(config.clone()).await;
        match (result, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(text)) => assert!(error.to_string().contains(text), "{error}"),
            (result, _) => panic!("{config:?}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn an_unconfigured_provider_plans_and_refuses_to_apply() {
    let core = Core::in_process(Probe::default()).await;
    let mut managed = core.resource("probe_thing");
    let wanted = config([("name", Value::from("a"))]);
    let plan = managed.plan(wanted.clone()).await.unwrap();
    let error = managed.apply_plan(&plan, wanted).await.unwrap_err();
    assert!(
        error.to_string().contains("The provider is not configured"),
        "{error}"
    );
}

#[tokio::test]
async fn provider_configuration_errors_name_the_attribute() {
    let mut core = Core::in_process(Probe::default()).await;
    let error = core
        .configure(config([("fail", Value::Bool(true))]))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Error: Told to fail (at fail): Set fail to false."
    );
    // Values may be unknown while planning.
    core.configure(config([("region", Value::Unknown)]))
        .await
        .unwrap();
}

#[tokio::test]
async fn data_sources() {
    let (_, mut core, _) = start().await;
    let (value, _) = core
        .read_data_source("probe_lookup", config([("name", Value::from("x"))]))
        .await
        .unwrap();
    assert_eq!(
        value,
        config([
            ("found", Value::from("x in here")),
            ("name", Value::from("x"))
        ])
    );
    let error = core
        .read_data_source("probe_lookup", config([("name", Value::from("panic"))]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("told to panic"), "{error}");
}

#[tokio::test]
async fn a_long_text_fits() {
    let (_, _, mut managed) = start().await;
    let long = "x".repeat(6 * 1024 * 1024);
    let wanted = config([("name", Value::from("a")), ("document", Value::from(long))]);
    managed.apply(wanted).await.unwrap();
}
