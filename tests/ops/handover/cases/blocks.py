"""Blocks of Terraform's language and of providers, in each form that JSON allows for them."""

from typing import Any

from tests.ops.handover.cases.documents import Document, aws


def _data(**arguments: Any) -> Document:
    return {"resource": {"terraform_data": {"it": arguments, "other": {"input": "x"}}}}


_RULE = {"cidr_blocks": ["192.0.2.0/24"], "description": "a", "from_port": 1, "to_port": 2, "protocol": "tcp"}
_NO_OTHERS = {"ipv6_cidr_blocks": None, "prefix_list_ids": None, "security_groups": None, "self": None}
_STATEMENT = {"sid": "A", "actions": ["s3:*"], "resources": ["*"]}


def _document(*statements: Any, **others: Any) -> Document:
    return {
        "locals": {"actions": ["a:B", "c:D"], "yes": True},
        "data": {"aws_iam_policy_document": {"it": {"statement": list(statements), **others}}},
        "output": {"o": {"value": "${data.aws_iam_policy_document.it.json}"}},
    }


COMMENTS: dict[str, Document] = {
    "everywhere": {
        "//": "c",
        "terraform": [{"//": "c"}, {"required_providers": {"//": "c", "aws": {"source": "hashicorp/aws"}}}],
        "locals": [{"//": "c"}, {"//": {"a": 1}, "a": 1}],
        "resource": [{"terraform_data": [{"it": [{"//": ["c"], "input": "${local.a}"}]}]}],
        "output": {"o": {"//": "c", "value": "${local.a}"}},
        "variable": {
            "v": {
                "//": "c",
                "default": 1,
                "validation": [{"//": "c", "condition": "${var.v == 1}", "error_message": "No."}],
            }
        },
    },
    "in_lists_of_values": {"output": {"o": {"value": [{"//": "c"}, {"//": {"b": 1}, "a": 1}, "//"]}}},
    "in_nested_blocks": aws(
        "aws_flow_log", traffic_type="ALL", vpc_id="v", destination_options=[{"//": "c", "file_format": "parquet"}]
    ),
    "in_an_empty_nested_block": aws("aws_flow_log", traffic_type="ALL", vpc_id="v", destination_options=[{"//": "c"}]),
    "in_arguments_as_blocks": aws("aws_security_group", name="s", ingress=[{"//": "why", **_RULE, **_NO_OTHERS}]),
    "in_lifecycle": aws("aws_sns_topic", name="t", lifecycle={"//": "c", "ignore_changes": ["tags"]}),
    "in_dynamic_blocks": aws(
        "aws_security_group",
        name="s",
        dynamic={"ingress": [{"//": "c", "for_each": [1], "content": {"//": "c", **_RULE, "from_port": 1}}]},
    ),
    "of_several_lines": {"output": {"o": {"//": "one\ntwo\n\n three # */ ${x}", "value": 1}}},
    "with_strange_characters": {"output": {"o": {"//": "a\r\nb\rc\u2028d\x85e\x0bf\tg", "value": 1}}},
}

BLOCKS: dict[str, Document] = {
    "resource_as_a_list_of_objects": {
        "resource": [{"terraform_data": {"a": {"input": 1}}}, {"terraform_data": {"b": {}}}]
    },
    "resource_in_a_list": {"resource": {"terraform_data": {"it": [{"input": 1}]}}},
    "variables_in_a_list": {
        "variable": [{"a": {"default": 1}}, {"b": [{"default": 2}]}],
        "output": {"o": {"value": "${var.a + var.b}"}},
    },
    "empty_blocks": {"locals": {}, "terraform": {}, "resource": {"terraform_data": {"it": {}}}},
    "null_blocks": aws("aws_flow_log", traffic_type="ALL", vpc_id="v", destination_options=None, tags=None),
    "no_blocks_in_a_list": aws("aws_flow_log", traffic_type="ALL", vpc_id="v", destination_options=[]),
    "several_of_one_block": _document(_STATEMENT, {**_STATEMENT, "sid": "B"}, {**_STATEMENT, "sid": "C"}),
    "blocks_two_levels_deep": _document(
        {
            **_STATEMENT,
            "principals": [{"type": "AWS", "identifiers": ["a", "b"]}, {"type": "Service", "identifiers": ["c"]}],
            "condition": {"test": "Bool", "variable": "aws:x", "values": ["true"]},
        }
    ),
    "timeouts": aws("aws_vpc_endpoint", vpc_id="v", service_name="s", timeouts={"create": "1m", "delete": "2m"}),
    "count_from_a_reference": _data(count="${length([1, 2])}", input="${count.index}"),
    "count_zero": _data(count=0, input="x"),
    "count_as_text": _data(count="2", input="${count.index}"),
    "for_each_over_objects": _data(
        for_each={"a": {"n": 1, "l": ["x"]}, "b c": {"n": 2, "l": []}}, input="${each.value}"
    ),
    "for_each_over_keys_with_braces": _data(for_each={"$${a}": "x", "%%{b}": "y", 'c "d"': "z"}, input="${each.key}"),
    "for_each_of_an_iterator": _data(
        for_each='${{ for key, val in toset(["a", "b"]): key => upper(val)}}', input="${each.value}-${each.key}"
    ),
    "for_each_of_nothing": _data(for_each={}, input="${each.key}"),
    "depends_on_modules_and_data": {
        **_document(_STATEMENT),
        "module": {"inner": {"source": "./inner", "text": "a", "list": []}},
        "resource": {"terraform_data": {"it": {"depends_on": ["module.inner", "data.aws_iam_policy_document.it"]}}},
    },
    "triggers_replace": _data(triggers_replace={"a": "${terraform_data.other.id}", "b": [1]}, input=None),
    "several_preconditions": _data(
        lifecycle=[
            {
                "precondition": [
                    {
                        "condition": '${terraform_data.other.input == "x"}',
                        "error_message": "One ${terraform_data.other.input}.",
                    },
                ],
                "postcondition": {"condition": "${self.input == null}", "error_message": "Three\nlines."},
            }
        ]
    ),
    "lifecycle_as_text": _data(lifecycle={"ignore_changes": "all"}),
    "lifecycle_of_deep_attributes": aws(
        "aws_security_group", name="s", lifecycle={"ignore_changes": ["ingress", 'tags["a b"]', "tags_all"]}
    ),
    "replace_triggered_by_an_instance": {
        "resource": {
            "terraform_data": {
                "many": {"for_each": {"a b": 1}},
                "it": {"lifecycle": {"replace_triggered_by": ['terraform_data.many["a b"]']}},
            }
        }
    },
    "provisioners": _data(
        input="x",
        provisioner=[
            {
                "local-exec": {
                    "command": "echo ${self.input} $${x}\necho 2\n",
                    "environment": {"A": "${self.id}", "b": 1},
                }
            },
            {"local-exec": [{"command": "true", "when": "destroy", "interpreter": ["sh", "-c"], "quiet": True}]},
        ],
    ),
    "connection": _data(
        input="x",
        connection={"type": "ssh", "host": "${self.input}", "private_key": "a\nb\nc\n"},
        provisioner={"local-exec": {"command": "true", "connection": {"type": "winrm", "host": "h"}}},
    ),
    "remote_exec": _data(provisioner=[{"remote-exec": {"inline": ["echo $${x}", "b"], "connection": {"host": "h"}}}]),
    "file_provisioner": _data(
        provisioner=[{"file": {"content": "${self.id}\n", "destination": "/x", "connection": {"host": "h"}}}]
    ),
    "removed_with_a_provisioner": {
        **_data(input=1),
        "removed": {
            "from": "aws_sns_topic.gone",
            "lifecycle": {"destroy": True},
            "connection": {"type": "ssh", "host": "h"},
            "provisioner": [{"local-exec": {"when": "destroy", "command": "echo ${self.name} $${x}"}}],
        },
    },
    "removed_modules": {
        **_data(input=1),
        "removed": [
            {"from": "module.gone", "lifecycle": [{"destroy": False}]},
            {"from": "aws_sqs_queue.gone", "lifecycle": {"destroy": True}},
        ],
    },
    "moved": {
        **_data(input=1),
        "moved": [
            {"from": "terraform_data.old", "to": "terraform_data.it"},
            {"from": "module.a[0]", "to": 'module.b["x y"]'},
        ],
    },
    "provider_meta": {**_data(input=1), "terraform": {"provider_meta": {"aws": {"//": "c"}}}},
    "settings_in_a_list": {
        **_data(input=1),
        "terraform": [
            {"required_version": ">= 1.0"},
            {"required_providers": [{"aws": {"source": "hashicorp/aws", "version": ">= 5"}}]},
        ],
    },
    "versions_without_a_source": {**_data(input=1), "terraform": {"required_providers": {"aws": ">= 5"}}},
    "check_with_data": {
        "check": {
            "it": {
                "data": {"aws_iam_policy_document": {"inner": {"statement": {"actions": ["*"], "resources": ["*"]}}}},
                "assert": [
                    {"condition": "${data.aws_iam_policy_document.inner.json != null}", "error_message": "No ${1}."},
                    {"condition": "${length(local.list) == 1}", "error_message": "$${x}\nand %%{y}."},
                ],
            }
        },
        "locals": {"list": ["a"]},
    },
    "modules_in_a_list": {
        "module": [
            {"a": {"source": "./inner", "text": "x", "list": [1]}},
            {"b": [{"source": "./inner", "text": None, "list": {}}]},
        ]
    },
    "module_for_each": {
        "module": {
            "it": {
                "source": "./inner",
                "for_each": {"a": 1, "b c": 2},
                "text": "${each.key}",
                "list": "${[each.value]}",
            }
        },
        "output": {"o": {"value": '${module.it["b c"].both}'}},
    },
    "module_count": {
        "module": {"it": {"source": "./inner", "count": 2, "text": "${count.index}", "list": []}},
        "output": {"o": {"value": "${module.it[*].both}"}},
    },
    "module_with_templates": {
        "module": {
            "it": {
                "source": "./inner",
                "text": "a $${x}\n${~ 1 ~}\n  b",
                "list": [{"a": {"b": "%{ if true }c%{ endif }"}}],
            }
        },
        "output": {"o": {"value": "${module.it.both}"}},
    },
    "module_with_depends_on": {
        **_data(input=1),
        "module": {
            "it": {"source": "./inner", "text": "a", "list": [], "depends_on": ["terraform_data.it"], "providers": {}}
        },
    },
    "module_of_a_module": {
        "module": {
            "one": {"source": "./inner", "text": "a", "list": []},
            "two": {"source": "./inner", "text": "${module.one.both[0]}", "list": "${module.one.both}"},
        },
        "output": {"o": {"value": "${module.two.both}"}},
    },
}

_PORTS = {"from_port": "${it.value}", "to_port": "${it.value}", "protocol": "tcp", "cidr_blocks": ["192.0.2.0/24"]}

DYNAMIC: dict[str, Document] = {
    "in_a_list": aws(
        "aws_security_group",
        name="s",
        dynamic=[
            {"ingress": {"for_each": [1, 2], "iterator": "it", "content": _PORTS}},
            {"egress": [{"for_each": [3], "iterator": "it", "content": [_PORTS]}]},
        ],
    ),
    "twice_for_one_block": _document(
        dynamic={
            "statement": [
                {"for_each": ["a"], "content": {"sid": "A", "actions": ["${statement.value}:*"], "resources": ["*"]}},
                {"for_each": ["b"], "content": {"sid": "B", "actions": ["${statement.value}:*"], "resources": ["*"]}},
            ]
        }
    ),
    "beside_a_plain_block": _document(
        _STATEMENT,
        dynamic={
            "statement": {
                "for_each": "${local.actions}",
                "content": {"actions": ["${statement.value}"], "resources": ["*"]},
            }
        },
    ),
    "within_a_dynamic_block": _document(
        dynamic={
            "statement": {
                "for_each": {"x": ["a", "b"], "y": []},
                "iterator": "outer",
                "content": {
                    "sid": "${upper(outer.key)}",
                    "actions": ["s3:*"],
                    "resources": ["*"],
                    "dynamic": {
                        "principals": {
                            "for_each": "${outer.value}",
                            "content": {"type": "AWS", "identifiers": ["${principals.value}-${outer.key}", "$${x}"]},
                        }
                    },
                },
            }
        }
    ),
    "with_a_condition": _document(
        dynamic={
            "statement": {"for_each": "${local.yes ? [1] : []}", "content": {"actions": ["a:B"], "resources": ["*"]}}
        }
    ),
    "over_an_iterator_of_cdktf": _document(
        dynamic={
            "statement": {
                "for_each": '${[ for key, val in local.actions: { id = key, action = val, more = ["a", "b", "c"] }]}',
                "content": {
                    "sid": "S${statement.value.id}",
                    "actions": ["${statement.value.action}"],
                    "resources": "${statement.value.more}",
                },
            }
        }
    ),
    "with_nothing_in_it": aws(
        "aws_flow_log",
        traffic_type="ALL",
        vpc_id="v",
        dynamic={"destination_options": {"for_each": [1], "content": {}}},
    ),
    "over_nothing": aws(
        "aws_flow_log", traffic_type="ALL", vpc_id="v", dynamic={"destination_options": {"for_each": [], "content": {}}}
    ),
    "with_labels_in_the_content": _document(
        dynamic={
            "statement": {
                "for_each": [1],
                "content": {
                    **_STATEMENT,
                    "condition": [{"test": "Bool", "variable": "aws:x", "values": ["${statement.key}"]}],
                },
            }
        }
    ),
}
