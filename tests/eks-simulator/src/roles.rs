//! The checks of IAM roles and principals, asked of the proxied IAM.

use crate::aws::{CallError, Role};
use crate::core::Core;
use crate::faults::Hits;
use crate::wire::{ApiError, Code};

fn iam_failed(error: &CallError) -> ApiError {
    ApiError::new(
        Code::Server,
        format!("IAM could not be asked: {} {}", error.code, error.message),
    )
}

/// Source of the text: issues of terraform-provider-aws and terraform-aws-eks, which quote it.
fn not_assumable(arn: &str) -> ApiError {
    ApiError::parameter(format!(
        "Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
    ))
}

fn check_arn(arn: &str) -> Result<(), ApiError> {
    let good = arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(":role/"))
        .is_some_and(|(account, name)| {
            account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty()
        });
    if good {
        Ok(())
    } else {
        Err(ApiError::parameter(format!("Invalid role ARN: {arn}")))
    }
}

async fn find(core: &Core, hits: &Hits, arn: &str) -> Result<Option<Role>, ApiError> {
    check_arn(arn)?;
    if hits.role_not_visible {
        return Ok(None);
    }
    core.aws.role(arn).await.map_err(|error| iam_failed(&error))
}

/// Trust for eks.amazonaws.com and AmazonEKSClusterPolicy. Source: EKS user guide, cluster IAM
/// role; texts as quoted in terraform-provider-aws issues.
pub(crate) async fn check_cluster_role(
    core: &Core,
    hits: &Hits,
    arn: &str,
) -> Result<(), ApiError> {
    let role = find(core, hits, arn)
        .await?
        .filter(|role| role.trusts_service("eks.amazonaws.com"))
        .ok_or_else(|| not_assumable(arn))?;
    if role.has_policy("AmazonEKSClusterPolicy") {
        return Ok(());
    }
    Err(ApiError::parameter(
        "The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please ensure the following policy arn:aws:iam::aws:policy/AmazonEKSClusterPolicy is attached",
    ))
}

/// The node role must exist and trust EC2; whether its policies let nodes join is the result,
/// because the service accepts the call and the nodes fail later. Source: EKS user guide, node
/// IAM role and troubleshooting ("Instances failed to join").
pub(crate) async fn check_node_role(core: &Core, hits: &Hits, arn: &str) -> Result<bool, ApiError> {
    let ec2 = "ec2.amazonaws.com";
    let role = find(core, hits, arn).await?.ok_or_else(|| {
        ApiError::parameter(format!(
            "The role with name {} cannot be found. (Service: AmazonIdentityManagement; Status Code: 404; Error Code: NoSuchEntity): it does not exist",
            arn.rsplit('/').next().unwrap_or(arn)
        ))
    })?;
    if !role.trusts_service(ec2) {
        return Err(ApiError::parameter(format!(
            "Following required service principals [{ec2}] were not found in the trust relationships of nodeRole {arn}"
        )));
    }
    let worker = [
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKSWorkerNodeMinimalPolicy",
    ];
    let registry = [
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEC2ContainerRegistryPowerUser",
        "AmazonEC2ContainerRegistryFullAccess",
    ];
    Ok(worker.iter().any(|name| role.has_policy(name))
        && registry.iter().any(|name| role.has_policy(name)))
}

/// The unique id of a principal an access entry is made for. Principals of other accounts are
/// not checked and have none. Source: EKS user guide, access entries; "invalid principal" as issues
/// of terraform-provider-aws quote it.
pub(crate) async fn check_principal(
    core: &Core,
    hits: &Hits,
    arn: &str,
) -> Result<Option<String>, ApiError> {
    let invalid =
        || ApiError::parameter("The specified principalArn is invalid: invalid principal.");
    let (account, resource) = arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(':'))
        .ok_or_else(invalid)?;
    if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid());
    }
    if hits.role_not_visible {
        return Err(invalid());
    }
    let local = account == core.config.account_id;
    match resource.split_once('/') {
        None if resource == "root" => Ok(Some(account.to_owned())),
        Some(("role" | "user", name)) if !local && !name.is_empty() => Ok(None),
        Some(("role", _)) => core
            .aws
            .role(arn)
            .await
            .map_err(|error| iam_failed(&error))?
            .map(|role| Some(role.id))
            .ok_or_else(invalid),
        Some(("user", path)) => {
            let name = path.rsplit('/').next().unwrap_or(path);
            core.aws
                .user(name)
                .await
                .map_err(|error| iam_failed(&error))?
                .filter(|(found, _)| found == arn)
                .map(|(_, id)| Some(id))
                .ok_or_else(invalid)
        }
        _ => Err(invalid()),
    }
}

/// A role for pods: it must exist and let pods.eks.amazonaws.com assume it and tag the session. Source: EKS user guide, pod
/// identity associations; text of the trust: terraform-provider-aws issue 41483.
pub(crate) async fn check_pod_role(core: &Core, hits: &Hits, arn: &str) -> Result<(), ApiError> {
    let role = find(core, hits, arn).await?.ok_or_else(|| {
        ApiError::parameter(format!(
            "Role provided in the request does not exist: {arn}"
        ))
    })?;
    if role.allows_service(
        "pods.eks.amazonaws.com",
        &["sts:AssumeRole", "sts:TagSession"],
    ) {
        return Ok(());
    }
    Err(ApiError::parameter(
        "Trust policy of the role provided is invalid",
    ))
}

/// The role of an add-on's service account must exist. Its trust is not looked at: it is the
/// pods that fail. Not verified.
pub(crate) async fn check_service_account_role(
    core: &Core,
    hits: &Hits,
    arn: &str,
) -> Result<(), ApiError> {
    match find(core, hits, arn).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::parameter(format!(
            "Role provided in the request does not exist: {arn}"
        ))),
    }
}

/// The pod execution role must exist and trust eks-fargate-pods.amazonaws.com. Source: EKS user guide,
/// pod execution IAM role; text: issues of terraform-provider-aws and eksctl, which quote it.
pub(crate) async fn check_fargate_role(
    core: &Core,
    hits: &Hits,
    arn: &str,
) -> Result<(), ApiError> {
    let service = "eks-fargate-pods.amazonaws.com";
    match find(core, hits, arn).await? {
        Some(role) if role.trusts_service(service) => Ok(()),
        _ => Err(ApiError::parameter(format!(
            "Misconfigured PodExecutionRole Trust Policy; Please add the {service} Service Principal: {arn} does not exist or does not trust it"
        ))),
    }
}

/// The cluster role with what Auto Mode needs. Source: EKS user guide, Auto Mode cluster IAM role;
/// texts not verified.
pub(crate) async fn check_auto_mode_role(
    core: &Core,
    hits: &Hits,
    arn: &str,
) -> Result<(), ApiError> {
    let role = find(core, hits, arn)
        .await?
        .ok_or_else(|| not_assumable(arn))?;
    if !role.allows_service("eks.amazonaws.com", &["sts:AssumeRole", "sts:TagSession"]) {
        return Err(ApiError::parameter(format!(
            "The trust policy of {arn} must allow sts:TagSession to eks.amazonaws.com for EKS Auto Mode"
        )));
    }
    let policies = [
        "AmazonEKSComputePolicy",
        "AmazonEKSBlockStoragePolicy",
        "AmazonEKSLoadBalancingPolicy",
        "AmazonEKSNetworkingPolicy",
    ];
    match policies.iter().find(|name| !role.has_policy(name)) {
        Some(missing) => Err(ApiError::parameter(format!(
            "The role {arn} needs the managed policy {missing} for EKS Auto Mode"
        ))),
        None => Ok(()),
    }
}
