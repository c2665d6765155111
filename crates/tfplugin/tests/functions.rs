//! Functions and ephemeral resources of a provider.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tfplugin::cty::{Number, Type, Value};
use tfplugin::schema::{Attribute, Schema, validators};
use tfplugin::testing::{Core, assert_valid_provider};
use tfplugin::{
    Arguments, AttributeValue, ConfigureRequest, Context, Diagnostics, EphemeralResource,
    EphemeralResourceEntry, Function, FunctionDefinition, FunctionEntry, FunctionError, Opened,
    Parameter, Private, Provider, Renewed, ResourceEntry, model,
};

model! {
    struct Config {}

    struct Token {
        name: AttributeValue<String>,
        lifetime: AttributeValue<i64>,
        value: AttributeValue<String>,
    }

    struct Pair {
        left: AttributeValue<String>,
        right: AttributeValue<i64>,
    }
}

/// Joins texts.
struct Join;

impl Function for Join {
    type Output = String;

    fn definition(&self) -> FunctionDefinition {
        FunctionDefinition::new("Joins texts.")
            .parameter(Parameter::new::<String>("separator", "Between two texts."))
            .variadic(Parameter::new::<String>("texts", "The texts."))
    }

    fn call(&self, arguments: Arguments) -> Result<AttributeValue<String>, FunctionError> {
        let separator: String = arguments.get(0)?;
        let texts: Vec<String> = arguments.variadic()?;
        if let Some(empty) = texts.iter().position(String::is_empty) {
            return Err(FunctionError::new("must not be empty").argument(empty + 1));
        }
        Ok(texts.join(&separator).into())
    }
}

/// Makes an object of what may be null or unknown, and a text of any number.
struct Describe;

impl Function for Describe {
    type Output = Pair;

    fn definition(&self) -> FunctionDefinition {
        FunctionDefinition::new("Describes.")
            .description("Describes at length.")
            .parameter(Parameter::of(Type::Dynamic, "anything", "Anything.").allow_null())
            .parameter(
                Parameter::new::<i64>("number", "A number.")
                    .allow_null()
                    .allow_unknown(),
            )
    }

    fn call(&self, arguments: Arguments) -> Result<AttributeValue<Pair>, FunctionError> {
        let number: AttributeValue<i64> = arguments.optional(1)?;
        if number == 13.into() {
            panic!("told to panic");
        }
        if number == 14.into() {
            return Ok(AttributeValue::Unknown);
        }
        Ok(Pair {
            left: arguments.values()[0].kind().into(),
            right: number,
        }
        .into())
    }
}

/// Hands out tokens, and notes what it does.
#[derive(Clone, Default)]
struct Tokens(Arc<Mutex<Vec<String>>>);

impl Tokens {
    fn note(&self, call: String) {
        self.0.lock().unwrap().push(call);
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn renewals(private: &Private) -> u64 {
    private.get_as("renewals").unwrap_or_default()
}

impl EphemeralResource for Tokens {
    type Model = Token;
    type Client = String;

    fn schema(&self) -> Schema {
        Schema::new("A token.")
            .attribute(
                "name",
                Attribute::string()
                    .required()
                    .description("Name.")
                    .validate(validators::string_length_between(1, 10)),
            )
            .attribute(
                "lifetime",
                Attribute::number()
                    .optional()
                    .computed()
                    .default(60)
                    .description("Seconds."),
            )
            .attribute(
                "value",
                Attribute::string()
                    .computed()
                    .sensitive()
                    .description("The token."),
            )
    }

    async fn open(
        &self,
        context: Context<String>,
        config: Token,
    ) -> Result<Opened<Token>, Diagnostics> {
        let name = config.name.as_str().unwrap_or_default().to_owned();
        self.note(format!("open {name}"));
        let value = match name.as_str() {
            "refused" => return Err(Diagnostics::error("Refused", "No token for you.")),
            "panic" => panic!("told to panic"),
            "unknown" => AttributeValue::Unknown,
            _ => format!("{name} of {}", context.client).into(),
        };
        let seconds = u64::try_from(config.lifetime.known_or(0)).unwrap();
        let mut private = Private::new();
        private.insert("name", name);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Ok(Opened::new(Token { value, ..config }, private).renew_at(time))
    }

    async fn renew(
        &self,
        _: Context<String>,
        mut private: Private,
    ) -> Result<Renewed, Diagnostics> {
        let count = renewals(&private) + 1;
        self.note(format!("renew {count}"));
        private.insert("renewals", count);
        match count {
            1 => Ok(Renewed::until(private, SystemTime::UNIX_EPOCH)),
            2 => Err(Diagnostics::error("Not renewed", "Twice is too often.")),
            _ => Ok(Renewed::once(private)),
        }
    }

    async fn close(&self, _: Context<String>, private: Private) -> Diagnostics {
        self.note(format!("close after {} renewals", renewals(&private)));
        Diagnostics::warning("Closed", "As it should be.")
    }
}

struct Example(Tokens);

impl Provider for Example {
    type Config = Config;
    type Client = String;

    fn schema(&self) -> Schema {
        Schema::new("An example.")
    }

    async fn configure(
        &self,
        _: ConfigureRequest<Config>,
    ) -> Result<(String, Diagnostics), Diagnostics> {
        Ok(("somebody".to_owned(), Diagnostics::new()))
    }

    fn resources(&self) -> Vec<ResourceEntry<String>> {
        Vec::new()
    }

    fn ephemeral_resources(&self) -> Vec<EphemeralResourceEntry<String>> {
        vec![EphemeralResourceEntry::new("example_token", self.0.clone())]
    }

    fn functions(&self) -> Vec<FunctionEntry> {
        vec![
            FunctionEntry::new("join", Join),
            FunctionEntry::new("describe", Describe),
        ]
    }
}

#[test]
fn the_provider_is_valid() {
    assert_valid_provider(Example(Tokens::default()));
}

/// The result, or part of the error's text and the argument it is about.
type Expected = Result<Value, (&'static str, Option<usize>)>;

#[tokio::test]
async fn functions() {
    // Never configured, as in Terraform.
    let mut core = Core::in_process(Example(Tokens::default())).await;
    let text = |text: &str| Value::from(text);
    let huge: Number = "123456789012345678901234567890".parse().unwrap();
    let described =
        |left: &str, right: Value| Ok(Value::object([("left", text(left)), ("right", right)]));
    let any = |ty: Type, value: Value| Value::dynamic(ty, value);
    let cases: [(&str, Vec<Value>, Expected); 11] = [
        ("join", vec![text(", ")], Ok(text(""))),
        (
            "join",
            vec![text(", "), text("a"), text("b")],
            Ok(text("a, b")),
        ),
        (
            "join",
            vec![text(", "), text("a"), text("")],
            Err(("must not be empty", Some(2))),
        ),
        ("join", vec![Value::Unknown, text("a")], Ok(Value::Unknown)),
        (
            "join",
            vec![text(", "), Value::Null],
            Err(("argument must not be null", Some(1))),
        ),
        (
            "describe",
            vec![any(Type::Bool, Value::Bool(true)), Value::from(1)],
            described("a value with its type", Value::from(1)),
        ),
        (
            "describe",
            vec![Value::Null, Value::Unknown],
            described("null", Value::Unknown),
        ),
        (
            "describe",
            vec![Value::Null, Value::Null],
            described("null", Value::Null),
        ),
        (
            "describe",
            vec![Value::Null, Value::Number(huge)],
            Err(("expected a whole number from", Some(1))),
        ),
        (
            "describe",
            vec![Value::Null, Value::from(13)],
            Err(("while computing describe: told to panic", None)),
        ),
        (
            "describe",
            vec![Value::Null, Value::from(14)],
            Err(("unknown although every argument is known", None)),
        ),
    ];
    for (name, arguments, expected) in cases {
        let found = core.call_function(name, &arguments).await;
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(*found, expected, "{name} {arguments:?}"),
            (Err(error), Err((text, argument))) => {
                assert!(error.text().contains(text), "{name} {arguments:?}: {error}");
                assert_eq!(error.argument_index(), argument, "{name} {arguments:?}");
            }
            _ => panic!("{name} {arguments:?}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn ephemeral_resources() {
    let tokens = Tokens::default();
    let mut core = Core::in_process(Example(tokens.clone())).await;
    core.configure(Value::object::<String>([])).await.unwrap();
    let named = |name: &str| Value::object([("name", Value::from(name))]);

    let mut token = core
        .open_ephemeral("example_token", named("a"))
        .await
        .unwrap();
    assert_eq!(
        token.result,
        Value::object([
            ("name", Value::from("a")),
            ("lifetime", Value::from(60)),
            ("value", Value::from("a of somebody")),
        ])
    );
    let time = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!(token.renew_at, time(60));
    token.renew().await.unwrap();
    assert_eq!(token.renew_at, time(0));
    let error = token.renew().await.unwrap_err();
    assert!(error.to_string().contains("Twice is too often"), "{error}");
    assert_eq!(token.renew_at, None);
    let warnings = token.close().await.unwrap();
    assert_eq!(warnings.len(), 1);
    // The failed renewal leaves the private data as they were.
    assert_eq!(
        tokens.calls(),
        ["open a", "renew 1", "renew 2", "close after 1 renewals"]
    );

    let failures: [(&str, &str, &[&str]); 4] = [
        ("refused", "No token for you.", &["open refused"]),
        (
            "panic",
            "while opening an ephemeral resource example_token: told to panic",
            &["open panic"],
        ),
        // What Core would not close is closed at once.
        (
            "unknown",
            "`value`: the value is unknown",
            &["open unknown", "close after 0 renewals"],
        ),
        ("far too long", "`name` must", &[]),
    ];
    for (name, expected, calls) in failures {
        match core.open_ephemeral("example_token", named(name)).await {
            Ok(_) => panic!("{name} was opened"),
            Err(error) => assert!(error.to_string().contains(expected), "{name}: {error}"),
        }
        assert_eq!(tokens.calls(), calls, "{name}");
    }
}
