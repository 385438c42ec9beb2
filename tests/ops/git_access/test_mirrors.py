"""The target of a wanted mirror, and the problems of a mirror."""

from typing import Any

import pytest

from ops.git_access.mirrors import Remedy, WantedMirror, as_mirror
from tests.ops.production import TARGET

WANTED = WantedMirror(repository="app", project="a/b", target=f"https://{TARGET}/app", only_protected_branches=False)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        (f"https://*****:*****@{TARGET}/app", True),
        (f"https://*****:*****@{TARGET}/app/", True),
        (f"https://{TARGET.replace('.com', '.com:443')}/app", True),
        (f"https://*****:*****@{TARGET}/App", False),
        (f"https://*****:*****@{TARGET}/app2", False),
        (f"http://*****:*****@{TARGET}/app", False),
        (f"https://*****:*****@{TARGET.replace('amazonaws.com', 'amazonaws.com.evil.example')}/app", False),
        (f"https://{TARGET.replace('.com', '.com:8443')}/app", False),
        (f"https://evil.example/{TARGET}/app", False),
        ("https://[/", False),
        ("ssh://git@x:abc/app", False),
    ],
)
def test_recognises_the_deployments_mirror_by_its_target(url: str, ours: bool) -> None:
    assert WANTED.is_target_of(url) is ours


def test_every_spelling_of_a_target_is_that_target() -> None:
    assert len(set(WANTED.spellings)) == 4
    assert [spelling for spelling in WANTED.spellings if not WANTED.is_target_of(spelling)] == []


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ({"enabled": False}, Remedy.APPLY),
        ({"only_protected_branches": True}, Remedy.APPLY),
        ({"update_status": "failed", "last_error": "the deployment is disabled"}, Remedy.SYNC),
        ({"last_successful_update_at": None}, Remedy.SYNC),
    ],
    ids=["disabled", "differs", "failed", "never-succeeded"],
)
def test_a_fault_names_its_remedy(answer: dict[str, Any], remedy: Remedy) -> None:
    """The result does not depend on GitLab's message."""
    healthy = {
        "id": 1,
        "url": f"https://{TARGET}/app",
        "enabled": True,
        "update_status": "finished",
        "last_successful_update_at": "2026-01-06T17:32:02.823Z",
    }
    assert as_mirror(healthy).fault(WANTED, None) is None
    fault = as_mirror({**healthy, **answer}).fault(WANTED, None)
    assert fault is not None
    assert fault.remedy is remedy
