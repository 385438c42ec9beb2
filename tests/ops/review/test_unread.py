"""No change is silent: each changed argument is found by a rule, listed as unread, or harmless for a written reason."""

import json
from itertools import zip_longest
from typing import Any

import pytest

from ops.review import PlanFile, review
from ops.review.resource_types import HARMLESS, harmless, is_classified
from ops.review.rule import NOT_READ
from tests.ops.review.plans import comment, real, reviewed
from tests.terraform.plans import change, plan


def _otherwise(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}-other"
        case [first, *others]:
            return [_otherwise(first), *others]
        case dict() if value:
            key = min(value)
            return {**value, key: _otherwise(value[key])}
        case []:
            return ["other"]
        case _:
            return "other"


def _mutants(document: dict[str, Any]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """For every resource its configured arguments, each with an entry of the plan that changes it alone."""
    configured = {
        resource["address"]: resource.get("expressions", {})
        for resource in document["configuration"]["root_module"].get("resources", [])
    }
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for entry in document["resource_changes"]:
        after = entry["change"]["after"]
        for argument in configured.get(entry["address"].partition("[")[0], {}):
            if entry["mode"] == "managed" and isinstance(after, dict) and after.get(argument) is not None:
                changed = {
                    "actions": ["update"],
                    "before": after,
                    "after": {**after, argument: _otherwise(after[argument])},
                    "after_unknown": {},
                }
                found.setdefault(entry["address"], []).append((argument, {**entry, "change": changed}))
    return found


def _said_of(document: dict[str, Any], entries: list[dict[str, Any]]) -> set[str]:
    """The addresses that a review of the plan says something of, when it makes these changes."""
    text = json.dumps({**document, "resource_changes": entries})
    found = review([PlanFile(stack="stack", where="plan.json", text=text)], [])
    return {finding.address for finding in (*found.dangerous, *found.notes)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "stack"),
    [(scenario, file.stack) for scenario in ("first-deployment", "everything") for file in real(scenario)],
)
def test_every_configured_argument_that_changes_is_said_or_harmless(scenario: str, stack: str) -> None:
    document = json.loads(next(file.text for file in real(scenario) if file.stack == stack))
    silent = []
    # One plan changes the first argument of every resource, the next one the second, and so on.
    for mutants in zip_longest(*_mutants(document).values()):
        entries = {entry["address"]: (argument, entry) for argument, entry in filter(None, mutants)}
        said = _said_of(document, [entry for _, entry in entries.values()])
        for address, (argument, entry) in entries.items():
            # What is said of another resource is counted only where nothing else changes.
            if address not in said and not harmless(entry["type"], argument) and not _said_of(document, [entry]):
                silent.append(f"{address}: {argument}")
    assert silent == []


def test_hundreds_of_arguments_are_changed() -> None:
    documents = [json.loads(file.text) for scenario in ("first-deployment", "everything") for file in real(scenario)]
    assert sum(len(mutants) for document in documents for mutants in _mutants(document).values()) > 900


def test_the_finding_names_the_argument_with_both_values() -> None:
    limit = change("aws_codebuild_project.it", "update", {"concurrent_build_limit": 1}, {"concurrent_build_limit": 20})
    [finding] = reviewed(plan(limit)).notes
    assert finding.what == "not read by any rule: `concurrent_build_limit` `1` → `20`"


def test_an_argument_is_listed_beside_a_finding_about_another_one() -> None:
    before = {"user_data": "a", "name": "a"}
    after = {"user_data": "b", "name": "b"}
    found = reviewed(plan(change("aws_launch_template.it", "update", before, after)))
    assert {(finding.rule, tuple(finding.arguments)) for finding in found.notes} == {
        ("runs-otherwise", ("user_data",)),
        ("not-read", ()),
    }
    assert "`name` `a` → `b`" in comment(found)


def test_a_sensitive_argument_that_changes_is_listed() -> None:
    values = {"name": "a"}, {"name": "b"}
    found = reviewed(plan(change("aws_codebuild_project.it", "update", *values, sensitive=({"name": True},) * 2)))
    assert [finding.what for finding in found.notes] == [
        "not read by any rule: `name` (sensitive) → (sensitive, changed)"
    ]


@pytest.mark.parametrize(
    ("action", "what"), [("create", "it is created, and decides"), ("delete", "it is destroyed, and decides")]
)
def test_an_object_that_decides_about_access_is_listed(action: str, what: str) -> None:
    values = {"name": "it"}
    sides = (None, values) if action == "create" else (values, None)
    found = reviewed(plan(change("aws_iam_instance_profile.it", action, *sides)))
    assert [finding.what for finding in found.notes] == [f"not read by any rule: {what} which role a server has"]


def test_nothing_is_listed_where_nothing_changes() -> None:
    values = {"project_visibility": "PRIVATE"}
    found = reviewed(plan(change("aws_codebuild_project.it", "no-op", values, values)))
    assert [*found.dangerous, *found.notes] == []


def test_every_harmless_argument_has_a_reason_and_a_known_type() -> None:
    assert all(len(reason) > 10 for reason in HARMLESS.values())
    types = {entry.partition(".")[0] for entry in HARMLESS} - {"*"}
    assert all(map(is_classified, types))


@pytest.mark.parametrize(
    "kind",
    [
        *("aws_api_gateway_integration", "aws_autoscaling_group", "aws_key_pair", "aws_launch_configuration"),
        *("aws_lightsail_instance", "aws_s3_object", "aws_spot_instance_request"),
        *("aws_ssm_maintenance_window", "aws_vpc_dhcp_options"),
    ],
)
def test_an_object_that_decides_what_runs_or_where_traffic_goes_is_listed(kind: str) -> None:
    found = reviewed(plan(change(f"{kind}.it", "create", None, {"name": "it"})))
    assert NOT_READ in {finding.rule for finding in found.notes}


def test_changed_code_is_to_be_read_so_that_the_first_line_is_not_green() -> None:
    found = reviewed(plan(change("aws_instance.it", "update", {"user_data": "a"}, {"user_data": "b"})))
    assert comment(found).splitlines()[1].startswith("## 🟠 1 change to read")
