"""Finds stacks of which nothing existed before, and whether an object of one belongs to that stack alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from iam import powers
from iam.matching import ANYTHING
from iam.model import ApiMethod, Endpoint, Identity, Model, Place, Resource
from iam.operators import is_world
from iam.promises import exposure, identities, least_privilege
from iam.promises.promise import PromiseSubject
from iam.sources import RequestSource, named_networks
from iam.statements import Policy, Statement, UnsupportedError
from ops.review.access_table import table
from ops.review.plan_moment import PlanMoment
from ops.review.resource_types import BELONGS, PLAIN, harmless
from ops.review.rule import Plans, ReviewedChange, ReviewFinding
from ops.review.text import placeholder
from terraform import arns
from terraform.plan import Action, Plan
from terraform.plan_configuration import module_of
from terraform.plan_values import KnownAfterApply, Sensitive

_IDENTIFYING = {
    "aws_cloudwatch_event_rule": {"name"},
    "aws_eip": {"allocation_id"},
    "aws_iam_": {"name"},
    "aws_s3_": {"bucket"},
    "aws_ssm_document": {"name"},
}
"""By the beginning of a type, the attributes beside id and ARN that name an object of it and no other one."""

API_POLICY = "aws_api_gateway_rest_api_policy"
_OWN = "arn:aws:own:::it"
"""In a policy, stands for what the policy belongs to."""

_WITH_POLICY = ("aws_efs_file_system_policy", "aws_s3_bucket_policy", "aws_sns_topic_policy", "aws_vpc_endpoint")

_OF_RESOURCES = (
    exposure.nothing_is_public,
    exposure.files_are_mounted_over_tls,
    exposure.endpoints_lead_to_this_account,
)

ATTACHING = {"user": "aws_iam_user_policy_attachment", "role": "aws_iam_role_policy_attachment"}

_OF_IDENTITIES = (
    identities.nobody_administers,
    identities.roles_are_for_services,
    identities.only_builds_write,
    least_privilege.nobody_does_more,
    least_privilege.nothing_outside_is_named,
    identities.policies_name_what_they_mean,
)
"""The promises that an identity keeps or breaks by itself."""

_NAMED_IN_POLICIES = ("aws_codecommit_repository", "aws_s3_bucket")
"""Types whose objects a policy of an identity may name only where they are new."""

_CREATED = "arn:aws:known-after-apply:::"


@lru_cache(maxsize=1)
def new_stacks(plans: Plans) -> "NewStacks":
    """The stacks of which nothing existed before."""
    return NewStacks(plans)


class NewStacks:
    """Stacks whose plans create every object, with the objects; what is not known of one is not safe."""

    names: frozenset[str]
    objects: Sequence[ReviewedChange]

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self.names = frozenset(plan.stack for plan in plans.plans if _is_new(plan, plans))
        self.objects = [change for change in plans.changes() if change.stack in self.names]
        self._by_place = {(change.stack, change.address): change for change in self.objects}

    def found(self, finding: ReviewFinding) -> ReviewedChange | None:
        """The new object that a finding is about, if it belongs to new objects alone."""
        change = self._by_place.get((finding.stack, finding.address))
        return change if change is not None and self.is_own(change) else None

    def is_own(self, change: ReviewedChange) -> bool:
        """Whether an object belongs to objects of the same new stack, by reference: a name might be another's too."""
        configured = change.references.configuration.arguments(change.address)
        if configured is None or change.type not in BELONGS:
            return False
        read = {name.partition(".")[0] for name in BELONGS[change.type]}.union(PLAIN.get(change.type, ()))
        if any(name not in read and not harmless(change.type, name) for name in configured):
            return False
        if change.type == "aws_sns_topic_subscription" and change.after.get("protocol") != "email":
            return False
        wanted = (name for name in BELONGS[change.type] if name in configured or "." in name)
        return all(self.owner(change, name) is not None for name in wanted)

    def owner(self, change: ReviewedChange, argument: str) -> ReviewedChange | None:
        """The new object that one argument names by its id, ARN or name."""
        kind, (first, *rest) = BELONGS[change.type][argument], argument.split(".")
        path = [first, *(int(step) if step.isdigit() else step for step in rest)]
        configuration = change.references.configuration
        references = configuration.references(change.address, *path)
        if len(references) != 1 or not configuration.is_template(change.address, references[0], *path):
            return None
        address, _, attribute = references[0].rpartition(".")
        more = next((names for start, names in _IDENTIFYING.items() if kind.startswith(start)), set())
        found = self._by_place.get((change.stack, module_of(change.address) + address))
        is_named = found is not None and found.type == kind and attribute in {"id", "arn"} | more
        is_same = found is not None and (
            change.unknown(first) or rest or change.after.get(argument) == found.after.get(attribute)
        )
        return found if is_named and is_same else None

    def is_sound(self, identity: ReviewedChange) -> bool:
        """Whether a new user or role keeps the promises about identities, and can do nothing from just anywhere."""
        return (identity.stack, identity.address) in self._sound

    @cached_property
    def _sound(self) -> frozenset[tuple[str, str]]:
        access = table(self._plans)
        return frozenset(
            (owner.stack, owner.address)
            for name, owner in access.owners.items()
            if self.found(owner.finding("")) is owner
            and (found := access.identities.get(name)) is not None
            and self._keeps(found, owner)
        )

    def _keeps(self, identity: Identity, owner: ReviewedChange) -> bool:
        region = owner.references.configuration.region(owner.address) or ""
        try:
            repositories = tuple(self._resources("aws_codecommit_repository", identity.account))
            if named_repositories(identity) - {one.arn for one in self._shown(owner, repositories)}:
                return False
            model = Model(
                identities=(_with_arns(identity, region),),
                repositories=repositories,
                resources=tuple(self._resources("aws_s3_bucket", identity.account)),
            )
            is_kept = not any(True for promise in _OF_IDENTITIES for _ in promise.check(PromiseSubject(model)))
            return is_kept and (identity.trust is not None or not self._acts_from_anywhere(identity))
        except (UnsupportedError, ValueError):
            return False

    def is_policy_sound(self, change: ReviewedChange) -> bool:
        """Whether a new policy belongs to sound identities alone, or lets no stranger into what it belongs to."""
        if change.type in ("aws_iam_user", "aws_iam_role"):
            return self.is_sound(change)
        if change.type.startswith("aws_iam_") and not self._refers_to_buckets(change):
            return False
        if change.type == "aws_iam_policy":
            attached = [other for other in self.objects if other.stack == change.stack and self._refers(other, change)]
            return bool(attached) and all(
                other.type in ATTACHING.values() and self.is_owner_sound(other) for other in attached
            )
        if change.type in ("aws_iam_user_policy", "aws_iam_role_policy"):
            return self.is_owner_sound(change)
        if change.type == API_POLICY:
            return self.is_fenced(change)
        return change.type in _WITH_POLICY and self._is_for_account(change)

    def is_fenced(self, change: ReviewedChange) -> bool:
        """Whether the one policy of an API, which a method or that policy belongs to, lets in given networks alone."""
        api = self.owner(change, "rest_api_id") if self.is_own(change) else None
        policies = [one for one in self.objects if one.type == API_POLICY and self.owner(one, "rest_api_id") is api]
        if api is None or len(policies) != 1 or not self.is_own(policies[0]):
            return False
        policy = self._policy(policies[0], api, "execution_arn")
        if policy is None or {one.resources for one in policy.statements} != {(f"{_OWN}/*",)}:
            return False
        places = (Place(name=str(one), networks=(one,)) for one in named_networks(policy.statements))
        method = ApiMethod(address="", arn=f"{_OWN}/{ANYTHING}", account="", open_to_all=True, policy=policy)
        subject = PromiseSubject(Model(methods=(method,), places=tuple(places)))
        return not any(True for _ in exposure.no_method_is_open.check(subject))

    def is_owner_sound(self, change: ReviewedChange) -> bool:
        """Whether an object belongs to a new user or role that is sound."""
        kind = "user" if "_user_" in change.type else "role"
        owner = self.owner(change, kind) if self.is_own(change) else None
        return owner is not None and owner.type == f"aws_iam_{kind}" and self.is_sound(owner)

    def _refers(self, other: ReviewedChange, change: ReviewedChange) -> bool:
        configuration = other.references.configuration
        return any(
            reference.startswith(f"{change.address}.") or reference == change.address
            for argument in configuration.arguments(other.address) or ()
            for reference in configuration.references(other.address, argument)
        )

    def _is_for_account(self, change: ReviewedChange) -> bool:
        account = change.references.configuration.account(change.address) or ""
        region = change.references.configuration.region(change.address) or ""
        owner = self.owner(change, next(iter(BELONGS[change.type])))
        policy = self._policy(change, owner, "arn") if owner is not None and account else None
        if owner is None or policy is None:
            return False
        resource = Resource(address=f"{owner.stack}: {owner.address}", arn=_OWN, account=account, policy=policy)
        endpoint = Endpoint(address=change.address, account=account, region=region, policy=policy)
        is_endpoint = change.type == "aws_vpc_endpoint"
        model = Model(endpoints=(endpoint,)) if is_endpoint else Model(resources=(resource,))
        return not any(True for promise in _OF_RESOURCES for _ in promise.check(PromiseSubject(model)))

    def _policy(self, change: ReviewedChange, owner: ReviewedChange, attribute: str) -> Policy | None:
        """A policy, with one text for what `attribute` of the object to which it belongs will be."""

        def stand_in(found: KnownAfterApply | Sensitive) -> str:
            is_it = isinstance(found, KnownAfterApply) and found.reference == f"{owner.address}.{attribute}"
            return _OWN if is_it else placeholder(found)

        return PlanMoment(self._plans, True, stand_in).policy(change, "policy", change.address)

    def _acts_from_anywhere(self, user: Identity) -> bool:
        sources = table(self._plans).sources
        return any(True for source in filter(_is_anywhere, sources) for _ in powers.powers(user, source))

    def _shown(self, owner: ReviewedChange, repositories: Sequence[Resource]) -> Iterator[Resource]:
        """The repositories that the rule about access says the owner reaches: a name may be that of another one."""
        widened = [
            one
            for one in table(self._plans).widened
            if (one.owner.stack, one.owner.address) == (owner.stack, owner.address)
        ]
        names = {name for one in widened for name in one.repositories}
        return (one for one in repositories if arns.Arn.of(one.arn).resource in names)

    def _refers_to_buckets(self, change: ReviewedChange) -> bool:
        """Whether a policy names new buckets alone, and refers to each, so that Terraform creates the bucket first."""
        policy = PlanMoment(self._plans, True, lambda _: _OWN).policy(change, "policy", change.address)
        named = _named((policy,), "s3") if policy is not None else set()
        references = (found.reference or "" for found in change.references.open_values(change, "policy"))
        made = (
            self._by_place.get((change.stack, module_of(change.address) + reference.rpartition(".")[0]))
            for reference in references
            if reference.endswith(".arn")
        )
        arns_made = {PlanMoment(self._plans, True, str).arn(one, "bucket") for one in made if one is not None}
        return all(one.partition("/")[0] in arns_made for one in named)

    def _resources(self, kind: str, account: str) -> Iterator[Resource]:
        moment = PlanMoment(self._plans, True, str)
        name = "repository_name" if kind == "aws_codecommit_repository" else "bucket"
        for change in self.objects:
            arn = moment.arn(change, name) if change.type == kind else None
            is_here = change.references.configuration.account(change.address) == account
            if arn is not None and is_here and arn not in self._existing:
                yield Resource(address=change.address, arn=arn, account=account)

    @cached_property
    def _existing(self) -> frozenset[str | None]:
        """The ARNs of what exists: a plan may create an object of such a name too, and only its apply fails."""
        moment = PlanMoment(self._plans, False, str)
        return frozenset(moment.text(found, "arn") for found in moment.existing(*_NAMED_IN_POLICIES))


def _is_new(plan: Plan, plans: Plans) -> bool:
    return (
        plans.references[plan.stack].configuration.is_known
        and plan.is_complete
        and not (plan.deferred or plan.drift or plan.actions)
        and not any(instance.is_managed for instance in plan.before.values())
        and all(
            change.action is Action.CREATE and change.imported_id is None and change.previous_address is None
            for change in plan.changes
            if change.is_managed
        )
    )


def _is_anywhere(source: RequestSource) -> bool:
    """Whether it is no given network, no address that the apply assigns and no given VPC endpoint."""
    endpoint = source.context.get("aws:sourcevpce")
    return endpoint == "another" if endpoint else all(map(is_world, source.networks))


def named_repositories(identity: Identity) -> set[str]:
    """The repositories in the policies that allow something, and patterns of them."""
    return _named(identity.policies, "codecommit")


def _named(policies: Sequence[Policy], service: str) -> set[str]:
    """The resources of a service that policies allow something with, and patterns of them."""
    allowing = (one for policy in policies for one in policy.statements if one.allows)
    named = {resource for one in allowing for resource in one.resources if resource != "*"}
    return {resource for resource in named if arns.Arn.of(resource).service == service}


def _with_arns(identity: Identity, region: str) -> Identity:
    """The identity, whose policies name what the apply creates by an ARN of its own region and account."""

    def named(text: str) -> str:
        kind, _, name = text.removeprefix(_CREATED).partition("/")
        place = {"region": region, "account": identity.account, "id": name}
        return (arns.arn(kind, "arn", place) or text) if text.startswith(_CREATED) else text

    def written(one: Statement) -> Statement:
        return replace(one, resources=tuple(map(named, one.resources)))

    # What names nothing that is created stays itself: promises know the policies of AWS's own by that.
    policies = (
        replace(policy, statements=statements)
        if (statements := tuple(map(written, policy.statements))) != policy.statements
        else policy
        for policy in identity.policies
    )
    return replace(identity, policies=tuple(policies))
