"""Scenarios: each is one change to a deployment, from which the real Terraform makes plans."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ByHand = Callable[["Aws"], None]


class Aws:
    """The emulated AWS, for changes by hand; `client` opens a boto3 client in an account."""

    def __init__(self, client: Callable[[str, str], Any]) -> None:
        self.client = client


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One change to a deployment that was applied completely, as `deployment.yaml` describes it.

    bridge_of: a file of deployments/ whose Backlog bridge is applied instead.
    settings: dotted paths of the deployment to values, None to remove. extra: another Terraform file for the stack.
    state: edits a stack's state. by_hand: a change outside Terraform; undone: reverts it.
    """

    name: str
    stacks: tuple[str, ...]
    bridge_of: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    state: Callable[[dict[str, Any]], None] | None = None
    by_hand: ByHand | None = None
    undone: ByHand | None = None
    fails: bool = False


_PRD = "222222222222"
_DEV = "111111111111"
_REPOSITORIES = "prd.codecommit.repositories"


def _opened_by_hand(aws: Aws) -> None:
    """Opens the pull user's policy to every address, as in the console."""
    iam = aws.client("iam", _PRD)
    iam.create_policy_version(
        PolicyArn=f"arn:aws:iam::{_PRD}:policy/kakehashi-prd-pull-deny",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Sid":"DenyFromElsewhere","Effect":"Deny","Action":"*",'
        '"Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["0.0.0.0/0"]}}}]}',
        SetAsDefault=True,
    )


def _closed_by_hand(aws: Aws) -> None:
    iam = aws.client("iam", _PRD)
    arn = f"arn:aws:iam::{_PRD}:policy/kakehashi-prd-pull-deny"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def _logs_deleted(aws: Aws) -> None:
    aws.client("logs", _PRD).delete_log_group(logGroupName="/aws/codebuild/kakehashi-prd-backlog-website")


def _logs_again(aws: Aws) -> None:
    aws.client("logs", _PRD).create_log_group(logGroupName="/aws/codebuild/kakehashi-prd-backlog-website")


def _legacy_repository(aws: Aws) -> None:
    aws.client("codecommit", _PRD).create_repository(repositoryName="legacy", repositoryDescription="From before")


def _no_legacy_repository(aws: Aws) -> None:
    aws.client("codecommit", _PRD).delete_repository(repositoryName="legacy")


def _deposed(state: dict[str, Any]) -> None:
    """Adds the old object that an interrupted replacement leaves in the state."""
    for resource in state["resources"]:
        if resource["type"] == "aws_codecommit_repository" and resource["name"] == "repositories_application":
            old = {**resource["instances"][0], "deposed": "0badcafe"}
            resource["instances"].append(old)


def _tainted(state: dict[str, Any]) -> None:
    for resource in state["resources"]:
        if resource["type"] == "aws_instance":
            resource["instances"][0]["status"] = "tainted"


_CODECOMMIT = ("prd-codecommit",)
_NETWORK = ("dev-network",)
_GITLAB = ("dev-gitlab",)
_BRIDGE = ("backlog-bridge",)
_ELSEWHERE = ("elsewhere",)

SCENARIOS = (
    Scenario(name="nothing-changes", stacks=("dev-network", "dev-gitlab", "prd-codecommit", "backlog-bridge")),
    Scenario(
        name="repository-added",
        stacks=_CODECOMMIT,
        settings={f"{_REPOSITORIES}.batch": {"description": "The nightly jobs"}},
    ),
    Scenario(name="repository-removed", stacks=_CODECOMMIT, settings={f"{_REPOSITORIES}.infrastructure": None}),
    Scenario(
        name="repository-renamed",
        stacks=_CODECOMMIT,
        settings={
            f"{_REPOSITORIES}.infrastructure": None,
            f"{_REPOSITORIES}.platform": {"description": "Terraform of the production systems"},
        },
    ),
    Scenario(
        name="description-changed",
        stacks=_CODECOMMIT,
        settings={f"{_REPOSITORIES}.application.description": "The application | `as` it is </details> @everyone"},
    ),
    Scenario(
        name="push-list-changed",
        stacks=_CODECOMMIT,
        settings={"prd.codecommit.push.from_stack": None, "prd.codecommit.push.from_cidrs": ["203.0.113.10/32"]},
    ),
    Scenario(
        name="pull-list-one-network-more",
        stacks=_CODECOMMIT,
        settings={"prd.codecommit.pull.from_cidrs": ["198.51.100.0/28", "203.0.113.64/28"]},
    ),
    Scenario(
        name="pull-list-narrowed",
        stacks=_CODECOMMIT,
        settings={"prd.codecommit.pull.from_cidrs": ["198.51.100.0/29"]},
    ),
    Scenario(
        name="pull-list-widened-to-the-world",
        stacks=_CODECOMMIT,
        settings={
            # GitLab's terminals and the senders of webhooks would overlap with the whole internet.
            "dev": None,
            "prd.backlog": None,
            "prd.codecommit.push": None,
            "prd.codecommit.pull.from_cidrs": ["0.0.0.0/0"],
            "prd.codecommit.pull.open_to_the_world_because": "the room moves, for one night",
        },
    ),
    Scenario(
        name="room-added",
        stacks=_CODECOMMIT,
        settings={
            "prd.codecommit.rooms": {"operators": {"from_cidrs": ["203.0.113.32/29"], "repositories": ["application"]}}
        },
    ),
    Scenario(name="push-user-removed", stacks=_CODECOMMIT, settings={"prd.codecommit.push": None}),
    Scenario(name="gitlab-replaced", stacks=_GITLAB, arguments=("-replace=aws_instance.gitlab_instance",)),
    Scenario(name="gitlab-tainted", stacks=_GITLAB, state=_tainted),
    Scenario(name="gitlab-larger", stacks=_GITLAB, settings={"dev.gitlab.instance_type": "c7i.4xlarge"}),
    Scenario(name="gitlab-unprotected", stacks=_GITLAB, arguments=("-var=termination_protection=false",)),
    Scenario(name="gitlab-images-kept-fewer", stacks=_GITLAB, settings={"dev.gitlab.images.keep": 3}),
    Scenario(name="gitlab-volume-replaced", stacks=_GITLAB, arguments=("-replace=aws_ebs_volume.data_volume",)),
    Scenario(name="gitlab-hours-removed", stacks=_GITLAB, settings={"dev.gitlab.schedule": None}),
    Scenario(
        name="terminals-one-network-more",
        stacks=_GITLAB,
        settings={"dev.gitlab.work_terminal_cidrs": ["198.51.100.128/28", "203.0.113.128/28"]},
    ),
    Scenario(
        name="nat-address-replaced",
        stacks=("dev-network", "prd-codecommit"),
        arguments=("-replace=aws_eip.network_nat_a_address",),
    ),
    Scenario(name="flow-logs-kept-shorter", stacks=_NETWORK, settings={"dev.network.flow_log_retention_days": 7}),
    Scenario(
        name="zone-added",
        stacks=_NETWORK,
        settings={"dev.network.zones.c": {"public_cidr": "10.10.1.0/24", "private_cidr": "10.10.11.0/24"}},
    ),
    Scenario(
        name="tags-changed",
        stacks=("dev-network", "prd-codecommit"),
        settings={"tags": {"cost-center": "0815"}},
    ),
    Scenario(name="region-changed", stacks=_CODECOMMIT, settings={"region": "ap-northeast-3"}),
    Scenario(
        name="webhook-senders-changed",
        stacks=_BRIDGE,
        settings={"prd.backlog.webhook.sender_cidrs": ["192.0.2.16/28", "203.0.113.32/28"]},
    ),
    Scenario(
        name="host-key-changed",
        stacks=_BRIDGE,
        settings={
            "prd.backlog.spaces.example.known_hosts": [
                "example.git.backlog.jp ssh-ed25519 "
                "AAAAC3NzaC1lZDI1NTE5AAAAIA8ODQwLCgkIBwYFBAMCAQDw8fLz9PX29/j5+vv8/f7/"
            ]
        },
    ),
    Scenario(
        name="mirror-added",
        stacks=_BRIDGE,
        bridge_of="example.yaml",
        settings={
            "prd.backlog.repositories.shop": {
                "space": "example",
                "project": "WEB",
                "repository": "shop",
                "target": {"create": "shop"},
            }
        },
    ),
    Scenario(
        name="cache-given-up",
        stacks=_BRIDGE,
        settings={"prd.backlog.cache": {"mode": "none"}, "prd.backlog.vpc": None},
    ),
    Scenario(name="alerts-removed", stacks=_BRIDGE, settings={"prd.backlog.alerts": None}),
    Scenario(name="drift-policy-opened", stacks=_CODECOMMIT, by_hand=_opened_by_hand, undone=_closed_by_hand),
    Scenario(name="drift-logs-deleted", stacks=_BRIDGE, by_hand=_logs_deleted, undone=_logs_again),
    Scenario(
        name="refresh-only",
        stacks=_CODECOMMIT,
        arguments=("-refresh-only",),
        by_hand=_opened_by_hand,
        undone=_closed_by_hand,
    ),
    Scenario(
        name="repository-imported",
        stacks=_CODECOMMIT,
        settings={f"{_REPOSITORIES}.legacy": {"description": "From before"}},
        extra={"import": [{"to": "aws_codecommit_repository.repositories_legacy", "id": "legacy"}]},
        by_hand=_legacy_repository,
        undone=_no_legacy_repository,
    ),
    Scenario(
        name="repository-moved",
        stacks=_CODECOMMIT,
        settings={
            f"{_REPOSITORIES}.infrastructure": None,
            f"{_REPOSITORIES}.platform": {"description": "Terraform of the production systems"},
        },
        extra={
            "moved": [
                {
                    "from": "aws_codecommit_repository.repositories_infrastructure",
                    "to": "aws_codecommit_repository.repositories_platform",
                }
            ]
        },
    ),
    Scenario(
        name="repository-forgotten",
        stacks=_CODECOMMIT,
        settings={f"{_REPOSITORIES}.infrastructure": None},
        extra={
            "removed": [
                {
                    "from": "aws_codecommit_repository.repositories_infrastructure",
                    "lifecycle": {"destroy": False},
                }
            ]
        },
    ),
    Scenario(name="repository-deposed", stacks=_CODECOMMIT, state=_deposed),
    Scenario(
        name="targeted", stacks=_CODECOMMIT, arguments=("-target=aws_codecommit_repository.repositories_application",)
    ),
    Scenario(name="everything-destroyed", stacks=("prd-codecommit", "backlog-bridge"), arguments=("-destroy",)),
    Scenario(
        name="lists-overlap",
        stacks=_CODECOMMIT,
        settings={"prd.codecommit.push.from_stack": None, "prd.codecommit.push.from_cidrs": ["203.0.113.10/32"]},
        arguments=('-var=pull_from_cidrs=["203.0.113.0/28"]',),
        fails=True,
    ),
    Scenario(
        name="secret-changed",
        stacks=_ELSEWHERE,
        arguments=("-var=token=hunter2-the-second-one",),
    ),
    Scenario(
        name="elsewhere-opened",
        stacks=_ELSEWHERE,
        arguments=(
            '-var=admin_cidrs=["0.0.0.0/0","2001:db8::/32"]',
            "-var=locked=false",
            "-var=versioning=Suspended",
            '-var=trusted=["arn:aws:iam::222222222222:root","arn:aws:iam::333333333333:root"]',
        ),
    ),
    Scenario(name="elsewhere-volume-replaced", stacks=_ELSEWHERE, arguments=("-var=volume_zone=ap-northeast-1c",)),
    Scenario(name="elsewhere-destroyed", stacks=_ELSEWHERE, arguments=("-destroy",)),
)
