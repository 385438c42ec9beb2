"""Credentials are issued, listed and revoked, stopped after every request, and never shown."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from errors import RefusedError
from ops.git_access import credentials
from tests.ops.git_access.commands import (
    PULL,
    PUSH,
    issue,
    nothing_leaked,
    refusal,
    rotate,
    with_mirrors_by_hand,
)
from tests.ops.production import Production, Stopped, stopped_everywhere

pytestmark = pytest.mark.emulator


def test_issues_a_credential_into_a_secret_and_prints_its_place(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    issue(world)
    (made,) = world.credentials()
    stored = world.secret()
    assert set(stored) == {"username", "password", "credential_id"}
    assert (stored["credential_id"], stored["username"]) == (made, f"{PUSH}-at-222222222222")
    assert world.accepts(stored["username"], stored["password"])
    secret = world.client("secretsmanager").describe_secret(SecretId=f"{PUSH}-git-credential")
    assert {tag["Key"]: tag["Value"] for tag in secret["Tags"]} == {
        "project": "kakehashi",
        "environment": "prd",
        "owner": "platform-team",
        "managed-by": "kakehashi",
    }
    out = nothing_leaked(world, capsys, caplog)
    assert out == f"the credential of {PUSH} is in the secret {PUSH}-git-credential\n"


def test_issuing_again_changes_nothing(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    issue(world)
    before, said = world.secret(), capsys.readouterr().out
    issue(world)
    assert world.secret() == before
    assert len(world.credentials()) == 1
    assert capsys.readouterr().out == said


def test_a_named_rooms_user_has_its_own_secret(world: Production) -> None:
    issue(world, "pull-vault")
    assert world.secret("kakehashi-prd-pull-vault")["username"] == "kakehashi-prd-pull-vault-at-222222222222"
    assert world.credentials() == world.credentials(PULL) == []


def test_issuing_can_be_stopped_after_every_request(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    stops = 0
    for stops in stopped_everywhere(world, lambda: None, lambda: issue(world)):
        assert world.credentials() == [world.secret()["credential_id"]], stops
    assert stops >= 6
    nothing_leaked(world, capsys, caplog)


def test_issuing_does_not_replace_a_credential_made_by_hand(world: Production) -> None:
    by_hand, _, _ = world.made_by_hand()
    assert refusal(lambda: issue(world)) == (
        f"error: {PUSH}: it has a credential that is not in its secret: {by_hand}\n"
        "hint: replace it: credentials rotate push"
    )
    assert world.credentials() == [by_hand]


def test_revoking_can_be_stopped_after_every_request_and_issuing_brings_the_secret_back(world: Production) -> None:
    for _ in stopped_everywhere(
        world,
        lambda: issue(world, "pull"),
        lambda: credentials.revoke(world.deployment, "pull", dry_run=False),
    ):
        assert world.credentials(PULL) == []
        described = world.client("secretsmanager").describe_secret(SecretId=f"{PULL}-git-credential")
        assert described["DeletedDate"] is not None
    world.begin_anew()
    issue(world, "pull")
    credentials.revoke(world.deployment, "pull", dry_run=False)
    issue(world, "pull")
    assert world.credentials(PULL) == [world.secret(PULL)["credential_id"]]


def test_a_dry_run_changes_nothing_and_prints_what_it_would_change(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world, dry_run=True)
    assert world.credentials() == []
    assert capsys.readouterr() == (
        "",
        f"would create a credential of {PUSH} in the secret {PUSH}-git-credential\n",
    )
    with_mirrors_by_hand(world)
    (by_hand,) = world.credentials()
    before = json.dumps(world.gitlab.projects)
    capsys.readouterr()
    rotate(world, dry_run=True)
    assert capsys.readouterr().err == (
        f"would create a second credential of {PUSH} in the secret {PUSH}-git-credential\n"
        "would replace the mirror of platform/infrastructure to infrastructure\n"
        "would replace the mirror of platform/application to application\n"
        f"would make the second credential the current one of {PUSH}-git-credential\n"
        "would delete the mirror 101 of platform/infrastructure to infrastructure, which nothing needs any more\n"
        "would delete the mirror 103 of platform/application to application, which nothing needs any more\n"
        f"would delete credential {by_hand} of {PUSH}\n"
    )
    credentials.revoke(world.deployment, "push", dry_run=True)
    assert world.credentials() == [by_hand]
    assert json.dumps(world.gitlab.projects) == before


def test_the_credentials_are_listed_with_their_age_and_place(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world)
    issue(world, "pull")
    rotate(world, "pull")
    first, second = world.credentials(PULL)
    (push,) = world.credentials()
    world.shelf[first]["CreateDate"] -= timedelta(days=91)
    capsys.readouterr()
    credentials.show(world.deployment)
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "user                      credential             age   status  in the secret",
        f"kakehashi-prd-push        {push}  0 d   active  current",
        f"kakehashi-prd-pull        {first}  91 d  active  previous",
        f"kakehashi-prd-pull        {second}  0 d   active  current",
        "kakehashi-prd-pull-vault  none",
    ]
    assert err == (f"warning: {PULL}: {first} is 91 days old, more than 90\nhint: credentials rotate pull\n")


@pytest.mark.parametrize("command", [issue, rotate])
def test_another_accounts_credentials_are_refused_and_nothing_is_changed(
    world: Production, monkeypatch: pytest.MonkeyPatch, command: Callable[[Production], None]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")
    assert refusal(lambda: command(world)) == (
        "error: aws: these are credentials of account '111111111111', production is '222222222222'\n"
        "hint: use the production account's, for example by AWS_PROFILE, or name prd.account.profile in the deployment"
    )
    assert {call.partition(":")[0] for call in world.aws.calls} == {"sts"}
    assert world.gitlab.calls == []


def test_an_unknown_user_is_wrong_usage(world: Production) -> None:
    with pytest.raises(RefusedError) as caught:
        issue(world, "root")
    assert caught.value.status == 2
    assert str(caught.value) == (
        "error: USER: 'root' is not a Git user of this deployment\nhint: use one of push, pull, pull-vault"
    )


def test_refuses_a_user_that_is_not_deployed(world: Production) -> None:
    world.client("iam").delete_user(UserName=PULL)
    assert refusal(lambda: issue(world, "pull")) == (
        f"error: {PULL}: the account has no such user\nhint: deploy the stack prd-codecommit first"
    )


def test_assumes_the_deployments_role(world: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")
    world.say({"prd.account.assume_role_arn": "arn:aws:iam::222222222222:role/deploy"})
    issue(world)
    assert len(world.credentials()) == 1
    assert world.aws.calls["sts:AssumeRole"] == 1


def test_uses_the_deployments_profile(world: Production, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")
    profiles = tmp_path / "credentials"
    profiles.write_text("[prd]\naws_access_key_id = 222222222222\naws_secret_access_key = test\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    world.say({"prd.account.profile": "prd"})
    issue(world)
    assert len(world.credentials()) == 1
    world.say({"prd.account.profile": "none"})
    assert refusal(lambda: rotate(world)) == (
        "error: aws: The config profile (none) could not be found\nhint: correct AWS_PROFILE or prd.account.profile"
    )


def test_refuses_when_aws_cannot_be_reached(world: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert refusal(lambda: issue(world)) == (
        'error: aws: Could not connect to the endpoint URL: "http://127.0.0.1:9/"\n'
        "hint: check the network and the proxy, and run the command again"
    )


def test_no_password_is_logged_even_while_debugging(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    issue(world)
    rotate(world)
    world.secret()
    assert "urllib3" in caplog.text
    nothing_leaked(world, capsys, caplog)


def test_a_credential_made_by_hand_after_a_stop_is_not_deleted_as_lost(world: Production) -> None:
    world.stop_after = 4  # the secret's tag announces a credential, and none has been created
    with pytest.raises(Stopped):
        issue(world)
    world.stop_after = None
    assert world.credentials() == []
    assert "issuing" in str(world.client("secretsmanager").describe_secret(SecretId=f"{PUSH}-git-credential"))
    by_hand, _, _ = world.made_by_hand(days_ago=-1)
    assert refusal(lambda: issue(world)) == (
        f"error: {PUSH}: it has a credential that is not in its secret: {by_hand}\n"
        "hint: replace it: credentials rotate push"
    )
    assert world.credentials() == [by_hand]
