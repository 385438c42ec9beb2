"""A build mirrors every kind of change to the source's refs, in every cache mode. An earlier build has run before."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.real.mirror.world import MirrorBuildRun, Repository

InEveryMode = Callable[[Callable[[MirrorBuildRun], object]], None]
Mirrored = Callable[[str], MirrorBuildRun]


def test_the_first_build_fills_an_empty_target(in_every_mode: InEveryMode) -> None:
    # Every other test starts from this state too.
    in_every_mode(lambda mirror: mirror.case.assert_mirrored())


def test_nothing_is_fetched_or_pushed_while_both_ends_are_equal(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        messages = mirror.mirrors().messages
        assert [line.split(":")[0] for line in messages] == [
            "read the refs of the target",
            "read the refs of the source",
            "done",
        ]

    in_every_mode(scenario)


def test_a_commit_arrives(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        mirror.source.commit("refs/heads/main", {"a": "more"})
        mirror.mirrors()

    in_every_mode(scenario)


def test_new_branches_arrive_from_every_starting_point(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        source, refs = mirror.source, mirror.source.refs()
        source.update({"refs/heads/at_the_tip": refs["refs/heads/main"]})
        source.commit("refs/heads/from_the_tip", parent=refs["refs/heads/main"])
        source.commit("refs/heads/from_the_first_commit", parent=refs["refs/tags/v1"])
        source.commit("refs/heads/from_nowhere", parent=None)
        mirror.mirrors()

    in_every_mode(scenario)


def test_a_merge_arrives(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        source = mirror.source
        tree = source.git("rev-parse", "main^{tree}")
        merge = source.git("commit-tree", tree, "-p", "main", "-p", "old", "-p", "feature/a", "-m", "merge")
        source.update({"refs/heads/main": merge})
        mirror.mirrors()

    in_every_mode(scenario)


def test_amended_reset_and_rewritten_branches_arrive(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        source = mirror.source
        source.commit("refs/heads/feature/a", {"c": "amended"}, parent=source.git("rev-parse", "feature/a^"))
        source.update({"refs/heads/main": source.git("rev-parse", "main~3")})
        source.commit("refs/heads/old", {"all": "new"}, parent=None)
        mirror.mirrors()

    in_every_mode(scenario)


def test_deleted_refs_are_deleted(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        mirror.source.update(dict.fromkeys(["refs/heads/old", "refs/heads/feature/a", "refs/tags/v1", "refs/tags/v3"]))
        mirror.mirrors()
        assert sorted(mirror.target.refs()) == ["refs/heads/main", "refs/tags/v2"]

    in_every_mode(scenario)


def test_tags_of_every_kind_arrive_and_move(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        source = mirror.source
        source.git("tag", "--force", "v1", "main")
        source.git("tag", "--force", "--annotate", "--message=moved", "v3", "old")
        source.git("tag", "light", "main~2")
        source.git("tag", "--annotate", "--message=tag of a tag", "nested", "v3")
        source.git("tag", "blob", "main:a")
        source.git("tag", "tree", "main:folder")
        key = mirror.case.folder / "key"
        source.git(
            *(
                "-c",
                "gpg.format=ssh",
                "-c",
                f"user.signingKey={key}",
                "tag",
                "--sign",
                "--message=mine",
                "signed",
                "old",
            )
        )
        mirror.mirrors()
        assert "BEGIN SSH SIGNATURE" in mirror.target.git("cat-file", "tag", "signed")

    in_every_mode(scenario)


NAMES = (
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
MORE = ("a}b", "{x}", "(x)", "!x", "a=b", "a,b", "@x", "+x", "-x", "x.y", "<x>", "é", "None", "HEAD", "refs/heads/main")


def test_refs_with_unusual_names_arrive_and_are_deleted(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        main = mirror.source.refs()["refs/heads/main"]
        names = [*NAMES, *MORE]
        mirror.source.update(
            {f"refs/heads/{name}": main for name in names} | {f"refs/tags/{name}": main for name in names}
        )
        mirror.source.commit("refs/heads/橋/架け橋")
        mirror.source.set_default("橋/架け橋")
        mirror.mirrors()
        mirror.source.update({f"refs/heads/{name}": None for name in names if name != "橋/架け橋"})
        mirror.mirrors(ALLOW_DELETIONS="100")

    in_every_mode(scenario)


def test_only_heads_and_tags_of_the_source_are_mirrored(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        for ref in (
            "pull/1/head",
            "keep-around/1",
            "merge-requests/1/head",
            "remotes/origin/main",
            "notes/commits",
            "x",
        ):
            mirror.source.commit(f"refs/{ref}", {ref: "text"})
        mirror.source.commit("refs/heads/main")
        mirror.mirrors()
        copy = mirror.project.file_system / "website.git"
        assert not copy.exists() or Repository(path=copy).refs() == mirror.case.wanted()

    in_every_mode(scenario)


def test_other_refs_of_the_target_are_kept(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        main = mirror.target.refs()["refs/heads/main"]
        mirror.target.update({"refs/kept/1": main})
        mirror.source.update({"refs/heads/old": None})
        assert mirror.project.run().succeeded
        assert mirror.target.refs() == mirror.source.refs() | {"refs/kept/1": main}

    in_every_mode(scenario)


def test_a_push_by_hand_to_the_target_is_undone(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        mirror.target.commit("refs/heads/main", {"by": "hand"})
        mirror.target.commit("refs/heads/by_hand", {"by": "hand"})
        mirror.mirrors()

    in_every_mode(scenario)


def test_a_branch_becomes_a_folder_of_branches_and_back(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        main = mirror.source.refs()["refs/heads/main"]
        mirror.source.update({"refs/heads/old": None, "refs/heads/feature/a": None})
        mirror.source.update({"refs/heads/old/x/y": main, "refs/heads/feature": main})
        mirror.mirrors()
        mirror.source.update({"refs/heads/old/x/y": None, "refs/heads/feature": None})
        mirror.source.update({"refs/heads/old": main, "refs/heads/feature/a/b": main})
        mirror.mirrors()

    in_every_mode(scenario)


def test_the_default_branch_changes_when_nothing_else_does(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        mirror.source.set_default("feature/a")
        mirror.mirrors()

    in_every_mode(scenario)


def test_a_renamed_default_branch_is_mirrored(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        source = mirror.source
        source.update({"refs/heads/trunk": source.refs()["refs/heads/main"], "refs/heads/main": None})
        source.set_default("trunk")
        mirror.mirrors()
        assert "refs/heads/main" not in mirror.target.refs()

    in_every_mode(scenario)


def test_a_folder_of_branches_replaces_the_former_default_branch(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        source = mirror.source
        source.set_default("old")
        main = source.refs()["refs/heads/main"]
        source.update({"refs/heads/main": None})
        source.update({"refs/heads/main/1": main})
        mirror.mirrors()

    in_every_mode(scenario)


def test_the_targets_default_is_changed_only_where_it_differs(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        calls = mirror.case.folder / "api"
        calls.unlink(missing_ok=True)
        mirror.mirrors()
        mirror.source.commit("refs/heads/main")
        mirror.mirrors()
        assert calls.read_text().split() == ["GetRepository", "GetRepository"]

    in_every_mode(scenario)


@pytest.mark.parametrize("mode", ["efs", "none"])
def test_changes_beyond_the_targets_limit_for_a_push_are_pushed_in_parts(mirrored: Mirrored, mode: str) -> None:
    mirror = _with_limit(mirrored(mode), 400)
    main = mirror.source.refs()["refs/heads/main"]
    tags = [f"refs/tags/release/{number}" for number in range(500)]
    mirror.source.update(dict.fromkeys(tags, main))
    assert _pushed(mirror.mirrors().messages) == ["pushed 400 new or moved refs", "pushed 100 new or moved refs"]
    mirror.source.update(dict.fromkeys(tags))
    messages = mirror.mirrors(ALLOW_DELETIONS="500").messages
    assert _pushed(messages) == ["pushed 400 deletions", "pushed 100 deletions"]


def _with_limit(mirror: MirrorBuildRun, most: int) -> MirrorBuildRun:
    """The mirror with another limit than 4,000 at both ends: Git takes a minute to push 4,000 refs by name."""
    hook = mirror.target.path / "hooks" / "pre-receive"
    hook.write_text(_replaced(hook.read_text(), "-le 4000", f"-le {most}"))
    source = mirror.project.terraform["source"]
    buildspec = _replaced(source["buildspec"], "changes_per_push=4000", f"changes_per_push={most}")
    terraform = {**mirror.project.terraform, "source": {**source, "buildspec": buildspec}}
    return replace(mirror, project=replace(mirror.project, terraform=terraform))


def _replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def _pushed(messages: list[str]) -> list[str]:
    return [line.split(":")[0] for line in messages if line.startswith("pushed")]


def test_a_file_of_100_mb_arrives(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    mirror.source.git("config", "core.compression", "0")
    with open("/dev/urandom", "rb") as random:
        mirror.source.commit("refs/heads/main", {"large": random.read(100 << 20)})
    mirror.mirrors()


def test_servers_with_only_the_first_version_of_gits_protocol_are_mirrored(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        (mirror.case.folder / "old_protocol").touch()
        mirror.source.commit("refs/heads/main")
        mirror.source.commit("refs/heads/new", parent=mirror.source.refs()["refs/tags/v1"])
        mirror.source.update({"refs/heads/old": None})
        mirror.mirrors()

    in_every_mode(scenario)
