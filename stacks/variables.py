"""Values that operations may change without Python: Terraform variables with a type, a default and a check."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from cdktf import IResolvable, TerraformVariable, TerraformVariableValidationConfig

from modules.explained import explain
from settings.addresses import ALLOW_LIST_PREFIX
from settings.bounds import bounds
from settings.types import LOG_RETENTION_DAYS, Settings
from stacks.base import BaseStack
from terraform import address_lists
from terraform.facts import AddressList, LogRetention, Retention, TerminationProtection

_IF_MEANT = "If that is meant, write down the reason, and remove this validation."

WELL_FORMED = "Write IPv4 networks with their prefix and nothing behind it, for example 198.51.100.7/32."
ONLY_PUBLIC = "AWS only ever sees public source addresses: write the one the traffic leaves from."
_NEVER_A_SOURCE = "The pattern finds networks that are not public: private, link-local, multicast and reserved ones."

_KEPT_APART = (
    "These networks are those of {elsewhere}: change them here when you change them there. " + address_lists.OVERLAP
)


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Networks that a list may not overlap, what is said if it does, and which variables of another stack they are."""

    networks: Sequence[IPv4Network]
    otherwise: str
    elsewhere: str


def cidrs(
    stack: BaseStack,
    fact: AddressList,
    description: str,
    default: Iterable[IPv4Network],
    *,
    public: bool,
    apart: Apart | None = None,
) -> list[str]:
    """The variable that `fact` is about, a list of IPv4 networks; returns the reference.

    With `public`, the networks must be addresses that AWS can see as a source. Networks that have together more public
    addresses than an allow-list may have are refused unless the fact says why the list may be open, and so are
    networks that overlap those of `apart`.
    """
    name = fact.variable
    stack.record(fact)
    checks = list_checks(fact, public=public, apart=apart)
    if apart is not None and apart.networks:
        description = f"{description} In HCL, change them in the check of {apart.elsewhere}, too."
    variable = _variable(stack, name, "list(string)", description, [str(network) for network in default], checks)
    for number, (_, message) in enumerate(checks):
        if message == ONLY_PUBLIC:
            explain(variable, _NEVER_A_SOURCE, f"validation.{number}")
        elif apart is not None and message == apart.otherwise:
            explain(variable, _KEPT_APART.format(elsewhere=apart.elsewhere), f"validation.{number}")
    reference: list[str] = variable.list_value
    return reference


def list_checks(fact: AddressList, *, public: bool, apart: Apart | None = None) -> list[tuple[str, str]]:
    """The conditions of the variable that `fact` is about, and what is said where one fails."""
    name = fact.variable
    checks = [
        (address_lists.not_empty(name), "Name at least one network."),
        (address_lists.well_formed(name), WELL_FORMED),
    ]
    if fact.open_because is None:
        checks.append(
            (
                address_lists.none_wider(name, ALLOW_LIST_PREFIX),
                f"A network wider than /{ALLOW_LIST_PREFIX} lets the world in. {_IF_MEANT}",
            )
        )
        most = address_lists.MOST_ADDRESSES
        checks.append(
            (
                address_lists.at_most(name, most),
                f"All networks together have more than {most:,} public addresses. {_IF_MEANT}",
            )
        )
    if apart is not None and apart.networks:
        checks.append((address_lists.apart(name, [str(network) for network in apart.networks]), apart.otherwise))
    if public:
        checks.append(
            (
                address_lists.only_public(name),
                ONLY_PUBLIC,
            )
        )
    return checks


def log_retention_days(stack: BaseStack, name: str, description: str, default: int) -> float:
    """A number of days that CloudWatch Logs accepts; returns the reference."""
    stack.record(LogRetention(variable=name))
    allowed = ", ".join(str(days) for days in LOG_RETENTION_DAYS)
    check = (f"contains([{allowed}], var.{name})", f"CloudWatch Logs takes one of {allowed} days.")
    return _number(_variable(stack, name, "number", description, default, [check]))


def whole_number(
    stack: BaseStack, name: str, description: str, settings: Settings, setting: str, *, in_json: str | None = None
) -> float:
    """A whole number within the bounds of a setting, which is its default; returns the reference.

    in_json: the member of the JSON in S3 objects that has this value, too, for the handover.
    """
    low, high = bounds(type(settings), setting)
    default: int = getattr(settings, setting)
    check = (
        f"var.{name} >= {low} && var.{name} <= {high} && floor(var.{name}) == var.{name}",
        f"Write a whole number from {low} to {high}.",
    )
    variable = _variable(stack, name, "number", description, default, [check])
    if in_json is not None:
        variable.add_override("//.in_json", {"aws_s3_object.content": in_json})
    return _number(variable)


def retention(stack: BaseStack, name: str, description: str, settings: Settings, setting: str) -> float:
    """How many days, or copies, are kept, within the bounds of a setting; returns the reference."""
    low, high = bounds(type(settings), setting)
    stack.record(Retention(variable=name, low=low, high=high))
    return whole_number(stack, name, description, settings, setting)


def termination_protection(stack: BaseStack, name: str, description: str, default: bool) -> IResolvable:
    """Whether EC2 refuses to terminate a server; returns the reference."""
    stack.record(TerminationProtection(variable=name))
    return flag(stack, name, description, default)


def flag(stack: BaseStack, name: str, description: str, default: bool) -> IResolvable:
    """True or false; returns the reference."""
    reference: IResolvable = _variable(stack, name, "bool", description, default, []).boolean_value
    return reference


def schedule(stack: BaseStack, name: str, description: str, default: str, *, rates: bool) -> str:
    """A schedule, an EventBridge cron expression; with `rates`, also `rate(...)`. Returns the reference."""
    cron = r"cron\\([^() ]+( [^() ]+){5}\\)"
    rate = r"rate\\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\\)"
    pattern = f"^({cron}|{rate})$" if rates else f"^{cron}$"
    example = "rate(1 hour)" if rates else "cron(0 8 ? * MON-FRI *)"
    return text(stack, name, description, default, pattern=pattern, example=example)


def text(stack: BaseStack, name: str, description: str, default: str, *, pattern: str, example: str) -> str:
    """Text that matches `pattern`, a regular expression as written in Terraform; returns the reference."""
    check = (f'can(regex("{pattern}", var.{name}))', f"Write it like {example}.")
    reference: str = _variable(stack, name, "string", description, default, [check]).string_value
    return reference


def any_text(stack: BaseStack, name: str, description: str, default: str, *, example: str) -> str:
    """Text that is not empty; returns the reference."""
    check = (f"length(var.{name}) > 0", f"Write it like {example}.")
    reference: str = _variable(stack, name, "string", description, default, [check]).string_value
    return reference


def _number(variable: TerraformVariable) -> float:
    reference: float = variable.number_value
    return reference


def _variable(
    stack: BaseStack,
    name: str,
    type: str,
    description: str,
    default: object,
    checks: Sequence[tuple[str, str]],
) -> TerraformVariable:
    return TerraformVariable(
        stack,
        name,
        type=type,
        description=description,
        default=default,
        nullable=False,
        validation=[
            TerraformVariableValidationConfig(condition=f"${{{condition}}}", error_message=message)
            for condition, message in checks
        ],
    )
