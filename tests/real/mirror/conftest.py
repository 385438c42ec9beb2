"""One namespace with servers for all tests of this folder; each test gets its own mirror in it."""

import functools
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.real.mirror import world as worlds
from tests.real.mirror.projects import IMPATIENT, unit_of
from tests.real.mirror.world import MirrorBuildRun, MirrorWorld, Repository

NEEDED = ("bash", "git", "ssh", "sshd", "ssh-keygen", "unshare", "nsenter", "ip", "mount")

Units = Callable[..., MirrorBuildRun]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs the same programs, and root to make a namespace."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for tool in NEEDED:
                item.add_marker(pytest.mark.tool(tool))
            if os.geteuid() != 0 and not os.environ.get("KAKEHASHI_NO_SKIP"):
                item.add_marker(pytest.mark.skip(reason="only root can make a network namespace"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MirrorWorld]:
    """The servers, running in a namespace."""
    with worlds.running(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(scope="session")
def units(world: MirrorWorld) -> Units:
    """Makes a new unit. Its sources are empty, or have three branches and three tags (`prepare`)."""
    numbers = itertools.count(1)

    def make(
        mode: str = "relay", *, prepare: bool = False, edits: Mapping[str, str] | None = None, **more: Any
    ) -> MirrorBuildRun:
        unit = unit_of(world, f"ASIACASE{next(numbers):04}", mode, edits={**IMPATIENT, **(edits or {})}, **more)
        if prepare:
            for pair in unit.case.pairs.values():
                shutil.copytree(example(), pair.source.path, dirs_exist_ok=True)
        return unit

    @functools.cache
    def example() -> Path:
        source = Repository.create(world.folder / "example.git")
        first = source.commit("refs/heads/main", {"a": "1", "folder/b": "1"})
        for number in range(2, 6):
            source.commit("refs/heads/main", {"a": str(number)})
        source.commit("refs/heads/feature/a", {"c": "1"}, parent=source.refs()["refs/heads/main"])
        source.commit("refs/heads/old", {"d": "1"}, parent=first)
        source.git("tag", "v1", first)
        source.git("tag", "v2", "main")
        source.git("tag", "--annotate", "--message=v3", "v3", "main")
        return source.path

    return make


@pytest.fixture(scope="session")
def mirrored(units: Units) -> Units:
    """Makes a unit like `units`, whose sources of three branches and three tags one build has mirrored."""

    @functools.cache
    def example(mode: str, projects: tuple[tuple[str, str], ...]) -> MirrorBuildRun:
        unit = units(mode, prepare=True, projects=dict(projects))
        unit.mirrors()
        return unit

    def make(mode: str = "relay", projects: Mapping[str, str] | None = None, **more: Any) -> MirrorBuildRun:
        with lock:
            before = example(mode, tuple((projects or {}).items()))
        unit = units(mode, projects=projects, **more)
        unit.case.become(before.case)
        return unit

    lock = threading.Lock()
    return make
