"""Runs the Terraform CLI."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.rehearse.errors import RehearsalError

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Terraform:
    """The CLI, with a log file per run under `logs`."""

    def __init__(self, *, logs: Path) -> None:
        program = shutil.which("terraform")
        if program is None:
            raise RehearsalError(
                "terraform: there is no such program on PATH",
                hint="install Terraform 1.10 or later: https://developer.hashicorp.com/terraform/install",
            )
        self._program = program
        self._logs = logs
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False
        self._guard = threading.Lock()

    def run(
        self,
        *arguments: str,
        folder: Path,
        env: Mapping[str, str],
        log: str,
        accept: tuple[int, ...] = (0,),
        watch: Callable[[str], None] = lambda _: None,
    ) -> "Finished":
        """Run one command; each line of what it says goes to `watch`. An exit code not in `accept` is an error."""
        path = self._logs / f"{log}.log"
        with path.open("a") as copy:
            copy.write(f"$ terraform {' '.join(arguments)}\n")
            with self._guard:
                if self._stopped:
                    raise RehearsalError("the rehearsal was stopped", hint="start it again")
                process = subprocess.Popen(  # noqa: S603 - the program was looked up, the arguments are ours
                    [self._program, *arguments],
                    cwd=folder,
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    start_new_session=True,  # so that its providers can be stopped with it
                )
                self._running.add(process)
            lines = []
            try:
                for line in process.stdout or ():
                    plain = _COLOUR.sub("", line.rstrip("\n"))
                    copy.write(plain + "\n")
                    lines.append(plain)
                    watch(plain)
                process.wait()
            finally:
                with self._guard:
                    self._running.discard(process)
        finished = Finished(process.returncode, "\n".join(lines))
        if finished.code not in accept:
            raise RehearsalError(
                f"{log}: `terraform {arguments[0]}` failed with exit code {finished.code}",
                hint=f"the whole log is in {path}",
                said=finished.errors() or finished.text[-2000:],
            )
        return finished

    def stop(self) -> None:
        """End every run, with the providers it started, and start no more."""
        with self._guard:
            self._stopped = True
            running = list(self._running)
        for process in running:
            try:
                os.killpg(process.pid, 9)
            except ProcessLookupError:
                continue


class Finished:
    """How a run ended, and what it said."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text

    def errors(self) -> str:
        """What Terraform calls an error, without the plan before it."""
        start = self.text.find("\nError:") if not self.text.startswith("Error:") else 0
        return self.text[start:].strip() if start >= 0 else ""
