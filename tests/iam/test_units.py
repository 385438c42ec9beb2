"""What a build reaches, itself or through the role that it alone may assume."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from iam import codecommit, deployed, matrix
from iam.model import Model
from iam.statements import UnsupportedError
from terraform.references import configurations
from tests.iam.changes import Change, Json, changed_documents, every, fact, findings, nothing, statement
from tests.terraform import Stacks

BRIDGE = "backlog-bridge"
BUILD, ROLE = "kakehashi-prd-backlog-build-example", "kakehashi-prd-backlog-mirror-example"
UNIT = "kakehashi-prd-backlog-example"
TARGETS, OWN_POLICY = "spaces_example_mirror_role_permissions", "spaces_example_role_permissions"
ROLE_ADDRESS = f"{BRIDGE}: aws_iam_role.spaces_example_mirror_role"
PERMISSIONS = f"{ROLE}/permissions, statement MirrorIntoTarget"
HERE = "arn:aws:codecommit:ap-northeast-1:222222222222"


def _bridge(document: str, sid: str, **changes: Any) -> Change:
    return lambda stacks: statement(stacks, BRIDGE, document, sid).update(changes)


def _trust(*principals: Json) -> Change:
    return _bridge("spaces_example_mirror_role_trust", "Assume", principals=[*principals])


OWN = {"type": "AWS", "identifiers": ["${aws_iam_role.spaces_example_role.arn}"]}
API = {"type": "AWS", "identifiers": ["${aws_iam_role.webhook_role.arn}"]}


OF_SOURCE = {"test": "StringEquals", "variable": "events:source", "values": ["kakehashi.backlog"]}
OF_TYPE = {"test": "StringEquals", "variable": "events:detail-type", "values": ["Mirrors differ"]}


def _by_tag(value: str = UNIT, key: str = "kakehashi:mirrored-by", test: str = "StringEquals") -> Json:
    return {
        "resources": [f"{HERE}:*"],
        "condition": [{"test": test, "variable": f"aws:ResourceTag/{key}", "values": [value]}],
    }


def _tagged(repository: str, **tags: Any) -> Change:
    """Gives a repository a tag, `mirrored_by` for kakehashi:mirrored-by."""

    def change(stacks: dict[str, Json]) -> None:
        for name in stacks:
            for one in stacks[name].get("resource", {}).get("aws_codecommit_repository", {}).values():
                if one["repository_name"] == repository:
                    one["tags"] = {f"kakehashi:{key.replace('_', '-')}": value for key, value in tags.items()}

    return change


TAGGED = every(
    _bridge(TARGETS, "MirrorIntoTarget", **_by_tag()),
    _tagged("batch", mirrored_by=UNIT),
    _tagged("website", mirrored_by=UNIT),
)


@pytest.mark.parametrize("change", [nothing, TAGGED, every(TAGGED, _tagged("application", mirrored_by="other"))])
def test_a_unit_that_reaches_its_targets_alone_keeps_every_promise(example: Stacks, change: Change) -> None:
    assert findings(example, change) == []


def _second_build(stacks: dict[str, Json]) -> None:
    """A second build that starts as the first one's role."""
    projects = stacks[BRIDGE]["resource"]["aws_codebuild_project"]
    projects["other"] = copy.deepcopy(projects["spaces_example_project"])
    facts = stacks[BRIDGE]["//"]["metadata"]["kakehashi"]["facts"]
    own = {"unit": "other", "build": "other", "targets": ["website"], "state_parameter": "/other"}
    facts.append({**fact(stacks, BRIDGE, unit=UNIT), **own})


def _second_role(stacks: dict[str, Json]) -> None:
    resources = stacks[BRIDGE]["resource"]
    resources["aws_iam_role"]["second"] = resources["aws_iam_role"]["spaces_example_mirror_role"] | {"name": "second"}


def _forget(stacks: dict[str, Json]) -> None:
    stacks[BRIDGE]["//"]["metadata"]["kakehashi"]["facts"].remove(fact(stacks, BRIDGE, unit=UNIT))


BROKEN = [
    (
        _bridge(
            TARGETS,
            "MirrorIntoTarget",
            resources=[f"{HERE}:batch", f"{HERE}:application"],
        ),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach {HERE}:application, which {UNIT} does not "
        "mirror into",
    ),
    (
        _bridge(TARGETS, "MirrorIntoTarget", resources=[f"{HERE}:elsewhere"]),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach {HERE}:elsewhere, which {UNIT} does not "
        "mirror into",
    ),
    (
        _bridge(TARGETS, "MirrorIntoTarget", resources=[f"{HERE}:app*"]),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach application, which {UNIT} does not mirror into",
    ),
    (
        every(TAGGED, _tagged("application", mirrored_by=UNIT)),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach application, which {UNIT} does not mirror into",
    ),
    (
        every(TAGGED, lambda stacks: _mirrors(stacks).update(_by_tag("other"))),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach what has the tag kakehashi:mirrored-by of "
        f"other, which {UNIT} does not mirror into",
    ),
    (
        every(TAGGED, lambda stacks: _mirrors(stacks).update(_by_tag(test="StringEqualsIfExists"))),
        f"policies-name-what-they-mean: {PERMISSIONS}: allows {ROLE} codecommit:GetRepository on {HERE}:*",
    ),
    (
        every(TAGGED, lambda stacks: _mirrors(stacks).update(_by_tag("exam*", test="StringLike"))),
        f"policies-name-what-they-mean: {PERMISSIONS}: allows {ROLE} codecommit:GetRepository on {HERE}:*",
    ),
    (
        every(TAGGED, lambda stacks: _mirrors(stacks).update(_by_tag(key="project", value="kakehashi"))),
        f"policies-name-what-they-mean: {PERMISSIONS}: allows {ROLE} codecommit:GetRepository on {HERE}:*",
    ),
    (
        _bridge(
            TARGETS,
            "MirrorIntoTarget",
            actions=["codecommit:TagResource", codecommit.PUSH],
        ),
        f"nobody-tags: {PERMISSIONS}: lets {ROLE} codecommit:TagResource",
    ),
    (
        _bridge(TARGETS, "MirrorIntoTarget", actions=["codecommit:Untag*", codecommit.PUSH]),
        f"nobody-tags: {PERMISSIONS}: lets {ROLE} codecommit:UntagResource",
    ),
    (
        _bridge(TARGETS, "MirrorIntoTarget", actions=["codecommit:CreateRepository"]),
        f"nobody-tags: {PERMISSIONS}: lets {ROLE} codecommit:CreateRepository",
    ),
    (
        _bridge(TARGETS, "MirrorIntoTarget", actions=["tag:TagResources"]),
        f"nobody-tags: {PERMISSIONS}: lets {ROLE} tag:TagResources",
    ),
    (
        _bridge(OWN_POLICY, "ReadSshKey", actions=[codecommit.PUSH], resources=[f"{HERE}:batch"]),
        f"one-build-assumes-a-role: {BUILD}/permissions, statement ReadSshKey: lets {BUILD} use CodeCommit without "
        "the session that its program narrows",
    ),
    *(
        (
            _bridge(OWN_POLICY, "ReportMirrors", condition=[*kept, *changed]),
            f"builds-tell-of-mirrors-alone: {BUILD}/permissions, statement ReportMirrors: "
            f"lets {BUILD} send events of any {what}",
        )
        for what, kept, changed in (
            ("source", [OF_TYPE], []),
            ("source", [OF_TYPE], [{**OF_SOURCE, "values": ["kakehashi.backlog", "aws.codebuild"]}]),
            ("source", [OF_TYPE], [{**OF_SOURCE, "test": "StringLike", "values": ["kakehashi.*"]}]),
            ("source", [OF_TYPE], [{**OF_SOURCE, "test": "StringEqualsIfExists"}]),
            ("source", [OF_TYPE], [{**OF_SOURCE, "test": "ForAllValues:StringEquals"}]),
            ("source", [OF_TYPE], [{**OF_SOURCE, "test": "StringNotEquals"}]),
            ("detail-type", [OF_SOURCE], []),
            ("detail-type", [OF_SOURCE], [{**OF_TYPE, "values": ["Mirrors differ", "Anything"]}]),
            ("detail-type", [OF_SOURCE], [{**OF_TYPE, "test": "StringEqualsIfExists"}]),
        )
    ),
    (
        _trust(OWN, API),
        f"one-build-assumes-a-role: {ROLE_ADDRESS}: {ROLE} is for others than one build",
    ),
    (
        _trust(OWN, {"type": "Service", "identifiers": ["codebuild.amazonaws.com"]}),
        f"one-build-assumes-a-role: {ROLE_ADDRESS}: {ROLE} is for others than one build",
    ),
    *(
        (
            _trust(principal),
            f"roles-are-for-services: {ROLE}'s trust, statement Assume: lets others than a service assume {ROLE}",
        )
        for principal in (
            API,
            {"type": "AWS", "identifiers": ["arn:aws:iam::222222222222:root"]},
            {"type": "AWS", "identifiers": ["*"]},
            {"type": "AWS", "identifiers": ["arn:aws:iam::999999999999:role/kakehashi-prd-backlog-build-example"]},
        )
    ),
    (
        _bridge("spaces_example_mirror_role_trust", "Assume", actions=["sts:AssumeRole", "sts:TagSession"]),
        f"roles-are-for-services: {ROLE}'s trust, statement Assume: lets others than a service assume {ROLE}",
    ),
    (
        _bridge(OWN_POLICY, "AssumeRole", resources=["arn:aws:iam::222222222222:role/*"]),
        f"one-build-assumes-a-role: {BUILD}/permissions, statement AssumeRole: "
        f"lets {BUILD} assume a role that is not one for its build alone",
    ),
    (
        _bridge(OWN_POLICY, "AssumeRole", resources=["arn:aws:iam::222222222222:role/admin"]),
        f"one-build-assumes-a-role: {BUILD}/permissions, statement AssumeRole: "
        f"lets {BUILD} assume a role that is not one for its build alone",
    ),
    (
        _bridge(
            "webhook_role_permissions",
            "StartBuilds",
            actions=["sts:AssumeRole"],
            resources=["${aws_iam_role.spaces_example_mirror_role.arn}"],
        ),
        "nobody-administers: kakehashi-prd-backlog-webhook/permissions, statement StartBuilds: "
        "lets kakehashi-prd-backlog-webhook sts:AssumeRole",
    ),
    (
        _second_build,
        f"one-build-assumes-a-role: {BRIDGE}: aws_codebuild_project.other: "
        f"has the role of {BRIDGE}: aws_codebuild_project.spaces_example_project, whose repositories are others",
    ),
    (
        _second_role,
        f"one-build-assumes-a-role: {BRIDGE}: aws_codebuild_project.spaces_example_project: "
        f"may become {ROLE} and second, which are not one role",
    ),
]


def _mirrors(stacks: dict[str, Json]) -> Json:
    return statement(stacks, BRIDGE, TARGETS, "MirrorIntoTarget")


@pytest.mark.slow
@pytest.mark.parametrize(("change", "expected"), BROKEN)
def test_a_broken_promise_about_units_names_the_policy(example: Stacks, change: Change, expected: str) -> None:
    assert expected in findings(example, change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            _forget,
            f"{BRIDGE}: aws_codebuild_project.spaces_example_project: "
            "which repositories it mirrors into, which no fact of the stack says",
        ),
        (
            every(TAGGED, _tagged("application", mirrored_by="${var.name}")),
            f"{PERMISSIONS}: whether a request has 'aws:resourcetag/kakehashi:mirrored-by', and its value, "
            "is not known",
        ),
    ],
)
def test_refuses_what_is_not_known_of_a_unit(example: Stacks, change: Change, reason: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        findings(example, change)
    assert refused.value.reason == reason


def test_tags_of_a_provider_count_as_those_of_each_repository(example: Stacks) -> None:
    def change(stacks: dict[str, Json]) -> None:
        stacks["prd-codecommit"]["provider"]["aws"][0]["default_tags"][0]["tags"]["kakehashi:mirrored-by"] = UNIT

    assert [line for line in findings(example, every(TAGGED, change)) if line.startswith("builds-reach-their-targets")]


def _model(stacks: Stacks, change: Change) -> Model:
    return deployed.model_of(configurations(changed_documents(stacks, change), defaults=False).values())


def _pushing(model: Model) -> Iterator[tuple[str, str, str]]:
    for row in matrix.matrix(model):
        if row.allowed and row.action == codecommit.PUSH and row.principal in (BUILD, ROLE):
            yield row.principal, row.resource, row.source


@pytest.mark.parametrize(
    ("change", "tagged"),
    [
        (nothing, []),
        (TAGGED, ["any other repository with the tag kakehashi:mirrored-by=" + UNIT]),
    ],
)
def test_the_matrix_shows_the_way_through_the_build(example: Stacks, change: Change, tagged: list[str]) -> None:
    assert {*_pushing(_model(example, change))} == {(ROLE, name, BUILD) for name in ("batch", "website", *tagged)}


def test_the_matrix_shows_who_a_trust_lets_in_and_whose_own_policy_does_not(example: Stacks) -> None:
    model = _model(example, _bridge(OWN_POLICY, "AssumeRole", actions=["sts:GetCallerIdentity"]))
    rows = [row for row in matrix.matrix(model) if row.principal == ROLE and row.source == BUILD]
    # Within one account, a trust that names the role is enough.
    assert {row.allowed for row in rows if row.resource == "batch" and row.action == codecommit.PUSH} == {True}
