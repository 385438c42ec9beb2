import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import check_jsonschema  # type: ignore[import-untyped]
import jsonschema  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

import main
from errors import RefusedError
from ops import pipelines
from ops.pipelines import FILES, render
from ops.pipelines.sources import Source
from settings import Deployment, SettingsError, load, place
from tests.terraform import with_changes

STACKS = {"dev": ["dev-network", "dev-gitlab"], "prd": ["prd-codecommit", "backlog-bridge"]}
PLANS = " ".join(f"plans/{stack}.json" for stacks in STACKS.values() for stack in stacks)
S3 = {"bucket": "example-terraform-state", "key_prefix": "kakehashi", "region": "ap-northeast-1"}
SUMMARY = {"github": "github-summary", "gitlab": "gitlab"}
LIBRARY = Path(check_jsonschema.__file__).parent


@pytest.fixture
def deployment(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Path, Deployment]]:
    """The example with some settings changed, and the file it is read from, as if in a checkout of Kakehashi's."""
    monkeypatch.setattr(place, "CHECKOUT", tmp_path)

    def changed(name: str = "example", **changes: object) -> tuple[Path, Deployment]:
        file = tmp_path / "deployments" / "mine.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(with_changes(project / "deployments" / f"{name}.yaml", changes)))
        return file, load(file)

    return changed


@pytest.fixture
def written(deployment: Callable[..., tuple[Path, Deployment]]) -> dict[str, str]:
    """The text of each platform's pipeline."""
    _, loaded = deployment(state={"s3": {**S3, "kms_key_arn": KEY, "assume_role_arn": ROLE}})
    file = Path("deployments/mine.yaml")
    return {platform: render(platform, file, loaded, STACKS, branch="main") for platform in FILES}


@pytest.fixture
def elsewhere(deployment: Callable[..., tuple[Path, Deployment]]) -> dict[str, str]:
    """The text of each platform's pipeline for a repository that has no Kakehashi."""
    _, loaded = deployment(state={"s3": S3})
    source = Source(repository="https://gitlab.example.com/platform/kakehashi", commit="0123456789" * 4, tag="v1.2.0")
    sources = {"github": replace(source, repository="example/kakehashi"), "gitlab": source}
    return {
        platform: render(platform, Path("prd.yaml"), loaded, STACKS, branch="main", source=sources[platform])
        for platform in FILES
    }


KEY = "arn:aws:kms:ap-northeast-1:111111111111:key/1234abcd-12ab-34cd-86ef-1234567890ab"
ROLE = "arn:aws:iam::333333333333:role/terraform-state"


def _parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(text)
    return found


@pytest.mark.parametrize(("platform", "schema"), [("github", "github-workflows"), ("gitlab", "gitlab-ci")])
def test_a_pipeline_satisfies_the_platforms_schema(
    written: dict[str, str], elsewhere: dict[str, str], platform: str, schema: str
) -> None:
    rules = json.loads((LIBRARY / "builtin_schemas" / "vendor" / f"{schema}.json").read_text())
    for text in (written[platform], elsewhere[platform]):
        jsonschema.validators.validator_for(rules)(rules).validate(_parsed(text))


def test_zizmor_finds_nothing_in_the_pipeline_for_github(
    written: dict[str, str], elsewhere: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "kakehashi.yml").write_text(written["github"])
    (folder / "elsewhere.yml").write_text(elsewhere["github"])
    command = [
        str(Path(sys.executable).with_name("zizmor")),
        "--offline",
        "--persona",
        "pedantic",
        "--no-progress",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.tool("shellcheck")
def test_shellcheck_finds_nothing_in_the_steps(project: Path) -> None:
    done = subprocess.run(
        ["shellcheck", project / "ops" / "pipelines" / "steps.sh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_only_an_approved_environment_has_the_roles_that_apply(written: dict[str, str]) -> None:
    jobs = _parsed(written["github"])["jobs"]
    holding = {name for name, job in jobs.items() if "APPLY_ROLE" in json.dumps(job)}
    assert holding == {"apply-dev", "apply-prd"}
    assert {jobs[name]["environment"] for name in holding} == {"dev", "prd"}
    assert all("plan" in jobs[name]["needs"] for name in holding)
    by_hand = "github.event_name == 'workflow_dispatch'"
    assert jobs["plan"]["if"] == f"github.event_name == 'push' || ({by_hand} && github.ref == 'refs/heads/main')"
    assert {jobs[name]["if"] for name in holding} == {f"{by_hand} && inputs.approved != ''"}
    assert _parsed(written["github"])["on"]["push"] == {"branches": ["main"]}


def test_gitlab_applies_by_hand_and_from_the_branch_alone(written: dict[str, str]) -> None:
    pipeline = _parsed(written["gitlab"])
    for environment in ("dev", "prd"):
        job = pipeline[f"apply-{environment}"]
        assert job["environment"] == environment
        [rule] = job["rules"]
        assert rule == {"if": '$CI_PIPELINE_SOURCE == "push"', "when": "manual", "allow_failure": False}
    sources = [rule["if"] for rule in pipeline["workflow"]["rules"] if '"push"' in rule["if"]]
    assert sources == ['$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "main"']
    assert "APPLY_ROLE" not in json.dumps({name: job for name, job in pipeline.items() if not name.startswith("apply")})


def test_each_account_is_planned_with_its_own_role(written: dict[str, str]) -> None:
    steps = _parsed(written["github"])["jobs"]["review"]["steps"]
    planned = {step["run"]: step["env"]["ROLE"] for step in steps if " plan " in step.get("run", "")}
    assert planned == {
        "ops/pipelines/steps.sh plan dev-network dev-gitlab": "${{ vars.DEV_PLAN_ROLE }}",
        "ops/pipelines/steps.sh plan prd-codecommit backlog-bridge": "${{ vars.PRD_PLAN_ROLE }}",
    }


@pytest.mark.parametrize("platform", FILES)
def test_the_head_says_that_plans_need_a_role_that_only_reads_the_states(
    deployment: Callable[..., tuple[Path, Deployment]], written: dict[str, str], platform: str
) -> None:
    def head(text: str) -> str:
        return " ".join("".join(line.strip("#") for line in text.splitlines() if line.startswith("#")).split())

    assert f"be able to assume {ROLE}, which writes the states" in head(written[platform])
    _, loaded = deployment(state={"s3": S3})
    without = render(platform, Path("mine.yaml"), loaded, STACKS, branch="main")
    reads = {"github": "each with the ARN of a role that reads its account", "gitlab": "read the accounts"}[platform]
    assert f"{reads}, the states and s3://example-terraform-state/kakehashi/plans/applied" in head(without)
    assert "STATE" not in without


def test_the_head_of_one_environment_asks_for_one_role(deployment: Callable[..., tuple[Path, Deployment]]) -> None:
    _, loaded = deployment(state={"s3": S3})
    text = render("github", Path("mine.yaml"), loaded, {"prd": STACKS["prd"]}, branch="main")
    assert "PRD_PLAN_ROLE, with the ARN of a role that\n" in text
    assert "PRD_APPLY_ROLE, of its environment below, with the ARN of a\n" in text


def test_only_jobs_that_do_not_apply_have_the_role_that_reads_the_states(written: dict[str, str]) -> None:
    jobs = _parsed(written["github"])["jobs"]
    assert {name for name, job in jobs.items() if "STATE_READ_ROLE" in json.dumps(job)} == {"review", "plan", "drift"}


def test_every_review_before_an_apply_compares_the_outputs_in_the_order_of_the_applies(written: dict[str, str]) -> None:
    github, gitlab = (_parsed(written[platform]) for platform in ("github", "gitlab"))
    runs = {name: [step.get("run", "") for step in job["steps"]] for name, job in github["jobs"].items()}
    for lines in (runs["review"], runs["plan"], gitlab["review"]["script"], gitlab["plan"]["script"]):
        (review,) = [line for line in lines if "main.py review" in line]
        assert f" --outputs plans/applied cdktf.out --in-order {PLANS}" in review


def test_what_is_approved_is_recorded_after_the_review_and_bound_by_its_digest(written: dict[str, str]) -> None:
    for platform in FILES:
        text = written[platform]
        assert (
            0 < text.rindex(f"main.py review --for {SUMMARY[platform]} --ack") < text.index("main.py approval record")
        )
        assert f'--commit "$(git rev-parse HEAD)" --to plans/approval.json {PLANS})' in text
    jobs, gitlab = _parsed(written["github"])["jobs"], _parsed(written["gitlab"])
    for name in ("apply-dev", "apply-prd"):
        assert jobs[name]["steps"][-1]["env"]["APPROVAL_DIGEST"] == "${{ needs.plan.outputs.digest }}"
        assert "plan" in gitlab[name]["needs"]
    assert gitlab["plan"]["artifacts"] == {"paths": ["plans/approval.json"], "reports": {"dotenv": "digest.env"}}


def test_only_the_record_goes_from_job_to_job(written: dict[str, str]) -> None:
    uploads = [
        step["with"]["path"]
        for job in _parsed(written["github"])["jobs"].values()
        for step in job["steps"]
        if "upload-artifact" in step.get("uses", "")
    ]
    assert uploads == ["plans/approval.json"]
    left = {name: job["artifacts"]["paths"] for name, job in _parsed(written["gitlab"]).items() if "artifacts" in job}
    assert left == {"review": ["plans/review.md"], "plan": ["plans/approval.json"]}


@pytest.mark.parametrize("platform", FILES)
def test_every_review_of_a_pipeline_is_in_the_language_asked_for(
    deployment: Callable[..., tuple[Path, Deployment]], platform: str
) -> None:
    _, loaded = deployment(state={"s3": S3})
    english = render(platform, Path("mine.yaml"), loaded, STACKS, branch="main")
    japanese = render(platform, Path("mine.yaml"), loaded, STACKS, branch="main", language="ja")
    reviews = [line for line in japanese.splitlines() if "main.py review" in line]
    assert len(reviews) == 3
    assert all(" --language ja plans/" in line for line in reviews)
    assert japanese.replace(" --language ja", "") == english


def test_the_command_writes_the_pipeline_and_an_empty_list_of_acknowledgements(
    deployment: Callable[..., tuple[Path, Deployment]], tmp_path: Path
) -> None:
    from stacks.synthesis import synthesise

    file, loaded = deployment("minimal", state={"s3": S3})

    @contextmanager
    def synthesised(deployment: Deployment) -> Iterator[Path]:
        with TemporaryDirectory() as folder:
            synthesise(deployment, Path(folder))
            yield Path(folder)

    def write(*, force: bool = False) -> dict[Path, str]:
        return pipelines.write("github", file, loaded, synthesised, out=tmp_path, branch="main", force=force)

    target = tmp_path / FILES["github"]
    assert write() == {
        target: "the pipeline; its head says what to set up",
        tmp_path / "deployments" / "acknowledged.yaml": "an empty list of acknowledged findings, which the pipeline's "
        "reviews read",
    }
    jobs = _parsed(target.read_text())["jobs"]
    assert "steps.sh plan prd-codecommit" in json.dumps(jobs["review"])
    assert "apply-dev" not in jobs
    assert _parsed(target.read_text())["env"]["DEPLOYMENT"] == "deployments/mine.yaml"
    assert YAML(typ="safe").load(tmp_path / "deployments" / "acknowledged.yaml") is None

    assert list(write()) == [target]

    target.write_text("name: a user's own\n")
    with pytest.raises(RefusedError) as refused:
        write()
    assert refused.value.status == 1
    assert str(refused.value) == (
        f"error: {target}: there is another file already\n"
        "hint: compare it with what `--out` writes into an empty folder, or replace it with --force"
    )
    assert target.read_text() == "name: a user's own\n"
    assert list(write(force=True)) == [target]
    assert "steps.sh plan" in target.read_text()


def test_refuses_a_deployment_that_no_pipeline_can_work_with(
    deployment: Callable[..., tuple[Path, Deployment]], tmp_path: Path
) -> None:
    file, loaded = deployment(**{"dev.account.profile": "mine"})
    with pytest.raises(SettingsError) as raised:
        pipelines.write("gitlab", file, loaded, _never, out=tmp_path, branch="main", force=False)
    assert str(raised.value) == (
        f"error: {file}: state.s3: is missing, and a pipeline cannot keep a state in files\n"
        "hint: name a bucket in state.s3: the states lie there, and the lock files of the last apply\n"
        f"error: {file}: dev.account.profile: 'mine' is a profile of your machine, and a pipeline has none\n"
        "hint: remove it, and set AWS_PROFILE where you work by hand"
    )
    assert not (tmp_path / FILES["gitlab"]).exists()


def test_ci_says_once_that_a_pipeline_has_no_profile(
    deployment: Callable[..., tuple[Path, Deployment]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, _ = deployment(state={"s3": {**S3, "profile": "mine"}})
    assert main.main(["ci", "gitlab", str(file), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("error:"), said.err.count("warning:")) == ("", 1, 0)


def test_refuses_a_path_that_make_or_gitlab_would_expand(
    deployment: Callable[..., tuple[Path, Deployment]], tmp_path: Path
) -> None:
    _, loaded = deployment(state={"s3": S3})
    file = tmp_path / "$(shell id)" / "mine.yaml"
    with pytest.raises(SettingsError) as raised:
        pipelines.write("github", file, loaded, _never, out=tmp_path, branch="main", force=False)
    assert str(raised.value) == (
        f"error: {file}: a pipeline cannot work with a path with '$', which make and GitLab take for a variable\n"
        "hint: rename it"
    )


def test_refuses_an_unknown_platform(deployment: Callable[..., tuple[Path, Deployment]], tmp_path: Path) -> None:
    file, loaded = deployment(state={"s3": S3})
    with pytest.raises(RefusedError) as raised:
        pipelines.write("bitbucket", file, loaded, _never, out=tmp_path, branch="main", force=False)
    assert raised.value.status == 2
    assert str(raised.value) == "error: ci: 'bitbucket' is not a platform\nhint: choose one of github, gitlab"


BRANCHES = (
    *("main", "release/1.x", "ä", "a@b"),
    *("-", "-a", "HEAD", "", "a b", "a..b", "a.", ".a", "a/.b", "a.lock/b", "/a", "a/", "a//b", "a~1", "a^", "a:b"),
    *("a?", "a*", "a[b", "a\\b", "a@{b", "a\tb", "a\x7f"),
)


@pytest.mark.tool("git")
@pytest.mark.parametrize("branch", BRANCHES)
def test_refuses_what_git_refuses_as_the_name_of_a_branch(
    deployment: Callable[..., tuple[Path, Deployment]], tmp_path: Path, branch: str
) -> None:
    file, loaded = deployment(state={"s3": S3})
    accepted = subprocess.run(["git", "check-ref-format", "--branch", branch], capture_output=True, check=False)
    synthesised = AssertionError if accepted.returncode == 0 else RefusedError
    with pytest.raises(synthesised):
        pipelines.write("github", file, loaded, _never, out=tmp_path, branch=branch, force=False)


@pytest.mark.parametrize("branch", ["a b", "", "a\u2028b"])
def test_says_what_is_not_the_name_of_a_branch(
    deployment: Callable[..., tuple[Path, Deployment]], tmp_path: Path, branch: str
) -> None:
    file, loaded = deployment(state={"s3": S3})
    with pytest.raises(RefusedError) as raised:
        pipelines.write("github", file, loaded, _never, out=tmp_path, branch=branch, force=False)
    assert raised.value.status == 2
    assert str(raised.value) == (
        f"error: --branch: {branch!r} is not the name of a branch\nhint: write it as Git shows it, for example main"
    )


def _never(_: Deployment) -> AbstractContextManager[Path]:
    raise AssertionError("nothing is synthesised for a pipeline that is refused")
