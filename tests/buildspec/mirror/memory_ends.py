"""Both ends of a mirror in memory: commits with parents, refs that a file system would hold, and a target that refuses.

They answer as the real ends do, which `tests/real/mirror` tries. A test makes them fail or change in between.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import TracebackType

from buildspec.mirror.aws import AwsRefusedError
from buildspec.mirror.failures import LookNeededError
from buildspec.mirror.model import Change, Listing, Push

CAPABILITIES = frozenset((b"report-status", b"delete-refs"))
_numbers = itertools.count(1)


@dataclass
class Repository:
    """Refs of heads and tags, by name, and the history: parents by commit. `default` is the branch of HEAD."""

    refs: dict[bytes, bytes] = field(default_factory=dict)
    default: bytes | None = None
    parents: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def commit(self, ref: bytes, parent: bytes | None = None) -> bytes:
        """A new commit on a ref."""
        commit = b"%040x" % next(_numbers)
        self.parents[commit] = (parent,) if parent else ()
        self.refs[ref] = commit
        if self.default is None and ref.startswith(b"refs/heads/"):
            self.default = ref
        return commit

    def history(self, commit: bytes) -> set[bytes]:
        """All commits that one needs, itself included."""
        found, left = set(), [commit]
        while left:
            commit = left.pop()
            if commit not in found:
                found.add(commit)
                left += self.parents[commit]
        return found


@dataclass
class Session:
    listing: Listing
    open: bool = True

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open = False


@dataclass
class MemoryEnds:
    """`before` is called with the name of each step before it is taken, and may raise or change either end.

    `refuses` are refs of the target that it takes no change of; `lfs` are commits that bring Git LFS, by the file
    `lfs_path`.
    """

    source: Repository = field(default_factory=Repository)
    target: Repository = field(default_factory=Repository)
    refuses: dict[bytes, str] = field(default_factory=dict)
    lfs: set[bytes] = field(default_factory=set)
    lfs_path: bytes = b"a/.gitattributes"
    before: Callable[[str], None] = lambda _: None
    pushed: int = 0
    steps: list[str] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    brought: set[bytes] | None = None

    def _step(self, name: str) -> None:
        self.steps.append(name)
        self.before(name)

    def list_target(self) -> Listing:
        self._step("list target")
        return Listing(dict(self.target.refs), None, CAPABILITIES)

    def open_source(self, like: Listing) -> Session:
        assert isinstance(like, Listing)
        self._step("list source")
        default = self.source.default if self.source.default in self.source.refs else None
        self.sessions.append(Session(Listing(dict(self.source.refs), default)))
        return self.sessions[-1]

    def default_branch(self) -> bytes | None:
        self._step("read default")
        return self.target.default

    def set_default_branch(self, ref: bytes) -> None:
        self._step("set default")
        if ref not in self.target.refs:
            raise AwsRefusedError("UpdateDefaultBranch", "BranchDoesNotExistException", ref.decode())
        self.target.default = ref

    def relay(self, session: Session, push: Push, listing: Listing, permitted: int) -> Mapping[bytes, str | None]:
        assert session.open
        assert all(self.target.parents.get(commit) is not None for commit in listing.refs.values())
        self._step("relay")
        rewritten = [change for change in push.unproved if change.old not in self.source.history(change.new or b"")]
        if len(rewritten) > permitted:
            raise LookNeededError("the pack does not show it")
        available = {*session.listing.refs.values(), *listing.refs.values()}
        return self._push([change for change in push.changes if change.new is None or change.new in available])

    def copy(self) -> MemoryEnds:
        return self

    def bring(self, source: Listing, target: Listing, changes: Collection[Change]) -> None:
        assert isinstance(source, Listing)
        assert isinstance(target, Listing)
        assert not any(session.open for session in self.sessions)
        assert changes
        self._step("bring")
        self.brought = set().union(*(self.source.history(commit) for commit in self.source.refs.values()))

    def uses_lfs(self, new: Collection[bytes], old: Iterable[bytes]) -> bytes | None:
        assert self.brought is not None
        self._step("uses_lfs")
        before = set().union(*(self.target.history(commit) for commit in old))
        seen = set().union(*(self.source.history(commit) for commit in new if commit in self.brought))
        return self.lfs_path if (seen - before) & self.lfs else None

    def contains(self, new: bytes, old: bytes) -> bool:
        assert self.brought is not None
        self._step("contains")
        return old in self.source.history(new)

    def deliver(self, push: Push, target: Repository) -> Mapping[bytes, str | None]:
        assert self.brought is not None
        assert target is self.target
        self._step("deliver")
        have = self.brought
        return self._push([change for change in push.changes if change.new is None or change.new in have])

    def moved(self) -> tuple[int, int]:
        return self.pushed, self.pushed

    def _push(self, changes: Collection[Change]) -> dict[bytes, str | None]:
        self.pushed += 100
        for change in changes:
            if change.new:
                for commit in self.source.history(change.new):
                    self.target.parents[commit] = self.source.parents[commit]
        return {change.ref: self.change(change) for change in changes}

    def change(self, change: Change) -> str | None:
        """Change one ref of the target: why not, or None."""
        refs = self.target.refs
        if change.ref in self.refuses:
            return self.refuses[change.ref]
        if refs.get(change.ref) != change.old:
            return "failed to update ref"
        if change.new is None:
            if change.ref == self.target.default:
                return "the default branch is not deleted"
            del refs[change.ref]
            return None
        if any(
            other.startswith(change.ref + b"/") or change.ref.startswith(other + b"/")
            for other in refs
            if other != change.ref
        ):
            return "another ref is in the way"
        refs[change.ref] = change.new
        if self.target.default is None and change.ref.startswith(b"refs/heads/"):
            self.target.default = change.ref
        return None


def some_repository(random: Random, repository: Repository) -> None:
    """Give a repository another state: refs created, moved, rewritten and deleted."""
    for ref in (
        b"refs/heads/main",
        b"refs/heads/a",
        b"refs/heads/a/b",
        b"refs/heads/b",
        b"refs/heads/b/a",
        b"refs/tags/v",
    ):
        if any(ref.startswith(other + b"/") or other.startswith(ref + b"/") for other in repository.refs):
            continue
        kind = random.randrange(4)
        if kind == 0:
            repository.refs.pop(ref, None)
        elif kind == 1:
            repository.commit(ref, repository.refs.get(ref))
        elif kind == 2:
            repository.commit(ref, random.choice(sorted(repository.refs.values())) if repository.refs else None)
    heads = [ref for ref in repository.refs if ref.startswith(b"refs/heads/")]
    if not heads:
        repository.commit(b"refs/heads/main")
        heads = [b"refs/heads/main"]
    repository.default = random.choice(heads)
