"""Text that Terraform must keep unchanged, except for the references in it."""

import re

from buildspec.render import Reference
from terraform.templates import escaped

_REFERENCE = re.compile(f"{Reference.OPEN}(.*?){Reference.CLOSE}", re.DOTALL)


def template(rendered: str) -> str:
    """A text of `buildspec.render`, with its references as Terraform's own and everything else unchanged."""
    parts = _REFERENCE.split(rendered)
    return "".join(f"${{{part}}}" if place % 2 else escaped(part) for place, part in enumerate(parts))


def readable(rendered: str) -> str:
    """The same for people to read: a reference is shown as its address, without the functions that quote it."""
    return _REFERENCE.sub(lambda reference: f"${{{_address(reference[1])}}}", rendered)


def _address(expression: str) -> str:
    found = re.search(r"[a-z][\w-]*(\.[\w-]+)+", expression)
    return found[0] if found else expression
