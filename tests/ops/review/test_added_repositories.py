"""A new repository that is reached as an existing one is one note, and every other difference keeps its findings."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ops.review.outcome import Review
from tests.ops.review.plans import comment, found_rules, real, real_review, reviewed
from tests.terraform.plans import change

Document = dict[str, Any]

_ACCOUNT = "arn:aws:codecommit:ap-northeast-1:222222222222"
NEW, OLD = f"{_ACCOUNT}:batch", f"{_ACCOUNT}:application"
REPOSITORY = "aws_codecommit_repository.repositories_batch"
PULL, PUSH = "aws_iam_policy.pull_user_allow_policy", "aws_iam_policy.push_user_allow_policy"


def _document() -> Document:
    [file] = real("repository-added")
    document: Document = json.loads(file.text)
    return document


def _change(document: Document, address: str) -> Document:
    found: Document = next(one for one in document["resource_changes"] if one["address"] == address)["change"]
    return found


def _after(address: str, **values: Any) -> Callable[[Document], None]:
    return lambda document: _change(document, address)["after"].update(values)


def _statements(address: str, edit: Callable[[list[Document]], None], *, side: str = "after") -> Callable[..., None]:
    """Edits the statements of a policy on one side, or on both where nothing changes."""

    def edited(document: Document) -> None:
        found = _change(document, address)
        for values in (found["before"], found["after"]) if side == "both" else (found[side],):
            policy = json.loads(values["policy"])
            edit(policy["Statement"])
            values["policy"] = json.dumps(policy)

    return edited


def _more(address: str, **statement: Any) -> Callable[..., None]:
    return _statements(address, lambda found: found.append({"Sid": "More", "Effect": "Allow", **statement}))


def _added(*changes: Any) -> Callable[[Document], None]:
    return lambda document: document["resource_changes"].extend(changes)


def _configured(address: str, **expressions: Any) -> Callable[[Document], None]:
    def edited(document: Document) -> None:
        resources = document["configuration"]["root_module"]["resources"]
        next(one for one in resources if one["address"] == address)["expressions"].update(expressions)

    return edited


def _all(*edits: Callable[[Document], None]) -> Callable[[Document], None]:
    def edited(document: Document) -> None:
        for edit in edits:
            edit(document)

    return edited


def _as_created(document: Document) -> None:
    for found in document["resource_changes"]:
        if found["type"] == "aws_codecommit_repository" and found["address"] != REPOSITORY:
            found["change"]["actions"], found["change"]["before"] = ["create"], None


def _elsewhere(key: str, value: Any) -> Callable[[Document], None]:
    """The new repository has a provider of its own, which works elsewhere."""

    def edited(document: Document) -> None:
        providers = document["configuration"]["provider_config"]
        inside = {**providers["aws"]["expressions"], key: {"constant_value": value}}
        providers["aws.other"] = {**providers["aws"], "alias": "other", "expressions": inside}
        resources = document["configuration"]["root_module"]["resources"]
        next(one for one in resources if one["address"] == REPOSITORY)["provider_config_key"] = "aws.other"

    return edited


def _open(document: Document) -> None:
    del _change(document, PULL)["after"]["policy"]
    _change(document, PULL)["after_unknown"]["policy"] = True


_STRANGER = {"name": "stranger", "arn": "arn:aws:iam::222222222222:user/stranger", "path": "/"}
_FENCE = "aws_iam_policy.push_user_deny_policy"


def _deny(**more: Any) -> Callable[..., None]:
    added = {"Sid": "No", "Effect": "Deny", "Action": "codecommit:GitPush", **more}
    return _statements(_FENCE, lambda found: found.append(added), side="both")


_PUT_FILE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Deny", "Action": "codecommit:PutFile", "Resource": [OLD, f"{_ACCOUNT}:infrastructure"]}
        ],
    }
)

HOSTILE: dict[str, Callable[[Document], None]] = {
    "a condition is dropped for both": _statements(
        PULL, lambda found: found[0].update(Condition={"Bool": {"aws:SecureTransport": "true"}}), side="before"
    ),
    "an action is added for both": _statements(PULL, lambda found: found[0]["Action"].append("codecommit:PutFile")),
    "a user who could pull may push to the new one": _more(PULL, Action="codecommit:GitPush", Resource=NEW),
    "a user who could pull may write to the new one": _more(PULL, Action="codecommit:PutFile", Resource=NEW),
    "a pattern names the new one and others": _more(PULL, Action="codecommit:GitPull", Resource=f"{_ACCOUNT}:b*"),
    "a pattern stands in place of the name": _statements(
        PULL, lambda found: found[0].update(Resource=[f"{_ACCOUNT}:*"])
    ),
    "every repository": _statements(PULL, lambda found: found[0].update(Resource="*")),
    "another user": _added(
        change("aws_iam_user.stranger", "create", None, _STRANGER),
        change(
            "aws_iam_user_policy.stranger",
            "create",
            None,
            {
                "name": "it",
                "user": "stranger",
                "policy": json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": [NEW, OLD]}],
                    }
                ),
            },
        ),
    ),
    "another user gets the same policy": _added(
        change("aws_iam_user.stranger", "no-op", _STRANGER, _STRANGER),
        change(
            "aws_iam_user_policy_attachment.stranger",
            "create",
            None,
            {"user": "stranger", "policy_arn": "arn:aws:iam::222222222222:policy/kakehashi-prd-pull-allow"},
        ),
    ),
    "the fence names the existing ones": _deny(Resource=[OLD, f"{_ACCOUNT}:infrastructure"]),
    "the fence leaves the new one out": _deny(NotResource=[NEW]),
    "a variable decides which it is": _deny(Resource=[f"{_ACCOUNT}:${{aws:PrincipalTag/repository}}"]),
    "a fence of something else than Git names the existing ones": _deny(
        Action="codecommit:PutFile", Resource=[OLD, f"{_ACCOUNT}:infrastructure"]
    ),
    "a fence of something else than Git has a variable": _deny(
        Action="codecommit:PutFile", Resource=[f"{_ACCOUNT}:${{aws:PrincipalTag/repository}}"]
    ),
    "a fence that is forgotten, and remains": _added(
        change("aws_iam_user_policy.it", "forget", {"name": "it", "user": "kakehashi-prd-pull", "policy": _PUT_FILE})
    ),
    "a user who is in none of the plans": _added(
        change(
            "aws_iam_user_policy_attachment.it", "no-op", *[{"user": "x", "policy_arn": "arn:aws:iam::1:policy/x"}] * 2
        )
    ),
    "a key for the existing ones alone": _all(
        *(
            _configured(f"aws_codecommit_repository.repositories_{name}", kms_key_id={"constant_value": "x"})
            for name in ("application", "infrastructure")
        )
    ),
    "a fence becomes wider": _statements(
        _FENCE, lambda found: found[0]["Condition"]["NotIpAddress"].update({"aws:SourceIp": "203.0.113.0/24"})
    ),
    "other tags": _after(REPOSITORY, tags_all={"environment": "dev"}),
    "tags that are not known": lambda document: _change(document, REPOSITORY)["after_unknown"].update(tags_all=True),
    "another key": _all(
        _configured(REPOSITORY, kms_key_id={"constant_value": "arn:aws:kms:ap-northeast-1:999999999999:key/x"}),
        _after(REPOSITORY, kms_key_id="arn:aws:kms:ap-northeast-1:999999999999:key/x"),
    ),
    "another region": _elsewhere("region", "eu-west-1"),
    "another account": _elsewhere("allowed_account_ids", ["999999999999"]),
    "no existing one": _as_created,
    "no configuration": lambda document: document.update(configuration={}),
    "a policy that nobody can read": _added(
        change("aws_sns_topic_policy.it", "no-op", *[{"policy": '{"Statement": 1}', "arn": "x"}] * 2)
    ),
    "a policy that is known after the apply only": _open,
}


def _notes(found: Review) -> list[str]:
    return [finding.what for finding in found.notes if finding.rule == "repository-new"]


def test_a_new_repository_is_one_note() -> None:
    found = real_review("repository-added")
    assert found.dangerous == []
    [note] = found.notes
    assert (note.rule, note.address) == ("repository-new", REPOSITORY)
    assert note.what == (
        "`batch` is reached as `application` is: pull from `198.51.100.0/28`, `54.214.0.1/32`; "
        "push from `54.214.0.1/32`"
    )
    assert "## 🟠 1 change to read, and nothing dangerous found: 1 created, 2 changed in 1 stack" in comment(found)


@pytest.mark.parametrize("variation", HOSTILE)
def test_a_new_repository_with_anything_else_keeps_its_findings(variation: str) -> None:
    document = _document()
    HOSTILE[variation](document)
    found = reviewed(document)
    assert _notes(found) == []
    assert ("policy-widened", PUSH) in found_rules(found)


def test_a_narrower_policy_beside_a_new_repository_keeps_its_note() -> None:
    document = _document()
    narrower = {"policy": json.dumps({"Version": "2012-10-17", "Statement": []})}
    wider = {"policy": json.dumps({"Version": "2012-10-17", "Statement": [{**_ELSEWHERE, "Effect": "Allow"}]})}
    document["resource_changes"].append(change("aws_iam_policy.it", "update", wider, narrower))
    found = reviewed(document)
    assert found.dangerous == []
    assert sorted(note.rule for note in found.notes) == ["policy-changed", "repository-new"]


_ELSEWHERE = {"Sid": "It", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::it/*"}


@pytest.mark.parametrize(
    ("added", "rule"),
    [
        (change("aws_codecommit_trigger.it", "create", None, {"repository_name": "batch"}), "type-unknown"),
        (change("aws_iam_access_key.it", "create", None, {"user": "kakehashi-prd-pull"}), "identity-new"),
    ],
)
def test_what_else_is_created_keeps_its_finding(added: Any, rule: str) -> None:
    document = _document()
    document["resource_changes"].append(added)
    assert found_rules(reviewed(document)) == {(rule, added["address"])}


def test_two_new_repositories_are_two_notes() -> None:
    document = _document()
    second = json.loads(json.dumps(document).replace("batch", "reports"))
    document["resource_changes"].append(
        next(one for one in second["resource_changes"] if one["address"].endswith("repositories_reports"))
    )
    document["configuration"]["root_module"]["resources"].append(
        next(
            one
            for one in second["configuration"]["root_module"]["resources"]
            if one["address"].endswith("repositories_reports")
        )
    )
    for address in (PULL, PUSH):
        _statements(address, lambda found: found[0]["Resource"].append(f"{_ACCOUNT}:reports"))(document)
    found = reviewed(document)
    assert found.dangerous == []
    assert [note.partition(" is:")[0] for note in _notes(found)] == [
        f"`{name}` is reached as `application`" for name in ("batch", "reports")
    ]
    _statements(PULL, lambda found: found.append({**found[0], "Sid": "More", "Resource": NEW}))(document)
    assert _notes(reviewed(document)) == []


def test_the_first_line_says_what_the_note_does_not() -> None:
    document = _document()
    push = {"Effect": "Allow", "Action": "codecommit:GitPush", "Resource": f"{_ACCOUNT}:infrastructure"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [push]})
    values = {"name": "it", "user": "kakehashi-prd-pull", "policy": policy}
    document["resource_changes"].append(change("aws_iam_user_policy.it", "create", None, values))
    found = reviewed(document)
    assert len(_notes(found)) == 1
    assert found_rules(found) == {
        ("access-widened", "aws_iam_user.pull_user"),
        ("policy-widened", "aws_iam_user_policy.it"),
    }
    assert "## 🛑 `kakehashi-prd-pull` may now push to `infrastructure` from `198.51.100.0/28`" in comment(found)


def _unreached(document: Document) -> None:
    for address in (PULL, PUSH):
        found = _change(document, address)
        found["actions"], found["after"] = ["no-op"], found["before"]


def _in_two_stacks(document: Document) -> tuple[Document, Document]:
    changes = document["resource_changes"]
    new = [one for one in changes if one["address"] == REPOSITORY]
    others = [one for one in changes if one["address"] != REPOSITORY]
    return {**document, "resource_changes": new}, {**document, "resource_changes": others}


def test_a_repository_is_compared_with_one_of_its_own_stack_region_and_account() -> None:
    unreached = _document()
    _unreached(unreached)
    for address in (PULL, PUSH):
        _statements(address, lambda found: found[0].update(Resource=[f"{_ACCOUNT}:x"]))(unreached)
    assert len(_notes(reviewed(unreached))) == 1
    assert _notes(reviewed(*_in_two_stacks(unreached))) == []
    _elsewhere("region", "eu-west-1")(unreached)
    assert _notes(reviewed(unreached)) == []
