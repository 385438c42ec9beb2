"""What people added to a handover is copied for Terraform, without states, Git's files and Terraform's settings."""

from pathlib import Path

from ops.handover.copying import copy_added
from tests.ops.handover.folders import written

_COPIED = ("web/people.tf", "modules/network/main.tf", ".terraform.lock.hcl")
_LEFT = (
    "web/terraform.tfstate",
    "web/terraform.tfstate.backup",
    "web/terraform.tfstate.d/test/terraform.tfstate",
    "web/.terraform/modules/modules.json",
    "web/terraform.d/plugins/x",
    "web/.terraformrc",
    ".git/config",
    ".handed-over/files/web/main.tf",
)


def _folder(place: Path, *paths: str) -> Path:
    for path in paths:
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(path)
    return place


def test_copies_what_people_added_alone(tmp_path: Path) -> None:
    source = _folder(tmp_path / "hcl", *_COPIED, *_LEFT, "web/main.tf")
    copy_added(source, tmp_path / "copy", ["web/main.tf"])
    assert written(tmp_path / "copy") == {path: path for path in _COPIED}


def test_a_link_to_a_folder_leads_to_the_same_folder_of_the_copy(tmp_path: Path) -> None:
    source = _folder(tmp_path / "hcl", "modules/network/main.tf")
    (source / "web").mkdir()
    (source / "web" / "network").symlink_to("../modules/network")
    copy_added(source, tmp_path / "copy", [])
    (source / "modules" / "network" / "main.tf").unlink()
    assert (tmp_path / "copy" / "web" / "network" / "main.tf").read_text() == "modules/network/main.tf"


def test_a_link_in_which_terraform_looks_for_providers_is_left_out(tmp_path: Path) -> None:
    source = _folder(tmp_path / "hcl", "programs/plugins/x", "web/people.tf")
    (source / "web" / "terraform.d").symlink_to("../programs")
    copy_added(source, tmp_path / "copy", [])
    assert [path.name for path in (tmp_path / "copy" / "web").iterdir()] == ["people.tf"]


def test_a_file_that_cannot_be_copied_stays_behind(tmp_path: Path) -> None:
    source = _folder(tmp_path / "hcl", "web/people.tf")
    (tmp_path / "copy" / "web" / "people.tf").mkdir(parents=True)
    copy_added(source, tmp_path / "copy", [])
    assert (tmp_path / "copy" / "web" / "people.tf").is_dir()
