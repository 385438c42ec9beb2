"""Rules about identities: what users and roles can do, and new ways to sign in."""

from collections.abc import Iterator
from dataclasses import replace

from iam.comparison import statements
from ops.review.access_markdown import gained, listed
from ops.review.access_table import table
from ops.review.added_repositories import added
from ops.review.attachments import KINDS, Attachment, Attachments
from ops.review.first_deployment import only_attachment, only_identity
from ops.review.plan_moment import PlanMoment
from ops.review.rule import ACCESS_WIDENED, REPOSITORY_NEW, Plans, ReviewFinding, rule
from ops.review.text import code, shown
from ops.review.translatable import said
from terraform.plan import Action


@rule(
    id=ACCESS_WIDENED,
    what="Someone can pull or push more than before, or from more places.",
    why="This is the main question of the review; the comment's access table shows both sides.",
)
def access_widened(plans: Plans) -> Iterator[ReviewFinding]:
    names = added(plans).names
    for widened in table(plans).widened:
        said_by = REPOSITORY_NEW if names.issuperset(widened.repositories) else ""
        yield replace(widened.owner.finding(gained(widened)), said_by=said_by)


@rule(
    id=REPOSITORY_NEW,
    what="A repository is created, and everyone reaches it as they reach an existing one.",
    why="Nothing else changes for anyone: check that the same people may have it.",
    dangerous=False,
)
def repository_new(plans: Plans) -> Iterator[ReviewFinding]:
    for new in added(plans).repositories:
        yield new.change.finding(
            said(
                "{repository} is reached as {other} is: pull from {pull}; push from {push}",
                repository=code(new.name),
                other=code(new.like),
                pull=listed(new.pull),
                push=listed(new.push),
            )
        )


@rule(
    id="access-unknown",
    what="The access of a user or role cannot be determined.",
    why="It may be any: read its policies.",
)
def access_unknown(plans: Plans) -> Iterator[ReviewFinding]:
    if _decides_access(plans):
        yield from table(plans).unreadable


@rule(
    id="access-still-unknown",
    what="The access of a user or role cannot be determined, and nothing about users, roles and repositories changes.",
    why="The access table has no answer for it, before or after.",
    dangerous=False,
)
def access_still_unknown(plans: Plans) -> Iterator[ReviewFinding]:
    if not _decides_access(plans):
        yield from table(plans).unreadable


def _decides_access(plans: Plans) -> bool:
    """Whether the plans change an identity, a policy of one, or a repository."""
    return any(
        change.is_changed and change.type.startswith(("aws_iam_", "aws_codecommit_")) for change in plans.changes()
    )


_SIGN_IN = {
    "aws_iam_user": "a user",
    "aws_iam_access_key": "an access key",
    "aws_iam_service_specific_credential": "a password for Git",
    "aws_iam_user_login_profile": "a password for the console",
    "aws_iam_openid_connect_provider": "a provider that vouches for people and pipelines",
    "aws_iam_saml_provider": "a provider that vouches for people",
    "aws_iam_user_ssh_key": "an SSH key for Git",
}


@rule(
    id="identity-new",
    what="A user, key, password or identity provider is created.",
    why="Someone can sign in with it.",
    only_new=only_identity,
)
def identity_new(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes(*_SIGN_IN):
        if change.action in {Action.CREATE, Action.REPLACE}:
            yield change.finding(said("is new: {what}", what=said(_SIGN_IN[change.type])))


@rule(
    id="policy-of-aws-attached",
    what="An AWS managed policy is attached.",
    why="AWS can change what it allows without a plan.",
    only_new=only_attachment,
)
def policy_of_aws_attached(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes(*_ATTACHMENTS):
        arn = change.after.get("policy_arn")
        if not change.appears or not isinstance(arn, str) or arn == change.before.get("policy_arn"):
            continue
        if arn.startswith("arn:aws:iam::aws:"):
            yield change.finding(said("attaches the AWS managed policy {policy}", policy=shown(arn.rpartition("/")[2])))


_ATTACHMENTS = ("aws_iam_policy_attachment", *(f"aws_iam_{kind}_policy_attachment" for kind in KINDS))


@rule(
    id="deny-detached",
    what="A policy with Deny statements is detached.",
    why="The owner can then do from anywhere what its other policies allow.",
)
def deny_detached(plans: Plans) -> Iterator[ReviewFinding]:
    before, after = (Attachments(PlanMoment(plans, is_after, str)) for is_after in (False, True))
    for (kind, owner), attached in before.of.items():
        still = {found.named for found in after.of.get((kind, owner), ())}
        for found in attached:
            if found.named not in still and _denies(plans, found.named) and not _is_removed(plans, found, kind, owner):
                what = said(
                    "{policy}, which denies, no longer applies to {owner}",
                    policy=shown(found.named),
                    owner=shown(owner),
                )
                yield found.change.finding(what, *_LISTS)


_LISTS = ("users", "roles", "groups", "policy_arns", "managed_policy_arns")


def _is_removed(plans: Plans, attachment: Attachment, kind: str, owner: str) -> bool:
    return any(
        change.is_removed and change.stack == attachment.change.stack and change.before.get("name") == owner
        for change in plans.changes(f"aws_iam_{kind}")
    )


def _denies(plans: Plans, arn: object) -> bool:
    return any(
        not statement.allows
        for change in plans.changes("aws_iam_policy")
        if change.before.get("arn") == arn
        for statement in statements(change.before.get("policy")) or []
    )


@rule(
    id="boundary-lifted",
    what="A permissions boundary no longer applies to a user or role.",
    why="What only the boundary prevented becomes possible.",
)
def boundary_lifted(plans: Plans) -> Iterator[ReviewFinding]:
    name = "permissions_boundary"
    for change in plans.changes("aws_iam_user", "aws_iam_role"):
        was, now = change.before.get(name), change.after.get(name)
        if change.is_modified and was and (now != was or change.unknown(name)):
            yield change.finding(said("its permissions boundary {policy} no longer applies", policy=shown(was)), name)


_SHARES = {
    "aws_ami_launch_permission": "an image, with another account",
    "aws_snapshot_create_volume_permission": "a snapshot, with another account",
    "aws_ram_principal_association": "with another account",
    "aws_ram_resource_association": "with other accounts",
    "aws_ram_resource_share": "with other accounts",
    "aws_kms_grant": "an encryption key, with whoever it names",
    "aws_lambda_permission": "a function, with the caller that it names",
    "aws_cloudwatch_event_permission": "an event bus, with another account",
}


@rule(
    id="shared",
    what="Something is shared with other accounts.",
    why="This account does not control what they do with it.",
)
def shared(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes(*_SHARES):
        if change.appears:
            yield change.finding(said("shares {what}", what=said(_SHARES[change.type])))
