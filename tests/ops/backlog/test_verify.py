import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.backlog import verify
from ops.backlog.verify import Difference, Ends, Refs, compared, listed, report, unreadable
from settings import Deployment, load
from settings.backlog import source_url
from tests.terraform import Stacks, with_changes

MAIN, OTHER = "1" * 40, "2" * 40
ENDS = Ends(
    key="website",
    source="example@example.git.backlog.jp:/WEB/website.git",
    target="codecommit::ap-northeast-1://website",
    host="example.git.backlog.jp",
    environment={},
)


def _refs(default: str | None = "main", **ids: str) -> Refs:
    return Refs(ids={f"refs/heads/{name}": value for name, value in ids.items()}, default=default)


def test_only_heads_tags_and_the_default_branch_are_read_from_a_listing() -> None:
    answer = (
        f"ref: refs/heads/main\tHEAD\n{MAIN}\tHEAD\n{MAIN}\trefs/heads/main\n{MAIN}\trefs/pull/1/head\n"
        f"{OTHER}\trefs/tags/v1\n{MAIN}\trefs/tags/v1^{{}}\n{MAIN}\trefs/headstrong\n"
    )
    assert listed(answer) == Refs(ids={"refs/heads/main": MAIN, "refs/tags/v1": OTHER}, default="main")


def test_a_listing_of_nothing_and_a_head_off_any_branch_have_no_default() -> None:
    assert listed("") == Refs(ids={}, default=None)
    assert listed(f"{MAIN}\tHEAD\n").default is None


def test_what_is_missing_different_and_extra_is_told_apart() -> None:
    source = _refs(main=MAIN, moved=MAIN, new=MAIN)
    target = _refs(main=MAIN, moved=OTHER, old=MAIN)
    difference = compared(source, target)
    assert difference == Difference(
        missing=("refs/heads/new",), different=("refs/heads/moved",), extra=("refs/heads/old",)
    )
    assert difference.lacking == ("refs/heads/moved", "refs/heads/new")


def test_equal_ends_have_no_difference() -> None:
    assert compared(_refs(main=MAIN), _refs(main=MAIN)) == Difference()


@pytest.mark.parametrize(
    ("source", "target", "defaults"),
    [
        ("main", "master", ("main", "master")),
        ("main", None, ("main", None)),
        (None, "main", None),
    ],
)
def test_a_default_branch_is_compared_where_the_source_has_one(
    source: str | None, target: str | None, defaults: tuple[str, str | None] | None
) -> None:
    assert compared(_refs(source, main=MAIN), _refs(target, main=MAIN)).defaults == defaults


def test_equal_ends_are_one_line() -> None:
    assert report("website", _refs(main=MAIN, a=MAIN), Difference(), None) == "website: 2 refs, equal"
    assert report("website", _refs(main=MAIN), Difference(), None) == "website: 1 ref, equal"


def test_ten_refs_are_named_and_the_rest_counted() -> None:
    names = tuple(f"refs/heads/{number:02}" for number in range(12))
    lines = report("website", _refs(main=MAIN), Difference(missing=names, extra=names[:10]), "2024-05-01 12:00 UTC")
    ten = ", ".join(names[:10])
    assert lines.splitlines() == [
        "website: 1 ref, DIFFERS",
        f"  missing in the target: {ten} and 2 more",
        f"  only in the target: {ten}",
        "  since: the oldest tip that the target lacks is of 2024-05-01 12:00 UTC; Git does not say when it was pushed",
    ]


def test_where_not_all_tips_were_dated_it_says_so() -> None:
    names = tuple(f"refs/heads/{number:02}" for number in range(21))
    lines = report("website", _refs(), Difference(different=names), "2024-05-01 12:00 UTC")
    assert "  since: the oldest tip of the first 20 that the target lacks is of 2024-05-01 12:00 UTC; " in lines


def test_it_claims_no_date_that_git_does_not_have() -> None:
    lines = report("website", _refs(), Difference(extra=("refs/heads/a",), defaults=("main", None)), None)
    assert lines.splitlines()[-2:] == [
        "  default branch: main in the source, none in the target",
        "  since: not known, Git keeps no date of a deletion or of a change of the default branch",
    ]
    lines = report("website", _refs(), Difference(missing=("refs/heads/a",)), None)
    assert lines.endswith("  since: not known, the dates of the source's commits cannot be read")


def test_a_ref_cannot_write_to_the_terminal() -> None:
    lines = report("website", _refs(), Difference(missing=("refs/heads/a\u202eb\udcff",)), None)
    assert "refs/heads/a\\u202eb\\udcff" in lines


def test_an_error_never_repeats_the_credentials_that_git_remote_codecommit_puts_into_a_url() -> None:
    said = (
        "fatal: could not read Password for 'https://AKIAX%IQoJ/b3+Jp==@git-codecommit.ap-northeast-1.amazonaws.com': "
        "terminal prompts disabled"
    )
    assert str(unreadable(ENDS, ENDS.target, said)).splitlines() == [
        "error: website: the target cannot be read: fatal: could not read Password for "
        "'https://…@git-codecommit.ap-northeast-1.amazonaws.com': terminal prompts disabled",
        "hint: your AWS credentials need codecommit:GitPull on it; try it by hand: "
        "git ls-remote codecommit::ap-northeast-1://website",
    ]


@pytest.mark.parametrize(
    ("url", "said", "error"),
    [
        (
            ENDS.source,
            "Host key verification failed.\nfatal: Could not read from remote repository.\n",
            "error: website: the source cannot be read: example.git.backlog.jp shows a host key that is not pinned\n"
            "hint: somebody may be in between; if Backlog has new keys, compare their fingerprints by eye before "
            "pinning them: python main.py host-key example.git.backlog.jp",
        ),
        (
            ENDS.source,
            "example@example.git.backlog.jp: Permission denied (publickey).\nfatal: Could not read\n",
            "error: website: the source cannot be read: example.git.backlog.jp refuses your SSH keys\n"
            "hint: register a public key with a Backlog user who may read the repository, and load it with ssh-add",
        ),
        (
            ENDS.target,
            "git: 'remote-codecommit' is not a git command. See 'git --help'.\n",
            "error: website: the target cannot be read: Git does not find git-remote-codecommit\n"
            "hint: install it, for example with: pipx install git-remote-codecommit",
        ),
        (
            ENDS.source,
            "",
            "error: website: the source cannot be read: Git failed and did not say why\n"
            "hint: try it by hand: git ls-remote example@example.git.backlog.jp:/WEB/website.git",
        ),
    ],
)
def test_an_error_says_what_is_wrong_and_what_to_do(url: str, said: str, error: str) -> None:
    assert str(unreadable(ENDS, url, said)) == error


def test_what_it_reads_is_what_the_builds_fetch_from_and_push_to(project: Path, example: Stacks) -> None:
    deployment = load(project / "deployments" / "example.yaml")
    assert deployment.prd is not None
    assert deployment.prd.backlog is not None
    backlog = deployment.prd.backlog
    for key, mirror in backlog.repositories.items():
        build = example["backlog-bridge"].resource(f"aws_codebuild_project.mirrors_{key}_project")
        for url in (source_url(backlog, mirror), verify.target_url(deployment, mirror)):
            assert f"{url}\n" in build["source"]["buildspec"].replace('"', "").replace("'", "")


def test_the_target_is_read_with_the_profile_of_its_account(deployment: Callable[..., Deployment]) -> None:
    with_profile = deployment({"prd.account.profile": "production"})
    assert with_profile.prd is not None
    assert with_profile.prd.backlog is not None
    mirror = with_profile.prd.backlog.repositories["website"]
    assert verify.target_url(with_profile, mirror) == "codecommit::ap-northeast-1://production@website"


@pytest.fixture
def deployment(tmp_path: Path, project: Path) -> Callable[..., Deployment]:
    """The example with some settings changed."""

    def changed(changes: dict[str, object]) -> Deployment:
        file = tmp_path / "deployment.yaml"
        file.write_text(json.dumps(with_changes(project / "deployments" / "example.yaml", changes)))
        return load(file)

    return changed


def _git(repository: Path, *arguments: str, date: str = "2024-05-01T12:00:00+0900") -> None:
    identity = {f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", "-C", repository, *arguments],
        env=os.environ | identity | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
        check=True,
        capture_output=True,
    )


@pytest.fixture
def ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A source and a target on this machine, equal, which Git takes for the website's; there are none of batch."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    _git(source, "init", "--quiet", "--initial-branch=main")
    _git(source, "commit", "--quiet", "--allow-empty", "--message=x")
    _git(source, "tag", "v1")
    _git(tmp_path, "clone", "--quiet", "--mirror", str(source), str(target))
    replaced = {
        source: "example@example.git.backlog.jp:/WEB/website.git",
        target: "codecommit::ap-northeast-1://website",
        tmp_path / "nothing": "example@example.git.backlog.jp:/OPS/",
        tmp_path / "nowhere": "codecommit::ap-northeast-1://batch",
    }
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(replaced)))
    for number, (path, url) in enumerate(replaced.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", f"url.file://{path}.insteadOf")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", url)
    return source, target


@pytest.mark.tool("git")
def test_equal_ends_are_done(
    ends: tuple[Path, Path], deployment: Callable[..., Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends
    assert verify.verify(deployment({"prd.backlog.repositories.batch": None})) == 0
    assert capsys.readouterr() == ("website: 2 refs, equal\n", "")


@pytest.mark.tool("git")
@pytest.mark.parametrize("can_send_commits_alone", ["true", "false"])
def test_ends_that_differ_are_refused_and_dated_by_their_oldest_tip(
    ends: tuple[Path, Path],
    deployment: Callable[..., Deployment],
    capsys: pytest.CaptureFixture[str],
    can_send_commits_alone: str,
) -> None:
    source, target = ends
    _git(source, "config", "uploadpack.allowFilter", can_send_commits_alone)
    _git(source, "commit", "--quiet", "--allow-empty", "--message=y", date="2024-06-02T03:00:00+0900")
    _git(source, "commit", "--quiet", "--allow-empty", "--message=z", date="2024-06-03T03:00:00+0900")
    _git(source, "branch", "a/b", "main~1")
    _git(source, "checkout", "--quiet", "a/b")
    _git(target, "update-ref", "refs/heads/old", "main")
    assert verify.verify(deployment({"prd.backlog.repositories.batch": None})) == 1
    assert capsys.readouterr().out.splitlines() == [
        "website: 3 refs, DIFFERS",
        "  missing in the target: refs/heads/a/b",
        "  different in the target: refs/heads/main",
        "  only in the target: refs/heads/old",
        "  default branch: a/b in the source, main in the target",
        "  since: the oldest tip that the target lacks is of 2024-06-01 18:00 UTC; Git does not say when it was pushed",
    ]


@pytest.mark.tool("git")
def test_a_repository_that_cannot_be_read_fails_and_the_others_are_compared(
    ends: tuple[Path, Path], deployment: Callable[..., Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends
    assert verify.verify(deployment({})) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["website: 2 refs, equal", "batch: not compared"]
    errors = printed.err.splitlines()
    assert [line.partition(": fatal: ")[0] for line in errors[::2]] == [
        "error: batch: the target cannot be read",
        "error: batch: the source cannot be read",
    ]
    assert [line[:6] for line in errors[1::2]] == ["hint: "] * 2


@pytest.mark.tool("git")
def test_it_says_how_far_it_is_when_it_takes_long(
    ends: tuple[Path, Path],
    deployment: Callable[..., Deployment],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ends
    monkeypatch.setattr(verify, "_PATIENCE_SECONDS", 0)
    assert verify.verify(deployment({"prd.backlog.repositories.batch": None})) == 0
    assert capsys.readouterr() == ("website: 2 refs, equal\n", "0 of 1 repositories compared\n")


def test_a_deployment_without_mirrors_has_nothing_to_compare(
    deployment: Callable[..., Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify.verify(deployment({"prd.backlog": None})) == 0
    assert capsys.readouterr() == ("", "nothing to compare: the deployment has no prd.backlog\n")
