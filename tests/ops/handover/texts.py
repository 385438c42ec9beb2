"""Texts that are easily changed between JSON, HCL, heredocs and files."""

from typing import Any

# Templates, each of which must evaluate to the same text after the conversion.
TEXTS = {
    "empty": "",
    "dollar": "$",
    "two_dollars": "$$",
    "escaped_interpolation": "$${literal}",
    "dollars_before_a_literal_brace": "$$$${literal}",
    "escaped_directive": "%%{ if literal }",
    "percents_before_a_literal_brace": "%%%%{literal}",
    "dollar_and_brace_apart": "$ {no}",
    "quotes": 'say "hello"',
    "backslashes": "C:\\temp\\new \\\\share \\u0041",
    "backslash_at_the_end": "ends in \\",
    "tab": "a\tb",
    "tab_at_a_line_s_start": "\tone\n\ttwo\nthree\n",
    "crlf": "one\r\ntwo\r\n",
    "carriage_return": "one\rtwo",
    "lines": "one\ntwo\nthree\n",
    "no_final_newline": "one\ntwo\nthree",
    "newlines_alone": "\n\n\n",
    "spaces_before_every_line": "  one\n    two\n  three\n",
    "spaces_after_lines": "one  \n  two \n   \nthree\n",
    "heredoc_marker": "one\nEOT\nEOF\ntwo\n",
    "heredoc_of_a_shell": "cat <<EOF\n$${HOME}\nEOF\ncat <<-'EOT'\nx\nEOT\n",
    "shell": '#!/bin/bash\nset -eu\nfor x in "$${a[@]}"; do echo "$${x%%.*}" \'%s\'; done\necho $((1 + 2)) %%{x}\n',
    "long_shell": "#!/bin/bash\n" + 'echo "$${HOME}" \\\n  "%%{x}"\n' * 20,
    "long_crlf": "one\r\n" * 20,
    "long_without_final_newline": "x\n" * 30 + "end",
    "long_json": '{"a": "' + "b" * 500 + '"}',
    "unicode": "架け橋 naïve Ω",
    "decomposed_unicode": "cafe\u0301",
    "combining_mark_at_a_line_s_start": "\u0301one\ntwo\nthree\n",
    "emoji": "👩\u200d💻 🏳️\u200d🌈",
    "control_signs": "bell\u0007 escape\u001b[0m delete\u007f",
    "byte_order_mark": "\ufeffone",
    "line_separators": "a\u2028b\u2029c\u0085d",
    "no_break_space": "\u00a0one\ntwo\nthree\n",
    "digits": "0123",
    "exponent": "1e5",
    "true": "true",
    "null": "null",
    "hash": "# no comment",
    "slashes": "// no comment /* either */",
    "compact_json": '{"a":[1,true,null,"x"],"b":{"c":"d"}}',
    "json_out_of_order": '{"b":1,"a":2}',
    "json_with_spaces": '{"a": 1}',
    "json_with_html": '{"a":"\\u003cb\\u003e"}',
    "json_with_numbers": '{"a":1.50,"b":1e3,"c":10000000000000000000001}',
}


def document(text: str) -> dict[str, Any]:
    """A stack with the text in every place of the JSON, whether Terraform reads templates there or not."""
    return {
        "locals": {"it": text},
        "resource": {"terraform_data": {"it": {"input": {"text": text, "list": [text], "long": text + text}}}},
        "variable": {"it": {"type": "string", "default": text, "description": f"x {text}"}},
        "output": {
            "variable": {"value": "${var.it}", "description": f"y {text}"},
            "local": {"value": "${local.it}"},
        },
    }


def random_texts(texts: list[str]) -> dict[str, Any]:
    """A stack with random texts, escaped where Terraform reads templates."""
    escaped = [text.replace("${", "$${").replace("%{", "%%{") for text in texts]
    return {
        "resource": {"terraform_data": {"it": {"input": escaped}}},
        "variable": {f"it_{index}": {"default": text, "description": text} for index, text in enumerate(texts)},
        "output": {f"it_{index}": {"value": f"${{var.it_{index}}}"} for index in range(len(texts))},
    }
