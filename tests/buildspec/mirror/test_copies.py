"""The copy strategy between two real repositories, in each cache mode."""

from pathlib import Path

import pytest

from tests.buildspec.mirror.git_ends import mirror_in

MODES = ("none", "s3", "efs")


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
    assert set(mirror.build().values()) == {None}
    source.commit("refs/heads/main", {"a": b"3"}, [])
    source.delete("refs/heads/feature/a")
    assert set(mirror.build().values()) == {None}
