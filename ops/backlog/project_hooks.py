"""Registers in each Backlog project the one webhook that starts all its mirrors."""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from errors import Problem, RefusedError, refused
from errors.shown import counted, printable
from ops.backlog import bridge
from ops.backlog.backlog_api import BacklogApi, GitRepository, ProjectHook, space_api
from ops.backlog.webhook import HOOKS, hook_api
from ops.production import production_labels
from ops.steps import Steps
from ops.waiting import waiting
from settings import Deployment
from settings.backlog import BacklogSettings, mirrors

GIT_PUSHED = 12
"""The type of event: https://developer.nulab.com/docs/backlog/api/2/get-recent-updates."""


@dataclass(frozen=True, kw_only=True)
class WantedHook:
    """The webhook of a project, and the repositories that it mirrors. `name` is that of the bridge's API."""

    space: str
    project: str
    name: str
    url: str
    repositories: frozenset[str]

    @property
    def form(self) -> Mapping[str, Any]:
        """What Backlog is sent."""
        return {
            "name": self.name,
            "description": f"Starts the mirrors of {self.project}'s repositories",
            "hookUrl": self.url,
            "allEvent": "false",
            "activityTypeIds[]": [GIT_PUSHED],
        }

    def is_own(self, hook: ProjectHook) -> bool:
        """Whether a webhook calls this bridge, or bears its name and called an API that it had before."""
        path = re.escape(f"/{HOOKS}/{self.space}.{self.project}")
        earlier = rf"https://[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com/[a-z]+{path}"
        return hook.url == self.url or (hook.name == self.name and re.fullmatch(earlier, hook.url) is not None)

    def is_as_wanted(self, hook: ProjectHook) -> bool:
        """Whether nothing of a webhook has to be changed."""
        return (hook.name, hook.url, hook.all_events, hook.events) == (
            self.name,
            self.url,
            False,
            frozenset({GIT_PUSHED}),
        )


def register(deployment: Deployment, *, dry_run: bool) -> bool:
    """Add the webhook of each project, or change it where it differs; returns whether all are in order at the end.

    Other webhooks of the project are left alone.
    """
    backlog = bridge(deployment)
    if backlog.isolation == "repository":
        what = "a project's webhook starts one build, and here each repository has its own"
        hint = "paste the URLs that backlog-webhook show prints into the Git settings of each repository"
        raise refused("prd.backlog.isolation", what, hint)
    wanted = _wanted(deployment, backlog)
    steps = Steps(dry_run=dry_run)
    apis: dict[str, BacklogApi] = {}
    problems: list[Problem] = []
    # A space without a key, or a project that cannot be read, keeps no other from its webhook.
    for space in dict.fromkeys(hook.space for hook in wanted):
        try:
            apis[space] = space_api(deployment, backlog, space)
        except RefusedError as error:
            problems += _printed(error.problems)
    for hook in wanted:
        if hook.space in apis:
            try:
                found = _registered(apis[hook.space], hook, steps)
            except RefusedError as error:
                found = list(error.problems)
            problems += _printed(found)
    return not problems


def _printed(problems: Iterable[Problem]) -> list[Problem]:
    found = list(problems)
    for problem in found:
        print(problem, file=sys.stderr)
    return found


def _wanted(deployment: Deployment, backlog: BacklogSettings) -> list[WantedHook]:
    address, name = hook_api(deployment).address, production_labels(deployment).webhook_api()
    repositories: dict[tuple[str, str], set[str]] = {}
    for mirror in mirrors(backlog).values():
        repositories.setdefault((mirror.space, mirror.project), set()).add(mirror.repository)
    return [
        WantedHook(
            space=space,
            project=project,
            name=name,
            url=f"{address}/{space}.{project}",
            repositories=frozenset(names),
        )
        for (space, project), names in repositories.items()
    ]


def _registered(api: BacklogApi, wanted: WantedHook, steps: Steps) -> list[Problem]:
    """Add or change a project's webhook, and return what somebody has to put right."""
    source = f"{wanted.space}/{wanted.project}"
    with waiting(f"reading the webhooks of {source}"):
        own = [hook for hook in api.hooks(wanted.project) if wanted.is_own(hook)]
        repositories = api.git_repositories(wanted.project)
    # Of several, the one that is right already.
    kept = next((hook for hook in own if wanted.is_as_wanted(hook)), own[0] if own else None)
    many = counted(len(wanted.repositories), "mirror")
    if kept is None:
        if steps.take(f"add the webhook of {source}, which starts {many}"):
            api.add_hook(wanted.project, wanted.form)
    elif wanted.is_as_wanted(kept):
        print(f"{source}: registered")
    elif steps.take(f"change the webhook {printable(kept.name)} of {source}, which starts {many}"):
        api.change_hook(wanted.project, kept.id, wanted.form)
    problems = []
    if len(own) > 1:
        what = f"{len(own)} webhooks of the project call the bridge, so each push starts as many builds"
        problems.append(Problem(where=source, what=what, hint="delete all but one in the project's settings, Webhook"))
    return problems + [_called_twice(source, found) for found in repositories if _calls_too(found, wanted)]


def _calls_too(repository: GitRepository, wanted: WantedHook) -> bool:
    """Whether a repository has a Git webhook of its own that starts its mirror."""
    base = wanted.url.removesuffix(f"/{HOOKS}/{wanted.space}.{wanted.project}")
    return repository.name in wanted.repositories and (repository.hook_url or "").startswith(f"{base}/")


def _called_twice(source: str, repository: GitRepository) -> Problem:
    return Problem(
        where=f"{source}/{repository.name}",
        what="the repository has a Git webhook that starts its mirror too, so each push starts two builds",
        hint="delete the URL in the repository's Git settings: the project's webhook is enough",
    )
