"""The tables of promises, rules and prices in the documentation; `make tables` writes them after a wanted change."""

import re
from collections.abc import Iterable
from pathlib import Path

from benchmarks import price
from iam.promises import PROMISES
from ops.review.rules import RULES

DOCS = Path(__file__).parents[1] / "docs"
NAMES = {"promises": DOCS / "access.md", "rules": DOCS / "review.md", "prices": DOCS / "backlog.md"}
"""Each table's name, and the document that has it between markers."""


def table(name: str) -> str:
    """A table as Markdown."""
    if name == "promises":
        return _markdown(("promise", "what", "why"), ((f"`{it.id}`", it.what, it.why) for it in PROMISES))
    if name == "prices":
        return _markdown(("100 mirrors, every hour", "minutes", "alarms", "metrics", "USD a month"), price.rows())
    rules = sorted(RULES, key=lambda rule: rule.id)
    rows = ((f"`{rule.id}`", "yes" if rule.dangerous else "no", rule.what, rule.why) for rule in rules)
    return _markdown(("rule", "dangerous", "what", "why"), rows)


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, *rows)).replace("\n", f"\n|{'---|' * len(head)}\n", 1)


def renewed(name: str, document: str) -> str:
    """The document with the current table between its markers."""
    found = re.compile(rf"(<!-- {name}, written by: make tables -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    assert len(found.findall(document)) == 1, f"the markers of the table of {name} are not in the document once"
    return found.sub(lambda markers: f"{markers[1]}\n{table(name)}\n\n{markers[2]}", document)


if __name__ == "__main__":
    for name, document in NAMES.items():
        document.write_text(renewed(name, document.read_text(encoding="utf-8")), encoding="utf-8")
