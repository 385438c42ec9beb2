"""No push is lost: pushes at random moments while builds run, and builds that are killed."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.real.mirror.conftest import Units
from tests.real.mirror.projects import MODES
from tests.real.mirror.world import MirrorBuildRun, Pair

# A round costs a second of processor time. Before merging a change to the program, run 102.
ROUNDS = int(os.environ.get("KAKEHASHI_ROUNDS", "15"))
PUSHES = 10
KILLS = 20
MIRRORS = ("website", "batch", "docs")


def _push(pair: Pair, chance: random.Random, text: str) -> None:
    """Push what a developer might push: a commit, or a rewritten, new, moved, renamed or deleted ref."""
    source, refs = pair.source, pair.source.refs()
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


def _rounds(unit: MirrorBuildRun, seed: str) -> tuple[int, int]:
    """Push at random moments of builds; returns the number of rounds that mirrored every push in time, and of all."""
    chance = random.Random(seed)
    in_time, pairs = 0, list(unit.case.pairs.values())
    for number in range(ROUNDS // (len(MODES) + 1)):
        builds = [unit.project.start()]
        for push in range(PUSHES):
            time.sleep(chance.random() * 0.1)
            _push(chance.choice(pairs), chance, f"{number}-{push}")
            if push == PUSHES // 2 and number % 4 == 0:
                builds.append(unit.project.start())
        for build in builds:
            build.wait()
            assert build.succeeded, build.log
        if all(pair.target.refs() == pair.wanted() for pair in pairs):
            in_time += 1
        else:
            # The last push came after the build's last look at the source. That push's webhook starts this build.
            unit.project.run()
        for pair in pairs:
            pair.assert_mirrored()
    return in_time, ROUNDS // (len(MODES) + 1)


def _units(units: Units, mirrored: Units) -> dict[str, MirrorBuildRun]:
    """A unit of one mirror in each mode, and one of several mirrors, which a build reconciles."""
    several = units(projects=dict.fromkeys(MIRRORS, "WEB"), prepare=True)
    several.mirrors()
    return {mode: mirrored(mode) for mode in MODES} | {"reconcile": several}


@pytest.mark.slow
def test_no_push_is_lost_at_any_moment_of_a_build(units: Units, mirrored: Units) -> None:
    found = _units(units, mirrored)
    with ThreadPoolExecutor(len(found)) as threads:
        rounds = [threads.submit(_rounds, unit, mode) for mode, unit in found.items()]
        in_time, of = map(sum, zip(*[round_.result() for round_ in rounds], strict=True))
    assert of * PUSHES >= 150
    assert in_time > of / 2, "a build must mirror most pushes that arrive while it runs"


def _push_back(unit: MirrorBuildRun, times: int) -> None:
    """Make the target's hook push a commit to the source after each push to the target, up to `times` times."""
    hook = unit.target.path / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"""#!/bin/sh
unset $(git rev-parse --local-env-vars)
cd {unit.source.path} || exit
pushed=$(git rev-list --count --grep=pushed-back main)
[ "$pushed" -lt {times} ] || exit 0
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x
git update-ref refs/heads/main "$(git commit-tree -p main -m pushed-back 'main^{{tree}}')"
"""
    )
    hook.chmod(0o755)


@pytest.mark.parametrize("mode", ["relay", "s3"])
def test_a_push_to_the_source_while_a_build_pushes_is_mirrored_by_that_build(mirrored: Units, mode: str) -> None:
    unit = mirrored(mode)
    _push_back(unit, 2)
    unit.source.commit("refs/heads/main")
    unit.mirrors()
    assert unit.source.git("rev-list", "--count", "--grep=pushed-back", "main") == "2"


def test_a_source_that_changes_in_every_pass_is_left_to_the_next_build(mirrored: Units) -> None:
    unit = mirrored()
    _push_back(unit, 10)
    unit.source.commit("refs/heads/main")
    build = unit.fails()
    assert "10 passes" in build.messages[-1]
    unit.mirrors()


def _kills(unit: MirrorBuildRun, kills: int) -> list[str]:
    """Kill builds at moments spread over their duration, and run each again; returns the last message of each."""
    for pair in unit.case.pairs.values():
        pair.source.commit("refs/heads/main")
    seconds = unit.mirrors().seconds
    last = []
    for number in range(kills):
        for pair in unit.case.pairs.values():
            source, refs = pair.source, pair.source.refs()
            source.commit("refs/heads/main", {"a": f"{number}"})
            source.commit(f"refs/heads/new/{number}", {"b": f"{number}"}, parent=refs["refs/tags/v1"])
            source.update({f"refs/heads/new/{number - 1}": None} if number else {"refs/heads/old": None})
            source.set_default(f"new/{number}")
        build = unit.project.start()
        time.sleep(seconds * (number + 0.5) / kills)
        build.kill()
        last.append(build.log.splitlines()[-1] if build.log else "nothing")
        unit.mirrors()
    return last


@pytest.mark.slow
def test_the_next_build_completes_a_build_that_was_killed_at_any_step(units: Units, mirrored: Units) -> None:
    found = _units(units, mirrored)
    with ThreadPoolExecutor(len(found)) as threads:
        killing = [threads.submit(_kills, unit, -(-KILLS // len(found))) for unit in found.values()]
        last = [message for killed in killing for message in killed.result()]
    assert len(last) >= 20
    assert len({message.partition(":")[2][:30] for message in last}) >= 4, f"kills at so few steps prove little: {last}"
