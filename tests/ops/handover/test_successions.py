"""A later handover loses nothing that Terraform keeps from JSON to JSON, whichever HCL operations applied before."""

import random
from collections.abc import Mapping

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.succession_plans import Planned, State, handed_over, planned
from tests.ops.handover.successions import Succession, subnets, succession

pytestmark = [pytest.mark.slow, pytest.mark.terraform]

SHRINKING = Succession([subnets("a", "c", "d"), subnets("a")])
"""A list that shrinks to one."""

Found = Mapping[tuple[str, str], tuple[Planned, Planned]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What the plans from JSON and from HCL do, by case and state: one run of Terraform for each, with every case."""
    drawn = {f"drawn{seed}": succession(random.Random(seed), 3 if seed % 5 == 0 else 2) for seed in range(10, 135)}
    cases = {name: (one, *handed_over(one)) for name, one in (drawn | {"shrinking": SHRINKING}).items()}
    _, _, (_, before, *_) = cases["shrinking"]
    forgetful = convert(SHRINKING.documents[1], name="web", schemas=shipped())
    state = State("hcl0", SHRINKING.documents[0], before.addresses)
    plans: Found = planned({**cases, "forgetful": (SHRINKING, forgetful, [state])}, tmp_path_factory.mktemp("plans"))
    return plans


def test_nothing_is_lost_that_terraform_keeps_from_json_to_json(found: Found) -> None:
    drawn = {place: plans for place, plans in found.items() if place[0].startswith("drawn")}
    more = {
        place: (from_hcl.lost - from_json.lost, from_hcl.created - from_json.created)
        for place, (from_json, from_hcl) in drawn.items()
    }
    assert {place: it for place, it in more.items() if any(it)} == {}
    assert len(drawn) > 300
    assert sum(from_json == from_hcl for from_json, from_hcl in drawn.values()) > 0.9 * len(drawn)
    assert sum(bool(from_json.lost) for from_json, _ in drawn.values()) > 0.2 * len(drawn)


def test_a_list_that_shrinks_to_one_loses_what_was_removed_alone(found: Found) -> None:
    converted, _ = handed_over(SHRINKING)
    assert 'for_each = toset(["a"])' in converted.files["subnets.tf"]
    gone = {"aws_subnet.network_private_c", "aws_subnet.network_private_d"}
    assert {state: it.lost for (case, state), (_, it) in found.items() if case == "shrinking"} == {
        "json0": gone,
        "hcl0": gone,
        "json1": set(),
        "hcl1": set(),
    }


def test_a_plan_without_the_memory_loses_more(found: Found) -> None:
    """The comparison finds the fault that it is for."""
    from_json, from_hcl = found["forgetful", "hcl0"]
    assert from_hcl.lost - from_json.lost == {"aws_subnet.network_private_a"}
