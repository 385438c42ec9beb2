"""Writes `for` expressions where a map or a list names every member of a block with `for_each`.

`{ a = aws_subnet.private["a"].id, c = aws_subnet.private["c"].id }` becomes
`{ for zone, subnet in aws_subnet.private : zone => subnet.id }`. Terraform visits the members in the order of their
keys, so a list must have this order, and a set any: https://developer.hashicorp.com/terraform/language/expressions/for
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ops.handover.growth import is_next
from ops.handover.hcl import Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import address
from ops.handover.scopes import code_of, hides, references
from ops.handover.strings import quoted_template
from ops.handover.style.brackets import has_comments, lists
from ops.handover.style.keys import TAKEN, for_each_keys, is_free, key_name, keys_of_local, local_name
from ops.handover.style.local_values import local_values, with_changed_sets, with_changed_values
from ops.handover.style.marked_keys import HERE, is_simple, with_key_in_text
from ops.handover.texts import is_long
from terraform.patterns import ADDRESS
from terraform.templates import Literal, code

_MEMBER = re.compile(rf'({ADDRESS.pattern})\["([^"\\$%]*)"\]')
_MEMBER_HERE = re.compile(rf"({ADDRESS.pattern})\[{HERE}\]")


def with_loops(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with `for` expressions."""
    values = local_values(blocks)
    repeated = {}
    for found in blocks:
        for_each = found.block.arguments.get("for_each")
        if for_each is not None and (keys := for_each_keys(for_each, values)):
            local = local_name(for_each)
            keys_of = keys_of_local(local, values[local]) if local in values else None
            repeated[address(found.block)] = _Repeated(
                keys=keys, key_name=key_name(for_each), keys_of=keys_of, next_key=found.next_key
            )
    loops = _Loops(repeated)
    # Nothing refers to an output, so that a new reference in it makes no cycle.
    changes = {"output": loops.changed_in_output}
    types = {it.split(".")[-2] for it in repeated}
    return [
        found
        if hides(found.block, types)
        else with_changed_values(
            with_changed_sets(found, loops.changed_set), changes.get(found.block.type, loops.changed)
        )
        for found in blocks
    ]


@dataclass(frozen=True, kw_only=True)
class _Repeated:
    """A block with `for_each`: its keys in Terraform's order, the name for one, and the expression of all.

    next_key: of an example of the next member.
    """

    keys: Sequence[str]
    key_name: str
    keys_of: str | None
    next_key: str

    def is_whole(self, expression: Expression, items: Sequence[Expression]) -> bool:
        """Whether a list with `items` for all members, or an object of them, has the next one, too.

        Of several members, that is the rule. Otherwise it must grow by the next one, and a list by one for each item.
        """
        match expression:
            case _ if len(self.keys) > 1:
                return True
            case ObjectExpr(alike=alike):
                return self.next_key in alike
            case TupleExpr(own, growth) if growth is not None:
                as_read = [growth.items[own.index(it)] for it in items]
                return all(any(is_next(it, one, self.next_key) for it in growth.more) for one in as_read)
        return False


class _Loops:
    def __init__(self, repeated: Mapping[str, _Repeated]) -> None:
        self._repeated = repeated

    def changed(self, expression: Expression) -> Expression:
        """The expression as a `for` expression, if it names every member of a block alike."""
        loop = None
        match expression:
            case ObjectExpr(items) if all(key.text for key, _ in items):
                loop = self._loop({key.text or "": [value] for key, value in items}, expression, is_map=True)
            case TupleExpr(items):
                loop = self._list(items, expression)
            case Verbatim(source):
                return Verbatim(self._with_lists(source))
            case Template() if expression.expression is not None:
                changed = self._with_lists(expression.expression)
                return expression if changed == expression.expression else Verbatim(changed)
        return expression if loop is None else Verbatim(loop)

    def changed_in_output(self, expression: Expression) -> Expression:
        """The same, also for texts that differ in the key alone: a loop over the keys of a local value."""
        changed = self.changed(expression)
        match changed:
            case ObjectExpr(items) if items and all(key.text for key, _ in items):
                texts = {with_key_in_text(value, key.text or "") for key, value in items}
                keys = sorted(key.text or "" for key, _ in items)
                repeated = (it for it in self._repeated.values() if it.keys_of and it.is_whole(changed, ()))
                found = next((it for it in repeated if it.keys == keys), None)
                if len(texts) == 1 and found is not None and (text := texts.pop()) is not None and HERE in text:
                    name = found.key_name
                    # A single key that stands twice may be another word once, such as codecommit.
                    if is_free(name, text) and (len(keys) > 1 or text.count(HERE) == 1):
                        text = text.replace(HERE, name)
                        return Verbatim(f"{{ for {name} in {found.keys_of} : {name} => {text} }}")
        return changed

    def changed_set(self, expression: Expression) -> Expression:
        """A set with a `for` expression for all members of a block that it names, in any order, beside other items.

        Terraform counts an unknown value that stands twice as two.
        """
        if not isinstance(expression, TupleExpr) or len({*expression.items}) < len(expression.items):
            return expression
        alike: dict[str, dict[str, Expression]] = {}
        for it in expression.items:
            keys = _members(it)
            if len(keys) == 1 and (marked := _by_key(it, key := keys.pop())) is not None:
                alike.setdefault(marked, {})[key] = it
        loops = []
        rest = list(expression.items)
        for members in alike.values():
            loop = self._loop({key: [it] for key, it in members.items()}, expression, is_map=False)
            if loop is not None:
                loops.append(Verbatim(loop))
                rest = [it for it in rest if it not in members.values()]
        if len(loops) == 1 and not rest:
            return loops[0]
        return FunctionCall("concat", (*([TupleExpr(tuple(rest))] if rest else []), *loops)) if loops else expression

    def _with_lists(self, source: str) -> str:
        """The expression with `for` expressions in place of its lists."""
        if has_comments(source):
            return source
        for start, end, items in lists(source):
            parts = [Verbatim(it) for it in items]
            if (loop := self._list(parts, TupleExpr(tuple(parts)))) is not None:
                return source[:start] + loop + source[end:]
        return source

    def _list(self, items: Sequence[Expression], whole: Expression) -> str | None:
        """A list by key: the first member's items, then the next member's."""
        keys = list(dict.fromkeys(key for it in items for key in sorted(_members(it))))
        size, rest = divmod(len(items), max(len(keys), 1))
        if rest or keys != sorted(keys):
            return None
        parts = {key: list(items[number * size : (number + 1) * size]) for number, key in enumerate(keys)}
        return self._loop(parts, whole, is_map=False)

    def _loop(self, items: Mapping[str, Sequence[Expression]], whole: Expression, *, is_map: bool) -> str | None:
        """The loop over the members with these items of `whole` by key, if the items differ in the key alone."""
        rows = [[_by_key(it, key) for it in own] for key, own in items.items()]
        alike = [it for it in rows[0] if it is not None] if rows else []
        if any(row != alike for row in rows):
            return None
        addresses = dict.fromkeys(it[1] for source in alike for it in _MEMBER_HERE.finditer(source))
        found = [self._repeated.get(it) for it in addresses]
        own = [it for of_member in items.values() for it in of_member]
        if any(it is None or not it.is_whole(whole, own) or it.keys != sorted(items) for it in found):
            return None
        return self._written(alike, next(iter(addresses)), is_map=is_map) if addresses else None

    def _written(self, items: Sequence[str], over: str, *, is_map: bool) -> str | None:
        member = over.split(".")[-2].split("_")[-1]
        key = self._repeated[over].key_name
        if key == member:
            key = "name"
        others = " ".join(code(it.replace(f"{over}[{HERE}]", "")) for it in items)
        if {member, key} & TAKEN or re.search(rf"(?<![\w.-])({member}|{key})(?![\w-])", others):
            return None
        short = [it.replace(f"{over}[{HERE}]", member) for it in items]
        names = f"{key}, {member}" if is_map or any(HERE in it for it in short) else member
        short = [it.replace(HERE, key) for it in short]
        if is_map:
            return f"{{ for {names} in {over} : {key} => {short[0]} }}"
        if len(short) == 1:
            return f"[for {names} in {over} : {short[0]}]"
        lines = "".join(f"{it},\n" for it in short)
        return f"concat([for {names} in {over} : [\n{lines}]]...)"


def _members(expression: Expression) -> set[str]:
    """The keys of the members that an expression refers to."""
    return {it[2] for source, _ in code_of(expression) for it in _found_in(source)}


def _by_key(expression: Expression, key: str) -> str | None:
    """The expression's text with a mark in place of the key; None if it is too long or refers to other members."""
    if any("\n" in source or has_comments(source) for source, _ in code_of(expression)):
        return None
    if _members(expression) - {key}:
        return None
    match expression:
        case Verbatim(source):
            return _marked(source)
        case Template(parts) if not is_long(expression) and all(map(is_simple, parts)):
            changed = (it if isinstance(it, Literal) else replace(it, source=_marked(it.source)) for it in parts)
            template = Template(tuple(changed))
            return template.expression or quoted_template(template)
    return None


def _marked(source: str) -> str:
    for it in reversed(_found_in(source)):
        source = f"{source[: it.start()]}{it[1]}[{HERE}]{source[it.end() :]}"
    return source


def _found_in(source: str) -> list[re.Match[str]]:
    if not _MEMBER.search(source):
        return []
    starts = {it.start for it in references(source)}
    return [it for it in _MEMBER.finditer(source) if it.start() in starts]
