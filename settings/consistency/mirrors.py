"""The mirrors that a file names, one by one and by whole projects, and the rules between their names."""

from collections.abc import Iterator
from dataclasses import dataclass

from errors.shown import shown
from settings.consistency.once import named_once
from settings.consistency.valid_values import ValidValues
from settings.problems import Path, SettingProblem
from settings.projects import by_hand, derived_key, unfit

MIRRORS = ("prd", "backlog", "repositories")


@dataclass(frozen=True, kw_only=True)
class NamedMirror:
    """A mirror, where the file names it and its target, and its names as far as they are valid."""

    key: str
    path: Path
    target_path: Path
    space: str | None
    project: str | None
    repository: str | None
    created: str | None = None
    existing: str | None = None
    is_discovered: bool = False

    @property
    def source(self) -> str | None:
        """Space, project and repository; None where one of them is not valid."""
        parts = (self.space, self.project, self.repository)
        return None if None in parts else "/".join(filter(None, parts))


def named_mirrors(valid: ValidValues) -> Iterator[NamedMirror]:
    """Every mirror whose entry is valid, in the order of the file."""
    for entry in valid.keys(*MIRRORS):
        path = (*MIRRORS, entry)
        space, project = valid.value(*path, "space"), valid.value(*path, "from_project")
        if not valid.names(*path, "from_project"):
            yield NamedMirror(
                key=entry,
                path=path,
                target_path=(*path, "target"),
                space=space,
                project=valid.value(*path, "project"),
                repository=valid.value(*path, "repository"),
                created=valid.value(*path, "target", "create"),
                existing=valid.value(*path, "target", "codecommit"),
            )
            continue
        prefix = valid.value(*path, "target", "create_prefix")
        for index, name in valid.items(*path, "agreed"):
            yield NamedMirror(
                key=derived_key(entry, name),
                path=(*path, "agreed", index),
                target_path=(*path, "agreed", index),
                space=space,
                project=project,
                repository=name,
                created=None if prefix is None else f"{prefix}{name}",
                is_discovered=True,
            )


def _names_fit(valid: ValidValues) -> Iterator[SettingProblem]:
    for entry in _projects(valid):
        prefix = valid.value(*MIRRORS, entry, "target", "create_prefix")
        for index, name in valid.items(*MIRRORS, entry, "agreed"):
            if prefix is not None and (problem := unfit(entry, prefix, name)):
                yield SettingProblem(path=(*MIRRORS, entry, "agreed", index), what=problem, hint=by_hand(name))


def _keys_once(valid: ValidValues) -> Iterator[SettingProblem]:
    first = {entry: f"the entry '{entry}'" for entry in valid.all_keys(*MIRRORS)}
    for mirror in named_mirrors(valid):
        if not mirror.is_discovered:
            continue
        other = first.setdefault(mirror.key, shown(mirror.repository))
        if other != shown(mirror.repository):
            what = f"{shown(mirror.repository)} and {other} would both be the mirror '{mirror.key}'"
            yield SettingProblem(path=mirror.path, what=what, hint=by_hand(str(mirror.repository)))


def _one_source_once(valid: ValidValues) -> Iterator[SettingProblem]:
    first: dict[str, NamedMirror] = {}
    for mirror in named_mirrors(valid):
        if mirror.source is None:
            continue
        other = first.setdefault(mirror.source, mirror)
        if other is mirror or (other.is_discovered and other.path[:-1] == mirror.path[:-1]):
            continue  # a name that stands twice in one list is another rule's
        discovered = next((one for one in (mirror, other) if one.is_discovered), None)
        where = "one" if discovered is None else f"it from `agreed` of '{discovered.path[3]}', and add it to `except`"
        yield SettingProblem(
            path=mirror.path,
            what=f"'{mirror.source}' is already the source of '{other.key}'",
            hint=f"a repository has one mirror, because Backlog calls one webhook for it: remove {where}",
        )


def _one_target_once(valid: ValidValues) -> Iterator[SettingProblem]:
    first: dict[str, str] = {}
    for mirror in named_mirrors(valid):
        name = mirror.created or mirror.existing
        if name is not None and first.setdefault(name, mirror.key) != mirror.key:
            what = f"'{name}' is already the target of '{first[name]}'"
            hint = "give each mirror its own target: two mirrors would undo each other's pushes"
            yield SettingProblem(path=mirror.target_path, what=what, hint=hint)


def _projects_once(valid: ValidValues) -> Iterator[SettingProblem]:
    first: dict[tuple[str, str], str] = {}
    for entry in _projects(valid):
        space, project = (valid.value(*MIRRORS, entry, part) for part in ("space", "from_project"))
        other = first.setdefault((space, project), entry)
        if None not in (space, project) and other != entry:
            what = f"'{space}/{project}' is already the project of '{other}'"
            yield SettingProblem(
                path=(*MIRRORS, entry), what=what, hint="keep one of the two: each would find the same repositories"
            )


def _agreed_or_excluded(valid: ValidValues) -> Iterator[SettingProblem]:
    for entry in _projects(valid):
        path = (*MIRRORS, entry)
        excluded = {name for _, name in valid.items(*path, "except")}
        for index, name in valid.items(*path, "agreed"):
            if name in excluded:
                what = f"'{name}' is agreed to and excluded"
                yield SettingProblem(
                    path=(*path, "agreed", index), what=what, hint="remove it from one of the two lists"
                )
        yield from named_once(valid, (*path, "agreed"))
        yield from named_once(valid, (*path, "except"))


def _projects(valid: ValidValues) -> list[str]:
    return [entry for entry in valid.keys(*MIRRORS) if valid.names(*MIRRORS, entry, "from_project")]


RULES = (_names_fit, _keys_once, _one_source_once, _one_target_once, _projects_once, _agreed_or_excluded)
