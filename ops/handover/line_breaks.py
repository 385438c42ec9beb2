"""Breaks long expressions into several lines, inside brackets, where HCL ignores line breaks."""

from terraform.templates import masked

INDENT = "  "
WIDTH = 110
"""The longest line, in characters."""

_CLOSING = {"(": ")", "[": "]", "{": "}"}


def with_line_breaks(source: str, indent: str, room: int) -> str:
    """An expression that starts on a line indented by `indent` and has `room` characters left on that line."""
    if "\n" in source:
        # Outside brackets a newline ends the argument. A heredoc or comment needs one after it.
        return source if _breaks_only_within_brackets(source) else f"({source}\n)"
    if source.startswith("(") and _closing_bracket(masked(f"{source}\n"), 0) == len(source) - 1:
        return with_line_breaks(source[1:-1].strip(), indent, room)
    return source if len(source) <= room else _broken(source, indent)


def _breaks_only_within_brackets(source: str) -> bool:
    if any(mark in source for mark in ("#", "//", "/*", "<<")):
        return False
    return "\n" not in _outside_brackets(masked(source))


def _broken(source: str, indent: str) -> str:
    """A long expression with its operands, or the items in its brackets, on lines of their own."""
    code = masked(source)
    inner = indent + INDENT
    for operator in ("&&", "||"):
        operands = _split(source, code, f" {operator} ")
        if len(operands) > 1 and "?" not in code:
            return f"(\n{inner}" + f"\n{inner}{operator} ".join(operands) + f"\n{indent})"
    opening = next((index for index, character in enumerate(code) if character in _CLOSING), None)
    if opening is None or _closing_bracket(code, opening) != len(source) - 1 or code[opening] == "{":
        return source
    head, content, tail = source[: opening + 1], source[opening + 1 : -1], source[-1]
    if content.startswith("for "):
        return f"{head}\n{inner}{content}\n{indent}{tail}"
    items = _split(content, masked(content), ",")
    if len(items) == 1:
        return head + _broken(content, indent) + tail
    lines = f",\n{inner}".join(_fitted(item.strip(), inner) for item in items)
    end = "" if lines.endswith("...") else ","  # HCL allows no comma after an expanded argument
    return f"{head}\n{inner}{lines}{end}\n{indent}{tail}"


def _fitted(source: str, indent: str) -> str:
    return source if len(source) + len(indent) <= WIDTH else _broken(source, indent)


def _closing_bracket(code: str, opening: int) -> int:
    """The index of the bracket that closes the one at `opening`, or -1."""
    depth = 0
    for index in range(opening, len(code)):
        depth += (code[index] in _CLOSING) - (code[index] in _CLOSING.values())
        if depth == 0:
            return index
    return -1


def _outside_brackets(code: str) -> str:
    """The code with NULs for everything inside brackets."""
    depth, kept = 0, ""
    for character in code:
        depth -= character in _CLOSING.values()
        kept += character if depth == 0 else "\0"
        depth += character in _CLOSING
    return kept


def _split(source: str, code: str, separator: str) -> list[str]:
    """The pieces of `source` between separators outside brackets."""
    outside, pieces, start = _outside_brackets(code), [], 0
    while (index := outside.find(separator, start)) >= 0:
        pieces.append(source[start:index])
        start = index + len(separator)
    return [*pieces, source[start:]] if source[start:].strip() else pieces
