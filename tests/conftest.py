"""What all tests share: one jsii process, every deployment synthesised once, and which tools are here."""

import functools
import gc
import json
import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import bindings

bindings.install()

import pytest

# Imported in fixtures: the process that only hands out tests to the others has no use for them.
if TYPE_CHECKING:
    from cdktf import App

    from tests.terraform import Stacks

PROJECT = Path(__file__).parent.parent

# Programs that only some tests use, in environments of their own. A program on PATH has precedence.
_OWN_PROGRAMS = ("checkov/.venv/bin", "cdktf_cli/node_modules/.bin")
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *(str(PROJECT / "tests" / it) for it in _OWN_PROGRAMS)])

# Terraform and its providers spend up to half of their time on collecting garbage: a plan of many stacks takes 16 s of
# processor time with these settings of Go, and 31 s without. https://pkg.go.dev/runtime#hdr-Environment_Variables
os.environ.setdefault("GOGC", "400")
os.environ.setdefault("GOMEMLIMIT", "1GiB")

NOT_QUICK = ("slow", "tool", "terraform", "emulator")
"""The marks of the tests that `make quick` leaves out."""

NO_SKIP = bool(os.environ.get("KAKEHASHI_NO_SKIP"))


def pytest_configure() -> None:
    """Let generated cases take their time: a busy machine makes no test fail."""
    from hypothesis import HealthCheck, settings

    settings.register_profile("kakehashi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("kakehashi")
    gc.disable()  # imports and collecting leave no garbage worth looking for


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow files, and skip a test whose tool is missing, by the tool's name."""
    slow = {item.path for item in items if any(map(item.get_closest_marker, NOT_QUICK))}
    slowest = {item.path for item in items if item.get_closest_marker("terraform")}
    # A file that takes minutes and starts last keeps all other processes waiting.
    shorter = {item.path for item in items if not all(map(item.get_closest_marker, ("slow", "terraform")))}
    items.sort(key=lambda item: (item.path in shorter, item.path not in slowest, item.path not in slow))
    for item in items:
        needed = [str(mark.args[0]) for mark in item.iter_markers("tool")]
        if item.get_closest_marker("terraform"):
            needed.append("terraform")
        for tool in needed:
            if shutil.which(tool) is None:
                item.add_marker(pytest.mark.skip(reason=f"{tool} is not installed"))


def pytest_collection_finish() -> None:
    """Keep Python's garbage collector away from what was imported, which stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


def pytest_sessionfinish() -> None:
    """Collect garbage for a last time; pytest would do so twice, and Python once more."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With KAKEHASHI_NO_SKIP, a test that skips has failed."""
    report = yield
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"nothing may skip here, and this did: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """With KAKEHASHI_NO_SKIP, a file that skips has failed."""
    report = yield
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"nothing may skip here, and this did: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's folder."""
    return PROJECT


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> "Callable[[str], Stacks]":
    """Synthesises `deployments/NAME.yaml` once, and gives its stacks."""
    from settings import load
    from stacks.synthesis import synthesise
    from tests.terraform import read

    # The processes of one run share what each has synthesised: they have this folder in common.
    own = tmp_path_factory.getbasetemp()
    common = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "synthesised"

    @functools.cache
    def of(name: str) -> "Stacks":
        out = common / name / "cdktf.out"
        if not out.exists():
            written = tmp_path_factory.mktemp(name) / "cdktf.out"
            synthesise(load(PROJECT / "deployments" / f"{name}.yaml"), written)
            out.parent.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):  # another process was first
                written.rename(out)
        return read(out)

    return of


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory) -> "Callable[..., Stacks]":
    """Synthesises `deployments/NAME.yaml` with some settings changed: dotted paths to values, None to remove.

    Tests that want the same changes share one synthesis.
    """
    from settings import load
    from stacks.synthesis import synthesise
    from tests.terraform import read, with_changes

    @functools.cache
    def of(name: str, settings: str) -> "Stacks":
        folder = tmp_path_factory.mktemp(name)
        file = folder / f"{name}.yaml"
        file.write_text(settings)
        synthesise(load(file), folder / "cdktf.out")
        return read(folder / "cdktf.out")

    def synthesise_changed(name: str, changes: Mapping[str, object]) -> "Stacks":
        return of(name, json.dumps(with_changes(PROJECT / "deployments" / f"{name}.yaml", changes)))

    return synthesise_changed


@pytest.fixture(scope="session")
def example(synthesised: "Callable[[str], Stacks]") -> "Stacks":
    """The stacks of deployments/example.yaml."""
    return synthesised("example")


@pytest.fixture
def app() -> "App":
    """An app whose output nobody keeps."""
    from cdktf import Testing

    app: App = Testing.app()
    return app
