"""Mistakes in policies are detected: every policy statement of the example is removed, widened or negated in turn."""

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from iam import deployed
from iam.matrix import matrix
from iam.model import Model
from iam.promises import broken
from terraform.references import configurations
from tests.iam.mutants import mutants, size
from tests.terraform import Stacks

SURVIVORS = Path(__file__).parent / "survivors.txt"

Rows = dict[tuple[str, ...], tuple[bool, str]]


def _rows(model: Model, identities: frozenset[str]) -> Rows:
    """The matrix's rows for some identities and for anyone else; the other identities' rows cannot have changed."""
    trusted = {arn for found in model.identities if found.arn in identities for arn in found.trusted_principals}
    part = replace(model, identities=tuple(found for found in model.identities if found.arn in identities | trusted))
    return {(row.principal, row.resource, row.action, row.source): (row.allowed, row.because) for row in matrix(part)}


@pytest.mark.slow
def test_every_mutant_is_detected_except_those_listed_with_a_reason(example: Stacks) -> None:
    stacks: dict[str, Any] = {name: terraform.json for name, terraform in example.terraform.items()}
    original = deployed.read(stacks)
    before = functools.cache(functools.partial(_rows, original))

    def noticed_by(mutant: Mapping[str, Any]) -> str | None:
        try:
            model = deployed.model_of(configurations(mutant, defaults=False).values())
            if broken(model):
                return "promise"
            pairs = zip(model.identities, original.identities, strict=True)
            everybody = model.resources != original.resources
            changed = frozenset(mutated.arn for mutated, unchanged in pairs if everybody or mutated != unchanged)
            return None if _rows(model, changed) == before(changed) else "matrix"
        except RefusedError:
            return "refused"

    noticed = {name: noticed_by(mutant) for name, mutant in mutants(stacks)}
    patterns = [line for line in SURVIVORS.read_text().splitlines() if line and not line.startswith("#")]
    survivors = [name for name, by in noticed.items() if by is None]
    assert [name for name in survivors if not any(fnmatchcase(name, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in survivors)] == []
    # Only a few mutants may survive, because each listed pattern may hide a real mistake.
    assert len(survivors) < len(noticed) / 14
    assert size(stacks) >= 32
    assert len(noticed) >= 400
    # The promises, which stop a synthesis, detect more than half.
    assert Counter(noticed.values())["promise"] > len(noticed) / 2
