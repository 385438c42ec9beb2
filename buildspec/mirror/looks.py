"""Precise answers about history, from a copy that has it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from .git import Git
from .lfs import attributes_use_lfs

_REGULAR_FILES = (b"100644", b"100755")


def uses_lfs(git: Git, new: Collection[bytes], old: Iterable[bytes]) -> bytes | None:
    """The path of a `.gitattributes`, of any commit that is in `new` and not in `old`, that hands files to Git LFS."""
    paths: dict[bytes, bytes] = {}
    for oid, path in _attributes_of_commits(git, new, old):
        paths.setdefault(oid, path)
    for oid, path in _attributes_of_trees(git, new):
        paths.setdefault(oid, path)
    for oid, content in _contents(git, list(paths)):
        if attributes_use_lfs(content):
            return paths[oid]
    return None


def contains(git: Git, new: bytes, old: bytes) -> bool:
    """Whether commit `old` is in the history of `new`, both of which the copy has."""
    return new == old or git.check("merge-base", "--is-ancestor", old.decode(), new.decode())


def present(git: Git, ids: Iterable[bytes]) -> list[bytes]:
    """Those of the ids that the copy has, in their order."""
    unique = list(dict.fromkeys(ids))
    if not unique:
        return []
    found = git.lines("cat-file", "--batch-check", "--buffer", given=unique)
    return [oid for oid, line in zip(unique, found) if not line.endswith(b" missing")]


def _attributes_of_commits(git: Git, new: Iterable[bytes], old: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Id and path of every `.gitattributes` of a new commit that none of its parents has so."""
    output = git.run(
        *("log", "--format=", "--raw", "-z", "--no-abbrev", "--no-renames", "--full-history", "-c", "--root"),
        *("--no-show-signature", "--no-mailmap", "--no-notes", "--no-ext-diff", "--stdin"),
        *("--", ":(glob)**/.gitattributes"),
        given=[*new, *(b"^" + oid for oid in old)],
    )
    with output:
        fields = iter(output.read().split(b"\0"))
    for head in fields:
        modes_and_ids = head.strip(b"\n:").split(b" ")[:-1]  # of each parent and of the commit
        if modes_and_ids:
            path = next(fields)
            if modes_and_ids[len(modes_and_ids) // 2 - 1] in _REGULAR_FILES:
                yield modes_and_ids[-1], path


def _attributes_of_trees(git: Git, new: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The same of tags that name a tree instead of a commit."""
    peeled = git.lines("cat-file", "--batch-check=%(objecttype) %(objectname)", given=(oid + b"^{}" for oid in new))
    for line in peeled:
        kind, _, oid = line.partition(b" ")
        if kind == b"tree":
            with git.run("ls-tree", "-r", "-z", "--full-tree", oid.decode()) as output:
                entries = output.read().split(b"\0")
            for entry in entries:
                head, _, path = entry.partition(b"\t")
                if path.rpartition(b"/")[2] == b".gitattributes":
                    mode, _, blob = head.split(b" ")
                    if mode in _REGULAR_FILES:
                        yield blob, path


def _contents(git: Git, ids: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    if not ids:
        return
    with git.run("cat-file", "--batch", "--buffer", given=ids) as output:
        for oid in ids:
            size = int(output.readline().split(b" ")[2])
            yield oid, output.read(size)
            output.read(1)
