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
    """What the last handover left.

    digests: of its files, by path. copies: the contents of those of which there is a copy. own: digests of what it
    keeps for the next one.
    """

    digests: Mapping[str, str]
    copies: Mapping[str, bytes]
    own: Mapping[str, str]

    def is_unchanged(self, path: str, now: bytes | None) -> bool:
        """Whether a file is as it was handed over, apart from its line ends."""
        return now is not None and _has_digest(now, self.digests[path])

    def is_own(self, path: str, now: bytes) -> bool:
        """Whether a file that the handover keeps for the next one is as it was. Older releases kept no digest of it."""
        return path not in self.own or _has_digest(now, self.own[path])


def last_handover(folder: Path) -> LastHandover:
    """What the last handover left in `folder`, whatever Git made of its line ends. A changed copy is none."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return LastHandover(digests={}, copies={}, own={})
    except (OSError, ValueError):
        what, hint = "is not a list of files with their digests", "restore it, or hand over into another folder"
        raise refused(str(folder / MANIFEST), what, hint) from None
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    digests = {it[2].replace("\\", "/"): it[1] for it in found if it}
    own = {path: digest for path, digest in digests.items() if is_memory(path)}
    digests = {path: digest for path, digest in digests.items() if is_below(path) and path not in own}
    copies = {path: _copy(folder / copy_of(path), expected) for path, expected in digests.items()}
    return LastHandover(digests=digests, copies={path: it for path, it in copies.items() if it is not None}, own=own)


def remembered(files: Mapping[str, bytes], own: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that remember a handover of `files`, by path; it keeps `own` for the next one."""
    digests = "".join(f"{digest(content)}  {path}\n" for path, content in sorted({**files, **own}.items()))
    return {MANIFEST: digests.encode(), **own} | {copy_of(path): content for path, content in files.items()}


def copy_of(path: str) -> str:
    """The path of a file's copy."""
    return f"{_COPIES}/{path}"


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
    return next((it for it in (content, with_unix_line_ends(content)) if digest(it) == expected), None)


def _has_digest(content: bytes, expected: str) -> bool:
    return expected in (digest(content), digest(with_unix_line_ends(content)))


def with_unix_line_ends(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
