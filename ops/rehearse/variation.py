"""Chooses what to change in a running system: variables, as operations do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from itertools import islice
from typing import Any

from ops.rehearse.stacks import RehearsalStack
from settings.types import LOG_RETENTION_DAYS
from terraform import facts
from terraform.facts import AddressList, Fact, LogRetention, Retention

# The ranges for documentation (RFC 5737). A new address is taken from the first one that has addresses to spare.
_DOCUMENTATION = tuple(map(IPv4Network, ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")))
# There are several, because two stacks of one account need different ones.
_NEW_ADDRESSES = 8

_Varied = LogRetention | Retention | AddressList


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


def listed_networks(stacks: Iterable[RehearsalStack]) -> list[IPv4Network]:
    """The networks that are in an address list of any of these stacks, merged."""
    return list(
        collapse_addresses(
            IPv4Network(cidr)
            for stack in stacks
            for fact in _of_kind(facts.read(stack.name, stack.document), AddressList)
            for cidr in stack.variables[fact.variable]["default"]
        )
    )


def choose(
    stack: RehearsalStack, counts: Callable[[list[str | int]], list[int]], *, listed: Sequence[IPv4Network] = ()
) -> list[Variation]:
    """At most one retention and one address list of the stack, each with the value that is rarest in the account.

    The stack's facts name these variables and the values that they may have. `counts` returns how often the account
    contains each value. The rarer it was before, the more its arrival proves. An address is added that is in none of
    the `listed` networks, those of the whole deployment: what one list contains, another may have to refuse.
    """
    recorded = facts.read(stack.name, stack.document)
    # Retention of logs comes first: the provider waits a minute after every change of an S3 lifecycle.
    by_kind = [
        [fact for kind in (LogRetention, Retention) for fact in _of_kind(recorded, kind)],
        _of_kind(recorded, AddressList),
    ]
    found: list[Variation] = []
    for candidates in by_kind:
        offers = next((offers for fact in candidates if (offers := [*_offers(stack, fact, listed)])), [])
        if offers:
            seen = counts([offer.mark for offer in offers])
            found.append(offers[seen.index(min(seen))])
    return found


def _of_kind(recorded: Iterable[Fact], kind: type[_Varied]) -> list[_Varied]:
    return sorted((fact for fact in recorded if isinstance(fact, kind)), key=lambda fact: fact.variable)


def _offers(stack: RehearsalStack, fact: _Varied, listed: Sequence[IPv4Network]) -> Iterator[Variation]:
    match fact:
        case AddressList(variable=name):
            before = stack.variables[name]["default"]
            taken = [*listed, *map(IPv4Network, before)]
            free = (
                f"{host}/32"
                for network in _DOCUMENTATION
                for host in network.hosts()
                if not any(host in other for other in taken)
            )
            for address in islice(free, _NEW_ADDRESSES):
                yield Variation(variable=name, before=before, after=[*before, address], mark=address)
        case LogRetention(variable=name) | Retention(variable=name):
            before = stack.variables[name]["default"]
            for value in _retentions(fact, before):
                if value != before:
                    yield Variation(variable=name, before=before, after=value, mark=value)


def _retentions(fact: LogRetention | Retention, before: int) -> Iterable[int]:
    if isinstance(fact, LogRetention):
        return LOG_RETENTION_DAYS
    # A day and a single copy are left out: the number 1 is everywhere in an account.
    higher, lower = range(before + 1, min(before + 19, fact.high) + 1), range(before - 1, max(fact.low, 2) - 1, -1)
    return [*higher, *lower]
