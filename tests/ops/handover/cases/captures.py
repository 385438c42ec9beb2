"""Stacks in which an expression or a dynamic block binds a name that the handover writes references with."""

import json
from typing import Any

from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.exact import two
from tests.ops.handover.cases.style import provider

_NAMES = ("count", "data", "each", "local", "module", "path", "self", "terraform", "var")
_LONG = "\n".join(f"line {number} of eu-west-1" for number in range(12))


def _bound(expression: str) -> Document:
    """Resources with a key, a region and a long text, of which the handover makes references."""

    def values(key: str) -> dict[str, Any]:
        return {"input": [f"{expression.replace('KEY', key)} eu-west-1", "eu-west-1", _LONG, key]}

    return {**two("terraform_data", values), **provider()}


def _in_dynamic_block(iterator: str) -> Document:
    def role(key: str) -> dict[str, Any]:
        policy = json.dumps({"Version": "2012-10-17", "Id": f"{_LONG}\n{key}"})
        content = {"name": f"${{{iterator}.value}}-{key}-eu-west-1", "policy": policy}
        policies = {"for_each": {"k": "v"}, "iterator": iterator, "content": content}
        return {"name": key, "assume_role_policy": "{}", "dynamic": {"inline_policy": policies}}

    return {**two("aws_iam_role", role), **provider()}


def _in_local_value(name: str) -> Document:
    values = [f'${{[for {name} in ["x"] : {name}]}}', _LONG, "eu-west-1", "eu-west-1"]
    return {"locals": {"it": values}, "output": {"o": {"value": "${local.it}"}}, **provider()}


def captures() -> dict[str, Document]:
    """The stacks, by name, whose resources may get other addresses."""
    return {
        **{f"iterator_{name}": _in_dynamic_block(name) for name in _NAMES},
        **{f"for_{name}": _bound(f'${{join("", [for {name} in [{{key="KEY"}}] : {name}.key])}}') for name in _NAMES},
        **{
            f"directive_{name}": _bound(f'%{{for {name} in [{{key="KEY"}}]}}${{{name}.key}}%{{endfor}}')
            for name in _NAMES
        },
        **{f"local_value_{name}": _in_local_value(name) for name in _NAMES},
    }
