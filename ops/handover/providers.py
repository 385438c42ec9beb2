"""Which providers a stack needs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ops.handover.grammar import OBJECT_KINDS
from terraform.output import objects

_REGISTRY = "registry.terraform.io"

# OpenTofu's registry has the same releases of providers.
_REGISTRIES = (_REGISTRY, f"{_REGISTRY}:443", "registry.opentofu.org", "registry.opentofu.org:443")


def required_providers(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The `required_providers` entries by local name, with those that Terraform assumes for other providers in use."""
    found = dict(_declared(document))
    for name in _used(document):
        if name not in ("terraform", "//"):
            found.setdefault(name, {"source": f"hashicorp/{name}"})
    return found


def source_address(source: str) -> str:
    """A provider's source in full: `aws` is short for `registry.terraform.io/hashicorp/aws`.

    https://developer.hashicorp.com/terraform/language/providers/requirements#source-addresses
    """
    *before, name = source.lower().split("/")
    namespace = before.pop() if before else "hashicorp"
    host = "/".join(before) or _REGISTRY
    return f"{_REGISTRY if host in _REGISTRIES else host}/{namespace}/{name}"


def local_name(type: str, block: Mapping[str, Any]) -> str:
    """The local name of the provider of a resource or data source: the one it names, or the first word of its type."""
    chosen = block.get("provider")
    named = re.search(r"[\w-]+", chosen) if isinstance(chosen, str) else None
    return named[0] if named else type.split("_")[0]


def _declared(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for settings in objects(document.get("terraform")):
        for entry in objects(settings.get("required_providers")):
            for name, it in entry.items():
                if name != "//":
                    wanted = it if isinstance(it, dict) else {"version": str(it)}
                    texts = {key: str(value) for key, value in wanted.items() if isinstance(value, str)}
                    source = texts.get("source", name)
                    # Terraform takes a source without a namespace for one of HashiCorp's, and people write that out.
                    yield name, {**texts, "source": source if "/" in source else f"hashicorp/{source}"}


def _used(document: Mapping[str, Any]) -> Iterator[str]:
    checks = (check for named in objects(document.get("check")) for it in named.values() for check in objects(it))
    for part in (document, *checks):
        for kind in OBJECT_KINDS:
            for types in objects(part.get(kind)):
                for type_, resources in types.items():
                    for named in objects(resources):
                        yield from (local_name(type_, block) for it in named.values() for block in objects(it))
    for entry in objects(document.get("provider")):
        yield from entry
