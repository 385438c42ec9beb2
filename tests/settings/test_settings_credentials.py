"""Settings for Git credentials, GitLab's projects, and the public half of the SSH key."""

import pytest

from tests.settings.whole_file import ED25519, KMS_KEY, Loaded, Refusal, error, line_of, spoilt

_PUSH = "      from_cidrs: [203.0.113.10/32]\n"
_PULL = "      from_cidrs: [198.51.100.0/28]\n"
_APPLICATION = "      application:\n"
_PUBLIC_KEY = f"ssh-ed25519 {ED25519} bridge"


def test_settings_that_are_left_out_get_their_defaults(loaded: Loaded) -> None:
    prd = loaded(spoilt()).prd
    assert prd is not None
    assert prd.codecommit is not None
    assert (prd.codecommit.credentials.max_age_days, prd.codecommit.credentials.kms_key_arn) == (90, None)
    repository = prd.codecommit.repositories["infrastructure"]
    assert repository is not None
    assert (repository.gitlab_project, repository.only_protected_branches) == (None, False)


@pytest.mark.parametrize("project", ["platform/web", "platform/web/site.app", "a_b/c-d", "_x/y"])
def test_accepts_paths_of_gitlab_projects(loaded: Loaded, project: str) -> None:
    prd = loaded(spoilt((_APPLICATION, f"{_APPLICATION}        gitlab_project: {project}\n"))).prd
    assert prd is not None
    assert prd.codecommit is not None
    repository = prd.codecommit.repositories["application"]
    assert repository is not None
    assert repository.gitlab_project == project


@pytest.mark.parametrize(
    "project", ["web", "platform/web.git", "platform/web.GIT", "/platform/web", "platform//web", "platform/-web"]
)
def test_refuses_what_is_not_a_project_path(refusal: Refusal, project: str) -> None:
    text = spoilt((_APPLICATION, f"{_APPLICATION}        gitlab_project: {project}\n"))
    assert refusal(text) == error(
        line_of(text, "gitlab_project"),
        "prd.codecommit.repositories.application.gitlab_project",
        f"'{project}' is not the path of a GitLab project",
        "write it with its groups, as in the project's address, for example platform/infrastructure",
    )


@pytest.mark.parametrize("second", ["platform/web", "Platform/WEB"])
def test_refuses_two_repositories_for_one_project(refusal: Refusal, second: str) -> None:
    other = "        description: Terraform of the production systems\n"
    text = spoilt(
        (other, f"{other}        gitlab_project: platform/web\n"),
        (_APPLICATION, f"{_APPLICATION}        gitlab_project: {second}\n"),
    )
    assert refusal(text) == error(
        len(text[: text.rindex("gitlab_project")].splitlines()),
        "prd.codecommit.repositories.application.gitlab_project",
        f"'{second}' is already mirrored into 'infrastructure'",
        "name another project, or let rooms share one repository (prd.codecommit.rooms.NAME.repositories)",
    )


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://gitlab.example.com", "'http://gitlab.example.com' would carry a token and passwords in the clear"),
        ("https://gitlab.example.com/sub", "'https://gitlab.example.com/sub' is not a URL of this kind"),
        ("https://gitlab.example.com:99999", "'https://gitlab.example.com:99999' has no port of 1 to 65535"),
    ],
)
def test_refuses_an_api_url_that_is_unsafe_or_malformed(refusal: Refusal, url: str, what: str) -> None:
    text = spoilt((_PUSH, f"{_PUSH}      gitlab_url: {url}\n"))
    assert refusal(text) == error(
        line_of(text, "gitlab_url"), "prd.codecommit.push.gitlab_url", what, "write it as https://gitlab.example.com"
    )


def test_accepts_an_api_url_with_another_port(loaded: Loaded) -> None:
    prd = loaded(spoilt((_PUSH, f"{_PUSH}      gitlab_url: https://git.example.com:8443/\n"))).prd
    assert prd is not None
    assert prd.codecommit is not None
    assert prd.codecommit.push is not None
    assert prd.codecommit.push.gitlab_url == "https://git.example.com:8443"


@pytest.mark.parametrize(
    ("changes", "path", "what", "hint"),
    [
        (
            [("      batch:\n    deletion", "      batch:\n        gitlab_project: a/b\n    deletion")],
            "prd.codecommit.repositories.batch.gitlab_project",
            "'batch' is already the target of the Backlog mirror 'batch'",
            "a repository mirrors one source: remove one of the two",
        ),
        (
            [("    push:\n" + _PUSH, ""), (_APPLICATION, f"{_APPLICATION}        gitlab_project: a/b\n")],
            "prd.codecommit.repositories.application.gitlab_project",
            "nobody may push this project's mirror",
            "add prd.codecommit.push, as the mirror's user",
        ),
        (
            [(_APPLICATION, f"{_APPLICATION}        only_protected_branches: true\n")],
            "prd.codecommit.repositories.application.only_protected_branches",
            "without gitlab_project there is no mirror to keep to protected branches",
            "name the project, or remove this",
        ),
        (
            [
                (
                    _PULL,
                    f"{_PULL}    credentials:\n      kms_key_arn: {KMS_KEY.replace('222222222222', '999999999999')}\n",
                )
            ],
            "prd.codecommit.credentials.kms_key_arn",
            f"'{KMS_KEY.replace('222222222222', '999999999999')}' is a key of account 999999999999, "
            "the secret is in 222222222222",
            "name a key of account 222222222222",
        ),
    ],
)
def test_refuses_contradictions_between_settings(
    refusal: Refusal, changes: list[tuple[str, str]], path: str, what: str, hint: str
) -> None:
    text = spoilt(*changes)
    mark = {"gitlab_project": "gitlab_project", "only_protected_branches": "only_protected"}.get(
        path.rpartition(".")[2], "999999999999"
    )
    assert refusal(text) == error(line_of(text, mark), path, what, hint)


def test_refuses_a_project_without_a_gitlab_url(refusal: Refusal) -> None:
    text = spoilt((_APPLICATION, f"{_APPLICATION}        gitlab_project: a/b\n"))
    start, end = text.index("  gitlab:\n"), text.index("prd:\n")
    text = text[:start] + text[end:]
    assert refusal(text) == error(
        line_of(text, "gitlab_project"),
        "prd.codecommit.repositories.application.gitlab_project",
        "it is not known where this project's GitLab is",
        "give prd.codecommit.push.gitlab_url",
    )


@pytest.mark.parametrize(
    ("line", "what", "hint"),
    [
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx",
            "the key in 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx' is damaged",
            "paste the whole line of the key's .pub file",
        ),
        (
            "'-----BEGIN OPENSSH PRIVATE KEY----- b3Blb'",
            "this is not an SSH public key",
            "paste the line of the key's .pub file, for example ssh-ed25519 AAAA… backlog",
        ),
    ],
)
def test_refuses_what_is_not_a_public_key_without_repeating_a_private_key(
    refusal: Refusal, line: str, what: str, hint: str
) -> None:
    text = spoilt((_PUBLIC_KEY, line))
    where = "prd.backlog.spaces.example.ssh_public_key"
    assert refusal(text) == error(line_of(text, "ssh_public_key"), where, what, hint)
