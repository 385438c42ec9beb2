"""Plans that cannot be read, and plans of projects that are none of ours."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.review import Source, UnreadableError, review
from ops.review.report import markdown
from tests.ops.review.plans import change, comment, plan, real, reviewed

AGAIN = "hint: make it with `terraform show -json PLANFILE`, from a plan that succeeded"


def _read(text: str) -> str:
    return comment(review([Source(stack="stack", where="plan.json", text=text)], []))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", f"error: plan.json: it is empty\n{AGAIN}"),
        (" \n", f"error: plan.json: it is empty\n{AGAIN}"),
        (
            '{"format_version": "1.2", "resource_ch',
            "error: plan.json: it is not JSON, or cut off: Unterminated string starting at at line 1, column 27\n"
            + AGAIN,
        ),
        (
            "Error: no plan",
            "error: plan.json: it is not JSON, or cut off: Expecting value at line 1, column 1\n" + AGAIN,
        ),
        ("[]", f"error: plan.json: it is JSON, but no plan of Terraform's: it has no format_version\n{AGAIN}"),
        ("{}", f"error: plan.json: it is JSON, but no plan of Terraform's: it has no format_version\n{AGAIN}"),
        ('{"format_version": "1.0"}', f"error: plan.json: it holds no plan\n{AGAIN}"),
        (
            '{"format_version": "1.0", "terraform_version": "1.11.4", "values": {}}',
            f"error: plan.json: it holds a state, not a plan\n{AGAIN}",
        ),
        (
            json.dumps(plan(format_version="2.0")),
            'error: plan.json: its format_version is "2.0", and 1.x is what can be read\n'
            "hint: review it with a release of this project that reads that format",
        ),
        (
            json.dumps(plan(format_version=1)),
            "error: plan.json: its format_version is 1, and 1.x is what can be read\n"
            "hint: review it with a release of this project that reads that format",
        ),
        (
            json.dumps(plan(errored=True)),
            f"error: plan.json: its plan failed half-way, so it does not show everything\n{AGAIN}",
        ),
        (
            json.dumps(plan(resource_changes={"aws_eip.it": "delete"})),
            f"error: plan.json: it is not as Terraform writes plans, at resource_changes\n{AGAIN}",
        ),
        (
            json.dumps(plan(change("aws_eip.it", "evaporate"))),
            'error: plan.json: aws_eip.it has actions that are not known: ["evaporate"]\n'
            "hint: review it with a release of this project that knows them",
        ),
        (
            '{"format_version": "1.2", "planned_values": ' + "[" * 100_000,
            f"error: plan.json: it is not JSON, or cut off: it is nested too deep\n{AGAIN}",
        ),
    ],
)
def test_what_cannot_be_read_is_said_to_be_and_never_to_change_nothing(text: str, error: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        _read(text)
    assert str(raised.value) == error


def test_any_minor_version_of_the_format_is_read() -> None:
    for version in ("1.0", "1.2", "1.99"):
        assert "✅ Nothing dangerous" in _read(json.dumps(plan(format_version=version)))


def test_a_plan_without_resources_is_read() -> None:
    text = json.dumps({key: value for key, value in plan().items() if key != "resource_changes"})
    assert "## ✅ Nothing dangerous: nothing changes in 1 stack" in _read(text)


def test_the_newest_kinds_of_change_are_told() -> None:
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
        ("incomplete", "aws_vpc.it"),
        ("action-invoked", "action.aws_lambda_invoke.it"),
    }


SECRET = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    "sensitive",
    [True, {"value": True}, {"blocks": True}, {"blocks": [{}, {"value": True}]}, {"nested": {"deep": True}}],
)
def test_a_sensitive_value_never_appears_wherever_it_stands(sensitive: Any) -> None:
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


def test_a_sensitive_value_shows_no_length_either() -> None:
    def text(secret: str) -> str:
        before, after = {"value": "the first"}, {"value": secret}
        marks = ({"value": True}, {"value": True})
        return comment(reviewed(plan(change("aws_ssm_parameter.it", "update", before, after, sensitive=marks))))

    assert text("short1") == text("much longer than the other")
    assert "`value`: (sensitive) → `(sensitive, changed)`" in text("short1")


def test_sensitive_variables_and_outputs_do_not_appear() -> None:
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


def test_where_an_open_policy_will_come_from_is_said() -> None:
    """A policy that nobody can read yet is dangerous; the comment says whose output decides it."""
    document = change(
        "data.aws_iam_policy_document.deny",
        "read",
        None,
        {
            "statement": [
                {
                    "effect": "Deny",
                    "actions": ["*"],
                    "resources": ["*"],
                    "condition": [{"test": "NotIpAddress", "variable": "aws:SourceIp"}],
                }
            ]
        },
        unknown={"json": True, "statement": [{"condition": [{"values": True}]}]},
        mode="data",
    )
    policy = change("aws_iam_policy.deny", "create", None, {"name": "deny"}, unknown={"policy": True})
    addresses = "data.terraform_remote_state.dev_network.outputs.nat_public_ips"
    configuration = {
        "root_module": {
            "resources": [
                {
                    "address": "data.aws_iam_policy_document.deny",
                    "expressions": {"statement": [{"condition": [{"values": {"references": [addresses]}}]}]},
                },
                {
                    "address": "aws_iam_policy.deny",
                    "expressions": {"policy": {"references": ["data.aws_iam_policy_document.deny.json"]}},
                },
            ]
        }
    }
    text = comment(reviewed(plan(document, policy, configuration=configuration)))
    assert (
        "`stack/aws_iam_policy.deny`: a part of `policy` is known after the apply only: "
        "it will come from dev-network's output `nat_public_ips`"
    ) in text


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
        "aws_iam_policy",
        "aws_iam_role",
        "aws_iam_user",
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
        st.sampled_from(["policy", "ingress", "name", "arn", "rule", "user", "retention_in_days", "metadata_options"]),
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


@given(st.lists(_changes(), max_size=6), _JSON, st.lists(_changes(), max_size=2))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_plan_of_terraforms_is_reviewed(changes: list[Any], configuration: Any, drift: list[Any]) -> None:
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
    told = {finding.address for finding in found.dangerous if finding.rule.endswith("-lost")}
    held = {c["address"] for c in changes if any(kind in c["address"] for kind in ("aws_eip", "aws_instance"))}
    assert lost & held <= told


@given(st.randoms(use_true_random=False), st.sampled_from(["repository-added", "webhook-senders-changed"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_plan_with_anything_in_any_place_is_reviewed_or_refused(random: Any, scenario: str) -> None:
    [source] = real(scenario)
    content = json.loads(source.text)
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
        text = comment(review([Source(stack="stack", where="plan.json", text=json.dumps(content))], []))
    except UnreadableError as error:
        refused = str(error)
    assert refused is None or refused.startswith("error: plan.json: ")
    assert refused is not None or text.startswith("<!-- kakehashi-review -->\n## ")
