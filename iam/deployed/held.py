"""Refuses lists of addresses whose limits Terraform would not check when operations change a variable."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network

from iam.deployed.stack import DeployedStack
from iam.statements import UnsupportedError
from terraform import address_lists
from terraform.facts import AddressList


def refuse_unheld(stacks: Sequence[DeployedStack]) -> None:
    """Raise UnsupportedError where a validation or a precondition is missing that every deployment has."""
    for stack in stacks:
        for fact in stack.lists.values():
            conditions = _validations(stack, fact)
            for wanted in _wanted(fact):
                if wanted not in conditions:
                    raise UnsupportedError(_place(stack, fact), f"a list that Terraform does not check: {wanted}")
        _refuse_overlaps(stack)
    of_use = {
        use: [(stack, fact) for stack in stacks for fact in stack.lists.values() if fact.use == use]
        for use in ("room", "work terminals")
    }
    for stack, fact in of_use["room"]:
        _refuse_reach(stack, fact, of_use["work terminals"])
    for stack, fact in of_use["work terminals"]:
        _refuse_reach(stack, fact, of_use["room"])


def _place(stack: DeployedStack, fact: AddressList) -> str:
    return f"{stack.name}: var.{fact.variable}"


def _validations(stack: DeployedStack, fact: AddressList) -> list[str]:
    checks = stack.configuration.variables[fact.variable].get("validation", ())
    return [check["condition"].removeprefix("${").removesuffix("}") for check in checks]


def _wanted(fact: AddressList) -> Iterator[str]:
    yield address_lists.not_empty(fact.variable)
    yield address_lists.well_formed(fact.variable)
    if fact.open_because is None:
        yield address_lists.at_most(fact.variable, address_lists.MOST_ADDRESSES)
    if fact.use != "work terminals":
        yield address_lists.only_public(fact.variable)


def _refuse_overlaps(stack: DeployedStack) -> None:
    """Refuse lists of a stack that no precondition keeps apart: the push user's and the rooms', and each room's."""
    pushing = [f"var.{fact.variable}" for fact in stack.lists.values() if fact.use == "push user"]
    rooms = [fact.room for fact in stack.lists.values() if fact.use == "room" and fact.room is not None]
    of_user = [f"var.{fact.variable}" for fact in stack.lists.values() if fact.use == "room" and fact.room is None]
    pairs = [(own, stack.pulled_from()) for own in pushing]
    pairs += [(own, of_user[:number]) for number, own in enumerate(of_user)]
    pairs += [(address_lists.of_room(room), stack.pulled_from(but=room)) for room in rooms]
    for own, others in pairs:
        if others and address_lists.no_overlap(own, others) not in stack.preconditions:
            raise UnsupportedError(f"{stack.name}: {own}", f"whether these addresses are also in {', '.join(others)}")


def _refuse_reach(stack: DeployedStack, fact: AddressList, others: Sequence[tuple[DeployedStack, AddressList]]) -> None:
    """Refuse a list that may come to overlap with the defaults of others. An overlap of defaults breaks a promise."""
    kept_apart = {
        network
        for condition in _validations(stack, fact)
        for network in address_lists.apart_from(condition, fact.variable)
    }
    own = _defaults(stack, fact)
    for other_stack, other in others:
        for network in _defaults(other_stack, other):
            if str(network) not in kept_apart and not any(map(network.overlaps, own)):
                what = f"whether it may overlap {network} of {_place(other_stack, other)}"
                raise UnsupportedError(_place(stack, fact), what)


def _defaults(stack: DeployedStack, fact: AddressList) -> list[IPv4Network]:
    default = stack.configuration.variables[fact.variable].get("default")
    try:
        return [IPv4Network(network) for network in default or ()]
    except (TypeError, ValueError):
        raise UnsupportedError(_place(stack, fact), f"{default!r} as IPv4 networks") from None
