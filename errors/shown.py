"""How values are shown in messages: short, on one line, without a secret, and with the right plural."""

import re
from typing import Any

LONGEST = 160
_HEAD, _TAIL = 100, 40


def shown(value: Any) -> str:
    """`value` as a message repeats it: text in quotes, the middle of a long one left out, credentials too."""
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > LONGEST:
        # Python refuses to print integers of more than 4,300 digits.
        return "a number of more than 40 digits"
    return shortened(_without_secrets(repr(value)))


def shortened(text: str) -> str:
    """`text`, or its beginning and end when it is long."""
    return text if len(text) <= LONGEST else f"{text[:_HEAD]}…{text[-_TAIL:]}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 stack`, `2 stacks`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def printable(text: str) -> str:
    """`text` with what a terminal would act on written as an escape: control characters, line ends, direction marks."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _without_secrets(text: str) -> str:
    if "PRIVATE KEY" in text:
        return "a private key"
    # https://user:password@host, also where the scheme is missing or the password holds a slash or a space.
    return re.sub(r"^(\W*)((?:\w+://)?).*:.*@", r"\1\2…@", text, flags=re.DOTALL)
