"""A change at any moment of a pass, at either end, is not lost. Each is one mirror of a unit."""

import shlex
import shutil

from tests.real.mirror import faults
from tests.real.mirror.conftest import Units
from tests.real.mirror.world import Pair

MOMENTS = (
    *(faults.TARGET_LISTING, faults.TARGET_LISTED, faults.SOURCE_LISTING, faults.SOURCE_PACKING),
    *(faults.PUSH_RECEIVED, faults.PUSH_APPLIED, faults.DEFAULT_READ),
)

# As `git update-ref --stdin` reads them. `first` is a commit of long ago, `other` one that no branch has.
CHANGES = {
    "moved": "update refs/heads/main {other}",
    "reset": "update refs/heads/main {first}",
    "created": "create refs/heads/created {other}",
    "deleted": "delete refs/heads/old",
    "pushed-to-what-the-build-moves": "update refs/heads/feature/a {other}",
    "deleted-what-the-build-moves": "delete refs/heads/feature/a",
    "moved-to-what-the-build-creates": "update refs/heads/new {other}",
    "a-branch-became-a-folder": "delete refs/heads/old\n\ncreate refs/heads/old/deep {other}",
    "a-tag-moved": "update refs/tags/v1 {other}",
    "a-tag-deleted": "delete refs/tags/v2",
    "another-default-branch": "HEAD refs/heads/old",
}
ENDS = ("source", "target")
CASES = [(moment, change, end) for moment in MOMENTS for change in CHANGES for end in ENDS]


def _script(pair: Pair, change: str, end: str, commits: dict[str, str]) -> str:
    """The change as a shell script. Objects come as people push them: the commit is there before the ref."""
    repository = (pair.source if end == "source" else pair.target).path
    git = f"git -C {shlex.quote(str(repository))}"
    if change.startswith("HEAD "):
        return f"{git} symbolic-ref HEAD {change.removeprefix('HEAD ')}\n"
    # Each in a transaction of its own, because one cannot remove what is in another's way.
    steps = change.format_map(commits).split("\n\n")
    return "".join(f"echo {shlex.quote(step)} | {git} update-ref --stdin || true\n" for step in steps)


def _prepared(pair: Pair) -> dict[str, str]:
    """Give a pair something to do: branches to move, create and delete. Returns commits that no branch has."""
    source, refs = pair.source, pair.source.refs()
    source.git("push", "--quiet", "--mirror", str(pair.target.path))
    pair.target.set_default("main")
    commits = {"first": refs["refs/tags/v1"]}
    for repository in (pair.source, pair.target):
        commits["other"] = repository.commit("refs/other", {"o": "1"}, parent=refs["refs/tags/v1"])
        repository.update({"refs/other": None})
    source.commit("refs/heads/feature/a", {"c": "2"})
    source.commit("refs/heads/new", {"n": "1"}, parent=refs["refs/heads/main"])
    pair.target.commit("refs/heads/by_hand", {"h": "1"})
    return commits


def test_a_change_at_any_moment_is_mirrored_by_that_build(units: Units) -> None:
    names = {"-".join(case).replace("_", "-"): case for case in CASES}
    unit = units(projects=dict.fromkeys(names, "WEB"))
    first, *others = unit.case.pairs.values()
    shutil.copytree(units(prepare=True).source.path, first.source.path, dirs_exist_ok=True)
    commits = _prepared(first)
    for pair in others:
        shutil.copytree(first.source.path, pair.source.path, dirs_exist_ok=True)
        shutil.copytree(first.target.path, pair.target.path, dirs_exist_ok=True)
    for name, (moment, change, end) in names.items():
        unit.case.at(moment, name, _script(unit.case.pairs[name], CHANGES[change], end, commits))

    build = unit.project.start().wait(600)
    assert build.succeeded, build.log
    assert unit.case.happened() == {f"{moment}.{name}" for name, (moment, _, _) in names.items()}
    for name, (_, change, end) in names.items():
        pair = unit.case.pairs[name]
        assert pair.target.refs() == pair.wanted(), name
        # A build reads the target's default branch once; by hand it may change after that.
        assert pair.target.default == pair.source.default or (change, end) == ("another-default-branch", "target")
    unit.project.start().wait(600)
    for pair in unit.case.pairs.values():
        pair.assert_mirrored()
