"""A build of what a deployment synthesises: its project, its buildspec, and the objects that this fetches."""

import json
from collections.abc import Callable

from tests.real.mirror.codebuild import Project, unescaped
from tests.real.mirror.world import BUCKETS, MirrorBuildRun, MirrorWorld
from tests.terraform import Stacks

PROJECTS = {"website": "WEB", "batch": "OPS"}


def _unit(world: MirrorWorld, stacks: Stacks) -> MirrorBuildRun:
    """The unit of the deployment's only space, with its bucket, its state and the role of its targets."""
    bridge = stacks["backlog-bridge"]
    case = world.case("ASIASYNTHESISED", projects=PROJECTS)
    bucket = bridge.resource("aws_s3_bucket.program_bucket")["bucket"]
    made = {"${aws_s3_bucket.program_bucket.bucket}": bucket}
    for number, (name, item) in enumerate(bridge.resources("aws_s3_object").items()):
        made[f"${{aws_s3_object.{name}.version_id}}"] = version = f"version-{number}"
        file = case.folder / BUCKETS / bucket / f"{item['key']}.{version}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(unescaped(item["content"]))
    state = bridge.resource("aws_ssm_parameter.spaces_example_state")
    role = bridge.resource("aws_iam_role.spaces_example_mirror_role")
    case.allow(f"arn:aws:iam::222222222222:role/{role['name']}", {state["name"]: state["value"]})
    project = json.dumps(bridge.resource("aws_codebuild_project.spaces_example_project"))
    for reference, value in made.items():
        project = project.replace(reference, value)
    return MirrorBuildRun(
        case=case,
        project=Project(
            terraform=json.loads(project),
            folder=case.folder / "codebuild",
            enter=world.container(),
            variables=case.machine | {"BUCKETS": str(case.folder / BUCKETS)},
            parameters={},
            file_system=case.folder / "efs",
        ),
    )


def test_what_a_deployment_synthesises_mirrors_its_repositories(
    world: MirrorWorld, changed: Callable[..., Stacks]
) -> None:
    unit = _unit(world, changed("example", {"prd.backlog.spaces.example.known_hosts": [world.host_key]}))
    for pair in unit.case.pairs.values():
        pair.source.commit("refs/heads/main")
        pair.source.commit("refs/heads/feature/a", parent=None)
    unit.mirrors()
    for pair in unit.case.pairs.values():
        pair.source.commit("refs/heads/main")
    build = unit.project.run(MIRROR="website")
    assert build.succeeded, build.log
    unit.case.pairs["website"].assert_mirrored()
    assert unit.case.pairs["batch"].target.refs() != unit.case.pairs["batch"].wanted()
    unit.mirrors(MIRROR="example.OPS")
