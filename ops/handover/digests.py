"""Computes the digests of a stack's own texts where the JSON has them as constants: `md5(…)`, `sha256(…)`.

Otherwise whoever changes a file would have to change its digest elsewhere, too.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, FunctionCall, Template
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import address, addresses_in
from ops.handover.strings import has_doubled_signs
from ops.handover.texts import is_long
from terraform.templates import Interpolation, Literal, Part

# By the function that computes it in Terraform.
_DIGESTS: Mapping[str, Callable[[bytes], str]] = {
    "md5": lambda content: hashlib.md5(content, usedforsecurity=False).hexdigest(),
    "sha1": lambda content: hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    "sha256": lambda content: hashlib.sha256(content).hexdigest(),
    "base64sha256": lambda content: base64.b64encode(hashlib.sha256(content).digest()).decode(),
}
_DIGEST = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b|(?<![\w+/])[A-Za-z0-9+/]{43}=(?!=)")

# Arguments that a plan shows as they are written, and that are not sensitive.
_MAY_BE_REFERRED_TO = {"aws_s3_object.content", "aws_s3_bucket_object.content", "local_file.content"}

_Source = tuple[str, str, str, Template]
"""An argument with a long text: function, the resource's address, argument, text."""


def with_digests(blocks: Sequence[TopLevelBlock]) -> list[TopLevelBlock]:
    """The blocks with computed digests. A block gets no reference to a resource that it does not refer to already."""
    sources = {digest: source for found in blocks for digest, source in _digests(found.block)}
    return [replace(it, block=_computed(it.block, sources)) for it in blocks] if sources else list(blocks)


def _digests(block: Block) -> Iterator[tuple[str, _Source]]:
    if block.type == "resource" and not {"count", "for_each"} & block.arguments.keys():
        for name, value in block.arguments.items():
            if isinstance(value, Template) and value.text is not None and is_long(value):
                content = unicodedata.normalize("NFC", value.text).encode(errors="surrogatepass")
                for function, digest in _DIGESTS.items():
                    yield digest(content), (function, address(block), name, value)


def _computed(block: Block, sources: Mapping[str, _Source]) -> Block:
    if block.type != "resource":
        return block
    own, known = address(block), addresses_in(block)
    usable = {
        digest: (function, owner, argument, content)
        for digest, (function, owner, argument, content) in sources.items()
        if owner in known and f"{owner.split('.')[0]}.{argument}" in _MAY_BE_REFERRED_TO
    }

    def change(it: Expression) -> Expression:
        if not isinstance(it, Template) or any(has_doubled_signs(part) for part in it.parts):
            return it
        of_own = sources.get(it.text or "")
        if of_own is not None and of_own[1] == own:
            return FunctionCall(of_own[0], (of_own[3],))
        return Template(tuple(part for one in it.parts for part in _parts(one, usable)))

    return block.mapped(change)


def _parts(part: Part, sources: Mapping[str, _Source]) -> Iterator[Part]:
    """A part of a template, with references in place of digests."""
    if not isinstance(part, Literal):
        yield part
        return
    position = 0
    for found in _DIGEST.finditer(part.text):
        # A `$` or `%` before an interpolation would escape it.
        if found[0] in sources and not part.text[: found.start()].endswith(("$", "%")):
            function, owner, argument, _ = sources[found[0]]
            if before := part.text[position : found.start()]:
                yield Literal(before)
            yield Interpolation(f"{function}({owner}.{argument})")
            position = found.end()
    if rest := part.text[position:]:
        yield Literal(rest)
