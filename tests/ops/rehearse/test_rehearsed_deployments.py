"""The deployments that `.ci/run` rehearses have what the others have, but for what is listed here."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.deployments import DEPLOYMENTS
from tests.terraform import Stacks

Place = tuple[str, ...]

NOT_REHEARSED = {
    ("data", "terraform_remote_state", "config", "path"): "tests/real/test_cdktf_cli.py applies stacks that read these",
    ("resource", "aws_codebuild_project", "cache", "location"): "tests/ops/rehearse/test_moving.py applies it",
    ("resource", "aws_codebuild_project", "cache", "type"): "tests/ops/rehearse/test_moving.py applies it",
    ("resource", "aws_vpc_security_group_egress_rule", "for_each"): "ingress rules with it are rehearsed",
    ("data", "aws_subnet", "id"): "an existing VPC is read, and nothing of it is changed",
}
"""Arguments of other deployments, with the reason why a rehearsal of them would add little."""


def _places(value: Any, place: Place) -> Iterator[Place]:
    """Where an argument has a value; the members of a list are at one place."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("//", "tags"):
                yield from _places(inner, (*place, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner, place)
    else:
        yield place


def _arguments(stacks: Stacks) -> set[Place]:
    """The arguments of every type of resource and data source, and of backends."""
    return {
        place
        for stack in stacks.terraform.values()
        for block in ("resource", "data")
        for kind, named in stack.json.get(block, {}).items()
        for arguments in named.values()
        for place in _places(arguments, (block, kind))
    } | {place for stack in stacks.terraform.values() for place in _places(stack.json["terraform"]["backend"], ())}


def test_the_rehearsed_deployments_have_every_argument_of_the_others_but_for_those_with_a_reason(
    project: Path, synthesised: Callable[[str], Stacks]
) -> None:
    [listed] = re.findall(r"^for deployment in (.+); do$", (project / ".ci" / "run").read_text(), re.MULTILINE)
    rehearsed = set().union(*(_arguments(synthesised(name)) for name in listed.split()))
    others = set().union(*(_arguments(synthesised(name)) for name in DEPLOYMENTS if name not in listed.split()))
    assert others - rehearsed == NOT_REHEARSED.keys()
