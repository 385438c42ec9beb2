"""Writes strings as HCL: quoted, or as a heredoc where that is exact and easier to read."""

import re
import unicodedata

from ops.handover.hcl import Template
from terraform.templates import Directive, Interpolation, Literal, Part, escaped

_BRACES = re.compile(r"(\$+|%+)\{")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(value: str) -> str:
    """A quoted string that evaluates to `value`."""
    return '"' + _BRACES.sub(_escaped_signs, "".join(_escaped_character(it) for it in value)) + '"'


def quoted_template(template: Template) -> str:
    """A template as a quoted string."""
    inside = (quoted(part.text)[1:-1] if isinstance(part, Literal) else _sequence(part) for part in template.parts)
    return '"' + "".join(inside) + '"'


def heredoc(template: Template, indent: str, inner: str) -> str:
    """A template as a heredoc. `inner` is the indentation of its lines, `indent` that of its marker."""
    content = "".join(escaped(it.text) if isinstance(it, Literal) else _sequence(it) for it in template.parts)
    lines = [f"{inner}{line}" if line.strip(" ") else line for line in content[:-1].split("\n")]
    marker = _marker(content)
    return f"<<-{marker}\n" + "\n".join(lines) + f"\n{indent}{marker}"


def is_heredoc(template: Template) -> bool:
    """Whether to write a template as a heredoc: it has at least two lines, and an indented heredoc keeps it exactly.

    Terraform removes the indentation that all lines share, blank lines apart, so at least one line must have none.
    Tabs count as one space there, so that line must not begin with one. Combining characters at the start of a line,
    tabs in a line of nothing else, carriage returns and a missing final newline need a quoted string.
    """
    if template.expression is not None or not all(_fits_heredoc(part) for part in template.parts):
        return False
    whole = "".join(part.text if isinstance(part, Literal) else "x" for part in template.parts)
    lines = whole.split("\n")
    if len(lines) < 3 or lines[-1] != "" or not isinstance(template.parts[-1], Literal):
        return False
    if any(it not in "\n\t" and _is_invisible(it) for it in whole):
        return False
    not_blank = [line for line in lines if line.strip(" ")]
    if any(not line.strip() for line in not_blank):
        return False
    # A combining character would join the indentation.
    plain = all(line[0].isascii() and line.lstrip(" \t")[0].isascii() for line in not_blank)
    return plain and any(line[0] not in " \t" for line in not_blank)


def has_doubled_signs(part: Part) -> bool:
    """Whether the text has `$$` or `%%` before a brace, which only a quoted string can represent reliably."""
    return isinstance(part, Literal) and re.search(r"(\$\$|%%)\{", part.text) is not None


def _fits_heredoc(part: Part) -> bool:
    if isinstance(part, Literal):
        return not has_doubled_signs(part)
    return "\n" not in part.source


def _marker(content: str) -> str:
    marker = "EOT"
    while re.search(rf"^\s*{marker}\s*$", content, re.MULTILINE):
        marker += "_"
    return marker


def _sequence(part: Interpolation | Directive) -> str:
    return ("${" if isinstance(part, Interpolation) else "%{") + part.source + "}"


def _escaped_signs(found: re.Match[str]) -> str:
    signs = found[1]
    # Of several signs Terraform drops one or two, depending on what precedes them.
    return f"{signs * 2}{{" if len(signs) == 1 else f"{signs[:-1]}\\u{ord(signs[0]):04x}{{"


def _escaped_character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # An editor may not show these, and Terraform may drop them.
    return f"\\u{ord(character):04x}" if _is_invisible(character) or character == "\ufeff" else character


def _is_invisible(character: str) -> bool:
    """Whether it is a control character, or a line or paragraph separator."""
    return unicodedata.category(character) in ("Cc", "Zl", "Zp")
