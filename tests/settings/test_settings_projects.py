"""The mirrors of a whole Backlog project: their keys, targets and errors."""

from collections.abc import Callable
from pathlib import Path

import pytest

from settings import Deployment, warnings
from settings.backlog import BacklogSettings, mirrors, source_url, target_name
from settings.projects import derived_key
from tests.settings.whole_file import KMS_KEY, OF_ENTRIES, OF_TARGETS, error, line_of, spoilt

Refusal = Callable[[str], str]
Loaded = Callable[[str], Deployment]

_BATCH = "      batch:\n        space: example\n"
_WEB = """\
      web:
        space: example
        from_project: WEB
        except: [scratch]
        target: { create_prefix: web- }
        agreed: [api, Shop.Front]
"""
_ENTRY = "prd.backlog.repositories.web"


def _with(entry: str = _WEB, *changes: tuple[str, str]) -> str:
    """The whole file with an entry of a project before that of `batch`."""
    for old, new in changes:
        assert old in entry
        entry = entry.replace(old, new)
    return spoilt((_BATCH, f"{entry}{_BATCH}"))


def _backlog(deployment: Deployment) -> BacklogSettings:
    assert deployment.prd is not None
    assert deployment.prd.backlog is not None
    return deployment.prd.backlog


def test_a_project_is_a_mirror_for_each_repository_that_was_agreed_to(loaded: Loaded) -> None:
    target = f"{{ create_prefix: web-, description: Of WEB, kms_key_arn: '{KMS_KEY}' }}"
    backlog = _backlog(loaded(_with(_WEB, ("{ create_prefix: web- }", target))))
    found = mirrors(backlog)
    assert list(found) == ["website", "web-api", "web-shop-front", "batch"]
    shop = found["web-shop-front"]
    assert source_url(backlog, shop) == "example@example.git.backlog.jp:/WEB/Shop.Front.git"
    assert target_name(shop) == "web-Shop.Front"
    assert shop.target.model_dump() == {"create": "web-Shop.Front", "description": "Of WEB", "kms_key_arn": KMS_KEY}


def test_a_project_has_no_mirror_before_somebody_agreed(loaded: Loaded) -> None:
    text = _with(_WEB, ("        agreed: [api, Shop.Front]\n", ""))
    deployment = loaded(text)
    assert list(mirrors(_backlog(deployment))) == ["website", "batch"]


def test_warns_about_a_project_of_which_nothing_is_mirrored(loaded: Loaded, tmp_path: Path) -> None:
    deployment = loaded(_with(_WEB, ("[api, Shop.Front]", "[]")))
    (warning,) = [one for one in warnings(deployment, tmp_path / "x.yaml") if "agreed" in one.what]
    assert warning.what == "no repository of WEB is mirrored, because `agreed` names none"
    assert warning.hint == "see what the project has, and agree to it: main.py backlog-repositories FILE"


def test_warns_once_about_the_space_of_projects_that_has_no_api_key(loaded: Loaded, tmp_path: Path) -> None:
    text = _with(_WEB + _WEB.replace("web", "ops").replace("WEB", "OPS"))
    found = [one for one in warnings(loaded(text), tmp_path / "x.yaml") if "api_key_parameter" in one.what]
    assert [one.printed.as_warning().partition("x.yaml:")[2] for one in found] == [
        f"{line_of(text, '      example:')}: prd.backlog.spaces.example: without api_key_parameter, "
        "backlog-repositories and backlog-webhook register cannot ask Backlog about its projects\n"
        "hint: issue a key of Backlog's API, store it, and name its parameter: docs/credentials.md#backlog"
    ]
    with_key = "        ssh_key_parameter: /kakehashi/backlog/ssh-key\n"
    named = text.replace(with_key, f"{with_key}        api_key_parameter: /kakehashi/backlog/api-key\n")
    for silent in (named, spoilt()):
        assert "api_key_parameter" not in str(warnings(loaded(silent), tmp_path / "x.yaml"))


@pytest.mark.parametrize(
    ("changes", "path", "line", "what", "hint"),
    [
        (
            [("[api, Shop.Front]", "[api, Api]")],
            f"{_ENTRY}.agreed[1]",
            "        agreed",
            "'Api' and 'api' would both be the mirror 'web-api'",
            "name it by hand: write Api into `except`, and give it an entry with `repository: Api`",
        ),
        (
            [("      web:", "      batch-of:"), ("[api, Shop.Front]", f"[{'a' * 31}, {'a' * 32}]")],
            "prd.backlog.repositories.batch-of.agreed[1]",
            "        agreed",
            f"'batch-of-{'a' * 32}' is no key of a mirror: it has 41 characters, a key has at most 40",
            f"name it by hand: write {'a' * 32} into `except`, and give it an entry with `repository: {'a' * 32}`",
        ),
        (
            [("create_prefix: web-", f"create_prefix: {'p' * 96}")],
            f"{_ENTRY}.agreed[1]",
            "        agreed",
            f"'{'p' * 96}Shop.Front' is no name of a CodeCommit repository: it has 106 characters, at most 100 are "
            "allowed",
            "name it by hand: write Shop.Front into `except`, and give it an entry with `repository: Shop.Front`",
        ),
        (
            [("[api, Shop.Front]", "[website]")],
            f"{_ENTRY}.agreed[0]",
            "        agreed",
            "'example/WEB/website' is already the source of 'website'",
            "a repository has one mirror, because Backlog calls one webhook for it: remove it from `agreed` of 'web', "
            "and add it to `except`",
        ),
        (
            [("create_prefix: web-", "create_prefix: web"), ("[api, Shop.Front]", "[site]")],
            f"{_ENTRY}.agreed[0]",
            "        agreed",
            "'website' is already the target of 'website'",
            "give each mirror its own target: two mirrors would undo each other's pushes",
        ),
        (
            [("create_prefix: web-", "create_prefix: appli"), ("[api, Shop.Front]", "[cation]")],
            f"{_ENTRY}.agreed[0]",
            "        agreed",
            "'application' is also one of prd.codecommit.repositories",
            "name it by hand: write cation into `except`, and give it an entry with `repository: cation`",
        ),
        (
            [("[api, Shop.Front]", "[api, scratch]")],
            f"{_ENTRY}.agreed[1]",
            "        agreed",
            "'scratch' is agreed to and excluded",
            "remove it from one of the two lists",
        ),
        (
            [("[api, Shop.Front]", "[api, api]")],
            f"{_ENTRY}.agreed[1]",
            "        agreed",
            "'api' is named twice",
            "remove one",
        ),
        (
            [("        agreed", "        # agreed"), ("      web:", f"{_WEB}      web-2:")],
            "prd.backlog.repositories.web-2",
            "      web-2",
            "'example/WEB' is already the project of 'web'",
            "keep one of the two: each would find the same repositories",
        ),
        (
            [("space: example", "space: exampel")],
            f"{_ENTRY}.space",
            "        space: exampel",
            "'exampel' is not one of prd.backlog.spaces",
            "use one of example, or add it there",
        ),
        (
            [("[api, Shop.Front]", "[api.git]")],
            f"{_ENTRY}.agreed[0]",
            "        agreed",
            "'api.git' is not the name of a Backlog repository",
            "write its name without .git, for example website",
        ),
        (
            [("from_project: WEB", "from_project: WEB\n        repository: api")],
            f"{_ENTRY}.repository",
            "        repository: api\n        except",
            "'repository' belongs to another form than the rest here",
            OF_ENTRIES,
        ),
        (
            [("create_prefix: web-", "create_prefix: web-, create: web")],
            f"{_ENTRY}.target.create",
            "        target: { create_prefix: web-, create: web }",
            "'create' belongs to another form than the rest here",
            OF_TARGETS,
        ),
        (
            [("create_prefix: web-", "create: web")],
            f"{_ENTRY}.target.create",
            "        target: { create: web }",
            "'create' belongs to another form than the rest here",
            OF_TARGETS,
        ),
        (
            [("from_project", "from_projects")],
            f"{_ENTRY}.from_projects",
            "        from_projects",
            "'from_projects' is not a setting",
            "did you mean from_project?",
        ),
        (
            [("create_prefix", "createprefix")],
            f"{_ENTRY}.target.createprefix",
            "        target: { createprefix",
            "'createprefix' is not a setting",
            "did you mean create_prefix?",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_refuses_a_project(
    refusal: Refusal, changes: list[tuple[str, str]], path: str, line: str, what: str, hint: str
) -> None:
    text = _with(_WEB, *changes)
    assert refusal(text) == error(line_of(text, line), path, what, hint)


@pytest.mark.parametrize(
    ("old", "new", "path", "what", "hint"),
    [
        (
            "target: { create: website }",
            "target: { create_prefix: web- }",
            "target.create_prefix",
            "'create_prefix' belongs to another form than the rest here",
            OF_TARGETS,
        ),
        (
            "target: { create: website }",
            "target: { creat: website }",
            "target.creat",
            "'creat' is not a setting",
            "did you mean create?",
        ),
    ],
)
def test_a_wrong_form_of_one_repository_is_one_error(
    refusal: Refusal, old: str, new: str, path: str, what: str, hint: str
) -> None:
    text = spoilt((old, new))
    assert refusal(text) == error(line_of(text, new), f"prd.backlog.repositories.website.{path}", what, hint)


def test_a_derived_key_is_not_that_of_another_entry(refusal: Refusal) -> None:
    text = _with(_WEB.replace("      web:", "      a:").replace("[api, Shop.Front]", "[batch]"))
    text = text.replace(_BATCH, _BATCH.replace("batch:", "a-batch:"))
    assert refusal(text) == error(
        line_of(text, "        agreed"),
        "prd.backlog.repositories.a.agreed[0]",
        "'batch' and the entry 'a-batch' would both be the mirror 'a-batch'",
        "name it by hand: write batch into `except`, and give it an entry with `repository: batch`",
    )


def test_a_room_may_pull_a_repository_of_a_project(loaded: Loaded, refusal: Refusal) -> None:
    text = _with().replace("repositories: [batch]", "repositories: [batch, web-api]")
    assert loaded(text)
    assert "'web-none' is not one of prd.codecommit.repositories" in refusal(text.replace("web-api]", "web-none]"))


@pytest.mark.parametrize(("repository", "key"), [("api", "web-api"), ("A.b_C-d", "web-a-b_c-d"), ("9", "web-9")])
def test_a_key_follows_from_a_repositorys_name(repository: str, key: str) -> None:
    assert derived_key("web", repository) == key
