"""What a copy says about history."""

from pathlib import Path

import pytest

from buildspec.mirror.failures import UnreachableError
from tests.buildspec.mirror.git_ends import Mirror, git, mirror_in

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
