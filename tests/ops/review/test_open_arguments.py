"""An argument that is known after the apply only protects nothing, unless AWS alone decides it."""

from typing import Any

import pytest

from ops.review.outcome import Review
from ops.review.resource_types import ASSIGNED
from tests.ops.review.plans import found_rules, reviewed
from tests.terraform.plans import change, plan

ATTACKER = change("terraform_data.x", "create", None, {"input": "0.0.0.0/0"}, unknown={"output": True})
KEY = "arn:aws:kms:ap-northeast-1:222222222222:key/old"


def _open(kind: str, name: str, text: Any, *others: dict[str, Any], before: Any = None, **known: Any) -> Review:
    """The review of an object with one open argument, as a .tf.json file has it."""
    written = text if isinstance(text, list) else [text]
    references = [one.partition("${")[2].partition("}")[0] for one in written]
    expressions = {argument: {"constant_value": value} for argument, value in known.items()}
    resources = [
        {"address": other["address"], "expressions": {"input": {}} if other is ATTACKER else {}} for other in others
    ]
    configured = {**expressions, name: {"constant_value": text, "references": references}}
    resources.append({"address": f"{kind}.it", "expressions": configured})
    planned = "create" if before is None else "update"
    object_ = change(f"{kind}.it", planned, None if before is None else {name: before}, known, unknown={name: True})
    return reviewed(plan(*others, object_, configuration={"root_module": {"resources": resources}}))


def test_a_finding_says_what_an_open_setting_comes_from() -> None:
    (found,) = _open("aws_lb", "internal", "${tobool(terraform_data.x.output)}", ATTACKER).dangerous
    assert found.rule == "opened"
    assert "`internal` is known after the apply only, from `tobool(terraform_data.x.output)`" in found.what


def test_an_argument_that_nobody_sets_is_not_open() -> None:
    planned = change("aws_instance.it", "create", None, {}, unknown={"associate_public_ip_address": True})
    resources = [{"address": "aws_instance.it", "expressions": {"ami": {"constant_value": "ami-1"}}}]
    assert found_rules(reviewed(plan(planned, configuration={"root_module": {"resources": resources}}))) == set()


@pytest.mark.parametrize(("actions", "is_found"), [(["delete", "create"], False), (["create"], True)])
def test_a_key_that_is_replaced_is_the_same_key(actions: list[str], is_found: bool) -> None:
    before = None if actions == ["create"] else {"arn": KEY}
    key = change("aws_kms_key.it", actions, before, {}, unknown={"arn": True})
    found = _open("aws_sns_topic", "kms_master_key_id", "${aws_kms_key.it.arn}", key, before=KEY)
    assert (("encryption-lifted", "aws_sns_topic.it") in found_rules(found)) == is_found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("${aws_eip.it.public_ip}/32", False),
        ("${aws_eip.it.public_ip}/0", True),
        ("${terraform_data.x.output}", True),
        (["${aws_eip.it.public_ip}/32", "${terraform_data.x.output}"], True),
    ],
)
def test_an_address_that_aws_assigns_lets_nobody_else_in(text: str | list[str], is_found: bool) -> None:
    address = change("aws_eip.it", "create", None, {}, unknown={"public_ip": True})
    name = "cidr_blocks" if isinstance(text, list) else "cidr_ipv4"
    kind = "aws_security_group_rule" if isinstance(text, list) else "aws_vpc_security_group_ingress_rule"
    found = _open(kind, name, text, address, ATTACKER, type="ingress")
    assert (("more-let-in", f"{kind}.it") in found_rules(found)) == is_found


def test_every_assigned_attribute_has_a_reason() -> None:
    assert all(len(reason) > 10 for reason in ASSIGNED.values())
