"""Issues, lists and revokes the Git credentials of a deployment's users; rotation.py replaces them."""

import sys

from errors import Problem, refused
from ops.git_access.credential_store import CURRENT, PENDING, PREVIOUS, Credential, CredentialState, CredentialStore
from ops.git_access.table import print_table
from ops.git_access.users import codecommit, git_user, git_users
from ops.production import production
from ops.steps import Steps
from settings import Deployment


def issue(deployment: Deployment, user_name: str, *, dry_run: bool) -> None:
    """Create a user's first credential, and print where it is. Creates nothing where the user has one."""
    user = git_user(deployment, user_name)
    store = CredentialStore(deployment, user)
    steps = Steps(dry_run=dry_run)
    state = store.delete_lost(steps)
    if state.at(CURRENT) is None:
        if state.usable:
            raise refused(
                user.name,
                f"it has a credential that is not in its secret: {_ids(state.usable)}",
                f"replace it: credentials rotate {user.role}",
            )
        if steps.take(f"create a credential of {user.name} in the secret {user.secret}"):
            store.issue(state, CURRENT)
    if not dry_run:
        print(f"the credential of {user.name} is in the secret {user.secret}")


def revoke(
    deployment: Deployment, user_name: str, *, superseded: bool = False, credential_id: str | None = None, dry_run: bool
) -> None:
    """Delete a user's credentials: the one with this id, those that the current one replaced, or all and the secret."""
    user = git_user(deployment, user_name)
    store = CredentialStore(deployment, user)
    steps = Steps(dry_run=dry_run)
    state = store.read()
    if credential_id is not None:
        chosen = [found for found in state.credentials if found.id == credential_id]
        if not chosen:
            has = _ids(state.credentials) or "none"
            raise refused("--id", f"{user.name} has no credential '{credential_id}'", f"it has {has}")
        store.delete(chosen, steps)
    elif superseded:
        current = state.at(CURRENT)
        if current is None or state.at(PENDING) is not None:
            raise refused(
                user.name,
                "no credential in its secret has replaced another",
                f"finish first: credentials rotate {user.role}",
            )
        store.delete([found for found in state.credentials if found != current], steps)
    else:
        store.delete(state.credentials, steps)
        if state.secret_exists and not state.is_deleted and steps.take(f"delete the secret {user.secret}"):
            store.delete_secret()


def show(deployment: Deployment, user_name: str | None = None) -> None:
    """Print every credential of one user or of all, with its age and where it is stored, and warn of old ones."""
    users = git_users(deployment) if user_name is None else [git_user(deployment, user_name)]
    max_age_days = codecommit(deployment).credentials.max_age_days
    session = production(deployment)
    rows, warnings = [("user", "credential", "age", "status", "in the secret")], []
    for user in users:
        state = CredentialStore(deployment, user, session).read()
        for found in state.credentials:
            status = "active" if found.is_active else "inactive"
            rows.append((user.name, found.id, f"{found.age_days} d", status, _place(state, found)))
            if found.age_days > max_age_days:
                what = f"{found.id} is {found.age_days} days old, more than {max_age_days}"
                warnings.append(Problem(where=user.name, what=what, hint=f"credentials rotate {user.role}"))
        if not state.credentials:
            rows.append((user.name, "none", "", "", ""))
    print_table(rows)
    for warning in warnings:
        print(warning.as_warning(), file=sys.stderr)


def _place(state: CredentialState, credential: Credential) -> str:
    if credential in state.lost:
        return "lost"
    names = {CURRENT: "current", PENDING: "pending", PREVIOUS: "previous"}
    return ", ".join(names[stage] for stage in state.stages_of(credential) if stage in names) or "no"


def _ids(credentials: tuple[Credential, ...]) -> str:
    return ", ".join(found.id for found in credentials)
