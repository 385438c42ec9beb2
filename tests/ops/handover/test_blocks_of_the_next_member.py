"""A nested block that only an example has becomes a dynamic block of all members, if nothing in it is the example's."""

from collections.abc import Mapping
from typing import Any

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.cases import sets
from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.similar import each, stack

NETWORKS: Mapping[str, Any] = {"test": "NotIpAddress", "variable": "aws:SourceIp", "values": ["192.0.2.0/24"]}
ENDPOINTS: Mapping[str, Any] = {"test": "StringNotEquals", "variable": "aws:SourceVpce", "values": ["vpce-01234567"]}
AT_NIGHT = {"night": NETWORKS}
WITH_ENDPOINTS = {
    **AT_NIGHT,
    "next_day": {**NETWORKS, "values": ["198.51.100.0/24", "203.0.113.0/24"]},
    "next_vault": ENDPOINTS,
}


def rooms(conditions: Mapping[str, Mapping[str, Any]], **values: Any) -> Document:
    """A policy for each room with its condition, and the networks and endpoints of all of them."""
    statement = {"sid": "Deny", "actions": ["*"], "resources": ["*"]}
    own = each(
        "rooms/*/deny",
        conditions,
        "aws_iam_policy_document",
        lambda key: {"statement": [{**statement, "condition": [conditions[key]]}]},
    )
    users = each("rooms/*/user", conditions, "aws_iam_user", lambda key: {"name": key})
    listed: dict[str, dict[str, list[str]]] = {
        name: {key: it["values"] if it["variable"] == variable else [] for key, it in conditions.items()}
        for name, variable in (("networks", "aws:SourceIp"), ("endpoints", "aws:SourceVpce"))
    }
    return {**stack("data", own), **stack("resource", users), **sets.releases(), "locals": listed, **values}


def text(one: Document, more: Document) -> str:
    """The HCL with every white space as one blank."""
    return " ".join("\n".join(convert(one, name="web", schemas=shipped(), larger=more).files.values()).split())


def test_a_block_that_the_next_member_has_is_dynamic_and_says_nothing_of_it() -> None:
    found = text(rooms(AT_NIGHT), rooms(WITH_ENDPOINTS))
    for name, variable in (("source_ip", "aws:SourceIp"), ("source_vpce", "aws:SourceVpce")):
        assert f"for_each = each.value.{name} == null ? [] : [1] content {{ test = " in found
        assert f'variable = "{variable}" values = each.value.{name}' in found
    assert 'night = { source_vpce = null source_ip = ["192.0.2.0/24"] }' in found
    assert "next" not in found
    assert "vpce-" not in found


def test_maps_take_what_only_the_next_member_has_from_the_entry_too() -> None:
    found = text(rooms(AT_NIGHT), rooms(WITH_ENDPOINTS))
    assert "networks = { for name, room in local.rooms : name => coalesce(room.source_ip, []) }" in found
    assert "endpoints = { for name, room in local.rooms : name => coalesce(room.source_vpce, []) }" in found


def test_maps_of_what_the_next_member_has_not_either_are_empty_lists_by_key() -> None:
    found = text(rooms(AT_NIGHT), rooms({it: WITH_ENDPOINTS[it] for it in ("night", "next_day")}))
    assert "networks = { for name, room in local.rooms : name => room.source_ip }" in found
    assert "endpoints = { for room in keys(local.rooms) : room => [] }" in found


def test_a_map_stays_where_a_state_shows_whether_it_has_tuples() -> None:
    shown = {"output": {it: {"value": f"${{local.{it}}}"} for it in ("networks", "endpoints")}}
    found = text(rooms(AT_NIGHT, **shown), rooms(WITH_ENDPOINTS, **shown))
    assert "coalesce(" not in found
    assert "endpoints = { night = [] }" in found


def test_a_map_stays_where_it_is_not_known_which_value_the_next_member_has_there() -> None:
    another = {**ENDPOINTS, "variable": "aws:SourceVpc", "values": ["vpc-01234567"]}
    one, more = rooms(AT_NIGHT), rooms({**WITH_ENDPOINTS, "next_cellar": another})
    found = text(one, more)
    assert "source_vpc = null" in found
    assert "source_vpce = null" in found
    assert "endpoints = { night = [] }" in found


@pytest.mark.parametrize(
    "values", [["of next_vault"], ["x/vpce-01234567/y", "z"], ["all but 192.0.2.0/24 of them", "z"], ["next_vault"]]
)
def test_a_block_with_something_of_the_next_member_keeps_that_apart(values: list[str]) -> None:
    one, more = rooms(AT_NIGHT), rooms({**WITH_ENDPOINTS, "next_vault": {**ENDPOINTS, "values": values}})
    found = text(one, more)
    assert "next_vault" not in found
    assert "vpce-" not in found
    assert "dynamic" not in found
    assert 'data "aws_iam_policy_document" "rooms_night_deny"' in found


def test_a_block_with_something_of_one_member_is_dynamic_where_no_example_needs_it() -> None:
    vault = {**ENDPOINTS, "values": ["x/vpce-01234567/y", "of vault"]}
    document = rooms({**AT_NIGHT, "vault": vault})
    found = text(document, document)
    assert "for_each = each.value.source_vpce ? [1] : []" in found
    assert 'values = ["x/vpce-01234567/y", "of vault"]' in found


@pytest.mark.parametrize("values", [["secret-vault"], ["x-vpce-01234567"], ["0123abcd-12ab-34cd-86ef-1234567890ab"]])
def test_a_block_with_something_of_all_is_written_for_all(values: list[str]) -> None:
    one, more = rooms(AT_NIGHT), rooms({**WITH_ENDPOINTS, "next_vault": {**ENDPOINTS, "values": values}})
    found = text(one, more)
    assert "for_each = each.value.source_vpce ? [1] : []" in found
    assert f'values = ["{values[0]}"]' in found
    assert "source_vpce = false" in found
