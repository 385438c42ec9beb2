"""The program that configures a GitLab server, in a separate root directory: first, repeated and interrupted runs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real.gitlab_server.server import DEVICE, IMAGES_GITLAB_RB, INSTANCE_ID, SCRIPTS, VOLUME, GitlabMachine

pytestmark = [
    pytest.mark.tool("bwrap"),
    pytest.mark.tool("openssl"),
    pytest.mark.tool("ruby"),
]

DATA = "var/opt/gitlab"  # hidden by the volume once that is mounted
KEPT = "srv/volume/.kakehashi"
SECURED = f"{KEPT}/first-login"


@pytest.fixture
def server(tmp_path: Path, certificate: Path) -> GitlabMachine:
    made = GitlabMachine(tmp_path / "first")
    shutil.copytree(certificate, made.root / "etc/gitlab/ssl")
    return made


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> tuple[GitlabMachine, str, list[str]]:
    """A server after its first boot, the boot's output, and the programs it called. Tests must not change it."""
    server = GitlabMachine(tmp_path_factory.mktemp("server") / "first")
    run = server.first_boot()
    assert (run.status, run.errors) == (0, "")
    return server, run.output, server.calls()


def test_the_first_boot_prints_each_step_on_the_console(configured: tuple[GitlabMachine, str, list[str]]) -> None:
    _, output, _ = configured
    steps = [line.removeprefix("kakehashi: configure: ") for line in output.splitlines()]
    fingerprint = steps.pop(2)
    assert re.fullmatch(r"certificate: SHA-256 fingerprint ([0-9A-F]{2}:){31}[0-9A-F]{2}", fingerprint)
    assert steps == [
        f"data volume: making a file system on {VOLUME}",
        f"data volume: {VOLUME} is mounted",
        "gitlab.rb: configured",
        "configuration for a later server: kept on the data volume",
        "first login: sign-up is off, and root's password is in /kakehashi/example/dev/gitlab/root-password",
        "gitlab.rb: configured",
        "daily backup: scheduled for 09:00 UTC",
    ]


def test_the_data_is_on_the_volume_that_is_found_by_its_id(configured: tuple[GitlabMachine, str, list[str]]) -> None:
    server, _, _ = configured
    assert server.label == "kakehashi-data"
    root, data = server.read("etc/fstab").splitlines()
    assert root.startswith("LABEL=cloudimg-rootfs / ")
    assert data == f"{DEVICE} /var/opt/gitlab ext4 defaults,nofail 0 2"
    assert (server.srv / "volume/postgresql").is_dir()
    assert list((server.root / DATA).iterdir()) == []


def test_one_line_is_added_to_gitlab_rb(configured: tuple[GitlabMachine, str, list[str]]) -> None:
    server, _, calls = configured
    assert server.read("etc/gitlab/gitlab.rb") == f"{IMAGES_GITLAB_RB}\nfrom_file '/etc/gitlab/kakehashi.rb'\n"
    assert server.read("etc/gitlab/kakehashi.rb") == server.read("etc/kakehashi/gitlab.rb")
    once = ["gitlab-ctl reconfigure", "gitlab-ctl restart gitaly"]
    assert [call for call in calls if call.startswith("gitlab-ctl")] == once * 2, "before the first login, and after it"


def test_nobody_reaches_gitlab_before_its_first_login_is_secure(
    configured: tuple[GitlabMachine, str, list[str]],
) -> None:
    server, _, calls = configured
    assert server.is_reachable
    before = GitlabMachine(server.root.parent / "before")
    shutil.copytree(server.root / "etc/gitlab/ssl", before.root / "etc/gitlab/ssl")
    before.first_boot(end_at=(calls.index("gitlab-rails runner") + 1, "kill"))
    assert (before.root / "opt/gitlab/service/gitaly").exists()
    assert not before.is_reachable


def test_the_images_own_script_does_not_run_where_ours_could_not_be_written(server: GitlabMachine) -> None:
    (server.root / "opt/kakehashi/server").unlink()
    assert server.first_boot().status == 127
    assert server.calls() == []


def test_systems_manager_removes_the_images_own_script_where_user_data_did_not(server: GitlabMachine) -> None:
    images_script = server.root / SCRIPTS / "gitlab"
    assert images_script.exists()
    assert server.run("configure").status == 0
    assert not images_script.exists()


def test_roots_password_is_random_and_only_in_gitlab_and_its_parameter(
    configured: tuple[GitlabMachine, str, list[str]],
) -> None:
    server, output, _ = configured
    password = server.parameter("root-password")
    assert password == server.read("srv/root_password")
    assert password is not None
    assert re.fullmatch(r"[0-9a-f]{40}", password)
    assert "--type SecureString" in server.read("srv/aws_arguments")
    holding = {
        str(file.relative_to(server.root))
        for file in server.root.rglob("*")
        if file.is_file() and password.encode() in file.read_bytes()
    }
    assert holding == {"srv/root_password", "srv/aws/parameters/kakehashi/example/dev/gitlab/root-password"}
    assert password not in output
    seed = server.read("srv/volume/postgresql/seed").strip()
    assert re.fullmatch(r"[0-9a-f]{48}", seed)


# Rails' own methods of these classes: https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/models/user.rb, whose
# `sign_in_count` Devise counts, and lib/gitlab/current_settings.rb.
CONSOLE = """
module Gitlab; end
Gitlab::CurrentSettings = Object.new
def (Gitlab::CurrentSettings).update!(**settings) = warn("settings #{settings}")
Root = Struct.new(:sign_in_count) { def update!(**columns) = warn("root #{columns}") }
class User; def self.find_by!(username:) = username == "root" ? Root.new(ENV.fetch("SIGNED_IN").to_i) : raise; end
load ARGV.fetch(0)
"""
"""What the script calls in GitLab's console; each prints what it was given."""


@pytest.mark.parametrize(("signed_in", "is_set"), [(0, True), (1, False), (7, False)])
def test_the_script_for_gitlabs_console_turns_sign_up_off_and_sets_a_password_that_nobody_has_used(
    configured: tuple[GitlabMachine, str, list[str]], signed_in: int, is_set: bool
) -> None:
    server, _, _ = configured
    run = subprocess.run(
        ["ruby", "-w", "-e", CONSOLE, server.srv / "rails.rb"],
        env={**os.environ, "SIGNED_IN": str(signed_in)},
        input="of-root",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout) == (0, "kakehashi: set\n" if is_set else "")
    settings, *root = run.stderr.splitlines()
    assert re.sub(r"\W+", " ", settings) == "settings signup_enabled false "
    columns = "root password of root password_confirmation of root password_automatically_set false "
    assert [re.sub(r"\W+", " ", line) for line in root] == [columns] * is_set


def test_the_certificate_is_for_the_host_and_its_fingerprint_is_printed(
    configured: tuple[GitlabMachine, str, list[str]],
) -> None:
    server, output, _ = configured
    file = server.root / "etc/gitlab/ssl/gitlab.example.com.crt"
    command = ["openssl", "x509", "-in", str(file), "-noout", "-fingerprint", "-sha256", "-ext", "subjectAltName"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "DNS:gitlab.example.com" in shown
    assert shown.splitlines()[0].partition("=")[2] in output
    assert file.with_suffix(".key").stat().st_mode & 0o777 == 0o600


def test_backups_are_scheduled_and_a_missed_one_is_made_later(configured: tuple[GitlabMachine, str, list[str]]) -> None:
    server, _, calls = configured
    timer = server.read("etc/systemd/system/kakehashi-backup.timer")
    assert "OnCalendar=*-*-* 09:00:00 UTC\nPersistent=true\n" in timer
    assert "ExecStart=/opt/kakehashi/server backup\n" in server.read("etc/systemd/system/kakehashi-backup.service")
    assert "systemctl enable kakehashi-backup.timer" in calls


def test_success_is_recorded_in_the_parameter(configured: tuple[GitlabMachine, str, list[str]]) -> None:
    server, _, _ = configured
    assert server.parameter("configure") == "ok"


def test_a_second_run_and_a_run_after_a_reboot_change_nothing(server: GitlabMachine) -> None:
    assert server.run("configure").status == 0
    after_first, _ = server.state(), server.calls()
    again = server.run("configure", "configure")
    assert (again.status, again.errors) == (0, "")
    assert server.state() == after_first
    assert set(server.calls()) == {"mount /var/opt/gitlab", "gitlab-ctl start", "aws ssm get-parameter"}
    assert again.output.count("gitlab.rb: nothing has changed") == 2


def test_a_changed_drop_in_is_applied_once(server: GitlabMachine) -> None:
    server.run("configure")
    server.calls()
    server.deploy_gitlab_rb("https://new.example.com")
    assert server.run("configure", "configure").status == 0
    assert "external_url 'https://new.example.com'\n" in server.read("etc/gitlab/kakehashi.rb")
    calls = server.calls()
    assert calls.count("gitlab-ctl reconfigure") == calls.count("gitlab-ctl restart gitaly") == 1
    assert server.read("etc/gitlab/gitlab.rb").count("from_file") == 1
    assert server.read(f"{KEPT}/etc/kakehashi.rb") == server.read("etc/gitlab/kakehashi.rb")


def test_a_line_removed_from_gitlab_rb_is_added_again(server: GitlabMachine) -> None:
    server.run("configure")
    server.write("etc/gitlab/gitlab.rb", IMAGES_GITLAB_RB)
    server.calls()
    assert server.run("configure").status == 0
    assert "from_file '/etc/gitlab/kakehashi.rb'\n" in server.read("etc/gitlab/gitlab.rb")
    assert "gitlab-ctl reconfigure" in server.calls()


def test_an_existing_certificate_is_kept(server: GitlabMachine, certificate: Path) -> None:
    server.run("configure")
    for file in certificate.iterdir():
        assert (server.root / "etc/gitlab/ssl" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("end", ["fail", "kill"])
def test_a_first_boot_cut_off_at_any_step_leaves_no_gitlab_reachable_and_the_next_run_completes_it(
    tmp_path: Path, certificate: Path, end: str
) -> None:
    def fresh(name: str) -> GitlabMachine:
        server = GitlabMachine(tmp_path / name)
        shutil.copytree(certificate, server.root / "etc/gitlab/ssl")
        server.write(f"{DATA}/from-the-image", "data")
        return server

    def content(server: GitlabMachine) -> dict[str, str]:
        """All files except those with random content or this server's name."""
        return {
            path: digest
            for path, (_, digest, _) in server.state().items()
            if not path.endswith(("seed", "root-password", "gitlab-secrets.json", "encrypted-with"))
        }

    undisturbed = fresh("undisturbed")
    undisturbed.first_boot()
    *work, _, _ = undisturbed.calls()  # the last two record the outcome
    assert len(work) > 8
    for number, call in enumerate(work, start=1):
        server = fresh(f"cut-off-{number}")
        cut_off = server.first_boot(end_at=(number, end))
        assert cut_off.status != 0, call
        assert server.is_reachable <= (server.root / SECURED).exists(), call
        assert INSTANCE_ID not in "".join(seed.read_text() for seed in server.root.rglob("seed")), call
        # A reboot mounts what fstab lists, so the list must not contain a volume without a file system.
        assert (DEVICE in server.read("etc/fstab")) <= (server.label == "kakehashi-data"), call
        if end == "fail":
            assert "FAILED" in cut_off.errors, call
            assert str(server.parameter("configure")).startswith("failed: "), call
        again = server.run("configure")
        assert (again.status, server.parameter("configure")) == (0, "ok"), call
        assert content(server) == content(undisturbed), call
        assert server.is_reachable, call
        assert server.parameter("root-password") == server.read("srv/root_password"), call


def test_existing_data_moves_to_the_volume_while_gitlab_is_stopped(server: GitlabMachine) -> None:
    server.write(f"{DATA}/git-data/repository", "commits")
    server.write("opt/gitlab/service/gitaly/run", "")
    assert server.run("configure").status == 0
    assert server.read("srv/volume/git-data/repository") == "commits"
    assert server.read(f"{DATA}/git-data/repository") == "commits"
    stop, filled, mounted, start = server.calls()[:4]
    assert (stop, start) == ("gitlab-ctl stop", "gitlab-ctl start")
    assert (filled, mounted) == ("mount /var/lib/kakehashi/filling", "mount /var/opt/gitlab")


def test_gitlab_starts_again_with_its_old_data_when_moving_it_fails(server: GitlabMachine) -> None:
    server.write("opt/gitlab/service/gitaly/run", "")
    server.write(f"{DATA}/git-data/repository", "commits")
    assert server.run("configure", end_at=(2, "fail")).status == 1
    assert server.calls()[:3] == ["gitlab-ctl stop", "mount /var/lib/kakehashi/filling", "gitlab-ctl start"]
    assert server.run("configure").status == 0
    assert server.read("srv/volume/git-data/repository") == "commits"


@pytest.mark.parametrize("there", ["another-label", "no-label", "partitions"])
def test_a_volume_with_other_content_is_not_changed(server: GitlabMachine, there: str) -> None:
    image = server.srv / "image"
    if there == "partitions":
        with image.open("r+b") as device:
            device.seek(510)
            device.write(b"\x55\xaa")
            device.seek(446)
            device.write(bytes.fromhex("80202100837e2500000800000020000000"))
    else:
        label = ["-L", there] if there == "another-label" else []
        subprocess.run(["/usr/sbin/mkfs.ext4", "-q", *label, image], check=True, timeout=60)
    before = image.read_bytes()
    run = server.run("configure")
    assert run.status == 1
    assert "which is not GitLab's: nothing was written to it" in run.errors
    assert image.read_bytes() == before
    assert server.parameter("configure") == "failed: data volume"
    assert not any(call.startswith("gitlab-ctl") for call in server.calls())


def test_a_later_server_with_the_same_volume_uses_its_secrets(server: GitlabMachine, tmp_path: Path) -> None:
    server.run("configure")
    second = GitlabMachine(tmp_path / "second", volume=server.srv)
    second.write("etc/gitlab/gitlab-secrets.json", "secrets of the image")
    run = second.run("configure")
    assert (run.status, run.errors) == (0, "")
    assert second.read("etc/gitlab/gitlab-secrets.json") == "secrets of first\n"
    assert "gitlab-ctl reconfigure" in second.calls()
    # The database is the old one, so root's password is too.
    assert second.parameter("root-password") is None


def test_restored_secrets_are_kept(server: GitlabMachine) -> None:
    server.run("configure")
    server.write("etc/gitlab/gitlab-secrets.json", "restored")
    server.run("configure")
    assert server.read("etc/gitlab/gitlab-secrets.json") == "restored"
    assert server.read(f"{KEPT}/etc/gitlab-secrets.json") == "restored"


def test_root_keeps_its_password_once_it_has_signed_in(server: GitlabMachine) -> None:
    server.write("srv/root_has_signed_in", "")
    run = server.run("configure")
    assert run.status == 0
    assert "root keeps the password it has signed in with" in run.output
    assert server.parameter("root-password") is None


def test_a_backup_stores_both_archives_and_leaves_no_file_on_the_server(server: GitlabMachine) -> None:
    server.run("configure")
    run = server.run("configure", "backup")
    assert (run.status, run.errors) == (0, "")
    (name,) = [folder.name for folder in (server.srv / "aws/backups").iterdir()]
    assert re.fullmatch(r"kakehashi-\d{4}-\d{2}-\d{2}T\d{6}Z_18\.0\.0", name)
    assert {file.name for file in (server.srv / "aws/backups" / name).iterdir()} == {
        "application.tar",
        "configuration.tar",
    }
    held = subprocess.run(
        ["tar", "-tf", server.srv / f"aws/backups/{name}/configuration.tar"], capture_output=True, text=True, timeout=60
    ).stdout
    assert "/etc/gitlab/gitlab-secrets.json" in held.splitlines()
    assert list((server.srv / "volume/backups").iterdir()) == []
    assert list((server.root / "var/lib/kakehashi").rglob("*.tar")) == []
    assert server.parameter("backup") == f"ok: {name}"


def test_a_backup_that_is_not_stored_is_reported_and_made_again(server: GitlabMachine) -> None:
    server.run("configure")
    server.calls()
    server.run("configure", "backup")
    calls = server.calls()
    failed = server.run("configure", "backup", end_at=(calls.index("aws s3 cp") + 1, "fail"))
    assert failed.status == 1
    assert server.parameter("backup") == "failed: application"
    assert "made to fail: aws s3 cp" in failed.errors
    assert server.run("configure", "backup").status == 0
    assert str(server.parameter("backup")).startswith("ok: ")
    assert list((server.srv / "volume/backups").iterdir()) == []


def test_a_leftover_of_a_backup_is_deleted_and_a_backup_made_by_people_is_kept(server: GitlabMachine) -> None:
    for name in ("kakehashi-2026-01-01T000000Z_18.0.0", "mine"):
        server.write(f"srv/volume/backups/{name}_gitlab_backup.tar", name)
    assert server.run("configure", "backup").status == 0
    assert [file.name for file in (server.srv / "volume/backups").iterdir()] == ["mine_gitlab_backup.tar"]


def test_no_backup_is_made_without_the_data_volume(server: GitlabMachine) -> None:
    run = server.run("backup")
    assert run.status == 1
    assert "application: the data volume is not mounted" in run.errors
    assert server.parameter("backup") == "failed: application"


@pytest.mark.parametrize("job", ["", "restore", "report"])
def test_refuses_every_job_except_its_two(server: GitlabMachine, job: str) -> None:
    run = server.run(job)
    assert (run.status, run.errors) == (2, "usage: /opt/kakehashi/server configure|backup\n")
