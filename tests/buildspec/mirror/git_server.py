"""A model of CodeCommit's Git server: what it refuses, and what it does with the default branch."""

from dataclasses import dataclass, field

from buildspec.mirror.model import Action, Change, Push

HEADS = b"refs/heads/"


@dataclass
class GitServer:
    refs: dict[bytes, bytes] = field(default_factory=dict)
    default: bytes | None = None
    most_changes: int = 4000
    refused: list[Change] = field(default_factory=list)

    def do(self, action: Action) -> None:
        if not isinstance(action, Push):
            assert action.ref in self.refs, "a branch becomes the default only if it is there"
            self.default = action.ref
            return
        assert 0 < len(action.changes) <= self.most_changes
        assert len({change.ref for change in action.changes}) == len(action.changes)
        assert action.unproved <= set(action.changes)
        for change in action.changes:
            if self._takes(change):
                self._apply(change)
            else:
                self.refused.append(change)

    def _takes(self, change: Change) -> bool:
        if self.refs.get(change.ref) != change.old:
            return False
        if change.new is None:
            return change.old is not None and change.ref != self.default
        return change.old is not None or not any(in_the_way(ref, change.ref) for ref in self.refs)

    def _apply(self, change: Change) -> None:
        if change.new is None:
            del self.refs[change.ref]
            return
        self.refs[change.ref] = change.new
        if self.default is None and change.ref.startswith(HEADS):
            self.default = change.ref


def in_the_way(one: bytes, other: bytes) -> bool:
    """Whether a repository cannot have both, as `a` and `a/b`."""
    return one.startswith(other + b"/") or other.startswith(one + b"/")
