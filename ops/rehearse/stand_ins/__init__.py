"""Answers to the calls that moto lacks or gets wrong, one module for each AWS service.

A stand-in is not AWS: it stores what it is given and returns it, with the errors that Terraform needs (not found,
exists already). It never checks what AWS would check. A rehearsal's report shows how often each one answered, so that
its answers are not taken for a proof.

To add one, add a module with a `StandIn` that cites the API it stands for, and a function for each operation.
"""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import ServiceException

Reply = Mapping[str, Any]
Store = defaultdict[str, dict[str, dict[str, Any]]]


class AwsError(ServiceException):
    """An error as AWS documents it: `AwsError("ResourceNotFoundException", "no such policy")`."""


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """A finished HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, parsed with botocore's model of the service.

    `store` has what this service's stand-in stores for this account and region, by kind and then by id.
    `ask_moto` passes the request on, for stand-ins that only correct moto's answer.
    """

    account: str
    region: str
    params: Mapping[str, Any]
    store: Store
    ask_moto: Callable[[], HttpResponse]


Handler = Callable[[Call], Reply | HttpResponse]


@dataclass(frozen=True)
class StandIn:
    """A stand-in for one service.

    because: why moto is not enough, for the report. api: the reference that its operations were written from.
    """

    service: str
    because: str
    api: str
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
