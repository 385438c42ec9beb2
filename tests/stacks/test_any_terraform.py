"""Whatever the finished Terraform is, the checks of a synthesis find it sound or refuse it: no other error ends one."""

import pickle
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import limits
from errors import RefusedError
from iam import deployed, promises
from tests.terraform import Stacks

OTHERS: tuple[Any, ...] = (None, True, 0, -1.5, "", "x", "${", "${local.x}", "%{ if", [], [None], [[]], {}, {"x": []})
"""What takes the place of a value: one of each type of JSON, and texts that Terraform cannot read."""


def _check(terraform: dict[str, Any]) -> None:
    """What a synthesis does with finished Terraform."""
    limits.problems(terraform)
    promises.broken(deployed.read(terraform))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every value within objects and lists: what holds it, and its key or index."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    for key, item in items:
        if key != "//" or "metadata" in item:
            yield value, key
            yield from _places(item)


def _mutate(stacks: dict[str, Any], chance: random.Random) -> str:
    stack = chance.choice(sorted(stacks))
    # The places within one block, or all: else nearly every change would be in a statement of a policy.
    block = chance.choice([stacks[stack], *stacks[stack].get("resource", {}).values()])
    holder, key = chance.choice(list(_places(block)))
    before = holder[key]
    match chance.randrange(4):
        case 0:
            del holder[key]
            return f"{stack}: without {key}: {before!r}"
        case 1:
            holder[key] = [before]
        case 2 if isinstance(before, list | str) and before:
            holder[key] = before[0]
        case _:
            holder[key] = chance.choice(OTHERS)
    return f"{stack}: {key}: {before!r} is {holder[key]!r}"


@pytest.fixture
def terraform(synthesised: Callable[[str], Stacks]) -> bytes:
    return pickle.dumps({stack: dict(found.json) for stack, found in synthesised("everything").terraform.items()})


@pytest.mark.slow
def test_a_change_at_any_place_is_sound_or_refused(terraform: bytes) -> None:
    refused = 0
    for seed in range(120):
        changed = pickle.loads(terraform)  # noqa: S301
        what = _mutate(changed, random.Random(seed))
        try:
            _check(changed)
        except RefusedError:
            refused += 1
        except Exception as error:
            raise AssertionError(what) from error
    assert refused > 25


MISSING = [
    ("aws_iam_role", "assume_role_policy"),
    ("aws_iam_role_policy", "policy"),
    ("aws_scheduler_schedule", "schedule_expression"),
    ("aws_vpc_security_group_ingress_rule", "security_group_id"),
    ("aws_iam_user", "name"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "argument"), MISSING, ids=[".".join(one) for one in MISSING])
@pytest.mark.parametrize("other", [None, 5, [], {}], ids=["missing", "number", "list", "object"])
def test_an_argument_of_another_type_is_refused(terraform: bytes, kind: str, argument: str, other: object) -> None:
    changed = pickle.loads(terraform)  # noqa: S301
    stack = next(stack for stack in changed.values() if kind in stack["resource"])
    resource = next(iter(stack["resource"][kind].values()))
    if other is None:
        del resource[argument]
    else:
        resource[argument] = other
    with pytest.raises(RefusedError):
        _check(changed)


def test_a_list_of_sources_is_read_like_one(terraform: bytes) -> None:
    changed = pickle.loads(terraform)  # noqa: S301
    project = next(iter(changed["backlog-bridge"]["resource"]["aws_codebuild_project"].values()))
    project["source"] = [{**project["source"], "buildspec": "${local.x}"}]
    found = [problem for problem in limits.problems(changed) if "would be read by Terraform" in problem.what]
    assert len(found) == 1
