"""Merges people's changes to a handed-over file with those of a new handover, line by line, as Git does."""

import difflib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import refused
from ops.handover.repeated_keys import repeated
from ops.handover.written_blocks import moves_in

_THEIRS, _BASE, _OURS = "as it is", "the last handover", "this handover"
_CONFLICT = re.compile(
    rf"^<<<<<<< {_THEIRS}\r?\n(.*?)^\|{{7}} {_BASE}\r?\n.*?^=======\r?\n.*?^>>>>>>> {_OURS}\r?\n",
    re.MULTILINE | re.DOTALL,
)

_ALIGNED = re.compile(r'(\s*(?:"[^"]*"|[\w.-]+)) += ')
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)$")


@dataclass(frozen=True)
class LineConflict:
    """Lines that both changed: the first and the last one in the file as it is, and the lines in all three versions."""

    first: int
    last: int
    versions: str


@dataclass(frozen=True)
class Merged:
    """The merged text, in which conflict markers surround the three versions of lines that both changed."""

    text: str
    conflicts: Sequence[LineConflict]


def merged(*, base: str, theirs: str, ours: str, is_hcl: bool) -> Merged:
    """`base` with the changes of both. The merged HCL may need `terraform fmt`."""
    found = _merged_by_git(base, theirs, ours)
    if _CONFLICT.search(found) and is_hcl and "\r" not in base + theirs + ours:
        # A longer name in one line moves the equal signs of its neighbours.
        without_alignment = _merged_by_git(*map(_without_alignment, (base, theirs, ours)))
        found = found if _CONFLICT.search(without_alignment) else without_alignment
    if not _CONFLICT.search(found) and is_hcl:
        found = _with_marked_repetitions(found, theirs, ours)
    return Merged(found, list(_conflicts(found, theirs)))


def has_markers(text: str) -> bool:
    """Whether conflict markers of `merged` are still in a text."""
    return re.search(rf"^(<<<<<<< {_THEIRS}|>>>>>>> {_OURS})\r?$", text, re.MULTILINE) is not None


def merged_moves(*, base: str, theirs: str, ours: str) -> str | None:
    """The `moved` blocks of `ours` and `theirs`, without those that `theirs` left out; None for other content."""
    before, now, new = map(moves_in, (base, theirs, ours))
    if before is None or now is None or new is None:
        return None
    kept = {move: block for move, block in new.items() if move not in before or move in now}
    added = {move: block for move, block in now.items() if move not in before}
    return "\n".join((added | kept).values())


def _with_marked_repetitions(text: str, theirs: str, ours: str) -> str:
    """The text with markers around each name that stands twice after the merge: each side added it elsewhere."""
    lines, end = text.splitlines(keepends=True), len(text)
    for it in sorted(repeated(text, theirs, ours), key=lambda it: it.first, reverse=True):
        (first, first_end), (second, second_end) = it.first, it.second
        if second_end >= end or first_end >= second:
            continue  # it is inside one that is marked
        earlier = "".join(lines[first:second])
        later = "".join(lines[first_end + 1 : second_end + 1])
        one, other = (earlier, later) if "".join(lines[first : first_end + 1]) in theirs else (later, earlier)
        marked = f"<<<<<<< {_THEIRS}\n{one}||||||| {_BASE}\n=======\n{other}>>>>>>> {_OURS}\n"
        lines[first : second_end + 1] = [marked]
        end = first
    return "".join(lines)


def _merged_by_git(base: str, theirs: str, ours: str) -> str:
    git = shutil.which("git")
    if git is None:
        hint = "install Git, or overwrite the files that were changed since with --force"
        raise refused("git", "is not installed; it is needed to merge what people changed with what is new", hint)
    with tempfile.TemporaryDirectory(prefix="kakehashi-merge-") as name:
        folder = Path(name)
        for file, text in (("theirs", theirs), ("base", base), ("ours", ours)):
            (folder / file).write_text(_with_final_newline(text), encoding="utf-8", newline="")
        labels = (it for label in (_THEIRS, _BASE, _OURS) for it in ("-L", label))
        command = [git, "merge-file", "-p", "--diff3", *labels, "theirs", "base", "ours"]
        done = subprocess.run(command, cwd=folder, env=_environment(folder), capture_output=True)  # noqa: S603
    if done.returncode > 127:  # a lower status is the number of conflicts
        raise refused("git", "`git merge-file` failed", "see Git's message above", details=done.stderr.decode())
    return done.stdout.decode()


def _environment(folder: Path) -> dict[str, str]:
    """The user's environment without settings of Git that change a merge."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": str(folder)}


def _with_final_newline(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _conflicts(found: str, theirs: str) -> Iterator[LineConflict]:
    taken, position = "", 0
    marks: list[tuple[int, int, str]] = []
    for conflict in _CONFLICT.finditer(found):
        taken += found[position : conflict.start()]
        first = taken.count("\n")
        taken += conflict[1]
        marks.append((first, taken.count("\n"), conflict[0]))
        position = conflict.end()
    if not marks:
        return
    line = _line_in(theirs, taken + found[position:])
    for first, end, versions in marks:
        start = line(first)
        yield LineConflict(start + 1, max(start + end - first, start + 1), versions)


def _line_in(theirs: str, merged: str) -> Callable[[int], int]:
    """Where a line of the merged text is in the file as it is."""
    matcher = difflib.SequenceMatcher(None, merged.splitlines(), theirs.splitlines(), autojunk=False)
    blocks = matcher.get_matching_blocks()

    def line(number: int) -> int:
        before = next((it for it in reversed(blocks) if it.a <= number), None)
        return number if before is None else before.b + min(number - before.a, before.size)

    return line


def _without_alignment(hcl: str) -> str:
    """HCL with one space before each equal sign of an argument; heredocs keep their text."""
    lines, marker = [], None
    for line in hcl.split("\n"):
        if marker is None:
            lines.append(_ALIGNED.sub(r"\1 = ", line, count=1) if _ALIGNED.match(line) else line)
            opening = _HEREDOC.search(line)
            marker = opening[1] if opening else None
        else:
            lines.append(line)
            marker = None if line.strip() == marker else marker
    return "\n".join(lines)
