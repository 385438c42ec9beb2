"""Rules about policies: what they allow or deny before and after, and what of them is not known yet."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from iam.comparison import (
    ATTRIBUTES,
    StatementDifference,
    compared,
    not_understood,
    open_conditions,
    statements,
    to_the_world,
)
from iam.statements import Statement, has_wildcard
from ops.review import policy_text
from ops.review.added_repositories import added
from ops.review.first_deployment import only_fenced, only_policy
from ops.review.outside import is_taken_back
from ops.review.rule import DRIFTED, REPOSITORY_NEW, Plans, ReviewedChange, ReviewFinding, rule
from ops.review.rules.removal import goes_with_bucket
from ops.review.text import code, codes, origin, placeholder
from ops.review.translatable import Joined, said
from terraform.plan import Action
from terraform.plan_references import ResolvedPolicy
from terraform.plan_values import Sensitive

_MOST_DIFFERENCES = 8
_IDENTITY_POLICIES = {"aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"}


@dataclass(frozen=True, kw_only=True)
class PolicyChange:
    """A policy that may change: the attribute that contains it, and the policy after, None where it is not known."""

    change: ReviewedChange
    name: str
    after: ResolvedPolicy | None

    @cached_property
    def before_statements(self) -> list[Statement]:
        """The statements before; none where there was no policy."""
        return statements(self.change.before.get(self.name)) or []

    @cached_property
    def after_statements(self) -> list[Statement] | None:
        """The statements after, as far as they are known."""
        return None if self.after is None else statements(self.after.written(placeholder))

    @property
    def differences(self) -> list[StatementDifference] | None:
        """How the policy after differs from a policy before; None where one of them is missing or not known."""
        if not self.change.is_modified or not self.before_statements or self.after_statements is None:
            return None
        return compared(self.before_statements, self.after_statements)

    @property
    def unknown_origins(self) -> list[str]:
        """Where the apply takes the unknown parts from, as Markdown."""
        return sorted({origin(found) for found in self.change.references.open_values(self.change, self.name)})


def _changed_policies(plans: Plans) -> Iterator[PolicyChange]:
    for change in plans.changes():
        unknown = set(change.after_unknown) if isinstance(change.after_unknown, Mapping) else set()
        for name in sorted(ATTRIBUTES & (change.before.keys() | change.after.keys() | unknown)):
            is_changed = change.unknown(name) or change.before.get(name) != change.after.get(name)
            if change.appears and is_changed:
                yield PolicyChange(change=change, name=name, after=change.references.policy_after(change, name))


def rewritten(plans: Plans) -> Iterator[PolicyChange]:
    """The policies of which only the text changes: they mean the same before and after."""
    return (policy for policy in _changed_policies(plans) if policy.differences == [])


_ENDPOINTS = {"aws_vpc_endpoint", "aws_vpc_endpoint_policy"}
"""Whose policies name everyone: who is in the VPC. Their resources decide where data can go."""


@rule(
    id="policy-to-the-world",
    what="A policy applies to everyone, or names every address.",
    why="An allow-list that contains every address protects nothing: anyone with the password gets in.",
    only_new=only_fenced,
)
def policy_to_the_world(plans: Plans) -> Iterator[ReviewFinding]:
    for policy in _changed_policies(plans):
        for statement in policy.after_statements or []:
            if statement in policy.before_statements:
                continue
            if policy.change.type in _ENDPOINTS:
                if to_the_world(statement) and _names_no_resource(statement):
                    what = said(
                        "{statement} lets requests for any resource through, in every account",
                        statement=policy_text.name(statement),
                    )
                    yield policy.change.finding(what, policy.name)
            elif policy.change.type not in _IDENTITY_POLICIES and to_the_world(statement):
                yield policy.change.finding(
                    said("{statement} applies to everyone, from anywhere", statement=policy_text.name(statement)),
                    policy.name,
                )
            for condition in open_conditions(statement):
                what = said(
                    "{statement}: {condition} names {values}, every address",
                    statement=policy_text.name(statement),
                    condition=code(condition.written),
                    values=codes(condition.values),
                )
                yield policy.change.finding(what, policy.name)
    for change in plans.changes("aws_vpc_endpoint"):
        is_made = change.action in {Action.CREATE, Action.REPLACE}
        is_open = not change.after.get("policy") and not (change.unknown("policy") and change.is_configured("policy"))
        if is_made and is_open:
            yield change.finding(said("has no policy: it lets every request to its service through"), "policy")


def _names_no_resource(statement: Statement) -> bool:
    return statement.but_resources or any(has_wildcard(resource.partition("/")[0]) for resource in statement.resources)


@rule(
    id="policy-widened",
    what="A policy allows more or denies less.",
    why="It may give access that nobody has reviewed.",
    only_new=only_policy,
)
def policy_widened(plans: Plans) -> Iterator[ReviewFinding]:
    for policy in _changed_policies(plans):
        if policy.after_statements is None:
            continue
        differences = compared(policy.before_statements, policy.after_statements)
        widening = [difference for difference in differences if difference.widens]
        place = (policy.change.stack, policy.change.address, policy.name)
        said_by = REPOSITORY_NEW if place in added(plans).policies else ""
        shown = widening[:_MOST_DIFFERENCES]
        texts = [(policy_text.difference(difference), policy_text.brief(difference)) for difference in shown]
        if len(widening) > _MOST_DIFFERENCES:
            more = len(widening) - _MOST_DIFFERENCES
            texts.append((said("{number} more differences that widen it", number=more), ""))
        for what, brief in texts:
            finding = policy.change.finding(Joined(": ", (code(policy.name), what)), policy.name, brief=brief)
            yield replace(finding, said_by=said_by)


@rule(
    id="policy-changed",
    what="A policy changes and allows no more than before.",
    why="Someone may no longer be able to do what they need to.",
    dangerous=False,
)
def policy_changed(plans: Plans) -> Iterator[ReviewFinding]:
    for policy in _changed_policies(plans):
        differences = policy.differences
        if differences and not any(difference.widens for difference in differences):
            whats = [policy_text.difference(difference) for difference in differences[:_MOST_DIFFERENCES]]
            more = len(differences) - len(whats)
            left = [said("and {number} more", number=more)] if more else []
            what = Joined(": ", (code(policy.name), Joined("; ", [*whats, *left])))
            is_restored = is_taken_back(policy.change, policy.name, plans.plans)
            yield replace(policy.change.finding(what, policy.name), said_by=DRIFTED if is_restored else "")


# https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
_DEFAULTS = {
    "aws_efs_file_system_policy": "whoever reaches a mount target may mount the file system",
    **dict.fromkeys(_ENDPOINTS, "every request to the endpoint's service may go through it"),
}
"""What AWS allows without a policy."""


@rule(
    id="policy-removed",
    what="A policy that denies something, or without which AWS allows everything, is removed.",
    why="Whatever it denied or did not allow may now be allowed.",
)
def policy_removed(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        for name in sorted(ATTRIBUTES & change.before.keys()):
            is_emptied = change.action is Action.UPDATE and not change.after.get(name) and not change.unknown(name)
            before = statements(change.before.get(name)) or []
            denied = sorted(policy_text.name(statement) for statement in before if not statement.allows)
            is_gone = change.is_removed and not goes_with_bucket(plans, change)
            if (is_gone or is_emptied) and denied:
                yield change.finding(
                    said("these Deny statements no longer apply: {statements}", statements=Joined(", ", denied)), name
                )
            # An endpoint that is removed lets nothing through.
            if (is_emptied or (change.is_removed and change.type != "aws_vpc_endpoint")) and change.type in _DEFAULTS:
                yield change.finding(said("without this policy, {default}", default=said(_DEFAULTS[change.type])), name)


@rule(
    id="policy-unknown",
    what="A policy is known after the apply only, or is not understood.",
    why="Nobody can review it before it is in force.",
)
def policy_unknown(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        for name in sorted(ATTRIBUTES & change.before.keys()) if change.action is not Action.NOTHING else ():
            if error := not_understood(change.before.get(name)):
                template = "{policy} before the apply is not understood: {reason}"
                yield change.finding(said(template, policy=code(name), reason=code(error.reason)), name)
    for policy in _changed_policies(plans):
        change = policy.change
        written = change.after.get(policy.name)
        if isinstance(written, Sensitive) and (written.is_changed or not change.before):
            yield change.finding(
                said("{policy} is sensitive, so nobody can review it", policy=code(policy.name)), policy.name
            )
        if isinstance(written, str) and written and not _is_json(written):
            yield change.finding(
                said("{policy} is not understood: it is no JSON", policy=code(policy.name)), policy.name
            )
        if policy.after is not None and (error := not_understood(policy.after.written(placeholder))):
            yield change.finding(
                said("{policy} is not understood: {reason}", policy=code(policy.name), reason=code(error.reason)),
                policy.name,
            )
        if policy.after is None and change.unknown(policy.name) and change.is_configured(policy.name):
            origins = policy.unknown_origins
            what = said("{policy} is known after the apply only", policy=code(policy.name))
            if origins:
                what = said("{what}; it will come from {origins}", what=what, origins=Joined(", ", origins))
            yield change.finding(what, policy.name)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@rule(
    id="policy-open",
    what="A part of a policy is known after the apply only.",
    why="Check that it will come from where you expect.",
    dangerous=False,
    only_new=only_policy,
)
def policy_open(plans: Plans) -> Iterator[ReviewFinding]:
    for policy in _changed_policies(plans):
        if policy.after is not None and policy.after.open:
            origins = policy.unknown_origins
            what = said("a part of {policy} is known after the apply only", policy=code(policy.name))
            if origins:
                what = said("{what}: it will come from {origins}", what=what, origins=Joined(", ", origins))
            yield policy.change.finding(what, policy.name)
