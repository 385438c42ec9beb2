"""Typed facts that a stack leaves in the `//` of its output, for those who check it. Terraform ignores them.

A fact says what the Terraform cannot: what a list of addresses is for, why it may hold the whole world, and which
values a variable may have.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from errors import Problem, RefusedError
from errors.shown import shown
from terraform.output import Stack

PLACE = "//.metadata.kakehashi"
"""Where they are in a stack's Terraform."""

Use = Literal["room", "push user", "webhook senders", "work terminals"]
"""Whom the addresses of a list are for: an isolated room, the push user, Backlog's webhooks, or people at work."""

_STRICT = ConfigDict(extra="forbid")

Name = Annotated[str, Field(pattern=r"^[^*?$\s]+$")]
"""The name of one thing: a policy would take `*` and `?` for many, and `$` for a variable."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class AddressList:
    """The Terraform variable `variable` lists the networks of `use`.

    `room` is the room's name; a room without one is that of the pull user. `open_because` is the reason that the
    deployment file gives for a list that may hold the whole world.
    """

    fact: Literal["address list"] = "address list"
    variable: str
    use: Use
    room: str | None = None
    open_because: Annotated[str, Field(pattern=r"\S")] | None = None


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class OutputAddresses:
    """`expression`, written `${…}`, lists the addresses in an output of another stack, which are those of `use`."""

    fact: Literal["output addresses"] = "output addresses"
    expression: str
    stack: str
    output: str
    use: Use


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class KeptApart:
    """A precondition, `condition`, fails where the room's list `variable` overlaps with another stack's output."""

    fact: Literal["kept apart"] = "kept apart"
    variable: str
    stack: str
    output: str
    condition: str


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class LogRetention:
    """The Terraform variable `variable` is a number of days that CloudWatch Logs accepts."""

    fact: Literal["log retention"] = "log retention"
    variable: str


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Retention:
    """The Terraform variable `variable` is how many days, or copies, are kept: from `low` to `high`."""

    fact: Literal["retention"] = "retention"
    variable: str
    low: int
    high: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class TerminationProtection:
    """The Terraform variable `variable` switches a server's termination protection."""

    fact: Literal["termination protection"] = "termination protection"
    variable: str


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class MirrorUnit:
    """The build `aws_codebuild_project.<build>` of the unit `unit` mirrors into the repositories `targets`.

    It reads and writes the parameter `state_parameter`, and reads the other parameters and the objects `program`. It
    keeps its cache below `cache`. Objects and cache are written `<bucket>/<key>`, KMS keys as ARNs. `subnets` are empty
    for builds outside a VPC.
    """

    fact: Literal["mirror unit"] = "mirror unit"
    unit: Name
    build: Name
    targets: Annotated[list[Name], Field(min_length=1)]
    ssh_key_parameter: Name
    ssh_key_kms_key: Name | None = None
    state_parameter: Name
    notify_parameter: Name | None = None
    program: list[Name]
    cache: Name | None = None
    target_kms_keys: list[Name]
    subnets: list[Name]


Fact = AddressList | OutputAddresses | KeptApart | LogRetention | Retention | TerminationProtection | MirrorUnit


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Facts:
    """What is written at PLACE."""

    facts: list[Annotated[Fact, Field(discriminator="fact")]]


_METADATA = TypeAdapter(Facts)


def to_metadata(facts: Iterable[Fact]) -> Mapping[str, Any]:
    """The facts as they are written at PLACE."""
    written: Mapping[str, Any] = _METADATA.dump_python(Facts(facts=list(facts)), mode="json", exclude_none=True)
    return written


def read(stack: str, document: Mapping[str, Any]) -> tuple[Fact, ...]:
    """The facts in the Terraform of `stack`, none where it left none.

    Raises RefusedError for a fact that is unknown or malformed, that is there twice, or that does not match the
    stack's variables.
    """
    found: Any = document
    for step in PLACE.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if found is None:
        return ()
    try:
        facts = tuple(_METADATA.validate_python(found).facts)
    except ValidationError as error:
        raise RefusedError(_malformed(stack, error)) from error
    hint = "record each fact once, about a list of this stack"
    wrong = [
        Problem(where=f"{stack}: {PLACE}", what=what, hint=hint)
        for what in _contradictions(facts, Stack(name=stack, document=document))
    ]
    if wrong:
        raise RefusedError(wrong)
    return facts


def _malformed(stack: str, error: ValidationError) -> Iterator[Problem]:
    for found in error.errors(include_url=False):
        where = ".".join([PLACE, *map(str, found["loc"])])
        what = f"{shown(found['input'])} is not a known fact: {found['msg']}"
        yield Problem(where=f"{stack}: {where}", what=what, hint="synthesise again with this version")


def _contradictions(facts: Sequence[Fact], stack: Stack) -> Iterator[str]:
    variables = stack.variables
    lists = [fact for fact in facts if isinstance(fact, AddressList)]
    others = [fact for fact in facts if isinstance(fact, LogRetention | Retention | TerminationProtection)]
    rooms = {fact.variable for fact in lists if fact.use == "room"}
    for fact in lists:
        if variables.get(fact.variable, {}).get("type") != "list(string)":
            yield f"var.{fact.variable} is not a list of texts"
        if fact.room is not None and fact.use != "room":
            yield f"var.{fact.variable} is for {fact.use}, and room {fact.room!r} is named"
    for other in others:
        expected = "bool" if isinstance(other, TerminationProtection) else "number"
        if variables.get(other.variable, {}).get("type") != expected:
            yield f"var.{other.variable} is not a {expected}"
    for apart in facts:
        if isinstance(apart, KeptApart) and apart.variable not in rooms:
            yield f"var.{apart.variable} is kept apart, and is not a room's list"
    units = [fact for fact in facts if isinstance(fact, MirrorUnit)]
    builds = {name for kind, name, _ in stack.resources() if kind == "aws_codebuild_project"}
    yield from (f"aws_codebuild_project.{unit.build} is not there" for unit in units if unit.build not in builds)
    keys = [f"${{var.{fact.variable}}}" for fact in [*lists, *others]]
    keys += [f"aws_codebuild_project.{unit.build}" for unit in units] + [f"the unit {unit.unit}" for unit in units]
    keys += [f"the state parameter {unit.state_parameter}" for unit in units]
    keys += [f"the cache {unit.cache}" for unit in units if unit.cache is not None]
    keys += [fact.expression for fact in facts if isinstance(fact, OutputAddresses)]
    yield from (f"{key} has two facts" for key, times in Counter(keys).items() if times > 1)
