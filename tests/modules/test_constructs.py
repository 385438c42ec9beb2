from dataclasses import replace
from ipaddress import IPv4Network
from unittest.mock import Mock

import pytest
from cdktf import App, TerraformStack

from modules.build_network import BuildNetwork
from modules.cache_file_system import CacheFileSystem, CacheFileSystemProps
from modules.labels import Labels
from modules.mirror_build import MirrorBuildProps
from modules.network import NetworkProps, ZoneSubnets
from modules.program_bucket import ProgramBucket, ProgramBucketProps
from modules.security_group import SecurityGroupRule
from terraform.templates import escaped

LABELS = Labels(project="kakehashi", environment="prd", owner="platform-team")


@pytest.fixture
def build(stack: TerraformStack) -> MirrorBuildProps:
    """What a build needs that mirrors one repository."""
    configs = {"web": ("units/web.json", "{}")}
    programs = ProgramBucketProps(name="programs", program_key="mirror.sh", program="", configs=configs, checks=[])
    return MirrorBuildProps(
        labels=LABELS,
        region="ap-northeast-1",
        account_id="222222222222",
        unit="web",
        description="Mirrors web",
        buildspec="version: 0.2",
        programs=ProgramBucket(stack, "program", programs),
        target_arns=["arn:aws:codecommit:ap-northeast-1:222222222222:web"],
        target_key_arns=[],
        mirroring_role="mirror-web",
        builds_assume=False,
        ssh_key_parameter="/key",
        ssh_key_kms_key_arn=None,
        state_parameter="/state",
        notify_parameter=None,
        log_retention_days=30,
        timeout_minutes=60,
        cache=None,
        network=None,
    )


@pytest.fixture
def stack(app: App) -> TerraformStack:
    """An empty stack."""
    return TerraformStack(app, "stack")


@pytest.fixture
def file_system(stack: TerraformStack) -> CacheFileSystem:
    """A file system for copies."""
    props = CacheFileSystemProps(labels=LABELS, key="web", vpc_id="vpc-1", subnet_ids={})
    return CacheFileSystem(stack, "cache", props)


def test_a_build_needs_a_network_to_mount_a_file_system(build: MirrorBuildProps, file_system: CacheFileSystem) -> None:
    with pytest.raises(ValueError, match=r"^a cache in a file system needs network$"):
        replace(build, cache=file_system)


def test_a_build_of_several_mirrors_has_no_cache(build: MirrorBuildProps, file_system: CacheFileSystem) -> None:
    network = Mock(BuildNetwork)
    replace(build, cache=file_system, network=network)
    with pytest.raises(ValueError, match=r"^a cache has the copy of one mirror$"):
        replace(build, cache=file_system, network=network, builds_assume=True)


@pytest.mark.parametrize("peers", [{}, {"cidr": "10.0.0.0/8", "group_id": "sg-1"}])
def test_a_rule_needs_exactly_one_peer(peers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="needs exactly one of cidr, cidrs, group_id, prefix_list_id"):
        SecurityGroupRule(description="HTTPS", port=443, **peers)  # type: ignore[arg-type]


def test_props_cannot_be_changed() -> None:
    props = NetworkProps(
        labels=LABELS,
        region="ap-northeast-1",
        cidr=IPv4Network("10.0.0.0/16"),
        zones={"a": ZoneSubnets(public=IPv4Network("10.0.0.0/24"), private=IPv4Network("10.0.1.0/24"))},
        nat_zones=("a",),
    )
    with pytest.raises(AttributeError):
        props.region = "us-east-1"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("${HOME}", "$${HOME}"),
        ("%{ if x }", "%%{ if x }"),
        ("$HOME and $(date) and 100%", "$HOME and $(date) and 100%"),
        ("$${HOME}", "$$${HOME}"),
    ],
)
def test_template_markers_are_escaped_and_nothing_else(text: str, template: str) -> None:
    assert escaped(text) == template
