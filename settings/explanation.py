"""Explains pydantic's errors to a user: the wrong value, and the next action."""

import difflib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from errors.shown import shortened, shown
from settings import schema
from settings.characters import FREE_TEXTS
from settings.lookalikes import lookalike
from settings.problems import Path, SettingProblem


def problems(error: ValidationError, data: Any) -> Iterator[SettingProblem]:
    """The problems of single values of `data`.

    Rules between values are pydantic's one value_error of the whole file; settings.consistency reports those.
    """
    mixed: set[Path] = set()
    """Maps with settings of two forms; what they then lack only follows from that."""

    def outermost_of_another_form_first(details: ErrorDetails) -> int:
        return len(details["loc"]) if _is_of_another_form(details, data) else sys.maxsize

    for details in sorted(error.errors(include_url=False), key=outermost_of_another_form_first):
        path = _path(details, data)
        if details["type"] in ("missing", "extra_forbidden") and any(path[: len(map_)] == map_ for map_ in mixed):
            continue
        if _is_of_another_form(details, data):
            mixed.add(path[:-1])
        context = details.get("ctx", {})
        if details["type"] == "too_short" and len(details["input"]) >= context["min_length"]:
            continue  # pydantic does not count entries that are wrong themselves
        if unlike := _lookalikes(details, path):
            what, hint = unlike
            yield SettingProblem(path=path, what=what, hint=hint)
        elif details["type"] == "refused":
            yield SettingProblem(path=path, what=context["what"], hint=context["hint"])
        elif details["type"] != "value_error" or details["loc"]:
            what, hint = _explained(details, path)
            kind = details["type"]
            meant = _meant(path) if kind == "extra_forbidden" else None
            yield SettingProblem(path=path, what=what, hint=hint, is_missing=kind == "missing", meant=meant)


def _is_of_another_form(details: ErrorDetails, data: Any) -> bool:
    path = _path(details, data)
    return details["type"] == "extra_forbidden" and path[-1] in _properties(path[:-1])


def _path(details: ErrorDetails, data: Any) -> Path:
    """Pydantic's location without the steps that are not in the file (which form of a union, `[key]`)."""
    path: Path = ()
    steps = details["loc"]
    for index, step in enumerate(steps):
        in_file = step in data if isinstance(data, Mapping) else isinstance(data, list) and isinstance(step, int)
        if in_file:
            data = data[step]
            path = (*path, step)
        elif details["type"] == "missing" and index == len(steps) - 1:
            path = (*path, step)
    return path


def _lookalikes(details: ErrorDetails, path: Path) -> tuple[str, str] | None:
    """What to say of a refused text in which characters only look like those that were meant, in quotes or a key.

    None where a text may have them, and where the corrected text would not be shown: it may have a secret.
    """
    text = details["input"]
    if details["type"] not in ("refused", "literal_error") or not isinstance(text, str) or text.isascii():
        return None
    if details.get("ctx", {}).get("is_secret"):
        return None
    if not {*FREE_TEXTS, "tags"}.isdisjoint(path):
        return None
    kinds = [None if character.isascii() else lookalike(character) for character in text]
    meant = "".join(character if kind is None else kind.meant for character, kind in zip(text, kinds, strict=True))
    if not meant.isascii() or shown(meant) != repr(meant):
        return None
    named = ", ".join(dict.fromkeys(f"{kind.name} ({kind.japanese})" for kind in kinds if kind is not None))
    return f"{shown(text)} has characters that are not ASCII: {named}", f"write {shown(meant)}"


_OF_ONE_VALUE = {
    "int_type": ("is not a whole number", "write digits without quotes, for example 30"),
    "bool_type": ("is neither true nor false", "write true or false, without quotes"),
    "too_short": ("has too few entries", "give at least {min_length}"),
    "literal_error": ("is not known here", "use {expected}"),
    "greater_than_equal": ("is too small", "use at least {ge}"),
    "less_than_equal": ("is too large", "use at most {le}"),
    "string_too_short": ("is too short", "use at least {min_length} characters"),
}
"""What follows the value in the message, and the hint with pydantic's context filled in, by pydantic's error type."""


def _explained(details: ErrorDetails, path: Path) -> tuple[str, str]:
    kind, context, value = details["type"], details.get("ctx", {}), shown(details["input"])
    if kind in _OF_ONE_VALUE:
        what, hint = _OF_ONE_VALUE[kind]
        return f"{value} {what}", hint.format(**context)
    match kind:
        case "tuple_type":
            given = details["input"]
            shown_whole = isinstance(given, str) and value == f"'{given}'"
            example = given if shown_whole else "a, b"
            return f"{value} is not a list", f"write a list, for example [{example}]"
        case "missing":
            return "this setting is missing", f"add it: {_meaning(path)}"
        case "extra_forbidden":
            return _unknown(path)
        case "string_type":
            return f"{value} is not text", "give it a value" if details["input"] is None else "write it in quotes"
        case "too_long":
            return f"{len(details['input'])} entries are too many", f"give at most {context['max_length']}"
        case "model_type" | "dict_type":
            return _no_map(details["input"], path)
        case _:
            return f"{value} is not valid here", _meaning(path)


def _no_map(value: Any, path: Path) -> tuple[str, str]:
    known = ", ".join(_properties(path))
    if known or not isinstance(value, list):
        return f"{shown(value)} is not a map of settings", f"indent the settings below it{known and f': {known}'}"
    names = [str(item) for item in value if isinstance(item, str) and item.isprintable()]
    example = f", for example {shortened(names[0])}:" if names else ""
    return f"{shown(value)} is a list, not a map", f"write each name on a line of its own with a colon{example}"


def _unknown(path: Path) -> tuple[str, str]:
    known = list(_properties(path[:-1]))
    if path[-1] in known:
        forms = "; ".join(
            f"{form.get('title', 'a form')}: {', '.join(form['properties'])}"
            for form in _forms_at(path[:-1])
            if "properties" in form
        )
        what = f"{shown(path[-1])} belongs to another form than the rest here"
        return what, f"keep the settings of one form. {forms}"
    meant = _meant(path)
    hint = f"known here: {', '.join(known)}" if meant is None else f"did you mean {meant[-1]}?"
    return f"{shown(path[-1])} is not a setting", hint


def _meant(path: Path) -> Path | None:
    """The setting that an unknown one at `path` was probably meant to be."""
    known = _properties(path[:-1])
    near = difflib.get_close_matches(str(path[-1])[:100], known, 1, cutoff=0.6)
    return (*path[:-1], near[0]) if near and path[-1] not in known else None


def _meaning(path: Path) -> str:
    described = _properties(path[:-1]).get(str(path[-1]), {}) if path else {}
    return str(described.get("description", "see deployments/example.yaml"))


def _properties(path: Path) -> dict[str, Any]:
    """The settings known at `path`, by key, from the JSON Schema."""
    return {key: value for form in _forms_at(path) for key, value in form.get("properties", {}).items()}


def _forms_at(path: Path) -> list[dict[str, Any]]:
    places = [schema.generated()]
    for step in path:
        places = [child for place in places for child in _children(_forms(place), step)]
    return [form for place in places for form in _forms(place)]


def _forms(part: Any) -> list[dict[str, Any]]:
    """`part` of the schema with references followed and alternatives listed."""
    if not isinstance(part, dict):
        return []
    if "$ref" in part:
        return _forms(schema.generated()["$defs"][part["$ref"].rsplit("/", 1)[1]])
    alternatives = [form for key in ("anyOf", "oneOf") for option in part.get(key, ()) for form in _forms(option)]
    return alternatives or [part]


def _children(forms: list[dict[str, Any]], step: str | int) -> list[Any]:
    if isinstance(step, int):
        return [form["items"] for form in forms if "items" in form]
    named = [form["properties"][step] for form in forms if step in form.get("properties", {})]
    return named or [form["additionalProperties"] for form in forms if "additionalProperties" in form]
