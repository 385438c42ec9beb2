"""Strings of JSON become `jsonencode(…)` where it returns the same string."""

from typing import Any

import pytest

from ops.handover.hcl import Block, FunctionCall, Template
from ops.handover.json_strings import with_jsonencode, with_plain_paths
from ops.handover.printing import expression
from terraform.templates import parts

ENCODED = (
    '{"a":"${aws_ecr_repository.it.repository_url}:1","b":"${data.aws_region.now.name}"}',
    '{"a":"/x/${aws_cloudwatch_log_group.it["a"].name}"}',
    '{"a":1,"b":[true,null,-0,1.5,10,0.001]}',
    '{"a":"x <\\u003e"}'.replace("<", "\\u003c"),
    "[[]]",
    '{"a":"${aws_sns_topic.it.arn}/*"}',
    '{"a":"${data.aws_caller_identity.it.account_id}"}',
    '{"a":' + "7" * 150 + "}",
    '{"a":${jsonencode(local.it)},"b":["${aws_sns_topic.it.arn}",${jsonencode(null)}]}',
    '{"a":${jsonencode([for it in var.it : try(it.x, { "y" = it })])}}',
)
KEPT = (
    '{"a":"${aws_sns_topic.it.display_name}"}',
    '{"a":"${aws_cloudwatch_metric_alarm.it.name}"}',
    '{"a":"${aws_ecr_repository.it.repository_url.x}"}',
    # Nobody calls a function for them.
    "[]",
    "{}",
    '{"a":2.0}',
    '{"a":1e+16}',
    '{"a":1E3}',
    '{"a":-0.0}',
    '{"a":0.10}',
    '{"a":' + "7" * 151 + "}",
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a": 1}',
    '{"a":NaN}',
    '{"a":"\\b"}',
    '{"a":"<"}',
    '{"a":"e\u0301"}',
    '{"a":"\ue0000\ue001"}',
    # What it is, and which characters it has, is only known in the plan.
    '{"a":"${local.it.id}"}',
    '{"a":"${var.it.arn}"}',
    '{"a":"${each.value.arn}"}',
    '{"a":"${data.terraform_remote_state.it.outputs.key_arn}"}',
    # Its name may have characters that JSON escapes.
    '{"a":"${aws_cloudwatch_metric_alarm.it.arn}"}',
    '{"a":"${aws_iam_role.it.arn}"}',
    '{"a":"${data.aws_caller_identity.it.arn}"}',
    '{"a":"${aws_sns_topic.it.tags.id}"}',
    '{"a":"${aws_sns_topic.it.tags["x"].arn}"}',
    '{"${aws_sns_topic.it.arn}":1}',
    '{"a":${aws_sns_topic.it.id}}',
    "[" * 2000 + "]" * 2000,
    # Within a string, it is text in which nothing is escaped.
    '{"a":"${jsonencode(local.it)}"}',
    '{"a":"x,${jsonencode(local.it)},y"}',
    '{"a":"x\\${jsonencode(local.it)}',
    '{"a":"x\\${jsonencode(local.it)}y\\${jsonencode(local.it)}',
    "{${jsonencode(local.it)}:1}",
    '{"a":1${jsonencode(local.it)}}',
    '{"a":${~ jsonencode(local.it) ~}}',
    '{"a":${jsonencode(local.it...)}}',
    '{"a":${jsonencode(/* why */ local.it)}}',
    '{"a":${jsonencode(local.it) == "1"}}',
    '{"a":${jsonencode(local.it)[0]}}',
    '{"a":${(jsonencode(local.it))}}',
    '{"a":${base64encode(local.it)}}',
    '{"b":${jsonencode(local.it)},"a":1}',
)


def _converted(text: str) -> Any:
    return with_jsonencode(Block("it", arguments={"it": Template(tuple(parts(text)))})).arguments["it"]


@pytest.mark.parametrize("text", ENCODED)
def test_encodes(text: str) -> None:
    assert isinstance(_converted(text), FunctionCall)


@pytest.mark.parametrize("text", KEPT)
def test_keeps(text: str) -> None:
    assert isinstance(_converted(text), Template)


def test_a_call_within_becomes_the_value_itself() -> None:
    converted = _converted('{"a":[${jsonencode(local.it)}],"b":"${aws_sns_topic.it.arn}"}')
    assert expression(converted) == "jsonencode({\n  a = [local.it]\n  b = aws_sns_topic.it.arn\n})"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"b": "${aws_sns_topic.it.arn}", "a": [1]}', FunctionCall),
        ('{"a": 1.0}', Template),
        ('{"a": 1, "a": 2}', Template),
        ('{"a": "${var.it}"}', Template),
        ("plain", Template),
    ],
)
def test_encodes_policies_by_their_meaning(text: str, kind: type) -> None:
    policy = Template(tuple(parts(text)))
    arguments = {"policy": policy, "name": policy}
    converted = with_jsonencode(Block("resource", ("aws_iam_policy", "it"), arguments=arguments)).arguments
    assert isinstance(converted["policy"], kind)
    assert isinstance(converted["name"], Template)
    other = with_jsonencode(Block("data", ("aws_iam_policy", "it"), arguments=arguments)).arguments
    assert isinstance(other["policy"], Template)


@pytest.mark.parametrize(("path", "kind"), [(None, FunctionCall), ("/a-b/", FunctionCall), ("/a<b/", Template)])
def test_encodes_the_arn_of_a_role_whose_path_has_nothing_to_escape(path: str | None, kind: type) -> None:
    arguments = {} if path is None else {"path": Template(tuple(parts(path)))}
    plain = with_plain_paths([Block("resource", ("aws_iam_role", "it"), arguments=arguments)])
    block = Block("it", arguments={"it": Template(tuple(parts('{"a":"${aws_iam_role.it.arn}"}')))})
    assert isinstance(with_jsonencode(block, plain).arguments["it"], kind)
