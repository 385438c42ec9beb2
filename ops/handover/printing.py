"""Writes the tree as HCL text, in the order of Terraform's style guide. `terraform fmt` aligns it afterwards.

https://developer.hashicorp.com/terraform/language/style#resource-order
"""

import re
import textwrap
from collections.abc import Sequence

from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim
from ops.handover.line_breaks import INDENT, WIDTH, with_line_breaks
from ops.handover.strings import heredoc, is_heredoc, quoted, quoted_template

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = {"for", "if", "in", "true", "false", "null"}

_COMMENT_WIDTH = 100

_FIRST = ("count", "for_each", "provider")
_FIRST_IN_MODULES = (*_FIRST, "source", "version")
_NAMING = ("type", "sid", "name", "name_prefix", "description", "effect", "test", "variable")
_AFTER_OTHERS = ("tags",)
_LAST = ("depends_on",)
_FIRST_BLOCKS = ("principals", "not_principals")
_LAST_BLOCKS = ("lifecycle",)


def render(blocks: Sequence[Block]) -> str:
    """The text of a file."""
    return "\n".join(_block(block, "") for block in blocks)


def _block(block: Block, indent: str) -> str:
    inner = indent + INDENT
    head = " ".join([block.type, *(quoted(label) for label in block.labels)])
    first = _FIRST_IN_MODULES if block.type == "module" else _FIRST
    placed = {*first, *_NAMING, *_AFTER_OTHERS, *_LAST}
    others = tuple(name for name in block.arguments if name not in placed)
    last = [name for name in _LAST if block.arguments.get(name, TupleExpr(())) != TupleExpr(())]
    groups = [
        [f"{inner}# {line}".rstrip() + "\n" for line in block.comments],
        *_groups(block, first, inner),
        *_groups(block, (*_NAMING, *others, *_AFTER_OTHERS), inner),
        *([_block(it, inner)] for it in sorted(block.blocks, key=_order)),
        *([_argument(name, block.arguments[name], inner)] for name in last),
    ]
    body = "\n".join("".join(group) for group in groups if group)
    head = f"{_reason(block, indent)}{indent}{head}"
    return f"{head} {{\n{body}{indent}}}\n" if body else f"{head} {{}}\n"


def _reason(block: Block, indent: str) -> str:
    """The comment above a block."""
    start = f"{indent}# "
    # Only spaces part lines, so that addresses on the web stay whole.
    wrapper = textwrap.TextWrapper(_COMMENT_WIDTH - len(start), break_long_words=False, break_on_hyphens=False)
    lines = (line for paragraph in block.reason.splitlines() for line in wrapper.wrap(paragraph) or [""])
    return "".join(f"{start}{line}".rstrip() + "\n" for line in lines)


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


def expression(value: Expression, indent: str = "", *, room: int = WIDTH) -> str:
    """The text of an expression that starts on a line indented by `indent`."""
    match value:
        case Verbatim(source):
            return with_line_breaks(source, indent, room)
        case Template():
            return _template(value, indent, room)
        case FunctionCall(function, (single,)) if isinstance(single, ObjectExpr | TupleExpr):
            return f"{function}({expression(single, indent, room=room - len(function) - 2)})"
        case FunctionCall(function, (Verbatim(first), ObjectExpr() as last)) if len(function) + len(first) + 4 <= room:
            return f"{function}({first}, {expression(last, indent)})"
        case FunctionCall(function, arguments):
            return f"{function}({_listed(arguments, indent, room)})"
        case TupleExpr(items):
            return f"[{_listed(items, indent, room)}]"
        case ObjectExpr(items):
            return _object(items, indent)


def _object(items: Sequence[tuple[Template, Expression]], indent: str) -> str:
    if not items:
        return "{}"
    inner = indent + INDENT
    named = [(f"{inner}{_key(name)} = ", it) for name, it in items]
    lines = [f"{name}{expression(it, inner, room=WIDTH - len(name))}\n" for name, it in named]
    return "{\n" + "".join(lines) + indent + "}"


def _listed(items: Sequence[Expression], indent: str, room: int) -> str:
    """Items in brackets, which `room` includes: on one line, or each on a line of its own."""
    on_one_line = ", ".join(expression(item, indent) for item in items)
    one_object = len(items) == 1 and isinstance(items[0], ObjectExpr)
    if one_object or ("\n" not in on_one_line and len(on_one_line) + len("[]") <= room):
        return on_one_line
    inner = indent + INDENT
    return "\n" + "".join(f"{inner}{_item(item, inner)},\n" for item in items) + indent


def _item(item: Expression, indent: str) -> str:
    # A comma cannot follow a heredoc's marker on its line.
    if isinstance(item, Template) and is_heredoc(item):
        return quoted_template(item)
    return expression(item, indent)


def _key(template: Template) -> str:
    word = template.text
    if word is not None and _IDENTIFIER.fullmatch(word) and word not in _KEYWORDS:
        return word
    return f"({template.expression})" if template.expression is not None else quoted_template(template)


def _template(template: Template, indent: str, room: int) -> str:
    if template.expression is not None:
        return with_line_breaks(template.expression, indent, room)
    return heredoc(template, indent, indent + INDENT) if is_heredoc(template) else quoted_template(template)
