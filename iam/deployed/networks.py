"""Reads where requests come from, and what security groups let in, from finished Terraform and its facts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network

from iam.deployed.stack import DeployedStack
from iam.model import REPRESENTATIVES, Endpoint, Identity, Opening, Place
from iam.operators import IpNetwork
from iam.statements import UnsupportedError
from terraform.facts import AddressList
from terraform.output import Json

_INGRESS = "aws_vpc_security_group_ingress_rule"

_OUTPUTS = {"nat_public_ips": "NAT addresses", "public_ip": "address"}

_NAMES = {
    "room": "the isolated room",
    "push user": "the push user's addresses",
    "webhook senders": "Backlog's senders",
}
"""The uses of lists that requests to AWS come from. Work terminals reach GitLab alone."""


def representatives(stacks: Sequence[DeployedStack]) -> Mapping[tuple[str, str], str]:
    """An address for those of each output that a fact is about, by stack and output."""
    outputs = dict.fromkeys((fact.stack, fact.output) for stack in stacks for fact in stack.outputs.values())
    return {output: f"{REPRESENTATIVES + number}/32" for number, output in enumerate(outputs)}


def places(stacks: Sequence[DeployedStack], identities: Sequence[Identity]) -> tuple[Place, ...]:
    """Where requests come from: rooms first, then where the push user works."""
    found = [place for stack in stacks for place in _lists(stack)]
    found += _outputs(stacks)
    found += [
        Place(name=f"{identity.name}'s VPC endpoints", vpc_endpoints=endpoints, is_room=True)
        for identity in identities
        if (endpoints := _vpc_endpoints(identity))
    ]
    return tuple(sorted(found, key=lambda place: (not place.is_room, not place.may_push)))


def service_endpoints(stack: DeployedStack) -> Iterator[Endpoint]:
    """The VPC endpoints, through which data can leave."""
    region = stack.configuration.stack.region
    for _, address, arguments in stack.of("aws_vpc_endpoint"):
        written = arguments.get("policy")
        policy = None if written is None else stack.policy(written, f"{address}'s policy")
        yield Endpoint(address=address, account=stack.account, region=region, policy=policy)


def _lists(stack: DeployedStack) -> Iterator[Place]:
    """The lists of addresses that facts are about, in the order of the variables."""
    for variable in stack.configuration.variables:
        fact = stack.lists.get(variable)
        if fact is None or fact.use not in _NAMES:
            continue
        written, place = f"${{var.{variable}}}", f"{stack.name}: var.{variable}"
        yield Place(
            name=_NAMES[fact.use] if fact.room is None else f"room {fact.room}",
            networks=tuple(_network(address, place) for address in stack.addresses(written, place)),
            is_room=fact.use == "room",
            may_push=fact.use == "push user",
            may_be_open=fact.open_because is not None,
        )


def _outputs(stacks: Sequence[DeployedStack]) -> Iterator[Place]:
    """Other stacks' addresses, each output once."""
    facts = {(fact.stack, fact.output): fact for stack in stacks for fact in stack.outputs.values()}
    for key, address in representatives(stacks).items():
        stack_name, output = key
        yield Place(
            name=f"{stack_name}'s {_OUTPUTS.get(output, output)}",
            networks=(_network(address, stack_name),),
            may_push=facts[key].use == "push user",
            representative=True,
            may_overlap=tuple(
                f"var.{fact.variable}"
                for stack in stacks
                for fact in stack.lists.values()
                if fact.use == "room" and not _is_apart(stack, fact, key)
            ),
        )


def _is_apart(stack: DeployedStack, room: AddressList, output: tuple[str, str]) -> bool:
    return any(fact.variable == room.variable and (fact.stack, fact.output) == output for fact in stack.apart)


def _vpc_endpoints(identity: Identity) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for policy in identity.policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                if condition.key == "aws:sourcevpc":
                    raise UnsupportedError(statement.place, "which VPC endpoints a whole VPC has")
                if condition.key == "aws:sourcevpce":
                    if not all(re.fullmatch(r"vpce-[0-9a-f]+", value) for value in condition.values):
                        raise UnsupportedError(statement.place, f"which VPC endpoints {condition.values[0]!r} names")
                    found.update(dict.fromkeys(condition.values))
    return tuple(found)


def openings(stack: DeployedStack) -> Iterator[Opening]:
    """Inbound rules that name networks."""
    for _, address, arguments in stack.of(_INGRESS):
        opening = _opening(stack, address, arguments)
        if opening.networks:
            yield opening


def _opening(stack: DeployedStack, address: str, arguments: Json) -> Opening:
    written = [arguments[key] for key in ("cidr_ipv4", "cidr_ipv6") if arguments.get(key)]
    fact = None
    if written == ["${each.value}"]:
        written = [arguments["for_each"]]
        fact = stack.lists.get(stack.configuration.variable_of(arguments["for_each"]) or "")
    return Opening(
        address=address,
        networks=tuple(_network(cidr, address) for cidr in stack.addresses(written, address)),
        is_listed=fact is not None,
        may_be_open=fact is not None and fact.open_because is not None,
    )


def _network(text: str, place: str) -> IpNetwork:
    try:
        return ip_network(text)
    except ValueError as error:
        raise UnsupportedError(place, f"{text!r} as a network") from error
