"""Writes what lists the members of a collection as `for` expressions over the local value that has them.

A member is then added in one place. `{ a = var.a_cidrs, b = [] }` becomes
`{ for name, room in local.rooms : name => coalesce(room.cidrs, []) }` if the rooms have these values, and a set of
texts that has one for each key becomes `[for repository in keys(local.repositories) : "arn:…:${repository}"]`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from ops.handover.hcl import NULL, Block, Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim, within
from ops.handover.known_values import is_certain, never_null
from ops.handover.metadata import TopLevelBlock
from ops.handover.scopes import code_of, hides
from ops.handover.strings import quoted, quoted_template
from ops.handover.style.keys import for_each_keys, key_name, local_name
from ops.handover.style.local_values import is_text, local_values, needed_by, with_changed_sets
from ops.handover.style.loops import HERE, TAKEN, is_free, with_key_in_text
from terraform.templates import Interpolation

_ATTRIBUTE = re.compile(r"each\.value\.([A-Za-z_]\w*)", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LOCAL = re.compile(r"(?<![\w.-])local\.(\w+)")
_OF_ANY_TYPE = re.compile(r"\b(?:flatten\(values|jsonencode)\(local\.\w+\)")
_MARK = f"${{{HERE}}}"


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """A local value that blocks iterate over.

    needs: the local values that it is made of, itself among them.
    attributes: the entries' attributes, by the arguments that they are the values of.
    next_key: of an example of the next member.
    """

    name: str
    key_name: str
    keys: Sequence[str]
    next_key: str
    entries: Mapping[str, Mapping[str, Expression]]
    needs: frozenset[str]
    attributes: Mapping[str, str]


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
            return with_changed_sets(replace(found, block=block), lambda it: _set(it, axes))
        values = {
            name: _with_sets(it, name, sets.get(name, set()), axes)
            if name in sets
            else _map(it, name, axes, of_texts, may_coalesce=name not in shown)
            for name, it in found.block.arguments.items()
        }
        return replace(found, block=replace(found.block, arguments=values))

    return [changed(found) for found in blocks]


def _axes(blocks: Sequence[TopLevelBlock], values: Mapping[str, Expression]) -> Iterator[_Axis]:
    done = set[str]()
    for found in blocks:
        for_each = found.block.arguments.get("for_each")
        name = "" if for_each is None else local_name(for_each)
        value = values.get(name)
        if for_each is None or name in done or not isinstance(value, ObjectExpr):
            continue
        done.add(name)
        needs = needed_by(name, values)
        keys = for_each_keys(for_each, values)
        attributes_of = [[inner.text for inner, _ in it.items] for _, it in value.items if isinstance(it, ObjectExpr)]
        if not all(it is not None and _NAME.fullmatch(it) for names in attributes_of for it in names):
            continue
        if needs is not None and len(keys) > (not found.next_key) and key_name(for_each) not in TAKEN:
            entries = {
                key.text or "": {inner.text or "": one for inner, one in it.items} if isinstance(it, ObjectExpr) else {}
                for key, it in value.items
            }
            attributes = {
                argument: it.source.removeprefix("each.value.")
                for argument, it in found.block.arguments.items()
                if isinstance(it, Verbatim) and _ATTRIBUTE.fullmatch(it.source)
            }
            yield _Axis(
                name=name,
                key_name=key_name(for_each),
                keys=keys,
                next_key=found.next_key,
                entries=entries,
                needs=needs,
                attributes=attributes,
            )


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
    expression: Expression, name: str, axes: Sequence[_Axis], of_texts: Set[str], *, may_coalesce: bool
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
        if len(axis.keys) == 1 and axis.next_key not in expression.more:
            continue
        if all(it == TupleExpr(()) for it in found.values()):
            return Verbatim(f"{{ for {axis.key_name} in keys(local.{axis.name}) : {axis.key_name} => [] }}")
        for attribute in axis.entries[axis.keys[0]]:
            column = {key: axis.entries[key].get(attribute, NULL) for key in axis.keys}
            lists = {key: TupleExpr(()) if it == NULL else it for key, it in column.items()}
            are_lists = all(_is_list_of_texts(it, of_texts) for it in column.values() if it != NULL)
            if NULL in column.values() and not may_coalesce:
                continue
            if found == lists and are_lists and any(it != NULL for it in column.values()):
                value = f"{axis.key_name}.{attribute}"
                value = f"coalesce({value}, [])" if NULL in column.values() else value
                return Verbatim(f"{{ for name, {axis.key_name} in local.{axis.name} : name => {value} }}")
    return expression


def _is_list_of_texts(expression: Expression, of_texts: Set[str]) -> bool:
    match expression:
        case TupleExpr(items):
            return all(is_text(it) is not None for it in items)
        case Verbatim(source) | Template(parts=(Interpolation(source),)):
            return source in of_texts
    return False


def _sets(axis: _Axis, blocks: Sequence[TopLevelBlock]) -> Iterator[str]:
    """The attributes of members that are used as sets, and for nothing else."""
    attributes = dict.fromkeys(name for it in axis.entries.values() for name in it)
    own = [it.block for it in blocks if local_name(it.block.arguments.get("for_each", NULL)) == axis.name]
    used = [it for block in own for it in _arguments(block)]
    for name in attributes:
        as_set = sum(it == Verbatim(f"each.value.{name}") for _, is_set, it in used if is_set)
        pattern = re.compile(rf"\.{re.escape(name)}(?![\w-])")
        everywhere = sum(
            len(pattern.findall(source))
            for found in blocks
            for _, _, argument in _arguments(found.block)
            for it in within(argument)
            for source, _ in code_of(it)
        )
        if 0 < as_set == everywhere:
            yield name


def _arguments(block: Block) -> Iterator[tuple[str, bool, Expression]]:
    """Every argument of a block and of those in it: its name, and whether it is a set."""
    for name, it in block.arguments.items():
        yield name, name in block.sets, it
    for inner in block.blocks:
        yield from _arguments(inner)


def _with_sets(expression: Expression, name: str, sets: set[str], axes: Sequence[_Axis]) -> Expression:
    """The local value of a collection, with loops over other collections in the attributes that are sets."""
    others = [axis for axis in axes if name not in axis.needs]
    if not isinstance(expression, ObjectExpr) or not sets:
        return expression
    return ObjectExpr(
        tuple(
            (
                key,
                ObjectExpr(tuple((inner, _set(one, others) if inner.text in sets else one) for inner, one in it.items))
                if isinstance(it, ObjectExpr)
                else it,
            )
            for key, it in expression.items
        )
    )


def _with_said(block: Block, axes: Sequence[_Axis], known: Set[str]) -> Block:
    """The block with loops in the sets of which it says that they name the members without an argument.

    `known` are the variables that are never null.
    """
    arguments = {
        name: _set_without(it, block.without[name], axes, known) if name in block.without and name in block.sets else it
        for name, it in block.arguments.items()
    }
    # A loop over all members would include the next one with the argument.
    known = {argument for axis in axes for argument in axis.attributes}
    sets = block.sets - {name for name, it in block.without.items() if it.partition("[")[0] in known}
    inner = tuple(_with_said(it, axes, known) for it in block.blocks)
    return replace(block, arguments=arguments, blocks=inner, sets=sets)


def _set_without(expression: Expression, argument: str, axes: Sequence[_Axis], known: Set[str]) -> Expression:
    """A set with one text for each member whose `argument` is null, but for those that a wildcard includes.

    With `tags["owner"]` as argument, it has one for each member that does not have this key.
    """
    if not isinstance(expression, TupleExpr) or len(set(expression.items)) < len(expression.items):
        return expression
    argument, _, key = argument.removesuffix('"]').partition('["')
    for axis in axes:
        attribute = axis.attributes.get(argument)
        if attribute is None or axis.key_name == "name":
            continue
        values = {name: axis.entries[name].get(attribute, NULL) for name in axis.keys}
        # Another value could be null, and only an object is certainly none.
        if not all(isinstance(it, ObjectExpr) or is_certain(it, known) for it in values.values()):
            continue
        if key and not all(it == NULL or isinstance(it, ObjectExpr) for it in values.values()):
            continue
        wanted = {name for name, it in values.items() if it == NULL or (key and not _has(it, key))}
        of_member = f"{axis.key_name}.{attribute}"
        is_without = f"!can({of_member}[{quoted(key)}])" if key else f"{of_member} == null"
        for marked, members in _alike(expression, axis).items():
            rest = [it for it in expression.items if it not in members.values()]
            excluded = _excluded(marked, set(members), wanted, rest)
            if excluded is None or any(name.startswith(it) for it in excluded for name in set(axis.keys) - wanted):
                continue
            if not is_free("name", marked) or not is_free(axis.key_name, marked):
                continue
            conditions = [is_without, *(_unless("name", it) for it in excluded)]
            text = marked.replace(HERE, "name")
            if wanted.issuperset(members):
                loop = f"for name, {axis.key_name} in local.{axis.name} : {text} if {' && '.join(conditions)}"
                return _beside(rest, Verbatim(f"[{loop}]"))
    return expression


def _has(value: Expression, key: str) -> bool:
    """Whether an object has a key; one that has a computed key may have any."""
    return not isinstance(value, ObjectExpr) or any(it.text in (key, None) for it, _ in value.items)


def _unless(name: str, start: str) -> str:
    return f"!startswith({name}, {quoted(start)})"


def _beside(rest: Sequence[Expression], loop: Expression) -> Expression:
    return FunctionCall("concat", (TupleExpr(tuple(rest)), loop)) if rest else loop


def _alike(expression: TupleExpr, axis: _Axis) -> dict[str, dict[str, Expression]]:
    """The items that differ in a member's key alone, by their text with a mark in place of the key."""
    alike: dict[str, dict[str, Expression]] = {}
    for it in expression.items:
        for key in axis.keys:
            marked = with_key_in_text(it, key)
            if marked is not None and marked.count(HERE) == 1:
                alike.setdefault(marked, {})[key] = it
    return alike


def _set(expression: Expression, axes: Sequence[_Axis]) -> Expression:
    """A set with one text for each member, but for those that a wildcard in the set includes, and other items."""
    if not isinstance(expression, TupleExpr) or len(set(expression.items)) < len(expression.items):
        return expression
    for axis in axes:
        for marked, members in _alike(expression, axis).items():
            rest = [it for it in expression.items if it not in members.values()]
            excluded = _excluded(marked, set(members), axis.keys, rest)
            if excluded is None or not is_free(axis.key_name, marked):
                continue
            if len(members) == 1 and not _has_next(expression, next(iter(members.values())), axis):
                continue
            unless = " && ".join(_unless(axis.key_name, it) for it in excluded)
            text = marked.replace(HERE, axis.key_name)
            loop = Verbatim(
                f"[for {axis.key_name} in keys(local.{axis.name}) : {text}{f' if {unless}' if unless else ''}]"
            )
            return _beside(rest, loop)
    return expression


def _has_next(expression: TupleExpr, item: Expression, axis: _Axis) -> bool:
    """Whether a set with an item of a single member has one of the next member, too, that differs in the key alone."""
    if expression.growth is None or len(axis.keys) > 1:
        return False
    as_read = with_key_in_text(expression.growth.items[expression.items.index(item)], axis.keys[0])
    return any(with_key_in_text(it, axis.next_key) == as_read for it in expression.growth.more)


def _excluded(marked: str, members: set[str], wanted: Iterable[str], rest: Sequence[Expression]) -> list[str] | None:
    """The starts of keys that wildcards in `rest` include; None if another key that is `wanted` is missing."""
    start, _, end = marked.partition(_MARK)
    found = []
    if end == '"' and start.startswith('"arn:'):
        for it in rest:
            written = quoted_template(it) if isinstance(it, Template) else ""
            wildcard = written[len(start) : -2] if written.startswith(start) and written.endswith('*"') else ""
            if re.fullmatch(r"[\w.-]+", wildcard, re.ASCII) and not any(key.startswith(wildcard) for key in members):
                found.append(wildcard)
    missing = [key for key in wanted if key not in members]
    return found if all(any(key.startswith(it) for it in found) for key in missing) else None
