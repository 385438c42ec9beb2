"""Which stacks a deployment needs, and which of them read another's outputs."""

from cdktf import App

from errors import WRONG_USAGE, refused
from settings import Deployment
from settings.backlog import mirrors, target_name
from stacks.backlog_bridge import BacklogBridgeStack
from stacks.base import BaseStack
from stacks.dev_gitlab import DevGitlabStack
from stacks.dev_network import DevNetworkStack
from stacks.dev_proxy import DevProxyStack
from stacks.prd_codecommit import PrdCodecommitStack


def compose(app: App, deployment: Deployment) -> dict[str, BaseStack]:
    """Every stack of `deployment` in the order they are deployed, by name."""
    stacks: dict[str, BaseStack] = {}
    dev, prd = deployment.dev, deployment.prd
    if dev is not None and dev.network is not None:
        stacks["dev-network"] = DevNetworkStack(app, "dev-network", deployment, dev.network)
    if dev is not None and dev.gitlab is not None:
        network = stacks.get("dev-network")
        if dev.proxy is not None and dev.proxy.squid is not None and network is not None:
            stacks["dev-proxy"] = DevProxyStack(app, "dev-proxy", deployment, dev.proxy.squid, network)
        stacks["dev-gitlab"] = DevGitlabStack(
            app, "dev-gitlab", deployment, dev.gitlab, network=network, built_proxy=stacks.get("dev-proxy")
        )
    filled = mirrors(prd.backlog).values() if prd is not None and prd.backlog is not None else ()
    if prd is not None and prd.backlog is not None and not filled:
        what = "nothing is mirrored: no repository of a project is agreed to"
        hint = "see what there is, and agree to it: main.py backlog-repositories FILE --agree"
        raise refused("prd.backlog.repositories", what, hint, status=WRONG_USAGE)
    if prd is not None and prd.codecommit is not None:
        stacks["prd-codecommit"] = PrdCodecommitStack(
            app,
            "prd-codecommit",
            deployment,
            prd.codecommit,
            mirrored={target_name(mirror): mirror.target for mirror in filled},
            push_source=stacks[deployment.push_stack] if deployment.push_stack is not None else None,
        )
    if prd is not None and prd.backlog is not None:
        codecommit = stacks.get("prd-codecommit")
        stacks["backlog-bridge"] = BacklogBridgeStack(
            app, "backlog-bridge", deployment, prd.backlog, codecommit=codecommit
        )
    return stacks
