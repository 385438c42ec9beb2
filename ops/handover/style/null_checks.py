"""Leaves out `nullable = false` where a check of the variable refuses null anyway."""

import re
from dataclasses import replace

from ops.handover.hcl import Block, Template, Verbatim
from terraform.templates import masked

# With the variable as VAR, and texts as zeros. Functions, comparisons and loops fail for null; `can` is then false.
_CHAIN = re.compile(r"VAR (>=|>|<=|<) -?[\d.]+( && [^|?]+)?")
_CALL = re.compile(
    r"can\((cidrhost|cidrnetmask|cidrsubnet|regex)\((\0+, )?VAR(, \d+)*\)\)"
    r"|length\(VAR\) (>|>=|==) \d+"
    r"|contains\((local\.\w+|\[[^]()]*\]), VAR\)"
)
_LOOP = re.compile(r"alltrue\(\[for \w+(, \w+)? in (VAR|values\(VAR\)) : (.*)\]\)", re.DOTALL)


def without_needless_nullable(variable: Block) -> Block:
    """The variable, which has no default, without `nullable = false` if one of its checks refuses null."""
    if variable.arguments.get("nullable") != Verbatim("false"):
        return variable
    checks = [it.arguments["condition"] for it in variable.blocks if it.type == "validation"]
    if not any(_refuses_null(_source(it), variable.labels[0]) for it in checks):
        return variable
    return replace(variable, arguments={name: it for name, it in variable.arguments.items() if name != "nullable"})


def _source(condition: object) -> str:
    match condition:
        case Verbatim(source):
            return source
        case Template():
            return condition.expression or ""
    return ""


def _refuses_null(condition: str, variable: str) -> bool:
    condition = re.sub(rf"(?<![\w.-])var\.{re.escape(variable)}(?![\w-])", "VAR", masked(condition))
    if _CHAIN.fullmatch(condition) or _CALL.fullmatch(condition):
        return True
    loop = _LOOP.fullmatch(condition)
    return loop is not None and _is_balanced(loop[3])


def _is_balanced(source: str) -> bool:
    """Whether no bracket closes one that was opened before this part of an expression."""
    depth = 0
    for sign in source:
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0:
            return False
    return depth == 0
