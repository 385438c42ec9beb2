"""Writes who can pull and push, and from where, as Markdown."""

from iam.codecommit import PULL, PUSH
from ops.review.access_table import AccessChange, Origins, RequestOrigin, WidenedAccess
from ops.review.text import code, codes, origin
from ops.review.translatable import Joined, TranslatableText, said

_GAINED = {
    PULL: "{who} can pull {repositories} from {origins}",
    PUSH: "{who} can push to {repositories} from {origins}",
}


def before_and_after(change: AccessChange, everywhere: Origins) -> str:
    """The origins before, an arrow and those after; `everywhere` are those that an exception may name."""
    before, after = (listed(origins, everywhere) for origins in (change.before, change.after))
    return Joined("", (before, " → **", after, "**")) if change.is_changed else before


def listed(origins: Origins, everywhere: Origins = frozenset()) -> str:
    """Origins without those within another of them, and with the exceptions within them."""
    outermost = [
        _unknown(found) or (said("{network} (anywhere)", network=code(name)) if found.is_world else _code(name))
        for name, found in _by_name(origins)
        if not found.is_within(origins)
    ]
    excepted = [name for name, found in _by_name(everywhere - origins) if found.is_within(origins)]
    reached = Joined(", ", outermost) if outermost else said("nowhere")
    return said("{origins} except {others}", origins=reached, others=codes(excepted)) if excepted else reached


def gained(widened: WidenedAccess) -> str:
    """What an identity can do newly."""
    who = code(widened.principal)
    return said(
        _GAINED[widened.action],
        who=said("{who} (new)", who=who) if widened.is_new else who,
        repositories=codes(widened.repositories),
        origins=listed(widened.origins),
    )


def _unknown(found: RequestOrigin) -> str:
    return said("not known ({reason})", reason=code(found.unknown)) if found.unknown else ""


def _code(name: str) -> str:
    return said("`{words}`", words=name) if isinstance(name, TranslatableText) else code(name)


def _by_name(origins: Origins) -> list[tuple[str, RequestOrigin]]:
    return sorted(((_name(found), found) for found in origins), key=lambda named: named[0])


def _name(found: RequestOrigin) -> str:
    return found.name if found.open is None else f"{origin(found.open, str)} (known after apply)"
