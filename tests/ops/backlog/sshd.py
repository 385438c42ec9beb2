"""A real SSH server on loopback."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

TOOLS = [pytest.mark.tool(tool) for tool in ("ssh", "ssh-keygen", "sshd")]


@contextmanager
def sshd(folder: Path, kinds: Sequence[str], *settings: str) -> Iterator[int]:
    """A server with a host key of each kind, in `folder`; gives its port. It accepts no login by default."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    for kind in kinds:
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", folder / kind], check=True)
    keys = [f"HostKey {folder / kind}" for kind in kinds]
    config = folder / "sshd_config"
    fixed = [f"Port {port}", "ListenAddress 127.0.0.1", "PidFile none", "StrictModes no", "UsePAM no"]
    config.write_text("\n".join([*fixed, *keys, *settings, ""]))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd")
    assert program
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", config], stderr=log)
    try:
        for _ in range(100):
            if "listening" in (folder / "log").read_text():
                break
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield port
    finally:
        server.kill()
        server.wait()
