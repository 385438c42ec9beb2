"""The push mirrors of GitLab's projects into production's repositories.

GitLab never tells what user and password a mirror has, and cannot change them: a mirror is ours by where it pushes to,
and a new password needs a new mirror. Ids only grow, so a mirror's age, and with it its password, shows in its id.
https://docs.gitlab.com/api/remote_mirrors/
"""

import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from errors import Problem, RefusedError, refused, without_credentials
from ops.git_access.credential_store import Credential, CredentialStore, Login, Situation
from ops.git_access.gitlab_api import MOST_RETRIES, told_as_refusals
from ops.git_access.users import codecommit
from ops.steps import Steps
from settings import Deployment

if TYPE_CHECKING:
    from gitlab import Gitlab

POLL_SECONDS = 3.0
PATIENCE_SECONDS = 600.0
_TELL_SECONDS = 2
_MOST_SYNCS = 3
# GitLab starts a mirror within five minutes of a push: https://docs.gitlab.com/user/project/repository/mirror/push/
_DELAY = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One mirror as the deployment has it; `target` is the repository's address without user and password."""

    repository: str
    project: str
    target: str
    only_protected_branches: bool

    @property
    def where(self) -> str:
        """What messages call it."""
        return f"{self.project} to {self.repository}"


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """One mirror as GitLab tells it."""

    id: int
    url: str
    enabled: bool
    only_protected_branches: bool
    keep_divergent_refs: bool
    branch_regex: str | None
    status: str
    succeeded: datetime | None
    ended: datetime | None
    error: str | None

    def differences(self, wanted: Wanted) -> dict[str, Any]:
        """The attributes to change, by GitLab's names."""
        has = {
            "enabled": self.enabled,
            "keep_divergent_refs": self.keep_divergent_refs,
            "only_protected_branches": self.only_protected_branches,
            "mirror_branch_regex": self.branch_regex or None,
        }
        return {name: value for name, value in _attributes(wanted).items() if has[name] != value}


@dataclass(frozen=True, kw_only=True)
class Obsolete:
    """A mirror that another one has replaced."""

    wanted: Wanted
    id: int


def wanted_mirrors(deployment: Deployment) -> list[Wanted]:
    """The mirrors that the deployment's repositories name."""
    host = f"git-codecommit.{deployment.region}.amazonaws.com"
    return [
        Wanted(
            repository=name,
            project=repository.gitlab_project,
            target=f"https://{host}/v1/repos/{name}",
            only_protected_branches=repository.only_protected_branches,
        )
        for name, repository in codecommit(deployment).repositories.items()
        if repository is not None and repository.gitlab_project is not None
    ]


class PushMirrors:
    """Finds and changes the deployment's mirrors. Every method raises RefusedError where GitLab refuses."""

    def __init__(
        self,
        gitlab: "Gitlab",
        wanted: Sequence[Wanted],
        *,
        poll_seconds: float = POLL_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.wanted = wanted
        self._gitlab = gitlab
        self._poll_seconds = poll_seconds
        self._patience_seconds = patience_seconds

    def hand_over(
        self, store: CredentialStore, situation: Situation, credential: Credential | None, steps: Steps
    ) -> list[Obsolete]:
        """See that every project has a mirror with this credential that has succeeded; returns the others.

        A credential of None is one that a dry run did not create.
        """
        everything = {wanted: self._all(wanted) for wanted in self.wanted}
        known = situation.mirrors_above
        if credential is not None and known is not None and known[0] == credential.id:
            above = known[1]
        else:
            above = max((mirror.id for mirrors in everything.values() for mirror in mirrors), default=0)
            if credential is not None and not steps.dry_run:
                store.remember_mirrors_above(credential, above)
        login: Login | None = None
        obsolete: list[Obsolete] = []
        unproved: dict[Wanted, int] = {}
        for wanted, mirrors in everything.items():
            ours = [mirror for mirror in mirrors if is_ours(mirror.url, wanted)]
            carrying = [mirror for mirror in ours if mirror.id > above]
            if carrying:
                kept = carrying[0]
                if changes := kept.differences(wanted):
                    told = ", ".join(f"{name}={_json(value)}" for name, value in changes.items())
                    if steps.take(f"change the mirror of {wanted.where}: {told}"):
                        self._change(wanted, kept.id, changes)
                if kept.succeeded is None:
                    unproved[wanted] = kept.id
            else:
                what = "replace" if ours else "create"
                if steps.take(f"{what} the mirror of {wanted.where}") and credential is not None:
                    login = login or store.login(credential)
                    unproved[wanted] = self._create(wanted, login).id
            obsolete += [Obsolete(wanted=wanted, id=mirror.id) for mirror in ours if mirror not in carrying[:1]]
        if unproved and steps.take(f"have {_count(unproved)} run, and wait until GitLab says that it succeeded"):
            self._prove(unproved)
        return obsolete

    def delete(self, obsolete: Iterable[Obsolete], steps: Steps) -> None:
        """Delete mirrors that others have replaced."""
        for one in obsolete:
            if steps.take(f"delete the mirror {one.id} of {one.wanted.where}, which is replaced"):
                from gitlab.exceptions import GitlabError

                with told_as_refusals(one.wanted.where):
                    try:
                        self._manager(one.wanted).delete(one.id, retry_transient_errors=True, max_retries=MOST_RETRIES)
                    except GitlabError as error:
                        # Deleted by the first of two attempts, or by somebody else.
                        if error.response_code != 404:
                            raise

    def found(self) -> dict[Wanted, list[Mirror]]:
        """The mirrors of each project that push where they should, the newest last."""
        return {
            wanted: [mirror for mirror in self._all(wanted) if is_ours(mirror.url, wanted)] for wanted in self.wanted
        }

    def sync(self) -> None:
        """Have every mirror run now, and wait until it has succeeded."""
        found = self.found()
        missing = [wanted for wanted, mirrors in found.items() if not mirrors]
        if missing:
            hint = "run gitlab-mirror apply"
            raise RefusedError(Problem(where=wanted.where, what="there is no mirror", hint=hint) for wanted in missing)
        self._prove({wanted: mirrors[-1].id for wanted, mirrors in found.items()})

    def last_push(self, wanted: Wanted) -> datetime | None:
        """When somebody last pushed to the project, as far as the token may know.

        https://docs.gitlab.com/api/events/
        """
        with told_as_refusals(wanted.where):
            events = self._project(wanted).events.list(
                action="pushed", per_page=1, get_all=False, retry_transient_errors=True, max_retries=MOST_RETRIES
            )
            return _time(events[0].created_at) if events else None

    def _prove(self, ids: Mapping[Wanted, int]) -> None:
        """Have mirrors run until each has succeeded since; what GitLab says of the others is raised together."""
        began = told = time.monotonic()
        before = {wanted: self._one(wanted, mirror_id) for wanted, mirror_id in ids.items()}
        syncs = dict.fromkeys(ids, 1)
        pending = list(ids)
        failed: list[Problem] = []
        for wanted in pending:
            self._sync(wanted, ids[wanted])
        while pending:
            if time.monotonic() - began > self._patience_seconds:
                what = f"the mirror has not succeeded within {self._patience_seconds:.0f} seconds"
                hint = "GitLab goes on by itself: run the command again later, or with a longer --wait-seconds"
                failed += [Problem(where=wanted.where, what=what, hint=hint) for wanted in pending]
                break
            time.sleep(self._poll_seconds)
            for wanted in tuple(pending):
                now = self._one(wanted, ids[wanted])
                if now.succeeded is not None and now.succeeded != before[wanted].succeeded:
                    pending.remove(wanted)
                elif now.status != "failed" or now.ended == before[wanted].ended:
                    continue
                elif syncs[wanted] < _MOST_SYNCS:
                    # A credential of this minute may not be known everywhere in AWS yet.
                    syncs[wanted] += 1
                    before[wanted] = now
                    self._sync(wanted, now.id)
                else:
                    pending.remove(wanted)
                    what = f"the mirror failed: {now.error or 'GitLab gives no reason'}"
                    hint = "mend what GitLab names, and run the command again"
                    failed += refused(wanted.where, what, hint).problems
            if pending and time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                print(f"{len(ids) - len(pending)} of {_count(ids)} succeeded", file=sys.stderr)
        if failed:
            raise RefusedError(failed)

    def _one(self, wanted: Wanted, mirror_id: int) -> Mirror:
        for mirror in self._all(wanted):
            if mirror.id == mirror_id:
                return mirror
        raise refused(wanted.where, f"somebody deleted the mirror {mirror_id} meanwhile", "run the command again")

    def _all(self, wanted: Wanted) -> list[Mirror]:
        with told_as_refusals(wanted.where):
            listed = self._manager(wanted).list(get_all=True, retry_transient_errors=True, max_retries=MOST_RETRIES)
            return sorted((_mirror(one.attributes) for one in listed), key=lambda mirror: mirror.id)

    def _create(self, wanted: Wanted, login: Login) -> Mirror:
        user, password = (quote(text, safe="") for text in (login.username, login.password.get_secret_value()))
        url = wanted.target.replace("https://", f"https://{user}:{password}@")
        attributes = {name: value for name, value in _attributes(wanted).items() if value is not None}
        with told_as_refusals(wanted.where):
            # Not again by itself: were an answer lost, there would be two. The next run finds the first.
            made = self._manager(wanted).create({"url": url, **attributes}, max_retries=MOST_RETRIES)
            return _mirror(made.attributes)

    def _change(self, wanted: Wanted, mirror_id: int, changes: Mapping[str, Any]) -> None:
        with told_as_refusals(wanted.where):
            self._manager(wanted).update(
                mirror_id, dict(changes), retry_transient_errors=True, max_retries=MOST_RETRIES
            )

    def _sync(self, wanted: Wanted, mirror_id: int) -> None:
        with told_as_refusals(wanted.where):
            path = f"{self._manager(wanted).path}/{mirror_id}/sync"
            # Its answer has no body, which http_post would try to read.
            self._gitlab.http_request("post", path, retry_transient_errors=True, max_retries=MOST_RETRIES)

    def _manager(self, wanted: Wanted) -> Any:
        return self._project(wanted).remote_mirrors

    def _project(self, wanted: Wanted) -> Any:
        return self._gitlab.projects.get(wanted.project, lazy=True)


def is_ours(url: str, wanted: Wanted) -> bool:
    """Whether a mirror pushes to the wanted repository; its user and password are hidden, and do not count."""
    try:
        has, target = urlsplit(url), urlsplit(wanted.target)
        port = has.port
    except ValueError:
        return False
    same_place = (has.scheme, has.hostname, port or 443) == ("https", target.hostname, 443)
    return same_place and has.path.rstrip("/") == target.path


def stale_because(mirror: Mirror, wanted: Wanted, last_push: datetime | None) -> str | None:
    """Why a mirror cannot be relied on; None where it can."""
    if not mirror.enabled:
        return "it is disabled"
    if mirror.status == "failed":
        return "it failed"
    if mirror.succeeded is None:
        return "it has never succeeded"
    if differences := mirror.differences(wanted):
        return f"{', '.join(differences)} differs from the deployment"
    if last_push is not None and last_push > mirror.succeeded and last_push < datetime.now(last_push.tzinfo) - _DELAY:
        return f"it has not run since the push of {last_push:%Y-%m-%d %H:%M UTC}"
    return None


def _attributes(wanted: Wanted) -> dict[str, Any]:
    return {
        "enabled": True,
        # Rewritten and deleted branches are carried over too: the target is a mirror, and nobody else writes to it.
        "keep_divergent_refs": False,
        "only_protected_branches": wanted.only_protected_branches,
        "mirror_branch_regex": None,
    }


def _mirror(told: Mapping[str, Any]) -> Mirror:
    error = told.get("last_error")
    return Mirror(
        id=int(told["id"]),
        url=str(told["url"]),
        enabled=bool(told["enabled"]),
        only_protected_branches=bool(told.get("only_protected_branches")),
        keep_divergent_refs=bool(told.get("keep_divergent_refs")),
        branch_regex=told.get("mirror_branch_regex"),
        status=str(told.get("update_status")),
        succeeded=_time(told.get("last_successful_update_at")),
        ended=_time(told.get("last_update_at")),
        error=None if not error else " ".join(without_credentials(str(error)).split()),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _count(wanted: Collection[Wanted]) -> str:
    return "1 mirror" if len(wanted) == 1 else f"{len(wanted)} mirrors"


def _json(value: Any) -> str:
    return {True: "true", False: "false", None: "null"}.get(value, str(value))
