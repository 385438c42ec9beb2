"""cloud-init, with a GitLab server's user data, removes the script of GitLab's image before it runs ours."""

from pathlib import Path

import pytest

from tests.real.gitlab_server.server import IMAGES_SCRIPT, SCRIPTS, GitlabMachine
from tests.real.rendered import RenderedServer

pytestmark = [pytest.mark.terraform, *(pytest.mark.tool(name) for name in ("bwrap", "cloud-init"))]

# The stages, and the modules' order in them, of Ubuntu: config/cloud.cfg.tmpl of cloud-init
CONFIGURATION = """\
datasource_list: [NoCloud]
cloud_init_modules: [bootcmd, write-files]
cloud_config_modules: []
cloud_final_modules: [scripts-per-instance]
system_info: { distro: ubuntu, paths: { cloud_dir: /var/lib/cloud, templates_dir: /etc/cloud/templates } }
"""
BOOT = "cloud-init init >/dev/null || status=$?; cloud-init modules --mode=final >/dev/null || status=$?"


@pytest.fixture
def server(tmp_path: Path, servers: dict[str, RenderedServer]) -> GitlabMachine:
    server = GitlabMachine(tmp_path / "first")
    server.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    server.write("etc/group", "root:x:0:\n")
    server.write("etc/cloud/cloud.cfg", CONFIGURATION)
    server.write("var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-0123456789abcdef0\n")
    server.write("var/lib/cloud/seed/nocloud/user-data", servers["example/dev-gitlab"].user_data)
    for file in ("opt/kakehashi/server", "etc/kakehashi/server.conf", "etc/kakehashi/gitlab.rb"):
        (server.root / file).unlink()
    return server


def test_only_our_script_runs_and_a_reboot_runs_neither(
    server: GitlabMachine, servers: dict[str, RenderedServer]
) -> None:
    first = server.shell(BOOT, end_at=(1, "fail"))
    assert first.status != 0
    assert server.calls()[0] == "mount /var/opt/gitlab"
    for path, text in servers["example/dev-gitlab"].files.items():
        assert server.read(path.removeprefix("/")) == text
    assert not (server.root / f"{SCRIPTS}/gitlab").exists()
    server.write(f"{SCRIPTS}/gitlab", IMAGES_SCRIPT, mode=0o755)
    assert server.shell(BOOT).status == 0
    assert not (server.root / f"{SCRIPTS}/gitlab").exists()
    assert server.calls() == []
    assert not server.is_reachable


def test_the_images_script_does_not_run_where_ours_could_not_be_written(server: GitlabMachine) -> None:
    (server.root / "opt/kakehashi").rmdir()
    server.write("opt/kakehashi", "a file in place of the folder")
    assert server.shell(BOOT).status != 0
    assert server.calls() == []
    assert not server.is_reachable
