"""The ends of a mirror on this machine: a source behind a stand-in for ssh, and a target as narrow as CodeCommit."""

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from buildspec.mirror.model import Change, Listing, Push
from buildspec.mirror.relay import relay
from buildspec.mirror.retries import Timeouts
from buildspec.mirror.source import Source
from buildspec.mirror.target import Target
from tests.buildspec.mirror.narrow_target import PASSWORD, NarrowTarget

QUICK = Timeouts(connect=2, silence=20, answer=20)
SSH = """#!/bin/sh
printf '%s\\n' "$@" >"$0.arguments"
env >"$0.environment"
for command; do :; done
exec sh -c "$command"
"""
LISTING = """#!/bin/sh
for command; do :; done
eval "set -- $command"
git upload-pack --advertise-refs "$2"
"""
"""The beginning of another ssh, which lists the refs."""
TOKEN = "AKIAEXAMPLE%session-token"
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.fsync",
    "GIT_CONFIG_VALUE_0": "none",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "c",
    "GIT_COMMITTER_EMAIL": "c@example.com",
}


def git(repository: Path, *arguments: str, input: bytes = b"") -> bytes:
    """What a command of Git prints in that repository."""
    return subprocess.run(
        ["git", "-C", repository, *arguments], env=_ENVIRONMENT, input=input, capture_output=True, check=True
    ).stdout


def empty(repository: Path) -> Path:
    """A new bare repository without refs."""
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    return repository


def commits(ref: str, files: Iterable[tuple[str, bytes]], start: str = "") -> bytes:
    """Text for git fast-import: a commit on `ref` for each file, the first one after `start`, a revision."""
    text = [f"reset {ref}\n".encode(), f"from {start}^0\n\n".encode() if start else b""]
    for name, content in files:
        text.append(b"commit %b\ncommitter c <c@example.com> 1700000000 +0000\ndata 0\n" % ref.encode())
        text.append(b"M 100644 inline %b\ndata %d\n%b\n" % (name.encode(), len(content), content))
    return b"".join(text)


def add(repository: Path, *texts: bytes) -> None:
    """Add what texts for git fast-import say, one after the other."""
    for text in texts:
        git(repository, "fast-import", "--quiet", "--force", input=text)


def pack_tags(repository: Path, tags: Mapping[str, bytes]) -> None:
    """Add lightweight tags, as many as one likes."""
    git(repository, "pack-refs", "--all")
    header, *lines = (repository / "packed-refs").read_bytes().splitlines(keepends=True)
    lines += [b"%b refs/tags/%b\n" % (value, name.encode()) for name, value in tags.items()]
    lines.sort(key=lambda line: line[41:])
    (repository / "packed-refs").write_bytes(header + b"".join(lines))


def refs(repository: Path) -> dict[bytes, bytes]:
    """The heads and tags of a repository."""
    lines = git(repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
    return {line.split()[0]: line.split()[1] for line in lines.splitlines()}


def changes(source: Mapping[bytes, bytes], target: Mapping[bytes, bytes]) -> list[Change]:
    """All that differs, in no order that would matter to Git."""
    gone = [Change(ref, target[ref], None) for ref in target if ref not in source]
    return gone + [Change(ref, target.get(ref), new) for ref, new in source.items() if target.get(ref) != new]


class Passing:
    """An inspector that has no objection, and keeps what it sees."""

    def __init__(self) -> None:
        self.pack = b""
        self.finished = False

    def feed(self, chunk: bytes) -> None:
        self.pack += chunk

    def finish(self) -> None:
        self.finished = True


@dataclass
class Ends:
    """A source and a target repository, and what connects to them."""

    source: Path
    target: Path
    server: NarrowTarget
    ssh: Path
    source_timeouts: Timeouts = QUICK
    target_timeouts: Timeouts = QUICK

    def connect_source(self) -> Source:
        folder = self.source.parent
        return Source(
            "example.git.backlog.jp",
            "example",
            str(self.source),
            str(folder / "key"),
            str(folder / "known_hosts"),
            self.source_timeouts,
        )

    def connect_target(self) -> Target:
        return Target(
            "ap-northeast-1",
            self.target.name,
            lambda: (TOKEN, PASSWORD),
            timeouts=self.target_timeouts,
            connect=self.server.connect,
        )

    def mirror(
        self,
        inspector: Passing | None = None,
        choose: Callable[[Listing, Listing], list[Change]] | None = None,
    ) -> dict[bytes, str | None]:
        """One push with everything that differs, or with what `choose` says of both listings."""
        target = self.connect_target()
        listing = target.list()
        with closing(self.connect_source().open(listing)) as session:
            wanted = choose(session.listing, listing) if choose else changes(session.listing.refs, listing.refs)
            return relay(session, target, Push(tuple(wanted)), listing, inspector or Passing())

    def whole(self) -> bool:
        """Whether the target has the source's refs with all their objects."""
        git(self.target, "fsck", "--strict", "--connectivity-only")
        return refs(self.source) == refs(self.target)
