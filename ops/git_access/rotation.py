"""Replaces a user's credential without a moment in which the user has none.

IAM allows two credentials for each user. Every step first reads whether it was done already, so a rotation that was
stopped anywhere continues when it is run again. docs/credentials.md says how each step is recognised as done.
"""

import sys
from collections.abc import Callable

from pydantic import SecretStr

from errors import refused
from ops.git_access.credential_store import CURRENT, PENDING, Credential, CredentialState, CredentialStore
from ops.git_access.mirror_client import MirrorClient, has_mirrors
from ops.git_access.users import CredentialUser, git_user
from ops.steps import Steps
from settings import Deployment


def rotate(
    deployment: Deployment, user_name: str, *, connect_mirrors: Callable[[], MirrorClient], dry_run: bool
) -> None:
    """Replace a user's credential, and delete the first where GitLab's mirrors are the only ones that use it.

    Where people use the credentials, nothing shows when all of them have changed to the second. The first then stays
    until `revoke --superseded`; so does the push user's where the deployment no longer wants a mirror.
    """
    user = git_user(deployment, user_name)
    store = CredentialStore(deployment, user)
    # Connects before anything is changed, so that a missing token is noticed first.
    mirrors = connect_mirrors() if user.role == "push" and has_mirrors(deployment) else None
    keeps_first = mirrors is None or not mirrors.wanted
    steps = Steps(dry_run=dry_run)

    second = _second_credential(user, store.read())
    if mirrors is not None:
        # What would stop the rotation half-way is said before it begins.
        mirrors.check(mirrors.find(), _id(second))
    state = store.delete_lost(steps)
    if second is None and steps.take(f"create a second credential of {user.name} in the secret {user.secret}"):
        second = store.issue(state, PENDING)
        state = store.read()

    if mirrors is None:
        _promote(store, state, second, steps)
    else:
        switched = mirrors.switch(mirrors.find(), _id(second), login=lambda: _login(store, second), steps=steps)
        mirrors.prove(switched.unproved, steps)
        _promote(store, state, second, steps)
        mirrors.delete(switched.superseded, steps)
        if not keeps_first:
            store.delete([found for found in state.usable if found != second], steps)

    if not dry_run:
        print(f"the credential of {user.name} is in the secret {user.secret}")
        if keeps_first:
            print(
                "the first credential still works; when all who use it have the second: "
                f"credentials revoke {user.role} --superseded",
                file=sys.stderr,
            )


def _second_credential(user: CredentialUser, state: CredentialState) -> Credential | None:
    """The credential that replaces the first, where a stopped rotation has created it.

    Raises RefusedError for credentials that no rotation can have left behind.
    """
    usable, pending, current = state.usable, state.at(PENDING), state.at(CURRENT)
    if not usable:
        raise refused(user.name, "it has no credential yet", f"give it one: credentials issue {user.role}")
    second = pending or current
    if second is not None and not second.is_active:
        raise refused(
            user.name,
            f"{second.id}, which is in its secret, is inactive",
            "set it to active in IAM, or revoke it and issue another",
        )
    if len(usable) == 1:
        # A single pending credential is the second of a rotation whose first was deleted by somebody.
        return pending if pending != current else None
    if second is None:
        raise refused(
            user.name,
            f"it has two credentials, and neither is in its secret: {', '.join(found.id for found in usable)}",
            f"delete the one that nobody uses: credentials revoke {user.role} --id ID",
        )
    other = next(found for found in usable if found != second)
    if other.created > second.created and not state.stages_of(other):
        raise refused(
            user.name,
            f"{other.id} was created after the one in its secret, and not by this command",
            f"delete it if nobody uses it: credentials revoke {user.role} --id {other.id}",
        )
    return second


def _id(credential: Credential | None) -> str:
    """The credential's id; that of none, in a dry run that would have created it, is no mirror's."""
    return "" if credential is None else credential.id


def _login(store: CredentialStore, credential: Credential | None) -> tuple[str, SecretStr]:
    if credential is None:
        raise AssertionError("a dry run creates no mirror")
    return store.login(credential)


def _promote(store: CredentialStore, state: CredentialState, second: Credential | None, steps: Steps) -> None:
    stages = () if second is None else state.stages_of(second)
    if CURRENT in stages and PENDING not in stages:
        return
    if steps.take(f"make the second credential the current one of {store.user.secret}") and second is not None:
        store.promote(second)
