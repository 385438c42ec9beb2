"""Sets up, shows and starts the push mirrors of GitLab's projects into production's repositories."""

import sys
from pathlib import Path

from errors import refused
from errors.shown import printable, shortened
from ops.git_access import credentials
from ops.git_access.credential_store import CURRENT, PENDING
from ops.git_access.gitlab_api import connect
from ops.git_access.mirrors import PATIENCE_SECONDS, PushMirrors, stale_because, wanted_mirrors
from ops.steps import Steps
from settings import Deployment


def connected(
    deployment: Deployment, token_file: Path | None, *, patience_seconds: float = PATIENCE_SECONDS
) -> PushMirrors:
    """The deployment's mirrors. Raises RefusedError where GitLab's address or token is missing."""
    return PushMirrors(connect(deployment, token_file), wanted_mirrors(deployment), patience_seconds=patience_seconds)


def apply(deployment: Deployment, mirrors: PushMirrors, *, dry_run: bool) -> None:
    """Create the mirrors that are missing, correct those that differ, and leave all others alone."""
    if not mirrors.wanted:
        print("nothing to do: no repository of the deployment names a gitlab_project", file=sys.stderr)
        return
    store = credentials.push_store(deployment)
    situation = store.look()
    current = situation.holding(CURRENT)
    if current is None:
        raise refused(store.user.name, "it has no credential in its secret", "give it one: credentials issue push")
    if situation.holding(PENDING) is not None:
        raise refused(store.user.name, "its credential is being rotated", "finish it: credentials rotate push")
    steps = Steps(dry_run=dry_run)
    replaced = mirrors.hand_over(store, situation, current, steps)
    mirrors.delete(replaced, steps)
    if not dry_run:
        for wanted in mirrors.wanted:
            print(f"{wanted.project} is mirrored to {wanted.target}")


def status(mirrors: PushMirrors) -> bool:
    """Print how every mirror is; returns whether all can be relied on."""
    rows, complaints = [("repository", "project", "last success", "status")], []
    for wanted, found in mirrors.found().items():
        if not found:
            rows.append((wanted.repository, wanted.project, "never", "no mirror"))
            complaints.append(_complaint(wanted.where, "there is no mirror", "run gitlab-mirror apply"))
            continue
        mirror = found[-1]
        success = "never" if mirror.succeeded is None else f"{mirror.succeeded:%Y-%m-%d %H:%M UTC}"
        rows.append((wanted.repository, wanted.project, success, mirror.status if mirror.enabled else "disabled"))
        # A push to a branch that is not protected is none of such a mirror's business.
        pushed = None if wanted.only_protected_branches else mirrors.last_push(wanted)
        if reason := stale_because(mirror, wanted, pushed):
            said = f": {printable(shortened(mirror.error))}" if mirror.error else ""
            hint = (
                "run gitlab-mirror apply"
                if "deployment" in reason or "disabled" in reason
                else "mend what it says, and run gitlab-mirror sync"
            )
            complaints.append(_complaint(wanted.where, f"{reason}{said}", hint))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return not complaints


def sync(mirrors: PushMirrors) -> None:
    """Have every mirror run now, and wait until all have succeeded."""
    mirrors.sync()
    for wanted in mirrors.wanted:
        print(f"{wanted.project} is mirrored to {wanted.target}")


def _complaint(where: str, what: str, hint: str) -> str:
    return str(refused(where, what, hint))
