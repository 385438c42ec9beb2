"""Sets up, checks and runs the push mirrors of GitLab's projects into production's repositories."""

import sys
from pathlib import Path

from errors import RefusedError, refused
from ops.git_access import PATIENCE_SECONDS
from ops.git_access.credential_store import CURRENT, PENDING, CredentialStore
from ops.git_access.mirror_client import MirrorClient
from ops.git_access.mirrors import Remedy, wanted_mirrors
from ops.git_access.rotation import switch_mirrors
from ops.git_access.table import print_table
from ops.git_access.users import git_user
from ops.steps import Steps
from settings import Deployment


def connected(
    deployment: Deployment, token_file: Path | None, *, patience_seconds: float = PATIENCE_SECONDS
) -> MirrorClient | None:
    """The deployment's mirrors. Where no repository names a GitLab project, says so and returns None, without a token.

    Raises RefusedError where GitLab's address or token is missing.
    """
    if not wanted_mirrors(deployment):
        print("nothing to mirror: no repository names gitlab_project", file=sys.stderr)
        return None
    return MirrorClient.connected(deployment, token_file, patience_seconds=patience_seconds)


def apply(deployment: Deployment, mirrors: MirrorClient, *, dry_run: bool) -> None:
    """Create the missing mirrors, correct those that differ, and leave mirrors to other targets alone."""
    user = git_user(deployment, "push")
    store = CredentialStore(deployment, user)
    state = store.read()
    current = state.at(CURRENT)
    if current is None:
        raise refused(user.name, "it has no credential in its secret", "give it one: credentials issue push")
    if state.at(PENDING) is not None:
        raise refused(user.name, "its credential is being rotated", "finish it: credentials rotate push")
    steps = Steps(dry_run=dry_run)
    switched = switch_mirrors(mirrors, store, state, current, steps)
    mirrors.prove(switched.unproved, steps)
    mirrors.delete(switched.superseded, steps)
    if not dry_run:
        _print_targets(mirrors)


def status(mirrors: MirrorClient) -> bool:
    """Print the state of every mirror; returns whether all are in order."""
    rows, problems = [("repository", "project", "last success", "status")], []
    for wanted, found in mirrors.find_own().items():
        if not found:
            rows.append((wanted.repository, wanted.project, "never", "no mirror"))
            problems.append(refused(wanted.where, "there is no mirror", Remedy.APPLY.value))
            continue
        mirror = found[-1]
        success = "never" if mirror.succeeded is None else f"{mirror.succeeded:%Y-%m-%d %H:%M UTC}"
        state = mirror.status if mirror.attributes["enabled"] else "disabled"
        rows.append((wanted.repository, wanted.project, success, state))
        # A mirror of protected branches does not run for a push to another branch.
        last_push = None if wanted.only_protected_branches else mirrors.last_push(wanted)
        if fault := mirror.fault(wanted, last_push):
            what = f"{fault.what}: {mirror.error}" if mirror.error else fault.what
            problems.append(refused(wanted.where, what, fault.remedy.value))
    print_table(rows)
    if problems:
        print(RefusedError(problem for each in problems for problem in each.problems), file=sys.stderr)
    return not problems


def sync(mirrors: MirrorClient) -> None:
    """Run every mirror now, and wait until all have succeeded."""
    mirrors.sync()
    _print_targets(mirrors)


def _print_targets(mirrors: MirrorClient) -> None:
    for wanted in mirrors.wanted:
        print(f"{wanted.project} is mirrored to {wanted.target}")
