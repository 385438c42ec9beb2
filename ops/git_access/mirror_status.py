"""Shows the push mirrors into production's repositories: whose each is, its last success, and what is wrong."""

import sys
from dataclasses import dataclass, field

from errors import Problem, RefusedError, refused
from ops.git_access.mirror_client import MirrorClient
from ops.git_access.mirrors import GitlabMirror, Remedy, WantedMirror
from ops.git_access.ownership import Listing, ProjectMirrors, unknown_mirrors
from ops.git_access.table import print_table


@dataclass(frozen=True, kw_only=True)
class _Report:
    rows: list[tuple[str, ...]] = field(
        default_factory=lambda: [("repository", "project", "mirror", "last success", "status")]
    )
    problems: list[Problem] = field(default_factory=list)

    def row(self, wanted: WantedMirror, mirror: GitlabMirror | None, state: str) -> None:
        success = "never" if mirror is None or mirror.succeeded is None else f"{mirror.succeeded:%Y-%m-%d %H:%M UTC}"
        mirror_id = "-" if mirror is None else str(mirror.id)
        self.rows.append((wanted.repository, wanted.project, mirror_id, success, state))

    def problem(self, where: str, what: str, hint: str) -> None:
        self.problems.extend(refused(where, what, hint).problems)


def status(mirrors: MirrorClient) -> bool:
    """Print every mirror to the deployment's repositories, and whose it is; returns whether all are in order."""
    listing = mirrors.find()
    report = _Report(problems=unknown_mirrors(listing))
    for found in listing.projects:
        _show_own(mirrors, found, report)
        for mirror in found.others:
            report.row(found.wanted, mirror, "another deployment's")
        for mirror in found.unknown:
            report.row(
                found.wanted, mirror, "not recorded" if mirror.attributes["enabled"] else "not recorded, disabled"
            )
    _show_stray_records(mirrors, listing, report)
    print_table(report.rows)
    if report.problems:
        print(RefusedError(report.problems), file=sys.stderr)
    return not report.problems


def _show_own(mirrors: MirrorClient, found: ProjectMirrors, report: _Report) -> None:
    wanted = found.wanted
    if not found.own:
        report.row(wanted, None, "no mirror")
        report.problem(wanted.where, "there is no mirror", Remedy.APPLY.value)
        return
    *superseded, newest = (own.mirror for own in found.own)
    for mirror in superseded:
        report.row(wanted, mirror, "superseded")
        report.problem(wanted.where, f"the mirror {mirror.id} is superseded", Remedy.APPLY.value)
    report.row(wanted, newest, newest.status if newest.attributes["enabled"] else "disabled")
    # A mirror of protected branches does not run for a push to another branch.
    last_push = None if wanted.only_protected_branches else mirrors.last_push(wanted)
    if fault := newest.fault(wanted, last_push):
        what = f"{fault.what}: {newest.error}" if newest.error else fault.what
        report.problem(wanted.where, what, fault.remedy.value)


def _show_stray_records(mirrors: MirrorClient, listing: Listing, report: _Report) -> None:
    for record in listing.obsolete:
        what = f"the deployment no longer wants the mirror {record.mirror_id}"
        report.problem(record.where, what, Remedy.APPLY.value)
    for record in listing.missing:
        report.problem(record.where, f"GitLab no longer has the mirror {record.mirror_id}", Remedy.APPLY.value)
    report.problems.extend(mirrors.hidden(listing))
