"""Git credentials: issued, rotated and revoked, stopped after every request, and never told."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from errors import RefusedError
from ops.git_access import credentials
from ops.git_access.rotation import rotate
from tests.ops.production import PROJECTS, TARGET, Production, Stopped, stopped_everywhere

pytestmark = pytest.mark.emulator

PUSH = "kakehashi-prd-push"
PULL = "kakehashi-prd-pull"


def _issue(world: Production, user: str = "push", *, dry_run: bool = False) -> None:
    credentials.issue(world.deployment, user, dry_run=dry_run)


def _rotate(world: Production, user: str = "push", *, dry_run: bool = False) -> None:
    rotate(world.deployment, user, connect_mirrors=world.mirrors, dry_run=dry_run)


def _refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


def _nothing_leaked(world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> str:
    said = capsys.readouterr()
    assert world.passwords
    everywhere = said.out + said.err + caplog.text + world.kept_in_the_open()
    assert [password for password in world.passwords if password in everywhere] == []
    return said.out


def test_a_credential_is_issued_into_a_secret_and_its_place_is_told(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    _issue(world)
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
    out = _nothing_leaked(world, capsys, caplog)
    assert out == f"the credential of {PUSH} is in the secret {PUSH}-git-credential\n"


def test_issuing_again_changes_nothing(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    _issue(world)
    before, said = world.secret(), capsys.readouterr().out
    _issue(world)
    assert world.secret() == before
    assert len(world.credentials()) == 1
    assert capsys.readouterr().out == said


def test_a_named_rooms_user_has_a_secret_of_its_own(world: Production) -> None:
    _issue(world, "pull-vault")
    assert world.secret("kakehashi-prd-pull-vault")["username"] == "kakehashi-prd-pull-vault-at-222222222222"
    assert world.credentials() == world.credentials(PULL) == []


def test_issuing_can_be_stopped_after_every_request(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    stops = 0
    for stops in stopped_everywhere(world, lambda: None, lambda: _issue(world)):
        assert world.credentials() == [world.secret()["credential_id"]], stops
    assert stops >= 6
    _nothing_leaked(world, capsys, caplog)


def test_a_credential_made_by_hand_is_not_replaced_without_being_asked(world: Production) -> None:
    by_hand, _, _ = world.made_by_hand()
    assert _refusal(lambda: _issue(world)) == (
        f"error: {PUSH}: it has a credential that is not in its secret: {by_hand}\n"
        "hint: replace it: credentials rotate push"
    )
    assert world.credentials() == [by_hand]


def test_a_rotation_ends_with_one_credential_that_every_mirror_has_succeeded_with(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    _issue(world)
    first = world.secret()["credential_id"]
    _rotate(world)
    second = world.secret()["credential_id"]
    _nothing_leaked(world, capsys, caplog)
    assert second != first
    assert world.credentials() == [second]
    for repository, project in PROJECTS.items():
        (mirror,) = world.gitlab.projects[project]
        assert world.working(repository) == [mirror]
        assert mirror["update_status"] == "finished"
    _rotate(world)
    (third,) = world.credentials()
    assert third not in (first, second)
    for repository, project in PROJECTS.items():
        assert world.working(repository) == world.gitlab.projects[project]
        assert len(world.gitlab.projects[project]) == 1


def _with_mirrors_by_hand(world: Production) -> None:
    """As it is before this command is ever used: a credential of the console's, and mirrors of GitLab's pages."""
    _, user, password = world.made_by_hand()
    for repository, project in PROJECTS.items():
        encoded = user.replace("+", "%2B"), password.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
        url = f"https://{encoded[0]}:{encoded[1]}@{TARGET}/{repository}"
        world.gitlab.run(world.gitlab.add(project, url, enabled=True))
        world.gitlab.add(project, f"https://u:p@backup.example.com/{repository}.git", enabled=True)


def _with_rotated_mirrors(world: Production) -> None:
    _issue(world)
    _rotate(world)


@pytest.mark.parametrize("prepare", [_with_mirrors_by_hand, _with_rotated_mirrors])
def test_a_rotation_can_be_stopped_after_every_request_and_never_leaves_a_mirror_without_a_password_that_works(
    world: Production,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    prepare: Callable[[Production], None],
) -> None:
    prepare(world)
    first = world.credentials()
    before = world.remembered()

    def holds() -> None:
        assert 1 <= len(world.credentials()) <= 2
        for repository in PROJECTS:
            assert world.working(repository), world.gitlab.calls

    def prepared() -> None:
        world.after_request = lambda: None
        world.put_back(before)
        world.after_request = holds

    stops = 0
    for stops in stopped_everywhere(world, prepared, lambda: _rotate(world)):
        (second,) = world.credentials()
        # Stopped after its last request, the first run had ended: the second was a rotation of its own.
        assert second not in first, stops
        assert world.secret()["credential_id"] == second
        described = world.client("secretsmanager").describe_secret(SecretId=f"{PUSH}-git-credential")
        assert "AWSPENDING" not in str(described["VersionIdsToStages"])
        for repository, project in PROJECTS.items():
            ours = [mirror for mirror in world.gitlab.projects[project] if TARGET in mirror["url"]]
            assert world.working(repository) == ours
            assert len(ours) == 1, (stops, ours)
            others = [mirror for mirror in world.gitlab.projects[project] if TARGET not in mirror["url"]]
            assert len(others) == (1 if prepare is _with_mirrors_by_hand else 0)
    assert stops >= 20
    world.after_request = lambda: None
    _nothing_leaked(world, capsys, caplog)


def test_a_mirror_that_fails_with_the_second_keeps_the_first(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    _with_rotated_mirrors(world)
    (first,) = world.credentials()
    known = world.secret()["username"]
    world.gitlab.accepts = lambda user, password: user == known and world.accepts(user, password)
    said = _refusal(lambda: _rotate(world))
    assert said == "\n".join(
        f"error: {project} to {repository}: the mirror failed: 13:push to mirror: fatal: unable to access "
        f"'https://…@{TARGET}/{repository}': error: 403\n"
        "hint: mend what GitLab names, and run the command again"
        for repository, project in PROJECTS.items()
    )
    assert [password for password in world.passwords if password in said] == []
    assert world.credentials()[0] == first
    assert len(world.credentials()) == 2
    assert all(world.working(repository) for repository in PROJECTS)
    assert world.secret()["credential_id"] == first
    world.gitlab.accepts = world.accepts
    _rotate(world)
    assert first not in world.credentials()
    assert len(world.credentials()) == 1
    _nothing_leaked(world, capsys, caplog)


def test_the_first_credential_of_a_pull_user_stays_until_it_is_revoked(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    _issue(world, "pull")
    first = world.secret(PULL)["credential_id"]
    _rotate(world, "pull")
    assert capsys.readouterr().err.endswith(
        "the first credential still works; when all who use it have the second: credentials revoke pull --superseded\n"
    )
    second = world.secret(PULL)["credential_id"]
    assert world.credentials(PULL) == [first, second]
    _rotate(world, "pull")
    assert world.credentials(PULL) == [first, second]
    credentials.revoke(world.deployment, "pull", superseded=True, dry_run=False)
    assert world.credentials(PULL) == [second]
    assert world.gitlab.calls == []


def test_a_pull_users_rotation_can_be_stopped_after_every_request(world: Production) -> None:
    for stops in stopped_everywhere(world, lambda: _issue(world, "pull"), lambda: _rotate(world, "pull")):
        assert len(world.credentials(PULL)) == 2
        assert world.secret(PULL)["credential_id"] == world.credentials(PULL)[1], stops


def test_revoking_can_be_stopped_after_every_request_and_issuing_brings_the_secret_back(world: Production) -> None:
    for _ in stopped_everywhere(
        world,
        lambda: _issue(world, "pull"),
        lambda: credentials.revoke(world.deployment, "pull", dry_run=False),
    ):
        assert world.credentials(PULL) == []
        described = world.client("secretsmanager").describe_secret(SecretId=f"{PULL}-git-credential")
        assert described["DeletedDate"] is not None
    world.begin_anew()
    _issue(world, "pull")
    credentials.revoke(world.deployment, "pull", dry_run=False)
    _issue(world, "pull")
    assert world.credentials(PULL) == [world.secret(PULL)["credential_id"]]


def test_a_dry_run_changes_nothing_and_says_what_it_would(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    _issue(world, dry_run=True)
    assert world.credentials() == []
    assert capsys.readouterr() == (
        "",
        f"would create a credential of {PUSH} in the secret {PUSH}-git-credential\n",
    )
    _with_mirrors_by_hand(world)
    (by_hand,) = world.credentials()
    before = json.dumps(world.gitlab.projects)
    _rotate(world, dry_run=True)
    assert capsys.readouterr().err == (
        f"would create a second credential of {PUSH} in the secret {PUSH}-git-credential\n"
        "would replace the mirror of platform/infrastructure to infrastructure\n"
        "would replace the mirror of platform/application to application\n"
        f"would make the second credential the current one of {PUSH}-git-credential\n"
        "would delete the mirror 101 of platform/infrastructure to infrastructure, which is replaced\n"
        "would delete the mirror 103 of platform/application to application, which is replaced\n"
        f"would delete credential {by_hand} of {PUSH}\n"
    )
    credentials.revoke(world.deployment, "push", dry_run=True)
    assert world.credentials() == [by_hand]
    assert json.dumps(world.gitlab.projects) == before


def test_the_credentials_are_listed_with_their_age_and_place(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    _issue(world)
    _issue(world, "pull")
    _rotate(world, "pull")
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


@pytest.mark.parametrize("command", [_issue, _rotate])
def test_another_accounts_credentials_are_refused_and_nothing_is_changed(
    world: Production, monkeypatch: pytest.MonkeyPatch, command: Callable[[Production], None]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")
    assert _refusal(lambda: command(world)) == (
        "error: aws: these are credentials of account '111111111111', production is '222222222222'\n"
        "hint: use the production account's, for example by AWS_PROFILE, or name prd.account.profile in the deployment"
    )
    assert {call.partition(":")[0] for call in world.aws.calls} == {"sts"}
    assert world.gitlab.calls == []


def test_a_user_that_the_deployment_has_not_is_wrong_usage(world: Production) -> None:
    with pytest.raises(RefusedError) as caught:
        _issue(world, "root")
    assert caught.value.status == 2
    assert str(caught.value) == (
        "error: USER: 'root' is no Git user of this deployment\nhint: use one of push, pull, pull-vault"
    )


def test_a_user_that_is_not_deployed_yet_is_told(world: Production) -> None:
    world.client("iam").delete_user(UserName=PULL)
    assert _refusal(lambda: _issue(world, "pull")) == (
        f"error: {PULL}: the account has no such user\nhint: deploy the stack prd-codecommit first"
    )


def test_two_credentials_made_by_hand_are_left_alone(world: Production) -> None:
    first, _, _ = world.made_by_hand(days_ago=300)
    second, _, _ = world.made_by_hand(days_ago=200)
    assert _refusal(lambda: _rotate(world)) == (
        f"error: {PUSH}: it has two credentials, and neither is in its secret: {first}, {second}\n"
        "hint: delete the one that nobody uses: credentials revoke push --id ID"
    )
    credentials.revoke(world.deployment, "push", credential_id=first, dry_run=False)
    _rotate(world)
    assert second not in world.credentials()


def test_a_later_credential_of_somebody_elses_is_not_deleted(world: Production) -> None:
    _issue(world)
    stored = world.credentials()[0]
    world.shelf[stored]["CreateDate"] -= timedelta(days=10)
    other, _, _ = world.made_by_hand(days_ago=0)
    assert _refusal(lambda: _rotate(world)) == (
        f"error: {PUSH}: {other} was created after the one in its secret, and not by this command\n"
        f"hint: delete it if nobody uses it: credentials revoke push --id {other}"
    )
    assert world.credentials() == [stored, other]


def test_the_deployments_role_is_assumed(world: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")
    world.say({"prd.account.assume_role_arn": "arn:aws:iam::222222222222:role/deploy"})
    _issue(world)
    assert len(world.credentials()) == 1
    assert world.aws.calls["sts:AssumeRole"] == 1


def test_the_deployments_profile_is_used(world: Production, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")
    profiles = tmp_path / "credentials"
    profiles.write_text("[prd]\naws_access_key_id = 222222222222\naws_secret_access_key = test\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    world.say({"prd.account.profile": "prd"})
    _issue(world)
    assert len(world.credentials()) == 1
    world.say({"prd.account.profile": "none"})
    assert _refusal(lambda: _rotate(world)) == (
        "error: aws: The config profile (none) could not be found\n"
        "hint: log in to the production account, see that it can be reached, and run the command again"
    )


def test_a_service_that_cannot_be_reached_is_told(world: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert _refusal(lambda: _issue(world)) == (
        'error: aws: Could not connect to the endpoint URL: "http://127.0.0.1:9/"\n'
        "hint: log in to the production account, see that it can be reached, and run the command again"
    )


def test_no_password_is_logged_even_while_debugging(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    _issue(world)
    _rotate(world)
    world.secret()
    assert "urllib3" in caplog.text
    _nothing_leaked(world, capsys, caplog)


def test_what_somebody_made_after_a_command_was_stopped_is_not_taken_for_what_it_lost(world: Production) -> None:
    world.stop_after = 4  # the secret says by now that a credential is about to be created, and none is
    with pytest.raises(Stopped):
        _issue(world)
    world.stop_after = None
    assert world.credentials() == []
    assert "issuing" in str(world.client("secretsmanager").describe_secret(SecretId=f"{PUSH}-git-credential"))
    by_hand, _, _ = world.made_by_hand(days_ago=-1)
    assert _refusal(lambda: _issue(world)) == (
        f"error: {PUSH}: it has a credential that is not in its secret: {by_hand}\n"
        "hint: replace it: credentials rotate push"
    )
    assert world.credentials() == [by_hand]


def test_two_rotations_at_once_do_not_undo_each_other(world: Production) -> None:
    """The second comes while the first has just created its credential and not stored it."""
    _issue(world)
    (first,) = world.credentials()
    refusals: list[str] = []

    def another() -> None:
        if len(world.credentials()) == 2 and not refusals:
            refusals.append("")
            try:
                _rotate(world)
            except RefusedError as refused:
                refusals.append(str(refused))

    world.after_request = another
    try:
        _rotate(world)
    except RefusedError as refused:
        refusals.append(str(refused))
    world.after_request = lambda: None
    _rotate(world)
    assert first not in world.credentials()
    assert world.credentials() == [world.secret()["credential_id"]]
    assert all(world.working(repository) for repository in PROJECTS)
