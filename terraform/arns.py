"""The parts of an ARN, and how AWS forms the ARN of a resource from the resource's own attributes."""

import re
from collections.abc import Mapping
from typing import NamedTuple

# By type and attribute; {…} are the region, the account and attributes of the resource. Where one service has several
# forms, this is the one that the provider's attribute returns.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_PATTERNS = {
    "aws_api_gateway_rest_api.execution_arn": "arn:aws:execute-api:{region}:{account}:{id}",
    "aws_cloudwatch_log_group.arn": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "aws_codebuild_project.arn": "arn:aws:codebuild:{region}:{account}:project/{name}",
    "aws_codecommit_repository.arn": "arn:aws:codecommit:{region}:{account}:{repository_name}",
    "aws_efs_file_system.arn": "arn:aws:elasticfilesystem:{region}:{account}:file-system/{id}",
    # A path begins and ends with a slash: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    "aws_iam_policy.arn": "arn:aws:iam::{account}:policy{path}{name}",
    "aws_iam_role.arn": "arn:aws:iam::{account}:role{path}{name}",
    "aws_iam_user.arn": "arn:aws:iam::{account}:user{path}{name}",
    "aws_instance.arn": "arn:aws:ec2:{region}:{account}:instance/{id}",
    "aws_s3_bucket.arn": "arn:aws:s3:::{bucket}",
    "aws_sns_topic.arn": "arn:aws:sns:{region}:{account}:{name}",
}

_DEFAULTS = {"path": "/"}

# Ids that are another attribute: https://registry.terraform.io/providers/hashicorp/aws/latest/docs
_SAME = {
    "aws_cloudwatch_log_group.id": "name",
    "aws_codecommit_repository.id": "repository_name",
    "aws_iam_instance_profile.id": "name",
    "aws_iam_policy.id": "arn",
    "aws_iam_role.id": "name",
    "aws_iam_user.id": "name",
    "aws_s3_bucket.id": "bucket",
    "aws_sns_topic.id": "arn",
}

ASSIGNED = frozenset(
    (
        "aws_api_gateway_rest_api.id",
        "aws_efs_file_system.id",
        "aws_instance.id",
        "aws_vpc.id",
    )
)
"""Attributes that AWS assigns when a resource is made: they equal no text that is written before."""


def same_attribute(kind: str, attribute: str) -> str | None:
    """The attribute of a resource that another one repeats; None where it repeats none that is known here."""
    return _SAME.get(f"{kind}.{attribute}")


class Arn(NamedTuple):
    """The six parts of an ARN, or of a pattern of ARNs; `resource` keeps its colons."""

    prefix: str
    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def of(cls, text: str) -> "Arn":
        """The parts of `text`. Raises ValueError for fewer than six."""
        parts = text.split(":", 5)
        if len(parts) != 6:
            raise ValueError(text)
        return cls(*parts)

    def __str__(self) -> str:
        return ":".join(self)


def parts(kind: str, attribute: str) -> tuple[str, ...] | None:
    """What the ARN in `attribute` of a resource of type `kind` is made of; None where its form is not known here."""
    pattern = _PATTERNS.get(f"{kind}.{attribute}")
    return None if pattern is None else tuple(re.findall(r"{(\w+)}", pattern))


def arn(kind: str, attribute: str, values: Mapping[str, object]) -> str | None:
    """The ARN in `attribute` of a resource of type `kind`.

    `values` are the resource's attributes, `region` and `account`. None where the form or one of its parts is not
    known; an IAM path that is not set is `/`.
    """
    needed = parts(kind, attribute)
    if needed is None:
        return None
    known = {name: values.get(name) or _DEFAULTS.get(name) for name in needed}
    if not all(isinstance(value, str) for value in known.values()):
        return None
    return _PATTERNS[f"{kind}.{attribute}"].format_map(known)
