//! Identity provider configs: OIDC login to a cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster_updates::{Change, refuse_unless_active, replayed, start};
use crate::core::Core;
use crate::eks::Call;
use crate::store::{Cluster, Tags};
use crate::wire::{ApiError, Code};
use crate::{pages, tags};

/// A config; the only type is oidc.
#[derive(Debug, Clone)]
pub(crate) struct IdentityProvider {
    pub name: String,
    pub arn: String,
    cluster: String,
    request: OidcRequest,
    pub tags: Tags,
    pub status: &'static str,
}

impl IdentityProvider {
    /// Source of the members: botocore model, OidcIdentityProviderConfig; the default claim: API
    /// reference.
    fn show(&self) -> Value {
        let oidc = &self.request;
        json!({ "oidc": {
            "identityProviderConfigName": self.name,
            "identityProviderConfigArn": self.arn,
            "clusterName": self.cluster,
            "issuerUrl": oidc.issuer_url,
            "clientId": oidc.client_id,
            "usernameClaim": oidc.username_claim.as_deref().unwrap_or("sub"),
            "usernamePrefix": oidc.username_prefix,
            "groupsClaim": oidc.groups_claim,
            "groupsPrefix": oidc.groups_prefix,
            "requiredClaims": oidc.required_claims,
            "tags": self.tags,
            "status": self.status,
        } })
    }
}

/// Source of the members: botocore model, OidcIdentityProviderConfigRequest.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OidcRequest {
    identity_provider_config_name: Option<String>,
    issuer_url: Option<String>,
    client_id: Option<String>,
    username_claim: Option<String>,
    username_prefix: Option<String>,
    groups_claim: Option<String>,
    groups_prefix: Option<String>,
    #[serde(default)]
    required_claims: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AssociateRequest {
    oidc: Option<OidcRequest>,
    #[serde(default)]
    tags: Tags,
    client_request_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReferenceRequest {
    identity_provider_config: Option<Reference>,
    client_request_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
}

/// Source: API reference, OidcIdentityProviderConfigRequest; the text of the own issuer: terraform-aws-eks
/// issue 3328, the others are not verified.
fn check(oidc: &OidcRequest, cluster: &Cluster) -> Result<(), ApiError> {
    let issuer = oidc.issuer_url.as_deref().unwrap_or_default();
    let required = [
        (
            "identityProviderConfigName",
            oidc.identity_provider_config_name.as_deref(),
        ),
        ("issuerUrl", oidc.issuer_url.as_deref()),
        ("clientId", oidc.client_id.as_deref()),
    ];
    for (name, value) in required {
        if value.is_none_or(str::is_empty) {
            return Err(ApiError::parameter(format!("oidc.{name} is required")));
        }
    }
    if !issuer.starts_with("https://") {
        return Err(ApiError::parameter(format!(
            "The issuer URL {issuer} is not valid: it must begin with https://"
        )));
    }
    if issuer == cluster.issuer {
        return Err(ApiError::parameter(
            "Incorrect Identity Provider URL configuration. The Identity Provider URL cannot be same as OpenID Connect (OIDC) issuer URL",
        ));
    }
    for prefix in [&oidc.username_prefix, &oidc.groups_prefix] {
        if prefix
            .as_deref()
            .is_some_and(|prefix| prefix.contains("system:"))
        {
            return Err(ApiError::parameter(
                "usernamePrefix and groupsPrefix cannot contain system:",
            ));
        }
    }
    // Source: botocore model, requiredClaimsKey (1 to 63) and requiredClaimsValue (1 to 253).
    for (key, value) in &oidc.required_claims {
        if !(1..=63).contains(&key.len()) || !(1..=253).contains(&value.len()) {
            return Err(ApiError::parameter(format!(
                "The required claim {key} is not valid: 1 to 63 characters for the claim, 1 to 253 for its value"
            )));
        }
    }
    Ok(())
}

/// Source: API reference, AssociateIdentityProviderConfig; one provider for a cluster: EKS user guide,
/// authenticate users with an OIDC identity provider. Errors and texts of a second one not verified.
pub(crate) fn associate(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0);
    let named = |error: ApiError| error.cluster(name);
    let (request, raw) = call.body::<AssociateRequest>()?;
    let token = request.client_request_token.as_deref();
    let kind = "AssociateIdentityProviderConfig";
    let answer = |mut shown: Value| {
        shown["tags"] = json!(request.tags);
        shown
    };
    if let Some(shown) = replayed(core, kind, name, token, &raw)? {
        return Ok(answer(shown));
    }
    let before = core.store().cluster(name)?.clone();
    refuse_unless_active(&before, kind)?;
    call.refuse_if_busy(name, kind)?;
    let oidc = request
        .oidc
        .clone()
        .ok_or_else(|| named(ApiError::parameter("oidc is required")))?;
    check(&oidc, &before).map_err(named)?;
    tags::check(&request.tags).map_err(|text| named(ApiError::parameter(text)))?;
    let own = oidc
        .identity_provider_config_name
        .clone()
        .unwrap_or_default();
    if before.identity_providers.contains_key(&own) {
        return Err(named(ApiError::in_use(format!(
            "Identity provider config already exists with name {own}"
        ))));
    }
    if !before.identity_providers.is_empty() {
        return Err(named(ApiError::new(
            Code::InvalidRequest,
            "A cluster can have only one identity provider config of type oidc.",
        )));
    }
    let provider = IdentityProvider {
        arn: core.arn(&format!(
            "identityproviderconfig/{name}/oidc/{own}/{}",
            uuid::Uuid::new_v4()
        )),
        name: own,
        cluster: name.to_owned(),
        request: oidc,
        tags: request.tags.clone(),
        status: "CREATING",
    };
    let params = vec![("IdentityProviderConfig", raw["oidc"].to_string())];
    let change = Change::AssociateIdentityProvider(Box::new(provider));
    start(
        core,
        call,
        (kind, name, token, raw),
        kind,
        (params, change),
        core.config.timings.cluster_config_update,
    )
    .map(answer)
}

/// The name a request refers to. Not verified: the texts.
fn referred(reference: Option<Reference>) -> Result<String, ApiError> {
    let missing = || ApiError::parameter("identityProviderConfig needs type and name");
    let reference = reference.ok_or_else(missing)?;
    let kind = reference.kind.ok_or_else(missing)?;
    if kind != "oidc" {
        return Err(ApiError::parameter(format!(
            "The identity provider type {kind} is not valid; the only one is oidc"
        )));
    }
    reference.name.ok_or_else(missing)
}

/// Not verified: the text.
fn no_provider(cluster: &str, name: &str) -> ApiError {
    ApiError::new(
        Code::ResourceNotFound,
        format!("Identity provider config {name} is not associated with cluster {cluster}"),
    )
    .cluster(cluster)
}

/// Source: API reference, DescribeIdentityProviderConfig.
pub(crate) fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0);
    let (request, _) = call.body::<ReferenceRequest>()?;
    let store = core.store();
    let cluster = store.cluster(name)?;
    let own = referred(request.identity_provider_config).map_err(|error| error.cluster(name))?;
    let provider = cluster.identity_providers.get(&own);
    provider
        .map(|provider| json!({ "identityProviderConfig": provider.show() }))
        .ok_or_else(|| no_provider(name, &own))
}

/// Source: API reference, ListIdentityProviderConfigs.
pub(crate) fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let store = core.store();
    let cluster = store.cluster(call.part(0))?;
    let mut names: Vec<String> = cluster.identity_providers.keys().cloned().collect();
    let next = pages::cut(&mut names, call, Code::InvalidParameter, String::clone)?;
    let configs: Vec<Value> = names
        .iter()
        .map(|name| json!({ "type": "oidc", "name": name }))
        .collect();
    Ok(json!({ "identityProviderConfigs": configs, "nextToken": next }))
}

/// Source: API reference, DisassociateIdentityProviderConfig.
pub(crate) fn disassociate(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0);
    let (request, raw) = call.body::<ReferenceRequest>()?;
    let token = request.client_request_token.as_deref();
    let kind = "DisassociateIdentityProviderConfig";
    if let Some(shown) = replayed(core, kind, name, token, &raw)? {
        return Ok(shown);
    }
    let own = referred(request.identity_provider_config).map_err(|error| error.cluster(name))?;
    {
        let store = core.store();
        let cluster = store.cluster(name)?;
        refuse_unless_active(cluster, kind)?;
        if !cluster.identity_providers.contains_key(&own) {
            return Err(no_provider(name, &own));
        }
    }
    call.refuse_if_busy(name, kind)?;
    let params = vec![(
        "IdentityProviderConfig",
        raw["identityProviderConfig"].to_string(),
    )];
    start(
        core,
        call,
        (kind, name, token, raw),
        kind,
        (params, Change::DisassociateIdentityProvider(own)),
        core.config.timings.cluster_config_update,
    )
}
