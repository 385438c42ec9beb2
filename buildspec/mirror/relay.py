"""Hands the source's pack to the target as it comes: nothing is unpacked, and no copy is kept.

The source is asked for what the target lacks, with the target's own ids as those that the asker has. So the pack builds
on objects that the target has, and the target completes it.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from .failures import RelayRefusedError
from .model import Change, Listing, Push
from .source import SourceSession
from .target import Target

_TRAILER = 20
_HEADER = struct.pack("!4sII", b"PACK", 2, 0)
_EMPTY_PACK = _HEADER + hashlib.sha1(_HEADER).digest()  # noqa: S324  (Git's own checksum)
# Below 2 GB. https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
_LARGEST_PACK = 1_990_000_000


class Inspects(Protocol):
    """What looks at a pack on its way."""

    def feed(self, chunk: bytes, /) -> None: ...

    def finish(self) -> None: ...


def relay(
    session: SourceSession, target: Target, push: Push, listing: Listing, inspector: Inspects
) -> dict[bytes, str | None]:
    """Make the changes at the target, whose refs are `listing`: why each was refused, None where it was not.

    A change whose new id the source no longer lists, because a ref vanished meanwhile, is left out and has no result.
    What `inspector` raises breaks the push off before anything is applied. Raises RelayRefusedError where the target
    does not take the pack, and UnreachableError where an end broke off.
    """
    known = frozenset(listing.refs.values())
    if any(change.new is not None and change.new not in known for change in push.changes):
        session.ready()
    listed = frozenset(session.listing.refs.values())
    changes = [change for change in push.changes if change.new is None or change.new in known or change.new in listed]
    if not changes:
        return {}
    # In the order of the changes, and each once.
    wants = dict.fromkeys(change.new for change in changes if change.new is not None and change.new not in known)
    if not wants:
        return target.push(changes, _inspected([_EMPTY_PACK], inspector))
    # CodeCommit reads no offset deltas: https://github.com/src-d/go-git/issues/945
    capabilities = {b"ofs-delta"} & listing.capabilities
    if b"no-thin" not in listing.capabilities:
        capabilities |= {b"thin-pack"}
    pack = session.fetch(wants.keys(), _haves(changes, listing, listed), capabilities)
    return target.push(changes, _inspected(pack, inspector))


def _haves(changes: Iterable[Change], target: Listing, listed: Collection[bytes]) -> list[bytes]:
    """All ids of the target, and first those that tell most about the changes: what was there before, and the branches.

    Of these, the ones that the source lists come first, because upload-pack is not satisfied before it knows some.
    """
    likely = [change.old for change in changes if change.old is not None]
    likely += [value for name, value in target.refs.items() if name.startswith(b"refs/heads/")]
    likely.sort(key=lambda value: value not in listed)
    return list(dict.fromkeys(itertools.chain(likely, target.refs.values())))


def _inspected(pack: Iterable[bytes], inspector: Inspects) -> Iterator[bytes]:
    """The pack, whose checksum follows only when the inspector has seen all of it: without it, nothing is applied."""
    held = b""
    size = 0
    for chunk in pack:
        inspector.feed(chunk)
        size += len(chunk)
        if size > _LARGEST_PACK:
            raise RelayRefusedError("what the target lacks is over 2 GB, more than it takes in one push")
        held += chunk
        if len(held) > _TRAILER:
            yield held[:-_TRAILER]
            held = held[-_TRAILER:]
    inspector.finish()
    yield held
