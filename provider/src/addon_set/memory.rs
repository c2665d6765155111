//! What the resource remembers in its private state. It is stored unencrypted, so it holds no secret.

use std::collections::BTreeMap;

use devopsgenie_bootstrap::plan::{Records, Salt};
use serde::{Deserialize, Serialize};
use tfplugin::Private;
use tfplugin::diagnostics::Diagnostics;

const MEMORY: &str = "memory";
const INTENT: &str = "intent";

/// What an apply leaves behind for the next plan and read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Memory {
    /// Of the secrets' digests in `records`.
    pub salt: Salt,
    /// What was applied, field by field.
    pub records: Records,
    /// Digests of what was applied.
    pub digests: BTreeMap<String, String>,
    /// The creation did not go through, so Terraform will plan a replacement.
    #[serde(default)]
    pub half_built: bool,
}

/// What the plan wants of an apply. The delete half of a replacement gets the intent of the create
/// plan, a real destroy that of the destroy plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Intent {
    /// A set is made.
    Create {
        /// Its name.
        name: String,
        /// Namespace of its inventory.
        namespace: String,
        /// Its cluster, as far as the configuration tells it.
        cluster: Option<String>,
    },
    /// The set is changed.
    Update,
    /// The set is removed.
    Destroy,
}

pub(super) fn recall(private: &Private) -> Option<Memory> {
    private.get_as(MEMORY)
}

pub(super) fn intent(private: &Private) -> Option<Intent> {
    private.get_as(INTENT)
}

/// Private data of an applied or read set.
pub(super) fn keep(memory: &Memory) -> Result<Private, Diagnostics> {
    let mut private = Private::new();
    private
        .insert_as(MEMORY, memory)
        .map_err(|error| unwritable(&error))?;
    Ok(private)
}

/// Private data of a plan: those of before, with the plan's intent. A create starts with none.
pub(super) fn with_intent(prior: &Private, intent: &Intent) -> Result<Private, Diagnostics> {
    let mut private = match intent {
        Intent::Create { .. } => Private::new(),
        _ => prior.clone(),
    };
    private
        .insert_as(INTENT, intent)
        .map_err(|error| unwritable(&error))?;
    Ok(private)
}

pub(super) fn for_destroy(prior: &Private) -> Private {
    with_intent(prior, &Intent::Destroy).unwrap_or_else(|_| prior.clone())
}

fn unwritable(error: &serde_json::Error) -> Diagnostics {
    Diagnostics::error(
        "The private state cannot be written",
        format!("{error}. This is a bug in the provider; please report it."),
    )
}
