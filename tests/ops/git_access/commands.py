"""The commands for credentials and mirrors, run with the emulated account and the GitLab stand-in."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from errors import RefusedError
from ops.git_access import credentials, gitlab_mirror
from ops.git_access.rotation import rotate as replace
from ops.steps import Steps
from tests.ops.gitlab_stand_in import TOKEN, Mirror
from tests.ops.production import PROJECTS, TARGET, Production, environment

PUSH = "kakehashi-prd-push"
PULL = "kakehashi-prd-pull"
INFRASTRUCTURE = PROJECTS["infrastructure"]
TARGET_HOST = TARGET.partition("/")[0]
NO_PROJECTS = {f"prd.codecommit.repositories.{name}": None for name in PROJECTS}
WHERE = f"{INFRASTRUCTURE} to infrastructure"


def issue(world: Production, user: str = "push", *, dry_run: bool = False) -> None:
    credentials.issue(world.deployment, user, dry_run=dry_run)


def rotate(world: Production, user: str = "push", *, dry_run: bool = False) -> None:
    replace(world.deployment, user, connect_mirrors=world.mirrors, dry_run=dry_run)


def refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


def nothing_leaked(world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> str:
    said = capsys.readouterr()
    assert world.passwords
    everywhere = said.out + said.err + caplog.text + world.kept_in_the_open()
    assert [password for password in world.passwords if password in everywhere] == []
    return said.out


def with_mirrors_by_hand(world: Production) -> None:
    """A credential made in the console, and mirrors made in GitLab's pages, which were adopted."""
    _make_by_hand(world)
    adopt_all(world)


def adopt_all(world: Production) -> None:
    mirrors = world.mirrors()
    mirrors.decide(mirrors.find(), adopt=["all"], not_ours=[], steps=Steps(dry_run=False))


def _make_by_hand(world: Production) -> None:
    _, user, password = world.made_by_hand()
    for repository, project in PROJECTS.items():
        encoded = user.replace("+", "%2B"), password.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
        url = f"https://{encoded[0]}:{encoded[1]}@{TARGET}/{repository}"
        world.gitlab.run(world.gitlab.add(project, url, enabled=True))
        world.gitlab.add(project, f"https://u:p@backup.example.com/{repository}.git", enabled=True)


def with_rotated_mirrors(world: Production) -> None:
    issue(world)
    rotate(world)


def apply(
    world: Production, *, adopt: Collection[str] = (), not_ours: Collection[str] = (), dry_run: bool = False
) -> None:
    gitlab_mirror.apply(world.deployment, world.mirrors(), adopt=adopt, not_ours=not_ours, dry_run=dry_run)


def only(world: Production, repository: str) -> Mirror:
    (mirror,) = world.gitlab.projects[PROJECTS[repository]]
    return mirror


def only_enabled(world: Production, repository: str) -> Mirror:
    """The one mirror to the repository that is enabled. A stopped command may leave one that is not."""
    mirrors = [mirror for mirror in world.gitlab.projects[PROJECTS[repository]] if TARGET_HOST in mirror["url"]]
    (mirror,) = [mirror for mirror in mirrors if mirror["enabled"]]
    return mirror


def printed(world: Production, capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    everything = said.out + said.err + world.kept_in_the_open()
    assert [password for password in world.passwords if password in everything] == []
    return said.out + said.err


def encoded(password: str) -> str:
    return password.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")


def main(world: Production, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "main.py", *arguments, str(world.file)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, **environment(world.url), "GITLAB_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
