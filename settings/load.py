"""Turns a deployment file into a Deployment, or into the list of everything wrong with it."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from settings import consistency
from settings.deployment import Deployment
from settings.document import Document, read
from settings.problems import LocatedProblem, Path, Problem, Problems, SettingsError

_SHOWN_CHARACTERS = 80


def load(file: FilePath) -> Deployment:
    """Read and check `file`.

    Raises SettingsError with every problem in it, in the order of the lines.
    """
    document = read(file)
    valid: dict[type, Any] = {}
    found: list[Problem] = []
    deployment = None
    try:
        deployment = Deployment.model_validate(document.data, context=valid)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            found.extend(_problems(details, document.data))
    found.extend(consistency.problems(consistency.Parts(document.data, valid)))
    if deployment is None or found or document.problems:
        raise SettingsError(_located(found, document))
    return deployment


def _located(problems: list[Problem], document: Document) -> list[LocatedProblem]:
    located = [
        LocatedProblem(where=document.where(problem.path), what=problem.what, hint=problem.hint) for problem in problems
    ]
    return sorted((*document.problems, *located), key=lambda problem: int(problem.where.split(":")[1]))


def _problems(details: ErrorDetails, data: Any) -> Iterator[Problem]:
    path = _path(details, data)
    context = details.get("ctx", {})
    error = context.get("error")
    if isinstance(error, Problems):
        for problem in error.problems:
            yield Problem(path=(*path, *problem.path), what=problem.what, hint=problem.hint)
    elif details["type"] == "refused":
        yield Problem(path=path, what=_short(context["what"]), hint=context["hint"])
    else:
        yield _explained(details, path)


def _path(details: ErrorDetails, data: Any) -> Path:
    """Pydantic's location without the steps that are not in the file (which form of a union, `[key]`)."""
    path: Path = ()
    steps = details["loc"]
    for index, step in enumerate(steps):
        inside = (isinstance(data, Mapping) and step in data) or (isinstance(data, list) and isinstance(step, int))
        if inside:
            data = data[step]
            path = (*path, step)
        elif details["type"] == "missing" and index == len(steps) - 1:
            path = (*path, step)
    return path


def _explained(details: ErrorDetails, path: Path) -> Problem:
    """What pydantic found, in words that name the value and the next action."""
    kind, context, value = details["type"], details.get("ctx", {}), _short(repr(details["input"]))
    match kind:
        case "missing":
            what, hint = "this setting is missing", _meaning(path) or "add it"
        case "extra_forbidden":
            what, hint = f"{str(path[-1])!r} is not a setting", _did_you_mean(path)
        case "string_type":
            what, hint = (
                f"{value} is not text",
                "write it in quotes" if details["input"] is not None else "give it a value",
            )
        case "int_type":
            what, hint = f"{value} is not a whole number", "write it without quotes, for example 30"
        case "bool_type":
            what, hint = f"{value} is neither true nor false", "write true or false, without quotes"
        case "model_type" | "model_attributes_type" | "dict_type":
            what, hint = f"{value} is not a map of settings", f"indent the settings below it: {_known_keys(path)}"
        case "tuple_type" | "list_type":
            what, hint = f"{value} is not a list", "write a list, for example [a, b]"
        case "too_short":
            what, hint = f"{value} has too few entries", f"give at least {context['min_length']}"
        case "too_long":
            what, hint = f"{value} has too many entries", f"give at most {context['max_length']}"
        case "literal_error":
            what, hint = f"{value} is not known here", f"use {context['expected']}"
        case "greater_than_equal":
            what, hint = f"{value} is too small", f"use at least {context['ge']}"
        case "less_than_equal":
            what, hint = f"{value} is too large", f"use at most {context['le']}"
        case "string_too_short" | "string_too_long" | "string_pattern_mismatch":
            limit = context.get("pattern") or context.get("max_length") or context.get("min_length")
            unit = {"string_too_short": "at least {} characters", "string_too_long": "at most {} characters"}
            what, hint = f"{value} is not valid here", "use " + unit.get(kind, "text of the form {}").format(limit)
        case _:
            what, hint = f"{value}: {details['msg']}", _meaning(path) or "see deployments/example.yaml"
    return Problem(path=path, what=what, hint=hint)


def _short(text: str) -> str:
    return text if len(text) <= 3 * _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…{text[-_SHOWN_CHARACTERS:]}"


def _did_you_mean(path: Path) -> str:
    known = list(_properties(path[:-1]))
    near = difflib.get_close_matches(str(path[-1]), known, 1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"


def _known_keys(path: Path) -> str:
    return ", ".join(_properties(path)) or "see deployments/example.yaml"


def _meaning(path: Path) -> str | None:
    description: str | None = _properties(path[:-1]).get(str(path[-1]), {}).get("description")
    return description


def _properties(path: Path) -> dict[str, Any]:
    """The settings known at `path`, by key, from the JSON Schema."""
    root = Deployment.model_json_schema()
    places = [root]
    for step in path:
        places = [child for place in places for child in _children(_forms(place, root), step)]
    return {
        key: value
        for place in places
        for form in _forms(place, root)
        for key, value in form.get("properties", {}).items()
    }


def _forms(schema: Any, root: dict[str, Any]) -> list[dict[str, Any]]:
    """`schema` with references followed and alternatives listed."""
    if not isinstance(schema, dict):
        return []
    if "$ref" in schema:
        return _forms(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    alternatives = [
        form for key in ("anyOf", "oneOf") for option in schema.get(key, ()) for form in _forms(option, root)
    ]
    return alternatives or [schema]


def _children(forms: list[dict[str, Any]], step: str | int) -> list[Any]:
    if isinstance(step, int):
        return [form["items"] for form in forms if "items" in form]
    named = [form["properties"][step] for form in forms if step in form.get("properties", {})]
    return named or [form["additionalProperties"] for form in forms if "additionalProperties" in form]
