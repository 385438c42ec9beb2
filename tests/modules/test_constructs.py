from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from cdktf import App, TerraformStack

from modules.cache_file_system import CacheFileSystem, CacheFileSystemProps
from modules.labels import Labels
from modules.mirror_build import MirrorBuildProps
from modules.network import NetworkProps, ZoneSubnets
from modules.security_group import SecurityGroupRule
from terraform.templates import escaped

LABELS = Labels(project="kakehashi", environment="prd", owner="platform-team")

BUILD = MirrorBuildProps(
    labels=LABELS,
    region="ap-northeast-1",
    account_id="222222222222",
    key="web",
    description="Mirrors web",
    buildspec="version: 0.2",
    target_arn="arn:aws:codecommit:ap-northeast-1:222222222222:web",
    target_key_arn=None,
    ssh_key_parameter="/key",
    ssh_key_kms_key_arn=None,
    log_retention_days=30,
    timeout_minutes=60,
    cache=None,
    network=None,
)


def test_a_build_needs_a_network_to_mount_a_file_system(app: App) -> None:
    props = CacheFileSystemProps(labels=LABELS, key="web", vpc_id="vpc-1", subnet_ids={})
    file_system = CacheFileSystem(TerraformStack(app, "stack"), "cache", props)
    with pytest.raises(ValueError, match=r"^a cache in a file system needs network$"):
        replace(BUILD, cache=file_system)


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
