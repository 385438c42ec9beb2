"""The target of a mirror: Git's receive-pack over HTTPS, as CodeCommit serves it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from .connection import BusyError, Connect, Server, answer, secure
from .failures import RelayRefusedError, UnreachableError
from .foreign import shown
from .model import Change, Listing
from .packets import FLUSH, Packets, demultiplexed, packet, read_listing
from .retries import DEFAULT_TIMEOUTS, FinalError, Timeouts, patiently
from .signing import domain

_SENT_AT_ONCE = 1 << 20
_LONGEST_REPORT = 16 << 20
_NONE = b"0" * 40
# CodeCommit aborts a push that names a capability which it does not advertise, as agent=….
# https://github.com/isomorphic-git/isomorphic-git/pull/392
_WANTED = (b"report-status", b"side-band-64k", b"quiet")


def server_of(region: str) -> Server:
    """https://docs.aws.amazon.com/codecommit/latest/userguide/regions.html"""
    return Server(secure(f"git-codecommit.{region}.{domain(region)}"))


class Target:
    """The repository of this name in CodeCommit. `credentials` gives user and password for a request that starts now.

    `pack_bytes` counts what packs went out.
    """

    listing: Listing | None
    pack_bytes: int

    def __init__(
        self,
        region: str,
        repository: str,
        credentials: Callable[[], tuple[str, str]],
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        connect: Connect | None = None,
        server: Server | None = None,
    ) -> None:
        self._server = server or (Server(connect) if connect else server_of(region))
        self._path = f"/v1/repos/{repository}"
        self._credentials = credentials
        self._timeouts = timeouts
        self.listing = None
        self.pack_bytes = 0

    def list(self, like: Listing | None = None) -> Listing:
        """The refs and what receive-pack offers; `like` is a listing with which the new one shares memory."""
        self.listing = patiently(lambda: self._list(like), UnreachableError)
        return self.listing

    def push(self, changes: Sequence[Change], pack: Iterable[bytes]) -> dict[bytes, str | None]:
        """Change refs in one request: why each was refused, None where it was not. Deletions alone send no pack.

        Raises RelayRefusedError where the target does not take the push as a whole, and UnreachableError where it may
        have applied it or not. What `pack` raises breaks the push off, and nothing is applied.
        """
        offered = (self.listing or self.list()).capabilities
        untaken = [change for change in changes if change.new is None and b"delete-refs" not in offered]
        taken = [change for change in changes if change.new is not None or not untaken]
        results: dict[bytes, str | None] = {change.ref: "the target takes no deletions" for change in untaken}
        if taken:
            sends_pack = any(change.new is not None for change in taken)
            body = itertools.chain([_commands(taken, offered)], self._counted(pack) if sends_pack else ())
            results.update(self._push(taken, body))
        return results

    def _counted(self, pack: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in pack:
            self.pack_bytes += len(chunk)
            yield chunk

    def _push(self, changes: Sequence[Change], body: Iterator[bytes]) -> dict[bytes, str | None]:
        """Send a small body as it is, again if the target is busy and has applied nothing; a large one in chunks."""
        beginning, whole = _beginning(body)
        if not whole:
            return self._deliver(changes, itertools.chain([beginning], body))

        def attempt() -> dict[bytes, str | None]:
            try:
                return self._deliver(changes, beginning)
            except BusyError as error:
                if not self._is_as_before(changes):
                    raise UnreachableError(str(error)) from error
                raise

        return patiently(attempt, BusyError)

    def _is_as_before(self, changes: Sequence[Change]) -> bool:
        refs = self.list(self.listing).refs
        return all(refs.get(change.ref) == change.old for change in changes)

    def _list(self, like: Listing | None) -> Listing:
        path = f"{self._path}/info/refs?service=git-receive-pack"
        try:
            with answer(self._server, self._timeouts, self._credentials, path) as response:
                packets = Packets(io.BufferedReader(response, 1 << 16), "target")
                service = packets.read()
                if service is None or service.strip() != b"# service=git-receive-pack":
                    raise packets.strange(service or FLUSH)
                if packets.read() is not None:
                    raise packets.strange(service)
                return read_listing(packets, like)
        except RelayRefusedError as error:
            raise FinalError(str(error)) from error

    def _deliver(self, changes: Sequence[Change], body: bytes | Iterable[bytes]) -> dict[bytes, str | None]:
        path = f"{self._path}/git-receive-pack"
        with answer(self._server, self._timeouts, self._credentials, path, body) as response:
            report = response.read(_LONGEST_REPORT)
            if response.length:
                raise UnreachableError("the target broke off")
        if self.listing is not None and b"report-status" in self.listing.capabilities:
            try:
                return _results(_report(report), changes)
            except UnreachableError as error:
                raise RelayRefusedError(str(error)) from error
        refs = self.list(self.listing).refs
        return {
            change.ref: None if refs.get(change.ref) == change.new else "the target did not change it"
            for change in changes
        }


def _commands(changes: Sequence[Change], offered: frozenset[bytes]) -> bytes:
    """What receive-pack is to do. https://git-scm.com/docs/gitprotocol-pack#_reference_update_request"""
    lines = [b"%b %b %b" % (change.old or _NONE, change.new or _NONE, change.ref) for change in changes]
    lines[0] += b"\0" + b"".join(b" " + word for word in _WANTED if word in offered)
    return b"".join(map(packet, lines)) + FLUSH


def _beginning(parts: Iterator[bytes]) -> tuple[bytes, bool]:
    """What fits into one message, and whether that is all."""
    found = bytearray()
    for part in parts:
        found += part
        if len(found) > _SENT_AT_ONCE:
            return bytes(found), False
    return bytes(found), True


def _report(answer: bytes) -> Iterator[bytes]:
    """The lines of a report, with or without side-band."""
    packets = Packets(io.BytesIO(answer), "target")
    line = packets.read()
    if line is not None and line[:1] in (b"\x01", b"\x02", b"\x03"):
        packets = Packets(io.BytesIO(b"".join(demultiplexed(packets, line))), "target")
        line = packets.read()
    while line is not None:
        yield line.rstrip(b"\n")
        line = packets.read()


def _results(report: Iterator[bytes], changes: Sequence[Change]) -> dict[bytes, str | None]:
    """https://git-scm.com/docs/gitprotocol-pack#_report_status"""
    unpacked = next(report, b"nothing")
    if unpacked != b"unpack ok":
        raise RelayRefusedError(f"the target refuses the pack: {shown(unpacked)}")
    results: dict[bytes, str | None] = {change.ref: "the target says nothing about it" for change in changes}
    for line in report:
        verdict, _, rest = line.partition(b" ")
        ref, _, reason = rest.partition(b" ")
        if ref in results:
            results[ref] = None if verdict == b"ok" else shown(reason) or "without a reason"
    return results
