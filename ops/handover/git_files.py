"""What Git is told about a handover: `.gitattributes` and `.gitignore` at its top."""

import re
from collections.abc import Mapping

from ops.handover.last_handover import copy_of

GIT_FILES = (".gitattributes", ".gitignore")
"""Files that are left as they are where people wrote them before the handover did."""

_IGNORED = """\
.terraform/
*.tfstate
*.tfstate.*
*.tfplan
plan
"""


def git_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Both for a handover of `files`."""
    exact = [path for path, content in sorted(files.items()) if not _has_unix_lines(content)]
    attributes = ["* text=auto eol=lf", *(f"{_pattern(it)} -text" for path in exact for it in (path, copy_of(path)))]
    contents = ("".join(f"{line}\n" for line in attributes), _IGNORED)
    return {path: content.encode() for path, content in zip(GIT_FILES, contents, strict=True)}


def _has_unix_lines(content: bytes) -> bool:
    """Whether Git, when it makes line ends those of Unix, leaves the content as it is."""
    return b"\r" not in content and b"\0" not in content


def _pattern(path: str) -> str:
    """https://git-scm.com/docs/gitattributes#_description"""
    escaped = re.sub(r"([\\*?\[\]])", r"\\\1", f"/{path}")
    if re.fullmatch(r'[^\s"\\]+', escaped):
        return escaped
    quoted = escaped.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
