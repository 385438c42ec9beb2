"""Where the README of a stack says that something is added, changed or removed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ops.handover.hcl import Block, Expression, ObjectExpr
from ops.handover.printing import expression, render
from ops.handover.references import address

# Nobody adds members in these.
_OF_ADDRESSES = ("moved.tf", "removed.tf")

# A tag, a profile or a bucket in these has the name of a member by chance.
_OF_TERRAFORM = ("providers.tf", "backend.tf", "versions.tf")

_SHORTEST_WORD = 3

# What excludes the members that a wildcard includes, in what `style.member_sets` writes.
_STARTS = re.compile(r"!startswith\(.*?\)")


@dataclass(frozen=True, kw_only=True)
class MemberList:
    """Where members are listed: `local.mirrors`, or the address of a block that lists them itself.

    ids: what the list says of single members that no other thing has, such as the ids of their endpoints.
    within: the argument that has the members, if each entry of the list has some.
    """

    address: str
    what: str
    keys: Sequence[str]
    ids: Sequence[str] = ()
    within: str = ""


@dataclass(frozen=True, kw_only=True)
class EditPlace:
    """`name` in `file` lists all of `what`: `local.mirrors` in `locals.tf` lists the mirrors.

    also: other files that name every one of them, and the files that each of them has, with KEY in place of its key.
    some: other files that name some of them. within: as in `MemberList`.
    """

    file: str
    name: str
    what: str
    also: Sequence[str] = ()
    some: Sequence[str] = ()
    within: str = ""


def located(
    lists: Iterable[MemberList], blocks: Mapping[str, Sequence[Block]], files: Mapping[str, str]
) -> list[EditPlace]:
    """The places of lists that are in these blocks, which are by file. `files` are all texts by path."""
    where = {address(block): file for file, its in blocks.items() for block in its}
    for file, its in blocks.items():
        where |= {f"local.{name}": file for block in its if block.type == "locals" for name in block.arguments}
    lists = [it for it in lists if it.address in where]
    return [_located(it, where[it.address], {**files, **_without_choices(it, lists, where, blocks)}) for it in lists]


def _located(it: MemberList, file: str, files: Mapping[str, str]) -> EditPlace:
    """The place of a list; `files` are all texts without the list."""
    every = list(_with_every_key(it.keys, files))
    own = [path.replace("/KEY.", f"/{key}.") for path in every if path not in files for key in it.keys]
    # What has the key of a single member need not have the next one.
    also = [path for path in every if len(it.keys) > 1 or path not in files]
    some = (path for path in _with_a_name([*it.keys, *it.ids], files) if path not in (*also, *own))
    return EditPlace(file=file, name=it.address, what=it.what, also=also, some=tuple(some), within=it.within)


def _without_choices(
    own: MemberList, lists: Sequence[MemberList], where: Mapping[str, str], blocks: Mapping[str, Sequence[Block]]
) -> dict[str, str]:
    """The texts of files with lists, without `own` list, and without members of others that name some of its keys.

    Such a member chooses one, as a mirror its repository. A member that names all of several must name a new one, too.
    """
    words = [re.compile(_word(key), re.MULTILINE) for key in own.keys]

    def left(name: str, value: Expression) -> Expression:
        if f"local.{name}" not in {it.address for it in lists} or not isinstance(value, ObjectExpr):
            return value
        if len(words) == 1:
            return ObjectExpr(tuple(it for it in value.items if not words[0].search(expression(ObjectExpr((it,))))))
        named = [(it, sum(bool(word.search(expression(it[1]))) for word in words)) for it in value.items]
        return ObjectExpr(tuple(it for it, found in named if found in (0, len(words))))

    return {
        file: render([_with_locals(block, own, left) for block in blocks[file] if address(block) != own.address])
        for file in {where[it.address] for it in lists}
    }


def _with_locals(block: Block, own: MemberList, change: Callable[[str, Expression], Expression]) -> Block:
    if block.type != "locals":
        return block
    arguments = {name: change(name, it) for name, it in block.arguments.items() if f"local.{name}" != own.address}
    return replace(block, arguments=arguments)


def _with_every_key(keys: Sequence[str], files: Mapping[str, str]) -> Iterator[str]:
    words = [re.compile(_word(key), re.MULTILINE) for key in keys]
    for path, text in sorted(files.items()):
        if path not in _OF_ADDRESSES and all(word.search(text) for word in words):
            yield path
    first = f"/{keys[0]}."
    for path in sorted(files):
        if first in path and all(path.replace(first, f"/{key}.") in files for key in keys):
            yield path.replace(first, "/KEY.")


def _with_a_name(names: Sequence[str], files: Mapping[str, str]) -> Iterator[str]:
    """The files that have one of these names as a text, or as a part of one between colons, such as an ARN's last."""
    found = "|".join(re.escape(name) for name in names if len(name) >= _SHORTEST_WORD)
    whole = re.compile(rf'(?<=[":])({found})(?=[":])') if found else re.compile("(?!)")
    for path, text in sorted(files.items()):
        if path not in (*_OF_ADDRESSES, *_OF_TERRAFORM) and whole.search(_STARTS.sub("", text)):
            yield path


def _word(key: str) -> str:
    """A pattern of the key: as a word, or in quotes or as a map's key if it is as short as a zone's."""
    word = re.escape(key)
    if len(key) < _SHORTEST_WORD:
        return rf'"{word}"|^\s*{word}\s*='
    return rf"(?<![\w./-]){word}(?![\w.-])"
