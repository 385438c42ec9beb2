"""Runs the user's Terraform CLI, and reads what it reports with `-json`."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import RefusedError, refused

OF_PROVIDERS = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")
"""Of the variables that configure Terraform, those with the paths of what says where providers come from."""

_LAST = 2000  # characters of an output that has no error of its own


def own_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """`inherited` without AWS settings, and without what changes Terraform (`TF_VAR_…`, `TF_CLI_ARGS…`, …)."""
    kept = {
        name: value for name, value in inherited.items() if not name.startswith(("AWS_", "TF_")) or name in OF_PROVIDERS
    }
    return {**kept, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """An error or a warning: https://developer.hashicorp.com/terraform/internals/machine-readable-ui#diagnostic

    address: of the resource whose provider reported it. place: the file and line, or empty where Terraform names none.
    """

    severity: str
    summary: str
    detail: str
    address: str | None
    place: str

    def __str__(self) -> str:
        place = f"\n  with {self.address}" if self.address else ""
        return f"{self.severity.capitalize()}: {self.summary}{place}\n\n{self.detail}".rstrip()


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A run that has ended."""

    arguments: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors that Terraform reported; they are known of commands with `-json`."""
        messages = (message(line) for line in self.stdout.splitlines())
        diagnostics = [it["diagnostic"] for it in messages if it.get("type") == "diagnostic"]
        return [diagnostic(it) for it in diagnostics if it["severity"] == "error"]

    def failure(self, where: str, hint: str) -> RefusedError:
        """The error of a run that should have succeeded, with what Terraform printed."""
        what = f"`terraform {self.arguments[0]}` failed with exit code {self.returncode}"
        printed = "\n\n".join(map(str, self.errors)) or self.stderr or self.stdout[-_LAST:]
        return refused(where, what, hint, details=printed)


class TerraformCli:
    """The `terraform` on PATH. Threads may share one, and `stop` ends all its runs.

    Raises RefusedError where there is none.
    """

    def __init__(self) -> None:
        program = shutil.which("terraform")
        if program is None:
            hint = "install Terraform 1.10 or later: https://developer.hashicorp.com/terraform/install"
            raise refused("terraform", "is not on PATH", hint)
        self._program = program
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False
        self._guard = threading.Lock()

    def run(
        self,
        *arguments: str,
        folder: Path,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], object] = lambda _: None,
    ) -> FinishedRun:
        """Run one command in `folder`, and call `on_line` with each line that it prints.

        Without `env`, the environment is the user's.
        """
        lines = []
        with tempfile.TemporaryFile("w+", encoding="utf-8") as stderr:
            process = self._start(arguments, folder, os.environ if env is None else env, stderr)
            try:
                for line in process.stdout or ():
                    lines.append(line.rstrip("\n"))
                    on_line(lines[-1])
                process.wait()
            except BaseException:
                _kill(process)
                raise
            finally:
                with self._guard:
                    self._running.discard(process)
            stderr.seek(0)
            return FinishedRun(
                arguments=arguments, returncode=process.returncode, stdout="\n".join(lines), stderr=stderr.read()
            )

    def stop(self) -> None:
        """Kill every run and the providers it started; later runs are refused."""
        with self._guard:
            self._stopped = True
            running = list(self._running)
        for process in running:
            _kill(process)

    def _start(
        self, arguments: tuple[str, ...], folder: Path, env: Mapping[str, str], stderr: Any
    ) -> subprocess.Popen[str]:
        with self._guard:
            if self._stopped:
                raise refused("terraform", "was stopped", "start the command again")
            process = subprocess.Popen(  # noqa: S603 - the program was looked up, the arguments are ours
                [self._program, *arguments],
                cwd=folder,
                env={**env, "CHECKPOINT_DISABLE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                encoding="utf-8",
                start_new_session=True,  # so that its providers can be stopped with it
            )
            self._running.add(process)
            return process


def message(line: str) -> Mapping[str, Any]:
    """A line of `-json` output, by https://developer.hashicorp.com/terraform/internals/machine-readable-ui

    Empty for a line of any other kind.
    """
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "@message" in found else {}


def diagnostic(content: Mapping[str, Any]) -> Diagnostic:
    """Read one diagnostic of `-json` output."""
    source = content.get("range")
    return Diagnostic(
        severity=content["severity"],
        summary=content["summary"],
        detail=content.get("detail", ""),
        address=content.get("address"),
        place=f"{source['filename']}:{source['start']['line']}" if source else "",
    )


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
