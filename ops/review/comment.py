"""Fits a comment into a platform's limit by leaving out the least important parts."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.review.language import ENGLISH, Language

# https://docs.gitlab.com/administration/instance_limits/#size-of-comments-and-descriptions-of-issues-merge-requests-and-epics
# GitHub refuses a longer body with "body is too long (maximum is 65536 characters)".
LIMITS = {"github": 65_536, "gitlab": 1_000_000}


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a comment. Its last items are left out first, beginning with the section of the lowest importance.

    `noun` is the plural word for the items.
    """

    importance: int
    head: str
    items: Sequence[str]
    noun: str
    tail: str = ""
    between: str = "\n"

    def text(self, kept: int, language: Language = ENGLISH) -> str:
        """The section with its first `kept` items, and a note of how many are left out."""
        left_out = len(self.items) - kept
        template = "*{number} {noun} left out here: the comment would be too long.*"
        note = [language.say(template, number=str(left_out), noun=language.say(self.noun))] if left_out else []
        body = self.between.join(self.items[:kept])
        parts = [self.head, body, *(["", *note] if note else []), self.tail]
        return "\n".join(part for part in parts if part or part == "").strip("\n") if kept or note else self.head


def lay_out(sections: Sequence[Section], limit: int, language: Language = ENGLISH) -> str:
    """All sections in their order, in at most `limit` characters.

    Characters are counted as UTF-16 units: no platform counts more for the same text.
    """
    kept = [len(section.items) for section in sections]
    order = sorted(range(len(sections)), key=lambda place: (sections[place].importance, -place))
    lengths = [_length(section.text(count, language)) + 2 for section, count in zip(sections, kept, strict=True)]
    for place in order:
        others = sum(lengths) - lengths[place]
        if others + lengths[place] <= limit:
            break
        kept[place] = _most(sections[place], limit - others, language)
        lengths[place] = _length(sections[place].text(kept[place], language)) + 2
    shown = [True] * len(sections)
    for place in order:
        total = sum(length for length, is_shown in zip(lengths, shown, strict=True) if is_shown)
        if total + (0 if all(shown) else _CLOSING) <= limit:
            break
        shown[place] = False
    texts = [
        section.text(count, language)
        for section, count, is_shown in zip(sections, kept, shown, strict=True)
        if is_shown
    ]
    if not all(shown):
        template = "*{number} sections left out here: the comment would be too long.*"
        texts.append(language.say(template, number=str(shown.count(False))))
    return "\n\n".join(texts) + "\n"


_CLOSING = 100
"""Room for the line about sections that are left out."""


def _most(section: Section, room: int, language: Language) -> int:
    """How many items of the section fit into `room` characters."""
    low, high = 0, len(section.items)
    while low < high:
        middle = (low + high + 1) // 2
        if _length(section.text(middle, language)) + 2 <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
