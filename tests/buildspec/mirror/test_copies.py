"""The copy strategy between two real repositories, in each cache mode."""

import os
import random
from pathlib import Path

import pytest

from buildspec.mirror import copies
from buildspec.mirror.failures import UnreachableError
from tests.buildspec.mirror.git_ends import Mirror, git, mirror_in

pytestmark = pytest.mark.tool("git")

MODES = ("none", "s3", "efs")
ANEW = "starting a new copy"
TOO_FEW = "the newest commits are not enough"


def _past(mirror: Mirror, commit: str) -> bytes:
    return git(mirror.source.path, "rev-parse", commit)


@pytest.mark.parametrize("mode", MODES)
def test_mirrors_new_moved_rewritten_and_deleted_refs(tmp_path: Path, mode: str) -> None:
    mirror = mirror_in(tmp_path, mode)
    source = mirror.source
    first = source.commit("refs/heads/main", {"a": b"1"})
    source.commit("refs/heads/old", {"b": b"1"}, [first])
    assert set(mirror.build().values()) == {None}
    source.commit("refs/heads/main", {"a": b"2"})
    source.commit("refs/heads/old", {"b": b"2"}, [first])
    source.commit("refs/heads/feature/a", {"c": b"2"}, [first])
    source.commit("refs/tags/v1", {"c": b"2"}, [first])
    git(source.path, "tag", "-a", "-m", "v2", "v2", "main")
    assert set(mirror.build().values()) == {None}
    source.commit("refs/heads/main", {"a": b"3"}, [])
    source.delete("refs/heads/feature/a")
    assert set(mirror.build().values()) == {None}


@pytest.mark.parametrize("mode", MODES)
def test_names_that_look_like_options_or_are_no_text_arrive(tmp_path: Path, mode: str) -> None:
    mirror = mirror_in(tmp_path, mode)
    first = mirror.source.commit("refs/heads/main", {"a": b"1"})
    mirror.build()
    names = (
        b"refs/heads/--no-verify",
        b"refs/heads/-x",
        b"refs/heads/\xff\xfe",
        b"refs/tags/@",
        b"refs/heads/a'b;$(c)",
    )
    given = b"".join(b"create %b %b\n" % (name, first) for name in names)
    git(mirror.source.path, "update-ref", "--stdin", given=given)
    for number in range(2):
        assert mirror.build().keys() == set(names)
        for name in names:
            mirror.source.commit(os.fsdecode(name), {"a": b"%d" % number}, [first])


@pytest.mark.parametrize("mode", MODES)
def test_a_branch_at_a_tag_object_is_left_to_the_target_and_keeps_nothing_else(tmp_path: Path, mode: str) -> None:
    mirror = mirror_in(tmp_path, mode)
    source = mirror.source
    source.commit("refs/heads/main", {"a": b"1"})
    mirror.build()
    git(source.path, "tag", "-a", "-m", "v1", "v1", "main")
    (source.path / "refs/heads/at_a_tag").write_bytes(source.refs()[b"refs/tags/v1"] + b"\n")
    for number in range(2):
        mirror.said.clear()
        source.commit("refs/heads/main", {"a": b"more %d" % number})
        with mirror.copy() as copy:
            results = copy.deliver(mirror.bring(copy), mirror.target)
        assert [ref for ref, reason in results.items() if reason] == [b"refs/heads/at_a_tag"]
        assert mirror.target.repository.refs().keys() == source.refs().keys() - {b"refs/heads/at_a_tag"}
        assert not any(line.startswith("failed") or line == ANEW for line in mirror.said)


def test_without_a_cache_only_what_the_changed_refs_need_is_borrowed(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    source = mirror.source
    source.history("refs/heads/main", 5)
    source.commit("refs/heads/other", {"large": os.urandom(1 << 20)})
    source.commit("refs/tags/large", {"large": os.urandom(1 << 20)})
    mirror.build()
    source.commit("refs/heads/main", {"a": b"more"})
    source.commit("refs/heads/new", {"a": b"new"}, [_past(mirror, "main~2")])
    mirror.build()
    assert mirror.bytes_in < 5000
    assert ANEW not in mirror.said


def test_without_a_cache_no_more_than_the_newest_commits_are_moved(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    source = mirror.source
    source.commit("refs/heads/main", {"large": os.urandom(2 << 20)})
    source.commit("refs/heads/main", {"large": b"small again"})
    source.history("refs/heads/main", 110)
    mirror.build()
    source.commit("refs/heads/main", {"a": b"amended"}, [_past(mirror, "main~1")])
    source.commit("refs/heads/new", {"a": b"new"}, [_past(mirror, "main~70")])
    mirror.build()
    assert mirror.bytes_in < 50_000
    assert max(len(pack) for pack in mirror.target.packs[1:]) < 2000
    assert ANEW not in mirror.said


def test_without_a_cache_a_branch_of_a_branch_that_is_not_the_default_needs_no_whole_copy(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    source = mirror.source
    source.history("refs/heads/main", 5)
    source.history("refs/heads/develop", 150)
    mirror.build()
    source.commit("refs/heads/new", {"a": b"new"}, [_past(mirror, "develop~2")])
    mirror.build()
    assert ANEW not in mirror.said


def test_without_a_cache_a_branch_from_an_old_commit_arrives_and_the_target_sends_most(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    source = mirror.source
    source.history("refs/heads/main", 300)
    source.commit("refs/heads/other", {"large": os.urandom(1 << 20)}, [])
    source.commit("refs/heads/other", {"large": b"small again"})
    source.history("refs/heads/other", 110)
    mirror.build()
    source.commit("refs/heads/new", {"a": b"new"}, [_past(mirror, "main~200")])
    mirror.build()
    assert TOO_FEW in mirror.said
    assert ANEW in mirror.said
    (borrowed,) = [line for line in mirror.said if line.startswith("borrowed 2 refs from the target")]
    assert int(borrowed.split()[-4]) > 1 << 20
    (fetched,) = [line for line in mirror.said if line.startswith("fetched what is new from the source")]
    assert int(fetched.split()[-4]) < 50_000
    assert len(mirror.target.packs[-1]) < 2000


def test_a_target_that_takes_nothing_from_shallow_repositories_takes_what_a_shallow_copy_pushes(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    source = mirror.source
    source.history("refs/heads/main", 150)
    mirror.build()
    side = source.commit("refs/heads/side", {"b": b"side"}, [_past(mirror, "main~60")])
    source.commit("refs/heads/main", {"a": b"merged"}, [_past(mirror, "main"), side])
    mirror.said.clear()
    with mirror.copy() as copy:
        push = mirror.bring(copy)
        (shallow,) = mirror.folder.glob("work-*/copy-*.git/shallow")
        assert shallow.read_bytes()
        assert set(copy.deliver(push, mirror.target).values()) == {None}
    mirror.assert_equal()
    assert ANEW not in mirror.said


@pytest.mark.parametrize("mode", MODES)
def test_whatever_happens_to_a_history_the_target_is_whole_and_equal(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So short that histories of a few commits go past every limit.
    monkeypatch.setattr(copies, "_BORROWED_DEPTH", 4)
    monkeypatch.setattr(copies, "_NEW_DEPTH", 2)
    monkeypatch.setattr(copies, "_MOST_PACKS", 3)
    chance = random.Random(mode)
    mirror = mirror_in(tmp_path, mode)
    source = mirror.source
    source.history("refs/heads/main", 8)
    mirror.build()
    ways = set()
    for _ in range(8):
        for _ in range(chance.randint(1, 4)):
            _happen(mirror, chance)
        if mirror.changes():
            assert set(mirror.build().values()) <= {None}
            ways |= {ANEW in mirror.said, TOO_FEW in mirror.said}
    assert ways == ({True, False} if mode == "none" else {False})


def _happen(mirror: Mirror, chance: random.Random) -> None:
    source = mirror.source
    refs = source.refs()
    branches = sorted(name for name in refs if name.startswith(b"refs/heads/"))
    commits = git(source.path, "rev-list", "--all").splitlines()
    branch = chance.choice(branches).decode()
    files = {chance.choice("abcd"): os.urandom(30)}
    what = chance.randrange(7)
    if what <= 1:
        source.commit(branch, files)
    elif what == 2:
        source.commit(branch, files, [refs[branch.encode()], chance.choice(commits)])
    elif what == 3:
        source.commit(f"refs/heads/new-{chance.randrange(9)}", files, [chance.choice(commits)])
    elif what == 4:
        git(source.path, "update-ref", branch, chance.choice(commits).decode())
    elif what == 5 and branch != "refs/heads/main":
        source.delete(branch)
    else:
        git(source.path, "tag", "-f", "-a", "-m", "x", f"v{chance.randrange(5)}", chance.choice(commits).decode())


@pytest.mark.parametrize("mode", ["none", "efs"])
def test_passes_of_one_build_share_the_copy(tmp_path: Path, mode: str) -> None:
    mirror = mirror_in(tmp_path, mode)
    mirror.source.history("refs/heads/main", 3)
    mirror.build()
    with mirror.copy() as copy:
        for number in range(3):
            mirror.source.commit("refs/heads/main", {"a": b"%d" % number})
            mirror.source.commit(f"refs/heads/branch-{number}", {"a": b"%d" % number})
            assert set(copy.deliver(mirror.bring(copy), mirror.target).values()) == {None}
            assert len(list(mirror.folder.glob("work-*/copy-*.git"))) <= 2
    mirror.assert_equal()


def test_an_end_that_is_gone_is_unreachable(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    mirror.source.commit("refs/heads/main", {"a": b"1"})
    with mirror.copy() as copy:
        listing, changes = mirror.target.list(), mirror.changes()
        mirror.source.path.rename(tmp_path / "gone")
        with pytest.raises(UnreachableError, match="does not appear to be a git repository"):
            copy.bring(listing, listing, changes)
