import base64
import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.backlog.host_keys import CAUTION, host_key, is_host_name

NEEDED = [pytest.mark.tool(tool) for tool in ("ssh", "ssh-keygen", "sshd")]
KINDS = {"ed25519": "ED25519", "ecdsa": "ECDSA", "rsa": "RSA"}


@pytest.mark.parametrize("name", ["example.git.backlog.jp", "localhost", "127.0.0.1", "a-b.c"])
def test_host_names_are_taken(name: str) -> None:
    assert is_host_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-oProxyCommand=x",
        "-v",
        "user@host",
        "host;x",
        "host x",
        "host\n",
        "ssh://host",
        "a..b",
        ".a",
        "a.-b",
        "a-.b",
        "host:22",
        "[host]",
        "%h",
        "é.jp",
        f"{'a' * 64}.jp",
        ".".join(["a" * 50] * 6),
    ],
)
def test_what_ssh_could_take_for_something_else_is_not_a_host_name(text: str) -> None:
    assert not is_host_name(text)


def test_what_is_not_a_host_name_is_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert host_key("-oProxyCommand=x", 22) == 2
    assert capsys.readouterr() == (
        "",
        "error: SPACE_HOST: '-oProxyCommand=x' is not a host name\n"
        "hint: write the host of the space's Git server, for example example.git.backlog.jp\n",
    )


def test_a_machine_without_ssh_is_told_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert host_key("localhost", 22) == 1
    assert capsys.readouterr().err == "error: ssh: not installed\nhint: install OpenSSH's client programs\n"


@contextlib.contextmanager
def _sshd(folder: Path, kinds: list[str]) -> Iterator[int]:
    """A server on loopback with a host key of each kind; gives its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    for kind in kinds:
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", folder / kind], check=True)
    keys = "".join(f"HostKey {folder / kind}\n" for kind in kinds)
    config = folder / "sshd_config"
    config.write_text(f"Port {port}\nListenAddress 127.0.0.1\n{keys}PidFile none\nStrictModes no\nUsePAM no\n")
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


def _expected(folder: Path, kind: str, port: int) -> tuple[str, str]:
    """The fingerprint and the line of known_hosts, made from the key itself."""
    name, key = (folder / f"{kind}.pub").read_text().split()[:2]
    digest = base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode().rstrip("=")
    return f"SHA256:{digest} ({KINDS[kind]})", f"[127.0.0.1]:{port} {name} {key}"


def _printed(text: str) -> list[tuple[str, str]]:
    """The printed pairs; the number of bits is left out of the fingerprint."""
    lines = text.splitlines()
    return [
        (comment.removeprefix("# ").split(" ", 1)[1], line)
        for comment, line in zip(lines[::2], lines[1::2], strict=True)
    ]


class TestRealServer:
    pytestmark = NEEDED

    def test_each_kind_of_key_is_printed_with_its_fingerprint(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with _sshd(tmp_path, list(KINDS)) as port:
            assert host_key("127.0.0.1", port) == 0
        out, err = capsys.readouterr()
        assert _printed(out) == [_expected(tmp_path, kind, port) for kind in KINDS]
        assert err == f"{CAUTION}\n"

    def test_a_server_with_one_kind_of_key_is_no_failure(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with _sshd(tmp_path, ["rsa"]) as port:
            assert host_key("127.0.0.1", port) == 0
        assert _printed(capsys.readouterr().out) == [_expected(tmp_path, "rsa", port)]


@pytest.mark.tool("ssh")
def test_a_server_that_does_not_answer_gives_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert host_key("127.0.0.1", port) == 1
    assert capsys.readouterr() == (
        "",
        f"error: 127.0.0.1:{port}: connect to host 127.0.0.1 port {port}: Connection refused\n"
        f"hint: check the name, and that this network lets SSH out on port {port}\n",
    )
