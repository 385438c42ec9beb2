"""Compares a deployment's Terraform with the inventory: which resources and variables there are, and what they say.

inventory.json has a row for each. A name in `<>` stands for what `stacks.inventory` reads from the deployment file; a
row whose address has a name of a list is there once for each of the list. `when` names what must hold for the row.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from errors.shown import shown
from settings import Deployment
from stacks.inventory import values
from terraform.output import Json, Stack, objects
from terraform.references import Configuration

FILE = Path(__file__).with_name("inventory.json")

_ELSEWHERE = "<elsewhere>"
"""An argument that the other files `asked_*.py` compare."""
_NAME = re.compile(r"<([a-z_0-9]+)>")
_PART = re.compile(r"aws_iam_(policy|user_policy_attachment)\.[\w-]+_allow_\d+_(policy|attachment)")
"""A further part of what a user may do, where one policy is too small: the promises read what it allows."""
_FOR_PEOPLE = frozenset(
    {"//", "name", "alarm_name", "association_name", "description", "alarm_description", "tags", "tag"}
)
"""Arguments that only a row which has them compares: what people read, and names that the deployment cuts short."""


def problems(deployment: Deployment, stacks: Mapping[str, Configuration]) -> Iterator[tuple[str, str]]:
    """Every resource, variable and argument that is not as in the inventory."""
    inventory = json.loads(FILE.read_text(encoding="utf-8"))
    for name, configuration in stacks.items():
        asked, written = dict(_asked(deployment, name, inventory.get(name, ()))), dict(_written(configuration.stack))
        for address in sorted({*asked, *written}):
            place = f"{name}: {address}"
            if address not in written:
                yield place, "the deployment file asks for it, and it is missing"
            elif address in asked:
                yield from _differences(place, asked[address], written[address])
            elif not address.startswith(("data.", "var.")) and not _PART.fullmatch(address):
                yield place, "the deployment file asks for no such resource"


def _asked(deployment: Deployment, stack: str, rows: list[Json]) -> Iterator[tuple[str, Json]]:
    """The arguments of each resource, data source and variable, by address."""
    known, lists = values(deployment, stack)
    for row in rows:
        if all(condition in known for condition in row.get("when", "").split()):
            each = [lists[name] for name in _NAME.findall(row["address"])]
            for chosen in product(*each):
                names = dict(known)
                for one in chosen:
                    names |= one
                yield _filled(row["address"], names), _filled(row["arguments"], names)


def _written(stack: Stack) -> Iterator[tuple[str, Json]]:
    for kind, name, arguments in stack.resources():
        yield f"{kind}.{name}", arguments
    for kind, name, arguments in stack.data():
        yield f"data.{kind}.{name}", arguments
    for name, block in stack.variables.items():
        checks = [{"condition": check.get("condition")} for check in objects(block.get("validation"))]
        yield f"var.{name}", {**block, "validation": checks}


def _differences(place: str, asked: Json, written: Json) -> Iterator[tuple[str, str]]:
    for argument in sorted({*asked, *written}):
        if argument in _FOR_PEOPLE and argument not in asked:
            continue
        value, found = asked.get(argument), _read(written.get(argument))
        if value not in (_ELSEWHERE, found):
            yield f"{place}.{argument}", f"{shown(found)} is not what the deployment file asks for: {shown(value)}"


def _filled(value: Any, names: Mapping[str, Any]) -> Any:
    """A value of the inventory, with what its names stand for."""
    match value:
        case str() if value != _ELSEWHERE:
            if (whole := _NAME.fullmatch(value)) is not None:
                return names[whole[1]]
            return _NAME.sub(lambda found: str(names[found[1]]), value)
        case list():
            return [_filled(item, names) for item in value]
        case dict():
            return {key: _filled(item, names) for key, item in value.items()}
    return value


def _read(value: Any) -> Any:
    """A value without what is written for people."""
    match value:
        case dict():
            return {key: _read(item) for key, item in value.items() if key != "//"}
        case list():
            return [_read(item) for item in value]
    return value
