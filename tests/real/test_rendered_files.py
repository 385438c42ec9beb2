"""What is rendered for machines is what the machines' own programs take: CodeBuild, a shell, GitLab, cloud-init."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from buildspec import render
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


@pytest.fixture(scope="module")
def servers(stacks: list[Stack], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Every server's user data as EC2 receives it, and the gitlab.rb beside its stack, by `deployment/stack`."""
    having = [stack for stack in stacks if stack.terraform.resources("aws_instance")]
    written = [stack.terraform.resources("aws_instance")["gitlab_instance"]["user_data"] for stack in having]
    received = read_by_terraform(written, tmp_path_factory.mktemp("read"))
    return {
        str(stack): (user_data, (stack.folder / "gitlab.rb").read_text())
        for stack, user_data in zip(having, received, strict=True)
    }


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


def boot_scripts(user_data: str) -> Iterator[str]:
    for shell, option, script in yaml(user_data)["runcmd"]:
        assert (shell, option) == ("sh", "-c")
        yield script


@pytest.mark.tool("shellcheck")
@pytest.mark.terraform
def test_shellcheck_finds_nothing_in_what_a_server_runs_on_its_first_boot(servers: dict[str, tuple[str, str]]) -> None:
    for name, (user_data, _) in servers.items():
        for script in boot_scripts(user_data):
            assert shellcheck(script, "sh") == "", name


@pytest.mark.tool("cloud-init")
@pytest.mark.terraform
def test_cloud_init_takes_every_servers_user_data(servers: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    for name, (user_data, _) in servers.items():
        file = tmp_path / "user-data"
        file.write_text(user_data)
        command = ["cloud-init", "schema", "--config-file", str(file)]
        checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (checked.returncode, checked.stdout) == (0, f"Valid cloud-config: {file}\n"), f"{name}: {checked.stderr}"


@pytest.mark.terraform
def test_a_server_gets_the_gitlab_rb_that_lies_beside_its_stack(servers: dict[str, tuple[str, str]]) -> None:
    for name, (user_data, gitlab_rb) in servers.items():
        (file,) = yaml(user_data)["write_files"]
        assert file["content"] == gitlab_rb, name
        assert any(f"from_file '{file['path']}'" in script for script in boot_scripts(user_data)), name


# As much of Omnibus as our file speaks of: `external_url` is a method, every component a hash.
OMNIBUS = """
require "json"
said = Hash.new { |all, component| all[component] = {} }
omnibus = Object.new
omnibus.define_singleton_method(:external_url) { |url| said["external_url"] = url }
%w[gitaly gitlab_rails letsencrypt].each { |name| omnibus.define_singleton_method(name) { said[name] } }
omnibus.instance_eval(File.read(ARGV.fetch(0)), ARGV.fetch(0))
puts JSON.generate(said)
"""


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


@pytest.mark.tool("ruby")
def test_gitlab_speaks_to_the_world_through_the_proxy(stacks: list[Stack], tmp_path: Path) -> None:
    stack = next(stack for stack in stacks if str(stack) == "example/dev-gitlab")
    proxy = {
        "http_proxy": "http://proxy.dev.example.com:3128",
        "https_proxy": "http://proxy.dev.example.com:3128",
        "no_proxy": "localhost,127.0.0.1,169.254.169.254,gitlab.dev.example.com,.dev.example.com",
    }
    assert evaluated((stack.folder / "gitlab.rb").read_text(), tmp_path) == {
        "external_url": "https://gitlab.dev.example.com",
        "letsencrypt": {"enable": False},
        "gitaly": {"env": proxy},
        "gitlab_rails": {"env": proxy},
    }


@pytest.mark.tool("ruby")
def test_gitlab_sets_no_proxy_where_the_deployment_names_none(stacks: list[Stack], tmp_path: Path) -> None:
    stack = next(stack for stack in stacks if str(stack) == "gitlab-existing-vpc/dev-gitlab")
    assert evaluated((stack.folder / "gitlab.rb").read_text(), tmp_path) == {
        "external_url": "https://gitlab.dev.example.com",
        "letsencrypt": {"enable": False},
    }


@pytest.mark.tool("ruby")
def test_no_value_breaks_out_of_gitlab_rb(tmp_path: Path) -> None:
    texts = [text for text in NASTY if text]
    wrong = {}
    for text in texts:
        rendered = render.gitlab_rb(render.GitlabConfig(external_url=text, proxy_url=text, no_proxy=[text, "b"]))
        said = evaluated(rendered, tmp_path)
        env = {"http_proxy": text, "https_proxy": text, "no_proxy": f"{text},b"}
        if (said["external_url"], said["gitaly"]["env"], said["gitlab_rails"]["env"]) != (text, env, env):
            wrong[text] = said
    assert wrong == {}
