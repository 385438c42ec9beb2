"""The copy takes over where a relay is refused; what is kept of it between builds is data that nobody obeys."""

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.mirror import faults
from tests.real.mirror.conftest import Units
from tests.real.mirror.world import MirrorBuildRun


def _random(size: int) -> bytes:
    with open("/dev/urandom", "rb") as random:
        return random.read(size)


@contextmanager
def _copy(unit: MirrorBuildRun) -> Iterator[Path]:
    """The copy that the next build will use, for a test to damage."""
    cache = unit.project.cache
    if cache is None:
        yield unit.project.file_system / "website.git"
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


def test_a_copy_takes_over_where_the_target_refuses_thin_packs(mirrored: Units) -> None:
    unit = mirrored()
    unit.source.commit("refs/heads/main", {"text": "".join(f"{number}\n" for number in range(2000))})
    unit.mirrors()
    unit.case.fault(faults.NO_THIN_PACKS)
    # A delta against what the target has, which a pack that is not thin must bring along.
    unit.source.commit("refs/heads/main", {"text": "".join(f"{number}\n" for number in range(2001))})
    assert "the copy strategy takes over" in unit.mirrors().log


def test_what_is_too_large_for_one_push_arrives_in_steps(mirrored: Units) -> None:
    unit = mirrored(edits={"bytes_per_push: int = 1_900_000_000": "bytes_per_push: int = 1_000_000"})
    unit.case.fault(faults.MOST_BYTES, 1_000_000)
    for number in range(6):
        unit.source.commit("refs/heads/main", {f"large{number}": _random(300_000)})
    assert "in steps" in unit.mirrors().log


_PLANTED = """#!/bin/sh
touch {executed}
"""


@pytest.mark.parametrize("mode", ["s3", "efs"])
def test_nothing_that_was_planted_in_a_kept_copy_is_run(mirrored: Units, mode: str) -> None:
    unit = mirrored(mode)
    executed = unit.case.folder / "executed"
    with _copy(unit) as copy:
        hooks = ("reference-transaction", "post-checkout", "pre-push", "pre-auto-gc", "post-index-change")
        for hook in (*(f"hooks/{hook}" for hook in hooks), "planted"):
            file = copy / hook
            file.parent.mkdir(exist_ok=True)
            file.write_text(_PLANTED.format(executed=executed))
            file.chmod(0o755)
        planted = copy / "planted"
        (copy / "config").write_text(
            f"[core]\nhooksPath = {copy}/hooks\nfsmonitor = {planted}\nsshCommand = {planted}\ngitProxy = {planted}\n"
            f"[credential]\nhelper = !{planted}\n[uploadpack]\npackObjectsHook = {planted}\n[gc]\nauto = 1\n"
        )
    unit.source.commit("refs/heads/main")
    unit.source.commit("refs/heads/again", parent=unit.source.refs()["refs/tags/v1"])
    unit.source.update({"refs/heads/old": None})
    unit.mirrors()
    assert not executed.exists()


@pytest.mark.parametrize("mode", ["s3", "efs"])
def test_a_broken_copy_is_replaced_and_the_build_succeeds(mirrored: Units, mode: str) -> None:
    unit = mirrored(mode)
    with _copy(unit) as copy:
        for pack in copy.rglob("*.pack"):
            content = bytearray(pack.read_bytes())
            for place in range(len(content) // 4, len(content), 7):
                content[place] ^= 0xFF
            pack.chmod(0o644)
            pack.write_bytes(content)
    unit.source.commit("refs/heads/main")
    unit.source.commit("refs/heads/again", parent=unit.source.refs()["refs/tags/v1"])
    unit.target.update({"refs/heads/feature/a": None})
    unit.mirrors()
    unit.source.commit("refs/heads/main")
    assert "starting a new copy" not in unit.mirrors().log


def test_builds_that_share_a_file_system_wait_for_each_other(mirrored: Units) -> None:
    unit = mirrored("efs")
    unit.source.commit("refs/heads/main")
    builds = [unit.project.start() for _ in range(3)]
    for build in builds:
        build.wait()
        assert build.succeeded, build.log
    unit.case.pair.assert_mirrored()
