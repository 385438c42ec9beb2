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
BUILD, ROLE = "kakehashi-prd-backlog-mirror-batch", "kakehashi-prd-backlog-targets"
PERMISSIONS = f"{ROLE}/permissions, statement MirrorIntoTarget"
HERE = "arn:aws:codecommit:ap-northeast-1:222222222222"


def _documents(stacks: dict[str, Json]) -> dict[str, Json]:
    found: dict[str, Json] = stacks[BRIDGE]["data"]["aws_iam_policy_document"]
    return found


def in_one_space(stacks: dict[str, Json]) -> None:
    """Both mirrors of the example in one unit, whose build assumes the role that writes."""
    resources, documents = stacks[BRIDGE]["resource"], _documents(stacks)
    for kind in ("aws_codebuild_project", "aws_iam_role", "aws_iam_role_policy"):
        for name in [name for name in resources[kind] if name.startswith("mirrors_website")]:
            del resources[kind][name]
    for one in (one for document in documents.values() for one in document["statement"]):
        if "resources" in one:
            one["resources"] = [arn for arn in one["resources"] if "mirrors_website_project" not in arn]
    facts = stacks[BRIDGE]["//"]["metadata"]["kakehashi"]["facts"]
    facts.remove(fact(stacks, BRIDGE, unit="website"))
    fact(stacks, BRIDGE, unit="batch").update(unit="example", targets=["batch", "website"])
    own = documents["mirrors_batch_role_permissions"]["statement"]
    own[:] = [one for one in own if one["sid"] in ("WriteLogs", "ReadSshKey")]
    own.append({"sid": "Assume", "actions": ["sts:AssumeRole"], "resources": ["${aws_iam_role.targets.arn}"]})
    documents["targets_trust"] = {
        "statement": [
            {
                "sid": "Assume",
                "actions": ["sts:AssumeRole"],
                "principals": [{"type": "AWS", "identifiers": ["${aws_iam_role.mirrors_batch_role.arn}"]}],
            }
        ]
    }
    documents["targets_permissions"] = {
        "statement": [
            {
                "sid": "MirrorIntoTarget",
                "actions": [codecommit.PULL, codecommit.PUSH, "codecommit:UpdateDefaultBranch"],
                "resources": [f"{HERE}:batch", f"{HERE}:website"],
            }
        ]
    }
    resources["aws_iam_role"]["targets"] = {
        "name": ROLE,
        "assume_role_policy": "${data.aws_iam_policy_document.targets_trust.json}",
    }
    resources["aws_iam_role_policy"]["targets"] = {
        "name": "permissions",
        "role": "${aws_iam_role.targets.name}",
        "policy": "${data.aws_iam_policy_document.targets_permissions.json}",
    }


def _bridge(document: str, sid: str, **changes: Any) -> Change:
    return every(in_one_space, lambda stacks: statement(stacks, BRIDGE, document, sid).update(changes))


def _trust(*principals: Json) -> Change:
    return _bridge("targets_trust", "Assume", principals=[*principals])


OWN = {"type": "AWS", "identifiers": ["${aws_iam_role.mirrors_batch_role.arn}"]}
API = {"type": "AWS", "identifiers": ["${aws_iam_role.webhook_role.arn}"]}


def _by_tag(value: str = "example", key: str = "kakehashi:mirrored-by", test: str = "StringEquals") -> Json:
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
    _bridge("targets_permissions", "MirrorIntoTarget", **_by_tag()),
    _tagged("batch", mirrored_by="example"),
    _tagged("website", mirrored_by="example"),
)


@pytest.mark.parametrize(
    "change", [nothing, in_one_space, TAGGED, every(TAGGED, _tagged("application", mirrored_by="other"))]
)
def test_a_unit_that_reaches_its_targets_alone_keeps_every_promise(example: Stacks, change: Change) -> None:
    assert findings(example, change) == []


def _second_build(stacks: dict[str, Json]) -> None:
    """A second build that starts as the first one's role."""
    projects = stacks[BRIDGE]["resource"]["aws_codebuild_project"]
    projects["other"] = copy.deepcopy(projects["mirrors_batch_project"])
    facts = stacks[BRIDGE]["//"]["metadata"]["kakehashi"]["facts"]
    facts.append({"fact": "mirror unit", "unit": "other", "build": "other", "targets": ["website"]})


def _second_role(stacks: dict[str, Json]) -> None:
    resources = stacks[BRIDGE]["resource"]
    resources["aws_iam_role"]["second"] = resources["aws_iam_role"]["targets"] | {"name": "second"}


BROKEN = [
    (
        _bridge("targets_permissions", "MirrorIntoTarget", resources=[f"{HERE}:batch", f"{HERE}:application"]),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach {HERE}:application, which example does not "
        "mirror into",
    ),
    (
        _bridge("targets_permissions", "MirrorIntoTarget", resources=[f"{HERE}:elsewhere"]),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach {HERE}:elsewhere, which example does not "
        "mirror into",
    ),
    (
        _bridge("targets_permissions", "MirrorIntoTarget", resources=[f"{HERE}:app*"]),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach application, which example does not mirror into",
    ),
    (
        every(TAGGED, _tagged("application", mirrored_by="example")),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach application, which example does not mirror into",
    ),
    (
        every(TAGGED, lambda stacks: _mirrors(stacks).update(_by_tag("other"))),
        f"builds-reach-their-targets: {PERMISSIONS}: lets {ROLE} reach what has the tag kakehashi:mirrored-by of "
        "other, which example does not mirror into",
    ),
    (
        every(TAGGED, lambda stacks: _mirrors(stacks).update(_by_tag(test="StringEqualsIfExists"))),
        f"policies-name-what-they-mean: {PERMISSIONS}: allows {ROLE} {codecommit.PULL} on {HERE}:*",
    ),
    (
        every(TAGGED, lambda stacks: _mirrors(stacks).update(_by_tag("exam*", test="StringLike"))),
        f"policies-name-what-they-mean: {PERMISSIONS}: allows {ROLE} {codecommit.PULL} on {HERE}:*",
    ),
    (
        every(TAGGED, lambda stacks: _mirrors(stacks).update(_by_tag(key="project", value="kakehashi"))),
        f"policies-name-what-they-mean: {PERMISSIONS}: allows {ROLE} {codecommit.PULL} on {HERE}:*",
    ),
    (
        _bridge("targets_permissions", "MirrorIntoTarget", actions=["codecommit:TagResource", codecommit.PUSH]),
        f"nobody-tags: {PERMISSIONS}: lets {ROLE} codecommit:TagResource",
    ),
    (
        _bridge("targets_permissions", "MirrorIntoTarget", actions=["codecommit:Untag*", codecommit.PUSH]),
        f"nobody-tags: {PERMISSIONS}: lets {ROLE} codecommit:UntagResource",
    ),
    (
        _bridge("targets_permissions", "MirrorIntoTarget", actions=["codecommit:CreateRepository"]),
        f"nobody-tags: {PERMISSIONS}: lets {ROLE} codecommit:CreateRepository",
    ),
    (
        _bridge("targets_permissions", "MirrorIntoTarget", actions=["tag:TagResources"]),
        f"nobody-tags: {PERMISSIONS}: lets {ROLE} tag:TagResources",
    ),
    (
        _bridge("mirrors_batch_role_permissions", "ReadSshKey", actions=[codecommit.PUSH], resources=[f"{HERE}:batch"]),
        f"one-build-assumes-a-role: {BUILD}/permissions, statement ReadSshKey: lets {BUILD} use CodeCommit without "
        "the session that its program narrows",
    ),
    (
        _trust(OWN, API),
        f"one-build-assumes-a-role: {BRIDGE}: aws_iam_role.targets: {ROLE} is for others than one build",
    ),
    (
        _trust(OWN, {"type": "Service", "identifiers": ["codebuild.amazonaws.com"]}),
        f"one-build-assumes-a-role: {BRIDGE}: aws_iam_role.targets: {ROLE} is for others than one build",
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
            {"type": "AWS", "identifiers": ["arn:aws:iam::999999999999:role/kakehashi-prd-backlog-mirror-batch"]},
        )
    ),
    (
        _bridge("targets_trust", "Assume", actions=["sts:AssumeRole", "sts:TagSession"]),
        f"roles-are-for-services: {ROLE}'s trust, statement Assume: lets others than a service assume {ROLE}",
    ),
    (
        _bridge("mirrors_batch_role_permissions", "Assume", resources=["arn:aws:iam::222222222222:role/*"]),
        f"one-build-assumes-a-role: {BUILD}/permissions, statement Assume: "
        f"lets {BUILD} assume a role that is not one for its build alone",
    ),
    (
        _bridge("mirrors_batch_role_permissions", "Assume", resources=["arn:aws:iam::222222222222:role/admin"]),
        f"one-build-assumes-a-role: {BUILD}/permissions, statement Assume: "
        f"lets {BUILD} assume a role that is not one for its build alone",
    ),
    (
        _bridge(
            "webhook_role_permissions",
            "StartBuilds",
            actions=["sts:AssumeRole"],
            resources=["${aws_iam_role.targets.arn}"],
        ),
        "nobody-administers: kakehashi-prd-backlog-webhook/permissions, statement StartBuilds: "
        "lets kakehashi-prd-backlog-webhook sts:AssumeRole",
    ),
    (
        every(in_one_space, _second_build),
        f"one-build-assumes-a-role: {BRIDGE}: aws_codebuild_project.other: "
        f"has the role of {BRIDGE}: aws_codebuild_project.mirrors_batch_project, whose repositories are others",
    ),
    (
        every(in_one_space, _second_role),
        f"one-build-assumes-a-role: {BRIDGE}: aws_codebuild_project.mirrors_batch_project: "
        f"may become {ROLE} and second, which are not one role",
    ),
]


def _mirrors(stacks: dict[str, Json]) -> Json:
    return statement(stacks, BRIDGE, "targets_permissions", "MirrorIntoTarget")


@pytest.mark.parametrize(("change", "expected"), BROKEN)
def test_a_broken_promise_about_units_names_the_policy(example: Stacks, change: Change, expected: str) -> None:
    assert expected in findings(example, change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            every(in_one_space, lambda stacks: _forget(stacks)),
            f"{BRIDGE}: aws_codebuild_project.mirrors_batch_project: "
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


def _forget(stacks: dict[str, Json]) -> None:
    stacks[BRIDGE]["//"]["metadata"]["kakehashi"]["facts"].remove(fact(stacks, BRIDGE, unit="example"))


def test_tags_of_a_provider_count_as_those_of_each_repository(example: Stacks) -> None:
    def change(stacks: dict[str, Json]) -> None:
        stacks["prd-codecommit"]["provider"]["aws"][0]["default_tags"][0]["tags"]["kakehashi:mirrored-by"] = "example"

    assert [line for line in findings(example, every(TAGGED, change)) if line.startswith("builds-reach-their-targets")]


def _model(stacks: Stacks, change: Change) -> Model:
    return deployed.model_of(configurations(changed_documents(stacks, change), defaults=False).values())


def _pushing(model: Model) -> Iterator[tuple[str, str, str]]:
    for row in matrix.matrix(model):
        if row.allowed and row.action == codecommit.PUSH and row.principal in (BUILD, ROLE):
            yield row.principal, row.resource, row.source


@pytest.mark.parametrize(
    ("change", "tagged"),
    [(in_one_space, []), (TAGGED, ["any other repository with the tag kakehashi:mirrored-by=example"])],
)
def test_the_matrix_shows_the_way_through_the_build(example: Stacks, change: Change, tagged: list[str]) -> None:
    assert {*_pushing(_model(example, change))} == {(ROLE, name, BUILD) for name in ("batch", "website", *tagged)}


def test_the_matrix_shows_who_a_trust_lets_in_and_whose_own_policy_does_not(example: Stacks) -> None:
    model = _model(example, _bridge("mirrors_batch_role_permissions", "Assume", actions=["sts:GetCallerIdentity"]))
    rows = [row for row in matrix.matrix(model) if row.principal == ROLE and row.source == BUILD]
    # Within one account, a trust that names the role is enough.
    assert {row.allowed for row in rows if row.resource == "batch" and row.action == codecommit.PUSH} == {True}
