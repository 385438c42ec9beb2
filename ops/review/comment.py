"""Fits a comment into a platform's limit by leaving out the least important parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops.review.language import ENGLISH, Language

# https://docs.gitlab.com/administration/instance_limits/#size-of-comments-and-descriptions-of-issues-merge-requests-and-epics
# GitHub refuses a longer body with "body is too long (maximum is 65536 characters)".
# A longer summary of a step is dropped:
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
LIMITS = {"github": 65_536, "gitlab": 1_000_000, "github-summary": 1_048_576}
POSTED_TO = ("github", "gitlab")


def in_characters(text: str) -> int:
    """The length in UTF-16 units: no platform that counts characters counts more for the same text."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def in_bytes(text: str) -> int:
    """The length in UTF-8."""
    return len(text.encode(errors="surrogatepass"))


MEASURES = {"github-summary": in_bytes}
"""How a platform counts, if not in characters."""


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


def lay_out(
    sections: Sequence[Section],
    limit: int,
    language: Language = ENGLISH,
    measure: Callable[[str], int] = in_characters,
) -> str:
    """All sections in their order, in at most `limit` of what `measure` counts."""
    kept = [len(section.items) for section in sections]
    order = sorted(range(len(sections)), key=lambda place: (sections[place].importance, -place))
    lengths = [measure(section.text(count, language)) + 2 for section, count in zip(sections, kept, strict=True)]
    for place in order:
        others = sum(lengths) - lengths[place]
        if others + lengths[place] <= limit:
            break
        kept[place] = _most(sections[place], limit - others, language, measure)
        lengths[place] = measure(sections[place].text(kept[place], language)) + 2
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
        number = shown.count(False)
        one = "*{number} section left out here: the comment would be too long.*"
        several = "*{number} sections left out here: the comment would be too long.*"
        texts.append(language.say(one if number == 1 else several, number=str(number)))
    return "\n\n".join(texts) + "\n"


_CLOSING = 200
"""Room for the line about sections that are left out."""


def _most(section: Section, room: int, language: Language, measure: Callable[[str], int]) -> int:
    """How many items of the section fit into `room`."""
    low, high = 0, len(section.items)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(section.text(middle, language)) + 2 <= room:
            low = middle
        else:
            high = middle - 1
    return low
