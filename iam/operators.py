"""The operators of conditions: how each reads a policy's value, and when a request's value matches it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from terraform.arns import Arn

IpNetwork = IPv4Network | IPv6Network

Fill = Callable[[str, bool], str]
"""Makes a policy's text a regular expression, its variables replaced; the flag makes `*` and `?` wildcards."""


def is_private(network: IpNetwork) -> bool:
    """Whether no public network, such as a room's, has any of these addresses."""
    return any(isinstance(network, IPv4Network) and network.subnet_of(block) for block in _PRIVATE)


_WIDEST = {4: 8, 6: 16}
"""A network with a shorter prefix counts as the whole internet; the settings have the same limit for IPv4."""


def is_world(network: IpNetwork) -> bool:
    """Whether a network is so large that it counts as the whole internet."""
    return network.prefixlen < _WIDEST[network.version]


# https://www.rfc-editor.org/rfc/rfc1918 and, for addresses that a carrier shares, https://www.rfc-editor.org/rfc/rfc6598
# and for tests of networks, https://www.rfc-editor.org/rfc/rfc2544
_PRIVATE = tuple(
    map(
        IPv4Network, ("192.0.0.0/24", "198.18.0.0/15", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
    )
)


@dataclass(frozen=True)
class Operator:
    """How one operator works. `read` raises ValueError for what is not a value of a policy.

    `matches` takes the request's value, the policy's value and what fills in variables. An operator that `is_negated`
    holds where no value of the policy matches.
    """

    read: Callable[[str], object]
    matches: Callable[[str, str, Fill], bool]
    has_variables: bool = False
    is_negated: bool = False


def number(text: str) -> Decimal:
    """A number of a Numeric condition."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not value.is_finite():
        raise ValueError(text)
    return value


_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d))?)?")


@cache
def date(text: str) -> Decimal:
    """A date as seconds since 1970, from one of W3C's forms of ISO 8601 or from such seconds.

    A year alone could be either, and is refused.
    """
    if re.fullmatch(r"\d{5,}", text):
        return Decimal(text)
    written = _DATE.fullmatch(text)
    if not written:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, zone = written.groups()
    moment = f"{year}-{month}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    zone = "+00:00" if zone in (None, "Z") else zone
    seconds = (datetime.fromisoformat(moment + zone) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return Decimal(int(seconds)) + Decimal(f"0.{fraction or 0}")


@cache
def network(text: str) -> IpNetwork:
    """A network of an IpAddress condition, or an IPv4 address as a network of one.

    An IPv6 address alone is refused: the guide gives it the prefix 32, which nobody can mean.
    """
    found = ip_network(text, strict=False)
    if found.version == 6 and "/" not in text:
        raise ValueError(text)
    return found


def boolean(text: str) -> bool:
    """A value of Bool or Null."""
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


@cache
def compiled(expression: str, flags: int = 0) -> re.Pattern[str]:
    """A regular expression, compiled once; its `.` matches line breaks too."""
    return re.compile(expression, re.DOTALL | flags)


def _equals(given: str, wanted: str, fill: Fill) -> bool:
    return compiled(fill(wanted, False)).fullmatch(given) is not None


def _equals_ignoring_case(given: str, wanted: str, fill: Fill) -> bool:
    return compiled(fill(wanted, False), re.IGNORECASE).fullmatch(given) is not None


def _like(given: str, wanted: str, fill: Fill) -> bool:
    return compiled(fill(wanted, True)).fullmatch(given) is not None


def _arn_like(given: str, wanted: str, fill: Fill) -> bool:
    """ArnEquals and ArnLike do the same: a wildcard matches within one of the six parts."""
    pattern = [fill(part, True) for part in _arn_pattern(wanted)]
    try:
        parts = Arn.of(given)
    except ValueError:
        return False
    return all(compiled(expression).fullmatch(part) for expression, part in zip(pattern, parts, strict=True))


@cache
def _arn_pattern(text: str) -> list[str]:
    """The six parts of an ARN's pattern; colons within a variable do not separate parts."""
    hidden = re.sub(r"\$\{[^}]*\}", lambda variable: variable[0].replace(":", "\0"), text)
    return [part.replace("\0", ":") for part in Arn.of(hidden)]


def _values(
    read: Callable[[str], Any],
    holds: Callable[[Any, Any], bool] = operator.eq,
    read_given: Callable[[str], Any] | None = None,
) -> Operator:
    """An operator that compares what it reads; a request's value that cannot be read matches nothing."""

    def matches(given: str, wanted: str, _: Fill) -> bool:
        try:
            value = (read_given or read)(given)
        except ValueError:
            return False
        return holds(value, read(wanted))

    return Operator(read, matches)


_ARN = Operator(Arn.of, _arn_like, has_variables=True)

_POSITIVE: dict[str, Operator] = {
    "StringEquals": Operator(str, _equals, has_variables=True),
    "StringEqualsIgnoreCase": Operator(str, _equals_ignoring_case, has_variables=True),
    "StringLike": Operator(str, _like, has_variables=True),
    **{
        f"{kind}{name}": _values(read, holds)
        for kind, read in (("Numeric", number), ("Date", date))
        for name, holds in (
            ("Equals", operator.eq),
            ("LessThan", operator.lt),
            ("LessThanEquals", operator.le),
            ("GreaterThan", operator.gt),
            ("GreaterThanEquals", operator.ge),
        )
    },
    "Bool": _values(boolean, read_given=lambda text: boolean(text.lower())),
    "BinaryEquals": _values(partial(base64.b64decode, validate=True)),
    "IpAddress": _values(network, lambda address, within: address in within, ip_address),
    "ArnEquals": _ARN,
    "ArnLike": _ARN,
}

_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}

OPERATORS: dict[str, Operator] = {
    **_POSITIVE,
    **{name: replace(_POSITIVE[positive], is_negated=True) for name, positive in _NEGATED.items()},
}
"""Every operator but Null, which is about whether a key exists."""
