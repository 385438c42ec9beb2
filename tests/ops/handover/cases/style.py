"""Stacks in which values, blocks and texts repeat, and near misses."""

from typing import Any

from tests.ops.handover.cases.documents import Document

_ID = "222222222222"
_REGION = "eu-west-1"


def provider(**arguments: Any) -> Document:
    """A stack's provider for this account and region."""
    return {"provider": {"aws": [{"allowed_account_ids": [_ID], "region": _REGION, **arguments}]}}


def topics(**texts: str) -> Document:
    """A topic with each of these display names."""
    return {"resource": {"aws_sns_topic": {name: {"name": name, "display_name": it} for name, it in texts.items()}}}


ACCOUNT_AND_REGION: dict[str, Document] = {
    "in_texts": provider() | topics(a=f"{_ID} {_REGION}", b=f"x-{_ID}/{_REGION}a", c=_ID, d=_REGION),
    "within_longer_words": provider() | topics(a=f"1{_ID}", b=f"{_ID}0", c=f"x{_REGION}", d=f"{_REGION}1 {_REGION}ab"),
    "after_signs": provider() | topics(a=f"${_ID}", b=f"%{_REGION}", c=f"{_ID}$", d=f"{_REGION}%", e=f"$${{x}}{_ID}{{"),
    "of_another_local_value": provider()
    | {"locals": {"account_id": "1", "region": "x"}}
    | topics(a=f"{_ID} ${{local.account_id}}", b=f"{_REGION} {_ID} ${{local.region}}"),
    "of_the_same_local_value": provider()
    | {"locals": {"account_id": _ID, "other": f"{_ID}-${{local.account_id}}"}}
    | topics(a=f"{_ID} ${{local.other}}"),
    "in_json": provider()
    | {
        "resource": {
            "terraform_data": {"it": {"input": f'{{"a":"{_ID}","b":["{_REGION}","{_ID}"],"{_ID}":"{_REGION}"}}'}}
        }
    },
    "in_keys_and_expressions": provider()
    | {"output": {"o": {"value": {_ID: _ID, _REGION: [_ID, f'${{upper("{_REGION}")}}', {"a": _REGION}]}}}},
    "in_long_texts": provider()
    | {"locals": {"name": "bridge"}}
    | topics(a=f"{_ID} {_REGION}\n" * 12, b=f"{_ID} ${{local.name}} {_REGION}\n" * 12, c=f"{_ID} {_REGION}\nb\n"),
    "in_provisioners_and_conditions": provider()
    | {
        "resource": {
            "terraform_data": {
                "it": {
                    "input": [_ID, _ID, _REGION, _REGION],
                    "provisioner": [{"local-exec": {"command": f"echo {_ID}", "when": "destroy"}}],
                    "lifecycle": {
                        "precondition": [{"condition": "${path.module != null}", "error_message": f"Not {_ID}."}]
                    },
                }
            }
        }
    },
    "in_zones": provider()
    | {"resource": {"aws_subnet": {z: {"vpc_id": "v", "availability_zone": f"{_REGION}{z}"} for z in ("a", "b", "c")}}},
}

_DEFAULT = {"cost-center": "4711", "owner": "platform-team"}


def tagged(default: dict[str, str], **tags: Any) -> Document:
    """A topic with each of these tags, and a provider with default tags."""
    named = {name: {"name": name, "tags": it} for name, it in tags.items()}
    return provider(default_tags=[{"tags": default}]) | {"resource": {"aws_sns_topic": named}}


def group(*tags: tuple[str, str, bool]) -> Document:
    """An Auto Scaling group with these tags: key, value, whether instances get it."""
    blocks = [{"key": key, "value": value, "propagate_at_launch": launch} for key, value, launch in tags]
    return {
        "locals": {"name": "bridge"},
        "resource": {
            "aws_sns_topic": {"other": {"name": "other"}},
            "aws_autoscaling_group": {
                "it": {
                    "min_size": 1,
                    "max_size": 1,
                    "availability_zones": ["eu-west-1a"],
                    "launch_configuration": "x",
                    "tag": blocks,
                }
            },
        },
    }


TAGS: dict[str, Document] = {
    "of_resources": tagged(_DEFAULT, a=_DEFAULT, b={"Name": "b", **_DEFAULT}, c={"Name": "c"}),
    "with_other_values": tagged(_DEFAULT, a=_DEFAULT | {"owner": "x"}, b={"owner": "platform-team"}, c=_DEFAULT),
    "with_references": tagged(_DEFAULT, a=_DEFAULT | {"Name": "${aws_sns_topic.b.arn}"}, b=_DEFAULT),
    "with_signs": tagged({"a:b/c": "$${x} 架", "d e": '"\\'}, a={"a:b/c": "$${x} 架", "d e": '"\\', "f": "%"}),
    "with_a_local_value": tagged(_DEFAULT, a=_DEFAULT, b=_DEFAULT) | {"locals": {"tags": {"x": "y"}}},
    "with_the_account": tagged(_DEFAULT | {"account": _ID}, a=_DEFAULT | {"account": _ID}, b={"account": _ID}),
    "in_objects": tagged(_DEFAULT, a=_DEFAULT)
    | {"output": {"o": {"value": [_DEFAULT | {"n": 1, "none": None}, _DEFAULT, {"tags": _DEFAULT}]}}},
    "of_a_group": group(("a", "1", True), ("b", "${local.name}", True), ("c", "${aws_sns_topic.other.arn}", True))
    | provider(default_tags=[{"tags": {"a": "1", "d": "x"}}]),
    "of_a_group_with_default_tags": group(("a", "1", True), ("b", "2", True), ("c", "${aws_sns_topic.other.arn}", True))
    | provider(default_tags=[{"tags": {"a": "1", "b": "2"}}]),
    "of_a_group_not_alike": group(("a", "1", True), ("b", "2", False), ("c", "3", True)),
    "of_a_group_twice": group(("a", "1", True), ("a", "2", True), ("c", "3", True)),
    "of_a_group_by_reference": group(("${local.name}", "1", True), ("a", "2", True), ("c", "3", True)),
}
