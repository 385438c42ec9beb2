"""The access table with groups, boundaries, exclusive attachments, renamed objects and roles of other accounts."""

from collections.abc import Mapping
from typing import Any

import pytest

from ops.review.access_table import AccessRow
from ops.review.outcome import Review
from tests.ops.review.plans import found_rules, reviewed
from tests.ops.review.rule_cases import PULL, REPOSITORY, USER, allow, deny, only_from, policy
from tests.terraform.plans import change, plan

PUSH = policy(allow(Action="codecommit:GitPush"))
DENY = "arn:aws:iam::222222222222:policy/deny"
HERE = "192.0.2.0/28"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ROLE = "arn:aws:iam::222222222222:role/build"

Changes = list[dict[str, Any]]


def kept(address: str, **values: Any) -> dict[str, Any]:
    return change(address, "no-op", values, values)


def created(address: str, **values: Any) -> dict[str, Any]:
    return change(address, "create", None, values)


def destroyed(address: str, **values: Any) -> dict[str, Any]:
    return change(address, "delete", values)


def updated(address: str, before: Mapping[str, Any], **after: Any) -> dict[str, Any]:
    return change(address, "update", before, {**before, **after})


def pull_user(**values: Any) -> Changes:
    """A user who may pull from HERE: an inline policy allows it, and a managed one, yet to attach, denies the rest."""
    return [
        kept("aws_codecommit_repository.it", repository_name="application", arn=REPOSITORY),
        kept("aws_iam_user.it", name="pull", arn=USER, **values),
        kept("aws_iam_user_policy.it", user="pull", name="allow", policy=policy(allow())),
        kept("aws_iam_policy.deny", arn=DENY, policy=policy(deny(Condition=only_from(HERE)))),
    ]


DENIED = kept("aws_iam_user_policy_attachment.deny", user="pull", policy_arn=DENY)
WRITERS = kept("aws_iam_group.writers", name="writers")
MAY_PUSH = kept("aws_iam_group_policy.push", group="writers", name="push", policy=PUSH)


def row(found: Review, principal: str = "pull") -> AccessRow:
    [only] = [one for one in found.access.rows if one.principal == principal]
    return only


def names(origins: Any) -> set[str]:
    return {origin.name for origin in origins}


BOTH = {HERE, "anywhere else", "anywhere else, by IPv6", "another VPC endpoint"}


@pytest.mark.parametrize(
    "more",
    [
        [created("aws_iam_user_policy_attachment.more", user="pull", policy_arn=ADMINISTRATOR)],
        [created("aws_iam_policy_attachment.more", name="more", users=["pull"], policy_arn=ADMINISTRATOR)],
        [
            created(
                "aws_iam_user_policy_attachments_exclusive.more", user_name="pull", policy_arns=[DENY, ADMINISTRATOR]
            )
        ],
        [WRITERS, MAY_PUSH, created("aws_iam_user_group_membership.it", user="pull", groups=["writers"])],
        [WRITERS, MAY_PUSH, created("aws_iam_group_membership.it", users=["pull"], group="writers", name="it")],
        [
            WRITERS,
            kept("aws_iam_user_group_membership.it", user="pull", groups=["writers"]),
            created("aws_iam_group_policy.push", group="writers", name="push", policy=PUSH),
        ],
        [
            WRITERS,
            kept("aws_iam_group_membership.it", users=["pull"], group="writers", name="it"),
            created("aws_iam_group_policy_attachment.push", group="writers", policy_arn=ADMINISTRATOR),
        ],
        [
            WRITERS,
            kept("aws_iam_group_membership.it", users=["pull"], group="writers", name="it"),
            created("aws_iam_policy_attachment.push", name="it", groups=["writers"], policy_arn=ADMINISTRATOR),
        ],
    ],
    ids=["attached", "attached-to-all", "exclusive", "joins", "is-joined", "group-policy", "group-attached", "for-all"],
)
def test_shows_that_the_pull_user_may_push(more: Changes) -> None:
    found = reviewed(plan(*pull_user(), DENIED, *more))
    assert names(row(found).push.before) == set()
    assert names(row(found).push.after) == {HERE}
    assert ("access-widened", "aws_iam_user.it") in found_rules(found)


@pytest.mark.parametrize(
    "detached",
    [
        [destroyed("aws_iam_policy_attachment.deny", name="deny", users=["pull"], policy_arn=DENY)],
        [
            updated(
                "aws_iam_policy_attachment.deny",
                {"name": "deny", "users": ["other", "pull"], "policy_arn": DENY},
                users=["other"],
            )
        ],
        [
            kept("aws_iam_group.readers", name="readers"),
            kept("aws_iam_group_policy_attachment.deny", group="readers", policy_arn=DENY),
            destroyed("aws_iam_user_group_membership.it", user="pull", groups=["readers"]),
        ],
        [
            updated(
                "aws_iam_user_policy_attachments_exclusive.it",
                {"user_name": "pull", "policy_arns": [DENY]},
                policy_arns=[],
            )
        ],
    ],
    ids=["destroyed", "no-longer-listed", "left-a-group", "exclusive"],
)
def test_shows_that_a_deny_no_longer_applies(detached: Changes) -> None:
    found = reviewed(plan(*pull_user(), *detached))
    assert names(row(found).pull.before) == {HERE}
    assert names(row(found).pull.after) == BOTH
    assert ("access-widened", "aws_iam_user.it") in found_rules(found)


@pytest.mark.parametrize(
    "detached",
    [
        updated(
            "aws_iam_policy_attachment.it", {"name": "deny", "users": ["pull"], "policy_arn": DENY}, users=["other"]
        ),
        updated(
            "aws_iam_user_policy_attachments_exclusive.it", {"user_name": "pull", "policy_arns": [DENY]}, policy_arns=[]
        ),
        destroyed("aws_iam_group_policy_attachment.it", group="readers", policy_arn=DENY),
    ],
)
def test_names_a_deny_that_is_detached(detached: dict[str, Any]) -> None:
    assert ("deny-detached", detached["address"]) in found_rules(reviewed(plan(*pull_user(), detached)))


@pytest.mark.parametrize("fate", [kept, created])
def test_it_is_not_known_whether_a_deny_applies_that_one_resource_detaches_and_another_attaches(fate: Any) -> None:
    """Terraform destroys the one and creates the other in any order, and does not attach again what is kept."""
    instead = fate("aws_iam_policy_attachment.it", name="deny", users=["pull"], policy_arn=DENY)
    before = destroyed("aws_iam_user_policy_attachment.it", user="pull", policy_arn=DENY)
    found = reviewed(plan(*pull_user(), before, instead))
    assert names(row(found).pull.after) == {"not known"}
    assert ("access-unknown", "aws_iam_user.it") in found_rules(found)
    assert ("deny-detached", before["address"]) not in found_rules(found)


def test_policies_of_an_exclusive_list_stay_attached_when_the_list_is_destroyed() -> None:
    more = destroyed("aws_iam_user_policy_attachments_exclusive.it", user_name="pull", policy_arns=[ADMINISTRATOR])
    found = reviewed(plan(*pull_user(), more))
    assert names(row(found).push.after) == names(row(found).push.before) == BOTH - {HERE}
    detached = destroyed("aws_iam_user_policy_attachment.it", user="pull", policy_arn=ADMINISTRATOR)
    assert names(row(reviewed(plan(*pull_user(), more, detached))).push.after) == set()


def test_it_is_not_known_which_of_two_inline_policies_of_one_name_applies() -> None:
    twice = kept("aws_iam_user_policy.twice", user="pull", name="allow", policy=policy(deny()))
    found = reviewed(plan(*pull_user(), twice))
    assert names(row(found).pull.after) == {"not known"}


def test_it_is_not_known_whether_a_user_is_in_a_group_that_one_resource_takes_and_another_gives() -> None:
    left = destroyed("aws_iam_user_group_membership.it", user="pull", groups=["writers"])
    joined = created("aws_iam_user_group_membership.other", user="pull", groups=["writers"])
    found = reviewed(plan(*pull_user(), WRITERS, MAY_PUSH, left, joined))
    assert names(row(found).push.before) == BOTH - {HERE}
    assert names(row(found).push.after) == {"not known"}


BOUNDARY = policy(allow(Action="*", Resource="*"), deny(Condition=only_from(HERE)))


def test_shows_that_a_removed_boundary_no_longer_restricts() -> None:
    base = [one for one in pull_user() if one["address"] != "aws_iam_user.it"]
    user = {"name": "pull", "arn": USER, "permissions_boundary": PULL}
    boundary = kept("aws_iam_policy.boundary", arn=PULL, policy=BOUNDARY)
    found = reviewed(plan(*base, boundary, updated("aws_iam_user.it", user, permissions_boundary=None)))
    assert names(row(found).pull.before) == {HERE}
    assert names(row(found).pull.after) == BOTH
    assert {(rule, "aws_iam_user.it") for rule in ("access-widened", "boundary-lifted")} <= found_rules(found)


def test_a_boundary_allows_nothing_by_itself() -> None:
    boundary = kept("aws_iam_policy.boundary", arn=PULL, policy=BOUNDARY)
    found = reviewed(plan(*pull_user(permissions_boundary=PULL), boundary))
    assert (names(row(found).pull.after), names(row(found).push.after)) == ({HERE}, set())


FOREIGN = "arn:aws:iam::222222222222:policy/foreign"
EXCLUSIVE = "aws_iam_user_policies_exclusive.it"


@pytest.mark.parametrize(
    "more",
    [
        [created("aws_iam_user_policy_attachment.more", user="pull", policy_arn=FOREIGN)],
        [created("aws_iam_user_group_membership.it", user="pull", groups=["elsewhere"])],
        [created("aws_iam_policy_attachment.deny", name="deny", users=["other"], policy_arn=DENY)],
        [created("aws_iam_policy_attachment.deny", name="deny", users=["other"], policy_arn=DENY, groups="?")],
        [created("aws_iam_user_policy_attachments_exclusive.it", user_name="pull", policy_arns=[])],
        [created(EXCLUSIVE, user_name="pull", policy_names=[])],
        [created(EXCLUSIVE, user_name="pull", policy_names=["allow", "by-hand"])],
        [change(EXCLUSIVE, "create", None, {"user_name": "pull"}, unknown={"policy_names": True})],
        [change("aws_iam_user_policy.more", "create", None, {"policy": PUSH}, unknown={"user": True})],
        [change("aws_iam_user_group_membership.it", "create", None, {"user": "pull"}, unknown={"groups": True})],
        [change("aws_iam_group_membership.it", "create", None, {"group": "writers"}, unknown={"users": True})],
        [
            WRITERS,
            kept("aws_iam_user_group_membership.it", user="pull", groups=["writers"]),
            created("aws_iam_group_membership.it", users=["other"], group="writers", name="it"),
        ],
        [
            WRITERS,
            kept("aws_iam_user_group_membership.it", user="pull", groups=["writers"]),
            created("aws_iam_group_policy_attachment.it", group="writers", policy_arn=FOREIGN),
        ],
    ],
)
def test_what_is_in_no_plan_or_contradicts_itself_is_not_known_and_dangerous(more: Changes) -> None:
    found = reviewed(plan(*pull_user(), DENIED, *more))
    assert names(row(found).pull.before) == {HERE}
    assert names(row(found).pull.after) == names(row(found).push.after) == {"not known"}
    assert ("access-unknown", "aws_iam_user.it") in found_rules(found)


def test_a_boundary_in_no_plan_is_not_known() -> None:
    found = reviewed(plan(*pull_user(permissions_boundary=FOREIGN), created("aws_iam_group.it", name="it")))
    assert names(row(found).pull.after) == {"not known"}
    assert ("access-unknown", "aws_iam_user.it") in found_rules(found)


@pytest.mark.parametrize("kind", ["user", "role"])
def test_someone_in_no_plan_who_gets_a_policy_is_not_known(kind: str) -> None:
    attached = created(f"aws_iam_{kind}_policy.more", **{kind: "somebody"}, name="push", policy=PUSH)
    found = reviewed(plan(*pull_user(), attached))
    assert names(row(found, "somebody").push.after) == {"not known"}
    assert ("access-unknown", f"aws_iam_{kind}_policy.more") in found_rules(found)


def test_a_renamed_user_is_not_known_while_policies_are_attached_to_the_old_name() -> None:
    base = [one for one in pull_user() if one["address"] != "aws_iam_user.it"]
    found = reviewed(plan(*base, DENIED, updated("aws_iam_user.it", {"name": "pull", "arn": USER}, name="reader")))
    assert names(row(found, "reader").pull.after) == {"not known"}
    assert ("access-unknown", "aws_iam_user.it") in found_rules(found)


def test_a_renamed_user_keeps_the_access_of_the_policies_that_are_attached_again() -> None:
    allowed, was = policy(allow(Resource="*", Condition={"StringEquals": {"aws:username": "reader"}})), {"user": "pull"}
    found = reviewed(
        plan(
            pull_user()[0],
            updated("aws_iam_user.it", {"name": "pull", "arn": USER}, name="reader"),
            change(
                "aws_iam_user_policy.it",
                ["delete", "create"],
                {**was, "policy": allowed},
                {"user": "reader", "policy": allowed},
            ),
        )
    )
    assert names(row(found, "reader").pull.after) >= {"anywhere else"}
    assert ("access-widened", "aws_iam_user.it") in found_rules(found)


def test_a_renamed_repository_is_evaluated_under_its_new_arn() -> None:
    """Terraform plans it with the old ARN."""
    renamed = updated(
        "aws_codecommit_repository.it", {"repository_name": "application", "arn": REPOSITORY}, repository_name="batch"
    )
    may_pull = policy(allow(Resource=REPOSITORY.replace("application", "batch")))
    pulls = kept("aws_iam_user_policy.batch", user="pull", name="batch", policy=may_pull)
    found = reviewed(plan(*pull_user()[1:], renamed, pulls, DENIED))
    rows = {one.repositories[0]: one for one in found.access.rows}
    assert names(rows["batch"].pull.after) == {HERE}
    assert names(rows["application"].pull.after) == set()
    assert ("access-widened", "aws_iam_user.it") in found_rules(found)


def trust(*statements: Mapping[str, Any]) -> str:
    return policy(*({"Effect": "Allow", "Action": "sts:AssumeRole", **one} for one in statements))


SERVICE = {"Principal": {"Service": "codebuild.amazonaws.com"}}


@pytest.mark.parametrize(
    ("trusted", "origin"),
    [
        ({"Principal": {"AWS": "arn:aws:iam::333333333333:root"}}, "account 333333333333"),
        ({"Principal": {"AWS": "333333333333"}}, "account 333333333333"),
        ({"Principal": {"AWS": "arn:aws:iam::222222222222:root"}}, "its account"),
        ({"Principal": {"AWS": ["arn:aws:iam::222222222222:user/pull"]}}, "pull"),
        ({"Principal": {"AWS": "arn:aws:iam::333333333333:role/admin"}}, "arn:aws:iam::333333333333:role/admin"),
        ({"Principal": {"AWS": "*"}}, "everyone"),
        ({"NotPrincipal": {"AWS": "333333333333"}}, "everyone but some"),
    ],
)
def test_a_role_that_trusts_someone_else_is_used_by_them(trusted: Mapping[str, Any], origin: str) -> None:
    role = {"name": "build", "arn": ROLE, "assume_role_policy": trust(SERVICE)}
    found = reviewed(
        plan(
            pull_user()[0],
            updated("aws_iam_role.it", role, assume_role_policy=trust(SERVICE, trusted)),
            kept("aws_iam_role_policy.it", role="build", name="push", policy=PUSH),
        )
    )
    assert names(row(found, "build").push.before) == {"its service"}
    assert names(row(found, "build").push.after) >= {"its service", origin}
    assert ("access-widened", "aws_iam_role.it") in found_rules(found)


def test_a_role_with_policies_in_its_own_arguments_has_them() -> None:
    role = {"name": "build", "arn": ROLE, "assume_role_policy": trust(SERVICE)}
    found = reviewed(
        plan(
            pull_user()[0],
            updated("aws_iam_role.it", role, inline_policy=[{"name": "push", "policy": PUSH}]),
            created("aws_iam_role.other", **{**role, "name": "other"}, managed_policy_arns=[ADMINISTRATOR]),
        )
    )
    assert names(row(found, "build").push.after) == names(row(found, "other").push.after) == {"its service"}


def test_a_role_does_not_keep_a_policy_that_the_plan_detaches() -> None:
    """Terraform plans the list of an unchanged role as it was."""
    role = {"name": "build", "arn": ROLE, "assume_role_policy": trust(SERVICE), "managed_policy_arns": [ADMINISTRATOR]}
    detached = destroyed("aws_iam_role_policy_attachment.it", role="build", policy_arn=ADMINISTRATOR)
    found = reviewed(plan(pull_user()[0], kept("aws_iam_role.it", **role), detached))
    assert names(row(found, "build").push.before) == {"its service"}
    assert names(row(found, "build").push.after) == set()
    of_another = destroyed("aws_iam_role_policy_attachment.it", role="another", policy_arn=ADMINISTRATOR)
    found = reviewed(plan(pull_user()[0], kept("aws_iam_role.it", **role), of_another))
    assert names(row(found, "build").push.after) == {"its service"}


def test_an_inline_policy_of_a_role_that_is_not_known_makes_its_access_unknown() -> None:
    role = {"name": "build", "arn": ROLE, "assume_role_policy": trust(SERVICE)}
    open_policy = updated("aws_iam_role.it", role, inline_policy=[{"name": "push"}])
    found = reviewed(plan(pull_user()[0], open_policy))
    assert names(row(found, "build").push.after) == {"not known"}


@pytest.mark.parametrize(
    ("statement", "pushes"),
    [
        ({"NotAction": "codecommit:GitPush", "Resource": "*"}, False),
        ({"NotAction": "iam:*", "Resource": "*"}, True),
        ({"Action": "codecommit:*", "NotResource": REPOSITORY}, False),
        ({"Action": "codecommit:*", "NotResource": f"{REPOSITORY}-2"}, True),
    ],
)
def test_evaluates_what_a_policy_excepts(statement: Mapping[str, Any], pushes: bool) -> None:
    more = created(
        "aws_iam_user_policy.more", user="pull", name="more", policy=policy({"Effect": "Allow", **statement})
    )
    found = reviewed(plan(*pull_user(), DENIED, more))
    assert names(row(found).push.after) == ({HERE} if pushes else set())
