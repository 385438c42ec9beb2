"""Git's pkt-lines, side-bands and lists of refs, as both ends of a mirror speak them.

https://git-scm.com/docs/gitprotocol-common and https://git-scm.com/docs/gitprotocol-pack
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from .failures import UnreachableError
from .model import Listing

FLUSH = b"0000"
LONGEST_PAYLOAD = 65516

_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")
_ID = re.compile(rb"[0-9a-f]{40}")
_MIRRORED = (b"refs/heads/", b"refs/tags/")
_NAME = re.compile(rb"refs/[a-z]+/[^\x00-\x20\x7f~^:?*\[\\]+")  # https://git-scm.com/docs/git-check-ref-format
_MOST_SHOWN = 300


class Stream(Protocol):
    """What bytes are read from: fewer than asked for only at its end."""

    def read(self, size: int, /) -> bytes: ...


def packet(payload: bytes) -> bytes:
    """One pkt-line."""
    return b"%04x%b" % (len(payload) + 4, payload)


def shown(text: bytes) -> str:
    """What the other end wrote, in one line of a log: short, and without control characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text.decode("utf-8", "replace"))
    line = " ".join(line.split())
    return line if len(line) <= _MOST_SHOWN else line[:_MOST_SHOWN] + "…"


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
        return UnreachableError(f"the {self.end} answers something that is not Git's protocol: {shown(what)!r}")

    def _exactly(self, size: int) -> bytes:
        found = self._stream.read(size) if size else b""
        if len(found) != size:
            raise UnreachableError(f"the {self.end} broke off")
        return found


def demultiplexed(packets: Packets, first: bytes | None) -> Iterator[bytes]:
    """The first band of the lines from `first` to the next flush; raises UnreachableError for the third, the errors."""
    line = first
    while line is not None:
        band, data = line[:1], line[1:]
        if band == b"\x03":
            raise UnreachableError(f"the {packets.end} aborted: {shown(data)}")
        if band == b"\x01":
            if data:
                yield data
        elif band != b"\x02":  # progress
            raise packets.strange(line)
        line = packets.read()


def read_listing(packets: Packets, like: Listing | None = None) -> Listing:
    """Read the heads and tags that a server lists first of all.

    Names and ids that are also in `like` are the same objects, so the second listing takes little memory.
    """
    seen: dict[bytes, bytes] = {}
    if like is not None:
        for name, value in like.refs.items():
            seen[name] = name
            seen[value] = value
    refs: dict[bytes, bytes] = {}
    capabilities: frozenset[bytes] | None = None
    while (line := packets.read()) is not None:
        if capabilities is None:
            line, _, words = line.partition(b"\0")
            capabilities = frozenset(words.split())
        value, space, name = line.rstrip(b"\n").partition(b" ")
        if value == b"shallow" and space:
            continue
        if not space or not _ID.fullmatch(value):
            raise packets.strange(line)
        if not name.startswith(_MIRRORED) or name.endswith(b"^{}"):  # others, and what an annotated tag points to
            continue
        if not _NAME.fullmatch(name):
            raise packets.strange(line)
        refs[seen.get(name, name)] = seen.setdefault(value, value)
    return Listing(refs, _default(capabilities or frozenset()), capabilities or frozenset())


def _default(capabilities: frozenset[bytes]) -> bytes | None:
    """The ref that HEAD names. https://git-scm.com/docs/protocol-capabilities#_symref"""
    for capability in capabilities:
        if capability.startswith(b"symref=HEAD:"):
            return capability[len(b"symref=HEAD:") :]
    return None
