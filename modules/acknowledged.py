"""Findings of checkov that are known and meant, each with its reason beside the resource."""

from cdktf import TerraformElement

_SHORTEST_REASON = 20


def acknowledge(element: TerraformElement, block: str = "", **reasons: str) -> None:
    """Say why checkov's findings on `element` are meant: `acknowledge(bucket, CKV_AWS_144="it holds copies only")`.

    The reasons are written into the `//` of the resource, or of a `block` of it (`statement.0`), which Terraform
    ignores: whoever reads the output finds them too. A test accepts a failed check on this ground only, and no reason
    without a failed check.
    """
    for check, reason in reasons.items():
        if len(reason) < _SHORTEST_REASON:
            raise ValueError(f"{element.node.path}: {check}: {reason!r} is too short for a reason")
    # A data source keeps no `//` of its own, but its blocks do.
    element.add_override(f"{block}.//.acknowledged".lstrip("."), reasons)
