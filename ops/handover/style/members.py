"""Writes what lists the members of a collection as `for` expressions over the local value that has them.

A member is then added in one place. `{ a = var.a_cidrs, b = [] }` becomes
`{ for name, room in local.rooms : name => coalesce(room.cidrs, []) }` if the rooms have these values, and a set of
texts that has one for each key becomes `[for repository in keys(local.repositories) : "arn:…:${repository}"]`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from ops.handover.hcl import NULL, Block, Expression, ObjectExpr, Template, TupleExpr, Verbatim, within
from ops.handover.known_values import never_null
from ops.handover.metadata import TopLevelBlock
from ops.handover.scopes import code_of, hides
from ops.handover.style.keys import TAKEN, for_each_keys, key_name, keys_of_local, local_name
from ops.handover.style.local_values import is_text, local_values, needed_by, uses_of_attribute, with_changed_sets
from ops.handover.style.member_sets import Axis, set_of_members, set_without
from terraform.templates import Interpolation

_ATTRIBUTE = re.compile(r"each\.value\.([A-Za-z_]\w*)", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LOCAL = re.compile(r"(?<![\w.-])local\.(\w+)")
_OF_ANY_TYPE = re.compile(r"\b(?:flatten\(values|jsonencode)\(local\.\w+\)")


def with_members(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with `for` expressions over local values of which blocks are made."""
    axes = list(_axes(blocks, local_values(blocks)))
    known = never_null(it.block for it in blocks)
    lists = (it.block for it in blocks if it.block.arguments.get("type") == Verbatim("list(string)"))
    of_texts = never_null(lists)
    if not axes:
        return blocks
    sets = {axis.name: set(_sets(axis, blocks)) for axis in axes}
    shown = _shown(blocks)

    def changed(found: TopLevelBlock) -> TopLevelBlock:
        if hides(found.block):
            return found
        if found.block.type != "locals":
            block = _with_said(found.block, axes, known) if found.block.type in ("resource", "data") else found.block
            return with_changed_sets(replace(found, block=block), lambda it: set_of_members(it, axes))
        values = {
            name: _with_sets(it, name, sets.get(name, set()), axes)
            if name in sets
            else _map(it, name, axes, of_texts, may_coalesce=name not in shown)
            for name, it in found.block.arguments.items()
        }
        return replace(found, block=replace(found.block, arguments=values))

    return [changed(found) for found in blocks]


def _axes(blocks: Sequence[TopLevelBlock], values: Mapping[str, Expression]) -> Iterator[Axis]:
    done = set[str]()
    for found in blocks:
        for_each = found.block.arguments.get("for_each")
        name = "" if for_each is None else local_name(for_each)
        keys_of = keys_of_local(name, values[name]) if name in values else None
        if for_each is None or name in done or keys_of is None:
            continue
        done.add(name)
        needs = needed_by(name, values)
        keys = for_each_keys(for_each, values)
        entries = _entries(values[name])
        if not all(_NAME.fullmatch(attribute) for entry in entries.values() for attribute in entry):
            continue
        if needs is not None and len(keys) > (not found.next_key) and key_name(for_each) not in TAKEN:
            attributes = {
                argument: it.source.removeprefix("each.value.")
                for argument, it in found.block.arguments.items()
                if isinstance(it, Verbatim) and _ATTRIBUTE.fullmatch(it.source)
            }
            yield Axis(
                name=name,
                key_name=key_name(for_each),
                keys=keys,
                keys_of=keys_of,
                next_key=found.next_key,
                entries={key: entries.get(key, {}) for key in keys},
                needs=needs,
                attributes=attributes,
            )


def _entries(value: Expression) -> dict[str, dict[str, Expression]]:
    """The attributes of each member that is an object in a local value. A computed one has no name."""
    items = value.items if isinstance(value, ObjectExpr) else ()
    objects = ((key.text or "", it) for key, it in items if isinstance(it, ObjectExpr))
    return {name: {inner.text or "": one for inner, one in it.items} for name, it in objects}


def _shown(blocks: Sequence[TopLevelBlock]) -> set[str]:
    """The local values of which a state may show whether they have tuples or lists.

    A condition, `jsonencode` and `flatten` make no difference between them.
    """
    found = (
        code
        for it in blocks
        for argument, _, whole in _arguments(it.block)
        if argument not in ("condition", "error_message")
        for inner in within(whole)
        for code, _ in code_of(inner)
    )
    return {name for code in found for name in _LOCAL.findall(_OF_ANY_TYPE.sub("", code))}


def _map(
    expression: Expression, name: str, axes: Sequence[Axis], of_texts: Set[str], *, may_coalesce: bool
) -> Expression:
    """A map that has one of the members' values by key, where null is an empty list, or nothing but empty lists.

    The values are lists of texts, such as the variables `of_texts`: `coalesce` makes all of one type. These are never
    null, of which `coalesce` would make an empty list. It also makes a list of a tuple.
    """
    if not isinstance(expression, ObjectExpr):
        return expression
    found = {key.text: it for key, it in expression.items}
    for axis in axes:
        if set(found) != set(axis.keys) or name in axis.needs or axis.key_name == "name":
            continue
        if axis.next_key and axis.next_key not in expression.more:
            continue
        if all(it == TupleExpr(()) for it in found.values()) and expression.more == expression.empty:
            return Verbatim(f"{{ for {axis.key_name} in {axis.keys_of} : {axis.key_name} => [] }}")
        for attribute in _of_lists(axis):
            column = {key: axis.entries[key].get(attribute, NULL) for key in axis.keys}
            lists = {key: TupleExpr(()) if it == NULL else it for key, it in column.items()}
            are_lists = all(_is_list_of_texts(it, of_texts) for it in column.values() if it != NULL)
            may_be_null = NULL in column.values() or bool(expression.empty)
            if may_be_null and not may_coalesce:
                continue
            if found == lists and are_lists:
                value = f"{axis.key_name}.{attribute}"
                value = f"coalesce({value}, [])" if may_be_null else value
                return Verbatim(f"{{ for name, {axis.key_name} in local.{axis.name} : name => {value} }}")
    return expression


def _of_lists(axis: Axis) -> list[str]:
    """The attributes that a map may list: those of which a member has a value, and the only one of which none has.

    A map of empty lists shows nothing of what it lists: of two attributes without a value, it is not known which.
    """
    attributes = axis.entries[axis.keys[0]]
    known = [it for it in attributes if any(axis.entries[key].get(it, NULL) != NULL for key in axis.keys)]
    others = [it for it in attributes if it not in known]
    return [*known, *(others if len(others) == 1 else ())]


def _is_list_of_texts(expression: Expression, of_texts: Set[str]) -> bool:
    match expression:
        case TupleExpr(items):
            return all(is_text(it) is not None for it in items)
        case Verbatim(source) | Template(parts=(Interpolation(source),)):
            return source in of_texts
    return False


def _sets(axis: Axis, blocks: Sequence[TopLevelBlock]) -> Iterator[str]:
    """The attributes of members that are used as sets, and for nothing else."""
    attributes = dict.fromkeys(name for it in axis.entries.values() for name in it)
    own = [it.block for it in blocks if local_name(it.block.arguments.get("for_each", NULL)) == axis.name]
    used = [it for block in own for it in _arguments(block)]
    for name in attributes:
        as_set = sum(it == Verbatim(f"each.value.{name}") for _, is_set, it in used if is_set)
        if 0 < as_set == uses_of_attribute(name, blocks):
            yield name


def _arguments(block: Block) -> Iterator[tuple[str, bool, Expression]]:
    """Every argument of a block and of those in it: its name, and whether it is a set."""
    for name, it in block.arguments.items():
        yield name, name in block.sets, it
    for inner in block.blocks:
        yield from _arguments(inner)


def _with_sets(expression: Expression, name: str, sets: set[str], axes: Sequence[Axis]) -> Expression:
    """The local value of a collection, with loops over other collections in the attributes that are sets."""
    others = [axis for axis in axes if name not in axis.needs]
    if not isinstance(expression, ObjectExpr) or not sets:
        return expression

    def with_loops(entry: Expression) -> Expression:
        if not isinstance(entry, ObjectExpr):
            return entry
        changed = ((key, set_of_members(it, others) if key.text in sets else it) for key, it in entry.items)
        return ObjectExpr(tuple(changed))

    return ObjectExpr(tuple((key, with_loops(it)) for key, it in expression.items))


def _with_said(block: Block, axes: Sequence[Axis], known: Set[str]) -> Block:
    """The block with loops in the sets of which it says that they name the members without an argument.

    `known` are the variables that are never null.
    """
    arguments = {
        name: set_without(it, block.without[name], axes, known) if name in block.without and name in block.sets else it
        for name, it in block.arguments.items()
    }
    # A loop over all members would include the next one with the argument.
    known = {argument for axis in axes for argument in axis.attributes}
    sets = block.sets - {name for name, it in block.without.items() if it.partition("[")[0] in known}
    inner = tuple(_with_said(it, axes, known) for it in block.blocks)
    return replace(block, arguments=arguments, blocks=inner, sets=sets)
