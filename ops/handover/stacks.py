"""The stacks that are handed over, each with the other files that its Terraform reads."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terraform import output
from terraform.output import Stack

# What Terraform wrote for its user, who keeps it.
_NOT_HANDED_OVER = re.compile(
    r"(^|/)\.terraform(/|\.lock\.hcl$)|\.tfstate(\.|$)|\.tfplan$|(^|/)plan$|\.tfvars(\.json)?$"
)


@dataclass(frozen=True, kw_only=True)
class HandoverStack(Stack):
    """A stack with exact numbers. files_read: the other files in its folder that it reads, by path, such as assets."""

    files_read: Mapping[str, bytes]

    @property
    def target(self) -> str:
        """Its folder in the handover."""
        return f"{self.account}/{self.name}" if self.account else self.name


def read(out: Path) -> list[HandoverStack]:
    """The stacks below `out`, each after those it depends on."""
    stacks = output.read(out, exact_numbers=True)
    return [HandoverStack(**vars(stack), files_read=_files_read(stack)) for stack in stacks]


def _files_read(stack: Stack) -> dict[str, bytes]:
    texts = list(_texts(stack.document))
    files = {path.relative_to(stack.folder).as_posix(): path for path in stack.other_files()}
    return {
        path: file.read_bytes()
        for path, file in files.items()
        if not _NOT_HANDED_OVER.search(path) and _is_read(path, texts)
    }


def _is_read(path: str, texts: Sequence[str]) -> bool:
    """Whether Terraform may read a file.

    Terraform reads every file of its own, and a file in a subfolder may be read through the folder's name. Of the
    other files in the stack's folder, only those count whose names occur in the Terraform; the rest is for people,
    and an edit of it would have no effect.
    """
    if "/" in path or re.search(r"\.(tf|tofu)(\.json)?$", path):
        return True
    name = re.escape(path)
    in_an_expression = re.compile(rf'(\}}|\.)/{name}|\(\s*"{name}"')
    as_a_value = re.compile(rf'(^|["\s]){name}')
    return any(in_an_expression.search(text) or ("\n" not in text and as_a_value.search(text)) for text in texts)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)
