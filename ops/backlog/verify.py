"""Compares the two ends of every Backlog mirror: heads, tags and the default branch."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from errors.shown import printable, shortened
from settings import Deployment
from settings.backlog import BacklogSettings, MirrorSettings, git_host, source_url, target_name

MOST_NAMED = 10
"""How many refs are named for each kind of difference."""
MOST_DATED = 20
"""How many of the source's refs are fetched to learn their dates."""
_AT_ONCE = 8
_PATIENCE_SECONDS = 2
_DATES_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Refs:
    """What one end of a mirror has: object ids by the full names of its heads and tags, and the default branch."""

    ids: Mapping[str, str]
    default: str | None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Full names of refs, sorted, and the default branches of source and target where they are not the same."""

    missing: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    defaults: tuple[str, str | None] | None = None

    @property
    def lacking(self) -> tuple[str, ...]:
        """The source's refs whose present objects the target does not have under that name."""
        return tuple(sorted(self.missing + self.different))


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Where one mirror comes from and goes to, and the environment in which Git reaches both."""

    key: str
    source: str
    target: str
    host: str
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is printed of one mirror: `report` for standard output, `errors` for standard error."""

    report: str
    errors: tuple[str, ...] = ()
    is_equal: bool = False


class UnreadableError(Exception):
    """One end cannot be read; the text is an error of two lines."""


def verify(deployment: Deployment) -> int:
    """Print how the target of every Backlog mirror compares with its source.

    Exit status: 0 all are equal, 1 one differs or cannot be read.
    """
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    if backlog is None:
        print("nothing to compare: the deployment has no prd.backlog", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory(prefix="kakehashi-") as name, ThreadPoolExecutor(_AT_ONCE) as threads:
        folder = Path(name)
        findings = [
            threads.submit(_finding, ends, folder / f"{number}.git")
            for number, ends in enumerate(_all_ends(deployment, backlog, folder))
        ]
        _wait(findings)
        for finding in (future.result() for future in findings):
            print(finding.report)
            for error in finding.errors:
                print(error, file=sys.stderr)
    return 0 if all(future.result().is_equal for future in findings) else 1


def listed(answer: str) -> Refs:
    """The heads, tags and default branch in what `git ls-remote --symref` printed."""
    ids, default = {}, None
    for line in answer.splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: refs/heads/"):
            default = value.removeprefix("ref: refs/heads/")
        elif name.startswith(("refs/heads/", "refs/tags/")) and not name.endswith("^{}"):
            ids[name] = value
    return Refs(ids=ids, default=default)


def compared(source: Refs, target: Refs) -> Difference:
    """How the target differs. A source whose HEAD names no branch has no default that a target could follow."""
    return Difference(
        missing=tuple(sorted(source.ids.keys() - target.ids.keys())),
        different=tuple(
            sorted(name for name in source.ids.keys() & target.ids.keys() if source.ids[name] != target.ids[name])
        ),
        extra=tuple(sorted(target.ids.keys() - source.ids.keys())),
        defaults=(source.default, target.default)
        if source.default is not None and source.default != target.default
        else None,
    )


def report(key: str, source: Refs, difference: Difference, oldest: str | None) -> str:
    """One line for equal ends, one more for each way they differ; `oldest` dates the oldest ref of the source's."""
    count = f"{len(source.ids)} ref{'' if len(source.ids) == 1 else 's'}"
    if difference == Difference():
        return f"{key}: {count}, equal"
    lines = [f"{key}: {count}, DIFFERS"]
    for what, names in (
        ("missing in the target", difference.missing),
        ("different in the target", difference.different),
        ("only in the target", difference.extra),
    ):
        if names:
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            lines.append(f"  {what}: {', '.join(printable(name) for name in names[:MOST_NAMED])}{more}")
    if difference.defaults is not None:
        there, here = difference.defaults
        branch = "none" if here is None else printable(here)
        lines.append(f"  default branch: {printable(there)} in the source, {branch} in the target")
    lines.append(f"  since: {_since(difference, oldest)}")
    return "\n".join(lines)


def _since(difference: Difference, oldest: str | None) -> str:
    if not difference.lacking:
        return "not known, Git keeps no date of a deletion or of a change of the default branch"
    if oldest is None:
        return "not known, the dates of the source's commits cannot be read"
    some = f" of the first {MOST_DATED}" if len(difference.lacking) > MOST_DATED else ""
    return f"the oldest tip{some} that the target lacks is of {oldest}; Git does not say when it was pushed"


def unreadable(ends: Ends, url: str, said: str) -> UnreadableError:
    """The error for an end at which Git failed, saying `said`. No URL in it keeps its credentials."""
    is_source = url == ends.source
    end = "source" if is_source else "target"
    if is_source and "Host key verification failed" in said:
        what = f"{ends.host} shows a host key that is not pinned"
        hint = (
            "somebody may be in between; if Backlog has new keys, compare their fingerprints by eye before pinning "
            f"them: python main.py host-key {ends.host}"
        )
    elif is_source and "Permission denied" in said:
        what = f"{ends.host} refuses your SSH keys"
        hint = "register a public key with a Backlog user who may read the repository, and load it with ssh-add"
    elif "'remote-codecommit' is not a git command" in said or "remote helper for 'codecommit'" in said:
        what = "Git does not find git-remote-codecommit"
        hint = "install it, for example with: pipx install git-remote-codecommit"
    else:
        what = _gist(said)
        hint = (
            f"try it by hand: git ls-remote {url}"
            if is_source
            else f"your AWS credentials need codecommit:GitPull on it; try it by hand: git ls-remote {url}"
        )
    return UnreadableError(f"error: {ends.key}: the {end} cannot be read: {what}\nhint: {hint}")


def _gist(said: str) -> str:
    """The line of Git's messages that tells most, without credentials: git-remote-codecommit puts them into URLs."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["Git failed and did not say why"]
    telling = next((line for line in lines if re.match("(fatal|error|ssh): ", line)), lines[-1])
    return printable(shortened(re.sub(r"://\S*@", "://…@", telling)))


def _all_ends(deployment: Deployment, backlog: BacklogSettings, folder: Path) -> list[Ends]:
    """The ends of every mirror; writes what is pinned for each space into a file in `folder`."""
    environments = {}
    for name, space in backlog.spaces.items():
        known_hosts = folder / f"{name}.known_hosts"
        known_hosts.write_text("".join(f"{line}\n" for line in space.known_hosts))
        environments[name] = _environment(known_hosts)
    return [
        Ends(
            key=key,
            source=source_url(backlog, mirror),
            target=target_url(deployment, mirror),
            host=git_host(backlog, mirror),
            environment=environments[mirror.space],
        )
        for key, mirror in backlog.repositories.items()
    ]


def target_url(deployment: Deployment, mirror: MirrorSettings) -> str:
    """Where a mirror's builds push to, with the production account's profile if it has one."""
    profile = deployment.prd.account.profile if deployment.prd is not None else None
    user = f"{profile}@" if profile else ""
    return f"codecommit::{deployment.region}://{user}{target_name(mirror)}"


def _environment(known_hosts: Path) -> dict[str, str]:
    """People's own SSH keys and AWS credentials, but only pinned host keys, and never a question."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f'"{known_hosts}"',
        # What else people's own configuration may trust: other files, a program, DNS, a connection that stands open.
        "GlobalKnownHostsFile": "/dev/null",
        "KnownHostsCommand": "none",
        "VerifyHostKeyDNS": "no",
        "NoHostAuthenticationForLocalhost": "no",
        "ControlPath": "none",
        "UpdateHostKeys": "no",
        "ConnectTimeout": "30",
        "ServerAliveInterval": "15",
    }
    command = ["ssh", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    repository = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
    return {name: value for name, value in os.environ.items() if name not in repository} | {
        "GIT_SSH_COMMAND": shlex.join(command),
        "GIT_SSH_VARIANT": "ssh",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_HTTP_LOW_SPEED_LIMIT": "1",
        "GIT_HTTP_LOW_SPEED_TIME": "60",
        "LC_ALL": "C",
        "TZ": "UTC",
    }


def _finding(ends: Ends, copy: Path) -> Finding:
    """Compare one mirror's ends; `copy` is where a repository may be made for it."""
    read: list[Refs] = []
    errors: list[str] = []
    # The target first: what it has and the source, asked later, has not, was deleted there.
    for url in (ends.target, ends.source):
        try:
            read.append(_refs(ends, url))
        except UnreadableError as error:
            errors.append(str(error))
    if errors:
        return Finding(report=f"{ends.key}: not compared", errors=tuple(errors))
    target, source = read
    difference = compared(source, target)
    oldest = _oldest(ends, difference.lacking[:MOST_DATED], copy) if difference.lacking else None
    return Finding(report=report(ends.key, source, difference, oldest), is_equal=difference == Difference())


def _refs(ends: Ends, url: str) -> Refs:
    try:
        ran = subprocess.run(  # noqa: S603
            ["git", "ls-remote", "--symref", "--", url],  # noqa: S607
            env=dict(ends.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except FileNotFoundError:
        raise UnreadableError(f"error: {ends.key}: git is not installed\nhint: install Git 2.39 or newer") from None
    if ran.returncode != 0:
        raise unreadable(ends, url, ran.stderr)
    return listed(ran.stdout)


def _oldest(ends: Ends, names: Sequence[str], copy: Path) -> str | None:
    """The date of the oldest commit or annotated tag that the source's refs hold, or None where it cannot be read.

    Only the commits themselves are fetched; a server that cannot do that sends their files too, for as long as we wait.
    """

    def git(*arguments: str, given: str = "") -> str:
        # Into a file: whatever outlives a Git that was stopped would keep a pipe open.
        with tempfile.TemporaryFile() as output:
            subprocess.run(  # noqa: S603
                ["git", "-C", str(copy), *arguments],  # noqa: S607
                env=dict(ends.environment),
                input=given.encode(errors="surrogateescape"),
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=_DATES_SECONDS,
                check=True,
            )
            output.seek(0)
            return output.read().decode()

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


def _wait(findings: "Sequence[Future[Finding]]") -> None:
    """Wait for all, and say how far it is when that takes long."""
    pending = wait(findings, timeout=_PATIENCE_SECONDS).not_done
    while pending:
        print(f"{len(findings) - len(pending)} of {len(findings)} repositories compared", file=sys.stderr)
        pending = wait(pending, return_when=FIRST_COMPLETED).not_done
