"""What a handover keeps in the folder that it writes, so that the next one finds what people changed."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from errors import refused
from ops.handover.paths import is_below

MANIFEST = ".handed-over.sha256"
"""The list of the files that were handed over, in the format of `sha256sum --check`."""

MEMORY = ".handed-over"
"""The folder with a copy of each of these files, and with what else the next handover needs."""

_COPIES = f"{MEMORY}/files"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True, kw_only=True)
class LastHandover:
    """The digests of the last handover's files, by path, and the contents of those of which there is a copy."""

    digests: Mapping[str, str]
    copies: Mapping[str, bytes]

    def is_unchanged(self, path: str, now: bytes | None) -> bool:
        """Whether a file is as it was handed over, apart from its line ends."""
        return now is not None and self.digests[path] in (digest(now), digest(_with_unix_line_ends(now)))


def last_handover(folder: Path) -> LastHandover:
    """What the last handover left in `folder`, whatever Git made of its line ends. A changed copy is none."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return LastHandover(digests={}, copies={})
    except (OSError, ValueError):
        what, hint = "is not a list of files with their digests", "restore it, or hand over into another folder"
        raise refused(str(folder / MANIFEST), what, hint) from None
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    digests = {it[2].replace("\\", "/"): it[1] for it in found if it}
    digests = {path: digest for path, digest in digests.items() if is_below(path) and not is_memory(path)}
    copies = {path: _copy(folder / _COPIES / path, expected) for path, expected in digests.items()}
    return LastHandover(digests=digests, copies={path: it for path, it in copies.items() if it is not None})


def remembered(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that remember a handover of `files`, by path."""
    digests = "".join(f"{digest(content)}  {path}\n" for path, content in sorted(files.items()))
    return {MANIFEST: digests.encode()} | {f"{_COPIES}/{path}": content for path, content in files.items()}


def is_memory(path: str) -> bool:
    """Whether a path is one of the handover's own files."""
    return path == MANIFEST or path.startswith(f"{MEMORY}/")


def digest(content: bytes) -> str:
    """As `sha256sum` prints it."""
    return hashlib.sha256(content).hexdigest()


def _copy(file: Path, expected: str) -> bytes | None:
    try:
        content = file.read_bytes()
    except OSError:
        return None
    return next((it for it in (content, _with_unix_line_ends(content)) if digest(it) == expected), None)


def _with_unix_line_ends(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
