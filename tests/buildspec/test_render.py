from typing import Any

import pytest
from jinja2 import UndefinedError
from ruamel.yaml import YAML

from buildspec import render
from buildspec.render import GitlabConfig, MirrorBuildspec

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

GITLAB = GitlabConfig(external_url="https://gitlab.example.com", proxy_url=None, no_proxy=["localhost"])


def _parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def test_a_build_knows_its_mirror_by_variables_and_its_key_by_name() -> None:
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


def test_only_a_bucket_keeps_what_the_build_leaves() -> None:
    assert _parsed(render.mirror_buildspec(MIRROR))["cache"] == {"paths": ["mirror.git/**/*"]}
    for mode in ("efs", "none"):
        without_bucket = MirrorBuildspec(**{**vars(MIRROR), "cache": mode})
        assert "cache" not in _parsed(render.mirror_buildspec(without_bucket))


def test_no_host_key_is_ever_asked_for() -> None:
    text = render.mirror_buildspec(MIRROR)
    assert "ssh-keyscan" not in text
    assert "StrictHostKeyChecking=yes" in text


@pytest.mark.parametrize("nasty", ['"; rm -rf /; "', "a: b # c", "line\nbreak", "{{ 7 * 7 }}", "'", "\\", "橋"])
def test_values_cannot_escape_from_the_buildspec(nasty: str) -> None:
    spec = _parsed(render.mirror_buildspec(MirrorBuildspec(**{**vars(MIRROR), "source_url": nasty})))
    assert spec["env"]["variables"]["SOURCE_URL"] == nasty
    assert set(spec["phases"]) == {"install", "build"}


def test_a_value_that_a_template_lacks_is_an_error_and_no_empty_text() -> None:
    with pytest.raises(UndefinedError):
        render._environment().from_string("{{ mirror.sourceurl }}").render(mirror=MIRROR)


def test_gitlab_is_told_of_a_proxy_only_where_there_is_one() -> None:
    assert "proxy" not in render.gitlab_rb(GITLAB)
    proxied = GitlabConfig(**{**vars(GITLAB), "proxy_url": "http://proxy:3128"})
    assert render.gitlab_rb(proxied).count("'https_proxy' => 'http://proxy:3128'") == 2


def test_the_server_gets_the_drop_in_and_leaves_the_rest_of_its_configuration_alone() -> None:
    user_data = render.gitlab_cloud_init(GITLAB, "gitlab.example.com")
    assert user_data.startswith("#cloud-config\n")
    parsed = _parsed(user_data)
    (file,) = parsed["write_files"]
    assert file["path"] == "/etc/gitlab/kakehashi.rb"
    assert file["content"] == render.gitlab_rb(GITLAB)
    script = parsed["runcmd"][-1][-1]
    assert "grep -qxF" in script
    assert "gitlab-ctl reconfigure" in script


def test_a_certificate_is_made_for_https_alone() -> None:
    plain = GitlabConfig(**{**vars(GITLAB), "external_url": "http://gitlab.example.com"})
    assert "openssl" in render.gitlab_cloud_init(GITLAB, "gitlab.example.com")
    assert "openssl" not in render.gitlab_cloud_init(plain, "gitlab.example.com")
