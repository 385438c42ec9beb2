"""Routine changes have few findings, and the same changes with something dangerous in them do not."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from ops.review.outcome import Review
from tests.ops.review.plans import real_review, reviewed
from tests.ops.review.rule_cases import deny, policy
from tests.terraform.plans import change, plan

NAME = "kakehashi-prd-backlog-cache"


def _rules(found: Review) -> Counter[str]:
    return Counter(finding.rule for finding in (*found.dangerous, *found.notes))


def _bucket(action: str | list[str] = "delete", *, force_destroy: bool = True, name: str = NAME) -> Mapping[str, Any]:
    return change("aws_s3_bucket.it", action, {"bucket": name, "id": name, "force_destroy": force_destroy})


PARTS = [
    change("aws_s3_bucket_ownership_controls.it", "delete", {"bucket": NAME}),
    change("aws_s3_bucket_public_access_block.it", "delete", {"bucket": NAME, "block_public_acls": True}),
    change("aws_s3_bucket_server_side_encryption_configuration.it", "delete", {"bucket": NAME}),
    change("aws_s3_bucket_versioning.it", "delete", {"bucket": NAME}),
    change("aws_s3_bucket_lifecycle_configuration.it", "delete", {"bucket": NAME}),
    change("aws_s3_bucket_policy.it", "delete", {"bucket": NAME, "policy": policy(deny(Principal="*"))}),
]
OF_PARTS = {"opened": 1, "encryption-lifted": 1, "versioning-stopped": 1, "policy-removed": 1, "not-read": 1}


def test_a_cache_bucket_that_is_removed_as_a_whole_is_one_finding() -> None:
    assert _rules(reviewed(plan(_bucket(), *PARTS))) == {"bucket-lost": 1}


@pytest.mark.parametrize(
    "bucket",
    [
        _bucket(force_destroy=False),
        _bucket(name="another"),
        change("aws_s3_bucket.it", "no-op", *[{"bucket": NAME, "force_destroy": True}] * 2),
        change("aws_s3_bucket.it", "forget", {"bucket": NAME, "force_destroy": True}),
        change("aws_s3_bucket.it", "delete", {"bucket": NAME, "force_destroy": True}, deposed="0badcafe"),
    ],
)
def test_the_protection_of_a_bucket_that_may_stay_is_reported(bucket: Mapping[str, Any]) -> None:
    found = _rules(reviewed(plan(bucket, *PARTS)))
    assert OF_PARTS.items() <= found.items()


def test_a_tag_that_changes_everywhere_is_not_counted_as_drift_of_every_object() -> None:
    found = real_review("tags-changed")
    assert found.dangerous == []
    assert _rules(found) == {}


def test_a_policy_that_is_only_written_differently_is_no_finding() -> None:
    was = policy(deny(), deny(Sid="Other"))
    same, unreadable = (
        change("aws_iam_policy.it", "update", {"policy": was}, {"policy": now})
        for now in (policy(deny(Sid="Other"), deny()), "{}{")
    )
    assert _rules(reviewed(plan(same))) == {}
    assert _rules(reviewed(plan(unreadable))).get("policy-unknown")


def test_drift_of_something_else_than_a_tag_is_reported() -> None:
    was, now = {"name": "a", "tags": {}}, {"name": "b", "tags": {"a": "b"}}
    taken_back = change("aws_sns_topic.it", "update", now, was)
    drift = [change("aws_sns_topic.it", "update", was, now)]
    found = {note.rule: note.what for note in reviewed(plan(taken_back, resource_drift=drift)).notes}
    assert found["drifted"] == "was changed outside Terraform: `name`"


CLOSED_OPEN = ("192.0.2.0/28", "0.0.0.0/0")


def _opened_by_hand() -> tuple[Any, Any]:
    """A change by hand to a Deny, which now spares every address, and what the plan makes of the object."""
    was, now = ({"policy": policy(deny(Condition={"NotIpAddress": {"aws:SourceIp": [one]}}))} for one in CLOSED_OPEN)
    return change("aws_iam_policy.it", "update", was, now), change("aws_iam_policy.it", "no-op", now, now)


def test_a_hole_opened_by_hand_that_the_apply_leaves_open_is_dangerous() -> None:
    drift, kept = _opened_by_hand()
    found = {finding.rule for finding in reviewed(plan(kept, resource_drift=[drift])).dangerous}
    assert found == {"policy-to-the-world", "policy-widened"}


def test_a_hole_opened_by_hand_that_the_apply_closes_is_one_note() -> None:
    drift, kept = _opened_by_hand()
    closed = change("aws_iam_policy.it", "update", kept["change"]["after"], drift["change"]["before"])
    found = reviewed(plan(closed, resource_drift=[drift]))
    assert (found.dangerous, [note.rule for note in found.notes]) == ([], ["drifted"])


def test_a_hole_opened_by_hand_is_dangerous_in_a_plan_that_only_refreshes_the_state() -> None:
    drift, _ = _opened_by_hand()
    assert {finding.rule for finding in reviewed(plan(resource_drift=[drift])).dangerous} >= {"policy-widened"}


def test_a_hole_opened_by_hand_is_dangerous_beside_another_change_of_the_object() -> None:
    drift, kept = _opened_by_hand()
    now = kept["change"]["after"]
    other = change("aws_iam_policy.it", "update", {**now, "description": "a"}, {**now, "description": "b"})
    assert {finding.rule for finding in reviewed(plan(other, resource_drift=[drift])).dangerous} >= {"policy-widened"}


def test_what_was_destroyed_by_hand_and_stays_away_is_reviewed_as_destroyed() -> None:
    was = {"bucket": NAME}
    drift = change("aws_s3_bucket_public_access_block.it", "delete", was)
    assert {finding.address for finding in reviewed(plan(resource_drift=[drift])).dangerous} == {drift["address"]}


def test_a_deny_that_was_removed_by_hand_is_found_though_nothing_configures_it() -> None:
    was, now = ({"name": "it", "inline_policy": listed} for listed in ([{"name": "a", "policy": policy(deny())}], []))
    document = plan(
        change("aws_iam_role.it", "no-op", now, now),
        resource_drift=[change("aws_iam_role.it", "update", was, now)],
        configuration={"root_module": {"resources": [{"address": "aws_iam_role.it", "expressions": {"name": {}}}]}},
    )
    assert "drifted" in _rules(reviewed(document))


def test_a_policy_that_another_resource_sets_is_not_drift_of_its_owner() -> None:
    text = policy({"Effect": "Allow", "Action": "sns:Publish", "Resource": "*", "Principal": {"Service": "a.aws"}})
    topic, with_policy = {"name": "it", "policy": ""}, {"name": "it", "policy": f" {text}"}
    document = plan(
        change("aws_sns_topic.it", "no-op", with_policy, with_policy),
        change("aws_sns_topic_policy.it", "no-op", *[{"policy": text}] * 2),
        resource_drift=[change("aws_sns_topic.it", "update", topic, with_policy)],
        configuration={"root_module": {"resources": [{"address": "aws_sns_topic.it", "expressions": {"name": {}}}]}},
    )
    assert _rules(reviewed(document)) == {}
    del document["resource_changes"][1]
    assert "policy-widened" in _rules(reviewed(document))


def test_a_list_that_is_narrowed_back_is_not_dangerous() -> None:
    was, now = (
        {"policy": policy(deny(Condition={"NotIpAddress": {"aws:SourceIp": networks}}))}
        for networks in (["192.0.2.0/28", "0.0.0.0/0"], ["192.0.2.0/28"])
    )
    closed, opened = (change("aws_iam_policy.it", "update", *sides) for sides in ((was, now), (now, was)))
    assert reviewed(plan(closed, resource_drift=[opened])).dangerous == []
    reopened = reviewed(plan(opened, resource_drift=[closed]))
    assert {finding.rule for finding in reopened.dangerous} >= {"policy-widened"}
