"""The names of arguments and blocks in providers' schemas. HCL distinguishes them, whereas Terraform's JSON does not.

`releases/` has them for one release of each major version. `python -m ops.handover.schema` writes them.
"""

import functools
import json
import lzma
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errors import refused
from ops.handover.providers import source_address
from terraform.version_constraints import allows, allows_major

BUILT_IN = "terraform.io/builtin/terraform"

RELEASES = Path(__file__).with_name("releases")
KINDS = {"resource": "resource_schemas", "data": "data_source_schemas", "ephemeral": "ephemeral_resource_schemas"}


@dataclass(frozen=True)
class Shape:
    """What a block may contain.

    lists_of_objects: the arguments that may also be written as blocks, such as `ingress` of a security group.
        https://developer.hashicorp.com/terraform/language/attr-as-blocks
    possibly_blocks: arguments of which it is not known whether they may be written as blocks.
    unclear: names of which it is not known whether they are arguments or blocks, or what they may contain.
    sets: the arguments that are known to be sets of texts or numbers, in which the order does not matter.
    """

    arguments: frozenset[str] = frozenset()
    lists_of_objects: frozenset[str] = frozenset()
    blocks: Mapping[str, "Shape"] = field(default_factory=dict)
    possibly_blocks: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()


class ProviderRelease:
    """The shapes of one release of a provider."""

    def __init__(self, reduced: Mapping[str, Any], *, sets_are_known: bool = True) -> None:
        self._reduced = reduced
        self._sets_are_known = sets_are_known
        self._shapes: dict[int, Shape] = {}
        self.version = str(reduced["version"])
        self.configuration = self._shape(reduced["configuration"])

    def find(self, kind: str, type: str) -> Shape | None:
        """The shape of a resource, data source or ephemeral resource; None if the release has no such type."""
        index = self._reduced[kind].get(type)
        return None if index is None else self._shape(index)

    def _shape(self, index: int) -> Shape:
        if index not in self._shapes:
            blocks, *words = self._reduced["shapes"][index]
            inner = {name: self._shape(block) for name, block in blocks.items()}
            arguments, lists_of_objects, *others = (frozenset(it.split()) for it in words)
            known = others if self._sets_are_known else others[:2]
            self._shapes[index] = Shape(arguments, lists_of_objects, inner, *known)
        return self._shapes[index]

    def without_sets(self) -> "ProviderRelease":
        """The same names, of which it is not known which are sets: these change from one release to the next."""
        return ProviderRelease(self._reduced, sets_are_known=False)


@dataclass(frozen=True)
class ProviderSchema:
    """What is known of a provider: the releases that a stack may use. Their shapes are one if they do not conflict."""

    source: str
    releases: Sequence[ProviderRelease]

    @property
    def name(self) -> str:
        """The provider with its releases, for messages."""
        return f"{self.source} {' or '.join(release.version for release in self.releases)}".strip()

    @property
    def configuration(self) -> Shape:
        return _union([release.configuration for release in self.releases])

    def find(self, kind: str, type: str) -> Shape | None:
        """The shape of a resource, data source or ephemeral resource; None if no release has such a type."""
        found = [shape for release in self.releases if (shape := release.find(kind, type)) is not None]
        return _union(found) if found else None


def _union(shapes: Sequence[Shape]) -> Shape:
    """What a block may contain in one of several releases. Where they conflict, it is unclear."""
    if len(shapes) == 1:
        return shapes[0]
    inner: dict[str, list[Shape]] = defaultdict(list)
    for shape in shapes:
        for name, block in shape.blocks.items():
            inner[name].append(block)
    arguments = frozenset().union(*(shape.arguments for shape in shapes))
    unclear = frozenset().union(*(shape.unclear for shape in shapes), arguments & inner.keys())
    written_as_blocks = frozenset().union(*(shape.lists_of_objects | shape.possibly_blocks for shape in shapes))
    surely = {
        name for name in written_as_blocks if all(name in it.lists_of_objects for it in shapes if name in it.arguments)
    }
    sets = {name for name in arguments - unclear if all(name in it.sets for it in shapes if name in it.arguments)}
    return Shape(
        arguments=arguments - unclear,
        lists_of_objects=frozenset(surely - unclear),
        blocks={name: _union(found) for name, found in inner.items() if name not in unclear},
        possibly_blocks=written_as_blocks - surely - unclear,
        unclear=unclear,
        sets=frozenset(sets),
    )


class Schemas:
    """The schemas of providers. Those that a user gives take precedence over those in `files`.

    given: by source address and version constraint; those with the constraint None are for every constraint.
    files: by source address, then by major version.
    failures: why Terraform could not give a schema, by source address and version constraint.
    """

    def __init__(
        self,
        given: Mapping[tuple[str, str | None], ProviderRelease],
        files: Mapping[str, Mapping[int, Path]] | None = None,
        failures: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self._given = dict(given)
        self._files = files or {}
        self.failures = failures or {}

    def provider(self, source: str, constraint: str = "") -> ProviderSchema | None:
        """What is known of the releases that a version constraint allows; None if nothing is."""
        address = source_address(source)
        for key in ((address, constraint), (address, None)):
            if key in self._given:
                return ProviderSchema(address, [self._given[key]])
        files = self._files.get(address, {})
        releases = [
            _loaded(file, constraint) for major, file in sorted(files.items()) if allows_major(constraint, major)
        ]
        return ProviderSchema(address, releases) if releases else None

    def other_releases(self, source: str, constraint: str) -> list[str]:
        """The releases that stand for those that a version constraint allows, without being allowed themselves."""
        found = self.provider(source, constraint)
        versions = [it.version for it in found.releases] if found is not None else []
        return [it for it in versions if it and not allows(constraint, it)]

    def including(self, other: "Schemas") -> "Schemas":
        """The providers of both; `other` takes precedence."""
        failures = {**self.failures, **other.failures}
        return Schemas({**self._given, **other._given}, {**self._files, **other._files}, failures)


@functools.cache
def _loaded(file: Path, constraint: str = "") -> ProviderRelease:
    """The release in a file, as far as it also describes another release that a version constraint allows."""
    if constraint:
        known = _loaded(file)
        return known if allows(constraint, known.version) else known.without_sets()
    return ProviderRelease(json.loads(lzma.decompress(file.read_bytes())))


@functools.cache
def shipped() -> Schemas:
    """The schemas in `releases/`. Each is read when a stack needs it."""
    files: dict[str, dict[int, Path]] = defaultdict(dict)
    for file in RELEASES.glob("*/*.json.xz"):
        name, _, major = file.name.removesuffix(".json.xz").rpartition("-")
        files[source_address(f"{file.parent.name}/{name}")][int(major)] = file
    return Schemas({(BUILT_IN, None): _loaded(RELEASES / "terraform.json.xz")}, files)


def from_file(path: Path) -> Schemas:
    """The schemas in an output of `terraform providers schema -json`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return of_every_constraint(content["provider_schemas"])
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    except (ValueError, LookupError, TypeError, AttributeError):
        what = "is not an output of `terraform providers schema -json`"
    raise refused(
        str(path),
        what,
        "after `terraform init`, run `terraform providers schema -json` in its folder, and name the file of its output",
    )


def of_every_constraint(provider_schemas: Mapping[str, Any]) -> Schemas:
    """Terraform's schemas, by source address, for every version constraint."""
    return Schemas({(source_address(it), None): ProviderRelease(reduce(of, "")) for it, of in provider_schemas.items()})


def reduce(schema: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A provider's schema, as Terraform prints it, reduced to names. Blocks with equal names share one shape."""
    shapes: dict[str, int] = {}

    def index(block: Mapping[str, Any]) -> int:
        attributes = block.get("attributes") or {}
        shape = [
            {name: index(it["block"]) for name, it in sorted((block.get("block_types") or {}).items())},
            _words(attributes),
            _words(name for name, it in attributes.items() if _is_list_of_objects(it.get("type"))),
            _words(name for name, it in attributes.items() if it.get("possibly_blocks")),
            _words(block.get("unclear", ())),
        ]
        if sets := _words(name for name, it in attributes.items() if _is_set(it.get("type"))):
            shape.append(sets)
        return shapes.setdefault(json.dumps(shape), len(shapes))

    reduced = {
        "version": version,
        "configuration": index((schema.get("provider") or {}).get("block") or {}),
        **{
            kind: {name: index(it["block"]) for name, it in sorted((schema.get(key) or {}).items())}
            for kind, key in KINDS.items()
        },
    }
    return {"shapes": [json.loads(shape) for shape in shapes], **reduced}


def _words(names: Iterable[str]) -> str:
    return " ".join(sorted(names))


def _is_list_of_objects(type: Any) -> bool:
    match type:
        case ["list" | "set", ["object", *_]]:
            return True
    return False


def _is_set(type: Any) -> bool:
    match type:
        case ["set", str()]:
            return True
    return False
