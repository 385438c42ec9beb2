"""A GitLab server's root directory, in which the program that configures the server runs.

Every stand-in cites what it stands for, by line: of omnibus-gitlab at commit 440b1f835eb2 (2026-08-21), unless said.
"""

import hashlib
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from buildspec import render
from tests.real.rendered import yaml

STAND_INS = Path(__file__).parent
VOLUME = "vol-0123456789abcdef0"
DEVICE = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0"
PARAMETERS = "/kakehashi/example/dev/gitlab"
IMAGES_GITLAB_RB = "## GitLab configuration settings\nexternal_url 'http://gitlab.example.com'\n"

SETTINGS = render.GitlabServerSettings(
    region="ap-northeast-1",
    certificate_host="gitlab.example.com",
    data_volume_id=VOLUME,
    backup_bucket="backups",
    backup_at_utc="09:00",
    parameters=PARAMETERS,
    proxy_url="http://proxy.example.com:3128",
    no_proxy=["169.254.169.254"],
)
SCRIPTS = "var/lib/cloud/scripts/per-instance"
INSTANCE_ID = "i-0123456789abcdef0"
# support/packer/ami-startup-script.sh:37-41, put there by support/packer/update-script-ce.sh:25-26
IMAGES_SCRIPT = f"#!/bin/sh\nGITLAB_ROOT_PASSWORD={INSTANCE_ID} exec gitlab-ctl reconfigure\n"
# cloudinit/subp.py of cloud-init 24.1, `runparts`: in the order of the names, the next one also after a failure
_CLOUD_INIT = f'for script in /{SCRIPTS}/*; do [ ! -x "$script" ] || "$script" || status=$?; done'
_VERSION = "opt/gitlab/embedded/service/gitlab-rails/VERSION"


@dataclass(frozen=True, kw_only=True)
class GitlabRun:
    """Exit status, standard output and standard error of a run of the program."""

    status: int
    output: str
    errors: str


class GitlabMachine:
    """A machine's /etc, /opt and /var; `srv` has its volume and the stand-ins' files.

    Only GitLab's programs, the AWS CLI, systemctl, and mounting and growing ext4 are stand-ins. Real programs make the
    file system on the volume, the certificate and everything else.
    """

    def __init__(self, root: Path, *, volume: Path | None = None) -> None:
        self.root = root
        self.srv = root / "srv"
        for folder in ("etc/gitlab", "etc/kakehashi", "etc/systemd/system", "opt/kakehashi", "var/log", "var/lib"):
            (root / folder).mkdir(parents=True)
        shutil.copytree(STAND_INS / "bin", self.srv / "bin")
        for file in ("gitlab_server/stand_in.sh", "omnibus.rb"):
            shutil.copy(STAND_INS.parent / file, self.srv)
        if volume is None:
            (self.srv / "volume").mkdir()
            with (self.srv / "image").open("wb") as image:
                image.truncate(16 * 1024 * 1024)
        else:
            shutil.copytree(volume / "volume", self.srv / "volume")
            shutil.copy(volume / "image", self.srv)
        self.write("etc/ssl/openssl.cnf", Path("/etc/ssl/openssl.cnf").read_text())
        self.write("etc/fstab", "LABEL=cloudimg-rootfs / ext4 discard,errors=remount-ro 0 1\n")
        self.write("etc/gitlab/gitlab.rb", IMAGES_GITLAB_RB)
        self.write(_VERSION, "18.0.0")
        self.write(f"{SCRIPTS}/gitlab", IMAGES_SCRIPT, mode=0o755)
        self.write("opt/kakehashi/server", render.gitlab_server_script(), mode=0o700)
        self.write("etc/kakehashi/server.conf", render.gitlab_server_settings(SETTINGS))
        self.deploy_gitlab_rb("https://gitlab.example.com")

    def deploy_gitlab_rb(self, external_url: str) -> None:
        """Write the file as a deployment does; the program has not applied it yet."""
        config = render.GitlabConfig(external_url=external_url, tls_in_front=False, proxy_url=None, no_proxy=[])
        self.write("etc/kakehashi/gitlab.rb", render.gitlab_rb(config))

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        (self.root / path).chmod(mode)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def parameter(self, name: str) -> str | None:
        file = self.srv / f"aws/parameters{PARAMETERS}/{name}"
        return file.read_text() if file.exists() else None

    def calls(self) -> list[str]:
        """The calls of the stand-ins since the last time that this method was called."""
        file = self.srv / "calls"
        calls = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return calls

    @property
    def is_reachable(self) -> bool:
        """Whether nginx, which alone answers other machines, runs or would run after a reboot."""
        return (self.root / "opt/gitlab/service/nginx").exists()

    @property
    def label(self) -> str:
        """The label of the file system on the volume."""
        command = ["/usr/sbin/blkid", "-p", "-s", "LABEL", "-o", "value", str(self.srv / "image")]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()

    def state(self) -> dict[str, tuple[int, str, int]]:
        """Mode, content and time of every file of the machine and its volume, except logs and the stand-ins' files."""
        files = [
            file
            for folder in ("etc", "opt", "var", "srv/volume", "srv/aws")
            for file in (self.root / folder).rglob("*")
            if file.is_file() and "var/log" not in str(file) and file.name != "lock"
        ]
        return {
            str(file.relative_to(self.root)): (
                file.stat().st_mode,
                hashlib.sha256(file.read_bytes()).hexdigest(),
                file.stat().st_mtime_ns,
            )
            for file in files
        }

    def run(self, *jobs: str, end_at: tuple[int, str] | None = None) -> GitlabRun:
        """Boot, and run the program for each job in turn.

        With `end_at`, a number and `fail` or `kill`, that call of a stand-in fails, or kills the program.
        """
        return self.shell("; ".join(f"sh /opt/kakehashi/server {job} || status=$?" for job in jobs), end_at=end_at)

    def first_boot(self, *, end_at: tuple[int, str] | None = None) -> GitlabRun:
        """Boot for the first time: what cloud-init does with the user data, whose files are there, and the image."""
        user_data = yaml(render.gitlab_cloud_init({}))
        (script,) = user_data["write_files"]
        self.write(script["path"].removeprefix("/"), script["content"], mode=int(script["permissions"], 8))
        commands = [shlex.join(command) for command in user_data["bootcmd"]]
        return self.shell("; ".join([*commands, _CLOUD_INIT]), end_at=end_at)

    def shell(self, script: str, *, end_at: tuple[int, str] | None = None) -> GitlabRun:
        """Boot, and run a script, whose `status` is its exit status."""
        (self.srv / "end_at").unlink(missing_ok=True)
        if end_at is not None:
            (self.srv / "end_at").write_text(" ".join(map(str, end_at)))
        command = [
            *("bwrap", "--unshare-all", "--die-with-parent", "--uid", "0", "--gid", "0", "--cap-add", "ALL"),
            *("--hostname", self.root.name, "--clearenv", "--setenv", "PATH", "/srv/bin:/usr/sbin:/usr/bin"),
            *("--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", "--dir", "/root", "--tmpfs", "/run"),
            *(part for name in ("bin", "sbin", "lib", "lib64") for part in ("--symlink", f"usr/{name}", f"/{name}")),
            *(part for name in ("etc", "opt", "var", "srv") for part in ("--bind", str(self.root / name), f"/{name}")),
            *("--bind", str(self.srv / "image"), DEVICE),
            *("sh", "-c", f"status=0; {script}; exit $status"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return GitlabRun(status=done.returncode, output=done.stdout, errors=done.stderr)
