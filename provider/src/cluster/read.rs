//! Reading and importing.

use devopsgenie_lifecycle::cluster::Engine;
use devopsgenie_lifecycle::cluster::model::{Claim, Observed, ObservedCluster, StringMap};
use devopsgenie_lifecycle::cluster::names;
use devopsgenie_lifecycle::cluster::plan::{Action, Part, plan};
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;
use tfplugin::{Context, Imported, Private, ReadRequest, ReadResponse};

use super::apply::{from_error, site};
use super::memory::{imported, is_imported, settled};
use super::model::{ACTIVE, ClusterModel, DELETED, DRIFTED, INCOMPLETE};
use super::state::{Place, desired, remembered, state_from};
use crate::client::Client;

pub(super) async fn read(
    context: &Context<Client>,
    request: ReadRequest<ClusterModel>,
) -> ReadResponse<ClusterModel> {
    let prior = &request.state;
    let name = prior.name.as_str().unwrap_or_default().to_owned();
    let site = match site(&context.client, prior.arn.as_str()).await {
        Ok(site) => site,
        Err(diagnostics) => return ReadResponse::failed(request, diagnostics),
    };
    let engine = Engine::new(site.aws.clone());
    let oidc_provider_arn = prior.oidc_provider_arn.as_str();
    let mut observed = match engine
        .observe(&name, &site.place.owner, oidc_provider_arn)
        .await
    {
        Ok(observed) => observed,
        Err(error) => {
            let diagnostics = from_error(&error, prior).into();
            return ReadResponse::failed(request, diagnostics);
        }
    };
    let mut diagnostics = Diagnostics::new();
    let claim = if is_imported(&request.private) {
        Claim::Imported
    } else {
        Claim::Held
    };
    let owner = observed
        .cluster
        .as_ref()
        .and_then(|cluster| cluster.tags.get(names::OWNER));
    if let Some(owner) = owner.filter(|owner| claim == Claim::Held && **owner != site.place.owner) {
        diagnostics.add_warning(
            format!("The EKS cluster {name} has another owner"),
            format!(
                "Its tag devopsgenie.dev/owner is {owner:?}, and the owner of this state is {:?}. It will not be \
                 changed or destroyed from here. If the state was moved to another backend, directory or \
                 workspace, write owner = {owner:?} in the provider block.",
                site.place.owner
            ),
        );
    }
    let another = observed
        .cluster
        .as_ref()
        .is_some_and(|cluster| is_another(cluster, prior, claim));
    if another {
        observed.cluster = None;
        observed.node_groups.clear();
        observed.access_entries.clear();
    }
    let existed = prior.arn.is_known();
    let left = has_leftovers(&observed, &site.place, &name);
    if observed.cluster.is_none() && (existed || !left) {
        let found = if another {
            "The cluster of this name is another one: it was made at another time and carries no tag of this \
             state. It is left alone."
                .to_owned()
        } else {
            format!(
                "It is not in region {} of account {}.",
                site.place.region, site.place.account_id
            )
        };
        let rest = if left {
            " What was made for it in IAM is still there: terraform destroy removes it, and the next apply uses \
             it again."
        } else {
            ""
        };
        diagnostics.add_warning(
            format!("The EKS cluster {name} does not exist any more"),
            format!(
                "{found} It was probably deleted outside of Terraform. The next apply makes it again.{rest}"
            ),
        );
    }
    if observed.cluster.is_none() && !left {
        let mut response = ReadResponse::gone();
        response.diagnostics = diagnostics;
        return response;
    }
    let importing = prior.kubernetes_version.is_null();
    let mut state = state_from(prior, &observed, &site.place, importing);
    if observed.cluster.is_none() && existed {
        state.status = DELETED.into();
        // It tells the region in which the rest is.
        state.arn = prior.arn.clone();
    } else if state.status.as_str() == Some(INCOMPLETE) {
        diagnostics.add_warning(
            format!("The EKS cluster {name} is half-built and will be completed"),
            "Its creation did not finish. Should the plan say that it must be replaced: nothing that exists is \
             deleted. The next apply keeps it and carries on where the last one ended. (Changing what AWS fixes at \
             creation does replace it: the name, the region, the role, the VPC, the service addresses; terraform \
             destroy removes it.)",
        );
    } else if state.status.as_str() == Some(ACTIVE)
        && is_drifted(&state, &observed, &site.place, claim)
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

/// Whether the cluster is another one of the name than the one that the state knows. One that has an
/// owner tells that itself, and one that was imported has lost nothing.
fn is_another(cluster: &ObservedCluster, prior: &ClusterModel, claim: Claim) -> bool {
    let known = remembered(prior);
    claim == Claim::Held
        && !cluster.tags.contains_key(names::OWNER)
        && known.created_at.is_some()
        && !known.is(cluster)
}

/// Whether anything that was made for the cluster is there. Roles have names of their own, so one
/// without an owner is one that lost its tags.
fn has_leftovers(observed: &Observed, place: &Place, name: &str) -> bool {
    let ours = |tags: &StringMap| names::is_ours(tags, &place.owner, name);
    let roles = [&observed.cluster_role, &observed.node_role];
    roles
        .into_iter()
        .flatten()
        .any(|role| ours(&role.tags) || !role.tags.contains_key(names::OWNER))
        || observed
            .oidc_provider
            .as_ref()
            .is_some_and(|provider| ours(&provider.tags))
}

/// Whether something of ours is not what it must be that no attribute shows, so the status does: a
/// role, its access entry, an ownership tag.
fn is_drifted(state: &ClusterModel, observed: &Observed, place: &Place, claim: Claim) -> bool {
    let unchosen = ClusterModel::default();
    let generation = state.creation_id.as_str().map(str::to_owned);
    desired(
        &unchosen,
        state,
        place,
        claim,
        generation,
        remembered(state),
    )
    .ok()
    .and_then(|wanted| plan(&wanted, observed).ok())
    .is_some_and(|steps| steps.iter().any(|step| is_hidden(&step.action)))
}

/// Whether no attribute of the resource shows what the step would change. The user's tags are shown,
/// ours are not.
fn is_hidden(action: &Action) -> bool {
    match action {
        Action::TagCluster { set, .. }
        | Action::TagRole { set, .. }
        | Action::TagOidcProvider { set, .. }
        | Action::TagAccessEntry { set, .. }
        | Action::TagNodeGroup { set, .. } => {
            set.keys().any(|key| key.starts_with(names::TAG_PREFIX))
        }
        Action::MarkComplete { .. }
        | Action::CreateAccessEntry { .. }
        | Action::DeleteAccessEntry { .. } => true,
        action => matches!(action.part(), Part::Role(_)),
    }
}

/// The id is the cluster's name.
pub(super) async fn import(
    context: &Context<Client>,
    id: &str,
) -> Result<Imported<ClusterModel>, Diagnostics> {
    let site = site(&context.client, None).await?;
    let observed = Engine::new(site.aws.clone())
        .observe(id, &site.place.owner, None)
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
