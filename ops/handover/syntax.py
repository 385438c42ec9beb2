"""HCL as a tree, and its text. Columns are aligned by `terraform fmt` afterwards."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ops.handover.templates import Directive, Interpolation, Literal, Part, escaped, masked

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = {"for", "if", "in", "true", "false", "null"}
_INDENT = "  "
_WIDTH = 110


@dataclass(frozen=True)
class Verbatim:
    """An expression in HCL's own words: a reference, a number, a call."""

    source: str


@dataclass(frozen=True)
class Template:
    """A string with what is interpolated into it."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str | None:
        """The string, when nothing is interpolated into it."""
        if not self.parts:
            return ""
        match self.parts:
            case (Literal(text),):
                return text
        return None

    @property
    def expression(self) -> str | None:
        """The expression, when there is nothing else: its value is no string but of its own type."""
        match self.parts:
            case (Interpolation(source),) if not (source.startswith("~") or source.endswith("~")):
                return source.strip()
        return None


@dataclass(frozen=True)
class Tuple:
    """`[…]`."""

    items: tuple["Expression", ...]


@dataclass(frozen=True)
class Object:
    """`{…}`, in the order given."""

    items: tuple[tuple[Template, "Expression"], ...]


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple["Expression", ...]


Expression = Verbatim | Template | Tuple | Object | Call

NULL = Verbatim("null")


def text(value: str) -> Template:
    """A string that interpolates nothing."""
    return Template((Literal(value),) if value else ())


@dataclass(frozen=True)
class Block:
    """A block: its arguments come before its blocks, as people write them."""

    type: str
    labels: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    arguments: Mapping[str, Expression] = field(default_factory=dict)
    blocks: tuple["Block", ...] = ()

    def mapped(self, change: Callable[[Expression], Expression]) -> "Block":
        """The block with `change` applied to every expression in it, those within others too."""
        return replace(
            self,
            arguments={name: mapped(it, change) for name, it in self.arguments.items()},
            blocks=tuple(block.mapped(change) for block in self.blocks),
        )

    def expressions(self) -> Iterator[Expression]:
        """Every expression, those within others too."""
        for argument in self.arguments.values():
            yield from within(argument)
        for block in self.blocks:
            yield from block.expressions()


def mapped(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    match expression:
        case Tuple(items):
            expression = Tuple(tuple(mapped(item, change) for item in items))
        case Object(items):
            changed = ((_key(mapped(key, change)), mapped(value, change)) for key, value in items)
            expression = Object(tuple(changed))
        case Call(function, arguments):
            expression = Call(function, tuple(mapped(argument, change) for argument in arguments))
    return change(expression)


def within(expression: Expression) -> Iterator[Expression]:
    yield expression
    match expression:
        case Tuple(items) | Call(_, items):
            for item in items:
                yield from within(item)
        case Object(items):
            for key, value in items:
                yield key
                yield from within(value)


def _key(expression: Expression) -> Template:
    if not isinstance(expression, Template):
        raise TypeError("an object's key stays a template")
    return expression


# What people put first and last in a block.
# https://developer.hashicorp.com/terraform/language/style#resource-order
_FIRST = ("count", "for_each", "provider")
_FIRST_OF_MODULES = (*_FIRST, "source", "version")
_NAMING = ("type", "sid", "name", "name_prefix", "description", "effect", "test", "variable")
_TAGS = ("tags",)
_LAST = ("depends_on",)
_FIRST_BLOCKS = ("principals", "not_principals")
_LAST_BLOCKS = ("lifecycle",)


def render(blocks: list[Block]) -> str:
    """The text of a file."""
    return "\n".join(_block(block, "") for block in blocks)


def _block(block: Block, indent: str) -> str:
    inner = indent + _INDENT
    head = " ".join([block.type, *(quoted(label) for label in block.labels)])
    groups: list[list[str]] = [[f"{inner}# {line}".rstrip() + "\n" for line in block.comments]]
    places = (_FIRST_OF_MODULES if block.type == "module" else _FIRST, _NAMING, None, _TAGS, _LAST)
    named = {name for names in places for name in names or ()}
    order = [names or tuple(name for name in block.arguments if name not in named) for names in places]
    first, naming, others, tags, last = ([name for name in names if name in block.arguments] for names in order)
    groups += _spaced([(name, block.arguments[name]) for name in first], inner)
    groups += _spaced([(name, block.arguments[name]) for name in (*naming, *others, *tags)], inner)
    groups += [[_block(it, inner)] for it in sorted(block.blocks, key=_order)]
    groups += [[_argument(name, block.arguments[name], inner)] for name in last if block.arguments[name] != Tuple(())]
    body = "\n".join("".join(group) for group in groups if group)
    return f"{indent}{head} {{\n{body}{indent}}}\n" if body else f"{indent}{head} {{}}\n"


def _order(block: Block) -> int:
    return (block.type in _LAST_BLOCKS) - (block.type in _FIRST_BLOCKS)


def _spaced(arguments: list[tuple[str, Expression]], indent: str) -> list[list[str]]:
    """Arguments in groups that an empty line parts: one that takes several lines stands alone."""
    groups: list[list[str]] = [[]]
    for name, value in arguments:
        written = _argument(name, value, indent)
        if written.count("\n") > 1:
            groups += [[written], []]
        else:
            groups[-1].append(written)
    return [group for group in groups if group]


def _argument(name: str, value: Expression, indent: str) -> str:
    return f"{indent}{name} = {expression(value, indent, room=_WIDTH - len(indent) - len(name) - 3)}\n"


def expression(value: Expression, indent: str = "", *, room: int = _WIDTH) -> str:
    """The text of an expression that begins on a line indented by `indent`."""
    match value:
        case Verbatim(source):
            return _verbatim(source, indent, room)
        case Template():
            return _template(value, indent, room)
        case Call(function, (single,)) if isinstance(single, Object | Tuple):
            return f"{function}({expression(single, indent, room=room - len(function) - 2)})"
        case Call(function, arguments):
            return f"{function}({_listed(list(arguments), indent, room, '()')})"
        case Tuple(()):
            return "[]"
        case Tuple(items):
            return f"[{_listed(list(items), indent, room, '[]')}]"
        case Object(()):
            return "{}"
        case Object(items):
            inner = indent + _INDENT
            named = [(f"{inner}{key(name)} = ", it) for name, it in items]
            written = [f"{name}{expression(it, inner, room=_WIDTH - len(name))}\n" for name, it in named]
            return "{\n" + "".join(written) + indent + "}"


def _listed(items: list[Expression], indent: str, room: int, brackets: str) -> str:
    flat = ", ".join(expression(item, indent) for item in items)
    one_object = len(items) == 1 and isinstance(items[0], Object)
    if one_object or ("\n" not in flat and len(flat) + len(brackets) <= room):
        return flat
    inner = indent + _INDENT
    # A heredoc's last line is its marker alone, so nothing may follow it on that line.
    lines = [f"{inner}{_inside_list(item, inner)},\n" for item in items]
    return "\n" + "".join(lines) + indent


def _inside_list(item: Expression, indent: str) -> str:
    return quoted_template(item.parts) if _is_heredoc(item) else expression(item, indent)  # type: ignore[union-attr]


def _verbatim(source: str, indent: str, room: int) -> str:
    if "\n" in source:
        # Outside brackets a line's end ends the argument; a heredoc or comment in it needs one after its end.
        return source if _breaks_within_brackets(source) else f"({source}\n)"
    if source.startswith("(") and _end(masked(f"{source}\n"), 0) == len(source) - 1:
        return _verbatim(source[1:-1].strip(), indent, room)
    return source if len(source) <= room else _broken(source, indent)


def _breaks_within_brackets(source: str) -> bool:
    if any(mark in source for mark in ("#", "//", "/*", "<<")):
        return False
    return "\n" not in _outside(masked(source))


_BRACKETS = {"(": ")", "[": "]", "{": "}"}


def _broken(source: str, indent: str) -> str:
    """A long expression on several lines, which mean nothing within brackets: what it lists, or what it joins."""
    marks = masked(source)
    inner = indent + _INDENT
    for operator in ("&&", "||"):
        pieces = _split(source, marks, f" {operator} ")
        if len(pieces) > 1 and "?" not in marks:
            return f"(\n{inner}" + f"\n{inner}{operator} ".join(pieces) + f"\n{indent})"
    opening = next((index for index, sign in enumerate(marks) if sign in "([{"), None)
    if opening is None or _end(marks, opening) != len(source) - 1 or marks[opening] == "{":
        return source
    head, content, tail = source[: opening + 1], source[opening + 1 : -1], source[-1]
    items = _split(content, masked(content), ",")
    if len(items) == 1 and not content.startswith("for "):
        return head + _broken(content, indent) + tail
    if content.startswith("for "):
        return f"{head}\n{inner}{content}\n{indent}{tail}"
    lines = f",\n{inner}".join(_fitted(item.strip(), inner) for item in items)
    end = "" if lines.endswith("...") else ","  # no comma may follow an argument that is spread
    return f"{head}\n{inner}{lines}{end}\n{indent}{tail}"


def _fitted(source: str, indent: str) -> str:
    return source if len(source) + len(indent) <= _WIDTH else _broken(source, indent)


def _end(marks: str, opening: int) -> int:
    """Where the bracket is closed that is opened there."""
    depth = 0
    for index in range(opening, len(marks)):
        depth += (marks[index] in _BRACKETS) - (marks[index] in _BRACKETS.values())
        if depth == 0:
            return index
    return -1


def _outside(marks: str) -> str:
    """What stands outside all brackets."""
    depth, kept = 0, ""
    for sign in marks:
        depth -= sign in _BRACKETS.values()
        kept += sign if depth == 0 else "\0"
        depth += sign in _BRACKETS
    return kept


def _split(source: str, marks: str, separator: str) -> list[str]:
    """The pieces between separators that stand outside all brackets."""
    outside, pieces, start = _outside(marks), [], 0
    while (index := outside.find(separator, start)) >= 0:
        pieces.append(source[start:index])
        start = index + len(separator)
    return [*pieces, source[start:]] if source[start:].strip() else pieces


def key(template: Template) -> str:
    """An object's key: a bare word, where it is one."""
    word = template.text
    if word is not None and _IDENTIFIER.fullmatch(word) and word not in _KEYWORDS:
        return word
    return f"({template.expression})" if template.expression is not None else quoted_template(template.parts)


def _template(template: Template, indent: str, room: int) -> str:
    if template.expression is not None:
        return _verbatim(template.expression, indent, room)
    if _is_heredoc(template):
        inner = indent + _INDENT
        written = "".join(
            escaped(part.text) if isinstance(part, Literal) else _sequence(part) for part in template.parts
        )
        lines = [f"{inner}{line}" if line.strip(" ") else line for line in written[:-1].split("\n")]
        marker = _marker(written)
        return f"<<-{marker}\n" + "\n".join(lines) + f"\n{indent}{marker}"
    return quoted_template(template.parts)


def has_doubled_signs(part: Part) -> bool:
    """Whether a brace follows several signs in the text, which only a quoted string can say for certain."""
    return isinstance(part, Literal) and re.search(r"(\$\$|%%)\{", part.text) is not None


def _is_heredoc(value: Expression) -> bool:
    """Whether a string can be written as an indented heredoc, and is easier to read so.

    Terraform takes away as much space as every line begins with, lines of nothing but space left out: so one line at
    least has to begin with none. What a heredoc cannot say (a tab or mark at a line's start, a carriage return, no line
    end at the end) stays quoted.
    """
    if not isinstance(value, Template) or value.expression is not None:
        return False
    if any("\n" in part.source for part in value.parts if not isinstance(part, Literal)):
        return False
    if any("~" in (part.source[:1], part.source[-1:]) for part in value.parts if not isinstance(part, Literal)):
        return False
    whole = "".join(part.text if isinstance(part, Literal) else "x" for part in value.parts)
    lines = whole.split("\n")
    if len(lines) < 3 or lines[-1] != "" or not isinstance(value.parts[-1], Literal):
        return False
    if any(isinstance(part, Directive) or has_doubled_signs(part) for part in value.parts):
        return False
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") and sign != "\n" for sign in whole):
        return False
    begun = [line for line in lines[:-1] if line.strip(" ")]
    plain = all(line[0].isascii() and line.lstrip(" ")[0].isascii() for line in begun)
    return plain and any(line[0] != " " for line in begun)


def _marker(written: str) -> str:
    marker = "EOT"
    while re.search(rf"^\s*{marker}\s*$", written, re.MULTILINE):
        marker += "_"
    return marker


def _sequence(part: Part) -> str:
    match part:
        case Interpolation(source):
            return "${" + source + "}"
        case Directive(source):
            return "%{" + source + "}"
        case Literal(text):
            return text


def quoted_template(parts: tuple[Part, ...]) -> str:
    inside = (quoted(part.text)[1:-1] if isinstance(part, Literal) else _sequence(part) for part in parts)
    return '"' + "".join(inside) + '"'


_BRACES = re.compile(r"(\$+|%+)\{")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(value: str) -> str:
    """A string with nothing interpolated, whatever stands in it."""
    return '"' + _BRACES.sub(_not_interpolated, "".join(_quoted(sign) for sign in value)) + '"'


def _not_interpolated(found: re.Match[str]) -> str:
    signs = found[1]
    # Of several signs Terraform drops one or two, depending on what stands before them.
    return f"{signs * 2}{{" if len(signs) == 1 else f"{signs[:-1]}\\u{ord(signs[0]):04x}{{"


def _quoted(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    # A control sign, a line's end in Unicode or a byte order mark would be lost on people, or on Terraform.
    return f"\\u{ord(sign):04x}" if unicodedata.category(sign) in ("Cc", "Zl", "Zp") or sign == "\ufeff" else sign
