"""Shows the URL that each Backlog repository calls, and asks API Gateway to call CodeBuild as Backlog would."""

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from errors import WRONG_USAGE, refused
from errors.shown import printable, shortened, shown
from ops.git_access.users import production_labels
from ops.production import client, production, told_as_refusals
from settings import Deployment
from settings.backlog import BacklogSettings

if TYPE_CHECKING:
    import boto3  # type: ignore[import-untyped]

_STARTED = 200


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One repository's hook; `resource_id` is API Gateway's name of its path."""

    key: str
    source: str
    url: str
    resource_id: str


def show(deployment: Deployment) -> None:
    """Print the URL to register in each Backlog repository's settings."""
    hooks, _, _ = _hooks(deployment, production(deployment))
    for hook in hooks:
        print(f"{hook.source}  {hook.url}")


def check(deployment: Deployment, key: str | None) -> bool:
    """Have each hook called once, which starts a build, and print what CodeBuild answered; returns whether all took it.

    The call is API Gateway's own test of the method: it does not come from Backlog's addresses, so it says nothing
    about who is admitted. https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html
    """
    hooks, api_id, gateway = _hooks(deployment, production(deployment))
    chosen = [hook for hook in hooks if key in (None, hook.key)]
    if not chosen:
        keys = ", ".join(hook.key for hook in hooks)
        raise refused(
            "--repository",
            f"{shown(key)} is not one of prd.backlog.repositories",
            f"use one of {keys}",
            status=WRONG_USAGE,
        )
    took = True
    for hook in chosen:
        with told_as_refusals(hook.key):
            answer = gateway.test_invoke_method(
                restApiId=api_id,
                resourceId=hook.resource_id,
                httpMethod="POST",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body="payload=%7B%7D",
            )
        said = _said_by_codebuild(answer.get("log", ""))
        if answer["status"] == _STARTED:
            print(f"{hook.key}: CodeBuild started {_build(said)}")
            continue
        took = False
        told = printable(shortened(said or answer.get("body") or "nothing"))
        print(f"{hook.key}: not started")
        print(refused(hook.key, f"CodeBuild answered: {told}", _HINT), file=sys.stderr)
    return took


_HINT = (
    "deploy the stack backlog-bridge again if a project or role is missing; Backlog calls again by itself after a 503"
)


def _hooks(deployment: Deployment, session: "boto3.Session") -> tuple[list[Webhook], str, Any]:
    """Every hook of the deployment, the id of the API, and a client of API Gateway."""
    backlog = _backlog(deployment)
    name = production_labels(deployment).webhook_api()
    gateway = client(session, "apigateway")
    with told_as_refusals(name):
        apis = [api for page in gateway.get_paginator("get_rest_apis").paginate() for api in page["items"]]
        ids = [api["id"] for api in apis if api["name"] == name]
        if len(ids) != 1:
            what = "the account has no such API" if not ids else f"the account has {len(ids)} APIs of this name"
            hint = "deploy the stack backlog-bridge first" if not ids else "delete the one that is not the bridge's"
            raise refused(name, what, hint)
        stages = gateway.get_stages(restApiId=ids[0])["item"]
        pages = gateway.get_paginator("get_resources").paginate(restApiId=ids[0])
        resources = {found["path"]: found["id"] for page in pages for found in page["items"]}
    missing = [key for key in backlog.repositories if f"/{key}" not in resources]
    if missing or not stages:
        what = f"the API has no path for {', '.join(missing)}" if missing else "the API has no stage"
        raise refused(name, what, "deploy the stack backlog-bridge again")
    address = f"https://{ids[0]}.execute-api.{deployment.region}.amazonaws.com/{stages[0]['stageName']}"
    return (
        [
            Webhook(
                key=key,
                source=f"{mirror.space}/{mirror.project}/{mirror.repository}",
                url=f"{address}/{key}",
                resource_id=resources[f"/{key}"],
            )
            for key, mirror in backlog.repositories.items()
        ],
        ids[0],
        gateway,
    )


def _backlog(deployment: Deployment) -> BacklogSettings:
    if deployment.prd is None or deployment.prd.backlog is None:
        raise refused("prd.backlog", "the deployment has no bridge from Backlog", "add prd.backlog to it")
    return deployment.prd.backlog


def _said_by_codebuild(log: str) -> str:
    """CodeBuild's answer as API Gateway's log of the call holds it."""
    match = re.search(r"Endpoint response body before transformations: (.*)", log)
    return match[1].strip() if match else ""


def _build(said: str) -> str:
    try:
        return printable(str(json.loads(said)["build"]["id"]))
    except (ValueError, KeyError, TypeError):
        # API Gateway cuts long bodies off in its log.
        match = re.search(r'"id": ?"([^"]+)"', said)
        return printable(match[1]) if match else "a build"
