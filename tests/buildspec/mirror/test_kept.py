"""The copy that is kept between builds: what it saves, how it is replaced, and that nothing in it is obeyed."""

import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from buildspec.mirror import copies
from buildspec.mirror.failures import StoppedError
from buildspec.mirror.git import Remote
from buildspec.mirror.kept import listed, lock
from tests.buildspec.mirror.git_ends import Mirror, PipeTarget, Repository, git, mirror_in

pytestmark = pytest.mark.tool("git")

ANEW = "starting a new copy"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    """A mirror with a kept copy, for tests to copy."""
    mirror = mirror_in(tmp_path_factory.mktemp("kept") / "mirror", "efs")
    mirror.source.history("refs/heads/main", 20, size=1000)
    mirror.source.commit("refs/heads/feature/a", {"c": b"1"}, [mirror.source.refs()[b"refs/heads/main"]])
    git(mirror.source.path, "tag", "-a", "-m", "v1", "v1", "main~3")
    mirror.build()
    for work in mirror.folder.glob("work-*"):
        shutil.rmtree(work)
    return mirror


@pytest.fixture
def mirror(example: Mirror) -> Mirror:
    pristine = example.folder.with_name("pristine")
    if not pristine.exists():
        shutil.copytree(example.folder, pristine)
    shutil.rmtree(example.folder)
    shutil.copytree(pristine, example.folder)
    return Mirror(example.folder, example.source, PipeTarget(example.target.repository), example.settings)


def _copy(mirror: Mirror) -> Path:
    assert mirror.settings.kept is not None
    return mirror.settings.kept


def _packs(copy: Path, suffix: str = "pack") -> list[Path]:
    return sorted(copy.glob(f"*.{suffix}"))


def _list_of(mirror: Mirror, **changed: dict[bytes, bytes]) -> None:
    """Write the list of the copy as the program would, with other refs."""
    copy = _copy(mirror)
    refs = {name: oid for name, oid in mirror.source.refs().items() if name != b"refs/heads/main"}
    files = {file.name: file.stat().st_size for file in (*_packs(copy), *_packs(copy, "idx"))}
    (copy / "copy").write_bytes(listed(mirror.settings.source.url.encode(), files, {**refs, **changed["refs"]}))


def _corrupt(file: Path) -> None:
    """Change the middle of a file and leave its size."""
    content = bytearray(file.read_bytes())
    for place in range(len(content) // 4, len(content), 7):
        content[place] ^= 0xFF
    file.write_bytes(content)


def _corrupt_packs(mirror: Mirror) -> None:
    for file in _packs(_copy(mirror)):
        _corrupt(file)


def _corrupt_indexes(mirror: Mirror) -> None:
    for file in _packs(_copy(mirror), "idx"):
        _corrupt(file)


def _corrupt_list(mirror: Mirror) -> None:
    _corrupt(_copy(mirror) / "copy")


def _truncate_list(mirror: Mirror) -> None:
    os.truncate(_copy(mirror) / "copy", 100)


def _truncate_a_pack(mirror: Mirror) -> None:
    os.truncate(_packs(_copy(mirror))[0], 1000)


def _remove_a_pack(mirror: Mirror) -> None:
    _packs(_copy(mirror))[0].unlink()


def _remove_an_index(mirror: Mirror) -> None:
    _packs(_copy(mirror), "idx")[0].unlink()


def _remove_list(mirror: Mirror) -> None:
    (_copy(mirror) / "copy").unlink()


def _list_without_a_pack(mirror: Mirror) -> None:
    _packs(_copy(mirror))[0].unlink()
    _packs(_copy(mirror), "idx")[0].unlink()
    _list_of(mirror, refs={})


def _refs_of_missing_commits(mirror: Mirror) -> None:
    _list_of(mirror, refs={b"refs/heads/main": b"0123456789" * 4})


def _refs_in_each_others_way(mirror: Mirror) -> None:
    commit = mirror.source.refs()[b"refs/heads/main"]
    _list_of(mirror, refs={b"refs/heads/a": commit, b"refs/heads/a/b": commit})


def _refs_outside_of_heads_and_tags(mirror: Mirror) -> None:
    commit = mirror.source.refs()[b"refs/heads/main"]
    _list_of(mirror, refs={b"refs/replace/" + commit: commit})


def _refs_with_a_path_that_leaves(mirror: Mirror) -> None:
    _list_of(mirror, refs={b"refs/heads/../../config": mirror.source.refs()[b"refs/heads/main"]})


def _a_link_instead_of_a_pack(mirror: Mirror) -> None:
    file = _packs(_copy(mirror))[0]
    file.rename(mirror.folder / "elsewhere")
    file.symlink_to(mirror.folder / "elsewhere")


def _a_link_instead_of_the_folder(mirror: Mirror) -> None:
    _copy(mirror).rename(mirror.folder / "elsewhere")
    _copy(mirror).symlink_to(mirror.folder / "elsewhere")


def _a_folder_instead_of_the_list(mirror: Mirror) -> None:
    (_copy(mirror) / "copy").unlink()
    (_copy(mirror) / "copy" / "folder").mkdir(parents=True)


DAMAGE = [
    *(_corrupt_packs, _corrupt_indexes, _corrupt_list, _truncate_list, _truncate_a_pack, _remove_a_pack),
    *(_remove_an_index, _remove_list, _list_without_a_pack, _refs_of_missing_commits, _refs_in_each_others_way),
    *(_refs_outside_of_heads_and_tags, _refs_with_a_path_that_leaves, _a_link_instead_of_a_pack),
    *(_a_link_instead_of_the_folder, _a_folder_instead_of_the_list),
]


def _change(mirror: Mirror) -> None:
    """A build has to fetch commits, and to push commits on top of an old one that an intact copy has."""
    mirror.source.commit("refs/heads/main", {"a": b"more"})
    mirror.source.commit("refs/heads/again", {"a": b"again"}, [git(mirror.source.path, "rev-parse", "main~9")])
    mirror.target.repository.delete("refs/heads/feature/a")


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__.strip("_"))
def test_a_broken_copy_is_replaced(mirror: Mirror, damage: Callable[[Mirror], None]) -> None:
    damage(mirror)
    _change(mirror)
    assert set(mirror.build().values()) == {None}
    # What is seen at once costs no attempt. Whether all objects are sound is seen when they are used.
    assert ANEW in (mirror.said if damage in (_corrupt_packs, _corrupt_indexes) else mirror.said[:1])
    mirror.source.commit("refs/heads/main", {"a": b"and more"})
    assert set(mirror.build().values()) == {None}
    assert ANEW not in mirror.said


def test_a_copy_is_used_and_saves_traffic(mirror: Mirror) -> None:
    _change(mirror)
    assert set(mirror.build().values()) == {None}
    assert ANEW not in mirror.said
    assert mirror.bytes_in < 3000


def test_a_copy_of_another_source_is_replaced(mirror: Mirror) -> None:
    moved = Remote("source", str(mirror.source.path) + "/")
    mirror.settings = replace(mirror.settings, source=moved)
    _change(mirror)
    mirror.build()
    assert ANEW in mirror.said


def test_the_copy_of_the_shell_script_is_replaced_without_a_trace(mirror: Mirror) -> None:
    copy = _copy(mirror)
    shutil.rmtree(copy)
    shutil.copytree(mirror.source.path, copy)
    (copy / "finished").write_text("anything")
    _change(mirror)
    mirror.build()
    assert ANEW in mirror.said
    assert {file.suffix for file in copy.iterdir()} == {"", ".pack", ".idx"}


def test_nothing_that_was_planted_in_a_copy_is_obeyed(mirror: Mirror) -> None:
    copy, proof = _copy(mirror), mirror.folder / "obeyed"
    other = Repository(mirror.folder / "other.git")
    foreign = other.commit("refs/heads/main", {"foreign": b"1"})
    run = f"touch {proof}"
    config = (
        f"[core]\n\tfsmonitor = {run}\n\tsshCommand = {run}\n\talternateRefsCommand = {run}\n"
        f"\thooksPath = {copy}/hooks\n\tpager = {run}\n"
        f"[alias]\n\tfetch = !{run}\n\tinit = !{run}\n[include]\n\tpath = {copy}/included\n"
        f'[remote "{mirror.settings.source.url}"]\n\tuploadpack = {run}\n'
        f"[uploadpack]\n\tpackObjectsHook = {run}\n[credential]\n\thelper = !{run}\n"
    )
    for folder in (copy, copy / "objects"):
        folder.mkdir(exist_ok=True)
        (folder / "config").write_text(config)
        (folder / "config.worktree").write_text(config)
        (folder / "included").write_text(f"[core]\n\tfsmonitor = {run}\n")
        (folder / "HEAD").write_text("ref: refs/heads/main\n")
        (folder / "commondir").write_text(f"{other.path}\n")
        (folder / "gitdir").write_text(f"{other.path}\n")
        (folder / "shallow").write_bytes(mirror.source.refs()[b"refs/heads/main"] + b"\n")
        for name in ("alternates", "http-alternates", "grafts", "attributes", "sparse-checkout"):
            (folder / "info").mkdir(exist_ok=True)
            (folder / "info" / name).write_text(f"{other.path}/objects\n")
        hooks = folder / "hooks"
        hooks.mkdir(exist_ok=True)
        for name in ("reference-transaction", "post-update", "pre-push", "pre-auto-gc", "proc-receive", "update"):
            (hooks / name).write_text(f"#!/bin/sh\n{run}\n")
            (hooks / name).chmod(0o755)
    grafts = b"%b %b\n" % (mirror.source.refs()[b"refs/heads/main"], foreign)
    (copy / "info" / "grafts").write_bytes(grafts)
    (copy / "packed-refs").write_bytes(foreign + b" refs/heads/planted\n")
    main = mirror.source.refs()[b"refs/heads/main"]
    _change(mirror)
    with mirror.copy() as build:
        push = mirror.bring(build)
        assert not build.contains(main, foreign)
        assert not build.contains(mirror.source.refs()[b"refs/heads/main"], foreign)
        assert set(build.deliver(push, mirror.target).values()) == {None}
    mirror.assert_equal()
    assert ANEW not in mirror.said
    assert not proof.exists()
    assert {file.name for file in copy.iterdir() if not file.name.startswith("pack-")} == {"copy"}


def test_many_packs_become_one(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_MOST_PACKS", 3)
    packs = []
    for _ in range(3):
        _change(mirror)
        assert set(mirror.build().values()) == {None}
        assert ANEW not in mirror.said
        packs.append(len(_packs(_copy(mirror))))
    assert packs == [2, 3, 1]


def test_a_copy_that_cannot_be_kept_is_no_failure(mirror: Mirror) -> None:
    copy = _copy(mirror)
    shutil.rmtree(copy.parent)
    copy.parent.write_text("a file where the file system should be")
    mirror.settings = replace(mirror.settings, lock=None)
    _change(mirror)
    assert set(mirror.build().values()) == {None}
    assert any(line.startswith("the copy cannot be kept for the next build") for line in mirror.said)


class _Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def _killing(real: Callable[..., object], left: list[int]) -> Callable[..., object]:
    """A function that ends the build once so many calls were made."""

    def call(*arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise _Killed
        return real(*arguments, **options)

    return call


def test_a_build_that_is_killed_while_it_keeps_its_copy_breaks_nothing(mirror: Mirror) -> None:
    killed = 0
    for calls in range(2, 8):
        _change(mirror)
        with pytest.MonkeyPatch.context() as patch, suppress(_Killed):
            left = [calls]
            patch.setattr(shutil, "copyfile", _killing(shutil.copyfile, left))
            patch.setattr(Path, "replace", _killing(Path.replace, left))
            patch.setattr(Path, "write_bytes", _killing(Path.write_bytes, left))
            mirror.build()
        killed += left[0] < 0
        assert set(mirror.build().values()) == {None}
        assert ANEW not in mirror.said
    assert killed == 6


def test_a_second_build_waits_until_the_first_is_done(mirror: Mirror) -> None:
    _change(mirror)
    first = mirror.copy()
    mirror.bring(first)
    said: list[str] = []
    with ThreadPoolExecutor(1) as thread:
        second = thread.submit(Mirror.build, replace(mirror, said=said))
        while "waits for another build of this repository" not in said:
            time.sleep(0.01)
        assert not second.done()
        first.close()
        assert set(second.result().values()) == {None}
    assert any(line.startswith("waited ") for line in said)


def test_a_lock_that_is_held_too_long_is_reported(mirror: Mirror) -> None:
    mirror.settings = replace(mirror.settings, lock_seconds=0.3)
    _change(mirror)
    with mirror.copy() as first:
        mirror.bring(first)
        message = r"^another build has held the lock of this repository's copy for 0\.3 seconds\. See whether"
        with pytest.raises(StoppedError, match=message):
            mirror.build()


def test_a_lock_is_no_link_to_another_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("content")
    (tmp_path / "lock").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic links"):
        lock(tmp_path / "lock", 1, print)
