import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from ruamel.yaml import YAML

from buildspec import render
from buildspec.render import GitlabConfig, GitlabServerSettings, Reference, UnitBuildspec
from modules.terraform_text import readable, template

UNIT = UnitBuildspec(
    bucket="programs",
    program_key="mirror.sh",
    program=render.mirror_program(),
    config_key="units/example.json",
    config='{"unit": "example"}\n',
    cache="s3",
)

GITLAB = GitlabConfig(
    external_url="https://gitlab.example.com", tls_in_front=False, proxy_url=None, no_proxy=["localhost"]
)

SERVER = GitlabServerSettings(
    region="ap-northeast-1",
    certificate_host="gitlab.example.com",
    data_volume_id=Reference("aws_ebs_volume.data.id"),
    backup_bucket="backups",
    backup_at_utc="09:00",
    parameters="/kakehashi/example",
    proxy_url=None,
    no_proxy=["localhost"],
)


def _parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def test_a_build_is_told_its_mirror_and_what_it_may_do_once_by_variables_alone() -> None:
    spec = _parsed(render.unit_buildspec(UNIT))
    assert spec["version"] == 0.2
    assert spec["env"] == {
        "shell": "bash",
        "variables": {"MIRROR": "", "ALLOW_DELETIONS": "0", "ALLOW_REWRITES": "0"},
    }
    assert set(spec["phases"]) == {"build"}


@pytest.mark.parametrize("changed", ["program", "config"])
def test_a_build_runs_only_what_its_buildspec_has_the_digest_of(changed: str, tmp_path: Path) -> None:
    stored = {UNIT.program_key: "echo ran the program\n", UNIT.config_key: UNIT.config}
    unit = UnitBuildspec(**{**vars(UNIT), "program": stored[UNIT.program_key]})
    assert _built(unit, stored, tmp_path / "as-named") == (1, "ran the program\n")
    other = stored | {(UNIT.program_key if changed == "program" else UNIT.config_key): "echo ran another program\n"}
    status, said = _built(unit, other, tmp_path / "changed")
    assert status == 1
    assert "ran" not in said
    assert "is not what this build project names" in said


def _built(unit: UnitBuildspec, stored: dict[str, str], folder: Path) -> tuple[int, str]:
    """Run the build with an AWS CLI that reads the bucket from a folder; the program ends before Python starts."""
    (command,) = _parsed(render.unit_buildspec(unit))["phases"]["build"]["commands"]
    for key, text in stored.items():
        (folder / "bucket" / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / "bucket" / key).write_text(text)
    (folder / "bin").mkdir()
    # https://docs.aws.amazon.com/cli/latest/reference/s3api/get-object.html: --bucket B --key K --version-id V FILE
    (folder / "bin" / "aws").write_text(
        f'#!/bin/sh\n[ "$1 $2 $3 $4" = "s3api get-object --bucket programs" ] || exit 9\n'
        f'[ "$7 $8" = "--version-id v1" ] || exit 9\nexec cp "{folder}/bucket/$6" "$9"\n'
    )
    (folder / "bin" / "aws").chmod(0o755)
    environment = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "TMPDIR": str(folder)}
    environment |= {"PROGRAM_VERSION": "v1", "CONFIG_VERSION": "v1"}
    ran = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True)
    return ran.returncode, ran.stdout


def test_the_program_writes_the_files_of_the_repository_and_starts_with_them_alone(tmp_path: Path) -> None:
    script = tmp_path / "program.sh"
    script.write_text(render.mirror_program())
    subprocess.run(["bash", script, tmp_path / "out"], check=True)
    source = Path(render.__file__).with_name("mirror")
    written = {file.name: file.read_text() for file in (tmp_path / "out" / "mirror").iterdir()}
    assert written == {file.name: file.read_text() for file in source.glob("*.py")}
    # Without a config it stops by itself, so it found all its modules.
    ran = subprocess.run([sys.executable, "-I", tmp_path / "out"], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr == ""
    assert "mirror: stopped: " in ran.stdout


def test_only_a_bucket_cache_keeps_files_of_the_build() -> None:
    assert _parsed(render.unit_buildspec(UNIT))["cache"] == {"paths": ["mirror.git/**/*"]}
    for mode in ("efs", "none"):
        without_bucket = UnitBuildspec(**{**vars(UNIT), "cache": mode})
        assert "cache" not in _parsed(render.unit_buildspec(without_bucket))


@pytest.mark.parametrize("nasty", ['"; rm -rf /; "', "a: b # c", "{{ 7 * 7 }}", "'", "\\", "橋"])
def test_values_cannot_escape_from_the_buildspec(nasty: str) -> None:
    spec = _parsed(render.unit_buildspec(UnitBuildspec(**{**vars(UNIT), "bucket": nasty})))
    assert set(spec["phases"]) == {"build"}
    (command,) = spec["phases"]["build"]["commands"]
    assert f"--bucket {shlex.quote(nasty)} --key" in command


def test_a_missing_template_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render._environment().from_string("{{ mirror.sourceurl }}").render(mirror=UNIT)


def test_gitlab_is_configured_for_a_proxy_only_if_there_is_one() -> None:
    assert "proxy" not in render.gitlab_rb(GITLAB)
    proxied = GitlabConfig(**{**vars(GITLAB), "proxy_url": "http://proxy:3128"})
    assert render.gitlab_rb(proxied).count("'https_proxy' => 'http://proxy:3128'") == 2


def test_gitlab_listens_on_http_behind_a_load_balancer() -> None:
    assert "listen" not in render.gitlab_rb(GITLAB)
    behind = render.gitlab_rb(GitlabConfig(**{**vars(GITLAB), "tls_in_front": True}))
    assert "web['listen_port'] = 80\nweb['listen_https'] = false\n" in behind


def test_the_first_boot_removes_the_images_own_script_and_runs_ours() -> None:
    files = {"/etc/kakehashi/gitlab.rb": Reference("local.a"), "/opt/kakehashi/server": Reference("local.b")}
    user_data = render.gitlab_cloud_init(files)
    assert user_data.startswith("#cloud-config\n")
    parsed = _parsed(re.sub("\ue000(.*)\ue001", '"\\1"', user_data))
    # support/packer/update-script-ce.sh:25 of omnibus-gitlab at 440b1f835eb2
    assert parsed["bootcmd"] == [["rm", "-f", "/var/lib/cloud/scripts/per-instance/gitlab"]]
    *written, script = parsed["write_files"]
    assert written == [
        {"path": "/etc/kakehashi/gitlab.rb", "permissions": "0600", "content": "jsonencode(local.a)"},
        {
            "path": "/opt/kakehashi/server",
            "permissions": "0700",
            "encoding": "gz+b64",
            "content": "jsonencode(base64gzip(local.b))",
        },
    ]
    folder, _, name = script["path"].rpartition("/")
    assert (folder, script["permissions"]) == ("/var/lib/cloud/scripts/per-instance", "0700")
    assert name == "00-kakehashi"
    assert script["content"] == "#!/bin/sh\nexec /opt/kakehashi/server configure\n"


def test_only_references_become_terraform_expressions() -> None:
    settings = render.gitlab_server_settings(
        GitlabServerSettings(**{**vars(SERVER), "backup_bucket": "${a} %{b}", "certificate_host": None})
    )
    assert template(settings).splitlines() == [
        "# Terraform writes this file: changes made here are overwritten.",
        "REGION=ap-northeast-1",
        """DATA_VOLUME='${replace(aws_ebs_volume.data.id, "'", "'\\\\''")}'""",
        "CERTIFICATE_HOST=''",
        "CERTIFICATE_NAME=DNS:",
        "BACKUP_BUCKET='$${a} %%{b}'",
        "BACKUP_AT=09:00",
        "PARAMETERS=/kakehashi/example",
        "PROXY_URL=''",
        "NO_PROXY_FOR_AWS=localhost",
    ]


def test_a_readable_file_shows_references_as_addresses() -> None:
    proxied = GitlabConfig(**{**vars(GITLAB), "proxy_url": Reference("other.outputs.url")})
    text = readable(render.gitlab_rb(proxied))
    assert text.count("=> '${other.outputs.url}',") == 4


def test_an_id_that_aws_assigns_needs_no_function_that_quotes_it() -> None:
    assigned = Reference("aws_ebs_volume.data.id", is_word=True)
    settings = GitlabServerSettings(**{**vars(SERVER), "data_volume_id": assigned})
    assert "DATA_VOLUME='${aws_ebs_volume.data.id}'" in template(render.gitlab_server_settings(settings)).splitlines()
