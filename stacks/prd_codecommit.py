"""The production account's repositories, and the two users of them."""

from collections.abc import Iterable

from cdktf import Precondition, Token
from constructs import Construct

from modules import policies
from modules.git_user import GitUser, GitUserProps
from modules.repositories import Repositories, RepositoriesProps, RepositoryProps
from settings import Deployment
from settings.codecommit import CodeCommit, Push, Repository
from stacks import variables
from stacks.base import BaseStack, Output

# The output that holds the addresses a stack's traffic leaves from, as a list of addresses without prefix.
_SOURCE_ADDRESSES = {"dev-network": "values({outputs}.nat_public_ips)", "dev-gitlab": "[{outputs}.public_ip]"}


class PrdCodecommitStack(BaseStack):
    """Repositories, a user that may push from development, and one that may pull from the isolated room."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        deployment: Deployment,
        settings: CodeCommit,
        *,
        mirrored: frozenset[str],
        push_source: BaseStack | None,
    ) -> None:
        """`mirrored` repositories are filled by the Backlog bridge, so the push user has no business with them."""
        super().__init__(scope, id, deployment, "prd")
        wanted = {name: repository or Repository() for name, repository in settings.repositories.items()}
        repositories = Repositories(
            self,
            "repositories",
            RepositoriesProps(
                repositories={name: repository_props(repository) for name, repository in wanted.items()},
                deletion_protected=settings.deletion_protected,
            ),
        ).repositories

        outputs = {
            "clone_urls_https": Output(
                value={name: repository.clone_url_http for name, repository in repositories.items()},
                description="HTTPS clone URLs, for users with Git credentials, by repository.",
            ),
            "clone_urls_codecommit": Output(
                value={name: f"codecommit::{deployment.region}://{name}" for name in repositories},
                description="Clone URLs for git-remote-codecommit, for roles, by repository.",
            ),
        }
        if settings.push is not None:
            names = [name for name in wanted if name not in mirrored]
            push_cidrs = self._push_cidrs(settings.push, push_source)
            push_user = GitUser(
                self,
                "push_user",
                GitUserProps(
                    name=self.labels.name("push", limit=64),
                    allow=[
                        *policies.push([repositories[name].arn for name in names]),
                        *self._keys(wanted[name] for name in names),
                    ],
                    from_cidrs=Token.as_list(f"${{{push_cidrs}}}"),
                    preconditions=[_apart(push_cidrs, "var.pull_from_cidrs")],
                ),
            )
            outputs |= _user_outputs("push", push_user)
        pull_user = GitUser(
            self,
            "pull_user",
            GitUserProps(
                name=self.labels.name("pull", limit=64),
                allow=[
                    *policies.pull([repository.arn for repository in repositories.values()]),
                    *self._keys(wanted.values()),
                ],
                from_cidrs=variables.cidrs(
                    self,
                    "pull_from_cidrs",
                    "Public addresses the pull user works from: the isolated room's way out.",
                    settings.pull.from_cidrs,
                    public=True,
                    may_open_to_the_world=settings.pull.open_to_the_world_because is not None,
                ),
            ),
        )
        self.outputs(outputs | _user_outputs("pull", pull_user))

    def _keys(self, repositories: Iterable[Repository]) -> list[policies.Statement]:
        keys = sorted({repository.kms_key_arn for repository in repositories if repository.kms_key_arn is not None})
        return policies.repository_keys(keys, self.deployment.region)

    def _push_cidrs(self, push: Push, source: BaseStack | None) -> str:
        """A Terraform expression of the networks that may push."""
        if push.from_cidrs is not None:
            variables.cidrs(
                self,
                "push_from_cidrs",
                "Public addresses the push user works from: development's way out.",
                push.from_cidrs,
                public=True,
                may_open_to_the_world=push.open_to_the_world_because is not None,
            )
            return "var.push_from_cidrs"
        if push.from_stack is None or source is None:
            raise ValueError("push needs from_cidrs, or from_stack and that stack")
        addresses = _SOURCE_ADDRESSES[push.from_stack].format(outputs=f"{self.state_of(source).fqn}.outputs")
        return f'[for address in {addresses} : "${{address}}/32"]'


def repository_props(repository: Repository) -> RepositoryProps:
    """A repository's settings as its construct takes them."""
    return RepositoryProps(description=repository.description, kms_key_arn=repository.kms_key_arn)


def _apart(push: str, pull: str) -> Precondition:
    """That no address may both push and pull, whatever the variables and another stack's outputs say by then.

    Two networks overlap when they are the same one under the shorter of their prefixes.
    """
    prefix = 'min(tonumber(split("/", push)[1]), tonumber(split("/", pull)[1]))'

    def masked(network: str) -> str:
        return f'cidrsubnet(format("%s/%d", split("/", {network})[0], {prefix}), 0, 0)'

    overlaps = f"[for push in {push} : [for pull in {pull} : {masked('push')} == {masked('pull')}]]"
    return Precondition(
        condition=f"${{!anytrue(flatten({overlaps}))}}",
        error_message="An address that may pull could also push, and the isolated room must not: keep the lists apart.",
    )


def _user_outputs(role: str, user: GitUser) -> dict[str, Output]:
    return {
        f"{role}_user_name": Output(value=user.user.name, description=f"Name of the IAM user that may {role}."),
        f"{role}_user_arn": Output(value=user.user.arn, description=f"ARN of the IAM user that may {role}."),
    }
