"""Branches that were deleted in GitLab are listed, and deleted in CodeCommit on request.

What a mirror leaves behind: gitaly's internal/gitaly/service/remote/update_remote_mirror.go, lines 185 to 202 of
7977654d, deletes no ref where `!defaultBranchExists || KeepDivergentRefs`, and otherwise keeps each ref for which
`IsAncestor(remoteCommitOID, defaultBranch)` is false ("Keep it to avoid losing work").
"""

from collections.abc import Callable

import pytest

from ops.git_access.branches import Branches
from ops.rehearse.stand_ins import AwsError, Call, Reply
from ops.steps import Steps
from tests.ops.git_access.commands import INFRASTRUCTURE, apply, issue, refusal
from tests.ops.production import ACCOUNT, PROJECTS, REGION, Production

pytestmark = pytest.mark.emulator

COMMIT = "1" * 40
LATER = "2" * 40


class CodeCommitBranches:
    """CodeCommit's calls for branches, as its API reference has them, with the branches of one repository.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteBranch.html: where there is no such branch, it
    answers without one; the default branch cannot be deleted.
    """

    def __init__(self) -> None:
        self.branches: dict[str, str] = {}
        self.calls: list[str] = []
        self.before_delete: Callable[[], None] = lambda: None

    def list_branches(self, call: Call) -> Reply:
        # A name a page, so that a forgotten page is noticed.
        names = list(self.branches) if call.params["repositoryName"] == "infrastructure" else []
        start = int(call.params.get("nextToken") or 0)
        more = {"nextToken": str(start + 1)} if start + 1 < len(names) else {}
        return {"branches": names[start : start + 1], **more}

    def get_branch(self, call: Call) -> Reply:
        name = call.params["branchName"]
        if name not in self.branches:
            raise AwsError("BranchDoesNotExistException", f"{name} does not exist")
        return {"branch": {"branchName": name, "commitId": self.branches[name]}}

    def delete_branch(self, call: Call) -> Reply:
        self.before_delete()
        name = call.params["branchName"]
        self.calls.append(f"delete {name}")
        if name == "main":
            raise AwsError("DefaultBranchCannotBeDeletedException", name)
        if name not in self.branches:
            return {}
        return {"deletedBranch": {"branchName": name, "commitId": self.branches.pop(name)}}

    def create_branch(self, call: Call) -> Reply:
        self.calls.append(f"create {call.params['branchName']}")
        self.branches[call.params["branchName"]] = call.params["commitId"]
        return {}


@pytest.fixture
def codecommit(world: Production, monkeypatch: pytest.MonkeyPatch) -> CodeCommitBranches:
    """Two repositories that mirrors fill; `infrastructure` has the branches that a test gives it."""
    made = CodeCommitBranches()
    operations = world.aws.stand_ins["codecommit"].operations
    monkeypatch.setitem(operations, "ListBranches", made.list_branches)
    monkeypatch.setitem(operations, "GetBranch", made.get_branch)
    monkeypatch.setitem(operations, "DeleteBranch", made.delete_branch)
    monkeypatch.setitem(operations, "CreateBranch", made.create_branch)
    client = world.client("codecommit")
    repositories = world.aws.stores["codecommit", ACCOUNT, REGION]["repositories"]
    repositories.clear()
    for repository in PROJECTS:
        client.create_repository(repositoryName=repository)
        repositories[repository]["defaultBranch"] = "main"
    issue(world)
    apply(world)
    world.gitlab.calls.clear()
    return made


def remove(world: Production, *, allow_deletions: int = 0, dry_run: bool = False) -> None:
    branches = Branches(world.deployment, world.mirrors())
    branches.remove(allow_deletions=allow_deletions, steps=Steps(dry_run=dry_run))


def test_lists_and_deletes_what_gitlab_no_longer_has(
    world: Production, codecommit: CodeCommitBranches, capsys: pytest.CaptureFixture[str]
) -> None:
    codecommit.branches.update({"main": COMMIT, "feature/old": LATER, "feature/new": COMMIT})
    world.gitlab.branches[INFRASTRUCTURE] = ["main", "feature/new", "only-here"]
    capsys.readouterr()
    Branches(world.deployment, world.mirrors()).show()
    assert capsys.readouterr().out == (
        "repository      branch       commit\ninfrastructure  feature/old  222222222222  not in GitLab\n"
    )
    remove(world, dry_run=True)
    assert codecommit.calls == []
    remove(world)
    assert capsys.readouterr().err == (
        "would delete the branch feature/old at 222222222222 of infrastructure\n"
        "delete the branch feature/old at 222222222222 of infrastructure\n"
    )
    assert codecommit.branches == {"main": COMMIT, "feature/new": COMMIT}
    Branches(world.deployment, world.mirrors()).show()
    assert capsys.readouterr().out == "every branch in CodeCommit is in GitLab, too\n"


def test_a_default_branch_is_never_deleted(
    world: Production, codecommit: CodeCommitBranches, capsys: pytest.CaptureFixture[str]
) -> None:
    codecommit.branches.update({"main": COMMIT, "trunk": COMMIT})
    world.gitlab.branches[INFRASTRUCTURE] = ["trunk"]
    remove(world, allow_deletions=100)
    assert codecommit.calls == []
    capsys.readouterr()
    Branches(world.deployment, world.mirrors()).show()
    assert "main    111111111111  default branch, never deleted" in capsys.readouterr().out


def test_deletes_nothing_where_gitlab_shows_no_branch(world: Production, codecommit: CodeCommitBranches) -> None:
    codecommit.branches.update({"main": COMMIT, "old": COMMIT})
    assert refusal(lambda: remove(world, allow_deletions=100)) == (
        "error: platform/infrastructure to infrastructure: GitLab shows no branch of the project; nothing was deleted\n"
        "hint: if that is right, delete them by hand"
    )
    assert codecommit.calls == []


def with_gone(world: Production, codecommit: CodeCommitBranches, gone: int, kept: int) -> None:
    names = [f"kept-{number}" for number in range(kept)]
    codecommit.branches.update(dict.fromkeys([*names, *(f"gone-{number}" for number in range(gone))], COMMIT))
    world.gitlab.branches[INFRASTRUCTURE] = names


def test_deletes_no_larger_share_than_a_mirror_may(world: Production, codecommit: CodeCommitBranches) -> None:
    with_gone(world, codecommit, gone=11, kept=10)
    assert refusal(lambda: remove(world, allow_deletions=10)) == (
        "error: platform/infrastructure to infrastructure: GitLab lacks 11 of CodeCommit's 21 branches, more than "
        "50 %; nothing was deleted\n"
        "hint: if that is right, allow it once: --allow-deletions 11"
    )
    assert codecommit.calls == []
    remove(world, allow_deletions=11)
    assert len(codecommit.branches) == 10


@pytest.mark.parametrize(("gone", "kept"), [(9, 1), (10, 10)])
def test_deletes_few_branches_or_half_of_them(
    world: Production, codecommit: CodeCommitBranches, gone: int, kept: int
) -> None:
    with_gone(world, codecommit, gone=gone, kept=kept)
    remove(world)
    assert len(codecommit.branches) == kept


def test_keeps_a_branch_that_gitlab_has_again(world: Production, codecommit: CodeCommitBranches) -> None:
    """Also one whose name GitLab's search would read as a pattern: `$` is the end of the name there."""
    codecommit.branches.update({"main": COMMIT, "cost$1": COMMIT})
    world.gitlab.branches[INFRASTRUCTURE] = ["main"]

    def create_again() -> None:
        # The second project's were listed, so the deletions begin.
        if world.gitlab.calls[-1].startswith("GET /projects/2/repository/branches"):
            world.gitlab.branches[INFRASTRUCTURE] = ["main", "cost$1"]

    world.gitlab.on_request = create_again
    assert refusal(lambda: remove(world)) == (
        "error: infrastructure: the branch cost$1 was created in GitLab again; it was kept\n"
        "hint: look at it, and run the command again"
    )
    assert codecommit.calls == []


def test_keeps_a_branch_that_moved_since_it_was_listed(world: Production, codecommit: CodeCommitBranches) -> None:
    codecommit.branches.update({"main": COMMIT, "old": COMMIT})
    world.gitlab.branches[INFRASTRUCTURE] = ["main"]

    def move() -> None:
        if "search=old" in world.gitlab.calls[-1]:
            codecommit.branches["old"] = LATER

    world.gitlab.on_request = move
    said = (
        "error: infrastructure: the branch old has moved to 222222222222; it was kept\n"
        "hint: look at it, and run the command again"
    )
    assert refusal(lambda: remove(world)) == said
    assert (codecommit.branches["old"], codecommit.calls) == (LATER, [])


def test_brings_back_a_branch_that_moved_while_it_was_deleted(
    world: Production, codecommit: CodeCommitBranches
) -> None:
    codecommit.branches.update({"main": COMMIT, "old": COMMIT})
    world.gitlab.branches[INFRASTRUCTURE] = ["main"]
    codecommit.before_delete = lambda: codecommit.branches.update(old=LATER)
    assert "the branch old has moved to 222222222222; it was kept" in refusal(lambda: remove(world))
    assert (codecommit.branches["old"], codecommit.calls) == (LATER, ["delete old", "create old"])


def test_leaves_a_repository_alone_that_no_mirror_of_the_deployment_fills(
    world: Production, codecommit: CodeCommitBranches, capsys: pytest.CaptureFixture[str]
) -> None:
    codecommit.branches.update({"main": COMMIT, "old": COMMIT})
    world.gitlab.branches[INFRASTRUCTURE] = ["main"]
    world.gitlab.projects[INFRASTRUCTURE].clear()
    capsys.readouterr()
    remove(world)
    assert capsys.readouterr().err == (
        "warning: platform/infrastructure to infrastructure: no mirror has succeeded; its branches are left alone\n"
        "hint: run gitlab-mirror apply first\n"
    )
    assert codecommit.calls == []
