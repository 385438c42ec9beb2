"""What a copy says about history."""

import time
import tracemalloc
from pathlib import Path

import pytest

from buildspec.mirror import looks
from buildspec.mirror.failures import NotLookedAtError, UnreachableError
from buildspec.mirror.git import Git
from tests.buildspec.mirror.git_ends import Mirror, git, mirror_in

pytestmark = pytest.mark.tool("git")

LFS = b"*.psd filter=lfs diff=lfs merge=lfs -text\n"


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """One commit is mirrored."""
    mirror = mirror_in(tmp_path)
    mirror.source.commit("refs/heads/main", {"a": b"1"})
    mirror.build()
    return mirror


def _lfs_in_what_is_new(mirror: Mirror) -> bytes | None:
    old = mirror.target.list().refs.values()
    with mirror.copy() as copy:
        push = mirror.bring(copy)
        return copy.uses_lfs([change.new for change in push.changes if change.new], old)


@pytest.mark.parametrize("path", [".gitattributes", "deep/er/.gitattributes", "ä b/.gitattributes"])
def test_finds_lfs_in_attributes_at_any_depth(mirror: Mirror, path: str) -> None:
    mirror.source.commit("refs/heads/main", {path: LFS})
    assert _lfs_in_what_is_new(mirror) == path.encode()


def test_finds_lfs_in_the_middle_of_a_new_history(mirror: Mirror) -> None:
    mirror.source.commit("refs/heads/main", {".gitattributes": LFS})
    mirror.source.commit("refs/heads/main", {".gitattributes": b""})
    assert _lfs_in_what_is_new(mirror) == b".gitattributes"


def test_finds_lfs_on_a_side_branch_that_a_merge_drops(mirror: Mirror) -> None:
    main = mirror.source.refs()[b"refs/heads/main"]
    side = mirror.source.commit("refs/heads/side", {".gitattributes": LFS}, [main])
    mirror.source.commit("refs/heads/main", {"b": b"2"}, [main, side])
    mirror.source.delete("refs/heads/side")
    assert _lfs_in_what_is_new(mirror) == b".gitattributes"


def test_finds_lfs_that_only_a_merge_adds(mirror: Mirror) -> None:
    main = mirror.source.refs()[b"refs/heads/main"]
    side = mirror.source.commit("refs/heads/side", {"c": b"2"}, [main])
    mirror.source.commit("refs/heads/main", {".gitattributes": LFS}, [main, side])
    assert _lfs_in_what_is_new(mirror) == b".gitattributes"


def test_finds_lfs_in_a_file_that_becomes_the_attributes(mirror: Mirror) -> None:
    mirror.source.commit("refs/heads/main", {"template": LFS})
    mirror.build()
    mirror.source.commit("refs/heads/main", {".gitattributes": LFS})
    assert _lfs_in_what_is_new(mirror) == b".gitattributes"


def test_finds_lfs_behind_a_tag_of_a_tree(mirror: Mirror) -> None:
    commit = mirror.source.commit("refs/heads/side", {"d/.gitattributes": LFS})
    git(mirror.source.path, "tag", "tree", f"{commit.decode()}^{{tree}}")
    mirror.source.delete("refs/heads/side")
    assert _lfs_in_what_is_new(mirror) == b"d/.gitattributes"


def _tree(mirror: Mirror, *entries: tuple[str, bytes, str]) -> bytes:
    lines = (f"{mode} {'tree' if mode == '040000' else 'blob'} {oid.decode()}\t{name}\n" for mode, oid, name in entries)
    return git(mirror.source.path, "mktree", given="".join(lines).encode())


def _blob(mirror: Mirror, content: bytes) -> bytes:
    return git(mirror.source.path, "hash-object", "-w", "--stdin", given=content)


@pytest.mark.parametrize("as_tag", [False, True])
def test_reads_each_tree_once_however_often_the_history_has_it(mirror: Mirror, as_tag: bool) -> None:
    """Ten equal folders in each of ten equal folders, ten times: 10,000,000,000 paths."""
    tree = _tree(mirror, ("100644", _blob(mirror, b"x"), "x"))
    for _ in range(10):
        tree = _tree(mirror, *(("040000", tree, f"d{number}") for number in range(10)))
    attributes = _blob(mirror, b"# no LFS\n")
    tree = _tree(mirror, ("100644", attributes, ".gitattributes"), ("040000", tree, "z"))
    commit = git(mirror.source.path, "commit-tree", tree.decode(), "-m", "x")
    started = time.monotonic()
    if as_tag:
        found = looks.uses_lfs(Git(mirror.source.path), [tree], [])
    else:
        found = looks.uses_lfs(Git(mirror.source.path), [commit], [])
    assert found is None
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("limits", [looks.LookLimits(seconds=0), looks.LookLimits(most_bytes=100)])
def test_what_is_too_much_to_read_was_not_looked_at(mirror: Mirror, limits: looks.LookLimits) -> None:
    new = mirror.source.refs()[b"refs/heads/main"]
    with pytest.raises(NotLookedAtError):
        looks.uses_lfs(Git(mirror.source.path), [new], [], limits)


def test_reads_many_large_folders_in_parts(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.source.commit("refs/heads/main", {**{f"{number}/a": b"1" for number in range(9)}, "8/.gitattributes": LFS})
    monkeypatch.setattr(looks, "_MOST_AT_ONCE", 600)
    assert _lfs_in_what_is_new(mirror) == b"8/.gitattributes"
    monkeypatch.setattr(looks, "_MOST_AT_ONCE", 60)
    with pytest.raises(NotLookedAtError, match="a folder has too many entries"):
        _lfs_in_what_is_new(mirror)


def test_ignores_attributes_that_are_too_large_for_git(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.source.commit("refs/heads/main", {".gitattributes": LFS})
    monkeypatch.setattr(looks, "_LARGEST_ATTRIBUTES", len(LFS) + 1)
    assert _lfs_in_what_is_new(mirror) == b".gitattributes"
    monkeypatch.setattr(looks, "_LARGEST_ATTRIBUTES", len(LFS))
    assert _lfs_in_what_is_new(mirror) is None


def test_reads_large_attributes_in_little_memory(mirror: Mirror) -> None:
    mirror.source.commit("refs/heads/main", {".gitattributes": b"# x\n" * (4 << 20) + LFS})
    new = mirror.source.refs()[b"refs/heads/main"]
    tracemalloc.start()
    try:
        assert looks.uses_lfs(Git(mirror.source.path), [new], []) == b".gitattributes"
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_finds_no_lfs_in_comments_and_other_files(mirror: Mirror) -> None:
    files = {".gitattributes": b"# " + LFS, "x.gitattributes": LFS, ".gitattributes.d/README": LFS}
    mirror.source.commit("refs/heads/main", files)
    assert _lfs_in_what_is_new(mirror) is None


def test_finds_no_lfs_in_what_the_target_has(mirror: Mirror) -> None:
    mirror.source.commit("refs/heads/main", {".gitattributes": LFS})
    mirror.build()
    mirror.source.commit("refs/heads/main", {"b": b"2"})
    mirror.source.commit("refs/heads/again", {"c": b"2"}, [mirror.source.refs()[b"refs/heads/main"]])
    assert _lfs_in_what_is_new(mirror) is None


@pytest.mark.parametrize("mode", ["none", "efs"])
def test_knows_whether_a_commit_contains_another(tmp_path: Path, mode: str) -> None:
    mirror = mirror_in(tmp_path, mode)
    mirror.source.history("refs/heads/main", 300)
    old = mirror.source.refs()[b"refs/heads/main"]
    mirror.build()
    far = git(mirror.source.path, "rev-parse", "main~250")
    mirror.source.history("refs/heads/main", 3)
    new = mirror.source.refs()[b"refs/heads/main"]
    with mirror.copy() as copy:
        mirror.bring(copy)
        assert copy.contains(new, old)
        assert copy.contains(new, new)
        assert copy.contains(new, far)  # which was not borrowed
        assert not copy.contains(old, new)
        assert not copy.contains(new, b"1" * 40)


def test_a_look_at_a_commit_that_the_source_no_longer_has_is_no_answer(mirror: Mirror) -> None:
    mirror.source.commit("refs/heads/main", {"b": b"2"})
    with mirror.copy() as copy:
        mirror.bring(copy)
        with pytest.raises(UnreachableError, match="no longer has what it listed"):
            copy.uses_lfs([b"1" * 40], [])
        with pytest.raises(UnreachableError, match="no longer has what it listed"):
            copy.contains(b"1" * 40, mirror.source.refs()[b"refs/heads/main"])
