"""Parts of a plan's policies and attributes that are known before the apply."""

import json
from collections.abc import Mapping
from typing import Any

from terraform.plan import Plan, read
from terraform.plan_configuration import module_of, remote_output
from terraform.plan_references import PlanReferences, ResolvedPolicy
from terraform.plan_values import KnownAfterApply, Sensitive
from tests.terraform.plans import change, plan

ADDRESSES = "data.terraform_remote_state.dev_network.outputs.nat_public_ips"
PROVIDER = {
    "aws": {
        "expressions": {
            "region": {"constant_value": "ap-northeast-1"},
            "allowed_account_ids": {"constant_value": ["222222222222"]},
        }
    }
}


def _read(content: Mapping[str, Any]) -> Plan:
    return read("stack", json.dumps(content), "plan.json")


def _policy(
    statement: Mapping[str, Any],
    unknown: Any,
    expressions: Mapping[str, Any],
    *others: Mapping[str, Any],
    sensitive: Any = False,
    document: Mapping[str, Any] | None = None,
) -> tuple[ResolvedPolicy | None, frozenset[KnownAfterApply]]:
    """The policy that an aws_iam_policy takes from a document of one statement, and what is open in it."""
    data = change(
        "data.aws_iam_policy_document.it",
        "read",
        None,
        {"statement": [statement], **(document or {})},
        unknown={"json": True, "statement": [unknown]},
        sensitive=(False, {"statement": [sensitive]}),
        mode="data",
    )
    policy = change("aws_iam_policy.it", "create", None, {"name": "it"}, unknown={"policy": True})
    configured = [
        {"address": "data.aws_iam_policy_document.it", "expressions": {"statement": [expressions]}},
        {
            "address": "aws_iam_policy.it",
            "expressions": {"policy": {"references": ["data.aws_iam_policy_document.it.json"]}},
        },
    ]
    configuration = {"root_module": {"resources": configured}, "provider_config": PROVIDER}
    found = _read(plan(data, policy, *others, configuration=configuration))
    references = PlanReferences(found)
    [changed] = [one for one in found.changes if one.address == "aws_iam_policy.it"]
    return references.policy_after(changed, "policy"), references.open_values(changed, "policy")


def _statement(policy: ResolvedPolicy | None) -> Any:
    assert policy is not None
    [statement] = json.loads(policy.written(lambda found: f"<{found}>"))["Statement"]
    return statement


DENY = {
    "effect": "Deny",
    "actions": ["*"],
    "resources": ["*"],
    "condition": [{"test": "NotIpAddress", "variable": "aws:SourceIp"}],
}


def test_an_open_value_of_a_policy_carries_its_reference() -> None:
    policy, open_values = _policy(
        DENY,
        {"condition": [{"values": True}]},
        {"condition": [{"values": {"references": [ADDRESSES, "data.terraform_remote_state.dev_network"]}}]},
    )
    assert policy is not None
    assert policy.open == {KnownAfterApply(ADDRESSES)} == open_values
    written = json.loads(policy.written(lambda _: "240.0.0.1/32"))
    assert written["Statement"] == [
        {
            "Effect": "Deny",
            "Action": ["*"],
            "Resource": ["*"],
            "Condition": {"NotIpAddress": {"aws:SourceIp": ["240.0.0.1/32"]}},
        }
    ]


def test_an_open_value_without_a_reference_is_still_open() -> None:
    policy, _ = _policy(DENY, {"condition": [{"values": True}]}, {})
    assert policy is not None
    assert policy.open == {KnownAfterApply()}


def test_a_known_policy_has_no_open_values_whatever_its_texts() -> None:
    text = '{"Statement": [{"Sid": "(x, known after apply)"}]}'
    found = _read(plan(change("aws_iam_policy.it", "create", None, {"policy": text})))
    policy = PlanReferences(found).policy_after(found.changes[0], "policy")
    assert policy is not None
    assert (policy.written(str), policy.open) == (text, frozenset())


def test_an_arn_is_known_before_its_resource_exists() -> None:
    """`aws_codecommit_repository.it` is only created by the apply, but its name is in the plan."""
    repository = change(
        "aws_codecommit_repository.it", "create", None, {"repository_name": "batch"}, unknown={"arn": True}
    )
    statement = {"actions": ["codecommit:GitPull"], "resources": [None]}
    policy, _ = _policy(
        statement,
        {"resources": [True]},
        {"resources": {"references": ["aws_codecommit_repository.it.arn"]}},
        repository,
    )
    assert policy is not None
    assert policy.open == frozenset()
    assert _statement(policy)["Resource"] == ["arn:aws:codecommit:ap-northeast-1:222222222222:batch"]


def test_a_reference_within_a_text_leaves_only_its_part_open() -> None:
    policy, _ = _policy(
        {"actions": ["s3:GetObject"]},
        {"resources": True},
        {"resources": {"constant_value": ["arn:aws:s3:::${aws_s3_bucket.it.id}/$${aws:username}"]}},
    )
    assert policy is not None
    assert policy.open == {KnownAfterApply("aws_s3_bucket.it.id")}
    [resource] = json.loads(policy.written(lambda _: "BUCKET"))["Statement"][0]["Resource"]
    assert resource == "arn:aws:s3:::BUCKET/${aws:username}"


def test_a_sensitive_value_in_a_policy_is_neither_dropped_nor_shown() -> None:
    policy, _ = _policy(
        {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::secret", "arn:aws:s3:::open"]},
        {"condition": []},
        {},
        sensitive={"resources": [True, False]},
    )
    assert policy is not None
    assert policy.open == frozenset()
    seen = []

    def hidden(found: object) -> str:
        seen.append(found)
        return "HIDDEN"

    written = policy.written(hidden)
    assert json.loads(written)["Statement"][0]["Resource"] == ["HIDDEN", "arn:aws:s3:::open"]
    assert seen == [Sensitive()]


def test_a_policy_with_an_unknown_structure_is_unknown_as_a_whole() -> None:
    """An unknown condition or effect cannot be left out: the statement would mean something else."""
    for unknown in ({"condition": True}, {"effect": True}, {"principals": True}):
        assert _policy(DENY, unknown, {})[0] is None
    assert _policy(DENY, {}, {}, document={"source_policy_documents": ["{}"]})[0] is None


def test_a_replaced_object_keeps_its_attributes_until_they_are_known() -> None:
    found = _read(plan(change("aws_eip.it", ["delete", "create"], {"id": "eip-1"}, {}, unknown={"id": True})))
    assert PlanReferences(found).value("", "aws_eip.it.id") == "eip-1"


def test_configured_arguments_and_references_are_found_in_modules_and_for_each_instance() -> None:
    resource = {
        "address": "aws_x.it",
        "expressions": {"name": {"references": ["var.names.first", "var.names", "var"]}, "size": {}},
    }
    calls = {"a": {"module": {"resources": [resource]}}}
    found = PlanReferences(_read(plan(configuration={"root_module": {"module_calls": calls}}))).configuration
    assert found.arguments('module.a[0].aws_x.it["k"]') == frozenset({"name", "size"})
    assert found.references("module.a.aws_x.it", "name") == ["var.names.first"]
    assert found.arguments("aws_x.it") is None
    assert module_of('module.a["x.y"].module.b[0].aws_x.it') == 'module.a["x.y"].module.b[0].'


def test_a_reference_to_another_stacks_output_names_stack_and_output() -> None:
    assert remote_output(ADDRESSES) == ("dev_network", "nat_public_ips")
    assert remote_output("aws_eip.it.id") is None
    configuration = {"root_module": {"resources": [{"x": [f"${{{ADDRESSES}}}"]}]}}
    found = PlanReferences(_read(plan(configuration=configuration))).configuration
    assert found.remote_outputs() == {("dev_network", "nat_public_ips")}


def test_an_arn_has_the_region_and_account_of_the_resources_own_provider() -> None:
    def provider(region: str, account: str) -> dict[str, object]:
        constants = {"region": {"constant_value": region}, "allowed_account_ids": {"constant_value": [account]}}
        return {"expressions": constants}

    topic = change("aws_sns_topic.it", "create", None, {"name": "it"}, unknown={"arn": True})
    resource = {"address": "aws_sns_topic.it", "provider_config_key": "aws.tokyo"}
    configuration = {
        "root_module": {"resources": [resource]},
        "provider_config": {
            "aws": provider("us-east-1", "111111111111"),
            "aws.tokyo": provider("ap-northeast-1", "222222222222"),
        },
    }
    references = PlanReferences(read("stack", json.dumps(plan(topic, configuration=configuration)), "plan.json"))
    assert references.value("", "aws_sns_topic.it.arn") == "arn:aws:sns:ap-northeast-1:222222222222:it"
