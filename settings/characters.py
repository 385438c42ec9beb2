"""Finds characters in a deployment file that look like YAML's own, and what the file says with those in their place.

YAML reads `owner：x` as text and refuses a later line. Comments, quoted strings and free texts keep every character.
The file is no YAML yet, so its lines are read here: keys, brackets and quotation marks, as far as that takes.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from errors.shown import shown
from settings.lookalikes import Lookalike, lookalike

FREE_TEXTS = ("description", "open_to_the_world_because", "owner")
"""Settings that take the characters of every script; so do all tags."""

_TAGS = "tags"
_LONGEST, _LONGEST_LINE = 100_000, 2_000


@dataclass(frozen=True, kw_only=True)
class Slip:
    """One or more neighbouring characters; line and column count from 1."""

    line: int
    column: int
    what: str
    hint: str


@dataclass
class Scanned:
    """What was found. The columns of lines in `corrected` differ from the file's; their numbers do not.

    With `is_moved`, a line is indented with something else than spaces: how far was meant is not known.
    """

    slips: list[Slip] = field(default_factory=list)
    corrected: str = ""
    is_moved: bool = False


def scanned(text: str) -> Scanned:
    """Find the characters in a file's text, if it is as long as a deployment file may sensibly be."""
    result = Scanned(corrected=text)
    if len(text) > _LONGEST or (text.isascii() and "\t" not in text):
        return result
    scanner = _Scanner()
    lines = []
    for number, line in enumerate(text.split("\n"), start=1):
        scanner.read(line if len(line) <= _LONGEST_LINE else "")
        result.slips += _slips(number, line, scanner.wrong)
        result.is_moved = result.is_moved or scanner.is_moved
        lines.append("".join(scanner.written) if len(line) <= _LONGEST_LINE else line)
    result.corrected = "\n".join(lines)
    return result


def _slips(number: int, line: str, wrong: dict[int, str]) -> Iterator[Slip]:
    """The wrong characters of a line, neighbours together; `wrong` has what is meant by its position."""
    for _, run in itertools.groupby(enumerate(wrong), lambda pair: pair[1] - pair[0]):
        places = [place for _, place in run]
        text = line[places[0] : places[-1] + 1]
        kinds = [kind for character in text if (kind := lookalike(character))]
        meant = "".join(wrong[place] for place in places)
        hint = _hint(meant, is_indentation=not line[: places[0]].strip() and not meant.strip())
        yield Slip(line=number, column=places[0] + 1, what=_what(text, kinds), hint=hint)


def _what(text: str, kinds: list[Lookalike]) -> str:
    first = kinds[0]
    code = f"U+{ord(text[0]):04X}"
    if len(kinds) == 1:
        article = "an" if first.name[0] in "aeiou" else "a"
        return f"this is {article} {first.name}, {first.japanese} {code}"
    if {kind.name for kind in kinds} == {first.name}:
        return f"these are {first.name}s, {first.japanese} {shown(text) if text.isprintable() else code}"
    japanese = "、".join(dict.fromkeys(kind.japanese for kind in kinds))
    return f"these are not ASCII characters, {japanese} {shown(text)}"


def _hint(meant: str, *, is_indentation: bool) -> str:
    if meant == ": ":
        return "write ':' and a space"
    if meant.strip():
        return f"write {shown(meant)}"
    if not meant:
        return "remove it"
    return "indent with spaces" if is_indentation else "write a space" if meant == " " else "write spaces"


class _Scanner:
    """Reads one line after the other. `written` has the corrected line, `wrong` what is meant by position."""

    def __init__(self) -> None:
        self._quote = ""
        self._flow: list[str] = []
        self._skip_below: int | None = None
        """Lines that are indented deeper belong to a free text or a block of text."""
        self._tags_above: int | None = None
        """Lines that are indented deeper are tags."""

    def read(self, line: str) -> None:
        self._line, self.written, self.wrong, self.is_moved = line, list[str](), dict[int, str](), False
        self._indent = len(re.match(r"\s*", line.replace("\t", "  ").replace("\u3000", "  "))[0])  # type: ignore[index]
        if line.strip() and not self._quote and not self._flow:
            # For YAML, only spaces are indentation.
            if self._skip_below is not None and len(line) - len(line.lstrip(" ")) > self._skip_below:
                self.written.append(line)
                return
            self._skip_below = None
            if self._tags_above is not None and self._indent <= self._tags_above:
                self._tags_above = None
        self._starts, self._is_value, self._is_free, self._entry = True, False, False, ""
        place = 0
        while place < len(line):
            place = self._quoted(place) if self._quote else self._plain(place)

    def _take(self, place: int, meant: str | None = None) -> int:
        """Read one character as it is meant."""
        meant = self._meant(place) if meant is None else meant
        if lookalike(self._line[place]):
            self.wrong[place] = meant
        self.written.append(meant)
        return place + 1

    def _keep(self, place: int, end: int | None = None) -> int:
        end = place + 1 if end is None else end
        self.written.append(self._line[place:end])
        return end

    def _meant(self, place: int) -> str:
        """The character at `place` as it is meant, '' at the end of the line."""
        character = self._line[place : place + 1]
        kind = lookalike(character) if character else None
        return character if kind is None else kind.meant

    def _quoted(self, place: int) -> int:
        character, rest = self._line[place], self._line[place + 1 :]
        if self._quote == '"' and character == "\\":
            return self._keep(place, place + 2)
        if character == self._quote == "'" and rest.startswith("'"):
            return self._keep(place, place + 2)
        kind = lookalike(character)
        ends = kind is not None and kind.meant == self._quote and self._quote not in rest
        if character == self._quote or (ends and re.match(r"\s*([:,\]}#]|$)", rest)):
            self._quote = ""
            return self._take(place)
        return self._keep(place)

    def _plain(self, place: int) -> int:
        character, meant = self._line[place], self._meant(place)
        before = next((text[-1] for text in reversed(self.written) if text), "")
        if meant == "#" and (not before or before.isspace()) and (character == "#" or not self._is_free):
            self._take(place)
            return self._keep(place + 1, len(self._line))
        if self._is_free and not (self._flow and character in ",]}"):
            return self._keep(place)
        if meant.isspace() or not meant:
            return self._space(place)
        starts, self._starts = self._starts, False
        if self._flow and meant in ",]}":
            if meant != ",":
                self._flow.pop()
            else:
                self._new_entry()
            return self._take(place)
        if meant == ":" and not self._is_value and self._separates(place):
            return self._separator(place)
        return self._first(place) if starts else self._text(place)

    def _first(self, place: int) -> int:
        """Read the first character of a key, a value or an entry of a list."""
        meant, after = self._meant(place), self._meant(place + 1)
        if meant in "[{":
            self._flow.append(_TAGS if self._is_value and self._entry == _TAGS else meant)
            self._new_entry()
        elif meant in "\"'":
            self._quote = meant
        elif meant == "-" and not self._flow and (not after or after.isspace()):
            self._starts = True
        else:
            return self._text(place)
        return self._take(place)

    def _text(self, place: int) -> int:
        if not self._is_value:
            self._entry += self._meant(place)
            if self._in_tags() and self._meant(place).isalnum():
                return self._keep(place)
        before = self._line[place - 1 : place]
        is_word = self._line[place] == "\u30fc" and before and not before.isascii() and not lookalike(before)
        return self._keep(place) if is_word else self._take(place)

    def _new_entry(self) -> None:
        self._starts, self._is_value, self._is_free, self._entry = True, False, False, ""

    def _in_tags(self) -> bool:
        return self._tags_above is not None or _TAGS in self._flow

    def _space(self, place: int) -> int:
        is_indentation = not self._line[:place].strip() and self._line[place:].strip()
        if is_indentation and self._meant(place) and lookalike(self._line[place]):
            self.is_moved = True
        return self._take(place)

    def _separates(self, place: int) -> bool:
        after = self._meant(place + 1)
        if not after or after.isspace() or (self._flow and after in ",]}"):
            return True
        is_key = re.fullmatch(r"[\w.-]+", self._entry)
        return self._line[place] != ":" and is_key is not None and after != "/"

    def _separator(self, place: int) -> int:
        key, after, in_tags = self._entry.strip("\"' "), self._meant(place + 1), self._in_tags()
        place = self._take(place, ":" if not after or after.isspace() or after in ",]}" else ": ")
        value = "".join(map(self._meant, range(place, len(self._line)))).strip()
        self._starts, self._is_value = True, True
        if not self._flow and value[:1] in ("|", ">"):
            self._skip_below = self._indent
            return self._keep(place, len(self._line))
        if not self._flow and key == _TAGS and (not value or value.startswith("#")):
            self._tags_above = self._indent
        elif (key in FREE_TEXTS or in_tags) and value[:1] not in ('"', "'", "[", "{"):
            self._skip_below = self._skip_below if self._flow else self._indent
            while place < len(self._line) and self._meant(place).isspace():
                place = self._take(place)
            self._is_free = True
        return place
