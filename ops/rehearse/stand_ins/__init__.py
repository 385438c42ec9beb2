"""Answers to the calls that moto lacks or gets wrong, one module per AWS service.

A stand-in is not AWS: it keeps what it is given and gives it back, with the errors that Terraform needs to see
(not found, already there). It never checks what AWS would check. How often each one spoke is counted and shown at
the end of a rehearsal, so nobody takes an echo for a proof.

To add one: a module here with a `StandIn`, a function per operation, and its name in `load()`.
"""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import ServiceException

Reply = Mapping[str, Any]
Shelf = defaultdict[str, dict[str, dict[str, Any]]]


class Refused(ServiceException):
    """An error as AWS documents it: `Refused("ResourceNotFoundException", "no such policy")`."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A finished HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, parsed with botocore's model of the service.

    `shelf` is what this service's stand-in keeps for this account and region, by kind and then by id.
    `ask_moto` passes the request on, for stand-ins that only correct an answer.
    """

    account: str
    region: str
    params: Mapping[str, Any]
    shelf: Shelf
    ask_moto: Callable[[], Answer]


Handler = Callable[[Call], Reply | Answer]


@dataclass(frozen=True)
class StandIn:
    """What stands in for one service, and why (a sentence that the report shows)."""

    service: str
    because: str
    operations: dict[str, Handler] = field(default_factory=dict)

    def answers(self, operation: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.operations[operation] = handler
            return handler

        return register


def load() -> dict[str, StandIn]:
    """Every stand-in of this package, by botocore's name of the service."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    stand_ins = [value for module in modules for value in vars(module).values() if isinstance(value, StandIn)]
    return {stand_in.service: stand_in for stand_in in stand_ins}
