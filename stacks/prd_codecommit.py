"""The production account's repositories, and the users of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cdktf import Precondition, TerraformLocal, TerraformProvider, Token
from constructs import Construct

from modules.audit_trail import AuditTrail, AuditTrailProps
from modules.git_detection import IAM_REGION, GitDetection, GitDetectionProps
from modules.git_user import GitUser, GitUserProps
from modules.labels import Labels
from modules.policies import git_users, sizes
from modules.policies.statement import PolicyStatement
from modules.repositories import Repositories, RepositoriesProps, RepositoryProps
from settings import Deployment
from settings.backlog import CodeCommitTargetSettings, CreatedTargetSettings
from settings.codecommit import CodeCommitSettings, PullSettings, PushSettings, RepositorySettings
from stacks import first_steps, other_stacks
from stacks.backlog_units import MIRRORING_ROLE, bridge_units, mirroring_units
from stacks.base import CONFIRM_MAILS, BaseStack, Output
from stacks.isolated_rooms import only_here, pulled_from, room_checks, room_cidrs, room_endpoints
from stacks.operations_variables import NO_TERMINAL, CodecommitVariables
from terraform.address_lists import (
    OVERLAP,
    ROOM_CIDRS,
    ROOM_ENDPOINTS,
    all_public,
    endpoints_of_all_rooms,
    no_overlap,
    of_all_rooms,
    of_other_rooms,
    of_room,
    single_addresses,
)
from terraform.facts import KeptApart, OutputAddresses

# The output with the addresses that a stack's traffic leaves from, and how it becomes a list of them, without prefixes.
_SOURCE_ADDRESSES = {"dev-network": ("nat_public_ips", "values({})"), "dev-gitlab": ("public_ip", "[{}]")}

_ROOMS_MUST_NOT_PUSH = "An address that may pull could also push, and the isolated room must not: keep the lists apart."
_PUSH_IS_PUBLIC = "The stack whose addresses may push has none, or some that are not public: apply it first."
_ROOMS_ARE_APART = "An address of this room is also one of another room: give every room addresses of its own."


@dataclass(frozen=True, kw_only=True)
class RepositoryAccess:
    """What policies allow on `repositories`, which are all that are pulled; `everything` is all of the deployment's."""

    repositories: Mapping[str, RepositorySettings]
    everything: Collection[str]
    own_prefixes: Collection[str]
    region: str
    account_id: str

    def push(self, names: Sequence[str]) -> list[PolicyStatement]:
        """Push to the repositories `names`."""
        return [*git_users.push(self._arns(names)), *self._keys(names)]

    def pull(self, names: Sequence[str], vpc_endpoint_ids: Sequence[str] | None) -> list[PolicyStatement]:
        """Pull from the repositories `names`, through the endpoints alone where there are any."""
        allow = git_users.pull(self._arns(names))
        if vpc_endpoint_ids is not None:
            allow = git_users.through(vpc_endpoint_ids, allow)
        return [*allow, *self._keys(names)]

    def _arns(self, names: Sequence[str]) -> list[str]:
        return sizes.repository_arns(
            names,
            everything=self.everything,
            own_prefixes=self.own_prefixes,
            place=f"{self.region}:{self.account_id}",
        )

    def _keys(self, names: Iterable[str]) -> list[PolicyStatement]:
        keys = {key for name in names if (key := self.repositories[name].kms_key_arn) is not None}
        return git_users.repository_keys(sorted(keys), self.region)


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
        """The Backlog bridge fills `mirrored` repositories, so the push user does not get them; pull users do."""
        super().__init__(scope, id, deployment, "prd")
        variables = CodecommitVariables(self, settings, deployment.work_terminals)
        own = {name: repository or RepositorySettings() for name, repository in settings.repositories.items()}
        created = {name: target for name, target in mirrored.items() if isinstance(target, CreatedTargetSettings)}
        access = RepositoryAccess(
            repositories={**own, **created},
            everything={*own, *mirrored},
            own_prefixes=settings.own_prefixes,
            region=deployment.region,
            account_id=self.account.id,
        )
        mirrored_by = mirroring_units(deployment)
        push_cidrs = self._push_cidrs(settings.push, variables, push_source)

        repositories = Repositories(
            self,
            "repositories",
            RepositoriesProps(
                repositories={
                    name: repository_props(repository, mirrored_by.get(name)) for name, repository in own.items()
                },
                deletion_protected=settings.deletion_protected,
                own_prefixes=settings.own_prefixes,
            ),
        ).repositories
        pull_user = None
        if settings.pull is not None:
            name, pulled = self.labels.git_user("pull"), list(access.repositories)
            props = GitUserProps(
                name=name,
                allow=access.pull(pulled, settings.pull.from_vpc_endpoints),
                deny=only_here(settings.pull, variables.pull_cidrs),
            )
            pull_user = GitUser(self, "pull_user", props)
        room_users = self._room_users(settings, access, variables)
        pushed = access.push([name for name in own if name not in mirrored])
        push_user = None
        if push_cidrs is not None:
            push_user = self._push_user(pushed, settings, variables, push_cidrs, push_source)
        detection = self._detection(settings, variables, push_cidrs)

        self.after_apply(
            first_steps.git_credentials(deployment.region, settings),
            *([CONFIRM_MAILS] if detection is not None else []),
        )
        self.other_stacks(*other_stacks.of_repositories(deployment), *other_stacks.of_rooms(deployment))
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

    def _room_users(
        self, settings: CodeCommitSettings, access: RepositoryAccess, variables: CodecommitVariables
    ) -> dict[str, GitUser]:
        rooms, users = Construct(self, "rooms"), {}
        if settings.rooms:
            TerraformLocal(self, ROOM_CIDRS, room_cidrs(settings))
            TerraformLocal(self, ROOM_ENDPOINTS, room_endpoints(settings))
        for name, room in settings.rooms.items():
            props = GitUserProps(
                name=self.labels.git_user("pull", name),
                allow=access.pull(list(room.repositories or access.repositories), room.from_vpc_endpoints),
                deny=only_here(room, variables.room_cidrs.get(name)),
                preconditions=self._room_checks(name, settings),
            )
            users[name] = GitUser(rooms, name, props)
        return users

    def _room_checks(self, name: str, settings: CodeCommitSettings) -> list[tuple[Precondition, str]]:
        """What holds for every room: in the HCL, a room is an entry of a list, and needs no variable with these checks.

        A room behind VPC endpoints has no networks, so they hold for it.
        """
        terminals = ", ".join(f'"{network}"' for network in self.deployment.work_terminals)
        return [
            *room_checks(name, settings),
            *_apart(of_room(name), pulled_from(settings, of_other_rooms(name)), _ROOMS_ARE_APART),
            *_apart(of_room(name), [f"[{terminals}]"] if terminals else [], NO_TERMINAL),
        ]

    def _push_user(
        self,
        allow: Sequence[PolicyStatement],
        settings: CodeCommitSettings,
        variables: CodecommitVariables,
        cidrs: str,
        source: BaseStack | None,
    ) -> GitUser:
        apart = _apart(cidrs, pulled_from(settings, of_all_rooms()), _ROOMS_MUST_NOT_PUSH)
        if variables.push_cidrs is None and source is not None:
            self._record_apart(source, variables, apart)
            apart.append((Precondition(condition=all_public(cidrs), error_message=_PUSH_IS_PUBLIC), ""))
        props = GitUserProps(
            name=self.labels.git_user("push"),
            allow=allow,
            deny=git_users.only_from(Token.as_list(f"${{{cidrs}}}")),
            preconditions=apart,
        )
        return GitUser(self, "push_user", props)

    def _push_cidrs(
        self, push: PushSettings | None, variables: CodecommitVariables, source: BaseStack | None
    ) -> str | None:
        """A Terraform expression of the networks that may push."""
        if push is None or variables.push_cidrs is not None:
            return variables.push_cidrs
        if source is None:
            raise ValueError("push needs from_cidrs, or the stack whose addresses they are")
        output, _ = _SOURCE_ADDRESSES[source.node.id]
        found = source_addresses(source.node.id, self.state_of(source).fqn)
        self.record(OutputAddresses(expression=f"${{{found}}}", stack=source.node.id, output=output, use="push user"))
        return found

    def _record_apart(
        self, source: BaseStack, variables: CodecommitVariables, apart: Sequence[tuple[Precondition, str]]
    ) -> None:
        """Record that the preconditions `apart` keep every room's networks from the addresses of `source`."""
        output, _ = _SOURCE_ADDRESSES[source.node.id]
        for precondition, _ in apart:
            for own in (variables.pull_cidrs, *variables.room_cidrs.values()):
                if own is None:
                    continue
                self.record(
                    KeptApart(
                        variable=own.removeprefix("var."),
                        stack=source.node.id,
                        output=output,
                        condition=precondition.condition,
                    )
                )

    def _detection(
        self, settings: CodeCommitSettings, variables: CodecommitVariables, push_cidrs: str | None
    ) -> GitDetection | None:
        if settings.detection is None:
            return None
        region = self.deployment.region
        if settings.detection.trail_retention_days is not None:
            AuditTrail(
                self,
                "audit_trail",
                AuditTrailProps(
                    labels=self.labels,
                    region=region,
                    account_id=self.account.id,
                    retention_days=variables.trail_retention_days,
                    deletion_protected=settings.deletion_protected,
                ),
            )
        props = detection_props(
            self.deployment,
            settings,
            self.labels,
            self.account.id,
            push_cidrs=push_cidrs,
            emails=settings.detection.emails,
            iam_provider=None if region == IAM_REGION else self.provider_of(IAM_REGION),
        )
        return GitDetection(self, "detection", props)


def detection_props(
    deployment: Deployment,
    settings: CodeCommitSettings,
    labels: Labels,
    account_id: str,
    *,
    push_cidrs: str | None,
    emails: Sequence[str],
    iam_provider: TerraformProvider | None,
) -> GitDetectionProps:
    """What detection takes; `push_cidrs` is a Terraform expression of a list of networks."""
    pushing = [push_cidrs] if push_cidrs is not None else []
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    pull, rooms = settings.pull or PullSettings(), settings.rooms.values()
    has_networks = bool(pushing) or any(room.from_cidrs is not None for room in (pull, *rooms))
    return GitDetectionProps(
        labels=labels,
        region=deployment.region,
        account_id=account_id,
        emails=emails,
        push_cidrs=pushing,
        # A push mirror first reads what is there. Without any network, every pull is unexpected.
        pull_cidrs=[*pushing, *pulled_from(settings, of_all_rooms())] if has_networks else [],
        vpc_endpoint_ids=pull.from_vpc_endpoints or (),
        room_endpoints=endpoints_of_all_rooms() if settings.rooms else None,
        builder_roles=[unit.mirroring_role for unit in bridge_units(deployment, backlog).values()]
        if backlog is not None
        else [],
        builder_role_prefix=labels.name(MIRRORING_ROLE, ""),
        git_user_prefixes=[labels.name(role) for role in ("push", "pull")],
        iam_provider=iam_provider,
    )


def source_addresses(stack: str, state: str) -> str:
    """A Terraform expression of the networks that a stack's traffic leaves from; `state` is the reference to it."""
    output, listed = _SOURCE_ADDRESSES[stack]
    return single_addresses(listed.format(f"{state}.outputs.{output}"))


def repository_props(repository: RepositorySettings, mirrored_by: str | None) -> RepositoryProps:
    """A repository's settings, and the unit of the bridge that fills it, as its construct takes them."""
    return RepositoryProps(
        description=repository.description, kms_key_arn=repository.kms_key_arn, mirrored_by=mirrored_by
    )


def _apart(own: str, others: list[str], message: str) -> list[tuple[Precondition, str]]:
    """No address of one list may be in the others; checked in the plan, with the values of variables and outputs."""
    return [(Precondition(condition=no_overlap(own, others), error_message=message), OVERLAP)] if others else []


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
    description = "ARN of the topic that receives alerts about Git used from elsewhere and new credentials."
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
