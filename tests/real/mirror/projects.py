"""The CodeBuild project of `website` in deployments/example.yaml, for each cache mode, and mirrors that use it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from settings import load
from tests.real.mirror.codebuild import Project
from tests.real.mirror.world import PROJECT, MirrorBuildRun, MirrorWorld
from tests.terraform import read, with_changes

MODES = ("s3", "efs", "none")
_VPC = {"id": "vpc-0123456789abcdef0", "subnet_ids": ["subnet-0123456789abcdef0"]}


def synthesised(world: MirrorWorld, out: Path) -> dict[str, dict[str, Any]]:
    """The project's Terraform by cache mode, with this world's host key pinned."""
    import bindings

    bindings.install()
    from stacks.synthesis import synthesise

    projects = {}
    for mode in MODES:
        changes = {
            "prd.backlog.spaces.example.known_hosts": [world.host_key],
            "prd.backlog.cache": {"mode": mode},
            **({"prd.backlog.vpc": _VPC} if mode == "efs" else {}),
        }
        folder = out / mode
        folder.mkdir(parents=True)
        file = folder / "deployment.yaml"
        file.write_text(json.dumps(with_changes(PROJECT / "deployments" / "example.yaml", changes)))
        synthesise(load(file), folder / "out")
        bridge = read(folder / "out")["backlog-bridge"]
        projects[mode] = bridge.resource("aws_codebuild_project.mirrors_website_project")
    return projects


def mirror_of(world: MirrorWorld, name: str, terraform: Mapping[str, Any]) -> MirrorBuildRun:
    """A new mirror: an empty source, an empty target, and the project between them."""
    case = world.case(name)
    return MirrorBuildRun(
        case=case,
        project=Project(
            terraform=terraform,
            folder=case.folder / "codebuild",
            enter=world.enter(),
            variables=case.machine,
            parameters=case.parameters,
            file_system=case.folder / "efs",
        ),
    )
