"""What CodeCommit reads and writes of Git's protocol itself, because git http-backend would be too generous."""

import re
import subprocess
import tempfile
from collections.abc import Iterator


def narrow(listing: bytes, capabilities: bytes) -> bytes:
    """A list of refs with other capabilities. They follow the first ref.

    https://git-scm.com/docs/pack-protocol#_reference_discovery
    """
    begin = re.match(rb"([0-9a-f]{4}# service=[a-z-]+\n0000)[0-9a-f]{4}([^\0]+)\0[^\n]*\n", listing)
    if begin is None:
        return listing
    first = begin[2] + b"\0" + capabilities + b"\n"
    return b"%s%04x%s%s" % (begin[1], len(first) + 4, first, listing[begin.end() :])


def commands(body: Iterator[bytes]) -> tuple[list[bytes], bytes]:
    """The commands that a push begins with, and all the bytes that were read for them."""
    read, place = b"", 0
    found: list[bytes] = []
    while True:
        while len(read) < place + 4 or len(read) < place + max(4, int(read[place : place + 4], 16)):
            read += next(body, b"") or _break_off()
        size = int(read[place : place + 4], 16)
        if size == 0:
            return found, read
        found.append(read[place + 4 : place + size].rstrip(b"\n"))
        place += size


def _break_off() -> bytes:
    raise ConnectionError


def complete(parts: Iterator[bytes]) -> tuple[Iterator[bytes], str]:
    """A push, and what is wrong with a pack that lacks the bases of its deltas."""
    whole = b"".join(parts)
    place = whole.find(b"0000PACK")
    if place < 0:
        return iter([whole]), ""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "--quiet", "--bare", "--template=", folder], check=True)
        indexed = ["git", "-C", folder, "index-pack", "--stdin"]
        refused = subprocess.run(indexed, input=whole[place + 4 :], capture_output=True, check=False).returncode
    return iter([whole]), "unpacker error" if refused else ""


def refusal(refused: list[bytes], problem: str, *, sideband: bool) -> bytes:
    """A report that refuses every change.

    https://git-scm.com/docs/pack-protocol#_report_status
    """
    text = _line(b"unpack " + problem.encode() + b"\n")
    for command in refused:
        text += _line(b"ng %s %s\n" % (command.partition(b"\0")[0].split(b" ", 2)[2], problem.encode()))
    text += b"0000"
    if sideband:
        parts = (text[place : place + 60_000] for place in range(0, len(text), 60_000))
        text = b"".join(_line(b"\1" + part) for part in parts) + b"0000"
    return text


def _line(text: bytes) -> bytes:
    return b"%04x%s" % (len(text) + 4, text)
