"""Asks an SSH server for its host keys, as lines of known_hosts that people check before they pin them."""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from errors.shown import printable, shortened, shown

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# A server proves one key in each connection. These are the kinds that a deployment file can pin.
_KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
    "rsa-sha2-512,rsa-sha2-256",
)

CAUTION = (
    "These are the keys of whoever answered, which may be somebody in between. Each line is only as good as your "
    "comparison of its\nfingerprint with one that you got another way, for example from Backlog's own pages or from "
    "somebody who has pinned it."
)


@dataclass(frozen=True, kw_only=True)
class HostKey:
    """One key: its line of known_hosts, and what `ssh-keygen -l` says of it, such as `256 SHA256:… (ED25519)`."""

    line: str
    fingerprint: str


class HostKeyError(Exception):
    """The server gave no key; the text is an error of two lines."""


def host_key(host: str, port: int) -> int:
    """Print a server's host keys, ready to pin. Exit status: 0 done, 1 no key, 2 not a host name."""
    if not is_host_name(host):
        print(
            f"error: SPACE_HOST: {shown(host)} is not a host name\n"
            "hint: write the host of the space's Git server, for example example.git.backlog.jp",
            file=sys.stderr,
        )
        return 2
    try:
        keys = host_keys(host, port)
    except HostKeyError as error:
        print(error, file=sys.stderr)
        return 1
    for key in keys:
        print(f"# {key.fingerprint}\n{key.line}")
    print(CAUTION, file=sys.stderr)
    return 0


def is_host_name(text: str) -> bool:
    """Whether it is a name of letters, digits, hyphens and dots, which `ssh` cannot take for an option or a user."""
    return len(text) <= 253 and re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", text) is not None


def host_keys(host: str, port: int) -> list[HostKey]:
    """One key of each kind that the server has. Raises HostKeyError when there is none."""
    keys = []
    with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
        for number, kind in enumerate(_KINDS):
            known_hosts = Path(folder) / str(number)
            said = _connect(host, port, kind, known_hosts)
            if known_hosts.exists():
                keys.append(HostKey(line=known_hosts.read_text().strip(), fingerprint=_fingerprint(known_hosts)))
            elif "no matching host key type" not in said:
                raise _failed(host, port, said)
    if not keys:
        raise HostKeyError(
            f"error: {host}:{port}: the server has no Ed25519, ECDSA or RSA host key\n"
            "hint: check the name; Backlog's servers have one"
        )
    return keys


def _connect(host: str, port: int, kind: str, known_hosts: Path) -> str:
    """Have `ssh` write the server's key into a file of its own, and go no further; returns what it said."""
    options = {
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": f'"{known_hosts}"',
        "GlobalKnownHostsFile": "/dev/null",
        "HashKnownHosts": "no",
        "HostKeyAlgorithms": kind,
        "BatchMode": "yes",
        "PreferredAuthentications": "none",
        "ConnectTimeout": "15",
        "ConnectionAttempts": "1",
    }
    given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    # Without people's own configuration, which may send the connection elsewhere under this name.
    command = ["ssh", "-F", "/dev/null", *given, "-p", str(port), "-l", "nobody", "--", host, "true"]
    return _run(command).stderr


def _fingerprint(known_hosts: Path) -> str:
    printed = _run(["ssh-keygen", "-l", "-E", "sha256", "-f", str(known_hosts)]).stdout
    match = re.fullmatch(r"(\d+) (SHA256:\S+) .*(\(\S+\))\s*", printed)
    if match is None:
        raise HostKeyError("error: ssh-keygen: it gives no fingerprint for the key\nhint: install OpenSSH 7.6 or newer")
    return " ".join(match.groups())


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False, timeout=60
        )
    except FileNotFoundError:
        raise HostKeyError(f"error: {command[0]}: not installed\nhint: install OpenSSH's client programs") from None
    except subprocess.TimeoutExpired:
        raise HostKeyError(
            f"error: {command[0]}: no end after 60 seconds\nhint: check the name and the network, and try again"
        ) from None


def _failed(host: str, port: int, said: str) -> HostKeyError:
    lines = said.strip().splitlines() or ["ssh failed and did not say why"]
    why = printable(shortened(lines[-1].removeprefix("ssh: ")))
    return HostKeyError(
        f"error: {host}:{port}: {why}\nhint: check the name, and that this network lets SSH out on port {port}"
    )
