"""Git's pkt-lines, side-bands and lists of refs, as both ends of a mirror speak them.

https://git-scm.com/docs/gitprotocol-common and https://git-scm.com/docs/gitprotocol-pack
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from .failures import UnreachableError
from .foreign import shown
from .model import Listing
from .retries import FinalError

FLUSH = b"0000"
LONGEST_PAYLOAD = 65516

_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")
_ID = re.compile(rb"[0-9a-f]{40}")
_HEADS_AND_TAGS = (b"refs/heads/", b"refs/tags/")
# https://git-scm.com/docs/git-check-ref-format
_NAME = re.compile(rb"refs(/(?!\.)[^\x00-\x20\x7f~^:?*\[\\/]+(?<!\.lock))+(?<!\.)")
_NOT_IN_NAMES = (b"..", b"@{")
# Both ends of so many refs and the plan for them take some 120 MB, for each of 16 mirrors at a time, of 3 GB.
_MOST_REFS = 250_000
_MOST_BYTES_OF_REFS = 64 << 20
_MOST_PROGRESS = 4 << 20


class Stream(Protocol):
    """What bytes are read from: fewer than asked for only at its end."""

    def read(self, size: int, /) -> bytes: ...


def packet(payload: bytes) -> bytes:
    """One pkt-line."""
    return b"%04x%b" % (len(payload) + 4, payload)


class Packets:
    """The pkt-lines in what an end sends, `end` being its name in messages: the source, the target."""

    def __init__(self, stream: Stream, end: str) -> None:
        self._stream = stream
        self.end = end

    def read(self) -> bytes | None:
        """The next line's payload; None for a flush. Raises UnreachableError where there is no such line."""
        header = self._exactly(4)
        if not _LENGTH.fullmatch(header):
            raise self.strange(header)
        length = int(header, 16)
        if length == 0:
            return None
        if not 4 <= length <= LONGEST_PAYLOAD + 4:
            raise self.strange(header)
        payload = self._exactly(length - 4)
        if payload.startswith(b"ERR "):
            raise UnreachableError(f"the {self.end} answers: {shown(payload[4:])}")
        return payload

    def strange(self, what: bytes) -> UnreachableError:
        return UnreachableError(f"the {self.end} answers something that is not Git's protocol: '{shown(what)}'")

    def _exactly(self, size: int) -> bytes:
        found = self._stream.read(size) if size else b""
        if len(found) != size:
            raise UnreachableError(f"the {self.end} broke off")
        return found


def demultiplexed(packets: Packets, first: bytes | None) -> Iterator[bytes]:
    """The first band of the lines from `first` to the next flush.

    Raises UnreachableError for the third, the errors, and where too much comes without data.
    """
    line = first
    idle = 0
    while line is not None:
        band, data = line[:1], line[1:]
        if band == b"\x03":
            raise UnreachableError(f"the {packets.end} aborted: {shown(data)}")
        idle += 4 + len(line)
        if idle > _MOST_PROGRESS + LONGEST_PAYLOAD:
            raise UnreachableError(f"the {packets.end} sends progress and no data")
        if band == b"\x01":
            if data:
                idle = 0
                yield data
        elif band != b"\x02":  # progress
            raise packets.strange(line)
        line = packets.read()


def read_listing(packets: Packets, like: Listing | None = None) -> Listing:
    """Read the heads and tags that a server lists first of all.

    Names and ids that are also in `like` are the same objects, so the second listing takes little memory. Raises
    UnreachableError where Git would not write it so, and FinalError where there is more than fits into memory.
    """
    seen: dict[bytes, bytes] = {}
    if like is not None:
        for name, value in like.refs.items():
            seen[name] = name
            seen[value] = value
    refs: dict[bytes, bytes] = {}
    capabilities: frozenset[bytes] | None = None
    size = 0
    while (line := packets.read()) is not None:
        size += len(line)
        if len(refs) >= _MOST_REFS or size > _MOST_BYTES_OF_REFS:
            raise FinalError(
                f"the {packets.end} lists {_MOST_REFS} refs or more, or more than {_MOST_BYTES_OF_REFS >> 20} MiB of "
                "them, which a build has no memory for. Delete branches and tags there"
            )
        if capabilities is None:
            line, _, words = line.partition(b"\0")
            capabilities = frozenset(words.split())
        found = _mirrored(packets, line)
        if found is None:
            continue
        value, name = found
        if name in refs:
            raise packets.strange(line)
        refs[seen.get(name, name)] = seen.setdefault(value, value)
    default = _default(capabilities or frozenset())
    if default is not None and not _is_name(default):
        raise packets.strange(default)
    return Listing(refs, default, capabilities or frozenset())


def _mirrored(packets: Packets, line: bytes) -> tuple[bytes, bytes] | None:
    """The id and the name of a head or tag in a line of a listing; None where it has another."""
    value, space, name = line.rstrip(b"\n").partition(b" ")
    if value == b"shallow" and space:
        return None
    if not space or not _ID.fullmatch(value):
        raise packets.strange(line)
    if not name.startswith(_HEADS_AND_TAGS) or name.endswith(b"^{}"):  # others, and what an annotated tag points to
        return None
    if not _is_name(name):
        raise packets.strange(line)
    return value, name


def _is_name(ref: bytes) -> bool:
    return _NAME.fullmatch(ref) is not None and not any(part in ref for part in _NOT_IN_NAMES)


def _default(capabilities: frozenset[bytes]) -> bytes | None:
    """The ref that HEAD names. https://git-scm.com/docs/protocol-capabilities#_symref"""
    for capability in capabilities:
        if capability.startswith(b"symref=HEAD:"):
            return capability[len(b"symref=HEAD:") :]
    return None
