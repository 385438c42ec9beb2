"""No push is lost: pushes at random moments while builds run, and builds that are killed."""

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.real.mirror.projects import MODES
from tests.real.mirror.world import MirrorBuildRun

Mirrored = Callable[[str], MirrorBuildRun]
InEveryMode = Callable[[Callable[[MirrorBuildRun], object]], None]

# A round costs three seconds of processor time. Before merging a change to the mirror script, run 102 (five minutes).
ROUNDS = int(os.environ.get("KAKEHASHI_ROUNDS", "36"))
PUSHES = 10
KILLS = 24


def _push(mirror: MirrorBuildRun, chance: random.Random, text: str) -> None:
    """Push what a developer might push: a commit, or a rewritten, new, moved, renamed or deleted ref."""
    source, refs = mirror.source, mirror.source.refs()
    branches = sorted(ref for ref in refs if ref.startswith("refs/heads/") and ref != "refs/heads/main")
    some = chance.choice(branches)
    match chance.randrange(8):
        case 0 | 1:
            source.commit("refs/heads/main", {chance.choice("abc"): text})
        case 2:
            source.commit(
                some, {"c": text}, parent=chance.choice([refs["refs/heads/main"], refs["refs/tags/v1"], None])
            )
        case 3:
            source.commit(f"refs/heads/new/{text}", {"n": text}, parent=chance.choice(list(refs.values())[:3]))
        case 4:
            source.update({f"refs/tags/{chance.randrange(5)}": chance.choice([refs[some], refs["refs/heads/main"]])})
        case 5 if len(branches) > 2:
            source.update({some: None})
        case 6 if len(branches) > 2:
            source.update({some: None, f"refs/heads/renamed/{text}": refs[some]})
        case _:
            source.commit(some, {"c": text})


def _rounds(mirror: MirrorBuildRun, mode: str) -> tuple[int, int]:
    """Push at random moments of builds; returns the number of rounds that mirrored every push in time, and of all."""
    chance = random.Random(mode)
    in_time = 0
    for number in range(ROUNDS // len(MODES)):
        builds = [mirror.project.start(ALLOW_DELETIONS="100")]
        for push in range(PUSHES):
            time.sleep(chance.random() * 0.12)
            _push(mirror, chance, f"{number}-{push}")
            if push == PUSHES // 2 and number % 4 == 0:
                builds.append(mirror.project.start(ALLOW_DELETIONS="100"))
        for build in builds:
            build.wait()
            assert build.succeeded, build.log
        if mirror.target.refs() == mirror.case.wanted():
            in_time += 1
        else:
            # The last push came after the build's last look at the source. That push's webhook starts this build.
            mirror.project.run(ALLOW_DELETIONS="100")
        mirror.case.assert_mirrored()
    return in_time, ROUNDS // len(MODES)


@pytest.mark.slow
def test_no_push_is_lost_at_any_moment_of_a_build(mirrored: Mirrored) -> None:
    with ThreadPoolExecutor(len(MODES)) as threads:
        rounds = [threads.submit(_rounds, mirrored(mode), mode) for mode in MODES]
        in_time, of = map(sum, zip(*[round_.result() for round_ in rounds], strict=True))
    assert of * PUSHES >= 300
    assert in_time > of / 2, "a build must mirror most pushes that arrive while it runs"


def _push_back(mirror: MirrorBuildRun, times: int) -> None:
    """Make the target's hook push a commit to the source after each push to the target, up to `times` times."""
    hook = mirror.target.path / "hooks" / "post-receive"
    hook.write_text(
        f"""#!/bin/sh
unset $(git rev-parse --local-env-vars)
cd {mirror.source.path} || exit
pushed=$(git rev-list --count --grep=pushed-back main)
[ "$pushed" -lt {times} ] || exit 0
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x
git update-ref refs/heads/main "$(git commit-tree -p main -m pushed-back 'main^{{tree}}')"
"""
    )
    hook.chmod(0o755)


def test_a_push_to_the_source_while_a_build_pushes_is_mirrored_by_that_build(in_every_mode: InEveryMode) -> None:
    def scenario(mirror: MirrorBuildRun) -> None:
        _push_back(mirror, 2)
        mirror.source.commit("refs/heads/main")
        messages = mirror.mirrors().messages
        assert sum(line.startswith("pushed 1 new or moved refs") for line in messages) == 3

    in_every_mode(scenario)


def test_a_source_that_changes_in_every_pass_is_left_to_the_next_build(mirrored: Mirrored) -> None:
    mirror = mirrored("efs")
    _push_back(mirror, 10)
    mirror.source.commit("refs/heads/main")
    build = mirror.project.run()
    assert build.phases["build"] == "FAILED"
    assert build.messages[-1] == "stopped: the source still changes after 10 passes; the next build goes on"
    mirror.mirrors()


def _kills(mirror: MirrorBuildRun, kills: int) -> list[str]:
    """Kill builds at moments spread over their duration, and run each again; returns the last message of each."""
    mirror.source.commit("refs/heads/main")
    seconds = mirror.mirrors().seconds
    last = []
    for number in range(kills):
        source, refs = mirror.source, mirror.source.refs()
        source.commit("refs/heads/main", {"a": f"{number}"})
        source.commit(f"refs/heads/new/{number}", {"b": f"{number}"}, parent=refs["refs/tags/v1"])
        source.update({f"refs/heads/new/{number - 1}": None} if number else {"refs/heads/old": None})
        source.set_default(f"new/{number}")
        build = mirror.project.start()
        time.sleep(seconds * (number + 0.5) / kills)
        build.kill()
        last.append(build.messages[-1].split(":")[0] if build.messages else "nothing")
        mirror.mirrors()
    return last


@pytest.mark.slow
def test_the_next_build_completes_a_build_that_was_killed_at_any_step(mirrored: Mirrored) -> None:
    with ThreadPoolExecutor(len(MODES)) as threads:
        killing = [threads.submit(_kills, mirrored(mode), KILLS // len(MODES)) for mode in MODES]
        last = [message for killed in killing for message in killed.result()]
    assert len(last) >= 20
    assert len(set(last)) >= 5, f"kills at so few steps prove little: {last}"
