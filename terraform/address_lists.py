"""Terraform expressions of lists of addresses: what stacks write and what those who check them expect."""

import re
from collections.abc import Sequence

_SINGLE_ADDRESSES = re.compile(
    r'\$\{\[for address in (?:values\(([^\s()]+)\)|\[([^\s\[\]]+)\]) : "\$\{address\}/32"\]\}'
)


def single_addresses(listed: str) -> str:
    """The networks of the addresses that the expression `listed` lists, one /32 each."""
    return f'[for address in {listed} : "${{address}}/32"]'


def listed_by(expression: str) -> str | None:
    """What an expression of `single_addresses`, written `${…}`, lists: `X` of `values(X)` or `[X]`, else None."""
    found = _SINGLE_ADDRESSES.fullmatch(expression)
    return None if found is None else found[1] or found[2]


def no_overlap(own: str, others: Sequence[str]) -> str:
    """Whether no network in the list `own` overlaps with one in the lists `others`, written `${…}`.

    Two networks overlap if they are equal under the shorter of their prefixes.
    """
    prefix = 'min(tonumber(split("/", own)[1]), tonumber(split("/", other)[1]))'

    def masked(network: str) -> str:
        return f'cidrsubnet(format("%s/%d", split("/", {network})[0], {prefix}), 0, 0)'

    listed = others[0] if len(others) == 1 else f"concat({', '.join(others)})"
    overlaps = f"[for own in {own} : [for other in {listed} : {masked('own')} == {masked('other')}]]"
    return f"${{!anytrue(flatten({overlaps}))}}"


def every_network(variable: str, condition: str) -> str:
    """Whether `condition` can be evaluated and holds for every `cidr` in a variable."""
    return f"alltrue([for cidr in var.{variable} : try({condition}, false)])"


def none_wider(variable: str, prefix: int) -> str:
    """Whether no network in a variable has a shorter prefix."""
    return every_network(variable, f'tonumber(split("/", cidr)[1]) >= {prefix}')
