"""What a handover gave to resources, kept beside its files: their addresses, and the moves of their states."""

import json
import sys
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path, PureWindowsPath
from typing import Any

from errors import Problem, RefusedError, refused
from ops.handover.addresses import GivenPlace, is_address, place
from ops.handover.last_handover import MANIFEST, last_handover
from ops.handover.written_blocks import is_valid_file, written_blocks

FILE = ".handed-over/addresses.json"
"""Where a handover keeps it, by stack: `stacks` has the address in the HCL by the address in the JSON, `moves` has the
new address by the old one, as in moved.tf, `counted` the addresses in the JSON of resources with `count`, and `states`
where the state is."""

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Given:
    """What earlier handovers gave to one stack.

    addresses: in the HCL, by address in the JSON. They include resources that are no longer there: operations may not
    have destroyed them yet.
    moves: new addresses by old ones, of which operations may not have applied all.
    counted: addresses in the JSON of resources with `count`.
    state: where the stack's state was, if that is known.
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    moves: Mapping[str, str] = field(default_factory=dict)
    counted: Set[str] = frozenset()
    state: str = ""

    def place(self, address: str) -> GivenPlace | None:
        """What was given to an address in the JSON."""
        given = self.addresses.get(address)
        return None if given is None else place(given)

    def is_free(self, new: str, *own: str | None) -> bool:
        """Whether only the resource with the addresses `own` in the JSON had the address `new`, if any had it."""
        return self._owners.get(new, own[0]) in own

    def history(self, new: str) -> list[str]:
        """The addresses that moves lead from to this one, the oldest first, and this one."""
        found = [new]
        while found[0] in self._earlier and self._earlier[found[0]] not in found:
            found.insert(0, self._earlier[found[0]])
        return found

    @cached_property
    def _earlier(self) -> Mapping[str, str]:
        return {new: old for old, new in self.moves.items()}

    @cached_property
    def groups(self) -> Set[str]:
        """The addresses of blocks with `for_each`."""
        return {it.block for it in map(place, self.addresses.values()) if it.key is not None}

    @cached_property
    def blocks(self) -> Set[str]:
        """The addresses of blocks without `for_each`, and those that were given others, in the JSON."""
        return {*self.addresses, *(it.block for it in map(place, self.addresses.values()) if it.key is None)}

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        earlier = {it: old for old, new in self.addresses.items() for it in self.history(new)}
        own = {old: old for old in self.addresses}
        return {**earlier, **own, **{new: old for old, new in self.addresses.items()}}

    def followed_by(self, addresses: Mapping[str, str], moves: Mapping[str, str], counted: Set[str]) -> "Given":
        """What the next handover must know: also what was given to resources that are gone, where it stays free."""
        taken = {*addresses.values(), *addresses, *(place(it).block for it in addresses.values())}
        gone = {
            old: new
            for old, new in self.addresses.items()
            if old not in addresses and new not in taken and place(new).block not in addresses.values()
        }
        steps = (step for new in gone.values() for step in pairwise(self.history(new)))
        kept = {old: new for old, new in steps if old not in taken and old not in moves}
        # A resource that Terraform is to forget moves back to its address in the JSON, for this handover alone.
        lasting = {old: new for old, new in moves.items() if gone.get(new) != old}
        counted = counted | (self.counted & gone.keys())
        return Given(addresses={**gone, **addresses}, moves={**kept, **lasting}, counted=counted)


def read(destination: Path, stacks: Mapping[str, str], *, force: bool = False) -> dict[str, Given]:
    """What the last handover to this folder gave, by stack; `stacks` are the stacks' folders.

    Raises RefusedError if its file cannot be understood or, without `force`, if it was changed, or if it is not there
    and moved.tf cannot be read.
    """
    if (destination / FILE).exists():
        return _read(destination, force=force)
    last = last_handover(destination).digests
    moved = {name: f"{folder}/moved.tf" for name, folder in stacks.items() if f"{folder}/moved.tf" in last}
    found = {name: _from_moves(destination / path) for name, path in moved.items()}
    what = "and nothing else has the addresses that this handover gave"
    hint = "restore it from version control, or give new addresses with --force: a plan may then destroy resources"
    problems = [
        Problem(where=str(destination / moved[name]), what=f"{it}, {what}", hint=hint)
        for name, it in found.items()
        if isinstance(it, str)
    ]
    if problems and not force:
        raise RefusedError(problems)
    return {name: it for name, it in found.items() if isinstance(it, Given)}


def _from_moves(path: Path) -> Given | str:
    """What a handover gave that kept no addresses, from its moved.tf; or what is wrong with that file."""
    try:
        text = path.read_text(encoding="utf-8")
        moves = _texts({it.arguments["from"]: it.arguments["to"] for it in written_blocks(text) if it.type == "moved"})
    except FileNotFoundError:
        return "was removed"
    except (OSError, ValueError, KeyError, TypeError):
        return "cannot be read"
    if not is_valid_file(text):
        return "cannot be read"
    given = Given(moves=moves)
    ends = moves.values() - moves.keys()
    return replace(given, addresses={old: end for end in ends for old in given.history(end)[:-1]})


def _read(destination: Path, *, force: bool) -> dict[str, Given]:
    path = destination / FILE
    try:
        found = path.read_bytes()
        content: Any = json.loads(found)
        version = content["version"]
        moves = {name: _texts(it) for name, it in content.get("moves", {}).items()}
        counted = {name: frozenset(map(str, it)) for name, it in content.get("counted", {}).items()}
        addresses = {name: _texts(it) for name, it in content["stacks"].items()}
        states = {name: str(it) for name, it in content.get("states", {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise refused(str(path), "is not what a handover wrote", "restore it from version control") from None
    if version != _VERSION:
        raise refused(str(path), f"has version {version}", "hand over with a newer release of this program")
    last = last_handover(destination)
    if FILE not in last.own:
        what = f"has no digest in {MANIFEST}, as older releases left it; it is used as it is"
        print(f"{path}: {what}", file=sys.stderr)
    if not force and not last.is_own(FILE, found):
        what = "was changed since the last handover, for example by a merge of Git"
        hint = f"restore it and {MANIFEST} with `git checkout` from one commit, or use it as it is with --force"
        raise refused(str(path), what, hint)
    return {
        name: Given(
            addresses=it,
            moves=moves.get(name, {}),
            counted=counted.get(name, frozenset()),
            state=states.get(name, ""),
        )
        for name, it in addresses.items()
    }


def by_present_names(known: Mapping[str, Given], states: Mapping[str, str], *, force: bool = False) -> dict[str, Given]:
    """What was given, by the present names of stacks: a renamed stack is known by its state. `states` has all stacks.

    Raises RefusedError where several stacks with one state may be meant, unless `force` gives such a stack nothing.
    """
    same = {name for name, state in states.items() if name in known and known[name].state in ("", state)}
    found = {name: known[name] for name in same}
    rest = {name: it for name, it in known.items() if name not in same}
    problems = []
    for name, state in states.items():
        before = sorted(old for old, it in rest.items() if it.state == state)
        others = [other for other in states.keys() - same if states[other] == state]
        if name not in same and len(before) == len(others) == 1:
            found[name] = rest[before[0]]
        elif name not in same and before and not is_in_folder(state) and not force:
            what = f"has the state of {' and '.join(before)}, so it is not known whose addresses it keeps"
            hint = "rename one stack at a time, or give new addresses with --force: a plan may then destroy resources"
            problems.append(Problem(where=name, what=what, hint=hint))
    if problems:
        raise RefusedError(problems)
    taken = {id(it) for it in found.values()}
    return {name: it for name, it in rest.items() if id(it) not in taken} | found


def is_in_folder(state: str) -> bool:
    """Whether a state is a file in the stack's folder, where that of another stack may have the same name."""
    return state.startswith("local: ") and not PureWindowsPath(state.removeprefix("local: ")).anchor


def written(stacks: Mapping[str, Given]) -> str:
    """The content of the file."""
    content = {
        "version": _VERSION,
        "stacks": {name: dict(it.addresses) for name, it in stacks.items()},
        "moves": {name: dict(it.moves) for name, it in stacks.items() if it.moves},
        "counted": {name: sorted(it.counted) for name, it in stacks.items() if it.counted},
        "states": {name: it.state for name, it in stacks.items() if it.state},
    }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _texts(value: Any) -> dict[str, str]:
    if not all(isinstance(it, str) and is_address(it) for pair in value.items() for it in pair):
        raise TypeError
    return dict(value)
