"""What a list or a local value means for the next entry, where names in the deployment are those of something else."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ops.handover import convert, shipped
from ops.handover.conversion import Converted
from settings import load
from terraform import output
from tests.ops.handover.evaluation import larger_than
from tests.settings.whole_file import KMS_KEY
from tests.terraform import Stacks

pytestmark = pytest.mark.slow

CODECOMMIT = "prd-codecommit"
_NETWORKS = ["203.0.113.16/29", "203.0.113.32/29"]
_OTHER_KEY = f"{KMS_KEY[:-1]}c"


@pytest.fixture(scope="module")
def handed_over(changed: Callable[..., Stacks]) -> Callable[[Mapping[str, Any]], Converted]:
    """The HCL of `minimal.yaml` with some settings changed."""

    def of(settings: Mapping[str, Any]) -> Converted:
        out = changed("minimal", settings).out
        (deployment,) = out.parent.glob("*.yaml")
        larger = larger_than(load(deployment), out.parent / "larger")
        assert larger is not None
        one, other = (output.load(it / "stacks" / CODECOMMIT / output.FILE, exact_numbers=True) for it in (out, larger))
        return convert(one, name=CODECOMMIT, schemas=shipped(), larger=other)

    return of


Handed = Callable[[Mapping[str, Any]], Converted]


def test_the_clone_url_of_a_repository_beside_one_called_codecommit_is_one_of_codecommit(handed_over: Handed) -> None:
    found = handed_over({"prd.codecommit.repositories": {"codecommit": {}}}).files["outputs.tf"]
    assert '"${repository}::' not in found
    assert '"codecommit::${local.region}://codecommit"' in found


@pytest.mark.parametrize("limited", [True, False])
def test_a_room_called_as_a_repository_is_no_repository(limited: bool, handed_over: Handed) -> None:
    names = ("app", "web")
    rooms = {
        name: {"from_cidrs": [network], **({"repositories": [name]} if limited else {})}
        for name, network in zip(names, _NETWORKS, strict=True)
    }
    settings = {
        "prd.codecommit.repositories": {name: {"description": name.title()} for name in names},
        "prd.codecommit.rooms": rooms,
    }
    files = handed_over(settings).files
    assert "for_each = local.rooms" not in files["codecommit.tf"]
    assert "local.rooms" not in files["iam_push_user.tf"].partition("lifecycle")[0]
    assert not re.search(r"for room in keys\(local\.rooms\) :\s+\"arn:aws:codecommit", files["iam_pull_user.tf"])


def test_the_entry_of_a_room_says_which_keys_it_needs(handed_over: Handed) -> None:
    # With all keys in the block, a room that pulls one repository gets the keys of the others, too.
    settings = {
        "prd.codecommit.repositories": {
            "app": {"kms_key_arn": KMS_KEY},
            "batch": {"kms_key_arn": _OTHER_KEY},
            "web": {},
        },
        "prd.codecommit.rooms": {"day": {"from_cidrs": [_NETWORKS[0]], "repositories": ["web"]}},
    }
    statement = handed_over(settings).files["iam_rooms.tf"].partition("RepositoryKeys")[2]
    assert re.findall(r"resources += (each\.value\.\w+)", statement)
