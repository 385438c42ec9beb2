"""Starts the emulated AWS in a process of its own, asks it questions, and stops it."""

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

from ops.rehearse.existing import Existing

_PROJECT = Path(__file__).resolve().parents[2]


class EmulatorError(Exception):
    """The emulator did not start, ended early, or could not do what it was told."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the emulator was asked so far; counts are by `service:Operation`."""

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
        # No AWS or moto setting of the user's reaches the emulator.
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MOTO_"))}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ops.rehearse.server"],
                cwd=_PROJECT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
                start_new_session=True,  # Ctrl-C is for the rehearsal, which stops this in its own time
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

    def seed(self, existing: Existing) -> None:
        self._ask({"seed": existing.to_json()})

    def make_bucket(self, *, account: str, region: str, name: str) -> None:
        self._ask({"make_bucket": name, "account": account, "region": region})

    def inventory(self, accounts: list[str], region: str) -> dict[str, set[str]]:
        """What each account holds, as paths into moto (`ec2.vpcs/vpc-1`)."""
        answer = self._ask({"inventory_of": accounts, "region": region})
        return {account: set(paths) for account, paths in answer.items()}

    def counts(self, account: str, values: Sequence[str | int]) -> list[int]:
        """How often each value stands in what the account holds; text may be part of a longer text (a policy)."""
        answer: list[int] = self._ask({"counts_of": list(values), "account": account})
        return answer

    def record(self) -> Record:
        return Record(**self._ask("record"))

    def _ask(self, question: Any) -> Any:
        with self._turn:
            if self._process.stdin is None or self._process.poll() is not None:
                raise EmulatorError(self._ended())
            self._process.stdin.write(json.dumps(question) + "\n")
            answer = self._read()
        if "error" in answer:
            raise EmulatorError(f"the emulated AWS: {answer['error']}")
        return answer["answer"]

    def _read(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.wait(timeout=5)
            raise EmulatorError(self._ended())
        return json.loads(line)

    def _ended(self) -> str:
        last = self._log.read_text().strip().splitlines()[-1:] or ["it said nothing"]
        return f"the emulated AWS ended with exit code {self._process.returncode}: {last[0]}"
