"""Names long constants in the checks of variables: patterns that several checks repeat, and lists of allowed values.

Conditions of resources that have such a constant refer to its name, too. Checks of variables may refer to local values
since Terraform 1.9, so the stack must require it:
https://developer.hashicorp.com/terraform/language/block/variable#validation
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ops.handover.hcl import Block, Expression, Template, Verbatim
from ops.handover.metadata import TopLevelBlock
from ops.handover.scopes import hides
from ops.handover.style.brackets import has_comments, lists
from ops.handover.style.local_values import is_text, local_values, with_local_values
from terraform.templates import Interpolation, Literal, Part, masked

_SINCE = (1, 9)
_LEAST = re.compile(r"(?:>=|~>|=|>)?\s*(\d+)\.(\d+)(?:\.\d+)?")
_LONG_TEXT = 60
_LEAST_USES = 2
_LONG_LIST = 10
_WIDTH = 80
_CHECKED = ("variable", "resource", "data")
_CHECKS = ("validation", "precondition", "postcondition")
_PLAIN = re.compile(r'0|-?[1-9]\d{0,14}|"[\w./-]+"', re.ASCII)
_CONSTANT = re.compile(r'-?\d+(\.\d+)?|"([^"\\$%]|[$%](?!\{)|\\.)*"')


@dataclass(frozen=True)
class _Constant:
    """A constant in a check: its text, the text in front of it, and the variable."""

    source: str
    before: str
    variable: str

    @property
    def is_list(self) -> bool:
        return self.source.startswith("[")


def with_named_constants(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with local values in place of long constants in checks."""
    if not any(_takes_local_values(found.block) for found in blocks):
        return blocks
    uses: dict[str, list[_Constant]] = {}
    variables = [found.block for found in blocks if found.block.type == "variable" and not hides(found.block)]
    for block in variables:
        for condition in _conditions(block):
            for constant in _constants(condition, block.labels[0]):
                uses.setdefault(constant.source, []).append(constant)
    taken = set(local_values(blocks))
    names: dict[str, str] = {}
    for source, of_source in uses.items():
        name = _name(of_source)
        if (of_source[0].is_list or len(of_source) >= _LEAST_USES) and name not in taken:
            names[source] = name
            taken.add(name)
    if not names:
        return blocks
    changed = [
        it if it.block.type not in _CHECKED or hides(it.block) else replace(it, block=_changed(it.block, names))
        for it in blocks
    ]
    return with_local_values(changed, {name: Verbatim(_wrapped(it)) for it, name in names.items()}, last=True)


def _wrapped(source: str) -> str:
    """A list of numbers on few lines; anything else as it is."""
    if not re.fullmatch(r"\[[\d.,\s-]+\]", source):
        return source
    return "[\n" + textwrap.fill(source.strip("[, ]"), _WIDTH) + ",\n]"


def _takes_local_values(block: Block) -> bool:
    """Whether the settings of Terraform require a release that takes them in checks."""
    constraints = (is_text(block.arguments.get("required_version", Verbatim(""))) or "").split(",")
    found = [it for it in map(_LEAST.fullmatch, map(str.strip, constraints)) if it is not None]
    return block.type == "terraform" and any((int(it[1]), int(it[2])) >= _SINCE for it in found)


def _conditions(variable: Block) -> Iterator[str]:
    for block in variable.blocks:
        condition = block.arguments.get("condition")
        source = condition.expression if isinstance(condition, Template) else None
        if block.type == "validation" and source is not None and not has_comments(source):
            yield source


def _constants(source: str, variable: str) -> Iterator[_Constant]:
    for start, end, items in lists(source):
        if len(items) > _LONG_LIST and all(_CONSTANT.fullmatch(it) for it in items):
            yield _Constant(source[start:end], source[:start], variable)
    for it in re.finditer("\0+", masked(source)):
        text = source[it.start() : it.end()]
        if len(text) > _LONG_TEXT and _CONSTANT.fullmatch(text):
            yield _Constant(text, source[: it.start()], variable)


def _name(uses: Sequence[_Constant]) -> str:
    """`allowed_log_retention_days`, `cidrs_pattern`: after the words that the variables' names end in."""
    subject = "_".join(_common_end([it.variable.split("_") for it in uses])) or uses[0].variable
    called = [re.search(r"(!?)(?:can\()?(\w+)\($", it.before) for it in uses]
    functions = {(it[2], bool(it[1])) for it in called if it is not None}
    excluded = "excluded_" if functions and all(negated for _, negated in functions) else ""
    if uses[0].is_list:
        return (
            f"{excluded or 'allowed_'}{subject}"
            if {name for name, _ in functions} == {"contains"}
            else f"{subject}_values"
        )
    return f"{excluded}{subject}_pattern"


def _common_end(names: Sequence[Sequence[str]]) -> list[str]:
    found: list[str] = []
    for column in zip(*(reversed(name) for name in names), strict=False):
        if len(set(column)) > 1:
            break
        found.insert(0, column[0])
    return found


def _changed(checked: Block, names: Mapping[str, str]) -> Block:
    """The block with local values in place of these constants in its checks."""

    def change(block: Block) -> Block:
        if block.type == "lifecycle":
            return replace(block, blocks=tuple(map(change, block.blocks)))
        condition, message = block.arguments.get("condition"), block.arguments.get("error_message")
        if block.type not in _CHECKS or not isinstance(condition, Template) or condition.expression is None:
            return block
        source = condition.expression
        if has_comments(source):
            return block
        for constant in sorted(_constants(source, ""), key=lambda it: -len(it.before)):
            if constant.source in names:
                start = len(constant.before)
                source = f"{source[:start]}local.{names[constant.source]}{source[start + len(constant.source) :]}"
                message = _with_list(message, constant.source, names[constant.source])
        if source == condition.expression:
            return block
        messages = {} if message is None else {"error_message": message}
        return replace(block, arguments={**block.arguments, "condition": Verbatim(source), **messages})

    return replace(checked, blocks=tuple(map(change, checked.blocks)))


def _with_list(message: Expression | None, source: str, name: str) -> Expression | None:
    """The message with `join` where it names all values of a list of whole numbers or plain words."""
    items = [it.strip() for it in source.strip("[], ").split(",")]
    if not isinstance(message, Template) or not all(map(_PLAIN.fullmatch, items)):
        return message
    listed = re.compile(rf"(?<![\w-])(?<!, ){re.escape(', '.join(it.strip(chr(34)) for it in items))}(?![\w-]|, \S)")
    joined = Interpolation(f'join(", ", local.{name})')
    parts: list[Part] = []
    for part in message.parts:
        pieces = listed.split(part.text) if isinstance(part, Literal) else []
        parts += [it for piece in pieces for it in (joined, Literal(piece))][1:] or [part]
    return Template(tuple(it for it in parts if it != Literal("")))
