"""Plans of other projects, plans with Terraform's newest features, and plans with random content."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from errors import RefusedError
from ops.review import PlanFile, review
from ops.review.report import markdown
from tests.ops.review.plans import comment, real, reviewed
from tests.terraform.plans import change, plan


def test_a_plan_that_changes_nothing_is_not_dangerous() -> None:
    assert "## ✅ Nothing dangerous: nothing changes in 1 stack" in comment(reviewed(plan()))


def test_finds_the_newest_kinds_of_change() -> None:
    found = reviewed(
        plan(
            change("google_storage_bucket.it", "forget", {"name": "x"}),
            change('module.a["x.y"].module.b[0].azurerm_managed_disk.it', ["create", "forget"], {"name": "x"}, {}),
            change("aws_s3_bucket.it", "no-op", {}, {}, importing={}),
            deferred_changes=[{"reason": "provider_config_unknown", "resource_change": change("aws_vpc.it", "create")}],
            action_invocations=[{"address": "action.aws_lambda_invoke.it", "type": "aws_lambda_invoke"}],
        )
    )
    rules = {(finding.rule, finding.address) for finding in (*found.dangerous, *found.notes)}
    assert rules == {
        ("forgotten", "google_storage_bucket.it"),
        ("volume-lost", 'module.a["x.y"].module.b[0].azurerm_managed_disk.it'),
        ("imported", "aws_s3_bucket.it"),
        ("not-read", 'module.a["x.y"].module.b[0].azurerm_managed_disk.it'),
        ("incomplete", "aws_vpc.it"),
        ("action-invoked", "action.aws_lambda_invoke.it"),
    }


ATTACHMENT = "aws_iam_user_policy_attachment.pull_user_allow_attachment"


@pytest.mark.parametrize(
    ("sensitive", "references", "what"),
    [
        ({"policy_arn": True}, ["aws_iam_policy.pull_user_allow_policy.arn"], "a sensitive policy_arn"),
        ({"user": True}, ["aws_iam_policy.pull_user_allow_policy.arn"], "a sensitive user"),
        (
            {},
            ["var.other", "aws_iam_policy.pull_user_allow_policy.arn"],
            "a policy_arn that depends on several values",
        ),
    ],
)
def test_does_not_guess_an_unknown_policy_of_a_user(
    sensitive: dict[str, bool], references: list[str], what: str
) -> None:
    document = json.loads(next(file.text for file in real("room-added") if file.stack == "prd-codecommit"))
    attachment = next(found["change"] for found in document["resource_changes"] if found["address"] == ATTACHMENT)
    attachment.update(actions=["delete", "create"], before=dict(attachment["after"]), after_sensitive=sensitive)
    if not sensitive:
        del attachment["after"]["policy_arn"]
        attachment["after_unknown"] = {"policy_arn": True}
    for resource in document["configuration"]["root_module"]["resources"]:
        if resource["address"] == ATTACHMENT:
            resource["expressions"]["policy_arn"] = {"references": references}
    findings = reviewed(document).dangerous
    assert any(f"its access cannot be determined: `{ATTACHMENT}: {what}`" in finding.what for finding in findings)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "*", "0.0.0.0/0", "a`|<b>\n", "arn:aws:x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["policy", "Statement", "ingress", "name", "arn", "rule", "tags"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
_TYPES = st.sampled_from(
    [
        "aws_cloudwatch_log_group",
        "aws_codebuild_project",
        "aws_codecommit_repository",
        "aws_dlm_lifecycle_policy",
        "aws_eip",
        "aws_iam_group",
        "aws_iam_group_membership",
        "aws_iam_policy",
        "aws_iam_policy_attachment",
        "aws_iam_role",
        "aws_iam_user",
        "aws_iam_user_group_membership",
        "aws_iam_user_policies_exclusive",
        "aws_iam_user_policy_attachment",
        "aws_instance",
        "aws_route",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_security_group",
        "google_compute_instance",
        "null_resource",
    ]
)
_ACTIONS = st.sampled_from([["create"], ["update"], ["delete"], ["delete", "create"], ["no-op"], ["forget"], ["read"]])


@st.composite
def _changes(draw: st.DrawFn) -> dict[str, Any]:
    values = st.none() | st.dictionaries(
        st.sampled_from(
            [
                *("policy", "ingress", "name", "arn", "rule", "user", "users", "groups", "group", "policy_arn"),
                *("user_name", "policy_names", "inline_policy", "managed_policy_arns", "permissions_boundary"),
                *("retention_in_days", "metadata_options"),
            ]
        ),
        _JSON | st.just('{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": ["*"]}]}'),
        max_size=5,
    )
    address = f"{draw(st.sampled_from(['', 'module.a.', 'module.b[0].']))}{draw(_TYPES)}.it"
    found = change(
        address,
        draw(_ACTIONS),
        draw(values),
        draw(values),
        unknown=draw(_JSON),
        sensitive=(draw(_JSON), draw(_JSON)),
    )
    return {**found, **draw(st.sampled_from([{}, {"deposed": "0badcafe"}, {"previous_address": "aws_eip.was"}]))}


@pytest.mark.slow
@given(st.lists(_changes(), max_size=6), _JSON, st.lists(_changes(), max_size=2))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_plan_that_terraform_can_write_is_reviewed(
    changes: list[Any], configuration: Any, drift: list[Any]
) -> None:
    found = reviewed(
        plan(
            *changes,
            resource_drift=drift,
            configuration={"root_module": configuration, "provider_config": configuration},
            output_changes={"it": {"actions": ["create"], "after": configuration}},
        )
    )
    text = markdown(found, 65_536)
    assert text.startswith("<!-- kakehashi-review -->\n## ")
    assert len(text) <= 65_536
    lost = {c["address"] for c in changes if c["change"]["actions"] in (["delete"], ["delete", "create"])}
    reported = {finding.address for finding in found.dangerous if finding.rule.endswith("-lost")}
    known = {c["address"] for c in changes if any(kind in c["address"] for kind in ("aws_eip", "aws_instance"))}
    assert lost & known <= reported


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.sampled_from(["repository-added", "webhook-senders-changed"]))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_plan_with_anything_in_any_place_is_reviewed_or_refused(random: Any, scenario: str) -> None:
    [file] = real(scenario)
    content = json.loads(file.text)
    for _ in range(3):
        place: Any = content
        while isinstance(place, dict | list) and place:
            steps = list(place) if isinstance(place, dict) else list(range(len(place)))
            step = random.choice(steps)
            if not isinstance(place[step], dict | list) or not place[step] or random.random() < 0.1:
                place[step] = random.choice([None, True, 0, "", "x", [], {}, [{}], {"x": [None]}])
                break
            place = place[step]
    refused = None
    try:
        text = comment(review([PlanFile(stack="stack", where="plan.json", text=json.dumps(content))], []))
    except RefusedError as error:
        refused = str(error)
    assert refused is None or refused.startswith("error: plan.json: ")
    assert refused is not None or text.startswith("<!-- kakehashi-review -->\n## ")


def test_an_action_that_is_deferred_makes_the_plan_incomplete() -> None:
    action = {"reason": "provider_config_unknown", "action_invocation": {"address": "action.aws_lambda_invoke.it"}}
    found = reviewed(plan(deferred_action_invocations=[action]))
    [finding] = found.dangerous
    assert (finding.rule, finding.address) == ("incomplete", "action.aws_lambda_invoke.it")
    assert finding.what == "is deferred to a later plan (`provider_config_unknown`)"
