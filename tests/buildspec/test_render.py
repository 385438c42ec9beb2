import re
from typing import Any

import pytest
from jinja2 import UndefinedError
from ruamel.yaml import YAML

from buildspec import render
from buildspec.render import GitlabConfig, GitlabServerSettings, MirrorBuildspec, Reference
from modules.terraform_text import readable, template

MIRROR = MirrorBuildspec(
    source_url="example@example.git.backlog.jp:/WEB/website.git",
    target_url="codecommit::ap-northeast-1://website",
    known_hosts=["example.git.backlog.jp ssh-ed25519 AAAA", "example.git.backlog.jp ssh-rsa BBBB"],
    ssh_key_parameter="/kakehashi/backlog/ssh-key",
    key="website",
    cache="s3",
    lfs="warn",
    max_lost_percent=40,
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


def test_a_build_gets_its_mirror_as_variables_and_its_key_by_name() -> None:
    spec = _parsed(render.mirror_buildspec(MIRROR))
    assert spec["version"] == 0.2
    assert spec["env"]["shell"] == "bash"
    assert spec["env"]["variables"] == {
        "SOURCE_URL": MIRROR.source_url,
        "TARGET_URL": MIRROR.target_url,
        "KNOWN_HOSTS": "\n".join(MIRROR.known_hosts),
        "MIRROR_KEY": "website",
        "CACHE": "s3",
        "LFS": "warn",
        "MAX_LOST_PERCENT": "40",
        "ALLOW_DELETIONS": "0",
    }
    assert spec["env"]["parameter-store"] == {"SSH_PRIVATE_KEY": "/kakehashi/backlog/ssh-key"}


def test_the_script_is_the_one_in_the_repository() -> None:
    (command,) = _parsed(render.mirror_buildspec(MIRROR))["phases"]["build"]["commands"]
    with open(f"{render.__file__.removesuffix('render.py')}mirror.sh") as script:
        assert command.strip() == script.read().strip()


def test_only_a_bucket_cache_keeps_files_of_the_build() -> None:
    assert _parsed(render.mirror_buildspec(MIRROR))["cache"] == {"paths": ["mirror.git/**/*"]}
    for mode in ("efs", "none"):
        without_bucket = MirrorBuildspec(**{**vars(MIRROR), "cache": mode})
        assert "cache" not in _parsed(render.mirror_buildspec(without_bucket))


def test_never_trusts_an_unknown_host_key() -> None:
    text = render.mirror_buildspec(MIRROR)
    assert "ssh-keyscan" not in text
    assert "StrictHostKeyChecking=yes" in text


@pytest.mark.parametrize("nasty", ['"; rm -rf /; "', "a: b # c", "line\nbreak", "{{ 7 * 7 }}", "'", "\\", "橋"])
def test_values_cannot_escape_from_the_buildspec(nasty: str) -> None:
    spec = _parsed(render.mirror_buildspec(MirrorBuildspec(**{**vars(MIRROR), "source_url": nasty})))
    assert spec["env"]["variables"]["SOURCE_URL"] == nasty
    assert set(spec["phases"]) == {"install", "build"}


def test_a_missing_template_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render._environment().from_string("{{ mirror.sourceurl }}").render(mirror=MIRROR)


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
        "# Written by Kakehashi. Change the deployment file instead.",
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
