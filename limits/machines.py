"""Limits on servers and their networks."""

import base64
from collections.abc import Iterator

from limits.limit import Found, estimated, form, limit
from terraform.output import Json
from terraform.references import Configuration

_USER_DATA = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html"
_INSTANCE_TYPES = "https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html"
_MOST_BYTES = 16_384

_MOST_RULES = 60


@limit(what="an instance's user data has at most 16,384 bytes", source=_USER_DATA)
def user_data_of_instances(stack: Configuration) -> Iterator[Found]:
    for name, arguments in stack.resources("aws_instance").items():
        size = len(str(stack.known(arguments.get("user_data", ""), estimated)).encode())
        if size > _MOST_BYTES:
            hint = "shorten what the server is told on its first boot"
            yield f"aws_instance.{name}.user_data", f"{size:,} bytes, EC2 takes 16,384", hint


@limit(what="a launch template's user data has at most 16,384 bytes before it is encoded", source=_USER_DATA)
def user_data_of_launch_templates(stack: Configuration) -> Iterator[Found]:
    for name, arguments in stack.resources("aws_launch_template").items():
        size = len(base64.b64decode(arguments.get("user_data", "")))
        if size > _MOST_BYTES:
            yield f"aws_launch_template.{name}.user_data", f"{size:,} bytes, EC2 takes 16,384", "name fewer hosts"


@limit(
    what="a security group has at most 60 rules in each direction, each address of a list counted",
    source="https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
)
def rules_of_a_group(stack: Configuration) -> Iterator[Found]:
    for direction, argument in (("ingress", "inbound"), ("egress", "outbound")):
        rules = stack.resources(f"aws_vpc_security_group_{direction}_rule").values()
        for name in stack.resources("aws_security_group"):
            own = [rule for rule in rules if stack.resource_of(rule["security_group_id"], "aws_security_group") == name]
            count = sum(_times(stack, rule) for rule in own)
            if count > _MOST_RULES:
                what = f"{count} {argument} rules, AWS takes 60"
                yield f"aws_security_group.{name}.{argument}", what, "name fewer or wider networks"


def _times(stack: Configuration, rule: Json) -> int:
    listed = stack.value(rule.get("for_each"))
    return len(listed) if isinstance(listed, list) else 1


LIMITS = (
    user_data_of_instances,
    user_data_of_launch_templates,
    form("aws_instance.instance_type", r"[a-z0-9-]+\.[a-z0-9-]+", "name an EC2 instance type", _INSTANCE_TYPES),
    rules_of_a_group,
)
