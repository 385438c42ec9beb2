import base64
import hashlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from errors import RefusedError
from ops.backlog.host_keys import CAUTION, is_host_name, show
from ops.backlog.ssh_keys import described
from tests.ops.backlog.sshd import TOOLS, sshd

KINDS = {"ed25519": "ED25519", "ecdsa": "ECDSA", "rsa": "RSA"}


@pytest.mark.parametrize("name", ["example.git.backlog.jp", "localhost", "127.0.0.1", "a-b.c"])
def test_accepts_host_names(name: str) -> None:
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
def test_rejects_names_that_ssh_could_read_as_an_option_or_a_user(text: str) -> None:
    assert not is_host_name(text)


def _refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


@contextmanager
def _answering(answer: bytes) -> Iterator[int]:
    """A server on loopback that sends this and closes the connection; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(answer)
                connection.recv(1000)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def _key_exchange(host_keys: bytes) -> bytes:
    """The beginning of an SSH connection: a server's version, and the algorithms that it offers."""
    lists = [b"curve25519-sha256", host_keys, *[b"none"] * 8]
    message = b"\x14" + bytes(16) + b"".join(len(names).to_bytes(4) + names for names in lists) + bytes(5)
    return b"SSH-2.0-x\r\n" + (len(message) + 1).to_bytes(4) + bytes(1) + message


def test_refuses_a_wrong_host_name_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RefusedError) as caught:
        show("-oProxyCommand=x", 22)
    assert (caught.value.status, str(caught.value)) == (
        2,
        "error: HOST: '-oProxyCommand=x' is not a host name\n"
        "hint: write the host of the space's Git server, for example example.git.backlog.jp",
    )


def test_refuses_where_ssh_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with _answering(_key_exchange(b"ssh-ed25519")) as port:
        said = _refusal(lambda: show("127.0.0.1", port))
    assert said == "error: ssh: not installed\nhint: install OpenSSH's client programs"


def test_refuses_a_server_without_a_kind_of_key_that_can_be_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with _answering(b"Hello.\r\n" + _key_exchange(b"ssh-dss,sk-ssh-ed25519@openssh.com")) as port:
        said = _refusal(lambda: show("127.0.0.1", port))
    assert said == (
        f"error: 127.0.0.1:{port}: the server has no Ed25519, ECDSA or RSA host key\n"
        "hint: check the name; Backlog's servers have one"
    )


def test_refuses_a_server_that_does_not_speak_ssh() -> None:
    with _answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        said = _refusal(lambda: show("127.0.0.1", port))
    assert said == f"error: 127.0.0.1:{port}: the server does not speak SSH\nhint: check the name and the port"


@pytest.mark.tool("ssh")
def test_refuses_when_a_kind_that_the_server_offers_cannot_be_read() -> None:
    with _answering(_key_exchange(b"ssh-ed25519,rsa-sha2-512")) as port:
        said = _refusal(lambda: show("127.0.0.1", port))
    assert said.startswith(f"error: 127.0.0.1:{port}: ")
    assert said.endswith(f"hint: check the name, and that this network lets SSH out on port {port}")


def test_refuses_a_server_that_does_not_answer() -> None:
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        said = _refusal(lambda: show("127.0.0.1", port))
    assert said == (
        f"error: 127.0.0.1:{port}: Connection refused\n"
        f"hint: check the name, and that this network lets SSH out on port {port}"
    )


def _expected(folder: Path, kind: str, port: int) -> tuple[str, str]:
    """The fingerprint and the line for known_hosts, computed from the key."""
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
    pytestmark = TOOLS

    def test_prints_each_kind_of_key_with_its_fingerprint(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with sshd(tmp_path, list(KINDS)) as port:
            show("127.0.0.1", port)
        out, err = capsys.readouterr()
        assert _printed(out) == [_expected(tmp_path, kind, port) for kind in KINDS]
        assert err == f"{CAUTION}\n"

    def test_prints_one_key_where_the_server_has_one(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with sshd(tmp_path, ["rsa"]) as port:
            show("127.0.0.1", port)
        assert _printed(capsys.readouterr().out) == [_expected(tmp_path, "rsa", port)]


@pytest.mark.tool("ssh-keygen")
@pytest.mark.parametrize("kind", KINDS)
def test_describes_a_key_as_ssh_keygen_does(tmp_path: Path, kind: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "c", "-f", tmp_path / kind], check=True)
    command = ["ssh-keygen", "-l", "-f", str(tmp_path / f"{kind}.pub")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert described((tmp_path / f"{kind}.pub").read_text()) == printed.strip().replace(" c ", " ")
