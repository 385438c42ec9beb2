"""Stacks with a local value whose members have some members of a collection each: the mirrors of several spaces."""

from collections.abc import Mapping
from typing import Any

from tests.ops.handover.cases import sets
from tests.ops.handover.cases.documents import Document

_ARN = "arn:aws:codecommit:eu-central-1:111111111111:"
_KEY = "arn:aws:kms:eu-central-1:111111111111:key/"

Mirrors = Mapping[str, Mapping[str, Any]]


def mirror(target: str, project: str = "WEB", key: str | None = None) -> dict[str, Any]:
    """What a stack says of a mirror."""
    return {"target": target, "project": project, "key_arn": None if key is None else f"{_KEY}{key}"}


def two_spaces() -> dict[str, Mirrors]:
    """One space with several mirrors, and one with a mirror that is called like it."""
    return {
        "blue": {"site": mirror("website"), "jobs": mirror("batch", "OPS"), "docs": mirror("manual")},
        "red": {"red": mirror("tools")},
    }


def spaces(
    mirrors: Mapping[str, Mirrors] | None = None,
    *,
    more: Mapping[str, Mapping[str, Any]] | None = None,
    statements: list[dict[str, Any]] | None = None,
    hooks: Mapping[str, str] | None = None,
    **values: Any,
) -> Document:
    """A policy for each space, a text with a line for each name of a mirror, and outputs.

    more: what the stack says of spaces beside their mirrors. statements: further ones of each policy. hooks: the names
    in the text, each with its space. values: further top-level blocks.
    """
    mirrors = two_spaces() if mirrors is None else mirrors
    of_mirrors = {key: space for space, own in mirrors.items() for key in own}
    projects = {f"{space}.{it['project']}": space for space, own in mirrors.items() for it in own.values()}
    names = dict(sorted((of_mirrors | projects).items())) if hooks is None else hooks
    entries = {
        key: {"mirrors": own, "arns": [f"{_ARN}{it['target']}" for it in own.values()], **(more or {}).get(key, {})}
        for key, own in mirrors.items()
    }
    statement = {"sid": "It", "actions": ["codecommit:GitPull"], "resources": "${each.value.arns}"}
    return {
        "//": {
            "collections": {
                "mirrors": {
                    "arns": {"codecommit": "target", "kms": "key_arn"},
                    "lists": {"hooks": {"project": "{key}."}},
                }
            }
        },
        "locals": {"spaces": entries},
        "resource": {
            "terraform_data": {
                "build": {"for_each": "${local.spaces}", "input": "${each.key}"},
                "table": {"input": "".join(f"{name}: build-{space}\n" for name, space in names.items())},
                "names": {"input": "".join(f"{name}: known\n" for name in names)},
            }
        },
        "data": {
            "aws_iam_policy_document": {
                "it": {"for_each": "${local.spaces}", "statement": [statement, *(statements or [])]}
            }
        },
        "output": {
            "builds": {
                "value": {key: f'${{terraform_data.build["{space}"].id}}' for key, space in sorted(of_mirrors.items())}
            },
            "urls": {"value": {name: f"https://example.com/{name}" for name in names}},
            "owners": {"value": {name: f"{name} of {space}" for name, space in names.items()}},
        },
        **sets.releases(),
        **values,
    }


def keys_of(*, flag: str | None = None, **arguments: Any) -> dict[str, Any]:
    """A statement about keys, for spaces with the flag alone if there is one."""
    statement = {"sid": "Keys", "actions": ["kms:Decrypt"], **arguments}
    return statement if flag is None else {"for_each": flag, "content": statement}


_WITH_KEYS: Mapping[str, Mirrors] = {
    "blue": {"site": mirror("website", key="1"), "jobs": mirror("batch", "OPS", "2"), "docs": mirror("manual")},
    "red": {"red": mirror("tools", key="3")},
}
_KEYS = [f"{_KEY}1", f"{_KEY}2"]
_ONE_WITH_KEYS: Mapping[str, Mirrors] = {**_WITH_KEYS, "red": {"red": mirror("tools")}}


def with_keys() -> Document:
    """Every space has mirrors with keys of their own."""
    keys = {"blue": {"keys": [f"{_KEY}1", f"{_KEY}2"]}, "red": {"keys": [f"{_KEY}3"]}}
    return spaces(_WITH_KEYS, more=keys, statements=[keys_of(resources="${each.value.keys}")])


def with_some_keys(flag: str, more: Mapping[str, Mapping[str, Any]], **statement: Any) -> Document:
    """One space has mirrors with keys, and a statement for that."""
    document = spaces(_ONE_WITH_KEYS, more=more)
    policy = document["data"]["aws_iam_policy_document"]["it"]
    policy["dynamic"] = {"statement": keys_of(flag=flag, resources="${each.value.keys}", **statement)}
    return document


def if_true() -> Document:
    """A flag says which space has the statement."""
    keys: dict[str, dict[str, Any]] = {
        "blue": {"has_keys": True, "keys": _KEYS},
        "red": {"has_keys": False, "keys": []},
    }
    return with_some_keys("${each.value.has_keys ? [1] : []}", keys)


def unless_null(**statement: Any) -> Document:
    """The space without the statement has null in place of the keys."""
    keys: dict[str, dict[str, Any]] = {"blue": {"keys": _KEYS}, "red": {"keys": None}}
    return with_some_keys("${each.value.keys == null ? [] : [1]}", keys, **statement)


def if_variable() -> Document:
    """A variable says whether a space has the statement, which is about a repository that no mirror goes into."""
    entries: dict[str, dict[str, Any]] = {
        "blue": {"has_keys": True, "keys": [f"{_ARN}{it}" for it in ("website", "batch", "manual")]},
        "red": {"has_keys": "${var.it}", "keys": [f"{_ARN}other"]},
    }
    document = with_some_keys("${each.value.has_keys ? [1] : []}", entries)
    return {**document, "variable": {"it": {"type": "bool", "default": True}}}


OWNERS: dict[str, Document] = {
    "of_mirrors": spaces(),
    "with_keys": with_keys(),
    "with_keys_if_true": if_true(),
    "with_keys_unless_null": unless_null(),
    "with_a_variable": if_variable(),
    "with_another_set_of_keys": unless_null(not_resources="${each.value.keys}"),
    "with_whole_entries": spaces(output={"it": {"value": "${jsonencode(local.spaces)}"}}),
}
