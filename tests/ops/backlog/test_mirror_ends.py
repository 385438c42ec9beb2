import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from errors import RefusedError
from ops.backlog import mirror_ends
from ops.backlog.mirror_ends import MirrorEnds, UnansweredError, read_source, read_target, target_url
from settings import load
from settings.backlog import mirrors, source_url
from tests.ops.backlog.sshd import TOOLS, sshd
from tests.terraform import Stacks, with_changes

HOST = "example.git.backlog.jp"
SOURCE = f"example@{HOST}:/WEB/website.git"
TARGET = "codecommit::ap-northeast-1://website"
UNPINNED = (
    f"{HOST} shows a host key that is not pinned\n"
    "hint: somebody may be in between; if Backlog has new keys, compare their fingerprints by eye before pinning them: "
    f"python main.py host-key {HOST}"
)
REFUSED_KEY = (
    f"{HOST} refuses your SSH keys, or ended the connection\n"
    "hint: register a public key with a Backlog user who may read the repository, and load it with ssh-add"
)

pytestmark = pytest.mark.tool("git")


def _ends(folder: Path, *, source: str = SOURCE, pinned: str = f"{HOST} ssh-ed25519 AAAA") -> MirrorEnds:
    folder.mkdir()
    (folder / "known_hosts").write_text(f"{pinned}\n")
    return MirrorEnds(key="website", source=source, target=TARGET, host=HOST, pinned=(pinned,), folder=folder)


def _refusal(read: Callable[[MirrorEnds], object], ends: MirrorEnds) -> str:
    with pytest.raises(RefusedError) as caught:
        read(ends)
    return str(caught.value)


def _program(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program first on PATH."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


class TestRealServer:
    pytestmark = TOOLS

    @pytest.fixture(params=["", "a folder"])
    def work(self, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
        """A working folder, with and without a space in its name."""
        return tmp_path / str(request.param) / "work"

    def test_says_that_a_host_key_is_not_pinned(self, tmp_path: Path, work: Path) -> None:
        work.parent.mkdir(exist_ok=True)
        with sshd(tmp_path, ["ed25519", "ecdsa"]) as port:
            kind, key = (tmp_path / "ecdsa.pub").read_text().split()[:2]
            (tmp_path / "ed25519.pub").unlink()
            pinned = f"[127.0.0.1]:{port} {kind} {key[:-4]}AAA="
            said = _refusal(read_source, _ends(work, source=f"ssh://a@127.0.0.1:{port}/x.git", pinned=pinned))
        assert said == f"error: website: the source cannot be read: {UNPINNED}"

    def test_says_that_the_server_refuses_the_users_keys(self, tmp_path: Path, work: Path) -> None:
        work.parent.mkdir(exist_ok=True)
        with sshd(tmp_path, ["ed25519"]) as port:
            pinned = f"[127.0.0.1]:{port} {(tmp_path / 'ed25519.pub').read_text().strip()}"
            said = _refusal(read_source, _ends(work, source=f"ssh://a@127.0.0.1:{port}/x.git", pinned=pinned))
        assert said == f"error: website: the source cannot be read: {REFUSED_KEY}"


@pytest.mark.parametrize(
    ("words", "status"),
    [("Host key verification failed.", 255), ("Permission denied (publickey).", 255), ("no such repository", 1)],
)
def test_does_not_decide_by_the_wording_of_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, status: int
) -> None:
    """A message without the server's host key is not read as a problem with keys."""
    _program(tmp_path / "bin", "ssh", f"echo 'fatal: {words}' >&2; exit {status}", monkeypatch)
    ends = _ends(tmp_path / "work")
    assert _refusal(read_source, ends) == (
        f"error: website: the source cannot be read: fatal: {words}\nhint: try it by hand: git ls-remote {SOURCE}"
    )
    assert ends.ssh_status == status


def test_a_failure_after_the_login_is_not_blamed_on_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = _ends(tmp_path / "work")
    (ends.folder / "host_key").write_text("ssh-ed25519 AAAA\n")
    _program(tmp_path / "bin", "ssh", "echo 'fatal: Permission denied (publickey).' >&2; exit 1", monkeypatch)
    assert "git ls-remote" in _refusal(read_source, ends)


def test_names_the_remote_helper_when_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("git", "sh"):
        (tmp_path / name).symlink_to(
            next(path for path in (Path("/usr/bin") / name, Path("/bin") / name) if path.exists())
        )
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mirror_ends, "SCRIPTS", str(tmp_path / "scripts"))
    assert _refusal(read_target, _ends(tmp_path / "work")) == (
        "error: website: the target cannot be read: Git does not find git-remote-codecommit\n"
        "hint: install it, for example with: pipx install git-remote-codecommit"
    )


def test_finds_the_remote_helper_that_is_installed_beside_its_own_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setattr(mirror_ends, "SCRIPTS", str(tmp_path / "scripts"))
    helper = tmp_path / "scripts" / "git-remote-codecommit"
    helper.parent.mkdir()
    helper.write_text('#!/bin/sh\necho "fatal: the helper is asked for $2" >&2\nexit 128\n')
    helper.chmod(0o755)
    said = _refusal(read_target, _ends(tmp_path / "work"))
    asked_for = TARGET.removeprefix("codecommit::")
    assert f"the target cannot be read: fatal: the helper is asked for {asked_for}\n" in said


def test_looks_for_programs_in_no_folder_but_those_of_the_path_and_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = _ends(tmp_path / "work")
    monkeypatch.setenv("PATH", "/usr/bin")
    assert ends.environment["PATH"] == f"/usr/bin{os.pathsep}{mirror_ends.SCRIPTS}"
    monkeypatch.delenv("PATH")
    assert ends.environment["PATH"] == f"{os.defpath}{os.pathsep}{mirror_ends.SCRIPTS}"


def test_never_repeats_the_credentials_that_the_remote_helper_puts_into_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://AKIAX%IQoJ/b3+Jp==@git-codecommit.ap-northeast-1.amazonaws.com"
    script = f"echo \"fatal: could not read Password for '{url}': remote helper for 'codecommit'\" >&2; exit 128"
    _program(tmp_path / "bin", "git-remote-codecommit", script, monkeypatch)
    assert _refusal(read_target, _ends(tmp_path / "work")).splitlines() == [
        "error: website: the target cannot be read: fatal: could not read Password for "
        "'https://…@git-codecommit.ap-northeast-1.amazonaws.com': remote helper for 'codecommit'",
        "hint: your AWS credentials need codecommit:GitPull on it; try it by hand: "
        "git ls-remote codecommit::ap-northeast-1://website",
    ]


@pytest.mark.parametrize(
    ("read", "end", "server"), [(read_target, "target", "CodeCommit"), (read_source, "source", HOST)]
)
def test_a_server_that_does_not_answer_is_given_up_though_a_program_that_git_started_goes_on(
    read: Callable[[MirrorEnds], object], end: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "bin", "git", "echo started; sleep 10 & wait", monkeypatch)
    monkeypatch.setattr(mirror_ends, "_LISTING_SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(UnansweredError) as caught:
        read(_ends(tmp_path / "work"))
    assert time.monotonic() - began < 5
    assert str(caught.value) == (
        f"error: website: the {end} cannot be read: {server} did not answer within 0.2 s\n"
        "hint: see that this machine reaches it, then run the command again"
    )


def test_a_connection_that_is_not_made_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path / "bin", "ssh", "echo 'ssh: connect to host: Connection timed out' >&2; exit 255", monkeypatch)
    with pytest.raises(UnansweredError, match="Connection timed out"):
        read_source(_ends(tmp_path / "work"))


def test_says_that_git_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _refusal(read_source, _ends(tmp_path / "work")) == (
        "error: website: git is not installed\nhint: install Git 2.39 or newer"
    )


def test_reads_where_the_builds_fetch_from_and_push_to(project: Path, example: Stacks) -> None:
    deployment = load(project / "deployments" / "example.yaml")
    assert deployment.prd is not None
    assert deployment.prd.backlog is not None
    backlog = deployment.prd.backlog
    objects = example["backlog-bridge"].resources("aws_s3_object").values()
    configs = [json.loads(found["content"]) for found in objects if found["key"].startswith("units/")]
    ends = {
        key: (
            f"{config['source']['user']}@{config['source']['host']}:/{mirror['project']}/{mirror['repository']}.git",
            f"codecommit::{config['region']}://{mirror['target']}",
        )
        for config in configs
        for key, mirror in config["mirrors"].items()
    }
    assert ends == {
        key: (source_url(backlog, mirror), target_url(deployment, mirror)) for key, mirror in mirrors(backlog).items()
    }


def test_reads_the_target_with_the_profile_of_its_account(tmp_path: Path, project: Path) -> None:
    file = tmp_path / "deployment.yaml"
    changes = {"prd.account.profile": "production"}
    file.write_text(json.dumps(with_changes(project / "deployments" / "example.yaml", changes)))
    with_profile = load(file)
    assert with_profile.prd is not None
    assert with_profile.prd.backlog is not None
    mirror = mirrors(with_profile.prd.backlog)["website"]
    assert target_url(with_profile, mirror) == "codecommit::ap-northeast-1://production@website"
