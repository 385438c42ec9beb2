"""Decides what a handover makes of each file: people may have changed it since the last handover."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import Problem
from ops.handover.formatting import HCL, HclFormatter
from ops.handover.last_handover import LastHandover, digest
from ops.handover.merge import has_markers, merged, merged_moves

_HINT = (
    "make the same change in the deployment file or the project, write both versions into the file with "
    "--mark-conflicts, or overwrite it with --force"
)
_MARKERS = "keep what is right and delete the markers"
_MERGED = "merged: {}, which has what was changed since the last handover, and what this handover changes"
_RESTORE = "restore it as it was handed over, hand over again, and repeat your change, or overwrite it with --force"
_MOVE_AWAY = "give it another name if you need it, else delete it, and hand over again"


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A file that people changed in a way that the new handover cannot keep.

    places: the lines that it is about, empty for the whole file. details: the versions, for people.
    marked: makes what to write if both versions are wanted in the file; None if there are no two texts.
    """

    path: str
    what: str
    places: Sequence[str]
    details: str
    marked: Callable[[], bytes] | None
    hint: str = _HINT

    def problems(self, folder: Path) -> Iterator[Problem]:
        """One for each place."""
        for lines in self.places or [""]:
            where = f"{folder / self.path}:{lines}" if lines else str(folder / self.path)
            yield Problem(where=where, what=self.what, hint=self.hint)


@dataclass(frozen=True, kw_only=True)
class FolderComparison:
    """files: the content of each file after the handover, None for no file; those with a conflict stay as they are.

    notes: a line for each file that keeps people's changes, by path, with {} in the path's place.
    """

    files: Mapping[str, bytes | None]
    notes: Mapping[str, str]
    conflicts: Sequence[Conflict]


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file. was: its copy of the last handover. now: as it stands. new: as this handover writes it."""

    path: str
    was: bytes | None
    now: bytes | None
    new: bytes | None
    is_in_last: bool
    is_unchanged: bool
    is_new_the_same: bool

    @property
    def is_moves(self) -> bool:
        return self.path.rpartition("/")[2] == "moved.tf"

    @property
    def is_hcl(self) -> bool:
        return self.path.endswith(HCL)


def compared(
    new: Mapping[str, bytes], present: Mapping[str, bytes | None], last: LastHandover, formatter: HclFormatter
) -> FolderComparison:
    """Compare the `new` files with those that are `present`, for all paths of both and of the last handover."""
    found = [_file(path, new, present, last) for path in sorted(present)]
    formats = _formats([it for it in found if it.is_hcl and it.now is not None and not it.is_unchanged], formatter)
    files: dict[str, bytes | None] = {}
    notes: dict[str, str] = {}
    conflicts: list[Conflict] = []
    for file in found:
        outcome = _outcome(file, *formats.get(file.path, (file.was, file.now)))
        match outcome:
            case Conflict():
                conflicts.append(outcome)
                files[file.path] = file.now
            case content, note:
                files[file.path] = content
                if note:
                    notes[file.path] = note
    merged_hcl = {path: content for path in notes if path.endswith(HCL) and (content := files[path]) is not None}
    changed = {path: content for path, content in merged_hcl.items() if content != present[path]}
    return FolderComparison(
        files=files | (formatter.where_possible(changed) if changed else {}), notes=notes, conflicts=conflicts
    )


def _file(path: str, new: Mapping[str, bytes], present: Mapping[str, bytes | None], last: LastHandover) -> _File:
    before, content, now = last.digests.get(path), new.get(path), present[path]
    return _File(
        path=path,
        was=last.copies.get(path),
        now=now,
        new=content,
        is_in_last=before is not None,
        is_unchanged=before is not None and last.is_unchanged(path, now),
        is_new_the_same=content is not None and digest(content) == before,
    )


def _formats(files: Sequence[_File], formatter: HclFormatter) -> dict[str, tuple[bytes | None, bytes | None]]:
    """The last handover's version and the present one of each file, both formatted."""
    versions = {f"was/{it.path}": it.was for it in files} | {f"now/{it.path}": _unix(it.now, it.was) for it in files}
    known = {path: content for path, content in versions.items() if content is not None}
    found = {**versions, **(formatter.where_possible(known) if known else {})}
    return {it.path: (found[f"was/{it.path}"], found[f"now/{it.path}"]) for it in files}


def _outcome(file: _File, was: bytes | None, now: bytes | None) -> tuple[bytes | None, str] | Conflict:
    """The content of a file with a note, or a conflict. `was` and `now` are formatted."""
    if file.now == file.new or file.is_unchanged or (not file.is_in_last and file.now is None):
        return file.new, ""
    if not file.is_in_last:
        return _with_both(file, "was not written by a handover", _MOVE_AWAY)
    return _outcome_of_removed(file) if file.now is None else _outcome_of_changed(file, was, now)


def _outcome_of_changed(file: _File, was: bytes | None, now: bytes | None) -> tuple[bytes | None, str] | Conflict:
    if (text := _text(file.now)) is not None and has_markers(text):
        return _conflict(file, "has conflict markers of an earlier handover", marked=text, hint=_MARKERS)
    if was is not None and now == was:
        return file.new, ""  # only its format was changed
    if file.is_new_the_same:
        return file.now, "kept: {}, as it was changed since the last handover"
    if file.new is None:
        what = "was changed since the last handover, and is no longer part of the handover"
        return _conflict(file, what, hint=_MOVE_AWAY)
    if was is None:
        return _with_both(file, "was changed since the last handover", _RESTORE)
    return _merged(file, was, now or b"")


def _outcome_of_removed(file: _File) -> tuple[bytes | None, str] | Conflict:
    if file.new is None:
        return None, ""
    if file.is_new_the_same:
        return None, "left out: {}, which was removed since the last handover"
    if file.is_moves:
        # People delete it once the moves are applied, as its README says.
        moves = merged_moves(base=(file.was or b"").decode(), theirs="", ours=file.new.decode())
        return (file.new if moves is None else moves.encode() or None), ""
    what = "was removed since the last handover, and this handover changes it"
    return _conflict(file, what, hint=_RESTORE)


def _merged(file: _File, was: bytes, now: bytes) -> tuple[bytes | None, str] | Conflict:
    base, theirs, ours = _text(was), _text(_unix(now, was)), _text(file.new)
    if base is None or theirs is None or ours is None:
        return _conflict(file, "is no text, and both it and the handover changed", hint=_RESTORE)
    if file.is_moves and (moves := merged_moves(base=base, theirs=theirs, ours=ours)) is not None:
        return moves.encode(), _MERGED if moves.encode() not in (file.new, file.now) else ""
    found = merged(base=base, theirs=theirs, ours=ours, is_hcl=file.is_hcl)
    if not found.conflicts:
        return found.text.encode(), _MERGED
    if was != file.was or now != file.now:
        # People see the lines that they wrote.
        raw_base, raw_theirs = _text(file.was) or base, _text(_unix(file.now, file.was)) or theirs
        raw = merged(base=raw_base, theirs=raw_theirs, ours=ours, is_hcl=file.is_hcl)
        found = raw if raw.conflicts else found
    what = "was changed since the last handover, and this handover changes the same lines"
    return Conflict(
        path=file.path,
        what=what,
        places=[f"{it.first}-{it.last}" if it.last > it.first else str(it.first) for it in found.conflicts],
        details="".join(f"{file.path}, line {it.first}:\n{it.versions}" for it in found.conflicts),
        marked=found.text.encode,
    )


def _conflict(file: _File, what: str, *, marked: str | None = None, hint: str = _HINT) -> Conflict:
    """A conflict of a whole file; `marked` is its text with both versions."""
    return Conflict(
        path=file.path,
        what=what,
        places=[],
        details="".join(difference(file.path, file.now, file.new)),
        marked=None if marked is None else marked.encode,
        hint=hint,
    )


def _with_both(file: _File, what: str, hint: str) -> Conflict:
    """The same with both texts, or with the `hint` if one of them is none."""
    theirs, ours = _text(file.now), _text(file.new)
    if theirs is None or ours is None:
        return _conflict(file, what, hint=hint)
    return _conflict(file, what, marked=merged(base="", theirs=theirs, ours=ours, is_hcl=False).text)


def difference(path: str, now: bytes | None, new: bytes | None) -> Iterator[str]:
    """The difference between a file as it is and as it would be written, in lines."""
    old_lines, new_lines = ((it or b"").decode(errors="replace").splitlines(keepends=True) for it in (now, new))
    lines = difflib.unified_diff(old_lines, new_lines, f"{path} (as it is)", f"{path} (as it would be written)")
    return (line if line.endswith("\n") else f"{line}\n" for line in lines)


def _text(content: bytes | None) -> str | None:
    """A file's text; None for a file of another kind."""
    try:
        return None if content is None or b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None


def _unix(content: bytes | None, like: bytes | None) -> bytes | None:
    """The content with Unix's line ends, if the other one has these: Git may change them when it checks a file out."""
    return content if content is None or like is None or b"\r" in like else content.replace(b"\r\n", b"\n")
