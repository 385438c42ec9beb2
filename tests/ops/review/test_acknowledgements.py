"""An acknowledgement holds for exactly what somebody saw."""

import base64
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from ops.review import PlanFile, review
from ops.review.acknowledgements import Acknowledgement
from ops.review.outcome import Review
from ops.review.rule import ReviewFinding
from tests.ops.review.plans import comment, real, reviewed
from tests.ops.review.rule_cases import PlannedChange, allow, policy, updated
from tests.terraform.plans import change, plan

NARROW, WIDE, WIDEST = (policy(allow(Action=actions)) for actions in ("s3:GetObject", "s3:Get*", "*"))


def only(found: Review) -> ReviewFinding:
    [finding] = found.dangerous
    return finding


def accepted(finding: ReviewFinding, until: date | None = None) -> tuple[Acknowledgement, ...]:
    return (Acknowledgement(allowed=finding.allowed_as, because="it is meant to be so", where="test", until=until),)


def rule_of(cidr: str, **more: Any) -> Mapping[str, Any]:
    return change(
        "aws_vpc_security_group_ingress_rule.it", "create", None, {"cidr_ipv4": cidr, "ip_protocol": "-1"}, **more
    )


@pytest.mark.parametrize(
    ("seen", "worse"),
    [
        (updated("aws_iam_policy", "policy", NARROW, WIDE), updated("aws_iam_policy", "policy", NARROW, WIDEST)),
        (rule_of("192.0.2.0/24"), rule_of("192.0.0.0/16")),
        (
            change("aws_eip.it", "delete", {"public_ip": "192.0.2.1"}),
            change("aws_eip.it", "delete", {"public_ip": "192.0.2.2"}),
        ),
        (
            change("aws_ebs_volume.it", ["delete", "create"], {"size": 1}, {"size": 2}),
            change("aws_ebs_volume.it", "delete", {"size": 1}),
        ),
    ],
    ids=["policy", "network", "address", "destroyed instead of replaced"],
)
def test_another_change_at_the_same_place_is_a_new_finding(seen: PlannedChange, worse: PlannedChange) -> None:
    accepting = accepted(only(reviewed(plan(seen))))
    assert not reviewed(plan(seen), acknowledged=accepting).fails
    found = reviewed(plan(worse), acknowledged=accepting)
    assert only(found).rule == accepting[0].allowed.partition(":")[0]
    assert found.unused == [*accepting]


def test_an_argument_that_the_finding_is_not_about_may_change_meanwhile() -> None:
    def of(description: str) -> PlannedChange:
        sides = ({"policy": text, "description": description} for text in (NARROW, WIDE))
        return change("aws_iam_policy.it", "update", *sides)

    assert only(reviewed(plan(of("a")))).digest == only(reviewed(plan(of("b")))).digest


def test_the_same_address_of_another_stack_is_not_accepted() -> None:
    lost = plan(change("aws_eip.it", "delete", {"public_ip": "192.0.2.1"}))
    found = reviewed(plan(), lost, acknowledged=accepted(only(reviewed(lost))))
    assert only(found).stack == "stack-1"
    assert found.unused


def test_a_plan_that_is_made_again_has_the_same_digests() -> None:
    [file] = real("pull-list-widened-to-the-world")
    content = json.loads(file.text)
    content["resource_changes"].reverse()
    again = PlanFile(stack=file.stack, where="again.json", text=json.dumps(content, sort_keys=True))
    first, second = (review([one], []).dangerous for one in (file, again))
    assert len(first) > 1
    assert [finding.allowed_as for finding in first] == [finding.allowed_as for finding in second]


@pytest.mark.slow
def test_every_finding_of_a_real_plan_is_accepted_by_its_own_line_only() -> None:
    files = real("everything-destroyed")
    dangerous = review(files, []).dangerous
    assert len({finding.allowed_as for finding in dangerous}) == len(dangerous)
    for finding in dangerous:
        found = review(files, accepted(finding))
        assert [one for one, _ in found.acknowledged] == [finding]
        assert len(found.dangerous) == len(dangerous) - 1


@pytest.mark.parametrize(("today", "fails"), [(date(2026, 12, 31), False), (date(2027, 1, 1), True)])
def test_an_acknowledgement_ends_after_its_last_day(today: date, fails: bool) -> None:
    text = json.dumps(plan(change("aws_eip.it", "delete", {"public_ip": "192.0.2.1"})))
    file = PlanFile(stack="stack", where="plan.json", text=text)
    accepting = accepted(only(review([file], [])), until=date(2026, 12, 31))
    found = review([file], accepting, today)
    assert found.fails == fails
    assert bool(found.dangerous) == fails
    assert found.ended == ([*accepting] if fails else [])


def test_a_sensitive_value_cannot_be_guessed_from_the_digest() -> None:
    """A volume's tag repeats a value that is sensitive elsewhere: the digest is that of any other secret."""

    def digest(secret: str) -> str | None:
        parameter = change(
            "aws_ssm_parameter.it", "no-op", *[{"value": secret}] * 2, sensitive=({"value": True}, {"value": True})
        )
        lost = change("aws_ebs_volume.it", "delete", {"size": 1, "tags": {"note": f"see {secret}"}})
        return only(reviewed(plan(parameter, lost))).digest

    assert digest("correct horse") == digest("battery staple")


def _parameter(secret: str) -> PlannedChange:
    marks = ({"value": True}, {"value": True})
    return change("aws_ssm_parameter.it", "no-op", *[{"value": secret}] * 2, sensitive=marks)


def _opened_with(text: str) -> PlannedChange:
    """A proxy that allows everything, with a text in its user data."""
    encoded = base64.b64encode(f"#!/bin/sh\n{text}\nsquid\n".encode()).decode()
    return change("aws_launch_template.it", "update", {"user_data": ""}, {"user_data": encoded})


@pytest.mark.parametrize(
    "changes",
    [
        [_parameter("correct horse"), _opened_with("password=correct horse")],
        [
            change(
                "aws_s3_bucket_policy.it",
                "update",
                {"policy": NARROW},
                {"policy": policy(allow(Principal={"AWS": "999999999999"}))},
                sensitive=(False, {"policy": True}),
            )
        ],
        [_parameter("999999999999"), updated("aws_iam_policy", "policy", NARROW, WIDE.replace("s3:", "999999999999:"))],
    ],
    ids=["secret in user data", "sensitive policy", "repeated secret"],
)
def test_a_finding_with_a_secret_in_it_cannot_be_acknowledged(changes: list[PlannedChange]) -> None:
    found = reviewed(plan(*changes))
    assert {finding.digest for finding in found.dangerous} == {None}
    assert "it cannot be accepted, because a sensitive value is a part of it" in comment(found)
    acknowledged = tuple(one for finding in found.dangerous for one in accepted(finding))
    assert reviewed(plan(*changes), acknowledged=acknowledged).dangerous == found.dangerous


def test_what_is_destroyed_can_be_acknowledged_whatever_secret_it_had() -> None:
    before = {"size": 1, "password": "correct horse"}
    lost = plan(change("aws_db_instance.it", "delete", before, sensitive=({"password": True}, False)))
    accepting = tuple(one for finding in reviewed(lost).dangerous for one in accepted(finding))
    assert not reviewed(lost, acknowledged=accepting).fails


def test_a_part_of_a_policy_that_no_finding_shows_is_a_part_of_the_digest() -> None:
    """The apply reads the policy from a document, and its findings leave out the end of a long resource."""
    long = f"arn:aws:s3:::{'x' * 200}"

    def found(resource: str) -> dict[str, str | None]:
        statement = {"effect": "Allow", "actions": ["s3:GetObject"], "resources": [resource]}
        document = change(
            "data.aws_iam_policy_document.it",
            "read",
            None,
            {"statement": [statement]},
            unknown={"json": True},
            mode="data",
        )
        attached = change("aws_iam_policy.it", "create", None, {}, unknown={"policy": True})
        resources = [
            {"address": "data.aws_iam_policy_document.it", "expressions": {"statement": [{}]}},
            {
                "address": "aws_iam_policy.it",
                "expressions": {"policy": {"references": ["data.aws_iam_policy_document.it.json"]}},
            },
        ]
        configuration = {"root_module": {"resources": resources}}
        dangerous = reviewed(plan(document, attached, configuration=configuration)).dangerous
        return {finding.what: finding.digest for finding in dangerous}

    one, other = found(f"{long}/one"), found(f"{long}/other")
    assert one.keys() == other.keys() != set()
    assert not set(one.values()) & set(other.values())
