"""What runs with access to repositories is dangerous to change: there, IAM is not the only wall."""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import pytest

from ops.review.outcome import Review
from tests.ops.review.plans import real, real_review, reviewed
from tests.ops.review.rule_cases import REPOSITORY, allow, policy
from tests.terraform.plans import change, plan

OTHER = REPOSITORY.replace("application", "infrastructure")
ROLES = "arn:aws:iam::222222222222:role"
PROJECT, PROGRAM, CONFIG = "aws_codebuild_project.it", "aws_s3_object.program", "aws_s3_object.config"
KEPT_BY_IT = "its role may become `mirror`, and nothing else keeps it to one of 2 repositories"

Json = dict[str, Any]

WEBSITE = {"project": "WEB", "repository": "website", "target": "application"}
SHOP = {"project": "WEB", "repository": "shop", "target": "infrastructure"}


def _config(**mirrors: Json) -> str:
    return json.dumps({"max_lost_percent": 50, "mirrors": mirrors or {"website": WEBSITE}})


def _role(name: str, document: str, **trusted: str) -> list[Json]:
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted})
    role = {"name": name, "arn": f"{ROLES}/{name}", "assume_role_policy": trust}
    permissions = {"role": name, "name": "permissions", "policy": document}
    return [
        change(f"aws_iam_role.{name}", "no-op", role, role),
        change(f"aws_iam_role_policy.{name}", "no-op", permissions, permissions),
    ]


ASSUMES = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"{ROLES}/mirror"})
MIRRORS = policy(allow(Action=["codecommit:GitPull", "codecommit:GitPush"], Resource=[REPOSITORY, OTHER]))
LOGS = policy(allow(Action="logs:PutLogEvents", Resource="*"))


def _review(
    before: Json | None = None, after: Json | None = None, *, build: str = ASSUMES, role: str = "build"
) -> Review:
    """The review of a build whose program, config, buildspec or image changes."""
    texts = {"program": "echo 1", "config": _config(), "buildspec": "run", "image": "standard:1"}
    sides = [{**texts, **(values or {})} for values in (before, after)]
    changes = [
        *(
            change(
                f"aws_codecommit_repository.{arn.rpartition(':')[2]}",
                "no-op",
                *[{"repository_name": arn.rpartition(":")[2], "arn": arn}] * 2,
            )
            for arn in (REPOSITORY, OTHER)
        ),
        *_role("build", build, Service="codebuild.amazonaws.com"),
        *(_role("mirror", MIRRORS, AWS=f"{ROLES}/build") if build == ASSUMES else ()),
        change(PROJECT, "update", *(_project(side, role) for side in sides)),
        *(
            change(address, "update", *({"key": address, "content": side[name]} for side in sides))
            for name, address in (("program", PROGRAM), ("config", CONFIG))
        ),
    ]
    return reviewed(plan(*changes))


def _project(side: Mapping[str, str], role: str) -> Json:
    digests = [sha256(side[name].encode()).hexdigest() for name in ("program", "config")]
    buildspec = "\n".join([side["buildspec"], *digests])
    return {
        "name": "backlog-example",
        "service_role": f"{ROLES}/{role}",
        "source": [{"buildspec": buildspec}],
        "environment": [{"image": side["image"]}],
    }


def _found(review: Review) -> dict[str, str]:
    return {one.address: one.what for one in review.dangerous if one.rule == "mirror-runs-otherwise"}


def _noted(review: Review) -> set[str]:
    return {one.address for one in review.notes if one.rule == "runs-otherwise"}


def test_a_program_of_a_build_that_assumes_a_role_is_dangerous_to_change_and_said_once() -> None:
    found = _review(None, {"program": "echo 2"})
    assert _found(found) == {PROGRAM: f"what `backlog-example` runs changes: {KEPT_BY_IT}"}
    # The buildspec follows with the digest, and says nothing more.
    assert _noted(found) == {PROJECT}


@pytest.mark.parametrize(
    ("argument", "after"), [("source", {"buildspec": "run something"}), ("environment", {"image": "standard:2"})]
)
def test_another_buildspec_or_image_of_such_a_build_is_dangerous(argument: str, after: Json) -> None:
    found = _review(None, after)
    assert _found(found) == {PROJECT: f"what it runs changes (`{argument}`): {KEPT_BY_IT}"}
    assert _noted(found) == set()


def test_a_buildspec_that_names_another_program_than_the_bucket_has_is_dangerous() -> None:
    found = _review({"buildspec": "run " + 64 * "a"}, {"buildspec": "run " + 64 * "b"})
    assert set(_found(found)) == {PROJECT}


def test_a_buildspec_that_runs_another_of_the_fetched_objects_is_dangerous() -> None:
    program, config = "echo 1", _config()
    swapped = _review({"program": program, "config": config}, {"program": config, "config": program})
    assert set(_found(swapped)) == {PROGRAM, CONFIG}


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ("a limit", _config(), _config().replace("50", "100")),
        ("a mirror's source", _config(), _config(website={**WEBSITE, "project": "OTHER"})),
        ("another name for a target", _config(), _config(site={**WEBSITE, "project": "OTHER"})),
        ("no JSON", _config(), "{"),
        ("no mirrors", _config(), "{}"),
    ],
)
def test_a_config_that_steers_the_program_otherwise_is_dangerous(what: str, before: str, after: str) -> None:
    assert set(_found(_review({"config": before}, {"config": after}))) == {CONFIG}, what


@pytest.mark.parametrize(
    ("before", "after"),
    [(_config(), _config(website=WEBSITE, shop=SHOP)), (_config(website=WEBSITE, shop=SHOP), _config())],
)
def test_a_mirror_that_comes_or_goes_is_to_be_read_only(before: str, after: str) -> None:
    found = _review({"config": before}, {"config": after})
    assert (_found(found), _noted(found)) == ({}, {CONFIG, PROJECT})


def test_a_build_that_reaches_its_target_itself_is_judged_alike() -> None:
    own = policy(allow(Action="codecommit:GitPush"))
    found = _review(None, {"program": "echo 2"}, build=own)
    assert _found(found) == {PROGRAM: "what `backlog-example` runs changes: its role reaches `application`"}
    reading = _review(None, {"program": "echo 2"}, build=policy(allow(Action="codecommit:Git*")))
    assert set(_found(reading)) == {PROGRAM}


def test_a_build_whose_role_is_not_known_is_judged_as_one_that_reaches_repositories() -> None:
    found = _review(None, {"buildspec": "other"}, role="elsewhere")
    assert _found(found) == {PROJECT: "what it runs changes (`source`): what its role reaches cannot be determined"}


def test_a_build_that_may_become_a_role_of_no_plan_is_judged_alike() -> None:
    found = _review(None, {"buildspec": "other"}, build=policy(allow(Action="sts:*", Resource=f"{ROLES}/elsewhere")))
    assert _found(found) == {PROJECT: "what it runs changes (`source`): its role may become others"}


def test_what_a_build_without_repositories_runs_is_to_be_read_only() -> None:
    found = _review(None, {"program": "echo 2", "buildspec": "other"}, build=LOGS)
    assert (_found(found), _noted(found)) == ({}, {PROGRAM, PROJECT})


UNIT, SCRIPT, UNIT_CONFIG = (
    "aws_codebuild_project.spaces_example_project",
    "aws_s3_object.program_script",
    "aws_s3_object.program_units_example",
)


def _change(document: Json, address: str) -> Json:
    found: Json = next(one for one in document["resource_changes"] if one["address"] == address)["change"]
    return found


def _variables(document: Json) -> tuple[Json, Json, list[Json], list[Json]]:
    """The environment after the apply, its marks, its variables and the variables' expressions."""
    found = _change(document, UNIT)
    resources = document["configuration"]["root_module"]["resources"]
    written = next(one for one in resources if one["address"] == UNIT)["expressions"]["environment"][0]
    [after], [marks] = found["after"]["environment"], found["after_unknown"]["environment"]
    return after, marks, after["environment_variable"], written["environment_variable"]


def _with_another_program(document: Json) -> None:
    """Changes one line of the program, as a plan says it."""
    script, unit = _change(document, SCRIPT), _change(document, UNIT)
    text = script["before"]["content"]
    script["actions"] = ["update"]
    script["after"]["content"] = text + "echo more\n"
    del script["after"]["version_id"]
    script["after_unknown"]["version_id"] = True
    was, now = (sha256(one["content"].encode()).hexdigest() for one in (script["before"], script["after"]))
    [source] = unit["after"]["source"]
    assert source["buildspec"].count(was) == 1
    source["buildspec"] = source["buildspec"].replace(was, now)
    _, marks, variables, _ = _variables(document)
    del variables[0]["value"]
    marks["environment_variable"][0]["value"] = True


def _edited(edit: Callable[[Json], None]) -> Review:
    [file] = real("mirror-added")
    document = json.loads(file.text)
    edit(document)
    return reviewed(document)


def test_a_mirror_more_in_a_real_plan_is_to_be_read_only() -> None:
    found = real_review("mirror-added")
    assert (_found(found), _noted(found)) == ({}, {UNIT, UNIT_CONFIG})


def test_a_line_of_the_program_in_a_real_plan_is_said_once() -> None:
    found = _edited(_with_another_program)
    assert (set(_found(found)), _noted(found)) == ({SCRIPT}, {UNIT, UNIT_CONFIG})


def _pointing(to: str, reference: str | None = None) -> Callable[[Json], None]:
    return lambda document: _variables(document)[3][1].update(
        value={"constant_value": to, "references": [reference or to.strip("${}")]}
    )


def _another_image(document: Json) -> None:
    _variables(document)[0]["image"] = "standard:2"


def _open_image(document: Json) -> None:
    after, marks, _, _ = _variables(document)
    del after["image"]
    marks["image"] = True


def _one_variable_more(document: Json) -> None:
    for listed in (*_variables(document)[2:], _variables(document)[1]["environment_variable"]):
        listed.append({"name": "BASH_ENV"})


def _another_version(document: Json) -> None:
    _variables(document)[2][0]["value"] = "another"


def _another_name(document: Json) -> None:
    _variables(document)[2][1]["name"] = "BASH_ENV"


def _all_open(document: Json) -> None:
    _change(document, UNIT)["after_unknown"]["environment"] = True


def _never_that_version(document: Json) -> None:
    _change(document, UNIT)["before"]["environment"][0]["environment_variable"][1]["value"] = "another"


def _not_named_by_digest(document: Json) -> None:
    digest = sha256(_change(document, UNIT_CONFIG)["after"]["content"].encode()).hexdigest()
    [source] = _change(document, UNIT)["after"]["source"]
    source["buildspec"] = source["buildspec"].replace(digest, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "edit",
    [
        _pointing(f"${{{SCRIPT}.version_id}}"),
        _pointing(f"${{{UNIT_CONFIG}.etag}}"),
        _pointing("${aws_s3_object.elsewhere.version_id}"),
        _pointing(f"x${{{UNIT_CONFIG}.version_id}}", f"{UNIT_CONFIG}.version_id"),
        _another_image,
        _open_image,
        _one_variable_more,
        _another_version,
        _another_name,
        _all_open,
        _never_that_version,
        _not_named_by_digest,
    ],
)
def test_an_environment_that_points_elsewhere_in_a_real_plan_is_dangerous(edit: Callable[[Json], None]) -> None:
    found = _found(_edited(edit))
    assert set(found) == {UNIT}
    assert "`environment`" in found[UNIT]
