//! `devopsgenie_workload_role`: the IAM role of a service account in an EKS cluster.

mod apply;
mod model;
mod plan;
mod schema;
mod state;
#[cfg(test)]
mod tests;

use tfplugin::diagnostics::Diagnostics;
use tfplugin::schema::Schema;
use tfplugin::{
    Applied, Context, Deleted, Imported, PlanInput, Planned, PlannedCreate, PlannedDelete,
    PlannedUpdate, ReadRequest, ReadResponse, Resource,
};

use crate::client::Client;
use model::WorkloadRoleModel;

/// The resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkloadRole;

impl Resource for WorkloadRole {
    type Model = WorkloadRoleModel;
    type Client = Client;

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn plan(
        &self,
        input: PlanInput<'_, WorkloadRoleModel, Client>,
    ) -> Result<Planned<WorkloadRoleModel>, Diagnostics> {
        plan::plan(
            input.config,
            input.prior,
            input.proposed,
            input.prior_private,
            input.client.and_then(Client::region),
            input.client.and_then(Client::default_tags),
        )
    }

    async fn read(
        &self,
        context: Context<Client>,
        request: ReadRequest<WorkloadRoleModel>,
    ) -> ReadResponse<WorkloadRoleModel> {
        apply::read(&context, request).await
    }

    async fn create(
        &self,
        context: Context<Client>,
        planned: PlannedCreate<WorkloadRoleModel>,
    ) -> Applied<WorkloadRoleModel> {
        apply::create(&context, planned).await
    }

    async fn update(
        &self,
        context: Context<Client>,
        planned: PlannedUpdate<WorkloadRoleModel>,
    ) -> Applied<WorkloadRoleModel> {
        apply::update(&context, planned).await
    }

    async fn delete(
        &self,
        context: Context<Client>,
        planned: PlannedDelete<WorkloadRoleModel>,
    ) -> Deleted<WorkloadRoleModel> {
        apply::delete(&context, planned).await
    }

    async fn import(
        &self,
        context: Context<Client>,
        id: &str,
    ) -> Result<Imported<WorkloadRoleModel>, Diagnostics> {
        apply::import(&context, id).await
    }
}
