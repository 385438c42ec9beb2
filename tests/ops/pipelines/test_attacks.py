"""What a job of a pull request can do to the jobs of the protected branch: nothing.

Both pipelines' own scripts run with the real Terraform. The roles have the policies that docs/review.md documents.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.pipelines import FILES, render
from settings import load
from tests.ops.pipelines import fake_provider, stand_in
from tests.ops.pipelines.platforms import APPLY_ROLE, BRANCH, PLAN_ROLE, Run, claims, documented
from tests.ops.pipelines.steps import commit, git, some_record
from tests.terraform import with_changes

S3 = {"bucket": "example-terraform-state", "key_prefix": "kakehashi", "region": "ap-northeast-1"}
BUCKET = "example-terraform-state"
STACK = "prd-codecommit"


@dataclass
class World:
    """A repository with its pipeline, the buckets, and one applied stack."""

    platform: str
    folder: Path
    environment: dict[str, str]
    runs: int = 0

    @property
    def state(self) -> Path:
        return self.folder / "state" / "prd.tfstate"

    @property
    def stolen(self) -> Path:
        """What every attacker's program would write, with the credentials of whoever runs it."""
        return self.folder / "stolen"

    def merge(self, content: dict[str, Any]) -> Run:
        """Merge a change of the stack into the branch; gives the run of the pipeline."""
        file = self.folder / "origin" / "synthesised" / "stacks" / STACK / "cdk.tf.json"
        backend = {"backend": {"local": {"path": str(self.state)}}}
        terraform = {"terraform": {**backend, **content.get("terraform", {})}}
        file.write_text(json.dumps({**content, **terraform}))
        commit(self.folder / "origin")
        self.runs += 1
        return Run(self.platform, self.folder / "origin", self.folder / f"run{self.runs}", self.environment)

    def apply_by_hand(self, content: dict[str, Any]) -> None:
        """The first apply of the stack, and what the role that applies keeps of it."""
        run = self.merge(content)
        folder = self.folder / "by_hand"
        git(run.origin, "clone", "-q", str(run.origin), str(folder))
        stack = folder / "synthesised" / "stacks" / STACK
        for command in (["init"], ["apply", "-auto-approve"]):
            subprocess.run(["terraform", *command], cwd=stack, env=self.environment, check=True, capture_output=True)
        applied = self.folder / "buckets" / BUCKET / "kakehashi" / "plans" / "applied"
        applied.mkdir(parents=True, exist_ok=True)
        shutil.copy(stack / "cdk.tf.json", applied / f"{STACK}.tf.json")

    def as_pull_request(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the AWS CLI in the job of a pull request."""
        ref = {"github": "refs/pull/1/merge", "gitlab": "feature"}[self.platform]
        return self.aws(PLAN_ROLE, claims(self.platform, ref=ref), *arguments)

    def aws(self, role: str, token: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the AWS CLI with a role and a job's token."""
        (self.folder / "token").write_text(json.dumps(token))
        profile = f"[profile role]\nrole_arn = {role}\nweb_identity_token_file = {self.folder}/token\n"
        (self.folder / "config").write_text(profile)
        env = {**self.environment, "AWS_CONFIG_FILE": str(self.folder / "config")}
        command = [str(self.folder / "programs" / "aws"), "--profile", "role", *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(params=FILES)
def world(request: pytest.FixtureRequest, project: Path, tmp_path: Path) -> World:
    """The world of each platform, before anything was applied."""
    platform = request.param
    origin = tmp_path / "origin"
    stack = origin / "synthesised" / "stacks" / STACK
    stack.mkdir(parents=True)
    place = {"workingDirectory": f"stacks/{STACK}", "synthesizedStackPath": f"stacks/{STACK}/cdk.tf.json"}
    (origin / "synthesised" / "manifest.json").write_text(json.dumps({"stacks": {STACK: place}}))
    (origin / "Makefile").write_text("synth:\n\t@cp -R synthesised cdktf.out\n")
    (origin / "main.py").write_text(
        f"import runpy, sys\nsys.path.insert(0, {str(project)!r})\n"
        f"runpy.run_path({str(project / 'main.py')!r}, run_name='__main__')\n"
    )
    (origin / "ops" / "pipelines").mkdir(parents=True)
    shutil.copy(project / "ops" / "pipelines" / "steps.sh", origin / "ops" / "pipelines")
    settings = origin / "deployments" / "mine.yaml"
    settings.parent.mkdir()
    settings.write_text(json.dumps(with_changes(project / "deployments" / "minimal.yaml", {"state": {"s3": S3}})))
    (origin / "deployments" / "acknowledged.yaml").write_text("")
    pipeline = origin / FILES[platform]
    pipeline.parent.mkdir(parents=True, exist_ok=True)
    pipeline.write_text(
        render(platform, Path("deployments/mine.yaml"), load(settings), {"prd": [STACK]}, branch=BRANCH)
    )
    git(origin, "init", "-q", "-b", BRANCH)
    environment = stand_in.install(tmp_path, tmp_path / "buckets", documented(project, platform))
    environment |= {"PROJECT_VENV": str(project / ".venv"), "CHECKPOINT_DISABLE": "1"}
    return World(platform, tmp_path, environment)


def _stack(value: str, **more: Any) -> dict[str, Any]:
    return {"resource": {"terraform_data": {"it": {"input": value}}}, **more}


def _malicious(world: World) -> dict[str, Any]:
    """What looks like the change, and runs something at the apply."""
    run = {"local-exec": {"command": f"echo pwned >{world.stolen}", "quiet": True}}
    return {"resource": {"terraform_data": {"it": {"input": "two"}, "quiet": {"provisioner": [run]}}}}


def _done(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stdout + run.stderr


def _refused(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 254, run.stdout + run.stderr


def _plan_swapped(world: World, run: Run) -> None:
    """Stores another plan for the content of the merge, as pull requests once could."""
    scratch = world.folder / "scratch"
    scratch.mkdir()
    backend = {"terraform": {"backend": {"local": {"path": str(world.state)}}}}
    (scratch / "cdk.tf.json").write_text(json.dumps({**_malicious(world), **backend}))
    for command in (["init"], ["plan", "-out=plan"]):
        subprocess.run(["terraform", *command], cwd=scratch, env=world.environment, check=True, capture_output=True)
    tree = git(run.origin, "rev-parse", f"{BRANCH}^{{tree}}")
    place = f"s3://{BUCKET}/kakehashi/plans/{tree}/{STACK}.tfplan"
    _refused(world.as_pull_request("s3", "cp", str(scratch / "plan"), place))
    for target in (world.folder / "buckets" / place.removeprefix("s3://"), run.folder / "plans" / f"{STACK}.tfplan"):
        target.parent.mkdir(parents=True)
        shutil.copy(scratch / "plan", target)


def _artifact_forged(_: World, run: Run) -> None:
    """Replaces the record after the approval by one of what the pull request wants."""
    [record] = run.artifacts.rglob("approval.json")
    record.write_text(record.read_text().replace('"two"', '"three"'))


def _module_replaced(world: World, _: Run) -> None:
    """Changes the module after the approval, at the place it comes from."""
    (world.folder / "module" / "main.tf.json").write_text(json.dumps(_malicious(world)))


ATTACKS: dict[str, tuple[Callable[[World, Run], None] | None, Callable[[World, Run], None] | None, str]] = {
    "plan": (_plan_swapped, None, ""),
    "artifact": (None, _artifact_forged, "it is not the record that was approved"),
    "module": (None, _module_replaced, "its plan is another one than what was approved"),
}


@pytest.mark.terraform
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_branch_applies_what_was_reviewed_there_whatever_a_pull_request_leaves(world: World, attack: str) -> None:
    before_the_plan, after_the_plan, refused = ATTACKS[attack]
    module = world.folder / "module"
    module.mkdir()
    (module / "main.tf.json").write_text(json.dumps(_stack("inside")))
    world.apply_by_hand(_stack("one", module={"it": {"source": str(module)}}))
    run = world.merge(_stack("two", module={"it": {"source": str(module)}}))
    if before_the_plan is not None:
        before_the_plan(world, run)
    _done(run.job("plan"))
    if after_the_plan is not None:
        after_the_plan(world, run)
    applied = run.job("apply-prd")
    assert not world.stolen.exists()
    if refused:
        assert applied.returncode == 1
        assert refused in applied.stderr
        assert '"two"' not in world.state.read_text()
    else:
        _done(applied)
        assert '"two"' in world.state.read_text()


@pytest.mark.terraform
@pytest.mark.parametrize("attack", ["provider", "cache", "lock"])
def test_the_branch_starts_no_provider_that_a_pull_request_leaves(world: World, attack: str) -> None:
    world.environment |= fake_provider.install(world.folder, "1.0.0")
    lock = world.folder / "buckets" / BUCKET / "kakehashi" / "plans" / "applied" / f"{STACK}.lock.hcl"
    lock.parent.mkdir(parents=True)
    lock.write_text(fake_provider.lock(world.folder, "1.0.0"))
    run = world.merge({"terraform": fake_provider.REQUIRED})
    if attack == "lock":
        fake_provider.install(world.folder, "1.1.0")
        (world.folder / "swapped").write_text(fake_provider.lock(world.folder, "1.1.0"))
        place = f"s3://{BUCKET}/kakehashi/plans/applied/{STACK}.lock.hcl"
        _refused(world.as_pull_request("s3", "cp", str(world.folder / "swapped"), place))
    mirror = world.folder / "mirror"
    if attack == "cache":
        cache = world.folder / "cache"
        shutil.copytree(mirror, cache)
        world.environment["TF_PLUGIN_CACHE_DIR"] = str(cache)
        mirror = cache
    if attack != "lock":
        [program] = mirror.rglob("terraform-provider-fake_*")
        program.write_text(program.read_text().replace("1.0.0", "swapped"))
    record = some_record(run.artifacts)  # of a plan that succeeds, which the provider's does not
    shutil.copy(run.artifacts / record["APPROVAL"], run.artifacts)
    run.outputs |= {**record, "digest": record["APPROVAL_DIGEST"]}
    for job in ("plan", "apply-prd"):
        assert run.job(job).returncode != 0  # the provider does nothing
        assert fake_provider.started(world.folder) == ([] if attack == "provider" else ["1.0.0"])


@pytest.mark.slow
def test_a_pull_request_writes_nothing_and_reads_no_data(world: World) -> None:
    file = world.folder / "file"
    file.write_text("whatever")
    for place in ("prd-codecommit.tfstate", f"plans/applied/{STACK}.lock.hcl", f"plans/applied/{STACK}.tf.json", "x"):
        _refused(world.as_pull_request("s3", "cp", str(file), f"s3://{BUCKET}/kakehashi/{place}"))
    (world.folder / "buckets" / BUCKET / "kakehashi").mkdir(parents=True)
    (world.folder / "buckets" / BUCKET / "kakehashi" / "prd-codecommit.tfstate").write_text("{}")
    _done(world.as_pull_request("s3", "cp", f"s3://{BUCKET}/kakehashi/prd-codecommit.tfstate", str(file)))
    _refused(world.as_pull_request("s3", "cp", "s3://backups/gitlab.tar", str(file)))
    permissions = json.loads((world.folder / "roles.json").read_text())[PLAN_ROLE]["permissions"]
    assert not stand_in.allows(permissions, "sts:AssumeRole", "arn:aws:iam::333333333333:role/terraform-state", {})


@pytest.mark.slow
def test_no_workflow_of_a_pull_request_gets_the_role_that_applies(world: World) -> None:
    """A pull request may change the workflow: its job names the environment, and asks for the role."""
    listing = ("s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", "x")
    query = ("--query", "length(Contents[?Key=='x'] || `[]`)")
    tokens = {
        "github": [
            claims("github", ref="refs/pull/1/merge"),
            claims("github", ref="refs/pull/1/merge", environment="prd"),
            claims("github", ref="refs/heads/feature", environment="prd"),
            claims("github", ref="refs/heads/main"),
            {**claims("github", ref="refs/heads/main", environment="prd"), "aud": "https://github.com/example"},
        ],
        # A fork's branch may have any name, and a member may run its pipeline in the parent project.
        "gitlab": [claims("gitlab", ref="feature"), claims("gitlab", ref="main"), claims("gitlab", ref="other-main")],
    }[world.platform]
    for token in tokens:
        _refused(world.aws(APPLY_ROLE, token, *listing, *query))
    ref = {"github": "refs/heads/main", "gitlab": "main"}[world.platform]
    mine = claims(world.platform, ref=ref, environment="prd", is_protected=True)
    _done(world.aws(APPLY_ROLE, mine, *listing, *query))
