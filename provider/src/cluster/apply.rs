//! Create, update and delete.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use devopsgenie_lifecycle::aws::{Aws, Settings};
use devopsgenie_lifecycle::cluster::model::{
    Claim, DesiredCluster, Observed, Remembered, Removal, StringMap,
};
use devopsgenie_lifecycle::cluster::plan::Subject;
use devopsgenie_lifecycle::cluster::{ClusterError, Engine, Options, names};
use tfplugin::cty::Path;
use tfplugin::diagnostics::{Diagnostic, Diagnostics, Severity};
use tfplugin::{Applied, Context, Deleted, PlannedCreate, PlannedDelete, PlannedUpdate, Private};

use super::memory::{Intent, Target, intent, is_imported, settled, taken_over};
use super::model::{ClusterModel, region_and_account};
use super::plan::refuse_protected;
use super::state::{Place, desired, fill, remembered, state_from};
use crate::client::{Client, aws_diagnostics, check_account, sentence};
use crate::values::texts;

/// The AWS account of a cluster, and where in it.
pub(super) struct Site {
    pub aws: Aws,
    pub place: Place,
}

/// The account that the provider is configured for; for a cluster that exists, in its own region,
/// and only if it is the cluster's own account.
pub(super) async fn site(client: &Client, arn: Option<&str>) -> Result<Site, Diagnostics> {
    let mut aws = client.aws()?.clone();
    let home = arn.and_then(region_and_account);
    if let Some((region, _)) = home
        && region != aws.region()
    {
        let settings = Settings {
            region: Some(region.to_owned()),
            ..aws.settings().clone()
        };
        aws = Aws::new(settings)
            .await
            .map_err(|error| aws_diagnostics(&error))?;
    }
    let identity = aws
        .caller_identity()
        .await
        .map_err(|error| aws_diagnostics(&error))?;
    if let Some((_, account)) = home {
        check_account("cluster", account, identity)?;
    }
    let place = Place {
        region: aws.region().to_owned(),
        partition: aws.partition().to_owned(),
        account_id: identity.account_id.clone(),
        owner: client.owner().to_owned(),
        default_tags: client.default_tags().cloned().unwrap_or_default(),
    };
    Ok(Site { aws, place })
}

/// The time and the stop signal of an operation.
pub(crate) fn options<C>(context: &Context<C>) -> Options {
    Options {
        timeout: context.remaining(),
        cancel: context.stop.clone(),
        progress: None,
    }
}

/// An identity for a new creation. Apply may be random, a plan may not.
fn new_generation() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("{:016x}", number())
}

/// Whether something of this creation exists that must not be forgotten. A finished cluster with our
/// owner's tag that another creation made is not: it was left alone, and a state that named it would
/// let the next apply replace it.
fn has_ours(observed: &Observed, wanted: &DesiredCluster) -> bool {
    let ours = |tags: &StringMap| names::is_ours(tags, &wanted.owner, &wanted.name);
    match &observed.cluster {
        Some(cluster) => {
            ours(&cluster.tags)
                && (names::is_incomplete(&cluster.tags) || is_made_by(&cluster.tags, wanted))
        }
        None => [&observed.cluster_role, &observed.node_role]
            .into_iter()
            .flatten()
            .any(|role| ours(&role.tags)),
    }
}

/// Whether the cluster with these tags is of this creation.
fn is_made_by(tags: &StringMap, wanted: &DesiredCluster) -> bool {
    tags.get(names::GENERATION) == wanted.generation.as_ref()
}

/// An error of the engine for a user.
pub(crate) fn from_error(error: &ClusterError, configured: &ClusterModel) -> Diagnostic {
    if let ClusterError::Account(error) = error {
        let diagnostics = aws_diagnostics(error);
        if let Some(first) = diagnostics.iter().next() {
            return first.clone();
        }
    }
    let summary = match error {
        ClusterError::Account(_) => "AWS cannot be used",
        ClusterError::Plan(_) => "The cluster cannot become what is configured",
        ClusterError::Observe { .. } => "The cluster cannot be read",
        ClusterError::UnknownVersion { .. } => "EKS does not offer this Kubernetes version",
        ClusterError::Step { .. } | ClusterError::GaveUp { .. } => "AWS refused a step",
        ClusterError::UpdateFailed { .. } => "An update of the cluster failed",
        ClusterError::NodeGroupFailed { .. } => "A node group could not be made",
        ClusterError::ClusterFailed { .. } => "The cluster could not be made",
        ClusterError::Deadline { .. } => "The time is up",
        ClusterError::Cancelled { .. } => "Stopped on request",
        ClusterError::NotConverging { .. } => "A change does not hold",
    };
    let mut detail = sentence(&devopsgenie_kubernetes::describe(error));
    if let Some(remedy) = error.remedy() {
        detail.push(' ');
        detail.push_str(&sentence(remedy));
    }
    let diagnostic = Diagnostic::error(summary, detail);
    match error.subject() {
        Some(subject) => diagnostic.at(path_of(&subject, configured)),
        None => diagnostic,
    }
}

/// The path of what an error is about. What the configuration does not hold (a node group that is
/// being removed, say) has no line in it, so the map stands for it.
fn path_of(subject: &Subject, configured: &ClusterModel) -> Path {
    let below = |path: Path, attribute: Option<&'static str>| {
        attribute
            .into_iter()
            .flat_map(|attribute| attribute.split('.'))
            .fold(path, Path::attribute)
    };
    let root = Path::root();
    match subject {
        Subject::Attribute(attribute) => below(root, Some(attribute)),
        Subject::NodeGroup { key, attribute } => {
            let groups = root.attribute("node_groups");
            let configured = configured.node_groups.known();
            if configured.is_some_and(|groups| groups.contains_key(key)) {
                below(groups.key(key.clone()), *attribute)
            } else {
                groups
            }
        }
        Subject::AccessEntry {
            principal,
            attribute,
        } => {
            let entries = root.attribute("access_entries");
            let mut configured = configured.access_entries.known().into_iter().flatten();
            match configured.find(|(_, entry)| {
                entry.known().and_then(|entry| entry.principal_arn.as_str()) == Some(principal)
            }) {
                Some((key, _)) => below(entries.key(key.clone()), *attribute),
                None => entries,
            }
        }
    }
}

fn from_conversion(error: &tfplugin::ConversionError) -> Diagnostics {
    Diagnostics::error(
        "The state cannot be written",
        format!("{error}. This is a bug in the provider; please report it."),
    )
}

pub(super) async fn create(
    context: &Context<Client>,
    request: PlannedCreate<ClusterModel>,
) -> Applied<ClusterModel> {
    let prepared = async {
        let site = site(&context.client, None).await?;
        let generation = Some(new_generation());
        let wanted = desired(
            &request.config,
            &request.planned,
            &site.place,
            Claim::Create,
            generation,
            Remembered::default(),
        )?;
        Ok::<_, Diagnostics>((site, wanted))
    };
    let (site, wanted) = match prepared.await {
        Ok(prepared) => prepared,
        Err(diagnostics) => return Applied::failed(diagnostics),
    };
    let outcome = Engine::new(site.aws.clone())
        .apply(&wanted, &options(context))
        .await;
    let private = taken_over(&request.private);
    let actual = state_from(&request.planned, &outcome.observed, &site.place, false);
    match outcome.result {
        Ok(()) => finished(&request.planned, &actual, private),
        Err(error) => {
            let diagnostic = from_error(&error, &request.config);
            if !outcome.observed_any || !has_ours(&outcome.observed, &wanted) {
                // Nothing of ours exists: there is nothing to remember.
                return Applied::failed(diagnostic.into());
            }
            let cluster = outcome.observed.cluster.as_ref();
            if cluster.is_some_and(|cluster| {
                is_made_by(&cluster.tags, &wanted)
                    && cluster.tags.get(names::CREATION).map(String::as_str)
                        == Some(names::COMPLETE)
            }) {
                // Its last step is done, only the last look failed. An error would taint it, and the
                // next apply would delete it.
                let mut applied = finished(&request.planned, &actual, private);
                applied.diagnostics.push(Diagnostic {
                    severity: Severity::Warning,
                    ..diagnostic
                });
                return applied;
            }
            let diagnostics: Diagnostics = diagnostic.into();
            Applied::partial(reached(&request.planned, actual), private, diagnostics)
        }
    }
}

/// The state after an apply that went through: the plan, with what was found out.
fn finished(
    planned: &ClusterModel,
    actual: &ClusterModel,
    private: Private,
) -> Applied<ClusterModel> {
    match fill(planned, actual) {
        Ok(state) => Applied::done(state, private),
        Err(error) => Applied::partial(actual.clone(), private, from_conversion(&error)),
    }
}

/// The state after one that did not: what exists. What AWS does not know comes from the plan.
fn reached(planned: &ClusterModel, mut actual: ClusterModel) -> ClusterModel {
    actual.timeouts = planned.timeouts.clone();
    actual
}

pub(super) async fn update(
    context: &Context<Client>,
    request: PlannedUpdate<ClusterModel>,
) -> Applied<ClusterModel> {
    let claim = if is_imported(&request.private) {
        Claim::Imported
    } else {
        Claim::Held
    };
    let prepared = async {
        let site = site(&context.client, request.prior.arn.as_str()).await?;
        let generation = request
            .prior
            .creation_id
            .as_str()
            .map_or_else(new_generation, str::to_owned);
        let wanted = desired(
            &request.config,
            &request.planned,
            &site.place,
            claim,
            Some(generation),
            remembered(&request.prior),
        )?;
        Ok::<_, Diagnostics>((site, wanted))
    };
    let (site, wanted) = match prepared.await {
        Ok(prepared) => prepared,
        Err(diagnostics) => return Applied::failed(diagnostics),
    };
    let outcome = Engine::new(site.aws.clone())
        .apply(&wanted, &options(context))
        .await;
    match outcome.result {
        Ok(()) => {
            let actual = state_from(&request.planned, &outcome.observed, &site.place, false);
            finished(&request.planned, &actual, taken_over(&request.private))
        }
        Err(error) => {
            let diagnostics: Diagnostics = from_error(&error, &request.config).into();
            if !outcome.observed_any || outcome.observed.cluster.is_none() {
                return Applied {
                    state: Some(request.prior),
                    private: settled(&request.private),
                    diagnostics,
                };
            }
            // What really changed, not what was planned.
            let actual = state_from(&request.prior, &outcome.observed, &site.place, false);
            Applied::partial(
                reached(&request.prior, actual),
                settled(&request.private),
                diagnostics,
            )
        }
    }
}

pub(super) async fn delete(
    context: &Context<Client>,
    request: PlannedDelete<ClusterModel>,
) -> Deleted<ClusterModel> {
    let prior = request.prior;
    let name = prior.name.as_str().unwrap_or_default().to_owned();
    let failed = |diagnostics: Diagnostics| Deleted::failed(diagnostics);
    let site = match site(&context.client, prior.arn.as_str()).await {
        Ok(site) => site,
        Err(diagnostics) => return failed(diagnostics),
    };
    let engine = Engine::new(site.aws.clone());
    let oidc_provider_arn = prior.oidc_provider_arn.as_str();
    let observed = match engine
        .observe(&name, &site.place.owner, oidc_provider_arn)
        .await
    {
        Ok(observed) => observed,
        Err(error) => return failed(from_error(&error, &prior).into()),
    };
    if let Some(kept) = kept(&prior, &request.private, &observed, &site.place) {
        tracing::info!(cluster = %name, "{kept}");
        let mut deleted = Deleted::gone();
        if matches!(intent(&request.private), Some(Intent::Destroy)) {
            deleted.diagnostics.add_warning(
                format!("The EKS cluster {name} was not destroyed"),
                sentence(&format!(
                    "{kept}. The state forgets it. To destroy it as well, import it and destroy again: terraform \
                     import <address> {name}"
                )),
            );
        }
        return deleted;
    }
    if let Err(diagnostics) = refuse_protected(&prior) {
        return failed(diagnostics);
    }
    let removal = Removal {
        name,
        region: site.place.region.clone(),
        owner: site.place.owner.clone(),
        claim: if is_imported(&request.private) {
            Claim::Imported
        } else {
            Claim::Held
        },
        remembered: remembered(&prior),
        oidc_provider_arn: prior.oidc_provider_arn.as_str().map(str::to_owned),
    };
    let outcome = engine.destroy(&removal, &options(context)).await;
    match outcome.result {
        Ok(()) => Deleted::gone(),
        Err(error) => {
            let diagnostics: Diagnostics = from_error(&error, &prior).into();
            if !outcome.observed_any {
                return failed(diagnostics);
            }
            let mut remaining = state_from(&prior, &outcome.observed, &site.place, false);
            // The provider can be found by its ARN only, once the cluster is gone.
            remaining.oidc_provider_arn = prior.oidc_provider_arn.clone();
            Deleted::partial(
                reached(&prior, remaining),
                settled(&request.private),
                diagnostics,
            )
        }
    }
}

/// Whether the delete half of a replacement, or the delete of a deposed object, must leave what
/// exists alone, and why.
fn kept(
    prior: &ClusterModel,
    private: &Private,
    observed: &Observed,
    place: &Place,
) -> Option<&'static str> {
    let creation = match intent(private) {
        Some(Intent::Create(target)) => Some(target),
        _ => None,
    };
    let resumed = creation
        .as_ref()
        .is_some_and(|wanted| target_of(prior, place).agrees_with(wanted));
    let Some(cluster) = &observed.cluster else {
        return resumed
            .then_some("the cluster itself was not made yet; its roles are kept for the creation that carries on");
    };
    if !names::is_ours(
        &cluster.tags,
        &place.owner,
        prior.name.as_str().unwrap_or_default(),
    ) {
        return None;
    }
    let incomplete = names::is_incomplete(&cluster.tags);
    // A lost tag says nothing.
    let same = cluster
        .tags
        .get(names::GENERATION)
        .is_none_or(|generation| prior.creation_id.as_str() == Some(generation));
    match (same, incomplete) {
        (true, true) if resumed => {
            Some("the half-built cluster is kept; the creation carries on with it")
        }
        // With create_before_destroy the creation has gone on with the cluster already.
        (false, _) if creation.is_some() && prior.creation_id.is_known() => {
            Some("the cluster belongs to a newer creation and is kept")
        }
        (false, false) if prior.creation_id.is_known() => {
            Some("the cluster belongs to a newer creation and is kept")
        }
        _ => None,
    }
}

fn target_of(model: &ClusterModel, place: &Place) -> Target {
    let network = model.kubernetes_network_config.known();
    let vpc = model.vpc_config.known();
    Target {
        name: model.name.as_str().map(str::to_owned),
        region: Some(place.region.clone()),
        account_id: Some(place.account_id.clone()),
        role_arn: model.role_arn.as_str().map(str::to_owned),
        service_ipv4_cidr: network
            .and_then(|network| network.service_ipv4_cidr.as_str().map(str::to_owned)),
        ip_family: network.and_then(|network| network.ip_family.as_str().map(str::to_owned)),
        vpc_id: vpc.and_then(|vpc| vpc.vpc_id.as_str().map(str::to_owned)),
        subnet_ids: vpc.map(|vpc| texts(&vpc.subnet_ids)),
        bootstrap_cluster_creator_admin_permissions: model.access_config.known().and_then(
            |access| {
                access
                    .bootstrap_cluster_creator_admin_permissions
                    .known()
                    .copied()
            },
        ),
    }
}
