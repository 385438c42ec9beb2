"""Policy variables: `${…}` in a policy's text, which a request's values replace.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from dataclasses import dataclass
from functools import cache

from iam.statements import UnsupportedError


@dataclass(frozen=True)
class PolicyVariable:
    """A `${key, 'default'}`, the key in lower case."""

    key: str
    default: str | None


@dataclass(frozen=True)
class EscapedCharacter:
    """A `${*}`, `${?}` or `${$}`: the character itself."""

    text: str


_VARIABLE = re.compile(r"\s*([A-Za-z0-9:/._+=@-]+)\s*(?:,\s*'([^']*)'\s*)?")


@cache
def pieces(text: str, place: str = "") -> tuple[str | PolicyVariable | EscapedCharacter, ...]:
    """A text cut at its variables; raises UnsupportedError with `place` where one cannot be read."""
    found: list[str | PolicyVariable | EscapedCharacter] = []
    rest = text
    while (start := rest.find("${")) >= 0:
        end = rest.find("}", start)
        name = rest[start + 2 : end]
        if end < 0:
            raise UnsupportedError(place, f"a variable without end in {text!r}")
        found.append(rest[:start])
        if name in ("*", "?", "$"):
            found.append(EscapedCharacter(name))
        elif variable := _VARIABLE.fullmatch(name):
            found.append(PolicyVariable(variable[1].lower(), variable[2]))
        else:
            raise UnsupportedError(place, f"variable {name!r}")
        rest = rest[end + 1 :]
    found.append(rest)
    return tuple(piece for piece in found if piece != "")
