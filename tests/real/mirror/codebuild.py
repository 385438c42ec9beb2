"""Runs a buildspec as CodeBuild documents it, on this machine, inside a test's namespace.

Phases: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html and
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
Variables: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
Cache: https://docs.aws.amazon.com/codebuild/latest/userguide/caching-s3.html
"""

import glob
import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PHASES = ("install", "pre_build", "build", "post_build")

# A command that fails ends its phase, but the phase's `finally` still runs. A failed phase ends the build, except that
# `post_build` runs after a failed `build` unless `on-failure` is ABORT.
_PHASE = """
if [ $go_on = yes ]; then
    status=0
    for command in {commands}; do
        eval "$(<"$command")"
        status=$?
        [ $status = 0 ] || break
    done
    for command in {at_last}; do
        eval "$(<"$command")"
        [ $? = 0 ] || status=1
    done
    if [ $status = 0 ]; then
        echo {phase} SUCCEEDED >>{phases}
    else
        echo {phase} FAILED >>{phases}
        export CODEBUILD_BUILD_SUCCEEDING=0
        [ {ends_the_build} = False ] || go_on=no
    fi
fi
"""


def unescaped(text: str) -> str:
    """A text after Terraform has read it."""
    return text.replace("$${", "${").replace("%%{", "%{")


@dataclass(frozen=True, kw_only=True)
class Project:
    """A CodeBuild project: its Terraform, and the files that remain after its builds.

    `variables` are the machine's, `parameters` those of the parameter store. `file_system` is mounted if the project
    has one.
    """

    terraform: Mapping[str, Any]
    folder: Path
    enter: list[str]
    variables: Mapping[str, str]
    parameters: Mapping[str, str]
    file_system: Path
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def spec(self) -> dict[str, Any]:
        """The buildspec."""
        spec: dict[str, Any] = YAML(typ="safe", pure=True).load(unescaped(self.terraform["source"]["buildspec"]))
        return spec

    @property
    def cache(self) -> Path | None:
        """The object in the cache's bucket, if the project has one."""
        return self.folder / "cache.tar" if self.terraform.get("cache", {}).get("type") == "S3" else None

    def start(self, **overrides: str) -> "Build":
        """Do what StartBuild does; `overrides` is its environmentVariablesOverride."""
        build = Build(project=self, folder=self.folder / f"build-{next(self.numbers)}")
        build.start(overrides)
        return build

    def run(self, **overrides: str) -> "Build":
        """Start a build and wait for its end."""
        return self.start(**overrides).wait()


@dataclass(kw_only=True)
class Build:
    """One build. Its folder is its machine's disk, and is deleted when the build ends."""

    project: Project
    folder: Path
    log: str = ""
    phases: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    cache_bytes: tuple[int, int] = (0, 0)

    @property
    def succeeded(self) -> bool:
        """Whether every phase succeeded."""
        return bool(self.phases) and set(self.phases.values()) == {"SUCCEEDED"}

    @property
    def messages(self) -> list[str]:
        """The lines that a build of one mirror logged, without their prefix."""
        return [line.removeprefix("mirror: ") for line in self.log.splitlines() if line.startswith("mirror: ")]

    def messages_of(self, mirror: str) -> list[str]:
        """The lines that a build of several mirrors logged about one of them, without their prefix."""
        prefix = f"mirror {mirror}: "
        return [line.removeprefix(prefix) for line in self.log.splitlines() if line.startswith(prefix)]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The log events for CloudWatch's embedded metrics, and those of the mirrors."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def start(self, overrides: Mapping[str, str]) -> None:
        """Prepare the machine and start running the phases."""
        self._began = time.monotonic()
        source = self.folder / "src"
        for name in ("src", "home", "tmp", "commands"):
            (self.folder / name).mkdir(parents=True)
        self._restore(source)
        (self.folder / "driver").write_text("".join(self._driver()))
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*self.project.enter, "bash", "--noprofile", "--norc", self.folder / "driver"],
                cwd=source,
                env=self._environment(overrides),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether the build still runs."""
        return self._process.poll() is None

    def wait(self, seconds: float = 120) -> "Build":
        """Wait for the end, save the cache and delete the machine."""
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the build hangs:\n{self.log}") from None
        self._read()
        self._save()
        self.seconds = time.monotonic() - self._began
        shutil.rmtree(self.folder)
        return self

    def kill(self) -> None:
        """Kill the build's processes and delete its machine; nothing is saved."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._read()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self) -> None:
        self.log = (self.folder / "log").read_text(errors="replace")
        ended = self.folder / "phases"
        for line in ended.read_text().splitlines() if ended.exists() else []:
            phase, status = line.split()
            self.phases[phase] = status

    def _environment(self, overrides: Mapping[str, str]) -> dict[str, str]:
        """Overrides come before the project's variables, and these before the buildspec's."""
        env = self.project.spec.get("env", {})
        name = self.project.terraform["name"]
        build_id = f"{name}:00000000-0000-0000-0000-{self.folder.name.partition('-')[2]:>012}"
        variables = {
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "AWS_REGION": "ap-northeast-1",
            "AWS_DEFAULT_REGION": "ap-northeast-1",
            "CODEBUILD_BUILD_ID": build_id,
            "CODEBUILD_BUILD_ARN": f"arn:aws:codebuild:ap-northeast-1:222222222222:build/{build_id}",
            "CODEBUILD_BUILD_NUMBER": self.folder.name.partition("-")[2],
            "CODEBUILD_BUILD_SUCCEEDING": "1",
            "CODEBUILD_CI": "true",
            "CODEBUILD_INITIATOR": "nobody",
            "CODEBUILD_SRC_DIR": str(self.folder / "src"),
            "CODEBUILD_START_TIME": str(int(time.time() * 1000)),
        }
        for location in self.project.terraform.get("file_system_locations", []):
            variables[f"CODEBUILD_{location['identifier'].upper()}"] = str(self.project.file_system)
        stored = {key: self.project.parameters[name] for key, name in env.get("parameter-store", {}).items()}
        own = self.project.terraform.get("environment", {}).get("environment_variable", [])
        given = {one["name"]: one["value"] for one in own}
        return {**self.project.variables, **variables, **env.get("variables", {}), **stored, **given, **overrides}

    def _driver(self) -> Iterator[str]:
        """A script that runs all phases in one shell, as version 0.2 of the buildspec does."""
        yield f"cd {shlex.quote(str(self.folder / 'src'))}; go_on=yes\n"
        for phase in PHASES:
            specified = self.project.spec["phases"].get(phase)
            if specified is not None:
                yield _PHASE.format(
                    phase=phase,
                    commands=self._commands(phase, specified.get("commands", [])),
                    at_last=self._commands(f"{phase}-finally", specified.get("finally", [])),
                    ends_the_build=specified.get("on-failure", "CONTINUE" if phase == "build" else "ABORT") == "ABORT",
                    phases=shlex.quote(str(self.folder / "phases")),
                )

    def _commands(self, phase: str, commands: list[str] | str) -> str:
        """Write each command of a phase to a file; returns the quoted file names."""
        files = []
        for number, command in enumerate([commands] if isinstance(commands, str) else commands):
            file = self.folder / "commands" / f"{phase}-{number}"
            file.write_text(command)
            files.append(shlex.quote(str(file)))
        return " ".join(files)

    def _restore(self, source: Path) -> None:
        cache = self.project.cache
        if cache is not None and cache.exists():
            self.cache_bytes = (cache.stat().st_size, 0)
            with tarfile.open(cache) as archive:
                archive.extractall(source, filter="tar")

    def _save(self) -> None:
        """Save the files of the cache's paths, no empty folders. S3 replaces an object completely or not at all."""
        cache = self.project.cache
        if cache is None:
            return
        source, new = self.folder / "src", cache.with_suffix(f".{self.folder.name}")
        with tarfile.open(new, "w") as archive:
            for pattern in self.project.spec.get("cache", {}).get("paths", []):
                for name in sorted(glob.glob(pattern, root_dir=source, recursive=True, include_hidden=True)):
                    if (source / name).is_file():
                        archive.add(source / name, name)
        new.replace(cache)
        self.cache_bytes = (self.cache_bytes[0], cache.stat().st_size)
