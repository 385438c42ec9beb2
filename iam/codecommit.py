"""CodeCommit's actions, by what they do to code."""

import json
from pathlib import Path

PULL = "codecommit:GitPull"
PUSH = "codecommit:GitPush"
DELETE = "codecommit:DeleteRepository"
LIST = "codecommit:ListRepositories"
"""The one action without a repository."""

_LEVELS: dict[str, str] = {
    f"codecommit:{name}": level
    for name, level in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))["actions"].items()
}

# AWS gives it the level Read, although it stops somebody else's upload.
_CHANGES_SOMETHING = "codecommit:CancelUploadArchive"

READS = tuple(action for action, level in _LEVELS.items() if level in ("Read", "List") and action != _CHANGES_SOMETHING)
WRITES = tuple(action for action in _LEVELS if action not in READS)
"""All others: they change code, refs or settings, or could carry code out, as triggers and archives do."""

MIRRORING = frozenset((PUSH, "codecommit:UpdateDefaultBranch"))
"""The writes that a mirror needs; no policy here allows any other."""
