"""The words of a review's comment in English or Japanese."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from errors import WRONG_USAGE, refused
from ops.review import text
from ops.review.rule import ReviewRule
from ops.review.translatable import Joined, TranslatableText

LANGUAGES = ("en", "ja")

_SEPARATORS = {": ": "：", "; ": "；", " and ": "、"}
"""What stands between parts in Japanese."""

_JAPANESE = Path(__file__).with_name("japanese.toml")


@dataclass(frozen=True)
class Language:
    """English, or what the `catalogue` has for it.

    `texts` and `findings` are by the English text, `counts` by noun, and `rules` by id.
    """

    catalogue: dict[str, dict[str, Any]] = field(default_factory=dict)

    def say(self, template: str, **values: str) -> str:
        """A text with its `{names}` filled in."""
        return (self.catalogue["texts"][template] if self.catalogue else template).format(**values)

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
        return str(template).format(**{name: self.translated(value) for name, value in text.values.items()})

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


ENGLISH = Language()


@cache
def language(name: str) -> Language:
    """The language of that name. Raises RefusedError for one that is not in LANGUAGES."""
    if name not in LANGUAGES:
        hint = f"choose one of {', '.join(LANGUAGES)}"
        raise refused("--language", f"{name!r} is not a language of the comment", hint, status=WRONG_USAGE)
    return ENGLISH if name == "en" else Language(tomllib.loads(_JAPANESE.read_text(encoding="utf-8")))
