"""The places in which an ARN becomes a local value, and what its name leaves out."""

import pytest

from ops.handover.hcl import Block, text
from ops.handover.metadata import TopLevelBlock
from ops.handover.printing import expression
from ops.handover.style.arns import with_arns

_ROLE = text("arn:aws:iam::111111111111:role/web-prd")


def _with_role(kind: str = "resource", *path: str) -> TopLevelBlock:
    return TopLevelBlock(block=Block(kind, ("aws_it", "it"), arguments={"role": _ROLE}), path=path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("rooms", "prd", "role"), "web_role_arn"),
        (("room", "prd", "role"), "web_prd_role_arn"),
        (("rooms", "prd"), "web_prd_role_arn"),
    ],
)
def test_a_name_leaves_out_the_key_of_a_collection_s_single_member(path: tuple[str, ...], name: str) -> None:
    locals_, *_ = with_arns([_with_role("resource", *path)] * 3)
    assert list(locals_.block.arguments) == [name]


def test_a_name_has_the_key_of_one_of_several_members() -> None:
    locals_, *_ = with_arns([_with_role("resource", "rooms", key, "role") for key in ("prd", "dev", "test")])
    assert list(locals_.block.arguments) == ["web_prd_role_arn"]


@pytest.mark.parametrize("kind", ["resource", "data", "ephemeral", "module", "provider", "output"])
def test_an_arn_is_named_in_every_block_with_references_to_local_values(kind: str) -> None:
    _, *found = with_arns([_with_role(kind)] * 3)
    assert [expression(it.block.arguments["role"]) for it in found] == ["local.web_prd_role_arn"] * 3


@pytest.mark.parametrize("kind", ["variable", "moved", "import", "removed", "terraform", "check"])
def test_an_arn_stays_in_other_blocks(kind: str) -> None:
    blocks = [_with_role(kind)] * 3
    assert with_arns(blocks) == blocks
