"""CodeBuild, shells and cloud-init accept the files that are rendered for them."""

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from buildspec import render
from tests.real.rendered import NASTY, VOLUME, RenderedServer, yaml
from tests.real.synthesised import DeploymentStack
from tests.real.terraform import read_by_terraform
from tests.terraform import Stacks


@pytest.fixture(scope="module")
def buildspecs(stacks: list[DeploymentStack], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every project's buildspec as CodeBuild receives it, by `deployment/stack/project`."""
    written = {
        f"{stack}/{project['name']}": project["source"]["buildspec"]
        for stack in stacks
        for project in stack.terraform.resources("aws_codebuild_project").values()
    }
    return dict(zip(written, read_by_terraform(list(written.values()), tmp_path_factory.mktemp("read")), strict=True))


@pytest.fixture(scope="module")
def fetched(stacks: list[DeploymentStack], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What builds fetch, as it lies in the bucket, by `deployment/stack/key`."""
    written = {
        f"{stack}/{made['key']}": made["content"]
        for stack in stacks
        for made in stack.terraform.resources("aws_s3_object").values()
    }
    return dict(zip(written, read_by_terraform(list(written.values()), tmp_path_factory.mktemp("read")), strict=True))


@pytest.mark.terraform
def test_every_build_fetches_what_its_buildspec_has_the_digest_of(
    buildspecs: dict[str, str], fetched: dict[str, str]
) -> None:
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in fetched.items()}
    for name, text in buildspecs.items():
        stack = name.rpartition("/")[0]
        (command,) = yaml(text)["phases"]["build"]["commands"]
        named = re.findall(r'^ *fetch (\S+) "\$\w+_VERSION" "\$folder/\S+" ([0-9a-f]{64})$', command, re.MULTILINE)
        assert [digests[f"{stack}/{key}"] for key, _ in named] == [digest for _, digest in named]
        assert len(named) == 2
        program, config = (fetched[f"{stack}/{key}"] for key, _ in named)
        assert program == render.mirror_program()
        assert json.loads(config)["unit"] == name.rpartition("/")[2]


@pytest.mark.terraform
def test_a_buildspec_means_the_same_in_both_versions_of_yaml(buildspecs: dict[str, str]) -> None:
    for name, text in buildspecs.items():
        assert yaml(text) == yaml(text, (1, 2)), name


@pytest.mark.terraform
def test_a_config_has_the_values_of_the_deployment_file(fetched: dict[str, str]) -> None:
    (text,) = (text for name, text in fetched.items() if name.startswith("example/") and "/units/example" in name)
    config = json.loads(text)
    assert config["source"]["key_parameter"] == "/kakehashi/backlog/ssh-key"
    assert config["mirrors"]["website"] == {
        "project": "WEB",
        "repository": "website",
        "target": "website",
        "key_arn": None,
    }
    assert (config["lfs"], config["max_lost_percent"], config["transfer"]) == ("refuse", 50, "relay")


@pytest.mark.terraform
def test_terraform_finds_no_reference_in_a_description(changed: Callable[..., Stacks], tmp_path: Path) -> None:
    text = 'costs ${5}, $${6}, %{ if x }50%{ endif }, \\n and "quotes"'
    stacks = changed("example", {"prd.codecommit.repositories.application.description": text})
    repository = stacks["prd-codecommit"].resource("aws_codecommit_repository.repositories_application")
    assert read_by_terraform([repository["description"]], tmp_path) == [text]


def shellcheck(script: str, shell: str) -> str:
    """Shellcheck's findings, including those of style."""
    command = ["shellcheck", "--norc", f"--shell={shell}", "--severity=style", "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.tool("shellcheck")
@pytest.mark.terraform
def test_shellcheck_finds_nothing_in_any_build(buildspecs: dict[str, str]) -> None:
    commands = {command for text in buildspecs.values() for command in yaml(text)["phases"]["build"]["commands"]}
    assert commands
    assert {script: shellcheck(script, "bash") for script in commands} == dict.fromkeys(commands, "")


@pytest.mark.tool("shellcheck")
def test_shellcheck_finds_nothing_in_what_writes_the_program() -> None:
    assert shellcheck(render.mirror_program(), "bash") == ""


@pytest.mark.tool("shellcheck")
@pytest.mark.terraform
def test_shellcheck_finds_nothing_in_a_servers_scripts(servers: dict[str, RenderedServer]) -> None:
    program = render.gitlab_server_script()
    scripts = {text for server in servers.values() for text in server.files.values() if text.startswith("#!/bin/sh\n")}
    assert program in scripts
    assert len(scripts) == 2, "the program, and what starts it at the first boot"
    commands = {f"#!/bin/sh\n{server.commands}" for server in servers.values()}
    assert {script: shellcheck(script, "sh") for script in scripts | commands} == dict.fromkeys(scripts | commands, "")


@pytest.mark.tool("shellcheck")
def test_shellcheck_finds_nothing_in_a_proxys_scripts(example: Stacks) -> None:
    template = example["dev-proxy"].resource("aws_launch_template.proxy_launch_template")
    user_data = yaml(base64.b64decode(template["user_data"]).decode())
    ((_, _, commands),) = user_data["runcmd"]
    (check,) = (file["content"] for file in user_data["write_files"] if file["path"] == "/etc/kakehashi/check.sh")
    assert (shellcheck(f"#!/bin/sh\n{commands}", "sh"), shellcheck(check, "sh")) == ("", "")


@pytest.mark.tool("cloud-init")
@pytest.mark.terraform
def test_cloud_init_accepts_every_servers_user_data(servers: dict[str, RenderedServer], tmp_path: Path) -> None:
    for name, server in servers.items():
        file = tmp_path / "user-data"
        file.write_text(server.user_data)
        command = ["cloud-init", "schema", "--config-file", str(file)]
        checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (checked.returncode, checked.stdout) == (0, f"Valid cloud-config: {file}\n"), f"{name}: {checked.stderr}"


@pytest.mark.tool("cloud-init")
def test_cloud_init_accepts_every_proxys_user_data(stacks: list[DeploymentStack], tmp_path: Path) -> None:
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
def test_systems_manager_writes_the_files_of_the_first_boot(servers: dict[str, RenderedServer], tmp_path: Path) -> None:
    for name, server in servers.items():
        # Systems Manager reads `{{ }}` as a parameter of the document.
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
def test_a_server_gets_the_gitlab_rb_in_its_stacks_folder(servers: dict[str, RenderedServer]) -> None:
    server = servers["gitlab-existing-vpc/dev-gitlab"]
    assert server.files["/etc/kakehashi/gitlab.rb"] == server.gitlab_rb


@pytest.mark.terraform
def test_a_shell_reads_a_servers_settings_as_the_deployment_gives_them(servers: dict[str, RenderedServer]) -> None:
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
