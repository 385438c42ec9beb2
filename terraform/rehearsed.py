"""Reads what a rehearsal has to know from the synthesised files: the stacks, their order, accounts and state."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.rehearse.errors import RehearsalError


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """An S3 bucket that holds state."""

    name: str
    region: str


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack as it was synthesised.

    folder: relative to the output folder. profiles: names of AWS profiles, each with the account it leads to.
    """

    name: str
    folder: Path
    dependencies: frozenset[str]
    document: dict[str, Any]

    @property
    def account(self) -> str:
        return str(self._provider["allowed_account_ids"][0])

    @property
    def region(self) -> str:
        return str(self._provider["region"])

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        return dict(self.document.get("variable", {}))

    @property
    def assumes_role(self) -> bool:
        return bool(self._provider.get("assume_role"))

    @property
    def profiles(self) -> set[str]:
        """Profiles that the provider or the state asks for."""
        places = [self._provider, *(settings for kind, settings in self._states() if kind == "s3")]
        return {str(place["profile"]) for place in places if place.get("profile")}

    @property
    def buckets(self) -> set[Bucket]:
        return {
            Bucket(name=str(settings["bucket"]), region=str(settings.get("region", self.region)))
            for kind, settings in self._states()
            if kind == "s3"
        }

    @property
    def state_objects(self) -> set[str]:
        """State in S3, as `bucket/key`."""
        return {f"{settings['bucket']}/{settings['key']}" for kind, settings in self._states() if kind == "s3"}

    @property
    def state_files(self) -> set[str]:
        """Paths of local state, relative to the stack's folder."""
        return {str(settings.get("path", "terraform.tfstate")) for kind, settings in self._states() if kind == "local"}

    @property
    def protected(self) -> list[str]:
        """Addresses that Terraform refuses to destroy."""
        return [
            f"{kind}.{name}"
            for kind, resources in self.document.get("resource", {}).items()
            for name, resource in resources.items()
            if _lifecycle(resource).get("prevent_destroy")
        ]

    def without_protection(self) -> dict[str, Any]:
        """The document, with `prevent_destroy` off and nothing else changed."""
        document: dict[str, Any] = json.loads(json.dumps(self.document))
        for resources in document.get("resource", {}).values():
            for resource in resources.values():
                if _lifecycle(resource).get("prevent_destroy"):
                    _lifecycle(resource)["prevent_destroy"] = False
        return document

    @property
    def _provider(self) -> dict[str, Any]:
        provider: dict[str, Any] = _as_list(self.document["provider"]["aws"])[0]
        return provider

    def _states(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.document.get("terraform", {}).get("backend", {}).items()
        for remote in self.document.get("data", {}).get("terraform_remote_state", {}).values():
            yield remote["backend"], remote["config"]


def read(out: Path) -> list[Stack]:
    """The stacks that `out` holds, in an order in which each comes after what it depends on."""
    try:
        manifest = json.loads((out / "manifest.json").read_text())
        stacks = {
            name: Stack(
                name=name,
                folder=Path(entry["workingDirectory"]),
                dependencies=frozenset(entry.get("dependencies", [])),
                document=json.loads((out / entry["synthesizedStackPath"]).read_text()),
            )
            for name, entry in manifest["stacks"].items()
        }
    except FileNotFoundError as error:
        raise RehearsalError(f"{error.filename}: there is nothing to rehearse", hint="run `make synth` first") from None
    for stack in stacks.values():
        if not stack._provider.get("allowed_account_ids"):
            raise RehearsalError(
                f"{stack.name}: its provider names no account (allowed_account_ids)",
                hint="synthesise it with this project's stacks; a rehearsal has to know which account is meant",
            )
    ordered: list[Stack] = []
    while len(ordered) < len(stacks):
        done = {stack.name for stack in ordered}
        ordered += [stack for stack in stacks.values() if stack.name not in done and stack.dependencies <= done]
    return ordered


def _lifecycle(resource: dict[str, Any]) -> dict[str, Any]:
    lifecycle: dict[str, Any] = resource.get("lifecycle", {})
    return lifecycle


def _as_list(value: Any) -> list[Any]:
    """Terraform's JSON allows a single block to stand without its list."""
    return value if isinstance(value, list) else [value]
