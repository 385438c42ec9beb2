"""A change that opens a VPC endpoint, or a mirror's file system, is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from errors import RefusedError
from tests.iam.changes import Change, Json, added, every, findings, statement
from tests.terraform import Stacks

BRIDGE, NETWORK = "backlog-bridge", "dev-network"
RULE, PROJECT = "aws_vpc_security_group_ingress_rule", "aws_codebuild_project"


def endpoint(sid: str, **changes: Any) -> Change:
    return lambda stacks: statement(stacks, NETWORK, "endpoints_s3_policy", sid).update(changes)


def account(test: str, *accounts: str, whose: str = "Resource") -> list[Json]:
    return [{"test": test, "variable": f"aws:{whose}Account", "values": list(accounts)}]


def manager(sid: str, **changes: Any) -> Change:
    return lambda stacks: statement(stacks, NETWORK, "endpoints_systems_manager_policy", sid).update(changes)


def without_endpoint_policy(service: str) -> Change:
    return lambda stacks: stacks[NETWORK]["resource"]["aws_vpc_endpoint"][f"endpoints_{service}"].pop("policy")


THIS_PRINCIPAL, THIS_RESOURCE = (
    account("StringEquals", "111111111111", whose=whose) for whose in ("Principal", "Resource")
)
SERVICES = ("ssm", "ssmmessages", "ec2messages")


ENDPOINTS: dict[str, Change] = {
    "a stranger's bucket": endpoint("ReadPackages", resources=["arn:aws:s3:::amazon-ssm-evil/*"]),
    "another region's bucket": endpoint("ReadPackages", resources=["arn:aws:s3:::amazon-ssm-us-east-1/*"]),
    "every bucket to read": endpoint("ReadPackages", resources=["*"]),
    "all buckets but one": endpoint("ReadPackages", resources=[], not_resources=["arn:aws:s3:::x/*"]),
    "all actions but one to read": endpoint("ReadPackages", actions=[], not_actions=["s3:ListBucket"]),
    "every bucket of the account": endpoint("KeepBackups", resources=["arn:aws:s3:::*"]),
    "a bucket of any account": endpoint("KeepBackups", condition=[]),
    "two accounts": endpoint("KeepBackups", condition=account("StringEquals", "111111111111", "999999999999")),
    "an account that need not be known": endpoint(
        "KeepBackups", condition=account("StringEqualsIfExists", "111111111111")
    ),
    "any action for backups": endpoint("KeepBackups", actions=["s3:*"]),
    "S3 under another name": added(NETWORK, "aws_vpc_endpoint", service_name="com.amazonaws.s3-global.accesspoint"),
    "another region": added(NETWORK, "aws_vpc_endpoint", service_name="com.amazonaws.us-east-1.ssm"),
    **{f"{service} without a policy": without_endpoint_policy(service) for service in SERVICES},
    "any action": manager("ServeAccount", actions=["*"]),
    "all but one action": manager("ServeAccount", actions=[], not_actions=["s3:PutObject"]),
    "strangers": manager("ServeAccount", condition=THIS_RESOURCE),
    "strangers' parameters": manager("ServeAccount", condition=THIS_PRINCIPAL),
    "parameters among the messages": manager("CarryMessages", actions=["ssmmessages:*", "ssm:PutParameter"]),
    "strangers' messages": manager("CarryMessages", condition=[]),
    "messages of two accounts": manager(
        "CarryMessages", condition=account("StringEquals", "111111111111", "999999999999", whose="Principal")
    ),
    "messages of an account that need not be known": manager(
        "CarryMessages", condition=account("StringEqualsIfExists", "111111111111", whose="Principal")
    ),
    "strangers' documents to read": manager("ReadFromAws", resources=["arn:aws:ssm:*:*:document/*"]),
    "strangers' parameters to read": manager("ReadFromAws", resources=["arn:aws:ssm:*:*:parameter/aws/*"]),
    "AWS's documents to change": manager("ReadFromAws", actions=["ssm:*"]),
    "AWS's documents for strangers": manager("ReadFromAws", condition=[]),
}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_that_leads_to_more_is_refused(example: Stacks, name: str) -> None:
    assert any("endpoints-lead-to-this-account" in one for one in findings(example, ENDPOINTS[name]))


@pytest.fixture
def with_files(synthesised: Callable[[str], Stacks]) -> Stacks:
    return synthesised("everything")


def _mirrors(stacks: dict[str, Json]) -> list[str]:
    """The names of two mirrors."""
    systems = stacks[BRIDGE]["resource"]["aws_efs_file_system"]
    return [name.removeprefix("caches_").removesuffix("_file_system") for name in systems][:2]


def mounts(sid: str, **changes: Any) -> Change:
    return lambda stacks: statement(stacks, BRIDGE, f"caches_{_mirrors(stacks)[0]}_mounts", sid).update(changes)


def without_policy(stacks: dict[str, Json]) -> None:
    stacks[BRIDGE]["resource"]["aws_efs_file_system_policy"].pop(f"caches_{_mirrors(stacks)[0]}_policy")


def another_build_has_the_clients_group(stacks: dict[str, Json]) -> None:
    first, second = _mirrors(stacks)
    project = stacks[BRIDGE]["resource"][PROJECT][f"mirrors_{second}_project"]
    project["vpc_config"]["security_group_ids"].append(f"${{aws_security_group.caches_{first}_clients.id}}")


def another_group_gets_in(stacks: dict[str, Json]) -> None:
    first, second = _mirrors(stacks)
    added(
        BRIDGE,
        RULE,
        security_group_id=f"${{aws_security_group.caches_{first}_security_group.id}}",
        referenced_security_group_id=f"${{aws_security_group.caches_{second}_clients.id}}",
    )(stacks)


def a_network_gets_in(stacks: dict[str, Json]) -> None:
    group = f"${{aws_security_group.caches_{_mirrors(stacks)[0]}_security_group.id}}"
    added(BRIDGE, RULE, security_group_id=group, cidr_ipv4="10.0.0.0/8")(stacks)


TLS, PUBLIC = "files-are-mounted-over-tls", "nothing-is-public"
FILES: dict[str, tuple[Change, str]] = {
    "no policy": (without_policy, "who may mount it, without a policy"),
    "another build with the group": (another_build_has_the_clients_group, "more than one build reaches it"),
    "another mirror's group": (another_group_gets_in, "more than one build reaches it"),
    "a private network": (a_network_gets_in, "more than one build reaches it"),
    "plain text": (mounts("DenyInsecureTransport", effect="Allow"), TLS),
    "TLS for mounting alone": (mounts("DenyInsecureTransport", actions=["elasticfilesystem:ClientMount"]), TLS),
    "TLS for another file system": (
        mounts(
            "DenyInsecureTransport",
            resources=["arn:aws:elasticfilesystem:ap-northeast-1:222222222222:file-system/fs-1"],
        ),
        TLS,
    ),
    "from outside the mount targets": (mounts("MountHere", condition=[]), PUBLIC),
    "everything": (mounts("MountHere", actions=["elasticfilesystem:*"]), PUBLIC),
    "a service": (
        every(
            mounts("MountHere", principals=[{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}]),
            mounts("MountHere", condition=[]),
        ),
        PUBLIC,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_system_that_others_can_mount_is_refused(with_files: Stacks, name: str) -> None:
    change, expected = FILES[name]
    try:
        found = findings(with_files, change)
    except RefusedError as error:
        found = [problem.what for problem in error.problems]
    assert any(expected in one for one in found), found
