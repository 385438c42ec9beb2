"""Stacks in which values, blocks and texts repeat, and near misses."""

import json
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


def booleans(value: str) -> Document:
    """Arguments that are true or false to people, and strings to the provider."""
    ebs = {"delete_on_termination": value, "encrypted": value, "volume_size": 8}
    addresses = {"associate_carrier_ip_address": value, "associate_public_ip_address": value}
    template = {
        "name": "template",
        "image_id": "ami-0123456789abcdef0",
        "ebs_optimized": value,
        "block_device_mappings": [{"device_name": "/dev/xvda", "ebs": ebs}],
        "network_interfaces": [{**addresses, "delete_on_termination": value}],
    }
    group = {"name": "group", "port": 80, "protocol": "TCP", "vpc_id": "vpc-1", "preserve_client_ip": value}
    image = {
        "name": "image",
        "parent_image": "ami-0123456789abcdef0",
        "version": "1.0.0",
        "component": [{"component_arn": "arn:aws:imagebuilder:eu-west-1:aws:component/a/1.0.0"}],
        "block_device_mapping": [{"device_name": "/dev/xvda", "ebs": ebs}],
    }
    cache = {"cluster_id": "cache", "engine": "redis", "node_type": "cache.t4g.micro", "num_cache_nodes": 1}
    replicas = {"replication_group_id": "cache", "description": "r", "at_rest_encryption_enabled": value}
    return {
        "resource": {
            "aws_launch_template": {"it": template},
            "aws_lb_target_group": {"it": group},
            "aws_imagebuilder_image_recipe": {"it": image},
            "aws_elasticache_cluster": {"it": {**cache, "auto_minor_version_upgrade": value}},
            "aws_elasticache_replication_group": {"it": {**replicas, "auto_minor_version_upgrade": value}},
            "aws_ssm_parameter": {"it": {"name": "p", "type": "String", "value": value}},
        }
    }


BOOLEANS: dict[str, Document] = {
    name: booleans(value) for name, value in {"true": "true", "false": "false", "from_an_expression": "${true}"}.items()
}

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


def members(value: Any, *keys: str, **others: Any) -> Document:
    """An output of this value, beside topics and queues by key."""
    for_each = f"${{toset({json.dumps(keys or ('a', 'c'))})}}"
    resources = {
        "aws_sns_topic": {"it": {"for_each": for_each, "name": "topic-${each.key}"}},
        "aws_sqs_queue": {"it": {"for_each": for_each, "name": "queue-${each.key}"}, "one": {"name": "one"}},
        "aws_iam_user": {"other": {"for_each": '${toset(["a", "d"])}', "name": "user-${each.key}"}},
    }
    return {"resource": resources, "output": {"o": {"value": value}}, **others}


def by_key(text: str, *keys: str) -> dict[str, str]:
    return {key: text.replace("KEY", key) for key in keys}


def one_after_the_other(*texts: str, keys: tuple[str, ...] = ("a", "c")) -> str:
    """A list in an expression: the texts of the first key, then those of the next."""
    return "[" + ", ".join(text.replace("KEY", key) for key in keys for text in texts) + "]"


def digest(items: str) -> str:
    return f"${{sha1(jsonencode({items}))}}"


_NAME, _ARN, _QUEUE = (
    '${aws_sns_topic.it["KEY"].name}',
    '${aws_sns_topic.it["KEY"].arn}',
    '${aws_sqs_queue.it["KEY"].name}',
)
_BOTH = ('aws_sns_topic.it["KEY"].name', 'aws_sqs_queue.it["KEY"].name')

LOOPS: dict[str, Document] = {
    "map_of_names": members(by_key(_NAME, "a", "c")),
    "map_of_unknown_values": members(by_key(_ARN, "a", "c")),
    "map_in_another_order": members(by_key(_NAME, "c", "a")),
    "map_of_some": members(by_key(_NAME, "a")),
    "map_of_others": members({"a": _NAME.replace("KEY", "c"), "c": _NAME.replace("KEY", "a")}),
    "map_of_texts": members(by_key(f'x-{_NAME} "$${{y}}"\n{_QUEUE}', "a", "c")),
    "map_of_two_types": members(by_key(f"{_NAME}{_QUEUE}", "a", "c")),
    "map_of_lists": members({"a": [_NAME.replace("KEY", "a")], "c": [_NAME.replace("KEY", "c")]}),
    "map_of_another_block": members(by_key('${aws_iam_user.other["a"].name}', "a", "c")),
    "map_with_one_more": members({**by_key(_NAME, "a", "c"), "d": "x"}),
    "map_with_keys_that_need_quotes": members(by_key(_NAME, "1", "b-c"), "1", "b-c"),
    "map_with_the_name_of_the_iterator": members(
        by_key('${[for topic in ["x"] : [topic, aws_sns_topic.it["KEY"].name]]}', "a", "c")
    ),
    "list_of_names": members([*by_key(_NAME, "a", "c").values()]),
    "list_of_unknown_values": members([*by_key(_ARN, "a", "c").values()]),
    "list_in_another_order": members([*by_key(_NAME, "c", "a").values()]),
    "list_with_one_twice": members([*by_key(_NAME, "a", "c").values(), _NAME.replace("KEY", "c")]),
    "list_with_two_of_each": members(
        [_NAME.replace("KEY", "a"), _QUEUE.replace("KEY", "a"), _NAME.replace("KEY", "c"), _QUEUE.replace("KEY", "c")]
    ),
    "list_with_capitals": members([*by_key(_NAME, "B", "a").values()], "a", "B"),
    "list_in_a_hash": members(digest(one_after_the_other(*_BOTH))),
    "list_in_a_hash_by_type": members(
        f"${{sha1(jsonencode([{', '.join(it.replace('KEY', key) for it in _BOTH for key in 'ac')}]))}}"
    ),
    "list_in_a_hash_in_another_order": members(digest(one_after_the_other(*_BOTH, keys=("c", "a")))),
    "list_of_lists_in_a_hash": members(digest(one_after_the_other('[aws_sns_topic.it["KEY"].name, [1]]', _BOTH[1]))),
    "list_in_two_lists": members(
        f"${{[{one_after_the_other(_BOTH[0])}, {one_after_the_other(*_BOTH)}, aws_sqs_queue.one.name]}}"
    ),
    "list_with_strings_like_members": members(
        '${["aws_sns_topic.it[\\"a\\"].name", "aws_sns_topic.it[\\"c\\"].name"]}'
    ),
    "list_of_indexes": members(
        '${[["x", "y"][0], {"a" = 1}["a"], aws_sns_topic.it["a"].name, aws_sns_topic.it["c"].name][2]}'
    ),
    "list_with_comments": members('${[aws_sns_topic.it["a"].name, # a\n aws_sns_topic.it["c"].name # c\n]}'),
    "list_with_comments_after_texts": members(
        '${[aws_sns_topic.it["a"].name == "x"# a\n, aws_sns_topic.it["c"].name == "x"# a\n]}'
    ),
    "map_with_comments": members(by_key('${aws_sns_topic.it["KEY"].name # the name\n}', "a", "c")),
    "text_with_comments": members(by_key('x-${aws_sns_topic.it["KEY"].name /* the name */}', "a", "c")),
    "in_arguments_of_a_set": members("x")
    | {
        "data": {
            "aws_iam_policy_document": {
                "it": {
                    "statement": [{"actions": ["sns:Publish"], "resources": [*by_key(f"{_NAME}/*", "a", "c").values()]}]
                }
            }
        }
    },
    "in_the_map_of_another_block": members("x", locals={"names": by_key(_NAME, "a", "c")})
    | {"data": {"aws_iam_policy_document": {"it": {"for_each": "${local.names}", "policy_id": "${each.value}"}}}},
}


_PATTERN = "^(" + "|".join(f"{number}\\\\.[0-9]+" for number in range(10, 20)) + ")$"
_NUMBERS = list(range(1, 13))


def checked(required_version: str = ">= 1.9", **conditions: str) -> Document:
    """Variables with these checks, and an output of all."""
    return {
        "terraform": {"required_version": required_version},
        "variable": {
            name: {"type": "string", "default": "10.1", "validation": [{"condition": it, "error_message": "No."}]}
            for name, it in conditions.items()
        },
        "output": {"o": {"value": [f"${{var.{name}}}" for name in conditions]}},
    }


def matches(variable: str, pattern: str = _PATTERN) -> str:
    return f'${{can(regex("{pattern}", var.{variable}))}}'


VALIDATIONS: dict[str, Document] = {
    "with_a_pattern_twice": checked(a_name=matches("a_name"), b_name=matches("b_name")),
    "with_a_pattern_in_a_precondition": checked(a_name=matches("a_name"), b_name=matches("b_name"))
    | {
        "resource": {
            "terraform_data": {
                "it": {
                    "input": matches("a_name"),
                    "lifecycle": {"precondition": [{"condition": matches("b_name"), "error_message": "No."}]},
                }
            }
        }
    },
    "with_a_pattern_in_an_older_release": checked(">= 1.8, < 2.0", a=matches("a"), b=matches("b")),
    "with_a_pattern_that_has_an_expression": checked(
        a=matches("a", '${""}' + _PATTERN), b=matches("b", '${""}' + _PATTERN)
    ),
    "with_a_list": checked(a=f"${{contains({_NUMBERS}, 3) && var.a != null}}"),
    "with_a_list_of_texts": checked(a=f"${{!contains({json.dumps(list('abcdefghijkl'))}, var.a)}}"),
    "with_a_comment": checked(a=f"${{contains({_NUMBERS}, 3) && var.a != null # all\n}}"),
    "with_two_lists": checked(a=f"${{var.a != null && contains({_NUMBERS}, 3) && !contains({_NUMBERS[1:]}, 1)}}"),
    "with_a_list_that_has_a_reference": checked(
        a="${contains([" + ", ".join(f'"{number}.1"' for number in _NUMBERS) + ", var.a], var.a)}"
    ),
    "with_a_local_value_of_the_name": checked(a=f"${{contains({_NUMBERS}, 3) && var.a != null}}")
    | {"locals": {"allowed_a": 1}},
}


def same(text: str, times: int = 3) -> Document:
    """Topics that have this text."""
    return topics(**dict.fromkeys(("news", "alerts", "orders")[:times], text))


_KEY = f"arn:aws:kms:{_REGION}:{_ID}:key/1234abcd-12ab-34cd-86ef-1234567890ab"

ARNS: dict[str, Document] = {
    "of_a_key": same(_KEY),
    "of_a_key_with_the_account": provider() | same(_KEY),
    "of_a_bus": same(f"arn:aws:events:{_REGION}:{_ID}:event-bus/default"),
    "with_wildcards": same(f"arn:aws:s3:::{_ID}/*") | {"locals": {"a": ["arn:aws:iam::*:role/x"] * 3}},
    "of_a_local_value": same(_KEY)
    | {"locals": {"kms_key_arn": _KEY, "other": _KEY}, "output": {"o": {"value": "${local.other}"}}},
    "with_the_same_name": same("arn:aws:iam::1:role/a/x")
    | {"output": {"o": {"value": ["arn:aws:iam::1:role/b/x"] * 3}}},
    "with_references": {"locals": {"id": _ID}} | same("arn:aws:iam::${local.id}:role/x"),
    "in_json": {"resource": {"terraform_data": {"it": {"input": json.dumps([_KEY] * 3, separators=(",", ":"))}}}},
    "in_keys": {"output": {"o": {"value": [{_KEY: _KEY}, _KEY, _KEY]}}},
}


_NAMED = ("iam_group", "sqs_queue", "ecr_repository", "iam_user", "cloudwatch_log_group")


def named(*names: str, **local_values: Any) -> Document:
    """Resources of these names, each of another type; and a topic and an output with the first name in texts."""
    first = names[0]
    resources: dict[str, Any] = {f"aws_{it}": {"it": {"name": name}} for it, name in zip(_NAMED, names, strict=False)}
    topic = {"display_name": f"Alerts of {first}", "delivery_policy": f'{{"a":"{first}:"}}'}
    resources["aws_sns_topic"] = {
        "it": {"name": "o", "tags": {"Name": first, first: f"/app/{first}/x-{first}"}} | topic
    }
    return {
        "locals": {"zone": "a", **local_values},
        "resource": resources,
        "output": {"it": {"value": f"arn:aws:iam::{_ID}:role/{first}", "description": f"{first} "}},
    }


NAMES: dict[str, Document] = {
    "that_begin_alike": named("shop-dev-web", "shop-dev-mail", "shop-dev-${local.zone}", "shop-dev", "other"),
    "that_begin_alike_for_long": named(*(f"shop-dev-web-{it}" for it in "abcd"), "other"),
    "that_begin_alike_for_long_but_one": named(*(f"shop-dev-web-{it}" for it in "abcd"), "shop-dev"),
    "behind_signs": named(*(f"shop-dev-{it}" for it in "abcd"))
    | {"output": {"o": {"value": ["$shop-dev", "%shop-dev-a", "{$shop-dev}\n\n\n", "{shop-dev}"]}}},
    "of_which_one_is_the_beginning": named("a-b", "a-b-c", "a-b-d", "a-b-e"),
    "with_a_word_that_only_begins_so": named(*(f"shop-dev{it}" for it in ("eloper-a", "-b", "-c", "-d", "-e"))),
    "beside_a_local_of_that_name": named(*(f"shop-dev-{it}" for it in "abcd"), name="mine"),
    "with_references_in_a_word": named(*(f"shop-dev${{local.zone}}-{it}" for it in "abcd")),
}


def urls(value: Any, **zones: int) -> Document:
    """An output of this value, beside topics for each of the zones."""
    return {
        "locals": {"zones": zones, "stage": "https://example.com"},
        "resource": {"aws_sns_topic": {"it": {"for_each": "${local.zones}", "name": "${each.key}"}}},
        "output": {"o": {"value": value}},
    }


TEXTS_BY_KEY: dict[str, Document] = {
    "at_the_end": urls(by_key("${local.stage}/hooks/KEY", "a", "c"), a=1, c=2),
    "twice": urls(by_key("KEY://${local.stage}/KEY?", "b-1", "a"), **{"a": 1, "b-1": 2}),
    "after_a_sign": urls(by_key("$KEY %KEY $${KEY} KEY", "a", "c"), a=1, c=2),
    "in_words": urls(by_key("aKEY KEYs x-KEY KEY.x", "a", "c"), a=1, c=2),
    "of_other_keys": urls(by_key("x/KEY", "a", "d"), a=1, c=2),
    "of_another_key": urls({"a": "x/c", "c": "x/a"}, a=1, c=2),
    "in_another_text": urls({"a": "x/a", "c": "y/c"}, a=1, c=2),
    "in_local_values": urls("${local.urls}", a=1, c=2)
    | {"locals": {"urls": by_key("x/KEY", "a", "c"), "zones": by_key("y/KEY", "a", "c")}},
    "with_numbers_as_keys": urls(by_key("x/KEY", "1", "2"), **{"1": 1, "2": 2}),
}


def rules(*names: str, pattern: str, **arguments: Any) -> Document:
    """Event rules of one pattern."""
    rule = {"event_pattern": pattern, **arguments}
    return {"resource": {"aws_cloudwatch_event_rule": {name: {"name": name, **rule} for name in names}}}


def pattern(*more: str) -> str:
    """An event pattern of ten lines or more."""
    names = [*more, *(f"an-event-with-a-name-of-some-length-{number}" for number in range(10))]
    return json.dumps({"detail": {"eventName": names}}, sort_keys=True, separators=(",", ":"))


_LONG = {f"key_{number}": f"value {number}" for number in range(10)}


def inputs(value: Any) -> Document:
    """Two resources with this value, which differ in something else."""
    return {"resource": {"terraform_data": {"one": {"input": value}, "two": {"input": value, "triggers_replace": 1}}}}


LONG_VALUES: dict[str, Document] = {
    "patterns": rules("in_one", "in_other", pattern=pattern()),
    "with_a_reference": rules("one", "other", pattern=pattern("${aws_sns_topic.it.arn}")),
    "of_an_instance": rules("one", "other", pattern=pattern("${aws_sns_topic.it[count.index].arn}"), count=2),
    "in_a_taken_name": rules("one", "other", pattern=pattern()) | {"locals": {"event_pattern": 1}},
    "maps": inputs(_LONG),
    "lists": inputs(["x" * 30] * 9),
}
LONG_VALUES["with_a_reference"]["resource"] |= topics(it="x")["resource"]
LONG_VALUES["of_an_instance"]["resource"]["aws_sns_topic"] = {"it": {"count": 2, "name": "x"}}


NEEDLESS: dict[str, Document] = {
    "joins": {
        "locals": {"it": "x"},
        "resource": {
            "terraform_data": {
                "it": {
                    "input": [
                        '${join("-", ["shop", "web"])}',
                        '<${join("", ["a", "b",])}>$${join("-", ["a"])}${join("-",["", "e\u0301"])}',
                        '$${join("-", ["{x}", "y"])}${join("", ["$", "{x}"])}',
                        '${join("-", ["a", local.it])}',
                        '${join("-", ["a\\n"])}${upper(join("-", ["a", "b"]))}',
                        '${join("", [""])}',
                        {"key": '${join("/", ["{x}", "y"])}$'},
                    ]
                }
            }
        },
    },
    "null_and_iterator": {
        "resource": {
            "aws_instance": {
                "it": {
                    "ami": "ami-0123456789abcdef0",
                    "instance_type": "t4g.nano",
                    "key_name": None,
                    "user_data": "${null}",
                    "ebs_block_device": [
                        {"device_name": "/dev/sdf", "volume_size": 10, "iops": None},
                        {"device_name": "/dev/sdg", "volume_size": 10, "iops": 3000},
                    ],
                }
            },
            "aws_security_group": {
                "it": {
                    "name": None,
                    "dynamic": {
                        "ingress": {
                            "for_each": [80, 443],
                            "iterator": "ingress",
                            "content": {
                                "from_port": "${ingress.value}",
                                "to_port": "${ingress.value}",
                                "protocol": "tcp",
                            },
                        },
                        "egress": {
                            "for_each": [80, 443],
                            "iterator": "port",
                            "content": {"from_port": "${port.value}", "to_port": "${port.value}", "protocol": "tcp"},
                        },
                    },
                }
            },
        },
        "output": {"o": {"value": {"a": None}}},
    },
}
