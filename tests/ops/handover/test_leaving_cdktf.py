"""What docs/leaving-cdktf.md shows is what the converter does."""

import json
import re
from collections import defaultdict
from pathlib import Path

from ops.handover import convert, shipped
from ops.handover.providers import required_providers, source_address
from ops.handover.schema import RELEASES

TEXT = (Path(__file__).parents[3] / "docs" / "leaving-cdktf.md").read_text(encoding="utf-8")
PROJECTS = Path(__file__).parent / "foreign" / "projects"
STACK = PROJECTS / "helm-2" / "stacks" / "helm2" / "cdk.tf.json"


def test_the_example_is_what_the_converter_writes() -> None:
    (shown,) = re.findall(r"```hcl\n(.*?)```", TEXT, re.DOTALL)
    written = convert(json.loads(STACK.read_text(encoding="utf-8")), name="helm2", schemas=shipped()).files["helm.tf"]
    # `terraform fmt` aligns what is written.
    assert "".join(shown.split()) == "".join(written.split())


def test_the_json_of_the_example_is_in_the_project() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert "".join(shown.split()) in "".join(STACK.read_text(encoding="utf-8").split())


def test_names_every_provider_whose_names_are_known_and_those_of_the_projects() -> None:
    releases = defaultdict(list)
    for file in RELEASES.glob("*/*.xz"):
        source, _, major = f"{file.parent.name}/{file.name.removesuffix('.json.xz')}".rpartition("-")
        releases[source].append(major)
    used = {
        (source_address(it["source"]).removeprefix("registry.terraform.io/"), re.findall(r"\d+", it["version"])[0])
        for file in PROJECTS.glob("*/stacks/*/cdk.tf.json")
        for it in required_providers(json.loads(file.read_text(encoding="utf-8"))).values()
        if it.get("version")
    }
    table = []
    for source, majors in sorted(releases.items()):
        converted = [it for it in sorted(majors) if (source, it) in used]
        table.append(f"| `{source}` | {', '.join(sorted(majors))} | {', '.join(converted)} |")
    assert re.findall(r"^\| `.*", TEXT, re.MULTILINE) == table
