"""What a limit is: something that AWS refuses although Terraform and its provider accept it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from terraform.references import Configuration, Unknown

Found = tuple[str, str, str]
"""Where in the stack (`aws_iam_role.x.name`, or nothing for the stack itself), what is wrong, and the next action."""

Check = Callable[[Configuration], Iterator[Found]]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit, where AWS documents it, and what finds where it is broken."""

    what: str
    source: str
    check: Check


def limit(*, what: str, source: str) -> Callable[[Check], Limit]:
    """Make a limit of a check."""
    return lambda check: Limit(what=what, source=source, check=check)


IAM_QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"


def api(service: str, action: str) -> str:
    """The page of an action in a service's API reference."""
    return f"https://docs.aws.amazon.com/{service}/latest/APIReference/API_{action}.html"


def estimated(unknown: Unknown) -> str:
    """A text of about the length that a value will have that only an apply will tell: most are ARNs."""
    return "100" if unknown.expression.startswith("count.index") else "x" * 100


def length(place: str, most: int, source: str) -> Limit:
    """That an argument, given as `type.argument`, has at most so many characters."""
    kind, argument = place.split(".")

    def check(stack: Configuration) -> Iterator[Found]:
        for name, arguments in stack.resources(kind).items():
            value = stack.known(arguments.get(argument), estimated)
            if isinstance(value, str) and len(value) > most:
                what = f"{len(value):,} characters, AWS takes {most:,}"
                yield f"{kind}.{name}.{argument}", what, "shorten the names it is made of"

    return Limit(what=f"{place} has at most {most:,} characters", source=source, check=check)


def form(place: str, pattern: str, hint: str, source: str) -> Limit:
    """That an argument, given as `type.argument`, matches a regular expression."""
    kind, argument = place.split(".")

    def check(stack: Configuration) -> Iterator[Found]:
        for name, arguments in stack.resources(kind).items():
            value = stack.known(arguments.get(argument), estimated)
            if isinstance(value, str) and not re.fullmatch(pattern, value):
                yield f"{kind}.{name}.{argument}", f"{value!r} is not what AWS takes", hint

    return Limit(what=f"{place} has the form that AWS takes", source=source, check=check)
