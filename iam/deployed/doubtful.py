"""Refuses facts that the Terraform does not bear out."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from iam.deployed.stack import DeployedStack
from iam.statements import UnsupportedError
from terraform.address_lists import listed_by, none_wider
from terraform.facts import AddressList, OutputAddresses

_VARIABLES = {
    "push user": "push_from_cidrs",
    "webhook senders": "webhook_sender_cidrs",
    "work terminals": "work_terminal_cidrs",
}


_ADDRESS = re.compile(r"\$\{((?:data\.)?aws_eip\.[\w-]+)\.public_ip\}")
_ALLOCATION = re.compile(r"\$\{((?:data\.)?aws_eip\.[\w-]+)\.(?:allocation_)?id\}")
_USED_BY = {"nat_public_ips": "aws_nat_gateway", "public_ip": "aws_eip_association"}
"""By output, what the addresses belong to that requests come from."""

_WIDEST = 8
"""The shortest prefix that a variable may demand without taking the whole world."""


def refuse_doubtful(stacks: Sequence[DeployedStack]) -> None:
    """Raise UnsupportedError for a fact whose variable or expression is not what the fact says."""
    by_name = {stack.name: stack for stack in stacks}
    for stack in stacks:
        for output in stack.outputs.values():
            _check_expression(stack, output)
            _check_output(by_name, output)
        for fact in stack.lists.values():
            if fact.variable != (expected := _variable(fact)):
                raise UnsupportedError(
                    f"{stack.name}: var.{fact.variable}", f"addresses for {fact.use}, which var.{expected} lists"
                )
            if _takes_wide_networks(stack, fact) == (fact.open_because is None):
                what = f"{'no' if fact.open_because is None else 'a'} reason for wide networks"
                raise UnsupportedError(f"{stack.name}: var.{fact.variable}", f"{what}, against what the variable takes")
    for (use, room), times in Counter(_uses(stacks)).items():
        if times > 1:
            raise UnsupportedError("facts", f"{times} lists of addresses for {use if room is None else f'room {room}'}")


def _check_expression(stack: DeployedStack, fact: OutputAddresses) -> None:
    listed = listed_by(fact.expression)
    if listed is None or stack.configuration.output_read_by(listed) != (fact.stack, fact.output):
        raise UnsupportedError(
            stack.name, f"{fact.expression} as the single addresses in {fact.output} of the stack {fact.stack}"
        )


def _check_output(stacks: Mapping[str, DeployedStack], fact: OutputAddresses) -> None:
    """Refuse an output whose addresses are not exactly those that leave from its stack's NAT gateways or servers."""
    value = stacks[fact.stack].configuration.stack.outputs[fact.output]["value"]
    listed = list(value.values()) if isinstance(value, dict) else [value]
    addresses = [_ADDRESS.fullmatch(one) if isinstance(one, str) else None for one in listed]
    used = [
        found[1] if (found := _ALLOCATION.fullmatch(arguments["allocation_id"])) else None
        for _, _, arguments in stacks[fact.stack].of(_USED_BY.get(fact.output, ""))
    ]
    if sorted(found[1] if found else "" for found in addresses) != sorted(map(str, used)) or not listed:
        raise UnsupportedError(f"{fact.stack}: output.{fact.output}", f"whose addresses {value!r} are")


def _variable(fact: AddressList) -> str:
    return _VARIABLES.get(fact.use) or ("pull_from_cidrs" if fact.room is None else f"room_{fact.room}_from_cidrs")


def _takes_wide_networks(stack: DeployedStack, fact: AddressList) -> bool:
    checks = {f"${{{none_wider(fact.variable, prefix)}}}" for prefix in range(_WIDEST, 33)}
    validation = stack.configuration.variables[fact.variable].get("validation", ())
    return not any(check["condition"] in checks for check in validation)


def _uses(stacks: Sequence[DeployedStack]) -> Iterator[tuple[str, str | None]]:
    for stack in stacks:
        yield from ((fact.use, fact.room) for fact in stack.lists.values())
        yield from ((fact.use, None) for fact in stack.outputs.values())
