"""A promise about builds: all that a build may do beside mirroring is listed here, and on what."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from iam import powers
from iam.chains import ASSUME
from iam.model import Unit
from iam.promises.least_privilege import NETWORK_INTERFACES, REPOSITORY_KEYS, WRITE_LOGS
from iam.promises.promise import Breach, PromiseSubject, promise
from iam.statements import Statement

_LEND = "ec2:CreateNetworkInterfacePermission"
_BUILDS = "codebuild.amazonaws.com"


@dataclass(frozen=True)
class _Permission:
    """Actions on resources; `only` are conditions by key. Actions and keys are in lower case, which AWS ignores."""

    actions: Collection[str]
    resources: Collection[str]
    only: Mapping[str, Collection[str]]


def _may(actions: Collection[str], *resources: str, **only: Collection[str]) -> _Permission:
    return _Permission([action.lower() for action in actions], resources, only)


def _permissions(unit: Unit) -> Iterator[_Permission]:
    uses, here = unit.uses, f"{unit.region}:{unit.account}"
    ssh_key, state, *notify = (
        f"arn:aws:ssm:{here}:parameter{name}"
        for name in (uses.ssh_key_parameter, uses.state_parameter, uses.notify_parameter)
        if name is not None
    )
    # A project's builds write to the log group of its name.
    yield _may(WRITE_LOGS, f"arn:aws:logs:{here}:log-group:/aws/codebuild/{unit.name}:*")
    yield _may(["ssm:GetParameter"], ssh_key, state, *notify)
    yield _may(["ssm:PutParameter"], state)
    yield _may(["s3:GetObject", "s3:GetObjectVersion"], *(f"arn:aws:s3:::{one}" for one in uses.program))
    # The promise builds-tell-of-mirrors-alone says which events.
    yield _may(["events:PutEvents"], f"arn:aws:events:{here}:event-bus/default")
    if uses.cache is not None:
        yield _may(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{uses.cache}/*")
    if uses.ssh_key_kms_key is not None:
        yield _may(["kms:Decrypt"], uses.ssh_key_kms_key, **{"kms:encryptioncontext:parameter_arn": [ssh_key]})
    codecommit = f"codecommit.{unit.region}.amazonaws.com"
    yield _may(REPOSITORY_KEYS, *uses.target_kms_keys, **{"kms:viaservice": [codecommit]})
    if uses.subnets:
        subnets = [f"arn:aws:ec2:{here}:subnet/{subnet}" for subnet in uses.subnets]
        lent = {"ec2:authorizedservice": [_BUILDS], "ec2:subnet": subnets}
        yield _may(NETWORK_INTERFACES - {_LEND}, "*")
        yield _may([_LEND], f"arn:aws:ec2:{here}:network-interface/*", **lent)


@promise(
    id="builds-use-their-own",
    what="beside mirroring, a build uses its unit's key, program, state, log and cache, the chat's address and its "
    "account's events, and nothing else",
    why="what takes over one build may read no other unit's key, and change nothing that others rely on",
)
def builds_use_their_own(subject: PromiseSubject) -> Iterator[Breach]:
    for role in subject.roles:
        if _BUILDS in role.trusted_services and role.arn not in subject.builds:
            yield Breach(place=role.address, what=f"{role.name} is for builds, and no unit has it")
    for unit in subject.model.units:
        permissions, roles = list(_permissions(unit)), subject.roles_of(unit)
        if not roles:
            yield Breach(place=unit.address, what=f"has the role {unit.role}, of which the deployment says nothing")
        for role in roles:
            for statement in powers.allowing(role):
                for beyond in _beyond(statement, permissions):
                    yield Breach(place=statement.place, what=f"lets {role.name} {beyond}")


def _beyond(statement: Statement, permissions: Collection[_Permission]) -> Iterator[str]:
    """What a statement allows that no permission does; other promises say what a build may do in CodeCommit and STS."""
    for action in powers.actions(statement):
        if action.lower().startswith("codecommit:") or action.lower() == ASSUME:
            continue
        for resource in powers.named_resources(statement):
            fitting = [one for one in permissions if action.lower() in one.actions and resource in one.resources]
            if not any(_meets(statement, one) for one in fitting):
                what = f"{powers.as_written(action)} on {resource}"
                yield f"{what} without the conditions for it" if fitting else f"{what}, which its unit does not own"


def _meets(statement: Statement, permission: _Permission) -> bool:
    """Whether a statement has every condition of a permission, with its values or fewer."""
    demanded = [
        condition
        for condition in statement.conditions
        if condition.operator in ("StringEquals", "ArnEquals") and not (condition.if_exists or condition.quantifier)
    ]
    return all(
        any(one.key == key and set(one.values) <= set(values) for one in demanded)
        for key, values in permission.only.items()
    )
