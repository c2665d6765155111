//! The identities that go with the answers about a resource.

use super::convert::{decode_object, encode};
use super::guard::{Aftermath, guard};
use super::proto;
use super::session::Session;
use super::{DescribedIdentity, Entry};
use crate::cty::Value;
use crate::diagnostics::Diagnostics;
use crate::erased::ErasedResource;

/// The identity of one object during one call.
pub(super) struct Identity<'a> {
    described: Option<&'a DescribedIdentity>,
    session: &'a Session,
    /// What Core knew before.
    before: Option<Value>,
    sent: Option<proto::ResourceIdentityData>,
}

impl<'a> Identity<'a> {
    pub(super) fn new(
        entry: &'a Entry<dyn ErasedResource>,
        session: &'a Session,
        sent: Option<proto::ResourceIdentityData>,
    ) -> Result<Self, Diagnostics> {
        let described = entry.identity();
        let before = match (described, &sent) {
            (Some(described), Some(data)) => {
                decode_object(data.identity_data.as_ref(), &described.ty)?
            }
            _ => None,
        };
        Ok(Self {
            described,
            session,
            before,
            sent,
        })
    }

    /// The identity there was, if Core knew it.
    pub(super) fn before(&self) -> Option<proto::ResourceIdentityData> {
        self.complete_before().and(self.sent.clone())
    }

    /// The identity of an object that was there before, with this state then.
    pub(super) fn kept(
        &self,
        prior: &Value,
    ) -> Result<Option<proto::ResourceIdentityData>, Diagnostics> {
        match self.before() {
            Some(before) => Ok(Some(before)),
            None => self.of_new(prior),
        }
    }

    /// The identity of an object that is or was made, imported or moved, and has this state. Nothing
    /// is said as long as a part is missing: OpenTofu 1.12 cannot keep a planned object whose
    /// identity is unknown ("failed to encode … in state: value is not known").
    pub(super) fn of_new(
        &self,
        state: &Value,
    ) -> Result<Option<proto::ResourceIdentityData>, Diagnostics> {
        let Some(described) = self.described else {
            return Ok(None);
        };
        let identity = self.find(described, state)?;
        if is_complete(described, &identity) {
            encode_identity(described, &identity).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The identity of an object that was there before, or was imported by its identity, and has
    /// this state now. Optional parts that were missing may have been found.
    ///
    /// # Errors
    /// It changed.
    pub(super) fn of_same(
        &self,
        state: &Value,
    ) -> Result<Option<proto::ResourceIdentityData>, Diagnostics> {
        let (Some(described), Some(before)) = (self.described, self.complete_before()) else {
            return self.of_new(state);
        };
        let found = self.find(described, state)?;
        if !is_complete(described, &found) {
            return Ok(self.before());
        }
        let differing = differing(before, &found);
        if differing.is_empty() {
            encode_identity(described, &found).map(Some)
        } else {
            Err(changed(&differing))
        }
    }

    fn complete_before(&self) -> Option<&Value> {
        let described = self.described?;
        self.before
            .as_ref()
            .filter(|before| is_complete(described, before))
    }

    fn find(&self, described: &DescribedIdentity, state: &Value) -> Result<Value, Diagnostics> {
        let client = self.session.client();
        guard(|| described.handler.identity(client.as_ref(), state)).map_err(|panicked| {
            panicked.into_diagnostics("finding an identity", Aftermath::Finished)
        })?
    }
}

/// Whether nothing is unknown and nothing is missing that an import needs.
fn is_complete(described: &DescribedIdentity, identity: &Value) -> bool {
    let mut required = described
        .schema
        .attributes
        .iter()
        .filter(|(_, attribute)| attribute.required_for_import);
    identity.is_wholly_known()
        && identity.as_entries().is_some_and(|values| {
            required.all(|(name, _)| values.get(name).is_some_and(|value| !value.is_null()))
        })
}

pub(super) fn encode_identity(
    described: &DescribedIdentity,
    identity: &Value,
) -> Result<proto::ResourceIdentityData, Diagnostics> {
    Ok(proto::ResourceIdentityData {
        identity_data: Some(encode(identity, &described.ty)?),
    })
}

/// The attributes that were there and are not the same any more.
fn differing(before: &Value, now: &Value) -> Vec<String> {
    let now = now.as_entries();
    before
        .as_entries()
        .into_iter()
        .flatten()
        .filter(|(name, before)| {
            !before.is_null() && now.and_then(|now| now.get(*name)) != Some(before)
        })
        .map(|(name, _)| format!("`{name}`"))
        .collect()
}

fn changed(attributes: &[String]) -> Diagnostics {
    Diagnostics::error(
        "The identity of the object changed",
        format!(
            "{} of its identity is not what it was. An object keeps its identity as long as it \
             exists, so this is another object, or a bug in the provider. Check which object the \
             configuration means; to manage the other one, remove this one from the state and \
             import that.",
            attributes.join(", ")
        ),
    )
}
