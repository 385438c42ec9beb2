"""Compares HCL with the JSON it was converted from, where Terraform cannot plan because it cannot download a provider.

Expressions are not compared: plans of other stacks show that they stay the same, whatever the provider.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2

from ops.handover.schema import Shape

_OF_TERRAFORM = ("lifecycle", "provisioner", "connection")
_META = frozenset({"count", "for_each", "depends_on", "provider", "alias", *_OF_TERRAFORM})


def objects(folder: Path) -> dict[str, Any]:
    """The body of every resource and data source in a folder, by address."""
    found = {}
    for file in folder.glob("*.tf"):
        content = hcl2.loads(file.read_text(encoding="utf-8"))
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for entry in content.get(kind, ()):
                for type_, named in entry.items():
                    for name, body in named.items():
                        found[f"{prefix}{type_[1:-1]}.{name[1:-1]}"] = body
    return found


def differences(json: Mapping[str, Any], hcl: Mapping[str, Any], shape: Shape, where: str) -> Iterator[str]:
    """What the body of a block in HCL has otherwise than in JSON, or is not as the provider's schema says."""
    left = {name for name, value in hcl.items() if name != "__is_block__"}
    for name, value in json.items():
        if name == "//" or name in _OF_TERRAFORM:
            left.discard(name)
        elif name == "dynamic":
            left.discard(name)
            labels = [label.strip('"') for entry in hcl.get(name, ()) for label in entry if label != "__is_block__"]
            if sorted(value) != sorted(labels):
                yield f"{where}.dynamic: {labels}"
        elif name in shape.blocks:
            blocks = hcl.get(name, [])
            left.discard(name)
            bodies = [] if value is None else value if isinstance(value, list) else [value]
            if not _are_blocks(blocks) or len(blocks) != len(bodies):
                yield f"{where}.{name}: {len(blocks)} blocks, not {len(bodies)}"
            for index, (body, block) in enumerate(zip(bodies, blocks, strict=False)):
                yield from differences(body, block, shape.blocks[name], f"{where}.{name}[{index}]")
        elif name in shape.arguments or name in _META:
            left.discard(name)
            yield from _differences_of_an_argument(value, hcl.get(name, _MISSING), shape, name, where)
        else:
            yield f"{where}.{name}: not in the schema"
    yield from (f"{where}.{name}: not in the JSON" for name in sorted(left))


_MISSING = object()


def _differences_of_an_argument(value: Any, written: Any, shape: Shape, name: str, where: str) -> Iterator[str]:
    if written is _MISSING and value is None:
        return  # to a provider, null is the same as no argument
    if written is _MISSING:
        yield f"{where}.{name}: missing"
    elif written and _are_blocks(written):
        if name not in shape.lists_of_objects:
            yield f"{where}.{name}: blocks in place of an argument"
    elif _literal(value) and _literal(written) and _plain(value) != _plain(written):
        yield f"{where}.{name}: {written}, not {value}"


def _are_blocks(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(it, dict) and it.get("__is_block__") for it in value)


def _literal(value: Any) -> bool:
    """Whether a value is simple and has no expressions, which are not compared."""
    match value:
        case str():
            return not any(part in _plain(value) for part in ("${", "%{", "<<", "\\", "\n", '"'))
        case list():
            return all(map(_literal, value))
        case dict():
            return all(map(_literal, value.values()))
    return True


def _plain(value: Any) -> Any:
    match value:
        case str():
            return value.removeprefix('"').removesuffix('"')
        case list():
            return [_plain(it) for it in value]
        case dict():
            return {_plain(key): _plain(it) for key, it in value.items()}
    return value
