//! Connections to EKS clusters through the provider's AWS client.

use std::sync::Arc;

use devopsgenie_kubernetes::connection::{Token, TokenError, TokenSource};
use devopsgenie_kubernetes::{Connection, Credentials, Endpoint, Sensitive};
use devopsgenie_lifecycle::aws::{Aws, EksTokenSource, Settings};
use devopsgenie_lifecycle::cluster::endpoint;
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;

use super::connection::{EksCluster, EksConnections};
use super::model::{EksModel, text};
use crate::client::{Client, aws_diagnostics};

/// Tokens of one EKS cluster.
struct Tokens(EksTokenSource);

impl TokenSource for Tokens {
    fn token(
        &self,
    ) -> std::pin::Pin<Box<dyn std::future::Future<Output = Result<Token, TokenError>> + Send + '_>>
    {
        Box::pin(async move {
            let token = self
                .0
                .token()
                .await
                .map_err(|error| TokenError(Box::new(error)))?;
            Ok(Token {
                value: Sensitive::new(token.value),
                expires_at: Some(token.expires_at),
            })
        })
    }
}

impl EksConnections for Client {
    async fn eks_connection(&self, cluster: &EksModel) -> Result<EksCluster, Diagnostics> {
        let aws = in_region(self.aws()?, cluster.region.as_str()).await?;
        let name = text(&cluster.cluster_name);
        let given = |value: &tfplugin::AttributeValue<String>| value.as_str().map(str::to_owned);
        let (mut host, mut authority) = (
            given(&cluster.endpoint),
            given(&cluster.certificate_authority_data),
        );
        if host.is_none() || authority.is_none() {
            let found = endpoint(&aws, &name)
                .await
                .map_err(|error| aws_diagnostics(&error))?;
            let Some(found) = found else {
                return Ok(EksCluster::Gone);
            };
            host = host.or(found.url);
            authority = authority.or(found.certificate_authority);
            if host.is_none() {
                return Err(Diagnostics::attribute_error(
                    Path::root().attribute("kubernetes").attribute("eks"),
                    "The EKS cluster has no endpoint yet",
                    format!(
                        "The cluster {name} is {}. Wait until it is ACTIVE and apply again.",
                        found.status
                    ),
                ));
            }
        }
        Ok(EksCluster::Reachable(Connection::Endpoint(Box::new(
            Endpoint {
                host: host.unwrap_or_default(),
                certificate_authority: authority,
                tls_server_name: None,
                insecure: false,
                credentials: Credentials::TokenSource(Arc::new(Tokens(EksTokenSource::new(
                    aws, name,
                )))),
            },
        ))))
    }
}

async fn in_region(aws: &Aws, region: Option<&str>) -> Result<Aws, Diagnostics> {
    match region {
        Some(region) if region != aws.region() => {
            let settings = Settings {
                region: Some(region.to_owned()),
                ..aws.settings().clone()
            };
            Aws::new(settings)
                .await
                .map_err(|error| aws_diagnostics(&error))
        }
        _ => Ok(aws.clone()),
    }
}
