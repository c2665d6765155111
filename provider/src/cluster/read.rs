//! Reading and importing.

use devopsgenie_lifecycle::cluster::Engine;
use devopsgenie_lifecycle::cluster::model::{Claim, Observed};
use devopsgenie_lifecycle::cluster::names;
use devopsgenie_lifecycle::cluster::plan::{Part, plan};
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;
use tfplugin::{Context, Imported, Private, ReadRequest, ReadResponse};

use super::apply::{from_error, site};
use super::memory::{imported, settled};
use super::model::{ACTIVE, ClusterModel, DRIFTED, INCOMPLETE};
use super::state::{Place, desired, state_from};
use crate::client::Client;

pub(super) async fn read(
    context: &Context<Client>,
    request: ReadRequest<ClusterModel>,
) -> ReadResponse<ClusterModel> {
    let name = request.state.name.as_str().unwrap_or_default().to_owned();
    let site = match site(&context.client, request.state.arn.as_str()).await {
        Ok(site) => site,
        Err(diagnostics) => return ReadResponse::failed(request, diagnostics),
    };
    let engine = Engine::new(site.aws.clone());
    let observed = match engine.observe(&name, &site.place.owner).await {
        Ok(observed) => observed,
        Err(error) => {
            let diagnostics = from_error(&error, &request.state).into();
            return ReadResponse::failed(request, diagnostics);
        }
    };
    let mut diagnostics = Diagnostics::new();
    if observed.cluster.is_none()
        && (request.state.arn.is_known() || !has_our_roles(&observed, &site.place, &name))
    {
        diagnostics.add_warning(
            format!("The EKS cluster {name} does not exist any more"),
            format!(
                "It is not in region {} of account {} and was probably deleted outside of Terraform. The next \
                 apply makes it again.",
                site.place.region, site.place.account_id
            ),
        );
        let mut response = ReadResponse::gone();
        response.diagnostics = diagnostics;
        return response;
    }
    let importing = request.state.kubernetes_version.is_null();
    let mut state = state_from(&request.state, &observed, &site.place, importing);
    if state.status.as_str() == Some(INCOMPLETE) {
        diagnostics.add_warning(
            format!("The EKS cluster {name} is half-built and will be completed"),
            "Its creation did not finish. Should the plan say that it must be replaced: nothing that exists is \
             deleted. The next apply keeps it and carries on where the last one ended. (Changing the name, the \
             region, the role or the service addresses does replace it; terraform destroy removes it.)",
        );
    } else if state.status.as_str() == Some(ACTIVE) && roles_drifted(&state, &observed, &site.place)
    {
        state.status = DRIFTED.into();
    }
    for (key, group) in state.node_groups.known().into_iter().flatten() {
        let name = group
            .known()
            .and_then(|group| group.node_group_name.as_str());
        let actual = name.and_then(|name| observed.node_groups.get(name));
        if let Some(actual) = actual
            && !actual.issues.is_empty()
        {
            diagnostics.add_attribute_warning(
                Path::root().attribute("node_groups").key(key.clone()),
                format!("Node group {key} is {}", actual.status),
                format!("EKS reports: {}.", actual.issues.join("; ")),
            );
        }
    }
    ReadResponse {
        state: Some(state),
        private: settled(&request.private),
        diagnostics,
    }
}

fn has_our_roles(observed: &Observed, place: &Place, name: &str) -> bool {
    [&observed.cluster_role, &observed.node_role]
        .into_iter()
        .flatten()
        .any(|role| names::is_ours(&role.tags, &place.owner, name))
}

/// Whether a role of ours is not what it must be. No attribute shows that, so the status does.
fn roles_drifted(state: &ClusterModel, observed: &Observed, place: &Place) -> bool {
    let unchosen = ClusterModel::default();
    desired(&unchosen, state, place, Claim::Held, None)
        .ok()
        .and_then(|wanted| plan(&wanted, observed).ok())
        .is_some_and(|steps| {
            steps.iter().any(|step| {
                matches!(step.action.part(), Part::Role(_)) && !is_tagging(&step.action)
            })
        })
}

/// Tags of a role follow those of the cluster, which the plan shows.
fn is_tagging(action: &devopsgenie_lifecycle::cluster::plan::Action) -> bool {
    matches!(
        action,
        devopsgenie_lifecycle::cluster::plan::Action::TagRole { .. }
    )
}

/// The id is the cluster's name.
pub(super) async fn import(
    context: &Context<Client>,
    id: &str,
) -> Result<Imported<ClusterModel>, Diagnostics> {
    let site = site(&context.client, None).await?;
    let observed = Engine::new(site.aws.clone())
        .observe(id, &site.place.owner)
        .await
        .map_err(|error| Diagnostics::from(from_error(&error, &ClusterModel::default())))?;
    let Some(cluster) = observed.cluster else {
        return Err(Diagnostics::error(
            "No such EKS cluster",
            format!(
                "There is no EKS cluster {id:?} in region {} of account {}. The import id is the name of the \
                 cluster; check it, and region and credentials of the provider.",
                site.place.region, site.place.account_id
            ),
        ));
    };
    // Another owner's cluster is taken over by the next apply, which writes our tags.
    let ours = names::is_ours(&cluster.tags, &site.place.owner, id);
    Ok(Imported {
        state: ClusterModel {
            name: id.into(),
            arn: cluster.arn.into(),
            ..ClusterModel::default()
        },
        private: if ours { Private::new() } else { imported() },
        diagnostics: Diagnostics::new(),
    })
}
