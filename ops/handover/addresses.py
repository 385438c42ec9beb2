"""The addresses of resources, modules and data sources in a stack, and their parts.

https://developer.hashicorp.com/terraform/cli/state/resource-addressing
"""

import re
from typing import NamedTuple

from ops.handover.strings import quoted
from terraform.patterns import ADDRESS

_STEP = r'[\w-]+(\[(\d+|"([^"\\\n]|\\[^\n])*")\])?'
_ADDRESS = re.compile(rf"{_STEP}(\.{_STEP})+")
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})|\\(.)|([$%])\3\{")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class GivenPlace(NamedTuple):
    """An address: the block's, and the key in it, if the block has `for_each`."""

    block: str
    key: str | None = None


def place(address: str) -> GivenPlace:
    """The parts of an address that a handover gave."""
    block, bracket, rest = address.partition('["')
    key = _ESCAPE.sub(lambda it: _unescaped(*it.groups()), rest.removesuffix('"]'))
    return GivenPlace(block, key if bracket else None)


def instance(block: str, key: str) -> str:
    """The address of what a block with `for_each` has under a key."""
    return f"{block}[{quoted(key)}]"


def is_address(text: str) -> bool:
    """Whether a text is the address of a block or an instance, also of one in a module."""
    return _ADDRESS.fullmatch(text) is not None


def is_of_data(address: str) -> bool:
    """Whether it is the address of a data source, which no state keeps."""
    return address.startswith("data.")


def is_in_module(address: str) -> bool:
    """Whether it is the address of a module or of something in one."""
    return address.startswith("module.")


def split(address: str) -> tuple[str, str]:
    """The address of a block, and the rest, which has an index. What is in a module is not split."""
    found = ADDRESS.match(address)
    return (found[0], address[found.end() :]) if found and not is_in_module(address) else (address, "")


def is_whole(address: str) -> bool:
    """Whether it is the address of a whole block, not of an instance or of something in a module."""
    return split(address) == (address, "") and not is_in_module(address)


def type_and_name(block: str) -> tuple[str, str]:
    """The type and the name in the address of a resource or a data source."""
    *_, type_, name = block.split(".")
    return type_, name


def _unescaped(code: str | None, character: str | None, sign: str | None) -> str:
    if code is not None:
        return chr(int(code, 16))
    return f"{sign}{{" if character is None else _ESCAPED.get(character, character)
