"""Settings of the mirrors of a whole Backlog project, and the names that follow from its repositories' names."""

import re
from typing import Annotated

from pydantic import ConfigDict, Field

from settings.codecommit import RepositorySettings
from settings.forms import Matching
from settings.types import LONGEST_KEY, LONGEST_REPOSITORY_NAME, Settings, SpaceId

ProjectKey = Annotated[
    str, Matching("[A-Z0-9_]{1,25}", "the key of a Backlog project", "write 1-25 of A-Z, 0-9 and '_', for example WEB")
]
BacklogRepositoryName = Annotated[
    str,
    Matching(
        r"(?!.*\.[Gg][Ii][Tt]$)[A-Za-z0-9][A-Za-z0-9_.-]{0,99}",
        "the name of a Backlog repository",
        "write its name without .git, for example website",
    ),
]
CreatedPrefix = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9._-]{0,99}",
        "the beginning of a repository's name",
        "write up to 99 letters, digits, '.', '_' and '-', for example web-",
    ),
]


class ProjectTargetSettings(RepositorySettings):
    """The CodeCommit repositories that the bridge creates for a project's; the settings are those of each."""

    model_config = ConfigDict(title="For a project, a repository of the bridge's own for each of its repositories")

    create_prefix: CreatedPrefix = Field(
        description="What each repository's name starts with; the name in Backlog follows."
    )


class ProjectSettings(Settings):
    """The Backlog repositories of a project. Only those that somebody agreed to are mirrored."""

    model_config = ConfigDict(title="The repositories of a Backlog project")

    space: SpaceId = Field(description="A key of prd.backlog.spaces, which has an api_key_parameter.")
    from_project: ProjectKey = Field(description="The Backlog project's key.")
    excluded: tuple[BacklogRepositoryName, ...] = Field(
        (), alias="except", description="Repositories of the project that are not mirrored."
    )
    target: ProjectTargetSettings = Field(description="The repositories that the bridge creates.")
    agreed: tuple[BacklogRepositoryName, ...] = Field(
        (), description="The repositories that are mirrored. `backlog-repositories --agree` writes this list."
    )


def derived_key(entry: str, repository: str) -> str:
    """The key of the mirror of a project's repository: that of its entry, and the repository's name as keys have it."""
    return f"{entry}-{re.sub(r'[^a-z0-9_-]', '-', repository.lower())}"


def unfit(entry: str, prefix: str, repository: str) -> str | None:
    """Why no key or no CodeCommit name follows from a repository's name; None where both do."""
    key, name = derived_key(entry, repository), f"{prefix}{repository}"
    if len(key) > LONGEST_KEY:
        return f"{key!r} is no key of a mirror: it has {len(key)} characters, a key has at most {LONGEST_KEY}"
    if len(name) > LONGEST_REPOSITORY_NAME:
        most = LONGEST_REPOSITORY_NAME
        return (
            f"{name!r} is no name of a CodeCommit repository: it has {len(name)} characters, at most {most} are allowed"
        )
    return None


def by_hand(repository: str) -> str:
    """What to do about a repository whose name fits no key or no name of a repository."""
    return f"name it by hand: write {repository} into `except`, and give it an entry with `repository: {repository}`"
