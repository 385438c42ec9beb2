"""Stacks with JSON and with lists in texts that a person would write by key."""

import hashlib
from collections.abc import Sequence
from typing import Any

from terraform.templates import escaped, jsonencode
from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.similar import each, stack

_MEMBERS = ("batch", "partner-api", "web")

# Terraform composes the first letter with its mark, and orders the keys by that.
_OTHER_ORDER = ("e\u0301t\u00e9", "fall")


def hash_of(text: str) -> str:
    """A text that has nothing in common with that of another one."""
    return hashlib.sha256(text.encode()).hexdigest()


def objects(values: Sequence[dict[str, Any]], **more: Any) -> Document:
    """Objects in a bucket, with JSON as their content, and its digest."""
    texts = {key: jsonencode(value) for key, value in zip(_MEMBERS, values, strict=True)}

    def body(key: str) -> dict[str, Any]:
        digest = hashlib.md5(texts[key].encode(), usedforsecurity=False).hexdigest()
        return {"bucket": "b", "key": f"units/{key}.json", "content": escaped(texts[key]), "etag": digest}

    logs = each("mirrors/*/log", _MEMBERS, "aws_cloudwatch_log_group", lambda key: {"name": f"/mirrors/{key}"})
    return stack("resource", [*each("program/units/*", _MEMBERS, "aws_s3_object", body), *logs], **more)


def lines(text: str, keys: Sequence[str] = _MEMBERS, **more: Any) -> Document:
    """Mirrors, and a text that may repeat their keys."""
    logs = each("mirrors/*/log", keys, "terraform_data", lambda key: {"input": f"/mirrors/{escaped(key)}"})
    topics = each("mirrors/*/news", keys, "aws_sns_topic", lambda key: {"display_name": f"{len(key)}"})
    return stack("resource", [*logs, *topics, ("terraform_data", "table", {"input": text})], **more)


def _table(keys: Sequence[str] = _MEMBERS, line: str = '  "{0}": {{"is": "{0}"}},\n') -> str:
    return "".join(line.format(key) for key in keys)


_SAME = {f"setting_{number}": ["<b>&amp;", number, True, None, "é ${x} %{y}"] for number in range(12)}


def by_key() -> dict[str, Document]:
    """The stacks, by name."""
    return {
        "json_of_members": objects(
            [{**_SAME, "unit": f"x-{key}", "mirrors": {key: {"is": key, "source": key.upper()}}} for key in _MEMBERS]
        ),
        "json_with_values_of_any_kind": objects(
            [
                {**_SAME, "a": None, "b": [1], "c": "1"},
                {**_SAME, "a": "x", "b": [1, 2], "c": 1},
                {**_SAME, "a": {"k": "${v}"}, "b": [], "c": 1.5},
            ]
        ),
        "json_with_other_keys": objects(
            [{**_SAME, "a": 1}, {**_SAME, "b": 2}, {**_SAME, "a": 3}],
        ),
        "json_that_differs_in_most": objects(
            [{f"{key}_{number}": hash_of(f"{key}{number}") for number in range(40)} for key in _MEMBERS],
        ),
        "table": lines(f"begin\n{_table()}end\n"),
        "table_with_signs": lines("a\n" + _table(line="$${{x}} %%{{y}} {0} $ {0}% \t{0}\n") + "$${z}"),
        "table_behind_signs": lines("a\n" + _table(line="${0}\n") + _table(line="%{0}\n")),
        "table_at_the_start_and_at_the_end": lines(_table() + "a\n" + _table().removesuffix("\n")),
        "table_beside_references": lines(
            "${upper(var.x)}" + _table() + "${var.x}\n" + _table(), variable={"x": {"default": "y"}}
        ),
        "table_without_line_ends": lines(_table(line="{0}, ") + "\n"),
        "table_with_other_line_ends": lines(_table(line="{0}\r\n") + _table(line="{0}\u2028")),
        "table_in_another_order": lines("a\n" + _table(tuple(reversed(_MEMBERS)))),
        "table_of_keys_in_another_order": _listed(_OTHER_ORDER, value="x"),
        "table_of_strange_keys": lines(
            "a\n" + escaped(_table(("a b", "${y}", 'say "hi"'))) + "b\n", ("${y}", "a b", 'say "hi"')
        ),
        "table_in_a_provisioner": _in_a_provisioner(),
        "table_of_a_list_that_refers_to_a_resource": _listed(_MEMBERS, value="${terraform_data.table.id}"),
    }


def _in_a_provisioner() -> Document:
    document = lines("x")
    command = {"local-exec": [{"command": f"cat <<EOT\n{_table()}EOT\n", "when": "destroy"}]}
    document["resource"]["terraform_data"]["table"]["provisioner"] = [command]
    return document


def _listed(keys: Sequence[str], *, value: str) -> Document:
    """A local value with these keys, each with this value, and a table of them."""
    return {
        "resource": {
            "terraform_data": {
                "table": {"input": "begin\n" + _table(keys)},
                "mirror": {"for_each": "${local.mirrors}", "input": "${each.value}"},
            }
        },
        "locals": {"mirrors": dict.fromkeys(keys, value)},
    }
