"""Issues, lists, rotates and revokes the Git credentials of a deployment's users.

A user has two credentials at most, which is what IAM allows, and never none while it is being rotated.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from errors import refused
from modules.labels import Labels
from ops.git_access.credential_store import CURRENT, PENDING, PREVIOUS, Credential, CredentialStore, Situation
from ops.git_access.users import GitUser, codecommit, git_user, git_users, production_labels
from ops.production import production
from ops.steps import Steps
from settings import Deployment

if TYPE_CHECKING:
    import boto3  # type: ignore[import-untyped]

    from ops.git_access.mirrors import PushMirrors

ALL = "all"


def issue(deployment: Deployment, asked: str, *, dry_run: bool) -> None:
    """Give a user its first credential, and say where it is. Does nothing where the user has one."""
    store = _store(deployment, git_user(deployment, asked))
    steps = Steps(dry_run=dry_run)
    situation = _without_lost(store, steps)
    if situation.holding(CURRENT) is None:
        if situation.kept:
            raise refused(
                store.user.name,
                f"it has a credential that is not in its secret: {_ids(situation.kept)}",
                f"replace it: credentials rotate {store.user.role}",
            )
        if steps.take(f"create a credential of {store.user.name} in the secret {store.user.secret}"):
            store.issue(situation, CURRENT)
    if not dry_run:
        _say_where(store.user)


def rotate(deployment: Deployment, asked: str, *, mirrors: "Callable[[], PushMirrors]", dry_run: bool) -> None:
    """Replace a user's credential.

    Where GitLab's mirrors use it, the first is deleted once every mirror has succeeded with the second. Nobody can see
    when people have changed over: then the first stays until `revoke --superseded`.
    """
    store = _store(deployment, git_user(deployment, asked))
    pushed_by_gitlab = store.user.role == "push" and _has_projects(deployment)
    # Before anything is changed: a token that is missing is found out here.
    carriers = mirrors() if pushed_by_gitlab else None
    steps = Steps(dry_run=dry_run)
    situation = _without_lost(store, steps)
    second = _second(store.user, situation)
    if second is None:
        if not situation.kept:
            raise refused(
                store.user.name, "it has no credential yet", f"give it one: credentials issue {store.user.role}"
            )
        if steps.take(f"create a second credential of {store.user.name} in the secret {store.user.secret}"):
            second = store.issue(situation, PENDING)
            situation = store.look()
    if carriers is not None:
        superseded = carriers.hand_over(store, situation, second, steps)
        _promote(store, situation, second, steps)
        carriers.delete(superseded, steps)
        _delete(store, [found for found in situation.kept if found != second], steps, second)
    else:
        _promote(store, situation, second, steps)
    if not dry_run:
        _say_where(store.user)
        if carriers is None:
            print(
                "the first credential still works; when all who use it have the second: "
                f"credentials revoke {store.user.role} --superseded",
                file=sys.stderr,
            )


def revoke(
    deployment: Deployment, asked: str, *, superseded: bool = False, credential_id: str | None = None, dry_run: bool
) -> None:
    """Delete a user's credentials: the one named, those that the current one replaced, or all and the secret."""
    store = _store(deployment, git_user(deployment, asked))
    steps = Steps(dry_run=dry_run)
    situation = store.look()
    if credential_id is not None:
        named = [found for found in situation.credentials if found.id == credential_id]
        if not named:
            has = _ids(situation.credentials) or "none"
            raise refused("--id", f"{store.user.name} has no credential '{credential_id}'", f"it has {has}")
        _delete(store, named, steps)
        return
    if superseded:
        current = situation.holding(CURRENT)
        if current is None or situation.holding(PENDING) is not None:
            raise refused(
                store.user.name,
                "no credential in its secret has replaced another",
                f"finish first: credentials rotate {store.user.role}",
            )
        _delete(store, [found for found in situation.credentials if found != current], steps, current)
        return
    _delete(store, situation.credentials, steps)
    if situation.secret_exists and not situation.is_deleted and steps.take(f"delete the secret {store.user.secret}"):
        store.delete_secret()


def listed(deployment: Deployment, asked: str = ALL) -> None:
    """Print every credential with its age and place, and warn of old ones."""
    users = git_users(deployment) if asked == ALL else [git_user(deployment, asked)]
    most = codecommit(deployment).credentials.max_age_days
    session = production(deployment)
    rows, warnings = [("user", "credential", "age", "status", "in the secret")], []
    for user in users:
        situation = _store(deployment, user, session).look()
        for found in situation.credentials:
            status = "active" if found.is_active else "inactive"
            place = _place(situation, found)
            rows.append((user.name, found.id, f"{found.age_days} d", status, place))
            if found.age_days > most:
                warnings.append(
                    f"warning: {user.name}: {found.id} is {found.age_days} days old, more than {most}\n"
                    f"hint: credentials rotate {user.role}"
                )
        if not situation.credentials:
            rows.append((user.name, "none", "", "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    for warning in warnings:
        print(warning, file=sys.stderr)


def push_store(deployment: Deployment) -> CredentialStore:
    """The push user's credentials, which GitLab's mirrors use."""
    return _store(deployment, git_user(deployment, "push"))


def _store(deployment: Deployment, user: GitUser, session: "boto3.Session | None" = None) -> CredentialStore:
    labels: Labels = production_labels(deployment)
    return CredentialStore(
        session or production(deployment),
        user,
        kms_key_arn=codecommit(deployment).credentials.kms_key_arn,
        tags=labels.default_tags(deployment.tags),
    )


def _without_lost(store: CredentialStore, steps: Steps) -> Situation:
    """What there is once the credentials are gone whose password a stopped command took with it."""
    situation = store.look()
    for lost in situation.lost:
        if steps.take(f"delete {lost.id}, which a stopped command created and did not store"):
            store.delete(lost)
    return store.look() if situation.lost and not steps.dry_run else situation


def _second(user: GitUser, situation: Situation) -> Credential | None:
    """The credential that takes over, where a rotation is under way."""
    kept = situation.kept
    pending, current = situation.holding(PENDING), situation.holding(CURRENT)
    second = pending or current
    if second is not None and not second.is_active:
        raise refused(
            user.name,
            f"{second.id}, which is in its secret, is inactive",
            "set it to active in IAM, or revoke it and issue another",
        )
    if len(kept) < 2:
        # A pending one that is alone has lost the first to somebody: what is left to do is to hand it over.
        return pending if pending is not None and pending != current else None
    if second is None:
        raise refused(
            user.name,
            f"it has two credentials, and neither is in its secret: {_ids(kept)}",
            f"delete the one that nobody uses: credentials revoke {user.role} --id ID",
        )
    other = next(found for found in kept if found != second)
    if other.created > second.created and not situation.stages_of(other):
        raise refused(
            user.name,
            f"{other.id} was created after the one in its secret, and not by this command",
            f"delete it if nobody uses it: credentials revoke {user.role} --id {other.id}",
        )
    return second


def _promote(store: CredentialStore, situation: Situation, second: Credential | None, steps: Steps) -> None:
    stages = () if second is None else situation.stages_of(second)
    if CURRENT in stages and PENDING not in stages:
        return
    if steps.take(f"make the second credential the current one of {store.user.secret}") and second is not None:
        store.promote(second)


def _delete(
    store: CredentialStore,
    credentials: "tuple[Credential, ...] | list[Credential]",
    steps: Steps,
    but: Credential | None = None,
) -> None:
    for credential in credentials:
        if credential != but and steps.take(f"delete credential {credential.id} of {store.user.name}"):
            store.delete(credential)


def _has_projects(deployment: Deployment) -> bool:
    return any(found is not None and found.gitlab_project for found in codecommit(deployment).repositories.values())


def _place(situation: Situation, credential: Credential) -> str:
    names = {CURRENT: "current", PENDING: "pending", PREVIOUS: "previous"}
    if credential in situation.lost:
        return "lost"
    return ", ".join(names[stage] for stage in situation.stages_of(credential) if stage in names) or "no"


def _ids(credentials: tuple[Credential, ...]) -> str:
    return ", ".join(found.id for found in credentials)


def _say_where(user: GitUser) -> None:
    print(f"the credential of {user.name} is in the secret {user.secret}")
