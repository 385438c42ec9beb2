"""When a build stops before it pushes, and the message it then logs."""

from collections.abc import Callable

import pytest

from tests.real.mirror.servers import OUTAGE
from tests.real.mirror.world import SECRET_ACCESS_KEY, MirrorBuildRun

InEveryMode = Callable[[Callable[[MirrorBuildRun], object]], None]
Mirrored = Callable[[str], MirrorBuildRun]

ALLOW = (
    "If that is right, allow it once: aws codebuild start-build --project-name kakehashi-prd-backlog-website "
    "--environment-variables-override name=ALLOW_DELETIONS,value="
)


def _tags(first: int, end: int) -> list[str]:
    return [f"refs/tags/{number}" for number in range(first, end)]


@pytest.fixture
def tagged(mirrored: Mirrored) -> MirrorBuildRun:
    """Three branches and 27 tags at both ends."""
    mirror = mirrored("none")
    mirror.source.update(dict.fromkeys(_tags(0, 24), mirror.source.refs()["refs/heads/main"]))
    mirror.mirrors()
    assert len(mirror.target.refs()) == 30
    return mirror


def test_an_empty_source_does_not_empty_the_target(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        mirror.source.update(dict.fromkeys(mirror.source.refs()))
        for allowed in ("0", "100"):
            assert mirror.stops(ALLOW_DELETIONS=allowed) == (
                "stopped: the source has no branch; nothing was pushed. If that is right, empty the target by hand"
            )

    in_every_mode(scenario)


def test_deleting_more_than_the_allowed_share_needs_a_permission_for_one_build(tagged: MirrorBuildRun) -> None:
    tagged.source.update(dict.fromkeys(_tags(0, 16)))
    stopped = f"stopped: the source lacks 16 of the target's 30 refs, more than 50 %; nothing was pushed. {ALLOW}16"
    assert tagged.stops() == stopped
    assert tagged.stops(ALLOW_DELETIONS="15") == stopped
    tagged.mirrors(ALLOW_DELETIONS="16")


def test_deleting_exactly_the_allowed_share_is_mirrored(tagged: MirrorBuildRun) -> None:
    tagged.source.update(dict.fromkeys(_tags(0, 15)))
    tagged.mirrors()


def test_the_allowed_share_is_a_setting(tagged: MirrorBuildRun) -> None:
    tagged.source.update(dict.fromkeys(_tags(0, 13)))
    assert tagged.stops(MAX_LOST_PERCENT="40").startswith("stopped: the source lacks 13 of the target's 30 refs, more")
    tagged.mirrors(MAX_LOST_PERCENT="44")


def test_deleting_few_refs_is_mirrored_whatever_their_share(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    main = mirror.source.refs()["refs/heads/main"]
    mirror.source.update(
        dict.fromkeys(mirror.source.refs()) | dict.fromkeys(_tags(0, 9), main) | {"refs/heads/main": main}
    )
    mirror.mirrors()
    mirror.source.update(dict.fromkeys(_tags(0, 9)))
    mirror.mirrors()
    assert list(mirror.target.refs()) == ["refs/heads/main"]


def test_a_source_with_only_tags_counts_as_empty(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    mirror.source.update({ref: None for ref in mirror.source.refs() if ref.startswith("refs/heads/")})
    assert mirror.stops().startswith("stopped: the source has no branch")


def test_an_unreachable_source_does_not_empty_the_target(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        mirror.source.path.rename(mirror.source.path.with_name("gone.git"))
        assert mirror.stops() == "stopped: the source cannot be read"

    in_every_mode(scenario)


def test_a_host_key_that_is_not_pinned_is_not_trusted(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    host, kind, _ = mirror.case.world.host_key.split()
    other = (mirror.case.folder / "key.pub").read_text().split()[1]
    mirror.source.commit("refs/heads/main")
    for pinned in (f"{host} {kind} {other}", f"other.git.backlog.jp {kind} {other}", ""):
        assert mirror.stops(KNOWN_HOSTS=pinned) == (
            "stopped: the source shows a host key that is not pinned. Somebody may be in between. If Backlog has new "
            "keys, compare their fingerprints by eye before pinning them in known_hosts"
        )
    mirror.mirrors()


def test_a_wrong_ssh_key_is_named_as_the_reason(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    wrong = mirrored("none").case.parameters["/kakehashi/backlog/ssh-key"].replace("b3BlbnNz", "c3BlbnNz")
    assert mirror.stops(SSH_PRIVATE_KEY=wrong) == (
        "stopped: the source refuses the SSH key. Register its public half with the Backlog user, and check the "
        "parameter"
    )


def test_an_unreachable_target_is_named_as_the_reason(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        moved = mirror.target.path.rename(mirror.target.path.with_name("moved"))
        build = mirror.project.run()
        assert build.phases["build"] == "FAILED"
        assert build.messages[-1] == "stopped: the target cannot be read"
        moved.rename(mirror.target.path)

    in_every_mode(scenario)


def test_the_next_build_completes_one_that_lost_the_target(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    main = mirror.source.refs()["refs/heads/main"]
    mirror.source.update(dict.fromkeys(_tags(0, 4500), main) | {"refs/heads/old": None})
    (mirror.case.folder / OUTAGE).write_text("2")
    build = mirror.project.run()
    assert build.phases["build"] == "FAILED"
    assert build.messages[-1] == "stopped: the target cannot be read"
    assert len(mirror.target.refs()) == 4006
    (mirror.case.folder / OUTAGE).unlink()
    mirror.mirrors()


def test_a_ref_that_the_target_refuses_fails_the_build_and_the_others_arrive(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        hook = mirror.target.path / "hooks" / "update"
        hook.write_text("#!/bin/sh\n[ $1 != refs/heads/refused ]\n")
        hook.chmod(0o755)
        mirror.source.commit("refs/heads/refused")
        mirror.source.commit("refs/heads/main")
        build = mirror.project.run()
        assert build.phases["build"] == "FAILED"
        assert build.messages[-1] == "stopped: three passes failed"
        assert mirror.target.refs() == {
            ref: to for ref, to in mirror.source.refs().items() if ref != "refs/heads/refused"
        }
        hook.unlink()
        mirror.mirrors()

    in_every_mode(scenario)


ATTRIBUTES = "*.psd filter=lfs diff=lfs merge=lfs -text\n"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"


@pytest.mark.parametrize("file", [".gitattributes", "design/deep inside/.gitattributes"])
def test_lfs_is_refused_or_mirrored_with_a_warning(in_every_mode: InEveryMode, file: str) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        mirror.source.commit("refs/heads/main", {"a": "before"})
        mirror.source.commit("refs/heads/design", {file: ATTRIBUTES, "x.psd": POINTER})
        mirror.source.commit("refs/heads/design", {"a": "after"})
        assert mirror.stops(LFS="refuse") == (
            f"stopped: the source uses Git LFS ({file}), whose content the target cannot hold; nothing was pushed. "
            "With 'lfs: warn' everything else is mirrored"
        )
        warning = f"WARNING: the source uses Git LFS ({file}); the content of such files does not reach the target"
        assert warning in mirror.mirrors(LFS="warn").messages

    in_every_mode(scenario)


def test_other_attributes_are_not_taken_for_lfs(mirrored: Mirrored) -> None:
    mirror = mirrored("none")
    mirror.source.commit("refs/heads/main", {".gitattributes": "*.c text\n", "lfs.gitattributes": ATTRIBUTES})
    mirror.mirrors(LFS="refuse")


def test_no_secret_is_logged_or_left_on_disk(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        key = mirror.case.parameters["/kakehashi/backlog/ssh-key"]
        mirror.source.commit("refs/heads/main")
        logs = [mirror.mirrors().log]
        (mirror.case.folder / OUTAGE).write_text("0")
        mirror.source.commit("refs/heads/main")
        logs.append(mirror.project.run().log)
        (mirror.case.folder / OUTAGE).unlink()
        mirror.source.path.rename(mirror.source.path.with_name("gone.git"))
        logs.append(mirror.project.run().log)
        for log in logs:
            assert "mirror: " in log
            assert SECRET_ACCESS_KEY not in log
            assert "Z" + "0" * 3 not in log
            assert not any(line in log for line in key.splitlines())
        kept = [file for folder in ("efs", "codebuild") for file in (mirror.case.folder / folder).rglob("*")]
        assert not any(key.splitlines()[1].encode() in file.read_bytes() for file in kept if file.is_file())

    in_every_mode(scenario)
