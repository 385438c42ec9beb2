"""The deployment with one more mirror, which the handover compares a single mirror with."""

from pathlib import Path

import pytest

from settings import Deployment, load
from settings.backlog import mirrors
from stacks.one_more import KEY, with_one_more_mirror
from tests.conftest import PROJECT


def deployment(folder: Path, name: str, *changes: tuple[str, str]) -> Deployment:
    """One of `deployments/`, with texts exchanged."""
    text = (PROJECT / "deployments" / f"{name}.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "deployment.yaml").write_text(text)
    return load(folder / "deployment.yaml")


def test_a_single_mirror_gets_a_second_one_of_another_space(tmp_path: Path) -> None:
    more = with_one_more_mirror(deployment(tmp_path, "backlog-only"))
    assert more is not None
    assert more.prd is not None
    assert more.prd.backlog is not None
    first, second = mirrors(more.prd.backlog).values()
    assert [*mirrors(more.prd.backlog)] == ["website", KEY]
    spaces = more.prd.backlog.spaces
    assert first.space != second.space
    assert spaces[second.space].known_hosts[0].startswith(f"{second.space}.git.backlog.com ssh-ed25519 ")


def test_a_single_repository_of_a_single_space_gets_a_second_one_of_this_space(tmp_path: Path) -> None:
    more = with_one_more_mirror(deployment(tmp_path, "example"))
    assert more is not None
    assert more.prd is not None
    assert more.prd.backlog is not None
    assert [*mirrors(more.prd.backlog)] == ["website", "batch", KEY]
    assert {it.space for it in mirrors(more.prd.backlog).values()} == {"example"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("everything", []),
        ("minimal", []),
        ("example", [("codecommit: batch", "create: nightly")]),
        ("example", [("create: website", "codecommit: application")]),
    ],
)
def test_other_bridges_stay_as_they_are(name: str, changes: list[tuple[str, str]], tmp_path: Path) -> None:
    assert with_one_more_mirror(deployment(tmp_path, name, *changes)) is None


@pytest.mark.parametrize(
    "change",
    [("      website:\n        space", f"      {KEY}:\n        space"), ("create: website", "create: next-target")],
)
def test_a_taken_name_is_not_given_again(change: tuple[str, str], tmp_path: Path) -> None:
    assert with_one_more_mirror(deployment(tmp_path, "backlog-only", change)) is None
