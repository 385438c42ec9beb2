"""What a rule of a review is, what it is asked about, and what it finds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from iam.comparison import ATTRIBUTES
from ops.masking import Mask
from ops.review.digests import digest
from ops.review.resource_types import ASSIGNED
from ops.review.text import masking, placeholder
from terraform.foretold import Foretold, foretold
from terraform.output import Json, Stack
from terraform.plan import Action, Change, Plan
from terraform.plan_configuration import module_of
from terraform.plan_references import PlanReferences
from terraform.plan_source import unlike

ACCESS_WIDENED = "access-widened"
"""The rule that compares who can pull and push before and after."""

NOT_READ = "not-read"
"""The rule that lists the changes of which no other rule says anything."""

DRIFTED = "drifted"
"""The rule that says what was changed outside Terraform."""

FIRST_DEPLOYMENT = "first-deployment"
"""The rule that says in one line which stacks are new as a whole."""

REPOSITORY_NEW = "repository-new"
"""The rule that says in one line who reaches a new repository."""

_LONGEST_PLACE = 120


@dataclass(frozen=True, kw_only=True)
class ReviewFinding:
    """One fact to know before the apply: `what` is one line of Markdown.

    `brief` says a long `what` in a few words. `details` are lines of Markdown that show it at length, below `what`.
    `seen` is what the digest covers besides the plan and `what`. The rule that finds it fills in `rule`, and `digest`,
    which is another one as soon as the plan does anything else there, and None where a secret is a part of it.
    `arguments` are those of a changed object that the finding is about. The rule `not-read` lists the others. `said_by`
    is the rule of a note that says the same for many findings: a review shows that note instead.
    """

    stack: str
    address: str
    what: str
    brief: str = field(default="", compare=False)
    details: str = ""
    seen: str = ""
    rule: str = ""
    arguments: frozenset[str] = frozenset()
    digest: str | None = None
    said_by: str = ""

    @property
    def allowed_as(self) -> str:
        """What an acknowledgement of it names; without the place where that is too long for a line of a comment."""
        place = f":{self.stack}/{self.address}"
        is_plain = len(place) <= _LONGEST_PLACE and place.isprintable()
        return f"{self.rule}{place}@{self.digest}" if is_plain else self.allowed_briefly

    @property
    def allowed_briefly(self) -> str:
        """The same without the place, which the digest stands for too."""
        return f"{self.rule}@{self.digest}"


@dataclass(frozen=True, kw_only=True)
class ReviewedChange(Change):
    """A change together with the plan's references, which resolve what the change leaves open."""

    references: PlanReferences = field(repr=False, compare=False)

    @property
    def appears(self) -> bool:
        """Whether the object is created, changed or replaced."""
        return self.action in {Action.CREATE, Action.UPDATE, Action.REPLACE}

    @property
    def is_modified(self) -> bool:
        """Whether the object exists before and after, with a change in between."""
        return self.action in {Action.UPDATE, Action.REPLACE}

    def is_configured(self, name: str) -> bool:
        """Whether the configuration sets an attribute. Unset attributes are always unknown before an apply."""
        arguments = self.references.configuration.arguments(self.address)
        return arguments is None or name in arguments

    def is_open(self, name: str) -> bool:
        """Whether the configuration sets an argument to what only the apply decides, and not AWS alone."""
        if not self.unknown(name) or not self.is_configured(name):
            return False
        assigned = self.references.assigned(self, name)
        return assigned is None or not assigned <= ASSIGNED.keys()

    def resolved(self, name: str) -> str | None:
        """The id or the ARN that an open argument will have, where another object's is known."""
        configuration = self.references.configuration
        references = configuration.references(self.address, name)
        is_one = len(references) == 1 and configuration.is_template(self.address, references[0], name)
        is_named = is_one and references[0].startswith("aws_") and references[0].endswith((".id", ".arn"))
        found = self.references.value(module_of(self.address), references[0]) if is_named else None
        return found if isinstance(found, str) else None

    def finding(self, what: str, *arguments: str, brief: str = "") -> ReviewFinding:
        """A finding about this object, and the changed arguments of it that it is about."""
        return ReviewFinding(
            stack=self.stack, address=self.address, what=what, brief=brief, arguments=frozenset(arguments)
        )


@dataclass(frozen=True, eq=False)
class Plans:
    """All plans of one review."""

    plans: Sequence[Plan]
    outputs: Mapping[str, tuple[Stack, Stack]] = field(default_factory=dict)
    """The synthesised Terraform of the last apply and of the plan, by stack, where both are there."""
    lacking_output: frozenset[str] = frozenset()
    """The stacks of which one of the two was asked for and is not there."""
    in_order: bool = False
    """Whether the stacks are applied one after the other in this order, and each is planned again before."""
    local_values: Mapping[str, Json] = field(default_factory=dict)
    """What each stack's local values are made of: no plan shows it."""
    found: dict[str, list[ReviewFinding]] = field(default_factory=dict)
    """What each rule has found in them, by the rule's id."""

    @cached_property
    def references(self) -> dict[str, PlanReferences]:
        """By stack."""
        return {plan.stack: PlanReferences(plan) for plan in self.plans}

    @cached_property
    def foretold(self) -> dict[str, Foretold]:
        """What may change in each stack because of the stacks before it; none unless they are applied in order."""
        return foretold(self.plans, self.local_values) if self.in_order else {}

    @cached_property
    def unlike(self) -> dict[str, list[str]]:
        """The blocks in which a stack's plan was made from other Terraform than the output says, by stack."""
        made = {plan.stack: plan.configuration for plan in self.plans}
        found = {stack: unlike(made[stack], after) for stack, (_, after) in self.outputs.items()}
        return {stack: addresses for stack, addresses in found.items() if addresses}

    @property
    def compared(self) -> dict[str, tuple[Stack, Stack]]:
        """The outputs of the stacks whose plan was made from the latter."""
        return {stack: both for stack, both in self.outputs.items() if stack not in self.unlike}

    @cached_property
    def mask(self) -> Mask:
        """Masks what is sensitive somewhere in the plans."""
        return Mask(secret for plan in self.plans for secret in plan.secrets)

    @cached_property
    def _changes(self) -> list[ReviewedChange]:
        return [
            ReviewedChange(**vars(change), references=self.references[plan.stack])
            for plan in self.plans
            for change in plan.changes
            if change.is_managed
        ]

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], list[Change]]:
        places: dict[tuple[str, str], list[Change]] = {}
        for plan in self.plans:
            for change in plan.changes:
                places.setdefault((change.stack, change.address), []).append(change)
        return places

    def digest(self, rule: str, finding: ReviewFinding) -> str | None:
        """The digest of what `rule` found; None where a secret is a part of it."""
        changes = self._by_place.get((finding.stack, finding.address), [])
        # A policy that the apply reads from a document is in no attribute, and a finding may leave a part of it out.
        policies = [
            resolved.written(placeholder)
            for change in self._changes
            if (change.stack, change.address) == (finding.stack, finding.address)
            for name in sorted(ATTRIBUTES)
            if change.unknown(name) and (resolved := change.references.policy_after(change, name)) is not None
        ]
        words = (
            rule,
            finding.stack,
            finding.address,
            finding.what,
            *([finding.seen] if finding.seen else []),
            *policies,
        )
        return digest(words, changes, finding.arguments, self.mask)

    def changes(self, *types: str) -> Iterator[ReviewedChange]:
        """The changes to managed objects in all stacks: of these types, or of every type."""
        return (change for change in self._changes if not types or change.type in types)


Check = Callable[[Plans], Iterable[ReviewFinding]]

OnlyNew = Callable[[Plans, ReviewFinding], bool]
"""Whether a finding says only that an object of a new stack is created, and nothing dangerous in itself."""


@dataclass(frozen=True, kw_only=True)
class ReviewRule:
    """One question that every review asks; `check` finds the answers.

    A finding of a `dangerous` rule needs an acknowledgement. Other findings are for information. `only_new` decides
    which findings the note about a first deployment says already; a rule without it is about more than creation.
    """

    id: str
    what: str
    why: str
    dangerous: bool
    check: Check
    only_new: OnlyNew | None = None

    def findings(self, plans: Plans) -> list[ReviewFinding]:
        """What the rule finds, without repetition."""
        if self.id not in plans.found:
            with masking(plans.mask):
                found = {
                    replace(
                        finding,
                        rule=self.id,
                        digest=plans.digest(self.id, finding),
                        said_by=finding.said_by or (FIRST_DEPLOYMENT if self._is_only_new(plans, finding) else ""),
                    )
                    for finding in self.check(plans)
                }
            plans.found[self.id] = sorted(found, key=lambda finding: (finding.stack, finding.address, finding.what))
        return plans.found[self.id]

    def _is_only_new(self, plans: Plans, finding: ReviewFinding) -> bool:
        return self.only_new is not None and self.only_new(plans, finding)


def rule(
    *, id: str, what: str, why: str, dangerous: bool = True, only_new: OnlyNew | None = None
) -> Callable[[Check], ReviewRule]:
    """Makes a rule of the check function below it."""
    return lambda check: ReviewRule(id=id, what=what, why=why, dangerous=dangerous, check=check, only_new=only_new)
