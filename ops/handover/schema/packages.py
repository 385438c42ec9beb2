"""Reads a provider's names from the package that cdktf or cdktn generated from its schema.

Terraform need not download the provider. A package describes its types in the format of jsii. The documentation of each
has a link with the provider's release and the name in Terraform, and says which names are blocks. Its code says which
arguments are sets.
"""

import gzip
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from errors import refused
from ops.handover.schema import KINDS

_REGISTRY = "https://registry.terraform.io/providers/"
_CLASS = re.compile(
    rf"Represents a {{@link {_REGISTRY}([^/]+/[^/]+)/([^/]+)/docs(?:/(resources|data-sources)/\S+)? (\S+)}}\."
)
_NAME = re.compile(r"Docs at Terraform Registry: \{@link \S+#(\S+) [^}]+\}")
_FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(.*?^}", re.MULTILINE | re.DOTALL)
_METHOD = re.compile(r"^    synthesizeHclAttributes\(\).*?^    }", re.MULTILINE | re.DOTALL)
_SET = re.compile(r'^ +"?([\w-]+)"?: \{\n +value: .*\n +isBlock: false,\n +type: "set",$', re.MULTILINE)
_BASES = {
    f"{library}.Terraform{kind}" for library in ("cdktf", "cdktn") for kind in ("Resource", "DataSource", "Provider")
}
_KIND_OF = {"resources": "resource", "data-sources": "data", None: "provider"}


Sets = Mapping[tuple[str, str], list[str]]
"""The names of a structure's arguments that are sets, by its module and name. Those of a type itself have no name."""


class Package(NamedTuple):
    """A provider as a package describes it. schema: as Terraform prints it, but for types and computed values."""

    source: str
    version: str
    schema: dict[str, Any]


def read(file: Path) -> Package:
    """The provider of a package: a wheel, or the archive in it. Raises RefusedError if it is none."""
    try:
        assembly, sets = _content(file)
        classes = _classes(assembly["types"], sets)
        found = {(kind, type_): (source, version, block) for source, version, kind, type_, block in classes}
        ((source, version, configuration),) = (it for (kind, _), it in found.items() if kind == "provider")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, tarfile.TarError, zipfile.BadZipFile) as error:
        what = f"is not a package of a provider for cdktf or cdktn: {error}"
        raise refused(str(file), what, "name a file that `pip download` fetched") from None
    schema: dict[str, Any] = {"provider": {"block": configuration}}
    for wanted, key in KINDS.items():
        schema[key] = {type_: {"block": block} for (kind, type_), (*_, block) in found.items() if kind == wanted}
    return Package(source, version, schema)


def _content(file: Path) -> tuple[Any, Sets]:
    """The description of a package's types and the sets in its code, which lie in an archive in the wheel."""
    content = file.read_bytes()
    if file.suffix == ".whl":
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            (name,) = (it for it in wheel.namelist() if it.endswith(".jsii.tgz"))
            content = wheel.read(name)
    assembly = None
    sets: dict[tuple[str, str], list[str]] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            path = member.name.split("/")
            opened = archive.extractfile(member)
            if opened is None:
                continue
            if path[1] in (".jsii", ".jsii.gz"):
                text = opened.read()
                described = json.loads(gzip.decompress(text) if path[1].endswith(".gz") else text)
                assembly = described if "types" in described else assembly
            elif path[1] == "lib" and path[-1].endswith(".js") and len(path) > 3:
                sets |= _sets(_module(path[2]), opened.read().decode())
    if assembly is None:
        raise ValueError("it describes no types")
    return assembly, sets


def _sets(module: str, code: str) -> dict[tuple[str, str], list[str]]:
    """The sets of each structure in a file of the package, which says how each argument is written as HCL."""
    found = {(module, it[1].lower()): _SET.findall(it[0]) for it in _FUNCTION.finditer(code)}
    own = _METHOD.search(code)
    return found if own is None else {**found, (module, ""): _SET.findall(own[0])}


def _module(name: str) -> str:
    """One name for the module `vpcEndpoint` and its folder `vpc-endpoint`."""
    return name.replace("-", "").lower()


def _classes(types: Mapping[str, Any], sets: Sets) -> Iterator[tuple[str, str, str, str, Any]]:
    """The source, version, kind, type and block of each class that stands for a type of the provider."""
    for described in types.values():
        if described.get("base") in _BASES:
            link = _CLASS.fullmatch(described["docs"]["summary"])
            if link is None:
                raise ValueError(f"{described['name']} has no link to its documentation")
            (config,) = (it["type"]["fqn"] for it in described["initializer"]["parameters"] if it["name"] == "config")
            yield link[1], link[2], _KIND_OF[link[3]], link[4], _block(types, sets, (config,))


def _block(types: Mapping[str, Any], sets: Sets, within: tuple[str, ...]) -> dict[str, Any]:
    """What the last structure contains. A block without a structure of its own, or within itself, is unclear."""
    struct = within[-1]
    *_, module, name = struct.split(".")
    own_sets = sets.get((_module(module), name.lower() if len(within) > 1 else ""), ())
    attributes: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    unclear: list[str] = []
    for member in types[struct].get("properties", ()):
        # Only an example in the documentation cuts its link off; a name of one word needs none.
        (name,) = set(_NAME.findall(json.dumps(member["docs"]))) or {*re.findall("^[a-z]+$", member["name"])}
        inner, is_list = _structure(types, member["type"])
        if member["docs"]["summary"].removesuffix(".") != f"{name} block":
            attributes[name] = {"possibly_blocks": inner is not None and is_list}
            if name in own_sets:
                attributes[name]["type"] = ["set", "unknown"]
        elif inner is None or inner in within:
            unclear.append(name)
        else:
            blocks[name] = {"block": _block(types, sets, (*within, inner))}
    return {"attributes": attributes, "block_types": blocks, "unclear": unclear}


def _structure(types: Mapping[str, Any], type_: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The structure that a member holds, if any, and whether it holds a list of them."""
    for option in type_.get("union", {}).get("types", [type_]):
        collection = option.get("collection", {})
        inner = collection.get("elementtype", option)
        for one in inner.get("union", {}).get("types", [inner]):
            if types.get(one.get("fqn"), {}).get("kind") == "interface":
                return one["fqn"], collection.get("kind") == "array"
    return None, False
