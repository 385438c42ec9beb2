"""Lets `terraform validate` read a handover before it is put in place."""

import json
import os
import posixpath
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from errors import Problem, RefusedError
from errors.shown import counted, shown
from terraform.cli import OF_PROVIDERS, Diagnostic, FinishedRun, TerraformCli, diagnostic, message, own_environment

# The codes of the messages with which `terraform init -json` starts on providers; it has read the whole configuration
# then. Later releases append where the providers are named.
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/views/init.go
_ON_PROVIDERS = "initializing_provider_plugin"
_CORRECT = "correct it in the project, where `terraform validate` says the same of the JSON; else, report it"
_OR_UNREACHABLE = "correct it in the project; if a module is out of reach here, --no-providers validates nothing"
_PARAGRAPH = "\n\n"
_LINE_END = "\n"  # the only one that Terraform counts
_AT_ONCE = 2  # each runs a provider of half a gigabyte


@dataclass(frozen=True, kw_only=True)
class Invalid:
    """An error of Terraform. place: the file and line, where Terraform names one. hint: what to do about it."""

    stack: str
    place: str
    what: str
    hint: str = _CORRECT

    @property
    def file(self) -> str:
        """The path of the file that Terraform names."""
        return posixpath.normpath(f"{self.stack}/{self.place.rpartition(':')[0]}")

    @property
    def line(self) -> int:
        """The number of the line that Terraform names."""
        return int(self.place.rpartition(":")[2])


def errors_in(
    stacks: Mapping[str, Mapping[str, bytes]], terraform: TerraformCli, lay_out: Callable[[Path], None] = Path.mkdir
) -> list[Invalid]:
    """What `terraform validate` finds in stacks, whose files are given by path.

    `lay_out` makes a folder with what stands beside the stacks, such as modules that they take from there.
    Where Terraform has read a stack, but cannot get a provider, a line on stderr says that it was not validated.
    """
    found: list[Invalid] = []
    if stacks:
        print(f"validating {counted(len(stacks), 'stack')} with Terraform", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="kakehashi-validate-") as name:
        environment = environment_of_validation(Path(name) / "plugins")
        ready: dict[str, Path] = {}
        if stacks:
            lay_out(Path(name) / "handover")
        for number, (stack, files) in enumerate(stacks.items(), start=1):
            _say(f"validating {stack}: {number} of {len(stacks)}")
            folder = Path(name) / "handover" / stack
            folder.mkdir(parents=True, exist_ok=True)
            for path, content in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
            # One after the other: Terraform's cache of providers is not made for several at once.
            # https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
            done = terraform.run("init", "-backend=false", "-input=false", "-json", folder=folder, env=environment)
            if not done.returncode:
                ready[stack] = folder
            elif _lacks_a_provider(done):
                print(f"not validated: {stack}: {_one_line(done.errors[0])}", file=sys.stderr)
            else:
                found += _errors_of_init(stack, done)
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            try:
                for invalid in pool.map(lambda stack: _invalid(stack, ready[stack], terraform, environment), ready):
                    found += invalid
            except BaseException:
                terraform.stop()
                raise
    return found


def _lacks_a_provider(init: FinishedRun) -> bool:
    """Whether `terraform init` failed on providers alone: their errors name no place in a file."""
    codes = [str(message(line).get("message_code", "")) for line in init.stdout.splitlines()]
    started = any(code.startswith(_ON_PROVIDERS) for code in codes)
    return started and bool(init.errors) and not any(it.place for it in init.errors)


def _errors_of_init(stack: str, init: FinishedRun) -> list[Invalid]:
    errors = [Invalid(stack=stack, place=it.place, what=_one_line(it), hint=_OR_UNREACHABLE) for it in init.errors]
    unknown = " ".join(init.stderr.split()) or f"exit code {init.returncode}"
    return errors or [Invalid(stack=stack, place="", what=f"`terraform init` failed: {unknown}", hint=_OR_UNREACHABLE)]


def refuse_invalid(
    found: Sequence[Invalid],
    destination: Path,
    *,
    is_changed: Callable[[str], bool],
    merged_text: Callable[[str], str | None],
) -> None:
    """Raise RefusedError with the errors. `is_changed` says whether people changed or added a file.

    `merged_text` gives what a merged file would be: nobody has this text, so that its lines are shown, not counted.
    """
    problems = []
    for it in found:
        where, what, hint = f"{it.stack}/{it.place}", it.what, it.hint
        if it.place and is_changed(it.file):
            hint = "correct it in this file, which was changed or added since the last handover"
            if (text := merged_text(it.file)) is not None:
                where, hint = it.file, "correct it in this file or in the project; nothing was written"
                line = "".join(text.split(_LINE_END)[it.line - 1 : it.line]).strip()
                what = f"{what} (after the merge, in {shown(line)})"
        problems.append(Problem(where=os.path.normpath(destination / where), what=what, hint=hint))
    if problems:
        raise RefusedError(problems)


def _invalid(stack: str, folder: Path, terraform: TerraformCli, environment: Mapping[str, str]) -> list[Invalid]:
    done = terraform.run("validate", "-json", folder=folder, env=environment)
    try:
        diagnostics = [diagnostic(it) for it in json.loads(done.stdout)["diagnostics"]]
    except (ValueError, LookupError):
        unknown = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        return [Invalid(stack=stack, place="", what=f"`terraform validate` failed: {unknown}")]
    errors = [it for it in diagnostics if it.severity == "error"]
    return [Invalid(stack=stack, place=it.place, what=_one_line(it)) for it in errors]


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


def _one_line(error: Diagnostic) -> str:
    """An error's summary with the first paragraph of its details."""
    return " ".join(f"{error.summary}: {error.detail.strip().partition(_PARAGRAPH)[0]}".split()).rstrip(": ")


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(what, file=sys.stderr)
