"""The names of arguments and blocks in providers' schemas. HCL distinguishes them, whereas Terraform's JSON does not.

`python -m ops.handover.schema` asks Terraform for the schema of the AWS provider, and writes it to `schema.json.xz`.
"""

import functools
import json
import lzma
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errors import RefusedError, refused
from terraform.cli import TerraformCli

BUILT_IN = "terraform.io/builtin/terraform"

FILE = Path(__file__).with_name("schema.json.xz")
_KINDS = {"resource": "resource_schemas", "data": "data_source_schemas", "ephemeral": "ephemeral_resource_schemas"}


@dataclass(frozen=True)
class Shape:
    """What a block may contain.

    lists_of_objects: the arguments that may also be written as blocks, such as `ingress` of a security group.
    https://developer.hashicorp.com/terraform/language/attr-as-blocks
    """

    arguments: frozenset[str] = frozenset()
    lists_of_objects: frozenset[str] = frozenset()
    blocks: Mapping[str, "Shape"] = field(default_factory=dict)


class Schemas:
    """The shapes of providers, by source address."""

    def __init__(self, reduced: Mapping[str, Any]) -> None:
        self._shapes: list[Shape] = []
        for arguments, lists_of_objects, blocks in reduced["shapes"]:  # each after the shapes of its blocks
            self._shapes.append(
                Shape(
                    arguments=frozenset(arguments.split()),
                    lists_of_objects=frozenset(lists_of_objects.split()),
                    blocks={name: self._shapes[index] for name, index in blocks.items()},
                )
            )
        self._providers: dict[str, Any] = dict(reduced["providers"])

    def knows(self, provider: str) -> bool:
        return provider in self._providers

    def version(self, provider: str) -> str:
        return str(self._providers[provider]["version"])

    def configuration(self, provider: str) -> Shape:
        index: int = self._providers[provider]["configuration"]
        return self._shapes[index]

    def find(self, provider: str, kind: str, type: str) -> Shape | None:
        """The shape of a resource, data source or ephemeral resource; None if the provider has no such type."""
        index = self._providers[provider][kind].get(type)
        return None if index is None else self._shapes[index]

    def including(self, other: "Schemas") -> "Schemas":
        """The providers of both; `other` takes precedence."""
        merged = Schemas({"shapes": [], "providers": {}})
        merged._shapes = [*self._shapes, *other._shapes]
        moved = {name: _shifted(provider, len(self._shapes)) for name, provider in other._providers.items()}
        merged._providers = {**self._providers, **moved}
        return merged


def _shifted(provider: Mapping[str, Any], by: int) -> dict[str, Any]:
    kinds = {kind: {name: index + by for name, index in provider[kind].items()} for kind in _KINDS}
    return {"version": provider["version"], "configuration": provider["configuration"] + by, **kinds}


@functools.cache
def shipped() -> Schemas:
    """The schemas of the AWS provider and of Terraform's built-in one."""
    return Schemas(json.loads(lzma.decompress(FILE.read_bytes())))


def from_file(path: Path) -> Schemas:
    """The schemas in an output of `terraform providers schema -json`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Schemas(reduce(content["provider_schemas"], versions={}))
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    except (ValueError, LookupError, TypeError, AttributeError):
        what = "is not an output of `terraform providers schema -json`"
    raise refused(
        str(path),
        what,
        "after `terraform init`, run `terraform providers schema -json` in its folder, and name the file of its output",
    )


def asked_of_terraform(providers: Mapping[str, Mapping[str, str]]) -> Schemas | None:
    """The schemas for `required_providers` entries, by local name; None if Terraform cannot download them."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-schema-") as folder:
        try:
            return Schemas(reduce(provider_schemas(Path(folder), providers), versions={}))
        except RefusedError:
            return None


def reduce(provider_schemas: Mapping[str, Any], *, versions: Mapping[str, str]) -> dict[str, Any]:
    """Terraform's schemas reduced to names. Blocks with equal names share one shape."""
    shapes: dict[str, int] = {}

    def index(block: Mapping[str, Any]) -> int:
        attributes = block.get("attributes") or {}
        shape = [
            " ".join(sorted(attributes)),
            " ".join(sorted(name for name, it in attributes.items() if _is_list_of_objects(it.get("type")))),
            {name: index(it["block"]) for name, it in sorted((block.get("block_types") or {}).items())},
        ]
        return shapes.setdefault(json.dumps(shape), len(shapes))

    providers = {
        source: {
            "version": versions.get(source, ""),
            "configuration": index((schema.get("provider") or {}).get("block") or {}),
            **{
                kind: {name: index(it["block"]) for name, it in sorted((schema.get(key) or {}).items())}
                for kind, key in _KINDS.items()
            },
        }
        for source, schema in sorted(provider_schemas.items())
    }
    return {"shapes": [json.loads(shape) for shape in shapes], "providers": providers}


def _is_list_of_objects(type: Any) -> bool:
    match type:
        case ["list" | "set", ["object", *_]]:
            return True
    return False


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
            why = (
                "; ".join((error.detail or error.summary).partition("\n\n")[0] for error in done.errors) or done.stderr
            )
            hint = "see that this machine can reach the registry or the mirror that Terraform downloads providers from"
            raise refused("terraform", f"`terraform {command[0]}` failed: {why}", hint)
    schemas: dict[str, Any] = json.loads(done.stdout)["provider_schemas"]
    return schemas
