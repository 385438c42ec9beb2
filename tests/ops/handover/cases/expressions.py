"""Random expressions, and long ones of each kind."""

from typing import Any

from tests.ops.handover import random_expressions
from tests.ops.handover.cases.documents import Document

_SEEDS = range(40)


def _values(*values: Any) -> Document:
    return {"locals": random_expressions.LOCALS, "resource": {"terraform_data": {"it": {"input": list(values)}}}}


def _random(seed: int) -> Document:
    expressions = random_expressions.Expressions(seed)
    alone = [f"${{{expressions.any(depth=4)}}}" for _ in range(5)]
    return _values(*alone, f"a ${{{expressions.string(4)}}}\n  b ${{{expressions.string(3)}}}\nc\n")


RANDOM_EXPRESSIONS = {str(seed): _random(seed) for seed in _SEEDS}

_LONG = "x" * 60

EXPRESSIONS: dict[str, Document] = {
    "iterator_of_cdktf": _values(
        '${[ for key, val in local.map: { key = key, val = val, long = "' + _LONG + _LONG + '" }]}',
        "${{ for key, val in local.objects: val.name => merge(val, { key = key }, { a = 1 }, { b = 2 }, { c = 3 }) }}",
    ),
    "grouping": _values(f'${{{{ for x in local.list : length(x) => "${{x}}-{_LONG}{_LONG}"... if x != "b" }}}}'),
    "operators_in_an_object": _values(
        f'${{{{ a = local.yes ? "{_LONG}" : "{_LONG}", b = local.name == "{_LONG}" || local.name != "{_LONG}" }}}}'
    ),
    "chain_of_conditions": _values(
        f'${{local.three == 1 ? "{_LONG}" : local.three == 2 ? "2{_LONG}" : local.three == 3 ? "3{_LONG}" : "none"}}'
    ),
    "different_operators": _values(
        "${" + " - ".join(f"local.three * {number} + {number}" for number in range(9)) + " < 5 && local.yes}"
    ),
    "subtractions": _values("${" + " - ".join(f"length(local.list) / {number}" for number in range(1, 9)) + "}"),
    "negated_call": _values(f'${{!contains(concat(local.list, ["{_LONG}"], ["{_LONG}"]), "{_LONG}")}}'),
    "index_of_a_long_call": _values(f'${{concat(["{_LONG}"], ["{_LONG}"])[length(local.list) - 3]}}'),
    "attribute_of_a_long_object": _values(f'${{{{ a = {{ b = "{_LONG}{_LONG}" }} }}.a.b}}'),
    "splat_of_a_long_list": _values(f'${{[{{ a = "{_LONG}" }}, {{ a = "{_LONG}" }}][*].a}}'),
    "call_of_one_condition": _values(f'${{upper(local.yes ? "{_LONG}" : "y{_LONG}")}}'),
    "nested_calls": _values(f'${{upper(lower(join(",", concat(["{_LONG}"], formatlist("%s", ["{_LONG}"])))))}}'),
    "comment_in_a_long_call": _values(f'${{join(",", /* {_LONG} */ ["{_LONG}"])}}'),
    "comment_in_an_object": _values("${{\n  a = 1 # }}\n  b = 2 // {\n}}"),
    "heredocs_in_a_list": _values("${[<<A\none ${local.name}\nA\n, <<-B\n    two\n      three\n    B\n]}"),
    "heredoc_in_text": _values("a ${upper(<<EOT\nhi }\nEOT\n)} b"),
    "heredoc_alone": _values("${<<EOT\nhi ${local.name}\nEOT\n}"),
    "lines_of_an_operation": _values("${local.three\n  + 1\n  + 2}"),
    "lines_of_a_conditional": _values("${local.yes ?\n1 :\n2}"),
    "crlf_in_an_expression": _values('${join(\r\n  ",",\r\n  local.list\r\n)}'),
    "lines_in_brackets_and_text": _values('${join(",", [\n  "a ${\n local.name\n}",\n  "b"\n])}'),
    "power_of_ten": _values("${1e3 + 12E-1}", "${[1e+2, 0.5e1]}"),
    "signs_before_a_brace": _values('${"%%%{a} $$${b} $$$${c}"}', '${"$ % $$ %% ${local.name}$ %"}'),
    "template_in_a_template": _values('${"a ${"b ${local.name} ${upper("c ${local.name}")}"}"}'),
    "strings_with_escapes": _values('${"\\u00e9 \\U0001F600 \\t \\\\ \\" $${x}"}'),
    "words_as_attributes": _values('${{ for_each = 1, iff = 2, "for" = 3 }.for_each}'),
    "legacy_splat_and_index": _values("${local.objects.*.name}", "${local.list.1}"),
    "quoted_attribute": _values('${local.map["a b"]}', '${local.map["k"]}', '${local.objects[0]["name"]}'),
    "parentheses": _values("${(((local.three)))}", "${(local.three + 1) * (2)}", "${((local.list))[0]}"),
    "expanded_arguments": _values('${format("%s %s %s", local.list...)}', "${max([1, 2]...)}"),
    "unicode_names": _values("${{ ключ = local.name, 架け橋 = 1 }}"),
    "negative_numbers": _values("${-1}", "${- 1}", "${-local.three}", "${!local.yes}", "${!(local.yes && true)}"),
    "functions_of_a_provider": _values("${provider::terraform::encode_expr(local.list)}")
    | {"terraform": {"required_providers": {"terraform": {"source": "terraform.io/builtin/terraform"}}}},
}
