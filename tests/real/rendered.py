"""Texts that are hard to quote, and the files of a GitLab server, for the tests of rendered files."""

import base64
import gzip
import json
import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

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


VOLUME = "vol-0123456789abcdef0"
PROXY = "http://it's \\ the $(proxy):3128"
_REFERENCES = {
    r"aws_ebs_volume\.data_volume\.id": VOLUME,
    r"data\.terraform_remote_state\.dev_proxy\.outputs\.\w+": PROXY,
}


@dataclass(frozen=True, kw_only=True)
class RenderedServer:
    """One server: user data as EC2 receives it, commands of the SSM document, gitlab.rb from the stack's folder."""

    user_data: str
    commands: str
    gitlab_rb: str

    @property
    def files(self) -> dict[str, str]:
        return {file["path"]: _content(file) for file in yaml(self.user_data)["write_files"]}


def _content(file: dict[str, str]) -> str:
    """What cloud-init writes."""
    if file.get("encoding") == "gz+b64":
        return gzip.decompress(base64.b64decode(file["content"])).decode()
    return file["content"]


def with_values(text: str) -> str:
    """Text of a .tf.json file, with values for references that are known only after an apply."""
    for reference, value in _REFERENCES.items():
        text = json.dumps(value).join(re.split(reference, text))
    return text
