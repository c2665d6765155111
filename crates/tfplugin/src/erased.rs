//! Adapters between typed handlers and the values the server works with, so that everything else
//! is compiled once and not per provider.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::context::Context;
use crate::cty::{Type, Value};
use crate::data_source::{DataRead, DataSource};
use crate::diagnostics::Diagnostics;
use crate::ephemeral::ErasedEphemeral;
use crate::function::ErasedFunction;
use crate::identity::ErasedIdentity;
use crate::model::Model;
use crate::private::Private;
use crate::provider::{
    ConfigureRequest, DataSourceEntry, EphemeralResourceEntry, FunctionEntry, Provider,
    ResourceEntry,
};
use crate::resource::{
    Applied, Deferral, Deleted, Imported, MoveRequest, MoveSource, Moved, PlanInput, Planned,
    PlannedCreate, PlannedDelete, PlannedUpdate, ReadRequest, ReadResponse, Resource,
    UpgradeRequest,
};
use crate::schema::Schema;

/// A client of a type that only the provider knows.
pub(crate) type AnyClient = Arc<dyn Any + Send + Sync>;

/// [`Context`] before its client has a type.
pub(crate) struct AnyContext {
    pub(crate) client: AnyClient,
    pub(crate) context: Context<()>,
}

impl AnyContext {
    pub(crate) fn typed<C: Send + Sync + 'static>(self) -> Result<Context<C>, Diagnostics> {
        let client = self.client.downcast::<C>().map_err(|_| {
            Diagnostics::error(
                "Provider bug: wrong client type",
                "The provider's configuration made a client of another type than this handler \
                 uses. Please report this to the provider's developers.",
            )
        })?;
        let context = self.context;
        Ok(Context {
            client,
            stop: context.stop,
            operation: context.operation,
            timeout: context.timeout,
            deadline: context.deadline,
        })
    }
}

/// [`PlanInput`] on values.
pub(crate) struct ErasedPlanInput<'a> {
    pub(crate) config: &'a Value,
    pub(crate) prior: Option<&'a Value>,
    pub(crate) proposed: Value,
    pub(crate) prior_private: &'a Private,
    pub(crate) client: Option<&'a AnyClient>,
}

/// A resource under its type name, with its identity if it has one.
pub(crate) struct ResourceParts {
    pub(crate) name: String,
    pub(crate) resource: Arc<dyn ErasedResource>,
    pub(crate) identity: Option<Arc<dyn ErasedIdentity>>,
}

pub(crate) trait ErasedProvider: Send + Sync {
    fn schema(&self) -> Schema;
    fn model_type(&self) -> Type;
    fn validate(&self, config: Value) -> Diagnostics;
    fn configure(
        &self,
        request: ConfigureRequest<Value>,
    ) -> BoxFuture<'_, Result<(AnyClient, Diagnostics), Diagnostics>>;
    fn resources(&self) -> Vec<ResourceParts>;
    fn data_sources(&self) -> Vec<(String, Arc<dyn ErasedDataSource>)>;
    fn ephemeral_resources(&self) -> Vec<(String, Arc<dyn ErasedEphemeral>)>;
    fn functions(&self) -> Vec<(String, Arc<dyn ErasedFunction>)>;
}

pub(crate) trait ErasedResource: Send + Sync {
    fn schema(&self) -> Schema;
    fn model_type(&self) -> Type;
    fn validate(&self, config: Value) -> Diagnostics;
    fn defer(
        &self,
        config: Option<&Value>,
        client: Option<&AnyClient>,
    ) -> Result<Option<Deferral>, Diagnostics>;
    fn plan(&self, input: ErasedPlanInput<'_>) -> Result<Planned<Value>, Diagnostics>;
    fn plan_destroy(
        &self,
        prior: &Value,
        prior_private: &Private,
    ) -> Result<(Private, Diagnostics), Diagnostics>;
    fn read(
        &self,
        context: AnyContext,
        request: ReadRequest<Value>,
    ) -> BoxFuture<'_, ReadResponse<Value>>;
    fn create(
        &self,
        context: AnyContext,
        planned: PlannedCreate<Value>,
    ) -> BoxFuture<'_, Applied<Value>>;
    fn update(
        &self,
        context: AnyContext,
        planned: PlannedUpdate<Value>,
    ) -> BoxFuture<'_, Applied<Value>>;
    fn delete(
        &self,
        context: AnyContext,
        planned: PlannedDelete<Value>,
    ) -> BoxFuture<'_, Deleted<Value>>;
    fn import(
        &self,
        context: AnyContext,
        id: String,
    ) -> BoxFuture<'_, Result<Imported<Value>, Diagnostics>>;
    fn upgrade_state(&self, request: UpgradeRequest) -> Result<Value, Diagnostics>;
    fn move_sources(&self) -> Vec<MoveSource>;
    fn move_state(&self, request: MoveRequest) -> Result<Moved<Value>, Diagnostics>;
}

pub(crate) trait ErasedDataSource: Send + Sync {
    fn schema(&self) -> Schema;
    fn model_type(&self) -> Type;
    fn validate(&self, config: Value) -> Diagnostics;
    fn read(
        &self,
        context: AnyContext,
        config: Value,
    ) -> BoxFuture<'_, Result<DataRead<Value>, Diagnostics>>;
}

pub(crate) fn convert<M: Model>(value: Value, what: &str) -> Result<M, Diagnostics> {
    M::from_value(value).map_err(|error| error.into_diagnostics(what))
}

/// Boxes a future that may already have ended with `Err`, which is then turned into an answer.
pub(crate) fn boxed<'a, T, F>(
    prepared: Result<F, Diagnostics>,
    failed: impl FnOnce(Diagnostics) -> T,
) -> BoxFuture<'a, T>
where
    T: Send + 'a,
    F: Future<Output = T> + Send + 'a,
{
    match prepared {
        Ok(future) => Box::pin(future),
        Err(diagnostics) => Box::pin(std::future::ready(failed(diagnostics))),
    }
}

fn applied_value<M: Model>(applied: Applied<M>) -> Applied<Value> {
    Applied {
        state: applied.state.as_ref().map(Model::to_value),
        private: applied.private,
        diagnostics: applied.diagnostics,
    }
}

pub(crate) struct TypedProvider<P>(pub(crate) P);

impl<P: Provider> ErasedProvider for TypedProvider<P> {
    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn model_type(&self) -> Type {
        P::Config::ty()
    }

    fn validate(&self, config: Value) -> Diagnostics {
        match convert(config, "configuration") {
            Ok(config) => self.0.validate(&config),
            Err(diagnostics) => diagnostics,
        }
    }

    fn configure(
        &self,
        request: ConfigureRequest<Value>,
    ) -> BoxFuture<'_, Result<(AnyClient, Diagnostics), Diagnostics>> {
        let prepared = convert(request.config, "configuration").map(|config| {
            let configured = self.0.configure(ConfigureRequest {
                config,
                terraform_version: request.terraform_version,
                stop: request.stop,
            });
            async move {
                let (client, diagnostics) = configured.await?;
                Ok((Arc::new(client) as AnyClient, diagnostics))
            }
        });
        boxed(prepared, Err)
    }

    fn resources(&self) -> Vec<ResourceParts> {
        self.0
            .resources()
            .into_iter()
            .map(ResourceEntry::into_parts)
            .collect()
    }

    fn data_sources(&self) -> Vec<(String, Arc<dyn ErasedDataSource>)> {
        self.0
            .data_sources()
            .into_iter()
            .map(DataSourceEntry::into_parts)
            .collect()
    }

    fn ephemeral_resources(&self) -> Vec<(String, Arc<dyn ErasedEphemeral>)> {
        self.0
            .ephemeral_resources()
            .into_iter()
            .map(EphemeralResourceEntry::into_parts)
            .collect()
    }

    fn functions(&self) -> Vec<(String, Arc<dyn ErasedFunction>)> {
        self.0
            .functions()
            .into_iter()
            .map(FunctionEntry::into_parts)
            .collect()
    }
}

pub(crate) struct TypedResource<R>(pub(crate) Arc<R>);

impl<R: Resource> ErasedResource for TypedResource<R> {
    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn model_type(&self) -> Type {
        R::Model::ty()
    }

    fn validate(&self, config: Value) -> Diagnostics {
        match convert(config, "configuration") {
            Ok(config) => self.0.validate(&config),
            Err(diagnostics) => diagnostics,
        }
    }

    fn defer(
        &self,
        config: Option<&Value>,
        client: Option<&AnyClient>,
    ) -> Result<Option<Deferral>, Diagnostics> {
        let config: Option<R::Model> = config
            .map(|config| convert(config.clone(), "configuration"))
            .transpose()?;
        let client = client.and_then(|client| client.downcast_ref::<R::Client>());
        Ok(self.0.defer(config.as_ref(), client))
    }

    fn plan(&self, input: ErasedPlanInput<'_>) -> Result<Planned<Value>, Diagnostics> {
        let config: R::Model = convert(input.config.clone(), "configuration")?;
        let prior: Option<R::Model> = input
            .prior
            .map(|prior| convert(prior.clone(), "state"))
            .transpose()?;
        let planned = self.0.plan(PlanInput {
            config: &config,
            prior: prior.as_ref(),
            proposed: convert(input.proposed, "plan")?,
            prior_private: input.prior_private,
            client: input
                .client
                .and_then(|client| client.downcast_ref::<R::Client>()),
        })?;
        Ok(Planned {
            state: planned.state.to_value(),
            requires_replace: planned.requires_replace,
            private: planned.private,
            diagnostics: planned.diagnostics,
        })
    }

    fn plan_destroy(
        &self,
        prior: &Value,
        prior_private: &Private,
    ) -> Result<(Private, Diagnostics), Diagnostics> {
        let prior: R::Model = convert(prior.clone(), "state")?;
        self.0.plan_destroy(&prior, prior_private)
    }

    fn read(
        &self,
        context: AnyContext,
        request: ReadRequest<Value>,
    ) -> BoxFuture<'_, ReadResponse<Value>> {
        let before = request.clone();
        let prepared = context.typed().and_then(|context| {
            let answer = self.0.read(
                context,
                ReadRequest {
                    state: convert(request.state, "state")?,
                    private: request.private,
                },
            );
            Ok(async move {
                let answer = answer.await;
                ReadResponse {
                    state: answer.state.as_ref().map(Model::to_value),
                    private: answer.private,
                    diagnostics: answer.diagnostics,
                }
            })
        });
        boxed(prepared, |diagnostics| {
            ReadResponse::failed(before, diagnostics)
        })
    }

    fn create(
        &self,
        context: AnyContext,
        planned: PlannedCreate<Value>,
    ) -> BoxFuture<'_, Applied<Value>> {
        let prepared = context.typed().and_then(|context| {
            let answer = self.0.create(
                context,
                PlannedCreate {
                    config: convert(planned.config, "configuration")?,
                    planned: convert(planned.planned, "plan")?,
                    private: planned.private,
                },
            );
            Ok(async move { applied_value(answer.await) })
        });
        boxed(prepared, Applied::failed)
    }

    fn update(
        &self,
        context: AnyContext,
        planned: PlannedUpdate<Value>,
    ) -> BoxFuture<'_, Applied<Value>> {
        let prepared = context.typed().and_then(|context| {
            let answer = self.0.update(
                context,
                PlannedUpdate {
                    config: convert(planned.config, "configuration")?,
                    prior: convert(planned.prior, "state")?,
                    planned: convert(planned.planned, "plan")?,
                    private: planned.private,
                },
            );
            Ok(async move { applied_value(answer.await) })
        });
        boxed(prepared, Applied::failed)
    }

    fn delete(
        &self,
        context: AnyContext,
        planned: PlannedDelete<Value>,
    ) -> BoxFuture<'_, Deleted<Value>> {
        let prepared = context.typed().and_then(|context| {
            let answer = self.0.delete(
                context,
                PlannedDelete {
                    prior: convert(planned.prior, "state")?,
                    private: planned.private,
                },
            );
            Ok(async move {
                let answer = answer.await;
                Deleted {
                    remaining: answer.remaining.as_ref().map(Model::to_value),
                    private: answer.private,
                    diagnostics: answer.diagnostics,
                }
            })
        });
        boxed(prepared, Deleted::failed)
    }

    fn import(
        &self,
        context: AnyContext,
        id: String,
    ) -> BoxFuture<'_, Result<Imported<Value>, Diagnostics>> {
        Box::pin(async move {
            let imported = self.0.import(context.typed()?, &id).await?;
            Ok(imported.into_value())
        })
    }

    fn upgrade_state(&self, request: UpgradeRequest) -> Result<Value, Diagnostics> {
        self.0.upgrade_state(request).map(|state| state.to_value())
    }

    fn move_sources(&self) -> Vec<MoveSource> {
        self.0.move_sources()
    }

    fn move_state(&self, request: MoveRequest) -> Result<Moved<Value>, Diagnostics> {
        self.0.move_state(request).map(|moved| Moved {
            state: moved.state.to_value(),
            private: moved.private,
            diagnostics: moved.diagnostics,
        })
    }
}

pub(crate) struct TypedDataSource<D>(pub(crate) D);

impl<D: DataSource> ErasedDataSource for TypedDataSource<D> {
    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn model_type(&self) -> Type {
        D::Model::ty()
    }

    fn validate(&self, config: Value) -> Diagnostics {
        match convert(config, "configuration") {
            Ok(config) => self.0.validate(&config),
            Err(diagnostics) => diagnostics,
        }
    }

    fn read(
        &self,
        context: AnyContext,
        config: Value,
    ) -> BoxFuture<'_, Result<DataRead<Value>, Diagnostics>> {
        let prepared = context.typed().and_then(|context| {
            let answer = self.0.read(context, convert(config, "configuration")?);
            Ok(async move {
                answer.await.map(|read| DataRead {
                    state: read.state.to_value(),
                    diagnostics: read.diagnostics,
                })
            })
        });
        boxed(prepared, Err)
    }
}
