"""Chooses what to change in a running system: variables, as operations do."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.rehearse.stacks import RehearsalStack

# From a range for documentation. There are several, because two stacks of one account need different ones.
_NEW_ADDRESSES = tuple(f"203.0.113.{host}/32" for host in range(77, 85))

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922)

_ONE_OF = re.compile(r"contains\(\[([\d,\s]+)\]")
_AT_MOST = re.compile(r"<=\s*(\d+)")


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Another value for a variable, and the mark by which it is recognised in the account."""

    variable: str
    before: Any
    after: Any
    mark: str | int

    def __str__(self) -> str:
        if isinstance(self.after, list):
            return f"{self.variable} + {self.mark}"
        return f"{self.variable} {self.before} → {self.after}"


def choose(stack: RehearsalStack, counts: Callable[[list[str | int]], list[int]]) -> list[Variation]:
    """At most one retention and one address list of the stack, each with the value that is rarest in the account.

    `counts` returns how often the account contains each value. The rarer it was before, the more its arrival proves.
    """
    found: list[Variation] = []
    # Retention of logs comes first: the provider waits a minute after every change of an S3 lifecycle.
    names = sorted(stack.variables, key=lambda name: ("log" not in name, name))
    for offers_of in (_retentions, _address_lists):
        offers = next((offers for name in names if (offers := [*offers_of(name, stack.variables[name])])), [])
        if offers:
            seen = counts([offer.mark for offer in offers])
            found.append(offers[seen.index(min(seen))])
    return found


def _retentions(name: str, variable: Mapping[str, Any]) -> Iterator[Variation]:
    before = variable.get("default")
    if not name.endswith(("_retention_days", "_retention_count")) or not isinstance(before, int):
        return
    condition = str(variable.get("validation", ""))
    listed = _ONE_OF.search(condition)
    if listed:
        values = [int(value) for value in listed[1].split(",") if value.strip()]
    elif "log" in name and before in _LOG_RETENTION_DAYS:
        values = list(_LOG_RETENTION_DAYS)
    else:
        bound = _AT_MOST.search(condition)
        values = [value for value in range(before + 1, before + 20) if bound is None or value <= int(bound[1])]
        values += list(range(before - 1, 1, -1))
    for value in values:
        if value != before:
            yield Variation(variable=name, before=before, after=value, mark=value)


def _address_lists(name: str, variable: Mapping[str, Any]) -> Iterator[Variation]:
    before = variable.get("default")
    if name.endswith("_cidrs") and isinstance(before, list):
        for address in _NEW_ADDRESSES:
            if address not in before:
                yield Variation(variable=name, before=before, after=[*before, address], mark=address)
