"""Which file each block of a stack is found in: by concern, as a person would look for it."""

import re
from collections.abc import Mapping, Sequence

from ops.handover.reading import Found
from ops.handover.references import address, addresses_in
from ops.handover.syntax import Block

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

# The first pattern that a type begins with. What matches none goes by its service: `aws_codebuild_project` to
# `codebuild.tf`, `random_password` to `random.tf`.
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


def filed(blocks: Sequence[Found]) -> dict[str, list[Block]]:
    """The blocks by file, in the order they came; a data source lies with what alone reads it."""
    files: dict[str, list[Block]] = {}
    place = {id(found.block): _place(found) for found in blocks}
    for found in blocks:
        if found.block.type == "data" and not place[id(found.block)].startswith(("remote_state", "iam")):
            readers = {
                place[id(other.block)]
                for other in blocks
                if other is not found
                and address(found.block) in addresses_in(other.block)
                and other.block.type != "output"
            }
            place[id(found.block)] = readers.pop() if len(readers) == 1 else "data.tf"
    by_address = {address(found.block): place[id(found.block)] for found in blocks if found.block.labels}
    for found in blocks:
        if found.beside is not None:
            place[id(found.block)] = by_address[found.beside]
        for file, block in _split(found.block, place[id(found.block)]):
            files.setdefault(file, []).append(block)
    return files


def _split(block: Block, file: str) -> list[tuple[str, Block]]:
    """Terraform's own settings in two: where the state is, and which versions are meant."""
    if block.type != "terraform":
        return [(file, block)]
    states = tuple(it for it in block.blocks if it.type in ("backend", "cloud"))
    versions = tuple(it for it in block.blocks if it not in states)
    found = [("backend.tf", Block("terraform", blocks=states))] if states else []
    if versions or block.arguments:
        found.append(("versions.tf", Block("terraform", (), block.comments, block.arguments, versions)))
    return found


def _place(found: Found) -> str:
    block = found.block
    if block.type not in ("resource", "data", "ephemeral"):
        return _OF_TERRAFORM.get(block.type, "versions.tf")
    kind = block.labels[0]
    if kind.startswith("aws_iam"):
        whose = re.sub(r"\W", "_", found.path[0]) if len(found.path) > 1 else ""
        return f"iam_{whose}.tf" if whose else "iam.tf"
    for pattern, concern in _CONCERNS.items():
        if re.match(pattern, kind):
            return f"{concern}.tf"
    provider, _, rest = kind.partition("_")
    return f"{rest.split('_')[0] if provider == 'aws' and rest else provider}.tf"
