"""When a new plan does what was approved."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ops.masking import Mask
from ops.pipelines.comparison import Comparison
from ops.pipelines.differences import shown
from terraform.canonical_plan import LEFT_OUT, canonical
from terraform.foretold import EVERYTHING, Foretold
from tests.ops.review.plans import real
from tests.terraform.plans import change, plan

KEY = b"a lineage"


def _differences(was: Any, now: Any, foretold: Foretold | None = None, key: bytes = KEY) -> list[str]:
    approved, new = (canonical(json.dumps(one), "plan.json", key=key, mask=Mask) for one in (was, now))
    return [shown(one) for one in Comparison(approved, new, foretold or Foretold()).differences()]


def _leaves(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _leaves(item, (*place, key))
    if not items and value not in ({}, []):
        yield place


def _with(content: Any, place: tuple[str | int, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(content))
    inside = changed
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    return changed


def _real(scenario: str, stack: str) -> Any:
    return next(json.loads(file.text) for file in real(scenario) if file.stack == stack)


def test_two_plans_are_equal_but_for_what_is_left_out() -> None:
    content = _real("nat-address-replaced", "prd-codecommit")
    other = {**content, "timestamp": "2026-11-29T00:00:00Z", "applyable": None, "relevant_attributes": []}
    assert {"timestamp", "applyable", "relevant_attributes"} == LEFT_OUT.keys()
    assert _differences(content, other) == []


@pytest.mark.slow
def test_every_value_of_a_real_plan_is_compared() -> None:
    content = _real("nat-address-replaced", "prd-codecommit")
    places: dict[tuple[str, ...], tuple[str | int, ...]] = {}
    for place in _leaves(content):
        # One for each kind of place: numbers are those of lists.
        kind = tuple("*" if isinstance(step, int) else step for step in place)
        if place[0] not in {*LEFT_OUT, "format_version", "configuration"}:
            places.setdefault(kind, place)
    places["configuration",] = ("configuration", "root_module", "resources", 0, "address")
    assert len(places) > 100
    approved = canonical(json.dumps(content), "plan.json", key=KEY, mask=Mask)

    def is_found(place: tuple[str | int, ...]) -> bool:
        changed = json.dumps(_with(content, place, "other"))
        return bool(Comparison(approved, canonical(changed, "plan.json", key=KEY, mask=Mask)).differences())

    assert [place for place in places.values() if not is_found(place)] == []


def test_what_changes_by_itself_is_not_compared_and_everything_else_of_the_object_is() -> None:
    def server(**changes: str) -> Any:
        values = {"id": "i-1", "instance_state": "running", "ami": "ami-1", **changes}
        place = {"address": "aws_instance.it", "mode": "managed", "type": "aws_instance"}
        drift = change("aws_instance.it", "update", {"id": "i-1", "instance_state": "pending"}, values)
        return plan(
            change("aws_instance.it", "no-op", values, values, unknown={}),
            prior_state={"values": {"root_module": {"resources": [{**place, "values": values}]}}},
            resource_drift=[drift] if changes else [],
        )

    stopped = server(instance_state="stopped")
    for values in (stopped["resource_drift"][0]["change"]["after"], stopped["resource_drift"][0]["change"]["before"]):
        values.update(id="i-1", ami="ami-1")
    assert _differences(server(), stopped) == []
    assert _differences(server(), server(ami="ami-2")) != []


def test_what_a_release_of_terraform_adds_to_plans_is_compared() -> None:
    assert _differences(plan(), plan(new_in_terraform={"a": [1]})) == [
        'new_in_terraform: approved nothing, now {"a": [1]}'
    ]
    assert _differences(plan(number=0.1), plan(number=0.1)) == []


A = "terraform_data.a"
SAME = {"id": "1", "input": "x"}
REPLACED = (["delete", "create"], {"input": "old"}, {"input": "new"})
REPLACED_LATER = (["create", "delete"], {"input": "old"}, {"input": "new"})
B, DATA = "terraform_data.b", "data.x.d"
CREATED = (
    [change(B, "create", None, {"input": "b"}, unknown={"id": True})],
    [change(B, "no-op", {"id": "2", "input": "b"}, {"id": "2", "input": "b"}, unknown={})],
)
TAINTED: dict[str, Any] = {"action_reason": "replace_because_tainted"}

DONE: dict[str, tuple[list[Any], list[Any]]] = {
    "created": (
        [change(A, "create", None, {"input": "x"}, unknown={"id": True})],
        [change(A, "no-op", SAME, SAME, unknown={})],
    ),
    "updated": (
        [change(A, "update", {"input": "w"}, {"input": "x"}, unknown={})],
        [change(A, "no-op", {"input": "x"}, {"input": "x"}, unknown={})],
    ),
    "destroyed": ([change(A, "delete", {"input": "x"})], []),
    "forgotten": ([change(A, "forget", {"input": "x"})], []),
    "replaced": (
        [change(A, *REPLACED, unknown={})],
        [change(A, "no-op", {"input": "new"}, {"input": "new"}, unknown={})],
    ),
    "moved": (
        [change(A, "no-op", SAME, SAME, unknown={}, previous_address="terraform_data.z")],
        [change(A, "no-op", SAME, SAME, unknown={})],
    ),
    "imported": (
        [change(A, "no-op", SAME, SAME, unknown={}, importing={"id": "1"})],
        [change(A, "no-op", SAME, SAME, unknown={})],
    ),
    "of a replacement, the old object destroyed": (
        [change(A, *REPLACED, unknown={})],
        [change(A, "create", None, {"input": "new"}, unknown={})],
    ),
    "of a replacement, the new object created": (
        [change(A, *REPLACED_LATER, unknown={})],
        [
            change(A, "no-op", {"input": "new"}, {"input": "new"}, unknown={}),
            change(A, "delete", {"input": "old"}, deposed="1234abcd"),
        ],
    ),
    "tried, and the new object is unfinished": (
        [change(A, "create", None, {"input": "x"}, unknown={"id": True})],
        [change(A, ["delete", "create"], SAME, {"input": "x"}, unknown={"id": True}, **TAINTED)],
    ),
    "still to do, with a value that is known by now": (
        [change(A, "create", None, {}, unknown={"input": True}), *CREATED[0]],
        [change(A, "create", None, {"input": "x"}, unknown={}), *CREATED[1]],
    ),
    "still to be read, with values that are known by now": (
        [change(DATA, "read", None, {}, unknown=True), *CREATED[0]],
        CREATED[1],
    ),
}


@pytest.mark.parametrize("what", DONE)
def test_what_an_apply_that_stopped_has_done_is_no_difference(what: str) -> None:
    approved, now = DONE[what]
    assert _differences(plan(*approved), plan(*now)) == []


@pytest.mark.parametrize("what", [what for what in DONE if not what.startswith("tried")])
def test_the_other_way_round_it_is_one(what: str) -> None:
    """Nothing is approved that undoes, or does what was only left open."""
    approved, now = DONE[what]
    assert _differences(plan(*now), plan(*approved)) != []


OTHERWISE: dict[str, tuple[list[Any], list[Any]]] = {
    "created with another value": (
        [change(A, "create", None, {"input": "x"}, unknown={"id": True})],
        [change(A, "no-op", {"id": "1", "input": "y"}, {"id": "1", "input": "y"}, unknown={})],
    ),
    "created, and changed again": (
        [change(A, "create", None, {"input": "x"}, unknown={"id": True})],
        [change(A, "update", {"id": "1", "input": "y"}, SAME, unknown={})],
    ),
    "destroyed, and created again": (
        [change(A, "delete", {"input": "x"})],
        [change(A, "create", None, {"input": "x"})],
    ),
    "replaced for another reason than an unfinished creation": (
        [change(A, "create", None, {"input": "x"}, unknown={})],
        [change(A, ["delete", "create"], SAME, {"input": "x"}, unknown={})],
    ),
    "an old object destroyed that was not to be replaced": (
        [change(A, "no-op", SAME, SAME, unknown={})],
        [change(A, "no-op", SAME, SAME, unknown={}), change(A, "delete", SAME, deposed="1234abcd")],
    ),
    "another old object destroyed": (
        [change(A, *REPLACED_LATER, unknown={})],
        [
            change(A, "no-op", {"input": "new"}, {"input": "new"}, unknown={}),
            change(A, "delete", {"input": "older"}, deposed="1234abcd"),
        ],
    ),
    "known by now, though nothing was applied": (
        [change(A, "create", None, {"input": "x"}, unknown={"policy": True})],
        [change(A, "create", None, {"input": "x", "policy": "*"}, unknown={})],
    ),
    "a part of it known by now, though nothing was applied": (
        [change(A, "create", None, {}, unknown={"policy": True})],
        [change(A, "create", None, {"policy": [{"to": "*"}]}, unknown={"policy": [{"from": True}]})],
    ),
    "an object known as a whole by now, though nothing was applied": (
        [change(A, "update", {"policy": "old"}, {}, unknown=True)],
        [change(A, "update", {"policy": "old"}, {"policy": "*"}, unknown={})],
    ),
    "half replaced, and what was unknown is known, though nothing else was applied": (
        [change(A, ["delete", "create"], {"input": "w"}, {"input": "x"}, unknown={"policy": True})],
        [change(A, "create", None, {"input": "x", "policy": "*"}, unknown={})],
    ),
    "read by now, though nothing was applied": ([change(DATA, "read", None, {}, unknown=True)], []),
    "unfinished, and not what was to be created": (
        [change(A, "create", None, {"input": "x"}, unknown={"id": True})],
        [change(A, ["delete", "create"], {"id": "1", "input": "y"}, {"input": "x"}, unknown={"id": True}, **TAINTED)],
    ),
    "two old objects destroyed": (
        [change(A, *REPLACED_LATER, unknown={})],
        [
            change(A, "no-op", {"input": "new"}, {"input": "new"}, unknown={}),
            change(A, "delete", {"input": "old"}, deposed="1234abcd"),
            change(A, "delete", {"input": "old"}, deposed="5678abcd"),
        ],
    ),
    "a value that was known is left open": (
        [change(A, "create", None, {"input": "x"}, unknown={})],
        [change(A, "create", None, {}, unknown={"input": True})],
    ),
    "not the same before": (
        [change(A, "update", {"input": "w"}, {"input": "x"}, unknown={})],
        [change(A, "update", {"input": "v"}, {"input": "x"}, unknown={})],
    ),
    "unchanged, and changed outside": (
        [change(A, "no-op", SAME, SAME, unknown={})],
        [change(A, "no-op", {"id": "2", "input": "x"}, {"id": "2", "input": "x"}, unknown={})],
    ),
    "updated, and moved": (
        [change(A, "update", {"input": "w"}, {"input": "x"}, unknown={})],
        [change(A, "no-op", {"input": "x"}, {"input": "x"}, unknown={}, previous_address="terraform_data.z")],
    ),
    "updated, and imported": (
        [change(A, "update", {"input": "w"}, {"input": "x"}, unknown={})],
        [change(A, "no-op", {"input": "x"}, {"input": "x"}, unknown={}, importing={"id": "1"})],
    ),
    "no longer sensitive": (
        [change(A, "create", None, {"input": "x"}, unknown={}, sensitive=({}, {"tags": True}))],
        [change(A, "create", None, {"input": "x"}, unknown={}, sensitive=({}, {}))],
    ),
    "gone, though it was to stay": ([change(A, "no-op", SAME, SAME, unknown={})], []),
    "a map in place of a number": (
        [change(A, "create", None, {"input": 1.5}, unknown={})],
        [change(A, "create", None, {"input": {"$number": "1.5"}}, unknown={})],
    ),
    "true in place of 1": (
        [change(A, "create", None, {"input": 1}, unknown={})],
        [change(A, "create", None, {"input": True}, unknown={})],
    ),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_anything_else_is_a_difference(what: str) -> None:
    approved, now = OTHERWISE[what]
    assert _differences(plan(*approved), plan(*now)) != []


def _in_states(changed: Any, prior: Any, planned: Any, *others: Any) -> Any:
    def module(values: Any) -> Any:
        return {"root_module": {"resources": [{"address": A, "mode": "managed", "values": values}]}}

    return plan(changed, *others, prior_state={"values": module(prior)}, planned_values=module(planned))


def test_what_the_states_say_of_an_object_is_compared_too() -> None:
    old, new, other = ({"input": text, "name": name} for text, name in (("w", "n"), ("x", "n"), ("x", "m")))
    update, done = change(A, "update", old, new, unknown={}), change(A, "no-op", new, new, unknown={})
    approved = _in_states(update, old, new)
    assert _differences(approved, _in_states(done, new, new)) == []
    assert _differences(approved, _in_states(done, other, new)) != []
    assert _differences(approved, _in_states(done, new, other)) != []
    left_open = _in_states(
        change(A, "update", old, {"name": "n"}, unknown={"input": True}), old, {"name": "n"}, *CREATED[0]
    )
    assert _differences(left_open, _in_states(update, old, new, *CREATED[1])) == []
    assert _differences(left_open, _in_states(update, other, new, *CREATED[1])) != []
    assert _differences(left_open, _in_states(update, old, other, *CREATED[1])) != []


def test_what_the_states_say_of_an_output_is_compared_too() -> None:
    def output(prior: str, planned: str | None, actions: str = "update", *, made: Any = (), **more: Any) -> Any:
        changed = {"actions": [actions], "before": "old", "after": planned, "after_sensitive": False, **more}
        planned_values = {"outputs": {"o": {"value": planned}}, "root_module": {}}
        values = {"outputs": {"o": {"value": prior}}, "root_module": {}}
        states = {"prior_state": {"values": values}, "planned_values": planned_values}
        return plan(*made, output_changes={"o": changed}, **states)

    approved, left_open = output("old", "new"), output("old", None, made=CREATED[0], after_unknown=True)
    assert _differences(approved, output("new", "new", "no-op", before="new")) == []
    assert _differences(approved, output("other", "new", "no-op", before="new")) != []
    assert _differences(left_open, output("old", "new", made=CREATED[1])) == []
    assert _differences(left_open, output("old", "new", made=CREATED[0])) != [], "nothing was applied"
    assert _differences(left_open, output("older", "new", made=CREATED[1])) != []
    assert _differences(left_open, output("old", None, after_unknown=True, after_sensitive={})) != []


def test_a_state_may_be_there_by_now_only_if_something_was_applied_and_with_the_approved_modules_alone() -> None:
    state = {"format_version": "1.0", "values": {"root_module": {}}}
    other = {"format_version": "1.0", "values": {"root_module": {"child_modules": [{"address": "module.m"}]}}}
    approved, now = (plan(*changes) for changes in DONE["created"])
    assert _differences(approved, {**now, "prior_state": state}) == []
    assert _differences(approved, {**now, "prior_state": other}) != []
    assert _differences(approved, {**approved, "prior_state": state}) != []


def test_what_was_changed_outside_since_the_approval_is_a_difference() -> None:
    drift = [change(A, "update", {"input": "x"}, {"input": "y"})]
    assert _differences(plan(), plan(resource_drift=drift)) != []
    assert _differences(plan(resource_drift=drift), plan()) != []


def test_of_two_objects_with_one_address_both_are_compared() -> None:
    first, second, other = (change(A, "create", None, {"input": text}, unknown={}) for text in "xyz")
    assert _differences(plan(first, second), plan(first, second)) == []
    assert _differences(plan(first, second), plan(other, second)) != []


def test_a_condition_may_hold_by_now_and_not_fail() -> None:
    def with_status(status: str) -> Any:
        return plan(checks=[{"address": {"to_display": "check.c"}, "status": status, "instances": []}])

    assert _differences(with_status("unknown"), with_status("pass")) == []
    for was, now in (("unknown", "fail"), ("fail", "pass"), ("pass", "fail"), ("pass", "unknown")):
        assert _differences(with_status(was), with_status(now)) != []


POLICY = {"resources": [{"address": A, "expressions": {"policy": {"references": ["local.p"]}, "name": {}}}]}
FORETOLD = Foretold(attributes={A: {"policy": frozenset({("network", "address")})}})


def test_only_a_foretold_argument_may_change_and_only_in_place() -> None:
    before = {"policy": "old", "name": "n", "id": "1", "arn": "a", "version": "1", "output": "old"}
    approved = plan(change(A, "no-op", before, before, unknown={}), configuration={"root_module": POLICY})

    def now(actions: list[str] | str, unknown: Any = None, was: Any = before, **changes: Any) -> list[str]:
        after = {key: value for key, value in {**was, **changes}.items() if value is not None}
        new = change(A, actions, was, after, unknown=unknown or {})
        return _differences(approved, plan(new, configuration={"root_module": POLICY}), FORETOLD)

    assert now("update", policy="new") == []
    assert now("update", policy="new", version=None, unknown={"version": True}) == []
    assert now("no-op", was={**before, "policy": "new", "output": "new"}) == [], "applied already"
    assert now("no-op", was={**before, "policy": "new", "version": "2"}) != [], "what no argument sets, by hand"
    for differing in ({"name": "m"}, {"id": "2"}, {"arn": "b"}, {"version": "2"}):
        assert now("update", policy="new", **differing) != []
    assert now("update", policy="new", name=None, unknown={"name": True}) != []
    assert now(["delete", "create"], policy="new") != []
    assert now("update", policy="new", was={**before, "name": "m"}) != []


NEW = "${local.address}/32"
KEPT = {"cidr": "10.0.0.1/32", "port": 443}
WRITTEN: dict[str, tuple[Any, list[Any], list[list[Any]]]] = {
    # How it is written, a value that follows from that, and values that do not.
    "a list": (
        {"constant_value": ["10.0.0.1/32", NEW]},
        ["192.0.2.9/32", "10.0.0.1/32"],
        [["192.0.2.9/32", "0.0.0.0/0"], ["192.0.2.9/32"], ["10.0.0.1/32", "192.0.2.9/32", "0.0.0.0/0"]],
    ),
    "blocks": (
        [{"cidr": {"constant_value": text}, "port": {"constant_value": 443}} for text in ("10.0.0.1/32", NEW)],
        [{"cidr": "192.0.2.9/32", "port": 443}, KEPT],
        [
            [KEPT, {"cidr": "192.0.2.9/32", "port": 22}],
            [{"cidr": "0.0.0.0/0", "port": 443}, {"cidr": "192.0.2.9/32", "port": 443}],
        ],
    ),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_of_a_foretold_argument_only_what_has_a_reference_may_change(how: str) -> None:
    expression, follows, others = WRITTEN[how]
    resource = {"address": A, "expressions": {"policy": expression}}
    more = {"configuration": {"root_module": {"resources": [resource]}}}
    old = "192.0.2.1/32"
    before = {"policy": [KEPT, {"cidr": old, "port": 443}] if how == "blocks" else ["10.0.0.1/32", old]}
    approved = plan(change(A, "no-op", before, before, unknown={}), **more)
    for value in (follows, *others):
        after = {"policy": value}
        is_same = value is follows
        to_do = plan(change(A, "update", before, after, unknown={}), **more)
        done = plan(change(A, "no-op", after, after, unknown={}), **more)
        assert (_differences(approved, to_do, FORETOLD) == []) is is_same
        assert (_differences(approved, done, FORETOLD) == []) is is_same


def test_a_data_source_that_is_foretold_may_be_read_again_and_no_other() -> None:
    def read(value: str, address: str = "data.x.d") -> Any:
        resource = {"address": address, "mode": "data", "type": "x", "values": {"json": value}}
        return plan(prior_state={"values": {"root_module": {"resources": [resource]}}})

    foretold = Foretold(attributes={"data.x.d": {EVERYTHING: frozenset({("network", "address")})}})
    assert _differences(read("old"), read("new"), foretold) == []
    assert _differences(read("old"), read("new")) != []
    assert _differences(read("old", "data.x.e"), read("new", "data.x.e"), foretold) != []


def test_of_the_state_of_another_stack_only_foretold_outputs_may_change() -> None:
    def read(**outputs: str) -> Any:
        state = {"address": "data.terraform_remote_state.dev_network", "mode": "data", "values": {"outputs": outputs}}
        return plan(prior_state={"values": {"root_module": {"resources": [state]}}})

    foretold = Foretold(inputs=frozenset({("dev-network", "address")}))
    assert _differences(read(address="old", name="n"), read(address="new", name="n"), foretold) == []
    assert _differences(read(address="old", name="n"), read(address="new", name="m"), foretold) != []
    assert _differences(read(address="old", name="n"), read(address="new", name="n")) != []


def test_only_a_foretold_output_may_change() -> None:
    def output(actions: str, before: str, after: str) -> Any:
        return plan(output_changes={"o": {"actions": [actions], "before": before, "after": after}})

    foretold = Foretold(outputs={"o": frozenset({("network", "address")})})
    was, now = output("no-op", "old", "old"), output("update", "old", "new")
    assert _differences(was, now, foretold) == []
    assert _differences(was, now) != []
    assert _differences(now, output("no-op", "new", "new")) == [], "applied already"
    assert _differences(now, output("no-op", "other", "other")) != []


SECRET = "correct horse battery"


def _secret(value: str, *, is_marked: bool = True) -> Any:
    marks: tuple[Any, Any] = ({}, {"password": is_marked})
    text = {"password": value, "url": f"https://user:{value}@example.com", "tags": {f"by {value}": "x"}}
    return plan(change(A, "create", None, text, unknown={}, sensitive=marks))


def test_a_sensitive_value_is_compared_and_cannot_be_read_or_guessed() -> None:
    def written(key: bytes) -> str:
        return json.dumps(canonical(json.dumps(_secret(SECRET)), "plan.json", key=key, mask=Mask))

    assert SECRET not in written(KEY)
    assert written(KEY) != written(b"another lineage")
    assert _differences(_secret(SECRET), _secret(SECRET)) == []
    found = _differences(_secret(SECRET), _secret("another"))
    assert f'{A}.change.after.password: approved "(sensitive)", now "(sensitive)"' in found
    assert SECRET not in str(found)


def test_without_a_state_a_sensitive_value_is_always_a_difference() -> None:
    assert _differences(_secret(SECRET), _secret(SECRET), key=b"") != []
    assert _differences(plan(), plan(), key=b"") == []


def test_what_is_marked_in_a_way_that_is_not_known_is_hidden() -> None:
    text = json.dumps(plan(action_invocations=[{"address": "a", "new_values": SECRET, "new_sensitive": True}]))
    assert SECRET not in json.dumps(canonical(text, "plan.json", key=KEY, mask=Mask))
