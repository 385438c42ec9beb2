"""A later handover loses nothing that Terraform keeps from JSON to JSON, whichever HCL operations applied before."""

import random
from pathlib import Path

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.successions import State, Succession, handed_over, planned, subnets, succession


@pytest.mark.slow
@pytest.mark.terraform
def test_nothing_is_lost_that_terraform_keeps_from_json_to_json(tmp_path: Path) -> None:
    drawn = {f"s{seed}": succession(random.Random(seed), 3 if seed % 5 == 0 else 2) for seed in range(10, 135)}
    cases = {name: (one, *handed_over(one)) for name, one in drawn.items()}
    found = planned(cases, tmp_path)
    more = {
        place: (from_hcl.lost - from_json.lost, from_hcl.created - from_json.created)
        for place, (from_json, from_hcl) in found.items()
    }
    assert {place: it for place, it in more.items() if any(it)} == {}
    assert len(found) > 300
    assert sum(from_json == from_hcl for from_json, from_hcl in found.values()) > 0.9 * len(found)
    assert sum(bool(from_json.lost) for from_json, _ in found.values()) > 0.2 * len(found)


@pytest.mark.terraform
def test_a_list_that_shrinks_to_one_loses_what_was_removed_alone(tmp_path: Path) -> None:
    one = Succession([subnets("a", "c", "d"), subnets("a")])
    converted, states = handed_over(one)
    assert 'for_each = toset(["a"])' in converted.files["subnets.tf"]
    found = planned({"zones": (one, converted, states)}, tmp_path)
    gone = {"aws_subnet.network_private_c", "aws_subnet.network_private_d"}
    assert {name: it.lost for (_, name), (_, it) in found.items()} == {
        "json0": gone,
        "hcl0": gone,
        "json1": set(),
        "hcl1": set(),
    }


@pytest.mark.terraform
def test_a_plan_without_the_memory_loses_more(tmp_path: Path) -> None:
    """The comparison finds the fault that it is for."""
    one = Succession([subnets("a", "c", "d"), subnets("a")])
    _, (_, before, *_) = handed_over(one)
    forgetful = convert(one.documents[1], name="web", schemas=shipped())
    found = planned({"zones": (one, forgetful, [State("hcl0", one.documents[0], before.addresses)])}, tmp_path)
    ((from_json, from_hcl),) = found.values()
    assert from_hcl.lost - from_json.lost == {"aws_subnet.network_private_a"}
