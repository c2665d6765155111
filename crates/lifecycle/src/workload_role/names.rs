//! The derived name, the ownership tags and the trust policy.

use super::model::{StringMap, Workload};
use crate::cluster::names::{CREATION, GENERATION, INCOMPLETE, IRSA_AUDIENCE, OWNER, short_hash};
use serde_json::{Value, json};

/// Tag: the service account that a role is for, as `cluster/namespace/name`.
pub const WORKLOAD: &str = "devopsgenie.dev/workload";

/// Longest name of an IAM role (IAM API, `CreateRole`).
const NAME_LIMIT: usize = 64;

/// Name of the role of a workload: stable over time, and another one for each workload, cluster and
/// region of the account.
#[must_use]
pub fn role_name(workload: &Workload, region: &str) -> String {
    let Workload {
        cluster_name,
        namespace,
        service_account,
    } = workload;
    let hash = short_hash([region, cluster_name, namespace, service_account]);
    let readable: String = format!("{namespace}-{service_account}")
        .chars()
        .take(NAME_LIMIT - hash.len() - 1)
        .collect();
    format!("{readable}-{hash}")
}

/// Value of [`WORKLOAD`].
#[must_use]
pub fn workload_tag(workload: &Workload) -> String {
    format!(
        "{}/{}/{}",
        workload.cluster_name, workload.namespace, workload.service_account
    )
}

/// The workload that the tags name.
#[must_use]
pub fn workload_of(tags: &StringMap) -> Option<Workload> {
    let mut parts = tags.get(WORKLOAD)?.splitn(3, '/');
    Some(Workload {
        cluster_name: parts.next()?.to_owned(),
        namespace: parts.next()?.to_owned(),
        service_account: parts.next()?.to_owned(),
    })
}

/// Whether the tags say that this state's creation of the role did not finish.
#[must_use]
pub fn is_half_built(tags: &StringMap, owner: &str) -> bool {
    tags.get(OWNER).is_some_and(|tag| tag == owner)
        && tags.get(CREATION).is_some_and(|tag| tag == INCOMPLETE)
}

/// Whether the tags say that the creation made the role.
#[must_use]
pub fn is_made_by(tags: &StringMap, owner: &str, generation: &str) -> bool {
    tags.get(OWNER).is_some_and(|tag| tag == owner)
        && tags.get(GENERATION).is_some_and(|tag| tag == generation)
}

/// The trust policy that lets the pods of a service account assume a role, and nobody else (EKS user
/// guide, "Assign IAM roles to Kubernetes service accounts").
#[must_use]
pub fn trust_policy(oidc_provider_arn: &str, namespace: &str, service_account: &str) -> String {
    let issuer = oidc_provider_arn
        .split_once(":oidc-provider/")
        .map_or(oidc_provider_arn, |(_, issuer)| issuer);
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": oidc_provider_arn },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    (format!("{issuer}:aud")): IRSA_AUDIENCE,
                    (format!("{issuer}:sub")): format!("system:serviceaccount:{namespace}:{service_account}"),
                },
            },
        }],
    })
    .to_string()
}

/// The OIDC provider, namespace and service account of a trust policy that is like ours.
#[must_use]
pub fn trusted(document: &str) -> Option<(String, String, String)> {
    let document: Value = serde_json::from_str(document).ok()?;
    let statement = match &document["Statement"] {
        Value::Array(statements) => statements.first()?,
        statement => statement,
    };
    let provider = statement["Principal"]["Federated"].as_str()?;
    let (_, issuer) = provider.split_once(":oidc-provider/")?;
    let subject = statement["Condition"]["StringEquals"][format!("{issuer}:sub")].as_str()?;
    let (namespace, service_account) = subject
        .strip_prefix("system:serviceaccount:")?
        .split_once(':')?;
    Some((
        provider.to_owned(),
        namespace.to_owned(),
        service_account.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(cluster_name: &str, namespace: &str, service_account: &str) -> Workload {
        Workload {
            cluster_name: cluster_name.to_owned(),
            namespace: namespace.to_owned(),
            service_account: service_account.to_owned(),
        }
    }

    #[test]
    fn names_are_short_and_distinct() {
        let long = "n".repeat(63);
        let name = role_name(&workload("main", &long, "app"), "eu-west-1");
        assert_eq!(name.len(), NAME_LIMIT, "{name}");
        let workloads = [
            workload("main", "a", "b-c"),
            workload("main", "a-b", "c"),
            workload("other", "a", "b-c"),
            workload("main", &long, "app"),
            workload("main", &long, "app2"),
        ];
        let mut names: Vec<String> = ["eu-west-1", "us-east-1"]
            .iter()
            .flat_map(|region| workloads.iter().map(|workload| role_name(workload, region)))
            .collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 10, "{names:?}");
    }

    #[test]
    fn a_trust_policy_names_its_workload() {
        let provider = "arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A";
        let document = trust_policy(provider, "payments", "api");
        assert_eq!(
            document,
            r#"{"Statement":[{"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/A:aud":"sts.amazonaws.com","oidc.eks.eu-west-1.amazonaws.com/id/A:sub":"system:serviceaccount:payments:api"}},"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"}}],"Version":"2012-10-17"}"#
        );
        let parts = [provider, "payments", "api"].map(str::to_owned);
        assert_eq!(trusted(&document), Some(parts.into()));
        for other in [
            "{",
            "{}",
            r#"{"Statement":[{"Principal":{"Service":"ec2.amazonaws.com"}}]}"#,
            &document.replace("StringEquals", "StringLike"),
        ] {
            assert_eq!(trusted(other), None, "{other}");
        }
    }

    #[test]
    fn a_tag_names_its_workload() {
        let one = workload("main", "payments", "api");
        let tags = StringMap::from([(WORKLOAD.to_owned(), workload_tag(&one))]);
        assert_eq!(workload_of(&tags), Some(one));
        assert_eq!(workload_of(&StringMap::new()), None);
    }
}
