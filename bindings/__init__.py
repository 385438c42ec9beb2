"""Makes the AWS bindings load a module when it is first used: call `install()` before cdktf is imported.

The bindings are 2,212 modules, of which a deployment uses some thirty. Imported the ordinary way all of them load,
in two places:

- in Python, because the root package imports every module. Here the root loads a module when its attribute is read
  (PEP 562), and jsii is told where each lives, so that an object which JavaScript returns finds its class even when
  nothing has imported it;
- in Node, because the package names its eager entry point. Here `lazy_aws.cjs` leads Node to the lazy one beside it.

What is imported and what is synthesised stay the same; `KAKEHASHI_PLAIN_IMPORTS=1` switches all of this off. Editors
and type checkers read the bindings themselves and notice nothing. It leans on private names of jsii, so jsii is
pinned to one version.
"""

import atexit
import difflib
import gc
import importlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

from jsii import _reference_map
from jsii._kernel.providers import process

_ROOT = "cdktf_cdktf_provider_aws"
_ASSEMBLY = "@cdktf/provider-aws"
_NODE_HOOK = Path(__file__).with_name("lazy_aws.cjs")


def install() -> None:
    """Make the AWS bindings lazy in this process; a second call does nothing.

    Raises RuntimeError when a jsii package is loaded already: Node then runs, and can no longer be given the hook.
    """
    if os.environ.get("KAKEHASHI_PLAIN_IMPORTS") == "1" or any(isinstance(f, _RootFinder) for f in sys.meta_path):
        return
    loaded = sorted(name.removesuffix("._jsii") for name in sys.modules if name.endswith("._jsii"))
    if loaded:
        raise RuntimeError(f"bindings.install() comes too late, call it before importing {', '.join(loaded)}")
    sys.meta_path.insert(0, _RootFinder())
    process._NodeProcess = _LazyNode  # type: ignore[misc]
    # Spares the interpreter a last search for garbage among all these classes (6 % of a synth). What has to happen at
    # exit is registered with atexit, and happens.
    atexit.register(gc.freeze)


def load_ahead() -> None:
    """Install, and load cdktf in a thread: most of that is Node's work, which another core does meanwhile.

    Whoever imports cdktf waits for the thread, and is told what went wrong there by failing in the same way.
    """
    install()
    threading.Thread(target=_load, name="bindings", daemon=True).start()


def _load() -> None:
    with suppress(Exception):
        importlib.import_module("cdktf")
        importlib.import_module(_ROOT)


class _RootFinder(MetaPathFinder):
    """Finds the bindings' root package where Python would, and gives it the lazy loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ROOT:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        # Installed in some other form (a zip file), it loads the ordinary way: slower, never wrong.
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _RootLoader(fullname, spec.loader.path)
        return spec


class _RootLoader(SourceFileLoader):
    """Stands in for the root's own code, which loads the jsii assembly and then imports every module."""

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


class _LazyNode(process._NodeProcess):
    """jsii's Node process, started with the hook.

    The variables stand in this process's environment for that moment only: other Node programs started from here
    (cdktf-cli, a user's own) must not run our hook.
    """

    def start(self) -> None:
        with _environment(_node_variables(os.environ)):
            super().start()  # type: ignore[no-untyped-call]


def _node_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that jsii's Node needs, with what the user has in them kept."""
    # Node splits NODE_OPTIONS at spaces, except within double quotes, where a backslash escapes.
    # https://nodejs.org/api/cli.html#node_optionsoptions
    hook = str(_NODE_HOOK).replace("\\", "\\\\").replace('"', '\\"')
    # jsii warns at length that Node 20 has reached its end of life; cdktf-cli 0.21 runs on nothing newer than 22.
    silenced = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"
    return {
        "NODE_OPTIONS": " ".join(filter(None, [environment.get("NODE_OPTIONS"), f'--require "{hook}"'])),
        silenced: environment.get(silenced, "20"),
    }


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _jsii_name(module: str) -> str:
    """Return the name jsii has for a module: `@cdktf/provider-aws.s3BucketAcl` for `s3_bucket_acl`."""
    first, *rest = module.split("_")
    return f"{_ASSEMBLY}.{first}{''.join(word.capitalize() for word in rest)}"


def _unknown(name: str, names: list[str]) -> str:
    message = f"module {_ROOT!r} has no attribute {name!r}"
    if name.startswith("_"):  # asked for by tools in passing, and often
        return message
    similar = difflib.get_close_matches(name.lower(), names, n=1)
    return f"{message}. Did you mean: {similar[0]!r}?" if similar else message
