"""Sets up and runs the push mirrors of GitLab's projects into production's repositories."""

import sys
from collections.abc import Collection
from pathlib import Path

from errors import refused
from ops.git_access import PATIENCE_SECONDS
from ops.git_access.credential_store import CURRENT, PENDING, CredentialStore
from ops.git_access.mirror_client import MirrorClient, has_mirrors
from ops.git_access.users import git_user
from ops.steps import Steps
from settings import Deployment


def connected(
    deployment: Deployment, token_file: Path | None, *, patience_seconds: float = PATIENCE_SECONDS
) -> MirrorClient | None:
    """The deployment's mirrors. Where it wants none and has recorded none, says so and returns None, without a token.

    Raises RefusedError where GitLab's address or token is missing.
    """
    if not has_mirrors(deployment):
        print("nothing to mirror: no repository names gitlab_project, and no mirror is recorded", file=sys.stderr)
        return None
    return MirrorClient.connected(deployment, token_file, patience_seconds=patience_seconds)


def apply(
    deployment: Deployment,
    mirrors: MirrorClient,
    *,
    adopt: Collection[str] = (),
    not_ours: Collection[str] = (),
    dry_run: bool,
) -> None:
    """Create the missing mirrors, correct those that differ, delete those that nothing needs, and leave others alone.

    `adopt` and `not_ours` choose mirrors by id, project or `all`, and record them first: the deployment's own, and
    another's.
    """
    steps = Steps(dry_run=dry_run)
    listing = mirrors.decide(mirrors.find(), adopt=adopt, not_ours=not_ours, steps=steps)
    if not mirrors.wanted:
        # Needs no credential: the push user may be gone.
        mirrors.check(listing, "")
        mirrors.delete(listing.obsolete, steps)
        mirrors.forget(listing.missing, steps)
        return
    user = git_user(deployment, "push")
    store = CredentialStore(deployment, user)
    state = store.read()
    current = state.at(CURRENT)
    if current is None:
        raise refused(user.name, "it has no credential in its secret", "give it one: credentials issue push")
    if state.at(PENDING) is not None:
        raise refused(user.name, "its credential is being rotated", "finish it: credentials rotate push")
    mirrors.check(listing, current.id)
    switched = mirrors.switch(listing, current.id, login=lambda: store.login(current), steps=steps)
    mirrors.prove(switched.unproved, steps)
    mirrors.delete(switched.superseded, steps)
    mirrors.forget(listing.missing, steps)
    if not dry_run:
        _print_targets(mirrors)


def sync(mirrors: MirrorClient, *, dry_run: bool) -> None:
    """Run every mirror now, and wait until all have succeeded."""
    mirrors.sync(Steps(dry_run=dry_run))
    if not dry_run:
        _print_targets(mirrors)


def _print_targets(mirrors: MirrorClient) -> None:
    for wanted in mirrors.wanted:
        print(f"{wanted.project} is mirrored to {wanted.target}")
