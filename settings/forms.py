"""How a text setting is checked: a pattern it must match, or a list it must be in."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from errors.shown import shown
from settings import data
from settings.problems import refuse

_FEW = 5
"""A hint names all values of a list of at most so many."""


@dataclass(frozen=True)
class Matching:
    """A regular expression that must match the whole of a string.

    Editors read the pattern as JavaScript: `editor_pattern` replaces one that means something else there.
    """

    pattern: str
    what: str
    hint: str
    editor_pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic checks it."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """How the JSON Schema shows it."""
        return {**handler(schema), "pattern": f"^(?:{self.editor_pattern or self.pattern})$"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise refuse(f"{shown(value)} is not {self.what}", self.hint)
        return value


@dataclass(frozen=True)
class OneOf:
    """A name from one of the lists in settings/data; with `listed`, editors offer the whole list."""

    kind: str
    what: str
    example: str
    listed: bool = False
    abbreviation_hint: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic checks it."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """How the JSON Schema shows it."""
        offered = {"enum": list(data.names(self.kind))} if self.listed else {"examples": [self.example]}
        return {**handler(schema), **offered}

    def _check(self, value: str) -> str:
        known = data.names(self.kind)
        if value not in known:
            raise refuse(f"{shown(value)} is not {self.what}", self._hint(value, known))
        return value

    def _hint(self, value: str, known: tuple[str, ...]) -> str:
        if len(known) <= _FEW:
            return f"use {' or '.join(known)}"
        if self.abbreviation_hint and re.fullmatch("[A-Z]{2,5}", value):
            # The nearest name of three letters is seldom the one meant: JST is not MST.
            return self.abbreviation_hint
        same = [name for name in known if name.lower() == value.lower()]
        near = same or difflib.get_close_matches(value[:100], known, 1)
        return f"did you mean {near[0]}?" if near else f"for example {self.example}"


def form_of(value: Any, named_by: Mapping[str, Iterable[str]], otherwise: str) -> str:
    """Which form of a map `value` is: the first of which it has a key of its own, or one that is almost such a key.

    `named_by` has the keys that no other form has, by form.
    """
    if not isinstance(value, Mapping):
        return otherwise
    own = {key: form for form, keys in named_by.items() for key in keys}
    given = [str(key)[:100] for key in value]
    for form, keys in named_by.items():
        if any(key in given for key in keys):
            return form
    near = (found for key in given for found in difflib.get_close_matches(key, own, 1, cutoff=0.75))
    return next((own[key] for key in near), otherwise)
