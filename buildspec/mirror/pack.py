"""Reads a pack as it passes, in bounded memory. https://git-scm.com/docs/pack-format"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

COMMIT, BLOB = 1, 3
OFFSET_DELTA, REF_DELTA = 6, 7
_KINDS = frozenset((COMMIT, 2, BLOB, 4, OFFSET_DELTA, REF_DELTA))

_HEADER = 12
_ID = 20
_LONGEST_NUMBER = 10
"""Bytes of 7 bits each: more than 64 bits are no size and no offset."""

_LENGTHS = tuple(1 + (number if number < 0x80 else bin(number).count("1") - 1) for number in range(0x100))
"""How long a delta's instruction is, by its first byte: that of a literal is its length, and has 0x80 in a copy."""

LARGEST_PART = 1 << 21
"""Objects up to this size come whole; larger ones in parts of at most this size."""


class PackError(Exception):
    """What passes is no pack that this reader understands."""


class Part(NamedTuple):
    """Content of an object of the pack, of `size` bytes altogether. A delta's content is its instructions."""

    kind: int
    size: int
    content: bytes
    first: bool
    last: bool

    @property
    def whole(self) -> bool:
        return self.first and self.last


class PackReader:
    """Give it the pack in chunks, and it yields what is in them."""

    def __init__(self) -> None:
        self._rest = b""
        self._left: int | None = None
        self._object: _Object | None = None

    @property
    def complete(self) -> bool:
        """Whether all objects were read. The pack's checksum may be missing still."""
        return self._left == 0

    def feed(self, chunk: bytes) -> Iterator[Part]:
        data, at = self._rest + chunk if self._rest else chunk, 0
        if self._left is None and len(data) >= _HEADER:
            self._left, at = _objects(data), _HEADER
        view = memoryview(data)
        while self._left and at < len(data):
            if self._object is None:
                header = _object_header(data, at)
                if header is None:
                    break
                kind, size, at = header
                self._object = _Object(kind, size)
            part, at = self._object.read(view, at)
            if part is None:
                break
            if part.last:
                self._object = None
                self._left -= 1
            yield part
        self._rest = data[at:] if not self.complete else b""


def _objects(data: bytes) -> int:
    if data[:8] not in (b"PACK\0\0\0\2", b"PACK\0\0\0\3"):
        raise PackError("it does not begin like a pack")
    return int.from_bytes(data[8:_HEADER], "big")


def _object_header(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Kind, size and where the compressed content begins; None if the header goes on in the next chunk."""
    begin, end = at, len(data)
    byte = data[at]
    at += 1
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        if at - begin > _LONGEST_NUMBER:
            raise PackError("an object's size is too large")
        if at == end:
            return None
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
    if kind == REF_DELTA:
        at += _ID
    elif kind == OFFSET_DELTA:
        after = at + _LONGEST_NUMBER
        while at < end and data[at] & 0x80:
            at += 1
            if at > after:
                raise PackError("an offset is too large")
        at += 1
    elif kind not in _KINDS:
        raise PackError(f"it has an object of the unknown kind {kind}")
    return (kind, size, at) if at <= end else None


class _Object:
    """The object that is being read."""

    __slots__ = ("_first", "_inflater", "_left", "_parts", "kind", "size")

    def __init__(self, kind: int, size: int) -> None:
        self.kind = kind
        self.size = size
        self._left = size
        self._inflater = zlib.decompressobj()
        self._parts: list[bytes] = []
        self._first = True

    def read(self, view: memoryview, at: int) -> tuple[Part | None, int]:
        """The next part, if it is in the data, and where to go on."""
        end = len(view)
        while at < end:
            # Not much more than the object can need: zlib copies what it does not use. And room for one byte too many.
            most = min(self._left, LARGEST_PART) + 1
            window = view[at : at + most + (most >> 8) + 64]
            try:
                content = self._inflater.decompress(window, most)
            except zlib.error as error:
                raise PackError(f"an object cannot be read: {error}") from error
            last = self._inflater.eof
            at += len(window) - len(self._inflater.unused_data if last else self._inflater.unconsumed_tail)
            self._left -= len(content)
            if self._left < 0 or (last and self._left):
                raise PackError("an object has not the size that the pack says")
            part = self._part(content, last)
            if part:
                return part, at
        return None, at

    def _part(self, content: bytes, last: bool) -> Part | None:
        first = self._first
        if self.size <= LARGEST_PART:
            if not last:
                self._parts.append(content)
                return None
            content = b"".join((*self._parts, content)) if self._parts else content
        elif not content and not last:
            return None
        self._first = False
        return Part(self.kind, self.size, content, first, last)


class DeltaReader:
    """Reads the instructions of a delta that comes in parts: yields literals, and b"" for what it copies from the base.

    A literal that goes on in the next part comes in two pieces.
    """

    def __init__(self) -> None:
        self._sizes = 2  # of the base and of the result, which come first
        self._rest = b""  # an instruction that is not complete
        self._copies = False  # whether the last instruction was to copy

    def feed(self, part: bytes) -> Iterator[bytes]:
        data, at, copies = self._rest + part, 0, self._copies
        end = len(data)
        while self._sizes and at < end:
            self._sizes -= data[at] < 0x80
            at += 1
        literal: list[bytes] = []
        while at < end:
            instruction = data[at]
            after = at + _LENGTHS[instruction]
            if after > end:
                break
            if instruction < 0x80:
                if not instruction:
                    raise PackError("a delta has an unknown instruction")
                literal.append(data[at + 1 : after])
                copies = False
            elif not copies:
                copies = True
                if literal:
                    yield b"".join(literal)
                    literal = []
                yield b""
            at = after
        self._rest, self._copies = data[at:], copies
        if literal:
            yield b"".join(literal)

    def finish(self) -> None:
        if self._sizes or self._rest:
            raise PackError("a delta ends too early")
