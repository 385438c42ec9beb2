"""Where the pipeline of another repository takes Kakehashi from: one commit, which nobody can move."""

import re
import subprocess
from dataclasses import dataclass

from errors import WRONG_USAGE, refused
from errors.shown import shown
from settings.place import CHECKOUT

FOLDER = ".kakehashi"
"""Where a pipeline puts it, in the folder of the repository."""

_REPOSITORIES = {
    "github": (r"[\w-]+/[\w.-]+", "OWNER/NAME"),
    "gitlab": (r"https://[\w.-]+(?::\d+)?(?:/[\w.-]+)+", "its URL for a clone, https://HOST/GROUP/NAME.git"),
}
_COMMIT = r"[0-9a-f]{40}"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A commit of a repository, and the tag it was named by."""

    repository: str
    commit: str
    tag: str = ""


def source(text: str, platform: str) -> Source:
    """REPOSITORY@COMMIT or REPOSITORY@TAG, a tag of this checkout. Raises RefusedError."""
    repository, _, revision = text.rpartition("@")
    pattern, form = _REPOSITORIES[platform]
    is_commit = re.fullmatch(_COMMIT, revision) is not None
    commit = revision if is_commit else _commit(revision) if revision and revision.isprintable() else ""
    if not re.fullmatch(pattern, repository, re.ASCII) or not revision:
        # Where the last @ is none of a revision, a password may be before it.
        no_address = f"{shown(repository)} is no address that this platform takes"
        what = no_address if commit else f"{shown(text)} names no commit of a repository"
        hint = f"write REPOSITORY@TAG or REPOSITORY@COMMIT; on this platform, REPOSITORY is {form}"
        raise refused("--kakehashi", what, hint, status=WRONG_USAGE)
    if not commit:
        hint = "check that tag out here, or write the commit's 40 digits"
        raise refused("--kakehashi", f"{shown(revision)} is no tag of this checkout", hint, status=WRONG_USAGE)
    return Source(repository=repository, commit=commit, tag="" if is_commit else revision)


def _commit(tag: str) -> str:
    """The commit of a tag of this checkout; nothing if there is none."""
    name = f"refs/tags/{tag}^{{commit}}"
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", name],  # noqa: S607
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise refused("--kakehashi", "git is not installed", "install it, or write the commit's 40 digits") from None
    return done.stdout.strip() if done.returncode == 0 else ""
