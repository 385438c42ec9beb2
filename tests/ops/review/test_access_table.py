"""The access table: addresses that are known after the apply only, and how origins are shown."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import pytest

from ops.review.access_markdown import before_and_after, listed
from ops.review.access_table import AccessChange, AccessRow, RequestOrigin
from ops.review.outcome import Review
from terraform.plan_values import KnownAfterApply
from tests.ops.review.plans import comment, found_rules, reviewed
from tests.ops.review.rule_cases import allow, deny, policy, user_with
from tests.terraform.plans import change, plan

ADDRESSES = "data.terraform_remote_state.dev_network.outputs.nat_public_ips"
REPOSITORY = "arn:aws:codecommit:ap-northeast-1:222222222222:application"
NOWHERE: frozenset[RequestOrigin] = frozenset()


def _resource(address: str, **expressions: Any) -> dict[str, Any]:
    return {"address": address, "expressions": expressions}


def _with_open_addresses() -> Review:
    """A new user who can pull, but only from addresses that are known after the apply."""
    statements: list[Mapping[str, Any]] = [
        {"effect": "Allow", "actions": ["codecommit:GitPull"], "resources": [REPOSITORY]},
        {
            "effect": "Deny",
            "actions": ["*"],
            "resources": ["*"],
            "condition": [{"test": "NotIpAddress", "variable": "aws:SourceIp"}],
        },
    ]
    unknown = {"json": True, "statement": [{}, {"condition": [{"values": True}]}]}
    repository = {"repository_name": "application", "arn": REPOSITORY}
    user = {"name": "push", "arn": "arn:aws:iam::222222222222:user/push"}
    condition = {"values": {"references": [ADDRESSES]}}
    return reviewed(
        plan(
            change("aws_codecommit_repository.it", "no-op", repository, repository),
            change("aws_iam_user.it", "create", None, user),
            change(
                "data.aws_iam_policy_document.it", "read", None, {"statement": statements}, unknown=unknown, mode="data"
            ),
            change("aws_iam_user_policy.it", "create", None, {"user": "push"}, unknown={"policy": True}),
            configuration={
                "root_module": {
                    "resources": [
                        _resource("data.aws_iam_policy_document.it", statement=[{}, {"condition": [condition]}]),
                        _resource(
                            "aws_iam_user_policy.it", policy={"references": ["data.aws_iam_policy_document.it.json"]}
                        ),
                    ]
                }
            },
        )
    )


def test_addresses_known_after_the_apply_are_an_origin_of_their_own() -> None:
    [row] = _with_open_addresses().access.rows
    [origin] = row.pull.after
    assert (row.principal, row.pull.before, row.push.after) == ("push", NOWHERE, NOWHERE)
    assert (origin.open, origin.network) == (KnownAfterApply(ADDRESSES), None)


def test_the_comment_shows_which_output_open_addresses_come_from() -> None:
    found = _with_open_addresses()
    output = "dev-network's output nat_public_ips (known after apply)"
    assert f"| `push` | `application` | nowhere → **`{output}`** | nowhere |" in comment(found)
    [note] = [note for note in found.notes if note.rule == "policy-open"]
    assert note.what == (
        "a part of `policy` is known after the apply only: it will come from dev-network's output `nat_public_ips`"
    )


OF_AWS = "arn:aws:iam::aws:policy/SecurityAudit"


def test_access_by_a_policy_that_is_not_known_is_not_known_and_dangerous() -> None:
    """What cannot be evaluated is never shown as nothing."""
    attached = change("aws_iam_user_policy_attachment.more", "create", None, {"user": "pull", "policy_arn": OF_AWS})
    found = reviewed(plan(*user_with(policy(allow())), attached))
    [row] = found.access.rows
    assert {origin.name for origin in row.push.after} == {"not known"}
    assert ("access-unknown", "aws_iam_user.it") in found_rules(found)
    reason = f"`aws_iam_user_policy_attachment.more: {OF_AWS}, which is in none of"
    assert f"nowhere → **not known ({reason}" in comment(found)


def test_a_repository_without_a_known_name_makes_its_access_unknown() -> None:
    repository = change("aws_codecommit_repository.it", "create", None, {}, unknown={"repository_name": True})
    assert ("access-unknown", "aws_codecommit_repository.it") in found_rules(reviewed(plan(repository)))


def test_an_address_that_cannot_be_read_makes_all_access_unknown() -> None:
    odd = policy(allow(), deny(Condition={"NotIpAddress": {"aws:SourceIp": ["everywhere"]}}))
    found = reviewed(plan(*user_with(odd)))
    [row] = found.access.rows
    assert {origin.name for origin in row.pull.after} == {"not known"}


def _origin(network: str) -> RequestOrigin:
    return RequestOrigin(name=network, network=ip_network(network))


def test_a_row_is_changed_when_an_origin_differs_and_not_by_its_text() -> None:
    arrow = frozenset({RequestOrigin(name="a → b")})
    unchanged = AccessChange(before=arrow, after=arrow)
    changed = AccessChange(before=NOWHERE, after=arrow)
    assert not AccessRow(principal="it", repositories=["a"], pull=unchanged, push=unchanged).is_changed
    assert AccessRow(principal="it", repositories=["a"], pull=unchanged, push=changed).is_changed
    assert before_and_after(changed, arrow) == "nowhere → **`a → b`**"


@pytest.mark.parametrize(
    ("networks", "everywhere", "text"),
    [
        (set(), set(), "nowhere"),
        ({"0.0.0.0/0", "192.0.2.0/24"}, set(), "`0.0.0.0/0` (anywhere)"),
        ({"192.0.2.0/24"}, {"192.0.2.128/25", "198.51.100.0/24"}, "`192.0.2.0/24` except `192.0.2.128/25`"),
        ({"2001:db8::/32", "192.0.2.0/24"}, set(), "`192.0.2.0/24`, `2001:db8::/32`"),
    ],
)
def test_origins_are_shown_without_networks_within_others(networks: set[str], everywhere: set[str], text: str) -> None:
    assert listed(frozenset(map(_origin, networks)), frozenset(map(_origin, networks | everywhere))) == text


def test_the_access_of_a_user_in_an_unknown_account_is_not_determined() -> None:
    user = change("aws_iam_user.it", "create", None, {"name": "pull"}, unknown={"arn": True})
    found = reviewed(plan(user))
    assert {(finding.rule, finding.address) for finding in (*found.dangerous, *found.notes)} >= {
        ("access-unknown", "aws_iam_user.it")
    }


BUILD, MIRROR = (f"arn:aws:iam::222222222222:role/{name}" for name in ("build", "mirror"))
BY_TAG = {"Condition": {"StringEquals": {"aws:ResourceTag/kakehashi:mirrored-by": "unit"}}}


def _mirror_role(*repositories: Mapping[str, Any]) -> Review:
    """A role that one build's role assumes, with what has the tag of its unit."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": BUILD}}
    role = {"name": "mirror", "arn": MIRROR, "assume_role_policy": policy(trust)}
    everything = policy(allow(Resource=REPOSITORY.replace("application", "*"), **BY_TAG))
    permissions = {"role": "mirror", "name": "permissions", "policy": everything}
    return reviewed(
        plan(
            *repositories,
            change("aws_iam_role.it", "no-op", role, role),
            change("aws_iam_role_policy.it", "no-op", permissions, permissions),
        )
    )


def _tagged(name: str, tags: Mapping[str, str] | None, was: Mapping[str, str] | None = None) -> dict[str, Any]:
    before, after = (
        {"repository_name": name, "arn": REPOSITORY.replace("application", name), "tags_all": found}
        for found in (was or tags, tags)
    )
    return change(f"aws_codecommit_repository.{name}", "update" if was else "no-op", before, after)


def test_a_role_by_tag_reaches_what_has_the_tag_and_its_caller_is_named() -> None:
    ours, others = {"Kakehashi:mirrored-by": "unit", "team": "a"}, {"kakehashi:mirrored-by": "other"}
    found = _mirror_role(_tagged("one", ours), _tagged("two", others), _tagged("three", None))
    [row] = found.access.rows
    assert (row.principal, row.repositories) == ("mirror", ["one"])
    assert {origin.name for origin in row.pull.after} == {"build"}
    assert found.access.unreadable == []


def test_a_tag_that_comes_to_a_repository_widens_the_access_of_its_role() -> None:
    ours, others = {"kakehashi:mirrored-by": "unit"}, {"kakehashi:mirrored-by": "other"}
    found = _mirror_role(_tagged("one", ours, others))
    assert ("access-widened", "aws_iam_role.it") in found_rules(found)


def test_tags_that_are_not_known_leave_the_access_of_a_role_unknown() -> None:
    repository = {"repository_name": "one", "arn": REPOSITORY}
    unknown = change("aws_codecommit_repository.it", "update", repository, repository, unknown={"tags_all": True})
    [row] = _mirror_role(unknown).access.rows
    assert {origin.name for origin in row.pull.after} == {"not known"}
