"""No change is silent: each changed argument is found by a rule, listed as unread, or harmless for a written reason."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ops.review import PlanFile, review
from ops.review.outcome import Review
from ops.review.resource_types import HARMLESS, harmless, is_classified
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


def _mutants(file: PlanFile) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """For every configured argument of every resource: address, argument, and a plan that changes it alone."""
    document = json.loads(file.text)
    configured = {
        resource["address"]: resource.get("expressions", {})
        for resource in document["configuration"]["root_module"].get("resources", [])
    }
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
                yield entry["type"], argument, {**document, "resource_changes": [{**entry, "change": changed}]}


def _said(found: Review) -> set[str]:
    return {finding.rule for finding in (*found.dangerous, *found.notes)}


MUTANTS = {
    (f"{file.stack} {kind}.{argument}", number): mutant
    for file in real("first-deployment")
    for number, (kind, argument, mutant) in enumerate(_mutants(file))
}


def test_every_configured_argument_that_changes_is_said_or_harmless() -> None:
    assert len(MUTANTS) > 300
    silent = []
    for (name, _), mutant in MUTANTS.items():
        kind, _, argument = name.split(" ")[1].partition(".")
        found = review([PlanFile(stack="stack", where="plan.json", text=json.dumps(mutant))], [])
        if not _said(found) and not harmless(kind, argument):
            silent.append(name)
    assert silent == []


def test_the_finding_names_the_argument_with_both_values() -> None:
    visibility = change(
        "aws_codebuild_project.it", "update", {"project_visibility": "PRIVATE"}, {"project_visibility": "PUBLIC_READ"}
    )
    [finding] = reviewed(plan(visibility)).notes
    assert finding.what == "not read by any rule: `project_visibility` `PRIVATE` → `PUBLIC_READ`"


def test_an_argument_is_listed_beside_a_finding_about_another_one() -> None:
    before = {"user_data": "a", "source_dest_check": True}
    after = {"user_data": "b", "source_dest_check": False}
    found = reviewed(plan(change("aws_instance.it", "update", before, after)))
    assert {(finding.rule, tuple(finding.arguments)) for finding in found.notes} == {
        ("runs-otherwise", ("user_data",)),
        ("not-read", ()),
    }
    assert "`source_dest_check` `true` → `false`" in comment(found)


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
    assert _said(found) == set()


def test_every_harmless_argument_has_a_reason_and_a_known_type() -> None:
    assert all(len(reason) > 10 for reason in HARMLESS.values())
    types = {entry.partition(".")[0] for entry in HARMLESS} - {"*"}
    assert all(map(is_classified, types))
