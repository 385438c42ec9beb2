"""Breaks long expressions into several lines, inside brackets, where HCL ignores line breaks."""

from collections.abc import Sequence

from ops.handover.expressions import Syntax, ends_in_comment, parsed
from ops.handover.plain_objects import with_plain_objects

INDENT = "  "
WIDTH = 110
"""The longest line, in characters."""

_OPENING = {"(", "[", "tuple_start", "object_start", "template_interpolation_start", "template_directive_start"}
_CLOSING = {")", "]", "tuple_end", "object_end", "template_interpolation_end", "template_directive_end"}

_COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}


def with_line_breaks(source: str, indent: str, room: int) -> str:
    """An expression that starts on a line indented by `indent` and has `room` characters left on that line."""
    if ends_in_comment(source):
        return f"({source}\n)"
    source = with_plain_objects(source)
    if "\n" in source:
        # Outside brackets a newline ends the argument.
        return f"({source}\n)" if _breaks_outside_brackets(parsed(source)) else source
    if len(source) <= room and not source.startswith("("):
        return source
    syntax = parsed(source)
    if syntax.is_in_parentheses:
        return with_line_breaks(source[1:-1].strip(), indent, room)
    if len(source) <= room or any(it.kind == "comment" for it in syntax.within()):
        return source
    return _broken(syntax, indent, in_brackets=False)


def _breaks_outside_brackets(syntax: Syntax) -> bool:
    """Whether an expression has a line break, a comment or a heredoc outside brackets."""
    if syntax.kind in ("comment", "heredoc_template"):
        return True
    depth, before = 0, None
    for child in syntax.children:
        if depth == 0 and before is not None and "\n" in syntax.text_between(before, child):
            return True
        depth -= child.kind in _CLOSING
        if depth == 0 and _breaks_outside_brackets(child):
            return True
        depth += child.kind in _OPENING
        before = child
    return False


def _fitted(syntax: Syntax, indent: str, *, before: str = "", in_brackets: bool = True) -> str:
    """`before` and an expression on a line indented by `indent`, or on several if that is too long.

    in_brackets: whether a line break may stand between the expression's operands.
    """
    fits = len(indent) + len(before) + len(syntax.text) <= WIDTH
    return before + (syntax.text if fits else _broken(syntax.core, indent, in_brackets=in_brackets))


def _broken(syntax: Syntax, indent: str, *, in_brackets: bool) -> str:
    """An expression with its operands, or the items in its brackets, on lines of their own."""
    inner = indent + INDENT
    broken = syntax.text
    match syntax.kind, syntax.children:
        case (("conditional" | "binary_operation"), _) if in_brackets:
            broken = f"\n{indent}".join(_operands(syntax, indent))
        case (("conditional" | "binary_operation"), _):
            broken = _lines("(", _operands(syntax, inner), ")", indent)
        case "unary_operation", [sign, operand, *rest]:
            broken = sign.text + _broken(operand.core, indent, in_brackets=False) + "".join(_texts(rest))
        case "function_call", [name, _, arguments, _]:
            broken = name.text + _arguments(arguments.children, indent)
        case "tuple", [_, *items, _]:
            broken = _items("[", items, "]", indent)
        case "object", [_, *elements, _]:
            broken = _lines("{", [_element(it, inner) for it in elements if it.kind == "object_elem"], "}", indent)
        case (("for_tuple_expr" | "for_object_expr"), [opening, intro, *rest, closing]):
            broken = _lines(opening.text, _for(intro, rest, inner), closing.text, indent)
        case (("expression" | "several"), [_, content, _]) if syntax.is_in_parentheses:
            broken = _lines("(", [_fitted(content, inner)], ")", indent)
        case (("expression" | "several"), [first, *rest]):
            broken = _broken(first.core, indent, in_brackets=in_brackets) + "".join(_texts(rest))
    return broken


def _lines(opening: str, lines: Sequence[str], closing: str, indent: str) -> str:
    return f"{opening}\n" + "".join(f"{indent}{INDENT}{line}\n" for line in lines) + indent + closing


def _texts(found: Sequence[Syntax]) -> list[str]:
    return [it.text for it in found]


def _arguments(children: Sequence[Syntax], indent: str) -> str:
    """A function's arguments in brackets. A single one that has brackets of its own does not get lines of its own."""
    match [it.core for it in children]:
        case [single] if single.kind not in ("conditional", "binary_operation"):
            return f"({_broken(single, indent, in_brackets=False)})"
    return _items("(", children, ")", indent)


def _items(opening: str, children: Sequence[Syntax], closing: str, indent: str) -> str:
    lines = [f"{_fitted(it, indent + INDENT)}," for it in children if it.kind == "expression"]
    if any(it.kind == "ellipsis" for it in children):  # `f(list...)`: HCL allows no comma after it
        lines[-1] = lines[-1].removesuffix(",") + "..."
    return _lines(opening, lines, closing, indent)


def _operands(syntax: Syntax, indent: str) -> list[str]:
    """The lines of an operation or a conditional; each one after the first starts with its operator."""
    first, *rest = syntax.operands
    before = first.core
    if before.kind == syntax.kind and (syntax.kind == "conditional" or before.operands[1].text == rest[0].text):
        lines = _operands(before, indent)
    else:
        lines = [_fitted(first, indent)]
    for operator, operand in zip(rest[::2], rest[1::2], strict=True):
        line = _fitted(operand, indent, before=f"{operator.text} ")
        if operator.text in _COMPARISONS and "\n" in lines[-1] and "\n" not in line:
            lines[-1] += f" {line}"  # after the closing bracket
        else:
            lines.append(line)
    return lines


def _element(element: Syntax, indent: str) -> str:
    """`key = value` in an object, where a line break ends the value."""
    key, _, value = element.children
    return _fitted(value, indent, before=f"{key.text} = ", in_brackets=False)


def _for(intro: Syntax, rest: Sequence[Syntax], indent: str) -> list[str]:
    """The lines of a `for` expression: what it goes through and makes, and its condition."""
    *names, collection, _ = intro.children
    names_text = " ".join(_texts(names)).replace(" ,", ",")
    head = f"{_fitted(collection, indent, before=f'{names_text} ')} :"
    conditions = [it for it in rest if it.kind == "for_cond"]
    match [it for it in rest if it.kind != "for_cond"]:
        case [key, arrow, value, *dots]:
            head += f" {key.text} {arrow.text}"
        case [value, *dots]:
            pass
    lines = [_after(head, value, indent) + "".join(_texts(dots))]
    return lines + [_fitted(it.children[1], indent, before="if ") for it in conditions]


def _after(head: str, value: Syntax, indent: str) -> str:
    """The value of a `for` expression after its head, or on a line of its own."""
    last = head.rpartition("\n")[2]
    if len(indent) + len(last) + 1 + len(value.text) <= WIDTH:
        return f"{head} {value.text}"
    broken = _broken(value.core, indent, in_brackets=False)
    return f"{head} {broken}" if "\n" in broken else f"{head}\n{indent}{INDENT}{broken}"
