"""What the style of the HCL leaves as it was written: each case would be changed but for one reason, which it names."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim, text
from ops.handover.lists_in_texts import KeyList, looped
from ops.handover.metadata import TopLevelBlock
from ops.handover.printing import expression
from ops.handover.style.ids import with_ids
from ops.handover.style.json_by_key import with_json_by_key
from ops.handover.style.key_lists import key_lists
from ops.handover.style.members import with_members
from ops.handover.style.needless import without_needless
from ops.handover.style.repeated_values import with_repeated_values
from terraform.templates import Interpolation, Literal
from tests.ops.handover.cases.similar import stack
from tests.ops.handover.test_items import caches, converted

_ARN = "arn:aws:sqs:eu-central-1:111111111111:"
_IDS = ("subnet-0123456789abcdef0", "subnet-0fedcba9876543210")


def _of(value: Any) -> Expression:
    """The expression of a value of JSON: texts in angle brackets are code."""
    match value:
        case str() if value.startswith("<"):
            return Verbatim(value.strip("<>"))
        case str():
            return text(value)
        case list():
            return TupleExpr(tuple(map(_of, value)))
        case dict():
            return ObjectExpr(tuple((text(key), _of(it)) for key, it in value.items()))
        case Verbatim() | Template() | TupleExpr() | ObjectExpr() | FunctionCall():
            return value
    return Verbatim(json.dumps(value))


def _locals(**values: Any) -> TopLevelBlock:
    return TopLevelBlock(block=Block("locals", arguments={name: _of(it) for name, it in values.items()}))


def _resource(type_: str = "terraform_data", name: str = "it", *, sets: str = "", **arguments: Any) -> TopLevelBlock:
    block = Block(
        "resource", (type_, name), arguments={key: _of(it) for key, it in arguments.items()}, sets=frozenset({sets})
    )
    return TopLevelBlock(block=block)


def _named(*blocks: TopLevelBlock) -> str:
    """The value of `subject` in a block of the result."""
    found = [it.block.arguments["subject"] for it in with_members(blocks) if "subject" in it.block.arguments]
    assert len(found) == 1
    return expression(found[0])


def _rooms(collection: str = "rooms", member: Mapping[str, Any] | None = None, **more: Any) -> str:
    """A map of the addresses of members, which a resource iterates over."""
    members = {"day": {"cidrs": ["a"], **(member or {})}, "night": {"cidrs": ["b"], **(member or {})}}
    values = {collection: members, "subject": {"day": ["a"], "night": ["b"]}, **more}
    return _named(_locals(**values), _resource(for_each=f"<local.{collection}>"))


def test_a_map_of_members_is_a_loop() -> None:
    assert _rooms() == "{ for name, room in local.rooms : name => room.cidrs }"


def test_a_map_of_a_single_member_stays() -> None:
    values = _locals(rooms={"day": {"cidrs": ["a"]}}, subject={"day": ["a"]})
    assert "for name" not in _named(values, _resource(for_each="<local.rooms>"))


@pytest.mark.parametrize(
    ("use", "is_loop"),
    [
        ({"condition": "<length(local.subject[each.key]) > 0>"}, True),
        ({"input": "<jsonencode(local.subject)>"}, True),
        ({"input": "<flatten(values(local.subject))>"}, True),
        ({"input": "<local.subject>"}, False),
        ({"input": "<values(local.subject)>"}, False),
    ],
)
def test_a_map_with_an_empty_list_is_a_loop_where_no_state_shows_its_type(use: dict[str, str], is_loop: bool) -> None:
    """`coalesce` makes lists of tuples, which a later plan would show as a change."""
    rooms = {"day": {"cidrs": ["a"]}, "night": {"cidrs": "<null>"}}
    locals_ = _locals(rooms=rooms, subject={"day": ["a"], "night": []})
    found = _named(locals_, _resource(for_each="<local.rooms>", **use))
    assert ("coalesce(room.cidrs, [])" in found) is is_loop


def test_a_map_without_empty_lists_is_a_loop_wherever_its_type_is_shown() -> None:
    locals_ = _locals(
        rooms={key: {"cidrs": [key]} for key in ("day", "night")}, subject={"day": ["day"], "night": ["night"]}
    )
    found = _named(locals_, _resource(for_each="<local.rooms>", input="<local.subject>"))
    assert found == "{ for name, room in local.rooms : name => room.cidrs }"


def test_a_map_of_other_lists_than_texts_stays() -> None:
    """`coalesce` makes all values of one type."""
    locals_ = _locals(rooms={"day": {"ports": [1]}, "night": {"ports": "<null>"}}, subject={"day": [1], "night": []})
    assert "for name" not in _named(locals_, _resource(for_each="<local.rooms>"))


@pytest.mark.parametrize(
    "text_of_map",
    [
        pytest.param(_rooms("names"), id="both variables of the loop would have one name"),
        pytest.param(_rooms("ifs"), id="the loop's variable would be a word of the language"),
        pytest.param(_rooms(member={"of": "<local.subject>"}), id="the members are made of the map"),
        pytest.param(_rooms(member={"of": "<aws_vpc.main.id>"}), id="a resource could be made of the map"),
        pytest.param(_rooms(member={"of": "<local.elsewhere>"}), id="the members are made of what is not known"),
    ],
)
def test_a_map_of_members_stays(text_of_map: str) -> None:
    assert "for name" not in text_of_map
    assert '["a"]' in text_of_map


def _queues(subject: Any, *, keys: tuple[str, ...] = ("app", "web"), sets: str = "subject", **more: Any) -> str:
    """A set of texts beside a collection that a resource iterates over."""
    queues = {key: {"delay": index} for index, key in enumerate(keys)}
    return _named(
        _locals(queues=queues),
        _resource("aws_sqs_queue", for_each="<local.queues>"),
        _resource("aws_iam_policy", sets=sets, subject=subject, **more),
    )


def test_a_set_of_members_is_a_loop() -> None:
    assert _queues([f"{_ARN}app", f"{_ARN}web"]) == f'[for queue in keys(local.queues) : "{_ARN}${{queue}}"]'
    beside = _queues([f"{_ARN}app", f"{_ARN}web", f"{_ARN}b*"], keys=("app", "bar", "web"))
    assert 'if !startswith(queue, "b")' in beside


@pytest.mark.parametrize(
    "text_of_set",
    [
        pytest.param(
            _queues([f"{_ARN}app", f"{_ARN}b*"], keys=("app", "bar")), id="a single member beside those of a wildcard"
        ),
        pytest.param(
            _queues(["x:app", "x:web", "x:b*"], keys=("app", "bar", "web")), id="a star in what is no ARN is a sign"
        ),
        pytest.param(_queues([f"{_ARN}app", f"{_ARN}web"], sets=""), id="a list has an order"),
    ],
)
def test_a_set_of_members_stays(text_of_set: str) -> None:
    assert "for queue" not in text_of_set


def test_a_set_that_has_a_text_twice_stays() -> None:
    """Terraform counts an unknown value that stands twice as two."""
    once = [Template((Interpolation("aws_vpc.main.id"), Literal(f"/{key}"))) for key in ("app", "web")]
    blocks = [
        _locals(queues={"app": {"delay": 1}, "web": {"delay": 2}}),
        _resource("aws_sqs_queue", for_each="<local.queues>"),
    ]
    for items, is_loop in ((once, True), ([*once, once[0]], False)):
        block = replace(_resource(sets="subject").block, arguments={"subject": TupleExpr(tuple(items))})
        assert ("[for " in _named(*blocks, TopLevelBlock(block=block))) is is_loop


def _attribute(own: str = "peers", used: str = "<each.value.peers>", **more: TopLevelBlock) -> str:
    """The collection `rooms`, with the keys of `queues` in the attribute `peers`, which a policy uses."""
    rooms = {key: {"peers": [f"{_ARN}app", f"{_ARN}web"]} for key in ("day", "night")}
    queues = {"app": {"delay": 1}, "web": {"delay": "<length(local.rooms)>" if own == "rooms" else 2}}
    blocks = [
        _locals(rooms=rooms, queues=queues),
        _resource("aws_sqs_queue", for_each="<local.queues>"),
        _resource("aws_iam_policy", for_each="<local.rooms>", sets="resources", resources=used),
        *more.values(),
    ]
    return expression(with_members(blocks)[0].block.arguments["rooms"])


def test_members_of_another_collection_in_a_set_are_a_loop() -> None:
    assert "peers = [for queue in keys(local.queues)" in " ".join(_attribute().split())


@pytest.mark.parametrize(
    "text_of_rooms",
    [
        pytest.param(
            _attribute(list=_resource(name="a", for_each="<local.rooms>", input="<each.value.peers>")),
            id="another resource needs the order",
        ),
        pytest.param(_attribute(own="rooms"), id="the other collection is made of this one"),
        pytest.param(_attribute(used="<local.rooms>"), id="whether the order is needed is not known"),
    ],
)
def test_members_of_another_collection_stay(text_of_rooms: str) -> None:
    assert "for queue" not in text_of_rooms


@pytest.mark.parametrize(("iterator", "is_loop"), [("queue", True), ("local", False)])
def test_a_list_of_members_stays_where_local_is_the_name_of_an_iterator(iterator: str, is_loop: bool) -> None:
    names = TupleExpr((text(f"{_ARN}app"), text(f"{_ARN}web")))
    content = Block("content", arguments={"it": names}, sets=frozenset({"it"}), without={"it": "tags"})
    dynamic = Block("dynamic", ("set",), arguments={"iterator": Verbatim(iterator)}, blocks=(content,))
    owner: dict[str, dict[str, Any]] = {
        "app": {"delay": 1},
        "web": {"delay": 2, "labels": {"a": "b"}},
        "x": {"delay": 1, "labels": {"a": "b"}},
    }
    owner = {key: {"labels": "<null>", **it} for key, it in owner.items()}
    owner["web"]["labels"] = "<null>"
    blocks = [
        _locals(queues=owner),
        _resource("aws_sqs_queue", for_each="<local.queues>", tags="<each.value.labels>"),
        TopLevelBlock(block=Block("data", ("terraform_data", "it"), blocks=(dynamic,))),
    ]
    found = with_members(blocks)[2].block.blocks[0].blocks[0].arguments["it"]
    assert ("[for name, queue in " in expression(found)) is is_loop


@pytest.mark.parametrize(("collection", "is_loop"), [("queues", True), ("names", False)])
def test_members_without_an_argument_need_two_names(collection: str, is_loop: bool) -> None:
    names = TupleExpr((text(f"{_ARN}app"), text(f"{_ARN}web")))
    block = Block("data", ("x", "it"), arguments={"it": names}, sets=frozenset({"it"}), without={"it": "tags"})
    members = {key: {"labels": value} for key, value in (("app", "<null>"), ("web", "<null>"), ("x", {"a": "b"}))}
    blocks = [
        _locals(**{collection: members}),
        _resource("aws_sqs_queue", for_each=f"<local.{collection}>", tags="<each.value.labels>"),
        TopLevelBlock(block=block),
    ]
    assert ("[for name, " in expression(with_members(blocks)[2].block.arguments["it"])) is is_loop


@pytest.mark.parametrize(
    ("of_third", "is_loop"),
    [({"a": "<var.it>"}, True), ("<var.it>", True), ("<var.other>", False), ("<local.labels>", False)],
)
def test_members_without_an_argument_are_those_whose_value_is_null_for_certain(of_third: Any, is_loop: bool) -> None:
    names = TupleExpr((text(f"{_ARN}app"), text(f"{_ARN}web")))
    block = Block("data", ("x", "it"), arguments={"it": names}, sets=frozenset({"it"}), without={"it": "tags"})
    queues = {"app": {"labels": "<null>"}, "web": {"labels": "<null>"}, "x": {"labels": of_third}}
    blocks = [
        _locals(queues=queues, labels={"a": "b"}),
        TopLevelBlock(block=Block("variable", ("it",), arguments={"nullable": Verbatim("false")})),
        TopLevelBlock(block=Block("variable", ("other",))),
        _resource("aws_sqs_queue", for_each="<local.queues>", tags="<each.value.labels>"),
        TopLevelBlock(block=block),
    ]
    assert ("[for name, " in expression(with_members(blocks)[-1].block.arguments["it"])) is is_loop


_LONG = {f"line_{number}": "x" * 20 for number in range(12)}


def _json(collection: str = "queues", value: Any = None, *, label: str = "it", **more: Any) -> str:
    """The JSON of a resource for each member, which it needs twice."""
    members = {"app": {"delay": 1}, "web": {"delay": 2}} if value is None else value
    call = FunctionCall("jsonencode", (_of({**_LONG, "delay": "<each.value.delay>", **more}),))
    block = Block(
        "resource",
        ("aws_sqs_queue", label),
        arguments={"for_each": Verbatim(f"local.{collection}"), "policy": call, "digest": FunctionCall("md5", (call,))},
    )
    known = {collection: members} if isinstance(members, dict) else {}
    local = _locals(**known, taken="x")
    if not known:
        local = TopLevelBlock(block=Block("locals", arguments={collection: value}))
    found = with_json_by_key([local, TopLevelBlock(block=block)])
    return expression(found[-1].block.arguments["policy"])


def test_json_that_stands_twice_is_named() -> None:
    assert _json() == "local.it[each.key]"


@pytest.mark.parametrize(
    "text_of_json",
    [
        pytest.param(_json("ifs"), id="the member's name would be a word of the language"),
        pytest.param(_json(label="taken"), id="there is a local value of this name"),
        pytest.param(_json(bound="<[for key in [1] : key]>"), id="it binds a name itself"),
        pytest.param(_json(other="<aws_vpc.main.id>"), id="it refers to a resource, which may need the local value"),
        pytest.param(_json(value=Verbatim("var.queues")), id="the members are not known"),
        pytest.param(_json(other="<uuid()>"), id="it has another value at each place"),
    ],
)
def test_json_that_stands_twice_stays(text_of_json: str) -> None:
    assert text_of_json.startswith("jsonencode({\n")


@pytest.mark.parametrize(("name", "is_known"), [("queues", True), ("ifs", False), ("for", False), ("data", False)])
def test_a_text_has_no_loop_over_a_word_of_the_language(name: str, is_known: bool) -> None:
    blocks = [_locals(**{name: {"app": {"a": 1}, "web": {"a": 2}}}), _resource(for_each=f"<local.{name}>")]
    assert [it.name for it in key_lists(blocks, frozenset())] == ([name] if is_known else [])


@pytest.mark.parametrize(
    ("first", "end", "is_loop"), [("\n", "\n", True), ("\n", "\r\n", False), ("\u2028", "\n", False)]
)
def test_lines_of_a_text_stay_where_they_end_as_on_another_system(first: str, end: str, is_loop: bool) -> None:
    lines = Template((Literal(f"first{first}use app{end}use web{end}"),))
    known = KeyList(name="queues", key_name="queue", keys=["app", "web"], expression="keys(local.queues)")
    assert (looped(lines, [known]) is not None) is is_loop


def test_two_long_values_do_not_get_one_name() -> None:
    """The first is named; the second, which would have the same name, stays."""
    other = {**_LONG, "other": "y"}
    users = {"queue_a": _LONG, "queue_b": _LONG, "queue_c": other, "queue_d": other}
    found = with_repeated_values([_resource(name=name, policy=value) for name, value in users.items()])
    values = {it.block.labels[1]: it.block.arguments["policy"] for it in found if it.block.labels}
    named = Verbatim("local.queue_policy")
    assert values == {"queue_a": named, "queue_b": named, "queue_c": _of(other), "queue_d": _of(other)}
    assert [it.block.arguments for it in found if not it.block.labels] == [{"queue_policy": _of(_LONG)}]


@pytest.mark.parametrize(("count", "refers"), [(1, True), (400, False)])
def test_a_long_text_keeps_its_ids(count: int, refers: bool) -> None:
    """It may become a file, in which nothing is evaluated."""
    variable = Block("variable", ("subnet_id",), arguments={"default": text(_IDS[0])})
    long = text(f"one {_IDS[0]} two\n" * count)
    found = with_ids([TopLevelBlock(block=variable, is_input=True), _resource(input=long)])
    assert (found[1].block.arguments["input"] != long) is refers


@pytest.mark.parametrize(("count", "refers"), [(1, True), (400, False)])
def test_a_list_of_long_texts_keeps_its_ids(count: int, refers: bool) -> None:
    default = TupleExpr(tuple(map(text, _IDS)))
    variable = Block("variable", ("subnet_ids",), arguments={"default": default, "type": Verbatim("list(string)")})
    long = TupleExpr(tuple(text(f"one {it} {'two' * count}") for it in _IDS))
    found = with_ids([TopLevelBlock(block=variable, is_input=True), _resource(input=long)])
    assert (found[1].block.arguments["input"] != long) is refers


@pytest.mark.parametrize("inner", ["lifecycle", "provisioner", "connection"])
def test_null_stays_where_it_is_no_value_for_a_provider(inner: str) -> None:
    """An argument of a provider is left out, but neither Terraform's own nor what a provisioner gets."""
    null = {"it": Verbatim("null")}
    own = {"depends_on": Verbatim("null"), **null}
    blocks = (Block(inner, arguments=null), Block("timeouts", arguments=null))
    found = without_needless([TopLevelBlock(block=Block("resource", ("x", "it"), arguments=own, blocks=blocks))])
    assert found[0].block.arguments.keys() == {"depends_on"}
    assert [it.arguments for it in found[0].block.blocks] == [null, {}]


def test_the_two_keys_of_a_pair_have_two_names() -> None:
    """A collection named after the argument would give both keys its name."""
    document = caches(["app", "web"], ["subnet-1", "subnet-2"], parent="subnet_ids")
    queues = [("aws_sqs_queue", f"subnet_ids/{it}/queue", {"name": it}) for it in ("app", "web")]
    document["resource"] |= stack("resource", queues)["resource"]
    written = " ".join(converted(document).files["efs.tf"].split())
    assert "=> { key = pair[0] subnet_id = pair[1] }" in written
