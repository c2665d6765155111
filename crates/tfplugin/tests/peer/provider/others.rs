//! The data source, the ephemeral resource and the functions.

use std::time::{Duration, UNIX_EPOCH};

use tfplugin::cty::Value;
use tfplugin::schema::{Attribute, Schema, validators};
use tfplugin::{
    Arguments, AttributeValue, Context, DataRead, DataSource, Diagnostics, EphemeralResource,
    Function, FunctionDefinition, FunctionError, Opened, Parameter, Private, Renewed, model,
};

use crate::{Region, told_to_fail};

model! {
    /// The data source.
    pub struct LookupModel {
        /// What is looked up.
        pub name: AttributeValue<String>,
        /// What was found.
        pub found: AttributeValue<String>,
    }

    /// The ephemeral resource.
    pub struct TokenModel {
        /// Tells what to do.
        pub name: AttributeValue<String>,
        /// The result.
        pub token: AttributeValue<String>,
    }
}

fn text() -> Attribute {
    Attribute::string().description("Text.")
}

/// Finds the name it is asked for.
pub struct Lookup;

impl DataSource for Lookup {
    type Model = LookupModel;
    type Client = Region;

    fn schema(&self) -> Schema {
        Schema::new("A lookup.")
            .attribute("name", text().required())
            .attribute("found", text().computed())
    }

    async fn read(
        &self,
        _: Context<Region>,
        config: LookupModel,
    ) -> Result<DataRead<LookupModel>, Diagnostics> {
        let name = config.name.as_str().unwrap_or_default();
        if name == "none" {
            return Err(told_to_fail("name"));
        }
        Ok(DataRead::new(LookupModel {
            found: format!("found {name}").into(),
            name: config.name,
        }))
    }
}

/// The ephemeral resource `peer_token`.
pub struct Token;

const RENEWAL: Duration = Duration::from_secs(60 * 365 * 24 * 60 * 60);

impl EphemeralResource for Token {
    type Model = TokenModel;
    type Client = Region;

    fn schema(&self) -> Schema {
        let name = text()
            .required()
            .validate(validators::string_length_between(1, 12));
        Schema::new("A token.")
            .attribute("name", name)
            .attribute("token", text().computed().sensitive())
    }

    async fn open(
        &self,
        _: Context<Region>,
        config: TokenModel,
    ) -> Result<Opened<TokenModel>, Diagnostics> {
        let name = config.name.as_str().unwrap_or_default().to_owned();
        if name == "fails" {
            return Err(told_to_fail("name"));
        }
        let mut private = Private::new();
        if name != "plain" {
            private.insert("name", name.as_str());
        }
        let result = TokenModel {
            token: format!("token of {name}").into(),
            ..config
        };
        let mut opened = Opened::new(result, private);
        if name == "warns" {
            opened
                .diagnostics
                .add_warning("Told to warn", "Take another name.");
        }
        if name == "renewed" {
            opened = opened.renew_at(UNIX_EPOCH + RENEWAL);
        }
        Ok(opened)
    }

    async fn renew(&self, _: Context<Region>, private: Private) -> Result<Renewed, Diagnostics> {
        match private.get_as::<String>("name").as_deref() {
            Some("unrenewable") => Err(Diagnostics::error("Told to fail", "Take another name.")),
            Some("renewed") => Ok(Renewed::until(private, UNIX_EPOCH + RENEWAL)),
            _ => Ok(Renewed::once(private)),
        }
    }

    async fn close(&self, _: Context<Region>, private: Private) -> Diagnostics {
        if private.get_as::<String>("name").as_deref() == Some("unclosable") {
            return Diagnostics::error("Told to fail", "Take another name.");
        }
        Diagnostics::new()
    }
}

/// Joins texts, none of which may be empty.
pub struct Join;

impl Function for Join {
    type Output = String;

    fn definition(&self) -> FunctionDefinition {
        FunctionDefinition::new("Joins texts.")
            .parameter(Parameter::new::<String>("separator", "Between them."))
            .variadic(Parameter::new::<String>("parts", "The texts."))
    }

    fn call(&self, arguments: Arguments) -> Result<AttributeValue<String>, FunctionError> {
        let separator: String = arguments.get(0)?;
        let parts = arguments.variadic::<String>()?;
        match parts.iter().position(String::is_empty) {
            Some(index) => Err(FunctionError::new("must not be empty").argument(index + 1)),
            None => Ok(parts.join(&separator).into()),
        }
    }
}

/// Says whether its argument is null, unknown or known.
pub struct Describe;

impl Function for Describe {
    type Output = String;

    fn definition(&self) -> FunctionDefinition {
        FunctionDefinition::new("Describes a value.").parameter(
            Parameter::new::<Value>("value", "Anything.")
                .allow_null()
                .allow_unknown(),
        )
    }

    fn call(&self, arguments: Arguments) -> Result<AttributeValue<String>, FunctionError> {
        let text = match arguments.values().first().map(Value::inner) {
            None | Some(Value::Null) => "null",
            Some(Value::Unknown) => "unknown",
            Some(_) => "known",
        };
        Ok(text.to_owned().into())
    }
}
