"""One stack's Terraform, read for what it says about access."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from iam.documents import parse
from iam.statements import Policy, UnsupportedError
from terraform import facts, policy_documents
from terraform.address_lists import ROOM_CIDRS, no_overlap, of_all_rooms, of_other_rooms
from terraform.facts import AddressList, KeptApart, OutputAddresses
from terraform.output import Json
from terraform.references import Configuration, Unknown

_ADDRESS_OPERATORS = frozenset(("IpAddress", "NotIpAddress"))
_ADDRESS_KEYS = frozenset(("aws:sourceip", "aws:vpcsourceip"))
_LITERAL_LIST = re.compile(r"\$\{(?:toset\()?\[")


class DeployedStack:
    """One stack's Terraform and its facts; refuses what cannot be known before an apply."""

    representing: Mapping[tuple[str, str], str]
    """The address that represents those of another stack's output, by stack and output."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.name = configuration.name
        account = configuration.stack.account
        if account is None:
            raise UnsupportedError(self.name, "which account it is applied to")
        self.account = account
        self.facts = facts.read(self.name, configuration.stack.document)
        self.representing = {}

    @cached_property
    def lists(self) -> dict[str, AddressList]:
        """The facts about lists of addresses, by variable."""
        return {fact.variable: fact for fact in self.facts if isinstance(fact, AddressList)}

    @cached_property
    def outputs(self) -> dict[str, OutputAddresses]:
        """The facts about other stacks' addresses, by expression."""
        return {fact.expression: fact for fact in self.facts if isinstance(fact, OutputAddresses)}

    @cached_property
    def preconditions(self) -> set[str]:
        """The conditions that Terraform checks before it makes a policy."""
        return {
            check["condition"]
            for arguments in self.configuration.resources("aws_iam_policy").values()
            for check in arguments.get("lifecycle", {}).get("precondition", ())
        }

    def pulled_from(self, *, but: str | None = None) -> list[str]:
        """Expressions of the networks of all rooms, or of all others than the room `but`, as conditions have them.

        Raises UnsupportedError for a room whose networks are not in the local value that has those of all rooms.
        """
        of_user = [f"var.{fact.variable}" for fact in self._rooms if fact.room is None]
        named = self.configuration.stack.locals.get(ROOM_CIDRS)
        by_room = named if isinstance(named, dict) else {}
        for fact in self._rooms:
            if fact.room is not None and by_room.get(fact.room) != f"${{var.{fact.variable}}}":
                raise UnsupportedError(f"{self.name}: local.{ROOM_CIDRS}", f"no networks of room {fact.room!r}")
        if named is None:
            return of_user
        return [*of_user, of_all_rooms() if but is None else of_other_rooms(but)]

    @cached_property
    def _rooms(self) -> list[AddressList]:
        return [fact for fact in self.lists.values() if fact.use == "room"]

    @cached_property
    def apart(self) -> list[KeptApart]:
        """The facts whose precondition keeps another stack's addresses out of every room's list."""
        compared = {
            (output.stack, output.output, no_overlap(expression[2:-1], self.pulled_from()))
            for expression, output in self.outputs.items()
        }
        found = [fact for fact in self.facts if isinstance(fact, KeptApart) and fact.condition in self.preconditions]
        return [fact for fact in found if (fact.stack, fact.output, fact.condition) in compared]

    def of(self, kind: str) -> Iterator[tuple[str, str, Json]]:
        """Name, address and arguments of every resource of a type."""
        for name, arguments in self.configuration.resources(kind).items():
            yield name, f"{self.name}: {kind}.{name}", arguments

    def text(self, written: str, place: str) -> str:
        """A text with its references resolved."""
        text = self.configuration.known(written, _represented(place))
        if not isinstance(text, str):
            raise UnsupportedError(place, f"{written!r} as a text")
        return text

    def arn(self, kind: str, name: str, attribute: str = "arn") -> str:
        """The ARN in an attribute of a resource."""
        return self.text(f"${{{kind}.{name}.{attribute}}}", f"{self.name}: {kind}.{name}")

    def tags(self, arguments: Json, place: str) -> Mapping[str, str | None] | None:
        """The tags of a resource: its own, over those that its provider gives everything; None for what is not known.

        Raises UnsupportedError for two keys that differ in nothing but the case, which a policy cannot tell apart.
        """
        known: dict[str, str | None] = {}
        for written in (*self.configuration.stack.default_tags(arguments), arguments.get("tags") or {}):
            value = self.configuration.value(written)
            if not isinstance(value, dict):
                return None
            known |= {key: one if isinstance(one, str) else None for key, one in value.items()}
        if any("${" in key for key in known):
            return None
        if len({key.lower() for key in known}) < len(known):
            raise UnsupportedError(place, f"which of two tags of one name counts: {', '.join(sorted(known))}")
        return known

    def policy(self, written: str, name: str) -> Policy:
        """The policy that an argument holds, under the name `name`."""
        arguments = self.configuration.policy_arguments(written)
        if arguments is None:
            return parse(self.text(written, name), name)
        try:
            return parse(policy_documents.render(arguments, self._texts(arguments, name)), name)
        except policy_documents.NotRenderedError as error:
            raise UnsupportedError(
                _place(name, arguments, error.statement), f"{error.what} of aws_iam_policy_document"
            ) from error

    def _texts(self, arguments: Json, name: str) -> policy_documents.Texts:
        def texts(written: Any, path: policy_documents.Path) -> list[str]:
            place = _place(name, arguments, path[1])
            if _lists_addresses(arguments, path):
                return self.addresses(written, place)
            return self.configuration.texts(written, _represented(place))

        return texts

    def addresses(self, written: Any, place: str) -> list[str]:
        """The networks of a list, which may be a variable or an expression that a fact is about."""
        if isinstance(written, list):
            return [address for item in written for address in self.addresses(item, place)]
        if fact := self.outputs.get(written):
            return [self.representing[fact.stack, fact.output]]
        variable = self.configuration.variable_of(written)
        is_list = isinstance(self.configuration.value(written), list) and not _LITERAL_LIST.match(written)
        if variable not in self.lists if variable is not None else is_list:
            raise UnsupportedError(place, f"whose addresses {written} are, which no fact of the stack is about")
        if variable is not None:
            written = self.configuration.variables[variable].get("default", written)
        return self.configuration.texts(written, _represented(place))


def _represented(place: str) -> Callable[[Unknown], str]:
    """What stands for a value that only an apply will tell: it equals no other."""

    def stand_in(unknown: Unknown) -> str:
        if not unknown.is_assigned:
            raise UnsupportedError(place, f"what {unknown.expression} will be")
        return f"<{unknown.stack}.{unknown.expression}>"

    return stand_in


def _place(name: str, arguments: Json, statement: object) -> str:
    if not isinstance(statement, int):
        return name
    sid = policy_documents.blocks(arguments, "statement")[statement].get("sid")
    return f"{name}, statement {sid or statement + 1}"


def _lists_addresses(arguments: Json, path: policy_documents.Path) -> bool:
    """Whether a list in a document is that of a condition on addresses."""
    match path:
        case ("statement", int(statement), "condition", int(number), "values"):
            blocks = policy_documents.blocks
            condition = blocks(blocks(arguments, "statement")[statement], "condition")[number]
            operator = condition["test"].rpartition(":")[2].removesuffix("IfExists")
            return operator in _ADDRESS_OPERATORS or condition["variable"].lower() in _ADDRESS_KEYS
    return False
