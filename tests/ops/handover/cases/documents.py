"""The stacks that cases are made of."""

from typing import Any

Document = dict[str, Any]


def reference(text: str) -> Document:
    """A value that is a template, among local values that are known in the plan."""
    return {
        "locals": {"name": "bridge", "list": ["a", "b"], "map": {"k": "v"}, "arn": "arn:aws:s3:::x"},
        "resource": {"terraform_data": {"it": {"input": text}}},
    }


def local_text(text: str) -> Document:
    """A template that goes through a local value."""
    return {
        "locals": {"name": "bridge", "text": text},
        "resource": {"terraform_data": {"it": {"input": "${local.text}"}}},
    }


def variable(**arguments: Any) -> Document:
    """A variable with these arguments, and an output of its value."""
    return {"variable": {"it": arguments}, "output": {"o": {"value": "${var.it}", "sensitive": True}}}


def aws(kind: str, **arguments: Any) -> Document:
    """A resource of this type beside a topic that it may refer to."""
    resources: Document = {"aws_sns_topic": {"other": {"name": "other"}}}
    resources.setdefault(kind, {})["it"] = arguments
    return {"resource": resources}
