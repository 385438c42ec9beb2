"""A request as AWS evaluates it: who asks, for which action on which resource, and the context keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from iam.statements import UnsupportedError


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks: a user or role by its ARN, a service by its name (`codebuild.amazonaws.com`), or nobody known."""

    kind: Literal["user", "role", "service", "anonymous"]
    name: str = ""
    account: str | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for. `context` is by key, in any case, with one value or several.

    Keys that are neither in `context` nor in `absent` are unknown, and a condition on one raises UnsupportedError; with
    `absent` left out, every key that is not in `context` is absent.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    absent: frozenset[str] | None = None

    @cached_property
    def _values(self) -> dict[str, tuple[str, ...]]:
        return {
            key.lower(): (value,) if isinstance(value, str) else tuple(value) for key, value in self.context.items()
        }

    @cached_property
    def _absent(self) -> frozenset[str] | None:
        return None if self.absent is None else frozenset(key.lower() for key in self.absent)

    def values(self, key: str, place: str) -> tuple[str, ...] | None:
        """The values of `key`, None when the request does not have it; `place` names the statement that asks."""
        if key in self._values:
            return self._values[key]
        if self._absent is not None and key not in self._absent:
            raise UnsupportedError(place, f"whether a request has {key!r}, and its value, is not known")
        return None

    def value(self, key: str, place: str) -> str | None:
        """The value of a key that may not have several."""
        values = self.values(key, place)
        if values is not None and len(values) != 1:
            raise UnsupportedError(place, f"{key!r} has {len(values)} values, and the policy takes it for one")
        return None if values is None else values[0]
