"""Strings of JSON, which become `jsonencode(…)` where that evaluates to the same string."""

import json
import random
import re

from tests.ops.handover.cases.documents import Document, aws

_STRINGS = (
    "",
    "a",
    "<b> & c",
    "é 架",
    'say "x"',
    "a\\b",
    "\n\t\b\f",
    "\u2028",
    "\x7f",
    "e\u0301",
    "$${x} %%{y}",
    "\ue0000\ue001",
    "/",
)
_SPELLINGS = """
0 -0 0.0 -0.0 1 -1 10 1.0 2.0 1.5 1.50 0.1 0.10 1e3 1E3 1e+3 1e-3 1e16 1e+16 1e21 1.5E-7 0.0000001
9007199254740993 18446744073709551616 0.30000000000000004 1e400 1e-400 100000000000000000000000
"""
_FIXED_NUMBERS = (
    *re.findall(r"\S+", _SPELLINGS),
    *(
        sign + digit * count
        for sign in ("", "0.")
        for digit in "79"
        for count in (149, 150, 151, 153, 154, 155, 156, 200)
    ),
)


def _texts(*texts: str) -> Document:
    values = {"id": 5, "x": {"arn": 'a"<b', "id": [1]}}
    return {"locals": values, "resource": {"terraform_data": {"it": {"input": list(texts)}}}}


def _number(chance: random.Random) -> str:
    sign: str = chance.choice(("", "", "-"))
    exponent: str = chance.choice(("", "", "", "e5", "E+7", "e-12"))
    fraction = "".join(chance.choices("0123456789", k=chance.randint(0, 20)))
    whole = str(chance.randint(0, 10 ** chance.randint(0, 25)))
    return f"{sign}{whole}{fraction and '.'}{fraction}{exponent}"


def _value(chance: random.Random, depth: int) -> str:
    kind = chance.randint(0, 6 if depth else 3)
    if kind == 0:
        word: str = chance.choice(("true", "false", "null", *_FIXED_NUMBERS[:20]))
        return word
    if kind == 1:
        return _number(chance) if chance.random() < 0.3 else str(chance.randint(-99, 99))
    if kind < 4:
        return json.dumps(chance.choice(_STRINGS), ensure_ascii=chance.random() < 0.2)
    items = [_value(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    if kind == 4:
        return "[" + ",".join(items) + "]"
    keys = [json.dumps(f"{chance.choice(_STRINGS[:4])}{index}", ensure_ascii=False) for index in range(len(items))]
    if chance.random() < 0.8:
        keys.sort()
    return "{" + ",".join(f"{key}:{it}" for key, it in zip(keys, items, strict=True)) + "}"


def _random(seed: int) -> Document:
    chance = random.Random(seed)
    return _texts(*(f'{{"a":{_value(chance, 3)},"b":[{_value(chance, 1)}]}}' for _ in range(8)))


RANDOM_JSON = {str(seed): _random(seed) for seed in range(20)}


_POLICY = '{"Version": "2012-10-17", "Statement": [{"Sid": "", "Resource": "%s", "Action": ["b:*", "a:*"]}]}'

POLICIES: dict[str, Document] = {
    "in_another_order": aws("aws_sns_topic", name="t", policy=_POLICY % "a<b"),
    "of_a_reference": aws("aws_iam_policy", name="t", policy=_POLICY % "arn:${local.one}") | {"locals": {"one": 1}},
    "with_variables_of_iam": aws("aws_iam_policy", name="t", policy=_POLICY % "$${aws:username}/*"),
    "with_a_number": aws("aws_iam_policy", name="t", policy=_POLICY.replace('""', "1.0") % "a"),
    "from_a_call": aws("aws_iam_policy", name="t", policy="${jsonencode({ b = 1, a = 2 })}"),
    "in_another_argument": aws("aws_sns_topic", name="t", display_name='{"b":1,"a":2}'),
    "in_a_role": aws("aws_iam_role", name="t", assume_role_policy=_POLICY % "x", description=_POLICY % "x"),
}

JSON: dict[str, Document] = {
    "numbers": _texts(*(f'{{"a":{number}}}' for number in _FIXED_NUMBERS)),
    "more_numbers": _texts(*(f'{{"a":{_number(random.Random(seed))}}}' for seed in range(100))),
    "escapes_that_releases_write_differently": _texts(
        '{"a":"\\b"}', '{"a":"\\f"}', '{"a":"\\u0008"}', '{"a":"\\u000c"}'
    ),
    "upper_case_escapes": _texts('{"a":"\\u003C"}', '{"a":"\\u00E9"}', '{"a":"\\/"}', '{"a":"\\u0041"}'),
    "a_value_that_is_no_string": _texts('{"a":"${local.id}"}', '{"a":"${local.x.id}"}'.replace("x.id", "x.arn")),
    "a_value_that_jsonencode_escapes": _texts('{"a":"x ${local.x.arn}"}'),
    "a_key_from_a_reference": _texts('{"${local.id}":1}'),
    "a_number_from_a_reference": _texts('{"a":${local.id}}'),
    "a_whole_value_from_a_reference": _texts('{"a":${jsonencode(local.x.id)}}'),
    "whole_values_from_calls": _texts(
        '{"a":${jsonencode([for it in ["<", "b"] : try(regex("b", it), { c = it })])},"b":[${jsonencode(null)}]}',
        '[${jsonencode({ z = 1.50, a = true })},"${jsonencode(local.x)}"]',
        '{"a":"x\\${jsonencode("y")}',
    ),
    "the_same_key_twice": _texts('{"a":1,"a":2}'),
    "keys_in_the_order_of_bytes": _texts('{"A":1,"a":2,"é":3,"架":4,"👍":5}', '{"\ufffd":1,"👍":2}'),
    "white_space": _texts(' {"a":1}', '{"a":1} ', '{"a":1}\n', '{ "a":1}', '["a", 1]'),
    "lists": _texts("[]", "[[]]", "[1]", '["a",[{"b":null}]]', "{}", '[{"a":{}}]'),
    "text_that_looks_like_json": _texts("{", "[a]", "{a}", "[1,]", "[NaN]", "[Infinity]", "[-1", '{"a":01}'),
    "a_placeholder": _texts('{"a":"\ue0000\ue001"}'),
    "letters_with_marks": _texts('{"e\u0301":"e\u0301","<\u0338":1}'),
    "directives": _texts('{"a":"%{ if true }x%{ endif }"}', '{"a":"$${x} %%{y} $ %"}'),
    "deep": _texts("[" * 40 + "]" * 40, '{"a":' * 30 + "1" + "}" * 30),
    "long": _texts(json.dumps({f"key_{number:03}": "x" * 30 for number in range(30)}, separators=(",", ":"))),
}

_LOGS = '{"logDriver":"awslogs","options":{"awslogs-group":"${aws_cloudwatch_log_group.it.name}"}}'
_CONTAINERS = f'[{{"image":"${{aws_ecr_repository.it.repository_url}}:1","logConfiguration":{_LOGS},"name":"it"}}]'

CONTAINERS: dict[str, Document] = {
    "of_a_task": {
        "resource": {
            "aws_cloudwatch_log_group": {"it": {"name": "/ecs/it"}},
            "aws_ecr_repository": {"it": {"name": "it"}},
            "aws_ecs_task_definition": {"it": {"family": "it", "container_definitions": _CONTAINERS}},
            "terraform_data": {"it": {"input": _CONTAINERS.replace("${aws_ecr_repository.it.repository_url}", "it")}},
        }
    }
}

_OBJECT = r"""{
  "z"   = ["\"\\\n\t\u00e9 $${x} \u0024{x}", "x${local.id}", "${local.x}", 1.50, null],
  "a b" : { a = true, "null" = -1, "for" = 1 },
  lines = "a\n b\n",
  (local.id) = [for it in local.x.id : { "it" = it, n = "<${it}>" }],
  "k${local.id}" = {},
}"""

CALLS: dict[str, Document] = {
    "of_objects": _texts(f"${{jsonencode({_OBJECT})}}", '${jsonencode([{ a = "%{ if true }x%{ endif }" }])}'),
    "in_arguments": {
        "locals": {"id": 5, "key": "k"},
        "resource": {
            "terraform_data": {
                name: {"input": f"${{jsonencode({source})}}", "triggers_replace": number}
                for number, (name, source) in enumerate(
                    {
                        "names": _OBJECT.replace("local.x.id", "[1, 2]").replace("local.x", "local.id"),
                        "plain": '{"b" = [{"c" = "é"}, [], "${local.key}"], "a" = "$$", e = "%{ if true }x%{ endif }"}',
                        "list": r'["a\r\nb", "\\${local.key}\"", "$${local.key}", "\U0001F44D", local.id + 1]',
                        "unknown": "{ id = terraform_data.list.id, ids = [terraform_data.list.id] }",
                        "signs": r'["\u0024${local.key}", "\u0025${local.key}", "a\n$\u0024${local.key}\nb\n"]',
                        "sign_in_a_file": '{ text = "' + r"a line\n" * 12 + r'\u0024${local.key}" }',
                        "long": '{ text = "' + r"a line\n" * 12 + 'the last" }',
                    }.items()
                )
            }
        },
    },
}
