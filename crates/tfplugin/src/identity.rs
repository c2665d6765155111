//! Resource identity: what tells one object from all others, apart from its state.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::context::Context;
use crate::cty::{Type, Value};
use crate::diagnostics::Diagnostics;
use crate::erased::{AnyClient, AnyContext, boxed, convert};
use crate::model::Model;
use crate::resource::{Imported, Resource, UpgradeRequest};

/// A resource whose objects have an identity: Terraform 1.12 and newer, OpenTofu 1.12 and newer.
/// Older versions do not ask for it.
///
/// It is registered by [`ResourceEntry::identified`](crate::ResourceEntry::identified). The
/// framework gives Core the identity in each read, plan, apply and import as soon as it is known,
/// refuses one that
/// changes while the object stays, and keeps the one there was when an operation fails.
pub trait Identified: Resource {
    /// The identity: has the type of the identity's schema.
    type Identity: Model;

    /// The attributes of the identity.
    fn identity_schema(&self) -> IdentitySchema;

    /// The identity of the object with this state. Pure. The state may be a planned one, with
    /// unknown values, and `client` is `None` while the provider is not configured, which happens
    /// in plans alone: what depends on either is unknown then, and the framework says nothing yet.
    fn identity(&self, client: Option<&Self::Client>, state: &Self::Model) -> Self::Identity;

    /// Finds an existing object by its identity, whose optional attributes may be null. Core reads
    /// it afterwards, as after [`Resource::import`].
    ///
    /// # Errors
    /// Diagnostics that say what is wrong with the identity, or that there is no such object.
    fn import_by_identity(
        &self,
        context: Context<Self::Client>,
        identity: Self::Identity,
    ) -> impl Future<Output = Result<Imported<Self::Model>, Diagnostics>> + Send;

    /// Reads an identity written with an older version of its schema.
    ///
    /// # Errors
    /// Diagnostics that say why the identity cannot be read.
    fn upgrade_identity(&self, request: UpgradeRequest) -> Result<Self::Identity, Diagnostics> {
        Err(request.too_old())
    }
}

/// The attributes of an identity.
#[derive(Clone, Debug, Default)]
pub struct IdentitySchema {
    pub(crate) version: i64,
    pub(crate) attributes: BTreeMap<String, IdentityAttribute>,
}

impl IdentitySchema {
    /// An identity of version 0 without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The version of the identities written with this schema, not negative.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, attribute: IdentityAttribute) -> Self {
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// The type of an identity.
    pub(crate) fn ty(&self) -> Type {
        Type::object(
            self.attributes
                .iter()
                .map(|(name, attribute)| (name.clone(), attribute.ty.clone())),
        )
    }

    /// What is wrong with it, each a sentence without full stop. Core refuses such a provider.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.version < 0 {
            problems.push("the version of the identity is negative".to_owned());
        }
        if self.attributes.is_empty() {
            problems.push("the identity has no attribute".to_owned());
        }
        if !self
            .attributes
            .values()
            .any(|attribute| attribute.required_for_import)
        {
            problems.push("no attribute of the identity is required for import".to_owned());
        }
        for (name, attribute) in &self.attributes {
            if attribute.description.trim().is_empty() {
                problems.push(format!("{name}: the description is missing"));
            }
            let plain = match &attribute.ty {
                Type::List(element) => element.is_primitive(),
                ty => ty.is_primitive(),
            };
            if !plain {
                problems.push(format!(
                    "{name}: an identity consists of texts, numbers, truth values and lists of them"
                ));
            }
        }
        problems
    }
}

/// One attribute of an identity.
#[derive(Clone, Debug)]
pub struct IdentityAttribute {
    pub(crate) ty: Type,
    pub(crate) required_for_import: bool,
    pub(crate) description: String,
}

impl IdentityAttribute {
    /// An attribute that an import must give.
    pub fn required_for_import(ty: Type, description: impl Into<String>) -> Self {
        Self {
            ty,
            required_for_import: true,
            description: description.into(),
        }
    }

    /// An attribute that an import may leave out, because the provider knows it otherwise.
    pub fn optional_for_import(ty: Type, description: impl Into<String>) -> Self {
        Self {
            required_for_import: false,
            ..Self::required_for_import(ty, description)
        }
    }
}

/// The identity of [`Identified`] on values.
pub(crate) trait ErasedIdentity: Send + Sync {
    fn schema(&self) -> IdentitySchema;
    fn model_type(&self) -> Type;
    fn identity(&self, client: Option<&AnyClient>, state: &Value) -> Result<Value, Diagnostics>;
    fn import(
        &self,
        context: AnyContext,
        identity: Value,
    ) -> BoxFuture<'_, Result<Imported<Value>, Diagnostics>>;
    fn upgrade(&self, request: UpgradeRequest) -> Result<Value, Diagnostics>;
}

pub(crate) struct TypedIdentity<R>(pub(crate) Arc<R>);

impl<R: Identified> ErasedIdentity for TypedIdentity<R> {
    fn schema(&self) -> IdentitySchema {
        self.0.identity_schema()
    }

    fn model_type(&self) -> Type {
        R::Identity::ty()
    }

    fn identity(&self, client: Option<&AnyClient>, state: &Value) -> Result<Value, Diagnostics> {
        let state: R::Model = convert(state.clone(), "state")?;
        let client = client.and_then(|client| client.downcast_ref::<R::Client>());
        Ok(self.0.identity(client, &state).to_value())
    }

    fn import(
        &self,
        context: AnyContext,
        identity: Value,
    ) -> BoxFuture<'_, Result<Imported<Value>, Diagnostics>> {
        let prepared = context.typed().and_then(|context| {
            let identity = convert(identity, "identity")?;
            let answer = self.0.import_by_identity(context, identity);
            Ok(async move { answer.await.map(Imported::into_value) })
        });
        boxed(prepared, Err)
    }

    fn upgrade(&self, request: UpgradeRequest) -> Result<Value, Diagnostics> {
        self.0
            .upgrade_identity(request)
            .map(|identity| identity.to_value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas() {
        let required = |ty| IdentityAttribute::required_for_import(ty, "Text.");
        let plain = "a: an identity consists of texts, numbers, truth values and lists of them";
        let new = || IdentitySchema::new().attribute("id", required(Type::String));
        let none: &[&str] = &[];
        let cases = [
            (
                "valid",
                new().attribute("a", required(Type::list(Type::Bool))),
                none,
            ),
            (
                "no attribute",
                IdentitySchema::new(),
                &[
                    "the identity has no attribute",
                    "no attribute of the identity is required for import",
                ],
            ),
            (
                "a negative version",
                new().version(-1),
                &["the version of the identity is negative"],
            ),
            (
                "nothing required",
                IdentitySchema::new().attribute(
                    "a",
                    IdentityAttribute::optional_for_import(Type::String, "Text."),
                ),
                &["no attribute of the identity is required for import"],
            ),
            (
                "a map",
                new().attribute("a", required(Type::map(Type::String))),
                &[plain],
            ),
            (
                "a list of lists",
                new().attribute("a", required(Type::list(Type::list(Type::String)))),
                &[plain],
            ),
            (
                "no description",
                new().attribute("a", IdentityAttribute::required_for_import(Type::Bool, "")),
                &["a: the description is missing"],
            ),
        ];
        for (name, schema, expected) in cases {
            assert_eq!(schema.problems(), expected, "{name}");
        }
    }
}
