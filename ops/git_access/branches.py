"""Lists and deletes the branches that CodeCommit still has although they were deleted in GitLab.

A push mirror deletes a branch at the target only where GitLab's default branch has its commits. A branch that was
deleted unmerged stays, so that no work is lost: `updateRemoteMirror` in
https://gitlab.com/gitlab-org/gitaly/-/blob/master/internal/gitaly/service/remote/update_remote_mirror.go
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from errors import Problem, RefusedError
from ops.git_access.mirror_client import MirrorClient
from ops.git_access.mirrors import WantedMirror
from ops.git_access.ownership import ProjectMirrors
from ops.git_access.table import print_table
from ops.production import aws_errors_as_refusals, client, production
from ops.steps import Steps
from settings import Deployment
from settings.backlog import BacklogSettings

FEW = 10
"""How many branches are deleted whatever their share, as buildspec/mirror/guards.py does for Backlog's mirrors."""


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A branch in CodeCommit; `is_default` where CodeCommit would refuse to delete it."""

    name: str
    commit_id: str
    is_default: bool


@dataclass(frozen=True, kw_only=True)
class LeftBranches:
    """The branches of one repository that GitLab has not, by name, and how many branches either side has."""

    wanted: WantedMirror
    gone: Sequence[Branch]
    at_source: int
    at_target: int


class Branches:
    """The branches of the deployment's mirrored repositories, in CodeCommit and GitLab."""

    def __init__(self, deployment: Deployment, mirrors: MirrorClient) -> None:
        self._mirrors = mirrors
        self._codecommit = client(production(deployment), "codecommit")
        self._max_lost_percent = _max_lost_percent(deployment)

    def show(self) -> None:
        """Print the branches that GitLab no longer has."""
        rows: list[tuple[str, ...]] = [("repository", "branch", "commit", "")]
        for wanted in self._mirrors.wanted:
            for branch in self._left(wanted).gone:
                note = "default branch, never deleted" if branch.is_default else "not in GitLab"
                rows.append((wanted.repository, branch.name, branch.commit_id[:12], note))
        if len(rows) > 1:
            print_table(rows)
        else:
            print("every branch in CodeCommit is in GitLab, too")

    def remove(self, *, allow_deletions: int, steps: Steps) -> None:
        """Delete them, but for default branches. Raises RefusedError before the first where it would be too many."""
        left = [self._left(found.wanted) for found in self._mirrors.find().projects if self._is_filled(found)]
        if problems := [problem for each in left for problem in self._too_much(each, allow_deletions)]:
            raise RefusedError(problems)
        for each in left:
            for branch in each.gone:
                if not branch.is_default:
                    problems += self._remove(each.wanted, branch, steps)
        if problems:
            raise RefusedError(problems)

    def _is_filled(self, found: ProjectMirrors) -> bool:
        """Whether a mirror of this deployment fills the repository: what else it holds is not GitLab's to delete."""
        if any(own.mirror.succeeded is not None for own in found.own):
            return True
        what, hint = "no mirror has succeeded; its branches are left alone", "run gitlab-mirror apply first"
        print(Problem(where=found.wanted.where, what=what, hint=hint).as_warning(), file=sys.stderr)
        return False

    def _left(self, wanted: WantedMirror) -> LeftBranches:
        # The target first: what it has and the source, asked later, has not, was deleted there.
        with aws_errors_as_refusals(wanted.repository):
            default = self._codecommit.get_repository(repositoryName=wanted.repository)["repositoryMetadata"].get(
                "defaultBranch"
            )
            pages = self._codecommit.get_paginator("list_branches").paginate(repositoryName=wanted.repository)
            target = {name for page in pages for name in page["branches"]}
        source = self._mirrors.branches(wanted)
        names = sorted(target - source)
        commits = {name: self._commit(wanted, name) for name in names}
        gone = [
            Branch(name=name, commit_id=commit_id, is_default=name == default)
            for name, commit_id in commits.items()
            if commit_id is not None
        ]
        return LeftBranches(wanted=wanted, gone=gone, at_source=len(source), at_target=len(target))

    def _commit(self, wanted: WantedMirror, name: str) -> str | None:
        """The branch's commit in CodeCommit; None where somebody has deleted it."""
        with aws_errors_as_refusals(wanted.repository):
            try:
                answer = self._codecommit.get_branch(repositoryName=wanted.repository, branchName=name)
            except self._codecommit.exceptions.BranchDoesNotExistException:
                return None
        commit_id: str = answer["branch"]["commitId"]
        return commit_id

    def _too_much(self, left: LeftBranches, allow_deletions: int) -> list[Problem]:
        gone, had, percent = len(left.gone), left.at_target, self._max_lost_percent
        if gone and not left.at_source:
            what = "GitLab shows no branch of the project; nothing was deleted"
            return [Problem(where=left.wanted.where, what=what, hint="if that is right, delete them by hand")]
        if gone >= FEW and gone * 100 > had * percent and gone > allow_deletions:
            what = f"GitLab lacks {gone} of CodeCommit's {had} branches, more than {percent} %; nothing was deleted"
            hint = f"if that is right, allow it once: --allow-deletions {gone}"
            return [Problem(where=left.wanted.where, what=what, hint=hint)]
        return []

    def _remove(self, wanted: WantedMirror, branch: Branch, steps: Steps) -> list[Problem]:
        if not steps.take(f"delete the branch {branch.name} at {branch.commit_id[:12]} of {wanted.repository}"):
            return []
        if branch.name in self._mirrors.branches(wanted, like=branch.name):
            return [self._moved(wanted, branch, "was created in GitLab again")]
        now = self._commit(wanted, branch.name)
        if now is None:
            return []
        if now != branch.commit_id:
            return [self._moved(wanted, branch, f"has moved to {now[:12]}")]
        with aws_errors_as_refusals(wanted.repository):
            answer: dict[str, Any] = self._codecommit.delete_branch(
                repositoryName=wanted.repository, branchName=branch.name
            )
            deleted = answer.get("deletedBranch", {}).get("commitId", branch.commit_id)
            if deleted == branch.commit_id:
                return []
            # CodeCommit deletes whatever the branch is at; a mirror pushed to it at this moment.
            self._codecommit.create_branch(repositoryName=wanted.repository, branchName=branch.name, commitId=deleted)
        return [self._moved(wanted, branch, f"has moved to {deleted[:12]}")]

    def _moved(self, wanted: WantedMirror, branch: Branch, how: str) -> Problem:
        hint = "look at it, and run the command again"
        return Problem(where=wanted.repository, what=f"the branch {branch.name} {how}; it was kept", hint=hint)


def _max_lost_percent(deployment: Deployment) -> int:
    """The share that a mirror of Backlog may delete in this deployment; without one, in any."""
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    default: int = BacklogSettings.model_fields["max_lost_percent"].default
    return default if backlog is None else backlog.max_lost_percent
