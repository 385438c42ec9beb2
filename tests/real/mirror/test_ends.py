"""An end that is gone, breaks off, is silent, slow or busy damages nothing, and no build is green for it."""

import pytest

from tests.real.mirror import faults
from tests.real.mirror.conftest import Units
from tests.real.mirror.projects import ROLE
from tests.real.mirror.world import MirrorBuildRun, Pair

# So that no test waits for a timeout's whole length, and a busy machine still connects in time.
TIMEOUTS = {
    "connect: float = 30": "connect: float = 5",
    "MOST_FAILURES = 3": "MOST_FAILURES = 2",
    "silence: float = 90": "silence: float = 15",
    "_ATTEMPTS = 5": "_ATTEMPTS = 2",
    "answer: float = 900": "answer: float = 15",
}


def _random(size: int) -> bytes:
    with open("/dev/urandom", "rb") as random:
        return random.read(size)


def _equal(pair: Pair) -> bool:
    return pair.target.refs() == pair.wanted()


def test_a_host_key_that_is_not_pinned_is_not_trusted(mirrored: Units) -> None:
    case = mirrored().case
    host, kind, _ = case.world.host_key.split()
    other = (case.folder / "key.pub").read_text().split()[1]
    source = {"host": host, "user": "example", "key_parameter": "/kakehashi/backlog/ssh-key"}
    unit = mirrored(settings={"source": source | {"known_hosts": [f"{host} {kind} {other}"]}})
    unit.source.commit("refs/heads/main")
    assert "host key that is not pinned" in unit.stops()


def test_a_wrong_ssh_key_is_named_as_the_reason(mirrored: Units) -> None:
    unit = mirrored()
    unit.source.commit("refs/heads/main")
    wrong = {name: key.replace("b3BlbnNz", "c3BlbnNz") for name, key in unit.case.key().items()}
    unit.case.allow(ROLE, unit.case.parameters() | wrong)
    assert "refuses the SSH key" in unit.stops()


def test_an_end_that_is_gone_does_not_empty_the_target(mirrored: Units) -> None:
    unit = mirrored()
    moved = unit.source.path.rename(unit.source.path.with_name("gone.git"))
    assert "source" in unit.stops()
    moved.rename(unit.source.path)
    unit.source.update(dict.fromkeys(unit.source.refs()))
    assert "the source has no branch" in unit.stops()
    moved = unit.target.path.rename(unit.target.path.with_name("moved"))
    assert "target" in unit.fails().messages[-1]
    moved.rename(unit.target.path)


PASSING = {
    faults.UNAVAILABLE: 1,
    faults.CUT_PUSH: 100,
    faults.CUT_ANSWER: None,
    faults.SOURCE_UNAVAILABLE: 1,
    faults.SLOW_PUSH: 200_000,
    faults.SOURCE_SLOW: 200_000,
    "nothing": None,
}
LASTING = {
    faults.OUTAGE: 0,
    faults.SILENT_LIST: None,
    faults.SILENT_PUSH: None,
    faults.SILENT_ANSWER: None,
    faults.SOURCE_CUT: 100_000,
    faults.SOURCE_SILENT: 0,
}


def test_what_one_mirror_suffers_neither_stops_nor_delays_the_others(units: Units) -> None:
    names = {name.replace("_", "-"): name for name in PASSING | LASTING | {"silent-in-a-pack": None, "gone": None}}
    unit = units(projects=dict.fromkeys(names, "WEB"), prepare=True, edits=TIMEOUTS)
    case = unit.case
    for mirror, name in names.items():
        pair = case.pairs[mirror]
        pair.source.git("push", "--quiet", "--mirror", str(pair.target.path))
        pair.target.set_default("main")
        pair.source.commit("refs/heads/main", {"large": _random(300_000)})
        pair.source.update({"refs/heads/old": None})
        if name in PASSING | LASTING:
            case.fault(f"{name}.{mirror}", (PASSING | LASTING)[name])
    case.fault(f"{faults.SOURCE_SILENT}.silent-in-a-pack", 100_000)
    gone = case.pairs["gone"].source.path
    gone.rename(gone.with_name("elsewhere.git"))

    build = unit.fails()
    assert build.seconds < 150
    green = [mirror for mirror, name in names.items() if name in PASSING]
    assert [mirror for mirror in green if not _equal(case.pairs[mirror])] == [], build.log
    for mirror, pair in case.pairs.items():
        pair.target.git("fsck", "--connectivity-only", "--no-dangling")
        # What CodeCommit applied before it fell silent is there; nothing else is.
        assert mirror == "gone" or _equal(pair) == (mirror in green or mirror == "silent-answer"), (mirror, build.log)

    for fault in case.folder.joinpath(faults.FOLDER).iterdir():
        fault.unlink()
    gone.with_name("elsewhere.git").rename(gone)
    unit.mirrors()


def test_the_next_build_completes_one_that_lost_the_target(mirrored: Units) -> None:
    unit = mirrored()
    main = unit.source.refs()["refs/heads/main"]
    unit.source.update({f"refs/tags/{number}": main for number in range(4500)} | {"refs/heads/old": None})
    outage = unit.case.fault(faults.OUTAGE, 2)
    unit.fails()
    assert 4000 <= len(unit.target.refs()) < 4500
    outage.unlink()
    unit.mirrors()


def _refuse(unit: MirrorBuildRun) -> None:
    """Branches that are refused: by CodeCommit for its name, by any Git for its tag object, and by a hook."""
    source = unit.source
    hook = unit.target.path / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n[ $1 != refs/heads/refused ] && [ ${#1} -ne 51 ]\n")
    hook.chmod(0o755)
    source.commit(f"refs/heads/{'0123456789' * 4}")
    source.commit("refs/heads/refused")
    (source.path / "refs/heads/at_a_tag").write_text(f"{source.refs()['refs/tags/v3']}\n")


@pytest.mark.parametrize("mode", ["relay", "none"])
def test_a_refused_ref_leaves_everything_else_equal_in_one_pass(mirrored: Units, mode: str) -> None:
    unit = mirrored(mode)
    _refuse(unit)
    unit.source.commit("refs/heads/main")
    unit.source.update({"refs/heads/old": None, "refs/tags/v1": None})
    unit.source.commit("refs/heads/trunk")
    unit.source.set_default("trunk")
    refused = {f"refs/heads/{name}" for name in ("0123456789" * 4, "refused", "at_a_tag")}
    for _ in range(2):
        build = unit.fails()
        wanted = {ref: tip for ref, tip in unit.case.pair.wanted().items() if ref not in refused}
        assert unit.target.refs() == wanted, build.log
        assert unit.target.default == "trunk"
        assert build.messages[-1].startswith(f"the target refuses 2 refs (refs/heads/{'0123456789' * 4}, refs/heads/r")
        assert build.messages[-1].endswith("everything else is equal")
    unit.source.update(dict.fromkeys(refused))
    unit.mirrors()


ATTRIBUTES = "*.psd filter=lfs diff=lfs merge=lfs -text\n"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"


@pytest.mark.parametrize(("mode", "file"), [("relay", ".gitattributes"), ("none", "design/deep inside/.gitattributes")])
def test_lfs_is_refused_or_mirrored_with_a_warning(mirrored: Units, mode: str, file: str) -> None:
    unit = mirrored(mode)
    unit.source.commit("refs/heads/main", {"a": "before"})
    unit.source.commit("refs/heads/design", {file: ATTRIBUTES, "x.psd": POINTER})
    unit.source.commit("refs/heads/design", {"a": "after", file: "# filter=lfs was here\n"})
    stopped = unit.stops()
    assert "Git LFS" in stopped
    assert file in stopped
    warned = mirrored(mode, settings={"lfs": "warn"})
    warned.case.become(unit.case)
    assert any(line.startswith("WARNING") and "Git LFS" in line for line in warned.mirrors().messages)


def test_what_only_looks_like_lfs_is_mirrored(mirrored: Units) -> None:
    unit = mirrored()
    unit.source.commit("refs/heads/main", {".gitattributes": f"# {ATTRIBUTES}", "lfs.gitattributes": ATTRIBUTES})
    unit.source.commit("refs/heads/main", {"docs/about-lfs.md": POINTER})
    unit.mirrors()
