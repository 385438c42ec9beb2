"""Relays of many refs and of large packs."""

import sys
import tracemalloc

import pytest

from buildspec.mirror.failures import RelayRefusedError
from buildspec.mirror.model import Listing, Push
from buildspec.mirror.packets import FLUSH, packet
from buildspec.mirror.relay import relay
from tests.buildspec.mirror.ends import LISTING, Ends, Passing, add, changes, commits, git, pack_tags, refs
from tests.buildspec.mirror.test_relay import LINES, history

pytestmark = pytest.mark.tool("git")


@pytest.mark.slow
def test_mirrors_thousands_of_tags_in_batches(ends: Ends) -> None:
    history(ends)
    add(ends.source, commits("refs/heads/main", [("t", b"%d" % number) for number in range(50)], "refs/heads/main"))
    tagged = git(ends.source, "rev-list", "main").split()
    pack_tags(ends.source, {f"t{number}": tagged[number % 50] for number in range(12_000)})
    target = ends.connect_target()
    listing = target.list()
    with ends.connect_source().open(listing) as session:
        lacking = changes(session.listing.refs, listing.refs)
        assert len(lacking) == 12_001
        for start in range(0, len(lacking), 4000):
            push = Push(tuple(lacking[start : start + 4000]))
            assert set(relay(session, target, push, target.list(listing), Passing()).values()) == {None}
    assert ends.whole()


@pytest.mark.parametrize("start", ["refs/heads/main", "refs/tags/t0", "refs/tags/unrelated"])
def test_names_no_more_of_many_refs_than_the_source_has_to_know(ends: Ends, start: str) -> None:
    add(ends.source, commits("refs/heads/main", [("t", b"%d" % number) for number in range(300)]))
    add(ends.source, commits("refs/tags/unrelated", [("a", LINES)]))
    main = git(ends.source, "rev-list", "main").split()
    pack_tags(ends.source, {f"t{number}": main[number] for number in range(300)})
    assert set(ends.mirror().values()) == {None}
    add(ends.source, commits("refs/heads/new", [("a", LINES + b"more\n")], start))
    ends.ssh.write_text(ends.ssh.read_text().replace("exec sh", 'tee "$0.sent" | sh'))
    seen = Passing()
    assert ends.mirror(seen) == {b"refs/heads/new": None}
    assert ends.whole()
    sent = ends.ssh.with_suffix(".sent").read_bytes().count(b"have ")
    if start == "refs/tags/unrelated":  # no branch has anything in common with it
        assert sent == 301
        assert len(seen.pack) < 500
    else:
        assert sent == 256


@pytest.mark.slow
def test_holds_little_of_a_large_pack(ends: Ends) -> None:
    add(ends.source, commits("refs/heads/main", [("a", b"1")]))
    large = """
import sys
sys.stdout.buffer.write(b"0008NAK\\n")
for _ in range(1600):
    sys.stdout.buffer.write(b"fff0" + bytes([1]) + bytes(65515))
sys.stdout.buffer.write(b"0000")
"""
    ends.ssh.write_text(f"{LISTING}exec {sys.executable} -c '{large}'\n")
    ends.server.answers = b"".join(map(packet, (b"unpack ok\n", b"ok refs/heads/main\n"))) + FLUSH

    class Forgetting(Passing):
        def feed(self, chunk: bytes) -> None:
            self.size = getattr(self, "size", 0) + len(chunk)

    seen = Forgetting()
    tracemalloc.start()
    try:
        assert ends.mirror(seen) == {b"refs/heads/main": None}
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert seen.size == 1600 * 65515


def test_a_pack_over_the_largest_is_not_sent(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    add(ends.source, commits("refs/heads/main", [("a", bytes(range(256)) * 10)]))
    monkeypatch.setattr("buildspec.mirror.relay._LARGEST_PACK", 300)
    with pytest.raises(RelayRefusedError, match="over 2 GB"):
        ends.mirror()
    assert refs(ends.target) == {}


def test_second_listing_shares_its_names_and_ids_with_the_first(ends: Ends) -> None:
    history(ends)
    first = ends.connect_target().list()
    with ends.connect_source().open(first) as session:
        assert shared(first) == shared(session.listing)


def shared(listing: Listing) -> set[int]:
    return {id(text) for pair in listing.refs.items() for text in pair}
