"""A small stack, and the content of a folder."""

from collections.abc import Mapping
from pathlib import Path

from ops.handover.folder import FolderChange
from ops.handover.formatting import HclFormatter
from terraform.cli import TerraformCli

TOPIC = {"resource": {"aws_sns_topic": {"news": {"name": "news"}}}}


def written(folder: Path) -> dict[str, str]:
    """The text of every file in the folder, by path."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def change(hcl: Path, files: Mapping[str, str], *, overwrite: bool = False) -> FolderChange:
    """What handing over these files makes of the folder `hcl`."""
    contents = {path: text.encode() for path, text in files.items()}
    return FolderChange(contents, hcl, HclFormatter(TerraformCli()), overwrite=overwrite)
