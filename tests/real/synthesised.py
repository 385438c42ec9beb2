"""One stack of one deployment file, as tests with real programs take it."""

from dataclasses import dataclass
from pathlib import Path

from tests.terraform import Terraform


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What was synthesised for one stack: the folder Terraform runs in, and what Terraform reads there."""

    deployment: str
    name: str
    folder: Path
    terraform: Terraform

    def __str__(self) -> str:
        return f"{self.deployment}/{self.name}"
