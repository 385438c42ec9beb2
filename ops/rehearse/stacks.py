"""The stacks of a rehearsal: which account each belongs to, and which profiles, buckets and files it expects."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import refused
from terraform import output
from terraform.output import Stack


@dataclass(frozen=True, kw_only=True)
class StateBucket:
    """An S3 bucket for state."""

    name: str
    region: str


@dataclass(frozen=True, kw_only=True)
class RehearsalStack(Stack):
    """A stack whose account is known."""

    @property
    def account(self) -> str:
        account = super().account
        if account is None:
            what = "its provider does not name one account (allowed_account_ids)"
            raise refused(self.name, what, "name the account that is meant: a rehearsal emulates that one")
        return account

    @property
    def assumes_role(self) -> bool:
        return bool(self.provider.get("assume_role"))

    @property
    def profiles(self) -> set[str]:
        """AWS profiles that the provider or the state names."""
        places = [self.provider, *(state.settings for state in self.states if state.backend == "s3")]
        return {str(place["profile"]) for place in places if place.get("profile")}

    @property
    def buckets(self) -> set[StateBucket]:
        return {
            StateBucket(name=str(state.settings["bucket"]), region=str(state.settings.get("region", self.region)))
            for state in self.states
            if state.backend == "s3"
        }

    @property
    def state_objects(self) -> set[str]:
        """State in S3, as `bucket/key`."""
        return {f"{state.settings['bucket']}/{state.settings['key']}" for state in self.states if state.backend == "s3"}

    @property
    def state_files(self) -> set[str]:
        """Paths of local state, relative to the stack's folder."""
        return {str(state) for state in self.states if state.backend == "local"}

    def without_protection(self) -> dict[str, Any]:
        """The document, with `prevent_destroy` off and nothing else changed."""
        document: dict[str, Any] = json.loads(json.dumps(self.document))
        unlocked = RehearsalStack(name=self.name, document=document)
        for _, _, resource in unlocked.resources():
            lifecycle = resource.get("lifecycle")
            if isinstance(lifecycle, dict) and lifecycle.get("prevent_destroy"):
                lifecycle["prevent_destroy"] = False
        return document


def read(out: Path) -> list[RehearsalStack]:
    """The stacks to rehearse. Raises RefusedError for none, and for one that names no account."""
    stacks = [RehearsalStack(**vars(stack)) for stack in output.read(out)]
    if not stacks:
        raise refused(str(out), "contains no stack", "fill in the deployment file, and run `make synth`")
    for stack in stacks:
        _ = stack.account
    return stacks
