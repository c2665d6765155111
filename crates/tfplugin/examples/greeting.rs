//! The provider of the README.

use std::process::ExitCode;

use tfplugin::schema::{Attribute, Schema, modifiers};
use tfplugin::*;

model! {
    /// The provider has nothing to configure.
    pub struct Config {}

    /// A greeting: all values are in the state, so nothing else has to be kept.
    pub struct Greeting {
        /// Who is greeted.
        pub name: AttributeValue<String>,
        /// What is said.
        pub text: AttributeValue<String>,
    }
}

struct GreetingResource;

impl Resource for GreetingResource {
    type Model = Greeting;
    type Client = ();

    fn schema(&self) -> Schema {
        let name = Attribute::string()
            .required()
            .description("Who is greeted.")
            .plan_modifier(modifiers::requires_replace());
        let text = Attribute::string().computed().description("What is said.");
        Schema::new("A greeting.")
            .attribute("name", name)
            .attribute("text", text)
    }

    async fn create(&self, _: Context<()>, planned: PlannedCreate<Greeting>) -> Applied<Greeting> {
        let mut greeting = planned.planned;
        greeting.text = greeting.name.as_ref().map(|name| format!("Hello {name}!"));
        Applied::done(greeting, planned.private)
    }

    async fn read(&self, _: Context<()>, request: ReadRequest<Greeting>) -> ReadResponse<Greeting> {
        ReadResponse::found(request.state, request.private)
    }

    async fn update(&self, _: Context<()>, planned: PlannedUpdate<Greeting>) -> Applied<Greeting> {
        Applied::done(planned.planned, planned.private)
    }

    async fn delete(&self, _: Context<()>, _: PlannedDelete<Greeting>) -> Deleted<Greeting> {
        Deleted::gone()
    }
}

struct GreetingProvider;

impl Provider for GreetingProvider {
    type Config = Config;
    type Client = ();

    fn schema(&self) -> Schema {
        Schema::new("Greets.")
    }

    async fn configure(
        &self,
        _: ConfigureRequest<Config>,
    ) -> Result<((), Diagnostics), Diagnostics> {
        Ok(((), Diagnostics::new()))
    }

    fn resources(&self) -> Vec<ResourceEntry<()>> {
        vec![ResourceEntry::new("greeting_text", GreetingResource)]
    }
}

fn main() -> ExitCode {
    let options = ServeOptions::new("example.com/example/greeting", env!("CARGO_PKG_VERSION"));
    tfplugin::serve(GreetingProvider, options)
}
