"""Reads the refs at the source and at the target of a Backlog mirror with Git."""

import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import RefusedError, refused
from ops.backlog import bridge
from ops.backlog.refs import MirrorRefs, parse
from settings import Deployment
from settings.backlog import MirrorSettings, git_host, mirrors, source_url, target_name

SCRIPTS = sysconfig.get_path("scripts")
"""The folder of the programs that are installed beside this Python, such as git-remote-codecommit."""
TARGET_SERVER = "CodeCommit"
UNREACHED = "see that this machine reaches it, then run the command again"
"""What to do about a server that did not answer."""
_LISTING_SECONDS: float = 120
_DATES_SECONDS = 60
_SSH_FAILED = 255
"""The exit status of `ssh` when it did not get as far as the command on the server."""


class UnansweredError(RefusedError):
    """A server did not answer. It may not answer others either."""


@dataclass(frozen=True, kw_only=True)
class MirrorEnds:
    """Where one mirror comes from and goes to. Git runs with its `environment`, and leaves files in its `folder`."""

    key: str
    source: str
    target: str
    host: str
    pinned: tuple[str, ...]
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The user's own SSH keys and AWS credentials, but only pinned host keys, and no questions."""
        repository = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
        return {name: value for name, value in os.environ.items() if name not in repository} | {
            # Last, so that the user's own programs are found first.
            "PATH": f"{os.environ.get('PATH') or os.defpath}{os.pathsep}{SCRIPTS}",
            "GIT_SSH_COMMAND": _ssh_command(self),
            "GIT_SSH_VARIANT": "ssh",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_HTTP_LOW_SPEED_LIMIT": "1",
            "GIT_HTTP_LOW_SPEED_TIME": "60",
            "LC_ALL": "C",
            "TZ": "UTC",
        }

    @property
    def host_key(self) -> str | None:
        """The type and key that the source's server showed in the last connection; None where it showed none."""
        file = self.folder / "host_key"
        return file.read_text(encoding="utf-8").strip() if file.exists() else None

    @property
    def ssh_status(self) -> int:
        """The exit status of `ssh` in the last connection to the source."""
        file = self.folder / "ssh_status"
        return int(file.read_text(encoding="utf-8")) if file.exists() else 0


def all_ends(deployment: Deployment, folder: Path) -> list[MirrorEnds]:
    """The ends of every mirror, each with a folder of its own in `folder`."""
    backlog = bridge(deployment)
    ends = [
        MirrorEnds(
            key=key,
            source=source_url(backlog, mirror),
            target=target_url(deployment, mirror),
            host=git_host(backlog, mirror),
            pinned=backlog.spaces[mirror.space].known_hosts,
            folder=folder / key,
        )
        for key, mirror in mirrors(backlog).items()
    ]
    for each in ends:
        each.folder.mkdir()
        (each.folder / "known_hosts").write_text("".join(f"{line}\n" for line in each.pinned), encoding="utf-8")
    return ends


def target_url(deployment: Deployment, mirror: MirrorSettings) -> str:
    """Where a mirror's builds push to, with the production account's profile if it has one."""
    profile = deployment.prd.account.profile if deployment.prd is not None else None
    user = f"{profile}@" if profile else ""
    return f"codecommit::{deployment.region}://{user}{target_name(mirror)}"


def read_target(ends: MirrorEnds) -> MirrorRefs:
    """The refs of the target. Raises RefusedError where it cannot be read."""
    listed = _list(ends, "target", ends.target, TARGET_SERVER)
    if listed.returncode == 0:
        return parse(listed.stdout)
    if not _has_remote_helper(ends):
        what = "Git does not find git-remote-codecommit"
        raise _unreadable(ends, "target", what, "install it, for example with: pipx install git-remote-codecommit")
    hint = f"your AWS credentials need codecommit:GitPull on it; try it by hand: git ls-remote {ends.target}"
    raise _unreadable(ends, "target", _gist(listed.stderr), hint)


def read_source(ends: MirrorEnds) -> MirrorRefs:
    """The refs of the source. Raises RefusedError where it cannot be read."""
    listed = _list(ends, "source", ends.source, ends.host)
    if listed.returncode == 0:
        return parse(listed.stdout)
    shown = ends.host_key
    if shown is not None and shown not in {line.split(" ", 1)[1] for line in ends.pinned}:
        what = f"{ends.host} shows a host key that is not pinned"
        hint = (
            "somebody may be in between; if Backlog has new keys, compare their fingerprints by eye before pinning "
            f"them: python main.py host-key {ends.host}"
        )
    elif shown is not None and ends.ssh_status == _SSH_FAILED:
        what = f"{ends.host} refuses your SSH keys, or ended the connection"
        hint = "register a public key with a Backlog user who may read the repository, and load it with ssh-add"
    else:
        what, hint = _gist(listed.stderr), f"try it by hand: git ls-remote {ends.source}"
        if shown is None and ends.ssh_status == _SSH_FAILED:
            raise UnansweredError(_unreadable(ends, "source", what, hint).problems)
    raise _unreadable(ends, "source", what, hint)


def oldest_tip(ends: MirrorEnds, names: Sequence[str]) -> str | None:
    """The date of the oldest commit or annotated tag among these refs of the source; None where it cannot be read.

    Only the commits are fetched. A server that cannot leave out their files sends these too, until the time is over.
    """
    copy = ends.folder / "copy.git"
    environment = ends.environment

    def git(*arguments: str, given: str = "") -> str:
        done = _git("-C", str(copy), *arguments, environment=environment, seconds=_DATES_SECONDS, given=given)
        done.check_returncode()
        return done.stdout

    wanted = "".join(f"+{name}:{name}\n" for name in names)
    fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--depth=1", "--filter=tree:0")
    copy.mkdir()
    try:
        git("init", "--quiet", "--bare", "--template=")
        git(*fetch, "--stdin", ends.source, given=wanted)
        dates = git("for-each-ref", "--format=%(creatordate:unix) %(creatordate:format-local:%Y-%m-%d %H:%M UTC)")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    dated = [line.split(" ", 1) for line in dates.splitlines() if line.strip()]
    return min(dated, key=lambda date: int(date[0]))[1] if dated else None


def _ssh_command(ends: MirrorEnds) -> str:
    """`ssh`, which records the host key that it was shown and its exit status in the mirror's folder."""
    record_key = """/bin/sh -c 'test "$1" != HOSTNAME || echo "$2 $3" >"$0"'"""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f'"{ends.folder / "known_hosts"}"',
        # It prints no key, so it makes none trusted.
        "KnownHostsCommand": f'{record_key} "{ends.folder / "host_key"}" %I %t %K',
        # What the user's own configuration may trust: other files, DNS, a connection that is open already.
        "GlobalKnownHostsFile": "/dev/null",
        "VerifyHostKeyDNS": "no",
        "NoHostAuthenticationForLocalhost": "no",
        "ControlPath": "none",
        "UpdateHostKeys": "no",
        "ConnectTimeout": "30",
        "ServerAliveInterval": "15",
    }
    ssh = ["ssh", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    record_status = '"$@"; status=$?; echo $status >"$0"; exit $status'
    return shlex.join(["sh", "-c", record_status, str(ends.folder / "ssh_status"), *ssh])


def _list(ends: MirrorEnds, end: str, url: str, server: str) -> "subprocess.CompletedProcess[str]":
    arguments = ("ls-remote", "--symref", "--", url)
    try:
        return _git(*arguments, environment=ends.environment, seconds=_LISTING_SECONDS)
    except FileNotFoundError:
        raise refused(ends.key, "git is not installed", "install Git 2.39 or newer") from None
    except subprocess.TimeoutExpired:
        what = f"{server} did not answer within {_LISTING_SECONDS:g} s"
        raise UnansweredError(_unreadable(ends, end, what, UNREACHED).problems) from None


def _git(
    *arguments: str, environment: Mapping[str, str], seconds: float, given: str = ""
) -> "subprocess.CompletedProcess[str]":
    # Into files: a process that outlives a stopped Git would keep a pipe open.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as messages:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            env=environment,
            input=given.encode(errors="surrogateescape"),
            stdout=output,
            stderr=messages,
            timeout=seconds,
            check=False,
        )
        texts = []
        for file in (output, messages):
            file.seek(0)
            texts.append(file.read().decode(errors="surrogateescape"))
    return subprocess.CompletedProcess(done.args, done.returncode, *texts)


def _has_remote_helper(ends: MirrorEnds) -> bool:
    command, environment = ["git", "--exec-path"], ends.environment
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True)  # noqa: S603
    folder = done.stdout.strip()
    return shutil.which("git-remote-codecommit", path=f"{folder}{os.pathsep}{environment['PATH']}") is not None


def _unreadable(ends: MirrorEnds, end: str, what: str, hint: str) -> RefusedError:
    return refused(ends.key, f"the {end} cannot be read: {what}", hint)


def _gist(messages: str) -> str:
    """The most informative line of Git's messages."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()] or ["Git failed without a message"]
    return next((line for line in lines if re.match("(fatal|error|ssh): ", line)), lines[-1])
