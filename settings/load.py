"""Turns a deployment file into a Deployment, or into the list of everything wrong with it."""

from collections.abc import Iterator
from pathlib import Path as FilePath

from pydantic import ValidationError

from settings import consistency, sizes
from settings.deployment import Deployment
from settings.document import Document, read
from settings.problems import LocatedProblem, SettingProblem, SettingsError


def load(file: FilePath) -> Deployment:
    """Read and check `file`.

    Raises SettingsError with every problem in it, in the order of the lines.
    """
    document = read(file)
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
    """What in `file`, which `deployment` was read from, is right but worth a word."""
    found = list(sizes.problems(deployment))
    return _located(found, read(file)) if found else []


def _problems(error: ValidationError, document: Document) -> Iterator[SettingProblem]:
    from settings import explanation  # only who has made a mistake pays for its explanation

    wrong = [problem for problem in explanation.problems(error, document.data) if not _follows(problem, document)]
    yield from wrong
    refused = {problem.path for problem in wrong} | document.incomplete
    yield from consistency.problems(consistency.Said(document.data, refused))


def _follows(problem: SettingProblem, document: Document) -> bool:
    """Whether the problem is there only because YAML's part of the file could not be read as it was meant."""
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
