"""What plans say of objects before or after the apply: texts, policies, and which policy an ARN names."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from iam.aws_managed import aws_managed
from iam.documents import parse
from iam.statements import Policy, UnsupportedError
from ops.review.rule import Plans, ReviewedChange
from terraform.plan import Action
from terraform.plan_configuration import module_of
from terraform.plan_values import OpenWriter, Sensitive

_POLICY = "aws_iam_policy"


@dataclass(frozen=True, eq=False)
class PlanMoment:
    """The plans before or after the apply; `stand_in` writes the parts of policies that are known after it only."""

    plans: Plans
    is_after: bool
    stand_in: OpenWriter

    def existing(self, *types: str) -> Iterator[ReviewedChange]:
        """The objects that exist: of these types, or of every type."""
        gone = Action.DELETE if self.is_after else Action.CREATE
        return (found for found in self.plans.changes(*types) if found.deposed is None and found.action is not gone)

    def values(self, change: ReviewedChange) -> Mapping[str, Any]:
        """The attributes of an object."""
        if not self.is_after or change.action is Action.FORGET:
            return change.before
        return {} if change.is_removed else change.after

    def text(self, change: ReviewedChange, name: str) -> str | None:
        """An attribute's text, resolved from its reference where the plan leaves it open."""
        found = self.values(change).get(name)
        if isinstance(found, Sensitive):
            raise UnsupportedError(change.address, f"a sensitive {name}")
        if isinstance(found, str):
            return found
        if not self.is_after:
            return None
        module = module_of(change.address)
        # AWS assigns what no reference sets, such as an ARN.
        own = f"{change.address.removeprefix(module)}.{name}"
        value = change.references.value(module, _reference(change, name) or own)
        return value if isinstance(value, str) else None

    def known_text(self, change: ReviewedChange, name: str) -> str:
        """An attribute's text; raises UnsupportedError where it is not known."""
        found = self.text(change, name)
        if found is None:
            raise UnsupportedError(change.address, f"a {name} that is not known")
        return found

    def texts(self, change: ReviewedChange, name: str) -> list[str]:
        """An attribute's list of texts; raises UnsupportedError where one is not known."""
        listed = self.values(change).get(name)
        is_known = not (self.is_after and change.unknown(name))
        if not is_known or not (listed is None or isinstance(listed, list)):
            raise UnsupportedError(change.address, f"{name} that are not known")
        texts = [text for text in listed or () if isinstance(text, str)]
        if len(texts) < len(listed or ()):
            raise UnsupportedError(change.address, f"{name} that are not known")
        return texts

    def arn(self, change: ReviewedChange, name_attribute: str) -> str | None:
        """The ARN of an object; one that is renamed keeps its old ARN in the plan, and has another after the apply."""
        found = self.text(change, "arn")
        was, now = change.before.get(name_attribute), self.values(change).get(name_attribute)
        is_renamed = self.is_after and change.action is Action.UPDATE and was != now
        if found is None or not is_renamed or found != change.before.get("arn"):
            return found
        if not isinstance(was, str) or not isinstance(now, str) or not found.endswith(was):
            raise UnsupportedError(change.address, "an ARN that its new name changes")
        return found.removesuffix(was) + now

    def policy(self, change: ReviewedChange, name: str, called: str) -> Policy | None:
        """The policy in an attribute, None where it is not known."""
        found = self.values(change).get(name)
        if isinstance(found, Sensitive):
            raise UnsupportedError(called, "a sensitive policy")
        if self.is_after and change.action is not Action.FORGET:
            resolved = change.references.policy_after(change, name)
            found = None if resolved is None else resolved.written(self.stand_in)
        return parse(found, called) if isinstance(found, str) and found else None

    def known_policy(self, change: ReviewedChange) -> Policy:
        """The policy of an object; raises UnsupportedError where it is not known."""
        found = self.policy(change, "policy", change.address)
        if found is None:
            raise UnsupportedError(change.address, "a policy that is known after the apply only")
        return found

    def named(self, change: ReviewedChange, argument: str) -> str | None:
        """What identifies the managed policy that an argument names: its ARN, or where that is not known, its address.

        None where the argument names none.
        """
        if self.values(change).get(argument) in (None, "") and not (self.is_after and change.unknown(argument)):
            return None
        arn = self.text(change, argument)
        if arn is not None:
            return arn
        reference = _reference(change, argument)
        if reference is None:
            raise UnsupportedError(change.address, f"a {argument} that is not known")
        return _by_address(change.stack, f"{module_of(change.address)}{reference}")

    def managed(self, named: str, place: str) -> Policy:
        """The managed policy that `named` returns; raises UnsupportedError where its text is not known."""
        if (found := self._managed.get(named)) is not None:
            return self.known_policy(found)
        published = aws_managed(named)
        if published is None:
            raise UnsupportedError(place, f"{named}, which is in none of the plans")
        return published

    @cached_property
    def _managed(self) -> Mapping[str, ReviewedChange]:
        found: dict[str, ReviewedChange] = {}
        for change in self.existing(_POLICY):
            found[_by_address(change.stack, f"{change.address}.arn")] = change
            with suppress(UnsupportedError):  # then no ARN names it
                found[self.known_text(change, "arn")] = change
        return found


def _by_address(stack: str, reference: str) -> str:
    return f"{stack}: {reference}"


def _reference(change: ReviewedChange, name: str) -> str | None:
    """The one reference in an argument, if it has any."""
    references = change.references.configuration.references(change.address, name)
    if len(references) > 1:
        raise UnsupportedError(change.address, f"a {name} that depends on several values")
    return references[0] if references else None
