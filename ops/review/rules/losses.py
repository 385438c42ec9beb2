"""Rules about what is lost: objects that hold something and are destroyed or replaced."""

from collections.abc import Iterator, Sequence

from ops.review.kinds import LOST, is_classified, loss
from ops.review.rule import Check, Plans, Rule
from ops.review.text import code
from terraform.plan import Action, Change, Plan

Found = Iterator[tuple[str, str, str]]

_WHATS = {
    "repository-lost": (
        "A repository is destroyed.",
        "Its history exists elsewhere only if the mirror was up to date.",
    ),
    "server-lost": ("A server is destroyed.", "What is on its root volume goes with it, unless an image was made."),
    "volume-lost": ("A volume is destroyed.", "Its data goes with it, unless a snapshot was made."),
    "bucket-lost": ("A bucket is destroyed.", "Its objects go with it."),
    "file-system-lost": ("A file system is destroyed.", "Its files go with it."),
    "address-lost": (
        "A public address is given up.",
        "AWS hands it to somebody else, who is then let in wherever an allow-list still names it.",
    ),
    "logs-lost": ("Logs are destroyed.", "Who did what cannot be looked up any more."),
    "secret-lost": ("A secret is destroyed or made anew.", "Whatever works with it stops."),
    "key-lost": ("An encryption key is destroyed.", "What is encrypted under it can never be read again."),
    "backup-lost": ("A backup is destroyed.", "What it was kept for cannot be restored any more."),
    "database-lost": ("A database is destroyed.", "Its data goes with it, unless a snapshot was made."),
    "queue-lost": ("A queue is destroyed.", "Messages that wait in it are lost."),
}


def how(change: Change) -> str:
    """In what way an object goes, and why, as far as Terraform says."""
    if change.deposed is not None:
        return "is destroyed (left behind by an earlier apply)"
    if change.action is not Action.REPLACE:
        return "is destroyed"
    if change.replaced_for:
        return f"is replaced, because of {', '.join(code(name) for name in change.replaced_for)}"
    reasons = {
        "replace_because_tainted": "is replaced, because it is tainted",
        "replace_by_request": "is replaced, because the plan was asked to",
        "replace_by_triggers": "is replaced, because what it depends on changes",
    }
    return reasons.get(change.reason or "", "is replaced")


def _check(rule: str) -> Check:
    def check(plans: Plans) -> Found:
        for change in plans.changes():
            known = loss(change.type)
            if change.is_lost and known is not None and known[0] == rule:
                where = _named_by(plans.plans, change) if rule == "address-lost" else ""
                yield change.stack, change.address, f"{how(change)}: {known[1]}{where}"

    return check


def _named_by(plans: Sequence[Plan], change: Change) -> str:
    """Which policies and rules in any of the plans name the address."""
    address = change.before.get("public_ip")
    if not isinstance(address, str) or not address:
        return ""
    named = sorted(
        f"{code(other.address)} in {code(plan.stack)}"
        for plan in plans
        for other in plan.changes
        if other.is_managed and other.address != change.address and f"{address}/32" in str(other.before)
    )
    return f" ({code(address)}, which {' and '.join(named)} name)" if named else f" ({code(address)})"


def _unknown_kinds(plans: Plans) -> Found:
    for change in plans.changes():
        if change.is_lost and not is_classified(change.type):
            yield change.stack, change.address, f"{how(change)}, and what a {code(change.type)} holds is not known here"


RULES = (
    *(Rule(id=rule, what=_WHATS[rule][0], why=_WHATS[rule][1], check=_check(rule)) for rule in LOST),
    Rule(
        id="unknown-lost",
        what="Something is destroyed that no table of this project knows.",
        why="It may hold data; somebody has to look.",
        check=_unknown_kinds,
    ),
)
