//! `devopsgenie_cluster`: an EKS cluster and what belongs to it, as one unit.

pub(crate) mod apply;
mod data_source;
pub(crate) mod memory;
mod model;
mod plan;
mod read;
pub(crate) mod schema;
mod state;
#[cfg(test)]
mod tests;

use tfplugin::diagnostics::Diagnostics;
use tfplugin::schema::Schema;
use tfplugin::{
    Applied, Context, Deleted, Imported, PlanInput, Planned, PlannedCreate, PlannedDelete,
    PlannedUpdate, Private, ReadRequest, ReadResponse, Resource,
};

use crate::client::Client;
pub use data_source::ClusterData;
use memory::{Intent, with_intent};
use model::ClusterModel;
use plan::Surroundings;

/// The resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cluster;

impl Resource for Cluster {
    type Model = ClusterModel;
    type Client = Client;

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, config: &ClusterModel) -> Diagnostics {
        plan::validate(config)
    }

    fn plan(
        &self,
        input: PlanInput<'_, ClusterModel, Client>,
    ) -> Result<Planned<ClusterModel>, Diagnostics> {
        let surroundings = Surroundings {
            region: input.client.and_then(Client::region).map(str::to_owned),
            account_id: input.client.and_then(Client::account_id).map(str::to_owned),
            default_tags: input
                .client
                .and_then(|client| client.default_tags().cloned()),
        };
        plan::plan(
            input.config,
            input.prior,
            input.proposed,
            input.prior_private,
            &surroundings,
        )
    }

    fn plan_destroy(
        &self,
        prior: &ClusterModel,
        prior_private: &Private,
    ) -> Result<(Private, Diagnostics), Diagnostics> {
        plan::refuse_protected(prior)?;
        Ok((
            with_intent(prior_private, &Intent::Destroy)?,
            Diagnostics::new(),
        ))
    }

    async fn read(
        &self,
        context: Context<Client>,
        request: ReadRequest<ClusterModel>,
    ) -> ReadResponse<ClusterModel> {
        read::read(&context, request).await
    }

    async fn create(
        &self,
        context: Context<Client>,
        planned: PlannedCreate<ClusterModel>,
    ) -> Applied<ClusterModel> {
        apply::create(&context, planned).await
    }

    async fn update(
        &self,
        context: Context<Client>,
        planned: PlannedUpdate<ClusterModel>,
    ) -> Applied<ClusterModel> {
        apply::update(&context, planned).await
    }

    async fn delete(
        &self,
        context: Context<Client>,
        planned: PlannedDelete<ClusterModel>,
    ) -> Deleted<ClusterModel> {
        apply::delete(&context, planned).await
    }

    async fn import(
        &self,
        context: Context<Client>,
        id: &str,
    ) -> Result<Imported<ClusterModel>, Diagnostics> {
        read::import(&context, id).await
    }
}
