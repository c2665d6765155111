"""Drives every simulated EKS operation with boto3 and holds each answer against botocore's model.

Checked on the raw body: types, required members, members the model does not have, enumeration
values, and for errors that the operation declares the code. Arguments: endpoint, access key id,
secret, JSON with the pinned botocore, subnets and roles. Prints one JSON line; a violation ends with status 1.
"""

import json
import sys
import time

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

# Every operation may answer these. Source: EKS API reference, common errors.
COMMON_ERRORS = {"ThrottlingException", "AccessDeniedException", "ValidationException"}
# What the model's UpdateType and UpdateParamType words are seen in.
seen_types, seen_params = set(), set()

violations = []
covered = set()


def check(shape, value, where):
    if value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            violations.append(f"{where}: not an object: {value!r}")
            return
        by_wire = {
            member.serialization.get("name", name): (name, member)
            for name, member in shape.members.items()
        }
        for key, item in value.items():
            if key not in by_wire:
                violations.append(f"{where}.{key}: unknown to the model")
            else:
                check(by_wire[key][1], item, f"{where}.{key}")
        for name in shape.required_members:
            if value.get(name) is None:
                violations.append(f"{where}.{name}: required, but absent")
    elif kind == "list":
        if not isinstance(value, list):
            violations.append(f"{where}: not a list: {value!r}")
            return
        for index, item in enumerate(value):
            check(shape.member, item, f"{where}[{index}]")
    elif kind == "map":
        if not isinstance(value, dict):
            violations.append(f"{where}: not a map: {value!r}")
            return
        for key, item in value.items():
            check(shape.value, item, f"{where}.{key}")
    elif kind == "timestamp":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            violations.append(f"{where}: not epoch seconds: {value!r}")
    elif kind == "boolean":
        if not isinstance(value, bool):
            violations.append(f"{where}: not a boolean: {value!r}")
    elif kind in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int):
            violations.append(f"{where}: not an integer: {value!r}")
    elif kind == "string":
        if not isinstance(value, str):
            violations.append(f"{where}: not a string: {value!r}")
        elif shape.enum and value not in shape.enum:
            violations.append(f"{where}: {value!r} is not one of {shape.enum}")
    else:
        violations.append(f"{where}: the checker does not know type {kind}")


def remember(body):
    update = body.get("update") or {}
    seen_types.add(update.get("type"))
    seen_params.update(param["type"] for param in update.get("params") or [])


def after_call(http_response, parsed, model, **_):
    covered.add(model.name)
    body = json.loads(http_response.content or b"{}")
    if http_response.status_code < 300:
        remember(body)
        if model.output_shape is not None:
            check(model.output_shape, body, model.name)
        return
    code = http_response.headers.get("x-amzn-errortype", "")
    shapes = {shape.name: shape for shape in model.error_shapes}
    if code in shapes:
        check(shapes[code], body, f"{model.name} {code}")
        expected = shapes[code].metadata.get("error", {}).get("httpStatusCode")
        if expected != http_response.status_code:
            violations.append(f"{model.name} {code}: status {http_response.status_code}")
    elif code not in COMMON_ERRORS:
        violations.append(f"{model.name}: {code!r} is not among its errors")
    if parsed.get("Error", {}).get("Code") != code:
        violations.append(f"{model.name}: botocore read {parsed.get('Error')} for {code}")


def self_check(client):
    """The checker must see each kind of violation, or its silence means nothing."""
    shape = client.meta.service_model.operation_model("DescribeCluster").output_shape
    bad = [
        {"cluster": {"unknownMember": 1}},
        {"cluster": {"createdAt": "2026-11-24"}},
        {"cluster": {"status": "READY"}},
        {"cluster": {"tags": []}},
        {"cluster": {"deletionProtection": "no"}},
        {"cluster": {"outpostConfig": {}}},
    ]
    for body in bad:
        check(shape, body, "self check")
        if not violations:
            sys.exit(f"the checker does not see what is wrong with {body}")
        violations.clear()


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            violations.append(f"expected {code}, got {error}")
        return
    violations.append(f"expected {code}, got an answer")


def main():
    endpoint, key, secret, setup = sys.argv[1:5]
    setup = json.loads(setup)
    if botocore.__version__ != setup["botocore"]:
        sys.exit(f"botocore {botocore.__version__} is not the pinned {setup['botocore']}")
    session = boto3.Session(key, secret, region_name="us-east-1")
    eks = session.client(
        "eks", endpoint_url=endpoint, config=Config(retries={"max_attempts": 1})
    )
    self_check(eks)
    eks.meta.events.register("after-call.eks.*", after_call)
    subnets, cluster_role, node_role = setup["subnets"], setup["cluster_role"], setup["node_role"]

    def wait_update(name, update, **group):
        for _ in range(2000):
            found = eks.describe_update(name=name, updateId=update["id"], **group)["update"]
            if found["status"] != "InProgress":
                if found["status"] != "Successful":
                    violations.append(f"update ended as {found}")
                return
            time.sleep(0.02)
        violations.append(f"the update {update} does not end")

    def waiter(kind, **arguments):
        eks.get_waiter(kind).wait(WaiterConfig={"Delay": 0, "MaxAttempts": 20000}, **arguments)

    name = "contract"
    refused("ResourceNotFoundException", eks.describe_cluster, name="absent")
    refused("ResourceNotFoundException", eks.delete_cluster, name="absent")
    refused("InvalidParameterException", eks.list_clusters, nextToken="nonsense")
    cluster = dict(
        name=name,
        version="1.34",
        roleArn=cluster_role,
        resourcesVpcConfig={"subnetIds": subnets, "endpointPrivateAccess": True},
        accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"},
        logging={"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]},
        tags={"a": "b"},
    )
    refused("InvalidParameterException", eks.create_cluster, **{**cluster, "version": "1.1"})
    unsupported = {"subnetIds": [subnets[0], setup["bad_zone_subnet"]]}
    refused(
        "UnsupportedAvailabilityZoneException",
        eks.create_cluster,
        **{**cluster, "resourcesVpcConfig": unsupported},
    )
    eks.create_cluster(**cluster)
    refused("ResourceInUseException", eks.create_cluster, **cluster)
    waiter("cluster_active", name=name)
    arn = eks.describe_cluster(name=name)["cluster"]["arn"]
    eks.list_clusters(maxResults=1)
    eks.describe_cluster_versions(includeAll=True)

    change = dict(name=name, resourcesVpcConfig={"publicAccessCidrs": ["10.0.0.0/8"]})
    wait_update(name, eks.update_cluster_config(**change)["update"])
    refused("InvalidParameterException", eks.update_cluster_config, **change)
    for kind, change in [
        ("VpcConfigUpdate", {"resourcesVpcConfig": {"securityGroupIds": [setup["security_group"]]}}),
        ("LoggingUpdate", {"logging": {"clusterLogging": [{"types": ["api"], "enabled": False}]}}),
        ("ZonalShiftConfigUpdate", {"zonalShiftConfig": {"enabled": True}}),
        ("UpgradePolicyUpdate", {"upgradePolicy": {"supportType": "STANDARD"}}),
        ("DeletionProtectionUpdate", {"deletionProtection": True}),
        ("ControlPlaneScalingConfigUpdate", {"controlPlaneScalingConfig": {"tier": "tier-xl"}}),
        ("AccessConfigUpdate", {"accessConfig": {"authenticationMode": "API"}}),
    ]:
        update = eks.update_cluster_config(name=name, **change)["update"]
        if update["type"] != kind:
            violations.append(f"expected {kind}, got {update}")
        wait_update(name, update)
    refused("InvalidRequestException", eks.delete_cluster, name=name)
    update = eks.update_cluster_config(name=name, deletionProtection=False)["update"]
    wait_update(name, update)
    refused(
        "InvalidParameterException",
        eks.update_cluster_config,
        name=name,
        kubeApiServerConfig={"eventTtl": "2h"},
    )
    wait_update(name, eks.update_cluster_version(name=name, version="1.35")["update"])
    wait_update(name, eks.update_cluster_version(name=name, version="1.34")["update"])
    wait_update(name, eks.update_cluster_version(name=name, version="1.35")["update"])
    refused("InvalidParameterException", eks.update_cluster_version, name=name, version="1.33")
    eks.list_updates(name=name, maxResults=1)
    refused("ResourceNotFoundException", eks.describe_update, name=name, updateId="none")

    group = dict(clusterName=name, nodegroupName="general")
    create = dict(
        **group,
        nodeRole=node_role,
        subnets=subnets,
        labels={"x": "y"},
        taints=[{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}],
        scalingConfig={"minSize": 1, "maxSize": 2, "desiredSize": 1},
    )
    eks.create_nodegroup(**create)
    refused("ResourceInUseException", eks.create_nodegroup, **create)
    waiter("nodegroup_active", **group)
    eks.list_nodegroups(clusterName=name)
    refused("ResourceNotFoundException", eks.describe_nodegroup, clusterName=name, nodegroupName="no")
    scaling = {"minSize": 1, "maxSize": 3, "desiredSize": 2}
    update = eks.update_nodegroup_config(**group, scalingConfig=scaling)["update"]
    wait_update(name, update, nodegroupName="general")
    update = eks.update_nodegroup_config(
        **group,
        labels={"addOrUpdateLabels": {"z": "y"}, "removeLabels": ["x"]},
        taints={
            "addOrUpdateTaints": [{"key": "n", "value": "v", "effect": "NO_EXECUTE"}],
            "removeTaints": [{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}],
        },
        updateConfig={"maxUnavailablePercentage": 50, "updateStrategy": "MINIMAL"},
        nodeRepairConfig={"enabled": True, "maxParallelNodesRepairedCount": 1},
    )["update"]
    wait_update(name, update, nodegroupName="general")
    update = eks.update_nodegroup_config(**group, updateConfig={"maxUnavailable": 1})["update"]
    wait_update(name, update, nodegroupName="general")
    refused(
        "InvalidParameterException",
        eks.update_nodegroup_version,
        **group,
        releaseVersion="1.35.3-20261106",
    )
    wait_update(name, eks.update_cluster_version(name=name, version="1.36")["update"])
    update = eks.update_nodegroup_version(**group, version="1.36")["update"]
    wait_update(name, update, nodegroupName="general")

    templated = dict(clusterName=name, nodegroupName="templated")
    template = {"id": setup["launch_template"], "version": "1"}
    eks.create_nodegroup(
        **templated, nodeRole=node_role, subnets=subnets, launchTemplate=template
    )
    waiter("nodegroup_active", **templated)
    template["version"] = "2"
    update = eks.update_nodegroup_version(**templated, launchTemplate=template)["update"]
    wait_update(name, update, nodegroupName="templated")
    eks.delete_nodegroup(**templated)
    waiter("nodegroup_deleted", **templated)

    on = dict(
        computeConfig={"enabled": True, "nodePools": ["system"], "nodeRoleArn": node_role},
        storageConfig={"blockStorage": {"enabled": True}},
        kubernetesNetworkConfig={"elasticLoadBalancing": {"enabled": True}},
    )
    wait_update(name, eks.update_cluster_config(name=name, **on)["update"])
    eks.describe_cluster(name=name)

    entry = dict(clusterName=name, principalArn=cluster_role)
    eks.create_access_entry(**entry, kubernetesGroups=["viewers"], tags={"t": "u"})
    refused("ResourceInUseException", eks.create_access_entry, **entry)
    eks.describe_access_entry(**entry)
    eks.list_access_entries(clusterName=name)
    eks.update_access_entry(**entry, kubernetesGroups=["editors"])
    policies = eks.list_access_policies()["accessPolicies"]
    policy = next(p["arn"] for p in policies if p["name"] == "AmazonEKSViewPolicy")
    scope = {"type": "namespace", "namespaces": ["default"]}
    eks.associate_access_policy(**entry, policyArn=policy, accessScope=scope)
    eks.list_associated_access_policies(**entry)
    refused(
        "InvalidRequestException",
        eks.list_associated_access_policies,
        **entry,
        nextToken="nonsense",
    )
    refused("ValidationException", eks.list_access_policies, nextToken="nonsense")
    eks.disassociate_access_policy(**entry, policyArn=policy)
    refused(
        "ResourceNotFoundException", eks.disassociate_access_policy, **entry, policyArn=policy
    )
    eks.delete_access_entry(**entry)
    refused("ResourceNotFoundException", eks.describe_access_entry, **entry)

    eks.tag_resource(resourceArn=arn, tags={"c": "d"})
    eks.untag_resource(resourceArn=arn, tagKeys=["a"])
    tags = eks.list_tags_for_resource(resourceArn=arn)["tags"]
    if tags != {"c": "d"}:
        violations.append(f"tags are {tags}")
    refused("NotFoundException", eks.list_tags_for_resource, resourceArn=arn + "x")
    refused("BadRequestException", eks.list_tags_for_resource, resourceArn="arn:aws:s3:::b")
    refused("AccessDeniedException", eks.list_capabilities, clusterName=name)

    eks.describe_addon_versions(kubernetesVersion="1.36", maxResults=2)
    refused("InvalidParameterException", eks.describe_addon_versions, addonName="none")
    versions = eks.describe_addon_versions(addonName="vpc-cni", kubernetesVersion="1.36")
    newest, older = [v["addonVersion"] for v in versions["addons"][0]["addonVersions"]][:2]
    eks.describe_addon_configuration(addonName="vpc-cni", addonVersion=newest)
    refused(
        "InvalidParameterException",
        eks.describe_addon_configuration,
        addonName="vpc-cni",
        addonVersion="none",
    )
    pod_role = setup["pod_role"]
    identity = [{"serviceAccount": "aws-node", "roleArn": pod_role}]
    addon = dict(clusterName=name, addonName="vpc-cni")
    create_addon = dict(
        **addon, addonVersion=older, podIdentityAssociations=identity, tags={"a": "b"}
    )
    eks.create_addon(**create_addon)
    refused("ResourceInUseException", eks.create_addon, **create_addon)
    refused("InvalidParameterException", eks.create_addon, clusterName=name, addonName="none")
    refused("InvalidRequestException", eks.delete_addon, **addon)
    waiter("addon_active", **addon)
    eks.list_addons(clusterName=name)
    update = eks.update_addon(
        **addon,
        addonVersion=newest,
        serviceAccountRoleArn=pod_role,
        resolveConflicts="OVERWRITE",
        configurationValues='{"env": {"WARM_ENI_TARGET": "2"}}',
        podIdentityAssociations=identity,
    )["update"]
    wait_update(name, update, addonName="vpc-cni")
    refused(
        "InvalidParameterException", eks.update_addon, **addon, configurationValues='{"x": 1}'
    )
    waiter("addon_active", **addon)

    association = dict(clusterName=name, namespace="n", serviceAccount="s", roleArn=pod_role)
    made = eks.create_pod_identity_association(**association, tags={"a": "b"})["association"]
    refused("ResourceInUseException", eks.create_pod_identity_association, **association)
    refused(
        "InvalidParameterException",
        eks.create_pod_identity_association,
        **{**association, "serviceAccount": "t", "roleArn": node_role},
    )
    own = dict(clusterName=name, associationId=made["associationId"])
    eks.describe_pod_identity_association(**own)
    eks.list_pod_identity_associations(clusterName=name)
    eks.update_pod_identity_association(
        **own, disableSessionTags=True, policy='{"Version": "2012-10-17", "Statement": []}'
    )
    eks.delete_pod_identity_association(**own)
    refused("ResourceNotFoundException", eks.delete_pod_identity_association, **own)

    profile = dict(clusterName=name, fargateProfileName="p")
    create_profile = dict(
        **profile,
        podExecutionRoleArn=setup["fargate_role"],
        subnets=subnets,
        selectors=[{"namespace": "n", "labels": {"a": "b"}}],
    )
    eks.create_fargate_profile(**create_profile)
    waiter("fargate_profile_active", **profile)
    refused(
        "InvalidParameterException",
        eks.create_fargate_profile,
        **{**create_profile, "fargateProfileName": "q", "selectors": []},
    )
    eks.list_fargate_profiles(clusterName=name)
    eks.delete_fargate_profile(**profile)
    waiter("fargate_profile_deleted", **profile)
    refused("ResourceNotFoundException", eks.delete_fargate_profile, **profile)

    oidc = dict(
        identityProviderConfigName="login",
        issuerUrl="https://login.example.com",
        clientId="kubernetes",
        requiredClaims={"a": "b"},
    )
    reference = {"type": "oidc", "name": "login"}
    update = eks.associate_identity_provider_config(clusterName=name, oidc=oidc, tags={"a": "b"})
    wait_update(name, update["update"])
    refused(
        "ResourceInUseException",
        eks.associate_identity_provider_config,
        clusterName=name,
        oidc=oidc,
    )
    eks.list_identity_provider_configs(clusterName=name)
    provider = dict(clusterName=name, identityProviderConfig=reference)
    eks.describe_identity_provider_config(**provider)
    wait_update(name, eks.disassociate_identity_provider_config(**provider)["update"])
    refused("ResourceNotFoundException", eks.disassociate_identity_provider_config, **provider)
    encryption = [{"resources": ["secrets"], "provider": {"keyArn": setup["key"]}}]
    associate = dict(clusterName=name, encryptionConfig=encryption)
    wait_update(name, eks.associate_encryption_config(**associate)["update"])
    refused("InvalidRequestException", eks.associate_encryption_config, **associate)

    refused("ResourceNotFoundException", eks.describe_insights_refresh, clusterName=name)
    eks.start_insights_refresh(clusterName=name)
    refused("InvalidRequestException", eks.start_insights_refresh, clusterName=name)
    while eks.describe_insights_refresh(clusterName=name)["status"] != "COMPLETED":
        time.sleep(0.02)
    for insight in eks.list_insights(clusterName=name)["insights"]:
        eks.describe_insight(clusterName=name, id=insight["id"])
    refused("ResourceNotFoundException", eks.describe_insight, clusterName=name, id="none")

    eks.delete_addon(**addon)
    waiter("addon_deleted", **addon)
    refused("ResourceNotFoundException", eks.delete_addon, **addon)

    refused("ResourceInUseException", eks.delete_cluster, name=name)
    for number in range(29):
        eks.create_nodegroup(**{**create, "nodegroupName": f"g{number}"})
    over = {**create, "nodegroupName": "over"}
    refused("ResourceLimitExceededException", eks.create_nodegroup, **over)
    for number in range(29):
        other = {**group, "nodegroupName": f"g{number}"}
        waiter("nodegroup_active", **other)
        eks.delete_nodegroup(**other)
        waiter("nodegroup_deleted", **other)
    eks.delete_nodegroup(**group)
    waiter("nodegroup_deleted", **group)
    eks.delete_cluster(name=name)
    waiter("cluster_deleted", name=name)
    report = {
        "covered": sorted(covered),
        "types": sorted(seen_types - {None}),
        "params": sorted(seen_params),
        "violations": violations,
    }
    print(json.dumps(report))
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
