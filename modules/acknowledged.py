"""Accepts findings of checkov, each with its reason on the resource."""

from weakref import WeakKeyDictionary

from cdktf import TerraformElement

_SHORTEST_REASON = 20
_ACKNOWLEDGED: WeakKeyDictionary[TerraformElement, dict[str, dict[str, str]]] = WeakKeyDictionary()
"""The reasons of each element, by block."""


def acknowledge(element: TerraformElement, block: str = "", **reasons: str) -> None:
    """Accept checkov's findings on `element`, with reasons: `acknowledge(bucket, CKV_AWS_144="it holds copies only")`.

    The reasons are written into the `//` of the resource, or of a `block` of it (`statement.0`), which Terraform
    ignores, so readers of the output see them too. A test fails for a failed check without a reason, and for a reason
    without a failed check. Raises ValueError for a finding that is accepted already.
    """
    known = _ACKNOWLEDGED.setdefault(element, {}).setdefault(block, {})
    if twice := sorted(known.keys() & reasons.keys()):
        where = f"{element.node.path}: {block}".removesuffix(": ")
        raise ValueError(f"{where}: accepted already: {', '.join(twice)}")
    for check, reason in reasons.items():
        if len(reason) < _SHORTEST_REASON:
            raise ValueError(f"{element.node.path}: {check}: {reason!r} is too short for a reason")
    known |= reasons
    # cdktf drops the `//` of a data source, but keeps those of its blocks. An override replaces an earlier one.
    element.add_override(f"{block}.//.acknowledged".lstrip("."), dict(known))
