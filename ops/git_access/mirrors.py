"""Push mirrors: those that the deployment wants, those that GitLab has, and what is wrong with one.

https://docs.gitlab.com/api/remote_mirrors/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from errors import without_credentials
from ops.git_access.users import codecommit
from settings import Deployment

# GitLab starts a mirror within five minutes of a push: https://docs.gitlab.com/user/project/repository/mirror/push/
_LONGEST_DELAY = timedelta(minutes=10)


class Remedy(Enum):
    """The next action for a mirror that is not in order."""

    APPLY = "run gitlab-mirror apply"
    SYNC = "mend what it says, and run gitlab-mirror sync"


@dataclass(frozen=True, kw_only=True)
class MirrorFault:
    """What is wrong with a mirror, and what corrects it."""

    what: str
    remedy: Remedy


@dataclass(frozen=True, kw_only=True)
class WantedMirror:
    """One mirror as the deployment describes it; `target` is the repository's address without user and password."""

    repository: str
    project: str
    target: str
    only_protected_branches: bool

    @property
    def where(self) -> str:
        """The mirror's name in messages."""
        return f"{self.project} to {self.repository}"

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes that it has to have, by GitLab's names."""
        return {
            "enabled": True,
            # Nobody else writes to the target, so rewritten branches are mirrored too. Of those that were deleted in
            # GitLab, it deletes at the target the ones merged into the default branch, and keeps the others:
            # https://gitlab.com/gitlab-org/gitaly/-/blob/master/internal/gitaly/service/remote/update_remote_mirror.go
            "keep_divergent_refs": False,
            "only_protected_branches": self.only_protected_branches,
            "mirror_branch_regex": None,
        }

    @property
    def spellings(self) -> list[str]:
        """Addresses of the target that Git treats alike.

        GitLab 19 takes a second mirror to one repository, which a rotation needs, only under another address:
        https://gitlab.com/gitlab-org/gitlab/-/merge_requests/242210
        """
        parts = urlsplit(self.target)
        with_port = parts._replace(netloc=f"{parts.netloc}:443").geturl()
        return [self.target, with_port, f"{self.target}/", f"{with_port}/"]

    def is_target_of(self, url: str) -> bool:
        """Whether a mirror with that address pushes to this target. The address's user and password are ignored."""
        return pushes_to(url, self.target)


@dataclass(frozen=True, kw_only=True)
class GitlabMirror:
    """One mirror as GitLab shows it, which is without its user and password."""

    id: int
    url: str
    attributes: Mapping[str, Any]
    status: str
    succeeded: datetime | None
    ended: datetime | None
    error: str | None

    @property
    def bare_url(self) -> str:
        """The address without user and password."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def differences(self, wanted: WantedMirror) -> dict[str, Any]:
        """The attributes to change, by GitLab's names."""
        return {name: value for name, value in wanted.attributes.items() if self.attributes[name] != value}

    def fault(self, wanted: WantedMirror, last_push: datetime | None) -> MirrorFault | None:
        """What makes the mirror unreliable; None where it is in order."""
        if not self.attributes["enabled"]:
            return MirrorFault(what="it is disabled", remedy=Remedy.APPLY)
        if self.status == "failed":
            return MirrorFault(what="it failed", remedy=Remedy.SYNC)
        if self.succeeded is None:
            return MirrorFault(what="it has never succeeded", remedy=Remedy.SYNC)
        if differences := self.differences(wanted):
            return MirrorFault(what=f"{', '.join(differences)} differs from the deployment", remedy=Remedy.APPLY)
        if last_push is not None and self.succeeded < last_push < datetime.now(last_push.tzinfo) - _LONGEST_DELAY:
            what = f"it has not run since the push of {last_push:%Y-%m-%d %H:%M UTC}"
            return MirrorFault(what=what, remedy=Remedy.SYNC)
        return None


def pushes_to(url: str, target: str) -> bool:
    """Whether `url` is an address of the target, whatever its user and password."""
    try:
        address, wanted = urlsplit(url), urlsplit(target)
        port = address.port
    except ValueError:
        return False
    server = (address.scheme, address.hostname, port or 443)
    return server == ("https", wanted.hostname, 443) and address.path.rstrip("/") == wanted.path


def wanted_mirrors(deployment: Deployment) -> list[WantedMirror]:
    """A mirror for each repository of the deployment that names a GitLab project."""
    host = f"git-codecommit.{deployment.region}.amazonaws.com"
    return [
        WantedMirror(
            repository=name,
            project=repository.gitlab_project,
            target=f"https://{host}/v1/repos/{name}",
            only_protected_branches=repository.only_protected_branches,
        )
        for name, repository in codecommit(deployment).repositories.items()
        if repository is not None and repository.gitlab_project is not None
    ]


def as_mirror(answer: Mapping[str, Any]) -> GitlabMirror:
    """A mirror from GitLab's answer."""
    error = answer.get("last_error")
    return GitlabMirror(
        id=int(answer["id"]),
        url=str(answer["url"]),
        attributes={
            "enabled": bool(answer["enabled"]),
            "keep_divergent_refs": bool(answer.get("keep_divergent_refs")),
            "only_protected_branches": bool(answer.get("only_protected_branches")),
            "mirror_branch_regex": answer.get("mirror_branch_regex") or None,
        },
        status=str(answer.get("update_status")),
        succeeded=as_time(answer.get("last_successful_update_at")),
        ended=as_time(answer.get("last_update_at")),
        error=None if not error else " ".join(without_credentials(str(error)).split()),
    )


def as_time(text: str | None) -> datetime | None:
    """A time from GitLab's answer."""
    return None if text is None else datetime.fromisoformat(text)
