"""Sensitive values: a comment neither contains them nor decides by the words that replace them."""

import base64
import functools
import json
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from iam.aws_managed import is_published
from ops.review import review
from ops.review.outcome import Review
from ops.review.text import visible
from tests.ops.review.plans import comment, real, reviewed
from tests.ops.review.rule_cases import REPOSITORY, USER
from tests.terraform.plans import change, plan

SECRET = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    "sensitive",
    [True, {"value": True}, {"blocks": True}, {"blocks": [{}, {"value": True}]}, {"nested": {"deep": True}}],
)
def test_a_sensitive_value_appears_nowhere_in_the_comment(sensitive: Any) -> None:
    values = {
        "value": SECRET if sensitive is True or "value" in sensitive else None,
        "blocks": [{"value": "x"}, {"value": SECRET}] if sensitive is True or "blocks" in sensitive else [],
        "nested": {"deep": {SECRET: [SECRET]}} if sensitive is True or "nested" in sensitive else {},
        "description": f"made from {SECRET}" if sensitive is not True and "value" in sensitive else "",
    }
    other = json.loads(json.dumps(values).replace(SECRET, f"{SECRET}-2"))
    for actions, before, after in (
        ("create", None, values),
        ("update", values, other),
        ("update", values, {**values, "name": "b"}),
        ("delete", values, None),
        (["delete", "create"], values, other),
    ):
        marks = (sensitive if before else False, sensitive if after else False)
        text = comment(reviewed(plan(change("aws_ssm_parameter.it", actions, before, after, sensitive=marks))))
        assert SECRET not in text


def test_a_sensitive_value_does_not_show_its_length() -> None:
    def text(secret: str) -> str:
        before, after = {"value": "the first"}, {"value": secret}
        marks = ({"value": True}, {"value": True})
        return comment(reviewed(plan(change("aws_ssm_parameter.it", "update", before, after, sensitive=marks))))

    assert text("short1") == text("much longer than the other")
    assert "`value`: (sensitive) → (sensitive, changed)" in text("short1")


def test_sensitive_variables_and_outputs_appear_nowhere_in_the_comment() -> None:
    text = comment(
        reviewed(
            plan(
                change("aws_ssm_parameter.it", "update", {"description": "a"}, {"description": SECRET}),
                variables={"token": {"value": SECRET}},
                configuration={"root_module": {"variables": {"token": {"sensitive": True}}}},
                output_changes={
                    "token": {"actions": ["create"], "before": None, "after": SECRET, "after_sensitive": True}
                },
            )
        )
    )
    assert SECRET not in text


@pytest.mark.parametrize("scenario", ["secret-changed", "elsewhere-opened", "elsewhere-destroyed", "first-deployment"])
def test_a_secret_of_a_real_plan_appears_nowhere_in_the_comment(scenario: str) -> None:
    files = real(scenario)
    assert any("hunter2" in file.text for file in files)
    assert "hunter2" not in comment(review(files, []), 1_000_000)


def test_a_text_that_reads_like_a_sensitive_value_is_shown_as_text() -> None:
    text = comment(reviewed(plan(change("aws_x.it", "update", {"name": "a"}, {"name": "(sensitive)"}))))
    assert "`name`: `a` → `(sensitive)`" in text


def test_a_sensitive_source_of_traffic_is_a_finding() -> None:
    """The value is hidden, but the fact that traffic is allowed is not."""
    rule = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_ipv4": SECRET}
    created = change(
        "aws_vpc_security_group_ingress_rule.it", "create", None, rule, sensitive=(False, {"cidr_ipv4": True})
    )
    [finding] = reviewed(plan(created)).dangerous
    assert (finding.rule, finding.what) == ("more-let-in", "allows inbound tcp 22 from (sensitive)")


def test_a_sensitive_list_of_rules_that_changes_is_a_finding() -> None:
    before, after = ({"ingress": [{"cidr_blocks": [network]}]} for network in ("192.0.2.0/24", "0.0.0.0/0"))
    marks = {"ingress": True}
    changed = change("aws_security_group.it", "update", before, after, sensitive=(marks, marks))
    unchanged = change("aws_security_group.other", "update", before, {**before, "name": "b"}, sensitive=(marks, marks))
    [finding] = reviewed(plan(changed, unchanged)).dangerous
    assert (finding.rule, finding.address) == ("more-let-in", "aws_security_group.it")


def test_the_access_of_an_identity_with_a_sensitive_policy_is_not_determined() -> None:
    user = {"name": "pull", "arn": "arn:aws:iam::222222222222:user/pull"}
    policy = {"user": "pull", "policy": "{}"}
    role = {"name": "build", "arn": "arn:aws:iam::222222222222:role/build", "assume_role_policy": "{}"}
    marks, trust_marks = {"policy": True}, {"assume_role_policy": True}
    found = reviewed(
        plan(
            change("aws_iam_user.it", "no-op", user, user),
            change("aws_iam_user_policy.it", "no-op", policy, policy, sensitive=(marks, marks)),
            change("aws_iam_role.it", "no-op", role, role, sensitive=(trust_marks, trust_marks)),
        )
    )
    assert {(note.rule, note.address) for note in found.notes} == {
        ("access-still-unknown", "aws_iam_user.it"),
        ("access-still-unknown", "aws_iam_role.it"),
    }


def test_the_access_of_a_user_with_a_sensitive_name_is_not_determined() -> None:
    user = {"name": "pull"}
    changed = change("aws_iam_user.it", "no-op", user, user, sensitive=({"name": True}, {"name": True}))
    assert {(note.rule, note.address) for note in reviewed(plan(changed)).notes} == {
        ("access-still-unknown", "aws_iam_user.it")
    }


HOSTILE = ["``````", "Dangerous: 1", "0.0.0.0/0", "kakehashi-review", "finding", "### Dangerous findings", "| who |"]


@pytest.mark.parametrize("secret", HOSTILE)
def test_a_secret_that_is_a_word_of_the_comment_changes_nothing_of_it(secret: str) -> None:
    """The same plan with another secret has the same comment, but for lines that show the parameter."""

    def text(value: str) -> str:
        marks = ({"value": True}, {"value": True})
        parameter = change("aws_ssm_parameter.it", "update", {"value": "before"}, {"value": value}, sensitive=marks)
        opened = change(
            "aws_vpc_security_group_ingress_rule.it", "create", None, {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"}
        )
        return comment(reviewed(plan(parameter, opened)))

    assert text(secret) == text("any other secret")
    assert "from `0.0.0.0/0`, the whole internet" in text(secret)


@pytest.mark.parametrize("secret", ["AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess"])
def test_a_secret_does_not_hide_which_policy_of_aws_is_attached(secret: str) -> None:
    def found(value: str) -> Review:
        marks = ({"value": True}, {"value": True})
        attached = {"user": "pull", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
        return reviewed(
            plan(
                change("aws_ssm_parameter.it", "no-op", *[{"value": value}] * 2, sensitive=marks),
                change("aws_codecommit_repository.it", "create", None, {"repository_name": "x", "arn": REPOSITORY}),
                change("aws_iam_user.it", "create", None, {"name": "pull", "arn": USER}),
                change("aws_iam_user_policy_attachment.it", "create", None, attached),
            )
        )

    assert "attaches the AWS managed policy `AdministratorAccess`" in comment(found(secret))
    assert found(secret).dangerous == found("any other secret").dangerous
    assert comment(found(secret)) == comment(found("any other secret"))


def _everywhere(secret: str) -> dict[str, Any]:
    encoded = base64.b64encode(f"password={secret}\n".encode()).decode()
    return {
        "name": f"see {secret}",
        "json": json.dumps({"deep": [{"password": secret}]}),
        "url": f"https://example.com/?token={quote(secret, safe='')}",
        "user_data": encoded,
        "text": f"one\n{secret}\ntwo",
        "long": f"{'x' * 150}{secret}{'y' * 150}",
        "map": {secret: secret},
    }


def _everybody_knows(text: str) -> bool:
    try:
        ip_network(text.strip(), strict=False)
    except ValueError:
        return is_published(text.strip())
    return True


@functools.cache
def _repeated(secret: str) -> str:
    """The comment on a plan in which a parameter's secret stands everywhere in an instance."""
    values, marks = _everywhere(secret), ({"value": True}, {"value": True})
    return comment(
        reviewed(
            plan(
                change("aws_ssm_parameter.it", "no-op", *[{"value": secret}] * 2, sensitive=marks),
                change("aws_instance.it", "update", {**values, "name": "a"}, {**values, "user_data": "b"}),
                change("aws_instance.other", "create", None, values),
            )
        ),
        1_000_000,
    )


@pytest.mark.slow
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Zs"]), min_size=8, max_size=40))
@example("nothing0")
@example("password")
@settings(max_examples=100, deadline=None)
def test_a_secret_appears_in_no_form_of_it_and_in_no_part_of_it(secret: str) -> None:
    """What the comment on the same plan with another secret contains are words of the comment or of the plan."""
    assume(not _everybody_knows(secret))
    text, with_another = _repeated(secret), _repeated(SECRET)
    encoded = base64.b64encode(secret.encode()).decode()
    parts = {secret, secret[:7], visible(secret), quote(secret, safe=""), encoded, _everywhere(secret)["user_data"]}
    assert [part for part in parts if part in text and part not in with_another] == []


def test_a_sensitive_number_is_masked_where_a_text_repeats_it() -> None:
    marks = ({"pin": True}, {"pin": True})
    text = comment(
        reviewed(
            plan(
                change("aws_x.it", "no-op", {"pin": 8675309}, {"pin": 8675309}, sensitive=marks),
                change("aws_sns_topic.it", "update", {"name": "a"}, {"name": "call 8675309"}),
            )
        )
    )
    assert "8675309" not in text
