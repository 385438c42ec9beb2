"""Pushes from a copy to a target that refuses large ones, as CodeCommit does."""

import os
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from buildspec.mirror.failures import RelayRefusedError
from buildspec.mirror.model import Change, Push
from tests.buildspec.mirror.git_ends import Mirror, git, mirror_in

pytestmark = pytest.mark.tool("git")

MB = 1_000_000


def _limited(folder: Path) -> Mirror:
    """A target that takes pushes of 1 MB, and a mirror that knows."""
    mirror = mirror_in(folder, bytes_per_push=MB)
    mirror.target.settings += (f"receive.maxInputSize={MB}",)
    return mirror


def _entries(pack: bytes) -> Iterator[int]:
    """The types of a pack's entries. https://git-scm.com/docs/pack-format"""
    place = 12
    for _ in range(int.from_bytes(pack[8:12], "big")):
        kind = pack[place] >> 4 & 7
        while pack[place] & 0x80:
            place += 1
        place += 1
        if kind == 6:
            while pack[place] & 0x80:
                place += 1
            place += 1
        if kind == 7:
            place += 20
        stream = zlib.decompressobj()
        stream.decompress(pack[place:])
        place = len(pack) - len(stream.unused_data)
        yield kind
    assert place == len(pack) - 20


def test_a_first_mirror_that_is_too_large_goes_in_steps_along_its_branch(tmp_path: Path) -> None:
    mirror = _limited(tmp_path)
    mirror.source.history("refs/heads/main", 50, size=90_000)
    assert mirror.build() == {b"refs/heads/main": None}
    packs = mirror.target.packs
    assert all(len(pack) < MB for pack in packs)
    assert len(packs) <= 12
    olds = [changes[0].old for changes in mirror.target.pushed]
    news = [changes[0].new for changes in mirror.target.pushed]
    assert olds == [None, *news[:-1]]
    for old, new in pairwise(news):
        assert old
        assert new
        git(mirror.source.path, "merge-base", "--is-ancestor", old.decode(), new.decode())


def test_many_branches_and_tags_that_are_too_large_together_go_in_a_few_pushes(tmp_path: Path) -> None:
    mirror = _limited(tmp_path)
    for number in range(12):
        mirror.source.commit(f"refs/heads/branch-{number}", {"a": os.urandom(200_000)}, [])
        git(mirror.source.path, "tag", "-a", "-m", "x", f"v{number}", f"branch-{number}")
    assert set(mirror.build().values()) == {None}
    assert all(len(pack) < MB for pack in mirror.target.packs)
    assert len(mirror.target.pushed) <= 12


def test_branches_that_were_merged_go_in_steps(tmp_path: Path) -> None:
    mirror = _limited(tmp_path)
    mirror.source.history("refs/heads/main", 20, size=90_000)
    mirror.source.history("refs/heads/side", 20, size=90_000)
    refs = mirror.source.refs()
    mirror.source.commit("refs/heads/main", {"m": b"1"}, [refs[b"refs/heads/main"], refs[b"refs/heads/side"]])
    mirror.source.delete("refs/heads/side")
    assert mirror.build() == {b"refs/heads/main": None}
    assert all(len(pack) < MB for pack in mirror.target.packs)
    assert len(mirror.target.pushed) <= 14


def test_a_commit_that_is_too_large_alone_is_refused_and_everything_else_arrives(tmp_path: Path) -> None:
    mirror = _limited(tmp_path)
    mirror.source.commit("refs/heads/good", {"a": b"1"})
    large = mirror.source.commit("refs/heads/large", {"a": os.urandom(MB + 1)})
    mirror.source.commit("refs/heads/other", {"a": os.urandom(600_000)})
    with mirror.copy() as copy:
        results = copy.deliver(mirror.bring(copy), mirror.target)
    reason = results.pop(b"refs/heads/large")
    assert reason == f"commit {large.decode()} alone has more than the {MB} bytes that a push may have"
    assert results == {b"refs/heads/good": None, b"refs/heads/other": None}
    assert mirror.target.repository.refs().keys() == {b"refs/heads/good", b"refs/heads/other"}
    assert mirror.target.repository.fsck() == b""


def test_a_step_that_the_target_refuses_is_the_answer_for_its_branch(tmp_path: Path) -> None:
    mirror = _limited(tmp_path)
    mirror.source.history("refs/heads/large", 20, size=90_000)
    mirror.source.commit("refs/heads/main", {"a": b"1"})
    hook = mirror.target.repository.path / "hooks" / "update"
    hook.parent.mkdir()
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/large ]\n')
    hook.chmod(0o755)
    with mirror.copy() as copy:
        results = copy.deliver(mirror.bring(copy), mirror.target)
    assert results == {b"refs/heads/large": "hook declined", b"refs/heads/main": None}
    assert len(mirror.target.pushed) <= 3


@pytest.mark.parametrize(("offered", "deltas"), [("true", {6, 7}), ("false", {7})])
def test_only_deltas_that_the_target_understands_are_sent(tmp_path: Path, offered: str, deltas: set[int]) -> None:
    mirror = mirror_in(tmp_path, "efs")
    mirror.target.settings = (f"repack.useDeltaBaseOffset={offered}",)
    content = os.urandom(20_000)
    mirror.source.commit("refs/heads/main", {"a": content})
    mirror.build()
    new = os.urandom(20_000)
    mirror.source.commit("refs/heads/main", {"a": content + b"more", "b": new, "c": new + b"more"})
    mirror.build()
    kinds = set(_entries(mirror.target.packs[-1]))
    assert kinds & {6, 7} == deltas
    assert len(mirror.target.packs[-1]) < 22_000


def test_a_target_that_takes_no_thin_packs_gets_whole_ones(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path, "efs")
    content = os.urandom(20_000)
    mirror.source.commit("refs/heads/main", {"a": content})
    mirror.build()
    mirror.source.commit("refs/heads/main", {"a": content + b"more"})
    with mirror.copy() as copy:
        listing = mirror.target.list()
        changes = mirror.changes()
        narrow = type(listing)(listing.refs, None, listing.capabilities | {b"no-thin"})
        copy.bring(listing, narrow, changes)
        copy.deliver(Push(changes), mirror.target)
    assert 7 not in set(_entries(mirror.target.packs[-1]))
    mirror.assert_equal()


def test_what_one_push_brought_is_not_sent_with_the_next(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    large = mirror.source.commit("refs/heads/main", {"a": os.urandom(20_000)})
    mirror.source.commit("refs/heads/second", {"b": b"1"}, [large])
    with mirror.copy() as copy:
        first, second = mirror.bring(copy).changes
        copy.deliver(Push((first,)), mirror.target)
        copy.deliver(Push((second,)), mirror.target)
    assert [len(pack) > 20_000 for pack in mirror.target.packs] == [True, False]
    mirror.assert_equal()


def test_deletions_alone_send_no_pack(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    mirror.source.commit("refs/heads/main", {"a": b"1"})
    mirror.source.commit("refs/heads/old", {"a": b"1"})
    mirror.build()
    mirror.source.delete("refs/heads/old")
    mirror.target.packs.clear()
    assert mirror.build() == {b"refs/heads/old": None}
    assert mirror.target.packs == []
    assert mirror.bytes_in == 0


def test_a_commit_that_the_source_no_longer_has_is_left_to_the_next_pass(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path, "efs")
    mirror.source.commit("refs/heads/main", {"a": b"1"})
    with mirror.copy() as copy:
        gone = Change(b"refs/heads/gone", None, b"1" * 40)
        there = mirror.changes()
        copy.bring(mirror.target.list(), mirror.target.list(), (*there, gone))
        assert copy.deliver(Push((*there, gone)), mirror.target) == {b"refs/heads/main": None}
    mirror.assert_equal()


def test_a_refused_pack_is_tried_again_from_a_whole_copy_and_then_given_up(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    mirror.source.history("refs/heads/main", 120)
    mirror.build()
    mirror.source.commit("refs/heads/main", {"a": b"1"})

    class Refusing:
        pushes = 0

        def push(self, changes: object, pack: object) -> dict[bytes, str | None]:
            del changes, pack
            self.pushes += 1
            raise RelayRefusedError("unpacker error")

    refusing = Refusing()
    with mirror.copy() as copy:
        push = mirror.bring(copy)
        mirror.said.clear()
        with pytest.raises(RelayRefusedError, match="unpacker error"):
            copy.deliver(push, refusing)
        assert mirror.said[0] == "starting a new copy"
    assert refusing.pushes == 2
