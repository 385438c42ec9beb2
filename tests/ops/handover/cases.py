"""Small stacks, each with one detail that is easily lost between JSON and HCL."""

import base64
from typing import Any

from tests.ops.handover import texts

Document = dict[str, Any]


def _reference(text: str) -> Document:
    """A template that refers to a value known in the plan."""
    return {
        "locals": {"name": "bridge", "list": ["a", "b"], "map": {"k": "v"}, "arn": "arn:aws:s3:::x"},
        "resource": {"terraform_data": {"it": {"input": text}}},
    }


def _local_text(text: str) -> Document:
    return {
        "locals": {"name": "bridge", "text": text},
        "resource": {"terraform_data": {"it": {"input": "${local.text}"}}},
    }


TEMPLATES: dict[str, Document] = {
    "lone_reference": _reference("${local.list}"),
    "reference_with_spaces": _reference("${  local.name  }"),
    "text_around": _reference("a-${local.name}-b"),
    "two_references": _reference("${local.name}${local.name}"),
    "literal_next_to_reference": _reference("$${a}${local.name}%%{b}"),
    "strings_inside": _reference('${join("}", ["{", "${local.name}", "\\"", "$${x}"])}'),
    "newline_inside": _reference('x${join(",",\n  local.list\n)}'),
    "lone_with_newline": _reference('${join(",",\n  local.list\n)}'),
    "comment_inside": _reference("${local.name # a } comment\n}"),
    "block_comment_inside": _reference("${local.name /* } */}"),
    "heredoc_inside": _reference('${upper(<<EOT\nit\'s a "heredoc" }\nEOT\n)}'),
    "trim_markers": _reference("a  ${~ local.name ~}  b"),
    "lone_trim_markers": _reference("${~ local.name ~}"),
    "directive_if": _reference("%{ if true }yes%{ else }no%{ endif }"),
    "directive_for": _reference("%{ for x in local.list ~}\n${x}\n%{ endfor ~}\n"),
    "object_braces": _reference("${{ a = { b = local.name } }.a.b}"),
    "for_expression": _reference("${{ for k, v in local.map : k => upper(v) }}"),
    "splat": _reference("${[{ a = 1 }, { a = 2 }][*].a}"),
    "conditional": _reference('${local.name == "bridge" ? "yes" : "no"}'),
    "backslash_in_expression": _reference('${replace("a.b", "/\\\\./", "-")}'),
    "lines_with_reference": _reference("one ${local.name}\n  two\n${local.name}\n"),
    "long_with_reference": _reference(
        "#!/bin/sh\n" + 'echo "${local.name}" "$${HOME}" ${jsonencode(local.map)}\n' * 12
    ),
    "long_list": _reference(
        '${sha1(jsonencode([local.name, "a, b", local.map["k"], [local.list], { a = 1, b = "}" }, '
        + ", ".join(f'"{number}-${{local.name}}"' for number in range(20))
        + "]))}"
    ),
    "long_call_with_arguments_spread": _reference(
        "${format(" + '"' + "%s" * 2 + " " + "x" * 120 + '", ["${local.name}, (", "b"]...)}'
    ),
    "long_condition": _reference(
        "${"
        + " && ".join(f'(local.name != "{number} && (" || false)' for number in range(9))
        + " || local.name == null}"
    ),
    "long_for_expression": _reference(
        '${[for index, item in local.list : "${index}, ${item} ' + "y" * 120 + '" if item != ","]}'
    ),
    "long_conditional": _reference('${local.name == "bridge" && true ? "' + "a" * 60 + '" : "' + "b" * 60 + '"}'),
    "long_sum": _reference("${" + " + ".join(f"length(local.list[{number % 2}])" for number in range(9)) + "}"),
    "long_index": _reference('${{ a = { b = "' + "c" * 120 + '" } }["a"]["b"]}'),
    "json_with_arn": {
        "locals": {"bucket": {"arn": "arn:aws:s3:::x"}},
        "resource": {"terraform_data": {"it": {"input": '{"Resource":"${local.bucket.arn}/*","Version":"1"}'}}},
    },
    "json_with_a_value_that_needs_escapes": {
        "locals": {"name": 'a "quoted" <name>'},
        "resource": {"terraform_data": {"it": {"input": '{"a":"${local.name}"}'}}},
    },
    "reference_in_key": _reference("x") | {"output": {"o": {"value": {"${local.name}": 1, "a-${local.name}": 2}}}},
}

VALUES: dict[str, Document] = {
    "numbers": {"output": {"o": {"value": [0, -1, 1.5, 1e3, 12345678901234567890, 0.1]}}},
    "falsy_values": {"locals": {"no": False, "zero": 0, "empty": "", "none": None, "nothing": [], "void": {}}}
    | {"output": {"o": {"value": "${[local.no, local.zero, local.empty, local.none, local.nothing, local.void]}"}}},
    "keys_that_are_no_words": {
        "output": {
            "o": {"value": {"a b": 1, "for": 2, "null": 3, "1": 4, "ü": 5, "a.b": 6, "$${x}": 7, "//": 8, "": 9}}
        }
    },
    "nested_lists_and_maps": {"output": {"o": {"value": [[], [[]], {"a": [{"b": [{}]}]}, [{"c": None}, {"d": 1}]]}}},
    "digits_stay_text": {"output": {"o": {"value": {"id": "012345678901", "n": "1.0"}}}},
    "locals_in_a_list": {"locals": [{"a": 1}, {"b": "${local.a + 1}"}], "output": {"o": {"value": "${local.b}"}}},
    "comments_of_cdktf": {
        "//": {"metadata": {"version": "0.21.0"}},
        "resource": {
            "terraform_data": {
                "it": {"//": {"metadata": {"path": "s/it", "uniqueId": "it"}}, "input": {"//": "kept", "a": 1}}
            }
        },
    },
}


def _variable(**arguments: Any) -> Document:
    return {"variable": {"it": arguments}, "output": {"o": {"value": "${var.it}", "sensitive": True}}}


VARIABLES: dict[str, Document] = {
    "default_with_braces": _variable(type="string", default='${not.a.reference} %{ if } $${x} \\ " \n'),
    "default_object": _variable(
        type="object({a = string, b = optional(number, 2)})", default={"a": "${x}"}, nullable=False
    ),
    "default_null": _variable(type="string", default=None),
    "default_false": _variable(type="bool", default=False),
    "default_empty": _variable(type="list(string)", default=[]),
    "untyped": _variable(default=["a", 1, True]),
    "any": _variable(type="any", default={"a": [1]}),
    "map_of_numbers": _variable(type="map(number)", default={"a": 1, "b": "2"}),
    "sensitive": _variable(type="string", default="x", sensitive=True),
    "description_with_braces": _variable(type="string", default="x", description='Say "${x}", %{y}, $${z}\nand more.'),
    "validation": _variable(
        type="string",
        default="abc",
        validation=[
            {"condition": '${can(regex("^[a-z]+$", var.it))}', "error_message": "Not ${var.it}, $${x}."},
            {"condition": "${length(var.it) > 1}", "error_message": 'Longer than "1".'},
        ],
    ),
    "output_of_everything": {
        "output": {
            "o": {
                "value": "x",
                "description": "${not.read}",
                "sensitive": True,
                "depends_on": ["terraform_data.it"],
                "precondition": [{"condition": "${local.one == 1}", "error_message": "One is ${1}."}],
            }
        },
        "locals": {"one": 1},
        "resource": {"terraform_data": {"it": {}}},
    },
}


def _aws(kind: str, **arguments: Any) -> Document:
    resources: Document = {"aws_sns_topic": {"other": {"name": "other"}}}
    resources.setdefault(kind, {})["it"] = arguments
    return {"resource": resources}


_ALL_OF_A_RULE = {"ipv6_cidr_blocks": None, "prefix_list_ids": None, "security_groups": None, "self": None}

RESOURCES: dict[str, Document] = {
    "count": _aws("aws_sns_topic", count=2, name="t-${count.index}"),
    "for_each": _aws("aws_sns_topic", for_each='${toset(["a", "b"])}', name="t-${each.key}"),
    "for_each_map": _aws("aws_sns_topic", for_each={"a": "x", "b-c": "y"}, name="t-${each.value}"),
    "lifecycle": _aws(
        "aws_sns_topic",
        name="t",
        tags={"Name": "a"},
        lifecycle={
            "create_before_destroy": True,
            "prevent_destroy": True,
            "ignore_changes": ["tags", 'tags["Name"]'],
            "replace_triggered_by": ["aws_sns_topic.other.arn", "aws_sns_topic.other"],
            "precondition": [{"condition": "${local.yes}", "error_message": "Never ${1}."}],
            "postcondition": [{"condition": '${self.name == "t"}', "error_message": "Never."}],
        },
    )
    | {"locals": {"yes": True}},
    "ignore_all_changes": _aws("aws_sns_topic", name="t", lifecycle={"ignore_changes": "all"}),
    "depends_on": {
        "resource": {"terraform_data": {"a": {}, "b": {"depends_on": ["terraform_data.a"]}}},
    },
    "block_as_an_object": _aws(
        "aws_flow_log", traffic_type="ALL", vpc_id="v", destination_options={"file_format": "parquet"}
    ),
    "blocks_as_a_list": _aws(
        "aws_s3_bucket_lifecycle_configuration",
        bucket="b",
        rule=[
            {"id": "a", "status": "Enabled", "expiration": [{"days": 1}], "filter": [{"prefix": ""}]},
            {"id": "b", "status": "Disabled", "expiration": [{"days": 2}], "filter": [{}]},
        ],
    ),
    "no_blocks": _aws("aws_security_group", name="s", ingress=[], egress=None),
    "arguments_as_blocks": _aws(
        "aws_security_group",
        name="s",
        ingress=[
            {"cidr_blocks": ["192.0.2.0/24"], "description": "a", "from_port": 1, "to_port": 2, "protocol": "tcp"}
            | _ALL_OF_A_RULE,
            {"cidr_blocks": ["192.0.2.0/24"], "description": None, "from_port": 0, "to_port": 0, "protocol": "-1"}
            | _ALL_OF_A_RULE,
        ],
    ),
    "arguments_as_blocks_by_expression": _aws("aws_security_group", name="s", ingress="${[]}"),
    "dynamic_block": _aws(
        "aws_security_group",
        name="s",
        dynamic={
            "ingress": {
                "for_each": "${[22, 443]}",
                "iterator": "port",
                "content": {
                    "cidr_blocks": ["192.0.2.0/24"],
                    "from_port": "${port.value}",
                    "to_port": "${port.value}",
                    "protocol": "tcp",
                },
            }
        },
    ),
    "dynamic_block_within_a_block": _aws(
        "aws_s3_bucket_lifecycle_configuration",
        bucket="b",
        rule=[
            {
                "id": "a",
                "status": "Enabled",
                "filter": [{"prefix": ""}],
                "dynamic": {
                    "transition": [
                        {
                            "for_each": {"30": "GLACIER"},
                            "content": {"days": "${transition.key}", "storage_class": "${transition.value}"},
                        }
                    ]
                },
            }
        ],
    ),
    "tags_with_nasty_keys": _aws("aws_sns_topic", name="t", tags={"a:b/c": "1", "$${x}": "2", "ä": "3", "a-b": "4"}),
    "timeouts": _aws("aws_vpc", cidr_block="192.0.2.0/24", tags=None)
    | {"output": {"o": {"value": "${aws_vpc.it.cidr_block}"}}},
    "policy_document": {
        "data": {
            "aws_iam_policy_document": {
                "it": {
                    "statement": [
                        {
                            "//": {"acknowledged": {"CKV_AWS_1": "because"}},
                            "sid": "A",
                            "actions": ["s3:Get*"],
                            "resources": ["arn:aws:s3:::$${aws:username}/*", "*"],
                            "condition": [{"test": "StringLike", "variable": "aws:x", "values": ["&{x}", "$${x}"]}],
                        }
                    ]
                }
            }
        },
        "output": {"o": {"value": "${data.aws_iam_policy_document.it.json}"}},
    },
    "user_data": _aws(
        "aws_instance",
        ami="ami-1",
        instance_type="t3.nano",
        user_data="#cloud-config\nruncmd:\n" + "  - echo $${x}\n" * 20,
    ),
    "user_data_in_base64": _aws(
        "aws_instance",
        ami="ami-1",
        instance_type="t3.nano",
        user_data_base64=base64.b64encode(("#cloud-config\n" + '# ${x} %{y} "\\ 基盤\n' * 20).encode()).decode(),
    ),
    "base64_that_terraform_would_write_otherwise": _local_text("YWJj" * 120 + "YR=="),
    "long_local": _local_text("#!/bin/sh\n" + 'echo $${x} %%{y} "\\ 基盤\n' * 20),
    "long_local_with_reference": _local_text("${(local.name)}\n" * 12 + "$${x}\r\n\t${jsonencode({\n a = 1 })}"),
    "user_data_with_reference": {
        "locals": {"host": "a.example"},
        "resource": {
            "aws_instance": {
                "it": {
                    "ami": "ami-1",
                    "instance_type": "t3.nano",
                    "user_data": "#!/bin/bash\n" + 'curl "https://${local.host}/$${path}" | tee %%{x}\n' * 20,
                }
            }
        },
    },
    "provisioner": _aws(
        "terraform_data",
        input="x",
        provisioner={
            "local-exec": [{"command": "echo $${x} ${self.input}", "when": "destroy", "on_failure": "continue"}]
        },
    ),
    "check": {
        "locals": {"one": 1},
        "check": {"it": {"assert": [{"condition": "${local.one == 1}", "error_message": "One is ${1}, $${x}."}]}},
    },
    "unknown_values": {
        "resource": {
            "aws_sns_topic": {"a": {"name": "a"}},
            "aws_sns_topic_subscription": {
                "b": {"topic_arn": "${aws_sns_topic.a.arn}", "protocol": "email", "endpoint": "a@example.com"}
            },
        },
        "output": {"o": {"value": "x-${aws_sns_topic.a.arn}"}},
    },
    "module": {
        "module": {"inner": {"source": "./inner", "text": "${local.a} $${b}", "list": ["a"]}},
        "locals": {"a": "b"},
    },
}


CASES: dict[str, Document] = {
    **{f"text_{name}": texts.document(text) for name, text in texts.TEXTS.items()},
    **{f"template_{name}": document for name, document in TEMPLATES.items()},
    **{f"value_{name}": document for name, document in VALUES.items()},
    **{f"variable_{name}": document for name, document in VARIABLES.items()},
    **{f"resource_{name}": document for name, document in RESOURCES.items()},
}
