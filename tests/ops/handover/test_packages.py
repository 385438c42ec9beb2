"""What a provider's package says of its names is what Terraform says of them, but for what changed between releases."""

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover.schema import KINDS, Shape, packages, shipped

# Between the releases 5.100.0, which Terraform describes, and 6.25.0, which the package describes, these changed.
CHANGED = {
    "resource aws_auditmanager_assessment.roles",
    "resource aws_auditmanager_control.control_mapping_sources.source_keyword",
}
CHANGED_SETS = {
    "5.100.0": {
        "data aws_networkmanager_core_network_policy_document.segment_actions.via.with_edge_override.edge_sets"
    },
    "6.69.1": {
        "resource aws_bedrock_guardrail.content_policy_config.filters_config.input_modalities",
        "resource aws_bedrock_guardrail.content_policy_config.filters_config.output_modalities",
        "resource aws_billing_view.data_filter_expression.dimensions.values",
        "resource aws_ce_cost_category.split_charge_rule.targets",
        "resource aws_lakeformation_data_cells_filter.table_data.column_wildcard.excluded_column_names",
    },
}


@pytest.fixture(scope="module")
def package() -> packages.Package:
    (archive,) = (it for it in files("cdktf-cdktf-provider-aws") or () if it.name.endswith(".jsii.tgz"))
    return packages.read(Path(str(archive.locate())))


def _common(block: dict[str, Any], shape: Shape, path: str) -> Iterator[tuple[str, bool]]:
    """The names that both know, and whether the package says the same of them as the other release."""
    for name, attribute in block["attributes"].items():
        if name in shape.arguments or name in shape.blocks:
            yield f"{path}.{name}", name in shape.arguments
            if name in shape.lists_of_objects:
                yield f"{path}.{name}", attribute["possibly_blocks"]
    for name, inner in block["block_types"].items():
        if name in shape.blocks:
            yield f"{path}.{name}", True
            yield from _common(inner["block"], shape.blocks[name], f"{path}.{name}")
        elif name in shape.arguments:
            yield f"{path}.{name}", False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("release", "changed"), [("5.100.0", CHANGED), ("6.69.1", set())], ids=["of_terraform", "of_a_newer_package"]
)
def test_arguments_and_blocks_are_those_of_another_release(
    package: packages.Package, release: str, changed: set[str]
) -> None:
    assert (package.source, package.version) == ("hashicorp/aws", "6.25.0")
    aws = shipped().provider("aws", release)
    assert aws is not None
    assert aws.name == f"registry.terraform.io/hashicorp/aws {release}"
    compared = list(_common(package.schema["provider"]["block"], aws.configuration, "provider"))
    for kind, key in KINDS.items():
        for type_, schema in package.schema[key].items():
            if shape := aws.find(kind, type_):
                compared += _common(schema["block"], shape, f"{kind} {type_}")
    assert len(compared) > 30_000
    assert {path for path, agrees in compared if not agrees} == changed


def _sets(block: dict[str, Any], shape: Shape, path: str) -> Iterator[tuple[str, bool]]:
    """The arguments that both know, and whether both or neither say that it is a set."""
    for name, attribute in block["attributes"].items():
        if name in shape.arguments:
            yield f"{path}.{name}", ("type" in attribute) == (name in shape.sets)
    for name, inner in block["block_types"].items():
        if name in shape.blocks:
            yield from _sets(inner["block"], shape.blocks[name], f"{path}.{name}")


@pytest.mark.slow
@pytest.mark.parametrize("release", CHANGED_SETS, ids=["of_terraform", "of_a_newer_package"])
def test_sets_are_those_of_another_release(package: packages.Package, release: str) -> None:
    aws = shipped().provider("aws", release)
    assert aws is not None
    compared = list(_sets(package.schema["provider"]["block"], aws.configuration, "provider"))
    for kind, key in KINDS.items():
        for type_, schema in package.schema[key].items():
            if shape := aws.find(kind, type_):
                compared += _sets(schema["block"], shape, f"{kind} {type_}")
    assert len(compared) > 20_000
    assert {path for path, agrees in compared if not agrees} == CHANGED_SETS[release]


_LINK = "{@link https://registry.terraform.io/providers/example/forge/1.2.3/docs"


def _member(name: str, documented: str, type_: dict[str, Any], *, of: str) -> dict[str, Any]:
    summary = f"Docs at Terraform Registry: {_LINK}/resources/it#{documented} {of}#{documented}}}"
    return {"name": name, "type": type_, "docs": {"summary": f"{documented} block." if "fqn" in type_ else summary}}


def _class(module: str, base: str, link: str) -> dict[str, Any]:
    summary = f"Represents a {_LINK}{link}}}."
    config = {"name": "config", "type": {"fqn": f"forge.{module}.{module.capitalize()}Config"}}
    docs = {"summary": summary}
    return {"name": "It", "base": f"cdktf.{base}", "docs": docs, "initializer": {"parameters": [config]}}


def _argument(name: str, kind: str) -> str:
    lines = (f"            {name}: {{", *(" " * 16 + it for it in ("value: x,", "isBlock: false,", f'type: "{kind}",')))
    return "".join(f"{line}\n" for line in lines)


def _written(folder: Path, assembly: dict[str, Any], code: str) -> Path:
    """A wheel with the archive of a package: the description of its types, and the code of its only resource."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as opened:
        for name, text in {"package/.jsii": json.dumps(assembly), "package/lib/anvil/index.js": code}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            opened.addfile(entry, io.BytesIO(text.encode()))
    with zipfile.ZipFile(folder / "forge.whl", "w") as wheel:
        wheel.writestr("forge/forge.jsii.tgz", archive.getvalue())
    return folder / "forge.whl"


def test_the_code_of_a_package_says_which_arguments_are_sets(tmp_path: Path) -> None:
    texts = {"collection": {"kind": "array", "elementtype": {"primitive": "string"}}}
    members = [
        _member("hammerIds", "hammer_ids", texts, of="anvil"),
        _member("handleIds", "handle_ids", texts, of="anvil"),
        _member("horn", "horn", {"fqn": "forge.anvil.AnvilHorn"}, of="anvil"),
    ]
    of_the_block = [_member(f"{it}Ids", f"{it}_ids", texts, of="anvil") for it in ("hammer", "handle")]
    assembly = {
        "types": {
            "forge.provider.It": _class("provider", "TerraformProvider", " forge"),
            "forge.provider.ProviderConfig": {"kind": "interface"},
            "forge.anvil.It": _class("anvil", "TerraformResource", "/resources/anvil forge_anvil"),
            "forge.anvil.AnvilConfig": {"kind": "interface", "properties": members},
            "forge.anvil.AnvilHorn": {"kind": "interface", "properties": of_the_block},
        }
    }
    of_the_resource = _argument("hammer_ids", "set") + _argument("handle_ids", "list")
    of_its_block = _argument("hammer_ids", "list") + _argument("handle_ids", "set")
    code = (
        f"function anvilHornToHclTerraform(struct) {{\n{of_its_block}}}\n"
        f"class Anvil {{\n    synthesizeHclAttributes() {{\n{of_the_resource}    }}\n}}\n"
    )
    package = packages.read(_written(tmp_path, assembly, code))
    assert (package.source, package.version) == ("example/forge", "1.2.3")
    anvil = package.schema["resource_schemas"]["forge_anvil"]["block"]
    assert {name for name, it in anvil["attributes"].items() if "type" in it} == {"hammer_ids"}
    horn = anvil["block_types"]["horn"]["block"]
    assert {name for name, it in horn["attributes"].items() if "type" in it} == {"handle_ids"}


def test_refuses_a_file_that_is_no_package(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_text("no package")
    with pytest.raises(RefusedError) as refused:
        packages.read(tmp_path / "x.whl")
    assert str(refused.value) == (
        f"error: {tmp_path / 'x.whl'}: is not a package of a provider for cdktf or cdktn: File is not a zip file\n"
        "hint: name a file that `pip download` fetched"
    )
