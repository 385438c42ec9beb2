"""The words of a review's comment in English or Japanese."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from errors import WRONG_USAGE, refused
from ops.review import text
from ops.review.rule import ReviewFinding, ReviewRule
from ops.review.translatable import Joined, TranslatableText

LANGUAGES = ("en", "ja")

_SEPARATORS = {": ": "：", "; ": "、", " and ": "、"}
"""What stands between parts in Japanese."""

PREDICATES = frozenset(
    {"allows", "asks", "assumes", "attaches", "connects", "contains", "continues", "decides", "does", "exists"}
    | {"fails", "gets", "has", "hears", "is", "keeps", "leads", "may", "passes", "records", "runs"}
    | {"sends", "sets", "shares", "still", "stops", "tells", "trusts", "was", "works"}
)
"""The first words of findings that say what the object does or what happens to it, without naming it."""

_JAPANESE = Path(__file__).with_name("japanese.toml")


@dataclass(frozen=True)
class Language:
    """English, or what the `catalogue` has for it.

    `texts` and `findings` are by the English text, `counts` by noun, and `rules` by id.
    """

    catalogue: dict[str, dict[str, Any]] = field(default_factory=dict)

    def say(self, template: str, **values: str) -> str:
        """A text with its `{names}` filled in."""
        return _filled(self.catalogue["texts"][template], values) if self.catalogue else template.format(**values)

    def translated(self, text: str) -> str:
        """What a rule says of its findings; names and values stay as they are, and so does what has no translation."""
        if not self.catalogue:
            return text
        if isinstance(text, Joined):
            separator = _SEPARATORS.get(text.separator, text.separator)
            return separator.join(map(self.translated, text.parts))
        if not isinstance(text, TranslatableText):
            return text
        template = self.catalogue["findings"].get(text.template, text.template)
        return _filled(template, {name: self.translated(value) for name, value in text.values.items()})

    def listed(self, parts: Iterable[str]) -> str:
        """Parts in words, one after the other."""
        return ("、" if self.catalogue else ", ").join(parts)

    def about(self, finding: ReviewFinding, what: str, most: int = text.MOST_SHOWN) -> str:
        """A sentence about what a finding is about; `what` is in this language, and its verb's subject is the place."""
        where = text.code(f"{finding.stack}/{self.translated(finding.address)}", most)
        is_predicate = not self.catalogue and what.partition(" ")[0].rstrip(":,;") in PREDICATES
        return f"{where} {what}" if is_predicate else self.say("{where}: {what}", where=where, what=what)

    def count(self, number: int, noun: str) -> str:
        """`2 stacks`."""
        if self.catalogue:
            return str(self.catalogue["counts"][noun]).format(number=number)
        return text.count(number, noun)

    def what(self, rule: ReviewRule) -> str:
        """What a rule's findings have in common."""
        return str(self.catalogue["rules"][rule.id]["what"]) if self.catalogue else rule.what

    def why(self, rule: ReviewRule) -> str:
        """Why a rule's findings matter."""
        return str(self.catalogue["rules"][rule.id]["why"]) if self.catalogue else rule.why


def _filled(template: str, values: Mapping[str, str]) -> str:
    """A Japanese text: a space stands beside code and Latin letters, and not between two Japanese characters."""
    for name, value in values.items():
        if _JAPANESE_CHARACTER.match(value[-1:]):
            template = re.sub(rf"(?<={{{name}}}) (?={_JAPANESE_CHARACTER.pattern})", "", template)
        if _JAPANESE_CHARACTER.match(value[:1]):
            template = re.sub(rf"(?<={_JAPANESE_CHARACTER.pattern}) (?={{{name}}})", "", template)
    return template.format(**values)


_JAPANESE_CHARACTER = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")

ENGLISH = Language()


@cache
def language(name: str) -> Language:
    """The language of that name. Raises RefusedError for one that is not in LANGUAGES."""
    if name not in LANGUAGES:
        hint = f"choose one of {', '.join(LANGUAGES)}"
        raise refused("--language", f"{name!r} is not a language of the comment", hint, status=WRONG_USAGE)
    return ENGLISH if name == "en" else Language(tomllib.loads(_JAPANESE.read_text(encoding="utf-8")))
