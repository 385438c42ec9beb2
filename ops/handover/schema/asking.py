"""Asks Terraform for the schemas of providers, which it downloads."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from errors import RefusedError, refused
from ops.handover.providers import required_providers, source_address
from ops.handover.schema import BUILT_IN, ProviderRelease, Schemas, reduce
from terraform.cli import TerraformCli


def with_missing_providers(schemas: Schemas, documents: Iterable[Mapping[str, Any]]) -> Schemas:
    """The schemas, with those of other providers that the stacks need and Terraform can download.

    It is noted why Terraform cannot download the rest.
    """
    found: dict[tuple[str, str | None], ProviderRelease] = {}
    failures: dict[tuple[str, str], str] = {}
    for document in documents:
        for entry in required_providers(document).values():
            address, constraint = source_address(entry["source"]), entry.get("version", "")
            asked = (address, constraint) in {*found, *failures}
            if not asked and schemas.provider(address, constraint) is None:
                try:
                    found[address, constraint] = _asked(entry)
                except RefusedError as error:
                    failures[address, constraint] = error.problems[0].what
    return schemas.including(Schemas(found, failures=failures))


def stand_ins(schemas: Schemas, documents: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each provider that is read with the schema of a release that its version constraint does not allow."""
    wanted = {
        (source_address(entry["source"]), entry.get("version", ""))
        for document in documents
        for entry in required_providers(document).values()
    }
    for source, constraint in sorted(wanted):
        if others := schemas.other_releases(source, constraint):
            what = f"read with the schema of {' and '.join(others)}"
            yield f"provider {source} {constraint}: {what}; --schema takes that of another release"


def _asked(entry: Mapping[str, str]) -> ProviderRelease:
    """The schema for one entry. Raises RefusedError if Terraform cannot download it."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-schema-") as folder:
        schemas = provider_schemas(Path(folder), {"it": entry})
    (schema,) = (it for name, it in schemas.items() if name != BUILT_IN)
    return ProviderRelease(reduce(schema, ""))


def provider_schemas(folder: Path, required: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Terraform's schemas for `required_providers` entries, which it downloads into `folder`.

    Raises RefusedError where it cannot.
    """
    (folder / "versions.tf.json").write_text(
        json.dumps(
            {
                "terraform": {"required_providers": required},
                # so that the output includes the built-in provider
                "data": {"terraform_remote_state": {"none": {"backend": "local"}}},
            }
        )
    )
    terraform = TerraformCli()
    for command in (("init", "-backend=false", "-input=false", "-json"), ("providers", "schema", "-json")):
        done = terraform.run(*command, folder=folder)
        if done.returncode:
            errors = ((error.detail or error.summary).partition("\n\n")[0] for error in done.errors)
            why = " ".join(("; ".join(errors) or done.stderr).split())
            hint = "see that this machine can reach the registry or the mirror that Terraform downloads providers from"
            raise refused("terraform", f"`terraform {command[0]}` failed: {why}", hint)
    schemas: dict[str, Any] = json.loads(done.stdout)["provider_schemas"]
    return schemas
