"""What a stack says of each member of a collection, and what sets of ARNs say of the same members."""

import re
from collections.abc import Mapping, Set

from ops.handover.hcl import NULL, Expression, ObjectExpr, Template, Verbatim
from ops.handover.metadata import Collection
from ops.handover.strings import quoted_template
from ops.handover.style.keys import key_name
from ops.handover.style.local_values import is_text
from terraform.patterns import NAME
from terraform.templates import Directive

Entries = Mapping[str, Mapping[str, Expression]]
"""The attributes of each member."""

DEFINED_LATER = ("account_id", "name", "region", "tags")
"""Local values that the style defines, once it knows the collections."""

PLAIN = re.compile(r"[\w.-]*", re.ASCII)
"""A text that needs no escapes between quotes."""


def entries_of(value: Expression) -> Entries:
    """The attributes of each member of an object; nothing if members differ in what they have."""
    found: dict[str, dict[str, Expression]] = {}
    for key, it in value.items if isinstance(value, ObjectExpr) else ():
        if not isinstance(it, ObjectExpr) or not key.text or not key.text.isascii() or key.text in found:
            return {}
        found[key.text] = {name.text or "": one for name, one in it.items}
    shapes = {frozenset(it) for it in found.values()}
    is_plain = all(re.fullmatch(NAME, name) for shape in shapes for name in shape)
    return found if len(shapes) == 1 and is_plain else {}


def one_of(name: str) -> str:
    """The name for one member of a local value: `mirror` for `mirrors`."""
    return key_name(Verbatim(f"local.{name}"))


def names_of(entries: Entries, starts: Mapping[str, str]) -> set[str]:
    """The keys of members, and the values of attributes behind what each starts with.

    Nothing if a value is no text, or if Terraform may order a name otherwise than Python.
    """
    found = set(entries)
    for attribute, start in starts.items():
        values = [is_text(it.get(attribute, NULL)) for it in entries.values()]
        if not all(values):
            return set()
        found |= {f"{start}{it}" for it in values}
    return found if all(map(str.isascii, found)) else set()


def loop_over_arns(collection: Collection, entries: Entries, arns: Set[str], members: str) -> str | None:
    """A loop over the `members`, an expression, that gives these ARNs, if they are one for each member."""
    one = one_of(collection.name)
    for service, attribute in collection.arns.items():
        values = {as_quoted(entry.get(attribute, NULL)) for entry in entries.values()}
        starts = {arn.removesuffix(value) for arn in arns for value in values if value and arn.endswith(f":{value}")}
        start = starts.pop() if len(starts) == 1 and "" not in values else ""
        if start.startswith(f"arn:aws:{service}:") and arns == {start + value for value in values}:
            return f'[for {one} in {members} : "{start}${{{one}.{attribute}}}"]'
    return None


def attribute_of_arns(collection: Collection, entries: Entries, arns: Set[str]) -> str | None:
    """The attribute of which these ARNs are all values, where some members may have none."""
    for attribute in collection.arns.values():
        column = [entry.get(attribute, NULL) for entry in entries.values()]
        if arns == {as_quoted(value) for value in column if value != NULL} and all(map(_may_be_arn, arns)):
            return attribute
    return None


def loop_over_attribute(collection: Collection, attribute: str, members: str) -> str:
    """A loop over the `members`, an expression, that gives the values of an attribute, which some may not have."""
    one = one_of(collection.name)
    return f"compact([for {one} in {members} : {one}.{attribute}])"


def as_quoted(value: Expression) -> str:
    """A text as it is written between quotes; nothing if it is none, or has directives."""
    if not isinstance(value, Template) or any(isinstance(part, Directive) for part in value.parts):
        return ""
    return quoted_template(value)[1:-1]


def _may_be_arn(quoted: str) -> bool:
    """Whether a text starts as an ARN does, or is the local value of one."""
    return re.match(r"arn:|\$\{local\.\w+_arn\}$", quoted) is not None
