"""Values that become variables."""

from typing import Any

from tests.ops.handover.cases.documents import Document, aws


def _topic(name: str, **marks: Any) -> Document:
    return aws("aws_sns_topic", name=name, **{"//": {"inputs": {"name": {"variable": "topic", **marks}}}})


def _values(**values: Any) -> Document:
    """Resources that take any value, each with an input of its own."""
    marked = {
        name: {"input": value, "//": {"inputs": {"input": {"variable": f"it_{name}", "description": f"The {name}."}}}}
        for name, value in values.items()
    }
    return {"resource": {"terraform_data": marked}}


def _subnet(zone: str, cidr: str) -> Document:
    mark = {"variable": "subnet_cidrs", "key": zone, "description": "By zone."}
    return {"vpc_id": "vpc-1", "cidr_block": cidr, "//": {"inputs": {"cidr_block": mark}}}


INPUTS: dict[str, Document] = {
    "text": _topic("news", description='Not ${x}, "y".'),
    "text_with_escapes": _values(text='$${x} %%{y} "\\ \n é', braces="{}", empty=""),
    "numbers": _values(whole=1, large=123456789012345678901234567890, fraction=1.5, power=1e16),
    "booleans": _values(yes=True, no=False),
    "lists": _values(texts=["a", "$${b}"], numbers=[1, 2.5], empty=[], mixed=["a", 1]),
    "maps": _values(texts={"a": "x", "b c": "y"}, empty={}, mixed={"a": 1, "b": [True]}),
    "validation": _topic(
        "news", validation=[{"condition": '${can(regex("^[a-z]+$", var.topic))}', "error_message": "Not $${x}."}]
    ),
    "type": _topic("2", type="any"),
    "in_nested_blocks": aws(
        "aws_instance",
        ami="ami-1",
        instance_type="t3.nano",
        root_block_device={"volume_size": 20},
        ebs_block_device=[{"device_name": "/dev/sdf", "volume_size": 30}, {"device_name": "/dev/sdg", "iops": 3000}],
        **{
            "//": {
                "inputs": {
                    "root_block_device.volume_size": {"variable": "root_gib"},
                    "ebs_block_device.0.volume_size": {"variable": "data_gib"},
                    "ebs_block_device.1.iops": "iops",
                }
            }
        },
    ),
    "one_variable_for_two_places": {
        "resource": {
            "aws_vpc": {"it": {"cidr_block": "192.0.2.0/24", "//": {"inputs": {"cidr_block": "cidr"}}}},
            "aws_route": {
                "it": {
                    "route_table_id": "rtb-1",
                    "destination_cidr_block": "192.0.2.0/24",
                    "gateway_id": "igw-1",
                    "//": {"inputs": {"destination_cidr_block": {"variable": "cidr", "description": "Ours."}}},
                }
            },
        }
    },
    "by_key": {
        "resource": {"aws_subnet": {"a": _subnet("a", "10.0.0.0/24"), "c": _subnet("c", "10.0.1.0/24")}},
        "output": {"o": {"value": "${aws_subnet.a.cidr_block}"}},
    },
    "by_key_with_braces": {
        "resource": {
            "terraform_data": {
                "it": {"input": "x", "//": {"inputs": {"input": {"variable": "it", "key": 'a "b" ${c} $${d}'}}}}
            }
        }
    },
    "beside_variables": {
        "variable": {"size": {"type": "number", "default": 2}},
        **aws("aws_sns_topic", name="t", count="${var.size}", **{"//": {"inputs": {"name": "topic"}}}),
    },
    "of_modules": {
        "module": {"inner": {"source": "./inner", "text": "a", "list": ["b"], "//": {"inputs": {"text": "it"}}}}
    },
    "in_a_dynamic_block": aws(
        "aws_security_group",
        name="x",
        dynamic={
            "ingress": [
                {
                    "for_each": ["10.0.0.0/24"],
                    "iterator": "each",
                    "content": {
                        "cidr_blocks": ["${each.value}"],
                        "from_port": 22,
                        "to_port": 22,
                        "protocol": "tcp",
                    },
                }
            ]
        },
        **{"//": {"inputs": {"dynamic.ingress.content.protocol": {"variable": "protocol"}}}},
    ),
    "count": aws("aws_sns_topic", name="t-${count.index}", count=2, **{"//": {"inputs": {"count": "topics"}}}),
}
