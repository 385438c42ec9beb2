"""The copy strategy: what the target lacks is fetched with Git into a copy, and pushed from there.

It takes over where the relay is refused or not wanted, and answers what only history can answer.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from . import looks
from .delivery import Delivery, TakesPushes
from .failures import RelayRefusedError, UnreachableError
from .git import Git, GitError, Remote
from .kept import Kept, lock
from .model import Change, Listing, Push
from .report import counted

_Result = TypeVar("_Result")
# Not below refs/heads, where Git takes commits alone: a branch at a tag object is the target's to refuse.
_COPIED = b"refs/copied/"
_MIRRORED = ("+refs/heads/*:refs/copied/heads/*", "+refs/tags/*:refs/copied/tags/*")
# Without a kept copy: how far back the target's branches are borrowed, and how far back the source is asked for what
# is new. Where it begins less than the difference back, the source sends nothing that the target has.
_BORROWED_DEPTH = 100
_NEW_DEPTH = 25
_MOST_BY_NAME = 1000  # asked for by name, thousands would take Git minutes
_MOST_PACKS = 50
_PAUSES = (1.0, 5.0)


@dataclass(frozen=True)
class CopySettings:
    """Both ends, and where the copy stays between builds, with the lock of those that share it; None where it does not.

    A push has fewer than `bytes_per_push`. https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
    """

    source: Remote
    target: Remote
    kept: Path | None = None
    lock: Path | None = None
    lock_seconds: float = 600
    bytes_per_push: int = 1_900_000_000
    silent_for: float = 600
    pauses: tuple[float, ...] = _PAUSES


def kept_places(cache: str, key: str, environment: Mapping[str, str]) -> tuple[Path | None, Path | None]:
    """Where the copy of mirror `key` stays in cache mode `none`, `s3` or `efs`, and the file that locks it."""
    if cache == "none":
        return None, None
    if cache == "s3":
        return Path(environment["CODEBUILD_SRC_DIR"], "mirror.git"), None
    shared = Path(environment["CODEBUILD_CACHE"])
    return shared / f"{key}.git", shared / f"{key}.lock"


class Copy:
    """The copy of one mirror during one build, in `work`, a folder that only this program can read.

    Call `bring` first, at each pass. `bytes_in` counts the packs that came in. Raises UnreachableError where Git fails
    for good, and RelayRefusedError where the target does not even take what a whole copy has.
    """

    bytes_in: int

    def __init__(self, settings: CopySettings, work: Path, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._work = work
        self._say = say
        self._kept = Kept(settings.kept, settings.source.url) if settings.kept else None
        self._lock: int | None = None
        self._git: Git | None = None
        self._whole = self._linked = False
        self._thin = True
        self._number = 0
        self._target = Listing({})
        self._delivered: list[bytes] = []
        self.bytes_in = 0

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other builds have the copy."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def bring(self, source: Listing, target: Listing, changes: Collection[Change]) -> None:
        """Have everything that the changes from what `target` has to what `source` has need."""
        self._target = target
        self._delivered.clear()
        if self._settings.lock is not None and self._lock is None:
            self._lock = lock(self._settings.lock, self._settings.lock_seconds, self._say)
        self._soundly(lambda: self._bring(source, changes))

    def deliver(self, push: Push, target: TakesPushes) -> dict[bytes, str | None]:
        """Push; the reason of each refused ref, None where the target took it.

        A change whose commit the source no longer had is not in the answer: the next pass sees what it has now.
        """
        results: dict[bytes, str | None] = {}
        moved: dict[bytes, bytes] = {}

        def rest() -> None:
            changes = [change for change in push.changes if change.ref not in results]
            self._deliver(changes, target, results, moved)

        self._soundly(rest)
        self._delivered += [change.new for change in push.changes if change.new and results.get(change.ref, "") is None]
        return results

    def uses_lfs(self, new: Collection[bytes], old: Iterable[bytes]) -> bytes | None:
        """The path of a `.gitattributes` that uses Git LFS, in any commit that is in `new` and not in `old`."""
        old = list(old)
        return self._seen(new, lambda git: looks.uses_lfs(git, new, looks.present(git, old)))

    def contains(self, new: bytes, old: bytes) -> bool:
        """Whether the history of commit `new` has commit `old`."""

        def look(git: Git) -> bool:
            return bool(looks.present(git, [old])) and looks.contains(git, new, old)

        found = self._seen([new], look)
        if not found and not self._whole:  # what was not borrowed may have it
            self._soundly(self._start_anew)
            found = self._seen([new], look)
        return found

    def _seen(self, new: Collection[bytes], look: Callable[[Git], _Result]) -> _Result:
        return self._soundly(lambda: self._look(new, look))

    def _look(self, new: Collection[bytes], look: Callable[[Git], _Result]) -> _Result:
        git = self._repository()
        if len(looks.present(git, new)) < len(set(new)):
            raise UnreachableError("the source no longer has what it listed; the next pass sees what it has now")
        return look(git)

    def _deliver(
        self,
        changes: Sequence[Change],
        target: TakesPushes,
        results: dict[bytes, str | None],
        moved: dict[bytes, bytes],
    ) -> None:
        git = self._repository()
        there = set(looks.present(git, (change.new for change in changes if change.new)))
        had = looks.present(git, chain(self._target.refs.values(), self._delivered, moved.values())) if there else []
        capabilities = self._target.capabilities | (frozenset() if self._thin else {b"no-thin"})
        delivery = Delivery(*(git, target, capabilities, had, self._settings.bytes_per_push, self._say, results, moved))
        delivery.deliver([change for change in changes if change.new is None or change.new in there])

    def _bring(self, source: Listing, changes: Collection[Change]) -> None:
        wanted = {change.new for change in changes if change.new}
        if self._has(wanted):
            return
        if self._whole or self._open_kept():
            if not self._has(wanted):
                self._fetch_source()
        elif self._kept is not None or not self._bring_recent(source, changes):
            self._start_anew()

    def _has(self, ids: Collection[bytes]) -> bool:
        return not ids or (self._git is not None and len(looks.present(self._git, ids)) == len(ids))

    def _repository(self) -> Git:
        return self._git or self._use(self._new(), whole=False)

    def _use(self, git: Git, whole: bool, linked: bool = False) -> Git:
        if self._git is not None and self._git is not git:
            shutil.rmtree(self._git.folder)
        self._git, self._whole, self._linked = git, whole, linked
        return git

    def _new(self, objects: Path | None = None) -> Git:
        """A repository that nobody wrote to."""
        self._number += 1
        git = Git(self._work / f"copy-{self._number}.git", self._settings.silent_for)
        git.create(objects)
        return git

    def _open_kept(self) -> bool:
        """Use the kept copy, where there is one whose refs have their objects."""
        objects = self._work / "kept"
        shutil.rmtree(objects, ignore_errors=True)
        refs = self._kept.linked(objects) if self._kept is not None else None
        if refs is None:
            return False
        git = self._use(self._new(objects), whole=True, linked=True)
        git.write_refs({_copied(name): oid for name, oid in refs.items()})
        return self._has(set(refs.values()))

    def _start_anew(self) -> None:
        """Have everything, in a copy that starts with what the target has, which is near."""
        self._say("starting a new copy")
        git = self._use(self._new(), whole=True)
        if self._target.refs:
            what = f"borrowed {counted(len(self._target.refs), 'ref')}"
            self._fetch(git, self._settings.target, *_MIRRORED, what=what)
        self._fetch_source()

    def _fetch_source(self) -> None:
        git = self._repository()
        self._fetch(git, self._settings.source, "--prune", *_MIRRORED, what="fetched what is new")
        if self._kept is None:
            return
        listed = git.lines("for-each-ref", "--format=%(objectname) refs/%(refname:lstrip=2)", _COPIED.decode())
        refs = {name: oid for oid, name in (line.split(b" ", 1) for line in listed)}
        alone = not self._linked
        if self._kept.packs() >= _MOST_PACKS:
            with git.run("repack", "-a", "-d", "--quiet"):
                alone = True
        try:
            self._kept.keep(git.folder / "objects" / "pack", refs, alone)
        except OSError as error:
            self._say(f"the copy cannot be kept for the next build: {error}")

    def _bring_recent(self, source: Listing, changes: Collection[Change]) -> bool:
        """With newest commits of the target at hand, the source sends only newer ones. False where they do not meet."""
        wanted = [change.ref for change in changes if change.new]
        had = self._target.refs
        if not had or len(wanted) > _MOST_BY_NAME:
            return False
        near = [name for name in wanted if name in had]
        if len(near) < len(wanted):  # a new branch most often begins at a default one
            likely = (self._target.default, source.default, b"refs/heads/main", b"refs/heads/master")
            near += [name for name in likely if name in had][:1]
        every = [name for name in had if name.startswith(b"refs/heads/")]
        for names in {frozenset(near): 0, frozenset((*near, *every)): 1}:  # the second is often the same
            if names and self._meet(names, wanted):
                return True
        self._say("the newest commits are not enough")
        return False

    def _meet(self, borrowed: Collection[bytes], wanted: Collection[bytes]) -> bool:
        git = self._use(self._new(), whole=False)
        shallow = git.folder / "shallow"
        refspecs = [b"+%b:refs/borrowed/%d" % (name, number) for number, name in enumerate(sorted(borrowed))]
        what = f"borrowed the newest commits of {counted(len(refspecs), 'ref')}"
        try:
            self._fetch(git, self._settings.target, f"--depth={_BORROWED_DEPTH}", what=what, refspecs=refspecs)
            commits = set(git.lines("rev-list", "--glob=refs/borrowed/*"))
            before = shallow.read_bytes() if shallow.exists() else b""
            refspecs = [b"+%b:%b" % (name, _copied(name)) for name in wanted]
            what = f"fetched {counted(len(refspecs), 'ref')}"
            self._fetch(git, self._settings.source, f"--depth={_NEW_DEPTH}", what=what, refspecs=refspecs)
        except GitError:
            return False
        # The source cuts off at its own depth. Where that lies among what was borrowed, nothing is missing.
        if shallow.exists() and not set(shallow.read_bytes().split()) <= commits:
            return False
        shallow.write_bytes(before)
        if not before:
            shallow.unlink()
        return True

    def _fetch(self, git: Git, remote: Remote, *arguments: str, what: str, refspecs: Collection[bytes] = ()) -> None:
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
        flags = [argument for argument in arguments if argument.startswith("--")]
        patterns = [argument for argument in arguments if not argument.startswith("--")]
        stdin = ("--stdin",) if refspecs else ()
        for pause in (*self._settings.pauses, None):
            started, before = time.monotonic(), git.packed()
            try:
                with git.run("fetch", *options, *flags, *stdin, remote.url, *patterns, given=refspecs, remote=remote):
                    break
            except GitError as error:
                if pause is None:
                    raise
                self._say(f"failed: {what} from the {remote.name}, tries again in {pause:g} s: {error}")
                git.unlock()
                time.sleep(pause)
        size = git.packed() - before
        self.bytes_in += size
        self._say(f"{what} from the {remote.name}: {size} bytes, {(time.monotonic() - started) * 1000:.0f} ms")

    def _soundly(self, action: Callable[[], _Result]) -> _Result:
        """Do it, and once more with a new, whole copy where the copy may be at fault.

        A target that refuses a pack may be one that takes no thin packs and does not say so.
        """
        try:
            try:
                return action()
            except (GitError, RelayRefusedError) as error:
                was_thin, self._thin = self._thin, self._thin and not isinstance(error, RelayRefusedError)
                if not self._whole or self._linked:
                    self._start_anew()
                elif self._thin == was_thin:
                    raise
                return action()
        except GitError as error:
            raise UnreachableError(str(error)) from error


def _copied(ref: bytes) -> bytes:
    """The ref of the copy that has what `ref` has."""
    return _COPIED + ref[len(b"refs/") :]
