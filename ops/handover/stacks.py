"""The stacks that are handed over, each with the other files that its Terraform reads."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errors import Problem, RefusedError
from errors.shown import shown
from ops.handover.inputs import with_inputs
from ops.handover.local_states import local_settings
from ops.handover.paths import CONFIGURES_TERRAFORM, leads_out, wrong_name
from terraform import output
from terraform.output import Stack, StateLocation
from terraform.templates import Literal, TemplateError, parts, rewritten

# What Terraform wrote for its user, who keeps it.
_NOT_HANDED_OVER = re.compile(r"(^|/)(?i:\.terraform)(/|\.lock\.hcl$)|\.tfstate(\.|$)|\.tfplan$|(^|/)plan$")

_TERRAFORM_FILES = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json")

# A provisioner and a data source that run programs, which may read any file.
_PROGRAMS = frozenset({"local-exec", "external"})

# https://developer.hashicorp.com/terraform/language/functions: file, fileset, filebase64 and so on, and templatefile.
_FILE_FUNCTION = re.compile(r"\b(file\w*|templatefile)\s*\(")
_CALL = re.compile(_FILE_FUNCTION.pattern + "\0")

# A name counts wherever the folder before it comes from: `${abspath(path.module)}/x.conf` names x.conf.
_FOLDER = re.compile(r"^\$\{.*\}/")
_QUOTED_NAME = re.compile(r'"(?:[^"]*\}/)?([^"$%\\]+)"')
_LITERAL_ARGUMENT = re.compile(r'\s*"(?:\$\{\s*path\.(?:module|root|cwd)\s*\}/)?([^"$%\\]+)"\s*[,)]')

# Where a module of the stack reads another one, as HCL and as JSON.
_MODULE_SOURCE = re.compile(r'\bsource"?\s*[=:]\s*"((?:\.|/|file:)[^"]*)"')

_OUTSIDE = "is outside the stack's folder and would not be handed over"
_COPY_IT = "let cdktf copy it (an asset)"


@dataclass(frozen=True, kw_only=True)
class HandoverStack(Stack):
    """A stack with exact numbers. files_read: the other files in its folder that it reads, by path, such as assets."""

    files_read: Mapping[str, bytes]

    @property
    def target(self) -> str:
        """Its folder in the handover."""
        return f"{self.account}/{self.name}" if self.account else self.name

    @property
    def state_place(self) -> str:
        """Where its state is, whatever else its backend's settings say."""
        for settings in output.objects(self.document.get("terraform")):
            if "cloud" in settings:
                return f"cloud: {json.dumps(settings['cloud'], sort_keys=True)}"
        match self.state:
            case StateLocation(backend="local") as local:
                return f"local: {posixpath.normpath(str(local))}"
            case StateLocation(backend="s3", settings={"bucket": _, "key": _}) as s3:
                return str(s3)
            case StateLocation(backend=backend, settings=others):
                return f"{backend}: {json.dumps(others, sort_keys=True)}"


@dataclass(frozen=True)
class _Paths:
    """named: the paths that strings and expressions name. unknown: what may read files whose names are not known."""

    named: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


def read(out: Path) -> list[HandoverStack]:
    """The stacks below `out` with their inputs as variables, each after those it depends on.

    Raises RefusedError if a stack's name cannot be a folder's, if its inputs contradict each other, if Terraform reads
    a file outside the stack's folder, and if it is not known whether Terraform reads a file.
    """
    stacks = output.read(out, exact_numbers=True)
    hint = "rename the stack, and synthesise again"
    problems = [Problem(where=str(out), what=what, hint=hint) for it in stacks if (what := wrong_name(it.name))]
    seen: dict[str, str] = {}
    for name in (stack.name for stack in stacks):
        if (other := seen.setdefault(name.casefold(), name)) != name:
            what = f"{name!r} and {other!r} are one folder where case does not count, as on macOS and Windows"
            problems.append(Problem(where=str(out), what=what, hint=hint))
    found = []
    for stack in stacks:
        try:
            document = with_inputs(stack.document, name=stack.name)
        except RefusedError as error:
            problems += error.problems
            continue
        found.append(HandoverStack(**{**vars(stack), "document": document}, files_read=_files_read(stack, problems)))
    if problems:
        raise RefusedError(problems)
    return found


def _files_read(stack: Stack, problems: list[Problem]) -> dict[str, bytes]:
    """Terraform's own files, everything in subfolders (Terraform may read a whole folder), and files that are named.

    The rest is for people, and an edit of it would have no effect. That is certain only if every path is known.
    """
    paths = _paths(stack, problems)
    read = {}
    for file in stack.other_files():
        path = file.relative_to(stack.folder).as_posix()
        if _NOT_HANDED_OVER.search(path):
            continue
        if CONFIGURES_TERRAFORM.search(path):
            what = "configures Terraform itself, which may then run programs from this folder"
            problems.append(Problem(where=str(file), what=what, hint="remove it from the stack's folder"))
        elif "/" in path or path in paths.named or path.endswith(_TERRAFORM_FILES):
            read[path] = file.read_bytes()
            problems += _sources_outside(file, path, read[path])
        elif paths.unknown:
            readers = ", ".join(sorted(paths.unknown))
            what = f"Terraform may read it: {readers} can read a file whose name is not in the JSON"
            problems.append(Problem(where=str(file), what=what, hint="move it to a subfolder, or out of the stack"))
    return read


def _sources_outside(file: Path, path: str, content: bytes) -> Iterator[Problem]:
    """A problem for each module outside the stack that a module in it reads."""
    if path.endswith(_TERRAFORM_FILES):
        for source in _MODULE_SOURCE.findall(content.decode(errors="replace")):
            if leads_out(source.removeprefix("file:"), folder=posixpath.dirname(path)):
                yield Problem(where=str(file), what=f"{shown(source)} {_OUTSIDE}", hint=_COPY_IT)


def _paths(stack: Stack, problems: list[Problem]) -> _Paths:
    found = _Paths()
    settings = {id(it) for it in local_settings(stack.document)}
    states: set[str] = set()  # their paths are kept, see state_paths.py
    for where, value in _values(stack.document):
        if isinstance(value, dict):
            if id(value) in settings:
                states.add(f"{where}.path")
            found.unknown.update(_PROGRAMS & value.keys())
            continue
        names = {_FOLDER.sub("", value)}
        read: set[str] = set()
        try:
            for source in (part.source for part in parts(value) if not isinstance(part, Literal)):
                names |= {*_QUOTED_NAME.findall(source)}
                marked = rewritten(source, lambda text: _FILE_FUNCTION.sub("\\g<0>\0", text))
                for call in _CALL.finditer(marked):
                    argument = _LITERAL_ARGUMENT.match(marked, call.end())
                    (read if argument else found.unknown).add(argument[1] if argument else f"{call[1]}()")
        except TemplateError:
            found.unknown.add("an expression that cannot be split")
        found.named.update(map(posixpath.normpath, names))
        outside = {path for path in read if leads_out(path)}
        if where not in states:
            outside |= {path for path in names if _is_file_outside(path, stack)}
        problems += [
            Problem(where=f"{stack.name}: {where}", what=f"{shown(path)} {_OUTSIDE}", hint=_COPY_IT)
            for path in sorted(outside)
        ]
    return found


def _is_file_outside(path: str, stack: Stack) -> bool:
    """Whether a text names a file of the project that is outside the stack's folder."""
    if "/" not in path or not leads_out(path):
        return False
    try:
        file, project = (stack.folder / path).resolve(), stack.folder.resolve().parent.parent.parent
        return file.is_file() and (not Path(path).is_absolute() or file.is_relative_to(project))
    except (OSError, ValueError):  # no path at all, for example because it is too long
        return False


def _values(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every string and every object within a value, each with its place; comments apart."""
    if isinstance(value, str | dict):
        yield where, value
    if isinstance(value, dict):
        for name, item in value.items():
            if name != "//":
                yield from _values(item, f"{where}.{name}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, f"{where}[{index}]")
