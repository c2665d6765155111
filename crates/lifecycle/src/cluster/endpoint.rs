//! How to reach a cluster's Kubernetes API.

use crate::aws::{ApiError, Aws, AwsError, ErrorClass};

/// Where the Kubernetes API of an EKS cluster is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterEndpoint {
    /// Status of the cluster as EKS spells it, such as `CREATING`.
    pub status: String,
    /// URL of the API, absent until the cluster is ACTIVE for the first time.
    pub url: Option<String>,
    /// Base64 of the PEM certificates of the API, absent as long as the URL is.
    pub certificate_authority: Option<String>,
}

/// Asks EKS for the endpoint of a cluster, with one `DescribeCluster`; `None` when there is no such
/// cluster.
///
/// # Errors
/// The account may not be worked on, or the call failed.
pub async fn endpoint(aws: &Aws, name: &str) -> Result<Option<ClusterEndpoint>, AwsError> {
    // Asked once per process; a cluster of a forbidden account must not be reached.
    aws.caller_identity().await?;
    let answer = aws
        .eks()
        .describe_cluster()
        .name(name)
        .send()
        .await
        .map_err(|error| ApiError::new("EKS", "DescribeCluster", format!("cluster {name}"), error));
    let cluster = match answer {
        Ok(answer) => answer.cluster,
        Err(error) if error.class == ErrorClass::NotFound => None,
        Err(error) => return Err(aws.explain(error)),
    };
    Ok(cluster.map(|cluster| ClusterEndpoint {
        status: cluster
            .status
            .map_or_else(String::new, |status| status.as_str().to_owned()),
        url: cluster.endpoint,
        certificate_authority: cluster
            .certificate_authority
            .and_then(|authority| authority.data),
    }))
}
