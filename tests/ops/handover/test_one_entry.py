"""Adding a room, a repository or a zone to the HCL is one entry, and plans as the project with it does."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, shipped
from ops.handover.conversion import Converted
from terraform import output
from terraform.cli import FinishedRun
from tests.ops.handover.by_plan import OFFLINE, by_meaning
from tests.ops.handover.evaluation import with_old_addresses
from tests.real.terraform import terraform
from tests.terraform import Stacks

_PROVIDERS: Mapping[str, Any] = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
    "provider": {"aws": [OFFLINE, {**OFFLINE, "alias": "us_east_1", "region": "us-east-1"}]},
}
_OF_ACCOUNT = ("providers.tf", "versions.tf", "backend.tf")

# An Elastic IP that exists already would be looked up in AWS.
_BEFORE = {"dev.network.nat.eip_allocation_ids": None}
_ARN = "arn:aws:codecommit:${local.region}:${local.account_id}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry: text that is written into `file` behind the line `behind`, and the settings that ask for the same."""

    stack: str
    file: str
    behind: str
    entry: str
    settings: Mapping[str, object]
    before: Mapping[str, object] = field(default_factory=dict)


ENTRIES = {
    "room": Entry(
        stack="prd-codecommit",
        file="locals.tf",
        behind="  rooms = {\n",
        entry=f"""\
    night_shift = {{
      pull_resources  = ["{_ARN}:application", "{_ARN}:batch"]
      source_ip       = ["203.0.113.16/29"]
      source_vpce     = null
      repository_keys = false
    }}
""",
        settings={
            "prd.codecommit.rooms.night_shift": {
                "from_cidrs": ["203.0.113.16/29"],
                "repositories": ["application", "batch"],
            }
        },
    ),
    "repository": Entry(
        stack="prd-codecommit",
        file="codecommit.tf",
        behind="  repositories = {\n",
        entry="""\
    "reports" = {
      description = "What was sold"
      tags        = null
      kms_key_id  = null
    }
""",
        settings={"prd.codecommit.repositories.reports": {"description": "What was sold"}},
    ),
    "zone": Entry(
        stack="dev-network",
        file="locals.tf",
        behind="  zones = {\n",
        entry="""\
    d = {
      private_cidr_block = "10.10.176.0/20"
      public_cidr_block  = "10.10.48.0/20"
    }
""",
        settings={"dev.network.zones": ["a", "c", "d"]},
        before={"dev.network.zones": ["a", "c"], "dev.proxy.squid.instances": 2},
    ),
}


@pytest.fixture(scope="module")
def handed_over(changed: Callable[..., Stacks]) -> Callable[[Entry], Converted]:
    def of(entry: Entry) -> Converted:
        return _converted(entry.stack, changed("everything", {**_BEFORE, **entry.before}))

    return of


@pytest.mark.terraform
@pytest.mark.slow
@pytest.mark.parametrize("what", ENTRIES)
def test_one_entry_plans_as_the_project_with_it_does(
    what: str, handed_over: Callable[[Entry], Converted], changed: Callable[..., Stacks], tmp_path: Path
) -> None:
    entry = ENTRIES[what]
    edited = with_entry(entry, handed_over(entry))
    asked = changed("everything", {**_BEFORE, **entry.before, **entry.settings})
    document = dict(asked[entry.stack].json)
    from_json = _plan(tmp_path / "json", {"cdk.tf.json": json.dumps(_without_account(document))})
    from_hcl = _plan(tmp_path / "hcl", edited)
    moved = _converted(entry.stack, asked).moved
    one, other = with_old_addresses(from_json, "", {}), with_old_addresses(from_hcl, "", moved)
    assert one.keys() == other.keys()
    assert [place for place in one if one[place] != other[place]] == []
    key = entry.entry.split()[0].strip('"')
    assert any(re.search(f"_{key}(_|$)", place) for place in one)


@pytest.mark.terraform
@pytest.mark.slow
def test_a_room_with_a_source_that_it_must_not_have_is_refused(
    handed_over: Callable[[Entry], Converted], tmp_path: Path
) -> None:
    entry = ENTRIES["room"]
    networks = {
        "203.0.113.34/32": "An address of this room is also one of another room",
        "198.51.100.0/30": "An address of this room is also one of another room",
        "192.0.2.128/32": "An address that may pull could also push",
        "198.51.100.129/32": "An isolated room must not reach GitLab",
        "10.0.0.0/24": "AWS only ever sees public source addresses",
        "203.0.113.17/29": "AWS only ever sees public source addresses",
        "64.0.0.0/3": "at most 16,777,216 addresses",
    }
    texts = {entry.entry.replace("203.0.113.16/29", network): refused for network, refused in networks.items()}
    endpoints = '["vpce-0123456789abcdef0"]'
    texts[entry.entry.replace("null", endpoints)] = "either networks or VPC endpoints"
    texts[entry.entry.replace("null", endpoints).replace('["203.0.113.16/29"]', "null")] = "endpoints of its own"
    texts[entry.entry.replace('["203.0.113.16/29"]', "null")] = "either networks or VPC endpoints"
    for text, refused in texts.items():
        files = with_entry(replace(entry, entry=text), handed_over(entry))
        done = _planned(tmp_path, files)
        assert done.returncode != 0
        assert refused in " ".join(done.stderr.replace("│", "").split())


def with_entry(entry: Entry, converted: Converted) -> dict[str, str]:
    """The files with the entry in its one place."""
    text = converted.files[entry.file]
    assert text.count(entry.behind) == 1
    return {**converted.files, entry.file: text.replace(entry.behind, entry.behind + entry.entry)}


def _converted(stack: str, stacks: Stacks) -> Converted:
    file = stacks.out / "stacks" / stack / output.FILE
    return convert(output.load(file, exact_numbers=True), name=stack, schemas=shipped())


def _without_account(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in document.items() if name not in ("provider", "terraform")}


def _plan(folder: Path, files: Mapping[str, str]) -> dict[str, Any]:
    """What Terraform plans for a stack, without asking AWS."""
    done = _planned(folder, files)
    assert done.returncode == 0, done.stderr[-4000:]
    shown = json.loads(terraform(folder, "show", "-json", "plan").stdout)
    return {
        "changes": [by_meaning(it) for it in shown["resource_changes"]],
        "prior": shown.get("prior_state", {}).get("values", {}).get("root_module", {}).get("resources", []),
        "outputs": shown.get("output_changes", {}),
        "described": {},
    }


def _planned(folder: Path, files: Mapping[str, str]) -> FinishedRun:
    """The run of `terraform plan` for these files."""
    for path, text in files.items():
        if path not in _OF_ACCOUNT:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    (folder / "offline.tf.json").write_text(json.dumps(_PROVIDERS))
    if not (folder / ".terraform").exists():
        started = terraform(folder, "init", "-input=false", "-no-color")
        assert started.returncode == 0, started.stderr[-4000:]
    return terraform(folder, "plan", "-input=false", "-lock=false", "-out=plan", "-no-color")
