"""The AWS CLI is installed on a GitLab server only if AWS has signed it."""

import datetime
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from buildspec import render
from tests.real.gitlab_server.server import GitlabMachine

pytestmark = [pytest.mark.tool(name) for name in ("bwrap", "gpg", "gpgv", "openssl", "ruby")]

# The installer of the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html
INSTALL = "#!/bin/sh\ncp /srv/aws-cli /srv/bin/aws\n"
CURL = '#!/bin/sh\nfor url; do :; done\nwhile [ "$1" != -o ]; do shift; done\ncp "/srv/downloads/${url##*/}" "$2"\n'


class Signer:
    """A key, and what it signs."""

    def __init__(self, home: Path, *, expires: str = "never", at: str | None = None) -> None:
        home.mkdir(mode=0o700)
        self._command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--yes", "--passphrase", ""]
        if at is not None:
            self._command += ["--faked-system-time", at]
        self._gpg("--quick-gen-key", "AWS <aws@example.com>", "ed25519", "sign", expires)

    def _gpg(self, *arguments: str) -> bytes:
        return subprocess.run([*self._command, *arguments], check=True, capture_output=True, timeout=60).stdout

    @property
    def key(self) -> str:
        return f"Source: a test\n\n{self._gpg('--export', '--armor').decode()}"

    def sign(self, file: Path) -> None:
        self._gpg("--detach-sign", "--output", f"{file}.sig", str(file))


@pytest.fixture(scope="module")
def homes() -> Iterator[Path]:
    """A folder whose path is short enough for the socket of gpg's agent."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="kk") as folder:
        yield Path(folder)
        for home in Path(folder).iterdir():
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, timeout=60)


@pytest.fixture(scope="module")
def aws(homes: Path) -> Signer:
    return Signer(homes / "aws")


@pytest.fixture
def server(tmp_path: Path, aws: Signer, certificate: Path) -> GitlabMachine:
    """A server without the AWS CLI, and with a way to download one that AWS has signed."""
    server = GitlabMachine(tmp_path / "first")
    shutil.copytree(certificate, server.root / "etc/gitlab/ssl")
    (server.srv / "bin/aws").rename(server.srv / "aws-cli")
    server.write("srv/bin/curl", CURL, mode=0o755)
    server.write("etc/kakehashi/aws-cli.asc", aws.key)
    archive = download(server)
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("aws/install", INSTALL)
        file.writestr("aws/dist/aws", "")
    aws.sign(archive)
    return server


def download(server: GitlabMachine) -> Path:
    return server.srv / f"downloads/awscli-exe-linux-{os.uname().machine}.zip"


def test_installs_what_aws_has_signed(server: GitlabMachine) -> None:
    run = server.first_boot()
    assert (run.status, run.errors) == (0, "")
    assert "configure: AWS CLI: installed" in run.output
    assert server.parameter("configure") == "ok"
    assert not (server.root / "var/lib/kakehashi/aws-cli").exists()


@pytest.mark.parametrize("what", ["another key", "another archive", "no signature", "an expired key"])
def test_installs_nothing_else_and_keeps_gitlab_unreachable(
    server: GitlabMachine, aws: Signer, homes: Path, what: str
) -> None:
    archive, right = download(server), server.root.parent / "right"
    shutil.copytree(archive.parent, right)
    match what:
        case "another key":
            Signer(homes / "another").sign(archive)
        case "another archive":
            with zipfile.ZipFile(archive, "a") as file:
                file.writestr("aws/more", "")
        case "no signature":
            Path(f"{archive}.sig").write_bytes(b"")
        case "an expired key":
            expired = Signer(homes / "expired", expires="2024-01-01", at="20230101T000000!")
            expired.sign(archive)
            server.write("etc/kakehashi/aws-cli.asc", expired.key)
    run = server.first_boot()
    assert run.status == 1
    assert "is not signed with AWS's key, or the key in /etc/kakehashi/aws-cli.asc has expired" in run.errors
    assert not (server.srv / "bin/aws").exists()
    assert not server.is_reachable
    shutil.copytree(right, archive.parent, dirs_exist_ok=True)
    server.write("etc/kakehashi/aws-cli.asc", aws.key)
    assert server.run("configure").status == 0
    assert server.is_reachable


def test_the_key_is_the_one_that_aws_documents_and_is_renewed_in_time(tmp_path: Path) -> None:
    key = tmp_path / "key.asc"
    key.write_text(render.aws_cli_key())
    command = ["gpg", "--homedir", str(tmp_path), "--batch", "--with-colons", "--show-keys", str(key)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    records = [line.split(":") for line in shown.splitlines()]
    (public,) = [record for record in records if record[0] == "pub"]
    (fingerprint,) = [record[9] for record in records if record[0] == "fpr"]
    assert fingerprint == "FB5DB77FD5C118B80511ADA8A6310ACC4672475C"
    left = datetime.datetime.fromtimestamp(int(public[6]), datetime.UTC) - datetime.datetime.now(datetime.UTC)
    assert left.days > 60, "renew buildspec/aws_cli.asc as its first lines say"
