"""The statements of IAM policies, as typed values: the one model that everything here works on.

`iam.documents` makes them from JSON. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from errors import WRONG_USAGE, Problem, RefusedError


class UnsupportedError(RefusedError):
    """Something that is not evaluated here; nothing may be concluded from the policy. `reason` says it in one line."""

    def __init__(self, place: str, what: str) -> None:
        hint = "write it another way, or add it to iam/, which says who may do what"
        problem = Problem(where=place, what=f"cannot be evaluated: {what}", hint=hint)
        super().__init__([problem], status=WRONG_USAGE)
        self.reason = f"{place}: {what}"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One key of one operator: `StringEquals` without its set prefix and its `IfExists`, the key in lower case."""

    operator: str
    quantifier: Literal["ForAllValues", "ForAnyValue"] | None
    if_exists: bool
    key: str
    values: tuple[str, ...]
    written_key: str = field(compare=False)
    """The key in the policy's spelling, for people."""

    @property
    def written(self) -> str:
        """Operator and key in the policy's spelling: `StringEqualsIfExists aws:SourceVpce`."""
        prefix = f"{self.quantifier}:" if self.quantifier else ""
        return f"{prefix}{self.operator}{'IfExists' if self.if_exists else ''} {self.written_key}"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement. `principals` are by type (`AWS`, `Service`, …, `*`), and None in an identity's policy.

    `place` names the policy and the statement, for people.
    """

    place: str
    sid: str
    allows: bool
    actions: tuple[str, ...]
    but_actions: bool
    """Whether `actions` are a NotAction; so for `but_resources` and `but_principals`."""
    resources: tuple[str, ...]
    but_resources: bool
    principals: Mapping[str, tuple[str, ...]] | None
    but_principals: bool
    conditions: tuple[Condition, ...]
    has_variables: bool
    """Whether the version of the policy makes `${…}` a variable."""

    @cached_property
    def named_actions(self) -> frozenset[str]:
        """The actions without a wildcard, in lower case: AWS ignores case in actions."""
        return frozenset(action.lower() for action in self.actions if not has_wildcard(action))

    @cached_property
    def action_patterns(self) -> tuple[str, ...]:
        """The actions with a wildcard, in lower case."""
        return tuple(action.lower() for action in self.actions if has_wildcard(action))

    @cached_property
    def named_resources(self) -> frozenset[str]:
        """The resources without a wildcard or a variable."""
        return frozenset(resource for resource in self.resources if not _varies(resource))

    @cached_property
    def resource_patterns(self) -> tuple[str, ...]:
        """The resources with a wildcard or a variable."""
        return tuple(resource for resource in self.resources if _varies(resource))

    @property
    def services(self) -> tuple[str, ...]:
        """The AWS services among the principals."""
        return (self.principals or {}).get("Service", ())


def has_wildcard(text: str) -> bool:
    """Whether a pattern may match more than one text."""
    return "*" in text or "?" in text


def _varies(text: str) -> bool:
    return has_wildcard(text) or "${" in text


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A policy under the name that people find it by."""

    name: str
    statements: tuple[Statement, ...]
