"""Turns values of Terraform's JSON syntax into expressions."""

import json
from collections.abc import Callable
from typing import Any

from errors import Problem
from errors.shown import shown
from ops.handover.expressions import check, is_valid
from ops.handover.grammar import ArgumentKind
from ops.handover.hcl import NULL, Expression, ObjectExpr, Template, TupleExpr, Verbatim, text
from ops.handover.paths import leads_out
from ops.handover.trimming import without_trim_markers
from terraform.output import Number
from terraform.templates import TemplateError, parts


class Problems:
    """The problems of one stack."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self.found: list[Problem] = []

    def add(self, where: str, what: str, hint: str) -> None:
        self.found.append(Problem(where=f"{self._stack}: {where}", what=what, hint=hint))


class ValueReader:
    """Reads values of each kind; what it cannot read goes to `problems`."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def read(self, kind: ArgumentKind, value: Any, where: str) -> Expression:
        match kind:
            case ArgumentKind.TEMPLATE:
                return _value(value, where, self._template)
            case ArgumentKind.PLAIN:
                return _value(value, where, _plain)
            case ArgumentKind.REFERENCE:
                return self._reference(value, where)
            case ArgumentKind.MODULE_SOURCE:
                return self._module_source(value, where)
            case ArgumentKind.REQUIRED_PROVIDER:
                return self._required_provider(value, where)

    def _template(self, string: str, where: str) -> Template:
        try:
            found = without_trim_markers(parts(string))
            check(found)
            return Template(found)
        except TemplateError as error:
            hint = "complete the expression, or write $${ or %%{ for the characters themselves"
            self._problems.add(where, f"{shown(string)}: {error}", hint)
            return text(string)

    def _reference(self, value: Any, where: str) -> Expression:
        match value:
            case str() if not isinstance(value, Number):
                # Some generators write it as an interpolation.
                source = self._template(value, where).expression or value
                if is_valid(source):
                    return Verbatim(source)
            case list():
                return TupleExpr(tuple(self._reference(it, f"{where}[{i}]") for i, it in enumerate(value)))
            case dict():
                items = ((text(name), self._reference(it, f"{where}.{name}")) for name, it in value.items())
                return ObjectExpr(tuple(items))
        self._problems.add(where, f"{shown(value)} is not a reference", "write a reference as a string")
        return NULL

    def _module_source(self, value: Any, where: str) -> Expression:
        if str(value).startswith((".", "/", "file:")) and leads_out(str(value).removeprefix("file:")):
            what = f"{shown(value)} is outside the stack's folder and would not be handed over"
            self._problems.add(where, what, "let cdktf copy the module (an asset), or publish it")
        return _value(value, where, _plain)

    def _required_provider(self, value: Any, where: str) -> Expression:
        """The provider's source and version, and the names under which a module takes it."""
        if not isinstance(value, dict):
            return _value(value, where, _plain)
        items = (
            (
                text(name),
                self._reference(it, f"{where}.{name}")
                if name == "configuration_aliases"
                else _value(it, f"{where}.{name}", _plain),
            )
            for name, it in value.items()
        )
        return ObjectExpr(tuple(items))


def _plain(string: str, _: str) -> Template:
    return text(string)


def _value(value: Any, where: str, string: Callable[[str, str], Template]) -> Expression:
    match value:
        case None:
            return NULL
        case bool():
            return Verbatim("true" if value else "false")
        case Number():
            return Verbatim(str(value))
        case int() | float():
            return Verbatim(json.dumps(value))
        case str():
            return string(value, where)
        case list():
            return TupleExpr(tuple(_value(it, f"{where}[{i}]", string) for i, it in enumerate(value)))
        case dict():
            items = ((string(name, where), _value(it, f"{where}.{name}", string)) for name, it in value.items())
            return ObjectExpr(tuple(items))
    raise TypeError(f"JSON has no {type(value)}")
