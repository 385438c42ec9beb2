"""What a plan's own configuration says about providers, and what no rule reads in it."""

import copy
import json
from typing import Any

import pytest

from ops.review import PlanFile, review
from tests.ops.review.plans import real, reviewed
from tests.terraform.plans import plan

RULE, ACCOUNT = "provider-settings", "222222222222"
AWS = {"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws"}
SET = {"region": {"constant_value": "ap-northeast-1"}, "allowed_account_ids": {"constant_value": [ACCOUNT]}}
ANY = {"region": SET["region"]}


def _role(account: str = ACCOUNT, **more: Any) -> list[Any]:
    return [{"role_arn": {"constant_value": f"arn:aws:iam::{account}:role/x"}, **more}]


def _found(*plans: dict[str, Any]) -> set[tuple[str, str]]:
    """Where the rule finds something in plans with these expressions, by the providers' keys: stack and address."""
    configured = [
        {"root_module": {}, "provider_config": {key: {**AWS, "expressions": one} for key, one in providers.items()}}
        for providers in plans
    ]
    found = reviewed(*(plan(configuration=configuration) for configuration in configured))
    return {(one.stack, one.address) for one in found.dangerous if one.rule == RULE}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "assume_role": _role(),
            "profile": {"constant_value": "prd"},
            "default_tags": [{"tags": {"constant_value": 1}}],
        },
        {"http_proxy": {"constant_value": None}},
    ],
)
def test_the_settings_of_a_deployment_are_not_dangerous(more: dict[str, Any]) -> None:
    assert _found({"aws": {**SET, **more}, "aws.other": SET}) == set()


@pytest.mark.parametrize(
    "more",
    [
        {"endpoints": [{"sts": {"constant_value": "https://example.org"}}]},
        {"http_proxy": {"constant_value": "http://192.0.2.1:3128"}},
        {"https_proxy": {"references": ["var.proxy"]}},
        {"insecure": {"constant_value": True}},
        {"insecure": {}},
        {"custom_ca_bundle": {"constant_value": "x.pem"}},
        {"shared_credentials_files": {"constant_value": ["x"]}},
        {"ignore_tags": [{"keys": {"constant_value": ["x"]}}]},
        {"assume_role_with_web_identity": _role()},
        {"assume_role": _role("999999999999")},
        {"assume_role": [*_role(), *_role("999999999999")]},
        {"assume_role": _role(policy={"constant_value": "{}"})},
        {"assume_role": [{"role_arn": {"references": ["var.role"]}}]},
        {"assume_role": [{"role_arn": {"constant_value": "${var.role}"}}]},
        {"assume_role": [{"role_arn": {"constant_value": "arn:aws"}}]},
        {"assume_role": {"role_arn": {}}},
        {"allowed_account_ids": {"constant_value": [ACCOUNT, "999999999999"]}},
        {"allowed_account_ids": {"constant_value": []}},
        {"allowed_account_ids": {"constant_value": ["${var.account}"]}},
        {"allowed_account_ids": {"references": ["var.account"]}},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("aws", "provider.aws"),
        ("aws.other", "provider.aws.other"),
        ("module.a.module.b:aws.other", "module.a.module.b.provider.aws.other"),
    ],
)
def test_what_a_provider_sets_and_no_rule_reads_is_dangerous(more: dict[str, Any], key: str, address: str) -> None:
    assert _found({"aws": SET, key: {**SET, **more}}) == {("stack", address)}


@pytest.mark.parametrize("odd", [[1], "x", 0])
def test_arguments_that_cannot_be_read_are_dangerous(odd: Any) -> None:
    assert _found({"aws": odd}) == {("stack", "provider.aws")}


def test_a_provider_without_an_account_is_dangerous_where_another_provider_has_one() -> None:
    assert _found({"aws": ANY}) == set()
    assert _found({"aws": ANY}, {"aws": ANY}) == set()
    assert _found({"aws": SET}, {"aws": ANY}) == {("stack-1", "provider.aws")}
    assert _found({"aws": SET, "aws.other": ANY}) == {("stack", "provider.aws.other")}
    assert _found({"aws": SET, "module.a:aws": ANY}) == {("stack", "module.a.provider.aws")}


def test_a_role_without_the_account_that_it_must_be_of_is_dangerous() -> None:
    assert _found({"aws": {**ANY, "assume_role": _role()}}) == {("stack", "provider.aws")}


def test_an_accepted_server_is_not_accepted_for_another_one() -> None:
    def digests(server: str) -> set[str | None]:
        arguments = {**SET, "endpoints": [{"sts": {"constant_value": server}}]}
        configuration = {"root_module": {}, "provider_config": {"aws": {**AWS, "expressions": arguments}}}
        return {one.digest for one in reviewed(plan(configuration=configuration)).dangerous}

    assert digests("https://example.org").isdisjoint(digests("https://example.com"))


def test_a_real_plan_that_changes_nothing_is_dangerous_with_another_server() -> None:
    files = []
    for file in real("nothing-changes"):
        document = copy.deepcopy(json.loads(file.text))
        if file.stack == "prd-codecommit":
            expressions = document["configuration"]["provider_config"]["aws"]["expressions"]
            expressions["endpoints"] = [{"sts": {"constant_value": "https://example.org"}}]
            del expressions["allowed_account_ids"]
        files.append(PlanFile(stack=file.stack, where=file.where, text=json.dumps(document)))
    found = review(files, [])
    assert found.fails
    assert [(one.rule, one.stack, one.address, one.what) for one in found.dangerous] == [
        (RULE, "prd-codecommit", "provider.aws", "sets what no rule reads: `endpoints`"),
        (RULE, "prd-codecommit", "provider.aws", "works in any account: `allowed_account_ids` is missing"),
    ]


@pytest.mark.parametrize("host", ["registry.example", "hashicorp", "evil.example/registry.terraform.io"])
def test_a_new_stack_may_not_take_its_provider_from_another_registry(host: str) -> None:
    provider = f"{host}/hashicorp/aws"
    found, expected = (
        reviewed(plan(configuration={"root_module": {}, "provider_config": {"aws": {**AWS, "full_name": name}}}))
        for name in (provider, AWS["full_name"])
    )
    assert ("provider-new", provider) in {(one.rule, one.address) for one in found.dangerous}
    assert "provider-new" not in {one.rule for one in expected.dangerous}
