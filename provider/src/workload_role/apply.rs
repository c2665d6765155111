//! Read, import, create, update and delete.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use devopsgenie_lifecycle::aws::Aws;
use devopsgenie_lifecycle::cluster::model::Issuer;
use devopsgenie_lifecycle::cluster::{Engine as ClusterEngine, names as tag_names};
use devopsgenie_lifecycle::workload_role::model::{Claim, DesiredRole, ObservedRole};
use devopsgenie_lifecycle::workload_role::plan::{Subject, is_another};
use devopsgenie_lifecycle::workload_role::{Engine, RoleError, names};
use tfplugin::cty::Path;
use tfplugin::diagnostics::{Diagnostic, Diagnostics};
use tfplugin::{
    Applied, AttributeValue, Context, Deleted, Imported, PlannedCreate, PlannedDelete,
    PlannedUpdate, Private, ReadRequest, ReadResponse,
};

use super::model::WorkloadRoleModel;
use super::state::{desired, state_from};
use crate::client::{Client, aws_diagnostics, check_account, sentence};
use crate::cluster::apply::{from_error as from_cluster_error, options};
use crate::cluster::memory::{imported, is_imported, taken_over};

/// The account, if it is the one of the role.
async fn account(client: &Client, arn: Option<&str>) -> Result<Aws, Diagnostics> {
    let aws = client.aws()?;
    let identity = aws
        .caller_identity()
        .await
        .map_err(|error| aws_diagnostics(&error))?;
    if let Some(account) = arn.and_then(|arn| arn.split(':').nth(4)) {
        check_account("role", account, identity)?;
    }
    Ok(aws.clone())
}

fn new_generation() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

fn from_error(error: &RoleError) -> Diagnostic {
    if let RoleError::Account(error) = error
        && let Some(first) = aws_diagnostics(error).iter().next()
    {
        return first.clone();
    }
    let summary = match error {
        RoleError::Account(_) => "AWS cannot be used",
        RoleError::Plan(_) => "The role is not changed",
        RoleError::Observe { .. } => "The role cannot be read",
        RoleError::Step { .. } => "AWS refused a step",
        RoleError::Deadline { .. } => "The time is up",
        RoleError::Cancelled { .. } => "Stopped on request",
        RoleError::NotConverging { .. } => "A change does not hold",
    };
    let diagnostic = Diagnostic::error(summary, sentence(&devopsgenie_kubernetes::describe(error)));
    let root = Path::root();
    match error.subject() {
        Some(Subject::Attribute(attribute)) => diagnostic.at(root.attribute(attribute)),
        Some(Subject::InlinePolicy(policy)) => {
            diagnostic.at(root.attribute("inline_policies").key(policy))
        }
        None => diagnostic,
    }
}

fn without_workload() -> Diagnostics {
    Diagnostics::error(
        "The plan lacks a value",
        "name, cluster_name, namespace or service_account is not known during apply. This is a bug in the provider; \
         please report it.",
    )
}

/// The OIDC provider that the plan names, else that of the cluster.
async fn oidc_provider(aws: &Aws, planned: &WorkloadRoleModel) -> Result<String, Diagnostics> {
    if let Some(arn) = planned.oidc_provider_arn.as_str() {
        return Ok(arn.to_owned());
    }
    let cluster = planned.cluster_name.as_str().unwrap_or_default();
    let issuer = ClusterEngine::new(aws.clone())
        .issuer(cluster)
        .await
        .map_err(|error| Diagnostics::from(from_cluster_error(&error, &Default::default())))?;
    let at = Path::root().attribute("cluster_name");
    match issuer {
        Issuer::Provider(arn) => Ok(arn),
        Issuer::NoCluster => Err(Diagnostics::attribute_error(
            at,
            "No such EKS cluster",
            format!(
                "There is no EKS cluster {cluster:?} in region {}. Check the name, and region and credentials of the \
                 provider. If a resource of this configuration makes the cluster, refer to that resource's name, so \
                 that it is made first.",
                aws.region()
            ),
        )),
        Issuer::NoProvider(url) => Err(Diagnostics::attribute_error(
            at,
            "The cluster's issuer has no OIDC provider in IAM",
            format!(
                "Without one no service account of the EKS cluster {cluster} can assume a role. Its issuer is {}. Set \
                 enable_irsa = true in its devopsgenie_cluster, or make the provider where the cluster is made \
                 (aws_iam_openid_connect_provider, with the client id {}).",
                url.as_deref().unwrap_or("not known yet"),
                tag_names::IRSA_AUDIENCE
            ),
        )),
    }
}

/// What is to become of the role, with the account in which.
async fn prepare(
    client: &Client,
    arn: Option<&str>,
    planned: &WorkloadRoleModel,
    claim: Claim,
) -> Result<(Aws, DesiredRole), Diagnostics> {
    let aws = account(client, arn).await?;
    let provider = oidc_provider(&aws, planned).await?;
    let defaults = client.default_tags().cloned().unwrap_or_default();
    let wanted = desired(planned, provider, client.owner(), claim, &defaults)
        .ok_or_else(without_workload)?;
    Ok((aws, wanted))
}

/// The state of a role that is what was planned.
fn finished(
    planned: &WorkloadRoleModel,
    wanted: &DesiredRole,
    role: &ObservedRole,
    client: &Client,
) -> WorkloadRoleModel {
    let mut base = planned.clone();
    base.oidc_provider_arn = wanted.oidc_provider_arn.clone().into();
    let defaults = client.default_tags().cloned().unwrap_or_default();
    state_from(&base, role, &defaults)
}

pub(super) async fn create(
    context: &Context<Client>,
    request: PlannedCreate<WorkloadRoleModel>,
) -> Applied<WorkloadRoleModel> {
    let client = &context.client;
    let generation = new_generation();
    let claim = Claim::Create {
        generation: generation.clone(),
    };
    let (aws, wanted) = match prepare(client, None, &request.planned, claim).await {
        Ok(prepared) => prepared,
        Err(diagnostics) => return Applied::failed(diagnostics),
    };
    let outcome = Engine::new(aws).apply(&wanted, &options(context)).await;
    let state = outcome
        .observed
        .filter(|role| {
            outcome.result.is_ok() || names::is_made_by(&role.tags, client.owner(), &generation)
        })
        .map(|role| finished(&request.planned, &wanted, &role, client));
    match (outcome.result, state) {
        (Ok(()), Some(state)) => Applied::done(state, Private::new()),
        (Ok(()), None) => Applied::failed(vanished(&wanted.name)),
        (Err(error), Some(state)) => {
            Applied::partial(state, Private::new(), from_error(&error).into())
        }
        (Err(error), None) => Applied::failed(from_error(&error).into()),
    }
}

fn vanished(name: &str) -> Diagnostics {
    Diagnostics::error(
        "The role is gone",
        format!("The IAM role {name} was deleted by somebody while it was changed. Apply again."),
    )
}

fn claim_of(private: &Private, prior: &WorkloadRoleModel) -> Claim {
    if is_imported(private) {
        Claim::Imported
    } else {
        Claim::Held {
            unique_id: prior.unique_id.as_str().map(str::to_owned),
        }
    }
}

pub(super) async fn update(
    context: &Context<Client>,
    request: PlannedUpdate<WorkloadRoleModel>,
) -> Applied<WorkloadRoleModel> {
    let client = &context.client;
    let claim = claim_of(&request.private, &request.prior);
    let arn = request.prior.arn.as_str();
    let (aws, wanted) = match prepare(client, arn, &request.planned, claim).await {
        Ok(prepared) => prepared,
        Err(diagnostics) => {
            return Applied {
                state: Some(request.prior),
                private: request.private,
                diagnostics,
            };
        }
    };
    let outcome = Engine::new(aws).apply(&wanted, &options(context)).await;
    match (outcome.result, outcome.observed) {
        (Ok(()), Some(role)) => Applied::done(
            finished(&request.planned, &wanted, &role, client),
            taken_over(&request.private),
        ),
        (Ok(()), None) => Applied {
            state: Some(request.prior),
            private: request.private,
            diagnostics: vanished(&wanted.name),
        },
        (Err(error), observed) => {
            // What really changed, not what was planned.
            let defaults = client.default_tags().cloned().unwrap_or_default();
            let state = match observed {
                Some(role) => state_from(&request.prior, &role, &defaults),
                None => request.prior,
            };
            Applied::partial(state, request.private, from_error(&error).into())
        }
    }
}

pub(super) async fn delete(
    context: &Context<Client>,
    request: PlannedDelete<WorkloadRoleModel>,
) -> Deleted<WorkloadRoleModel> {
    let client = &context.client;
    let prior = request.prior;
    let aws = match account(client, prior.arn.as_str()).await {
        Ok(aws) => aws,
        Err(diagnostics) => return Deleted::failed(diagnostics),
    };
    let claim = claim_of(&request.private, &prior);
    let name = prior.name.as_str().unwrap_or_default();
    let outcome = Engine::new(aws)
        .destroy(name, client.owner(), &claim, &options(context))
        .await;
    match (outcome.result, outcome.observed) {
        (Ok(()), _) => Deleted::gone(),
        (Err(error), Some(role)) => {
            let defaults = client.default_tags().cloned().unwrap_or_default();
            Deleted::partial(
                state_from(&prior, &role, &defaults),
                request.private,
                from_error(&error).into(),
            )
        }
        (Err(error), None) => Deleted::failed(from_error(&error).into()),
    }
}

pub(super) async fn read(
    context: &Context<Client>,
    request: ReadRequest<WorkloadRoleModel>,
) -> ReadResponse<WorkloadRoleModel> {
    let client = &context.client;
    let prior = &request.state;
    let name = prior.name.as_str().unwrap_or_default().to_owned();
    let aws = match account(client, prior.arn.as_str()).await {
        Ok(aws) => aws,
        Err(diagnostics) => return ReadResponse::failed(request, diagnostics),
    };
    let role = match Engine::new(aws.clone()).observe(&name).await {
        Ok(role) => role,
        Err(error) => {
            let diagnostics = from_error(&error).into();
            return ReadResponse::failed(request, diagnostics);
        }
    };
    let claim = claim_of(&request.private, prior);
    let mut diagnostics = Diagnostics::new();
    let another = matches!((&claim, &role), (Claim::Held { unique_id }, Some(role)) if is_another(unique_id.as_deref(), role));
    let Some(role) = role.filter(|_| !another) else {
        let found = if another {
            "The role of this name is another one, made at another time without the tags of this state. It is left alone."
        } else {
            "It was probably deleted outside of Terraform."
        };
        diagnostics.add_warning(
            format!("The IAM role {name} does not exist any more"),
            format!("{found} The next apply makes it again."),
        );
        let mut response = ReadResponse::gone();
        response.diagnostics = diagnostics;
        return response;
    };
    if let Some(owner) = role.tags.get(tag_names::OWNER)
        && claim != Claim::Imported
        && owner != client.owner()
    {
        diagnostics.add_warning(
            format!("The IAM role {name} has another owner"),
            format!(
                "Its tag devopsgenie.dev/owner is {owner:?}, and the owner of this state is {:?}. It will not be changed \
                 or destroyed from here. If the state was moved to another backend, directory or workspace, write \
                 owner = {owner:?} in the provider block.",
                client.owner()
            ),
        );
    }
    let mut base = prior.clone();
    if let Some(cluster) = prior.cluster_name.as_str() {
        match ClusterEngine::new(aws).issuer(cluster).await {
            Ok(Issuer::Provider(arn)) => base.oidc_provider_arn = arn.into(),
            Ok(Issuer::NoCluster | Issuer::NoProvider(_)) => diagnostics.add_attribute_warning(
                Path::root().attribute("cluster_name"),
                format!("No pod can assume the IAM role {name}"),
                format!(
                    "The EKS cluster {cluster} does not exist, or its issuer has no OIDC provider in IAM. The role is \
                     left as it is."
                ),
            ),
            Err(error) => {
                let diagnostics = from_cluster_error(&error, &Default::default()).into();
                return ReadResponse::failed(request, diagnostics);
            }
        }
    }
    let defaults = client.default_tags().cloned().unwrap_or_default();
    ReadResponse {
        state: Some(state_from(&base, &role, &defaults)),
        private: request.private,
        diagnostics,
    }
}

/// The id is the role's name.
pub(super) async fn import(
    context: &Context<Client>,
    id: &str,
) -> Result<Imported<WorkloadRoleModel>, Diagnostics> {
    let client = &context.client;
    let aws = account(client, None).await?;
    let role = Engine::new(aws)
        .observe(id)
        .await
        .map_err(|error| Diagnostics::from(from_error(&error)))?;
    let Some(role) = role else {
        return Err(Diagnostics::error(
            "No such IAM role",
            format!(
                "There is no IAM role {id:?} in the account. The import id is the name of the role, not its ARN; check it, \
                 and the credentials of the provider."
            ),
        ));
    };
    // Another owner's role is taken over by the next apply, which writes our tags.
    let ours = role
        .tags
        .get(tag_names::OWNER)
        .is_some_and(|owner| owner == client.owner());
    Ok(Imported {
        state: WorkloadRoleModel {
            name: id.into(),
            arn: AttributeValue::Known(role.arn),
            ..WorkloadRoleModel::default()
        },
        private: if ours { Private::new() } else { imported() },
        diagnostics: Diagnostics::new(),
    })
}
