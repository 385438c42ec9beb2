"""The webhooks of Backlog's projects: added, changed where they differ, and otherwise left alone."""

from collections.abc import Callable
from typing import Any

import pytest

from errors import RefusedError
from ops.backlog.project_hooks import register
from settings.backlog import mirrors
from tests.ops.backlog.backlog_stand_in import API_KEY, BacklogFault, BacklogStandIn
from tests.ops.backlog.deployed_bridge import API, API_KEY_PARAMETER, deployed_api, with_bridge
from tests.ops.production import REGION, Production

pytestmark = pytest.mark.emulator

FOREIGN = {"id": 1, "name": "chat", "hookUrl": "https://chat.example/", "allEvent": True, "activityTypeIds": []}


@pytest.fixture
def bridge(world: Production, backlog: BacklogStandIn) -> Production:
    """A bridge that mirrors WEB/website and OPS/jobs, deployed, with the key of Backlog's API stored."""
    backlog.repositories.update({"WEB": ["website", "scratch"], "OPS": ["jobs"]})
    backlog.hooks["WEB"] = [FOREIGN.copy()]
    with_bridge(world)
    world.client("ssm").put_parameter(Name=API_KEY_PARAMETER, Value=API_KEY, Type="SecureString", Overwrite=True)
    return world


def _url(bridge: Production, project: str) -> str:
    ids = {api["name"]: api["id"] for api in bridge.client("apigateway").get_rest_apis()["items"]}
    return f"https://{ids[API]}.execute-api.{REGION}.amazonaws.com/hook/hooks/example.{project}"


def _ours(bridge: Production, project: str, **changed: Any) -> dict[str, Any]:
    """The webhook as it is wanted, but for some attributes."""
    wanted = {"id": 7, "name": API, "hookUrl": _url(bridge, project), "allEvent": False, "activityTypeIds": [12]}
    return wanted | changed


def _changes(backlog: BacklogStandIn) -> list[str]:
    return [call for call in backlog.calls if not call.startswith("GET ")]


def _register(bridge: Production, *, dry_run: bool = False) -> bool:
    return register(bridge.deployment, dry_run=dry_run)


def _refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


def test_adds_the_webhook_of_each_project_once(
    bridge: Production, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed_api(bridge)
    assert _register(bridge) is True
    assert capsys.readouterr() == (
        "",
        "add the webhook of example/WEB, which starts 1 mirror\n"
        "add the webhook of example/OPS, which starts 1 mirror\n",
    )
    assert backlog.hooks["WEB"][0] == FOREIGN
    added = [{part: hook[part] for part in FOREIGN} for hook in (backlog.hooks["WEB"][1], *backlog.hooks["OPS"])]
    assert added == [_ours(bridge, "WEB", id=3), _ours(bridge, "OPS", id=4)]
    backlog.calls.clear()
    assert _register(bridge) is True
    assert _changes(backlog) == []
    assert capsys.readouterr() == ("example/WEB: registered\nexample/OPS: registered\n", "")


def test_a_space_without_a_key_keeps_no_other_from_its_webhooks(
    bridge: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed_api(bridge)
    prd = bridge.deployment.prd
    assert prd is not None
    assert prd.backlog is not None
    keyless = prd.backlog.spaces["example"].model_copy(update={"api_key_parameter": None})
    (first, *_) = mirrors(prd.backlog).values()
    two_spaces = prd.backlog.model_copy(
        update={
            "spaces": {"keyless": keyless, **prd.backlog.spaces},
            "repositories": {"a": first.model_copy(update={"space": "keyless"}), **prd.backlog.repositories},
        }
    )
    deployment = bridge.deployment.model_copy(update={"prd": prd.model_copy(update={"backlog": two_spaces})})
    assert register(deployment, dry_run=True) is False
    said = capsys.readouterr().err
    assert said.startswith("error: prd.backlog.spaces.keyless: there is no api_key_parameter\n")
    assert "would add the webhook of example/WEB" in said
    assert "would add the webhook of example/OPS" in said


def test_a_dry_run_changes_nothing(
    bridge: Production, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed_api(bridge)
    backlog.hooks["OPS"] = [_ours(bridge, "OPS", allEvent=True)]
    assert _register(bridge, dry_run=True) is True
    assert _changes(backlog) == []
    assert capsys.readouterr().err == (
        "would add the webhook of example/WEB, which starts 1 mirror\n"
        f"would change the webhook {API} of example/OPS, which starts 1 mirror\n"
    )


@pytest.mark.parametrize(
    "different",
    [
        {"name": "made by hand"},
        {"allEvent": True},
        {"activityTypeIds": [1, 12]},
        {"activityTypeIds": []},
        {"hookUrl": f"https://gone123.execute-api.{REGION}.amazonaws.com/hook/hooks/example.OPS"},
    ],
    ids=str,
)
def test_changes_its_own_webhook_where_it_differs(
    bridge: Production, backlog: BacklogStandIn, different: dict[str, Any]
) -> None:
    deployed_api(bridge)
    backlog.hooks["OPS"] = [_ours(bridge, "OPS", **different)]
    assert _register(bridge) is True
    (hook,) = backlog.hooks["OPS"]
    assert {part: hook[part] for part in FOREIGN} == _ours(bridge, "OPS")
    assert "PATCH /api/v2/projects/OPS/webhooks/7" in backlog.calls


@pytest.mark.parametrize(
    "foreign",
    [
        {"hookUrl": "https://chat.example/"},
        {"hookUrl": f"https://gone123.execute-api.{REGION}.amazonaws.com/hook/hooks/example.WEB"},
        {"hookUrl": f"https://gone123.execute-api.{REGION}.amazonaws.com.evil.example/hook/hooks/example.OPS"},
        {"name": "other", "hookUrl": f"https://gone123.execute-api.{REGION}.amazonaws.com/hook/hooks/example.OPS"},
    ],
    ids=str,
)
def test_leaves_a_webhook_alone_that_only_resembles_its_own(
    bridge: Production, backlog: BacklogStandIn, foreign: dict[str, Any]
) -> None:
    deployed_api(bridge)
    before = _ours(bridge, "OPS", **foreign)
    backlog.hooks["OPS"] = [before.copy()]
    assert _register(bridge) is True
    assert backlog.hooks["OPS"][0] == before
    assert len(backlog.hooks["OPS"]) == 2


def test_says_what_starts_builds_twice(
    bridge: Production, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed_api(bridge)
    backlog.hooks["OPS"] = [_ours(bridge, "OPS", id=5, name="by hand"), _ours(bridge, "OPS")]
    old = _url(bridge, "OPS").replace("/hooks/example.OPS", "/jobs")
    backlog.git_hooks = {"jobs": old, "scratch": old, "website": "https://chat.example/"}
    assert _register(bridge) is False
    assert capsys.readouterr().err.splitlines()[1:] == [
        "error: example/OPS: 2 webhooks of the project call the bridge, so each push starts as many builds",
        "hint: delete all but one in the project's settings, Webhook",
        "error: example/OPS/jobs: the repository has a Git webhook that starts its mirror too, so each push starts two "
        "builds",
        "hint: delete the URL in the repository's Git settings: the project's webhook is enough",
    ]
    assert "PATCH" not in "".join(_changes(backlog))


def test_goes_on_with_the_next_project_after_a_refusal(
    bridge: Production, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed_api(bridge)
    del backlog.repositories["WEB"]
    assert _register(bridge) is False
    assert "error: example.backlog.jp: Backlog answered 404 to /api/v2/projects/WEB/webhooks: No project.\n" in (
        capsys.readouterr().err
    )
    assert len(backlog.hooks["OPS"]) == 1


def test_an_interrupted_registration_is_completed_by_the_next(
    bridge: Production, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed_api(bridge)
    # Backlog adds the webhook, and its answer is lost: the next run finds it.
    backlog.hooks["WEB"].append(_ours(bridge, "WEB"))
    backlog.faults.append(BacklogFault(200, b"[]"))
    backlog.faults.append(BacklogFault(200, b"[]"))
    backlog.faults.append(BacklogFault(0))
    assert _register(bridge) is False
    assert "Backlog gave no complete answer" in capsys.readouterr().err
    assert _register(bridge) is True
    assert len(backlog.hooks["WEB"]) == 2


def test_refuses_builds_of_one_repository_each(bridge: Production, backlog: BacklogStandIn) -> None:
    deployed_api(bridge)
    bridge.say({"prd.backlog.isolation": "repository"})
    assert _refusal(lambda: _register(bridge)) == (
        "error: prd.backlog.isolation: a project's webhook starts one build, and here each repository has its own\n"
        "hint: paste the URLs that backlog-webhook show prints into the Git settings of each repository"
    )
    assert backlog.calls == []


def test_registers_nothing_before_the_bridge_is_deployed(bridge: Production, backlog: BacklogStandIn) -> None:
    assert _refusal(lambda: _register(bridge)) == (
        f"error: {API}: the account has no such API\nhint: deploy the stack backlog-bridge first"
    )
    assert backlog.calls == []
