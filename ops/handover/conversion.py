"""Converts one stack's JSON to HCL files."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from ops.handover.addresses import is_of_data
from ops.handover.constructors import with_constructors
from ops.handover.cycles import refuse_new_cycles
from ops.handover.edit_places import EditPlace, located
from ops.handover.filing import filed
from ops.handover.given import Given
from ops.handover.growth import with_growth
from ops.handover.hcl import NULL, Block, Expression
from ops.handover.inputs import with_inputs
from ops.handover.json_strings import with_jsonencode, with_plain_paths
from ops.handover.lists_in_texts import KeyList
from ops.handover.metadata import TopLevelBlock, collections
from ops.handover.names import with_local_names
from ops.handover.printing import expression, render
from ops.handover.reading import read
from ops.handover.references import address
from ops.handover.repetition import Repeated, with_repetition
from ops.handover.schema import Schemas
from ops.handover.scopes import hides
from ops.handover.style import with_style
from ops.handover.style.collections import collected
from ops.handover.style.key_lists import key_lists
from ops.handover.style.null_checks import without_needless_nullable
from ops.handover.style.owned_collections import owned, with_owners
from ops.handover.texts import TextFiles

_NOTHING = Given()


@dataclass(frozen=True, kw_only=True)
class Converted:
    """One stack as HCL.

    files: by path, before `terraform fmt` aligns them.
    addresses: of every resource and data source in the HCL, by its address in the JSON.
    given: what the next handover must know.
    edit_places: where members of repeated resources are added, for the README.
    left_out: inputs that became no variables.
    """

    files: Mapping[str, str]
    addresses: Mapping[str, str]
    given: Given = _NOTHING
    edit_places: Sequence[EditPlace] = ()
    left_out: Set[str] = frozenset()

    @property
    def moved(self) -> dict[str, str]:
        """The addresses of resources that differ in the HCL, by those in the JSON."""
        return {old: new for old, new in self.addresses.items() if old != new and not is_of_data(old)}


def convert(
    document: Mapping[str, Any],
    *,
    name: str,
    schemas: Schemas,
    given: Given = _NOTHING,
    keep_defaults: bool = False,
    larger: Mapping[str, Any] | None = None,
) -> Converted:
    """The stack called `name` as HCL. `given` is what earlier handovers gave to it.

    `keep_defaults` leaves the defaults of variables where they are, so that TF_VAR_… replaces them: it does not replace
    what terraform.tfvars says.

    `larger` is the same stack with one more member of its collections, which shows what a single member's keys are.
    Nothing of it is written.

    `document` comes from `terraform.output.load`, with or without exact numbers. Raises RefusedError with everything
    in it that cannot be converted.
    """
    document = with_inputs(document, name=name)
    as_read = _blocks(document, name=name, schemas=schemas)
    with_more = None if larger is None else _blocks(with_inputs(larger, name=name), name=name, schemas=schemas)
    repeated, texts = _repeated(as_read, with_more, given, stack=name)
    plain = with_plain_paths(found.block for found in repeated.blocks)
    objects = [replace(found, block=_with_objects(found.block, plain)) for found in repeated.blocks]
    named = collections(document)
    listed = collected(named, objects)
    shared = owned(named, objects)
    styled = with_style([*(it.local_value for it in listed), *with_owners(objects, shared)])
    moved = [] if keep_defaults else [found.block for found in styled if _has_value(found.block)]
    values = {block.labels[0]: block.arguments["default"] for block in moved}
    lists = [
        *(one for it in listed for one in it.key_lists(styled)),
        *(one for it in shared for one in it.key_lists(styled)),
        *key_lists(styled, _lines(larger)),
    ]
    blocks = [replace(it, block=_readable(it.block, texts, values, _for_block(lists, it))) for it in styled]
    refuse_new_cycles(name, (found.block for found in as_read), (found.block for found in blocks))
    by_file = filed(blocks)
    files = {file: render(content) for file, content in sorted(by_file.items())}
    if values:
        files["terraform.tfvars"] = "".join(f"{it} = {expression(value)}\n" for it, value in sorted(values.items()))
    files |= texts.files
    members = [*repeated.members, *(it.member_list for it in listed), *(it.member_list for it in shared)]
    return Converted(
        files=files,
        addresses=repeated.addresses,
        given=repeated.given,
        edit_places=located(members, by_file, files),
        left_out=repeated.left_out,
    )


def _blocks(document: Mapping[str, Any], *, name: str, schemas: Schemas) -> Sequence[TopLevelBlock]:
    return with_local_names(read(document, name=name, schemas=schemas))


def _repeated(
    blocks: Sequence[TopLevelBlock], larger: Sequence[TopLevelBlock] | None, given: Given, *, stack: str
) -> tuple[Repeated, TextFiles]:
    """The blocks with similar resources merged, and the files for that.

    The larger stack's examples are left out if they keep anything apart that is merged without them.
    """
    texts, texts_of_more = TextFiles(), TextFiles()
    repeated = with_repetition(blocks, texts, given, stack=stack)
    if larger is None:
        return repeated, texts
    grown = [*with_growth(blocks, larger), *_added(blocks, larger)]
    more = with_repetition(grown, texts_of_more, given, stack=stack)
    return (more, texts_of_more) if _is_kept(repeated, more) else (repeated, texts)


def _is_kept(one: Repeated, other: Repeated) -> bool:
    """Whether what shares a block, or a local value that blocks iterate over, does so in the other one, too."""
    others, now = _shared(other), _shared(one)
    together: dict[str, set[str | None]] = {}
    for old, shared in now.items():
        together.setdefault(shared, set()).add(others.get(old))
    examples = {expression(it.block.arguments["for_each"]): it.next_key for it in other.blocks if it.next_key}

    def may_part(them: Set[str | None]) -> bool:
        """Whether each has a next member of its own: rooms and repositories may have the same names by chance."""
        return len({examples.get(it or "", "") for it in them} - {""}) == len(them)

    return all(None not in it and (len(it) == 1 or may_part(it)) for it in together.values())


def _shared(repeated: Repeated) -> dict[str, str]:
    """What each resource or data source of a block for several iterates over, or the block, by its old address."""
    for_each = {address(it.block): it.block.arguments.get("for_each") for it in repeated.blocks}
    uses = Counter(repeated.addresses.values())
    found = {}
    for old, new in repeated.addresses.items():
        over = for_each.get(new.partition("[")[0])
        if over is not None or uses[new] > 1:
            found[old] = new if over is None else expression(over)
    return found


def _added(blocks: Sequence[TopLevelBlock], larger: Sequence[TopLevelBlock]) -> list[TopLevelBlock]:
    """The resources, data sources and variables of the larger stack that are not in `blocks`, as examples."""
    known = {address(it.block) for it in blocks}
    return [
        replace(it, is_example=True)
        for it in larger
        if it.block.type in ("resource", "data", "variable") and address(it.block) not in known
    ]


def _lines(document: Any) -> frozenset[str]:
    """The lines of all texts in a document that have several."""
    match document:
        case str() if "\n" in document:
            return frozenset(document.split("\n"))
        case dict():
            return frozenset().union(*map(_lines, document.values()))
        case list():
            return frozenset().union(*map(_lines, document))
    return frozenset()


def _with_objects(block: Block, plain: Set[str]) -> Block:
    """The block with `jsonencode(…)` in place of strings of JSON. `plain` are addresses with plain ARNs."""
    return with_constructors(with_jsonencode(block, plain)) if block.type in ("resource", "data") else block


def _for_block(lists: Sequence[KeyList], found: TopLevelBlock) -> list[KeyList]:
    """The lists with the next lines of the block's own texts, as far as they are known: another text may grow alone."""
    own = found.next_lines
    return [it if own is None else replace(it, next_lines=own) for it in lists]


def _readable(block: Block, texts: TextFiles, values: Mapping[str, Expression], lists: Sequence[KeyList]) -> Block:
    """The block without long texts, with loops for the members of `lists`, without a variable's value."""
    if block.type in ("resource", "data"):
        return block if hides(block) else texts.moved_from(block, lists)
    if block.type == "locals":
        return texts.moved_from_locals(block)
    if block.type == "variable" and block.labels[0] in values:
        arguments = {name: it for name, it in block.arguments.items() if name != "default"}
        return without_needless_nullable(replace(block, arguments=arguments))
    return block


def _has_value(block: Block) -> bool:
    """Whether a variable has a default for terraform.tfvars. A null default stays: it makes the variable optional."""
    return block.type == "variable" and block.arguments.get("default", NULL) != NULL
