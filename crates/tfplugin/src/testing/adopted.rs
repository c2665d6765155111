//! Objects that come into the state otherwise than by a create, and what they are known by.

use super::core::{complete, dynamic, value, warnings};
use super::managed::{Managed, Stored};
use crate::cty::Value;
use crate::diagnostics::Diagnostics;
use crate::server::proto;

impl Managed {
    /// Imports by id and reads, replacing the state.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error.
    ///
    /// # Panics
    /// When there is not exactly one object, or it does not exist when it is read.
    pub async fn import(&mut self, id: &str) -> Result<Diagnostics, Diagnostics> {
        self.import_one(id, None).await
    }

    /// Imports by identity and reads, replacing the state. Attributes that are left out are null.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error.
    ///
    /// # Panics
    /// When the resource has no identity, there is not exactly one object, the answer has no
    /// identity, or the object does not exist when it is read.
    pub async fn import_by_identity(
        &mut self,
        identity: Value,
    ) -> Result<Diagnostics, Diagnostics> {
        let ty = &self.identity.as_ref().expect("an identity").ty;
        let identity = complete(identity, ty);
        let data = self.identity_data(&identity);
        self.import_one("", data).await
    }

    async fn import_one(
        &mut self,
        id: &str,
        identity: Option<proto::ResourceIdentityData>,
    ) -> Result<Diagnostics, Diagnostics> {
        let by_identity = identity.is_some();
        let capabilities = self.core.capabilities();
        let response = self
            .core
            .client
            .import_resource_state(proto::import_resource_state::Request {
                type_name: self.type_name.clone(),
                id: id.to_owned(),
                client_capabilities: Some(capabilities),
                identity,
            })
            .await
            .expect("ImportResourceState succeeds")
            .into_inner();
        let mut warnings = warnings(response.diagnostics)?;
        let [imported] = &response.imported_resources[..] else {
            panic!("an import must give exactly one object");
        };
        assert!(!imported.type_name.is_empty(), "the import has no type");
        let state = value(imported.state.as_ref(), &self.ty);
        self.assert_storable(&state);
        let identity = self.known_identity(imported.identity.as_ref());
        assert!(
            !by_identity || !identity.is_null(),
            "an import by identity gives an identity"
        );
        self.stored = Some(Stored {
            value: state,
            private: imported.private.clone(),
            identity,
            tainted: false,
        });
        warnings.extend(self.refresh().await?);
        assert!(
            self.stored.is_some(),
            "cannot import non-existent remote object"
        );
        Ok(warnings)
    }

    /// Takes over the state of an object of another type, as a `moved` block asks for, replacing
    /// the state. `provider_address` is `HOST/NAMESPACE/TYPE`.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error.
    pub async fn move_from(
        &mut self,
        provider_address: &str,
        type_name: &str,
        version: i64,
        state: &str,
    ) -> Result<Diagnostics, Diagnostics> {
        let response = self
            .core
            .client
            .move_resource_state(proto::move_resource_state::Request {
                source_provider_address: provider_address.to_owned(),
                source_type_name: type_name.to_owned(),
                source_schema_version: version,
                source_state: Some(proto::RawState {
                    json: state.as_bytes().to_vec(),
                    ..Default::default()
                }),
                target_type_name: self.type_name.clone(),
                ..Default::default()
            })
            .await
            .expect("MoveResourceState succeeds")
            .into_inner();
        let warnings = warnings(response.diagnostics)?;
        let state = value(response.target_state.as_ref(), &self.ty);
        assert!(!state.is_null(), "a moved state must not be null");
        self.assert_storable(&state);
        self.stored = Some(Stored {
            value: state,
            private: response.target_private,
            identity: self.known_identity(response.target_identity.as_ref()),
            tainted: false,
        });
        Ok(warnings)
    }

    /// Lets the provider read an identity that was written with the given version of its schema.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error.
    ///
    /// # Panics
    /// When the answer is no identity.
    pub async fn upgrade_raw_identity(
        &mut self,
        version: i64,
        raw: Vec<u8>,
    ) -> Result<Value, Diagnostics> {
        let response = self
            .core
            .client
            .upgrade_resource_identity(proto::upgrade_resource_identity::Request {
                type_name: self.type_name.clone(),
                version,
                raw_identity: Some(proto::RawState {
                    json: raw,
                    ..Default::default()
                }),
            })
            .await
            .expect("UpgradeResourceIdentity succeeds")
            .into_inner();
        let _ = warnings(response.diagnostics)?;
        let identity = self.known_identity(response.upgraded_identity.as_ref());
        assert!(!identity.is_null(), "an upgraded identity must not be null");
        Ok(identity)
    }

    pub(super) fn identity_data(&self, identity: &Value) -> Option<proto::ResourceIdentityData> {
        let known = self.identity.as_ref()?;
        (!identity.is_null()).then(|| proto::ResourceIdentityData {
            identity_data: Some(dynamic(identity, &known.ty)),
        })
    }

    pub(super) fn identity_value(&self, data: Option<&proto::ResourceIdentityData>) -> Value {
        match (&self.identity, data) {
            (Some(identity), Some(data)) => value(data.identity_data.as_ref(), &identity.ty),
            (None, Some(_)) => panic!("an identity of a resource without identity"),
            _ => Value::Null,
        }
    }

    pub(super) fn known_identity(&self, data: Option<&proto::ResourceIdentityData>) -> Value {
        let identity = self.identity_value(data);
        assert!(identity.is_wholly_known(), "an identity must be known");
        identity
    }
}
