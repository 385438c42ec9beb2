"""Renders the arguments of the data source `aws_iam_policy_document` as the JSON that the provider makes of them.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

from collections.abc import Callable, Mapping
from typing import Any

Json = Mapping[str, Any]

Path = tuple[str | int, ...]
"""Where a value is in the document's arguments: `("statement", 0, "actions")`."""

Texts = Callable[[Any, Path], list[str]]
"""Resolves a list of texts, given as it is written and where; what is not known yet, it renders or refuses."""

ELEMENTS = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
"""The elements of a statement that are lists of texts, by argument."""

PRINCIPALS = {"principals": "Principal", "not_principals": "NotPrincipal"}

LATEST_VERSION = "2012-10-17"

_RENDERED = frozenset(("//", "policy_id", "statement", "version"))
# Attributes that a plan lists beside the arguments.
_COMPUTED = frozenset(("id", "json", "minified_json", "override_json", "source_json"))


class NotRenderedError(ValueError):
    """An argument that is not rendered here, `what`; nothing may be concluded from the document.

    `statement` is the index of the statement it is in, None for an argument of the document itself.
    """

    def __init__(self, what: str, statement: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.statement = statement


def render(arguments: Json, texts: Texts) -> dict[str, Any]:
    """The policy document of these arguments. Arguments that are null or empty count as not set.

    Raises NotRenderedError for arguments that merge other documents, and for those it does not know.
    """
    unknown = [name for name in sorted(arguments.keys() - _RENDERED - _COMPUTED) if arguments[name]]
    unknown += [name for name in ("override_json", "source_json") if arguments.get(name)]
    if unknown:
        raise NotRenderedError(", ".join(unknown))
    document: dict[str, Any] = {"Version": arguments.get("version") or LATEST_VERSION}
    if arguments.get("policy_id"):
        document["Id"] = arguments["policy_id"]
    document["Statement"] = [
        _statement(statement, number, texts) for number, statement in enumerate(blocks(arguments, "statement"))
    ]
    return document


def _statement(arguments: Json, number: int, texts: Texts) -> dict[str, Any]:
    path: Path = ("statement", number)
    known = {"//", "sid", "effect", "condition", *ELEMENTS, *PRINCIPALS}
    if unknown := [name for name in sorted(arguments.keys() - known) if arguments[name]]:
        raise NotRenderedError(", ".join(unknown), number)
    _refuse_expressions(arguments, number)
    statement: dict[str, Any] = {}
    if arguments.get("sid"):
        statement["Sid"] = arguments["sid"]
    statement["Effect"] = arguments.get("effect") or "Allow"
    for argument, element in ELEMENTS.items():
        written = texts(arguments.get(argument) or [], (*path, argument))
        if written:
            statement[element] = written if argument.endswith("actions") else _with_variables(written)
    for argument, element in PRINCIPALS.items():
        principals: dict[str, list[str]] = {}
        for inner, block in enumerate(blocks(arguments, argument, number)):
            written = texts(block.get("identifiers") or [], (*path, argument, inner, "identifiers"))
            principals.setdefault(block["type"], []).extend(_with_variables(written))
        if principals:
            statement[element] = "*" if principals == {"*": ["*"]} else principals
    conditions: dict[str, dict[str, list[str]]] = {}
    for inner, block in enumerate(blocks(arguments, "condition", number)):
        written = texts(block.get("values") or [], (*path, "condition", inner, "values"))
        # The provider joins the values of two conditions with one test and one variable.
        conditions.setdefault(block["test"], {}).setdefault(block["variable"], []).extend(_with_variables(written))
    if conditions:
        statement["Condition"] = conditions
    return statement


def _refuse_expressions(arguments: Json, number: int) -> None:
    """Refuse an expression where a text decides what a statement means."""
    texts = [arguments.get("sid"), arguments.get("effect")]
    texts += [block.get(key) for block in blocks(arguments, "condition", number) for key in ("test", "variable")]
    texts += [block.get("type") for argument in PRINCIPALS for block in blocks(arguments, argument, number)]
    if found := [text for text in texts if "${" in str(text)]:
        raise NotRenderedError(f"{found[0]!r}, whose value is not resolved", number)


def _with_variables(written: list[str]) -> list[str]:
    """The provider takes `&{…}` for IAM's own variables, `${…}` being Terraform's."""
    return [text.replace("&{", "${") for text in written]


def blocks(arguments: Json, name: str, statement: int | None = None) -> list[Json]:
    """The blocks of a name, which may be written as one or as a list."""
    found = arguments.get(name) or []
    listed = [found] if isinstance(found, Mapping) else list(found)
    if not all(isinstance(block, Mapping) for block in listed):
        raise NotRenderedError(f"{name} that is not a block", statement)
    return listed
