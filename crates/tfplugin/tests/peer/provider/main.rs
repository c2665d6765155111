//! A provider with the schemas and the behavior of the one in `conformance/`, which is on
//! HashiCorp's framework.

mod others;
mod schema;
mod thing;

use std::process::ExitCode;

use tfplugin::cty::Path;
use tfplugin::schema::{Attribute, Schema};
use tfplugin::{
    AttributeValue, ConfigureRequest, DataSourceEntry, Diagnostics, EphemeralResourceEntry,
    FunctionEntry, Provider, ResourceEntry, ServeOptions, model,
};

model! {
    /// The provider's configuration.
    pub struct Config {
        /// Part of each identity.
        pub region: AttributeValue<String>,
    }
}

/// What the configuration makes.
pub type Region = AttributeValue<String>;

struct Peer;

impl Provider for Peer {
    type Config = Config;
    type Client = Region;

    fn schema(&self) -> Schema {
        Schema::new("A peer.").attribute(
            "region",
            Attribute::string().optional().description("Region."),
        )
    }

    async fn configure(
        &self,
        request: ConfigureRequest<Config>,
    ) -> Result<(Region, Diagnostics), Diagnostics> {
        if request.config.region.as_str() == Some("fail") {
            return Err(told_to_fail("region"));
        }
        Ok((request.config.region, Diagnostics::new()))
    }

    fn resources(&self) -> Vec<ResourceEntry<Region>> {
        vec![ResourceEntry::identified(
            "peer_thing",
            thing::ThingResource,
        )]
    }

    fn data_sources(&self) -> Vec<DataSourceEntry<Region>> {
        vec![DataSourceEntry::new("peer_lookup", others::Lookup)]
    }

    fn ephemeral_resources(&self) -> Vec<EphemeralResourceEntry<Region>> {
        vec![EphemeralResourceEntry::new("peer_token", others::Token)]
    }

    fn functions(&self) -> Vec<FunctionEntry> {
        vec![
            FunctionEntry::new("join", others::Join),
            FunctionEntry::new("describe", others::Describe),
        ]
    }
}

/// The error of a handler that is told to fail by an attribute.
fn told_to_fail(attribute: &str) -> Diagnostics {
    Diagnostics::attribute_error(
        Path::root().attribute(attribute),
        "Told to fail",
        format!("Take another {attribute}."),
    )
}

fn main() -> ExitCode {
    let options = ServeOptions::new("example.com/example/peer", env!("CARGO_PKG_VERSION"));
    tfplugin::serve(Peer, options)
}
