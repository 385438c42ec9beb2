"""Every kind of change to a source arrives, relayed and by a copy. Each is one mirror of a unit."""

from collections.abc import Callable

import pytest

from tests.real.mirror.conftest import Units
from tests.real.mirror.world import MirrorBuildRun, Pair

Scenario = Callable[[Pair], object]


def nothing_changes(pair: Pair) -> None:
    """The build that follows must move nothing."""


def a_commit_arrives(pair: Pair) -> None:
    pair.source.commit("refs/heads/main", {"a": "more"})


def branches_start_anywhere(pair: Pair) -> None:
    source, refs = pair.source, pair.source.refs()
    source.update({"refs/heads/at_the_tip": refs["refs/heads/main"]})
    source.commit("refs/heads/from_the_tip", parent=refs["refs/heads/main"])
    source.commit("refs/heads/from_the_first_commit", parent=refs["refs/tags/v1"])
    source.commit("refs/heads/from_nowhere", parent=None)


def a_merge_arrives(pair: Pair) -> None:
    source = pair.source
    tree = source.git("rev-parse", "main^{tree}")
    merge = source.git("commit-tree", tree, "-p", "main", "-p", "old", "-p", "feature/a", "-m", "merge")
    source.update({"refs/heads/main": merge})


def branches_are_amended_reset_and_rewritten(pair: Pair) -> None:
    source = pair.source
    source.commit("refs/heads/feature/a", {"c": "amended"}, parent=source.git("rev-parse", "feature/a^"))
    source.update({"refs/heads/main": source.git("rev-parse", "main~3")})
    source.commit("refs/heads/old", {"all": "new"}, parent=None)


def refs_are_deleted(pair: Pair) -> None:
    pair.source.update(dict.fromkeys(["refs/heads/old", "refs/heads/feature/a", "refs/tags/v1", "refs/tags/v3"]))


def tags_of_every_kind_arrive_and_move(pair: Pair) -> None:
    source = pair.source
    source.git("tag", "--force", "v1", "main")
    source.git("tag", "--force", "--annotate", "--message=moved", "v3", "old")
    source.git("tag", "light", "main~2")
    source.git("tag", "--annotate", "--message=tag of a tag", "nested", "v3")
    source.git("tag", "blob", "main:a")
    source.git("tag", "tree", "main:folder")


_NAMES = (
    "a/b/c",
    "橋/架け橋",
    "quote'single",
    'quote"double',
    "$HOME",
    "$(touch)",
    "`id`",
    "a;b",
    "a&b",
    "a|b",
    "#1",
    "%s",
)
_MORE = (
    "a}b",
    "{x}",
    "(x)",
    "!x",
    "a=b",
    "a,b",
    "@x",
    "+x",
    "-x",
    "x.y",
    "<x>",
    "é",
    "None",
    "HEAD",
    "refs/heads/main",
)


def names_are_unusual(pair: Pair) -> None:
    main = pair.source.refs()["refs/heads/main"]
    pair.source.update({f"refs/{kind}/{name}": main for name in (*_NAMES, *_MORE) for kind in ("heads", "tags")})
    pair.source.commit("refs/heads/橋/架け橋")
    pair.source.set_default("橋/架け橋")


def a_branch_is_named_as_an_option(pair: Pair) -> None:
    pair.source.update({"refs/heads/--no-verify": pair.source.refs()["refs/heads/old"]})
    pair.source.set_default("--no-verify")


def other_refs_of_the_source_stay_there(pair: Pair) -> None:
    for ref in ("pull/1/head", "keep-around/1", "merge-requests/1/head", "remotes/origin/main", "notes/commits", "x"):
        pair.source.commit(f"refs/{ref}", {ref: "text"})
    pair.source.commit("refs/heads/main")


def pushes_by_hand_to_the_target_are_undone(pair: Pair) -> None:
    pair.target.commit("refs/heads/main", {"by": "hand"})
    pair.target.commit("refs/heads/by_hand", {"by": "hand"})


def branches_become_folders_of_branches_and_a_folder_a_branch(pair: Pair) -> None:
    main = pair.source.refs()["refs/heads/main"]
    pair.source.update({"refs/heads/old": None, "refs/heads/feature/a": None})
    pair.source.update({"refs/heads/old/x/y": main, "refs/heads/feature": main})


def the_default_branch_alone_changes(pair: Pair) -> None:
    pair.source.set_default("feature/a")


def the_default_branch_is_renamed(pair: Pair) -> None:
    pair.source.update({"refs/heads/trunk": pair.source.refs()["refs/heads/main"], "refs/heads/main": None})
    pair.source.set_default("trunk")


def the_default_branch_makes_room_for_a_folder(pair: Pair) -> None:
    main = pair.source.refs()["refs/heads/main"]
    pair.source.update({"refs/heads/main": None, "refs/heads/main2": main})
    pair.source.update({"refs/heads/main/sub": main})
    pair.source.set_default("main2")


def more_changes_than_a_push_may_have(pair: Pair) -> None:
    main = pair.source.refs()["refs/heads/main"]
    pair.source.update({f"refs/tags/release/{number}": main for number in range(4100)})


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        *(nothing_changes, a_commit_arrives, branches_start_anywhere, a_merge_arrives),
        *(branches_are_amended_reset_and_rewritten, refs_are_deleted, tags_of_every_kind_arrive_and_move),
        *(names_are_unusual, a_branch_is_named_as_an_option, other_refs_of_the_source_stay_there),
        *(pushes_by_hand_to_the_target_are_undone, branches_become_folders_of_branches_and_a_folder_a_branch),
        *(the_default_branch_alone_changes, the_default_branch_is_renamed, the_default_branch_makes_room_for_a_folder),
        more_changes_than_a_push_may_have,
    )
}


def _mirrors(unit: MirrorBuildRun) -> None:
    """Mirror each scenario in its own pair; a build finds nothing to do after that."""
    unit.mirrors()
    for name, pair in unit.case.pairs.items():
        SCENARIOS[name.replace("-", "_")](pair)
    unit.mirrors()
    unit.case.traffic()
    again = unit.mirrors()
    _, _, to_target = unit.case.traffic()
    assert to_target == 0, again.log


@pytest.mark.parametrize("mode", ["relay", "none"])
def test_every_change_arrives(units: Units, mode: str) -> None:
    unit = units(mode, projects={name.replace("_", "-"): "WEB" for name in SCENARIOS}, prepare=True)
    _mirrors(unit)


@pytest.mark.parametrize("mode", ["s3", "efs"])
def test_every_change_arrives_by_a_kept_copy(units: Units, mode: str) -> None:
    unit = units(mode, prepare=True)
    for scenario in (
        nothing_changes,
        branches_start_anywhere,
        tags_of_every_kind_arrive_and_move,
        branches_are_amended_reset_and_rewritten,
        the_default_branch_makes_room_for_a_folder,
    ):
        scenario(unit.case.pair)
        unit.mirrors()
