"""`python main.py verify` with a real source and a real target of a mirror."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.real.mirror.conftest import Units
from tests.real.mirror.keys import SECRET_ACCESS_KEY
from tests.real.mirror.projects import ROLE
from tests.real.mirror.world import PROJECT, MirrorBuildRun
from tests.terraform import with_changes

Verify = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = [pytest.mark.tool("ssh-agent"), pytest.mark.tool("ssh-add")]


@pytest.fixture
def mirror(mirrored: Units) -> MirrorBuildRun:
    return mirrored()


@pytest.fixture
def verify(mirror: MirrorBuildRun, tmp_path: Path) -> Verify:
    """Runs the command in the namespace, on a deployment of that mirror. An agent has the mirror's SSH key.

    The progress that a slow machine is shown after two seconds is left out.
    """

    def run(changes: Mapping[str, object] | None = None) -> "subprocess.CompletedProcess[str]":
        settings: dict[str, object] = {
            "prd.backlog.spaces.example.known_hosts": [mirror.case.world.host_key],
            "prd.backlog.repositories.batch": None,
        }
        file = tmp_path / "deployment.yaml"
        example = PROJECT / "deployments" / "example.yaml"
        wanted = {path: value for path, value in (settings | dict(changes or {})).items() if value != "unchanged"}
        file.write_text(json.dumps(with_changes(example, wanted)))
        mirror.case.allow(None, mirror.case.parameters())  # people may read the target, as a build of a unit may not
        command = [sys.executable, str(PROJECT / "main.py"), "verify", str(file)]
        with_key = ["ssh-agent", "bash", "-c", 'ssh-add -q "$0" && exec "$@"', str(mirror.case.folder / "key")]
        ran = subprocess.run(
            [*mirror.case.world.enter(), *with_key, *command],
            env=mirror.case.machine | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        mirror.case.allow(ROLE, mirror.case.parameters())
        assert SECRET_ACCESS_KEY not in ran.stdout + ran.stderr
        ran.stderr = re.sub(r"^\d+ of \d+ repositor(y|ies) compared\n", "", ran.stderr, flags=re.MULTILINE)
        return ran

    return run


def test_ends_differ_after_a_push_until_the_next_build(mirror: MirrorBuildRun, verify: Verify) -> None:
    ran = verify()
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "website: 6 refs, equal\n", "")
    mirror.source.commit("refs/heads/feature/a", {"new": "1"})
    mirror.source.update({"refs/heads/old": None})
    mirror.source.set_default("feature/a")
    ran = verify()
    assert (ran.returncode, ran.stdout.splitlines(), ran.stderr) == (
        1,
        [
            "website: 5 refs, DIFFERS",
            "  different in the target: refs/heads/feature/a",
            "  only in the target: refs/heads/old",
            "  default branch: feature/a in the source, main in the target",
            "  since: the oldest tip that the target lacks is of 2023-11-14 22:13 UTC; "
            "Git does not say when it was pushed",
        ],
        "",
    )
    mirror.mirrors()
    ran = verify()
    assert (ran.returncode, ran.stdout) == (0, "website: 5 refs, equal\n")


def test_a_host_key_that_is_not_pinned_is_not_trusted(mirror: MirrorBuildRun, verify: Verify) -> None:
    own = mirror.case.folder / "key.pub"
    host, kind, _ = mirror.case.world.host_key.split()
    ran = verify({"prd.backlog.spaces.example.known_hosts": [f"{host} {kind} {own.read_text().split()[1]}"]})
    assert (ran.returncode, ran.stdout) == (1, "website: not compared\n")
    assert ran.stderr.splitlines() == [
        "error: website: the source cannot be read: example.git.backlog.jp shows a host key that is not pinned",
        "hint: somebody may be in between; if Backlog has new keys, compare their fingerprints by eye before pinning "
        "them: python main.py host-key example.git.backlog.jp",
    ]


def test_the_other_repositories_are_compared_when_one_is_missing(verify: Verify) -> None:
    ran = verify({"prd.backlog.repositories.batch": "unchanged"})
    assert (ran.returncode, ran.stdout.splitlines()) == (1, ["website: 6 refs, equal", "batch: not compared"])
    assert [line.split(":")[:3] for line in ran.stderr.splitlines()[::2]] == [
        ["error", " batch", " the target cannot be read"],
        ["error", " batch", " the source cannot be read"],
    ]


def test_wrong_settings_exit_with_2(verify: Verify) -> None:
    ran = verify({"prd.backlog.spaces.example.domain": "example.com"})
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ": prd.backlog.spaces.example.domain: " in ran.stderr
