"""One stack of one deployment file, for tests with real programs."""

from dataclasses import dataclass
from pathlib import Path

from tests.terraform import Terraform


@dataclass(frozen=True, kw_only=True)
class DeploymentStack:
    """One synthesised stack: the folder in which Terraform runs, and the Terraform there."""

    deployment: str
    name: str
    folder: Path
    terraform: Terraform

    def __str__(self) -> str:
        return f"{self.deployment}/{self.name}"
