"""Lets `terraform validate` read a handover before it is put in place."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import Problem, RefusedError
from errors.shown import counted
from terraform.cli import OF_PROVIDERS, TerraformCli, own_environment

# Summaries of errors of `terraform init` that say nothing about the configuration.
# https://github.com/hashicorp/terraform/tree/v1.11.4/internal/command (init.go) and internal/initwd (module_install.go)
_UNAVAILABLE = re.compile(
    r"Failed to (query|install|download|resolve|obtain|validate)|Error (accessing|while|installing)|Could not"
    r"|Incompatible|Invalid provider registry|Module not found|Registry service|Unsupported Terraform Core"
    r"|Inconsistent dependency"
)
_PARAGRAPH = "\n\n"
_AT_ONCE = 2  # each runs a provider of half a gigabyte


@dataclass(frozen=True, kw_only=True)
class Invalid:
    """An error of `terraform validate`. place: the file and line, where Terraform names one."""

    stack: str
    place: str
    what: str

    @property
    def file(self) -> str:
        """The path of the file that Terraform names."""
        return f"{self.stack}/{self.place.rpartition(':')[0]}"


def errors_in(stacks: Mapping[str, Mapping[str, bytes]], terraform: TerraformCli) -> list[Invalid]:
    """What `terraform validate` finds in stacks, whose files are given by path.

    Where Terraform cannot get a provider or a module, a line on stderr says that a stack was not validated.
    """
    found: list[Invalid] = []
    if stacks:
        print(f"validating {counted(len(stacks), 'stack')} with Terraform", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="kakehashi-validate-") as name:
        environment = environment_of_validation(Path(name) / "plugins")
        ready: dict[str, Path] = {}
        for number, (stack, files) in enumerate(stacks.items(), start=1):
            _say(f"validating {stack}: {number} of {len(stacks)}")
            folder = Path(name) / str(number)
            for path, content in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
            # One after the other: Terraform's cache of providers is not made for several at once.
            # https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
            errors = _errors_of_init(folder, terraform, environment)
            if errors and any(_UNAVAILABLE.match(it) for it in errors):
                print(f"not validated: {stack}: {errors[0]}", file=sys.stderr)
            elif errors:
                found += [Invalid(stack=stack, place="", what=it) for it in errors]
            else:
                ready[stack] = folder
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            try:
                for invalid in pool.map(lambda stack: _invalid(stack, ready[stack], terraform, environment), ready):
                    found += invalid
            except BaseException:
                terraform.stop()
                raise
    return found


def _errors_of_init(folder: Path, terraform: TerraformCli, environment: Mapping[str, str]) -> list[str]:
    done = terraform.run("init", "-backend=false", "-input=false", "-json", folder=folder, env=environment)
    if not done.returncode:
        return []
    errors = [_one_line(it.summary, it.detail) for it in done.errors]
    return errors or [_one_line("Error while initialising", done.stderr)]


def refuse_invalid(found: Sequence[Invalid], destination: Path, is_changed: Callable[[str], bool]) -> None:
    """Raise RefusedError with the errors. `is_changed` says whether people changed or added a file."""
    problems = []
    for it in found:
        hint = "correct it in the project, where `terraform validate` says the same of the JSON; else, report it"
        if it.place and is_changed(it.file):
            hint = "correct it in this file, which was changed or added since the last handover"
        problems.append(Problem(where=str(destination / it.stack / it.place), what=it.what, hint=hint))
    if problems:
        raise RefusedError(problems)


def _invalid(stack: str, folder: Path, terraform: TerraformCli, environment: Mapping[str, str]) -> list[Invalid]:
    done = terraform.run("validate", "-json", folder=folder, env=environment)
    try:
        diagnostics: list[dict[str, Any]] = json.loads(done.stdout)["diagnostics"]
    except (ValueError, LookupError):
        return [Invalid(stack=stack, place="", what=_one_line("`terraform validate` failed", done.stderr))]
    return [
        Invalid(stack=stack, place=_place(it.get("range")), what=_one_line(it["summary"], it.get("detail", "")))
        for it in diagnostics
        if it["severity"] == "error"
    ]


def _place(range: Mapping[str, Any] | None) -> str:
    return f"{range['filename']}:{range['start']['line']}" if range else ""


def environment_of_validation(plugins: Path) -> dict[str, str]:
    """The user's environment without settings; where it has no cache of providers, one for all stacks in `plugins`.

    Its paths are absolute: Terraform runs in a stack's folder, and takes no configuration from there.
    """
    plugins.mkdir()
    environment = own_environment(os.environ)
    environment |= {name: os.path.abspath(it) for name in OF_PROVIDERS if (it := environment.get(name))}
    config = Path(environment.get("TF_CLI_CONFIG_FILE") or Path.home() / ".terraformrc")
    has_cache = config.is_file() and "plugin_cache_dir" in config.read_text(encoding="utf-8", errors="replace")
    return environment if has_cache else {"TF_PLUGIN_CACHE_DIR": str(plugins), **environment}


def _one_line(summary: str, detail: str) -> str:
    """An error's summary with the first paragraph of its details."""
    return " ".join(f"{summary}: {detail.strip().partition(_PARAGRAPH)[0]}".split()).rstrip(": ")


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(what, file=sys.stderr)
