"""Adds names to the lists `agreed` of a deployment file, and changes nothing else in it."""

import copy
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from errors import RefusedError, refused
from settings import SettingsError
from settings.document import parsed, text_of

Names = Mapping[str, Sequence[str]]
"""Names of repositories by the entry of prd.backlog.repositories whose list they are for."""

_PLACE = ("prd", "backlog", "repositories")
_BOM = "\ufeff"


def entries(data: Any) -> Any:
    """The map prd.backlog.repositories in the values of a deployment file."""
    for step in _PLACE:
        data = data[step]
    return data


def add_names(data: Any, names: Names) -> None:
    """Add names to the lists in the values of a deployment file."""
    for entry, added in names.items():
        if not added:
            continue
        entries(data)[entry]["agreed"] = [*entries(data)[entry].get("agreed", []), *added]


def agree(file: Path, names: Names) -> None:
    """Add names to the lists in `file`, which is replaced at once or not at all.

    Raises RefusedError where a list is written in a form that cannot be added to without changing something else.
    """
    before = text_of(file)
    expected = copy.deepcopy(parsed(before, str(file)).data)
    add_names(expected, names)
    after = before
    for entry, added in names.items():
        written = _added(after, entry, added) if added else after
        if written is None:
            raise _by_hand(file, names)
        after = written
    try:
        document = parsed(after, str(file))
    except SettingsError:
        raise _by_hand(file, names) from None
    if document.problems or document.data != expected:
        raise _by_hand(file, names)
    _replace(file, before, after)


def _added(text: str, entry: str, names: Sequence[str]) -> str | None:
    """The text with names added to the list of one entry; None where it has a form that is not known here."""
    root = YAML(typ="safe", pure=True).compose(text)
    parent = root
    for step in (*_PLACE, entry):
        _, parent = _child(parent, step)
    if not isinstance(parent, MappingNode) or not parent.value:
        return None
    key, agreed = _child(parent, "agreed")
    last_key = parent.value[-1][0]
    is_json = last_key.style == '"'
    in_a_line = ", ".join(_written(name, quoted=is_json) for name in names)
    if key is None:
        if parent.flow_style:
            named = '"agreed"' if is_json else "agreed"
            return _inserted(text, parent.value[-1][1].end_mark.index, f", {named}: [{in_a_line}]")
        indent = " " * last_key.start_mark.column
        lines = [f"{indent}agreed:", *(f"{indent}  - {_written(name)}" for name in names)]
        return _with_lines(text, _last_line(parent), lines)
    if not isinstance(agreed, SequenceNode) or agreed.start_mark.index < key.end_mark.index:
        return None  # an alias starts where its anchor is
    if not agreed.value:
        return _inserted(text, agreed.start_mark.index + 1, in_a_line) if agreed.flow_style else None
    last = agreed.value[-1]
    if agreed.flow_style:
        return _inserted(text, last.end_mark.index, f", {in_a_line}")
    line = text.splitlines()[last.start_mark.line]
    before = line[: last.start_mark.column]
    if before.strip() != "-":
        return None
    return _with_lines(text, last.start_mark.line, [f"{before}{_written(name)}" for name in names])


def _child(parent: Node | None, name: str) -> tuple[Node | None, Node | None]:
    """The nodes of the key and of the value of this name in a map."""
    pairs = parent.value if isinstance(parent, MappingNode) else []
    return next(((key, value) for key, value in pairs if key.value == name), (None, None))


def _last_line(node: Node) -> int:
    """The line (from 0) that a value ends on."""
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style:
        # What follows a text in several lines begins at the start of a line.
        return int(node.end_mark.line - (node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line))
    last = node.value[-1]
    return _last_line(last[1] if isinstance(node, MappingNode) else last)


def _written(name: str, *, quoted: bool = False) -> str:
    """A name as YAML reads it as a text: 2024 and null are none without quotes."""
    is_plain = parsed(f"name: {name}", "").data == {"name": name}
    return json.dumps(name) if quoted or not is_plain else name


def _inserted(text: str, place: int, added: str) -> str:
    return text[:place] + added + text[place:]


def _with_lines(text: str, after: int, added: list[str]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    while not lines[after].strip():
        after -= 1
    if not lines[after].endswith(("\n", "\r")):
        lines[after] += end
    return "".join([*lines[: after + 1], *(f"{line}{end}" for line in added), *lines[after + 1 :]])


def _by_hand(file: Path, names: Names) -> RefusedError:
    wanted = "; ".join(f"{entry}: {', '.join(added)}" for entry, added in names.items() if added)
    what = "a list `agreed` is written so that adding to it would change something else"
    return refused(str(file), what, f"write the names into `agreed` by hand: {wanted}")


def _replace(file: Path, before: str, after: str) -> None:
    target = file.resolve()  # a link stays one
    mark = _BOM if target.read_bytes().startswith(_BOM.encode()) else ""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(mark + after)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(target, name)
        if text_of(file) != before:
            raise refused(str(file), "the file was changed meanwhile", "run the command again")
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
