"""Imports what jsii generated for Python faster than its own code does, with the same result.

- The root package of the AWS bindings imports every module. Here the root loads a module when its attribute is read
  (PEP 562), and jsii is told where each lives, so that an object which JavaScript returns finds its class even when
  nothing has imported it.
- Generated modules evaluate thousands of annotations when they are imported, and those of a method again at every call
  that is checked. Here, as in what jsii's newer generator writes, annotations stay text until a check needs them, and
  are then evaluated once. Each of them looks up typeguard's version in the installed packages; here that is done once.
- A generated module checks the type of every argument of every call. mypy checks this project's calls before they run
  and Node refuses wrong types itself, so a synthesis may leave that out, and with it the modules' docstrings.
- While Python imports a module of the AWS bindings, Node loads its counterpart.
"""

import __future__

import difflib
import functools
import hashlib
import importlib.metadata
import os
import sys
import typing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from jsii import _reference_map
from jsii._runtime import kernel

from bindings.node import HookedNode

_ROOT = "cdktf_cdktf_provider_aws"
_ASSEMBLY = "@cdktf/provider-aws"
_GENERATED = ("constructs", "cdktf")
_BYTECODE = Path(
    sys.pycache_prefix or Path(__file__).parent / "__pycache__",
    # The bytecode depends on this file too.
    f"generated-{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]}",
)


class Finder(MetaPathFinder):
    """Finds what jsii generated where Python would, and gives it another loader."""

    def __init__(self, check_types: bool) -> None:
        self._compiles = sys.dont_write_bytecode or _can_write(_BYTECODE)
        self._loader = _GeneratedLoader if check_types else _UncheckedLoader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, module = fullname.rpartition(".")
        in_bindings = package == _ROOT and not module.startswith("_")
        if fullname != _ROOT and fullname not in _GENERATED and not in_bindings:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        # Installed in some other form (a zip file), it loads the ordinary way: slower, never wrong.
        if spec and isinstance(spec.loader, SourceFileLoader):
            if fullname == _ROOT:
                spec.loader = _RootLoader(fullname, spec.loader.path)
            elif self._compiles:
                spec.loader = self._loader(fullname, spec.loader.path)
            if in_bindings:
                _load_in_node(module)
        return spec


class _RootLoader(SourceFileLoader):
    """Replaces the root's own code, which loads the jsii assembly and then imports every module."""

    def exec_module(self, module: ModuleType) -> None:
        importlib.import_module(f"{_ROOT}._jsii")
        names = sorted(name for name in os.listdir(module.__path__[0]) if name[0] != "_" and "." not in name)
        # The map that newer bindings carry themselves (`_SUBMODULE_FQN_MAP`).
        _reference_map._submodule_fqn_map.update({_jsii_name(name): f"{_ROOT}.{name}" for name in names})
        known = frozenset(names)

        def load(name: str) -> ModuleType:
            if name not in known:
                raise AttributeError(_unknown(name, names))
            return importlib.import_module(f"{_ROOT}.{name}")

        vars(module).update(__all__=names, __getattr__=load, __dir__=lambda: sorted(known | vars(module).keys()))


class _GeneratedLoader(SourceFileLoader):
    """Compiles a generated module with lazy annotations; the bytecode has a cache of its own."""

    optimize = -1
    """As Python's `compile` has it: -1 is what Python was started with, 2 leaves out checks and docstrings."""

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(_type_hints=_type_hints, _metadata_package_version=_version)
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType | None:
        with _bytecode_in(_BYTECODE / str(self.optimize)):
            return super().get_code(fullname)

    # SourceLoader's own signature, which typeshed does not have.
    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        source = bytes(data).replace(b" typing.get_type_hints(", b" _type_hints(")
        source = source.replace(b"from importlib.metadata import version as _metadata_package_version\n", b"\n")
        flags = __future__.annotations.compiler_flag
        code: CodeType = compile(source, path, "exec", flags, dont_inherit=True, optimize=self.optimize)
        return code


class _UncheckedLoader(_GeneratedLoader):
    optimize = 2

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        return super().source_to_code(bytes(data).replace(b"\nimport typeguard\n", b"\n\n"), path, _optimize=_optimize)


_version = functools.cache(importlib.metadata.version)


@functools.cache
def _type_hints(stub: FunctionType) -> dict[str, Any]:
    """Do what `typing.get_type_hints` does, which compiles every annotation anew and takes six times as long."""
    texts: dict[str, str] = stub.__annotations__
    if any("'" in text for text in texts.values()):  # a name within a name, as in Optional['Vpc']
        return typing.get_type_hints(stub)
    return {name: eval(_compiled(text), stub.__globals__) for name, text in texts.items()}  # noqa: S307 - jsii's code


@functools.cache
def _compiled(annotation: str) -> CodeType:
    return compile(annotation, "<annotation>", "eval", dont_inherit=True)


@contextmanager
def _bytecode_in(folder: Path) -> Iterator[None]:
    """Have importlib read bytecode below `folder`, and write it there unless Python is told to write none."""
    before = sys.pycache_prefix
    sys.pycache_prefix = str(folder)
    try:
        yield
    finally:
        sys.pycache_prefix = before


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _load_in_node(module: str) -> None:
    """Ask Node for something in the counterpart of a module, which it then loads; nobody waits for the answer."""
    process = kernel.provider._process  # type: ignore[attr-defined]
    if isinstance(process, HookedNode):
        process.request_ahead(
            {"api": "sget", "fqn": f"{_jsii_name(module)}.{_camel(module)}", "property": "tfResourceType"}
        )


def _jsii_name(module: str) -> str:
    """Return the name jsii has for a module: `@cdktf/provider-aws.s3BucketAcl` for `s3_bucket_acl`."""
    first, *rest = module.split("_")
    return f"{_ASSEMBLY}.{first}{_camel('_'.join(rest))}"


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _unknown(name: str, names: list[str]) -> str:
    message = f"module {_ROOT!r} has no attribute {name!r}"
    if name.startswith("_"):  # tools look up such names in passing, and often
        return message
    similar = difflib.get_close_matches(name.lower(), names, n=1)
    return f"{message}. Did you mean: {similar[0]!r}?" if similar else message
