"""Finds the use of Git LFS in attributes files, and the suspicion of it in the objects of a pack.

CodeCommit keeps no content of Git LFS, only the pointers to it that are in the history.
"""

from __future__ import annotations

import re

_TEXT = b"filter=lfs"
_BLANK = b" \t\r"
_LONGEST_LINE = 2047  # https://github.com/git/git/blob/master/attr.h
_BOM = b"\xef\xbb\xbf"
_LONGEST_RUN = 1 << 16
_MACRO = b"[attr]"
_ATTRIBUTE_NAME = re.compile(rb"[A-Za-z0-9_.][-A-Za-z0-9_.]*")
_ATTRIBUTE = re.compile(rb"([-!]?)(" + _ATTRIBUTE_NAME.pattern + rb")(=.*)?", re.DOTALL)
_TOKEN = re.compile(rb"[^ \t\r\n]+")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\(?:[abfnrtv\\"]|[0-3][0-7][0-7]))*)"')

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, and the two names that the format had before.
_POINTERS = (
    b"version https://git-lfs.github.com/spec/v1",
    b"version https://hawser.github.com/spec/v1",
    b"version http://git-media.io/v/2",
)
LARGEST_POINTER = 1023

# What a delta brings is seen if it has so much of the text: its last three bytes, or its first seven.
_ENDS = tuple(_TEXT[-length:] for length in range(3, len(_TEXT)))
_BEGINS = tuple(_TEXT[:length] for length in range(len(b"filter="), len(_TEXT)))
# What may be before a line's known part: nothing, the pattern or its beginning, or also the beginning of the text.
_BEFORE = (b"", b"*", b'"', b"* ", *(b"* " + _TEXT[: -len(end)] for end in _ENDS))
# Two literals of a delta may follow each other; the second then begins with its size, of 1 to 127.
_IN_LITERALS = tuple(
    re.compile(b"[\x01-\x7f]?".join(text[at : at + 1] for at in range(len(text)))) for text in (_ENDS[0], _BEGINS[0])
)


def attribute_line_uses_lfs(line: bytes) -> bool:
    """Whether a line of `.gitattributes` hands files to Git LFS, as Git reads it: a pattern, then attributes.

    A macro's definition counts, whether or not a pattern uses it. What Git ignores does not count: comments, patterns
    that begin with `!`, lines with the invalid name of an attribute, and lines of 2,048 bytes and more. Of several
    values the last one counts. https://git-scm.com/docs/gitattributes
    """
    if _TEXT not in line:
        return False
    line = line.partition(b"\0")[0].rstrip(b"\n")
    if len(line) > _LONGEST_LINE:
        return False
    line = line.lstrip(_BLANK)
    quoted = _QUOTED.match(line)
    first = quoted or _TOKEN.match(line)
    pattern = first[quoted is not None] if first else b"#"
    if not first or line.startswith(b"#") or pattern.startswith(b"!"):
        return False
    if pattern.startswith(_MACRO) and pattern != _MACRO and not _ATTRIBUTE_NAME.fullmatch(pattern[len(_MACRO) :]):
        return False
    value = None
    for token in _TOKEN.findall(line, first.end()):
        attribute = _ATTRIBUTE.fullmatch(token)
        if not attribute:
            return False
        if attribute[2] == b"filter":
            value = None if attribute[1] else attribute[3]
    return value == b"=lfs"


def attributes_use_lfs(content: bytes) -> bool:
    """Whether a whole `.gitattributes` hands files to Git LFS. Git reads it up to the first NUL."""
    if _TEXT not in content:
        return False
    content = content.partition(b"\0")[0]
    content = content[len(_BOM) :] if content.startswith(_BOM) else content
    return any(map(attribute_line_uses_lfs, content.split(b"\n")))


def blob_suspected(content: bytes) -> bool:
    """Whether a whole blob, whatever its name is, would use LFS as `.gitattributes`, or is an LFS pointer."""
    return attributes_use_lfs(content) or (len(content) <= LARGEST_POINTER and content.startswith(_POINTERS))


def delta_may_be_suspected(delta: bytes) -> bool:
    """Whether a `Look` at a whole delta is worth it; a quick answer for nearly all deltas."""
    return any(pattern.search(delta) for pattern in _IN_LITERALS)


class Look:
    """Looks for the use of LFS in a blob of which parts are not known, because a delta copies them from another blob.

    `suspected` is whether what is known can belong to an attribute line with `filter=lfs`, or begins an LFS pointer.

    A line that the delta puts together from copies alone is not found, as when only the `#` before an attribute
    goes, nor one of which the delta brings less than `lfs` or `filter=`. The base then had nearly all of it already;
    and whoever begins to use LFS also adds pointers, of which the first is no delta of another.

    Holds 64 KiB and one part at most.
    """

    def __init__(self) -> None:
        self.suspected = False
        self._run = b""  # what is known, since the last unknown part
        self._begins = True  # whether the run begins where a line does
        self._over = False

    def feed(self, part: bytes) -> None:
        """The next part, which is known. Nothing counts after a NUL: there Git stops to read attributes."""
        if self._over:
            return
        text, nul, _ = part.partition(b"\0")
        self._run += text
        if nul:
            self.finish()
        elif len(self._run) > _LONGEST_RUN:
            whole, newline, rest = self._run.rpartition(b"\n")
            self._check(whole, ends=True)
            # Of a line that is too long for Git, only that it is so has to be known.
            self._run, self._begins = newline + rest[: _LONGEST_LINE + 1], True

    def skip(self) -> None:
        """The next part is not known."""
        if not self._over:
            self._check(self._run, ends=False)
            self._run, self._begins = b"", False

    def finish(self) -> None:
        """The blob ends here."""
        if not self._over:
            self._check(self._run, ends=True)
            self._over = True

    def _check(self, run: bytes, *, ends: bool) -> None:
        if _run_uses_lfs(run, self._begins, ends) or (self._begins and run.startswith(_POINTERS)):
            self.suspected = self._over = True


def _run_uses_lfs(run: bytes, begins: bool, ends: bool) -> bool:
    """Whether a line of the run uses LFS. The first may begin, and the last may end, in a part that is not known."""
    if not (_TEXT in run or run.endswith(_BEGINS) or _ENDS[0] in run[: len(_TEXT)]):
        return False
    if not ends:
        run += next((_TEXT[len(part) :] for part in _BEGINS if run.endswith(part)), b"")
    if begins and run.startswith(_BOM):
        run = run[len(_BOM) :]
    lines = run.split(b"\n")
    if not ends:
        lines[-1] = _without_cut_attribute(lines[-1])
    if not begins:
        lines[:1] = [before + lines[0] for before in _BEFORE]
    return any(map(attribute_line_uses_lfs, lines))


def _without_cut_attribute(line: bytes) -> bytes:
    """A line that goes on in a part that is not known: its last attribute may, too. The text at its end is kept."""
    cut = max(line.rfind(blank) for blank in (b" ", b"\t", b"\r"))
    return line[: cut + 1] if cut > line.rfind(_ENDS[0]) else line
