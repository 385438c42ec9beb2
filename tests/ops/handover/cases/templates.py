"""Templates, each with one detail that is easily lost."""

from tests.ops.handover.cases.documents import Document, reference

TEMPLATES: dict[str, Document] = {
    "lone_reference": reference("${local.list}"),
    "reference_with_spaces": reference("${  local.name  }"),
    "text_around": reference("a-${local.name}-b"),
    "two_references": reference("${local.name}${local.name}"),
    "literal_next_to_reference": reference("$${a}${local.name}%%{b}"),
    "strings_inside": reference('${join("}", ["{", "${local.name}", "\\"", "$${x}"])}'),
    "newline_inside": reference('x${join(",",\n  local.list\n)}'),
    "lone_with_newline": reference('${join(",",\n  local.list\n)}'),
    "comment_inside": reference("${local.name # a } comment\n}"),
    "block_comment_inside": reference("${local.name /* } */}"),
    "heredoc_inside": reference('${upper(<<EOT\nit\'s a "heredoc" }\nEOT\n)}'),
    "trim_markers": reference("a  ${~ local.name ~}  b"),
    "lone_trim_markers": reference("${~ local.name ~}"),
    "trim_markers_beside_lines": reference("a\n   ${~ local.name ~}\n   b\n\n  ${~ local.name ~}  \n  c\n"),
    "trim_markers_in_a_long_text": reference("#!/bin/sh\n" + "  ${~ local.name ~}\n\n    echo $${x}\n" * 12),
    "trim_markers_in_json": reference('{"a":  "${~ local.arn ~} b"}'),
    "trim_markers_around_a_list": reference("${~ local.list ~}"),
    "trim_markers_beside_white_space_alone": reference("\n ${~ length(local.list) ~} \n"),
    "trim_markers_of_directives": reference(
        '%{ for x in local.list ~}\n  ${x ~}\n  %{~ if x == "a" ~} \n\n is a %{~ endif }\n%{ endfor ~}\n  end\n'
    ),
    "trim_markers_between_a_sign_and_what_follows": reference(
        "one $ ${~ local.name}\n%%  %{~ if true ~}\ntwo\n%{ endif }\n"
    ),
    "trim_markers_behind_a_sign_in_a_long_text": reference("one\n" * 12 + "$ ${~ local.name}\n"),
    "sign_as_an_escape_in_json": reference(
        r'${jsonencode({"a" = "\u0024${local.name}", "b" = ["x\n\u0024${local.name}\ny\n"]})}'
    ),
    "trim_markers_in_a_key": {"output": {"o": {"value": {" ${~ 1 ~} ": "a", "b ${~ 1}": 2}}}},
    "directives_with_white_space_in_a_body": reference("%{ if true ~} ${1} %{~ endif }%{ if false ~}x%{ endif }"),
    "directive_over_lines": reference("%{ if\n true }a%{ else\n}b%{\n endif }"),
    "directives_in_lines": reference("one\n%{ if true }\n  two ${local.name}\n%{ endif }\nthree\n"),
    "directives_in_a_long_text": reference("%{ for x in local.list }\n  ${x} $${y}\n%{ endfor }\n" * 8 + "end\n"),
    "directive_if": reference("%{ if true }yes%{ else }no%{ endif }"),
    "directive_for": reference("%{ for x in local.list ~}\n${x}\n%{ endfor ~}\n"),
    "object_braces": reference("${{ a = { b = local.name } }.a.b}"),
    "for_expression": reference("${{ for k, v in local.map : k => upper(v) }}"),
    "splat": reference("${[{ a = 1 }, { a = 2 }][*].a}"),
    "conditional": reference('${local.name == "bridge" ? "yes" : "no"}'),
    "backslash_in_expression": reference('${replace("a.b", "/\\\\./", "-")}'),
    "lines_with_reference": reference("one ${local.name}\n  two\n${local.name}\n"),
    "long_with_reference": reference("#!/bin/sh\n" + 'echo "${local.name}" "$${HOME}" ${jsonencode(local.map)}\n' * 12),
    "long_with_quoting": reference(
        """'${replace(replace(local.name, "\\\\", "$${x}"), "'", "'\\\\''")}'\n"""
        """${jsonencode(base64gzip(local.list[0]))}\n""" * 12
    ),
    "long_with_other_calls": reference(
        """${replace(local.name, "a", local.list[1])} ${join(",", local.list)} ${jsonencode([local.name])} ${upper("$")}
${upper("${local.name}")} ${lower(local.map["k"])} ${lower(upper(local.name))} ${upper(local.name)}${local.name}\n"""
        * 12
    ),
    "long_list": reference(
        '${sha1(jsonencode([local.name, "a, b", local.map["k"], [local.list], { a = 1, b = "}" }, '
        + ", ".join(f'"{number}-${{local.name}}"' for number in range(20))
        + "]))}"
    ),
    "long_call_with_arguments_spread": reference(
        "${format(" + '"' + "%s" * 2 + " " + "x" * 120 + '", ["${local.name}, (", "b"]...)}'
    ),
    "long_condition": reference(
        "${"
        + " && ".join(f'(local.name != "{number} && (" || false)' for number in range(9))
        + " || local.name == null}"
    ),
    "long_for_expression": reference(
        '${[for index, item in local.list : "${index}, ${item} ' + "y" * 120 + '" if item != ","]}'
    ),
    "long_conditional": reference('${local.name == "bridge" && true ? "' + "a" * 60 + '" : "' + "b" * 60 + '"}'),
    "long_sum": reference("${" + " + ".join(f"length(local.list[{number % 2}])" for number in range(9)) + "}"),
    "long_index": reference('${{ a = { b = "' + "c" * 120 + '" } }["a"]["b"]}'),
    "json_with_arn": {
        "locals": {"bucket": {"arn": "arn:aws:s3:::x"}},
        "resource": {"terraform_data": {"it": {"input": '{"Resource":"${local.bucket.arn}/*","Version":"1"}'}}},
    },
    "json_with_a_value_that_needs_escapes": {
        "locals": {"name": 'a "quoted" <name>'},
        "resource": {"terraform_data": {"it": {"input": '{"a":"${local.name}"}'}}},
    },
    "reference_in_key": reference("x") | {"output": {"o": {"value": {"${local.name}": 1, "a-${local.name}": 2}}}},
}
