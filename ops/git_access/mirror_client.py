"""Lists, creates, changes, deletes and runs push mirrors through GitLab's API.

GitLab cannot change a mirror's password: a new password needs a new mirror. Ids only grow, so of two mirrors the one
with the higher id is the newer.
"""

import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import SecretStr

from errors import Problem, RefusedError, refused
from ops.git_access import PATIENCE_SECONDS
from ops.git_access.gitlab_api import MOST_RETRIES, connect, gitlab_errors_as_refusals
from ops.git_access.mirrors import GitlabMirror, Remedy, WantedMirror, as_mirror, as_time, wanted_mirrors
from ops.steps import Steps
from settings import Deployment

if TYPE_CHECKING:
    from datetime import datetime

    from gitlab import Gitlab

POLL_SECONDS = 3.0
_PROGRESS_SECONDS = 2
_MOST_ATTEMPTS = 3
_RETRIES: dict[str, Any] = {"retry_transient_errors": True, "max_retries": MOST_RETRIES}

Listing = Mapping[WantedMirror, list[GitlabMirror]]
"""Every mirror of each wanted mirror's project, the newest last."""

MirrorIds = list[tuple[WantedMirror, int]]
"""Mirrors by their ids in GitLab, each with the wanted mirror whose project it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Switched:
    """The mirrors that have the new password and have not succeeded yet, and the mirrors that these replace."""

    unproved: MirrorIds
    superseded: MirrorIds


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
        *,
        poll_seconds: float = POLL_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.wanted = wanted
        self._gitlab = gitlab
        self._poll_seconds = poll_seconds
        self._patience_seconds = patience_seconds

    @classmethod
    def connected(
        cls, deployment: Deployment, token_file: Path | None, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> "MirrorClient":
        """The deployment's mirrors. Raises RefusedError where GitLab's address or token is missing."""
        gitlab = connect(deployment, token_file)
        return cls(gitlab, wanted_mirrors(deployment), patience_seconds=patience_seconds)

    def find_all(self) -> Listing:
        """Every mirror of the deployment's projects."""
        return {wanted: self._of_project(wanted) for wanted in self.wanted}

    def find_own(self) -> Listing:
        """The mirrors that push to the deployment's repositories."""
        return {wanted: _own(wanted, mirrors) for wanted, mirrors in self.find_all().items()}

    def last_push(self, wanted: WantedMirror) -> "datetime | None":
        """When somebody last pushed to the project, as far as the token's user may see.

        https://docs.gitlab.com/api/events/
        """
        with gitlab_errors_as_refusals(wanted.where):
            events = self._project(wanted).events.list(action="pushed", per_page=1, get_all=False, **_RETRIES)
            return as_time(events[0].created_at) if events else None

    def switch(
        self, listing: Listing, *, newest_before: int, login: Callable[[], tuple[str, SecretStr]], steps: Steps
    ) -> Switched:
        """Give every project one mirror that has the new password, with the attributes that are wanted.

        A mirror has the new password when its id is higher than `newest_before`; where a project has none, one is
        created with the user and password from `login`.
        """
        unproved, superseded = [], []
        for wanted, mirrors in listing.items():
            own = _own(wanted, mirrors)
            kept = next((mirror for mirror in own if mirror.id > newest_before), None)
            if kept is not None:
                self._correct(wanted, kept, steps)
                if kept.succeeded is None:
                    unproved.append((wanted, kept.id))
            elif steps.take(f"{'replace' if own else 'create'} the mirror of {wanted.where}"):
                unproved.append((wanted, self._create(wanted, *login()).id))
            superseded += [(wanted, mirror.id) for mirror in own if mirror != kept]
        return Switched(unproved=unproved, superseded=superseded)

    def prove(self, mirrors: MirrorIds, steps: Steps) -> None:
        """Run the mirrors until each has succeeded. Raises RefusedError with the problem of each that has not."""
        if mirrors and steps.take(f"have {_count(mirrors)} run, and wait until GitLab says that it succeeded"):
            self._run(mirrors)

    def sync(self) -> None:
        """Run every mirror now, and wait until it has succeeded."""
        own = self.find_own()
        missing = [wanted for wanted, mirrors in own.items() if not mirrors]
        if missing:
            hint = Remedy.APPLY.value
            raise RefusedError(Problem(where=wanted.where, what="there is no mirror", hint=hint) for wanted in missing)
        self._run([(wanted, mirrors[-1].id) for wanted, mirrors in own.items()])

    def delete(self, mirrors: MirrorIds, steps: Steps) -> None:
        """Delete mirrors that others have replaced."""
        from gitlab.exceptions import GitlabError

        for wanted, mirror_id in mirrors:
            if steps.take(f"delete the mirror {mirror_id} of {wanted.where}, which is replaced"):
                with gitlab_errors_as_refusals(wanted.where):
                    try:
                        self._mirrors(wanted).delete(mirror_id, **_RETRIES)
                    except GitlabError as error:
                        # An earlier attempt, or another person, may have deleted it already.
                        if error.response_code != 404:
                            raise

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
                print(f"{len(runs) - len(pending)} of {_count(runs)} succeeded", file=sys.stderr)
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
            path = f"{self._mirrors(run.wanted).path}/{run.before.id}/sync"
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
                    self._mirrors(wanted).update(mirror.id, changes, **_RETRIES)

    def _create(self, wanted: WantedMirror, username: str, password: SecretStr) -> GitlabMirror:
        user, secret = (quote(text, safe="") for text in (username, password.get_secret_value()))
        url = wanted.target.replace("https://", f"https://{user}:{secret}@")
        attributes = {name: value for name, value in wanted.attributes.items() if value is not None}
        with gitlab_errors_as_refusals(wanted.where):
            # A second attempt after a lost answer would create a second mirror. The next run finds the first.
            created = self._mirrors(wanted).create({"url": url, **attributes}, max_retries=MOST_RETRIES)
            return as_mirror(created.attributes)

    def _one(self, wanted: WantedMirror, mirror_id: int) -> GitlabMirror:
        for mirror in self._of_project(wanted):
            if mirror.id == mirror_id:
                return mirror
        raise refused(wanted.where, f"somebody deleted the mirror {mirror_id} meanwhile", "run the command again")

    def _of_project(self, wanted: WantedMirror) -> list[GitlabMirror]:
        with gitlab_errors_as_refusals(wanted.where):
            listed = self._mirrors(wanted).list(get_all=True, **_RETRIES)
            return sorted((as_mirror(one.attributes) for one in listed), key=lambda mirror: mirror.id)

    def _mirrors(self, wanted: WantedMirror) -> Any:
        return self._project(wanted).remote_mirrors

    def _project(self, wanted: WantedMirror) -> Any:
        return self._gitlab.projects.get(wanted.project, lazy=True)


def _own(wanted: WantedMirror, mirrors: Collection[GitlabMirror]) -> list[GitlabMirror]:
    return [mirror for mirror in mirrors if wanted.is_target_of(mirror.url)]


def _count(mirrors: Collection[object]) -> str:
    return "1 mirror" if len(mirrors) == 1 else f"{len(mirrors)} mirrors"


def _json(value: Any) -> str:
    return {True: "true", False: "false", None: "null"}.get(value, str(value))
