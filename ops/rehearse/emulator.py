"""Starts the emulated AWS in a process of its own, sends it requests about itself, and stops it."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from errors import RefusedError, refused
from ops.rehearse.prerequisites import Prerequisites

_PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Record:
    """The calls that the emulator has answered so far; counts are by `service:Operation`.

    made: answered by a stand-in alone. corrected: moto's answers that a stand-in corrected. because: why each service
    has a stand-in. unknown: calls that neither moto nor a stand-in knows, with the reason.
    """

    calls: int
    made: dict[str, int]
    corrected: dict[str, int]
    because: dict[str, str]
    unknown: list[str] = field(default_factory=list)


class Emulator:
    """Emulated AWS on loopback, for as long as the `with` block lasts.

    with Emulator(log=Path("emulator.log")) as aws:
        client = boto3.client("ec2", endpoint_url=aws.url, aws_access_key_id="111111111111", ...)
    """

    url: str

    def __init__(self, *, log: Path) -> None:
        self._log = log
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        # The user's AWS and moto settings do not reach the emulator.
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MOTO_"))}
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ops.rehearse.server"],
                cwd=_PROJECT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                bufsize=1,
                start_new_session=True,  # Ctrl-C reaches the rehearsal only, which then stops this
            )
        self.url = f"http://127.0.0.1:{self._read()}"
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def seed(self, prerequisites: Prerequisites) -> None:
        self._ask({"seed": prerequisites.model_dump(mode="json")})

    def make_bucket(self, *, account: str, region: str, name: str) -> None:
        self._ask({"make_bucket": name, "account": account, "region": region})

    def inventory(self, accounts: list[str], region: str) -> dict[str, set[str]]:
        """What each account contains, as paths into moto (`ec2.vpcs/vpc-1`)."""
        answer = self._ask({"inventory_of": accounts, "region": region})
        return {account: set(paths) for account, paths in answer.items()}

    def counts(self, account: str, values: Sequence[str | int]) -> list[int]:
        """How often each value occurs in what the account contains; text may be part of a longer text (a policy)."""
        answer: list[int] = self._ask({"counts_of": list(values), "account": account})
        return answer

    def record(self) -> Record:
        return Record(**self._ask("record"))

    def _ask(self, question: Any) -> Any:
        with self._turn:
            if self._process.stdin is None or self._process.poll() is not None:
                raise self._ended()
            self._process.stdin.write(json.dumps(question) + "\n")
            answer = self._read()
        if "error" in answer:
            raise self._refused(answer["error"])
        return answer["answer"]

    def _read(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.wait(timeout=5)
            raise self._ended()
        return json.loads(line)

    def _ended(self) -> RefusedError:
        last = self._log.read_text(encoding="utf-8").strip().splitlines()[-1:] or ["it printed nothing"]
        return self._refused(f"ended with exit code {self._process.returncode}: {last[0]}")

    def _refused(self, what: str) -> RefusedError:
        return refused("the emulated AWS", what, f"its log is {self._log}")
