"""Writes strings as HCL: quoted, or as a heredoc where that is exact and easier to read."""

import itertools
import re
import unicodedata
from collections.abc import Sequence

from ops.handover.hcl import Template
from terraform.templates import Directive, Interpolation, Literal, Part, escaped

_BRACES = re.compile(r"(\$+|%+)\{")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(value: str) -> str:
    """A quoted string that evaluates to `value`."""
    return '"' + _BRACES.sub(_escaped_signs, "".join(_escaped_character(it) for it in value)) + '"'


def quoted_template(template: Template) -> str:
    """A template as a quoted string."""
    parts = joined(template.parts)
    inside = (
        _quoted_before(part.text, after) if isinstance(part, Literal) else _sequence(part)
        for part, after in itertools.zip_longest(parts, parts[1:])
        if part is not None
    )
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
    if template.expression is not None or not is_exact_without_quotes(template.parts):
        return False
    if any("\n" in part.source for part in template.parts if not isinstance(part, Literal)):
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
    plain = all(line.lstrip(" \t")[0].isascii() for line in not_blank)
    return plain and any(line[0] not in " \t" for line in not_blank)


def has_doubled_signs(part: Part) -> bool:
    """Whether the text has `$$` or `%%` before a brace, which only a quoted string can represent reliably."""
    return isinstance(part, Literal) and re.search(r"(\$\$|%%)\{", part.text) is not None


def is_exact_without_quotes(parts: Sequence[Part]) -> bool:
    """Whether a heredoc or a template file, which have no escapes for single characters, can represent a template."""
    return not _has_escaping_sign(parts) and not any(map(has_doubled_signs, joined(parts)))


def joined(parts: Sequence[Part]) -> list[Part]:
    """The parts of a template, with adjacent texts as one."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, Literal) and found and isinstance(before := found[-1], Literal):
            found[-1] = Literal(before.text + part.text)
        elif part != Literal(""):
            found.append(part)
    return found


def _has_escaping_sign(parts: Sequence[Part]) -> bool:
    """Whether a text ends in a sign that would double the one of what follows: `$${` is no interpolation."""
    return any(_is_escape(it.text, after) for it, after in itertools.pairwise(joined(parts)) if isinstance(it, Literal))


def _is_escape(text: str, after: Part | None) -> bool:
    match after:
        case Interpolation():
            return text.endswith("$")
        case Directive():
            return text.endswith("%")
    return False


def _quoted_before(text: str, after: Part | None) -> str:
    if _is_escape(text, after):
        return f"{quoted(text[:-1])[1:-1]}\\u{ord(text[-1]):04x}"
    return quoted(text)[1:-1]


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
