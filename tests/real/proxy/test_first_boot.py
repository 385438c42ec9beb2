"""What the commands of a proxy's first boot do with real Squid: a proxy that does not work is never in use."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.real.mirror.services import GIT_HOST
from tests.real.proxy.conftest import Proxy
from tests.real.proxy.namespace import PROXY
from tests.terraform import Stacks

STAND_INS = {
    # Starting waits until Squid is ready, as its unit is of the type notify:
    # https://github.com/squid-cache/squid/blob/master/tools/systemd/squid.service
    # The other Squid of this namespace has the usual name, and the usual file for its process id.
    "systemctl": """
        case $1 in
        start)
          { cat "$BOOT/squid/squid.conf"; echo "pid_filename $BOOT/squid.pid"; } >"$BOOT/started.conf"
          squid -n boot -N -d 1 -f "$BOOT/started.conf" >"$BOOT/squid.stderr" 2>&1 &
          until [ "$(grep -c Accepting "$BOOT/squid.stderr")" = 2 ]; do
            kill -0 $! || { cat "$BOOT/squid.stderr" >&2; exit 1; }
            sleep 0.05
          done ;;
        stop) squid -n boot -k kill -f "$BOOT/started.conf" ;;
        esac
        echo "systemctl $*" >>"$BOOT/called"
    """,
    "aws": 'echo "aws $*" >>"$BOOT/called"',
    "amazon-cloudwatch-agent-ctl": 'echo "${0##*/} $3 $4" >>"$BOOT/called"',
    # https://cloudinit.readthedocs.io/en/latest/reference/cli.html#query
    "cloud-init": '[ "$*" = "query instance_id" ] && echo i-0123456789abcdef0',
    # hostname(1): -I writes every address of the host, but those of the loopback interface, which has them all here.
    "hostname": f'[ "$*" = -I ] && echo "{PROXY} 10.10.0.5 "',
    # Debian's Squid has another group than Amazon Linux's.
    "install": '[ "$1 $3 $4" = "-o -g squid" ] && shift 4 && exec /usr/bin/install "$@"',
}

# Nothing goes out before it is collected.
STARTED = ["amazon-cloudwatch-agent-ctl -m ec2", "systemctl start squid"]
IN_USE = [
    *STARTED,
    "systemctl enable squid",
    "aws autoscaling complete-lifecycle-action --region ap-northeast-1 --auto-scaling-group-name kakehashi-dev-proxy "
    "--lifecycle-hook-name works --lifecycle-action-result CONTINUE --instance-id i-0123456789abcdef0",
]

Boot = Callable[..., tuple[list[str], str]]


@pytest.fixture
def boot(proxy: Proxy, synthesised: Callable[[str], Stacks], tmp_path: Path) -> Boot:
    """Boots a proxy in the namespace, on ports of its own; returns what was called, and the errors that were written.

    `changes` are replaced in Squid's configuration, `down` are hosts that nobody reaches, `more` is added to the
    environment.
    """
    folder = proxy.folder / tmp_path.name
    for part in ("written", "squid"):
        (folder / part).mkdir(parents=True)
    # The namespace's own: other runs of pytest close the way to this one's folders to Debian's Squid, which is no root.
    shared = f"/run/{tmp_path.name}"

    def of(changes: dict[str, str] | None = None, down: str = "", **more: str) -> tuple[list[str], str]:
        template = synthesised("everything")["dev-proxy"].resource("aws_launch_template.proxy_launch_template")
        text = base64.b64decode(template["user_data"]).decode()
        for old, new in {
            "/etc/kakehashi": str(folder / "written"),
            "/etc/squid": str(folder / "squid"),
            "/var/log/squid": shared,
            "/opt/aws/amazon-cloudwatch-agent/bin": str(folder),
            "3128": "23128",
            "3129": "23129",
        }.items():
            assert old in text
            text = text.replace(old, new)
        user_data = YAML(typ="safe").load(text)
        for file in user_data["write_files"]:
            Path(file["path"]).write_text(file["content"])
        conf = folder / "written" / "squid.conf"
        for old, new in (changes or {}).items():
            assert old in conf.read_text()
            conf.write_text(conf.read_text().replace(old, new))
        hosts = f"203.0.113.1 {down}" if down else ""
        proxy.run("sh", "-c", f"install -d -o proxy {shared}; echo {hosts} >{shared}/hosts", environment={})
        conf.write_text(f"{conf.read_text()}\nhosts_file {shared}/hosts\n")
        for name, commands in STAND_INS.items():
            program = folder / name
            program.write_text(f"#!/bin/sh\n{commands}\n")
            program.chmod(0o755)
        (command,) = user_data["runcmd"]
        path = f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {"PATH": path, "BOOT": str(folder), "CURL_CA_BUNDLE": str(proxy.folder / "ca.pem"), **more}
        try:
            booted = proxy.run(*command, environment=environment)
        finally:
            proxy.run("squid", "-n", "boot", "-k", "kill", "-f", str(folder / "started.conf"), environment=environment)
        called = folder / "called"
        calls = called.read_text().splitlines() if called.exists() else []
        assert (booted.returncode == 0) == (calls == IN_USE), booted.stderr
        return calls, booted.stderr

    return of


def test_a_proxy_that_works_completes_the_hook_of_its_group(boot: Boot, proxy: Proxy, tmp_path: Path) -> None:
    calls, _ = boot()
    assert calls == IN_USE
    folder = proxy.folder / tmp_path.name
    assert (folder / "squid" / "squid.conf").read_text() == (folder / "written" / "squid.conf").read_text()
    assert (folder / "squid" / "unused.pem").stat().st_mode & 0o777 == 0o640


def test_squid_is_not_started_with_a_configuration_that_it_does_not_read(
    boot: Boot, proxy: Proxy, tmp_path: Path
) -> None:
    calls, said = boot({"http_access deny inside": "http_acess deny inside"})
    assert "http_acess" in said
    assert calls == []
    assert not (proxy.folder / tmp_path.name / "squid" / "squid.conf").exists()


BROKEN = {
    "refuses everything": ("http_access allow allowed", "http_access deny allowed", f"403 for {GIT_HOST}"),
    "refuses the VPC": ("acl clients src 10.10.0.0/16", "acl clients src 10.99.0.0/16", f"403 for {GIT_HOST}"),
    "allows everything": ("http_access deny !clients", "http_access allow all", "200 for a host that is not allowed"),
    "closes every tunnel": ("ssl_bump splice", "ssl_bump terminate", "no host answers through it"),
    "listens elsewhere": ("http_port 23128", "http_port 127.0.0.1:23128", f"000 for {GIT_HOST}"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_proxy_that_does_not_work_is_stopped_and_completes_no_hook(boot: Boot, broken: str) -> None:
    old, new, problem = BROKEN[broken]
    calls, said = boot({old: new})
    assert problem in said
    assert calls == [*STARTED, "systemctl stop squid"]


def test_a_proxy_works_as_long_as_one_host_answers(boot: Boot, tmp_path: Path) -> None:
    (tmp_path / ".curlrc").write_text("insecure\n")  # the other hosts of the namespace have CodeCommit's certificate
    calls, said = boot(down=GIT_HOST, HOME=str(tmp_path))
    assert calls == IN_USE, said


def test_a_proxy_without_a_way_out_does_not_work(boot: Boot, tmp_path: Path) -> None:
    (tmp_path / ".curlrc").write_text("insecure\n")
    calls, said = boot(down=f"{GIT_HOST} awscli.amazonaws.com packages.gitlab.com", HOME=str(tmp_path))
    assert "no host answers through it" in said
    assert calls == [*STARTED, "systemctl stop squid"]
