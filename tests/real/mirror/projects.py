"""CodeBuild projects of units, rendered as a synthesis renders them, between the sources and targets of a case."""

import json
from collections.abc import Mapping
from typing import Any

from buildspec.render import UnitBuildspec, mirror_program, unit_buildspec
from tests.real.mirror.codebuild import Project
from tests.real.mirror.keys import ACCOUNT, REGION
from tests.real.mirror.servers import SOURCE_HOST, SOURCE_USER
from tests.real.mirror.world import BUCKETS, KEY_PARAMETER, MirrorBuildRun, MirrorWorld

# What is between both ends: nothing, or a copy that a build makes anew, or that a cache keeps for it.
MODES = ("relay", "none", "s3", "efs")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/kakehashi-prd-backlog-example-mirror"
VERSION = "WA.version"
STATE_PARAMETER = "/kakehashi/backlog/units/example/state"
NOTIFY_PARAMETER = "/kakehashi/backlog/webhook"
BUCKET = "kakehashi-prd-backlog-builds"


# Shorter pauses and fewer attempts than the program's, for the tests of ends that stay away.
IMPATIENT = {
    "_FIRST_PAUSE = 0.3": "_FIRST_PAUSE = 0.05",
    "_ATTEMPTS = 5": "_ATTEMPTS = 3",
    "pause: float = 2": "pause: float = 0.1",
    "first_pause: float = 0.5": "first_pause: float = 0.05",
}


def unit_of(
    world: MirrorWorld,
    name: str,
    mode: str = "relay",
    *,
    projects: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    edits: Mapping[str, str] | None = None,
) -> MirrorBuildRun:
    """A new unit of the mirrors in `projects`, which says their Backlog projects: by default, of one.

    `settings` change the unit's, `edits` the program's text.
    """
    case = world.case(name, projects=projects)
    keeps = mode in ("s3", "efs")
    role = None if keeps else ROLE  # a cache needs a unit of one mirror, and a unit of one mirror needs no mirror role
    case.allow(role, {STATE_PARAMETER: "{}", NOTIFY_PARAMETER: f"https://hooks.slack.com/services/{name}"})
    config: dict[str, Any] = {
        "unit": "example",
        "region": REGION,
        "account_id": ACCOUNT,
        "source": {
            "host": SOURCE_HOST,
            "user": SOURCE_USER,
            "known_hosts": [world.host_key],
            "key_parameter": KEY_PARAMETER,
        },
        "role_arn": role,
        "transfer": "relay" if mode == "relay" else "copy",
        "cache": mode if keeps else "none",
        "lfs": "refuse",
        "max_lost_percent": 50,
        "max_rewritten_percent": 50,
        "alert_hours": 6,
        "timeout_minutes": 60,
        "state_parameter": STATE_PARAMETER,
        "notify_parameter": None,
        "metric_of_each_mirror": False,
        "mirrors": {
            mirror: {"project": project, "repository": mirror, "target": mirror, "key_arn": None}
            for mirror, project in (projects or {"website": "WEB"}).items()
        },
    }
    unit = UnitBuildspec(
        bucket=BUCKET,
        program_key="program.sh",
        program=edited(mirror_program(), edits or {}),
        config_key=f"{name}.json",
        config=json.dumps(config | dict(settings or {})),
        cache=str(config["cache"]),
    )
    terraform: dict[str, Any] = {
        "name": "kakehashi-prd-backlog-example",
        "source": {"buildspec": unit_buildspec(unit)},
        "environment": {
            "environment_variable": [{"name": name, "value": VERSION} for name in ("PROGRAM_VERSION", "CONFIG_VERSION")]
        },
        "cache": {"type": "S3" if mode == "s3" else "NO_CACHE"},
        "file_system_locations": [{"identifier": "CACHE"}] if mode == "efs" else [],
    }
    bucket = case.folder / BUCKETS / BUCKET
    bucket.mkdir(parents=True)
    (bucket / f"{unit.program_key}.{VERSION}").write_text(unit.program)
    (bucket / f"{unit.config_key}.{VERSION}").write_text(unit.config)
    return MirrorBuildRun(
        case=case,
        project=Project(
            terraform=terraform,
            folder=case.folder / "codebuild",
            enter=world.container(),
            variables=case.machine | {"BUCKETS": str(case.folder / BUCKETS)},
            parameters={},
            file_system=case.folder / "efs",
        ),
    )


def edited(text: str, edits: Mapping[str, str]) -> str:
    """The program with other constants; each must be in it once."""
    for old, new in edits.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text
