"""Resources with the blocks and arguments that Terraform or the AWS provider define."""

import base64

from tests.ops.handover.cases.documents import Document, aws, local_text

_ALL_OF_A_RULE = {"ipv6_cidr_blocks": None, "prefix_list_ids": None, "security_groups": None, "self": None}

RESOURCES: dict[str, Document] = {
    "count": aws("aws_sns_topic", count=2, name="t-${count.index}"),
    "for_each": aws("aws_sns_topic", for_each='${toset(["a", "b"])}', name="t-${each.key}"),
    "for_each_map": aws("aws_sns_topic", for_each={"a": "x", "b-c": "y"}, name="t-${each.value}"),
    "lifecycle": aws(
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
    "ignore_all_changes": aws("aws_sns_topic", name="t", lifecycle={"ignore_changes": "all"}),
    "depends_on": {
        "resource": {"terraform_data": {"a": {}, "b": {"depends_on": ["terraform_data.a"]}}},
    },
    "block_as_an_object": aws(
        "aws_flow_log", traffic_type="ALL", vpc_id="v", destination_options={"file_format": "parquet"}
    ),
    "blocks_as_a_list": aws(
        "aws_s3_bucket_lifecycle_configuration",
        bucket="b",
        rule=[
            {"id": "a", "status": "Enabled", "expiration": [{"days": 1}], "filter": [{"prefix": ""}]},
            {"id": "b", "status": "Disabled", "expiration": [{"days": 2}], "filter": [{}]},
        ],
    ),
    "no_blocks": aws("aws_security_group", name="s", ingress=[], egress=None),
    "arguments_as_blocks": aws(
        "aws_security_group",
        name="s",
        ingress=[
            {"cidr_blocks": ["192.0.2.0/24"], "description": "a", "from_port": 1, "to_port": 2, "protocol": "tcp"}
            | _ALL_OF_A_RULE,
            {"cidr_blocks": ["192.0.2.0/24"], "description": None, "from_port": 0, "to_port": 0, "protocol": "-1"}
            | _ALL_OF_A_RULE,
        ],
    ),
    "arguments_as_blocks_by_expression": aws("aws_security_group", name="s", ingress="${[]}"),
    "dynamic_block": aws(
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
    "dynamic_block_within_a_block": aws(
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
    "tags_with_nasty_keys": aws("aws_sns_topic", name="t", tags={"a:b/c": "1", "$${x}": "2", "ä": "3", "a-b": "4"}),
    "timeouts": aws("aws_vpc", cidr_block="192.0.2.0/24", tags=None)
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
    "user_data": aws(
        "aws_instance",
        ami="ami-1",
        instance_type="t3.nano",
        user_data="#cloud-config\nruncmd:\n" + "  - echo $${x}\n" * 20,
    ),
    "user_data_in_base64": aws(
        "aws_instance",
        ami="ami-1",
        instance_type="t3.nano",
        user_data_base64=base64.b64encode(("#cloud-config\n" + '# ${x} %{y} "\\ 基盤\n' * 20).encode()).decode(),
    ),
    "base64_that_terraform_would_write_otherwise": local_text("YWJj" * 120 + "YR=="),
    "long_local": local_text("#!/bin/sh\n" + 'echo $${x} %%{y} "\\ 基盤\n' * 20),
    "long_local_with_reference": local_text("${(local.name)}\n" * 12 + "$${x}\r\n\t${jsonencode({\n a = 1 })}"),
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
    "provisioner": aws(
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
