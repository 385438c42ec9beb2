"""Runs the AWS CLI and git-remote-codecommit in processes that need not import them again, which takes a second each.

Run by `world.py` with the Python of those tools as `preloaded.py FOLDER`, inside the namespace. FOLDER then has a
program for each tool. Such a program hands its arguments, environment, working directory and standard streams to a
process that is forked from this one, and ends as that ends. When it is killed, that process and its children are too.
"""

import json
import os
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path

TOOLS = ("aws", "git-remote-codecommit")

# An abstract address belongs to the network namespace.
ADDRESS = "\0tools of the mirror builds"

_PROGRAM = """#!{python} -SI
import json, os, socket, sys
wanted = {{"tool": {tool!r}, "arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
asked = json.dumps(wanted).encode()
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    socket.send_fds(connection, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    connection.sendall(asked)
    sys.exit((connection.recv(1) or bytes([1]))[0])
"""


# What a build installs, `world.tools` has installed for real with the same commands; pip would take a second to say so.
_PYTHON = """#!/bin/bash
[ "$1 $2 $3" = "-m pip install" ] && exec cat >/dev/null
exec {python} "$@"
"""


def main(folder: Path) -> None:
    """Write the programs into `folder`, then serve them until the namespace ends."""
    import awscli.clidriver  # type: ignore[import-not-found]  # installed beside the tools only
    import git_remote_codecommit  # type: ignore[import-untyped]

    folder.mkdir()
    for tool in TOOLS:
        program = folder / tool
        program.write_text(_PROGRAM.format(python=sys.executable, tool=tool, address=ADDRESS))
        program.chmod(0o755)
    (folder / "python3").write_text(_PYTHON.format(python=sys.executable))
    (folder / "python3").chmod(0o755)
    tools = {"aws": awscli.clidriver.main, "git-remote-codecommit": git_remote_codecommit.main}
    added = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}  # the AWS CLI says there where its own files are
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets the children that end
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(ADDRESS)
        listener.listen(100)
        print("listening", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _serve(connection, tools, added)
            connection.close()


def _serve(connection: socket.socket, tools: dict, added: dict) -> None:  # type: ignore[type-arg]
    """Become the process that a program asks for."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        size, streams, _, _ = socket.recv_fds(connection, 4, 3)
        asked = json.loads(_read(connection, int.from_bytes(size, "big")))
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        os.environ.clear()
        os.environ.update(asked["environment"] | added)
        os.chdir(asked["folder"])
        sys.argv = [asked["tool"], *asked["arguments"]]
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        status = tools[asked["tool"]]() or 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:  # as the interpreter does at the end of a program
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(bytes([status & 255]))
        os._exit(status & 255)


def _read(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += connection.recv(size - len(found)) or sys.exit(1)
    return found


def _end_with(connection: socket.socket) -> None:
    """Kill this process and its children when the program at the other end is gone."""
    if connection.recv(1) == b"":
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
