"""How long a reason has to be, in a deployment file or in an acknowledgement."""

import unicodedata

SHORTEST = 10
"""In characters, of which a Chinese, Japanese or Korean one counts as two."""

LENGTH = f"{SHORTEST} characters or more (Chinese, Japanese and Korean ones count as two)"
"""The same for a hint."""


def is_long_enough(reason: str) -> bool:
    """Whether a text is long enough to be a reason. Source of the widths: https://www.unicode.org/reports/tr11/."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in reason.strip()) >= SHORTEST
