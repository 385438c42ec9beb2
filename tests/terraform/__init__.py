"""Reads synthesised Terraform in tests."""

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@dataclass(frozen=True)
class Terraform:
    """One stack's `cdk.tf.json`."""

    json: Mapping[str, Any]

    def resource(self, address: str) -> dict[str, Any]:
        """The arguments of one resource, by `type.name`."""
        kind, name = address.split(".")
        arguments: dict[str, Any] = self.json["resource"][kind][name]
        return arguments

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """All resources of a kind, by name."""
        found: dict[str, dict[str, Any]] = self.json.get("resource", {}).get(kind, {})
        return found

    def statements(self, policy: str) -> dict[str, dict[str, Any]]:
        """The statements behind `${data.aws_iam_policy_document.NAME.json}`, by sid."""
        name = policy.removeprefix("${data.aws_iam_policy_document.").removesuffix(".json}")
        documents = self.json["data"]["aws_iam_policy_document"]
        return {statement["sid"]: statement for statement in documents[name]["statement"]}

    def addresses(self) -> list[str]:
        """Every address: resources, data sources, variables and outputs."""
        return sorted(
            [f"{kind}.{name}" for kind, named in self.json.get("resource", {}).items() for name in named]
            + [f"data.{kind}.{name}" for kind, named in self.json.get("data", {}).items() for name in named]
            + [f"{what}.{name}" for what in ("variable", "output") for name in self.json.get(what, {})]
        )


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """A deployment's output folder, and the Terraform of its stacks by name."""

    out: Path
    terraform: Mapping[str, Terraform]

    def __getitem__(self, name: str) -> Terraform:
        return self.terraform[name]


def read(out: Path) -> Stacks:
    """The Terraform in an output folder."""
    folders = sorted((out / "stacks").iterdir())
    terraform = {folder.name: Terraform(json.loads((folder / "cdk.tf.json").read_text())) for folder in folders}
    return Stacks(out=out, terraform=terraform)


@functools.cache
def _settings(deployment: Path) -> dict[str, Any]:
    settings: dict[str, Any] = YAML(typ="safe").load(deployment)
    return settings


def with_changes(deployment: Path, changes: Mapping[str, object]) -> dict[str, Any]:
    """A deployment file's settings with changes by dotted path; None removes a setting."""
    settings = copy.deepcopy(_settings(deployment))
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = settings
        for key in parents:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return settings
