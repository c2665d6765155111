//! The answers against botocore's service model, by a real AWS client.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use common::{AUTO_MODE_POLICIES, Lab, python, tests_folder};
use serde_json::{Value, json};

const OPERATIONS: &[&str] = &[
    "AssociateAccessPolicy",
    "AssociateEncryptionConfig",
    "AssociateIdentityProviderConfig",
    "CreateAccessEntry",
    "CreateAddon",
    "CreateCluster",
    "CreateFargateProfile",
    "CreateNodegroup",
    "CreatePodIdentityAssociation",
    "DeleteAccessEntry",
    "DeleteAddon",
    "DeleteCluster",
    "DeleteFargateProfile",
    "DeleteNodegroup",
    "DeletePodIdentityAssociation",
    "DescribeAccessEntry",
    "DescribeAddon",
    "DescribeAddonConfiguration",
    "DescribeAddonVersions",
    "DescribeCluster",
    "DescribeClusterVersions",
    "DescribeFargateProfile",
    "DescribeIdentityProviderConfig",
    "DescribeInsight",
    "DescribeInsightsRefresh",
    "DescribeNodegroup",
    "DescribePodIdentityAssociation",
    "DescribeUpdate",
    "DisassociateAccessPolicy",
    "DisassociateIdentityProviderConfig",
    "ListAccessEntries",
    "ListAccessPolicies",
    "ListAddons",
    "ListAssociatedAccessPolicies",
    "ListClusters",
    "ListFargateProfiles",
    "ListIdentityProviderConfigs",
    "ListInsights",
    "ListNodegroups",
    "ListPodIdentityAssociations",
    "ListTagsForResource",
    "ListUpdates",
    "StartInsightsRefresh",
    "TagResource",
    "UntagResource",
    "UpdateAccessEntry",
    "UpdateAddon",
    "UpdateClusterConfig",
    "UpdateClusterVersion",
    "UpdateNodegroupConfig",
    "UpdateNodegroupVersion",
    "UpdatePodIdentityAssociation",
];

const UPDATE_TYPES: &[&str] = &[
    "AccessConfigUpdate",
    "AddonUpdate",
    "AssociateEncryptionConfig",
    "AssociateIdentityProviderConfig",
    "AutoModeUpdate",
    "ConfigUpdate",
    "ControlPlaneScalingConfigUpdate",
    "DeletionProtectionUpdate",
    "DisassociateIdentityProviderConfig",
    "EndpointAccessUpdate",
    "LoggingUpdate",
    "UpgradePolicyUpdate",
    "VersionRollback",
    "VersionUpdate",
    "VpcConfigUpdate",
    "ZonalShiftConfigUpdate",
];

const UPDATE_PARAMETERS: &[&str] = &[
    "AddonVersion",
    "AuthenticationMode",
    "ClusterLogging",
    "ComputeConfig",
    "ConfigurationValues",
    "DeletionProtection",
    "DesiredSize",
    "EncryptionConfig",
    "EndpointPrivateAccess",
    "EndpointPublicAccess",
    "IdentityProviderConfig",
    "KubernetesNetworkConfig",
    "LabelsToAdd",
    "LabelsToRemove",
    "LaunchTemplateName",
    "LaunchTemplateVersion",
    "MaxSize",
    "MaxUnavailable",
    "MaxUnavailablePercentage",
    "MinSize",
    "NodeRepairConfig",
    "PlatformVersion",
    "PodIdentityAssociations",
    "PreviousTier",
    "PublicAccessCidrs",
    "ReleaseVersion",
    "ResolveConflicts",
    "SecurityGroups",
    "ServiceAccountRoleArn",
    "StorageConfig",
    "Subnets",
    "TaintsToAdd",
    "TaintsToRemove",
    "UpdateStrategy",
    "UpdatedTier",
    "UpgradePolicy",
    "Version",
    "ZonalShiftConfig",
];

/// The release whose model the answers are held against, as the lab pins it.
fn pinned_botocore() -> String {
    let requirements = tests_folder().join("../../lab/tools/python/requirements.txt");
    std::fs::read_to_string(requirements)
        .expect("the lab's Python requirements")
        .lines()
        .find_map(|line| line.strip_prefix("botocore==")?.split_whitespace().next())
        .expect("botocore is pinned")
        .to_owned()
}

/// The operations that RULES.md says are simulated, and those it says are validated.
fn documented() -> [Vec<String>; 2] {
    let rules = std::fs::read_to_string(tests_folder().join("../RULES.md")).expect("RULES.md");
    let rows: Vec<Vec<&str>> = rules
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Operation"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    [2, 3].map(|column| {
        rows.iter()
            .filter(|row| row[column] == "yes")
            .map(|row| row[1].to_owned())
            .collect()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_as_the_model_says() {
    let lab = Lab::start().await;
    let setup = json!({
        "botocore": pinned_botocore(),
        "subnets": lab.subnets,
        "cluster_role": lab.create_role("auto", "eks.amazonaws.com", &AUTO_MODE_POLICIES).await,
        "node_role": lab.node_role,
        "pod_role": lab.create_role("pods", "pods.eks.amazonaws.com", &[]).await,
        "fargate_role": lab.create_role("fargate", "eks-fargate-pods.amazonaws.com", &[]).await,
        "key": lab.create_key("SYMMETRIC_DEFAULT").await,
        "launch_template": lab.create_launch_template().await,
        "security_group": lab.create_security_group().await,
        "bad_zone_subnet": lab.create_subnet(&lab.vpc, "us-east-1e", "10.0.4.0/24").await,
    });
    let output = tokio::process::Command::new(python())
        .arg(tests_folder().join("contract.py"))
        .args([lab.handle.endpoint(), &lab.root.id, &lab.root.secret])
        .arg(setup.to_string())
        .output()
        .await
        .expect("run the contract test");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    let report: Value = serde_json::from_str(text.trim()).expect("a JSON line");
    let covered: Vec<&str> = report["covered"]
        .as_array()
        .expect("covered")
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| *name != "ListCapabilities")
        .collect();
    assert_eq!(covered, OPERATIONS);
    assert_eq!(documented(), [OPERATIONS, OPERATIONS], "RULES.md");
    // Every kind of update and of its parameters that the simulator makes was held against the model.
    assert_eq!(report["types"], json!(UPDATE_TYPES));
    assert_eq!(report["params"], json!(UPDATE_PARAMETERS));
}
