"""Loads a deployment file, or raises all its problems."""

import contextlib
from collections.abc import Iterator
from pathlib import Path as FilePath

from pydantic import ValidationError

from settings import consistency, seldom_meant, sizes
from settings.deployment import Deployment
from settings.document import Document, parsed, read, text_of
from settings.problems import LocatedProblem, SettingProblem, SettingsError


def load(file: FilePath) -> Deployment:
    """Read and check `file`.

    Raises SettingsError with every problem in it, in the order of the lines.
    """
    text, name = text_of(file), str(file)
    try:
        return _checked(parsed(text, name))
    except SettingsError as error:
        raise _with_characters(error, text, name) from None


def _checked(document: Document) -> Deployment:
    try:
        deployment = Deployment.model_validate(document.data)
    except ValidationError as error:
        problems = list(_problems(error, document))
    else:
        if not document.problems:
            return deployment
        problems = []
    raise SettingsError(_located(problems, document))


def warnings(deployment: Deployment, file: FilePath) -> list[LocatedProblem]:
    """Warnings about `file`, which `deployment` was read from."""
    found = [*sizes.problems(deployment), *seldom_meant.problems(deployment)]
    return _located(found, read(file)) if found else []


def _with_characters(error: SettingsError, text: str, name: str) -> SettingsError:
    """The error with the characters of `text` that YAML does not read as they are meant, and without what follows."""
    from settings import characters  # only needed for a wrong file

    found = characters.scanned(text)
    if not found.slips:
        return error
    problems = [
        LocatedProblem(file=name, line=slip.line, column=slip.column, what=slip.what, hint=slip.hint)
        for slip in found.slips
    ]
    if not found.is_moved:
        with contextlib.suppress(SettingsError):
            document = parsed(found.corrected, name)
            try:
                _checked(document)
            except SettingsError as others:
                problems += others.located
    return SettingsError(sorted(problems, key=lambda problem: problem.line or 0))


def _problems(error: ValidationError, document: Document) -> Iterator[SettingProblem]:
    from settings import explanation  # slow to import, and only needed for a wrong file

    wrong = [problem for problem in explanation.problems(error, document.data) if not _follows(problem, document)]
    given = consistency.ValidValues(document.data)
    misspelt = {problem.meant for problem in wrong if problem.meant is not None and not given.names(*problem.meant)}
    wrong = [problem for problem in wrong if not (problem.is_missing and problem.path in misspelt)]
    yield from wrong
    # A setting whose name is misspelt counts as given: that it were missing would only follow from its name.
    refused = {problem.path for problem in wrong} | document.incomplete | misspelt
    yield from consistency.problems(consistency.ValidValues(document.data, refused))


def _follows(problem: SettingProblem, document: Document) -> bool:
    """Whether the problem only follows from a problem of the YAML itself."""
    return problem.path in document.incomplete or (problem.is_missing and problem.path[:-1] in document.incomplete)


def _located(problems: list[SettingProblem], document: Document) -> list[LocatedProblem]:
    located = [
        LocatedProblem(
            file=document.file,
            line=document.line(problem.path),
            path=problem.path,
            what=problem.what,
            hint=problem.hint,
        )
        for problem in problems
    ]
    return sorted((*document.problems, *located), key=lambda problem: problem.line or 0)
