"""Cycles are found through resources, data sources, modules and local values."""

import itertools
import random

import pytest

from errors import RefusedError
from ops.handover.cycles import dependencies, in_cycles, refuse_new_cycles
from ops.handover.hcl import Block, TupleExpr, Verbatim
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import addresses_in
from ops.handover.style.order import in_order
from ops.handover.style.repeated_values import with_repeated_values


def test_finds_a_cycle_through_a_local_value() -> None:
    blocks = [
        Block("resource", ("aws_subnet", "private"), arguments={"vpc_id": Verbatim("local.vpc")}),
        Block("locals", arguments={"vpc": Verbatim("module.net.id"), "other": Verbatim("aws_subnet.private.id")}),
        Block("module", ("net",), arguments={"subnets": Verbatim("[for s in data.aws_subnets.all.ids : s]")}),
        Block("data", ("aws_subnets", "all"), arguments={"ids": Verbatim('aws_subnet.private["a"].id')}),
        Block("output", ("subnet",), arguments={"value": Verbatim("local.other")}),
    ]
    assert in_cycles(dependencies(blocks)) == {
        "aws_subnet.private",
        "local.vpc",
        "module.net",
        "data.aws_subnets.all",
    }


def test_two_local_values_of_one_block_are_no_cycle() -> None:
    blocks = [
        Block("locals", arguments={"a": Verbatim("local.b"), "b": Verbatim("terraform_data.c.id")}),
        Block("resource", ("terraform_data", "c"), arguments={"input": TupleExpr((Verbatim("var.a"),))}),
        Block("resource", ("terraform_data", "d"), arguments={"input": Verbatim("local.a")}),
    ]
    assert in_cycles(dependencies(blocks)) == set()


def test_a_move_is_no_dependency() -> None:
    moved = Block("moved", arguments={"from": Verbatim("terraform_data.a"), "to": Verbatim("terraform_data.b")})
    assert dependencies([moved]) == {}


def test_finds_the_same_cycles_as_a_search_along_every_path() -> None:
    chance = random.Random(20261129)
    found = 0
    for _ in range(300):
        nodes = "abcdefg"[: chance.randint(1, 7)]
        graph = {one: {it for it in [*nodes, "unknown"] if chance.random() < 0.2} for one in nodes}
        paths = {(one, other) for one, others in graph.items() for other in others}
        for _ in nodes:
            paths |= {(a, d) for (a, b), (c, d) in itertools.product(paths, paths) if b == c}
        expected = {one for one in nodes if (one, one) in paths}
        assert in_cycles(graph) == expected
        found += bool(expected) and expected != {*nodes}
    assert found > 50


def test_refuses_a_cycle_that_only_the_hcl_has() -> None:
    def data(name: str, source: str) -> Block:
        return Block("resource", ("terraform_data", name), arguments={"input": Verbatim(source)})

    first, names = data("a", "1"), Block("locals", arguments={"names": Verbatim("terraform_data.a.id")})
    before = [first, names, data("b", "local.names")]
    after = [names, data("a", "local.names")]
    refuse_new_cycles("web", before, before)
    refuse_new_cycles("web", after, after)
    with pytest.raises(RefusedError) as refused:
        refuse_new_cycles("web", before, after)
    assert str(refused.value) == (
        "error: web: the HCL would have a cycle that the JSON does not have: local.names, terraform_data.a\n"
        "hint: hand over this stack as JSON, and report this as a defect of the handover"
    )


def test_a_value_that_stands_once_makes_no_cycle() -> None:
    """Whatever has the value refers to all that it refers to anyway."""
    moved = 0
    for seed in range(60):
        chance = random.Random(seed)
        names = chance.sample(range(8), 8)
        shared: dict[int, list[Verbatim]] = {}
        blocks = []
        for index, name in enumerate(names):
            earlier = [Verbatim(f"terraform_data.it_{it}.id") for it in names[:index]]
            value = shared.setdefault(chance.randrange(2), chance.sample(earlier, min(index, 2)))
            texts = [Verbatim(f'"{number} {"x" * 30}"') for number in range(10)]
            arguments = {"input": TupleExpr((*texts, *(it if it in earlier else texts[0] for it in value)))}
            arguments["triggers_replace"] = TupleExpr(tuple(chance.sample(earlier, min(index, 1))))
            blocks.append(Block("resource", ("terraform_data", f"it_{name}"), arguments=arguments))
        chance.shuffle(blocks)
        assert in_cycles(dependencies(blocks)) == set()
        written = [it.block for it in in_order(with_repeated_values([TopLevelBlock(block=it) for it in blocks]))]
        assert in_cycles(dependencies(written)) == set()
        moved += sum(it.type == "locals" and bool(addresses_in(it)) for it in written)
    assert moved > 20
