"""Packs of a real source reach a real target as they are."""

import hashlib
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from buildspec.mirror.failures import LookNeededError, RelayRefusedError, StoppedError
from buildspec.mirror.model import Change, Listing, Push
from buildspec.mirror.relay import relay
from buildspec.mirror.target import Target
from tests.buildspec.mirror.ends import Ends, Passing, add, changes, commits, empty, git, refs

pytestmark = pytest.mark.tool("git")

LINES = b"".join(b"line %d is not like the others\n" % number for number in range(2000))


def history(ends: Ends) -> None:
    """Both ends have the same three commits."""
    add(ends.source, commits("refs/heads/main", [("a", LINES), ("b", b"b"), ("c", b"c")]))
    assert set(ends.mirror().values()) == {None}


def test_mirrors_into_an_empty_target(ends: Ends) -> None:
    add(
        ends.source,
        commits("refs/heads/main", [("a", b"1"), ("a", b"2")]),
        commits("refs/heads/other", [("b", b"1")], "refs/heads/main^"),
        commits("refs/notes/kept", [("n", b"no head and no tag")]),
    )
    git(ends.source, "tag", "v1", "main")
    git(ends.source, "tag", "-a", "-m", "text", "v2", "main")
    assert ends.mirror() == dict.fromkeys(refs(ends.source))
    assert ends.whole()
    assert b"refs/notes" not in git(ends.target, "for-each-ref")


def test_sends_only_the_difference_of_a_changed_line(ends: Ends) -> None:
    history(ends)
    add(ends.source, commits("refs/heads/main", [("a", LINES.replace(b"line 7 ", b"line seven "))], "refs/heads/main"))
    seen = Passing()
    assert ends.mirror(seen) == {b"refs/heads/main": None}
    assert ends.whole()
    assert len(seen.pack) < 500
    assert seen.finished


def test_moves_branches_and_tags_to_unrelated_and_to_old_commits(ends: Ends) -> None:
    history(ends)
    git(ends.source, "tag", "-a", "-m", "first", "v1", "main")
    git(ends.source, "branch", "gone", "main")
    assert set(ends.mirror().values()) == {None}
    add(
        ends.source,
        commits("refs/heads/main", [("z", b"forced")], "refs/heads/main~2"),
        commits("refs/heads/old", [("y", b"old")], "refs/heads/gone~1"),
    )
    git(ends.source, "tag", "-f", "-a", "-m", "second", "v1", "main")
    git(ends.source, "update-ref", "-d", "refs/heads/gone")
    seen = Passing()
    assert set(ends.mirror(seen)) == {b"refs/heads/main", b"refs/heads/old", b"refs/heads/gone", b"refs/tags/v1"}
    assert ends.whole()
    assert len(seen.pack) < 1000


def test_asks_nothing_of_the_source_for_commits_that_the_target_has(ends: Ends) -> None:
    history(ends)
    git(ends.source, "branch", "same", "main")
    ends.ssh.with_suffix(".arguments").unlink()
    seen = Passing()
    assert ends.mirror(seen) == {b"refs/heads/same": None}
    assert ends.whole()
    header = b"PACK" + (2).to_bytes(4, "big") + (0).to_bytes(4, "big")
    assert seen.pack == header + hashlib.sha1(header, usedforsecurity=False).digest()
    assert seen.finished


def test_deletes_without_a_pack(ends: Ends) -> None:
    history(ends)
    git(ends.source, "branch", "a", "main")
    ends.mirror()
    git(ends.source, "update-ref", "-d", "refs/heads/a")
    seen = Passing()
    assert ends.mirror(seen) == {b"refs/heads/a": None}
    assert ends.whole()
    assert not seen.pack


def test_takes_no_branch_from_an_empty_source(ends: Ends) -> None:
    with ends.connect_source().open() as session:
        assert session.listing.refs == {}
    assert ends.mirror() == {}


def test_mirrors_a_default_branch_whose_name_looks_like_an_option(ends: Ends) -> None:
    add(ends.source, commits("refs/heads/--no-verify", [("a", b"1")]))
    git(ends.source, "symbolic-ref", "HEAD", "refs/heads/--no-verify")
    with ends.connect_source().open() as session:
        assert session.listing.default == b"refs/heads/--no-verify"
    assert ends.mirror() == {b"refs/heads/--no-verify": None}
    assert ends.whole()


def test_a_refused_ref_keeps_no_other_from_arriving(ends: Ends) -> None:
    history(ends)
    hooks = ends.target / "hooks"
    hooks.mkdir()
    (hooks / "update").write_text('#!/bin/sh\n[ "$1" != refs/heads/no ]\n')
    (hooks / "update").chmod(0o755)
    git(ends.source, "branch", "gone", "main")
    ends.mirror()
    git(ends.source, "update-ref", "-d", "refs/heads/gone")
    add(ends.source, *(commits(f"refs/heads/{name}", [(name, b"1")], "refs/heads/main") for name in ("no", "yes")))
    assert ends.mirror() == {
        b"refs/heads/no": "hook declined",
        b"refs/heads/yes": None,
        b"refs/heads/gone": None,
    }
    assert b"refs/heads/gone" not in refs(ends.target)


def test_a_branch_at_a_tag_object_is_refused_alone(ends: Ends) -> None:
    history(ends)
    git(ends.source, "tag", "-a", "-m", "text", "v1", "main")
    tag = git(ends.source, "rev-parse", "refs/tags/v1").strip()
    (ends.source / "refs/heads/odd").write_bytes(tag + b"\n")  # git update-ref refuses it here, too
    results = ends.mirror()
    assert results.pop(b"refs/heads/odd")
    assert results == {b"refs/tags/v1": None}


def test_sends_whole_packs_to_a_target_that_takes_no_thin_ones(ends: Ends, tmp_path: Path) -> None:
    history(ends)
    ends.server.offered |= {b"no-thin"}
    add(ends.source, commits("refs/heads/main", [("a", LINES + b"more\n")], "refs/heads/main"))
    seen = Passing()
    ends.mirror(seen)
    assert ends.whole()
    git(empty(tmp_path / "other"), "index-pack", "--stdin", input=seen.pack)


@pytest.mark.parametrize("offers", [True, False])
def test_asks_for_offset_deltas_only_where_the_target_reads_them(ends: Ends, tmp_path: Path, offers: bool) -> None:
    if offers:
        ends.server.offered |= {b"ofs-delta"}
    add(ends.source, commits("refs/heads/main", [("a", LINES + b"%d" % number) for number in range(3)]))
    git(ends.source, "gc", "--quiet")
    seen = Passing()
    ends.mirror(seen)
    assert ends.whole()
    pack = tmp_path / "seen.pack"
    pack.write_bytes(seen.pack)
    assert (6 in kinds(seen.pack, tmp_path)) == offers


def kinds(pack: bytes, folder: Path) -> set[int]:
    """The kinds of a pack's entries. https://git-scm.com/docs/gitformat-pack"""
    (folder / "seen.pack").write_bytes(pack)
    git(folder, "index-pack", "seen.pack")
    entries = subprocess.run(
        ["git", "show-index"], stdin=(folder / "seen.idx").open("rb"), capture_output=True, check=True
    ).stdout
    return {pack[int(line.split()[0])] >> 4 & 7 for line in entries.splitlines()}


def test_says_that_the_target_refuses_a_pack_whose_bases_it_lacks(ends: Ends) -> None:
    history(ends)
    add(ends.source, commits("refs/heads/main", [("a", LINES + b"more\n")], "refs/heads/main"))
    target = ends.connect_target()
    true = target.list()
    lost = empty(ends.target.with_name("lost"))
    ends.target.rename(ends.target.with_name("kept"))
    lost.rename(ends.target)
    git(ends.target, "config", "core.logAllRefUpdates", "false")
    with ends.connect_source().open() as session:
        push = Push(tuple(Change(change.ref, None, change.new) for change in changes(session.listing.refs, true.refs)))
        with pytest.raises(RelayRefusedError, match="the target refuses the pack: unpack"):
            relay(session, target, push, true, Passing())
    assert refs(ends.target) == {}


@pytest.mark.parametrize("failure", [LookNeededError, StoppedError])
@pytest.mark.parametrize("size", [1, 1_200_000])
def test_applies_nothing_that_the_inspector_objects_to(ends: Ends, failure: type[Exception], size: int) -> None:
    history(ends)
    before = refs(ends.target)
    noise = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(size // 32 + 1))
    add(ends.source, commits("refs/heads/main", [("big", noise)], "refs/heads/main"))

    class Objecting(Passing):
        def finish(self) -> None:
            raise failure("as is known at the end")

    with pytest.raises(failure, match="as is known at the end"):
        ends.mirror(Objecting())
    sent = ["GET", "POST", "GET"] + ["POST"] * (size > 1)  # what fits into one message was not even begun
    ends.server.settle(len(sent))
    assert ends.server.requests == sent
    assert refs(ends.target) == before


def test_keeps_the_checksum_back_until_the_inspector_has_seen_everything(ends: Ends) -> None:
    add(ends.source, commits("refs/heads/main", [("a", LINES)]))
    sent = bytearray()

    class Recording(Target):
        def push(self, changes: Sequence[Change], pack: Iterable[bytes]) -> dict[bytes, str | None]:
            for chunk in pack:
                sent.extend(chunk)
            return dict.fromkeys(change.ref for change in changes)

    class Objecting(Passing):
        def finish(self) -> None:
            raise LookNeededError

    target = Recording("x", "website", lambda: ("", ""), connect=ends.server.connect)
    objecting, passing = Objecting(), Passing()
    with ends.connect_source().open() as session:
        push = Push(tuple(changes(session.listing.refs, {})))
        with pytest.raises(LookNeededError):
            relay(session, target, push, Listing({}), objecting)
        assert sent == objecting.pack[:-20] != b""
        sent.clear()
        relay(session, target, push, Listing({}), passing)
        assert sent == passing.pack


def test_leaves_out_what_vanished_from_the_source_meanwhile(ends: Ends) -> None:
    history(ends)
    add(
        ends.source,
        *(commits(f"refs/heads/{name}", [(name, b"1")], "refs/heads/main") for name in ("first", "second", "third")),
    )
    target = ends.connect_target()
    listing = target.list()
    with ends.connect_source().open() as session:
        first, second, third = changes(session.listing.refs, listing.refs)
        assert relay(session, target, Push((first,)), listing, Passing()) == {first.ref: None}
        git(ends.source, "update-ref", "-d", second.ref.decode())
        git(ends.source, "reflog", "expire", "--expire=now", "--all")
        git(ends.source, "prune", "--expire=now")
        push = Push((second, third))
        assert relay(session, target, push, target.list(), Passing()) == {third.ref: None}
    assert ends.whole()


def test_ssh_gets_only_this_key_and_no_credentials(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/secret")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/secret")
    monkeypatch.setenv("GIT_PROTOCOL", "version=2")
    history(ends)
    given = {line.partition("=")[0] for line in ends.ssh.with_suffix(".environment").read_text().splitlines()}
    assert given <= {"PATH", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"}  # the last four are the shell's
    folder = ends.source.parent
    arguments = ends.ssh.with_suffix(".arguments").read_text().splitlines()
    assert arguments[:7] == ["-F", "/dev/null", "-T", "-i", f"{folder}/key", "-l", "example"]
    assert {
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={folder}/known_hosts",
        "GlobalKnownHostsFile=/dev/null",
    } <= set(arguments)
    quoted = re.escape(str(ends.source)).replace("'", r"'\\''")
    assert arguments[-3:-1] == ["--", "example.git.backlog.jp"]
    assert re.fullmatch(f"git-upload-pack '{quoted}'", arguments[-1])
