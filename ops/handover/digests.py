"""Computes the digests of a stack's own texts where the JSON has them as constants: `md5(…)`, `sha256(…)`.

Otherwise whoever changes a file would have to change its digest elsewhere, too.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, FunctionCall, Template, TupleExpr, Verbatim, within
from ops.handover.metadata import TopLevelBlock
from ops.handover.printing import expression
from ops.handover.references import address, addresses_in
from ops.handover.scopes import code_of, hides
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

_Expressions = dict[str, Expression]
"""What computes a digest, by the digest."""


def with_digests(blocks: Sequence[TopLevelBlock]) -> list[TopLevelBlock]:
    """The blocks with computed digests. A block gets no reference to a resource that it does not refer to already."""
    resources = {address(it.block): it.block for it in blocks if it.block.type == "resource"}
    texts = {owner: of_owner for owner, it in resources.items() if (of_owner := _texts(it))}
    own = {owner: _digests(of_owner.values(), of_owner.values()) for owner, of_owner in texts.items()}
    referred = {owner: _digests(*_referred(owner, it, _ignored(resources[owner]))) for owner, it in texts.items()}
    return [replace(it, block=_computed(it.block, own, referred)) if texts else it for it in blocks]


def _texts(block: Block) -> dict[str, Template]:
    """A resource's long texts, by argument."""
    if {"count", "for_each"} & block.arguments.keys():
        return {}
    return {name: it for name, it in block.arguments.items() if isinstance(it, Template) and is_long(it) and it.text}


def _ignored(block: Block) -> str:
    """What Terraform ignores changes of: for such an argument, a reference gives what the state has."""
    lifecycle = next((it for it in block.blocks if it.type == "lifecycle"), block)
    ignored = lifecycle.arguments.get("ignore_changes", TupleExpr(()))
    return " ".join(source for it in within(ignored) for source, _ in code_of(it))


def _referred(owner: str, texts: Mapping[str, Template], ignored: str) -> tuple[list[Template], list[Expression]]:
    """The texts that others may refer to, with the references."""
    type_ = owner.split(".")[0]
    found = {name: it for name, it in texts.items() if f"{type_}.{name}" in _MAY_BE_REFERRED_TO}
    found = {name: it for name, it in found.items() if not re.search(rf"\b({name}|all)\b", ignored)}
    return list(found.values()), [Verbatim(f"{owner}.{name}") for name in found]


def _digests(texts: Iterable[Template], expressions: Iterable[Expression]) -> _Expressions:
    found: _Expressions = {}
    for it, source in zip(texts, expressions, strict=True):
        content = unicodedata.normalize("NFC", it.text or "").encode(errors="surrogatepass")
        found |= {digest(content): FunctionCall(name, (source,)) for name, digest in _DIGESTS.items()}
    return found


def _computed(block: Block, own: Mapping[str, _Expressions], referred: Mapping[str, _Expressions]) -> Block:
    if block.type != "resource" or hides(block, {it.split(".")[0] for it in referred}):
        return block
    whole = own.get(address(block), {})
    inside = {digest: it for owner in addresses_in(block) & referred.keys() for digest, it in referred[owner].items()}

    def change(it: Expression) -> Expression:
        if not isinstance(it, Template) or any(has_doubled_signs(part) for part in it.parts):
            return it
        return whole.get(it.text or "") or Template(tuple(part for one in it.parts for part in _parts(one, inside)))

    return block.mapped(change) if whole or inside else block


def _parts(part: Part, digests: _Expressions) -> Iterator[Part]:
    """A part of a template, with references in place of digests."""
    if not isinstance(part, Literal):
        yield part
        return
    position = 0
    for found in _DIGEST.finditer(part.text):
        # A `$` or `%` before an interpolation would escape it.
        if found[0] in digests and not part.text[: found.start()].endswith(("$", "%")):
            if before := part.text[position : found.start()]:
                yield Literal(before)
            yield Interpolation(expression(digests[found[0]]))
            position = found.end()
    if rest := part.text[position:]:
        yield Literal(rest)
