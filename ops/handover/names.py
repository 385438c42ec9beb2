"""Gives the names that people would: without a hash, in small letters, and without the words of the type at the end."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ops.handover.metadata import TopLevelBlock
from ops.handover.references import NewAddresses, address, declared, redirected
from terraform.patterns import NAME

_IS_HASH = re.compile("[0-9A-F]{8}")
_HASH = re.compile(f"_{_IS_HASH.pattern}$")
_NEXT_WORD = re.compile("(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")
_NAMELESS = "main"
_OF_STACK = "cross-stack-reference-input-"
"""How cdktf begins the name of the state of another stack, before the stack's name."""
KEYWORDS = ("true", "false", "null", "for", "in", "if", "else", "endif", "endfor")
_LOAD_BALANCER = ["load", "balancer"]
"""What `lb` stands for in types."""
_PREPOSITIONS = [[it] for it in ("by", "for", "from", "in", "of", "on", "to", "with")]


def renamed(blocks: Sequence[TopLevelBlock], given: Mapping[str, str]) -> dict[str, str]:
    """The new addresses of blocks whose names cdktf made, by their old ones.

    Of several blocks that would get the same address, or one that another block has or was given, each keeps a longer
    name.
    """
    before = {new: old for old, new in given.items()}
    named = [it for it in blocks if it.generated_name and it.block.type in ("resource", "data")]
    # A chain of `moved` blocks would lead from one through the old address of another.
    owners = {taken: taken for taken in declared(it.block for it in blocks)}
    wanted: dict[str, list[str]] = {}
    for found in named:
        own = address(found.block)
        usable = [new for new in _wanted(found) if before.get(new, own) == own == owners.get(new, own)]
        wanted[own] = usable or [own]
    while True:
        holders: dict[str, list[str]] = {}
        for old, names in wanted.items():
            holders.setdefault(names[0], []).append(old)
        crowded = [olds for olds in holders.values() if len(olds) > 1]
        shared = [old for olds in crowded for old in olds if len(wanted[old]) > 1]
        if not shared:
            return {old: names[0] for old, names in wanted.items() if names[0] != old}
        for old in shared:
            wanted[old] = wanted[old][1:]


def with_local_names(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with names of local values without the hash that cdktf adds, where no other would have this name."""
    names = [name for it in blocks if it.block.type == "locals" for name in it.block.arguments]
    holders = Counter(_HASH.sub("", name) for name in names)
    plain = {name: _HASH.sub("", name) for name in names}
    new = {name: it for name, it in plain.items() if name != it and holders[it] == 1 and re.fullmatch(NAME, it)}
    if not new:
        return blocks
    addresses = NewAddresses(instances={f"local.{name}": f"local.{it}" for name, it in new.items()}, blocks={})
    changed = []
    for found in blocks:
        block = redirected(found.block, addresses)
        if block.type == "locals":
            block = replace(block, arguments={new.get(name, name): it for name, it in block.arguments.items()})
        changed.append(replace(found, block=block))
    return changed


def identifier(words: str) -> str:
    """A name that Terraform accepts everywhere, made of these words: `2024 budget` becomes `value_2024_budget`."""
    name = re.sub("[^0-9A-Za-z_]+", "_", words).strip("_")
    return name if name.isidentifier() and name not in KEYWORDS else f"value_{name}".rstrip("_")


def in_snake_case(name: str) -> str:
    """A name in small letters with `_` between its words: `shop-webServer` is `shop_web_server`. Hashes stay."""
    words = re.sub(r"\W+", "_", _NEXT_WORD.sub("_", name)).split("_")
    return "_".join(it if _IS_HASH.fullmatch(it) else it.lower() for it in words)


def without_type(name: str, type_: str) -> str:
    """A name without the words of its type at the end: `network_vpc` of `aws_vpc` is `network`.

    Words of the type that make up a whole `security_group_` in the middle of the name go, too, and so does the plural
    of its last word: `alerts_subscriptions` is `alerts`. The target of an event rule has the rule's name, and what
    belongs to a load balancer does not say so again. The result is empty if the name has no other words.
    """
    of_type = type_.split("_")[1:]
    words = re.sub(r"\W+", "_", name).strip("_").split("_")
    if type_.endswith("_event_target") and "to" in words[1:-1]:
        words = words[: words.index("to", 1)]
    is_load_balancer = of_type[:1] == ["lb"]
    if is_load_balancer and words[-2:] == _LOAD_BALANCER:
        words = words[:-2]
    if len(words) > 1 and words[-1] == f"{of_type[-1]}s":
        words.pop()
    while words and words[-1].lower() in of_type and words[-2:-1] not in _PREPOSITIONS:
        words.pop()
    if is_load_balancer and words[:2] == _LOAD_BALANCER:
        words = words[2:]
    if len(words) > 1 and words[0] == f"{of_type[-1]}s":
        words = words[1:]
    for length in range(len(of_type), 1, -1):
        for start in range(1, len(words) - length):
            if words[start : start + length] in (of_type[at : at + length] for at in range(len(of_type))):
                return "_".join(words[:start] + words[start + length :])
    return "_".join(words)


def _wanted(found: TopLevelBlock) -> list[str]:
    """The addresses that a block may get, the best first and its own last."""
    kind, name = found.block.labels
    plain = _HASH.sub("", name)
    if kind == "terraform_remote_state":
        plain = plain.removeprefix(_OF_STACK)
    snake = in_snake_case(plain)
    names = dict.fromkeys((without_type(snake, kind) or _NAMELESS, snake, plain, name))
    valid = [it for it in names if re.fullmatch(NAME, it)]
    return [address(replace(found.block, labels=(kind, it))) for it in valid]
