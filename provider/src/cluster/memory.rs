//! What the resource remembers in its private state.

use serde::{Deserialize, Serialize};
use tfplugin::Private;
use tfplugin::diagnostics::Diagnostics;

const INTENT: &str = "intent";
const IMPORTED: &str = "imported";

/// What the plan wants of an apply. The delete half of a replacement gets the intent of the create
/// plan, a real destroy that of the destroy plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Intent {
    /// A cluster is made.
    Create(Target),
    /// The cluster is changed.
    Update,
    /// The cluster is removed.
    Destroy,
}

/// Which cluster a creation makes: what a half-built one must agree with to be carried on. Absent
/// is what is unknown or left to AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    pub name: Option<String>,
    pub region: Option<String>,
    pub account_id: Option<String>,
    pub role_arn: Option<String>,
    pub service_ipv4_cidr: Option<String>,
    pub ip_family: Option<String>,
}

impl Target {
    /// Whether a cluster that is this one can be carried on as `wanted`.
    pub(super) fn agrees_with(&self, wanted: &Self) -> bool {
        let agree = |one: &Option<String>, other: &Option<String>| {
            one.is_none() || other.is_none() || one == other
        };
        self.name.is_some()
            && self.name == wanted.name
            && agree(&self.region, &wanted.region)
            && agree(&self.account_id, &wanted.account_id)
            && agree(&self.role_arn, &wanted.role_arn)
            && agree(&self.service_ipv4_cidr, &wanted.service_ipv4_cidr)
            && agree(&self.ip_family, &wanted.ip_family)
    }
}

pub(super) fn intent(private: &Private) -> Option<Intent> {
    private.get_as(INTENT)
}

/// Private data of a plan: those of before, with the plan's intent. A create starts with none.
pub(super) fn with_intent(prior: &Private, intent: &Intent) -> Result<Private, Diagnostics> {
    let mut private = match intent {
        Intent::Create(_) => Private::new(),
        _ => prior.clone(),
    };
    private.insert_as(INTENT, intent).map_err(|error| {
        Diagnostics::error(
            "The private state cannot be written",
            format!("{error}. This is a bug in the provider; please report it."),
        )
    })?;
    Ok(private)
}

/// Private data of an applied or read cluster: an intent is for one apply only.
pub(super) fn settled(private: &Private) -> Private {
    let mut private = private.clone();
    private.remove(INTENT);
    private
}

/// Whether the cluster was imported and not applied since.
pub(super) fn is_imported(private: &Private) -> bool {
    private.get_as(IMPORTED).unwrap_or_default()
}

/// Private data of an imported cluster.
pub(super) fn imported() -> Private {
    let mut private = Private::new();
    private.insert(IMPORTED, true);
    private
}

/// Private data after an apply that took an imported cluster over.
pub(super) fn taken_over(private: &Private) -> Private {
    let mut private = settled(private);
    private.remove(IMPORTED);
    private
}
