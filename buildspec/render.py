"""Renders the templates in this folder."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


@dataclass(frozen=True, kw_only=True)
class MirrorBuildspec:
    """What one mirror build works with.

    `source_url` is the SSH URL of the Backlog repository, `target_url` what git-remote-codecommit takes. `cache` is
    `s3` (the copy lies in the build's folder), `efs` (in the mounted file system) or `none`. `lfs` is `refuse` or
    `warn`. A build that would delete 10 refs or more, and more than `max_lost_percent` of the target's, stops instead.
    """

    source_url: str
    target_url: str
    known_hosts: Sequence[str]
    ssh_key_parameter: str
    key: str
    cache: str
    lfs: str
    max_lost_percent: int


@dataclass(frozen=True, kw_only=True)
class GitlabConfig:
    """What the drop-in of gitlab.rb says; without `proxy_url` it sets no proxy."""

    external_url: str
    proxy_url: str | None
    no_proxy: Sequence[str]


def mirror_buildspec(values: MirrorBuildspec) -> str:
    """The buildspec of one mirror build, YAML."""
    # As values: what Bash writes as `${#array}` would begin a comment of Jinja's.
    texts = {
        name: Path(__file__).with_name(file).read_text().rstrip("\n")
        for name, file in (("script", "mirror.sh"), ("requirements", "mirror.requirements.txt"))
    }
    return _environment().get_template("mirror.buildspec.yml.j2").render(mirror=values, **texts)


def gitlab_rb(values: GitlabConfig) -> str:
    """The drop-in that gitlab.rb reads, Ruby."""
    return _environment().get_template("gitlab.rb.j2").render(gitlab=values)


def gitlab_cloud_init(values: GitlabConfig, host: str) -> str:
    """The user data of a GitLab server: writes the drop-in and has GitLab take it up."""
    template = _environment().get_template("gitlab.cloud-init.yml.j2")
    return template.render(
        gitlab_rb=gitlab_rb(values),
        host=host,
        # A certificate's common name holds 64 characters, its alternative name any host.
        alternative_name=f"{'IP' if host.rpartition('.')[2].isdigit() else 'DNS'}:{host}",
        https=values.external_url.startswith("https:"),
    )


def _ruby(text: str) -> str:
    """A Ruby string literal. In single quotes only the quote and the backslash mean anything."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _yaml(value: Any) -> str:
    """A YAML value: JSON is YAML, whatever the text holds."""
    return json.dumps(value, ensure_ascii=False)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (nothing here is HTML; every value goes through `ruby` or `yaml`)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(ruby=_ruby, yaml=_yaml)
    return environment
