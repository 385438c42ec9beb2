"""Permissions that a build's role has beside mirroring: those to what its unit owns, and no other."""

from collections.abc import Callable

import pytest

from tests.iam.changes import Change, Json, bridge, fact, findings
from tests.iam.test_attacks import BRIDGE, allow, condition, more
from tests.terraform import Stacks

HERE = "ap-northeast-1:222222222222"
PARAMETERS = f"arn:aws:ssm:{HERE}:parameter"
OWN_KEY, OTHER_KEY = (
    f"{PARAMETERS}/kakehashi/backlog/example/ssh-key",
    f"{PARAMETERS}/kakehashi/backlog/partner/ssh-key",
)
OWN_STATE, OTHER_STATE = (f"{PARAMETERS}/kakehashi/kakehashi/prd/backlog/{unit}" for unit in ("batch", "website"))
CHAT = f"{PARAMETERS}/kakehashi/backlog/chat-url"
LOGS = f"arn:aws:logs:{HERE}:log-group:"
OWN_LOG, OTHER_LOG = (f"{LOGS}/aws/codebuild/kakehashi-prd-backlog-{unit}:*" for unit in ("batch", "website"))
BUS = "arn:aws:events:{}:{}:event-bus/{}"
PROGRAMS = "arn:aws:s3:::kakehashi-prd-backlog-program-222222222222"
CACHE = "arn:aws:s3:::kakehashi-prd-backlog-cache-222222222222"
INTERFACES = f"arn:aws:ec2:{HERE}:network-interface/*"
KMS = f"arn:aws:kms:{HERE}:key/"
KEY, OTHER_KMS_KEY = f"{KMS}1234abcd-12ab-34cd-86ef-1234567890ab", f"{KMS}99999999-12ab-34cd-86ef-1234567890ab"

MIRRORS = (
    condition("StringEquals", "events:source", "kakehashi.backlog"),
    condition("StringEquals", "events:detail-type", "Mirrors differ"),
)
OF_KEY = "kms:EncryptionContext:PARAMETER_ARN"
THROUGH = condition("StringEquals", "kms:ViaService", "codecommit.ap-northeast-1.amazonaws.com")
FOR_BUILDS = condition("StringEquals", "ec2:AuthorizedService", "codebuild.amazonaws.com")
LEND = "ec2:CreateNetworkInterfacePermission"

FOREIGN: dict[str, tuple[str, str, tuple[Json, ...]]] = {
    "writes every parameter": ("ssm:PutParameter", f"{PARAMETERS}/*", ()),
    "writes every parameter of the bridge": ("ssm:PutParameter", f"{PARAMETERS}/kakehashi/kakehashi/prd/backlog/*", ()),
    "writes another unit's state": ("ssm:PutParameter", OTHER_STATE, ()),
    "writes whatever a session's name says": ("ssm:PutParameter", f"{PARAMETERS}/&{{aws:userid}}", ()),
    "reads another unit's state": ("ssm:GetParameter", OTHER_STATE, ()),
    "writes its own key": ("ssm:PutParameter", OWN_KEY, ()),
    "writes the chat's address": ("ssm:PutParameter", CHAT, ()),
    "reads another space's key": ("ssm:GetParameter", OTHER_KEY, ()),
    "reads its state in another region": ("ssm:GetParameter", OWN_STATE.replace("northeast", "southeast"), ()),
    "reads old values of its key": ("ssm:GetParameterHistory", OWN_KEY, ()),
    "deletes its state": ("ssm:DeleteParameter", OWN_STATE, ()),
    "does anything with its state": ("ssm:*", OWN_STATE, ()),
    "does one more thing with its state": ("ssm:PutParameter?", OWN_STATE, ()),
    "writes every log": ("logs:PutLogEvents", "*", ()),
    "writes every log of builds": ("logs:PutLogEvents", f"{LOGS}/aws/codebuild/*", ()),
    "writes another unit's log": ("logs:PutLogEvents", OTHER_LOG, ()),
    "makes streams in another unit's log": ("logs:CreateLogStream", OTHER_LOG, ()),
    "deletes streams of its own log": ("logs:DeleteLogStream", OWN_LOG, ()),
    "sends events to every bus": ("events:PutEvents", "*", MIRRORS),
    "sends events to every bus of its account": ("events:PutEvents", BUS.format(*HERE.split(":"), "*"), MIRRORS),
    "sends events to another bus": ("events:PutEvents", BUS.format(*HERE.split(":"), "other"), MIRRORS),
    "sends events to another region": ("events:PutEvents", BUS.format("us-east-1", "222222222222", "default"), MIRRORS),
    "sends events to another account": ("events:PutEvents", BUS.format("ap-northeast-1", "9" * 12, "default"), MIRRORS),
    "reads every program": ("s3:GetObject", f"{PROGRAMS}/*", ()),
    "reads every unit's config": ("s3:GetObject", f"{PROGRAMS}/units/*", ()),
    "reads another unit's config": ("s3:GetObjectVersion", f"{PROGRAMS}/units/website.json", ()),
    "writes the program": ("s3:PutObject", f"{PROGRAMS}/mirror.sh", ()),
    "writes its own config": ("s3:PutObject", f"{PROGRAMS}/units/batch.json", ()),
    "deletes the program": ("s3:DeleteObject", f"{PROGRAMS}/mirror.sh", ()),
    "has a cache without one": ("s3:PutObject", f"{CACHE}/batch/*", ()),
    "decrypts under another key": ("kms:Decrypt", OTHER_KMS_KEY, (condition("StringEquals", OF_KEY, OWN_KEY),)),
    "uses a key of no target": ("kms:GenerateDataKey", KEY, (THROUGH,)),
    "changes a metric": ("cloudwatch:PutMetricData", "*", ()),
}
"""What a build's role may not be allowed: an action, a resource and conditions."""

UNCONDITIONAL: dict[str, tuple[str, str, tuple[Json, ...]]] = {
    "decrypts what its key encrypts": ("kms:Decrypt", KEY, ()),
    "decrypts another space's key": ("kms:Decrypt", KEY, (condition("StringEquals", OF_KEY, OTHER_KEY),)),
    "decrypts one more key": ("kms:Decrypt", KEY, (condition("StringEquals", OF_KEY, OWN_KEY, OTHER_KEY),)),
    "decrypts keys by a pattern": ("kms:Decrypt", KEY, (condition("StringLike", OF_KEY, OWN_KEY),)),
    "decrypts also without a parameter": ("kms:Decrypt", KEY, (condition("StringEqualsIfExists", OF_KEY, OWN_KEY),)),
    "lends interfaces in every subnet": (LEND, INTERFACES, (FOR_BUILDS,)),
    "lends interfaces in another subnet": (
        LEND,
        INTERFACES,
        (FOR_BUILDS, condition("ArnEquals", "ec2:Subnet", f"arn:aws:ec2:{HERE}:subnet/subnet-99999999")),
    ),
}
"""What a build's role may be allowed only under other conditions."""


@pytest.fixture(scope="module")
def everything(synthesised: Callable[[str], Stacks]) -> Stacks:
    return synthesised("everything")


def _more(document: str, action: str, resource: str, *conditions: Json) -> Change:
    return more(f"{document}_permissions", allow(*conditions, on=resource, action=action), stack=BRIDGE)


def _found(stacks: Stacks, change: Change) -> list[str]:
    return [line for line in findings(stacks, change) if line.startswith("builds-use-their-own: ")]


def _line(what: str, role: str = "mirror-batch", sid: str = "More0") -> str:
    called = f"kakehashi-prd-backlog-{role}"
    return f"builds-use-their-own: {called}/permissions, statement {sid}: lets {called} {what}"


@pytest.mark.parametrize(("action", "resource", "conditions"), FOREIGN.values(), ids=FOREIGN)
def test_no_build_uses_what_its_unit_does_not_own(
    everything: Stacks, action: str, resource: str, conditions: tuple[Json, ...]
) -> None:
    changed = _more("mirrors_batch_role", action, resource, *conditions)
    assert _found(everything, changed) == [
        _line(f"{action} on {resource.replace('&{', '${')}, which its unit does not own")
    ]


@pytest.mark.parametrize(("action", "resource", "conditions"), UNCONDITIONAL.values(), ids=UNCONDITIONAL)
def test_no_build_uses_a_key_or_a_network_without_the_conditions_for_it(
    everything: Stacks, action: str, resource: str, conditions: tuple[Json, ...]
) -> None:
    changed = _more("mirrors_batch_role", action, resource, *conditions)
    assert _found(everything, changed) == [_line(f"{action} on {resource} without the conditions for it")]


def test_no_build_uses_everything_but_what_its_policy_names(everything: Stacks) -> None:
    but_resources = bridge("mirrors_batch_role_permissions", "KeepState", resources=[], not_resources=[OTHER_STATE])
    but_actions = bridge("mirrors_batch_role_permissions", "KeepState", actions=[], not_actions=["ssm:GetParameters"])
    assert _found(everything, but_resources) == [
        _line(f"ssm:PutParameter on all but {OTHER_STATE}, which its unit does not own", sid="KeepState")
    ]
    assert _found(everything, but_actions) == [
        _line(f"iam:* on {OWN_STATE}, which its unit does not own", sid="KeepState")
    ]


def test_a_second_statement_may_repeat_what_a_unit_owns(everything: Stacks) -> None:
    for action, resource in (
        ("SSM:putparameter", OWN_STATE),
        ("ssm:GetParameter", CHAT),
        ("logs:PutLogEvents", OWN_LOG),
    ):
        assert _found(everything, _more("mirrors_batch_role", action, resource)) == []


@pytest.mark.parametrize("prefix", ["", "/example", "/website/", "/web", "/website-old"])
def test_a_build_keeps_its_copy_in_its_own_cache(synthesised: Callable[[str], Stacks], prefix: str) -> None:
    resource = f"{CACHE}{prefix}/*"
    found = _found(synthesised("backlog-only"), _more("mirrors_website_role", "s3:PutObject", resource))
    assert found == [_line(f"s3:PutObject on {resource}, which its unit does not own", role="mirror-website")]


def test_a_build_outside_a_vpc_manages_no_network_interfaces(example: Stacks) -> None:
    found = _found(example, _more("spaces_example_role", "ec2:DeleteNetworkInterface", "*"))
    assert found == [_line("ec2:DeleteNetworkInterface on *, which its unit does not own", role="build-example")]


def test_the_role_that_a_build_assumes_has_the_same_limits(example: Stacks) -> None:
    found = _found(example, _more("spaces_example_mirror_role", "ssm:PutParameter", OTHER_STATE))
    assert found == [_line(f"ssm:PutParameter on {OTHER_STATE}, which its unit does not own", role="mirror-example")]


def test_a_role_for_builds_is_that_of_a_unit(example: Stacks) -> None:
    def change(stacks: dict[str, Json]) -> None:
        roles = stacks[BRIDGE]["resource"]["aws_iam_role"]
        roles["second"] = {**roles["spaces_example_role"], "name": "second"}

    assert _found(example, change) == [
        f"builds-use-their-own: {BRIDGE}: aws_iam_role.second: second is for builds, and no unit has it"
    ]


def test_a_build_has_a_role_of_the_deployment(example: Stacks) -> None:
    def change(stacks: dict[str, Json]) -> None:
        project = stacks[BRIDGE]["resource"]["aws_codebuild_project"]["spaces_example_project"]
        project["service_role"] = "arn:aws:iam::222222222222:role/admin"

    assert (
        f"builds-use-their-own: {BRIDGE}: aws_codebuild_project.spaces_example_project: "
        "has the role arn:aws:iam::222222222222:role/admin, of which the deployment says nothing"
    ) in _found(example, change)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "sids"),
    [
        ({"ssh_key_parameter": "/another"}, {"ReadSshKey", "DecryptSshKey"}),
        ({"ssh_key_kms_key": OTHER_KMS_KEY}, {"DecryptSshKey"}),
        ({"ssh_key_kms_key": None}, {"DecryptSshKey"}),
        ({"state_parameter": "/another"}, {"KeepState"}),
        ({"notify_parameter": None}, {"ReadChatUrl"}),
        ({"program": ["kakehashi-prd-backlog-program-222222222222/mirror.sh"]}, {"FetchProgram"}),
        ({"target_kms_keys": []}, {"RepositoryKeys"}),
        ({"subnets": []}, {"ManageNetworkInterfaces", "LendNetworkInterfaces"}),
        ({"subnets": ["subnet-0123456789abcdef0"]}, {"LendNetworkInterfaces"}),
        ({"unit": "other"}, {"WriteLogs"}),
    ],
)
def test_a_fact_says_what_a_unit_owns(everything: Stacks, changes: Json, sids: set[str]) -> None:
    found = _found(
        everything, lambda stacks: fact(stacks, BRIDGE, unit="kakehashi-prd-backlog-website").update(changes)
    )
    website = "builds-use-their-own: kakehashi-prd-backlog-mirror-website/permissions, statement "
    assert {line.removeprefix(website).partition(":")[0] for line in found} == sids
