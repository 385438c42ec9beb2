"""The keys of a block with `for_each`, and the names for one of them in a loop."""

import json
import re
from collections.abc import Mapping, Sequence

from ops.handover.hcl import Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim
from ops.handover.names import KEYWORDS
from terraform.templates import code

_LOCAL = re.compile(r"local\.([^\W\d]\w*)")
TAKEN = {"data", "each", "local", "module", "path", "self", "terraform", "var", "count", *KEYWORDS}
"""Names that mean something else in Terraform, so that no loop's variable can have them."""

_SET = re.compile(r"toset\((\[.*\])\)")


def for_each_keys(for_each: Expression, local_values: Mapping[str, Expression]) -> Sequence[str]:
    """The keys in Terraform's order, or none if they are not constants."""
    match for_each:
        case ObjectExpr(items):
            found: list[str | None] = [key.text for key, _ in items]
        case FunctionCall("toset", (TupleExpr(items),)):
            found = [it.text if isinstance(it, Template) else None for it in items]
        case FunctionCall("toset", (Verbatim(source),)) if (it := _LOCAL.fullmatch(source)) and it[1] in local_values:
            return for_each_keys(FunctionCall("toset", (local_values[it[1]],)), {})
        case _:
            source = source_of(for_each)
            if (it := _LOCAL.fullmatch(source)) and it[1] in local_values:
                return for_each_keys(local_values[it[1]], {})
            found = _of_set(source)
    keys = [key for key in found if key is not None and key.isascii()]
    return sorted(set(keys)) if len(keys) == len(found) else []


def keys_of_local(name: str, value: Expression) -> str | None:
    """An expression of the keys of a local value that blocks iterate over, if it is a map or a set."""
    match value:
        case ObjectExpr():
            return f"keys(local.{name})"
        case FunctionCall("toset"):
            return f"local.{name}"
    return None


def key_name(for_each: Expression) -> str:
    """A name for one key: `zone` for those of `local.zones`."""
    plural = local_name(for_each)
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    return plural[:-1] if re.fullmatch(".*[^s]s", plural) else "key"


def is_free(name: str, source: str) -> bool:
    """Whether an expression can be in a loop whose variable has this name: it refers to nothing of the same name."""
    return name not in TAKEN and not re.search(rf"(?<![\w.-]){name}(?![\w-])", code(source))


def local_name(for_each: Expression) -> str:
    """The name of the local value that is iterated over, if it is one."""
    match = _LOCAL.fullmatch(source_of(for_each))
    return match[1] if match else ""


def source_of(expression: Expression) -> str:
    """The source of a reference, or of the one that a set is made of; nothing if it is neither."""
    match expression:
        case Verbatim(source):
            return source
        case FunctionCall("toset", (Verbatim(source),)):
            return source
        case Template():
            return expression.expression or ""
    return ""


def _of_set(source: str) -> list[str | None]:
    """The keys in `toset(["a", "b"])`, if they are constants."""
    match = _SET.fullmatch(source)
    try:
        items = json.loads(match[1]) if match else []
    except ValueError:
        return [None]
    return [it if isinstance(it, str) and not re.search(r"[$%]\{", it) else None for it in items]
