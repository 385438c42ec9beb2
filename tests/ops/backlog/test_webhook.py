"""The URLs that Backlog calls, and CodeBuild's answers to such calls."""

import json
from collections.abc import Callable

import pytest

from errors import RefusedError
from ops.backlog import webhook as backlog_webhook
from ops.rehearse.stand_ins import Call, Reply
from settings.projects import ProjectSettings, ProjectTargetSettings
from tests.ops.backlog.deployed_bridge import API, deployed_api, hook_resource, with_bridge
from tests.ops.production import REGION, Production
from tests.terraform import Stacks

pytestmark = pytest.mark.emulator


@pytest.fixture
def bridge(world: Production) -> Production:
    """A deployment with two mirrors, and nothing deployed."""
    return with_bridge(world)


def _codebuild_answers(bridge: Production, status: int, said: str) -> list[Call]:
    """Make API Gateway's test call return this answer, in the form of its documented log."""
    calls: list[Call] = []

    def test_invoke_method(call: Call) -> Reply:
        calls.append(call)
        log = (
            "Execution log for request 5fbc6fa0\n"
            "Thu Nov 24 04:00:00 UTC 2026 : Starting execution for request: 5fbc6fa0\n"
            f"Thu Nov 24 04:00:00 UTC 2026 : Endpoint response body before transformations: {said}\n"
            f"Thu Nov 24 04:00:00 UTC 2026 : Method completed with status: {status}\n"
        )
        return {"status": status, "body": json.dumps({"started": status == 200}), "latency": 45, "log": log}

    bridge.aws.stand_ins["apigateway"].operations["TestInvokeMethod"] = test_invoke_method
    return calls


def _refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


def test_prints_the_url_of_every_repository(bridge: Production, capsys: pytest.CaptureFixture[str]) -> None:
    api_id = deployed_api(bridge)
    backlog_webhook.show(bridge.deployment)
    address = f"https://{api_id}.execute-api.{REGION}.amazonaws.com/hook/hooks"
    assert capsys.readouterr().out == (f"example/WEB/website  {address}/website\nexample/OPS/jobs  {address}/jobs\n")


def test_calls_every_webhook_as_backlog_does_and_names_the_builds(
    bridge: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    api_id = deployed_api(bridge)
    calls = _codebuild_answers(bridge, 200, json.dumps({"build": {"id": "mirror:1a2b", "arn": "arn:aws:x"}}))
    assert backlog_webhook.check(bridge.deployment, None, dry_run=False) is True
    assert capsys.readouterr() == (
        "website: CodeBuild started mirror:1a2b\njobs: CodeBuild started mirror:1a2b\n",
        "call the hook of website, which starts a build\ncall the hook of jobs, which starts a build\n",
    )
    assert [call.params["restApiId"] for call in calls] == [api_id, api_id]
    assert {call.params["httpMethod"] for call in calls} == {"POST"}
    assert calls[0].params["headers"] == {"Content-Type": "application/x-www-form-urlencoded"}
    assert [call.params["pathWithQueryString"] for call in calls] == ["/hooks/website", "/hooks/jobs"]
    resources = {one["id"]: one["path"] for one in bridge.client("apigateway").get_resources(restApiId=api_id)["items"]}
    assert {resources[call.params["resourceId"]] for call in calls} == {"/hooks/{mirror}"}


def test_a_dry_run_calls_no_webhook(bridge: Production, capsys: pytest.CaptureFixture[str]) -> None:
    deployed_api(bridge)
    calls = _codebuild_answers(bridge, 200, "{}")
    assert backlog_webhook.check(bridge.deployment, None, dry_run=True) is True
    assert capsys.readouterr() == (
        "",
        "would call the hook of website, which starts a build\nwould call the hook of jobs, which starts a build\n",
    )
    assert calls == []


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            '{"__type":"ResourceNotFoundException","message":"Project cannot be found"}',
            '{"__type":"ResourceNotFoundException","message":"Project cannot be found"}',
        ),
        ("", '{"started": false}'),
    ],
)
def test_prints_the_start_that_codebuild_refused(
    bridge: Production, capsys: pytest.CaptureFixture[str], body: str, shown: str
) -> None:
    deployed_api(bridge)
    calls = _codebuild_answers(bridge, 503, body)
    assert backlog_webhook.check(bridge.deployment, "website", dry_run=False) is False
    assert len(calls) == 1
    assert capsys.readouterr() == (
        "website: not started\n",
        "call the hook of website, which starts a build\n"
        f"error: website: CodeBuild answered: {shown}\n"
        "hint: deploy the stack backlog-bridge again if a project or role is missing; "
        "Backlog calls again by itself after a 503\n",
    )


def test_says_that_the_deployed_api_does_not_know_a_new_mirror(
    bridge: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed_api(bridge)
    _codebuild_answers(bridge, 404, "{}")
    assert backlog_webhook.check(bridge.deployment, "jobs", dry_run=False) is False
    assert capsys.readouterr().err.splitlines()[1:] == [
        "error: jobs: the API does not know this mirror",
        "hint: deploy the stack backlog-bridge again",
    ]


def test_names_the_build_from_a_truncated_answer(bridge: Production, capsys: pytest.CaptureFixture[str]) -> None:
    deployed_api(bridge)
    _codebuild_answers(bridge, 200, '{"build":{"arn":"arn:aws:codebuild","id":"mirror:1a2b","phases":[{ [TRUNC')
    assert backlog_webhook.check(bridge.deployment, "website", dry_run=False) is True
    assert capsys.readouterr().out == "website: CodeBuild started mirror:1a2b\n"


def test_refuses_an_api_that_is_not_deployed_completely(bridge: Production) -> None:
    def show() -> None:
        backlog_webhook.show(bridge.deployment)

    assert _refusal(show) == (f"error: {API}: the account has no such API\nhint: deploy the stack backlog-bridge first")
    api_id = bridge.client("apigateway").create_rest_api(name=API)["id"]
    assert _refusal(show) == (
        f"error: {API}: the API has no path /hooks/NAME\nhint: deploy the stack backlog-bridge again"
    )
    hook_resource(bridge, api_id)
    assert _refusal(show) == f"error: {API}: the API has no stage\nhint: deploy the stack backlog-bridge again"
    deployed_api(bridge)
    assert _refusal(show) == (
        f"error: {API}: the account has 2 APIs of this name\nhint: delete the one that is not the bridge's"
    )


def test_an_unknown_repository_is_wrong_usage(bridge: Production) -> None:
    deployed_api(bridge)
    calls = _codebuild_answers(bridge, 200, "{}")
    with pytest.raises(RefusedError) as caught:
        backlog_webhook.check(bridge.deployment, "web", dry_run=False)
    assert (caught.value.status, calls) == (2, [])
    assert str(caught.value) == ("error: --repository: 'web' is not a mirror\nhint: use one of website, jobs")


def test_the_key_of_a_project_is_explained_by_some_of_its_mirrors(bridge: Production) -> None:
    prd = bridge.deployment.prd
    assert prd is not None
    assert prd.backlog is not None
    target = ProjectTargetSettings(create_prefix="web-")
    agreed = tuple(f"site-{number}" for number in range(6))
    web = ProjectSettings(space="example", from_project="WEB", target=target, agreed=agreed)
    backlog = prd.backlog.model_copy(update={"repositories": {**prd.backlog.repositories, "web": web}})
    deployment = bridge.deployment.model_copy(update={"prd": prd.model_copy(update={"backlog": backlog})})
    assert _refusal(lambda: backlog_webhook.check(deployment, "web", dry_run=False)) == (
        "error: --repository: 'web' names a project and not a mirror\n"
        "hint: use one of web-site-0, web-site-1, web-site-2, web-site-3, web-site-4, …"
    )
    assert _refusal(lambda: backlog_webhook.check(deployment, "websit", dry_run=False)).startswith(
        "error: --repository: 'websit' is not a mirror\nhint: use one of website, "
    )


def test_refuses_a_deployment_without_the_bridge(world: Production) -> None:
    assert _refusal(lambda: backlog_webhook.show(world.deployment)) == (
        "error: prd.backlog: the deployment has no bridge from Backlog\nhint: add prd.backlog to it"
    )


def test_knows_the_deployed_api_by_its_name(example: Stacks) -> None:
    (api,) = example["backlog-bridge"].resources("aws_api_gateway_rest_api").values()
    assert api["name"] == API
