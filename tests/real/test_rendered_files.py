"""What is rendered for machines is what the machines' own programs take: CodeBuild, a shell, GitLab, cloud-init."""

import base64
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from buildspec import render
from modules.terraform_text import literal, template
from tests.real.synthesised import Stack
from tests.real.terraform import read_by_terraform
from tests.terraform import Stacks

MIRROR_SCRIPT = Path(render.__file__).with_name("mirror.sh")

NASTY = (
    *("", " ", "no", "on", "~", "null", "0123", "1.17", "12:30", "2026-01-01", "# no comment", "- a", "a: b", "&a *b"),
    *("it's", '"quoted"', "back\\slash", "\\", "\\'", "two\nlines", "tab\there", "end\n", "架け橋 🌉"),
    *("${x}", "$${x}", "%{ if x }", "#{`id`}", "$(id)", "`id`", "{{ x }}", "{% x %}", "{# x #}", "${#x}"),
)


def yaml(text: str, version: tuple[int, int] = (1, 1)) -> Any:
    """`text` as YAML 1.1, which CodeBuild and cloud-init read, or as 1.2."""
    parser = YAML(typ="safe", pure=True)
    parser.version = version
    return parser.load(text)


@pytest.fixture(scope="module")
def buildspecs(stacks: list[Stack], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every project's buildspec as CodeBuild receives it, by `deployment/stack/project`."""
    written = {
        f"{stack}/{project['name']}": project["source"]["buildspec"]
        for stack in stacks
        for project in stack.terraform.resources("aws_codebuild_project").values()
    }
    return dict(zip(written, read_by_terraform(list(written.values()), tmp_path_factory.mktemp("read")), strict=True))


VOLUME = "vol-0123456789abcdef0"
PROXY = "http://it's \\ the $(proxy):3128"
_REFERENCES = {
    r"aws_ebs_volume\.data_volume\.id": VOLUME,
    r"data\.terraform_remote_state\.dev_proxy\.outputs\.\w+": PROXY,
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """What one server is given: its user data as EC2 receives it, the commands of its SSM document, and gitlab.rb as
    it lies beside the stack.
    """

    user_data: str
    commands: str
    gitlab_rb: str

    @property
    def files(self) -> dict[str, str]:
        return {file["path"]: file["content"] for file in yaml(self.user_data)["write_files"]}


def with_values(text: str) -> str:
    """Text of a .tf.json file with values in place of what only an apply knows."""
    for reference, value in _REFERENCES.items():
        text = json.dumps(value).join(re.split(reference, text))
    return text


@pytest.fixture(scope="module")
def servers(stacks: list[Stack], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Server]:
    """Every GitLab server, by `deployment/stack`."""
    having = [stack for stack in stacks if stack.name == "dev-gitlab"]
    found = {}
    for stack in having:
        user_data = stack.terraform.resource("aws_instance.gitlab_instance")["user_data"]
        document = stack.terraform.resource("aws_ssm_document.configuration_document")["content"]
        values = {name: with_values(text) for name, text in stack.terraform.json["locals"].items()}
        received = read_by_terraform([user_data, document], tmp_path_factory.mktemp("read"), values)
        (step,) = json.loads(received[1])["mainSteps"]
        found[str(stack)] = Server(
            user_data=received[0],
            commands="\n".join(step["inputs"]["runCommand"]),
            gitlab_rb=(stack.folder / "gitlab.rb").read_text(),
        )
    return found


@pytest.mark.terraform
def test_a_build_runs_the_mirror_script_as_it_stands(buildspecs: dict[str, str]) -> None:
    commands = {name: yaml(text)["phases"]["build"]["commands"] for name, text in buildspecs.items()}
    assert commands == {name: [MIRROR_SCRIPT.read_text()] for name in buildspecs}


@pytest.mark.terraform
def test_a_buildspec_means_the_same_in_both_versions_of_yaml(buildspecs: dict[str, str]) -> None:
    for name, text in buildspecs.items():
        assert yaml(text) == yaml(text, (1, 2)), name


@pytest.mark.terraform
def test_a_buildspec_says_what_the_deployment_file_says(buildspecs: dict[str, str]) -> None:
    spec = yaml(buildspecs["example/backlog-bridge/kakehashi-prd-backlog-website"])
    assert spec["version"] == 0.2
    assert spec["env"] == {
        "shell": "bash",
        "variables": {
            "SOURCE_URL": "example@example.git.backlog.jp:/WEB/website.git",
            "TARGET_URL": "codecommit::ap-northeast-1://website",
            "KNOWN_HOSTS": "example.git.backlog.jp ssh-ed25519 "
            "AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4P",
            "MIRROR_KEY": "website",
            "CACHE": "s3",
            "LFS": "refuse",
            "MAX_LOST_PERCENT": "50",
            "ALLOW_DELETIONS": "0",
        },
        "parameter-store": {"SSH_PRIVATE_KEY": "/kakehashi/backlog/ssh-key"},
    }
    assert spec["cache"] == {"paths": ["mirror.git/**/*"]}


@pytest.mark.parametrize("version", [(1, 1), (1, 2)])
@pytest.mark.parametrize("text", NASTY)
def test_no_value_breaks_out_of_a_buildspec(text: str, version: tuple[int, int]) -> None:
    rendered = render.mirror_buildspec(
        render.MirrorBuildspec(
            source_url=text,
            target_url=text,
            known_hosts=[text, text],
            ssh_key_parameter=text,
            key=text,
            cache="efs",
            lfs="warn",
            max_lost_percent=50,
        )
    )
    env = yaml(rendered, version)["env"]
    assert env["variables"] == {
        "SOURCE_URL": text,
        "TARGET_URL": text,
        "KNOWN_HOSTS": f"{text}\n{text}",
        "MIRROR_KEY": text,
        "CACHE": "efs",
        "LFS": "warn",
        "MAX_LOST_PERCENT": "50",
        "ALLOW_DELETIONS": "0",
    }
    assert env["parameter-store"] == {"SSH_PRIVATE_KEY": text}


@pytest.mark.terraform
def test_terraform_reads_no_reference_into_what_people_wrote(changed: Callable[..., Stacks], tmp_path: Path) -> None:
    text = 'costs ${5}, $${6}, %{ if x }50%{ endif }, \\n and "quotes"'
    stacks = changed("example", {"prd.codecommit.repositories.application.description": text})
    repository = stacks["prd-codecommit"].resource("aws_codecommit_repository.repositories_application")
    assert read_by_terraform([repository["description"]], tmp_path) == [text]


def shellcheck(script: str, shell: str) -> str:
    """What shellcheck has to say, the smallest remark too."""
    command = ["shellcheck", "--norc", f"--shell={shell}", "--severity=style", "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.tool("shellcheck")
@pytest.mark.terraform
def test_shellcheck_finds_nothing_in_any_build(buildspecs: dict[str, str]) -> None:
    commands = {
        (name, phase): "\n".join(said["commands"])
        for name, text in buildspecs.items()
        for phase, said in yaml(text)["phases"].items()
    }
    scripts = set(commands.values())
    assert len(scripts) == 2, "one for each phase, the same in every project"
    assert {script: shellcheck(script, "bash") for script in scripts} == dict.fromkeys(scripts, "")


@pytest.mark.tool("shellcheck")
def test_shellcheck_finds_nothing_in_the_mirror_script() -> None:
    assert shellcheck(MIRROR_SCRIPT.read_text(), "bash") == ""


@pytest.mark.tool("shellcheck")
@pytest.mark.terraform
def test_shellcheck_finds_nothing_in_what_a_server_runs(servers: dict[str, Server]) -> None:
    program = render.gitlab_server_script()
    scripts = {text for server in servers.values() for text in server.files.values() if text.startswith("#!/bin/sh\n")}
    assert program in scripts
    assert len(scripts) == 2, "the program, and what starts it at the first boot"
    commands = {f"#!/bin/sh\n{server.commands}" for server in servers.values()}
    assert {script: shellcheck(script, "sh") for script in scripts | commands} == dict.fromkeys(scripts | commands, "")


@pytest.mark.tool("cloud-init")
@pytest.mark.terraform
def test_cloud_init_takes_every_servers_user_data(servers: dict[str, Server], tmp_path: Path) -> None:
    for name, server in servers.items():
        file = tmp_path / "user-data"
        file.write_text(server.user_data)
        command = ["cloud-init", "schema", "--config-file", str(file)]
        checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (checked.returncode, checked.stdout) == (0, f"Valid cloud-config: {file}\n"), f"{name}: {checked.stderr}"


@pytest.mark.tool("cloud-init")
def test_cloud_init_takes_every_proxys_user_data(stacks: list[Stack], tmp_path: Path) -> None:
    proxies = [stack for stack in stacks if stack.name == "dev-proxy"]
    assert len(proxies) == 2
    for stack in proxies:
        template = stack.terraform.resource("aws_launch_template.proxy_launch_template")
        user_data = tmp_path / "user-data"
        user_data.write_bytes(base64.b64decode(template["user_data"]))
        command = ["cloud-init", "schema", "--config-file", str(user_data)]
        checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (checked.returncode, checked.stdout) == (0, f"Valid cloud-config: {user_data}\n"), checked.stderr
        files = {file["path"]: file["content"] for file in yaml(user_data.read_text())["write_files"]}
        assert files["/etc/kakehashi/squid.conf"] == (stack.folder / "squid.conf").read_text()
        (log,) = json.loads(files["/etc/kakehashi/cloudwatch-agent.json"])["logs"]["logs_collected"]["files"][
            "collect_list"
        ]
        assert f"access_log stdio:{log['file_path']} " in files["/etc/kakehashi/squid.conf"]
        assert log["log_group_name"] == stack.terraform.resource("aws_cloudwatch_log_group.proxy_access_log")["name"]


@pytest.mark.terraform
def test_systems_manager_brings_the_files_of_the_first_boot(servers: dict[str, Server], tmp_path: Path) -> None:
    for name, server in servers.items():
        # `{{ }}` would be a parameter of the document's.
        assert "{{" not in server.commands, name
        folder = tmp_path / name
        folder.mkdir(parents=True)
        *write, last = server.commands.replace("/etc/", f"{folder}/etc/").replace("/opt/", f"{folder}/opt/").split("\n")
        assert last.endswith("/kakehashi/server configure")
        subprocess.run(["sh", "-c", "\n".join(write)], check=True, timeout=60)
        brought = {f"/{file.relative_to(folder)}": file for file in folder.rglob("*") if file.is_file()}
        wanted = {path: text for path, text in server.files.items() if "/kakehashi/" in path}
        assert {path: file.read_text() for path, file in brought.items()} == wanted, name
        modes = {file["path"]: int(file["permissions"], 8) for file in yaml(server.user_data)["write_files"]}
        assert {path: file.stat().st_mode & 0o777 for path, file in brought.items()} == {p: modes[p] for p in wanted}


@pytest.mark.terraform
def test_a_server_gets_the_gitlab_rb_that_lies_beside_its_stack(servers: dict[str, Server]) -> None:
    server = servers["gitlab-existing-vpc/dev-gitlab"]
    assert server.files["/etc/kakehashi/gitlab.rb"] == server.gitlab_rb


@pytest.mark.terraform
def test_a_shell_reads_a_servers_settings_as_the_deployment_says_them(servers: dict[str, Server]) -> None:
    script = servers["example/dev-gitlab"].files["/etc/kakehashi/server.conf"]
    show = 'printf "%s\\n" "$DATA_VOLUME" "$CERTIFICATE_HOST" "$BACKUP_BUCKET" "$BACKUP_AT" "$PARAMETERS"'
    shown = subprocess.run(["sh", "-euc", f"{script}\n{show}"], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.splitlines() == [
        VOLUME,
        "gitlab.dev.example.com",
        "kakehashi-dev-gitlab-backups-111111111111",
        "09:00",
        "/kakehashi/kakehashi/dev/gitlab",
    ]


@pytest.mark.parametrize("text", NASTY)
def test_no_value_breaks_out_of_a_servers_settings(text: str) -> None:
    settings = render.gitlab_server_settings(
        render.GitlabServerSettings(
            region=text,
            certificate_host=text,
            data_volume_id=text,
            backup_bucket=text,
            backup_at_utc=text,
            parameters=text,
            proxy_url=text,
            no_proxy=[text, text],
        )
    )
    names = ("REGION", "DATA_VOLUME", "CERTIFICATE_HOST", "BACKUP_BUCKET", "BACKUP_AT", "PARAMETERS", "PROXY_URL")
    show = 'printf "%s\\0" ' + " ".join(f'"${name}"' for name in names)
    command = ["sh", "-euc", f"{settings}\n{show}"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert shown.split("\0")[:-1] == [text] * len(names)


@pytest.mark.tool("ruby")
@pytest.mark.terraform
def test_what_terraform_puts_in_place_of_a_reference_stays_in_its_quotes(tmp_path: Path) -> None:
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
    read = read_by_terraform(here, tmp_path, {"nasty": [literal(text) for text in texts]})
    for place, text in enumerate(texts):
        assert evaluated(read[2 * place], tmp_path)["gitaly"]["env"]["http_proxy"] == text
        script = f'{read[2 * place + 1]}\nprintf %s "$DATA_VOLUME"'
        shown = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, timeout=60, check=True).stdout
        assert shown == text


# As much of Omnibus as our file speaks of: `external_url` is a method, every component a hash.
OMNIBUS = """
require "json"
said = Hash.new { |all, component| all[component] = {} }
omnibus = Object.new
omnibus.define_singleton_method(:external_url) { |url| said["external_url"] = url }
components = %w[gitaly gitlab_rails high_availability letsencrypt nginx]
components.each { |name| omnibus.define_singleton_method(name) { said[name] } }
omnibus.instance_eval(File.read(ARGV.fetch(0)), ARGV.fetch(0))
puts JSON.generate(said)
"""


ALWAYS: dict[str, dict[str, Any]] = {
    "letsencrypt": {"enable": False},
    "high_availability": {"mountpoint": "/var/opt/gitlab"},
    "gitlab_rails": {"store_initial_root_password": False},
}


def evaluated(gitlab_rb: str, folder: Path) -> Any:
    """What gitlab.rb sets, as a stand-in for Omnibus reads it."""
    (folder / "gitlab.rb").write_text(gitlab_rb)
    (folder / "omnibus.rb").write_text(OMNIBUS)
    command = ["ruby", "-W", "omnibus.rb", "gitlab.rb"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env={"LANG": "C.UTF-8"})
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


@pytest.mark.tool("ruby")
def test_ruby_finds_no_fault_in_any_gitlab_rb(stacks: list[Stack]) -> None:
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
def test_gitlab_speaks_to_the_world_through_the_proxy_that_is_built(servers: dict[str, Server], tmp_path: Path) -> None:
    server = servers["example/dev-gitlab"]
    gitlab_rb = server.files["/etc/kakehashi/gitlab.rb"]
    assert evaluated(gitlab_rb, tmp_path) == _through(PROXY, ".dev.example.com")
    to_read = "${data.terraform_remote_state.dev_proxy.outputs.url}"
    assert evaluated(server.gitlab_rb, tmp_path) == _through(to_read, ".dev.example.com")


@pytest.mark.tool("ruby")
def test_gitlab_speaks_to_the_world_through_the_proxy_that_exists(stacks: list[Stack], tmp_path: Path) -> None:
    stack = next(stack for stack in stacks if str(stack) == "existing-proxy/dev-gitlab")
    gitlab_rb = (stack.folder / "gitlab.rb").read_text()
    assert evaluated(gitlab_rb, tmp_path) == _through("http://proxy.shared.example.com:3128")


@pytest.mark.tool("ruby")
def test_gitlab_sets_no_proxy_where_the_deployment_names_none(stacks: list[Stack], tmp_path: Path) -> None:
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
        said = evaluated(rendered, tmp_path)
        env = {"http_proxy": text, "https_proxy": text, "no_proxy": f"{text},b"}
        if (said["external_url"], said["gitaly"]["env"], said["gitlab_rails"]["env"]) != (text, env, env):
            wrong[text] = said
    assert wrong == {}
