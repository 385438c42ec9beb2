"""The production account's repositories, and the users of them."""

from collections.abc import Iterable, Mapping

from cdktf import Precondition, Token
from constructs import Construct

from modules.audit_trail import AuditTrail, AuditTrailProps
from modules.git_detection import IAM_REGION, GitDetection, GitDetectionProps
from modules.git_user import GitUser, GitUserProps
from modules.policies import git_users, sizes
from modules.policies.statement import PolicyStatement
from modules.repositories import Repositories, RepositoriesProps, RepositoryProps
from settings import Deployment
from settings.backlog import CodeCommitTargetSettings, CreatedTargetSettings
from settings.codecommit import CodeCommitSettings, PullSettings, PushSettings, RepositorySettings, RoomSettings
from stacks import variables
from stacks.base import BaseStack, Output

# The output that holds the addresses a stack's traffic leaves from, as a list of addresses without prefix.
_SOURCE_ADDRESSES = {"dev-network": "values({outputs}.nat_public_ips)", "dev-gitlab": "[{outputs}.public_ip]"}

_ROOMS_MUST_NOT_PUSH = "An address that may pull could also push, and the isolated room must not: keep the lists apart."
_ROOMS_ARE_APART = "An address of this room is also one of another room: give every room addresses of its own."


class PrdCodecommitStack(BaseStack):
    """Repositories, a user that may push from development, and one for each isolated room that may pull."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        deployment: Deployment,
        settings: CodeCommitSettings,
        *,
        mirrored: Mapping[str, CreatedTargetSettings | CodeCommitTargetSettings],
        push_source: BaseStack | None,
    ) -> None:
        """`mirrored` repositories are filled by the Backlog bridge, so the push user has no business with them.

        Those that the bridge creates are pulled from all the same.
        """
        super().__init__(scope, id, deployment, "prd")
        self._settings = settings
        self._mirrored = mirrored
        self._wanted = {name: repository or RepositorySettings() for name, repository in settings.repositories.items()}
        created = {name: target for name, target in mirrored.items() if isinstance(target, CreatedTargetSettings)}
        self._pulled: dict[str, RepositorySettings] = {**self._wanted, **created}
        repositories = Repositories(
            self,
            "repositories",
            RepositoriesProps(
                repositories={name: repository_props(repository) for name, repository in self._wanted.items()},
                deletion_protected=settings.deletion_protected,
            ),
        ).repositories

        # Terraform expressions of the networks that each room pulls from, in the order of the file.
        pulling: list[str] = []
        pull_user = None
        if settings.pull is not None:
            pull_user = self._pull_user(self, "pull_user", "pull", settings.pull, list(self._pulled), pulling)
        rooms = Construct(self, "rooms")
        room_users = {
            name: self._pull_user(rooms, name, f"room_{name}", room, list(room.repositories or self._pulled), pulling)
            for name, room in settings.rooms.items()
        }
        push_user, push_cidrs = None, None
        if settings.push is not None:
            names = [name for name in self._wanted if name not in mirrored]
            push_cidrs = self._push_cidrs(settings.push, push_source)
            push_user = GitUser(
                self,
                "push_user",
                GitUserProps(
                    name=self.labels.git_user("push"),
                    allow=[*git_users.push(self._arns(names)), *self._keys(names)],
                    deny=git_users.only_from(Token.as_list(f"${{{push_cidrs}}}")),
                    preconditions=_apart(push_cidrs, pulling, _ROOMS_MUST_NOT_PUSH),
                ),
            )

        detection = self._detection(settings, [push_cidrs] if push_cidrs else [], pulling)

        self.outputs(
            {
                "clone_urls_https": Output(
                    value={name: repository.clone_url_http for name, repository in repositories.items()},
                    description="HTTPS clone URLs, for users with Git credentials, by repository.",
                ),
                "clone_urls_codecommit": Output(
                    value={name: f"codecommit::{deployment.region}://{name}" for name in repositories},
                    description="Clone URLs for git-remote-codecommit, for roles, by repository.",
                ),
                **_user_outputs("push", push_user),
                **_user_outputs("pull", pull_user),
                **_room_outputs(room_users),
                **_detection_outputs(detection),
            }
        )

    def _pull_user(
        self, scope: Construct, id: str, prefix: str, room: PullSettings, names: list[str], pulling: list[str]
    ) -> GitUser:
        """A room's user, who may pull `names`; adds to `pulling` the networks of a room that has any."""
        name = self.labels.git_user("pull", *([id] if isinstance(room, RoomSettings) else []))
        allow, keys = git_users.pull(self._arns(names)), self._keys(names)
        if room.from_vpc_endpoints is not None:
            endpoints = list(room.from_vpc_endpoints)
            allow = [*git_users.through(endpoints, allow), *keys]
            return GitUser(scope, id, GitUserProps(name=name, allow=allow, deny=git_users.only_through(endpoints)))
        cidrs = variables.cidrs(
            self,
            f"{prefix}_from_cidrs",
            "Public addresses the pull user works from: the isolated room's way out.",
            room.from_cidrs or (),
            public=True,
            may_open_to_the_world=room.open_to_the_world_because is not None,
        )
        own = f"var.{prefix}_from_cidrs"
        preconditions = _apart(own, pulling, _ROOMS_ARE_APART)
        pulling.append(own)
        return GitUser(
            scope,
            id,
            GitUserProps(
                name=name, allow=[*allow, *keys], deny=git_users.only_from(cidrs), preconditions=preconditions
            ),
        )

    def _detection(self, settings: CodeCommitSettings, pushing: list[str], pulling: list[str]) -> GitDetection | None:
        if settings.detection is None:
            return None
        rooms = [*([settings.pull] if settings.pull is not None else []), *settings.rooms.values()]
        region = self.deployment.region
        if settings.detection.trail_retention_days is not None:
            AuditTrail(
                self,
                "audit_trail",
                AuditTrailProps(
                    labels=self.labels,
                    region=region,
                    account_id=self.account.id,
                    retention_days=variables.whole_number(
                        self,
                        "trail_retention_days",
                        "How long the trail's files are kept, days.",
                        settings.detection.trail_retention_days,
                        low=1,
                        high=3650,
                    ),
                    deletion_protected=settings.deletion_protected,
                ),
            )
        return GitDetection(
            self,
            "detection",
            GitDetectionProps(
                labels=self.labels,
                region=region,
                account_id=self.account.id,
                emails=settings.detection.emails,
                push_cidrs=pushing,
                # A push mirror looks first at what is there.
                pull_cidrs=[*pushing, *pulling],
                vpc_endpoint_ids=[endpoint for room in rooms for endpoint in room.from_vpc_endpoints or ()],
                builder_role_prefix=self.labels.name("backlog-mirror", "") if self._mirrored else None,
                git_user_prefixes=[self.labels.name(role) for role in ("push", "pull")],
                iam_provider=None if region == IAM_REGION else self.provider_of(IAM_REGION),
            ),
        )

    def _arns(self, names: list[str]) -> list[str]:
        return sizes.repository_arns(
            names,
            everything={*self._wanted, *self._mirrored},
            own_prefixes=self._settings.own_prefixes,
            place=f"{self.deployment.region}:{self.account.id}",
        )

    def _keys(self, names: Iterable[str]) -> list[PolicyStatement]:
        keys = {key for name in names if (key := self._pulled[name].kms_key_arn) is not None}
        return git_users.repository_keys(sorted(keys), self.deployment.region)

    def _push_cidrs(self, push: PushSettings, source: BaseStack | None) -> str:
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
        if source is None:
            raise ValueError("push needs from_cidrs, or the stack whose addresses they are")
        addresses = _SOURCE_ADDRESSES[source.node.id].format(outputs=f"{self.state_of(source).fqn}.outputs")
        return f'[for address in {addresses} : "${{address}}/32"]'


def repository_props(repository: RepositorySettings) -> RepositoryProps:
    """A repository's settings as its construct takes them."""
    return RepositoryProps(description=repository.description, kms_key_arn=repository.kms_key_arn)


def _apart(own: str, others: list[str], message: str) -> list[Precondition]:
    """That no address of one list is in the others, whatever variables and another stack's outputs say by then.

    Two networks overlap when they are the same one under the shorter of their prefixes.
    """
    if not others:
        return []
    prefix = 'min(tonumber(split("/", own)[1]), tonumber(split("/", other)[1]))'

    def masked(network: str) -> str:
        return f'cidrsubnet(format("%s/%d", split("/", {network})[0], {prefix}), 0, 0)'

    listed = others[0] if len(others) == 1 else f"concat({', '.join(others)})"
    overlaps = f"[for own in {own} : [for other in {listed} : {masked('own')} == {masked('other')}]]"
    return [Precondition(condition=f"${{!anytrue(flatten({overlaps}))}}", error_message=message)]


def _user_outputs(role: str, user: GitUser | None) -> dict[str, Output]:
    if user is None:
        return {}
    return {
        f"{role}_user_name": Output(value=user.user.name, description=f"Name of the IAM user that may {role}."),
        f"{role}_user_arn": Output(value=user.user.arn, description=f"ARN of the IAM user that may {role}."),
    }


def _detection_outputs(detection: GitDetection | None) -> dict[str, Output]:
    if detection is None:
        return {}
    description = "ARN of the topic that hears of Git used from elsewhere and of new credentials."
    return {"detection_topic_arn": Output(value=detection.topic.arn, description=description)}


def _room_outputs(users: Mapping[str, GitUser]) -> dict[str, Output]:
    if not users:
        return {}
    return {
        "room_user_names": Output(
            value={room: user.user.name for room, user in users.items()},
            description="Names of the IAM users that may pull, by room.",
        ),
        "room_user_arns": Output(
            value={room: user.user.arn for room, user in users.items()},
            description="ARNs of the IAM users that may pull, by room.",
        ),
    }
