"""Makes one block with `for_each` of resources that are alike, where a person would, and takes hashes out of names.

References follow, and so do states: every address that changed is said.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import cast

from ops.handover.reading import Found
from ops.handover.references import address, addresses_in, redirected
from ops.handover.syntax import (
    NULL,
    Block,
    Call,
    Expression,
    Object,
    Template,
    Tuple,
    Verbatim,
    has_doubled_signs,
    quoted,
    text,
    within,
)
from ops.handover.templates import Interpolation, Literal, Part, escaped
from ops.handover.texts import Texts, is_long, variable_file


class _Key(Enum):
    """Where in its construct's path a resource says which of several it is."""

    LAST_STEP = "repositories/*"
    STEP_BETWEEN = "mirrors/*/project"
    WORD = "network/private_*"


# What comes by zone, by repository or by service is one block; docs/handover.md says why, and why rules of security
# groups and users, which each have a reason of their own, are not.
_KINDS: Mapping[str, _Key] = {
    **dict.fromkeys(
        ("aws_subnet", "aws_route_table", "aws_route_table_association", "aws_route", "aws_nat_gateway", "aws_eip"),
        _Key.WORD,
    ),
    **dict.fromkeys(
        (
            "aws_codecommit_repository",
            "aws_vpc_endpoint",
            "aws_cloudwatch_metric_alarm",
            "aws_scheduler_schedule",
            "aws_sns_topic_subscription",
            "aws_efs_mount_target",
        ),
        _Key.LAST_STEP,
    ),
    **dict.fromkeys(
        (
            "aws_codebuild_project",
            "aws_cloudwatch_log_group",
            "aws_iam_role",
            "aws_iam_role_policy",
            "aws_iam_policy_document",
            "aws_api_gateway_resource",
            "aws_api_gateway_method",
            "aws_api_gateway_method_response",
            "aws_api_gateway_integration",
            "aws_api_gateway_integration_response",
        ),
        _Key.STEP_BETWEEN,
    ),
}

_HASH = re.compile(r"_[0-9A-F]{8}$")
_EACH_KEY = Interpolation("each.key")


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """The blocks of a stack, and the addresses of resources that changed."""

    blocks: Sequence[Found]
    moved: Mapping[str, str]


@dataclass(frozen=True)
class _Group:
    kind: str
    type: str
    name: str
    members: Mapping[str, Found]  # by key

    @property
    def address(self) -> str:
        return address(Block(self.kind, (self.type, self.name)))


def with_repetition(blocks: Sequence[Found], texts: Texts) -> Repeated:
    """What is alike made one, and names without cdktf's hashes. Texts that differ in a few lines go to `texts`."""
    renamed = _without_hashes(blocks)
    groups = _candidates(blocks, renamed)
    while True:
        targets, whole = _addresses(groups, renamed)
        unified: dict[str, _Unified] = {}
        for group in groups:
            members = {key: redirected(found.block, targets, whole=whole) for key, found in group.members.items()}
            alike = _unify(group, members)
            if alike is None:
                break
            unified[group.address] = alike
        else:
            circular = _circular(blocks, groups, targets, whole)
            if not circular:
                break
            groups = [group for group in groups if group.address not in circular]
            continue
        groups = [other for other in groups if other is not group] + _of_one_kind(group)
    return _put_together(blocks, groups, unified, targets, whole, texts)


def _addresses(groups: Sequence[_Group], renamed: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    targets, whole = dict(renamed), dict(renamed)
    for group in groups:
        for key, found in group.members.items():
            targets[address(found.block)] = f"{group.address}[{quoted(key)}]"
            whole[address(found.block)] = group.address
    return targets, whole


def _without_hashes(blocks: Sequence[Found]) -> dict[str, str]:
    taken = {address(found.block) for found in blocks}
    wanted: dict[str, list[str]] = {}
    for found in blocks:
        if found.generated_name and found.block.type in ("resource", "data") and _HASH.search(found.block.labels[1]):
            kind, name = found.block.labels
            new = address(replace(found.block, labels=(kind, _HASH.sub("", name))))
            wanted.setdefault(new, []).append(address(found.block))
    return {old[0]: new for new, old in wanted.items() if len(old) == 1 and new not in taken}


def _candidates(blocks: Sequence[Found], renamed: Mapping[str, str]) -> list[_Group]:
    places: dict[tuple[str, str, tuple[str, ...]], dict[str, Found]] = {}
    for found in blocks:
        block = found.block
        if block.type not in ("resource", "data") or block.labels[0] not in _KINDS:
            continue
        if {"count", "for_each"} & block.arguments.keys():
            continue
        for rest, key in _keys(found.path, _KINDS[block.labels[0]]):
            members = places.setdefault((block.type, block.labels[0], (*rest, *_shape(block))), {})
            members.setdefault(key, found)
    groups: list[_Group] = []
    used: set[int] = set()
    taken = {renamed.get(address(found.block), address(found.block)) for found in blocks}
    by_size = sorted(places.items(), key=lambda place: -len(place[1]))
    for (kind, type_, rest), members in by_size:
        free = {key: found for key, found in members.items() if id(found) not in used}
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", "_".join(rest[: rest.index("{")])).strip("_")
        group = _Group(kind, type_, name, dict(sorted(free.items())))
        if len(free) > 1 and re.fullmatch(r"[A-Za-z_].*", name) and group.address not in taken:
            groups.append(group)
            used |= {id(found) for found in free.values()}
            taken.add(group.address)
    return groups


def _of_one_kind(group: _Group) -> list[_Group]:
    """The most members of a group that have the same arguments, when some have others."""
    kinds: dict[frozenset[str], dict[str, Found]] = {}
    for key, found in group.members.items():
        kinds.setdefault(frozenset(found.block.arguments), {})[key] = found
    most = max(kinds.values(), key=len)
    return [replace(group, members=most)] if 1 < len(most) < len(group.members) else []


def _keys(path: tuple[str, ...], key: _Key) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each way to part a path into what is common to several and the key of one; what is likeliest comes first."""
    steps = tuple(step for step in path if step not in ("Default", "Resource"))
    match key:
        case _Key.LAST_STEP if len(steps) > 1:
            yield steps[:-1], steps[-1]
        case _Key.STEP_BETWEEN:
            for index in range(len(steps) - 2, 0, -1):
                yield (*steps[:index], *steps[index + 1 :]), steps[index]
        case _Key.WORD if steps:
            words = re.split("[_-]", steps[-1])
            for index in range(len(words) - 1, 0, -1):
                yield (*steps[:-1], "_".join(words[:index] + words[index + 1 :])), words[index]


def _shape(block: Block) -> tuple[str, ...]:
    """Which blocks hold which: arguments may be missing, blocks may not."""
    return ("{", *(part for inner in block.blocks for part in (inner.type, *inner.labels, *_shape(inner))), "}")


def _circular(
    blocks: Sequence[Found], groups: Sequence[_Group], targets: Mapping[str, str], whole: Mapping[str, str]
) -> set[str]:
    """Groups that would wait for themselves: one's member for another's, and the other's for the one's."""
    needs: dict[str, set[str]] = {}
    for found in blocks:
        own = whole.get(address(found.block), address(found.block))
        needs.setdefault(own, set()).update(addresses_in(redirected(found.block, targets, whole=whole)))

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(needs.get(start, ()))
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += needs.get(one, ())
        return seen

    return {group.address for group in groups if group.address in reachable(group.address)}


@dataclass
class _Unified:
    """One block for all, and what differs, by key."""

    block: Block
    values: dict[str, list[Expression]] = field(default_factory=dict)
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Texts read from files: the place that stands in the block for each, with its argument and its content."""


class _DifferentError(Exception):
    """Not alike enough."""


def _unify(group: _Group, members: Mapping[str, Block]) -> _Unified | None:
    unifying = _Unifying(list(members), references=_KINDS[group.type] is _Key.STEP_BETWEEN)
    try:
        block = unifying.blocks(list(members.values()), ())
    except _DifferentError:
        return None
    return _Unified(replace(block, labels=(group.type, group.name)), unifying.values, unifying.files)


class _Unifying:
    """references: whether what differs may be a reference to something else, which then stands in the local value."""

    def __init__(self, keys: list[str], *, references: bool) -> None:
        self._keys = keys
        self._references = references
        self.values: dict[str, list[Expression]] = {}
        self.files: dict[str, tuple[str, str]] = {}

    def blocks(self, members: Sequence[Block], place: tuple[str, ...]) -> Block:
        first = members[0]
        names = dict.fromkeys(name for member in members for name in member.arguments)
        arguments = {
            name: self._merged([member.arguments.get(name, NULL) for member in members], (*place, name))
            for name in names
        }
        inner = [
            self.blocks([member.blocks[index] for member in members], (*place, it.type))
            for index, it in enumerate(first.blocks)
        ]
        if any(member.comments != first.comments for member in members):
            raise _DifferentError  # what is accepted of one is not accepted of all
        return Block(first.type, first.labels, first.comments, arguments, tuple(inner))

    def _merged(self, members: list[Expression], place: tuple[str, ...]) -> Expression:
        if all(member == members[0] for member in members):
            return members[0]
        if place[-1] in ("depends_on", "provider") or "lifecycle" in place:
            raise _DifferentError
        for merge in (self._by_key, self._elementwise):
            merged = merge(members, place)
            if merged is not None:
                return merged
        if not all(_is_constant(it) or (self._references and _is_reference(it)) for it in members):
            raise _DifferentError
        texts = [member.text for member in members if isinstance(member, Template) and is_long(member)]
        if texts:
            return self._text_file([text or "" for text in texts], members, place)
        return Verbatim(f"each.value.{self._value(members, place)}")

    def _by_key(self, members: list[Expression], _: tuple[str, ...]) -> Expression | None:
        """What differs by its key alone, as a template of the key."""
        if all(isinstance(member, Verbatim) for member in members):
            sources = {
                cast("Verbatim", member).source.replace(f"[{quoted(key)}]", "[each.key]")
                for key, member in zip(self._keys, members, strict=True)
            }
            return Verbatim(sources.pop()) if len(sources) == 1 else None
        if not all(isinstance(member, Template) for member in members):
            return None
        parts = [cast("Template", member).parts for member in members]
        if len({tuple(type(part) for part in one) for one in parts}) != 1:
            return None
        merged: list[Part] = []
        for column in zip(*parts, strict=True):
            one = self._part(column)
            if one is None:
                return None
            merged += one
        return Template(tuple(merged))

    def _part(self, column: Sequence[Part]) -> list[Part] | None:
        if all(part == column[0] for part in column):
            return [column[0]]
        if isinstance(column[0], Literal):
            return self._literal([cast("Literal", part).text for part in column])
        sources = {
            cast("Interpolation", part).source.replace(f"[{quoted(key)}]", "[each.key]")
            for key, part in zip(self._keys, column, strict=True)
        }
        return [type(column[0])(sources.pop())] if len(sources) == 1 else None

    def _literal(self, texts: list[str]) -> list[Part] | None:
        first, key = texts[0], self._keys[0]
        position = first.find(key)
        while position >= 0:
            before, after = first[:position], first[position + len(key) :]
            # A sign before an interpolation would escape it.
            if not before.endswith(("$", "%")) and texts == [f"{before}{it}{after}" for it in self._keys]:
                return [part for part in (Literal(before), _EACH_KEY, Literal(after)) if part != Literal("")]
            position = first.find(key, position + 1)
        return None

    def _elementwise(self, members: list[Expression], place: tuple[str, ...]) -> Expression | None:
        first = members[0]
        if isinstance(first, Call) and all(isinstance(it, Call) and it.function == first.function for it in members):
            rows = [cast("Call", it).arguments for it in members]
            if len({len(row) for row in rows}) == 1:
                return Call(first.function, tuple(self._merged(list(it), place) for it in zip(*rows, strict=True)))
        if isinstance(first, Tuple) and all(isinstance(it, Tuple) for it in members):
            rows = [cast("Tuple", it).items for it in members]
            if len({len(row) for row in rows}) == 1 and not all(_is_constant(it) for it in members):
                return Tuple(tuple(self._merged(list(it), place) for it in zip(*rows, strict=True)))
        if isinstance(first, Object) and all(isinstance(it, Object) for it in members):
            entries = [cast("Object", it).items for it in members]
            if len({tuple(key for key, _ in row) for row in entries}) == 1:
                columns = zip(*entries, strict=True)
                return Object(
                    tuple(
                        (column[0][0], self._merged([value for _, value in column], (*place, _word(column[0][0]))))
                        for column in columns
                    )
                )
        return None

    def _value(self, members: list[Expression], place: tuple[str, ...]) -> str:
        """A name for what differs; what differs alike is told once."""
        for length in range(1, len(place) + 1):
            name = "_".join(place[-length:])
            if self.values.setdefault(name, members) == members:
                return name
        raise _DifferentError

    def _text_file(self, texts: list[str], members: list[Expression], place: tuple[str, ...]) -> Expression:
        """A long text that differs in lines which say what they are: `NAME: value`."""
        if len(texts) != len(members):
            raise _DifferentError
        rows = [text.split("\n") for text in texts]
        if len({len(row) for row in rows}) != 1 or any(
            has_doubled_signs(Literal(text)) or "\r" in text for text in texts
        ):
            raise _DifferentError
        lines: list[str] = []
        variables: dict[str, Expression] = {}
        for column in zip(*rows, strict=True):
            if len(set(column)) == 1:
                lines.append(escaped(column[0]))
                continue
            named = re.match(r"""(\s*(?:export |- )?([A-Za-z_]\w*)\s*[:=]\s*["']?)""", column[0])
            if named is None or not all(line.startswith(named[1]) for line in column):
                raise _DifferentError
            end = next((sign for sign in "\"'" if all(line.endswith(sign) for line in column)), "")
            name = named[2].lower()
            inside: list[Expression] = [text(line[len(named[1]) : len(line) - len(end)]) for line in column]
            if name in variables or any(len(line) < len(named[1]) + len(end) for line in column):
                raise _DifferentError
            variables[name] = self._by_key(inside, place) or Verbatim(f"each.value.{self._value(inside, (name,))}")
            lines.append(f"{escaped(named[1])}${{{name}}}{end}")
        content = "\n".join(lines)
        mark = f'"{len(self.files)}"'
        self.files[mark] = (place[-1], content)
        values = Object(tuple((text(name), value) for name, value in variables.items()))
        return Call("templatefile", (Verbatim(mark), values))


def _word(key: Template) -> str:
    return re.sub(r"\W+", "_", key.text or "value").strip("_").lower() or "value"


def _is_constant(expression: Expression) -> bool:
    """Whether it refers to nothing and calls nothing."""
    for it in within(expression):
        if isinstance(it, Call):
            return False
        if isinstance(it, Template) and it.text is None:
            return False
        if isinstance(it, Verbatim) and not re.fullmatch(r"null|true|false|-?[0-9][0-9.eE+-]*", it.source):
            return False
    return True


def _is_reference(expression: Expression) -> bool:
    source = expression.expression if isinstance(expression, Template) else None
    return source is not None and re.fullmatch(r"(data\.)?[a-z]\w*\.[\w-]+(\.\w+|\[[^\]]+\])*", source) is not None


def _put_together(
    blocks: Sequence[Found],
    groups: Sequence[_Group],
    unified: Mapping[str, _Unified],
    targets: Mapping[str, str],
    whole: Mapping[str, str],
    texts: Texts,
) -> Repeated:
    of = {id(found): group for group in groups for found in group.members.values()}
    locals_: dict[str, Expression] = {
        name: it for found in blocks if found.block.type == "locals" for name, it in found.block.arguments.items()
    }
    written: list[Found] = []
    done: set[str] = set()
    for found in blocks:
        group = of.get(id(found))
        if group is None:
            written.append(_renamed(found, targets, whole))
        elif group.address not in done:
            done.add(group.address)
            written += _repeated(found, group, unified[group.address], locals_, texts)
    moved = {old: new for old, new in targets.items() if not old.startswith("data.")}
    blocks_moved = [
        Found(block=Block("moved", arguments={"from": Verbatim(old), "to": Verbatim(new)}))
        for old, new in sorted(moved.items())
    ]
    return Repeated(blocks=[*written, *blocks_moved], moved=moved)


def _renamed(found: Found, targets: Mapping[str, str], whole: Mapping[str, str]) -> Found:
    block = found.block
    if block.type in ("moved", "removed"):
        return found  # they speak of addresses that were; ours begin where they end
    new = targets.get(address(block))
    block = redirected(block, targets, whole=whole)
    if new is not None:
        block = replace(block, labels=(block.labels[0], new.split(".")[-1]))
    return replace(found, block=block)


def _repeated(
    found: Found, group: _Group, unified: _Unified, locals_: dict[str, Expression], texts: Texts
) -> Iterator[Found]:
    block = unified.block
    keys = list(group.members)
    for mark, (argument, content) in unified.files.items():
        path = variable_file(texts, f"{argument}/{group.name}", content, argument)
        block = block.mapped(_exchange(Verbatim(mark), Verbatim(path)))
    if not unified.values:
        each: Expression = Call("toset", (Tuple(tuple(text(key) for key in keys)),))
    else:
        values, block = _values(keys, unified.values, block)
        name = _free(group, values, locals_)
        if name not in locals_:
            locals_[name] = values
            yield Found(block=Block("locals", arguments={name: values}), path=found.path, beside=group.address)
        each = Verbatim(f"local.{name}")
    yield replace(found, block=replace(block, arguments={"for_each": each, **block.arguments}))


def _exchange(old: Expression, new: Expression) -> Callable[[Expression], Expression]:
    return lambda it: new if it == old else it


def _values(keys: Sequence[str], values: Mapping[str, list[Expression]], block: Block) -> tuple[Expression, Block]:
    if len(values) == 1:
        ((name, column),) = values.items()
        rows: list[Expression] = list(column)
        block = block.mapped(_exchange(Verbatim(f"each.value.{name}"), Verbatim("each.value")))
    else:
        rows = [
            Object(tuple((text(name), column[index]) for name, column in values.items())) for index in range(len(keys))
        ]
    return Object(tuple((text(key), row) for key, row in zip(keys, rows, strict=True))), block


def _free(group: _Group, values: Expression, locals_: Mapping[str, Expression]) -> str:
    name = re.sub(r"\W", "_", group.name)
    others = (f"{name}_{group.type.removeprefix('aws_')}{number or ''}" for number in itertools.count())
    return next(it for it in itertools.chain([name], others) if locals_.get(it, values) == values)
