"""Whose each mirror in GitLab is, by the deployment's records: its own, another deployment's, or nobody knows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from errors import WRONG_USAGE, Problem, refused
from errors.shown import shown
from ops.git_access.mirror_records import MirrorRecord
from ops.git_access.mirrors import GitlabMirror, WantedMirror, pushes_to

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class OwnMirror:
    """A mirror that this deployment owns, as GitLab shows it and as it is recorded."""

    mirror: GitlabMirror
    record: MirrorRecord


@dataclass(frozen=True, kw_only=True)
class ProjectMirrors:
    """The mirrors that push to one wanted target, oldest first; `everything` are all mirrors of its project."""

    wanted: WantedMirror
    project_id: int
    everything: Sequence[GitlabMirror]
    own: Sequence[OwnMirror]
    others: Sequence[GitlabMirror]
    unknown: Sequence[GitlabMirror]

    @property
    def free_spellings(self) -> list[str]:
        """The addresses of the target that no mirror of the project has."""
        taken = {mirror.bare_url for mirror in self.everything if self.wanted.is_target_of(mirror.url)}
        return [spelling for spelling in self.wanted.spellings if spelling not in taken]

    def with_credential(self, credential_id: str) -> OwnMirror | None:
        """The newest mirror with that credential. Ids only grow."""
        return next((own for own in reversed(self.own) if own.record.credential_id == credential_id), None)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What GitLab and the records say: mirrors by the id of their project, those of invisible projects left out."""

    gitlab: str
    project_ids: Mapping[WantedMirror, int]
    mirrors: Mapping[int, Sequence[GitlabMirror]]
    records: Sequence[MirrorRecord]

    @property
    def projects(self) -> list[ProjectMirrors]:
        """The mirrors of each wanted target."""
        return [self._of(wanted, project_id) for wanted, project_id in self.project_ids.items()]

    @property
    def obsolete(self) -> list[MirrorRecord]:
        """Own mirrors that push where the deployment no longer wants one."""
        wanted = {own.record for project in self.projects for own in project.own}
        return [record for record in self._visible if record.is_ours and self._lives(record) and record not in wanted]

    @property
    def missing(self) -> list[MirrorRecord]:
        """Recorded mirrors that GitLab no longer has."""
        return [record for record in self._visible if not self._lives(record)]

    @property
    def hidden(self) -> list[MirrorRecord]:
        """Recorded mirrors of projects that the token cannot see, or of a GitLab at another address."""
        return [record for record in self.records if record not in self._visible]

    @property
    def _visible(self) -> list[MirrorRecord]:
        here = (record for record in self.records if record.gitlab == self.gitlab)
        return [record for record in here if record.project_id in self.mirrors]

    def _of(self, wanted: WantedMirror, project_id: int) -> ProjectMirrors:
        records = {record.mirror_id: record for record in self._visible if record.project_id == project_id}
        here = [mirror for mirror in self.mirrors[project_id] if wanted.is_target_of(mirror.url)]
        known = [(mirror, records[mirror.id]) for mirror in here if mirror.id in records]
        return ProjectMirrors(
            wanted=wanted,
            project_id=project_id,
            everything=self.mirrors[project_id],
            own=[OwnMirror(mirror=mirror, record=record) for mirror, record in known if record.is_ours],
            others=[mirror for mirror, record in known if not record.is_ours],
            unknown=[mirror for mirror in here if mirror.id not in records],
        )

    def _lives(self, record: MirrorRecord) -> bool:
        # By its address, too: a GitLab that was restored from a backup gives the same ids again.
        mirrors = self.mirrors[record.project_id]
        return any(mirror.id == record.mirror_id and pushes_to(mirror.url, record.target) for mirror in mirrors)


def unknown_mirrors(listing: Listing) -> list[Problem]:
    """A problem for each mirror that pushes to the deployment's repositories, and that nothing says whose it is.

    A disabled mirror pushes nothing, so it is no problem: a command that was stopped between creating and recording
    leaves one.
    """
    return [
        Problem(
            where=project.wanted.where,
            what=f"nothing records whose mirror {mirror.id} to {project.wanted.target} is",
            hint=f"if it is this deployment's: gitlab-mirror apply --adopt {mirror.id}; if it is another's: "
            f"--not-ours {mirror.id}; for every such mirror write {ALL} for the number",
        )
        for project in listing.projects
        for mirror in project.unknown
        if mirror.attributes["enabled"]
    ]


def decided(listing: Listing, choices: Collection[str], *, is_ours: bool) -> Iterator[MirrorRecord]:
    """A new record for each mirror that is chosen by its id, by its project's path, or by `all`.

    An id also chooses a mirror that is recorded as the opposite, unless a command of this deployment created it.
    Raises RefusedError for a choice that names no mirror.
    """
    chosen: set[str] = set()
    for project in listing.projects:
        own = {own.mirror.id: own.record for own in project.own}
        for mirror in (*(own.mirror for own in project.own), *project.others, *project.unknown):
            by_id, by_project = str(mirror.id) in choices, project.wanted.project in choices
            chosen |= {str(mirror.id), project.wanted.project}
            is_unknown = mirror in project.unknown
            if not by_id and not (is_unknown and (by_project or ALL in choices)):
                continue
            if mirror.id in own and own[mirror.id].credential_id is not None and not is_ours:
                what = f"a command of this deployment created the mirror {mirror.id}"
                raise refused("--not-ours", what, "choose another", status=WRONG_USAGE)
            if is_unknown or is_ours != (mirror.id in own):
                yield MirrorRecord(
                    gitlab=listing.gitlab,
                    project_id=project.project_id,
                    mirror_id=mirror.id,
                    project=project.wanted.project,
                    target=project.wanted.target,
                    credential_id=None,
                    is_ours=is_ours,
                )
    for choice in choices:
        if choice != ALL and choice not in chosen:
            raise refused(
                "--adopt" if is_ours else "--not-ours",
                f"{shown(choice)} is not a mirror that pushes to this deployment's repositories, nor its project",
                f"write {ALL}, or a project or a number that gitlab-mirror status shows",
                status=WRONG_USAGE,
            )
