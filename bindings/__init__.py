"""Makes the AWS bindings load a module when it is first used: call `install()` before cdktf is imported.

The bindings are 2,212 modules, of which a deployment uses some thirty. Imported the ordinary way all of them load, in
Python and in Node. `python.py` makes Python's side lazy, `node.py` and `hook.cjs` Node's. What is imported and what is
synthesised stay the same; `KAKEHASHI_PLAIN_IMPORTS=1` switches all of this off but for the choice of Node. Editors and
type checkers read the bindings themselves and notice nothing. It uses private names of jsii, so jsii is pinned to one
version.
"""

import atexit
import gc
import os
import sys

from jsii._kernel.providers import process

from bindings import node, python

PATHS_BY_NAME = "kakehashi:paths_by_name"
"""The context key of a stack whose elements `hook.cjs` names by their construct paths, and where it records them."""


def install(check_types: bool = True) -> None:
    """Make the AWS bindings lazy in this process; a second call does nothing.

    With `check_types` the bindings check the type of every argument of every call, as they do without this package.

    Raises RuntimeError when a jsii package is loaded already: Node then runs, and can no longer be given the hook.
    """
    if issubclass(process._NodeProcess, node.PackagedNode):
        return
    loaded = sorted(name.removesuffix("._jsii") for name in sys.modules if name.endswith("._jsii"))
    if loaded:
        raise RuntimeError(f"bindings.install() comes too late, call it before importing {', '.join(loaded)}")
    if os.environ.get("KAKEHASHI_PLAIN_IMPORTS") == "1":
        process._NodeProcess = node.PackagedNode  # type: ignore[misc]
        return
    process._NodeProcess = node.HookedNode  # type: ignore[misc]
    sys.meta_path.insert(0, python.Finder(check_types))
    # Spares the interpreter a last search for garbage among all these classes (6 % of a synth). What has to happen at
    # exit is registered with atexit, and happens.
    atexit.register(gc.freeze)


def hook_is_installed() -> bool:
    """Whether Node runs with `hook.cjs`, which names the elements of stacks that ask for it."""
    return issubclass(process._NodeProcess, node.HookedNode)
