//! The IAM permissions that the provider needs, for each of its objects.
//!
//! The acceptance tests hold the table against the calls that the provider makes, and
//! `cargo xtask docs` writes `docs/design/iam-permissions.md` from it.

/// What a permission is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The action takes no resource, or is about things that are not known beforehand.
    Any,
    /// Clusters, node groups and access entries.
    Eks,
    /// Roles.
    Roles,
    /// Roles that are handed to EKS.
    PassedRoles,
    /// OIDC providers.
    OidcProviders,
    /// The roles by which EKS itself works in an account, made with its first cluster.
    ServiceLinkedRoles,
}

/// Permissions for one purpose.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// For which things.
    pub scope: Scope,
    /// What for.
    pub purpose: &'static str,
    /// The actions, `service:Operation`.
    pub actions: &'static [&'static str],
}

/// What one object of the provider needs.
#[derive(Debug, Clone, Copy)]
pub struct Permissions {
    /// The object, as `resource devopsgenie_cluster`.
    pub object: &'static str,
    /// The grants.
    pub grants: &'static [Grant],
}

/// Actions that AWS demands within other calls (service authorization reference of EKS, "Dependent
/// actions"; creating with tags is tagging), so that no call of the provider is named so.
pub const IMPLIED: [&str; 2] = ["iam:PassRole", "iam:CreateServiceLinkedRole"];

/// Actions that everybody may take, whatever the policies say (IAM user guide, `GetCallerIdentity`).
pub const FREE: [&str; 1] = ["sts:GetCallerIdentity"];

/// Actions that only repair what was changed outside.
pub const REPAIRS: [&str; 1] = ["iam:AddClientIDToOpenIDConnectProvider"];

const READ_CLUSTER: Grant = Grant {
    scope: Scope::Eks,
    purpose: "find the cluster",
    actions: &["eks:DescribeCluster"],
};

/// All objects.
pub const ALL: [Permissions; 4] = [
    Permissions {
        object: "resource devopsgenie_cluster",
        grants: &[
            Grant {
                scope: Scope::Any,
                purpose: "see which versions EKS offers; without it a wrong version is told later",
                actions: &["eks:DescribeClusterVersions"],
            },
            Grant {
                scope: Scope::Eks,
                purpose: "read",
                actions: &[
                    "eks:DescribeAccessEntry",
                    "eks:DescribeCluster",
                    "eks:DescribeNodegroup",
                    "eks:ListAccessEntries",
                    "eks:ListAssociatedAccessPolicies",
                    "eks:ListFargateProfiles",
                    "eks:ListNodegroups",
                ],
            },
            Grant {
                scope: Scope::Eks,
                purpose: "create, change and destroy",
                actions: &[
                    "eks:AssociateAccessPolicy",
                    "eks:CreateAccessEntry",
                    "eks:CreateCluster",
                    "eks:CreateNodegroup",
                    "eks:DeleteAccessEntry",
                    "eks:DeleteCluster",
                    "eks:DeleteNodegroup",
                    "eks:DescribeUpdate",
                    "eks:DisassociateAccessPolicy",
                    "eks:TagResource",
                    "eks:UntagResource",
                    "eks:UpdateAccessEntry",
                    "eks:UpdateClusterConfig",
                    "eks:UpdateClusterVersion",
                    "eks:UpdateNodegroupConfig",
                    "eks:UpdateNodegroupVersion",
                ],
            },
            Grant {
                scope: Scope::Roles,
                purpose: "the roles of the control plane and the nodes; with role_arn and node_role_arn only the reads",
                actions: &[
                    "iam:AttachRolePolicy",
                    "iam:CreateRole",
                    "iam:DeleteRole",
                    "iam:DeleteRolePermissionsBoundary",
                    "iam:DeleteRolePolicy",
                    "iam:DetachRolePolicy",
                    "iam:GetRole",
                    "iam:ListAttachedRolePolicies",
                    "iam:ListRolePolicies",
                    "iam:PutRolePermissionsBoundary",
                    "iam:PutRolePolicy",
                    "iam:TagRole",
                    "iam:UntagRole",
                    "iam:UpdateAssumeRolePolicy",
                ],
            },
            Grant {
                scope: Scope::PassedRoles,
                purpose: "hand the roles to EKS",
                actions: &["iam:PassRole"],
            },
            Grant {
                scope: Scope::ServiceLinkedRoles,
                purpose: "the first cluster and the first node group of an account",
                actions: &["iam:CreateServiceLinkedRole"],
            },
            Grant {
                scope: Scope::OidcProviders,
                purpose: "IAM roles of service accounts; with enable_irsa = false only the reads",
                actions: &[
                    "iam:AddClientIDToOpenIDConnectProvider",
                    "iam:CreateOpenIDConnectProvider",
                    "iam:DeleteOpenIDConnectProvider",
                    "iam:GetOpenIDConnectProvider",
                    "iam:TagOpenIDConnectProvider",
                    "iam:UntagOpenIDConnectProvider",
                ],
            },
            Grant {
                scope: Scope::Any,
                purpose: "find OIDC providers of clusters that somebody else deleted",
                actions: &["iam:ListOpenIDConnectProviders"],
            },
        ],
    },
    Permissions {
        object: "resource devopsgenie_workload_role",
        grants: &[
            READ_CLUSTER,
            Grant {
                scope: Scope::OidcProviders,
                purpose: "find the issuer of the cluster",
                actions: &["iam:GetOpenIDConnectProvider"],
            },
            Grant {
                scope: Scope::Roles,
                purpose: "read",
                actions: &[
                    "iam:GetRole",
                    "iam:GetRolePolicy",
                    "iam:ListAttachedRolePolicies",
                    "iam:ListRolePolicies",
                ],
            },
            Grant {
                scope: Scope::Roles,
                purpose: "create, change and destroy",
                actions: &[
                    "iam:AttachRolePolicy",
                    "iam:CreateRole",
                    "iam:DeleteRole",
                    "iam:DeleteRolePermissionsBoundary",
                    "iam:DeleteRolePolicy",
                    "iam:DetachRolePolicy",
                    "iam:PutRolePermissionsBoundary",
                    "iam:PutRolePolicy",
                    "iam:TagRole",
                    "iam:UntagRole",
                    "iam:UpdateAssumeRolePolicy",
                    "iam:UpdateRole",
                ],
            },
        ],
    },
    Permissions {
        object: "resource devopsgenie_addon_set",
        grants: &[Grant {
            purpose: "reach a cluster by its name; a kubeconfig needs nothing",
            ..READ_CLUSTER
        }],
    },
    Permissions {
        object: "data source devopsgenie_cluster",
        grants: &[
            Grant {
                scope: Scope::Eks,
                purpose: "read",
                actions: &["eks:DescribeCluster", "eks:ListNodegroups"],
            },
            Grant {
                scope: Scope::OidcProviders,
                purpose: "find the issuer's OIDC provider",
                actions: &["iam:GetOpenIDConnectProvider"],
            },
        ],
    },
];
