"""Sorts a stack's blocks into files by concern."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ops.handover.hcl import Block
from ops.handover.local_blocks import with_one_locals_block
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import address, addresses_in

_OF_TERRAFORM = {
    "provider": "providers.tf",
    "variable": "variables.tf",
    "output": "outputs.tf",
    "locals": "locals.tf",
    "module": "modules.tf",
    "check": "checks.tf",
    "import": "imports.tf",
    "moved": "moved.tf",
    "removed": "removed.tf",
}

# The first pattern that matches the start of a type decides. Other types are filed by their service:
# `aws_codebuild_project` in `codebuild.tf`, `random_password` in `random.tf`.
_CONCERNS: Mapping[str, str] = {
    r"terraform_remote_state": "remote_state",
    r"terraform_": "terraform_data",
    r"aws_(default_)?subnet": "subnets",
    r"aws_(default_)?route_table|aws_(main_)?route(_table_association)?$": "routes",
    r"aws_nat_gateway": "nat",
    r"aws_eip": "elastic_ips",
    r"aws_vpc_endpoint": "endpoints",
    r"aws_(default_)?security_group|aws_vpc_security_group": "security_groups",
    r"aws_flow_log": "flow_logs",
    r"aws_(default_)?network_(acl|interface)": "network",
    r"aws_(default_)?vpc|aws_(egress_only_)?internet_gateway": "vpc",
    r"aws_(ami|instance|launch|key_pair|ebs|spot|volume|placement_group|ec2)": "ec2",
    r"aws_api_gateway|aws_apigatewayv2": "api_gateway",
    r"aws_cloudwatch_event": "eventbridge",
    r"aws_cloudwatch_log": "logs",
    r"aws_cloudwatch_(metric_alarm|composite_alarm)": "alarms",
    r"aws_(lb|alb|elb)": "load_balancers",
    r"aws_(db|rds)": "rds",
    r"aws_autoscaling": "autoscaling",
}


def filed(blocks: Sequence[TopLevelBlock]) -> dict[str, list[Block]]:
    """The blocks by file, in their order."""
    places = _places(blocks)
    by_address = {address(found.block): place for found, place in zip(blocks, places, strict=True)}
    files: dict[str, list[Block]] = {}
    for found, own_place in zip(blocks, places, strict=True):
        place = own_place if found.same_file_as is None else by_address[found.same_file_as]
        for file, block in _split(found.block, place):
            files.setdefault(file, []).append(block)
    variables = _OF_TERRAFORM["variable"]
    if variables in files:
        files[variables].sort(key=lambda it: it.labels)
    return {file: with_one_locals_block(_with_reasons_once(content)) for file, content in files.items()}


def _with_reasons_once(content: Sequence[Block]) -> list[Block]:
    """The blocks of a file, where blocks of one type, and those within blocks of one type, say a reason once."""
    said: set[tuple[str, ...]] = set()

    def once(block: Block, *place: str) -> Block:
        own = (*place, block.type, block.reason)
        is_said = own in said
        said.add(own)
        return replace(block, reason="") if is_said else block

    found = []
    for block in content:
        kind = block.labels[0] if len(block.labels) > 1 else ""
        inner = tuple(once(it, block.type, kind) for it in block.blocks)
        found.append(once(replace(block, blocks=inner), kind))
    return found


def _places(blocks: Sequence[TopLevelBlock]) -> list[str]:
    """The file of each block. A data source goes to the file of its readers, if they are all in one."""
    by_address = {address(found.block): _place(found) for found in blocks}
    places = [_place(it) if it.same_file_as is None else by_address[it.same_file_as] for it in blocks]
    references = [set() if found.block.type == "output" else addresses_in(found.block) for found in blocks]
    for index, found in enumerate(blocks):
        if found.block.type == "data" and not places[index].startswith(("remote_state", "iam")):
            own = address(found.block)
            readers = {
                place
                for other, (place, addresses) in enumerate(zip(places, references, strict=True))
                if other != index and own in addresses
            }
            places[index] = readers.pop() if len(readers) == 1 else "data.tf"
    return places


def _split(block: Block, file: str) -> list[tuple[str, Block]]:
    """The block with its file; Terraform's settings go to two files, one for the state and one for versions."""
    if block.type != "terraform":
        return [(file, block)]
    states = tuple(it for it in block.blocks if it.type in ("backend", "cloud"))
    versions = tuple(it for it in block.blocks if it not in states)
    found = [("backend.tf", Block("terraform", blocks=states))] if states else []
    if versions or block.arguments:
        found.append(("versions.tf", replace(block, blocks=versions)))
    return found


def _place(found: TopLevelBlock) -> str:
    block = found.block
    if block.type not in ("resource", "data", "ephemeral"):
        return _OF_TERRAFORM.get(block.type, "versions.tf")
    kind = block.labels[0]
    if kind.startswith("aws_iam"):
        construct = re.sub(r"\W", "_", found.path[0]) if len(found.path) > 1 else ""
        return f"iam_{construct}.tf" if construct else "iam.tf"
    for pattern, concern in _CONCERNS.items():
        if re.match(pattern, kind):
            return f"{concern}.tf"
    provider, _, rest = kind.partition("_")
    return f"{rest.split('_')[0] if provider == 'aws' and rest else provider}.tf"
