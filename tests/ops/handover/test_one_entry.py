"""Adding a room, a repository or a zone to the HCL is one entry, and plans as the project with it does."""

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, shipped
from ops.handover.conversion import Converted
from settings import load
from terraform import output
from tests.ops.handover.by_plan import planned, plans_from_json, plans_of_files, put
from tests.ops.handover.evaluation import larger_than, with_old_addresses
from tests.settings.whole_file import KMS_KEY
from tests.terraform import Stacks

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
    before: Mapping[str, object] = field(default_factory=lambda: _BEFORE)
    deployment: str = "everything"


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
    "room_with_endpoints": Entry(
        stack="prd-codecommit",
        file="locals.tf",
        behind="  rooms = {\n",
        entry=f"""\
    archive = {{
      pull_resources  = ["{_ARN}:application", "{_ARN}:batch"]
      source_ip       = null
      source_vpce     = ["vpce-11111111", "vpce-22222222222222222", "vpce-33333333333333333"]
      repository_keys = false
    }}
""",
        settings={
            "prd.codecommit.rooms.archive": {
                "from_vpc_endpoints": ["vpce-11111111", "vpce-22222222222222222", "vpce-33333333333333333"],
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
        before={**_BEFORE, "dev.network.zones": ["a", "c"], "dev.proxy.squid.instances": 2},
    ),
    "second_repository": Entry(
        deployment="minimal",
        stack="prd-codecommit",
        file="codecommit.tf",
        behind="  repositories = {\n",
        entry="""\
    website = {
      description = "What the world sees"
    }
""",
        settings={"prd.codecommit.repositories.website": {"description": "What the world sees"}},
        before={},
    ),
    "second_room": Entry(
        deployment="minimal",
        stack="prd-codecommit",
        file="locals.tf",
        behind="  rooms = {\n",
        entry=f"""\
    night_shift = {{
      pull_resources = ["{_ARN}:website"]
      source_ip      = ["203.0.113.16/29"]
      source_vpce    = null
    }}
""",
        settings={"prd.codecommit.rooms.night_shift": {"from_cidrs": ["203.0.113.16/29"], "repositories": ["website"]}},
        before={
            "prd.codecommit.repositories.website": {},
            "prd.codecommit.rooms": {"day_shift": {"from_cidrs": ["203.0.113.32/29"]}},
        },
    ),
    "second_room_with_endpoints": Entry(
        deployment="minimal",
        stack="prd-codecommit",
        file="locals.tf",
        behind="  rooms = {\n",
        entry=f"""\
    night_shift = {{
      pull_resources = ["{_ARN}:website"]
      source_ip      = null
      source_vpce    = ["vpce-00000000000000003", "vpce-00000000000000004"]
    }}
""",
        settings={
            "prd.codecommit.rooms.night_shift": {
                "from_vpc_endpoints": ["vpce-00000000000000003", "vpce-00000000000000004"],
                "repositories": ["website"],
            }
        },
        before={
            "prd.codecommit.repositories.website": {},
            "prd.codecommit.rooms": {"day_shift": {"from_vpc_endpoints": ["vpce-00000000000000002"]}},
            "prd.codecommit.detection": {"emails": ["security@example.com"]},
        },
    ),
    "first_room_with_endpoints": Entry(
        deployment="minimal",
        stack="prd-codecommit",
        file="locals.tf",
        behind="  rooms = {\n",
        entry=f"""\
    vault = {{
      pull_resources  = [for repository in keys(local.repositories) : "{_ARN}:${{repository}}"]
      source_ip       = null
      source_vpce     = ["vpce-00000000000000003", "vpce-00000000000000004"]
      repository_keys = true
    }}
""",
        settings={
            "prd.codecommit.rooms.vault": {"from_vpc_endpoints": ["vpce-00000000000000003", "vpce-00000000000000004"]}
        },
        before={
            "prd.codecommit.repositories.website": {"kms_key_arn": KMS_KEY},
            "prd.codecommit.rooms": {
                "day_shift": {"from_cidrs": ["203.0.113.32/29"], "repositories": ["infrastructure"]}
            },
            "prd.codecommit.detection": {"emails": ["security@example.com"]},
        },
    ),
    "first_room_with_networks": Entry(
        deployment="minimal",
        stack="prd-codecommit",
        file="locals.tf",
        behind="  rooms = {\n",
        entry=f"""\
    night_shift = {{
      pull_resources = ["{_ARN}:website"]
      source_ip      = ["203.0.113.16/29", "203.0.113.24/32"]
      source_vpce    = null
    }}
""",
        settings={
            "prd.codecommit.rooms.night_shift": {
                "from_cidrs": ["203.0.113.16/29", "203.0.113.24/32"],
                "repositories": ["website"],
            }
        },
        before={
            "prd.codecommit.repositories.website": {},
            "prd.codecommit.rooms": {"vault": {"from_vpc_endpoints": ["vpce-00000000000000002"]}},
            "prd.codecommit.detection": {"emails": ["security@example.com"]},
        },
    ),
    "repository_beside_a_single_room": Entry(
        deployment="minimal",
        stack="prd-codecommit",
        file="codecommit.tf",
        behind="  repositories = {\n",
        entry="""\
    website = {
      description = ""
    }
""",
        settings={"prd.codecommit.repositories.website": {}},
        before={
            "prd.codecommit.rooms": {
                "day_shift": {"from_cidrs": ["203.0.113.32/29"]},
                "night_shift": {"from_cidrs": ["203.0.113.16/29"], "repositories": ["infrastructure"]},
            },
        },
    ),
    "repository_beside_a_room_of_all_others": Entry(
        deployment="minimal",
        stack="prd-codecommit",
        file="codecommit.tf",
        behind="  repositories = {\n",
        entry="""\
    reports = {
      description = ""
    }
""",
        settings={"prd.codecommit.repositories.reports": {}},
        before={
            "prd.codecommit.repositories.website": {},
            "prd.codecommit.rooms": {
                "day_shift": {"from_cidrs": ["203.0.113.32/29"], "repositories": ["infrastructure", "website"]},
                "night_shift": {"from_cidrs": ["203.0.113.16/29"]},
            },
        },
    ),
    "second_zone": Entry(
        deployment="example",
        stack="dev-network",
        file="locals.tf",
        behind="  zones = {\n",
        entry="""\
    d = {
      private_cidr_block = "10.10.12.0/24"
      public_cidr_block  = "10.10.2.0/24"
    }
""",
        settings={"dev.network.zones.d": {"public_cidr": "10.10.2.0/24", "private_cidr": "10.10.12.0/24"}},
        before={"dev.network.zones.c": None, "dev.proxy.squid.instances": 1},
    ),
}


Handed = Callable[[Entry], Converted]


@pytest.fixture(scope="module")
def handed_over(changed: Callable[..., Stacks]) -> Handed:
    @functools.cache
    def of(deployment: str, stack: str, before: str) -> Converted:
        return _converted(stack, changed(deployment, json.loads(before)))

    return lambda entry: of(entry.deployment, entry.stack, json.dumps(dict(entry.before)))


@pytest.fixture(scope="module")
def plans(
    handed_over: Handed, changed: Callable[..., Stacks], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Any, Any]]:
    """The plan of each project with what is asked for, and of the HCL with the entry."""
    asked = {what: changed(it.deployment, {**it.before, **it.settings})[it.stack].json for what, it in ENTRIES.items()}
    edited = {what: (asked[what], with_entry(it, handed_over(it))) for what, it in ENTRIES.items()}
    folder = tmp_path_factory.mktemp("entries")
    from_json, from_hcl = plans_from_json(asked, folder / "json"), plans_of_files(edited, folder / "hcl")
    return {what: (from_json[what], from_hcl[what]) for what in ENTRIES}


@pytest.mark.terraform
@pytest.mark.slow
@pytest.mark.parametrize("what", ENTRIES)
def test_one_entry_plans_as_the_project_with_it_does(
    what: str, plans: dict[str, tuple[Any, Any]], changed: Callable[..., Stacks]
) -> None:
    entry = ENTRIES[what]
    asked = changed(entry.deployment, {**entry.before, **entry.settings})
    one, other = plans[what]
    one, other = with_old_addresses(one, what, {}), with_old_addresses(other, what, _alone(entry.stack, asked).moved)
    assert one.keys() == other.keys()
    # An entry in HCL needs no variable of its own.
    assert [place for place in one if one[place] != other[place] and place != "described"] == []
    key = entry.entry.split()[0].strip('"')
    assert any(re.search(f"_{key}(_|$)", place) for place in one)


@pytest.mark.slow
def test_the_endpoints_are_in_the_subnets_of_the_next_zone_too(handed_over: Handed) -> None:
    # No plan tells: the ids of subnets are not known before the apply.
    text = " ".join(handed_over(ENTRIES["second_zone"]).files["endpoints.tf"].split())
    assert "subnet_ids = [for subnet in aws_subnet.network_private : subnet.id]" in text
    assert "[for table in aws_route_table.network_private : table.id]" in text


@pytest.mark.terraform
@pytest.mark.slow
def test_a_room_with_a_source_that_it_must_not_have_is_refused(
    handed_over: Handed, changed: Callable[..., Stacks], tmp_path: Path
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
    texts[entry.entry.replace("null", endpoints)] = "either networks or VPC endpoints, and not both"
    texts[entry.entry.replace("null", endpoints).replace('["203.0.113.16/29"]', "null")] = "endpoints of its own"
    texts[entry.entry.replace('["203.0.113.16/29"]', "null")] = "either networks or VPC endpoints, and not both"
    document = changed(entry.deployment, entry.before)[entry.stack].json
    for number, text in enumerate(texts):
        put(with_entry(replace(entry, entry=text), handed_over(entry)), tmp_path / f"room_{number}")
    said = _refused(tmp_path, {f"room_{number}": document for number in range(len(texts))})
    for number, refused in enumerate(texts.values()):
        own = said[f"room_{number}"]
        assert any(refused in it for it in own), (number, refused, own)


@pytest.mark.terraform
@pytest.mark.slow
def test_a_vpc_whose_addresses_alone_are_changed_is_refused_for_each_subnet_outside(
    handed_over: Handed, changed: Callable[..., Stacks], tmp_path: Path
) -> None:
    entry, tfvars = ENTRIES["zone"], "terraform.tfvars"
    document, files = changed(entry.deployment, entry.before)[entry.stack].json, handed_over(entry).files
    subnets = ["10.10.0.0/20", "10.10.32.0/20", "10.10.128.0/20", "10.10.160.0/20"]
    outside = {"10.20.0.0/16": subnets, "10.10.0.0/17": subnets[2:], "10.10.32.0/24": subnets}
    for number, cidr in enumerate(outside):
        given = files[tfvars].replace("10.10.0.0/16", cidr)
        assert cidr in given
        put({**files, tfvars: given}, tmp_path / f"hcl_{number}")
    in_json = json.loads(json.dumps({key: it for key, it in document.items() if key not in ("provider", "terraform")}))
    in_json["resource"]["aws_vpc"]["network_vpc"]["cidr_block"] = "10.20.0.0/16"
    put({"cdk.tf.json": json.dumps(in_json)}, tmp_path / "json")
    said = _refused(tmp_path, dict.fromkeys((*(f"hcl_{number}" for number in range(len(outside))), "json"), document))
    for place, (cidr, refused) in zip(said, [*outside.items(), ("10.20.0.0/16", subnets)], strict=True):
        messages = [f"Subnet {it} is not within the VPC's addresses, {cidr}: change both." for it in refused]
        assert sorted(said[place]) == sorted(messages)


def with_entry(entry: Entry, converted: Converted) -> dict[str, str]:
    """The files with the entry in its one place."""
    text = converted.files[entry.file]
    assert text.count(entry.behind) == 1
    return {**converted.files, entry.file: text.replace(entry.behind, entry.behind + entry.entry)}


def _converted(stack: str, stacks: Stacks) -> Converted:
    """The HCL that the command `handover` writes for the stack."""
    (deployment,) = stacks.out.parent.glob("*.yaml")
    larger = larger_than(load(deployment), stacks.out.parent / "larger")
    assert larger is not None
    return convert(_document(stacks.out, stack), name=stack, schemas=shipped(), larger=_document(larger, stack))


def _alone(stack: str, stacks: Stacks) -> Converted:
    """The HCL without examples of what comes next, which a stack with two of everything needs not."""
    return convert(_document(stacks.out, stack), name=stack, schemas=shipped())


def _document(out: Path, stack: str) -> dict[str, Any]:
    return output.load(out / "stacks" / stack / output.FILE, exact_numbers=True)


def _refused(folder: Path, cases: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """What the errors of a plan say, by the case that they are about."""
    done = planned(folder, cases, "-json")
    assert done.returncode != 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    errors = [it["diagnostic"] for it in events if it["type"] == "diagnostic"]
    return {name: [it["detail"] for it in errors if it["range"]["filename"].startswith(f"{name}/")] for name in cases}
