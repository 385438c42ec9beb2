"""The program as a build starts it, up to where it would connect, and what a session may do."""

import dataclasses
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from buildspec.mirror import main
from buildspec.mirror.aws import Aws
from buildspec.mirror.calls import Connections
from buildspec.mirror.config import read_started
from buildspec.mirror.ends import NetworkEnds, session_name, session_policy
from buildspec.mirror.report import Log
from buildspec.mirror.signing import Credentials
from buildspec.render import mirror_program
from modules.policies import builds
from modules.policies.statement import PolicyStatement
from tests.buildspec.mirror.cloud import Cloud
from tests.buildspec.mirror.test_config import CONFIG, UNIT

NEVER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"}


def _start(folder: Path, unit: Any, **variables: str) -> tuple[int, str]:
    """Start the program in a working directory that has modules of the same names."""
    program = folder / "program"
    subprocess.run(["bash", "-s", program], input=mirror_program(), text=True, check=True)
    (program / "unit.json").write_text(json.dumps(unit))
    for name in ("json", "ssl", "mirror"):
        (folder / f"{name}.py").write_text("raise SystemExit('a module of the working directory was imported')")
    ran = subprocess.run(
        [sys.executable, "-I", program],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(folder), **NEVER, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stderr == ""
    assert not list(folder.glob("tmp*")), "nothing stays behind"
    return ran.returncode, ran.stdout


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MIRROR": "shop", "ALLOW_DELETIONS": "1e9"}, "ALLOW_DELETIONS is '1e9', which is no whole number"),
        ({"MIRROR": "shop", "ALLOW_REWRITES": "-1"}, "ALLOW_REWRITES is '-1', which is no whole number"),
        ({"ALLOW_DELETIONS": "5"}, "ALLOW_DELETIONS and ALLOW_REWRITES are for one mirror"),
        ({"MIRROR": "other"}, "MIRROR is 'other', which is no mirror"),
    ],
)
def test_a_build_that_was_started_wrongly_connects_to_nothing(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    status, log = _start(tmp_path, UNIT, **variables)
    assert status == 2
    assert log.startswith(f"mirror: stopped: {said}")
    assert len(log.splitlines()) == 1


def test_a_wrong_configuration_connects_to_nothing(tmp_path: Path) -> None:
    status, log = _start(tmp_path, {**UNIT, "later": 1})
    assert (status, log) == (
        2,
        "mirror: stopped: unit.json: 'later' is not known. Apply the deployment with the newest version\n",
    )


def test_a_build_without_credentials_fails(tmp_path: Path) -> None:
    status, log = _start(tmp_path, UNIT, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://example.com/")
    assert status == 1
    assert log.startswith("mirror: stopped: the build was refused: NoCredentials: ")


def _allowed(statements: list[PolicyStatement]) -> list[tuple[set[str], set[str], Any]]:
    return [
        (
            set(statement.actions),
            set(statement.resources),
            [(condition.test, condition.variable, tuple(condition.values)) for condition in statement.conditions],
        )
        for statement in statements
    ]


def test_an_error_that_nobody_foresaw_is_one_line_without_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: Any) -> int:
        raise RuntimeError('\r{"_aws":{}}\nhostile')

    monkeypatch.setattr(main, "read_config", lambda _: CONFIG)
    monkeypatch.setattr(Path, "read_text", lambda *_: "")
    monkeypatch.setattr(main, "own_credentials", lambda *_: None)
    monkeypatch.setattr(main, "run", run)
    assert main.main() == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert re.fullmatch(r"mirror: stopped: an error of this program: RuntimeError \(main.py:\d+ > .*\)\n", out)
    assert "hostile" not in out


@pytest.mark.parametrize("key", ["website", "shop"])
def test_a_session_may_do_what_a_role_for_this_target_alone_may(key: str) -> None:
    mirror = CONFIG.mirrors[key]
    arn = f"arn:aws:codecommit:ap-northeast-1:222222222222:{mirror.target}"
    keys = [mirror.key_arn] if mirror.key_arn else []
    role = builds.mirror_into([arn], keys, unit="x", region="ap-northeast-1", account_id="222222222222")
    policy = session_policy(CONFIG, key)
    assert policy["Version"] == "2012-10-17"
    assert [
        (
            set(statement["Action"]),
            {statement["Resource"]},
            [
                (test, variable, (value,))
                for test, values in statement.get("Condition", {}).items()
                for variable, value in values.items()
            ],
        )
        for statement in policy["Statement"]
    ] == _allowed(role)
    assert all(statement["Effect"] == "Allow" for statement in policy["Statement"])


def test_says_how_to_store_a_key_that_is_not_there(tmp_path: Path) -> None:
    written = io.StringIO()
    started = read_started({"MIRROR": "website"}, CONFIG)
    with Cloud() as cloud:
        cloud.parameters[CONFIG.state_parameter] = "{}"
        status = main.run(CONFIG, started, cloud.aws(), cloud.connections, {}, tmp_path, Log(written))
    assert status == 1
    assert written.getvalue().splitlines()[0] == (
        f"mirror: stopped: the SSH key cannot be read from {CONFIG.source.key_parameter}: GetParameter was refused: "
        "ParameterNotFound. There is no such parameter: store the private key there, as a SecureString. With the "
        "deployment file, `main.py backlog-key put FILE` does that (docs/credentials.md#backlog)"
    )


def test_a_session_policy_fits() -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    long = dataclasses.replace(
        CONFIG.mirrors["shop"], target="x" * 100, key_arn=f"arn:aws:kms:ap-northeast-1:222222222222:key/{'0' * 36}"
    )
    config = dataclasses.replace(CONFIG, mirrors={"shop": long})
    assert len(json.dumps(session_policy(config, "shop"), separators=(",", ":"))) < 2048


@pytest.mark.parametrize(("key", "name"), [("website", "website"), ("a", "mirror-a"), ("x" * 80, "x" * 64)])
def test_a_session_is_named_as_its_mirror(key: str, name: str) -> None:
    assert session_name(key) == name


def test_two_mirrors_of_a_build_have_a_copy_at_a_time(tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, role_arn=None, cache="none")
    having, most, lock = 0, 0, threading.Lock()
    two = threading.Barrier(2)

    def copy(number: int) -> None:
        nonlocal having, most
        work = tmp_path / str(number)
        work.mkdir()
        connections = Connections()
        aws = Aws("ap-northeast-1", lambda: Credentials("AKIAEXAMPLE", "the secret key", None), connections)
        with NetworkEnds("website", config, aws, tmp_path, work, Log(io.StringIO())) as ends:
            ends.copy()
            assert ends.copy() is ends.copy()
            with lock:
                having += 1
                most = max(most, having)
            two.wait(30)
            time.sleep(0.05)
            with lock:
                having -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(copy, range(8)))
    assert most == 2
