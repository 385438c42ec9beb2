"""Details that are easily lost: marks, nulls, numbers, names, sensitive and ephemeral values, aliases, keys."""

from typing import Any

from tests.ops.handover import by_plan
from tests.ops.handover.cases.documents import Document, aws, reference, variable


def _output(value: Any, **others: Any) -> Document:
    return {"locals": {"name": "it", "one": 1, "map": {"a": 1}}, "output": {"o": {"value": value, **others}}}


NUMBERS = {
    text.replace("-", "minus_").replace(".", "_").replace("+", "plus_"): _output([value, {"a": value}])
    for text, value in {
        "0": 0,
        "-0.0": -0.0,
        "1e300": 1e300,
        "5e-324": 5e-324,
        "huge": 10**200 + 1,
        "long_fraction": 0.1 + 0.2,
        "9007199254740993": 9007199254740993,
        "-1": -1,
        "true": True,
    }.items()
}

KEYS: dict[str, Document] = {
    "number": _output({"1": "a", "01": "b", "1.5": "c", "-1": "d"}),
    "word_of_the_language": _output(
        {word: word for word in ("for", "in", "if", "else", "endif", "true", "null", "each")}
    ),
    "with_signs": _output(
        dict.fromkeys(("a.b", "a-b", "-a", "a b", "a:b", "a/b", "a=b", "a,b", "#a", "//a", "(a)", "[a]"), 1)
    ),
    "with_quotes": _output({'a"b': 1, "a\\b": 2, "a\nb": 3, "a\tb": 4, "'": 5, "\u2028": 6}),
    "with_escaped_braces": _output({"$${a}": 1, "%%{b}": 2, "${local.name}$${x}": 3, "$": 4, "%": 5}),
    "from_an_expression": _output({"${local.name}": 1, "${local.one + 1}": 2, '${upper("x")}': {"${local.one}": 3}}),
    "from_an_expression_with_a_conditional": _output({'${local.one == 1 ? "a" : "b"}': 1}),
    "from_a_template_with_a_directive": _output({"%{ if local.one == 1 }a%{ else }b%{ endif }": 1}),
    "in_another_alphabet": _output({"ключ": 1, "架け橋": 2, "é": 3, "e\u0301x": 4, "ß": 5, "_a": 6, "A": 7}),
    "long": _output({"k" * 200: 1, "${local.name}" + "k" * 200: 2}),
    "empty": _output({"": 1, " ": 2}),
    "many": _output({f"key_{number}": number for number in range(120)}),
}

NULLS: dict[str, Document] = {
    "argument": aws("aws_sns_topic", name="t", display_name=None, kms_master_key_id="${null}"),
    "in_a_list": aws("aws_sns_topic", name="t", tags={"a": "b", "c": None}),
    "output": _output([None, {"a": None}]),
    "conditional": aws("aws_sns_topic", name="t", display_name="${true ? null : 1}"),
    "block": {"resource": {"terraform_data": {"it": {"input": "x", "lifecycle": None, "connection": None}}}},
    "default_of_an_object": variable(
        type="object({ a = optional(string), b = optional(list(string), []) })", default={}
    ),
}

MARKS: dict[str, Document] = {
    "sensitive_function": _output("${sensitive(local.name)}", sensitive=True),
    "sensitive_in_a_template": _output("a-${sensitive(local.name)}-b", sensitive=True),
    "sensitive_in_a_resource": reference("${sensitive(local.list)}"),
    "nonsensitive": _output("${nonsensitive(sensitive(local.name))}"),
    "sensitive_variable_in_a_resource": {
        "variable": {"it": {"type": "string", "default": "x", "sensitive": True, "nullable": False}},
        "resource": {"terraform_data": {"it": {"input": "a ${var.it}"}}},
    },
    "ephemeral_variable": {
        "variable": {"it": {"type": "string", "default": "x", "ephemeral": True}},
        "locals": {"it": "${var.it}"},
        "output": {"o": {"value": 1}},
    },
    "unknown_in_a_template": {
        "resource": {"terraform_data": {"a": {}, "b": {"input": "x ${terraform_data.a.id} y", "count": 1}}},
        "output": {"o": {"value": "${terraform_data.b[*].input}"}},
    },
}

TYPES: dict[str, Document] = {
    name: variable(type=type_, default=default)
    for name, (type_, default) in {
        "number_as_text": ("number", "5"),
        "bool_as_text": ("bool", "true"),
        "text_from_a_number": ("string", 5),
        "list_of_any": ("list(any)", [1, 2]),
        "set": ("set(string)", ["b", "a", "b"]),
        "tuple": ("tuple([string, number, bool])", ["a", 1, True]),
        "map_of_maps": ("map(map(string))", {"a": {"b": "c"}}),
        "object_over_lines": ("object({\n  a = string\n  b = optional(number)\n})", {"a": "x"}),
        "object_with_comments": ("object({\n  a = string # one }\n  b = number // two\n})", {"a": "x", "b": 1}),
        "nested_optional": ('object({ a = optional(object({ b = optional(string, "x") }), {}) })', {}),
        "long_object": (
            "object({ " + ", ".join(f"attribute_{n} = string" for n in range(12)) + " })",
            {f"attribute_{n}": "x" for n in range(12)},
        ),
        "list_of_objects": ("list(object({ a = string, b = list(number) }))", [{"a": "$${x}", "b": [1, 2.5]}]),
        "text_over_lines": ("string", "one\n  two\r\n\tthree\n"),
        "long_text": ("string", "x${y}\n" * 40),
        "long_list": ("list(string)", [f"item number {n}" for n in range(30)]),
        "empty_text": ("string", ""),
        "old_style": ("string", "x"),
    }.items()
}

PROVIDERS: dict[str, Document] = {
    "alias": {
        "provider": {"aws": [{**by_plan.OFFLINE}, {**by_plan.OFFLINE, "alias": "us", "region": "us-east-1"}]},
        "resource": {"aws_sns_topic": {"it": {"provider": "aws.us", "name": "t"}, "other": {"name": "u"}}},
    },
    "alias_as_an_interpolation": {
        "provider": {"aws": {**by_plan.OFFLINE, "alias": "us"}},
        "resource": {"aws_sns_topic": {"it": {"provider": "aws.us", "name": "t"}}},
    },
    "default_tags": {
        "provider": {"aws": [{**by_plan.OFFLINE, "default_tags": [{"tags": {"a": "${local.name}", "b c": "$${x}"}}]}]},
        "locals": {"name": "it"},
        "resource": {"aws_sns_topic": {"it": {"name": "t"}}},
    },
    "arguments_from_variables": {
        "variable": {"region": {"default": "eu-west-1"}},
        "provider": {"aws": [{**by_plan.OFFLINE, "region": "${var.region}", "ignore_tags": {"keys": ["a"]}}]},
        "resource": {"aws_sns_topic": {"it": {"name": "${var.region}"}}},
    },
    "providers_of_a_module": {
        "provider": {"aws": [{**by_plan.OFFLINE, "alias": "us"}]},
        "module": {"it": {"source": "./inner", "providers": {"aws": "aws.us"}, "text": "x", "list": []}},
        "output": {"o": {"value": "${module.it.both}"}},
    },
    "alias_of_a_data_source": {
        "provider": {"aws": [{**by_plan.OFFLINE, "alias": "us"}]},
        "data": {
            "aws_iam_policy_document": {
                "it": {"provider": "aws.us", "statement": [{"actions": ["*"], "resources": ["*"]}]}
            }
        },
        "output": {"o": {"value": "${data.aws_iam_policy_document.it.json}"}},
    },
}

FUNCTIONS = {
    name: reference(f"${{{source}}}")
    for name, source in {
        "regex": 'regexall("[\\\\w${1}]+|\\\\{", "a {b} ${local.name}")',
        "regex_with_braces": 'replace("aaa", "/a{2}/", "$${0}")',
        "objects_of_cdktf": 'jsonencode({"a" = local.name, "b" = {"c-d" = 1, "e":{"for" = 2,}}, "f"={"g"={}}})',
        "jsonencode": 'jsonencode({ a = local.name, "b c" = [1, null, true], (local.name) = {} })',
        "jsondecode": 'jsondecode("{\\"a\\": [1, 2.50, \\"x\\"]}")',
        "yamlencode": "yamlencode({ a = [local.list, { b = null }] })",
        "templates": 'format("%-10s|%05.2f|%v|%%", local.name, 1.5, local.list)',
        "base64": "base64encode(local.name)",
        "cidr": 'cidrsubnets("10.0.0.0/16", [for i in range(4) : 4]...)',
        "lookup": 'lookup(local.map, "missing", { a = "}" }.a)',
        "try": 'try(local.map.missing, local.list[9], null, "z")',
        "can": "can(local.map.missing) ? 1 : 2",
        "flatten": 'flatten([for a in local.list : [for b in local.list : { "${a}${b}" = a == b }]])',
        "setproduct": 'setproduct(local.list, toset(["x"]))',
        "zipmap": "zipmap(local.list, [for s in local.list : upper(s)])",
        "merge": "merge([for s in local.list : { (s) = 1 }]...)",
        "for_of_an_object": "{ for k, v in local.map : upper(k) => { (v) = k } }",
        "for_with_index": '[for i, s in local.list : "${i + 1}: ${s}"]',
        "one": "one([local.arn])",
        "coalesce": 'coalesce(null, "", local.name)',
        "timeadd": 'timeadd("2026-01-01T00:00:00Z", "10m")',
        "formatdate": 'formatdate("YYYY-MM-DD\'T\'hh:mm", "2026-01-01T00:00:00Z")',
        "indent": 'indent(2, "a\\nb")',
        "heredoc": "trimspace(<<-EOT\n    a\n      ${local.name}\n    EOT\n)",
        "type_conversion": '[tostring(1.0), tonumber("1e3"), tobool("true"), tolist(local.list), tomap({ a = 1 })]',
        "path": 'replace(path.module, "/.*/", "")',
        "workspace": "terraform.workspace",
        "textdecode": 'textencodebase64("é", "UTF-16LE")',
        "strcontains": 'strcontains("$${x}", "$$") ? 1 : 0',
        "sum": "sum([1, 2.5, 1e2])",
        "range": "range(0, 10, 2.5)",
    }.items()
}
