"""Accepts findings of checkov, each with its reason on the resource."""

from cdktf import TerraformElement

_SHORTEST_REASON = 20


def acknowledge(element: TerraformElement, block: str = "", **reasons: str) -> None:
    """Accept checkov's findings on `element`, with reasons: `acknowledge(bucket, CKV_AWS_144="it holds copies only")`.

    The reasons are written into the `//` of the resource, or of a `block` of it (`statement.0`), which Terraform
    ignores, so readers of the output see them too. A test fails for a failed check without a reason, and for a reason
    without a failed check.
    """
    for check, reason in reasons.items():
        if len(reason) < _SHORTEST_REASON:
            raise ValueError(f"{element.node.path}: {check}: {reason!r} is too short for a reason")
    # cdktf drops the `//` of a data source, but keeps those of its blocks.
    element.add_override(f"{block}.//.acknowledged".lstrip("."), reasons)
