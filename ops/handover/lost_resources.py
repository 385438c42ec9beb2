"""Finds resources that a handover writes and that people's changes leave out, so that Terraform would destroy them, and
those that people moved to another address, although the handover writes them.

People may rename a resource with a `moved` block, and say with a `removed` block that Terraform is to destroy or forget
it. A block counts as a whole: which keys its `for_each` has is not compared.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.handover.addresses import is_in_module, is_whole, split
from ops.handover.written_blocks import written_blocks
from terraform.output import objects
from terraform.patterns import NAME

_HCL, _JSON = (".tf", ".tofu"), (".tf.json", ".tofu.json")
_OF_OPENTOFU = (".tofu", ".tofu.json")
_MODULE = re.compile(rf"module\.{NAME}")
_REPEATED = "for_each"


@dataclass
class _Declared:
    """What a stack's files declare.

    blocks: whether each has `for_each`, by the address of a resource or a module. files: the file of each.
    moves: new addresses by old ones. removed: the addresses of `removed` blocks.
    """

    blocks: dict[str, bool] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    moves: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def add(self, address: str, arguments: Collection[str], file: str) -> None:
        self.blocks[address] = _REPEATED in arguments
        self.files[address] = file

    def has(self, address: str, *, is_repeated: bool) -> bool:
        """Whether an instance is declared. `is_repeated`: an address without a key is that of all of `for_each`."""
        if is_in_module(address):
            found = _MODULE.match(address)
            return found is not None and found[0] in self.blocks
        block, rest = split(address)
        return self.blocks.get(block) == (rest.startswith('["') or (is_repeated and not rest))

    def explains(self, address: str, *, is_repeated: bool) -> bool:
        """Whether an instance is declared, under its address or one that it is moved to, or is removed on purpose."""
        seen: set[str] = set()
        while address not in seen and not self.has(address, is_repeated=is_repeated):
            seen.add(address)
            block, rest = split(address)
            if {address, block} & self.removed:
                return True
            address = self.moves.get(address, self.moves[block] + rest if block in self.moves else address)
        return address not in seen


def lost(new: Mapping[str, bytes], files: Mapping[str, bytes], wanted: Collection[str]) -> Iterator[tuple[str, str]]:
    """The resources and modules of a stack that are lost, each with the file that the handover writes it to.

    `new` are the files as the handover writes them, and `files` as they will be, with what people changed and added.
    `wanted` are the addresses of all instances in the HCL, as far as the JSON has them.
    """
    before, after = _declared(new), _declared(files)
    by_block: dict[str, list[str]] = {address: [address] for address in before.blocks if is_in_module(address)}
    for address in wanted:
        by_block.setdefault(split(address)[0], []).append(address)
    for block, addresses in sorted(by_block.items()):
        for address in sorted(addresses):
            is_repeated = before.blocks.get(block, False)
            if not after.explains(address, is_repeated=is_repeated):
                yield before.files.get(block, ""), block if block not in after.blocks else address
                break


@dataclass(frozen=True)
class MoveAway:
    """A `moved` block of people that leads away from an address that is declared.

    file: where it is. old, new: the addresses. new_in: the file that declares the new address, if one does.
    """

    file: str
    old: str
    new: str
    new_in: str | None


def moved_away(written: Mapping[str, bytes], files: Mapping[str, bytes], wanted: Collection[str]) -> Iterator[MoveAway]:
    """The moves away from what the handover writes, which Terraform refuses: "Moved object still exists".

    `written` are the files as the handover writes them; the others are as in `lost`. Instances of which the keys are
    not known, and what is in modules, are left to Terraform.
    """
    after = _declared(files)
    for file, content in sorted(files.items()):
        if content == written.get(file):
            continue
        for old, new in _declared({file: content}).moves.items():
            block, (new_block, _) = split(old)[0], split(new)
            is_all = (is_whole(old) or _MODULE.fullmatch(old)) and not new.endswith("]")
            if block in after.blocks and block != new_block and (is_all or old in wanted):
                yield MoveAway(file, old, new, after.files.get(new_block))


def in_tofu_alone(new: Mapping[str, bytes], files: Mapping[str, bytes], wanted: Collection[str]) -> list[str]:
    """The resources and modules that are not lost because of `.tofu` files, which Terraform does not read."""
    read = {path: it for path, it in files.items() if not path.endswith(_OF_OPENTOFU)}
    if len(read) == len(files):
        return []
    gone = {address for _, address in lost(new, files, wanted)}
    return [address for _, address in lost(new, read, wanted) if address not in gone]


def _declared(files: Mapping[str, bytes]) -> _Declared:
    found = _Declared()
    for file, content in sorted(files.items()):
        if "/" in file:
            continue  # Terraform reads no folder in the stack's own
        text = content.decode(errors="replace")
        if file.endswith(_HCL):
            _read_hcl(text, file, found)
        elif file.endswith(_JSON):
            _read_json(text, file, found)
    return found


def _read_hcl(text: str, file: str, found: _Declared) -> None:
    for it in written_blocks(text):
        match it.type, it.labels:
            case "resource", (type_, name):
                found.add(f"{type_}.{name}", it.arguments, file)
            case "module", (name,):
                found.add(f"module.{name}", it.arguments, file)
            case "moved", ():
                found.moves[it.arguments.get("from", "")] = it.arguments.get("to", "")
            case "removed", ():
                found.removed.add(it.arguments.get("from", ""))


def _read_json(text: str, file: str, found: _Declared) -> None:
    try:
        content: Any = json.loads(text)
        for type_, named in _named(content.get("resource")):
            for name, block in _named(named):
                found.add(f"{type_}.{name}", {it for of in objects(block) for it in of}, file)
        for name, block in _named(content.get("module")):
            found.add(f"module.{name}", {it for of in objects(block) for it in of}, file)
        found.moves |= {str(it["from"]): str(it["to"]) for it in objects(content.get("moved"))}
        found.removed |= {str(it["from"]) for it in objects(content.get("removed"))}
    except (ValueError, LookupError, TypeError, AttributeError):
        return  # nothing of it is known, so it explains nothing


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    for level in objects(value):
        yield from ((name, it) for name, it in level.items() if name != "//")
