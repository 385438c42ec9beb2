"""Reading a plan: which plans are refused, and how sensitive and unknown values are represented."""

import json
from typing import Any

import pytest

from errors import RefusedError
from terraform.plan import Action, Plan, ProviderUpgrade, read
from terraform.plan_values import KnownAfterApply, PlannedText, Sensitive, any_marked, marked, masked
from tests.terraform.plans import change, plan

AGAIN = "hint: create it with `terraform show -json PLANFILE` from a plan that succeeded"


def read_plan(content: object, **more: Any) -> Plan:
    return read("stack", json.dumps(content), "plan.json", **more)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", f"error: plan.json: it is empty\n{AGAIN}"),
        (" \n", f"error: plan.json: it is empty\n{AGAIN}"),
        (
            '{"format_version": "1.2", "resource_ch',
            "error: plan.json: it is not complete JSON: Unterminated string starting at at line 1, column 27\n" + AGAIN,
        ),
        (
            "Error: no plan",
            f"error: plan.json: it is not complete JSON: Expecting value at line 1, column 1\n{AGAIN}",
        ),
        ("[]", f"error: plan.json: it is JSON, but not a Terraform plan: it has no format_version\n{AGAIN}"),
        ("{}", f"error: plan.json: it is JSON, but not a Terraform plan: it has no format_version\n{AGAIN}"),
        ('{"format_version": "1.0"}', f"error: plan.json: it contains no plan\n{AGAIN}"),
        (
            '{"format_version": "1.0", "terraform_version": "1.11.4", "values": {}}',
            f"error: plan.json: it contains a state, not a plan\n{AGAIN}",
        ),
        (
            json.dumps(plan(format_version="2.0")),
            'error: plan.json: its format_version is "2.0" (Terraform 1.11.4), and only 1.x can be read\n'
            "hint: review it with a release of this project that reads that format",
        ),
        (
            json.dumps(plan(format_version=1)),
            "error: plan.json: its format_version is 1 (Terraform 1.11.4), and only 1.x can be read\n"
            "hint: review it with a release of this project that reads that format",
        ),
        (
            json.dumps(plan(format_version="0.1", terraform_version="0.12.31")),
            'error: plan.json: its format_version is "0.1" (Terraform 0.12.31), and only 1.x can be read\n'
            "hint: plan it with Terraform 1.1 or newer, or with OpenTofu",
        ),
        (
            json.dumps(plan(errored=True)),
            f"error: plan.json: planning stopped with an error, so the plan is not complete\n{AGAIN}",
        ),
        (
            json.dumps(plan(resource_changes={"aws_eip.it": "delete"})),
            f"error: plan.json: Terraform does not write plans like this, at resource_changes\n{AGAIN}",
        ),
        (
            json.dumps(plan(change("aws_eip.it", "evaporate"))),
            'error: plan.json: aws_eip.it has unknown actions: ["evaporate"]\n'
            "hint: review it with a release of this project that knows them",
        ),
        (
            json.dumps(plan(output_changes={"it": {"actions": ["evaporate"]}})),
            'error: plan.json: output.it has unknown actions: ["evaporate"]\n'
            "hint: review it with a release of this project that knows them",
        ),
        (
            '{"format_version": "1.2", "planned_values": ' + "[" * 100_000,
            f"error: plan.json: its JSON is nested too deep to be read\n{AGAIN}",
        ),
    ],
)
def test_refuses_an_incomplete_plan(text: str, error: str) -> None:
    with pytest.raises(RefusedError) as raised:
        read("stack", text, "plan.json")
    assert str(raised.value) == error
    assert raised.value.status == 1


@pytest.mark.parametrize("version", ["1.0", "1.2", "1.99"])
def test_reads_every_minor_version_of_the_format(version: str) -> None:
    assert read_plan(plan(format_version=version)).changes == ()


def test_reads_a_plan_without_resources() -> None:
    assert read_plan({key: value for key, value in plan().items() if key != "resource_changes"}).changes == ()


@pytest.mark.parametrize("actions", [["delete", "create"], ["create", "delete"], ["create", "forget"]])
def test_a_replacement_is_one_action_in_every_order(actions: list[str]) -> None:
    [found] = read_plan(plan(change("aws_eip.it", actions, {}, {}))).changes
    assert (found.action, found.is_destroyed, found.is_removed) == (Action.REPLACE, True, False)


def test_sensitive_values_are_replaced_by_whether_they_change() -> None:
    marks = {"old": True, "new": True, "gone": True, "blocks": [{}, {"value": True}]}
    before = {"old": "a", "new": "a", "gone": "a", "name": "it", "blocks": [{"value": "a"}, {"value": "b"}]}
    after = {"old": "a", "new": "b", "gone": None, "name": "it", "blocks": [{"value": "a"}, {"value": "c"}]}
    [found] = read_plan(plan(change("aws_x.it", "update", before, after, sensitive=(marks, marks)))).changes
    assert found.before == {
        "old": Sensitive(),
        "new": Sensitive(),
        "gone": Sensitive(),
        "name": "it",
        "blocks": [{"value": "a"}, {"value": Sensitive()}],
    }
    assert found.after == {
        "old": Sensitive(is_changed=False),
        "new": Sensitive(is_changed=True),
        "gone": None,
        "name": "it",
        "blocks": [{"value": "a"}, {"value": Sensitive(is_changed=True)}],
    }


def test_a_value_that_becomes_sensitive_is_replaced_before_and_after() -> None:
    assert masked({"a": "x"}, {"a": "x"}, False, {"a": True}) == ({"a": Sensitive()}, {"a": Sensitive()})


def test_sensitive_texts_of_changes_outputs_and_variables_are_the_plans_secrets() -> None:
    content = plan(
        change("aws_x.it", "create", None, {"a": ["one", "open"]}, sensitive=(False, {"a": [True]})),
        resource_drift=[change("aws_x.it", "update", {"a": "two"}, {"a": "three"}, sensitive=(True, True))],
        output_changes={"it": {"actions": ["create"], "after": "four", "after_sensitive": True}},
        variables={"token": {"value": "five"}, "name": {"value": "open"}},
        configuration={"root_module": {"variables": {"token": {"sensitive": True}, "name": {}}}},
    )
    assert read_plan(content).secrets == {"one", "two", "three", "four", "five"}


def test_a_mark_covers_everything_below_it() -> None:
    marks = {"statement": [{"resources": [False, True]}, True]}
    assert marked(marks, "statement", 0, "resources", 1) is True
    assert marked(marks, "statement", 1, "resources", 5) is True
    assert marked(marks, "statement", 0, "resources", 0) is False
    assert marked(marks, "statement", "resources") is False
    assert any_marked(marks)
    assert not any_marked({"statement": [{"resources": [False]}]})


def test_a_partly_known_text_is_written_with_the_callers_text_for_each_open_part() -> None:
    text = PlannedText(("arn:aws:s3:::", KnownAfterApply("aws_s3_bucket.it.id"), "/", Sensitive()))
    assert text.written(lambda part: "X" if part == KnownAfterApply("aws_s3_bucket.it.id") else "Y") == (
        "arn:aws:s3:::X/Y"
    )


LOCK = """provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = ">= 5.100.0, < 7.0.0"
}
"""


def test_lock_files_show_which_providers_are_upgraded() -> None:
    newer = LOCK.replace('5.100.0"\n', '6.25.0"\n', 1)
    upgrade = ProviderUpgrade(provider="registry.terraform.io/hashicorp/aws", before="5.100.0", after="6.25.0")
    assert read_plan(plan(), locks=(LOCK, newer)).upgrades == (upgrade,)
    assert read_plan(plan(), locks=(LOCK, LOCK)).upgrades == ()
    assert read_plan(plan(), locks=("", newer)).upgrades == ()
