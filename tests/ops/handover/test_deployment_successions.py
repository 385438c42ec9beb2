"""When one deployment is handed over after another, every resource is accounted for."""

import json
import random
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import Converted, convert, shipped
from ops.handover.given import Given
from settings import load as load_settings
from stacks.synthesis import synthesise
from terraform.output import FILE, load
from tests.ops.handover import deployments
from tests.ops.handover.evaluation import larger_than

Documents = tuple[Mapping[str, Any], Mapping[str, Any] | None]
"""A stack as JSON, and the same with one more of each."""


def _synthesised(seeds: range, folder: Path) -> Iterator[dict[str, Documents]]:
    """The stacks of random deployments, by name; without deployments whose settings are inconsistent."""
    for seed in seeds:
        file = folder / f"{seed}.yaml"
        file.write_text(json.dumps(deployments.deployment(random.Random(seed), "random"), ensure_ascii=False))
        try:
            settings = load_settings(file)
            stacks = synthesise(settings, folder / f"out{seed}")
        except RefusedError:
            continue
        larger = larger_than(settings, folder / f"larger{seed}")
        yield {
            it.name: (_document(it.folder), _document(larger / "stacks" / it.name) if larger else None) for it in stacks
        }


def _document(folder: Path) -> Mapping[str, Any]:
    return load(folder / FILE, exact_numbers=True)


def _converted(name: str, documents: Documents, given: Given) -> Converted:
    document, larger = documents
    return convert(document, name=name, schemas=shipped(), given=given, larger=larger)


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
    for before, after in pairwise([*_synthesised(range(24), tmp_path)]):
        for name in before.keys() & after.keys():
            first = _converted(name, before[name], Given())
            second = _converted(name, after[name], first.given)
            third = _converted(name, before[name], second.given)
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
