"""The copy that a mirror keeps between builds: the traffic it saves, and how a broken copy is replaced."""

import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.mirror.servers import NO_SHALLOW_PUSHES
from tests.real.mirror.world import MirrorBuildRun

Mirrored = Callable[[str], MirrorBuildRun]


@contextmanager
def _copy(mirror: MirrorBuildRun) -> Iterator[Path]:
    """The copy that the next build will use, for a test to damage."""
    cache = mirror.project.cache
    if cache is None:
        yield mirror.project.file_system / "website.git"
        return
    unpacked = cache.with_suffix("")
    with tarfile.open(cache) as archive:
        archive.extractall(unpacked, filter="tar")
    yield unpacked / "mirror.git"
    with tarfile.open(cache, "w") as archive:
        for file in sorted(unpacked.rglob("*")):
            if file.is_file():
                archive.add(file, file.relative_to(unpacked))
    shutil.rmtree(unpacked)


def _objects(copy: Path) -> list[Path]:
    return sorted(file for file in (copy / "objects").rglob("*") if file.is_file())


def _corrupt(file: Path) -> None:
    """Change the middle of a file and leave its size."""
    content = bytearray(file.read_bytes())
    for place in range(len(content) // 4, len(content), 7):
        content[place] ^= 0xFF
    file.chmod(0o644)
    file.write_bytes(content)


def _corrupt_every_object(copy: Path) -> None:
    for file in _objects(copy):
        _corrupt(file)


def _truncate_an_object(copy: Path) -> None:
    file = _objects(copy)[0]
    file.chmod(0o644)
    os.truncate(file, file.stat().st_size // 2)


def _remove_the_objects(copy: Path) -> None:
    shutil.rmtree(copy / "objects")


def _corrupt_the_configuration(copy: Path) -> None:
    _corrupt(copy / "config")


def _corrupt_the_head(copy: Path) -> None:
    (copy / "HEAD").write_text("x" * (copy / "HEAD").stat().st_size)


def _corrupt_a_ref(copy: Path) -> None:
    (copy / "refs/heads/main").write_text("0123456789" * 4 + "\n")


def _leave_a_lock(copy: Path) -> None:
    (copy / "packed-refs.lock").touch()


def _leave_half_a_fetch(copy: Path) -> None:
    (copy / "finished").unlink()
    (copy / "refs/heads/main.lock").touch()
    _objects(copy)[-1].unlink()


def _leave_half_a_list(copy: Path) -> None:
    os.truncate(copy / "finished", 100)


DAMAGE = [
    *(_corrupt_every_object, _truncate_an_object, _remove_the_objects, _corrupt_the_configuration, _corrupt_the_head),
    *(_corrupt_a_ref, _leave_a_lock, _leave_half_a_fetch, _leave_half_a_list),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__.strip("_"))
def test_a_broken_copy_is_replaced_and_the_build_succeeds(
    mirrored: Mirrored, damage: Callable[[Path], None], request: pytest.FixtureRequest
) -> None:
    # Modes s3 and efs keep the same copy in different storage; each kind of damage is tested in one of them.
    mirror = mirrored("s3" if request.node.callspec.indices["damage"] % 2 else "efs")
    with _copy(mirror) as copy:
        damage(copy)
    # The build has to fetch commits, and to push commits on top of an old one that an intact copy has.
    mirror.source.commit("refs/heads/main")
    mirror.source.commit("refs/heads/again", parent=mirror.source.refs()["refs/tags/v1"])
    mirror.target.update({"refs/heads/feature/a": None})
    assert "starting a new copy" in mirror.mirrors().messages
    with _copy(mirror) as copy:
        (copy / "refs").mkdir(exist_ok=True)
        assert mirror.source.git("-C", str(copy), "fsck", "--full") == ""
    mirror.source.commit("refs/heads/main")
    assert "starting a new copy" not in mirror.mirrors().messages


def test_a_copy_of_another_repository_is_replaced(mirrored: Mirrored) -> None:
    mirror = mirrored("efs")
    mirror.source.commit("refs/heads/main")
    mirror.source.path.rename(mirror.source.path.with_name("moved.git"))
    assert (
        "starting a new copy" in mirror.project.run(SOURCE_URL="example@example.git.backlog.jp:/WEB/moved.git").messages
    )


def test_a_copy_without_its_empty_folders_is_used(mirrored: Mirrored) -> None:
    mirror = mirrored("efs")
    copy = mirror.project.file_system / "website.git"
    mirror.source.git("-C", str(copy), "pack-refs", "--all")
    for folder in sorted(copy.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    assert not (copy / "refs").exists()
    # The list of files, as the build that packed the refs would have written it.
    files = [file for file in copy.rglob("*") if file.is_file() and file.name != "finished"]
    listed = sorted(f"{file.stat().st_size} {file.relative_to(copy)}" for file in files)
    url = "example@example.git.backlog.jp:/WEB/website.git"
    (copy / "finished").write_text("\n".join([url, *listed]) + "\n")
    mirror.source.commit("refs/heads/main")
    assert "starting a new copy" not in mirror.mirrors().messages


def test_a_new_copy_starts_with_what_the_target_has(mirrored: Mirrored) -> None:
    mirror = mirrored("efs")
    with open("/dev/urandom", "rb") as random:
        mirror.source.commit("refs/heads/main", {"large": random.read(1 << 20)})
    mirror.mirrors()
    shutil.rmtree(mirror.project.file_system / "website.git")
    mirror.source.commit("refs/heads/main", {"a": "small"})
    mirror.case.traffic()
    mirror.mirrors()
    from_source, from_target, to_target = mirror.case.traffic()
    assert from_source < 20_000
    assert from_target > 1 << 20
    assert to_target < 20_000


@pytest.mark.parametrize("length", [0, 30, 110])
def test_without_a_cache_the_newest_commits_are_enough_for_a_commit(mirrored: Mirrored, length: int) -> None:
    mirror = mirrored("none")
    if length:
        mirror.source.history("refs/heads/main", length)
        mirror.mirrors()
    mirror.source.commit("refs/heads/main")
    assert "starting a new copy" not in mirror.mirrors().messages


def test_without_a_cache_no_more_than_the_newest_commits_are_moved(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    source = mirror.source
    with open("/dev/urandom", "rb") as random:
        source.commit("refs/heads/main", {"large": random.read(2 << 20)})
    source.commit("refs/heads/main", {"large": "small again"})
    source.history("refs/heads/main", 110)
    mirror.mirrors()
    mirror.case.traffic()
    source.commit("refs/heads/main", {"a": "amended"}, parent=source.git("rev-parse", "main~1"))
    source.commit("refs/heads/new", parent=source.git("rev-parse", "main~70"))
    mirror.mirrors()
    assert max(mirror.case.traffic()) < 100_000


def test_without_a_cache_a_branch_from_an_old_commit_arrives(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    source = mirror.source
    source.history("refs/heads/main", 300)
    with open("/dev/urandom", "rb") as random:
        source.commit("refs/heads/other", {"large": random.read(1 << 20)}, parent=None)
    source.commit("refs/heads/other", {"large": "small again"})
    source.history("refs/heads/other", 110)
    mirror.mirrors()
    mirror.case.traffic()
    source.commit("refs/heads/new", parent=source.git("rev-parse", "main~200"))
    messages = mirror.mirrors().messages
    assert "the newest commits are not enough" in messages
    from_source, from_target, to_target = mirror.case.traffic()
    # The target sent what the source did not have to send again.
    assert from_target > 1 << 20
    assert max(from_source, to_target) < 100_000


def test_without_a_cache_a_whole_copy_is_pushed_where_the_target_refuses_a_shallow_one(
    mirrored: Mirrored,
) -> None:
    mirror = mirrored("none")
    mirror.source.history("refs/heads/main", 110)
    mirror.mirrors()
    (mirror.case.folder / NO_SHALLOW_PUSHES).touch()
    mirror.source.commit("refs/heads/main", {"a": "more"})
    messages = mirror.mirrors().messages
    assert sum(line.startswith("failed: pushed 1 new") for line in messages) == 2
    assert "starting a new copy" in messages


def test_builds_that_share_a_file_system_wait_for_each_other(mirrored: Mirrored) -> None:
    mirror = mirrored("efs")
    mirror.source.commit("refs/heads/main")
    builds = [mirror.project.start() for _ in range(3)]
    for build in builds:
        build.wait()
    assert all(build.succeeded for build in builds)
    mirror.case.assert_mirrored()
    pushed = [build for build in builds if any(line.startswith("pushed") for line in build.messages)]
    assert len(pushed) == 1
    assert sum(any(line.startswith("waited for another build") for line in build.messages) for build in builds) == 2
