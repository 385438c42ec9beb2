"""Shows the URL that each Backlog repository calls, and has API Gateway call CodeBuild as Backlog would."""

import difflib
import json
import re
import sys
from dataclasses import dataclass
from typing import Any

from errors import WRONG_USAGE, refused
from errors.shown import printable, shown
from ops.backlog import bridge
from ops.production import aws_errors_as_refusals, client, production, production_labels
from ops.steps import Steps
from settings import Deployment
from settings.backlog import mirrors

HOOKS = "hooks"
_MOST_NAMED = 5
_STARTED, _UNKNOWN = 200, 404
_NOT_STARTED_HINT = (
    "deploy the stack backlog-bridge again if a project or role is missing; Backlog calls again by itself after a 503"
)


@dataclass(frozen=True, kw_only=True)
class BacklogHook:
    """What one Backlog repository calls."""

    key: str
    source: str
    url: str


@dataclass(frozen=True, kw_only=True)
class HookApi:
    """The bridge's API: its id, a client of API Gateway, the id of its one method's resource, and where hooks are."""

    id: str
    gateway: Any
    resource_id: str
    address: str
    hooks: list[BacklogHook]


def show(deployment: Deployment) -> None:
    """Print the URL to register in each Backlog repository's settings."""
    for hook in hook_api(deployment).hooks:
        print(f"{hook.source}  {hook.url}")


def check(deployment: Deployment, key: str | None, *, dry_run: bool) -> bool:
    """Call each hook once, which starts a build, and print CodeBuild's answers; returns whether all builds started.

    A dry run only looks for the hooks.

    The call is API Gateway's own test of the method. It does not come from Backlog's addresses, so it cannot show that
    these are admitted. https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html
    """
    backlog = bridge(deployment)
    known, entries = mirrors(backlog), backlog.repositories
    if key is not None and key not in known:
        of_project = [one for one in known if key in entries and one.startswith(f"{key}-")]
        what = "names a project and not a mirror" if key in entries else "is not a mirror"
        near = of_project or difflib.get_close_matches(key[:100], known, _MOST_NAMED, cutoff=0) or list(known)
        more = ", …" if len(near) > _MOST_NAMED or (not of_project and len(known) > len(near)) else ""
        hint = f"use one of {', '.join(near[:_MOST_NAMED])}{more}" if known else "agree to its repositories first"
        raise refused("--repository", f"{shown(key)} {what}", hint, status=WRONG_USAGE)
    api = hook_api(deployment)
    chosen = [hook for hook in api.hooks if key in (None, hook.key)]
    steps = Steps(dry_run=dry_run)
    taken = (hook for hook in chosen if steps.take(f"call the hook of {hook.key}, which starts a build"))
    # All of them, also after one that was not started.
    started = [_started(api, hook) for hook in taken]
    return all(started)


def _started(api: HookApi, hook: BacklogHook) -> bool:
    with aws_errors_as_refusals(hook.key):
        answer = api.gateway.test_invoke_method(
            restApiId=api.id,
            resourceId=api.resource_id,
            httpMethod="POST",
            pathWithQueryString=f"/{HOOKS}/{hook.key}",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body="payload=%7B%7D",
        )
    body = _codebuild_body(answer.get("log", ""))
    if answer["status"] == _STARTED:
        print(f"{hook.key}: CodeBuild started {_build(body)}")
        return True
    print(f"{hook.key}: not started")
    if answer["status"] == _UNKNOWN:
        what, hint = "the API does not know this mirror", "deploy the stack backlog-bridge again"
        print(refused(hook.key, what, hint), file=sys.stderr)
        return False
    what = f"CodeBuild answered: {body or answer.get('body') or 'nothing'}"
    print(refused(hook.key, what, _NOT_STARTED_HINT), file=sys.stderr)
    return False


def hook_api(deployment: Deployment) -> HookApi:
    """The bridge's API as it is deployed. Raises RefusedError where it is not, or not completely."""
    wanted = mirrors(bridge(deployment))
    name = production_labels(deployment).webhook_api()
    gateway = client(production(deployment), "apigateway")
    with aws_errors_as_refusals(name):
        api_id = _api_id(gateway, name)
        stages = gateway.get_stages(restApiId=api_id)["item"]
        pages = gateway.get_paginator("get_resources").paginate(restApiId=api_id)
        resources = {found["path"]: found["id"] for page in pages for found in page["items"]}
    paths = [path for path in resources if re.fullmatch(rf"/{HOOKS}/\{{[a-z]+\}}", path)]
    if not paths or not stages:
        what = "the API has no stage" if paths else f"the API has no path /{HOOKS}/NAME"
        raise refused(name, what, "deploy the stack backlog-bridge again")
    address = f"https://{api_id}.execute-api.{deployment.region}.amazonaws.com/{stages[0]['stageName']}/{HOOKS}"
    hooks = [
        BacklogHook(key=key, source=f"{mirror.space}/{mirror.project}/{mirror.repository}", url=f"{address}/{key}")
        for key, mirror in wanted.items()
    ]
    return HookApi(id=api_id, gateway=gateway, resource_id=resources[paths[0]], address=address, hooks=hooks)


def _api_id(gateway: Any, name: str) -> str:
    pages = gateway.get_paginator("get_rest_apis").paginate()
    ids: list[str] = [api["id"] for page in pages for api in page["items"] if api["name"] == name]
    if not ids:
        raise refused(name, "the account has no such API", "deploy the stack backlog-bridge first")
    if len(ids) > 1:
        hint = "delete the one that is not the bridge's"
        raise refused(name, f"the account has {len(ids)} APIs of this name", hint)
    return ids[0]


def _codebuild_body(log: str) -> str:
    """The body of CodeBuild's answer, from API Gateway's log of the call."""
    match = re.search(r"Endpoint response body before transformations: (.*)", log)
    return match[1].strip() if match else ""


def _build(body: str) -> str:
    try:
        return printable(str(json.loads(body)["build"]["id"]))
    except (ValueError, KeyError, TypeError):
        # API Gateway truncates long bodies in its log.
        match = re.search(r'"id": ?"([^"]+)"', body)
        return printable(match[1]) if match else "a build"
