"""The pipelines' steps with the real Terraform and Git. Folders replace the buckets; a stand-in judges the roles."""

from pathlib import Path

import pytest

from tests.ops.pipelines import fake_provider, stand_in
from tests.ops.pipelines.steps import (
    PLAN,
    READ,
    READING,
    ROLES,
    TOKEN,
    TRUST,
    WRITE,
    Step,
    done,
    git,
    record,
    some_record,
    write_output,
    write_stacks,
)

pytestmark = pytest.mark.terraform


def test_what_was_approved_is_planned_again_and_applied(
    step: Step, project: Path, repository: Path, tmp_path: Path
) -> None:
    done(step("plan", "network"))
    approved = record(project, repository, "network")
    assert "Apply complete! Resources: 1 added" in done(step("apply", "network", **approved, STATE_KEY="alias/states"))
    calls = (tmp_path / "buckets" / "calls").read_text()
    assert "--sse aws:kms --sse-kms-key-id alias/states cdktf.out" in calls
    applied = tmp_path / "buckets" / "states" / "kakehashi" / "plans" / "applied" / "network.tf.json"
    assert applied.read_text() == (repository / "cdktf.out/stacks/network/cdk.tf.json").read_text()

    assert step("drift", "network").returncode == 0
    state = tmp_path / "network.tfstate"
    state.write_text(state.read_text().replace('"reviewed"', '"changed by hand"'))
    assert step("drift", "network").returncode == 1


def test_nothing_is_applied_that_was_not_approved(step: Step, project: Path, repository: Path, tmp_path: Path) -> None:
    done(step("plan", "network"))
    approved = record(project, repository, "network")
    file = repository / "cdktf.out/stacks/network/cdk.tf.json"
    file.write_text(file.read_text().replace("reviewed", "swapped"))
    refused = step("apply", "network", **approved)
    assert refused.returncode == 1
    place = "network: terraform_data.it.change.after.input"
    assert f'{place}: approved "reviewed", now "swapped"' in refused.stdout
    assert "kakehashi-review" in refused.stdout
    assert refused.stderr.endswith(
        "error: network: nothing was applied: its plan is another one than what was approved\n"
        "hint: run the pipeline again for this commit, and approve the new plan\n"
    )
    assert not (tmp_path / "network.tfstate").exists()


def test_a_plan_does_not_hold_the_role_that_writes_states(step: Step, project: Path, repository: Path) -> None:
    roles = {"STATE_ROLE": WRITE, "STATE_READ_ROLE": READ}
    objects = {"it": {"input": WRITE}, "empty": {"input": ""}}
    write_stacks(repository, {"network": {"resource": {"terraform_data": objects}}})
    assert f'input  = "{READ}"' in done(step("plan", "network", **roles)), "Terraform uses the other role"
    profiles = (repository / "plans" / ".aws").read_text()
    assert profiles.endswith(f"[profile states]\nrole_arn = {READ}\nsource_profile = role\n")
    assert (repository / "plans" / ".token").read_text() == TOKEN
    assert (repository / "plans" / ".token").stat().st_mode & 0o077 == 0
    refused = step("plan", "network", STATE_ROLE=WRITE)
    assert refused.returncode != 0
    assert "STATE_READ_ROLE: the job has no role that reads the states" in refused.stderr

    done(step("plan", "network", **roles))
    assert READ not in (repository / "plans" / "network.json").read_text()
    done(step("apply", "network", **roles, **record(project, repository, "network")))
    profiles = (repository / "plans" / ".aws").read_text()
    assert profiles.endswith(f"[profile states]\nrole_arn = {WRITE}\nsource_profile = role\n")


def test_refuses_to_plan_a_stack_whose_roles_its_plan_would_show_as_another(step: Step, repository: Path) -> None:
    write_stacks(repository, {"network": {"resource": {"terraform_data": {"it": {"input": [READ, WRITE]}}}}})
    refused = step("plan", "network", STATE_ROLE=WRITE, STATE_READ_ROLE=READ)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"error: network: it names the role that reads the states, {READ}, which its plan would not show\n"
        "hint: let that role be for the pipeline alone\n"
    )


def test_an_older_run_applies_nothing_after_a_newer_one(
    step: Step, project: Path, repository: Path, tmp_path: Path
) -> None:
    older = git(repository, "rev-parse", "HEAD")
    done(step("plan", "network"))
    approved = record(project, repository, "network")
    text = (repository / "plans" / "approval.json").read_text()
    write_stacks(repository, {"network": {}})
    newer = git(repository, "rev-parse", "HEAD")
    done(step("plan", "network"))
    done(step("apply", "network", **record(project, repository, "network")))

    git(repository, "checkout", "-q", "-b", "rewritten", older)
    (repository / "plans" / "approval.json").write_text(text)
    write_output(repository, {"network": {"resource": {"terraform_data": {"it": {"input": "reviewed"}}}}})
    outdated = step("apply", "network", **approved)
    assert outdated.returncode == 1
    assert outdated.stderr == (
        f"error: this run is not of the newest commit of main, {newer}\n"
        "hint: approve and apply the plan of that commit\n"
    )
    refused = step("apply", "network", **approved, BRANCH="rewritten")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"error: network: this run's commit does not contain the last applied one, {newer}\n"
        "hint: apply the branch's newest commit; if the branch was rewritten, first remove "
        "s3://states/kakehashi/plans/applied/network.commit\n"
    )
    assert not (tmp_path / "network.tfstate").exists()
    (tmp_path / "buckets/states/kakehashi/plans/applied/network.commit").write_text(f"{older}\n")
    applied = done(step("apply", "network", **approved, BRANCH="rewritten"))
    assert "Resources: 1 added" in applied, "it is refused for its age alone"


@pytest.mark.parametrize("branch", ["gone", ""])
def test_applies_nothing_where_the_newest_commit_is_not_known(
    step: Step, project: Path, repository: Path, tmp_path: Path, branch: str
) -> None:
    done(step("plan", "network"))
    refused = step("apply", "network", **record(project, repository, "network"), BRANCH=branch)
    assert refused.returncode == 1
    assert not (tmp_path / "network.tfstate").exists()
    if branch:
        assert refused.stderr.endswith(
            "error: the newest commit of gone cannot be read\nhint: let the job read the repository\n"
        )


def test_refuses_an_unknown_step(step: Step) -> None:
    refused = step("deploy", "network")
    assert refused.returncode == 2
    assert refused.stderr == "error: deploy: there is no such step\nhint: plan, apply or drift\n"


APPLIED = "buckets/states/kakehashi/plans/applied/network.lock.hcl"


def test_the_lock_file_of_the_last_apply_is_restored_and_a_committed_one_takes_its_place(
    step: Step, repository: Path, tmp_path: Path
) -> None:
    environment = fake_provider.install(tmp_path, "1.0.0", "1.1.0") | some_record(repository)
    old, new = (fake_provider.lock(tmp_path, version) for version in ("1.0.0", "1.1.0"))
    write_stacks(repository, {"network": {"terraform": fake_provider.REQUIRED}})
    step("plan", "network", **environment)
    assert fake_provider.started(tmp_path) == ["1.1.0"]

    (tmp_path / APPLIED).parent.mkdir(parents=True)
    (tmp_path / APPLIED).write_text(old)
    for name in ("plan", "drift", "apply"):
        step(name, "network", **environment)
        assert fake_provider.started(tmp_path) == ["1.0.0"], name

    committed = repository / "deployments/locks/network.lock.hcl"
    committed.parent.mkdir(parents=True)
    committed.write_text(new)
    for name in ("plan", "drift", "apply"):
        step(name, "network", **environment)
        assert fake_provider.started(tmp_path) == ["1.1.0"], name
    assert (repository / "plans" / "network.applied.lock.hcl").read_text() == old


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject"])
def test_a_lock_file_that_cannot_be_read_is_not_taken_for_a_missing_one(
    step: Step, tmp_path: Path, action: str
) -> None:
    (tmp_path / APPLIED).parent.mkdir(parents=True)
    (tmp_path / APPLIED).write_text("# what the last apply had")
    less = {"Statement": [*READING["Statement"], {"Effect": "Deny", "Action": action}]}
    stand_in.install(tmp_path, tmp_path / "buckets", {**ROLES, PLAN: {"trust": TRUST, "permissions": less}})
    refused = step("plan", "network")
    assert refused.returncode == 254
    assert refused.stdout == ""
