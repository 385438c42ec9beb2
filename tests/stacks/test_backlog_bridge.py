"""What the bridge has around its builds: targets, network, places for copies."""

import json
from collections.abc import Callable

import pytest

from tests.stacks.bridge import PRD_ALONE, permissions
from tests.terraform import Stacks, Terraform

MIRROR = [f"codecommit:{name}" for name in ("GetRepository", "GitPull", "GitPush", "UpdateDefaultBranch")]


def test_creates_only_the_bridges_own_targets(bridge: Terraform) -> None:
    repositories = bridge.resources("aws_codecommit_repository")
    assert [repository["repository_name"] for repository in repositories.values()] == ["website"]
    assert repositories["repositories_website"]["lifecycle"] == {"prevent_destroy": True}


def test_a_build_has_no_source_and_no_limit_that_would_refuse_a_start(bridge: Terraform) -> None:
    for project in bridge.resources("aws_codebuild_project").values():
        assert project["source"]["type"] == "NO_SOURCE"
        assert project["artifacts"] == {"type": "NO_ARTIFACTS"}
        assert "concurrent_build_limit" not in project
        assert project["environment"]["image"] == "aws/codebuild/amazonlinux-aarch64-standard:3.0"
        assert project["environment"]["type"] == "ARM_CONTAINER"


def test_the_log_group_exists_before_the_first_build(bridge: Terraform) -> None:
    project = bridge.resource("aws_codebuild_project.spaces_example_project")
    assert (
        project["logs_config"]["cloudwatch_logs"]["group_name"]
        == "${aws_cloudwatch_log_group.spaces_example_log_group.name}"
    )
    log_group = bridge.resource("aws_cloudwatch_log_group.spaces_example_log_group")
    assert log_group["name"] == f"/aws/codebuild/{project['name']}"
    assert log_group["retention_in_days"] == "${var.log_retention_days}"


def test_a_build_in_a_vpc_may_use_interfaces_in_its_subnets_only(with_file_system: Terraform) -> None:
    statements = permissions(with_file_system, "mirrors_website_role")
    lend = statements["LendNetworkInterfaces"]
    assert lend["resources"] == ["arn:aws:ec2:ap-northeast-1:222222222222:network-interface/*"]
    assert {entry["variable"]: entry["values"] for entry in lend["condition"]} == {
        "ec2:AuthorizedService": ["codebuild.amazonaws.com"],
        "ec2:Subnet": [
            "arn:aws:ec2:ap-northeast-1:222222222222:subnet/subnet-0123456789abcdef0",
            "arn:aws:ec2:ap-northeast-1:222222222222:subnet/subnet-0fedcba9876543210",
        ],
    }


def test_customer_managed_keys_are_usable_for_their_purpose_only(with_file_system: Terraform) -> None:
    statements = permissions(with_file_system, "mirrors_website_role")
    assert statements["DecryptSshKey"]["actions"] == ["kms:Decrypt"]
    assert statements["DecryptSshKey"]["condition"] == [
        {
            "test": "StringEquals",
            "variable": "kms:EncryptionContext:PARAMETER_ARN",
            "values": ["arn:aws:ssm:ap-northeast-1:222222222222:parameter/kakehashi/backlog/example/ssh-key"],
        }
    ]
    # The space `partner` uses AWS's own key for SSM, which needs no permission.
    assert "DecryptSshKey" not in permissions(with_file_system, "mirrors_partner-api_role")


def test_terraform_has_the_ssh_keys_name_and_never_the_key(bridge: Terraform) -> None:
    assert "PRIVATE KEY" not in json.dumps(bridge.json)
    assert {one["value"] for one in bridge.resources("aws_ssm_parameter").values()} == {"{}"}


def test_the_cache_bucket_is_private_and_encrypted_and_expires(with_bucket: Terraform) -> None:
    block = with_bucket.resource("aws_s3_bucket_public_access_block.cache_public_access_block")
    assert all(block[key] is True for key in block if key.startswith(("block_", "ignore_", "restrict_")))
    (rule,) = with_bucket.resource("aws_s3_bucket_lifecycle_configuration.cache_lifecycle")["rule"]
    assert rule["expiration"] == [{"days": "${var.cache_retention_days}"}]
    assert rule["abort_incomplete_multipart_upload"] == [{"days_after_initiation": 2}]
    policy = with_bucket.statements(with_bucket.resource("aws_s3_bucket_policy.cache_policy")["policy"])
    assert policy["DenyInsecureTransport"]["effect"] == "Deny"
    assert with_bucket.resources("aws_s3_bucket_server_side_encryption_configuration")
    assert with_bucket.resources("aws_efs_file_system") == {}
    project = with_bucket.resource("aws_codebuild_project.mirrors_website_project")
    assert project["cache"] == {"type": "S3", "location": "${aws_s3_bucket.cache_bucket.bucket}/website"}
    assert project["environment"]["privileged_mode"] is False


@pytest.mark.parametrize("key", ["website", "batch"])
def test_only_the_builds_of_one_mirror_reach_its_file_system(with_file_system: Terraform, key: str) -> None:
    assert list(with_file_system.resources("aws_s3_bucket")) == ["program_bucket"]
    assert with_file_system.resource(f"aws_efs_file_system.caches_{key}_file_system")["encrypted"] is True
    clients, files = (f"${{aws_security_group.caches_{key}_{name}.id}}" for name in ("clients", "security_group"))
    targets = with_file_system.resources("aws_efs_mount_target")
    own = [target for name, target in targets.items() if name.startswith(f"caches_{key}_")]
    assert [target["security_groups"] for target in own] == [[files], [files]]
    inbound, outbound = (
        [
            rule
            for rule in with_file_system.resources(f"aws_vpc_security_group_{way}_rule").values()
            if rule["security_group_id"] in (files, clients)
        ]
        for way in ("ingress", "egress")
    )
    assert [(rule["security_group_id"], rule["referenced_security_group_id"]) for rule in inbound] == [(files, clients)]
    assert [(rule["security_group_id"], rule["referenced_security_group_id"]) for rule in outbound] == [
        (clients, files)
    ]
    assert {(rule["from_port"], rule["to_port"]) for rule in (*inbound, *outbound)} == {(2049, 2049)}
    users = {
        name
        for name, project in with_file_system.resources("aws_codebuild_project").items()
        if clients in project["vpc_config"]["security_group_ids"]
    }
    assert users == {f"mirrors_{key}_project"}


def test_a_build_mounts_the_file_system_of_its_mirror(with_file_system: Terraform) -> None:
    project = with_file_system.resource("aws_codebuild_project.mirrors_website_project")
    assert project["environment"]["privileged_mode"] is True
    (location,) = project["file_system_locations"]
    assert location["identifier"] == "CACHE"
    assert location["location"] == "${aws_efs_file_system.caches_website_file_system.dns_name}:/"
    assert "aws_efs_file_system_policy.caches_website_policy" in project["depends_on"]
    assert "cache" not in project


def test_a_file_system_is_mounted_through_its_targets_and_over_tls(with_file_system: Terraform) -> None:
    policy = with_file_system.resource("aws_efs_file_system_policy.caches_website_policy")
    statements = with_file_system.statements(policy["policy"])
    assert {sid: (one["effect"], one["condition"]) for sid, one in statements.items()} == {
        "MountHere": (
            "Allow",
            [{"test": "Bool", "variable": "elasticfilesystem:AccessedViaMountTarget", "values": ["true"]}],
        ),
        "DenyInsecureTransport": (
            "Deny",
            [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
        ),
    }
    assert all(one["actions"][0] == "elasticfilesystem:ClientMount" for one in statements.values())


def test_builds_can_leave_from_fixed_addresses_with_a_bucket_too(with_bucket: Terraform) -> None:
    project = with_bucket.resource("aws_codebuild_project.mirrors_website_project")
    assert project["vpc_config"] == {
        "vpc_id": "vpc-0123456789abcdef0",
        "subnets": ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"],
        "security_group_ids": ["${aws_security_group.build_security_group.id}"],
    }
    assert project["cache"]["type"] == "S3"
    ports = {rule["from_port"] for rule in with_bucket.resources("aws_vpc_security_group_egress_rule").values()}
    assert ports == {22, 443}


@pytest.mark.slow
def test_a_mirror_may_have_the_name_of_one_of_the_bridges_constructs(changed: Callable[..., Stacks]) -> None:
    mirror = {"space": "example", "project": "OPS", "repository": "x", "target": {}}
    names = ("webhook", "cache", "repositories", "mirrors", "api", "role", "stage", "hooks", "program", "spaces")
    mirrors = {name: {**mirror, "target": {"create": f"{name}.x"}, "repository": name} for name in names}
    changes = {**PRD_ALONE, "prd.backlog.repositories": mirrors, "prd.backlog.isolation": "repository"}
    bridge = changed("example", changes)["backlog-bridge"]
    assert len(bridge.resources("aws_codebuild_project")) == len(names)


def test_without_a_cache_there_is_no_place_for_copies(bridge: Terraform) -> None:
    assert list(bridge.resources("aws_s3_bucket")) == ["program_bucket"]
    assert bridge.resources("aws_efs_file_system") == {}
    project = bridge.resource("aws_codebuild_project.spaces_example_project")
    assert "cache" not in project
    assert "file_system_locations" not in project
    assert "KeepCache" not in permissions(bridge, "spaces_example_role")
