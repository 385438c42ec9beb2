"""What both ends of a mirror have, and what is to change at the target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union

HEADS = b"refs/heads/"
TAGS = b"refs/tags/"


@dataclass(frozen=True)
class Listing:
    """The heads and tags of one end: names and ids as Git writes them, ids as 40 hexadecimal digits.

    `default` is the ref that HEAD names, as `refs/heads/main`, where this end says so. `capabilities` are those that
    the server advertised with the refs.
    """

    refs: dict[bytes, bytes]
    default: bytes | None = None
    capabilities: frozenset[bytes] = frozenset()


def mirrored(listing: Listing) -> dict[bytes, bytes]:
    """The refs of an end that are mirrored: heads and tags."""
    if all(ref.startswith((HEADS, TAGS)) for ref in listing.refs):
        return listing.refs  # no second dictionary of 100,000
    return {ref: commit for ref, commit in listing.refs.items() if ref.startswith((HEADS, TAGS))}


@dataclass(frozen=True)
class Change:
    """A ref of the target: `old` is None to create it, `new` is None to delete it."""

    __slots__ = ("new", "old", "ref")  # there may be 100,000

    ref: bytes
    old: bytes | None
    new: bytes | None


@dataclass(frozen=True)
class Push:
    """Changes for one request, at most as many as the target takes.

    `unproved` are moved branches of which somebody has to see that the new commit contains the old one.
    """

    changes: tuple[Change, ...]
    unproved: frozenset[Change] = frozenset()


@dataclass(frozen=True)
class SetDefault:
    """Make `ref`, as `refs/heads/main`, the target's default branch."""

    ref: bytes


Action = Union[Push, SetDefault]


@dataclass(frozen=True)
class Limits:
    """What the passes of a build may do together without being asked.

    A pass stops with which they would delete 10 branches or more, more than `max_lost_percent` of the target's and more
    than `allow_deletions`; likewise one with which they would move 10 branches or more, more than
    `max_rewritten_percent` and more than `allow_rewrites`, to commits that do not contain their old ones. The same
    holds for tags, apart; each moved tag counts.
    """

    max_lost_percent: int
    max_rewritten_percent: int
    allow_deletions: int = 0
    allow_rewrites: int = 0
    changes_per_push: int = 4000


@dataclass
class Report:
    """What became of a mirror: refs that the target refused, with its reasons, and bytes of the packs that moved."""

    refused: dict[bytes, str] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0
