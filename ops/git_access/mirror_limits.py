"""What GitLab refuses of the mirrors that a command would create: more than ten enabled ones, and an address twice."""

import re
from collections.abc import Callable

from errors import Problem
from ops.git_access.ownership import Listing

MOST_ENABLED = 10
"""How many enabled mirrors a project may have: https://gitlab.com/gitlab-org/gitlab/-/merge_requests/221965"""

_LIMITED_SINCE = (18, 9)


def limits(listing: Listing, credential_id: str, version: Callable[[], str]) -> list[Problem]:
    """A problem for each project without room for the mirrors that it lacks; `version` asks GitLab for its version."""
    problems = []
    for found in listing.projects:
        own = found.with_credential(credential_id)
        # Settings refuse a second repository of the project, so it lacks one mirror at most.
        new = own is None or not own.mirror.attributes["enabled"]
        enabled = sum(bool(mirror.attributes["enabled"]) for mirror in found.everything)
        if new and enabled >= MOST_ENABLED and _is_limited(version()):
            what = f"the project has {enabled} enabled mirrors and needs 1 more, GitLab allows {MOST_ENABLED}"
            hint = "delete some that nobody needs, in the project's Settings > Repository > Mirroring repositories"
            problems.append(Problem(where=found.wanted.where, what=what, hint=hint))
        if own is None and not found.free_spellings:
            what = f"the project has {len(found.wanted.spellings)} mirrors to {found.wanted.target} already"
            hint = "delete those that gitlab-mirror status shows as not recorded, in the project's settings"
            problems.append(Problem(where=found.wanted.where, what=what, hint=hint))
    return problems


def _is_limited(version: str) -> bool:
    """Whether this GitLab limits the number of mirrors; also where its version is not known."""
    numbers = re.match(r"(\d+)\.(\d+)\.", version)
    return numbers is None or (int(numbers[1]), int(numbers[2])) >= _LIMITED_SINCE
