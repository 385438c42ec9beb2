"""Finds resources of one type whose construct paths differ in one key, such as a zone or a repository."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ops.handover.hcl import Block
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import address


class KeyPosition(Enum):
    """The part of a construct's path that is the key. Each value is an example."""

    LAST_STEP = "repositories/*"
    MIDDLE_STEP = "mirrors/*/project"
    WORD = "network/private_*"


# docs/handover.md explains this choice, and why security group rules and users are not in it.
_KEY_POSITIONS: Mapping[str, KeyPosition] = {
    **dict.fromkeys(
        ("aws_subnet", "aws_route_table", "aws_route_table_association", "aws_route", "aws_nat_gateway", "aws_eip"),
        KeyPosition.WORD,
    ),
    **dict.fromkeys(
        (
            "aws_codecommit_repository",
            "aws_vpc_endpoint",
            "aws_cloudwatch_metric_alarm",
            "aws_scheduler_schedule",
            "aws_sns_topic_subscription",
            "aws_efs_mount_target",
        ),
        KeyPosition.LAST_STEP,
    ),
    **dict.fromkeys(
        (
            "aws_codebuild_project",
            "aws_cloudwatch_log_group",
            "aws_iam_role",
            "aws_iam_role_policy",
            "aws_iam_policy_document",
            "aws_api_gateway_resource",
            "aws_api_gateway_method",
            "aws_api_gateway_method_response",
            "aws_api_gateway_integration",
            "aws_api_gateway_integration_response",
        ),
        KeyPosition.MIDDLE_STEP,
    ),
}


@dataclass(frozen=True)
class ResourceGroup:
    """Resources or data sources of one type that may become one block, by key."""

    kind: str
    type: str
    name: str
    members: Mapping[str, TopLevelBlock]

    @property
    def address(self) -> str:
        return address(Block(self.kind, (self.type, self.name)))

    @property
    def may_differ_in_references(self) -> bool:
        """Whether members may refer to different resources; the references then go to the local value."""
        return _KEY_POSITIONS[self.type] is KeyPosition.MIDDLE_STEP

    def largest_uniform(self) -> "list[ResourceGroup]":
        """The largest part of the group whose members have the same arguments, if that leaves some members out."""
        by_arguments: dict[frozenset[str], dict[str, TopLevelBlock]] = {}
        for key, member in self.members.items():
            by_arguments.setdefault(frozenset(member.block.arguments), {})[key] = member
        largest = max(by_arguments.values(), key=len)
        return [replace(self, members=largest)] if 1 < len(largest) < len(self.members) else []


_Place = tuple[str, str, tuple[str, ...]]
"""What the members of a group share: kind, type, and the path without the key, followed by the nested blocks."""


def candidates(blocks: Sequence[TopLevelBlock], renamed: Mapping[str, str]) -> list[ResourceGroup]:
    """Groups of at least two, the largest first; no block is in two of them. `renamed` has blocks' new addresses."""
    places: dict[_Place, dict[str, TopLevelBlock]] = {}
    for found in filter(_may_repeat, blocks):
        block = found.block
        for rest, key in _keys(found.path, _KEY_POSITIONS[block.labels[0]]):
            place = (block.type, block.labels[0], (*rest, *_nested_blocks(block)))
            places.setdefault(place, {}).setdefault(key, found)
    groups: list[ResourceGroup] = []
    used: set[int] = set()
    taken = {renamed.get(address(found.block), address(found.block)) for found in blocks}
    for (kind, type_, rest), members in sorted(places.items(), key=lambda place: -len(place[1])):
        free = {key: found for key, found in sorted(members.items()) if id(found) not in used}
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", "_".join(rest[: rest.index("{")])).strip("_")
        group = ResourceGroup(kind, type_, name, free)
        if len(free) > 1 and re.fullmatch(r"[A-Za-z_].*", name) and group.address not in taken:
            groups.append(group)
            used |= {id(found) for found in free.values()}
            taken.add(group.address)
    return groups


def _may_repeat(found: TopLevelBlock) -> bool:
    block = found.block
    if block.type not in ("resource", "data") or block.labels[0] not in _KEY_POSITIONS:
        return False
    return not {"count", "for_each"} & block.arguments.keys()


def _keys(path: tuple[str, ...], position: KeyPosition) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every way to split a path into the rest and the key, the likeliest first."""
    steps = tuple(step for step in path if step not in ("Default", "Resource"))
    match position:
        case KeyPosition.LAST_STEP if len(steps) > 1:
            yield steps[:-1], steps[-1]
        case KeyPosition.MIDDLE_STEP:
            for index in range(len(steps) - 2, 0, -1):
                yield (*steps[:index], *steps[index + 1 :]), steps[index]
        case KeyPosition.WORD if steps:
            words = re.split("[_-]", steps[-1])
            for index in range(len(words) - 1, 0, -1):
                yield (*steps[:-1], "_".join(words[:index] + words[index + 1 :])), words[index]


def _nested_blocks(block: Block) -> tuple[str, ...]:
    """The nested blocks by type: members must have the same ones, whereas arguments may be missing."""
    inner = (part for it in block.blocks for part in (it.type, *it.labels, *_nested_blocks(it)))
    return ("{", *inner, "}")
