"""What a resource was given stays its own over several handovers, also while the resource is gone."""

from typing import Any

import pytest

from errors import RefusedError
from ops.handover import shipped
from ops.handover.given import Given
from ops.handover.grouping import PathPattern, ResourceGroup
from ops.handover.items import Items
from ops.handover.keeping import Keeping
from ops.handover.reading import read
from tests.ops.handover.successions import subnets
from tests.ops.handover.test_keeping import SUBNET, handed_over, steps, topics

TOPIC = "aws_sns_topic"
NEWS, MAIL = f"{TOPIC}.news_1A2B3C4D", f"{TOPIC}.mail_11111111"


def private(unique_id: str) -> dict[str, Any]:
    """A subnet whose name would be `network_private`, which is also the name of the subnets by zone."""
    path = {"//": {"metadata": {"path": "web/network/private", "uniqueId": unique_id}}}
    return {"resource": {"aws_subnet": {unique_id: {**path, "vpc_id": "vpc-1", "cidr_block": "10.0.9.0/24"}}}}


def both(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    return {"resource": {"aws_subnet": {**one["resource"]["aws_subnet"], **two["resource"]["aws_subnet"]}}}


def counted(count: int | None) -> dict[str, Any]:
    document = topics("news_1A2B3C4D")
    document["resource"][TOPIC]["news_1A2B3C4D"] |= {} if count is None else {"count": count}
    return document


def in_a_list(**names: str) -> dict[str, Any]:
    """Topics that become one block by key, with the names that they have in the JSON."""
    paths = {name: {"//": {"metadata": {"path": f"web/parts/{key}", "uniqueId": name}}} for key, name in names.items()}
    return {"resource": {TOPIC: {name: {**it, "name": name} for name, it in paths.items()}}}


def below(path: str, **of_mail: Any) -> dict[str, Any]:
    """Two topics with this path, in which a star stands for their names."""
    document = topics("news", "mail")
    for name, topic in document["resource"][TOPIC].items():
        topic["//"]["metadata"]["path"] = f"web/{path.replace('*', name)}"
    document["resource"][TOPIC]["mail"] |= of_mail
    return document


def test_members_that_all_get_another_path_stay_under_their_keys() -> None:
    before = below("parts/*")
    assert handed_over(before, below("units/x*")).addresses == handed_over(before).addresses
    assert handed_over(before).addresses[f"{TOPIC}.news"] == f'{TOPIC}.parts["news"]'


def test_resources_that_stood_alone_stay_so_where_they_become_alike_and_none_is_new() -> None:
    before = below("parts/*", lifecycle={"prevent_destroy": True})
    assert handed_over(before, below("parts/*")).addresses == handed_over(before).addresses
    assert handed_over(before).addresses[f"{TOPIC}.news"] == f"{TOPIC}.news"


def test_a_resource_that_comes_back_does_not_get_an_address_that_another_has_now() -> None:
    found = handed_over(topics("news_1A2B3C4D"), topics("news"), topics("news", "news_1A2B3C4D"))
    assert found.addresses == {f"{TOPIC}.news": f"{TOPIC}.news", NEWS: NEWS}
    parts = in_a_list(a="news", c="mail")
    again = {"resource": {TOPIC: {**parts["resource"][TOPIC], **topics("news_1A2B3C4D")["resource"][TOPIC]}}}
    assert handed_over(topics("news_1A2B3C4D"), parts, again).addresses[NEWS] == NEWS


def test_a_member_that_comes_back_does_not_join_a_block_without_keys() -> None:
    alone = private("network_private")
    alone["resource"]["aws_subnet"]["network_private"]["lifecycle"] = {"prevent_destroy": True}
    found = handed_over(subnets("a", "c"), alone, both(alone, subnets("c")))
    assert found.addresses == {it: it for it in (SUBNET, f"{SUBNET}_c")}


def test_a_move_does_not_lead_through_an_address_that_another_has_now() -> None:
    moved = {"moved": [{"from": NEWS, "to": MAIL}]}
    found = handed_over(
        topics("news_1A2B3C4D"), {**topics("mail_11111111"), **moved}, topics("news"), topics("news", "mail_11111111")
    )
    assert steps(found) == [(MAIL, f"{TOPIC}.mail"), (NEWS, f"{TOPIC}.news")]


def test_a_new_resource_does_not_get_the_name_of_a_block_with_keys() -> None:
    found = handed_over(subnets("a", "c"), both(subnets("a", "c"), private("network_private_1A2B3C4D")))
    assert found.addresses[f"{SUBNET}_1A2B3C4D"] == f"{SUBNET}_1A2B3C4D"


def test_new_members_do_not_get_the_name_of_a_block_without_keys() -> None:
    found = handed_over(private("network_private_1A2B3C4D"), subnets("a", "c"))
    assert found.addresses == {it: it for it in (f"{SUBNET}_a", f"{SUBNET}_c")}


def test_a_resource_moves_to_its_first_instance_only_when_it_gets_count() -> None:
    name = f"{TOPIC}.news"
    assert steps(handed_over(counted(None), counted(2))) == [(name, f"{name}[0]"), (NEWS, name)]
    assert steps(handed_over(counted(2), counted(2))) == [(NEWS, name)]


def test_refuses_a_resource_that_loses_its_count_and_moves_to_another_name() -> None:
    with pytest.raises(RefusedError, match="no `moved` block can say what becomes of either"):
        handed_over(counted(2), counted(None))


def test_a_resource_that_comes_back_moves_from_its_own_address() -> None:
    moved = {"moved": [{"from": NEWS, "to": MAIL}]}
    found = handed_over(
        topics("news_1A2B3C4D"), {**topics("mail_11111111"), **moved}, topics("mail_11111111", "news_1A2B3C4D")
    )
    assert (NEWS, f"{TOPIC}.news") in steps(found)


def test_refuses_two_moves_to_one_address() -> None:
    document = counted(None)
    document["resource"][TOPIC]["news_1A2B3C4D"]["for_each"] = {"a": "b"}
    moved = [{"from": f"{NEWS}[{number}]", "to": f'{NEWS}["a"]'} for number in range(2)]
    with pytest.raises(RefusedError, match="no `moved` block can say what becomes of either"):
        handed_over({**document, "moved": moved})


def test_moves_of_two_handovers_before_stay() -> None:
    first = f"{TOPIC}.bulletin_22222222"
    moved = [{"from": NEWS, "to": MAIL}, {"from": MAIL, "to": first}]
    again = {**topics("bulletin_22222222"), "moved": moved[1:]}
    documents = [topics("news_1A2B3C4D"), {**topics("mail_11111111"), "moved": moved[:1]}, again]
    assert steps(handed_over(*documents, again)) == steps(handed_over(*documents))


def test_a_resource_that_is_gone_leaves_no_move_from_an_address_that_another_has_now() -> None:
    moved = {"moved": [{"from": f"{TOPIC}.news", "to": MAIL}]}
    gone = handed_over({**topics("mail_11111111"), **moved}, topics("news"))
    assert (dict(gone.given.moves), gone.addresses) == ({MAIL: f"{TOPIC}.mail"}, {f"{TOPIC}.news": f"{TOPIC}.news"})
    again = handed_over({**topics("mail_11111111"), **moved}, topics("news"), topics("news", "mail_11111111"))
    assert steps(again) == [(MAIL, f"{TOPIC}.mail")]


def test_an_address_on_the_way_of_two_resources_is_left_to_one() -> None:
    through = {"moved": [{"from": f"{TOPIC}.mail", "to": f"{TOPIC}.news"}, {"from": NEWS, "to": f"{TOPIC}.mail"}]}
    direct = {"moved": [{"from": NEWS, "to": f"{TOPIC}.news"}]}
    found = handed_over({**topics("news"), **through}, {**topics("news", "mail"), **direct})
    assert steps(found) == [(NEWS, f"{TOPIC}.news")]


def test_the_only_member_that_is_left_leaves_a_block_that_it_does_not_fit_into() -> None:
    binds = {"cidr_block": '${[for each in ["10.0.0.0/24"] : each][0]}'}
    found = handed_over(subnets("a", "c"), subnets("a", a=binds))
    assert steps(found) == [(f'{SUBNET}["a"]', f"{SUBNET}_a")]


def test_a_block_gives_up_the_only_member_that_is_left() -> None:
    document = subnets("a")
    blocks = read(document, name="web", schemas=shipped())
    keeping = Keeping(blocks, handed_over(subnets("a", "c")).given)
    (group,) = keeping.groups([])
    keeping.reduce(group, {key: it.block for key, it in group.members.items()})
    assert keeping.groups([]) == []


def kept(**given: str) -> list[ResourceGroup]:
    """The groups of three topics with these addresses, of which two are proposed as one for a variable's items."""
    blocks = {it.block.labels[1]: it for it in read(topics("one", "two", "other"), name="web", schemas=shipped())}
    items = Items(variable="names", argument="name", values=("one", "two"))
    place = PathPattern("resource", TOPIC, ("*",))
    proposed = ResourceGroup("resource", TOPIC, "named", {key: blocks[key] for key in items.values}, place, items=items)
    addresses = {f"{TOPIC}.{name}": f"{TOPIC}.{it}" for name, it in given.items()}
    return Keeping(list(blocks.values()), Given(addresses=addresses)).groups([proposed])


def test_a_block_iterates_over_a_variable_for_all_its_items_and_nothing_else() -> None:
    (whole,) = kept(one="one", two="two", other="other")
    assert whole.items is not None
    (apart,) = kept(one='list["first"]', two="two", other='list["other"]')
    assert (sorted(apart.keys), apart.items) == (["first", "other"], None)
    (with_another,) = kept(one='list["one"]', other='list["other"]')
    assert (sorted(with_another.keys), with_another.items) == (["one", "other", "two"], None)
