"""Makes variables of the values that a stack's JSON marks as inputs: `{"//": {"inputs": {ARGUMENT: INPUT}}}`.

A resource, a data source or a module marks its own arguments, by their paths: `{"cidr_block": {"variable":
"network_cidr", "description": "Addresses of the VPC."}}`. An input may have a `type` and a `validation`, as a variable
has them. With a `key`, the variable is a map, and the value is the one of that key. With `item`, it is a list, and the
value of this argument of the resource is one of its items; resources for all items become one with `for_each`. A name
alone stands for a variable that another place describes. Terraform ignores all of it in the JSON.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from errors import RefusedError
from errors.shown import shown
from ops.handover.metadata import FOR_ITEMS, INPUT, ITEM
from ops.handover.strings import quoted
from ops.handover.values import Problems
from terraform.output import Number, objects
from terraform.patterns import NAME
from terraform.templates import Literal, TemplateError, parts

_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "module": 1}
"""Blocks that may have inputs, with the number of their labels."""

_LITERAL = {"depends_on", "lifecycle", "provider"}
_LITERAL_IN_MODULES = {*_LITERAL, "providers", "source", "version"}
"""Arguments that may have no variable."""

_FIELDS = {"variable", "description", "type", "validation", "key", "item"}
_RESERVED = {"source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"}
"""Names that no variable may have: https://developer.hashicorp.com/terraform/language/block/variable"""

_OF_RESOURCES = "mark a text that is an argument of a resource itself"
_AGREE = "give all places of one variable the same value, or a variable to each"
_SAY = f"write a name, or an object with variable and, of {', '.join(sorted(_FIELDS - {'variable'}))}, what you need"


class _Place(NamedTuple):
    """An argument of a resource, with the resource's comment."""

    where: str
    argument: str
    comment: dict[str, Any]


@dataclass
class _Variable:
    """What is known of one variable. values: by key, or the only one by no key. items: the places of each item."""

    values: dict[str | None, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    items: dict[str, list[_Place]] = field(default_factory=dict)

    @property
    def whole(self) -> Any:
        """The list that the variable is, if it has items: in the order of a place that has all of them."""
        return self.values.get(None, [*self.items])


def with_inputs(document: Mapping[str, Any], *, name: str) -> Mapping[str, Any]:
    """The stack called `name`, with a variable in place of every value that it marks, and without the marks.

    Raises RefusedError for a mark that cannot be understood, and for places of one variable that differ.
    """
    if not any(True for _ in _marked(document)):
        return document
    changed = copy.deepcopy(dict(document))
    problems, found = Problems(name), dict[str, _Variable]()
    for where, block in list(_marked(changed)):
        for argument, mark in block["//"].pop("inputs").items():
            _replace(block, argument, mark, f"{where}.{argument}", found, problems)
    for variable, it in found.items():
        _note_items(variable, it, problems)
    declared = {label for level in objects(changed.get("variable")) for label in level}
    for variable in sorted(declared & found.keys()):
        problems.add(f"variable.{variable}", "is declared already", "give the input another name")
    if problems.found:
        raise RefusedError(problems.found)
    new = {variable: _declaration(it) for variable, it in found.items()}
    changed["variable"] = [*objects(changed.get("variable")), new]
    return changed


def _marked(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each block with inputs, and its place."""
    for kind, labels in _LABELS.items():
        levels = [(kind, it) for it in objects(document.get(kind))]
        for _ in range(labels):
            named = [
                (f"{where}.{label}", it) for where, level in levels for label, it in level.items() if label != "//"
            ]
            levels = [(where, block) for where, it in named for block in objects(it)]
        for where, block in levels:
            comment = block.get("//")
            if isinstance(block, dict) and isinstance(comment, dict) and isinstance(comment.get("inputs"), dict):
                yield where, block


def _replace(
    block: dict[str, Any], argument: str, mark: Any, where: str, found: dict[str, _Variable], problems: Problems
) -> None:
    """Put a reference to a variable in place of one argument, and note its value in `found`."""
    mark = {"variable": mark} if isinstance(mark, str) else mark
    if not _is_mark(mark):
        problems.add(where, f"{shown(mark)} is no input", _SAY)
        return
    holder, last = _holder(block, argument)
    if argument.partition(".")[0] in (_LITERAL_IN_MODULES if where.startswith("module.") else _LITERAL):
        problems.add(where, "Terraform takes no variable here", "remove the mark")
        return
    if "var" in _iterators(block, argument):
        hint = "give the dynamic block another iterator"
        problems.add(where, "its dynamic block calls its items var, so that no variable can be named here", hint)
        return
    if mark["variable"] in _RESERVED:
        problems.add(where, f"{shown(mark['variable'])} is reserved", "give the variable another name")
        return
    if holder is None:
        problems.add(where, "there is no such argument", "write its path, for example root_block_device.volume_size")
        return
    try:
        value = _constant(holder[last])
    except ValueError as error:
        problems.add(where, str(error), "mark texts, numbers, booleans, and lists and maps of one kind of these")
        return
    variable, key = mark["variable"], mark.get("key")
    known = found.setdefault(variable, _Variable())
    _describe(known, mark, where, problems)
    if "item" in mark:
        if not _may_be_item(value, argument, where):
            problems.add(where, f"{shown(holder[last])} is no item", _OF_RESOURCES)
        known.items.setdefault(str(value), []).append(_Place(where, argument, block["//"]))
        return
    other = known.values.setdefault(key, value)
    if (_type(other), other) != (_type(value), value) or (None in known.values and len(known.values) > 1):
        problems.add(where, f"{shown(holder[last])} is not what var.{variable} is elsewhere", _AGREE)
    holder[last] = f"${{var.{variable}}}" if key is None else f"${{var.{variable}[{quoted(key)}]}}"


def _describe(known: _Variable, mark: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Note what one place says of its variable."""
    for name in sorted(_FIELDS & mark.keys() - {"variable", "key", "item"}):
        if known.arguments.setdefault(name, mark[name]) != mark[name]:
            problems.add(where, f"the {name} of var.{mark['variable']} is another elsewhere", _AGREE)


def _may_be_item(value: Any, argument: str, where: str) -> bool:
    return where.startswith("resource.") and "." not in argument and isinstance(value, str)


def _note_items(variable: str, known: _Variable, problems: Problems) -> None:
    """Note in the comments of resources which items of the variable they are for."""
    if not known.items:
        return
    whole = known.whole
    if known.values.keys() - {None} or not isinstance(whole, list) or sorted(map(str, whole)) != sorted(known.items):
        (place, *_), *_ = known.items.values()
        problems.add(place.where, f"the items of var.{variable} are others elsewhere", _AGREE)
    for value, places in known.items.items():
        for place in places:
            if ITEM in place.comment:
                problems.add(place.where, "another argument is an item, too", "mark one as an item")
            note = {"argument": place.argument, "variable": variable, "value": value, "items": known.whole}
            place.comment[ITEM] = note


def _is_mark(mark: Any) -> bool:
    if not isinstance(mark, dict) or not {"variable"} <= mark.keys() <= _FIELDS:
        return False
    if not {"key", "item"} - mark.keys() or mark.get("item", True) is not True:
        return False
    texts = [mark[name] for name in mark.keys() - {"validation", "item"}]
    return all(isinstance(it, str) for it in texts) and bool(re.fullmatch(NAME, mark["variable"]))


def _holder(block: Any, path: str) -> tuple[dict[str, Any] | None, str]:
    """The object that has the argument at a path, and the argument's name; no object if there is no such argument.

    A block that is written as a list of one needs no index.
    """
    *_, holder = (_only(place) for place in _places(block, path))
    last = path.rpartition(".")[2]
    return (holder if holder is not None and holder.get(last) is not None else None), last


def _iterators(block: Any, path: str) -> set[str]:
    """The names that dynamic blocks around an argument give to their items, where these are not the blocks' own."""
    around = [inner for place in _places(block, path) if (inner := _only(place)) is not None]
    return {str(it["iterator"]).strip("${} ") for it in around if {"iterator", "content"} <= it.keys()}


def _places(block: Any, path: str) -> Iterator[Any]:
    """What stands at each step of a path, the block first, without the last step."""
    place = block
    yield place
    for step in path.split(".")[:-1]:
        if isinstance(place, list) and step.isdecimal():
            place = place[int(step)] if int(step) < len(place) else None
        else:
            place = (_only(place) or {}).get(step)
        yield place


def _only(place: Any) -> dict[str, Any] | None:
    """The block at a place that has one."""
    found = place if isinstance(place, list) else [place]
    return found[0] if len(found) == 1 and isinstance(found[0], dict) else None


def _constant(value: Any) -> Any:
    """A value of JSON's template syntax as a plain one. Raises ValueError if it is not known here."""
    match value:
        case Number() | bool() | int() | float():
            return value
        case str():
            try:
                found = parts(value)
            except TemplateError as error:
                raise ValueError(f"{shown(value)}: {error}") from None
            if all(isinstance(part, Literal) for part in found):
                return "".join(part.text for part in found if isinstance(part, Literal))
        case list():
            return [_constant(it) for it in value]
        case dict():
            return {_constant(name): _constant(it) for name, it in value.items()}
    raise ValueError(f"{shown(value)} is not a constant")


def _declaration(variable: _Variable) -> dict[str, Any]:
    values = variable.values
    comment = {"//": {INPUT: True, **({} if values else {FOR_ITEMS: True})}}
    values = values or {None: variable.whole}
    default: Any = values[None] if None in values else dict(sorted(values.items(), key=lambda it: str(it[0])))
    types = {"type": _type(default)} if _type(default) is not None else {}
    return {**comment, **types, **variable.arguments, "default": default, "nullable": False}


def _type(value: Any) -> str | None:
    """The type of a variable with this value; None if no single one is known."""
    match value:
        case bool():
            return "bool"
        case Number() | int() | float():
            return "number"
        case str():
            return "string"
        case list() | dict():
            items = {_type(it) for it in (value.values() if isinstance(value, dict) else value)}
            (item,) = items if len(items) == 1 else (None,)
            kind = "map" if isinstance(value, dict) else "list"
            return f"{kind}({item})" if item in ("bool", "number", "string") else None
    return None
