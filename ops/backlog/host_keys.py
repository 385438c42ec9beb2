"""Asks an SSH server for its host keys, as lines of known_hosts that people compare before they pin them."""

import re
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from errors import WRONG_USAGE, refused
from errors.shown import shown
from ops.backlog.ssh_keys import described

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TIMEOUT_SECONDS = 15
_LARGEST_PACKET = 35_000

_KINDS = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)
"""The algorithms of each kind of key that a deployment file can pin. A connection shows one key."""

CAUTION = (
    "These keys came from the machine that answered, and a machine in between may have answered. Before you pin a "
    "line, compare its\nfingerprint with one that you got another way, for example from Backlog's own pages or from "
    "somebody who has pinned it."
)


@dataclass(frozen=True, kw_only=True)
class HostKey:
    """One key: its line of known_hosts, and its fingerprint as `ssh-keygen -l` prints it."""

    line: str
    fingerprint: str


def show(host: str, port: int) -> None:
    """Print a server's host keys, ready to pin. Raises RefusedError where there is none."""
    if not is_host_name(host):
        raise refused(
            "HOST",
            f"{shown(host)} is not a host name",
            "write the host of the space's Git server, for example example.git.backlog.jp",
            status=WRONG_USAGE,
        )
    for key in host_keys(host, port):
        print(f"# {key.fingerprint}\n{key.line}")
    print(CAUTION, file=sys.stderr)


def is_host_name(text: str) -> bool:
    """Whether it is a name of letters, digits, hyphens and dots, which `ssh` cannot mistake for an option or a user."""
    return len(text) <= 253 and re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", text) is not None


def host_keys(host: str, port: int) -> list[HostKey]:
    """One key of each kind that the server has. Raises RefusedError where it has none or does not answer."""
    offered = _offered_algorithms(host, port)
    kinds = [kind for kind in _KINDS if not offered.isdisjoint(kind)]
    if not kinds:
        raise refused(
            f"{host}:{port}",
            "the server has no Ed25519, ECDSA or RSA host key",
            "check the name; Backlog's servers have one",
        )
    lines = [_line(host, port, ",".join(kind)) for kind in kinds]
    return [HostKey(line=line, fingerprint=described(line.split(" ", 1)[1])) for line in lines]


def _offered_algorithms(host: str, port: int) -> set[str]:
    """The host key algorithms in the server's first packet, SSH_MSG_KEXINIT (RFC 4253, sections 4.2, 6 and 7.1)."""
    try:
        with socket.create_connection((host, port), _TIMEOUT_SECONDS) as connection:
            connection.sendall(b"SSH-2.0-kakehashi\r\n")
            answer = connection.makefile("rb")
            while not (line := answer.readline(256)).startswith(b"SSH-"):
                if not line:
                    raise refused(f"{host}:{port}", "the server does not speak SSH", "check the name and the port")
            packet = answer.read(min(int.from_bytes(answer.read(4)), _LARGEST_PACKET))
    except OSError as error:
        hint = f"check the name, and that this network lets SSH out on port {port}"
        raise refused(f"{host}:{port}", error.strerror or "the connection timed out", hint) from None
    # The length of the padding, the message's number, 16 random bytes, then lists of names after their lengths.
    exchanges_end = 22 + int.from_bytes(packet[18:22])
    names_start = exchanges_end + 4
    names = packet[names_start : names_start + int.from_bytes(packet[exchanges_end:names_start])]
    return set(names.decode("ascii", "replace").split(","))


def _line(host: str, port: int, algorithms: str) -> str:
    """The line of known_hosts that `ssh` writes for the server's key. It does not log in."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
        known_hosts = Path(folder) / "known_hosts"
        options = {
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": f'"{known_hosts}"',
            "GlobalKnownHostsFile": "/dev/null",
            "HashKnownHosts": "no",
            "HostKeyAlgorithms": algorithms,
            "BatchMode": "yes",
            "PreferredAuthentications": "none",
            "ConnectTimeout": str(_TIMEOUT_SECONDS),
            "ConnectionAttempts": "1",
        }
        given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        # The user's own configuration could lead this name to another server.
        printed = _run(["ssh", "-F", "/dev/null", *given, "-p", str(port), "-l", "nobody", "--", host, "true"])
        if known_hosts.exists():
            return known_hosts.read_text(encoding="utf-8").strip()
    why = (printed.strip().splitlines() or ["ssh failed without a message"])[-1].removeprefix("ssh: ")
    hint = f"check the name, and that this network lets SSH out on port {port}"
    raise refused(f"{host}:{port}", why, hint)


def _run(command: list[str]) -> str:
    """Run `ssh`, and return what it printed on its standard error."""
    try:
        done = subprocess.run(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=60,
        )
    except FileNotFoundError:
        raise refused(command[0], "not installed", "install OpenSSH's client programs") from None
    except subprocess.TimeoutExpired:
        hint = "check the name and the network, and try again"
        raise refused(command[0], "still running after 60 seconds", hint) from None
    return done.stderr
