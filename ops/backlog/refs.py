"""The refs of a mirror's source and target, and how they differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class MirrorRefs:
    """The refs of one repository: object ids by the full names of heads and tags, and the default branch.

    `head` is the commit of the default branch, which CodeCommit lists without the name of the branch.
    """

    ids: Mapping[str, str]
    default: str | None
    head: str | None = None


@dataclass(frozen=True, kw_only=True)
class RefsDifference:
    """How a target differs from its source: full names of refs, sorted.

    `defaults` are the default branches of source and target where they are not the same. `default_may_differ` says that
    the target may have another one at the same commit.
    """

    missing: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    defaults: tuple[str, str | None] | None = None
    default_may_differ: bool = field(default=False, compare=False)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The source's refs that the target does not have, or has with another object."""
        return tuple(sorted(self.missing + self.different))


def parse(answer: str) -> MirrorRefs:
    """The heads, tags and default branch in what `git ls-remote --symref` printed."""
    ids, default, head = {}, None, None
    for line in answer.splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: refs/heads/"):
            default = value.removeprefix("ref: refs/heads/")
        elif name == "HEAD":
            head = value
        elif name.startswith(("refs/heads/", "refs/tags/")) and not name.endswith("^{}"):
            ids[name] = value
    return MirrorRefs(ids=ids, default=default, head=head)


def compare(source: MirrorRefs, target: MirrorRefs) -> RefsDifference:
    """How the target differs. Where the source's HEAD names no branch, the target may have any default branch."""
    both = source.ids.keys() & target.ids.keys()
    default, others = source.default, target.default
    possible = [] if others is not None else _branches_at(target, target.head)
    if possible:
        others = default if default in possible else possible[0]
    return RefsDifference(
        missing=tuple(sorted(source.ids.keys() - target.ids.keys())),
        different=tuple(sorted(name for name in both if source.ids[name] != target.ids[name])),
        extra=tuple(sorted(target.ids.keys() - source.ids.keys())),
        defaults=(default, others) if default is not None and default != others else None,
        default_may_differ=default is not None and default == others and len(possible) > 1,
    )


def _branches_at(refs: MirrorRefs, commit: str | None) -> list[str]:
    heads = "refs/heads/"
    return sorted(name.removeprefix(heads) for name, at in refs.ids.items() if at == commit and name.startswith(heads))
