"""Rules for the code that no type checker checks: imports (contracts in pyproject.toml), lengths and class names."""

import ast
import logging.config
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from importlinter import cli

PROJECT = Path(__file__).parent.parent
PACKAGES = ("bindings", "buildspec", "errors", "iam", "limits", "modules", "ops", "settings", "stacks", "terraform")
FILES = [PROJECT / "main.py", *sorted(file for package in PACKAGES for file in (PROJECT / package).rglob("*.py"))]


Node = TypeVar("Node", bound=ast.AST)


def _definitions(kind: type[Node], files: list[Path]) -> Iterator[tuple[Path, Node]]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, kind):
                yield file.relative_to(PROJECT), node


def test_every_package_imports_only_what_it_may(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # import-linter's would switch off every logger that other tests have used, for the rest of the process.
    monkeypatch.setattr(logging.config, "dictConfig", lambda _: None)
    status = cli.lint_imports(config_filename=str(PROJECT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_every_package_of_the_product_is_in_the_contracts() -> None:
    packages = {file.parent.name for file in PROJECT.glob("*/__init__.py")}
    assert packages - {"benchmarks", "tests"} == set(PACKAGES)


def test_no_file_is_longer_than_350_lines() -> None:
    lengths = {str(file.relative_to(PROJECT)): len(file.read_text().splitlines()) for file in FILES}
    assert {file: length for file, length in lengths.items() if length > 350} == {}


def test_the_entry_point_stays_short() -> None:
    assert len((PROJECT / "main.py").read_text().splitlines()) < 60


# The program of the mirrors runs by itself, and nothing here imports it.
@pytest.mark.slow
@pytest.mark.parametrize("of_the_mirrors", [False, True])
def test_no_class_name_has_two_meanings(of_the_mirrors: bool) -> None:
    program = PROJECT / "buildspec" / "mirror"
    files = defaultdict(list)
    for file, node in _definitions(ast.ClassDef, [f for f in FILES if f.is_relative_to(program) == of_the_mirrors]):
        files[node.name].append(f"{file}:{node.lineno}")
    assert {name: places for name, places in files.items() if len(places) > 1} == {}


@pytest.mark.parametrize("package", ["modules", "stacks"])
def test_no_constructor_is_longer_than_80_lines(package: str) -> None:
    files = [file for file in FILES if file.is_relative_to(PROJECT / package)]
    long = [
        f"{file}:{node.lineno}"
        for file, node in _definitions(ast.FunctionDef, files)
        if node.name == "__init__" and node.end_lineno is not None and node.end_lineno - node.lineno >= 80
    ]
    assert long == []
