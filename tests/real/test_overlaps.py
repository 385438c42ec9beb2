"""Checks that keep lists of networks apart, or a network within another one, tried in the real Terraform."""

import json
import random
from ipaddress import IPv4Network
from itertools import product
from pathlib import Path

import pytest

from modules.network import is_within
from terraform.address_lists import apart, kept_apart_by, no_overlap
from tests.real.terraform import read_by_terraform

pytestmark = pytest.mark.terraform

MALFORMED = ("203.0.113.10", "/32", "203.0.113.10/33", "203.0.113.10/x", "2001:db8::/200", "")


def _networks(chosen: random.Random, near: int) -> list[str]:
    """Random networks: some near `near`, some far from it, some wide."""
    networks = []
    for _ in range(chosen.randint(1, 3)):
        prefix = chosen.choice((0, 1, 8, 15, 24, 28, 30, 31, 32, 32))
        address = chosen.choice((near ^ chosen.randrange(2**10), near, chosen.randrange(2**32)))
        networks.append(str(IPv4Network((address, prefix), strict=False)))
    return networks


def _overlap(own: list[str], others: list[str]) -> bool:
    return any(IPv4Network(one).overlaps(IPv4Network(other)) for one, other in product(own, others))


def test_lists_overlap_for_terraform_as_they_do_for_python(tmp_path: Path) -> None:
    chosen = random.Random(0)
    cases = [(_networks(chosen, near), _networks(chosen, near)) for near in (chosen.randrange(2**32),) * 400]
    texts = [f"apart: {no_overlap(json.dumps(own), [json.dumps(others)])}" for own, others in cases]
    expected = [f"apart: {json.dumps(not _overlap(own, others))}" for own, others in cases]
    assert len(set(expected)) == 2
    assert read_by_terraform(texts, tmp_path) == expected


def test_a_network_is_within_another_one_for_terraform_as_it_is_for_python(tmp_path: Path) -> None:
    chosen = random.Random(0)
    drawn = [_networks(chosen, near) for near in (chosen.randrange(2**32),) * 200]
    pairs = [(inner, outer) for networks in drawn for inner, outer in product(networks, networks)]
    texts = [f"within: ${{{is_within(json.dumps(inner), json.dumps(outer))}}}" for inner, outer in pairs]
    expected = [IPv4Network(inner).subnet_of(IPv4Network(outer)) for inner, outer in pairs]
    assert {is_in for is_in, (inner, outer) in zip(expected, pairs, strict=True) if inner != outer} == {True, False}
    assert read_by_terraform(texts, tmp_path) == [f"within: {json.dumps(is_in)}" for is_in in expected]


def test_a_list_is_kept_apart_from_each_of_several(tmp_path: Path) -> None:
    others = [["198.51.100.0/28"], ["203.0.113.10/32"]]
    own = {"198.51.100.7/32": False, "203.0.113.0/24": False, "192.0.2.1/32": True}
    texts = [f"apart: {no_overlap(json.dumps([network]), [json.dumps(it) for it in others])}" for network in own]
    assert read_by_terraform(texts, tmp_path) == [f"apart: {json.dumps(is_apart)}" for is_apart in own.values()]


def test_a_variable_with_what_is_no_network_is_not_kept_apart(tmp_path: Path) -> None:
    texts = [
        f"apart: ${{{apart('x', ['203.0.113.64/26']).replace('var.x', json.dumps(['192.0.2.1/32', malformed]))}}}"
        for malformed in MALFORMED
    ]
    assert read_by_terraform(texts, tmp_path) == ["apart: false"] * len(MALFORMED)


def test_what_is_no_network_overlaps_without_an_error(tmp_path: Path) -> None:
    pairs = [it for malformed in MALFORMED for it in (("192.0.2.1/32", malformed), (malformed, "192.0.2.1/32"))]
    texts = [f"apart: {no_overlap(json.dumps([own]), [json.dumps([other])])}" for own, other in pairs]
    assert read_by_terraform(texts, tmp_path) == ["apart: false"] * len(texts)


def test_networks_with_host_bits_overlap_like_their_networks(tmp_path: Path) -> None:
    own, others = json.dumps(["203.0.113.77/28"]), json.dumps(["203.0.113.64/30"])
    text = f"apart: {no_overlap(own, [others])}"
    assert read_by_terraform([text], tmp_path) == ["apart: false"]


@pytest.mark.parametrize(
    ("own", "others"),
    [
        ("var.push_from_cidrs", ["var.pull_from_cidrs"]),
        ("var.push_from_cidrs", ["var.pull_from_cidrs", "var.room_a_from_cidrs", "var.room_b_from_cidrs"]),
        ('[for address in values(data.x.y.outputs.z) : "${address}/32"]', ["var.a", "var.b"]),
    ],
)
def test_a_condition_says_what_it_keeps_apart(own: str, others: list[str]) -> None:
    condition = no_overlap(own, others)
    assert kept_apart_by(condition) == (own, others)
    assert kept_apart_by(condition.replace("try(", "").replace(", false)}", "}")) == (own, others)
    assert kept_apart_by(condition.replace("!anytrue", "anytrue")) is None
    assert kept_apart_by(condition.replace("pair[1], 0)", "pair[0], 0)", 1)) is None
