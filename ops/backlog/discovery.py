"""Compares the lists `agreed` of whole Backlog projects with the repositories that the projects have."""

import copy
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from errors import Problem, refused
from errors.shown import counted, printable
from ops.backlog import bridge
from ops.backlog.agreed import add_names, agree
from ops.backlog.backlog_api import space_api
from ops.waiting import waiting
from settings import Deployment
from settings.backlog import BacklogSettings, mirrors
from settings.consistency import ValidValues, problems
from settings.document import read
from settings.projects import BacklogRepositoryName, ProjectSettings, by_hand, derived_key

_NAME: TypeAdapter[str] = TypeAdapter(BacklogRepositoryName)


@dataclass(frozen=True, kw_only=True)
class NewMirror:
    """A repository that nobody agreed to yet, and the mirror that it would be."""

    repository: str
    key: str
    target: str


@dataclass(frozen=True, kw_only=True)
class UnfitRepository:
    """A repository that cannot be agreed to, why, and what to do."""

    repository: str
    what: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class ProjectPlan:
    """What an entry's project has that its list does not, and the other way round."""

    entry: str
    space: str
    project: str
    repositories: int
    new: tuple[NewMirror, ...]
    gone: tuple[NewMirror, ...]
    by_hand: tuple[UnfitRepository, ...]

    @property
    def is_in_order(self) -> bool:
        """Whether nothing is new or gone, and nothing has to be done by hand."""
        return not (self.new or self.gone or self.by_hand)


def discover(deployment: Deployment, file: Path, *, agreeing: bool, as_json: bool) -> bool:
    """Print what is new and gone in every project of `file`, and with `agreeing` write what is new into the file.

    Returns whether all lists are in order at the end. What is gone stays in its list.
    """
    backlog = bridge(deployment)
    entries = {key: entry for key, entry in backlog.repositories.items() if isinstance(entry, ProjectSettings)}
    if not entries:
        hint = "give an entry of prd.backlog.repositories `from_project: KEY`, as deployments/everything.yaml has it"
        raise refused("prd.backlog.repositories", "no entry names a project", hint)
    apis = {space: space_api(deployment, backlog, space) for space in {entry.space for entry in entries.values()}}
    with waiting("reading Backlog's lists of repositories"):
        found = {
            key: [one.name for one in apis[entry.space].git_repositories(entry.from_project)]
            for key, entry in entries.items()
        }
    plans = _plans(backlog, entries, found, read(file).data)
    is_written = agreeing and any(plan.new for plan in plans)
    if is_written:
        agree(file, {plan.entry: [one.repository for one in plan.new] for plan in plans})
    if as_json:
        print(json.dumps({"written": is_written, "projects": [asdict(plan) for plan in plans]}, indent=2))
    else:
        for plan in plans:
            print("\n".join(_lines(plan, agreeing=agreeing)))
        if is_written:
            print("next: make synth, review and apply the plan of backlog-bridge; then the new mirrors run")
    for plan in plans:
        for problem in _problems(plan, is_protected=backlog.deletion_protected):
            print(problem, file=sys.stderr)
    return all(plan.is_in_order or (agreeing and not plan.gone and not plan.by_hand) for plan in plans)


def _plans(
    backlog: BacklogSettings, entries: Mapping[str, ProjectSettings], found: Mapping[str, Sequence[str]], data: Any
) -> list[ProjectPlan]:
    named = {(one.space, one.project, one.repository) for one in mirrors(backlog).values()}
    candidates = {
        key: [
            name
            for name in dict.fromkeys(found[key])
            if name not in entry.excluded and (entry.space, entry.from_project, name) not in named
        ]
        for key, entry in entries.items()
    }
    unfit = _unfit(candidates, data)
    return [
        ProjectPlan(
            entry=key,
            space=entry.space,
            project=entry.from_project,
            repositories=len(found[key]),
            new=tuple(_mirror(key, entry, name) for name in candidates[key] if name not in unfit[key]),
            gone=tuple(_mirror(key, entry, name) for name in entry.agreed if name not in found[key]),
            by_hand=tuple(unfit[key].values()),
        )
        for key, entry in entries.items()
    ]


def _mirror(key: str, entry: ProjectSettings, name: str) -> NewMirror:
    return NewMirror(repository=name, key=derived_key(key, name), target=f"{entry.target.create_prefix}{name}")


def _unfit(candidates: Mapping[str, Sequence[str]], data: Any) -> dict[str, dict[str, UnfitRepository]]:
    """The candidates with which the file would be refused, by entry and name."""
    unfit: dict[str, dict[str, UnfitRepository]] = {key: {} for key in candidates}
    fitting: dict[str, list[str]] = {key: [] for key in candidates}
    for key, names in candidates.items():
        for name in names:
            try:
                fitting[key].append(_NAME.validate_python(name))
            except ValidationError:
                what = f"{printable(name)!r} is no name that a setting takes"
                hint = "rename it in Backlog: use letters, digits, '_', '.' and '-', starting with a letter or digit"
                unfit[key][name] = UnfitRepository(repository=name, what=what, hint=hint)
    if not _refusals(data, fitting):
        return unfit
    # Which of them it is: each is added to those that fit so far.
    chosen: dict[str, list[str]] = {key: [] for key in candidates}
    for key, names in fitting.items():
        for name in names:
            chosen[key].append(name)
            if refusals := _refusals(data, chosen):
                chosen[key].pop()
                unfit[key][name] = UnfitRepository(repository=name, what=refusals[0], hint=by_hand(name))
    return unfit


def _refusals(data: Any, names: Mapping[str, Sequence[str]]) -> list[str]:
    changed = copy.deepcopy(data)
    add_names(changed, names)
    return [problem.what for problem in problems(ValidValues(changed))]


def _lines(plan: ProjectPlan, *, agreeing: bool) -> list[str]:
    count = counted(plan.repositories, "Git repository", "Git repositories")
    state = "all as agreed" if plan.is_in_order else "agreed" if agreeing and plan.new else "DIFFERS"
    verb = "agreed to" if agreeing else "new"
    return [
        f"{plan.entry}: {plan.space}/{plan.project} has {count}, {state}",
        *(f"  {verb}: {one.repository}, as the mirror {one.key} into {one.target}" for one in plan.new),
        *(f"  gone: {one.repository}, the mirror {one.key} into {one.target}" for one in plan.gone),
        *(f"  by hand: {printable(one.repository)}" for one in plan.by_hand),
    ]


def _problems(plan: ProjectPlan, *, is_protected: bool) -> list[Problem]:
    where = f"prd.backlog.repositories.{plan.entry}.agreed"
    kept = "Terraform refuses to delete" if is_protected else "Terraform deletes"
    source = f"{plan.space}/{plan.project}"
    gone = [
        Problem(
            where=where,
            what=f"'{one.repository}' is gone from {source}, or the API key's user does not see it",
            hint=f"it stays in the list, and its mirror fails; to end it and keep {one.target}, first take it out of "
            f"the state (terraform state rm aws_codecommit_repository.repositories_{one.key}), then remove the name: "
            f"otherwise {kept} it",
        )
        for one in plan.gone
    ]
    return [*gone, *(Problem(where=where, what=one.what, hint=one.hint) for one in plan.by_hand)]
