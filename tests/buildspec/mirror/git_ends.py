"""Two real repositories, a target that is Git's own receive-pack over pipes, and a copy between them."""

import itertools
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from buildspec.mirror.copies import Copy, CopySettings, kept_places
from buildspec.mirror.git import Remote
from buildspec.mirror.model import Change, Listing, Push

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    **{f"GIT_{who}_DATE": "1700000000 +0000" for who in ("AUTHOR", "COMMITTER")},
}
_NUMBERS = itertools.count()
NONE = b"0" * 40


def git(repository: Path, *arguments: str, given: bytes = b"", **environment: str) -> bytes:
    """What the real Git answers in a repository."""
    command = ["git", "-C", str(repository), *arguments]
    run = subprocess.run(command, input=given, capture_output=True, env={**ENVIRONMENT, **environment}, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.strip()


class Repository:
    """A bare repository, with a short way to write its history."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--bare", "--initial-branch=main", "--template=")

    def commit(self, ref: str, files: dict[str, bytes], parents: Sequence[bytes] | None = None) -> bytes:
        """Put a commit that adds or replaces files on a ref, whose commit is its parent unless others are named."""
        if parents is None:
            parents = [commit] if (commit := self.refs().get(ref.encode())) else []
        lines = [b"commit refs/heads/written\ncommitter a <a@example.com> 1700000000 +0000\n"]
        message = f"{next(_NUMBERS)}".encode()
        lines.append(b"data %d\n%b\n" % (len(message), message))
        lines += [b"%b %b\n" % (b"merge" if number else b"from", parent) for number, parent in enumerate(parents)]
        for name, content in files.items():
            lines.append(b"M 100644 inline %b\ndata %d\n%b\n" % (name.encode(), len(content), content))
        git(self.path, "fast-import", "--quiet", "--force", given=b"".join(lines))
        made = git(self.path, "rev-parse", "refs/heads/written")
        git(self.path, "update-ref", "-d", "refs/heads/written")
        git(self.path, "update-ref", ref, made.decode())
        return made

    def history(self, ref: str, length: int, size: int = 0) -> None:
        """Put commits on a ref; each writes another file of so many random bytes."""
        lines = []
        start = self.refs().get(ref.encode())
        for number in range(length):
            lines.append(b"commit %b\ncommitter a <a@example.com> 1700000000 +0000\ndata 1\n.\n" % ref.encode())
            if number == 0 and start:
                lines.append(b"from %b\n" % start)
            content = os.urandom(size) if size else b"%d" % next(_NUMBERS)
            lines.append(b"M 100644 inline file-%d\ndata %d\n%b\n" % (number % 50, len(content), content))
        git(self.path, "fast-import", "--quiet", "--force", given=b"".join(lines))

    def delete(self, ref: str) -> None:
        git(self.path, "update-ref", "-d", ref)

    def refs(self) -> dict[bytes, bytes]:
        lines = git(self.path, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(b" ") for line in lines)

    def fsck(self) -> bytes:
        return git(self.path, "fsck", "--full", "--strict", "--no-dangling")


@dataclass
class PipeTarget:
    """Git's receive-pack, started for each push with these settings."""

    repository: Repository
    settings: tuple[str, ...] = ("repack.useDeltaBaseOffset=false",)
    packs: list[bytes] = field(default_factory=list)
    pushed: list[tuple[Change, ...]] = field(default_factory=list)

    def _start(self) -> subprocess.Popen[bytes]:
        settings = [word for setting in self.settings for word in ("-c", setting)]
        return subprocess.Popen(
            ["git", *settings, "receive-pack", str(self.repository.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )

    def list(self) -> Listing:
        """The refs, and what receive-pack offers."""
        with self._start() as process:
            assert process.stdin
            assert process.stdout
            lines = list(_lines(process.stdout))
            process.stdin.write(b"0000")
        first, _, capabilities = lines[0].partition(b"\0")
        heads = (line.strip().split(b" ", 1) for line in [first, *lines[1:]])
        refs = {name: oid for oid, name in heads if name.startswith(b"refs/")}
        return Listing(refs, None, frozenset(capabilities.split()))

    def push(self, changes: Sequence[Change], pack: Iterable[bytes]) -> dict[bytes, str | None]:
        self.pushed.append(tuple(changes))
        with self._start() as process:
            assert process.stdin
            assert process.stdout
            list(_lines(process.stdout))
            lines = [b"%b %b %b" % (change.old or NONE, change.new or NONE, change.ref) for change in changes]
            lines[0] += b"\0 report-status"
            process.stdin.write(b"".join(b"%04x%b" % (len(line) + 4, line) for line in lines) + b"0000")
            if any(change.new for change in changes):
                self.packs.append(b"".join(pack))
                process.stdin.write(self.packs[-1])
            process.stdin.close()
            report = list(_lines(process.stdout))
        results: dict[bytes, str | None] = {}
        for line in report[1:]:
            kind, ref, *reason = line.strip().split(b" ", 2)
            results[ref] = None if kind == b"ok" else reason[0].decode()
        assert report[0].strip() == b"unpack ok" or None not in results.values()
        return results


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    while (size := int(stream.read(4), 16)) >= 4:
        yield stream.read(size - 4)


@dataclass
class Mirror:
    """A source, a target, and what the copies of its builds said."""

    folder: Path
    source: Repository
    target: PipeTarget
    settings: CopySettings
    said: list[str] = field(default_factory=list)
    bytes_in: int = 0

    def changes(self) -> tuple[Change, ...]:
        """What differs, names in order."""
        had, has = self.target.list().refs, self.source.refs()
        return tuple(
            Change(ref, had.get(ref), has.get(ref))
            for ref in sorted(had.keys() | has.keys())
            if had.get(ref) != has.get(ref)
        )

    def copy(self) -> Copy:
        """The copy of a new build."""
        work = self.folder / f"work-{next(_NUMBERS)}"
        work.mkdir(mode=0o700)
        return Copy(self.settings, work, self.said.append)

    def bring(self, copy: Copy) -> Push:
        changes = self.changes()
        copy.bring(Listing(self.source.refs(), b"refs/heads/main"), self.target.list(), changes)
        return Push(changes)

    def build(self) -> dict[bytes, str | None]:
        """Mirror as a build does, and see that the target is whole and equal."""
        self.said.clear()
        with self.copy() as copy:
            results = copy.deliver(self.bring(copy), self.target)
            self.bytes_in = copy.bytes_in
        self.assert_equal()
        return results

    def assert_equal(self) -> None:
        assert self.target.repository.refs() == self.source.refs()
        assert self.target.repository.fsck() == b""


def mirror_in(folder: Path, mode: str = "none", **settings: Any) -> Mirror:
    """An empty source and target, and no copy yet."""
    source, target = Repository(folder / "source.git"), Repository(folder / "target.git")
    places = {"CODEBUILD_SRC_DIR": str(folder / "build"), "CODEBUILD_CACHE": str(folder / "efs")}
    kept, lock = kept_places(mode, "website", places)
    ends = CopySettings(
        Remote("source", str(source.path)), Remote("target", str(target.path)), kept, lock, pauses=(0.01,)
    )
    return Mirror(folder, source, PipeTarget(target), replace(ends, **settings))
