"""What a rehearsal accepts as moves alone."""

import json
from typing import Any

import pytest

from ops.rehearse.checks import moves_alone
from terraform.plan import Plan, read
from tests.terraform.plans import change, plan

MOVED = {"aws_eip.old": "aws_eip.new", "aws_eip.a": 'aws_eip.all["a"]'}


def _plan(*steps: tuple[str | None, str], **other: Any) -> Plan:
    changes = [
        {**change(address, "no-op"), **({} if before is None else {"previous_address": before})}
        for before, address in steps
    ]
    return read("stack", json.dumps(plan(resource_changes=changes, **other)), "plan.json")


def test_every_instance_of_a_moved_resource_moves() -> None:
    a = ("aws_eip.a", 'aws_eip.all["a"]')
    assert moves_alone(_plan(("aws_eip.old", "aws_eip.new"), a, (None, "aws_eip.other")), MOVED)
    assert moves_alone(_plan(*((f"aws_eip.old[{key}]", f"aws_eip.new[{key}]") for key in ('"x"', '"y"')), a), MOVED)


@pytest.mark.parametrize(
    "steps",
    [
        [(None, "aws_eip.new")],
        [("aws_eip.old[0]", "aws_eip.new[0]"), (None, "aws_eip.new[1]")],
        [("aws_eip.old[0]", "aws_eip.new[1]")],
        [("aws_eip.other", 'aws_eip.all["a"]')],
        [("aws_eip.a", 'aws_eip.all["b"]')],
        [("aws_eip.x", "aws_eip.y")],
    ],
)
def test_a_move_that_is_missing_or_another_is_not_accepted(steps: list[tuple[str | None, str]]) -> None:
    assert not moves_alone(_plan(*steps), MOVED)


def test_a_change_is_not_accepted() -> None:
    changed = {**change("aws_eip.new", "update"), "previous_address": "aws_eip.old"}
    assert not moves_alone(read("stack", json.dumps(plan(resource_changes=[changed])), "plan.json"), MOVED)
