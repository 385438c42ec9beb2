"""Top-level blocks, and the metadata that cdktf and checkov leave in them under `//`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from errors.shown import printable
from ops.handover.hcl import Block
from terraform.patterns import NAME

ITEM = "item_of_list"
INPUT = "input"
FOR_ITEMS = "for_items_alone"
"""What inputs leave under `//`: which item of a list an argument is, and which variables they are."""


@dataclass(frozen=True, kw_only=True)
class ListItem:
    """An argument whose value is one of the `items` of a list, which `variable` has."""

    argument: str
    variable: str
    value: str
    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Members that a stack lists as an object in JSON, under this name, with all that it says of each of them.

    arns: the attribute that ARNs end with which name every member, by the service in the ARNs. Its values may be whole
    ARNs, of some members.
    lists: other names of the members, by what a list of them is called: all keys, and the values of attributes, each
    behind the text that is said of the attribute. If each member of a local value has some members, `{key}` in such a
    text stands for the key of the one that has the member.
    """

    name: str
    arns: Mapping[str, str]
    lists: Mapping[str, Mapping[str, str]]


def collections(document: Mapping[str, Any]) -> list[Collection]:
    """The collections that a stack says it has, under `//.collections`, without those with what is no name."""
    content = document.get("//")
    named = content.get("collections") if isinstance(content, dict) else None
    found = named.items() if isinstance(named, dict) else ()
    return [
        Collection(name=name, arns=it["arns"], lists=it["lists"])
        for name, it in found
        if isinstance(it, dict)
        and _are_texts(it.get("arns"))
        and isinstance(it.get("lists"), dict)
        and all(_are_texts(attributes) for attributes in it["lists"].values())
        and all(
            map(
                _is_name,
                [name, *it["arns"].values(), *it["lists"], *(one for own in it["lists"].values() for one in own)],
            )
        )
    ]


def _are_texts(value: Any) -> bool:
    """Whether it is an object of texts."""
    return isinstance(value, dict) and all(isinstance(it, str) for it in value.values())


def _is_name(text: str) -> bool:
    return re.fullmatch(NAME, text) is not None


@dataclass(frozen=True, kw_only=True)
class TopLevelBlock:
    """One top-level block with cdktf's metadata.

    path: the block's place in the tree of constructs, without the stack.
    generated_name: whether cdktf made the block's name.
    same_file_as: the address of the block whose file this one belongs in, if it has no file of its own.
    item: which argument is an item of a variable's list.
    is_input: whether it is a variable that an input became.
    is_for_items: whether only resources for each item of the variable need it.
    is_example: whether it shows what one more member of a collection is like, and is not written.
    next_key: the key of such an example in a block for a collection: a list of its single member is a list of all.
    next_lines: the lines of the block's texts in the stack with examples, if it was compared with that.
    collection: what is known of the local value in this block, which has a collection's members.
    owned: what is known of collections of which each member of the local value in this block has some members.
    in_json: the members of JSON that have a variable's value, by the argument that is the JSON: `TYPE.ARGUMENT`.
    """

    block: Block
    path: tuple[str, ...] = ()
    generated_name: bool = False
    same_file_as: str | None = None
    item: ListItem | None = None
    is_input: bool = False
    is_for_items: bool = False
    is_example: bool = False
    next_key: str = ""
    next_lines: frozenset[str] | None = None
    collection: Collection | None = None
    owned: tuple[Collection, ...] = ()
    in_json: Mapping[str, str] = field(default_factory=dict)


def comments(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The comments for a block: the text under `//`, or its accepted checkov findings in checkov's own form."""
    content = body.get("//")
    if isinstance(content, str):
        return tuple(map(printable, content.splitlines()))
    acknowledged = content.get("acknowledged") if isinstance(content, dict) else None
    if not isinstance(acknowledged, dict):
        return ()
    lines = (f"checkov:skip={rule}: {why}" for rule, why in sorted(acknowledged.items()))
    return tuple(printable(" ".join(line.split())) for line in lines)


def reason(body: Mapping[str, Any]) -> str:
    """Why a block is as it is: the text under `//.comment`."""
    content = body.get("//")
    text = content.get("comment") if isinstance(content, dict) else None
    return "\n".join(map(printable, text.splitlines())) if isinstance(text, str) else ""


def members_without(body: Mapping[str, Any]) -> dict[str, str]:
    """What lists name the members of a collection whose argument is not set: that argument, by the list's.

    It is under `//.members` of a block: `{"resources": {"without": "tags"}}`, or `tags["owner"]` for a key.
    """
    content = body.get("//")
    members = content.get("members") if isinstance(content, dict) else None
    named = members.items() if isinstance(members, dict) else ()
    found = {name: it.get("without") for name, it in named if isinstance(it, dict)}
    return {name: it for name, it in found.items() if isinstance(it, str)}


def with_metadata(block: Block, body: Mapping[str, Any]) -> TopLevelBlock:
    """The block with the metadata of the JSON it was read from."""
    content = body.get("//")
    if not isinstance(content, dict):
        content = {}
    metadata = content.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    return TopLevelBlock(
        block=block,
        path=tuple(str(metadata.get("path", "")).split("/")[1:]),
        generated_name=bool(block.labels) and metadata.get("uniqueId") == block.labels[-1],
        item=_item(content.get(ITEM)),
        is_input=block.type == "variable" and content.get(INPUT) is True,
        is_for_items=block.type == "variable" and content.get(FOR_ITEMS) is True,
        in_json=content["in_json"] if _are_texts(content.get("in_json")) else {},
    )


def _item(content: Any) -> ListItem | None:
    """What `with_inputs` found of an item."""
    if not isinstance(content, dict):
        return None
    return ListItem(**{**content, "items": tuple(content["items"])})
