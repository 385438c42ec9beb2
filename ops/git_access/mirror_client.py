"""Lists, creates, changes, deletes and runs push mirrors through GitLab's API.

GitLab cannot change a mirror's password: a new password needs a new mirror. Only recorded mirrors are changed or
deleted. A new mirror is disabled until it is recorded, so a command that is stopped between the two leaves one that
pushes nothing, and the next command creates another.
"""

import functools
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import SecretStr

from errors import WRONG_USAGE, Problem, RefusedError, refused
from errors.shown import counted
from ops.git_access import PATIENCE_SECONDS
from ops.git_access.gitlab_api import MOST_RETRIES, connect, gitlab_errors_as_refusals, unless_not_found
from ops.git_access.mirror_limits import limits
from ops.git_access.mirror_records import MirrorRecord, MirrorRecords
from ops.git_access.mirrors import GitlabMirror, Remedy, WantedMirror, as_mirror, as_time, wanted_mirrors
from ops.git_access.ownership import Listing, ProjectMirrors, decided, unknown_mirrors
from ops.steps import Steps
from settings import Deployment

if TYPE_CHECKING:
    from datetime import datetime

    from gitlab import Gitlab

POLL_SECONDS = 3.0
_PROGRESS_SECONDS = 2
_MOST_ATTEMPTS = 3
_RETRIES: dict[str, Any] = {"retry_transient_errors": True, "max_retries": MOST_RETRIES}

MirrorIds = list[tuple[WantedMirror, int]]
"""Mirrors by their ids in GitLab, each with the wanted mirror whose project it belongs to."""


def has_mirrors(deployment: Deployment) -> bool:
    """Whether the deployment wants mirrors or has recorded some, which push until they are deleted in GitLab."""
    return bool(wanted_mirrors(deployment) or MirrorRecords(deployment).read())


@dataclass(frozen=True, kw_only=True)
class Switched:
    """The mirrors that have the new password and have not succeeded yet, and those that nothing needs any more."""

    unproved: MirrorIds
    superseded: list[MirrorRecord]


@dataclass(kw_only=True)
class _Run:
    """One mirror that is to succeed: `before` is how it was before its latest start."""

    wanted: WantedMirror
    before: GitlabMirror
    starts: int = 0
    is_pending: bool = True
    problem: Problem | None = None


class MirrorClient:
    """The deployment's mirrors in GitLab. Every method raises RefusedError where GitLab refuses."""

    def __init__(
        self,
        gitlab: "Gitlab",
        wanted: Collection[WantedMirror],
        records: MirrorRecords,
        *,
        poll_seconds: float = POLL_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.wanted = wanted
        self._gitlab = gitlab
        self.records = records
        self._poll_seconds = poll_seconds
        self._patience_seconds = patience_seconds
        self._ids: dict[WantedMirror, int] = {}

    @classmethod
    def connected(
        cls, deployment: Deployment, token_file: Path | None, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> "MirrorClient":
        """The deployment's mirrors. Raises RefusedError where GitLab's address or token is missing."""
        gitlab = connect(deployment, token_file)
        records = MirrorRecords(deployment)
        return cls(gitlab, wanted_mirrors(deployment), records, patience_seconds=patience_seconds)

    def find(self) -> Listing:
        """The mirrors of the deployment's projects, and of all projects where it has recorded one."""
        records = self.records.read()
        ids = {wanted: self._project_id(wanted) for wanted in self.wanted}
        mirrors = {project_id: self._list(project_id, wanted.where) for wanted, project_id in ids.items()}
        for record in records:
            if record.gitlab == self._gitlab.url and record.project_id not in mirrors:
                with gitlab_errors_as_refusals(record.where), unless_not_found():
                    mirrors[record.project_id] = self._fetch(record.project_id)
        return Listing(gitlab=self._gitlab.url, project_ids=ids, mirrors=mirrors, records=records)

    def branches(self, wanted: WantedMirror, *, like: str = "") -> set[str]:
        """The names of the project's branches; where only those like one are asked for, that one if it exists.

        https://docs.gitlab.com/api/branches/
        """
        # GitLab takes a $ in a search for the end of the name.
        search = like.partition("$")[0]
        with gitlab_errors_as_refusals(wanted.where):
            project = self._project(self._project_id(wanted))
            return {one.name for one in project.branches.list(search=search, get_all=True, per_page=100, **_RETRIES)}

    def decide(self, listing: Listing, *, adopt: Collection[str], not_ours: Collection[str], steps: Steps) -> Listing:
        """Record whose the chosen mirrors are, as `ownership.decided` describes it; returns what then holds."""
        records = list(listing.records)
        chosen = [*decided(listing, adopt, is_ours=True), *decided(listing, not_ours, is_ours=False)]
        names = Counter(map(self.records.name, chosen))
        for new in chosen:
            if names[self.records.name(new)] > 1:
                what = f"it chooses the mirror {new.mirror_id}, as --adopt does"
                raise refused("--not-ours", what, "choose each mirror once", status=WRONG_USAGE)
        for new in chosen:
            whose = "this deployment's" if new.is_ours else "another deployment's"
            if steps.take(f"record the mirror {new.mirror_id} of {new.where} as {whose}"):
                for old in [record for record in records if self.records.name(record) == self.records.name(new)]:
                    self.records.remove(old)
                self.records.add(new)
            records = [record for record in records if self.records.name(record) != self.records.name(new)] + [new]
        return replace(listing, records=records)

    def last_push(self, wanted: WantedMirror) -> "datetime | None":
        """When somebody last pushed to the project, as far as the token's user may see.

        https://docs.gitlab.com/api/events/
        """
        with gitlab_errors_as_refusals(wanted.where):
            events = self._project(self._project_id(wanted)).events.list(
                action="pushed", per_page=1, get_all=False, **_RETRIES
            )
            return as_time(events[0].created_at) if events else None

    def hidden(self, listing: Listing) -> list[Problem]:
        """A problem for each recorded mirror that this GitLab does not show to the token's user."""
        return [
            Problem(
                where=record.where,
                what=f"the mirror {record.mirror_id} is recorded in project {record.project_id} of {record.gitlab}",
                hint=f"use a token that sees it; if it is gone, delete the SSM parameter {self.records.name(record)}",
            )
            for record in listing.hidden
        ]

    def check(self, listing: Listing, credential_id: str) -> None:
        """Raise RefusedError for all that would stop `switch`: unknown mirrors, and GitLab's limits."""
        for hidden in self.hidden(listing):
            print(hidden.as_warning(), file=sys.stderr)
        problems = [*unknown_mirrors(listing), *limits(listing, credential_id, self._version)]
        if problems:
            raise RefusedError(problems)

    def switch(
        self, listing: Listing, credential_id: str, *, login: Callable[[], tuple[str, SecretStr]], steps: Steps
    ) -> Switched:
        """Give every wanted target one mirror with that credential, and with the attributes that are wanted.

        Where none has it, one is created with the user and password from `login`.
        """
        unproved: MirrorIds = []
        once = functools.cache(login)
        superseded = list(listing.obsolete)
        for found in listing.projects:
            kept = found.with_credential(credential_id)
            if kept is not None:
                self._correct(found.wanted, kept.mirror, steps)
                if kept.mirror.succeeded is None:
                    unproved.append((found.wanted, kept.mirror.id))
            elif steps.take(f"{'replace' if found.own else 'create'} the mirror of {found.wanted.where}"):
                unproved.append((found.wanted, self._create(found, credential_id, *once())))
            superseded += [own.record for own in found.own if own != kept]
        return Switched(unproved=unproved, superseded=superseded)

    def prove(self, mirrors: MirrorIds, steps: Steps) -> None:
        """Run the mirrors until each has succeeded. Raises RefusedError with the problem of each that has not."""
        if mirrors and steps.take(
            f"have {counted(len(mirrors), 'mirror')} run, and wait until GitLab says that it succeeded"
        ):
            self._run(mirrors)

    def sync(self, steps: Steps) -> None:
        """Run every mirror now, and wait until it has succeeded."""
        projects = self.find().projects
        missing = [found.wanted for found in projects if not found.own]
        if missing:
            hint = Remedy.APPLY.value
            raise RefusedError(Problem(where=wanted.where, what="there is no mirror", hint=hint) for wanted in missing)
        self.prove([(found.wanted, found.own[-1].mirror.id) for found in projects], steps)

    def delete(self, records: Collection[MirrorRecord], steps: Steps) -> None:
        """Delete recorded mirrors that nothing needs any more, and their records."""
        for record in records:
            if steps.take(f"delete the mirror {record.mirror_id} of {record.where}, which nothing needs any more"):
                # An earlier attempt, or another person, may have deleted it already.
                with gitlab_errors_as_refusals(record.where), unless_not_found():
                    self._mirrors(record.project_id).delete(record.mirror_id, **_RETRIES)
                self.records.remove(record)

    def forget(self, records: Collection[MirrorRecord], steps: Steps) -> None:
        """Delete the records of mirrors that GitLab no longer has."""
        for record in records:
            if steps.take(f"delete the record of mirror {record.mirror_id} of {record.where}, which GitLab has not"):
                self.records.remove(record)

    def _run(self, mirrors: MirrorIds) -> None:
        began = reported = time.monotonic()
        runs = [_Run(wanted=wanted, before=self._one(wanted, mirror_id)) for wanted, mirror_id in mirrors]
        for run in runs:
            self._start(run)
        while pending := [run for run in runs if run.is_pending]:
            if time.monotonic() - began > self._patience_seconds:
                self._give_up(pending)
                break
            if time.monotonic() - reported > _PROGRESS_SECONDS:
                reported = time.monotonic()
                print(f"{len(runs) - len(pending)} of {counted(len(runs), 'mirror')} succeeded", file=sys.stderr)
            time.sleep(self._poll_seconds)
            for run in pending:
                self._check(run)
        if problems := [run.problem for run in runs if run.problem is not None]:
            raise RefusedError(problems)

    def _check(self, run: _Run) -> None:
        now = self._one(run.wanted, run.before.id)
        if now.succeeded is not None and now.succeeded != run.before.succeeded:
            run.is_pending = False
        elif now.status != "failed" or now.ended == run.before.ended:
            return
        elif run.starts < _MOST_ATTEMPTS:
            # AWS may take a minute to accept a new credential everywhere.
            run.before = now
            self._start(run)
        else:
            run.is_pending = False
            what = f"the mirror failed: {now.error or 'GitLab gives no reason'}"
            hint = "mend what GitLab names, and run the command again"
            (run.problem,) = refused(run.wanted.where, what, hint).problems

    def _start(self, run: _Run) -> None:
        run.starts += 1
        with gitlab_errors_as_refusals(run.wanted.where):
            path = f"{self._mirrors(self._project_id(run.wanted)).path}/{run.before.id}/sync"
            # http_post would parse the answer, which has no body.
            self._gitlab.http_request("post", path, **_RETRIES)

    def _give_up(self, pending: Collection[_Run]) -> None:
        what = f"the mirror has not succeeded within {self._patience_seconds:.0f} seconds"
        hint = "GitLab goes on by itself: run the command again later, or with a longer --wait-seconds"
        for run in pending:
            run.problem = Problem(where=run.wanted.where, what=what, hint=hint)

    def _correct(self, wanted: WantedMirror, mirror: GitlabMirror, steps: Steps) -> None:
        if changes := mirror.differences(wanted):
            shown = ", ".join(f"{name}={_json(value)}" for name, value in changes.items())
            if steps.take(f"change the mirror of {wanted.where}: {shown}"):
                with gitlab_errors_as_refusals(wanted.where):
                    self._mirrors(self._project_id(wanted)).update(mirror.id, changes, **_RETRIES)

    def _create(self, found: ProjectMirrors, credential_id: str, username: str, password: SecretStr) -> int:
        wanted = found.wanted
        user, secret = (quote(text, safe="") for text in (username, password.get_secret_value()))
        # Listed again, because somebody may have created one since the command began.
        free = replace(found, everything=self._list(found.project_id, wanted.where)).free_spellings
        if not free:
            raise refused(wanted.where, "somebody creates mirrors at the same time", "run the command again")
        url = free[0].replace("https://", f"https://{user}:{secret}@")
        attributes = {name: value for name, value in wanted.attributes.items() if value is not None}
        with gitlab_errors_as_refusals(wanted.where):
            # A second attempt after a lost answer would leave a second mirror that is not recorded.
            created = self._mirrors(found.project_id).create(
                {"url": url, **attributes, "enabled": False}, max_retries=MOST_RETRIES
            )
        mirror_id = int(created.id)
        self.records.add(
            MirrorRecord(
                gitlab=self._gitlab.url,
                project_id=found.project_id,
                mirror_id=mirror_id,
                project=wanted.project,
                target=wanted.target,
                credential_id=credential_id,
                is_ours=True,
            )
        )
        with gitlab_errors_as_refusals(wanted.where):
            self._mirrors(found.project_id).update(mirror_id, {"enabled": True}, **_RETRIES)
        return mirror_id

    def _version(self) -> str:
        with gitlab_errors_as_refusals("GitLab"):
            return str(self._gitlab.version()[0])

    def _one(self, wanted: WantedMirror, mirror_id: int) -> GitlabMirror:
        for mirror in self._list(self._project_id(wanted), wanted.where):
            if mirror.id == mirror_id:
                return mirror
        raise refused(wanted.where, f"somebody deleted the mirror {mirror_id} meanwhile", "run the command again")

    def _list(self, project_id: int, where: str) -> list[GitlabMirror]:
        with gitlab_errors_as_refusals(where):
            return self._fetch(project_id)

    def _fetch(self, project_id: int) -> list[GitlabMirror]:
        """A project's mirrors, oldest first. Raises GitLab's errors."""
        listed = self._mirrors(project_id).list(get_all=True, **_RETRIES)
        return sorted((as_mirror(one.attributes) for one in listed), key=lambda mirror: mirror.id)

    def _project_id(self, wanted: WantedMirror) -> int:
        if wanted not in self._ids:
            with gitlab_errors_as_refusals(wanted.where):
                self._ids[wanted] = int(self._gitlab.projects.get(wanted.project, **_RETRIES).id)
        return self._ids[wanted]

    def _mirrors(self, project_id: int) -> Any:
        return self._project(project_id).remote_mirrors

    def _project(self, project_id: int) -> Any:
        return self._gitlab.projects.get(project_id, lazy=True)


def _json(value: Any) -> str:
    return {True: "true", False: "false", None: "null"}.get(value, str(value))
