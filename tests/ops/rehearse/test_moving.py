"""The move of a bridge that stands already, planned by the real Terraform CLI and AWS provider.

`standing/` has bridges as the project synthesised them until 29 November 2026, when each repository had a build: their
`stacks/backlog-bridge/cdk.tf.json`, compressed by `gzip -9n`. They are those of deployments/example.yaml, of
everything.yaml, whose mirrors have file systems as caches, and of that with `cache.mode: s3` and a mirror `hooks`.
"""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from errors import RefusedError
from ops.rehearse.prerequisites_from_settings import prerequisites_of
from ops.rehearse.workspace import Workspace, WrittenPlan
from settings import load
from terraform.plan import Action, Plan
from tests.ops.rehearse.one_stack import emulated
from tests.terraform import Stacks

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

STANDING = Path(__file__).with_name("standing")
STACK = "backlog-bridge"
PLACE = f"stacks/{STACK}"
KEPT = ("aws_codecommit_repository.", "aws_cloudwatch_log_group.", "aws_api_gateway_rest_api.")
"""What a move may not destroy."""


@contextmanager
def _initialised(name: str, folder: Path, project: Path) -> Iterator[Workspace]:
    """The bridge of `standing/NAME.json.gz`, in an emulated AWS without it."""
    out = folder / "out"
    (out / PLACE).mkdir(parents=True)
    (out / PLACE / "cdk.tf.json").write_bytes(gzip.decompress((STANDING / f"{name}.json.gz").read_bytes()))
    stack = {
        "name": STACK,
        "synthesizedStackPath": f"{PLACE}/cdk.tf.json",
        "workingDirectory": PLACE,
        "dependencies": [],
    }
    (out / "manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": {STACK: stack}}))
    file = project / "deployments" / f"{name.partition('-')[0]}.yaml"
    with emulated(out, folder, prerequisites_of(load(file))) as bridge:
        yield bridge


@pytest.fixture(scope="module")
def standing(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Workspace]]:
    """The bridges, each as it stands in an emulated AWS of its own.

    They are applied at the same time, because an apply mostly waits: the provider asks for the rules of a bucket's
    lifecycle for a minute.
    """
    with ExitStack() as emulators:
        bridges = {
            name: emulators.enter_context(_initialised(name, tmp_path_factory.mktemp(name), project))
            for name in ("example", "everything", "everything-s3")
        }
        with ThreadPoolExecutor() as pool:
            list(pool.map(Workspace.apply, bridges.values()))
        yield bridges


def _continue_from(bridge: Workspace, new: Path, name: str) -> None:
    """Take the Terraform of a new output, with the state that there is: a copy beside the bridge's, called `name`."""
    beside = bridge.folder.parents[len(Path(PLACE).parts)]
    bridge.folder = Path(shutil.copytree(new / PLACE, beside / name / PLACE))
    bridge.init()


def _planned(bridge: Workspace, new: Path, name: str) -> tuple[Plan, WrittenPlan]:
    """The plan of a move, which loses nothing."""
    _continue_from(bridge, new, name)
    file = bridge.plan()
    plan = bridge.read(file)
    assert [address for address in _destroyed(plan) if address.startswith(KEPT)] == []
    return plan, file


def _moved(bridge: Workspace, new: Path, name: str) -> Plan:
    """The plan of a move that loses nothing, after whose apply nothing is left to change."""
    url = bridge.outputs()["webhook_urls"]["website"].rpartition("/")[0]
    plan, file = _planned(bridge, new, name)
    bridge.apply(file)
    again = bridge.plan()
    assert bridge.outputs()["webhook_urls"]["website"] == f"{url}/hooks/website"
    assert again.is_empty, bridge.shown(again)
    return plan


def _destroyed(plan: Plan) -> list[str]:
    return sorted(change.address for change in plan.changes if change.is_destroyed)


def _kind(address: str) -> str:
    return address.partition(".")[0]


def _actions(plan: Plan) -> Mapping[str, Action]:
    return {change.address: change.action for change in plan.changes if change.action is not Action.NOTHING}


def test_a_bridge_moves_without_losing_a_repository_or_a_log(
    standing: Mapping[str, Workspace], synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    # Terraform cannot forget a log group and destroy the build in one plan: it refuses, so that nothing is lost.
    _continue_from(standing["example"], synthesised("example").out, "forgets")
    with pytest.raises(RefusedError) as refused:
        standing["example"].plan()
    assert refused.value.details.startswith("Error: Cycle: ")

    kept = changed("example", {"prd.backlog.keep_logs_of": ["website", "batch"]})
    plan = _moved(standing["example"], kept.out, "keeps")

    assert "aws_codebuild_project.mirrors_website_project" in _destroyed(plan)
    done = _actions(plan)
    assert done["aws_codecommit_repository.repositories_website"] is Action.UPDATE
    assert done["aws_cloudwatch_log_group.spaces_example_log_group"] is Action.CREATE
    assert done["aws_api_gateway_stage.webhook_stage"] is Action.UPDATE
    assert {f"aws_cloudwatch_log_group.mirrors_{key}_log_group" for key in ("website", "batch")}.isdisjoint(done)


HOOKS = {"space": "partner", "project": "API_2", "repository": "hooks", "target": {"create": "hooks"}}
EVERYTHING = {"prd.backlog.keep_logs_of": None}
API_KINDS = {
    f"aws_api_gateway_{kind}"
    for kind in ("deployment", "integration", "integration_response", "method", "method_response", "resource")
}
"""The kinds of what the API had for each mirror."""


def test_file_systems_stay_with_a_build_for_each_repository_and_go_with_one_for_each_space(
    standing: Mapping[str, Workspace], changed: Callable[..., Stacks]
) -> None:
    for_each_space = {
        "prd.backlog.isolation": None,
        "prd.backlog.cache.mode": "none",
        "prd.backlog.keep_logs_of": ["website", "batch", "partner-api"],
    }
    gives_up, _ = _planned(standing["everything"], changed("everything", for_each_space).out, "spaces")
    stays = _moved(standing["everything"], changed("everything", EVERYTHING).out, "new")

    assert {_kind(address) for address in _destroyed(stays)} == API_KINDS
    assert "aws_efs_file_system.caches_website_file_system" not in _actions(stays)
    of_caches = [address for address in _destroyed(gives_up) if ".caches_" in address]
    assert [address for address in of_caches if _kind(address) == "aws_efs_file_system"] == [
        f"aws_efs_file_system.caches_{key}_file_system" for key in ("batch", "partner-api", "website")
    ]
    assert {_kind(address) for address in _destroyed(gives_up) if address not in of_caches} == API_KINDS | {
        "aws_cloudwatch_metric_alarm",
        "aws_codebuild_project",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_scheduler_schedule",
    }


def test_a_bucket_of_caches_and_a_mirror_called_hooks_stay_with_a_build_for_each_repository(
    standing: Mapping[str, Workspace], changed: Callable[..., Stacks]
) -> None:
    settings = {**EVERYTHING, "prd.backlog.cache.mode": "s3", "prd.backlog.repositories.hooks": HOOKS}
    plan, _ = _planned(standing["everything-s3"], changed("everything", settings).out, "new")

    assert {_kind(address) for address in _destroyed(plan)} == API_KINDS
    # API Gateway refuses a second path of this name.
    assert {"aws_s3_bucket.cache_bucket", "aws_api_gateway_resource.webhook_hooks"}.isdisjoint(_actions(plan))
