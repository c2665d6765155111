//! Ephemeral resources: values that exist while Terraform runs, and are stored nowhere.

use std::future::Future;
use std::time::SystemTime;

use futures::future::BoxFuture;

use crate::context::Context;
use crate::cty::{Type, Value};
use crate::diagnostics::Diagnostics;
use crate::erased::{AnyContext, boxed, convert};
use crate::model::Model;
use crate::private::Private;
use crate::schema::Schema;

/// An ephemeral resource: a token, a lock, a tunnel. Terraform 1.10 and newer, OpenTofu 1.11 and
/// newer.
///
/// It is opened whenever a plan or an apply needs it, renewed while that runs, and closed at its
/// end, all in the same process. Its values can be used in other ephemeral places alone, such as
/// provider configurations and write-only attributes.
pub trait EphemeralResource: Send + Sync + 'static {
    /// Configuration and result: has the type of the schema.
    type Model: Model;
    /// What the provider's configuration makes.
    type Client: Send + Sync + 'static;

    /// The attributes.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond the schema's validators. Values may be unknown.
    fn validate(&self, config: &Self::Model) -> Diagnostics {
        let _ = config;
        Diagnostics::new()
    }

    /// Opens it. `config` is wholly known and has the schema's defaults filled in.
    ///
    /// # Errors
    /// Diagnostics that say why it cannot be opened. It is then not closed.
    fn open(
        &self,
        context: Context<Self::Client>,
        config: Self::Model,
    ) -> impl Future<Output = Result<Opened<Self::Model>, Diagnostics>> + Send;

    /// Keeps it open for longer, at about the time that [`Opened::renew_at`] or the last renewal
    /// asked for.
    ///
    /// # Errors
    /// Diagnostics that say why it will end.
    fn renew(
        &self,
        context: Context<Self::Client>,
        private: Private,
    ) -> impl Future<Output = Result<Renewed, Diagnostics>> + Send {
        let _ = context;
        async { Ok(Renewed::once(private)) }
    }

    /// Closes it, with the private data of the opening or of the last renewal.
    fn close(
        &self,
        context: Context<Self::Client>,
        private: Private,
    ) -> impl Future<Output = Diagnostics> + Send {
        let _ = (context, private);
        async { Diagnostics::new() }
    }
}

/// What [`EphemeralResource::open`] made.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened<M> {
    /// The configuration with every computed value filled in, wholly known.
    pub result: M,
    /// What renewing and closing get.
    pub private: Private,
    /// When it is to be renewed, `None` for never.
    pub renew_at: Option<SystemTime>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl<M> Opened<M> {
    /// It is open until it is closed.
    pub const fn new(result: M, private: Private) -> Self {
        Self {
            result,
            private,
            renew_at: None,
            diagnostics: Diagnostics::new(),
        }
    }

    /// The same, to be renewed at the given time.
    #[must_use]
    pub const fn renew_at(mut self, time: SystemTime) -> Self {
        self.renew_at = Some(time);
        self
    }
}

/// How [`EphemeralResource::renew`] went.
#[derive(Clone, Debug, PartialEq)]
pub struct Renewed {
    /// What the next renewal and closing get.
    pub private: Private,
    /// When it is to be renewed again, `None` for never.
    pub renew_at: Option<SystemTime>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl Renewed {
    /// It need not be renewed again.
    pub const fn once(private: Private) -> Self {
        Self {
            private,
            renew_at: None,
            diagnostics: Diagnostics::new(),
        }
    }

    /// It is to be renewed again at the given time.
    pub const fn until(private: Private, time: SystemTime) -> Self {
        Self {
            private,
            renew_at: Some(time),
            diagnostics: Diagnostics::new(),
        }
    }
}

/// An [`EphemeralResource`] on values.
pub(crate) trait ErasedEphemeral: Send + Sync {
    fn schema(&self) -> Schema;
    fn model_type(&self) -> Type;
    fn validate(&self, config: Value) -> Diagnostics;
    fn open(
        &self,
        context: AnyContext,
        config: Value,
    ) -> BoxFuture<'_, Result<Opened<Value>, Diagnostics>>;
    fn renew(
        &self,
        context: AnyContext,
        private: Private,
    ) -> BoxFuture<'_, Result<Renewed, Diagnostics>>;
    fn close(&self, context: AnyContext, private: Private) -> BoxFuture<'_, Diagnostics>;
}

pub(crate) struct TypedEphemeral<E>(pub(crate) E);

impl<E: EphemeralResource> ErasedEphemeral for TypedEphemeral<E> {
    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn model_type(&self) -> Type {
        E::Model::ty()
    }

    fn validate(&self, config: Value) -> Diagnostics {
        match convert(config, "configuration") {
            Ok(config) => self.0.validate(&config),
            Err(diagnostics) => diagnostics,
        }
    }

    fn open(
        &self,
        context: AnyContext,
        config: Value,
    ) -> BoxFuture<'_, Result<Opened<Value>, Diagnostics>> {
        let prepared = context.typed().and_then(|context| {
            let answer = self.0.open(context, convert(config, "configuration")?);
            Ok(async move {
                answer.await.map(|opened| Opened {
                    result: opened.result.to_value(),
                    private: opened.private,
                    renew_at: opened.renew_at,
                    diagnostics: opened.diagnostics,
                })
            })
        });
        boxed(prepared, Err)
    }

    fn renew(
        &self,
        context: AnyContext,
        private: Private,
    ) -> BoxFuture<'_, Result<Renewed, Diagnostics>> {
        let prepared = context
            .typed()
            .map(|context| self.0.renew(context, private));
        boxed(prepared, Err)
    }

    fn close(&self, context: AnyContext, private: Private) -> BoxFuture<'_, Diagnostics> {
        let prepared = context
            .typed()
            .map(|context| self.0.close(context, private));
        boxed(prepared, |diagnostics| diagnostics)
    }
}
