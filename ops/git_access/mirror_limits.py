"""What GitLab refuses of the mirrors that a command would create: more than ten enabled ones, and an address twice."""

import re
from collections import Counter
from collections.abc import Callable

from errors import Problem
from ops.git_access.ownership import Listing

MOST_ENABLED = 10
"""How many enabled mirrors a project may have: https://gitlab.com/gitlab-org/gitlab/-/merge_requests/221965"""

_LIMITED_SINCE = (18, 9)


def limits(listing: Listing, credential_id: str, version: Callable[[], str]) -> list[Problem]:
    """A problem for each project without room for the mirrors that it lacks; `version` asks GitLab for its version."""
    problems = []
    kept = {found.wanted: found.with_credential(credential_id) for found in listing.projects}
    to_enable = Counter(
        found.project_id
        for found in listing.projects
        if (own := kept[found.wanted]) is None or not own.mirror.attributes["enabled"]
    )
    for found in listing.projects:
        new = to_enable[found.project_id]
        enabled = sum(bool(mirror.attributes["enabled"]) for mirror in found.everything)
        if new and enabled + new > MOST_ENABLED and _is_limited(version()):
            what = f"the project has {enabled} enabled mirrors and needs {new} more, GitLab allows {MOST_ENABLED}"
            hint = "delete some that nobody needs, in the project's Settings > Repository > Mirroring repositories"
            problems.append(Problem(where=found.wanted.where, what=what, hint=hint))
        if kept[found.wanted] is None and not found.free_spellings:
            what = f"the project has {len(found.wanted.spellings)} mirrors to {found.wanted.target} already"
            hint = "delete those that gitlab-mirror status shows as not recorded, in the project's settings"
            problems.append(Problem(where=found.wanted.where, what=what, hint=hint))
    return problems


def _is_limited(version: str) -> bool:
    """Whether this GitLab limits the number of mirrors; also where its version is not known."""
    numbers = re.match(r"(\d+)\.(\d+)\.", version)
    return numbers is None or (int(numbers[1]), int(numbers[2])) >= _LIMITED_SINCE
