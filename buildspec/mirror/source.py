"""The source of a mirror: Git's upload-pack over SSH."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .child import Child
from .failures import SourceUnreachableError, UnreachableError
from .foreign import shown
from .model import Listing
from .packets import FLUSH, Packets, demultiplexed, packet, read_listing
from .retries import DEFAULT_TIMEOUTS, FinalError, Timeouts, patiently

_LINES_AT_ONCE = 1000
_LONGEST_ACK = len(packet(b"ACK %040d common\n" % 0))
_FIRST_HAVES = 256
_MOST_OTHER_ACKS = 1000


@dataclass(frozen=True)
class Source:
    """A repository at `host`, whose path there is `path`.

    `key_file` has the only key that is used, `known_hosts_file` the only host keys that are trusted.
    """

    host: str
    user: str
    path: str
    key_file: str
    known_hosts_file: str
    timeouts: Timeouts = DEFAULT_TIMEOUTS

    def open(self, like: Listing | None = None) -> SourceSession:
        """Connect and read the refs; `like` is a listing with which the new one shares memory."""
        return SourceSession(self, like)

    def command(self) -> Sequence[str]:
        """Only this key, only pinned host keys, no settings of the machine, and never a question."""
        quoted = "'" + self.path.replace("'", "'\\''") + "'"
        options = {
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "PreferredAuthentications": "publickey",
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.known_hosts_file,
            "GlobalKnownHostsFile": "/dev/null",
            "UpdateHostKeys": "no",
            "ClearAllForwardings": "yes",
            "ConnectTimeout": f"{self.timeouts.connect:.0f}",
            "ServerAliveInterval": "30",
            "ServerAliveCountMax": "3",
        }
        return [
            *("ssh", "-F", "/dev/null", "-T", "-i", self.key_file, "-l", self.user),
            *(word for name, value in options.items() for word in ("-o", f"{name}={value}")),
            *("--", self.host, f"git-upload-pack {quoted}"),
        ]


class SourceSession:
    """A connection to the source. `listing` is what it had when it was opened, or opened again.

    upload-pack sends one pack in a connection, so `ready` opens another one for the next.
    """

    listing: Listing
    pack_bytes: int

    def __init__(self, source: Source, like: Listing | None) -> None:
        self._source = source
        self._ready = False
        self.pack_bytes = 0
        self._connect(like)

    def ready(self) -> None:
        """Have a connection in which nothing was fetched yet; `listing` may be another one afterwards."""
        if self._used:
            self._child.close()
            self._connect(self.listing)

    def fetch(
        self, wants: Collection[bytes], haves: Sequence[bytes], capabilities: Collection[bytes]
    ) -> Iterator[bytes]:
        """The pack with what `wants` need and `haves` do not have; of `capabilities` those that the source offers.

        `wants` are ids of `listing`. Of many `haves`, the source gets more than the first 256 only where it does not
        know from these for each want where to begin. Raises UnreachableError where the pack does not arrive whole.
        """
        self._used = True
        offered = self.listing.capabilities
        if b"side-band-64k" not in offered:
            raise FinalError("the source does not offer side-band-64k, without which a cut pack looks whole")
        asked = {b"side-band-64k"} | ({b"no-progress", *capabilities} & offered)
        first, rest = haves, haves[:0]
        if b"multi_ack_detailed" in offered and len(haves) > _FIRST_HAVES:
            asked |= {b"multi_ack_detailed"}
            first, rest = haves[:_FIRST_HAVES], haves[_FIRST_HAVES:]
        with self._explained():
            self._send(itertools.chain(_wants(wants, asked), _haves(first), [FLUSH] if rest else []), len(first))
            if rest and self._is_satisfied(len(first)):
                rest = rest[:0]
            self._send(itertools.chain(_haves(rest), [packet(b"done\n")]), len(rest))
            line = self._acknowledged(len(haves), (b"ACK", b"NAK"))
            for data in demultiplexed(self._packets, line):
                self.pack_bytes += len(data)
                yield data

    def close(self) -> None:
        """End the connection."""
        if self._used:
            self._child.close()
        else:  # https://git-scm.com/docs/gitprotocol-pack: a client that wants nothing says so
            self._used = True
            self._child.send([FLUSH], 0)
            self._child.end_quietly()

    def __enter__(self) -> SourceSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, lines: Iterable[bytes], acknowledged: int) -> None:
        """Send lines. upload-pack acknowledges each have at most once, and waits if nobody reads that."""
        self._child.send(_blocks(lines), (acknowledged + 2) * _LONGEST_ACK)

    def _is_satisfied(self, haves: int) -> bool:
        """Whether upload-pack knows for each want where to begin. https://git-scm.com/docs/protocol-capabilities"""
        self._ready = False
        self._acknowledged(haves, (b"ACK",))
        return self._ready

    def _acknowledged(self, haves: int, words: tuple[bytes, ...]) -> bytes | None:
        """The line after the acknowledgements, of which there are few more than `haves`."""
        for _ in range(2 * haves + _MOST_OTHER_ACKS):
            line = self._packets.read()
            if line is None or line[:3] not in words:
                return line
            self._ready = self._ready or line.rstrip(b"\n").endswith(b" ready")
        raise self._packets.strange(line or b"")

    def _connect(self, like: Listing | None) -> None:
        self._used = True
        patiently(lambda: self._connect_once(like), UnreachableError)
        self._used = False

    def _connect_once(self, like: Listing | None) -> None:
        self._child = Child(self._source.command(), environment(), self._source.timeouts.silence, "source")
        self._packets = Packets(io.BufferedReader(self._child, 1 << 16), "source")
        with self._explained():
            self.listing = read_listing(self._packets, like)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in an error what ssh said."""
        try:
            yield
        except FinalError:
            self._child.close()
            raise
        except UnreachableError as error:
            explanation = _explanation(self._child.said())
            self._child.close()
            raise SourceUnreachableError(f"{error}{explanation}") from error


def environment() -> dict[str, str]:
    """No credentials, and nothing that ssh or Git would obey. Without GIT_PROTOCOL the source speaks version 0."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _wants(wants: Iterable[bytes], capabilities: Iterable[bytes]) -> Iterator[bytes]:
    first = b" " + b" ".join(sorted(capabilities))
    for want in wants:
        yield packet(b"want %b%b\n" % (want, first))
        first = b""
    yield FLUSH


def _haves(haves: Iterable[bytes]) -> Iterator[bytes]:
    return (packet(b"have %b\n" % have) for have in haves)


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, many at once."""
    remaining = iter(lines)
    while block := b"".join(itertools.islice(remaining, _LINES_AT_ONCE)):
        yield block


def _explanation(said: bytes) -> str:
    """What a reader should do about ssh's words, which decide nothing."""
    if b"Host key verification failed" in said:
        return (
            ". It shows a host key that is not pinned. Somebody may be in between. If Backlog has new keys, compare "
            "their fingerprints by eye before pinning them in known_hosts"
        )
    if b"Permission denied" in said:
        return (
            ". It refuses the SSH key. Register its public half with the Backlog user, and check the parameter that "
            "has the key"
        )
    return f". ssh says: {shown(said)}" if said.strip() else ""
