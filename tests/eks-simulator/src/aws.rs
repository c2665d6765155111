//! The simulator's own calls to the proxied services: what EKS asks of IAM and EC2.

use std::net::Ipv4Addr;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::clock::Clock;
use crate::config::{AccessKeyPair, SimulatorConfig};
use crate::server::StartError;
use crate::signature::{Signed, compact, sign};
use crate::wire::{Request, percent_decode, percent_encode};

/// A call that did not succeed.
#[derive(Debug, Clone)]
pub(crate) struct CallError {
    pub code: String,
    pub message: String,
}

/// An IAM role as EKS sees it.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub arn: String,
    pub id: String,
    pub trust: Value,
    pub policies: Vec<String>,
}

impl Role {
    /// Whether a statement of the trust policy lets the service assume the role.
    pub(crate) fn trusts_service(&self, service: &str) -> bool {
        self.statements().any(|statement| {
            let principal = &statement["Principal"]["Service"];
            contains(principal, service)
        })
    }

    /// Whether the trust policy lets the service do all these actions.
    pub(crate) fn allows_service(&self, service: &str, actions: &[&str]) -> bool {
        actions.iter().all(|action| {
            self.statements().any(|statement| {
                contains(&statement["Principal"]["Service"], service)
                    && (contains(&statement["Action"], action)
                        || contains(&statement["Action"], "sts:*")
                        || contains(&statement["Action"], "*"))
            })
        })
    }

    /// Whether a statement of the trust policy lets the AWS principal assume the role.
    pub(crate) fn trusts_principal(&self, account: &str, arns: &[&str]) -> bool {
        let root = format!("arn:aws:iam::{account}:root");
        self.statements().any(|statement| {
            let principal = &statement["Principal"];
            contains(principal, "*")
                || contains(&principal["AWS"], "*")
                || contains(&principal["AWS"], account)
                || contains(&principal["AWS"], &root)
                || arns.iter().any(|arn| contains(&principal["AWS"], arn))
        })
    }

    fn statements(&self) -> impl Iterator<Item = &Value> {
        let statements = &self.trust["Statement"];
        statements
            .as_array()
            .map_or(std::slice::from_ref(statements), Vec::as_slice)
            .iter()
            .filter(|statement| statement["Effect"] == "Allow")
    }

    /// Whether a managed policy of this name is attached.
    pub(crate) fn has_policy(&self, name: &str) -> bool {
        self.policies
            .iter()
            .any(|arn| arn.rsplit('/').next() == Some(name))
    }
}

fn contains(value: &Value, text: &str) -> bool {
    match value {
        Value::String(one) => one == text,
        Value::Array(many) => many.iter().any(|one| one == text),
        _ => false,
    }
}

/// A subnet as EKS sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subnet {
    pub id: String,
    pub vpc_id: String,
    pub zone: String,
    pub zone_id: String,
    pub base: Ipv4Addr,
    pub prefix: u8,
}

/// An instance type as EKS sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InstanceType {
    pub cpus: u32,
    pub memory_mib: u64,
    pub max_pods: u32,
    pub architectures: Vec<String>,
}

/// A version of a launch template as EKS sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateVersion {
    pub id: String,
    pub name: String,
    pub version: String,
    pub image_id: Option<String>,
    pub instance_type: Option<String>,
    /// Whether it names an instance profile.
    pub instance_profile: bool,
    /// Whether a network interface has a subnet.
    pub subnet: bool,
    /// `spot` or `capacity-block`.
    pub market_type: Option<String>,
}

pub(crate) type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// Client of the moto server.
pub(crate) struct Aws {
    pub http: HttpClient,
    authority: String,
    region: String,
    key: AccessKeyPair,
    clock: Arc<dyn Clock>,
}

impl Aws {
    pub(crate) fn new(config: &SimulatorConfig) -> Result<Self, StartError> {
        let refuse = |reason: &str| StartError::MotoUrl {
            url: config.moto_url.clone(),
            reason: reason.to_owned(),
        };
        let uri: Uri = config
            .moto_url
            .parse()
            .map_err(|_| refuse("it is not a URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(refuse("the scheme is not http"));
        }
        if !matches!(uri.path(), "" | "/") {
            return Err(refuse("it has a path"));
        }
        let authority = uri
            .authority()
            .ok_or_else(|| refuse("it has no host"))?
            .to_string();
        Ok(Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            authority,
            region: config.region.clone(),
            key: config.root.clone(),
            clock: config.clock.clone(),
        })
    }

    /// The moto server's URL for a path with query.
    pub(crate) fn url(&self, path_and_query: &str) -> Result<Uri, CallError> {
        format!("http://{}{path_and_query}", self.authority)
            .parse()
            .map_err(|_| CallError {
                code: "InvalidPath".to_owned(),
                message: format!("the path {path_and_query} cannot be proxied"),
            })
    }

    async fn query(
        &self,
        service: &str,
        version: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, CallError> {
        let mut body: String = parameters
            .iter()
            .map(|(name, value)| format!("{}={}&", percent_encode(name), percent_encode(value)))
            .collect();
        body.push_str("Version=");
        body.push_str(version);
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let (good, text) = self.call(service, &[kind], body).await?;
        if good {
            return Ok(text);
        }
        Err(CallError {
            code: first(&text, "Code").unwrap_or_else(|| "InternalFailure".to_owned()),
            message: first(&text, "Message").unwrap_or_else(|| text.clone()),
        })
    }

    /// A call of a service that speaks JSON with X-Amz-Target.
    async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value, CallError> {
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
        ];
        let (good, text) = self.call(service, &headers, body.to_string()).await?;
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if good {
            return Ok(answer);
        }
        let words = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| answer[*name].as_str().map(str::to_owned))
        };
        Err(CallError {
            code: words(&["__type"]).unwrap_or_else(|| "InternalFailure".to_owned()),
            message: words(&["message", "Message"]).unwrap_or(text),
        })
    }

    /// A signed POST; whether it succeeded, and what it answered.
    async fn call(
        &self,
        service: &str,
        own_headers: &[(&'static str, &str)],
        body: String,
    ) -> Result<(bool, String), CallError> {
        let now = self.clock.wall();
        let date = compact(now.as_second());
        let mut headers = HeaderMap::new();
        let invalid = |error: &dyn std::error::Error| CallError {
            code: "InternalFailure".to_owned(),
            message: format!("the lab's own call to {service} failed: {error}"),
        };
        let mut all = own_headers.to_vec();
        all.extend([
            ("host", self.authority.as_str()),
            ("x-amz-date", date.as_str()),
        ]);
        for (name, value) in all {
            headers.insert(
                name,
                HeaderValue::from_str(value).map_err(|error| invalid(&error))?,
            );
        }
        let signed = Signed {
            access_key_id: self.key.access_key_id.clone(),
            scope_date: date.chars().take(8).collect(),
            region: self.region.clone(),
            service: service.to_owned(),
            signed_headers: vec!["host".to_owned(), "x-amz-date".to_owned()],
            signature: String::new(),
            date: date.clone(),
            session_token: None,
            presigned: false,
            expires_seconds: None,
        };
        let request = Request {
            method: Method::POST,
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Bytes::from(body),
        };
        let signature = sign(&request, &signed, &self.key.secret_access_key, now);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}/{}/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}",
            signed.access_key_id, signed.scope_date, signed.region
        );
        let mut message = http::Request::new(Full::new(request.body));
        *message.method_mut() = request.method;
        *message.uri_mut() = self.url("/")?;
        *message.headers_mut() = request.headers;
        message.headers_mut().insert(
            "authorization",
            HeaderValue::from_str(&authorization).map_err(|error| invalid(&error))?,
        );
        let response = self
            .http
            .request(message)
            .await
            .map_err(|error| invalid(&error))?;
        let status = response.status();
        let bytes = response
            .into_body()
            .collect()
            .await
            .map_err(|error| invalid(&error))?
            .to_bytes();
        Ok((
            status.is_success(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ))
    }

    async fn iam(&self, parameters: &[(&str, &str)]) -> Result<String, CallError> {
        self.query("iam", "2010-05-08", parameters).await
    }

    async fn ec2(&self, parameters: &[(&str, &str)]) -> Result<String, CallError> {
        self.query("ec2", "2016-11-15", parameters).await
    }

    /// The role of this ARN, `None` if there is none (or one of this name with another path).
    pub(crate) async fn role(&self, arn: &str) -> Result<Option<Role>, CallError> {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        Ok(self
            .role_by_name(name)
            .await?
            .filter(|role| role.arn == arn))
    }

    /// The role of this name.
    pub(crate) async fn role_by_name(&self, name: &str) -> Result<Option<Role>, CallError> {
        let answer = match self.iam(&[("Action", "GetRole"), ("RoleName", name)]).await {
            Ok(answer) => answer,
            Err(error) if error.code.starts_with("NoSuchEntity") => return Ok(None),
            Err(error) => return Err(error),
        };
        let attached = self
            .iam(&[("Action", "ListAttachedRolePolicies"), ("RoleName", name)])
            .await?;
        let trust = first(&answer, "AssumeRolePolicyDocument").unwrap_or_default();
        Ok(Some(Role {
            arn: first(&answer, "Arn").unwrap_or_default(),
            id: first(&answer, "RoleId").unwrap_or_default(),
            trust: serde_json::from_str(&trust)
                .or_else(|_| serde_json::from_str(&percent_decode(&trust)))
                .unwrap_or(Value::Null),
            policies: all(&attached, "PolicyArn"),
        }))
    }

    /// ARN and unique id of the user of this name; `None` if there is none.
    pub(crate) async fn user(&self, name: &str) -> Result<Option<(String, String)>, CallError> {
        match self.iam(&[("Action", "GetUser"), ("UserName", name)]).await {
            Ok(answer) => Ok(first(&answer, "Arn").zip(first(&answer, "UserId"))),
            Err(error) if error.code.starts_with("NoSuchEntity") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The subnets of these ids, in this order. An unknown id is EC2's error.
    pub(crate) async fn subnets(&self, ids: &[String]) -> Result<Vec<Subnet>, CallError> {
        let names: Vec<String> = (1..=ids.len()).map(|n| format!("SubnetId.{n}")).collect();
        let mut parameters = vec![("Action", "DescribeSubnets")];
        parameters.extend(
            names
                .iter()
                .zip(ids)
                .map(|(n, id)| (n.as_str(), id.as_str())),
        );
        let answer = self.ec2(&parameters).await?;
        let found = items(&answer, "subnetSet", |item| {
            let cidr = text(item, "cidrBlock")?;
            let (base, prefix) = cidr.split_once('/')?;
            Some(Subnet {
                id: text(item, "subnetId")?,
                vpc_id: text(item, "vpcId")?,
                zone: text(item, "availabilityZone")?,
                zone_id: text(item, "availabilityZoneId")?,
                base: base.parse().ok()?,
                prefix: prefix.parse().ok()?,
            })
        });
        ids.iter()
            .map(|id| {
                found
                    .iter()
                    .find(|subnet| subnet.id == *id)
                    .cloned()
                    .ok_or_else(|| CallError {
                        code: "InvalidSubnetID.NotFound".to_owned(),
                        message: format!("The subnet ID '{id}' does not exist"),
                    })
            })
            .collect()
    }

    /// The subnets whose route table, or the VPC's main one, has a route to an internet gateway.
    pub(crate) async fn public_subnets(&self, ids: &[String]) -> Result<Vec<String>, CallError> {
        let subnets = self.subnets(ids).await?;
        let vpc = subnets.first().map_or("", |subnet| &subnet.vpc_id);
        let answer = self
            .ec2(&[
                ("Action", "DescribeRouteTables"),
                ("Filter.1.Name", "vpc-id"),
                ("Filter.1.Value.1", vpc),
            ])
            .await?;
        // What each table is for (a subnet, or none for the main table), and whether it leads out.
        let tables = items(&answer, "routeTableSet", |item| {
            let inside = |name: &str, text: &str| {
                item.descendants()
                    .filter(|node| node.tag_name().name() == name)
                    .filter_map(|node| node.text().map(str::to_owned))
                    .filter(|found| found.starts_with(text))
                    .collect::<Vec<_>>()
            };
            Some((
                inside("subnetId", ""),
                inside("main", "true").is_empty(),
                !inside("gatewayId", "igw-").is_empty(),
            ))
        });
        let is_public = |id: &String| {
            tables
                .iter()
                .find(|(own, _, _)| own.contains(id))
                .or_else(|| tables.iter().find(|(_, other, _)| !other))
                .is_some_and(|(_, _, public)| *public)
        };
        Ok(ids.iter().filter(|id| is_public(id)).cloned().collect())
    }

    /// VPC ids of the security groups.
    pub(crate) async fn security_group_vpcs(
        &self,
        ids: &[String],
    ) -> Result<Vec<String>, CallError> {
        let names: Vec<String> = (1..=ids.len()).map(|n| format!("GroupId.{n}")).collect();
        let mut parameters = vec![("Action", "DescribeSecurityGroups")];
        parameters.extend(
            names
                .iter()
                .zip(ids)
                .map(|(n, id)| (n.as_str(), id.as_str())),
        );
        let answer = self.ec2(&parameters).await?;
        Ok(items(&answer, "securityGroupInfo", |item| {
            text(item, "vpcId")
        }))
    }

    /// The IPv4 CIDR blocks of a VPC.
    pub(crate) async fn vpc_cidrs(&self, id: &str) -> Result<Vec<String>, CallError> {
        let answer = self
            .ec2(&[("Action", "DescribeVpcs"), ("VpcId.1", id)])
            .await?;
        let mut cidrs = all(&answer, "cidrBlock");
        cidrs.sort();
        cidrs.dedup();
        Ok(cidrs)
    }

    /// Names and ids of the region's availability zones.
    pub(crate) async fn zones(&self) -> Result<Vec<(String, String)>, CallError> {
        let answer = self.ec2(&[("Action", "DescribeAvailabilityZones")]).await?;
        Ok(items(&answer, "availabilityZoneInfo", |item| {
            text(item, "zoneName").zip(text(item, "zoneId"))
        }))
    }

    /// The instance type; an unknown one is EC2's error InvalidInstanceType.
    pub(crate) async fn instance_type(&self, name: &str) -> Result<InstanceType, CallError> {
        let answer = self
            .ec2(&[
                ("Action", "DescribeInstanceTypes"),
                ("InstanceType.1", name),
            ])
            .await?;
        let number = |tag: &str| first(&answer, tag).and_then(|text| text.parse::<u64>().ok());
        let interfaces = number("maximumNetworkInterfaces").unwrap_or(3);
        let addresses = number("ipv4AddressesPerInterface").unwrap_or(6);
        let architectures = items(&answer, "supportedArchitectures", |item| {
            item.text().map(str::to_owned)
        });
        match number("defaultVCpus").zip(number("sizeInMiB")) {
            Some((cpus, memory_mib)) => Ok(InstanceType {
                cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
                memory_mib,
                // Source: amazon-eks-ami, max pods without prefix delegation.
                max_pods: u32::try_from(interfaces * (addresses.saturating_sub(1)) + 2)
                    .unwrap_or(110),
                architectures,
            }),
            None => Err(CallError {
                code: "InvalidInstanceType".to_owned(),
                message: format!("The following supplied instance types do not exist: [{name}]"),
            }),
        }
    }

    /// A version (a number, `$Default` or `$Latest`) of the launch template of this id or name.
    pub(crate) async fn launch_template(
        &self,
        id: Option<&str>,
        name: Option<&str>,
        version: &str,
    ) -> Result<TemplateVersion, CallError> {
        let mut parameters = vec![
            ("Action", "DescribeLaunchTemplateVersions"),
            ("LaunchTemplateVersion.1", version),
        ];
        parameters.extend(id.map(|id| ("LaunchTemplateId", id)));
        parameters.extend(name.map(|name| ("LaunchTemplateName", name)));
        let answer = self.ec2(&parameters).await?;
        let found = items(&answer, "launchTemplateVersionSet", |item| {
            let data = item
                .children()
                .find(|child| child.tag_name().name() == "launchTemplateData")?;
            let has = |name: &str| {
                data.descendants()
                    .any(|node| node.tag_name().name() == name)
            };
            let market = data
                .descendants()
                .find(|node| node.tag_name().name() == "marketType");
            Some(TemplateVersion {
                id: text(item, "launchTemplateId")?,
                name: text(item, "launchTemplateName")?,
                version: text(item, "versionNumber")?,
                image_id: text(data, "imageId"),
                instance_type: text(data, "instanceType"),
                instance_profile: has("iamInstanceProfile"),
                subnet: has("subnetId"),
                market_type: market.and_then(|node| node.text()).map(str::to_owned),
            })
        });
        found.into_iter().next().ok_or_else(|| CallError {
            code: "InvalidLaunchTemplateId.VersionNotFound".to_owned(),
            message: format!(
                "Could not find the specified version {version} of the launch template"
            ),
        })
    }

    /// The metadata of a KMS key; `None` if there is no such key.
    pub(crate) async fn kms_key(&self, arn: &str) -> Result<Option<Value>, CallError> {
        let body = serde_json::json!({ "KeyId": arn });
        match self.json("kms", "TrentService.DescribeKey", &body).await {
            Ok(answer) => Ok(Some(answer["KeyMetadata"].clone())),
            Err(error) if error.code.contains("NotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the log group unless it is there, without a retention.
    pub(crate) async fn ensure_log_group(&self, name: &str) -> Result<(), CallError> {
        let body = serde_json::json!({ "logGroupName": name });
        match self
            .json("logs", "Logs_20140328.CreateLogGroup", &body)
            .await
        {
            Err(error) if !error.code.contains("AlreadyExists") => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes the cluster security group; returns its id. Source: EKS user guide, security group
    /// requirements (name, tags, rules).
    pub(crate) async fn create_cluster_security_group(
        &self,
        cluster: &str,
        suffix: &str,
        vpc_id: &str,
    ) -> Result<String, CallError> {
        let name = format!("eks-cluster-sg-{cluster}-{suffix}");
        let owned = format!("kubernetes.io/cluster/{cluster}");
        let answer = self
            .ec2(&[
                ("Action", "CreateSecurityGroup"),
                ("GroupName", &name),
                (
                    "GroupDescription",
                    "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
                ),
                ("VpcId", vpc_id),
                ("TagSpecification.1.ResourceType", "security-group"),
                ("TagSpecification.1.Tag.1.Key", "Name"),
                ("TagSpecification.1.Tag.1.Value", &name),
                ("TagSpecification.1.Tag.2.Key", &owned),
                ("TagSpecification.1.Tag.2.Value", "owned"),
                ("TagSpecification.1.Tag.3.Key", "aws:eks:cluster-name"),
                ("TagSpecification.1.Tag.3.Value", cluster),
            ])
            .await?;
        let id = first(&answer, "groupId").ok_or_else(|| CallError {
            code: "InternalFailure".to_owned(),
            message: "EC2 answered CreateSecurityGroup without a groupId".to_owned(),
        })?;
        let ingress = self
            .ec2(&[
                ("Action", "AuthorizeSecurityGroupIngress"),
                ("GroupId", &id),
                ("IpPermissions.1.IpProtocol", "-1"),
                ("IpPermissions.1.Groups.1.GroupId", &id),
            ])
            .await;
        match ingress {
            Ok(_) => Ok(id),
            Err(mut error) => {
                // Nobody will know of the group once this has failed.
                if let Err(left) = self.delete_security_group(&id).await {
                    error.message = format!(
                        "{}; and the security group {id} is left, because {} {}",
                        error.message, left.code, left.message
                    );
                }
                Err(error)
            }
        }
    }

    /// Makes a network interface of the control plane; its id. Source: EKS user guide, network
    /// requirements (description, security groups).
    pub(crate) async fn create_cluster_interface(
        &self,
        cluster: &str,
        subnet: &str,
        security_groups: &[String],
    ) -> Result<String, CallError> {
        let description = format!("Amazon EKS {cluster}");
        let names: Vec<String> = (1..=security_groups.len())
            .map(|n| format!("SecurityGroupId.{n}"))
            .collect();
        let mut parameters = vec![
            ("Action", "CreateNetworkInterface"),
            ("SubnetId", subnet),
            ("Description", description.as_str()),
        ];
        parameters.extend(
            names
                .iter()
                .zip(security_groups)
                .map(|(n, id)| (n.as_str(), id.as_str())),
        );
        let answer = self.ec2(&parameters).await?;
        first(&answer, "networkInterfaceId").ok_or_else(|| CallError {
            code: "InternalFailure".to_owned(),
            message: "EC2 answered CreateNetworkInterface without an id".to_owned(),
        })
    }

    /// Removes a network interface; one that is gone is no error.
    pub(crate) async fn delete_interface(&self, id: &str) -> Result<(), CallError> {
        match self
            .ec2(&[
                ("Action", "DeleteNetworkInterface"),
                ("NetworkInterfaceId", id),
            ])
            .await
        {
            Err(error) if error.code != "InvalidNetworkInterfaceID.NotFound" => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes a security group; one that is gone is no error.
    pub(crate) async fn delete_security_group(&self, id: &str) -> Result<(), CallError> {
        match self
            .ec2(&[("Action", "DeleteSecurityGroup"), ("GroupId", id)])
            .await
        {
            Err(error) if error.code != "InvalidGroup.NotFound" => Err(error),
            _ => Ok(()),
        }
    }
}

/// The text of the first element of this name.
pub(crate) fn first(xml: &str, name: &str) -> Option<String> {
    all(xml, name).into_iter().next()
}

fn all(xml: &str, name: &str) -> Vec<String> {
    let Ok(document) = roxmltree::Document::parse(xml) else {
        return Vec::new();
    };
    document
        .descendants()
        .filter(|node| node.tag_name().name() == name)
        .filter_map(|node| node.text().map(str::to_owned))
        .collect()
}

fn items<T>(xml: &str, set: &str, read: impl Fn(roxmltree::Node<'_, '_>) -> Option<T>) -> Vec<T> {
    let Ok(document) = roxmltree::Document::parse(xml) else {
        return Vec::new();
    };
    document
        .descendants()
        .find(|node| node.tag_name().name() == set)
        .map(|node| {
            node.children()
                .filter(|child| child.tag_name().name() == "item")
                .filter_map(read)
                .collect()
        })
        .unwrap_or_default()
}

fn text(node: roxmltree::Node<'_, '_>, name: &str) -> Option<String> {
    node.children()
        .find(|child| child.tag_name().name() == name)
        .and_then(|child| child.text())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;

    use super::*;
    use crate::backend::{
        BackendFuture, ClusterBackend, ControlPlane, ControlPlaneSpec, DrainOutcome, NodeSpec,
    };
    use crate::wire::{find, form_pairs};

    /// Is never asked.
    struct NoBackend;

    impl ClusterBackend for NoBackend {
        fn served_versions(&self) -> Vec<String> {
            Vec::new()
        }

        fn patch_version(&self, _: &str) -> Option<String> {
            None
        }

        fn create_control_plane(&self, _: ControlPlaneSpec) -> BackendFuture<'_, ControlPlane> {
            Box::pin(std::future::pending())
        }

        fn update_control_plane<'a>(&'a self, _: &'a str, _: &'a str) -> BackendFuture<'a, ()> {
            Box::pin(std::future::pending())
        }

        fn delete_control_plane<'a>(&'a self, _: &'a str) -> BackendFuture<'a, ()> {
            Box::pin(std::future::pending())
        }

        fn apply_node<'a>(&'a self, _: &'a str, _: NodeSpec) -> BackendFuture<'a, ()> {
            Box::pin(std::future::pending())
        }

        fn drain_node<'a>(
            &'a self,
            _: &'a str,
            _: &'a str,
            _: std::time::Duration,
            _: bool,
        ) -> BackendFuture<'a, DrainOutcome> {
            Box::pin(std::future::pending())
        }

        fn delete_node<'a>(&'a self, _: &'a str, _: &'a str) -> BackendFuture<'a, ()> {
            Box::pin(std::future::pending())
        }
    }

    /// An EC2 that makes security groups and refuses rules; returns its URL and what it was asked.
    async fn ec2_without_rules() -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = seen.clone();
                let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let seen = seen.clone();
                    async move {
                        let body = request.into_body().collect().await?.to_bytes();
                        let pairs = form_pairs(&body);
                        let action = find(&pairs, "Action").unwrap_or_default().to_owned();
                        let group = find(&pairs, "GroupId").unwrap_or_default();
                        let (status, text) = match action.as_str() {
                            "CreateSecurityGroup" => (200, "<r><groupId>sg-1</groupId></r>"),
                            "DeleteSecurityGroup" => (200, "<r/>"),
                            _ => (
                                400,
                                "<r><Code>RulesPerSecurityGroupLimitExceeded</Code><Message>full</Message></r>",
                            ),
                        };
                        if let Ok(mut seen) = seen.lock() {
                            seen.push(format!("{action} {group}"));
                        }
                        let mut response = http::Response::new(Full::new(Bytes::from(text)));
                        *response.status_mut() =
                            http::StatusCode::from_u16(status).unwrap_or_default();
                        Ok::<_, hyper::Error>(response)
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        (url, asked)
    }

    #[tokio::test]
    async fn a_security_group_without_its_rule_is_taken_back() {
        let (url, asked) = ec2_without_rules().await;
        let aws = Aws::new(&SimulatorConfig::new(url, Arc::new(NoBackend))).unwrap();
        let error = aws
            .create_cluster_security_group("c", "1", "vpc-1")
            .await
            .unwrap_err();
        assert_eq!(error.code, "RulesPerSecurityGroupLimitExceeded");
        assert_eq!(
            *asked.lock().unwrap(),
            [
                "CreateSecurityGroup ",
                "AuthorizeSecurityGroupIngress sg-1",
                "DeleteSecurityGroup sg-1"
            ]
        );
    }
}
