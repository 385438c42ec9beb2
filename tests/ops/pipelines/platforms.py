"""Runs the jobs of the written pipelines with what GitHub and GitLab give a job: a token, variables and artifacts.

Of a pull request, only its token and its variables: its job runs whatever the pull request says.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ops.pipelines import FILES
from tests.ops.pipelines.steps import git

REPOSITORY, BRANCH = "example/infra", "main"
GITHUB_SUBJECTS = ("repo:example@1234567/infra@89012345", f"repo:{REPOSITORY}")
"""How the subject of a GitHub repository begins: since July 2026, and before."""
ACCOUNT = "222222222222"
PLAN_ROLE, APPLY_ROLE = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("plan", "apply"))
_ISSUERS = {"github": "https://token.actions.githubusercontent.com", "gitlab": "https://gitlab.example.com"}


def documented(project: Path, platform: str, *, subject: str = GITHUB_SUBJECTS[0]) -> dict[str, dict[str, Any]]:
    """The roles with the policies that docs/review.md has as text to paste, and the subject put in that it shows."""
    text = (project / "docs" / "review.md").read_text(encoding="utf-8")
    assert f"`{subject}`" in text
    text = text.replace(f'"{GITHUB_SUBJECTS[0]}:', f'"{subject}:')

    def policy(heading: str) -> Any:
        [found] = re.findall(rf"^{heading}[^\n]*:\n\n```json\n(.*?)```", text, re.MULTILINE | re.DOTALL)
        return json.loads(found)

    name = {"github": "GitHub", "gitlab": "GitLab"}[platform]
    permissions = policy("Permissions of `PRD_PLAN_ROLE`")
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return {
        PLAN_ROLE: {"trust": policy(f"Trust of `PRD_PLAN_ROLE` for {name}"), "permissions": permissions},
        APPLY_ROLE: {"trust": policy(f"Trust of `PRD_APPLY_ROLE` for {name}"), "permissions": everything},
    }


def claims(
    platform: str,
    *,
    ref: str,
    environment: str | None = None,
    is_protected: bool = False,
    subject: str = GITHUB_SUBJECTS[0],
) -> dict[str, str]:
    """The claims of a job's token that the policies read.

    https://docs.github.com/actions/reference/security/oidc#immutable-subject-claims
    https://docs.gitlab.com/ci/secrets/id_token_authentication, with the `sub` that docs/review.md asks for
    """
    if platform == "github":
        plain = f"ref:{ref}" if ref.startswith("refs/heads/") else "pull_request"
        sub = f"{subject}:{f'environment:{environment}' if environment else plain}"
        return {"iss": _ISSUERS[platform], "aud": "sts.amazonaws.com", "sub": sub, "ref": ref}
    protected = str(is_protected).lower()
    sub = f"project_path:{REPOSITORY}:ref_type:branch:ref:{ref}:ref_protected:{protected}"
    return {"iss": _ISSUERS[platform], "aud": "sts.amazonaws.com", "sub": sub}


@dataclass
class Run:
    """One run of a pipeline for a push to the protected branch: every job starts with a fresh checkout."""

    platform: str
    origin: Path
    folder: Path
    environment: Mapping[str, str]
    artifacts: Path = field(init=False)
    outputs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.artifacts = self.folder / "artifacts"
        self.artifacts.mkdir(parents=True)
        self.commit = git(self.origin, "rev-parse", BRANCH)

    def job(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a job of the written pipeline, up to the step that fails."""
        checkout = self.folder / name
        shutil.rmtree(checkout, ignore_errors=True)
        git(self.origin, "clone", "-q", str(self.origin), str(checkout))
        git(checkout, "checkout", "-q", self.commit)
        pipeline = YAML(typ="safe").load((checkout / FILES[self.platform]).read_text())
        (checkout / ".venv").symlink_to(self.environment["PROJECT_VENV"])
        run: Callable[[Any, str, Path], subprocess.CompletedProcess[str]]
        run = self._github if self.platform == "github" else self._gitlab
        return run(pipeline, name, checkout)

    def _github(self, pipeline: Any, name: str, checkout: Path) -> subprocess.CompletedProcess[str]:
        job = pipeline["jobs"][name]
        token = claims("github", ref=f"refs/heads/{BRANCH}", environment=job.get("environment"))
        values = {
            "github.workspace": str(checkout),
            "vars.PRD_PLAN_ROLE": PLAN_ROLE,
            "vars.PRD_APPLY_ROLE": APPLY_ROLE,
            **{f"needs.plan.outputs.{output}": value for output, value in self.outputs.items()},
        }

        def filled(text: str) -> str:
            return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: values.get(found[1], ""), str(text))

        last = subprocess.CompletedProcess[str]([], 0, "", "")
        for step in job["steps"]:
            with_ = step.get("with", {})
            if "upload-artifact" in step.get("uses", ""):
                shutil.copy(checkout / with_["path"], self.artifacts)
            elif "download-artifact" in step.get("uses", ""):
                shutil.copytree(self.artifacts, checkout / with_["path"])
            if "run" not in step:
                continue
            given = {**pipeline["env"], **job.get("env", {}), **step.get("env", {})}
            files = {"GITHUB_OUTPUT": self.folder / "output", "GITHUB_STEP_SUMMARY": self.folder / "summary"}
            env = {**{key: filled(value) for key, value in given.items()}, **{k: str(v) for k, v in files.items()}}
            last = self._shell(step["run"], checkout, {**env, "AWS_ID_TOKEN": json.dumps(token)}, last)
            if last.returncode:
                return last
            if files["GITHUB_OUTPUT"].exists():
                written = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
                steps = {f"${{{{ steps.{step.get('id')}.outputs.{key} }}}}": value for key, value in written.items()}
                self.outputs |= {key: steps[value] for key, value in job.get("outputs", {}).items() if value in steps}
        return last

    def _gitlab(self, pipeline: Any, name: str, checkout: Path) -> subprocess.CompletedProcess[str]:
        job = {**pipeline[pipeline[name]["extends"]], **pipeline[name]}
        token = claims("gitlab", ref=BRANCH, is_protected=True)
        shutil.copytree(self.artifacts, checkout, dirs_exist_ok=True)
        roles = {"PRD_PLAN_ROLE": PLAN_ROLE, "PRD_APPLY_ROLE": APPLY_ROLE}
        given = {**pipeline["variables"], **job.get("variables", {})}
        variables = {name: value.replace("$CI_PROJECT_DIR", str(checkout)) for name, value in given.items()}
        variables |= {**roles, **self.outputs}
        script = "\n".join([*job["before_script"], *job["script"]])
        done = self._shell(script, checkout, {**variables, "AWS_ID_TOKEN": json.dumps(token)}, None)
        if done.returncode == 0:
            kept = job.get("artifacts", {})
            for path in kept.get("paths", ()):
                (self.artifacts / path).parent.mkdir(exist_ok=True)
                shutil.copy(checkout / path, self.artifacts / path)
            if dotenv := kept.get("reports", {}).get("dotenv"):
                self.outputs |= dict(line.split("=", 1) for line in (checkout / dotenv).read_text().splitlines())
        return done

    def _shell(
        self, script: str, folder: Path, env: Mapping[str, str], before: subprocess.CompletedProcess[str] | None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=folder,
            env={**_inherited(), **self.environment, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        done.stdout = (before.stdout if before is not None else "") + done.stdout
        return done


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "ACTIONS_"))}
