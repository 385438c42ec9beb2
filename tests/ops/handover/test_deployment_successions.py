"""When one deployment is handed over after another, every resource is accounted for."""

import json
import random
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover import shipped
from ops.handover.given import Given
from ops.handover.reading import read
from ops.handover.repetition import Repeated, with_repetition
from ops.handover.texts import TextFiles
from settings import load as load_settings
from stacks.synthesis import synthesise
from terraform.output import FILE, load
from tests.ops.handover import deployments


def _synthesised(seeds: range, folder: Path) -> Iterator[dict[str, Path]]:
    """The folders of the stacks of random deployments, by name; without deployments whose settings are inconsistent."""
    for seed in seeds:
        file = folder / f"{seed}.yaml"
        file.write_text(json.dumps(deployments.deployment(random.Random(seed), "random"), ensure_ascii=False))
        try:
            yield {stack.name: stack.folder for stack in synthesise(load_settings(file), folder / f"out{seed}")}
        except RefusedError:
            continue


def _converted(folder: Path, given: Given) -> Repeated:
    blocks = read(load(folder / FILE, exact_numbers=True), name=folder.name, schemas=shipped())
    return with_repetition(blocks, TextFiles(), given, stack=folder.name)


def _led_to(address: str, moves: Mapping[str, str]) -> str:
    """Where `moved` blocks lead from an address, step by step."""
    for _ in range(100):
        block, bracket, index = address.partition("[")
        if address in moves:
            address = moves[address]
        elif bracket and "[" not in moves.get(block, "["):
            address = f"{moves[block]}{bracket}{index}"
        else:
            return address
    raise AssertionError(f"the moves from {address} form a circle")


@pytest.mark.slow
def test_every_resource_of_a_deployment_is_moved_gone_or_new(tmp_path: Path) -> None:
    stayed = left = grouped = 0
    for before, after in pairwise([*_synthesised(range(40), tmp_path)]):
        for name in before.keys() & after.keys():
            first = _converted(before[name], Given())
            second = _converted(after[name], first.given)
            third = _converted(before[name], second.given)
            for old, new in ((first, second), (second, third)):
                now = {own: it for own, it in new.addresses.items() if not own.startswith("data.")}
                ends = {own: _led_to(own, new.given.moves) for own in now}
                assert ends == now
                assert len({*now.values()}) == len(now)
                for own, address in old.addresses.items():
                    if own in now:
                        assert _led_to(address, new.given.moves) == now[own]
                        stayed += 1
                        grouped += "[" in address and address == now[own]
                    elif not own.startswith("data."):
                        assert _led_to(address, new.given.moves) not in now.values()
                        left += 1
    assert stayed > 200
    assert left > 40
    assert grouped > 40
