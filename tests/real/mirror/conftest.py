"""One namespace with servers for all tests of this folder; each test gets its own mirror in it."""

import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.real.mirror import world as worlds
from tests.real.mirror.projects import MODES, mirror_of, synthesised
from tests.real.mirror.world import MirrorBuildRun, MirrorWorld

NEEDED = ("bash", "git", "ssh", "sshd", "ssh-keygen", "unshare", "nsenter", "ip", "mount", "flock", "awk")

Mirrors = Callable[..., MirrorBuildRun]
Scenario = Callable[[MirrorBuildRun], object]


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
    worlds.tools()
    with worlds.running(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(scope="session")
def mirrors(world: MirrorWorld, tmp_path_factory: pytest.TempPathFactory) -> Mirrors:
    """Makes a new mirror with a cache mode. Its source and target are empty, or copies of another mirror's."""
    terraform = synthesised(world, tmp_path_factory.mktemp("synthesised"))
    numbers = itertools.count(1)

    def make(mode: str, like: MirrorBuildRun | None = None) -> MirrorBuildRun:
        mirror = mirror_of(world, f"AKIACASE{next(numbers):04}", terraform[mode])
        if like is not None:
            mirror.case.become(like.case)
        return mirror

    return make


@pytest.fixture(scope="session")
def mirrored(mirrors: Mirrors) -> Mirrors:
    """Makes a mirror with a cache mode. One build has mirrored its source of three branches and three tags."""

    @functools.cache
    def example(mode: str) -> MirrorBuildRun:
        mirror = mirrors(mode)
        source = mirror.source
        first = source.commit("refs/heads/main", {"a": "1", "folder/b": "1"})
        for number in range(2, 6):
            source.commit("refs/heads/main", {"a": str(number)})
        source.commit("refs/heads/feature/a", {"c": "1"}, parent=source.refs()["refs/heads/main"])
        source.commit("refs/heads/old", {"d": "1"}, parent=first)
        source.git("tag", "v1", first)
        source.git("tag", "v2", "main")
        source.git("tag", "--annotate", "--message=v3", "v3", "main")
        mirror.mirrors()
        return mirror

    def make(mode: str) -> MirrorBuildRun:
        with lock:
            before = example(mode)
        return mirrors(mode, like=before)

    lock = threading.Lock()
    return make


@pytest.fixture
def in_every_mode(mirrored: Mirrors) -> Callable[[Scenario], None]:
    """Runs a scenario on a mirror of each cache mode, at the same time."""

    def run_in_every_mode(scenario: Scenario) -> None:
        with ThreadPoolExecutor(len(MODES)) as threads:
            running = {mode: threads.submit(scenario, mirrored(mode)) for mode in MODES}
        for mode, end in running.items():
            try:
                end.result()
            except BaseException as error:
                error.add_note(f"in cache mode {mode}")
                raise

    return run_in_every_mode
