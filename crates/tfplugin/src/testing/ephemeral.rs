//! Ephemeral resources, from opening to closing.

use std::time::SystemTime;

use super::core::{Core, complete, dynamic, value, warnings};
use crate::cty::Value;
use crate::diagnostics::Diagnostics;
use crate::server::proto;

/// An ephemeral resource that is open.
#[must_use = "what is open is to be closed"]
pub struct Ephemeral {
    core: Core,
    type_name: String,
    /// The values.
    pub result: Value,
    /// When the provider wants it to be renewed.
    pub renew_at: Option<SystemTime>,
    /// The warnings of the opening.
    pub warnings: Diagnostics,
    private: Option<Vec<u8>>,
}

impl Core {
    /// Validates and opens an ephemeral resource.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error.
    ///
    /// # Panics
    /// When there is no such type, or the result is not wholly known.
    pub async fn open_ephemeral(
        &mut self,
        type_name: &str,
        config: Value,
    ) -> Result<Ephemeral, Diagnostics> {
        let ty = self.ephemeral_schema(type_name).ty();
        let config = dynamic(&complete(config, &ty), &ty);
        let validated = self
            .client
            .validate_ephemeral_resource_config(
                proto::validate_ephemeral_resource_config::Request {
                    type_name: type_name.to_owned(),
                    config: Some(config.clone()),
                },
            )
            .await
            .expect("ValidateEphemeralResourceConfig succeeds")
            .into_inner();
        let mut diagnostics = warnings(validated.diagnostics)?;
        let opened = self
            .client
            .open_ephemeral_resource(proto::open_ephemeral_resource::Request {
                type_name: type_name.to_owned(),
                config: Some(config),
                client_capabilities: Some(self.capabilities()),
            })
            .await
            .expect("OpenEphemeralResource succeeds")
            .into_inner();
        diagnostics.extend(warnings(opened.diagnostics)?);
        assert!(opened.deferred.is_none(), "nothing may be deferred");
        let result = value(opened.result.as_ref(), &ty);
        assert!(!result.is_null(), "the result must not be null");
        assert!(result.is_wholly_known(), "the result must be known");
        Ok(Ephemeral {
            core: self.clone(),
            type_name: type_name.to_owned(),
            result,
            renew_at: time(opened.renew_at),
            warnings: diagnostics,
            private: opened.private,
        })
    }
}

impl Ephemeral {
    /// Renews it, whether or not it is time.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error; the warnings otherwise.
    pub async fn renew(&mut self) -> Result<Diagnostics, Diagnostics> {
        let renewed = self
            .core
            .client
            .renew_ephemeral_resource(proto::renew_ephemeral_resource::Request {
                type_name: self.type_name.clone(),
                private: self.private.clone(),
            })
            .await
            .expect("RenewEphemeralResource succeeds")
            .into_inner();
        self.renew_at = time(renewed.renew_at);
        self.private = renewed.private;
        warnings(renewed.diagnostics)
    }

    /// Closes it.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error; the warnings otherwise.
    pub async fn close(mut self) -> Result<Diagnostics, Diagnostics> {
        let closed = self
            .core
            .client
            .close_ephemeral_resource(proto::close_ephemeral_resource::Request {
                type_name: self.type_name,
                private: self.private,
            })
            .await
            .expect("CloseEphemeralResource succeeds")
            .into_inner();
        warnings(closed.diagnostics)
    }
}

fn time(timestamp: Option<prost_types::Timestamp>) -> Option<SystemTime> {
    timestamp.map(|timestamp| SystemTime::try_from(timestamp).expect("a time of this era"))
}
