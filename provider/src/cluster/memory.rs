//! What the resource remembers in its private state.

use std::collections::BTreeSet;

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
    Create(Box<Target>),
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
    pub vpc_id: Option<String>,
    pub subnet_ids: Option<BTreeSet<String>>,
    pub bootstrap_cluster_creator_admin_permissions: Option<bool>,
}

impl Target {
    /// Whether a cluster that is this one can be carried on as `wanted`.
    pub(super) fn agrees_with(&self, wanted: &Self) -> bool {
        fn agree<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        // Subnets in common are in one VPC. With none in common they may be in two, and EKS then never
        // takes the new ones.
        let same_vpc = match (&self.subnet_ids, &wanted.subnet_ids) {
            (Some(one), Some(other)) => !one.is_disjoint(other),
            _ => agree(&self.vpc_id, &wanted.vpc_id),
        };
        self.name.is_some()
            && self.name == wanted.name
            && agree(&self.region, &wanted.region)
            && agree(&self.account_id, &wanted.account_id)
            && agree(&self.role_arn, &wanted.role_arn)
            && agree(&self.service_ipv4_cidr, &wanted.service_ipv4_cidr)
            && agree(&self.ip_family, &wanted.ip_family)
            && same_vpc
            && agree(
                &self.bootstrap_cluster_creator_admin_permissions,
                &wanted.bootstrap_cluster_creator_admin_permissions,
            )
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

/// Private data of an applied or read thing: an intent is for one apply only.
pub(crate) fn settled(private: &Private) -> Private {
    let mut private = private.clone();
    private.remove(INTENT);
    private
}

/// Whether the thing was imported and not applied since.
pub(crate) fn is_imported(private: &Private) -> bool {
    private.get_as(IMPORTED).unwrap_or_default()
}

/// Private data of an imported thing.
pub(crate) fn imported() -> Private {
    let mut private = Private::new();
    private.insert(IMPORTED, true);
    private
}

/// Private data after an apply that took an imported thing over.
pub(crate) fn taken_over(private: &Private) -> Private {
    let mut private = settled(private);
    private.remove(IMPORTED);
    private
}

#[cfg(test)]
mod tests {
    use super::Target;

    fn target() -> Target {
        Target {
            name: Some("main".to_owned()),
            vpc_id: Some("vpc-1".to_owned()),
            subnet_ids: Some(["a", "b"].map(str::to_owned).into()),
            bootstrap_cluster_creator_admin_permissions: Some(true),
            ..Target::default()
        }
    }

    #[test]
    fn a_half_built_cluster_is_carried_on_only_where_it_can_become_what_is_wanted() {
        type Change = fn(&mut Target);
        let table: [(&str, Change, bool); 7] = [
            ("nothing", |_| {}, true),
            (
                "another name",
                |target| target.name = Some("other".to_owned()),
                false,
            ),
            (
                "one subnet in common",
                |target| target.subnet_ids = Some(["b", "c"].map(str::to_owned).into()),
                true,
            ),
            (
                "no subnet in common",
                |target| target.subnet_ids = Some(["c", "d"].map(str::to_owned).into()),
                false,
            ),
            (
                "another VPC, subnets unknown",
                |target| {
                    target.subnet_ids = None;
                    target.vpc_id = Some("vpc-2".to_owned());
                },
                false,
            ),
            (
                "VPC and subnets unknown",
                |target| {
                    target.subnet_ids = None;
                    target.vpc_id = None;
                },
                true,
            ),
            (
                "other rights of the creator",
                |target| target.bootstrap_cluster_creator_admin_permissions = Some(false),
                false,
            ),
        ];
        for (what, change, expected) in table {
            let mut wanted = target();
            change(&mut wanted);
            assert_eq!(target().agrees_with(&wanted), expected, "{what}");
        }
    }
}
