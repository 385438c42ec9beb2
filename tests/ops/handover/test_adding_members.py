"""In the HCL of the bridge, a mirror is added in one place, and a repository in another one: the README names both.

That holds for a bridge of one mirror, too.
"""

import copy
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ops.handover import Converted, convert, shipped
from settings import load
from stacks.synthesis import synthesise
from terraform import output
from tests.conftest import PROJECT
from tests.ops.handover.by_plan import planned as planned_together
from tests.ops.handover.by_plan import plans_from_json, plans_of_files, put
from tests.ops.handover.evaluation import larger_than, with_old_addresses
from tests.settings.whole_file import KMS_KEY

pytestmark = pytest.mark.terraform

BRIDGE = "backlog-bridge"
SINGLE = "beside_a_single_one"
SINGLE_OF_SPACE = "beside_a_single_one_of_a_space"


@dataclass(frozen=True, kw_only=True)
class Addition:
    """A mirror that a deployment gets, and what people write for it in HCL, by the place that the README names.

    `mirrors` are those that the deployment has instead of its own, and `spaces` further spaces. `members` is the local
    value with the mirrors, and `start` the text in front of the entry there.
    """

    deployment: str
    key: str
    mirror: Mapping[str, Any]
    entries: Mapping[str, str]
    mirrors: Mapping[str, Mapping[str, Any]] | None = None
    spaces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    members: str = "local.mirrors"
    start: str = r"  mirrors = \{\n"


_KNOWN_HOST = "partner.git.backlog.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4P"


def _of_partner(key: str, target: str) -> str:
    return f"""\
    {key} = {{
      description     = "Mirrors NEW/{key}-source of Backlog into {target}"
      backlog         = "partner"
      target          = "{target}"
      key_arn         = null
      project         = "NEW"
      repository      = "{key}-source"
      host            = "partner.git.backlog.com"
      key_parameter   = "/kakehashi/backlog/partner/ssh-key"
      known_hosts     = ["{_KNOWN_HOST}"]
      user            = "partner"
      decrypt_ssh_key = false
      repository_keys = false
    }}
"""


def _of_space(key: str, target: str) -> str:
    return f"""\
    {key} = {{
      key_arn    = null
      project    = "NEW"
      repository = "{key}-source"
      target     = "{target}"
    }}
"""


def _mirror(key: str, space: str, target: Mapping[str, Any]) -> dict[str, Any]:
    return {"space": space, "project": "NEW", "repository": f"{key}-source", "target": target}


ADDITIONS = {
    "into_a_new_repository": Addition(
        deployment="everything",
        key="tools",
        mirror=_mirror("tools", "partner", {"create": "new-tools", "description": "Tools"}),
        entries={
            "local.mirrors": _of_partner("tools", "new-tools"),
            "local.repositories": """\
    "new-tools" = {
      description           = "Tools"
      kakehashi_mirrored_by = "kakehashi-prd-backlog-tools"
      kms_key_id            = null
    }
""",
        },
    ),
    "into_a_repository_that_exists": Addition(
        deployment="everything",
        key="app",
        mirror=_mirror("app", "partner", {"codecommit": "infrastructure-modules"}),
        entries={"local.mirrors": _of_partner("app", "infrastructure-modules")},
    ),
    "of_a_space_into_a_new_repository": Addition(
        deployment="example",
        key="tools",
        mirror=_mirror("tools", "example", {"create": "new-tools", "description": "Tools"}),
        entries={
            "local.mirrors": _of_space("tools", "new-tools"),
            "local.repositories": """\
    "new-tools" = {
      description = "Tools"
    }
""",
        },
    ),
    "of_one_of_two_spaces": Addition(
        deployment="example",
        key="tools",
        mirror=_mirror("tools", "partner", {"create": "new-tools", "description": "Tools"}),
        entries={
            "local.spaces": textwrap.indent(_of_space("tools", "new-tools"), "    "),
            "local.repositories": """\
    "new-tools" = {
      description           = "Tools"
      kakehashi_mirrored_by = "kakehashi-prd-backlog-partner"
      kms_key_id            = null
    }
""",
        },
        mirrors={
            "website": _mirror("website", "example", {"create": "website"}),
            "partner": _mirror("partner", "partner", {"codecommit": "infrastructure"}),
            "example": _mirror("example", "partner", {"create": "examples", "kms_key_arn": KMS_KEY}),
        },
        spaces={"partner": {"domain": "backlog.com", "known_hosts": [_KNOWN_HOST], "ssh_key_parameter": "/partner"}},
        members="local.spaces",
        start=r"    partner = \{\n(?:.*\n)*?      mirrors = \{\n",
    ),
    SINGLE_OF_SPACE: Addition(
        deployment="example",
        key="infra",
        mirror=_mirror("infra", "example", {"codecommit": "infrastructure"}),
        entries={"local.mirrors": _of_space("infra", "infrastructure")},
        mirrors={"website": _mirror("website", "example", {"create": "website", "kms_key_arn": KMS_KEY})},
    ),
    SINGLE: Addition(
        deployment="backlog-only",
        key="tools",
        mirror=_mirror("tools", "example", {"create": "new-tools"}),
        entries={
            "local.mirrors": f"""\
    tools = {{
      description   = "Mirrors NEW/tools-source of Backlog into new-tools"
      parameter     = "kakehashi/backlog/ssh-key"
      target        = "new-tools"
      project       = "NEW"
      repository    = "tools-source"
      host          = "example.git.backlog.com"
      key_parameter = "/kakehashi/backlog/ssh-key"
      known_hosts   = ["{_KNOWN_HOST.replace("partner", "example")}"]
      user          = "example"
    }}
""",
            "local.repositories": """\
    "new-tools" = {
      description           = ""
      kakehashi_mirrored_by = "kakehashi-prd-backlog-tools"
    }
""",
        },
    ),
}


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """The bridge's stack before and after the addition, as JSON, and the HCL of both."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    converted: Converted
    converted_after: Converted

    def edited(self, addition: Addition, left_out: str = "") -> dict[str, str]:
        """The HCL of before with the entries that people write, without one of them."""
        files = dict(self.converted.files)
        places = {it.name: it.file for it in self.converted.edit_places}
        for name, entry in addition.entries.items():
            if name != left_out:
                start = addition.start if name == addition.members else r"  repositories = \{\n"
                [found] = re.finditer(start, files[places[name]])
                files[places[name]] = found.string[: found.end()] + entry + found.string[found.end() :]
        return files


@pytest.fixture(scope="session")
def bridges(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bridge]:
    return {name: _bridge(addition, tmp_path_factory.mktemp(name)) for name, addition in ADDITIONS.items()}


def _bridge(addition: Addition, folder: Path) -> Bridge:
    settings = YAML(typ="safe").load(PROJECT / "deployments" / f"{addition.deployment}.yaml")
    if addition.deployment == "example":  # the bridge needs nothing of the other account
        del settings["dev"], settings["prd"]["codecommit"]["push"]
    if addition.mirrors is not None:
        settings["prd"]["backlog"]["repositories"] = dict(addition.mirrors)
    settings["prd"]["backlog"]["spaces"] |= addition.spaces
    before = _document(settings, folder / "before")
    after = copy.deepcopy(settings)
    after["prd"]["backlog"]["repositories"][addition.key] = addition.mirror
    larger = _document(after, folder / "after")
    return Bridge(
        before=json.loads(before.read_text()),
        after=json.loads(larger.read_text()),
        converted=_converted(before),
        converted_after=_converted(larger),
    )


def _document(settings: Mapping[str, Any], folder: Path) -> Path:
    folder.mkdir()
    (folder / "deployment.yaml").write_text(json.dumps(settings))
    synthesise(load(folder / "deployment.yaml"), folder / "cdktf.out")
    return folder / "cdktf.out" / "stacks" / BRIDGE / "cdk.tf.json"


def _converted(document: Path) -> Converted:
    """The HCL that the command `handover` writes for the stack."""
    folder = document.parents[3]
    out = larger_than(load(folder / "deployment.yaml"), folder / "larger" / "cdktf.out")
    assert out is not None
    larger = output.load(out / "stacks" / BRIDGE / output.FILE, exact_numbers=True)
    return convert(output.load(document, exact_numbers=True), name=BRIDGE, schemas=shipped(), larger=larger)


@pytest.fixture(scope="session")
def planned(bridges: Mapping[str, Bridge], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plan of each deployment with the mirror, of the HCL with all entries, and of the HCL without one."""
    documents = {f"{name}_after": bridge.after for name, bridge in bridges.items()}
    documents |= {f"{name}_before": bridges[name].before for name in (SINGLE, SINGLE_OF_SPACE)}
    files: dict[str, tuple[Mapping[str, Any], Mapping[str, str]]] = {
        _case(name, left_out): (bridges[name].after, bridges[name].edited(addition, left_out))
        for name, addition in ADDITIONS.items()
        for left_out in ("", *addition.entries)
    }
    for name in (SINGLE, SINGLE_OF_SPACE):
        files[f"{name}_unedited"] = (bridges[name].before, bridges[name].converted.files)
    folder = tmp_path_factory.mktemp("added")
    return {**plans_from_json(documents, folder / "json"), **plans_of_files(files, folder / "hcl")}


def _case(name: str, left_out: str = "") -> str:
    """The name of a plan. None is the beginning of another one, as the names of outputs begin with it."""
    return f"{name}_without_{left_out.removeprefix('local.')}" if left_out else f"{name}_edited"


def _of(planned: Mapping[str, Any], bridge: Bridge, case: str) -> dict[str, Any]:
    return _without_names(with_old_addresses(planned[case], case, bridge.converted_after.moved), case)


def _wanted(planned: Mapping[str, Any], name: str) -> dict[str, Any]:
    return _without_names(with_old_addresses(planned[f"{name}_after"], f"{name}_after", {}), f"{name}_after")


def _without_names(plan: dict[str, Any], case: str) -> dict[str, Any]:
    return {**plan, "outputs": {key.removeprefix(f"{case}_"): it for key, it in plan["outputs"].items()}}


@pytest.mark.parametrize("name", [SINGLE, SINGLE_OF_SPACE])
def test_a_single_mirror_plans_as_its_deployment(
    name: str, planned: dict[str, Any], bridges: dict[str, Bridge]
) -> None:
    before, unedited = f"{name}_before", f"{name}_unedited"
    found = with_old_addresses(planned[unedited], unedited, bridges[name].converted.moved)
    wanted = with_old_addresses(planned[before], before, {})
    assert _without_names(found, unedited) == _without_names(wanted, before)


@pytest.mark.parametrize("name", ADDITIONS)
def test_the_entries_of_a_mirror_plan_as_the_deployment_with_that_mirror(
    name: str, planned: dict[str, Any], bridges: dict[str, Bridge]
) -> None:
    found, wanted = _of(planned, bridges[name], _case(name)), _wanted(planned, name)
    assert ADDITIONS[name].key in wanted["outputs"]["build_projects"]["after"]
    assert sorted(found) == sorted(wanted)
    assert {it: found[it] for it in found if found[it] != wanted[it]} == {}


@pytest.mark.parametrize(
    ("name", "left_out"), [(name, place) for name, addition in ADDITIONS.items() for place in addition.entries]
)
def test_every_entry_is_needed(name: str, left_out: str, planned: dict[str, Any], bridges: dict[str, Bridge]) -> None:
    assert _of(planned, bridges[name], _case(name, left_out)) != _wanted(planned, name)


@pytest.mark.parametrize("name", ADDITIONS)
def test_the_readme_names_the_places_of_the_entries_and_no_file_beside_them(
    name: str, bridges: dict[str, Bridge]
) -> None:
    places = {it.name: it for it in bridges[name].converted.edit_places if it.name.startswith("local.")}
    assert {key: it.also for key, it in places.items()} == {ADDITIONS[name].members: [], "local.repositories": []}
    assert places["local.repositories"].some == ()
    # Some mirrors have a repository of their own.
    assert set(places[ADDITIONS[name].members].some) <= {"codecommit.tf"}


@pytest.mark.parametrize("name", ["of_one_of_two_spaces", "of_a_space_into_a_new_repository"])
def test_an_entry_that_stops_the_mirrors_of_its_build_is_refused(
    name: str, bridges: dict[str, Bridge], tmp_path: Path
) -> None:
    addition, bridge = ADDITIONS[name], bridges[name]
    entry = addition.entries[addition.members]
    incomplete = {it: re.sub(rf"\n *{it} +=.*", "", entry) for it in ("key_arn", "repository")}
    entries = {**incomplete, "target": entry.replace('"new-tools"', '"examples"' if "two" in name else '"website"')}
    for attribute, text in entries.items():
        assert text != entry
        changed = replace(addition, entries={**addition.entries, addition.members: text})
        put(bridge.edited(changed), tmp_path / f"without_{attribute}")
    done = planned_together(tmp_path, {f"without_{it}": bridge.after for it in entries}, "-json")
    assert done.returncode != 0
    errors = [it["diagnostic"] for it in map(json.loads, done.stdout.splitlines()) if it["type"] == "diagnostic"]
    said = {it: [one for one in errors if one["range"]["filename"].startswith(f"without_{it}/")] for it in entries}
    has_all = "Every mirror has project, repository, target, and key_arn: null for a target without a key."
    assert {it["detail"] for it in said["repository"]} == {has_all}
    # A loop over the keys of KMS reads it before.
    lacks = 'This object does not have an attribute named "key_arn".'
    assert has_all in {it["detail"] for it in said["key_arn"]} <= {has_all, lacks}
    assert {it["detail"] for it in said["target"]} == {
        "Two mirrors have the same target: give each mirror a repository of its own."
    }
