"""What must hold between production's repositories, who pushes to them and who pulls."""

from collections.abc import Iterator

from settings.consistency.accounts import kms_key_problems
from settings.consistency.allow_lists import open_list
from settings.consistency.said import Said
from settings.problems import Problem

_CODECOMMIT = ("prd", "codecommit")
_PUSH = (*_CODECOMMIT, "push")
_PULL = (*_CODECOMMIT, "pull")


def _one_push_source(said: Said) -> Iterator[Problem]:
    if said.value(*_PUSH) is None:
        return
    cidrs, stack = (said.names(*_PUSH, key) for key in ("from_cidrs", "from_stack"))
    if cidrs == stack:
        what = "both from_cidrs and from_stack are given" if cidrs else "no source is given"
        yield Problem(path=_PUSH, what=what, hint="give from_cidrs, or from_stack to take them from its outputs")


def _push_stack(said: Said) -> Iterator[Problem]:
    source = said.value(*_PUSH, "from_stack")
    if source is None:
        return
    path = (*_PUSH, "from_stack")
    part = source.removeprefix("dev-")
    proxied = said.names("dev", "proxy")
    if not said.names("dev", part):
        hint = f"add dev.{part}, or give the addresses in from_cidrs"
        yield Problem(path=path, what=f"'{source}' is not part of this deployment", hint=hint)
    elif source == "dev-network" and said.names("dev", "gitlab") and not proxied:
        hint = "use from_stack: dev-gitlab, or add dev.proxy"
        yield Problem(path=path, what="without a proxy GitLab does not leave through the NAT gateways", hint=hint)
    elif source == "dev-network" and said.value("dev", "proxy", "cidrs"):
        hint = "give the addresses that proxy leaves from in from_cidrs"
        yield Problem(path=path, what="a proxy in another network does not leave through the NAT gateways", hint=hint)
    elif source == "dev-gitlab" and proxied:
        hint = "use from_stack: dev-network, or give the proxy's addresses in from_cidrs"
        yield Problem(path=path, what="with a proxy GitLab's mirrors do not leave from its own address", hint=hint)


def _closed(said: Said) -> Iterator[Problem]:
    yield from open_list(said, _PUSH, "from_cidrs")
    yield from open_list(said, _PULL, "from_cidrs")


def _push_and_pull_are_apart(said: Said) -> Iterator[Problem]:
    pulling = said.networks(*_PULL, "from_cidrs")
    for index, network in said.networks(*_PUSH, "from_cidrs"):
        for _, other in pulling:
            if network.overlaps(other):
                yield Problem(
                    path=(*_PUSH, "from_cidrs", index),
                    what=f"'{network}' overlaps '{other}', which may pull",
                    hint="the isolated room must not be able to push: keep the two lists apart",
                )


def _something_to_push(said: Said) -> Iterator[Problem]:
    names = said.all_keys(*_CODECOMMIT, "repositories")
    mirrors = said.keys("prd", "backlog", "repositories")
    mirrored = {said.value("prd", "backlog", "repositories", key, "target", "codecommit") for key in mirrors}
    if names and said.names(*_PUSH) and mirrored.issuperset(names):
        what = "every repository is the target of a Backlog mirror, so there is nothing to push"
        yield Problem(path=_PUSH, what=what, hint="leave push out")


def _keys(said: Said) -> Iterator[Problem]:
    region, account = said.value("region"), said.value("prd", "account", "id")
    for name in said.keys(*_CODECOMMIT, "repositories"):
        path = (*_CODECOMMIT, "repositories", name, "kms_key_arn")
        yield from kms_key_problems(
            said, path, user="the repository", region=region, account=None if account is None else str(account)
        )


RULES = (_one_push_source, _push_stack, _closed, _push_and_pull_are_apart, _something_to_push, _keys)
