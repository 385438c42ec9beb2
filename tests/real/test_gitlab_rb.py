"""Ruby reads from gitlab.rb the values of the deployment file."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from buildspec import render
from modules.terraform_text import template
from terraform.templates import escaped
from tests.real.rendered import NASTY, PROXY, RenderedServer
from tests.real.synthesised import DeploymentStack
from tests.real.terraform import read_by_terraform


@pytest.mark.tool("ruby")
@pytest.mark.terraform
def test_a_value_in_place_of_a_reference_stays_in_its_quotes(tmp_path: Path) -> None:
    texts = [text for text in NASTY if text]
    reference = render.Reference("local.nasty[0]")
    config = render.GitlabConfig(external_url="x", tls_in_front=False, proxy_url=reference, no_proxy=[])
    server = render.GitlabServerSettings(
        region="x",
        certificate_host=None,
        data_volume_id=reference,
        backup_bucket="x",
        backup_at_utc="x",
        parameters="x",
        proxy_url=None,
        no_proxy=[],
    )
    templates = [template(render.gitlab_rb(config)), template(render.gitlab_server_settings(server))]
    here = [part.replace("nasty[0]", f"nasty[{place}]") for place in range(len(texts)) for part in templates]
    read = read_by_terraform(here, tmp_path, {"nasty": [escaped(text) for text in texts]})
    for place, text in enumerate(texts):
        assert evaluated(read[2 * place], tmp_path)["gitaly"]["env"]["http_proxy"] == text
        script = f'{read[2 * place + 1]}\nprintf %s "$DATA_VOLUME"'
        shown = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, timeout=60, check=True).stdout
        assert shown == text


VERSION = "/opt/gitlab/embedded/service/gitlab-rails/VERSION"
OMNIBUS = Path(__file__).with_name("omnibus.rb")

ALWAYS: dict[str, dict[str, Any]] = {
    "letsencrypt": {"enable": False},
    "nginx": {"enable": False},  # this machine's GitLab has had no first login
    "high_availability": {"mountpoint": "/var/opt/gitlab"},
    "gitlab_rails": {"store_initial_root_password": False},
}


def evaluated(gitlab_rb: str, folder: Path, version: str = "18.0.0") -> Any:
    """The settings in gitlab.rb, as a stand-in for Omnibus of that version of GitLab reads them."""
    (folder / "VERSION").write_text(f"{version}\n")
    (folder / "gitlab.rb").write_text(gitlab_rb.replace(VERSION, str(folder / "VERSION")))
    command = ["ruby", "-W", str(OMNIBUS), "./gitlab.rb"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env={"LANG": "C.UTF-8"})
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


@pytest.mark.tool("ruby")
def test_ruby_accepts_every_gitlab_rb(stacks: list[DeploymentStack]) -> None:
    files = [file for stack in stacks for file in stack.folder.glob("gitlab.rb")]
    assert files
    for file in files:
        checked = subprocess.run(["ruby", "-wc", file], capture_output=True, text=True, timeout=60)
        assert (checked.stdout, checked.stderr) == ("Syntax OK\n", ""), file


def _through(proxy_url: str, *more: str) -> dict[str, Any]:
    direct = ",".join(("localhost", "127.0.0.1", "169.254.169.254", "gitlab.dev.example.com", *more))
    env = {"http_proxy": proxy_url, "https_proxy": proxy_url, "no_proxy": direct}
    return {
        "external_url": "https://gitlab.dev.example.com",
        **ALWAYS,
        "gitaly": {"env": env},
        "gitlab_rails": {**ALWAYS["gitlab_rails"], "env": env},
    }


@pytest.mark.tool("ruby")
@pytest.mark.terraform
def test_gitlab_uses_the_proxy_that_is_built(servers: dict[str, RenderedServer], tmp_path: Path) -> None:
    server = servers["example/dev-gitlab"]
    gitlab_rb = server.files["/etc/kakehashi/gitlab.rb"]
    assert evaluated(gitlab_rb, tmp_path) == _through(PROXY, ".dev.example.com")
    to_read = "${data.terraform_remote_state.dev_proxy.outputs.url}"
    assert evaluated(server.gitlab_rb, tmp_path) == _through(to_read, ".dev.example.com")


@pytest.mark.tool("ruby")
def test_gitlab_uses_the_proxy_that_exists(stacks: list[DeploymentStack], tmp_path: Path) -> None:
    stack = next(stack for stack in stacks if str(stack) == "existing-proxy/dev-gitlab")
    gitlab_rb = (stack.folder / "gitlab.rb").read_text()
    assert evaluated(gitlab_rb, tmp_path) == _through("http://proxy.shared.example.com:3128")


@pytest.mark.tool("ruby")
def test_gitlab_sets_no_proxy_where_the_deployment_names_none(stacks: list[DeploymentStack], tmp_path: Path) -> None:
    stack = next(stack for stack in stacks if str(stack) == "gitlab-existing-vpc/dev-gitlab")
    assert evaluated((stack.folder / "gitlab.rb").read_text(), tmp_path) == {
        "external_url": "https://gitlab.dev.example.com",
        **ALWAYS,
    }


@pytest.mark.tool("ruby")
def test_no_value_breaks_out_of_gitlab_rb(tmp_path: Path) -> None:
    texts = [text for text in NASTY if text]
    wrong = {}
    for text in texts:
        config = render.GitlabConfig(external_url=text, tls_in_front=False, proxy_url=text, no_proxy=[text, "b"])
        rendered = render.gitlab_rb(config)
        settings = evaluated(rendered, tmp_path)
        env = {"http_proxy": text, "https_proxy": text, "no_proxy": f"{text},b"}
        if (settings["external_url"], settings["gitaly"]["env"], settings["gitlab_rails"]["env"]) != (text, env, env):
            wrong[text] = settings
    assert wrong == {}


@pytest.mark.tool("ruby")
@pytest.mark.parametrize("version", ["9.5.10", "18.11.2", "19.1.9-ee", "19.2.0-ee", "19.10.0", "20.0.1"])
def test_every_version_of_gitlab_reads_that_the_load_balancer_answers_https(version: str, tmp_path: Path) -> None:
    config = render.GitlabConfig(external_url="x", tls_in_front=True, proxy_url=None, no_proxy=[])
    settings = evaluated(render.gitlab_rb(config), tmp_path, version)
    http = {"listen_port": 80, "listen_https": False}
    # files/gitlab-cookbooks/gitlab/libraries/gitlab_rails.rb:544-591 of omnibus-gitlab at 440b1f835eb2
    moved = version in ("19.2.0-ee", "19.10.0", "20.0.1")
    assert settings["nginx"] == {"enable": False, **({} if moved else http)}
    assert settings["gitlab_rails"].get("nginx") == (http if moved else None)
