"""A resource keeps its address from one handover to the next as far as possible; moves lead to every other one."""

import re
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import Converted, convert, shipped
from ops.handover.addresses import GivenPlace, place
from ops.handover.given import Given
from ops.handover.strings import quoted
from tests.ops.handover.successions import subnets

SUBNET = "aws_subnet.network_private"


def topics(*names: str) -> dict[str, Any]:
    named = {it: {"//": {"metadata": {"path": f"web/{it[:4]}", "uniqueId": it}}, "name": it} for it in names}
    return {"resource": {"aws_sns_topic": named}}


def handed_over(*documents: dict[str, Any]) -> Converted:
    """The last of the documents, handed over one after the other."""
    given = Given()
    for document in documents:
        converted = convert(document, name="web", schemas=shipped(), given=given)
        given = converted.given
    return converted


def steps(converted: Converted) -> list[tuple[str, str]]:
    return re.findall(r"from = (.+)\n  to = (.+)\n", converted.files.get("moved.tf", ""))


def test_the_last_of_a_list_stays_under_its_key() -> None:
    assert handed_over(subnets("a", "c"), subnets("c")).addresses == {f"{SUBNET}_c": f'{SUBNET}["c"]'}


def test_a_list_that_was_empty_gives_the_same_keys_again() -> None:
    assert handed_over(subnets("a", "c"), {}, subnets("c")).addresses == {f"{SUBNET}_c": f'{SUBNET}["c"]'}


def test_a_new_member_joins_those_that_are_left() -> None:
    found = handed_over(subnets("a", "c"), subnets("c"), subnets("c", "d"))
    assert found.addresses == {f"{SUBNET}_{zone}": f'{SUBNET}["{zone}"]' for zone in "cd"}


def test_a_resource_that_stood_alone_joins_its_new_sibling() -> None:
    found = handed_over(subnets("a"), subnets("a", "c"))
    assert steps(found) == [(f"{SUBNET}_{zone}", f'{SUBNET}["{zone}"]') for zone in "ac"]


def test_a_member_that_no_longer_fits_leaves_with_a_move() -> None:
    odd = {"lifecycle": {"create_before_destroy": True}}
    found = handed_over(subnets("a", "c", "d"), subnets("a", "c", "d", c=odd))
    assert steps(found) == [
        (f'{SUBNET}["c"]', f"{SUBNET}_c"),
        (f"{SUBNET}_a", f'{SUBNET}["a"]'),
        (f"{SUBNET}_d", f'{SUBNET}["d"]'),
    ]
    assert "for_each" in handed_over(subnets("a", "c"), subnets("a", "c", c=odd)).files["subnets.tf"]


def test_a_new_member_that_does_not_fit_does_not_break_up_the_others() -> None:
    found = handed_over(subnets("a", "c"), subnets("a", "c", "d", d={"availability_zone": "${aws_subnet.x.id}"}))
    assert found.addresses[f"{SUBNET}_a"] == f'{SUBNET}["a"]'
    assert found.addresses[f"{SUBNET}_d"] == f"{SUBNET}_d"


def test_moves_lead_from_every_address_that_a_resource_had() -> None:
    moved = {"moved": [{"from": f"{SUBNET}_{zone}", "to": f"aws_subnet.core_private_{zone}"} for zone in "ac"]}
    found = handed_over(subnets("a", "c"), {**subnets("a", "c", path="core"), **moved})
    core = "aws_subnet.core_private"
    assert set(steps(found)) == {
        step
        for zone in "ac"
        for step in (
            (f"{SUBNET}_{zone}", f'{SUBNET}["{zone}"]'),
            (f'{SUBNET}["{zone}"]', f"{core}_{zone}"),
            (f"{core}_{zone}", f'{core}["{zone}"]'),
        )
    }


def test_moves_of_instances_follow_their_block() -> None:
    moved = {"moved": [{"from": "aws_sns_topic.news_1A2B3C4D[0]", "to": 'aws_sns_topic.news_1A2B3C4D["a"]'}]}
    document = topics("news_1A2B3C4D")
    document["resource"]["aws_sns_topic"]["news_1A2B3C4D"]["for_each"] = {"a": "b"}
    assert steps(handed_over({**document, **moved})) == [
        ("aws_sns_topic.news[0]", 'aws_sns_topic.news["a"]'),
        ("aws_sns_topic.news_1A2B3C4D", "aws_sns_topic.news"),
    ]


def test_a_resource_that_gets_for_each_moves_to_its_key() -> None:
    repeated = {"for_each": {"x": "y"}}
    moved = {"moved": [{"from": f"{SUBNET}_c", "to": f'{SUBNET}_c["x"]'}]}
    document = {**subnets("a", "c", c=repeated), **moved}
    alone = [(f"{SUBNET}_c", f'{SUBNET}_c["x"]')]
    assert steps(handed_over(document)) == alone
    assert [it for it in steps(handed_over(subnets("c"), document)) if "_c" in it[0]] == alone
    assert steps(handed_over(subnets("a", "c"), document)) == [
        (f'{SUBNET}["c"]', f'{SUBNET}_c["x"]'),
        (f"{SUBNET}_a", f'{SUBNET}["a"]'),
        (f"{SUBNET}_c", f'{SUBNET}["c"]'),
    ]


def test_a_member_that_gets_count_has_its_name_in_the_json() -> None:
    with_dash = subnets("a-1", "c", path="net-work")
    found = handed_over(with_dash, subnets("a-1", "c", path="net-work", **{"a-1": {"count": 2}}))
    own = "aws_subnet.net-work_private_a-1"
    assert [it for it in steps(found) if "a-1" in it[0]] == [
        (own, f"{own}[0]"),
        ('aws_subnet.net_work["private_a-1"]', own),
    ]


def test_a_resource_to_be_forgotten_moves_back_to_the_address_in_the_json() -> None:
    removed = {"removed": [{"from": f"{SUBNET}_c", "lifecycle": {"destroy": False}}]}
    found = handed_over(subnets("a", "c"), {**subnets("a"), **removed})
    assert (f'{SUBNET}["c"]', f"{SUBNET}_c") in steps(found)
    assert f"from = {SUBNET}_c" in found.files["removed.tf"]
    again = handed_over(subnets("a", "c"), {**subnets("a"), **removed}, subnets("a", "c"))
    assert steps(again) == [(f"{SUBNET}_{zone}", f'{SUBNET}["{zone}"]') for zone in "ac"]
    assert f'{SUBNET}["c"]' not in found.given.moves


def test_a_new_hash_gives_another_address() -> None:
    found = handed_over(topics("news_1A2B3C4D"), topics("news_99999999"))
    assert found.addresses == {"aws_sns_topic.news_99999999": "aws_sns_topic.news_99999999"}


def test_gives_no_address_that_the_json_moves_a_resource_from() -> None:
    moved = {"moved": [{"from": "aws_sns_topic.news", "to": "aws_sns_topic.mail"}]}
    found = handed_over({**topics("news_1A2B3C4D", "mail"), **moved})
    assert found.addresses["aws_sns_topic.news_1A2B3C4D"] == "aws_sns_topic.news_1A2B3C4D"
    assert steps(found) == [("aws_sns_topic.news", "aws_sns_topic.mail")]


def test_gives_no_address_that_moves_lead_through() -> None:
    new = topics("bulletin_11111111")
    moved = {"moved": [{"from": "aws_sns_topic.news_1A2B3C4D", "to": "aws_sns_topic.bulletin_11111111"}]}
    both = topics("bulletin_11111111", "news_99999999")
    found = handed_over(topics("news_1A2B3C4D"), {**new, **moved}, both)
    assert found.addresses["aws_sns_topic.news_99999999"] == "aws_sns_topic.news_99999999"


def test_a_resource_that_the_json_moves_keeps_its_short_name() -> None:
    moved = {"moved": [{"from": "aws_sns_topic.news_1A2B3C4D", "to": "aws_sns_topic.news_99999999"}]}
    found = handed_over(topics("news_1A2B3C4D"), {**topics("news_99999999"), **moved})
    assert found.addresses == {"aws_sns_topic.news_99999999": "aws_sns_topic.news"}
    assert steps(found) == [
        ("aws_sns_topic.news_1A2B3C4D", "aws_sns_topic.news_99999999"),
        ("aws_sns_topic.news_99999999", "aws_sns_topic.news"),
    ]


def test_refuses_a_resource_with_the_address_that_another_was_given() -> None:
    with pytest.raises(RefusedError) as refusal:
        handed_over(topics("news_1A2B3C4D"), topics("news_1A2B3C4D", "news"))
    assert str(refusal.value) == (
        "error: web: aws_sns_topic.news: is the address of another resource in the HCL, so no `moved` block can say "
        "what becomes of either\nhint: give the resource another name in the project, and synthesise again"
    )


def test_the_same_document_gives_the_same_files() -> None:
    one = handed_over(subnets("a", "c"))
    two = handed_over(subnets("a", "c"), subnets("a", "c"))
    assert (one.files, one.given) == (two.files, two.given)


@pytest.mark.parametrize("key", ["a", "", 'a"]["b', "${x}", "%%{x}", "a\\n", "é\n\t", "\u2028", "$"])
def test_reads_a_key_as_it_was_written(key: str) -> None:
    assert place(f"aws_subnet.x[{quoted(key)}]") == GivenPlace("aws_subnet.x", key)
    assert place("aws_subnet.x") == GivenPlace("aws_subnet.x")
