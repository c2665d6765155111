"""Prints what the AWS account holds, as JSON without what differs from run to run.

Run with the lab's interpreter and environment. Nothing is looked up by our tags: what we made and
lost track of has to show.
"""

import json
import re

import boto3

eks, iam, ec2 = boto3.client("eks"), boto3.client("iam"), boto3.client("ec2")


def pages(client, operation, key, **arguments):
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[key]


def node_group(cluster, name):
    group = eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
    kept = ("status", "version", "scalingConfig", "labels", "instanceTypes", "capacityType")
    return {key: group.get(key) for key in kept} | {"tags": sorted(group["tags"])}


def node_groups(cluster):
    """Node groups by their name without the hash at its end, which depends on the subnets."""
    groups = {}
    for name in pages(eks, "list_nodegroups", "nodegroups", clusterName=cluster):
        found = node_group(cluster, name)
        groups.setdefault(re.sub(r"-[0-9a-f]{8}$", "", name), []).append(found)
    return groups


def access_entry(cluster, principal):
    names = {"clusterName": cluster, "principalArn": principal}
    entry = eks.describe_access_entry(**names)["accessEntry"]
    policies = pages(eks, "list_associated_access_policies", "associatedAccessPolicies", **names)
    return {
        "type": entry["type"],
        "groups": entry["kubernetesGroups"],
        "policies": sorted(policy["policyArn"] for policy in policies),
    }


def cluster(name):
    found = eks.describe_cluster(name=name)["cluster"]
    tags = {key: value for key, value in found["tags"].items() if key != "devopsgenie.dev/generation"}
    return {
        "status": found["status"],
        "version": found["version"],
        "tags": tags,
        "logging": found["logging"],
        "protected": found["deletionProtection"],
        "node_groups": node_groups(name),
        "access_entries": {
            principal: access_entry(name, principal)
            for principal in pages(eks, "list_access_entries", "accessEntries", clusterName=name)
        },
    }


def role(name):
    policies = pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name)
    inline = pages(iam, "list_role_policies", "PolicyNames", RoleName=name)
    return {
        "policies": sorted(policy["PolicyName"] for policy in policies),
        "inline_policies": sorted(inline),
        "tags": sorted(tag["Key"] for tag in iam.list_role_tags(RoleName=name)["Tags"]),
    }


providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
print(
    json.dumps(
        {
            "clusters": {name: cluster(name) for name in pages(eks, "list_clusters", "clusters")},
            "roles": {
                found["RoleName"]: role(found["RoleName"])
                for found in pages(iam, "list_roles", "Roles")
                if not found["Path"].startswith("/aws-service-role/")
            },
            "oidc_providers": [
                sorted(
                    iam.get_open_id_connect_provider(OpenIDConnectProviderArn=found["Arn"])[
                        "ClientIDList"
                    ]
                )
                for found in providers
            ],
            "instance_profiles": sorted(
                found["InstanceProfileName"]
                for found in pages(iam, "list_instance_profiles", "InstanceProfiles")
            ),
            "security_groups": sorted(
                re.sub(r"\d{5,}$", "N", found["GroupName"])
                for found in pages(ec2, "describe_security_groups", "SecurityGroups")
                if found["GroupName"] != "default"
            ),
        },
        indent=1,
        sort_keys=True,
    )
)
