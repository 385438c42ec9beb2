"""Compares the source and the target of every Backlog mirror, and prints what differs."""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from errors import RefusedError, refused
from errors.shown import counted, printable
from ops.backlog.mirror_ends import (
    TARGET_SERVER,
    UNREACHED,
    MirrorEnds,
    UnansweredError,
    all_ends,
    oldest_tip,
    read_source,
    read_target,
)
from ops.backlog.refs import MirrorRefs, RefsDifference, compare
from settings import Deployment

MOST_NAMED = 10
"""How many refs are named for each kind of difference."""
MOST_DATED = 20
"""How many of the source's refs are fetched to learn their dates."""
_AT_ONCE = 8
_MOST_UNANSWERED = 3
_PATIENCE_SECONDS = 2
_LOG_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class MirrorComparison:
    """What to print of one mirror: `report` on standard output, `errors` on standard error."""

    report: str
    errors: tuple[RefusedError, ...] = ()
    is_equal: bool = False


def verify(deployment: Deployment) -> bool:
    """Print how the target of every Backlog mirror compares with its source; returns whether all are equal."""
    if deployment.prd is None or deployment.prd.backlog is None:
        print("nothing to compare: the deployment has no prd.backlog", file=sys.stderr)
        return True
    servers = _Servers()
    # A process that outlives a stopped Git may still write into its folder.
    folder = tempfile.TemporaryDirectory(prefix="kakehashi-", ignore_cleanup_errors=True)
    with folder as name, ThreadPoolExecutor(_AT_ONCE) as threads:
        comparisons = [threads.submit(_compare, ends, servers) for ends in all_ends(deployment, Path(name))]
        try:
            _wait(comparisons)
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
        results = [future.result() for future in comparisons]
    for result in results:
        print(result.report)
        for error in result.errors:
            print(error, file=sys.stderr)
    return all(result.is_equal for result in results)


def report(key: str, source: MirrorRefs, difference: RefsDifference, oldest: str | None) -> str:
    """One line for equal ends, and one more for each kind of difference.

    `oldest` is the date of the oldest of the source's tips that the target lacks; None where it cannot be read.
    """
    count = counted(len(source.ids), "ref")
    if difference == RefsDifference():
        but = "; CodeCommit does not say which branch at the same commit is the default one"
        return f"{key}: {count}, equal{but if difference.default_may_differ else ''}"
    lines = [f"{key}: {count}, DIFFERS"]
    for what, names in (
        ("missing in the target", difference.missing),
        ("different in the target", difference.different),
        ("only in the target", difference.extra),
    ):
        if names:
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            lines.append(f"  {what}: {', '.join(printable(name) for name in names[:MOST_NAMED])}{more}")
    if difference.defaults is not None:
        of_source, of_target = difference.defaults
        branch = "none" if of_target is None else printable(of_target)
        lines.append(f"  default branch: {printable(of_source)} in the source, {branch} in the target")
    lines.append(f"  since: {_since(difference, oldest)}")
    return "\n".join(lines)


def _since(difference: RefsDifference, oldest: str | None) -> str:
    if not difference.lacking:
        return "not known, Git keeps no date of a deletion or of a change of the default branch"
    if oldest is None:
        return "not known, the dates of the source's commits cannot be read"
    some = f" of the first {MOST_DATED}" if len(difference.lacking) > MOST_DATED else ""
    return f"the oldest tip{some} that the target lacks is of {oldest}; Git does not say when it was pushed"


class _Servers:
    """The servers, of which one that left several listings in a row without an answer is asked no more."""

    def __init__(self) -> None:
        self._unanswered: Counter[str] = Counter()

    def ask(self, ends: MirrorEnds, end: str, server: str, read: Callable[[MirrorEnds], MirrorRefs]) -> MirrorRefs:
        if self._unanswered[server] >= _MOST_UNANSWERED:
            what = f"the {end} was not asked: {server} answered none of the last {_MOST_UNANSWERED} listings"
            raise refused(ends.key, what, UNREACHED)
        try:
            refs = read(ends)
        except UnansweredError:
            self._unanswered[server] += 1
            raise
        except RefusedError:
            self._unanswered[server] = 0
            raise
        self._unanswered[server] = 0
        return refs


def _compare(ends: MirrorEnds, servers: _Servers) -> MirrorComparison:
    refs: list[MirrorRefs] = []
    errors: list[RefusedError] = []
    # The target first. A ref that is pushed meanwhile then shows as missing, and never as one that only the target has.
    for end, server, read in (("target", TARGET_SERVER, read_target), ("source", ends.host, read_source)):
        try:
            refs.append(servers.ask(ends, end, server, read))
        except RefusedError as error:
            errors.append(error)
    if errors:
        return MirrorComparison(report=f"{ends.key}: not compared", errors=tuple(errors))
    target, source = refs
    difference = compare(source, target)
    oldest = oldest_tip(ends, difference.lacking[:MOST_DATED]) if difference.lacking else None
    return MirrorComparison(
        report=report(ends.key, source, difference, oldest), is_equal=difference == RefsDifference()
    )


def _wait(comparisons: "Sequence[Future[MirrorComparison]]") -> None:
    """Wait for all, and print the progress after a while, in a log more seldom."""
    total = counted(len(comparisons), "repository", "repositories")
    pending = wait(comparisons, timeout=_PATIENCE_SECONDS).not_done
    while pending:
        print(f"{len(comparisons) - len(pending)} of {total} compared", file=sys.stderr)
        if sys.stderr.isatty():
            pending = wait(pending, return_when=FIRST_COMPLETED).not_done
        else:
            pending = wait(pending, timeout=_LOG_SECONDS).not_done
