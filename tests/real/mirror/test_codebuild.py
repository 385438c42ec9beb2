"""The test's own build runner behaves as CodeBuild's documentation says."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.real.mirror.codebuild import Build, Project


def _run(folder: Path, phases: dict[str, Any], env: dict[str, Any] | None = None, **overrides: str) -> Build:
    return _project(folder, {"version": 0.2, "env": env or {}, "phases": phases}).run(**overrides)


def _project(folder: Path, spec: dict[str, Any], cache: str = "NO_CACHE") -> Project:
    text = json.dumps(spec).replace("${", "$${")
    environment = {"environment_variable": [{"name": name, "value": "project"} for name in ("PROJECT", "START")]}
    return Project(
        terraform={
            "name": "test",
            "source": {"buildspec": text},
            "environment": environment,
            "cache": {"type": cache},
        },
        folder=folder,
        enter=[],
        variables={"PATH": "/usr/bin:/bin", "MACHINE": "machine", "BOTH": "machine"},
        parameters={"/secret": "stored"},
        file_system=folder / "efs",
    )


def test_all_phases_share_one_shell_and_follow_each_other(tmp_path: Path) -> None:
    build = _run(
        tmp_path,
        {
            "post_build": {"commands": ["echo post $x"]},
            "build": {"commands": ["echo build $x", "x=2"]},
            "install": {"commands": ["x=1"]},
        },
    )
    assert build.log == "build 1\npost 2\n"
    assert build.succeeded


@pytest.mark.parametrize(
    ("failing", "rule", "reached"),
    [
        ("install", {}, ["install"]),
        ("pre_build", {}, ["install", "pre_build"]),
        ("build", {}, ["install", "pre_build", "build", "post_build"]),
        ("build", {"on-failure": "ABORT"}, ["install", "pre_build", "build"]),
        ("install", {"on-failure": "CONTINUE"}, ["install", "pre_build", "build", "post_build"]),
    ],
)
def test_a_failed_phase_ends_the_build_as_its_on_failure_says(
    tmp_path: Path, failing: str, rule: dict[str, str], reached: list[str]
) -> None:
    phases: dict[str, Any] = {name: {"commands": ["true"]} for name in ("install", "pre_build", "build", "post_build")}
    phases[failing] = {"commands": ["false", "echo not reached"], "finally": ["echo at last"], **rule}
    build = _run(tmp_path, phases)
    assert build.log == "at last\n"
    assert build.phases == {name: "FAILED" if name == failing else "SUCCEEDED" for name in reached}
    assert not build.succeeded


def test_an_override_precedes_the_projects_variable_and_that_the_buildspecs(tmp_path: Path) -> None:
    env = {"variables": {"SPEC": "spec", "PROJECT": "spec", "START": "spec"}, "parameter-store": {"SECRET": "/secret"}}
    command = "echo ${SPEC} $MACHINE $PROJECT $START $SECRET ${CODEBUILD_BUILD_ID%%:*}"
    build = _run(tmp_path, {"build": {"commands": [command]}}, env, START="start")
    assert build.log == "spec machine project start stored test\n"


def test_errexit_applies_within_a_command(tmp_path: Path) -> None:
    build = _run(tmp_path, {"build": {"commands": ["( set -e; false; echo not reached )"]}})
    assert build.log == ""
    assert build.phases == {"build": "FAILED"}


def test_a_cache_keeps_files_and_no_empty_folders(tmp_path: Path) -> None:
    spec = {
        "phases": {
            "build": {"commands": ["find . | sort", "mkdir -p kept/full kept/empty", "touch kept/full/x other"]}
        },
        "cache": {"paths": ["kept/**/*"]},
    }
    project = _project(tmp_path, spec, cache="S3")
    assert project.run().log == ".\n"
    assert project.run().log == ".\n./kept\n./kept/full\n./kept/full/x\n"


def test_a_killed_build_saves_no_cache(tmp_path: Path) -> None:
    spec = {
        "phases": {"build": {"commands": ["mkdir kept && touch kept/x; sleep 60"]}},
        "cache": {"paths": ["kept/**/*"]},
    }
    project = _project(tmp_path, spec, cache="S3")
    project.start().kill()
    assert project.cache is not None
    assert not project.cache.exists()
