//! `devopsgenie_addon_set`: what runs in a cluster, as one unit.

mod apply;
mod connection;
mod diagnostics;
mod eks;
mod memory;
mod model;
mod plan;
mod read;
mod schema;

#[cfg(test)]
mod tests;

use tfplugin::diagnostics::Diagnostics;
use tfplugin::schema::Schema;
use tfplugin::{
    Applied, Context, Deleted, Imported, PlanInput, Planned, PlannedCreate, PlannedDelete,
    PlannedUpdate, Private, ReadRequest, ReadResponse, Resource,
};

use crate::client::Client;
use model::AddonSetModel;

/// The resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct AddonSet;

impl Resource for AddonSet {
    type Model = AddonSetModel;
    type Client = Client;

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, config: &AddonSetModel) -> Diagnostics {
        plan::validate(config)
    }

    fn plan(
        &self,
        input: PlanInput<'_, AddonSetModel, Client>,
    ) -> Result<Planned<AddonSetModel>, Diagnostics> {
        let region = input.client.and_then(Client::region);
        plan::plan(
            input.config,
            input.prior,
            input.proposed,
            input.prior_private,
            region,
        )
    }

    fn plan_destroy(
        &self,
        _prior: &AddonSetModel,
        prior_private: &Private,
    ) -> Result<(Private, Diagnostics), Diagnostics> {
        Ok((memory::for_destroy(prior_private), Diagnostics::new()))
    }

    async fn read(
        &self,
        context: Context<Client>,
        request: ReadRequest<AddonSetModel>,
    ) -> ReadResponse<AddonSetModel> {
        read::read(&context, request).await
    }

    async fn create(
        &self,
        context: Context<Client>,
        planned: PlannedCreate<AddonSetModel>,
    ) -> Applied<AddonSetModel> {
        apply::create(&context, planned).await
    }

    async fn update(
        &self,
        context: Context<Client>,
        planned: PlannedUpdate<AddonSetModel>,
    ) -> Applied<AddonSetModel> {
        apply::update(&context, planned).await
    }

    async fn delete(
        &self,
        context: Context<Client>,
        planned: PlannedDelete<AddonSetModel>,
    ) -> Deleted<AddonSetModel> {
        apply::delete(&context, planned).await
    }

    async fn import(
        &self,
        _context: Context<Client>,
        id: &str,
    ) -> Result<Imported<AddonSetModel>, Diagnostics> {
        read::import(id)
    }
}
