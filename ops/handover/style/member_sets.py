"""Writes sets that name the members of a collection as loops over the local value that has them."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeGuard

from ops.handover.hcl import NULL, Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim
from ops.handover.known_values import is_certain
from ops.handover.strings import quoted, quoted_template
from ops.handover.style.keys import is_free
from ops.handover.style.marked_keys import HERE, with_key_in_text
from terraform.templates import Literal

_MARK = f"${{{HERE}}}"


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A local value that blocks iterate over.

    needs: the local values that it is made of, itself among them.
    attributes: the entries' attributes, by the arguments that they are the values of.
    keys_of: an expression of all keys.
    next_key: of an example of the next member.
    """

    name: str
    key_name: str
    keys: Sequence[str]
    keys_of: str
    next_key: str
    entries: Mapping[str, Mapping[str, Expression]]
    needs: frozenset[str]
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class _Lacking:
    """The names of the members that lack an argument, or a key of it, and the condition that says so of one."""

    names: Set[str]
    condition: str


def set_of_members(expression: Expression, axes: Sequence[Axis]) -> Expression:
    """A set with one text for each member, but for those that a wildcard in the set includes, and other items."""
    if not _is_of_different_items(expression):
        return expression
    for axis in axes:
        rest = list(expression.items)
        loops = []
        for marked, members in _alike(expression, axis).items():
            others = [it for it in rest if it not in members.values()]
            if len(others) + len(members) == len(rest) and (loop := _loop(expression, axis, marked, members, others)):
                loops.append(loop)
                rest = others
        if loops:
            return _beside(rest, loops)
    return expression


def _loop(
    expression: TupleExpr, axis: Axis, marked: str, members: Mapping[str, Expression], rest: Sequence[Expression]
) -> str | None:
    """The loop over all members for what a set has of them beside the `rest`, if it has the next one's, too."""
    excluded = _excluded(marked, set(members), axis.keys, rest)
    if excluded is None or not is_free(axis.key_name, marked) or len(members) == 1 < len(axis.keys):
        return None
    # A set of all members that there are may be one of these alone. The next member tells.
    is_alone = len(axis.keys) == 1
    if (is_alone or axis.next_key) and not _has_next(expression, *next(iter(members.items())), axis):
        return None
    conditions = [_unless(axis.key_name, it) for it in excluded]
    return _with_conditions(
        f"for {axis.key_name} in {axis.keys_of} : {marked.replace(HERE, axis.key_name)}", conditions
    )


def set_without(expression: Expression, argument: str, axes: Sequence[Axis], known: Set[str]) -> Expression:
    """A set with one text for each member whose `argument` is null, but for those that a wildcard includes.

    With `tags["owner"]` as argument, it has one for each member that does not have this key. `known` are the variables
    that are never null.
    """
    if not _is_of_different_items(expression):
        return expression
    for axis in axes:
        lacking = _lacking(axis, argument, known)
        if lacking is None:
            continue
        for marked, members in _alike(expression, axis).items():
            rest = [it for it in expression.items if it not in members.values()]
            excluded = _excluded(marked, set(members), lacking.names, rest)
            if excluded is None or not lacking.names >= members.keys():
                continue
            # A wildcard for one that has the argument includes more than the loop leaves out.
            if any(name.startswith(it) for it in excluded for name in {*axis.keys} - lacking.names):
                continue
            if is_free("name", marked) and is_free(axis.key_name, marked):
                loop = f"for name, {axis.key_name} in local.{axis.name} : {marked.replace(HERE, 'name')}"
                conditions = [lacking.condition, *(_unless("name", it) for it in excluded)]
                return _beside(rest, [_with_conditions(loop, conditions)])
    return expression


def _lacking(axis: Axis, argument: str, known: Set[str]) -> _Lacking | None:
    """Who lacks an argument, or a key of it; None if that is not known of each member."""
    argument, _, key = argument.removesuffix('"]').partition('["')
    attribute = axis.attributes.get(argument)
    if attribute is None or axis.key_name == "name":
        return None
    values = {name: axis.entries[name].get(attribute, NULL) for name in axis.keys}
    of_member = f"{axis.key_name}.{attribute}"
    if not key:
        # Another value could be null, and only an object is certainly none.
        if not all(isinstance(it, ObjectExpr) or is_certain(it, known) for it in values.values()):
            return None
        return _Lacking({name for name, it in values.items() if it == NULL}, f"{of_member} == null")
    if not all(it == NULL or isinstance(it, ObjectExpr) for it in values.values()):
        return None
    names = {name for name, it in values.items() if not _has(it, key)}
    return _Lacking(names, f"!can({of_member}[{quoted(key)}])")


def _has(value: Expression, key: str) -> bool:
    """Whether an object has a key; one that has a computed key may have any."""
    return isinstance(value, ObjectExpr) and any(it.text in (key, None) for it, _ in value.items)


def _is_of_different_items(expression: Expression) -> TypeGuard[TupleExpr]:
    return isinstance(expression, TupleExpr) and len(set(expression.items)) == len(expression.items)


def _with_conditions(loop: str, conditions: Sequence[str]) -> str:
    return f"[{loop} if {' && '.join(conditions)}]" if conditions else f"[{loop}]"


def _beside(rest: Sequence[Expression], loops: Sequence[str]) -> Expression:
    """The set of what these loops give, behind the rest."""
    found = tuple(map(Verbatim, loops))
    if len(found) == 1 and not rest:
        return found[0]
    return FunctionCall("concat", (*([TupleExpr(tuple(rest))] if rest else []), *found))


def _unless(name: str, start: str) -> str:
    return f"!startswith({name}, {quoted(start)})"


def _alike(expression: TupleExpr, axis: Axis) -> dict[str, dict[str, Expression]]:
    """The items that differ in a member's key alone, by their text with a mark in place of the key."""
    alike: dict[str, dict[str, Expression]] = {}
    for it in expression.items:
        literals = [part.text for part in it.parts if isinstance(part, Literal)] if isinstance(it, Template) else []
        # Most texts have none of most keys, and there may be a thousand of both.
        for key in (one for one in axis.keys if any(one in literal for literal in literals)):
            marked = with_key_in_text(it, key)
            if marked is not None and marked.count(HERE) == 1:
                alike.setdefault(marked, {})[key] = it
    return alike


def _has_next(expression: TupleExpr, key: str, item: Expression, axis: Axis) -> bool:
    """Whether a set with an item of one member has one of the next member, too, that differs in the key alone."""
    if expression.growth is None or not axis.next_key:
        return False
    as_read = with_key_in_text(expression.growth.items[expression.items.index(item)], key)
    return any(with_key_in_text(it, axis.next_key) == as_read for it in expression.growth.more)


def _excluded(marked: str, members: set[str], wanted: Iterable[str], rest: Sequence[Expression]) -> list[str] | None:
    """The starts of keys that wildcards in `rest` include; None if another key that is `wanted` is missing."""
    start, _, _ = marked.partition(_MARK)
    found = []
    if start.startswith('"arn:'):
        for it in rest:
            written = quoted_template(it) if isinstance(it, Template) else ""
            wildcard = written[len(start) : -2] if written.startswith(start) and written.endswith('*"') else ""
            if re.fullmatch(r"[\w.-]+", wildcard, re.ASCII) and not any(key.startswith(wildcard) for key in members):
                found.append(wildcard)
    missing = [key for key in wanted if key not in members]
    return found if all(any(key.startswith(it) for it in found) for key in missing) else None
