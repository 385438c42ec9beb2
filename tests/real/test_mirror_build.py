"""The mirror build's own commands, run by bash with the real Git between two repositories on disk.

Git believes it speaks SSH: the `ssh` it finds serves a repository of this disk, and keeps what it was told.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from buildspec import render

pytestmark = [pytest.mark.tool("bash"), pytest.mark.tool("git"), pytest.mark.tool("flock")]

TARGET_URL = "codecommit::ap-northeast-1://website"
KNOWN_HOST = "example.git.backlog.jp ssh-ed25519 AAAA"
PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nnobody's\n-----END OPENSSH PRIVATE KEY-----"

SSH = """#!/usr/bin/env bash
printf '%s\\n' "$@" >"$SEEN/arguments"
while [ "$#" -gt 2 ]; do
    case $1 in
    -i) cat "$2" >"$SEEN/key" && stat -c %a "$2" >"$SEEN/key_mode" ;;
    UserKnownHostsFile=*) cat "${1#*=}" >"$SEEN/known_hosts" ;;
    esac
    shift
done
command=${2//\\'\\//\\'$DISK/}
eval "$command"
"""


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """A source, a target, and the machine that a build runs on, whose folder stays as a cache would."""

    folder: Path
    source: Path
    target: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def copy(self) -> Path:
        return self.folder / "build" / "mirror.git"

    def git(self, repository: Path, *arguments: str, said: str = "") -> str:
        return subprocess.run(
            ["git", "-C", str(repository), *arguments],
            input=said,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()

    def commit(self, ref: str, text: str = "text") -> str:
        """Put a commit of one file on `ref` of the source, without a parent; returns its id."""
        (self.folder / "readme").write_text(text)
        blob = self.git(self.source, "hash-object", "-w", str(self.folder / "readme"))
        tree = self.git(self.source, "mktree", said=f"100644 blob {blob}\treadme")
        commit = self.git(self.source, "commit-tree", tree, "-m", text)
        self.git(self.source, "update-ref", ref, commit)
        return commit

    def refs(self, repository: Path) -> dict[str, str]:
        """Every ref of a repository and what it points to."""
        lines = self.git(repository, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def start(self, *, cache: str = "s3", source: str = "website") -> subprocess.Popen[str]:
        """Start a build: its environment and its commands are those of the buildspec, as CodeBuild reads them."""
        rendered = render.mirror_buildspec(
            render.MirrorBuildspec(
                source_url=f"example@example.git.backlog.jp:/WEB/{source}.git",
                target_url=TARGET_URL,
                known_hosts=[KNOWN_HOST],
                ssh_key_parameter="/kakehashi/backlog/ssh-key",
                key="website",
                cache=cache,
            )
        )
        spec = YAML(typ="safe", pure=True).load(rendered)
        (name,) = spec["env"]["parameter-store"]
        return subprocess.Popen(
            ["bash", "-c", "\n".join(spec["phases"]["build"]["commands"])],
            env=self.environment | spec["env"]["variables"] | {name: PRIVATE_KEY},
            cwd=self.folder / "build",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *, cache: str = "s3", source: str = "website", fails: bool = False) -> list[str]:
        """Run a build to its end; returns what it said."""
        build = self.start(cache=cache, source=source)
        said, _ = build.communicate(timeout=60)
        assert (build.returncode != 0) == fails, said
        return said.splitlines()


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    for name in ("bin", "build", "cache", "seen", "tmp", "disk/WEB"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "bin/ssh").write_text(SSH)
    (tmp_path / "bin/ssh").chmod(0o755)
    target = tmp_path / "target.git"
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path / "tmp"),
        "SEEN": str(tmp_path / "seen"),
        "DISK": str(tmp_path / "disk"),
        "CODEBUILD_SRC_DIR": str(tmp_path / "build"),
        "CODEBUILD_CACHE": str(tmp_path / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{target}.insteadOf",
        "GIT_CONFIG_VALUE_0": TARGET_URL,
        **{f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    mirror = Mirror(folder=tmp_path, source=tmp_path / "disk/WEB/website.git", target=target, environment=environment)
    for repository in (mirror.source, mirror.target):
        mirror.git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(repository))
    mirror.commit("refs/heads/main")
    return mirror


def test_heads_and_tags_arrive_and_nothing_else(mirror: Mirror) -> None:
    wanted = {
        "refs/heads/main": mirror.commit("refs/heads/main"),
        "refs/heads/feature/a": mirror.commit("refs/heads/feature/a", text="a"),
        "refs/tags/v1": mirror.commit("refs/tags/v1", text="v1"),
    }
    mirror.git(mirror.source, "tag", "-a", "v2", "-m", "annotated", "main")
    wanted["refs/tags/v2"] = mirror.refs(mirror.source)["refs/tags/v2"]
    for ref in ("refs/pull/1/head", "refs/merge-requests/1/head", "refs/remotes/origin/main", "refs/notes/commits"):
        mirror.commit(ref, text=ref)

    assert mirror.run() == [
        "mirror: starting a new copy",
        "mirror: fetching from the source",
        "mirror: the source has 2 heads and 2 tags",
        "mirror: pushing to the target",
        "mirror: done",
    ]
    assert mirror.refs(mirror.target) == wanted
    assert mirror.refs(mirror.copy) == wanted


def test_a_second_build_uses_the_copy_of_the_first(mirror: Mirror) -> None:
    mirror.run()
    mirror.commit("refs/heads/main", text="newer")
    assert mirror.run()[0] == "mirror: using the copy of an earlier build"
    assert mirror.refs(mirror.target) == mirror.refs(mirror.source)


def test_rewritten_and_deleted_refs_are_followed(mirror: Mirror) -> None:
    for ref in ("refs/heads/gone", "refs/heads/rewritten", "refs/tags/gone", "refs/tags/moved"):
        mirror.commit(ref, text="before")
    mirror.run()
    for ref in ("refs/heads/rewritten", "refs/tags/moved"):
        mirror.commit(ref, text="after")
    for ref in ("refs/heads/gone", "refs/tags/gone"):
        mirror.git(mirror.source, "update-ref", "-d", ref)
    mirror.run()
    assert mirror.refs(mirror.target) == mirror.refs(mirror.source)
    assert sorted(mirror.refs(mirror.target)) == ["refs/heads/main", "refs/heads/rewritten", "refs/tags/moved"]


@pytest.mark.parametrize(("before", "after"), [("feature", "feature/a"), ("feature/a", "feature")])
def test_a_branch_may_become_a_folder_of_branches_and_back(mirror: Mirror, before: str, after: str) -> None:
    mirror.commit(f"refs/heads/{before}")
    mirror.run()
    mirror.git(mirror.source, "update-ref", "-d", f"refs/heads/{before}")
    mirror.commit(f"refs/heads/{after}")
    mirror.run()
    assert mirror.refs(mirror.target) == mirror.refs(mirror.source)


def test_other_refs_of_the_target_stay(mirror: Mirror) -> None:
    mirror.run()
    main = mirror.refs(mirror.target)["refs/heads/main"]
    mirror.git(mirror.target, "update-ref", "refs/kept/1", main)
    mirror.run()
    assert mirror.refs(mirror.target)["refs/kept/1"] == main


def test_a_target_that_refuses_a_deletion_gets_the_rest_and_fails_the_build(mirror: Mirror) -> None:
    mirror.run()
    mirror.git(mirror.source, "branch", "--move", "main", "trunk")
    new = mirror.commit("refs/heads/new", text="new")
    said = mirror.run(fails=True)
    assert any("refusing to delete the current branch" in line for line in said)
    assert mirror.refs(mirror.target)["refs/heads/new"] == new
    assert "mirror: done" not in said


def test_an_empty_source_stops_the_build_before_it_deletes_anything(mirror: Mirror) -> None:
    mirror.commit("refs/tags/v1")
    mirror.run()
    before = mirror.refs(mirror.target)
    mirror.git(mirror.source, "update-ref", "-d", "refs/heads/main")
    assert mirror.run(fails=True)[-2:] == [
        "mirror: the source has 0 heads and 1 tags",
        "mirror: stopped before pushing: the source has no branch",
    ]
    assert mirror.refs(mirror.target) == before


def test_a_source_that_is_not_there_stops_the_build_before_it_deletes_anything(mirror: Mirror) -> None:
    mirror.run()
    before = mirror.refs(mirror.target)
    mirror.source.rename(mirror.source.with_name("moved.git"))
    assert "mirror: pushing to the target" not in mirror.run(fails=True)
    assert mirror.refs(mirror.target) == before


def test_another_sources_copy_is_thrown_away(mirror: Mirror) -> None:
    mirror.commit("refs/heads/only-here")
    mirror.run()
    mirror.git(mirror.folder, "init", "--quiet", "--bare", str(mirror.source.with_name("other.git")))
    mirror.git(mirror.source, "push", "--quiet", str(mirror.source.with_name("other.git")), "main")
    assert mirror.run(source="other")[0] == "mirror: starting a new copy"
    assert list(mirror.refs(mirror.target)) == ["refs/heads/main"]


def damage_head(copy: Path) -> None:
    (copy / "HEAD").write_text("")


def damage_config(copy: Path) -> None:
    (copy / "config").write_text("[remote")


def lose_config(copy: Path) -> None:
    (copy / "config").unlink()


def lose_objects(copy: Path) -> None:
    shutil.rmtree(copy / "objects")


def cut_objects(copy: Path) -> None:
    for file in (copy / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(file.read_bytes()[:20])


def lose_a_commit(copy: Path) -> None:
    ref = (copy / "refs/heads/main").read_text().strip()
    (copy / "objects" / ref[:2] / ref[2:]).unlink()


def replace_by_a_file(copy: Path) -> None:
    shutil.rmtree(copy)
    copy.write_text("")


@pytest.mark.parametrize(
    "damage", [damage_head, damage_config, lose_config, lose_objects, cut_objects, lose_a_commit, replace_by_a_file]
)
def test_a_damaged_copy_is_replaced(mirror: Mirror, damage: Callable[[Path], None]) -> None:
    mirror.commit("refs/heads/feature", text="feature")
    mirror.run()
    damage(mirror.copy)
    mirror.commit("refs/heads/main", text="newer")
    assert mirror.run()[0] == "mirror: starting a new copy"
    assert mirror.refs(mirror.target) == mirror.refs(mirror.source)


def test_what_a_stopped_build_left_locked_is_unlocked(mirror: Mirror) -> None:
    mirror.run()
    for name in ("config.lock", "packed-refs.lock", "refs/heads/main.lock", "shallow.lock"):
        (mirror.copy / name).touch()
    mirror.commit("refs/heads/main", text="newer")
    mirror.git(mirror.source, "update-ref", "refs/heads/new", "main")
    assert mirror.run()[0] == "mirror: using the copy of an earlier build"
    assert mirror.refs(mirror.target) == mirror.refs(mirror.source)


@pytest.mark.parametrize("packed", [False, True])
def test_a_copy_survives_a_cache_that_keeps_no_empty_folders(mirror: Mirror, packed: bool) -> None:
    mirror.run()
    if packed:
        mirror.git(mirror.copy, "gc", "--quiet")
    for folder in sorted(mirror.copy.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    mirror.commit("refs/heads/main", text="newer")
    assert mirror.run()[0] == "mirror: using the copy of an earlier build"
    assert mirror.refs(mirror.target) == mirror.refs(mirror.source)


def test_builds_that_share_a_file_system_wait_for_each_other(mirror: Mirror) -> None:
    with (mirror.folder / "cache/website.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build = mirror.start(cache="efs")
        with pytest.raises(subprocess.TimeoutExpired):
            build.wait(timeout=1)
        assert mirror.refs(mirror.target) == {}
    said, _ = build.communicate(timeout=60)
    assert build.returncode == 0, said
    assert mirror.refs(mirror.folder / "cache/website.git") == mirror.refs(mirror.target) == mirror.refs(mirror.source)


def test_ssh_gets_this_spaces_key_and_pinned_hosts_and_asks_nobody(mirror: Mirror) -> None:
    mirror.run()
    seen = mirror.folder / "seen"
    assert (seen / "key").read_text() == f"{PRIVATE_KEY}\n"
    assert (seen / "key_mode").read_text() == "600\n"
    assert (seen / "known_hosts").read_text() == f"{KNOWN_HOST}\n"
    arguments = (seen / "arguments").read_text().splitlines()
    assert arguments[:2] == ["-F", "/dev/null"]
    for option in ("BatchMode", "IdentitiesOnly", "StrictHostKeyChecking"):
        assert f"{option}=yes" in arguments
    assert "GlobalKnownHostsFile=/dev/null" in arguments


@pytest.mark.parametrize("broken", [False, True])
def test_the_key_is_neither_left_on_disk_nor_said(mirror: Mirror, broken: bool) -> None:
    if broken:
        mirror.source.rename(mirror.source.with_name("moved.git"))
    said = mirror.run(fails=broken)
    shutil.rmtree(mirror.folder / "seen")
    assert list((mirror.folder / "tmp").iterdir()) == []
    assert not any("nobody's" in line for line in said)
    for file in mirror.folder.rglob("*"):
        assert not file.is_file() or b"nobody's" not in file.read_bytes(), file
