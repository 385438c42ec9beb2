"""Explains resources to whoever reads their Terraform."""

from weakref import WeakKeyDictionary

from cdktf import TerraformElement

_EXPLAINED: WeakKeyDictionary[TerraformElement, set[str]] = WeakKeyDictionary()


def explain(element: TerraformElement, why: str, block: str = "") -> None:
    """Say why `element` is as it is, where the reason is not plain: `explain(bucket, "Its files are evidence.")`.

    The text is written into the `//` of the resource, or of a `block` of it (`statement.0`), which
    Terraform ignores. The handover makes a comment of it. Resources that differ in a name alone have one text, so that
    they can become one block there. Raises ValueError for a resource or a block that is explained already.
    """
    explained = _EXPLAINED.setdefault(element, set())
    if block in explained:
        raise ValueError(f"{element.node.path}: {block or 'it'} is explained already")
    explained.add(block)
    # cdktf drops the `//` of a data source, but keeps those of its blocks.
    element.add_override(f"{block}.//.comment".lstrip("."), why)
