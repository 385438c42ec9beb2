import json
from collections.abc import Callable
from pathlib import Path

import pytest

from iam import codecommit, deployed, documents, matrix
from iam.model import Model, Resource
from iam.sources import sources
from tests.iam.renew import managed_policies
from tests.terraform import Stacks

Cells = dict[tuple[str, str, str, str], tuple[bool, str]]


def _model(stacks: Stacks) -> Model:
    return deployed.read({name: terraform.json for name, terraform in stacks.terraform.items()})


@pytest.fixture(scope="module")
def cells(example: Stacks) -> Cells:
    """The example's matrix on repositories."""
    rows = matrix.matrix(_model(example))
    return {(r.principal, r.resource, r.action, r.source): (r.allowed, r.because) for r in rows if r.is_repository}


def _where(cells: Cells, action: str) -> set[tuple[str, str, str]]:
    """Who may do `action`, on which repository, and from where."""
    return {(who, on, at) for (who, on, do, at), (allowed, _) in cells.items() if do == action and allowed}


def test_only_gitlab_and_the_builds_push_and_only_from_their_own_origins(cells: Cells) -> None:
    from_gitlab = {
        ("kakehashi-prd-push", name, place)
        for name in ("infrastructure", "application")
        for place in ("dev-network's NAT addresses", matrix.ON_BEHALF)
    }
    by_builds = {
        ("kakehashi-prd-backlog-mirror-example", name, "kakehashi-prd-backlog-build-example")
        for name in ("batch", "website")
    }
    assert _where(cells, codecommit.PUSH) == from_gitlab | by_builds


def test_the_isolated_room_only_pulls(cells: Cells) -> None:
    in_the_room = {
        (who, on, do) for (who, on, do, at), (allowed, _) in cells.items() if allowed and at == "the isolated room"
    }
    assert {who for who, _, _ in in_the_room} == {"kakehashi-prd-pull"}
    assert {on for _, on, _ in in_the_room} == {"infrastructure", "application", "batch", "website"}
    assert codecommit.PULL in {do for _, _, do in in_the_room} <= set(codecommit.READS)


def test_nobody_deletes_a_repository(cells: Cells) -> None:
    assert {at for _, _, do, at in cells if do == codecommit.DELETE} > {"the isolated room", "anywhere else"}
    assert _where(cells, codecommit.DELETE) == set()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (
            ("kakehashi-prd-push", "application", codecommit.PUSH, "dev-network's NAT addresses"),
            (True, "allowed by kakehashi-prd-push-allow, statement PushAndPull"),
        ),
        (
            ("kakehashi-prd-push", "application", codecommit.PUSH, "the isolated room"),
            (False, "denied by kakehashi-prd-push-deny, statement DenyFromElsewhere"),
        ),
        (
            ("kakehashi-prd-push", "application", codecommit.PUSH, "another VPC endpoint"),
            (False, "denied by kakehashi-prd-push-deny, statement DenyFromElsewhere"),
        ),
        (
            ("kakehashi-prd-push", "batch", codecommit.PUSH, "dev-network's NAT addresses"),
            (False, "nothing allows it"),
        ),
        (
            ("kakehashi-prd-pull", "application", codecommit.PUSH, "the isolated room"),
            (False, "nothing allows it"),
        ),
        (
            (
                "kakehashi-prd-backlog-mirror-example",
                "batch",
                codecommit.PUSH,
                "anywhere else",
            ),
            (False, "may not assume the role: nothing allows it"),
        ),
        (("anybody", "batch", codecommit.PULL, "anywhere"), (False, "nothing allows it")),
    ],
)
def test_every_cell_gives_its_reason(cells: Cells, cell: tuple[str, str, str, str], expected: tuple[bool, str]) -> None:
    assert cells[cell] == expected


def test_a_room_with_vpc_endpoints_pulls_through_them_only(synthesised: Callable[[str], Stacks]) -> None:
    rows = matrix.matrix(_model(synthesised("everything")))
    through = {
        row.source for row in rows if row.principal == "kakehashi-prd-pull-vault" and row.allowed and row.is_repository
    }
    assert through == {"vpce-0123456789abcdef0", "vpce-0fedcba9876543210"}


def test_every_part_of_the_internet_that_a_policy_distinguishes_is_evaluated(
    synthesised: Callable[[str], Stacks],
) -> None:
    named = {source.name for source in sources(_model(synthesised("everything")))}
    assert {
        "the isolated room, 198.51.100.0/28",
        "the isolated room, 203.0.113.10/32",
        "room batch_operators",
        "anywhere else",
        "anywhere else, by IPv6",
        "another VPC endpoint",
    } < named


def test_two_policies_of_one_name_are_both_read() -> None:
    def topic(name: str, network: str) -> Resource:
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": network}},
        }
        policy = documents.parse({"Version": "2012-10-17", "Statement": [statement]}, "topics")
        return Resource(address=name, arn=f"arn:aws:sns:eu-west-1:111111111111:{name}", account="", policy=policy)

    found = sources(Model(resources=(topic("first", "192.0.2.0/28"), topic("second", "198.51.100.0/28"))))
    assert {"192.0.2.0/28", "198.51.100.0/28"} <= {source.name for source in found}


def test_aws_managed_policies_are_as_aws_publishes_them(project: Path) -> None:
    ours = json.loads((project / "iam" / "aws_managed.json").read_text())["policies"]
    assert ours == managed_policies(list(ours)), "renew with: .venv/bin/python -m tests.iam.renew"
