"""What must hold between the parts of a deployment."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from settings.backlog import Backlog, CodeCommitTarget, target_name
from settings.codecommit import CodeCommit
from settings.gitlab import Gitlab
from settings.network import Network
from settings.problems import Problem

_T = TypeVar("_T")

LABEL_TAGS = ("project", "environment", "owner", "managed-by")
"""The tags that say what a resource belongs to; a deployment's own tags may not replace them."""


class Parts:
    """The parts that are valid by themselves, and which parts the file names at all."""

    def __init__(self, data: Mapping[str, Any], valid: Mapping[type, Any]) -> None:
        self._data = data
        self._valid = valid

    def valid(self, kind: type[_T]) -> _T | None:
        """The part of that kind, when the file has one and it is valid."""
        part: _T | None = self._valid.get(kind)
        return part

    def value(self, *path: str) -> Any:
        """What the file says at `path`, valid or not; None where it says nothing."""
        value: Any = self._data
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def named(self, account: str, part: str) -> bool:
        """Whether the file has that part, valid or not."""
        return self.value(account, part) is not None


def problems(parts: Parts) -> Iterator[Problem]:
    """Everything that does not fit together."""
    yield from _something_to_build(parts)
    yield from _accounts(parts)
    yield from _tags(parts)
    yield from _gitlab_network(parts)
    yield from _proxy(parts)
    yield from _push_source(parts)
    yield from _mirror_targets(parts)


def _something_to_build(parts: Parts) -> Iterator[Problem]:
    known = (("dev", "network"), ("dev", "gitlab"), ("prd", "codecommit"), ("prd", "backlog"))
    if not any(parts.named(*path) for path in known):
        names = ", ".join(".".join(path) for path in known)
        yield Problem(what="there is nothing to build", hint=f"add at least one of {names}")


def _accounts(parts: Parts) -> Iterator[Problem]:
    dev, prd = (parts.value(name, "account", "id") for name in ("dev", "prd"))
    if dev is not None and str(dev) == str(prd):
        yield Problem(
            path=("prd", "account", "id"),
            what=f"{str(prd)!r} is also the development account",
            hint="who administers one account administers all in it: use two",
        )


def _tags(parts: Parts) -> Iterator[Problem]:
    tags = parts.value("tags")
    for key in tags if isinstance(tags, Mapping) else ():
        if key.lower() in LABEL_TAGS:
            yield Problem(path=("tags", key), what=f"{key!r} is a tag that the labels set", hint="choose another key")


def _gitlab_network(parts: Parts) -> Iterator[Problem]:
    gitlab, network = parts.valid(Gitlab), parts.valid(Network)
    if gitlab is None or gitlab.existing_network is not None:
        return
    if not parts.named("dev", "network"):
        yield Problem(
            path=("dev", "gitlab"),
            what="GitLab has no network to stand in",
            hint="add dev.network, or name a VPC and subnet in dev.gitlab.existing_network",
        )
    elif network is not None and gitlab.zone is not None and gitlab.zone not in network.zones:
        yield Problem(
            path=("dev", "gitlab", "zone"),
            what=f"{gitlab.zone!r} is not a zone of dev.network",
            hint=f"use one of {', '.join(network.zones)}",
        )


def _proxy(parts: Parts) -> Iterator[Problem]:
    if parts.named("dev", "proxy") and not parts.named("dev", "gitlab"):
        yield Problem(path=("dev", "proxy"), what="nothing uses the proxy", hint="remove it, or add dev.gitlab")


def _push_source(parts: Parts) -> Iterator[Problem]:
    codecommit = parts.valid(CodeCommit)
    if codecommit is None or codecommit.push is None or codecommit.push.from_stack is None:
        return
    path = ("prd", "codecommit", "push", "from_stack")
    source = codecommit.push.from_stack
    part = source.removeprefix("dev-")
    proxied = parts.named("dev", "proxy")
    if not parts.named("dev", part):
        hint = f"add dev.{part}, or give the addresses in from_cidrs"
        yield Problem(path=path, what=f"{source!r} is not part of this deployment", hint=hint)
    elif source == "dev-network" and parts.named("dev", "gitlab") and not proxied:
        hint = "use from_stack: dev-gitlab, or add dev.proxy"
        yield Problem(path=path, what="without a proxy GitLab does not leave through the NAT gateways", hint=hint)
    elif source == "dev-gitlab" and proxied:
        hint = "use from_stack: dev-network, or give the proxy's addresses in from_cidrs"
        yield Problem(path=path, what="with a proxy GitLab's mirrors do not leave from its own address", hint=hint)


def _mirror_targets(parts: Parts) -> Iterator[Problem]:
    backlog, codecommit = parts.valid(Backlog), parts.valid(CodeCommit)
    if backlog is None or (codecommit is None and parts.named("prd", "codecommit")):
        return
    names = codecommit.repositories if codecommit is not None else {}
    for key, mirror in backlog.repositories.items():
        path = ("prd", "backlog", "repositories", key, "target")
        if isinstance(mirror.target, CodeCommitTarget):
            if mirror.target.codecommit not in names:
                what = f"{mirror.target.codecommit!r} is not one of prd.codecommit.repositories"
                hint = "add it there, or write create: to have the bridge create it"
                yield Problem(path=(*path, "codecommit"), what=what, hint=hint)
        elif mirror.target.create in names:
            what = f"{mirror.target.create!r} is also one of prd.codecommit.repositories"
            hint = "write codecommit: to mirror into that one, or choose another name"
            yield Problem(path=(*path, "create"), what=what, hint=hint)
    mirrored = {target_name(mirror) for mirror in backlog.repositories.values()}
    if codecommit is not None and codecommit.push is not None and mirrored.issuperset(names):
        what = "every repository is the target of a Backlog mirror, so there is nothing to push"
        yield Problem(path=("prd", "codecommit", "push"), what=what, hint="leave push out")
