import json
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from errors import Problem
from ops.backlog import verify
from ops.backlog.mirror_ends import MirrorEnds, UnansweredError
from ops.backlog.refs import MirrorRefs, RefsDifference
from ops.backlog.verify import report
from settings import Deployment, load
from tests.terraform import with_changes

MAIN = "1" * 40
MANY = {
    f"m{n}": {"space": "example", "project": "WEB", "repository": f"m{n}", "target": {"create": f"m{n}"}}
    for n in range(100)
}


def _refs(**ids: str) -> MirrorRefs:
    return MirrorRefs(ids={f"refs/heads/{name}": value for name, value in ids.items()}, default="main")


def test_equal_ends_are_one_line() -> None:
    assert report("website", _refs(main=MAIN, a=MAIN), RefsDifference(), None) == "website: 2 refs, equal"
    assert report("website", _refs(main=MAIN), RefsDifference(), None) == "website: 1 ref, equal"
    assert report("website", _refs(main=MAIN), RefsDifference(default_may_differ=True), None) == (
        "website: 1 ref, equal; CodeCommit does not say which branch at the same commit is the default one"
    )


def test_names_ten_refs_and_counts_the_rest() -> None:
    names = tuple(f"refs/heads/{number:02}" for number in range(12))
    lines = report("website", _refs(main=MAIN), RefsDifference(missing=names, extra=names[:10]), "2024-05-01 12:00 UTC")
    ten = ", ".join(names[:10])
    assert lines.splitlines() == [
        "website: 1 ref, DIFFERS",
        f"  missing in the target: {ten} and 2 more",
        f"  only in the target: {ten}",
        "  since: the oldest tip that the target lacks is of 2024-05-01 12:00 UTC; Git does not say when it was pushed",
    ]


def test_says_when_only_some_tips_were_dated() -> None:
    names = tuple(f"refs/heads/{number:02}" for number in range(21))
    lines = report("website", _refs(), RefsDifference(different=names), "2024-05-01 12:00 UTC")
    assert "  since: the oldest tip of the first 20 that the target lacks is of 2024-05-01 12:00 UTC; " in lines


def test_gives_no_date_where_git_has_none() -> None:
    lines = report("website", _refs(), RefsDifference(extra=("refs/heads/a",), defaults=("main", None)), None)
    assert lines.splitlines()[-2:] == [
        "  default branch: main in the source, none in the target",
        "  since: not known, Git keeps no date of a deletion or of a change of the default branch",
    ]
    lines = report("website", _refs(), RefsDifference(missing=("refs/heads/a",)), None)
    assert lines.endswith("  since: not known, the dates of the source's commits cannot be read")


def test_escapes_control_characters_in_names_of_refs() -> None:
    lines = report("website", _refs(), RefsDifference(missing=("refs/heads/a\u202eb\udcff",)), None)
    assert "refs/heads/a\\u202eb\\udcff" in lines


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
    """Equal source and target on this machine, which Git finds at the addresses of website; batch has neither."""
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
def test_succeeds_when_source_and_target_are_equal(
    ends: tuple[Path, Path], deployment: Callable[..., Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends
    assert verify.verify(deployment({"prd.backlog.repositories.batch": None}))
    assert capsys.readouterr() == ("website: 2 refs, equal\n", "")


@pytest.mark.tool("git")
@pytest.mark.parametrize("can_send_commits_alone", ["true", "false"])
def test_fails_when_they_differ_and_dates_the_oldest_tip_that_the_target_lacks(
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
    assert not verify.verify(deployment({"prd.backlog.repositories.batch": None}))
    assert capsys.readouterr().out.splitlines() == [
        "website: 3 refs, DIFFERS",
        "  missing in the target: refs/heads/a/b",
        "  different in the target: refs/heads/main",
        "  only in the target: refs/heads/old",
        "  default branch: a/b in the source, main in the target",
        "  since: the oldest tip that the target lacks is of 2024-06-01 18:00 UTC; Git does not say when it was pushed",
    ]


@pytest.mark.tool("git")
def test_fails_for_a_repository_that_cannot_be_read_and_compares_the_others(
    ends: tuple[Path, Path],
    deployment: Callable[..., Deployment],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    helper = ends[0].parent / "git-remote-codecommit"
    helper.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}{os.pathsep}{os.environ['PATH']}")
    assert not verify.verify(deployment({}))
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["website: 2 refs, equal", "batch: not compared"]
    errors = printed.err.splitlines()
    assert [line.partition(": fatal: ")[0] for line in errors[::2]] == [
        "error: batch: the target cannot be read",
        "error: batch: the source cannot be read",
    ]
    assert [line[:6] for line in errors[1::2]] == ["hint: "] * 2


@pytest.mark.tool("git")
def test_prints_the_progress_when_it_takes_long(
    ends: tuple[Path, Path],
    deployment: Callable[..., Deployment],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ends
    monkeypatch.setattr(verify, "_PATIENCE_SECONDS", 0)
    assert verify.verify(deployment({"prd.backlog.repositories.batch": None}))
    assert capsys.readouterr() == ("website: 2 refs, equal\n", "0 of 1 repository compared\n")


def test_mirrors_do_not_wait_for_servers_that_answered_no_others(
    deployment: Callable[..., Deployment],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def unanswered(ends: MirrorEnds) -> MirrorRefs:
        asked.append(ends.key)
        raise UnansweredError([Problem(where=ends.key, what="no answer", hint="wait")])

    monkeypatch.setattr(verify, "read_target", unanswered)
    monkeypatch.setattr(verify, "read_source", unanswered)
    assert not verify.verify(deployment({"prd.backlog.repositories": MANY}))
    # Those that were asked at the same time, at each end.
    assert 2 * 3 <= len(asked) <= 2 * (3 + 8)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [f"{name}: not compared" for name in MANY]
    assert printed.err.splitlines()[-4:] == [
        "error: m99: the target was not asked: CodeCommit answered none of the last 3 listings",
        "hint: see that this machine reaches it, then run the command again",
        "error: m99: the source was not asked: example.git.backlog.jp answered none of the last 3 listings",
        "hint: see that this machine reaches it, then run the command again",
    ]


def test_an_interrupted_comparison_lists_no_more_mirrors(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def slowly(ends: MirrorEnds) -> MirrorRefs:
        asked.append(ends.key)
        time.sleep(0.2)
        return _refs(main=MAIN)

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "read_target", slowly)
    monkeypatch.setattr(verify, "read_source", slowly)
    monkeypatch.setattr(verify, "_wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        verify.verify(deployment({"prd.backlog.repositories": MANY}))
    assert len(set(asked)) <= 8


def test_succeeds_without_mirrors(deployment: Callable[..., Deployment], capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.verify(deployment({"prd.backlog": None}))
    assert capsys.readouterr() == ("", "nothing to compare: the deployment has no prd.backlog\n")


def test_a_log_gets_no_line_of_progress_for_each_mirror(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "_PATIENCE_SECONDS", 0)

    def slowly() -> verify.MirrorComparison:
        time.sleep(0.02)
        return verify.MirrorComparison(report="")

    with ThreadPoolExecutor(1) as threads:
        verify._wait([threads.submit(slowly) for _ in range(10)])
    assert capsys.readouterr().err == "0 of 10 repositories compared\n"
