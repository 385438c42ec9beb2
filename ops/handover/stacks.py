"""The stacks that are handed over, each with the other files that its Terraform reads."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import Problem, RefusedError
from terraform import output
from terraform.output import Stack
from terraform.templates import Literal, TemplateError, parts, rewritten

# What Terraform wrote for its user, who keeps it.
_NOT_HANDED_OVER = re.compile(
    r"(^|/)\.terraform(/|\.lock\.hcl$)|\.tfstate(\.|$)|\.tfplan$|(^|/)plan$|\.tfvars(\.json)?$"
)

_TERRAFORM_FILES = (".tf", ".tofu", ".tf.json", ".tofu.json")

# A provisioner and a data source that run programs, which may read any file.
_PROGRAMS = frozenset({"local-exec", "external"})

# https://developer.hashicorp.com/terraform/language/functions: file, fileset, filebase64 and so on, and templatefile.
_FILE_FUNCTION = re.compile(r"\b(file\w*|templatefile)\s*\(")
_CALL = re.compile(_FILE_FUNCTION.pattern + "\0")

# A name counts wherever the folder before it comes from: `${abspath(path.module)}/x.conf` names x.conf.
_FOLDER = re.compile(r"^\$\{.*\}/")
_QUOTED_NAME = re.compile(r'"(?:[^"]*\}/)?([^"$%\\]+)"')
_LITERAL_ARGUMENT = re.compile(r'\s*"(?:\$\{\s*path\.(?:module|root|cwd)\s*\}/)?[^"$%\\]+"\s*[,)]')


@dataclass(frozen=True, kw_only=True)
class HandoverStack(Stack):
    """A stack with exact numbers. files_read: the other files in its folder that it reads, by path, such as assets."""

    files_read: Mapping[str, bytes]

    @property
    def target(self) -> str:
        """Its folder in the handover."""
        return f"{self.account}/{self.name}" if self.account else self.name


def read(out: Path) -> list[HandoverStack]:
    """The stacks below `out`, each after those it depends on.

    Raises RefusedError if it is not known whether Terraform reads a file.
    """
    stacks = output.read(out, exact_numbers=True)
    problems: list[Problem] = []
    found = [HandoverStack(**vars(stack), files_read=_files_read(stack, problems)) for stack in stacks]
    if problems:
        raise RefusedError(problems)
    return found


def _files_read(stack: Stack, problems: list[Problem]) -> dict[str, bytes]:
    """Terraform's own files, everything in subfolders (Terraform may read a whole folder), and files that are named.

    The rest is for people, and an edit of it would have no effect. That is certain only if every path is known.
    """
    named, unknown = _paths(stack.document)
    read = {}
    for file in stack.other_files():
        path = file.relative_to(stack.folder).as_posix()
        if _NOT_HANDED_OVER.search(path):
            continue
        if "/" in path or path in named or path.endswith(_TERRAFORM_FILES):
            read[path] = file.read_bytes()
        elif unknown:
            what = f"Terraform may read it: {', '.join(sorted(unknown))} can read a file whose name is not in the JSON"
            problems.append(Problem(where=str(file), what=what, hint="move it to a subfolder, or out of the stack"))
    return read


def _paths(document: Any) -> tuple[set[str], set[str]]:
    """The paths that strings and expressions name, and what may read files whose names are not known."""
    named: set[str] = set()
    unknown: set[str] = set()
    for value in _values(document):
        if isinstance(value, dict):
            unknown |= _PROGRAMS & value.keys()
            continue
        named |= {posixpath.normpath(_FOLDER.sub("", value))}
        try:
            sources = [part.source for part in parts(value) if not isinstance(part, Literal)]
            for source in sources:
                named |= {posixpath.normpath(path) for path in _QUOTED_NAME.findall(source)}
                marked = rewritten(source, lambda text: _FILE_FUNCTION.sub("\\g<0>\0", text))
                unknown |= {
                    f"{call[1]}()" for call in _CALL.finditer(marked) if not _LITERAL_ARGUMENT.match(marked, call.end())
                }
        except TemplateError:
            unknown.add("an expression that cannot be split")
    return named, unknown


def _values(value: Any) -> Iterator[Any]:
    """Every string and every object within a value."""
    if isinstance(value, str | dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values(item)
