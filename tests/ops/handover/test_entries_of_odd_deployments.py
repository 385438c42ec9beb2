"""What a list or a local value means for the next entry, where names in the deployment are those of something else."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ops.handover import convert, shipped
from ops.handover.conversion import Converted
from settings import load
from terraform import output
from tests.ops.handover.evaluation import larger_than
from tests.terraform import Stacks

pytestmark = pytest.mark.slow

CODECOMMIT = "prd-codecommit"


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
