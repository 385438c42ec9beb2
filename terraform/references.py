"""Resolves `${…}` in finished Terraform, as far as the values are known before an apply.

A variable counts with its default, unless the caller wants none of them; a local value with what it is made of, an
attribute with the argument that sets it, an ARN with its form, and another stack's output with what that stack puts
into it. Anything else, or a value that refers to itself, is an Unknown; the caller decides what that means.
"""

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from terraform import arns
from terraform.output import Json, Stack
from terraform.patterns import ATTRIBUTE, LOCAL, POLICY_DOCUMENT, REMOTE_OUTPUT, VARIABLE
from terraform.templates import Directive, Interpolation, Literal, TemplateError, arguments_of, jsonencode, parts


@dataclass(frozen=True)
class Unknown:
    """A value that is not known before an apply: that of `expression` in a stack.

    `is_assigned` says that AWS will assign it to a resource of that stack, as an id; then it equals nothing known now.
    """

    stack: str
    expression: str
    is_assigned: bool = False


@dataclass(frozen=True)
class PartlyKnown:
    """A text that is not known in all its parts."""

    parts: tuple[str | Unknown, ...]


StandIn = Callable[[Unknown], str]
"""What an Unknown is written as; or it raises an error."""

# Arguments of the backend `s3` for the stack that writes the state: others only read it.
_OF_WRITERS = frozenset(("encrypt", "kms_key_id", "use_lockfile"))

_CALL = re.compile(r"(base64gzip|jsonencode|toset)\((.+)\)", re.DOTALL)

_CALL_OF_LISTS = re.compile(r"(coalescelist|concat|flatten|values)\((.+)\)", re.DOTALL)


class Configuration:
    """The finished Terraform of one stack."""

    def __init__(
        self,
        name: str,
        document: Json,
        stacks: Mapping[str, "Configuration"] | None = None,
        *,
        defaults: bool = True,
    ) -> None:
        """`stacks` are those whose outputs it may read, by name. Without `defaults`, no variable is known."""
        self.name = name
        self._defaults = defaults
        self._resolving: set[tuple[str, str]] = set()
        self.stack = Stack(name=name, document=document)
        self.variables = self.stack.variables
        self._resources = _by_kind(self.stack.resources())
        self._data = _by_kind(self.stack.data())
        self._stacks: Mapping[str, Configuration] = {} if stacks is None else stacks

    def resources(self, kind: str) -> Mapping[str, Json]:
        """The arguments of the resources of a type, by name."""
        return self._resources.get(kind, {})

    def value(self, written: Any) -> Any:
        """`written` with its references resolved.

        What is not known is an Unknown, and a text with an unknown part a PartlyKnown.
        """
        match written:
            case str():
                return self._text(written)
            case dict():
                return {key: self.value(item) for key, item in written.items()}
            case list():
                return [self.value(item) for item in written]
        return written

    def known(self, written: Any, unknown: StandIn) -> Any:
        """`written` with its references resolved, and a text for what is not known."""
        return _filled(self.value(written), unknown)

    def texts(self, written: Any, unknown: StandIn) -> list[str]:
        """A list of texts; a reference to a list, in its place or among its items, counts with that list's items."""
        return list(_flat(self.known(written, unknown)))

    def resource_of(self, written: str, kind: str) -> str | None:
        """The name of the resource of type `kind` whose attribute an argument refers to, and nothing else."""
        found = ATTRIBUTE.fullmatch(_whole(written))
        return found[2] if found and found[1] == kind and found[2] in self.resources(kind) else None

    def variable_of(self, written: str) -> str | None:
        """The variable that an argument refers to and nothing else, as it is or as a set."""
        found = VARIABLE.fullmatch(_whole(written).removeprefix("toset(").removesuffix(")"))
        return found[1] if found else None

    def policy_arguments(self, written: str) -> Json | None:
        """The arguments of the `aws_iam_policy_document` whose JSON an argument refers to; None for anything else."""
        found = POLICY_DOCUMENT.fullmatch(_whole(written))
        return self._data.get("aws_iam_policy_document", {}).get(found[1]) if found else None

    def _text(self, written: str) -> Any:
        if "{" not in written:
            return written
        values = [
            self._expression(part.source.strip()) if isinstance(part, Interpolation) else part.text
            for part in _split(written)
        ]
        return values[0] if len(values) == 1 else _joined(values)

    def _expression(self, expression: str) -> Any:
        """The value of an expression, without the `${` and `}` around it."""
        for pattern, value in (
            (VARIABLE, self._variable),
            (LOCAL, self._local),
            (REMOTE_OUTPUT, self._output),
            (ATTRIBUTE, self._attribute),
            (_CALL, self._call),
            (_CALL_OF_LISTS, self._call_of_lists),
        ):
            if found := pattern.fullmatch(expression):
                return value(expression, *found.groups())
        if expression.startswith("[") and "${" not in expression:
            try:
                return json.loads(expression)
            except ValueError:
                pass
        return Unknown(self.name, expression)

    def _variable(self, expression: str, name: str) -> Any:
        default = self.variables.get(name, {}).get("default")
        return default if self._defaults and default is not None else Unknown(self.name, expression)

    def _local(self, expression: str, name: str) -> Any:
        return self._once("local", name, expression, self.stack.locals.get(name))

    def _output(self, expression: str, state: str, name: str) -> Any:
        read = self._stack_of(state)
        output = read.stack.outputs.get(name) if read else None
        if read is None or output is None:
            return Unknown(self.name, expression)
        return read._once("output", name, expression, output["value"])

    def _once(self, kind: str, name: str, expression: str, written: Any) -> Any:
        """The value of a local value, an output or an attribute; Unknown where it refers to itself."""
        key = (kind, name)
        if written is None or key in self._resolving:
            return Unknown(self.name, expression)
        self._resolving.add(key)
        try:
            return self.value(written)
        finally:
            self._resolving.remove(key)

    def output_read_by(self, expression: str) -> tuple[str, str] | None:
        """The stack and the output of it that an expression reads and nothing else; None where there is none."""
        found = REMOTE_OUTPUT.fullmatch(expression)
        read = self._stack_of(found[1]) if found else None
        return (read.name, found[2]) if found and read and found[2] in read.stack.outputs else None

    def _stack_of(self, state: str) -> "Configuration | None":
        """The stack that keeps its state where the `terraform_remote_state` of this name reads it."""
        remote = self._data.get("terraform_remote_state", {}).get(state, {})
        for other in self._stacks.values():
            kept = other.stack.state
            if (
                kept.settings
                and kept.backend == remote.get("backend")
                and remote.get("config") == {key: kept.settings[key] for key in kept.settings.keys() - _OF_WRITERS}
            ):
                return other
        return None

    def _attribute(self, expression: str, kind: str, name: str, attribute: str) -> Any:
        arguments = self.resources(kind).get(name)
        if arguments is None or arguments.keys() & {"count", "for_each"}:
            return Unknown(self.name, expression)
        if arguments.get(attribute) is not None:
            return self._once(f"{kind}.{name}", attribute, expression, arguments[attribute])
        if same := arns.same_attribute(kind, attribute):
            return self._once(f"{kind}.{name}", attribute, expression, f"${{{kind}.{name}.{same}}}")
        is_assigned = f"{kind}.{attribute}" in arns.ASSIGNED
        return self.arn(kind, name, attribute) or Unknown(self.name, expression, is_assigned)

    def arn(self, kind: str, name: str, attribute: str = "arn") -> str | PartlyKnown | None:
        """The ARN in an attribute of a resource; None where its form is not known here."""
        arguments = self.resources(kind)[name]
        place = self.stack.place(arguments)
        marks: dict[str, Any] = {}
        for part in arns.parts(kind, attribute) or ():
            if part not in place and (part != "path" or arguments.get(part) is not None):
                marks[part] = f"${{{kind}.{name}.{part}}}"
        found = arns.arn(kind, attribute, place | marks)
        resolved: str | PartlyKnown | None = None if found is None else self._text(found)
        return resolved

    def _call(self, expression: str, function: str, argument: str) -> Any:
        value = self._expression(argument)
        if function == "toset" and isinstance(value, list) and _is_known(value):
            return list(dict.fromkeys(value))
        if function == "jsonencode" and isinstance(value, PartlyKnown):
            encoded = [part if isinstance(part, Unknown) else jsonencode(part)[1:-1] for part in value.parts]
            return _joined(['"', *encoded, '"'])
        if function == "jsonencode" and _is_known(value):
            return jsonencode(value)
        if function == "base64gzip" and isinstance(value, str):
            # Terraform's own compression differs by a few bytes.
            return base64.b64encode(gzip.compress(value.encode(), mtime=0)).decode()
        return Unknown(self.name, expression)

    def _call_of_lists(self, expression: str, function: str, listed: str) -> Any:
        try:
            values = [self._expression(argument) for argument in arguments_of(listed)]
        except TemplateError:
            return Unknown(self.name, expression)
        if all(isinstance(value, list) and _is_known(value) for value in values):
            match function:
                case "coalescelist" if any(values):
                    return next(filter(None, values))
                case "concat":
                    return list(chain.from_iterable(values))
                case "flatten" if len(values) == 1:
                    return list(_items(values))
        if function == "values" and len(values) == 1 and isinstance(members := values[0], dict) and _is_known(members):
            return [members[key] for key in sorted(members)]
        return Unknown(self.name, expression)


def configurations(documents: Mapping[str, Json], *, defaults: bool = True) -> dict[str, Configuration]:
    """The stacks of a deployment by name; each may read the others' outputs. See Configuration about `defaults`."""
    stacks: dict[str, Configuration] = {}
    stacks |= {name: Configuration(name, document, stacks, defaults=defaults) for name, document in documents.items()}
    return stacks


def _by_kind(blocks: Iterator[tuple[str, str, Json]]) -> dict[str, dict[str, Json]]:
    """The arguments of blocks by type and name."""
    found: dict[str, dict[str, Json]] = {}
    for kind, name, arguments in blocks:
        found.setdefault(kind, {})[name] = arguments
    return found


def _split(written: str) -> list[Literal | Interpolation]:
    """The parts of a text; a text with a directive, `%{…}`, or one that cannot be split, is one expression."""
    try:
        found = parts(written) or [Literal("")]
    except TemplateError:
        return [Interpolation(written)]
    whole = [part for part in found if not isinstance(part, Directive)]
    return whole if len(whole) == len(found) else [Interpolation(written)]


def _whole(written: str) -> str:
    """The expression that a text is, and nothing for any other text."""
    match _split(written):
        case [Interpolation(source)]:
            return source.strip()
    return ""


def _joined(values: Sequence[Any]) -> str | PartlyKnown:
    """One text of several values."""
    flat: list[str | Unknown] = []
    for part in values:
        if isinstance(part, PartlyKnown):
            flat += part.parts
        else:
            flat.append(part if isinstance(part, Unknown) else _written(part))
    known = [part for part in flat if isinstance(part, str)]
    return "".join(known) if len(known) == len(flat) else PartlyKnown(tuple(flat))


def _written(value: Any) -> str:
    """A value within a text, as Terraform converts it."""
    return value if isinstance(value, str) else json.dumps(value)


def _filled(value: Any, unknown: StandIn) -> Any:
    match value:
        case str():
            return value
        case list():
            return [_filled(item, unknown) for item in value]
        case dict():
            return {key: _filled(item, unknown) for key, item in value.items()}
        case Unknown():
            return unknown(value)
        case PartlyKnown(parts):
            return "".join(part if isinstance(part, str) else unknown(part) for part in parts)
    return value


def _is_known(value: Any) -> bool:
    match value:
        case dict():
            return all(map(_is_known, value.values()))
        case list():
            return all(map(_is_known, value))
    return not isinstance(value, Unknown | PartlyKnown)


def _flat(value: Any) -> Iterator[str]:
    return map(_written, _items(value))


def _items(value: Any) -> Iterator[Any]:
    """The items of a list and of the lists in it; anything else as it is."""
    if isinstance(value, list):
        for item in value:
            yield from _items(item)
    else:
        yield value
