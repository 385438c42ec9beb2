"""Packs and deltas as tests need them, without Git."""

import hashlib
import zlib
from collections.abc import Iterable, Sequence

COMMIT, TREE, BLOB, REF_DELTA = 1, 2, 3, 7


def pack(*objects: tuple[int, bytes], level: int = 6) -> bytes:
    """A pack of these kinds and contents. Deltas are of an object that the pack lacks."""
    content = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big")
    for kind, plain in objects:
        content += header(kind, len(plain)) + (b"\7" * 20 if kind == REF_DELTA else b"") + zlib.compress(plain, level)
    return content + hashlib.sha1(content, usedforsecurity=False).digest()


def header(kind: int, size: int) -> bytes:
    """What is before an object's compressed content."""
    first, size = kind << 4 | size & 15, size >> 4
    return bytes([first | 0x80]) + _number(size) if size else bytes([first])


def _number(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def delta(parts: Sequence[bytes | int], longest: int = 0x7F) -> bytes:
    """A delta whose parts are literals, or so many bytes of the base."""
    size = sum(part if isinstance(part, int) else len(part) for part in parts)
    content = bytearray(_number(1 << 20) + _number(size))
    for part in parts:
        if isinstance(part, int):
            content += bytes([0x80 | 0x01 | 0x10 | 0x20, 0]) + part.to_bytes(2, "little")
        else:
            for begin in range(0, len(part), longest):
                piece = part[begin : begin + longest]
                content += bytes([len(piece)]) + piece
    return bytes(content)


def commit(*parents: bytes, message: str = "") -> bytes:
    """A commit's content; `parents` are names of 40 digits."""
    lines = [b"tree " + b"4" * 40, *(b"parent " + parent for parent in parents), b"author A <a@b> 1 +0000"]
    return b"\n".join([*lines, b"committer A <a@b> 1 +0000", b"", message.encode()])


def name(kind: str, content: bytes) -> bytes:
    plain = f"{kind} {len(content)}\0".encode() + content
    return hashlib.sha1(plain, usedforsecurity=False).hexdigest().encode()


def chunks(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The data in chunks of these sizes, and the rest."""
    cut, at = [], 0
    for size in sizes:
        cut.append(data[at : at + size])
        at += size
    return [*cut, data[at:]]
