"""Writes the tree as HCL text, in the order of Terraform's style guide. `terraform fmt` aligns it afterwards.

https://developer.hashicorp.com/terraform/language/style#resource-order
"""

import re
import textwrap
from collections.abc import Sequence

from ops.handover.argument_order import in_usual_order, path_of, with_usual_keys
from ops.handover.expressions import ends_in_comment
from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim, mapped
from ops.handover.line_breaks import INDENT, WIDTH, with_line_breaks
from ops.handover.strings import heredoc, is_heredoc, quoted, quoted_template

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IDENTIFIER_IN_JSON = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_KEYWORDS = {"for", "if", "in", "true", "false", "null"}

_COMMENT_WIDTH = 80

_FIRST = ("count", "for_each", "provider")
_FIRST_IN_MODULES = (*_FIRST, "source", "version")
_AFTER_OTHERS = ("tags",)
_LAST = ("depends_on",)
_FIRST_BLOCKS = ("principals", "not_principals")
_LAST_BLOCKS = ("lifecycle",)


def render(blocks: Sequence[Block]) -> str:
    """The text of a file."""
    return "\n".join(_block(block, "") for block in blocks)


def _block(block: Block, indent: str, around: str = "") -> str:
    path = path_of(block, around)
    inner = indent + INDENT
    head = " ".join([block.type, *(quoted(label) for label in block.labels)])
    first = _FIRST_IN_MODULES if block.type == "module" else _FIRST
    placed = {*first, *_AFTER_OTHERS, *_LAST}
    others = tuple(name for name in block.arguments if name not in placed)
    if block.type != "locals":
        others = tuple(in_usual_order(block, others, path))
    last = [name for name in _LAST if block.arguments.get(name, TupleExpr(())) != TupleExpr(())]
    groups = [
        [f"{inner}# {line}".rstrip() + "\n" for line in block.comments],
        *_groups(block, first, inner),
        *_groups(block, (*others, *_AFTER_OTHERS), inner),
        *([_block(it, inner, path)] for it in sorted(block.blocks, key=_order)),
        *([_argument(name, block.arguments[name], inner)] for name in last),
    ]
    body = "\n".join("".join(group) for group in groups if group)
    head = f"{_reason(block, indent)}{indent}{head}"
    return f"{head} {{\n{body}{indent}}}\n" if body else f"{head} {{}}\n"


def _reason(block: Block, indent: str) -> str:
    """The comment above a block."""
    start = f"{indent}# "
    lines = (line for it in block.reason.splitlines() for line in _wrapped(it, _COMMENT_WIDTH - len(start)) or [""])
    return "".join(f"{start}{line}".rstrip() + "\n" for line in lines)


def _wrapped(paragraph: str, width: int) -> list[str]:
    """Lines of at most this width and of about the same length, so that no word is left alone on the last."""
    # Only spaces part lines, so that addresses on the web stay whole.
    found = [
        textwrap.wrap(paragraph, it, break_long_words=False, break_on_hyphens=False)
        for it in range(width, width * 3 // 4, -1)
    ]
    return [lines for lines in found if len(lines) == len(found[0])][-1]


def _order(block: Block) -> int:
    return (block.type in _LAST_BLOCKS) - (block.type in _FIRST_BLOCKS)


def _groups(block: Block, names: Sequence[str], indent: str) -> list[list[str]]:
    """The named arguments in groups, to be separated by empty lines. One of several lines is a group of its own."""
    groups: list[list[str]] = [[]]
    for name in names:
        if name not in block.arguments:
            continue
        written = _argument(name, block.arguments[name], indent)
        if written.count("\n") > 1:
            groups += [[written], []]
        else:
            groups[-1].append(written)
    return groups


def _argument(name: str, value: Expression, indent: str) -> str:
    return f"{indent}{name} = {expression(value, indent, room=WIDTH - len(indent) - len(name) - 3)}\n"


def expression(value: Expression, indent: str = "", *, room: int = WIDTH, in_json: bool = False) -> str:
    """The text of an expression that starts on a line indented by `indent`."""
    match value:
        case Verbatim(source):
            return with_line_breaks(source, indent, room)
        case Template():
            return _template(value, indent, room)
        case FunctionCall(function, (single,)) if isinstance(single, ObjectExpr | TupleExpr):
            if function == "jsonencode":
                single, in_json = mapped(single, with_usual_keys), True
            return f"{function}({expression(single, indent, room=room - len(function) - 2, in_json=in_json)})"
        case FunctionCall(function, (Verbatim(first), ObjectExpr() as last)) if len(function) + len(first) + 4 <= room:
            small = f"{function}({first}, {_small(last)})"
            return small if _small(last) and len(small) <= room else f"{function}({first}, {expression(last, indent)})"
        case FunctionCall(function, arguments):
            return f"{function}({_listed(arguments, indent, room, in_json=in_json)})"
        case TupleExpr(items):
            return f"[{_listed(items, indent, room, in_json=in_json)}]"
        case ObjectExpr(items):
            return _object(items, indent, in_json=in_json)


def _object(items: Sequence[tuple[Template, Expression]], indent: str, *, in_json: bool) -> str:
    if not items:
        return "{}"
    inner = indent + INDENT
    pattern = _IDENTIFIER_IN_JSON if in_json else _IDENTIFIER
    is_quoted = any(key.text is not None and not _is_bare(key.text, pattern) for key, _ in items)
    named = [(f"{inner}{_key(key, is_quoted=is_quoted)} = ", it) for key, it in items]
    lines = [f"{name}{expression(it, inner, room=WIDTH - len(name), in_json=in_json)}\n" for name, it in named]
    return "{\n" + "".join(lines) + indent + "}"


def _listed(items: Sequence[Expression], indent: str, room: int, *, in_json: bool) -> str:
    """Items in brackets, which `room` includes: on one line, or each on a line of its own."""
    on_one_line = ", ".join(_small(item) or expression(item, indent, in_json=in_json) for item in items)
    one_object = len(items) == 1 and isinstance(items[0], ObjectExpr)
    if one_object or ("\n" not in on_one_line and len(on_one_line) + len("[]") <= room):
        return on_one_line
    inner = indent + INDENT
    return "\n" + "".join(f"{inner}{_item(item, inner, in_json=in_json)},\n" for item in items) + indent


def _item(item: Expression, indent: str, *, in_json: bool) -> str:
    # A comma cannot follow a heredoc's marker on its line.
    if isinstance(item, Template) and is_heredoc(item):
        return quoted_template(item)
    small = _small(item)
    return small if small and len(small) <= WIDTH - len(indent) else expression(item, indent, in_json=in_json)


def _small(item: Expression) -> str:
    """An object of one short value on one line; nothing for other expressions."""
    match item:
        case ObjectExpr(((key, Template() | Verbatim() as value),)) if not (
            isinstance(value, Template) and is_heredoc(value)
        ):
            written = f"{{ {_key(key, is_quoted=not _is_bare(key.text or '', _IDENTIFIER))} = {expression(value)} }}"
            return written if "\n" not in written else ""
    return ""


def _key(template: Template, *, is_quoted: bool) -> str:
    if template.expression is not None:
        end = "\n" if ends_in_comment(template.expression) else ""
        return f"({template.expression}{end})"
    return quoted_template(template) if is_quoted or template.text is None else template.text


def _is_bare(word: str, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(word) is not None and word not in _KEYWORDS


def _template(template: Template, indent: str, room: int) -> str:
    if template.expression is not None:
        return with_line_breaks(template.expression, indent, room)
    return heredoc(template, indent, indent + INDENT) if is_heredoc(template) else quoted_template(template)
