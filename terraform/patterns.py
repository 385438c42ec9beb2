"""The patterns of references in Terraform's expressions.

https://developer.hashicorp.com/terraform/language/expressions/references
"""

import re

NAME = r"[^\W\d][\w-]*"
"""A name, which may begin with any letter."""

VARIABLE = re.compile(rf"var\.({NAME})")
LOCAL = re.compile(rf"local\.({NAME})")

ATTRIBUTE = re.compile(rf"({NAME})\.({NAME})\.({NAME})")
"""Type, name and attribute of a resource."""

ANY_ATTRIBUTE = re.compile(rf"(?:data\.)?{ATTRIBUTE.pattern}")
"""The same of a resource or a data source."""

ADDRESS = re.compile(rf"(?<![\w.\-])(?:data\.|ephemeral\.)?{NAME}\.{NAME}")
"""The address of a block, anywhere in an expression's code."""

WITH_INDEXES = re.compile(r"(data\.)?[a-z]\w*\.[\w-]+(\.\w+|\[[^\]]+\])*")
"""A reference to a resource or to something in it, with its indexes."""

AWS_ATTRIBUTE = re.compile(rf"(?P<address>(?:data\.)?(?P<type>aws_\w+)\.{NAME})(?:\[[^\]]*\])?\.(?P<attribute>\w+)")
"""An attribute of a resource or a data source of AWS. Whether JSON escapes characters in it depends on the type."""

REMOTE_OUTPUT = re.compile(rf"data\.terraform_remote_state\.({NAME})\.outputs(?:\.|\[\")({NAME})(?:\"\])?")
"""The name of a remote state, and an output in it."""

POLICY_DOCUMENT = re.compile(rf"data\.aws_iam_policy_document\.({NAME})\.(?:minified_)?json")
"""The name of a policy document whose JSON is read."""
