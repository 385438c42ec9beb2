"""Arguments stand in the order in which people write them. cdktf writes them alphabetically."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ops.handover import argument_order, convert, shipped

_TYPES: dict[str, str] = json.loads(Path(argument_order.__file__).with_suffix(".json").read_text("utf-8"))["types"]


def names(type: str, arguments: dict[str, Any], *, indent: int = 2) -> list[str]:
    """The arguments of a resource, as they are written with this indent."""
    document = {"resource": {type: {"it": dict(sorted(arguments.items()))}}}
    (text,) = convert(document, name="web", schemas=shipped()).files.values()
    return re.findall(rf"^ {{{indent}}}(\w+) =", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("type", "order"),
    [
        ("aws_vpc_security_group_ingress_rule", "security_group_id description from_port to_port ip_protocol"),
        ("aws_cloudwatch_metric_alarm", "alarm_name metric_name threshold alarm_actions tags"),
        ("aws_iam_role_policy", "name role policy"),
        ("aws_iam_user_policy_attachment", "user policy_arn"),
        ("aws_route", "route_table_id destination_cidr_block gateway_id"),
        ("aws_s3_object", "bucket key content"),
        ("aws_sns_topic_subscription", "topic_arn protocol endpoint"),
        ("aws_lb", "name subnets ip_address_type tags"),
    ],
)
def test_orders_the_arguments_of_known_types(type: str, order: str) -> None:
    assert names(type, dict.fromkeys(order.split(), "x")) == order.split()


def test_a_nested_block_has_an_order_of_its_own() -> None:
    options = {"http_endpoint": "enabled", "http_put_response_hop_limit": 1, "http_tokens": "required"}
    instance = {"ami": "a", "instance_type": "t3.nano", "metadata_options": [options]}
    found = names("aws_instance", instance, indent=4)
    assert found == ["http_endpoint", "http_tokens", "http_put_response_hop_limit"]


def test_what_a_resource_of_another_type_is_part_of_comes_first() -> None:
    instance = {"apply_immediately": True, "cluster_identifier": "${aws_neptune_cluster.it.id}"}
    assert names("aws_neptune_cluster_instance", instance) == ["cluster_identifier", "apply_immediately"]


def test_keeps_pairs_together_in_other_types() -> None:
    rule = {"action": "allow", "from_port": 1, "icmp_code": 0, "protocol": "tcp", "rule_no": 1, "to_port": 2}
    found = names("aws_default_network_acl", {"default_network_acl_id": "x", "ingress": [rule]}, indent=4)
    assert found == ["from_port", "to_port", "protocol", "icmp_code", "rule_no", "action"]


def test_every_type_has_the_arguments_that_it_is_ordered_by() -> None:
    found = (shipped().provider("hashicorp/aws", f"~> {major}.0") for major in (4, 5, 6))
    aws = [release for release in found if release is not None]
    unknown = {}
    for path, order in _TYPES.items():
        own, *inner = path.split("/")
        shapes = [it for release in aws for kind in ("resource", "data") if (it := release.find(kind, own)) is not None]
        for name in inner:
            shapes = [it.blocks[name] for it in shapes if name in it.blocks]
        unknown[path] = set(order.split()) - {name for it in shapes for name in (*it.arguments, *it.blocks)}
    assert {path: it for path, it in unknown.items() if it and path.startswith("aws_")} == {}


def test_orders_the_keys_of_json() -> None:
    pattern = json.dumps({"detail": {"a-b": ["x"], "c": [{"prefix": "p"}]}, "detail-type": ["t"], "source": ["s"]})
    pattern = pattern.replace(": ", ":").replace(", ", ",")
    document = {"resource": {"aws_cloudwatch_event_rule": {"it": {"event_pattern": pattern, "name": "n"}}}}
    assert (
        "jsonencode({\n"
        '    source = ["s"]\n'
        '    detail-type = ["t"]\n'
        "    detail = {\n"
        '      a-b = ["x"]\n'
        '      c = [{ prefix = "p" }]\n'
        "    }\n"
        "  })\n"
    ) in convert(document, name="web", schemas=shipped()).files["eventbridge.tf"]
