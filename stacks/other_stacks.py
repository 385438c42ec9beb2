"""What people change or apply in other stacks, too, where they change a list in the HCL of one."""

from settings import Deployment
from settings.backlog import CodeCommitTargetSettings, mirrors
from settings.codecommit import CodeCommitSettings

# The handover writes a local value for a single room, too, unless another one does not fit.
_ROOM = "local.rooms (without it, in iam_rooms.tf)"


def of_zones(deployment: Deployment) -> list[str]:
    """For those who add a zone to dev-network."""
    has_proxy = _has_proxy(deployment)
    push = codecommit.push if (codecommit := _codecommit(deployment)) is not None else None
    readers = [
        *(["dev-proxy"] if has_proxy else []),
        *(["prd-codecommit"] if deployment.push_stack == "dev-network" else []),
    ]
    return [
        *([f"When you add or remove a zone, apply {' and '.join(readers)}, too."] if readers else []),
        *(
            ["When you add a NAT gateway, add its address to push_from_cidrs of prd-codecommit, too."]
            if has_proxy and push is not None and push.from_cidrs is not None
            else []
        ),
    ]


def with_network_cidr(deployment: Deployment) -> str | None:
    """What else has the addresses of dev-network's VPC."""
    if not _has_proxy(deployment):
        return None
    return "in dev-proxy the rule in security_groups.tf and squid.conf in user_data/proxy.yaml"


def of_repositories(deployment: Deployment) -> list[str]:
    """For those who remove a repository from prd-codecommit."""
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    targets = [it.target for it in mirrors(backlog).values()] if backlog is not None else []
    if not any(isinstance(it, CodeCommitTargetSettings) for it in targets):
        return []
    return ["When you remove a repository that a mirror fills, remove the mirror in backlog-bridge first."]


def of_rooms(deployment: Deployment) -> list[str]:
    """For those who add, change or remove a room in prd-codecommit."""
    codecommit = _codecommit(deployment)
    if codecommit is None or not codecommit.rooms or not deployment.work_terminals:
        return []
    return [
        "When you add, change or remove a room, do the same with its networks in dev-gitlab: in variables.tf, in the "
        "check of work_terminal_cidrs."
    ]


def of_mirrors(deployment: Deployment) -> list[str]:
    """For those who add a mirror or a space to backlog-bridge."""
    codecommit = _codecommit(deployment)
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    if codecommit is None or backlog is None:
        return []
    pull = [
        *(["iam_pull_user.tf"] if codecommit.pull is not None else []),
        *(["local.rooms" if len(codecommit.rooms) > 1 else _ROOM] if codecommit.rooms else []),
    ]
    # What has a role of its own.
    unit = "mirror" if backlog.isolation == "repository" else "space"
    return [
        *(
            [
                "When you add or remove a repository, do the same in prd-codecommit with what users may pull, unless a "
                f"wildcard there includes it: in {' and in '.join(pull)}."
            ]
            if pull
            else []
        ),
        *(
            [
                "When you add a mirror into a repository of prd-codecommit, give the repository the tag "
                "kakehashi:mirrored-by there, and see that iam_push_user.tf leaves it out."
            ]
            if codecommit.push is not None
            else []
        ),
        *(
            [f"When you add a {unit}, add its role in prd-codecommit to those in eventbridge.tf, or its pushes alert."]
            if codecommit.detection is not None
            else []
        ),
    ]


def _has_proxy(deployment: Deployment) -> bool:
    proxy = deployment.dev.proxy if deployment.dev is not None else None
    return proxy is not None and proxy.squid is not None


def _codecommit(deployment: Deployment) -> CodeCommitSettings | None:
    return deployment.prd.codecommit if deployment.prd is not None else None
