"""Resolves what a plan leaves open: policies after the apply, and the references that open values come from."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from terraform import arns, policy_documents
from terraform.patterns import ANY_ATTRIBUTE, POLICY_DOCUMENT
from terraform.plan import Action, Change, Plan
from terraform.plan_configuration import PlanConfiguration, module_of, remote_output
from terraform.plan_values import KnownAfterApply, OpenWriter, PlannedText, Sensitive, any_marked, marked
from terraform.templates import Interpolation, Literal, Part, TemplateError, parts

_MERGED = ("override_policy_documents", "source_policy_documents")

# What decides how a statement is read. Where the apply decides one of these, nothing is known of the policy.
_STRUCTURE = ("effect", *policy_documents.PRINCIPALS, "condition")


@dataclass(frozen=True, kw_only=True)
class ResolvedPolicy:
    """A policy after the apply. `written` returns it as JSON, with a text of the caller's for each value in `open`."""

    written: Callable[[OpenWriter], str]
    open: frozenset[KnownAfterApply] = frozenset()


class PlanReferences:
    """Looks up the values after the apply that one plan leaves open."""

    def __init__(self, plan: Plan) -> None:
        self.configuration = PlanConfiguration(plan.configuration)
        self._after: dict[str, Mapping[str, Any]] = {
            address: instance.values for address, instance in {**plan.before, **plan.planned}.items()
        }
        self._after |= {change.address: change.after for change in plan.changes if change.deposed is None}
        self._changes = {change.address: change for change in plan.changes if change.deposed is None}

    def policy_after(self, change: Change, name: str) -> ResolvedPolicy | None:
        """A policy after the apply; None where it is sensitive or nothing of it is known."""
        if not change.unknown(name):
            found = change.after.get(name)
            return ResolvedPolicy(written=lambda _: found) if isinstance(found, str) else None
        for reference in self.configuration.references(change.address, name):
            document = self._document(change, reference) if POLICY_DOCUMENT.fullmatch(reference) else None
            if document is not None:
                return self._policy(document)
        return None

    def open_values(self, change: Change, name: str) -> frozenset[KnownAfterApply]:
        """The references that the unknown parts of a policy come from."""
        found: list[str] = []
        for reference in self.configuration.references(change.address, name):
            document = self._document(change, reference)
            if document is not None and document.type == "aws_iam_policy_document":
                found += self._references_of_unknown(document)
            else:
                found.append(reference)
        return frozenset(map(KnownAfterApply, found))

    def assigned(self, change: Change, name: str) -> frozenset[str] | None:
        """What the open parts of an argument are, as `TYPE.ATTRIBUTE`, if AWS assigns each to an object of the plan.

        None where anything else is in it, such as a value that its object's configuration sets.
        """
        found: set[str] = set()
        texts = self.configuration.templates(change.address, name)
        for text in texts:
            match _split(text):
                case [Interpolation(source)] | [Interpolation(source), Literal("/32" | "/128")]:
                    address, _, attribute = source.strip().rpartition(".")
                    made = self._changes.get(module_of(change.address) + address)
                    is_new = made is not None and made.is_managed and made.action in (Action.CREATE, Action.REPLACE)
                    arguments = self.configuration.arguments(made.address) if made is not None else None
                    if made is None or not is_new or arguments is None or attribute in arguments:
                        return None
                    found.add(f"{made.type}.{attribute}")
                case [] | [Literal()]:
                    continue
                case _:
                    return None
        return frozenset(found) if texts else None

    def is_output(self, change: Change, name: str) -> bool:
        """Whether an argument is another stack's output and nothing else."""
        references = self.configuration.references(change.address, name)
        is_one = len(references) == 1 and self.configuration.is_template(change.address, references[0], name)
        return is_one and remote_output(references[0]) is not None

    def value(self, module: str, reference: str) -> str | Sensitive | None:
        """The text that `TYPE.NAME.ATTRIBUTE` has after the apply; None where it is not known yet."""
        address, _, attribute = reference.rpartition(".")
        after = self._after.get(module + address)
        if after is None:
            return None
        found = after.get(attribute)
        if isinstance(found, str | Sensitive):
            return found
        changed = self._changes.get(module + address)
        if changed is not None and changed.action is Action.REPLACE and isinstance(changed.before.get(attribute), str):
            # The new object takes the place of the old one: its new id gives nobody more access.
            return str(changed.before[attribute])
        own = module + address
        place = {"region": self.configuration.region(own), "account": self.configuration.account(own)}
        return arns.arn(address.partition(".")[0], attribute, {**place, **after})

    def _document(self, change: Change, reference: str) -> Change | None:
        """The data source that a reference reads, from the module of `change`."""
        return self._changes.get(module_of(change.address) + reference.rpartition(".")[0])

    def _references_of_unknown(self, document: Change) -> Iterator[str]:
        statements = document.after.get("statement")
        for place, _ in enumerate(statements if isinstance(statements, list) else []):
            for argument in (*policy_documents.ELEMENTS, "condition"):
                if any_marked(marked(document.after_unknown, "statement", place, argument)):
                    yield from self.configuration.references_below(document.address, "statement", place, argument)

    def _policy(self, document: Change) -> ResolvedPolicy | None:
        statements = document.after.get("statement")
        structure = [
            marked(document.after_unknown, "statement", place, argument)
            for place in range(len(statements) if isinstance(statements, list) else 0)
            for argument in _STRUCTURE
        ]
        if True in structure or any(map(document.unknown, _MERGED)) or not statements:
            return None
        found: set[KnownAfterApply] = set()

        def written(stand_in: OpenWriter) -> str:
            def texts(known: Any, path: policy_documents.Path) -> list[str]:
                resolved = self._texts(document, known, path)
                return [text if isinstance(text, str) else text.written(stand_in) for text in resolved]

            return json.dumps(policy_documents.render(document.after, texts), default=stand_in)

        def collected(value: KnownAfterApply | Sensitive) -> str:
            if isinstance(value, KnownAfterApply):
                found.add(value)
            return ""

        try:
            written(collected)
        except (policy_documents.NotRenderedError, AttributeError, LookupError, TypeError):
            # Not as the provider writes such a document, so nothing is known of the policy.
            return None
        return ResolvedPolicy(written=written, open=frozenset(found))

    def _texts(self, document: Change, known: Any, path: policy_documents.Path) -> list[str | PlannedText]:
        """The texts of one list after the apply."""
        listed = known if isinstance(known, list) else [known] if isinstance(known, Sensitive) else []
        texts: list[str | PlannedText] = [
            text if isinstance(text, str) else PlannedText((text,))
            for text in listed
            if isinstance(text, str | Sensitive)
        ]
        if not any_marked(marked(document.after_unknown, *path)):
            return texts
        module = module_of(document.address)
        constant = self.configuration.constant_texts(document.address, *path)
        split = [template for text in constant or () if (template := _split(text)) is not None]
        if constant is not None and len(split) == len(constant):
            return [self._resolved(module, template) for template in split]
        references: list[str | None] = [*self.configuration.references(document.address, *path)]
        for reference in references or [None]:
            found = self._part(module, reference)
            text = found if isinstance(found, str) else PlannedText((found,))
            if not isinstance(found, str) or text not in texts:
                texts.append(text)
        return texts

    def _resolved(self, module: str, template: list[Literal | Interpolation]) -> str | PlannedText:
        """A text with its references replaced by what is known of them."""
        found = [
            part.text if isinstance(part, Literal) else self._part(module, part.source.strip()) for part in template
        ]
        known = [part for part in found if isinstance(part, str)]
        return "".join(known) if len(known) == len(found) else PlannedText(tuple(found))

    def _part(self, module: str, reference: str | None) -> str | Sensitive | KnownAfterApply:
        found = self.value(module, reference) if reference is not None else None
        return KnownAfterApply(reference) if found is None else found


def _split(text: str) -> list[Literal | Interpolation] | None:
    """The parts of a template; None where one is neither text nor a plain reference."""
    try:
        found = parts(text)
    except TemplateError:
        return None
    plain = [part for part in found if isinstance(part, Literal) or _is_plain(part)]
    return plain if len(plain) == len(found) else None


def _is_plain(part: Part) -> TypeGuard[Interpolation]:
    return isinstance(part, Interpolation) and ANY_ATTRIBUTE.fullmatch(part.source.strip()) is not None
