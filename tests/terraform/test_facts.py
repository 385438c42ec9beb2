from dataclasses import replace
from typing import Any

import pytest

from errors import RefusedError
from terraform.facts import (
    AddressList,
    Fact,
    KeptApart,
    LogRetention,
    MirrorUnit,
    OutputAddresses,
    Retention,
    TerminationProtection,
    read,
    to_metadata,
)

ROOM = AddressList(variable="pull_from_cidrs", use="room")
APART = KeptApart(variable="pull_from_cidrs", stack="dev-network", output="nat_public_ips", condition="${true}")

UNIT = MirrorUnit(
    unit="a",
    build="a_project",
    targets=["c"],
    ssh_key_parameter="/key",
    state_parameter="/state/a",
    program=["programs/mirror.sh"],
    cache="copies/a",
    target_kms_keys=[],
    subnets=[],
)


def _document(metadata: object, *variables: str) -> dict[str, Any]:
    listed = {name: {"type": "list(string)"} for name in variables}
    return {"//": {"metadata": {"backend": "local", "kakehashi": metadata}}, "variable": listed}


def _problems(metadata: object, *variables: str) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        read("prd", _document(metadata, *variables))
    return [f"{problem.where}: {problem.what}" for problem in refused.value.problems]


def test_reads_back_every_fact_that_a_stack_leaves() -> None:
    facts: tuple[Fact, ...] = (
        ROOM,
        AddressList(variable="room_b_from_cidrs", use="room", room="b", open_because="a public mirror"),
        OutputAddresses(expression="x", stack="dev-network", output="nat_public_ips", use="push user"),
        APART,
    )
    assert read("prd", _document(to_metadata(facts), "pull_from_cidrs", "room_b_from_cidrs")) == facts


@pytest.mark.parametrize("document", [{}, {"//": "a comment"}, {"//": {"metadata": {"backend": "s3"}}}])
def test_reads_no_facts_where_a_stack_left_none(document: dict[str, Any]) -> None:
    assert read("prd", document) == ()


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        (
            [],
            "prd: //.metadata.kakehashi: [] is not a known fact: Input should be a dictionary or an instance of Facts",
        ),
        (
            {"facts": [], "more": 1},
            "prd: //.metadata.kakehashi.more: 1 is not a known fact: Unexpected keyword argument",
        ),
        (
            {"facts": [{"fact": "open", "variable": "x"}]},
            "prd: //.metadata.kakehashi.facts.0: {'fact': 'open', 'variable': 'x'} is not a known fact: "
            "Input tag 'open' found using 'fact' does not match any of the expected tags: "
            "'address list', 'output addresses', 'kept apart', 'log retention', 'retention', "
            "'termination protection', 'mirror unit'",
        ),
        (
            {"facts": [{"fact": "address list", "variable": "x", "use": "anybody"}]},
            "prd: //.metadata.kakehashi.facts.0.address list.use: 'anybody' is not a known fact: "
            "Input should be 'room', 'push user', 'webhook senders' or 'work terminals'",
        ),
        (
            {"facts": [{"fact": "retention", "variable": "x", "low": 1}]},
            "prd: //.metadata.kakehashi.facts.0.retention.high: "
            "{'fact': 'retention', 'variable': 'x', 'low': 1} is not a known fact: Field required",
        ),
        (
            {"facts": [{"fact": "address list", "variable": "x", "use": "room", "open": True}]},
            "prd: //.metadata.kakehashi.facts.0.address list.open: true is not a known fact: "
            "Unexpected keyword argument",
        ),
        (
            {"facts": [{"fact": "address list", "variable": "x", "use": "room", "open_because": " "}]},
            r"prd: //.metadata.kakehashi.facts.0.address list.open_because: ' ' is not a known fact: "
            r"String should match pattern '\S'",
        ),
    ],
)
def test_refuses_a_fact_that_is_unknown_or_malformed(metadata: object, problem: str) -> None:
    assert _problems(metadata, "x") == [problem]


@pytest.mark.parametrize("name", ["/state/*", "/state/?", "${var.name}", "/state/a b", ""])
def test_refuses_a_name_of_more_than_one_thing_in_a_fact_about_a_unit(name: str) -> None:
    (written,) = to_metadata([UNIT])["facts"]
    (problem,) = _problems({"facts": [{**written, "state_parameter": name}]})
    assert "state_parameter" in problem
    assert "String should match pattern" in problem


def test_refuses_two_units_that_write_to_one_place() -> None:
    other = replace(UNIT, unit="b", build="b_project")
    document = _document(to_metadata([UNIT, other]))
    document["resource"] = {"aws_codebuild_project": {"a_project": {}, "b_project": {}}}
    with pytest.raises(RefusedError) as refused:
        read("prd", document)
    assert [problem.what for problem in refused.value.problems] == [
        "the state parameter /state/a has two facts",
        "the cache copies/a has two facts",
    ]


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ([ROOM, ROOM], "${var.pull_from_cidrs} has two facts"),
        (
            [AddressList(variable="other", use="push user")],
            "var.other is not a list of texts",
        ),
        (
            [AddressList(variable="pull_from_cidrs", use="push user", room="b")],
            "var.pull_from_cidrs is for push user, and room 'b' is named",
        ),
        ([LogRetention(variable="pull_from_cidrs")], "var.pull_from_cidrs is not a number"),
        ([Retention(variable="other", low=1, high=2)], "var.other is not a number"),
        ([TerminationProtection(variable="pull_from_cidrs")], "var.pull_from_cidrs is not a bool"),
        ([UNIT], "aws_codebuild_project.a_project is not there"),
        ([APART], "var.pull_from_cidrs is kept apart, and is not a room's list"),
    ],
)
def test_refuses_facts_that_contradict_the_stack_or_one_another(facts: list[Fact], what: str) -> None:
    assert _problems(to_metadata(facts), "pull_from_cidrs") == [f"prd: //.metadata.kakehashi: {what}"]
