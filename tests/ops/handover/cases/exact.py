"""Stacks in which a reference, a name or a text means something else than it seems to."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.similar import each, stack

_LONG = "\n".join(f"line {number}" for number in range(12))

CHARACTERS = {
    "that_a_file_would_compose": {
        "output": {"o": {"value": base64.b64encode(("e\u0301 word\n" * 90).encode()).decode()}},
        "resource": {"terraform_data": {"it": {"input": base64.b64encode(("e\u0301 word\n" * 90).encode()).decode()}}},
    },
    "of_true_in_a_text": {"resource": {"terraform_data": {"it": {"input": f"{_LONG}\n${{true}} ${{!true}}\n"}}}},
    "of_a_variable_named_true": {
        "variable": {"true": {"default": "hello"}},
        "resource": {"terraform_data": {"it": {"input": f"{_LONG}\n${{var.true}}\n"}}},
    },
}


def two(type_: str, body: Callable[[str], dict[str, Any]], keys: Sequence[str] = ("alpha", "beta")) -> Document:
    """Resources that differ in a key."""
    return stack("resource", each("items/*/it", keys, type_, body))


def data(values: Callable[[str], Any]) -> Document:
    return two("terraform_data", lambda key: {"input": values(key)})


def _with_news(value: str, **others: Any) -> Document:
    """A resource whose name gets shorter, and a value that may refer to it."""
    metadata = {"metadata": {"path": "web/news", "uniqueId": "news_ABCDEF12"}}
    resources = {"news_ABCDEF12": {"//": metadata, "input": "n"}, "it": {"input": value}}
    return {"resource": {"terraform_data": resources}, **others}


_BOTH = {"news": "wrong", "news_ABCDEF12": "right"}


def exact() -> dict[str, Document]:
    """The stacks, by name, whose resources may get other addresses."""
    return {
        "index_in_a_heredoc": data(lambda key: f'${{trimspace(<<EOT\n["{key}"]\nEOT\n)}}'),
        "index_in_a_string": data(lambda key: f'${{upper("[\\"{key}\\"]")}}'),
        "key_named_true": data(lambda key: f"{_LONG}\ntrue: {key[::-1]}\n{_LONG}"),
        "key_named_null": data(lambda key: f"{_LONG}\nNULL={key[::-1]}\n{_LONG}"),
        "byte_order_mark": data(lambda key: f"\ufeff\ufeff{_LONG}\nname: {key[::-1]}\n{_LONG}"),
        "names_that_are_no_identifiers": data(
            lambda key: {"2024 budget": key[::-1], "m²": key[::-1], "1": key.upper()}
        ),
        "for_that_binds_each": data(lambda key: f'${{[for each in [{{key="k"}}] : "{key}-${{each.key}}"]}}'),
        "directive_that_binds_each": data(lambda key: f'%{{for each in [{{key="k"}}]}}{key}%{{endfor}}'),
        "for_that_binds_local": {
            "locals": {"m": {"alpha": "A", "beta": "B", "k": "K"}},
            **data(lambda key: f'${{[for local in [{{m={{{key}="x"}}}}] : local.m["{key}"]]}}'),
        },
        "iterator_named_each": two(
            "aws_iam_role",
            lambda key: {
                "name": key,
                "assume_role_policy": "{}",
                "dynamic": {
                    "inline_policy": {
                        "for_each": {"k1": "v1"},
                        "iterator": "each",
                        "content": {"name": f"pol-{key}", "policy": "{}"},
                    }
                },
            },
        ),
        "local_value_named_like_a_type": _with_news("${local. terraform_data.news}", locals={"terraform_data": _BOTH}),
        "local_value_with_an_old_name": _with_news(
            "${local. terraform_data.news_ABCDEF12}", locals={"terraform_data": _BOTH}
        ),
        "for_that_binds_a_type": _with_news(
            "${[for terraform_data in [local.both] : terraform_data.news_ABCDEF12]}", locals={"both": _BOTH}
        ),
        "directive_that_binds_a_type": _with_news(
            "%{for terraform_data in [local.both]}${terraform_data.news_ABCDEF12}%{endfor}", locals={"both": _BOTH}
        ),
        "spaces_in_an_address": _with_news(
            "${terraform_data . news_ABCDEF12.input} ${terraform_data.news_ABCDEF12.input}"
        ),
        "attributes_of_one_name": stack(
            "resource",
            [
                *each(
                    "items/*/logs",
                    ("alpha", "beta"),
                    "aws_cloudwatch_log_group",
                    lambda key: {
                        "name": key,
                        "tags": {"foo_name": f"{key}1", "aws_sns_topic_items_foo_name": f"{key[::-1]}2"},
                    },
                ),
                *each("items/*/foo", ("alpha", "beta"), "aws_sns_topic", lambda key: {"name": f"{key[::-1]}3"}),
            ],
        ),
        "long_texts_in_blocks_that_some_have": two("aws_lambda_function", _function, ("a", "aa", "c")),
    }


def _function(key: str) -> dict[str, Any]:
    role = "arn:aws:iam::111111111111:role/x"
    body = {
        "function_name": key,
        "role": role,
        "handler": "h",
        "runtime": "nodejs20.x",
        "s3_bucket": "b",
        "s3_key": "k",
    }
    variables = {"X": f"aab\n{_LONG}\nk: {key}\n{_LONG}"}
    return body if key == "c" else {**body, "environment": {"variables": variables}}
