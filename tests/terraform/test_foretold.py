"""What is foretold to change in a stack once an output of another one has."""

import json
from typing import Any

import pytest

from terraform.foretold import EVERYTHING, Foretold, foretold
from terraform.plan import Plan, read
from tests.terraform.plans import plan

ADDRESS = "data.terraform_remote_state.dev_network.outputs.address"
SOURCE = frozenset({("dev-network", "address")})


def _plan(stack: str, *resources: Any, changed: tuple[str, ...] = (), **more: Any) -> Plan:
    outputs = {name: {"actions": ["update"], "before": "old", "after": "new"} for name in changed}
    configuration = {"root_module": {"resources": list(resources), **more}}
    return read(stack, json.dumps(plan(output_changes=outputs, configuration=configuration)), "plan.json")


def _resource(address: str, **expressions: str) -> dict[str, Any]:
    """A resource as the configuration of a plan has it: an argument refers to what is not in quotation marks."""
    mode = "data" if address.startswith("data.") else "managed"
    written = {
        name: {"constant_value": value[1:-1]}
        if value.startswith("'")
        else {"constant_value": f"${{{value}}}", "references": [value, value.rpartition(".")[0]]}
        for name, value in expressions.items()
    }
    return {"address": address, "mode": mode, "expressions": written}


NETWORK = _plan("dev-network", changed=("address",))


def _of(*resources: Any, local_values: Any = None, **more: Any) -> Foretold:
    reader = _plan("prd", *resources, **more)
    return foretold([NETWORK, reader], {"prd": local_values or {}})["prd"]


def test_arguments_are_foretold_that_refer_to_the_output_directly_or_through_others() -> None:
    found = _of(
        _resource("data.x_document.d", value=ADDRESS),
        _resource("x_policy.p", policy="data.x_document.d.json", name="'fixed'"),
        _resource("x_template.t", text="local.text", name="'fixed'"),
        _resource(
            "x_group.g", version="x_template.t.latest_version", template="x_template.t.id", name="x_policy.p.name"
        ),
        _resource("x_other.o", name="'fixed'"),
        local_values={"text": "it is ${local.inner}", "inner": f"${{{ADDRESS}}}"},
        outputs={"version": {"expression": {"references": ["x_group.g.version", "x_group.g"]}}},
    )
    assert found.attributes == {
        "data.x_document.d": {EVERYTHING: SOURCE},
        "x_policy.p": {"policy": SOURCE},
        "x_template.t": {"text": SOURCE},
        "x_group.g": {"version": SOURCE},
    }
    assert (found.inputs, found.outputs, found.others) == (SOURCE, {"version": SOURCE}, {})
    assert found.of('x_policy.p["a"]') == {"policy": SOURCE}
    assert found.of("x_other.o") == {}


def test_it_goes_on_to_the_stacks_that_read_those_stacks() -> None:
    between = _plan("between", outputs={"again": {"expression": {"references": [ADDRESS]}}})
    last = _plan("last", _resource("x.y", name="data.terraform_remote_state.between.outputs.again"))
    assert foretold([NETWORK, between, last], {})["last"].attributes == {"x.y": {"name": SOURCE}}


def test_nothing_is_foretold_of_a_stack_that_is_applied_before() -> None:
    reader = _plan("prd", _resource("x.y", name=ADDRESS))
    assert foretold([reader, NETWORK], {})["prd"] == Foretold()
    assert foretold([_plan("dev-network"), reader], {})["prd"] == Foretold()


def test_nothing_is_foretold_through_local_values_that_are_not_known() -> None:
    assert _of(_resource("x.y", name="local.text")).attributes == {}


def test_another_output_of_the_same_stack_foretells_nothing() -> None:
    other = ADDRESS.replace("address", "name")
    assert _of(_resource("x.y", name=other)) == Foretold()
    assert _of(_resource("x.y", name=ADDRESS), _resource("x.z", name=other)).attributes.keys() == {"x.y"}


@pytest.mark.parametrize("argument", ["count_expression", "for_each_expression"])
def test_what_decides_which_objects_there_are_is_not_foretold(argument: str) -> None:
    resource = {**_resource("x.y", name=ADDRESS), argument: {"references": [ADDRESS]}}
    assert _of(resource).others == {"x.y": SOURCE}


def test_what_a_module_reads_is_not_foretold() -> None:
    call = {"m": {"expressions": {"in": {"references": [ADDRESS]}}, "module": {}}}
    text = {"outputs": {"o": {"expression": {"constant_value": f"${{{ADDRESS}}}", "references": [ADDRESS]}}}}
    assert _of(module_calls=call, **text).others == {"module.m": SOURCE}
