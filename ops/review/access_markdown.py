"""Writes who can pull and push, and from where, as Markdown."""

from iam.codecommit import PULL, PUSH
from ops.review.access_table import AccessChange, Origins, RequestOrigin, WidenedAccess
from ops.review.text import code, codes, origin

_ACTIONS = {PULL: "pull", PUSH: "push to"}


def before_and_after(change: AccessChange, everywhere: Origins) -> str:
    """The origins before, an arrow and those after; `everywhere` are those that an exception may name."""
    before, after = (listed(origins, everywhere) for origins in (change.before, change.after))
    return f"{before} → **{after}**" if change.is_changed else before


def listed(origins: Origins, everywhere: Origins = frozenset()) -> str:
    """Origins without those within another of them, and with the exceptions within them."""
    outermost = [
        _unknown(found) or f"{code(name)}{' (anywhere)' if found.is_world else ''}"
        for name, found in _by_name(origins)
        if not found.is_within(origins)
    ]
    excepted = [name for name, found in _by_name(everywhere - origins) if found.is_within(origins)]
    return (", ".join(outermost) or "nowhere") + (f" except {codes(excepted)}" if excepted else "")


def gained(widened: WidenedAccess) -> str:
    """What an identity can do newly."""
    new = " (new)" if widened.is_new else ""
    action = f"{_ACTIONS[widened.action]} {codes(widened.repositories)}"
    return f"{code(widened.principal)}{new} can {action} from {listed(widened.origins)}"


def _unknown(found: RequestOrigin) -> str:
    return f"not known ({code(found.unknown)})" if found.unknown else ""


def _by_name(origins: Origins) -> list[tuple[str, RequestOrigin]]:
    return sorted(((_name(found), found) for found in origins), key=lambda named: named[0])


def _name(found: RequestOrigin) -> str:
    return found.name if found.open is None else f"{origin(found.open, str)} (known after apply)"
