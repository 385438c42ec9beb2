"""What the jobs of a pipeline trust, and what takes the place of what."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ops.pipelines import FILES, render
from ops.pipelines.sources import Source
from ops.review import run
from settings import load
from tests.ops.pipelines import stand_in
from tests.ops.pipelines.platforms import APPLY_ROLE, GITHUB_SUBJECTS, PLAN_ROLE, claims, documented
from tests.terraform import with_changes
from tests.terraform.plans import change, plan

STACKS = {"dev": ["dev-network", "dev-gitlab"], "prd": ["prd-codecommit"]}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCES = {
    "github": Source(repository="example/kakehashi", commit=COMMIT, tag="v1.2.0"),
    "gitlab": Source(repository="https://gitlab.example.com/platform/kakehashi.git", commit=COMMIT),
}
DOWNLOADS, PROVIDERS = ".cache/pip/http-v2", ".cache/terraform-plugins"


def _text(project: Path, tmp_path: Path, platform: str, source: Source | None = None) -> str:
    state = {"s3": {"bucket": "example-terraform-state", "key_prefix": "kakehashi", "region": "ap-northeast-1"}}
    file = tmp_path / "prd.yaml"
    file.write_text(json.dumps(with_changes(project / "deployments" / "example.yaml", {"state": state})))
    return render(platform, Path("deployments/prd.yaml"), load(file), STACKS, branch="main", source=source)


@pytest.fixture
def github(project: Path, tmp_path: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(_text(project, tmp_path, "github"))  # type: ignore[no-any-return]


@pytest.fixture
def gitlab(project: Path, tmp_path: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(_text(project, tmp_path, "gitlab"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("platform", FILES)
def test_the_head_names_the_pages_that_explain_it_and_the_file_of_code_owners(
    project: Path, tmp_path: Path, platform: str
) -> None:
    text = _text(project, tmp_path, platform, SOURCES[platform])
    head = "\n".join(line for line in text.partition("\n\n")[0].splitlines() if line.startswith("#"))
    pages = re.findall(r"docs/[a-z-]+\.md", head)
    assert pages == ["docs/pipelines.md", "docs/review.md"]
    assert all((project / page).exists() for page in pages)
    assert ".github/CODEOWNERS" in head if platform == "github" else "CODEOWNERS" not in head


def test_no_job_of_gitlabs_has_a_token_that_may_comment(project: Path, tmp_path: Path) -> None:
    text = _text(project, tmp_path, "gitlab")
    assert "TOKEN" not in text.replace("AWS_ID_TOKEN", "")
    assert "--post" not in text


@pytest.mark.parametrize("code", [0, 3])
def test_gitlabs_report_is_linked_from_the_merge_request_and_fails_it_if_dangerous(
    gitlab: dict[str, Any], tmp_path: Path, code: int
) -> None:
    review = gitlab["review"]
    assert review["artifacts"] == {
        "when": "always",
        "expose_as": "Review of the plans",
        "paths": ["plans/review.md"],
    }
    (tmp_path / "plans").mkdir()
    last = [line for line in review["script"] if "steps.sh" not in line]
    script = re.sub(r"\S+python main.py review", "review", "\n".join(last))
    command = ["bash", "-ec", f"review() {{ echo dangerous; return {code}; }}\n{script}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "dangerous\n")
    assert (tmp_path / "plans" / "review.md").read_text() == "dangerous\n"


def test_jobs_of_the_branch_cache_providers_alone_and_those_that_apply_nothing(
    github: dict[str, Any], gitlab: dict[str, Any]
) -> None:
    cached = {
        name: step["with"]["path"].split()
        for name, job in github["jobs"].items()
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/cache@")
    }
    assert cached == {"review": [DOWNLOADS, PROVIDERS], "plan": [PROVIDERS], "drift": [PROVIDERS]}
    assert gitlab["default"]["cache"]["paths"] == [PROVIDERS]
    jobs = {name: job["cache"] for name, job in gitlab.items() if isinstance(job, dict) and "cache" in job}
    assert [[path for one in jobs.pop("review") for path in one["paths"]]] == [[PROVIDERS, DOWNLOADS]]
    del jobs["default"]
    assert jobs == {"apply-dev": [], "apply-prd": []}


def test_jobs_that_apply_have_the_history(github: dict[str, Any], gitlab: dict[str, Any]) -> None:
    for name in STACKS:
        assert github["jobs"][f"apply-{name}"]["steps"][0]["with"]["fetch-depth"] == 0
        assert "GIT_DEPTH" not in gitlab[f"apply-{name}"]["variables"]
    assert gitlab["variables"]["GIT_DEPTH"] == "0"


def test_a_newer_run_takes_the_place_of_a_pull_requests_older_one_and_of_no_other(github: dict[str, Any]) -> None:
    assert github["concurrency"] == {
        "group": "${{ github.workflow }}-${{ github.event.pull_request.number || github.run_id }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }
    groups = {name: job["concurrency"] for name, job in github["jobs"].items() if "concurrency" in job}
    assert groups == {
        f"apply-{name}": {"group": f"${{{{ github.workflow }}}}-apply-{name}", "queue": "max"} for name in STACKS
    }


@pytest.mark.parametrize(
    ("approved", "status"), [("", 0), ("abc", 0), ("another", 1)], ids=["to plan alone", "the plan", "another plan"]
)
def test_github_applies_only_the_plan_whose_digest_a_person_gave(
    github: dict[str, Any], tmp_path: Path, approved: str, status: int
) -> None:
    (record,) = [step for step in github["jobs"]["plan"]["steps"] if step.get("id") == "record"]
    assert record["env"] == {"APPROVED": "${{ inputs.approved }}"}
    script = re.sub(r"\$\(\S+python main.py .*\)", "abc", record["run"])
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environment = {**os.environ, **files, "APPROVED": approved}
    done = subprocess.run(["bash", "-ec", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, bool(done.stderr)) == (status, bool(status))
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == "digest=abc\n"
    assert "approved: `abc`" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()


def test_the_nightly_review_fails_a_run_also_when_no_plan_changes_anything(
    github: dict[str, Any], gitlab: dict[str, Any], tmp_path: Path
) -> None:
    *_, last = github["jobs"]["drift"]["steps"]
    assert "main.py review " in last["run"]
    assert last["if"] == "success() || failure()"
    script = re.sub(r"\S+steps\.sh", "true", "\n".join(gitlab["drift"]["script"]))
    for status, ends in ((0, 0), (3, 1)):
        reviewed = re.sub(r"\S+python main\.py review [^|]*", f"(exit {status}) ", script)
        done = subprocess.run(["bash", "-ec", reviewed], cwd=tmp_path, check=False)
        assert done.returncode == ends


def test_what_was_changed_by_hand_and_stays_fails_a_review_if_it_is_dangerous(tmp_path: Path) -> None:
    opened = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}
    was = {"bucket": "archive", "policy": "", "tags": {}}
    now = {**was, "policy": json.dumps(opened)}
    unchanged = plan(change("aws_s3_bucket.it", "no-op", now, now))
    for changed, status in (({**was, "tags": {"seen": "yes"}}, 0), (now, 3)):
        drift = [change("aws_s3_bucket.it", "update", was, changed)]
        file = tmp_path / "stack.json"
        file.write_text(json.dumps({**unchanged, "resource_drift": drift}))
        reviewed = run([str(file)], allow=[], because=[], acknowledged=None, platform="gitlab", post_to=None)
        assert reviewed == status


@pytest.mark.parametrize("platform", FILES)
def test_the_pipeline_of_another_repository_runs_one_commit_of_kakehashi_and_is_the_same_otherwise(
    project: Path, tmp_path: Path, platform: str
) -> None:
    own, other = (_text(project, tmp_path, platform, source) for source in (None, SOURCES[platform]))
    commands = [line for line in other.splitlines() if re.search(r"steps\.sh|main\.py |synth$", line)]
    assert len(commands) > 8
    program = r"[ (]\.kakehashi/(ops/pipelines/steps\.sh|\.venv/bin/python \.kakehashi/main\.py) "
    here = re.compile(rf"{program}|make -C \.kakehashi ")
    assert [line for line in commands if not line.startswith("#") and not here.search(line)] == []
    run = other.replace(".kakehashi/", "").replace(f"make{ELSEWHERE} synth", "make synth").splitlines()
    assert [line for line in own.splitlines() if line not in run] == []
    assert any(COMMIT in line for line in run)


ELSEWHERE = ' -C .kakehashi DEPLOYMENT="$PWD/$DEPLOYMENT" CDKTF_OUTDIR="$PWD/cdktf.out"'


@pytest.mark.tool("make")
def test_kakehashi_synthesises_the_other_repositorys_file_into_the_folder_of_the_pipeline(
    project: Path, tmp_path: Path
) -> None:
    (tmp_path / ".kakehashi").symlink_to(project, target_is_directory=True)
    # Shows the variables in place of a synthesis.
    show = "-o .venv/.synth RUN='printenv DEPLOYMENT CDKTF_OUTDIR #'"
    pipeline = YAML(typ="safe").load(_text(project, tmp_path, "gitlab", SOURCES["gitlab"]))
    command = pipeline[".kakehashi"]["before_script"][-1].replace("make ", f"make -s {show} ")
    environment = {"PATH": os.environ["PATH"], "DEPLOYMENT": "deployments/prd.yaml"}
    done = subprocess.run(
        ["bash", "-ec", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout.splitlines(), done.stderr) == (
        [f"{tmp_path}/deployments/prd.yaml", f"{tmp_path}/cdktf.out"],
        "",
    )


@pytest.mark.tool("git")
@pytest.mark.parametrize(
    ("url", "given"), [("https://gitlab.example.com/a/b.git", True), ("https://elsewhere.example.com/a/b.git", False)]
)
def test_gitlabs_job_token_goes_to_its_own_server_alone(project: Path, tmp_path: Path, url: str, given: bool) -> None:
    pipeline = YAML(typ="safe").load(_text(project, tmp_path, "gitlab", SOURCES["gitlab"]))
    (clone,) = [line for line in pipeline[".kakehashi"]["before_script"] if " clone " in line]
    fill = f"{clone.partition(' clone ')[0]} credential fill"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_TERMINAL_PROMPT": "0",
        "CI_SERVER_URL": "https://gitlab.example.com",
        "CI_JOB_TOKEN": "t0ken",
    }
    asked = f"url={url}\n\n"
    done = subprocess.run(
        ["bash", "-ec", fill], input=asked, env=environment, capture_output=True, text=True, check=False
    )
    assert ("password=t0ken" in done.stdout) == given
    assert (done.returncode == 0) == given


def _trusted(roles: dict[str, dict[str, Any]], token: dict[str, str]) -> list[str]:
    token = dict(token)
    issuer = token.pop("iss").removeprefix("https://")
    context = {f"{issuer}:{name}": value for name, value in token.items()}
    return [
        role
        for role, policies in roles.items()
        if stand_in.allows(policies["trust"], "sts:AssumeRoleWithWebIdentity", "", context)
    ]


@pytest.mark.parametrize("subject", GITHUB_SUBJECTS, ids=["with ids", "without ids"])
def test_githubs_roles_trust_a_repository_by_the_form_of_its_subject_alone(project: Path, subject: str) -> None:
    roles = documented(project, "github", subject=subject)
    (other,) = set(GITHUB_SUBJECTS) - {subject}
    for one, trusted in ((subject, True), (other, False), ("repo:example@1234567/infra@1", False)):
        jobs = (
            (claims("github", ref="refs/pull/1/merge", subject=one), PLAN_ROLE),
            (claims("github", ref="refs/heads/main", subject=one), PLAN_ROLE),
            (claims("github", ref="refs/heads/main", environment="prd", subject=one), APPLY_ROLE),
        )
        for token, role in jobs:
            assert _trusted(roles, token) == ([role] if trusted else [])


def test_the_role_that_plans_decrypts_states_and_nothing_else(project: Path) -> None:
    permissions = documented(project, "github")[PLAN_ROLE]["permissions"]
    through_s3 = {"kms:ViaService": "s3.ap-northeast-1.amazonaws.com"}
    key = "arn:aws:kms:ap-northeast-1:222222222222:key/1234abcd-12ab-34cd-86ef-1234567890ab"
    assert stand_in.allows(permissions, "kms:Decrypt", key, through_s3)
    assert not stand_in.allows(permissions, "kms:Decrypt", key, {})
    assert not stand_in.allows(permissions, "kms:Decrypt", key.replace("1234abcd", "00000000"), through_s3)
    assert not stand_in.allows(permissions, "kms:GenerateDataKey", key, through_s3)
