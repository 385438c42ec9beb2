"""What is known of an argument: which values it may have, and why such a value gives nobody access."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from errors import Problem
from errors.shown import shown
from terraform import patterns, policy_documents
from terraform.references import Configuration

Check = Callable[[Any, Configuration], bool]


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One argument of a resource type. `wanted` says which values `check` accepts, and `why` they give no access."""

    why: str
    wanted: str
    check: Check | None = None
    """None where any value is allowed."""
    is_required: bool = False
    """Whether AWS's default, where the argument is left out, is not one of the allowed values."""

    def allows(self, value: Any, stack: Configuration) -> bool:
        """Whether the argument may have this value."""
        return self.check is None or self.check(value, stack)

    def __or__(self, other: "Argument") -> "Argument":
        """An argument that may have the values of both."""
        return Argument(
            why=self.why if self.why == other.why else f"{self.why}; {other.why}",
            wanted=f"{self.wanted} or {other.wanted}",
            check=lambda value, stack: self.allows(value, stack) or other.allows(value, stack),
            is_required=self.is_required or other.is_required,
        )


def harmless(why: str) -> Argument:
    """An argument that gives no access, whatever its value."""
    return Argument(why=why, wanted="any value")


def read_by(reader: str) -> Argument:
    """An argument that a promise or the model reads, whatever its value."""
    return Argument(why=f"read by {reader}", wanted="any value")


def one_of(*values: object, why: str) -> Argument:
    """An argument with one of a few literal values; true and "true" are one value to Terraform."""
    texts = {_text(value) for value in values}
    return Argument(
        why=why,
        wanted=" or ".join(map(repr, sorted(texts))),
        check=lambda value, _: _text(value) in texts,
    )


def text(pattern: str, *, wanted: str, why: str) -> Argument:
    """An argument whose value is a text of a certain form."""
    return Argument(
        why=why, wanted=wanted, check=lambda value, _: re.fullmatch(pattern, _text(value), re.DOTALL) is not None
    )


def own(kind: str, *attributes: str) -> Argument:
    """An argument that refers to a resource of the same stack, by one of these attributes."""
    start = f"${{{kind}."

    def allows(value: Any, stack: Configuration) -> bool:
        if not isinstance(value, str) or not (value.startswith(start) and value.endswith("}")):
            return False
        name, _, attribute = value[len(start) : -1].rpartition(".")
        return attribute in (attributes or ("id",)) and name in stack.resources(kind)

    return Argument(why=f"it is this stack's {kind}", wanted=f"a reference to this stack's {kind}", check=allows)


def required(argument: Argument) -> Argument:
    """An argument that may not be left out."""
    return replace(argument, is_required=True)


def each(argument: Argument, *paths: str) -> "Arguments":
    """Several arguments of which the same is known."""
    return dict.fromkeys(paths, argument)


def role_for(service: str) -> Argument:
    """An argument that refers to a role of the same stack that this service, and nobody else, may assume."""
    named = own("aws_iam_role", "arn", "name")

    def allows(value: Any, stack: Configuration) -> bool:
        return named.allows(value, stack) and _trusted(value, stack) == {service}

    return Argument(
        why=f"{service} alone may assume it, and the promises read what it may do",
        wanted=f"a role of this stack that {service} alone may assume",
        check=allows,
    )


def _trusted(role: str, stack: Configuration) -> set[str]:
    """The services that a role's trust names."""
    name = stack.resource_of(role, "aws_iam_role")
    trust = stack.policy_arguments(stack.resources("aws_iam_role")[name or ""]["assume_role_policy"])
    return {
        identifier
        for statement in policy_documents.blocks(trust or {}, "statement")
        for principal in policy_documents.blocks(statement, "principals")
        for identifier in principal["identifiers"]
    }


@cache
def _output() -> re.Pattern[str]:
    return re.compile(rf'\$\{{(?:values\()?({patterns.REMOTE_OUTPUT.pattern})(?:\["[a-z]"\])?\)?\}}')


def output(name: str) -> Argument:
    """An argument that refers to an output of another stack of the deployment: all of it, or one value of a map."""

    def allows(value: Any, stack: Configuration) -> bool:
        found = _output().fullmatch(value) if isinstance(value, str) else None
        read = stack.output_read_by(found[1]) if found else None
        return read is not None and read[1] == name

    return Argument(
        why="it is another stack's of the deployment",
        wanted=f"the output {name} of another stack of the deployment",
        check=allows,
    )


def of_this_account(service: str) -> Argument:
    """An argument that is an ARN in the stack's own account and region."""

    def allows(value: Any, stack: Configuration) -> bool:
        start = f"arn:aws:{service}:{stack.stack.region}:{stack.stack.account}:"
        return isinstance(value, str) and value.startswith(start) and "${" not in value

    return Argument(
        why=f"{service} checks access to it in this account",
        wanted=f"an ARN of {service} in this account and region",
        check=allows,
    )


OWN_ACCOUNT = Argument(
    why="Terraform refuses to work in any other account",
    wanted="the account of the stack's first provider",
    check=lambda value, stack: value == stack.stack.account,
)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


Arguments = dict[str, Argument]
"""By path: the names of blocks and maps joined by dots, without the numbers in lists. `*` is every key of a map."""


EMPTY = object()
"""The value of a block or a list with nothing in it."""


class KnownArguments:
    """What is known of the arguments of one resource type: its `own`, and those that every resource may have."""

    def __init__(self, own: Arguments, everywhere: Arguments | None = None) -> None:
        self.own = own
        self.arguments = own | (everywhere or {})
        self._found: dict[tuple[str, ...], Argument | None] = {}

    def problems(self, address: str, arguments: Mapping[str, Any], stack: Configuration) -> Iterator[Problem]:
        """Every argument that is not among the known ones, or whose value is none of those it may have."""
        missing = {name for name, argument in self.own.items() if argument.is_required}
        for path, value in self._values(arguments, ()):
            argument = self._of(path)
            if value is not EMPTY and value is not None:
                missing.discard(".".join(path))
            if argument is None:
                if value is not EMPTY or not self._has_block(path):
                    what = "nothing is known of this argument, so it might give access"
                    hint = "remove it, or say in iam/known/ what it does to access"
                    yield Problem(where=f"{address}.{'.'.join(path)}", what=what, hint=hint)
            elif value is not EMPTY and value is not None and not argument.allows(value, stack):
                what = f"it is not known what {shown(value)} does to access"
                hint = f"write {argument.wanted}, or add the value to iam/known/"
                yield Problem(where=f"{address}.{'.'.join(path)}", what=what, hint=hint)
        for name in sorted(missing):
            what = "this argument is left out, and AWS's default might give access"
            yield Problem(where=f"{address}.{name}", what=what, hint=f"write {self.own[name].wanted}")

    def _of(self, path: tuple[str, ...]) -> Argument | None:
        if path not in self._found:
            maps = (".".join((*path[:length], "*")) for length in range(len(path) - 1, 0, -1))
            names = (name for name in (".".join(path), *maps) if name in self.arguments)
            self._found[path] = next((self.arguments[name] for name in names), None)
        return self._found[path]

    def _has_block(self, path: tuple[str, ...]) -> bool:
        """Whether there are known arguments within the block at a path."""
        start = ".".join((*path, ""))
        return any(name.startswith(start) for name in self.arguments)

    def _values(self, value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        """The values within an argument, each with its path; not those of a map that may have any."""
        if path and isinstance(value, dict | list) and self._allows_all_in(path):
            return
        if isinstance(value, dict):
            for key, item in value.items():
                yield from self._values(item, (*path, key))
        elif isinstance(value, list):
            for item in value:
                yield from self._values(item, path)
        if not isinstance(value, dict | list) or not value:
            yield path, value if value or not isinstance(value, dict | list) else EMPTY

    def _allows_all_in(self, path: tuple[str, ...]) -> bool:
        within = self._of((*path, "*"))
        return within is not None and within.check is None
