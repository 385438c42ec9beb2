"""Names the ARNs that a stack repeats, after what they are of: `local.kms_key_arn`, `local.default_event_bus_arn`.

The words with which most of the stack's names begin are left out, as they say nothing of a single one, and so is the
key of a single member: `local.mirror_role_arn` is that of the role `team-prd-mirror-example` of the space `example`.
"""

import re
from collections import Counter
from collections.abc import Sequence

from ops.handover.hcl import Expression, Template
from ops.handover.metadata import TopLevelBlock
from ops.handover.names import identifier
from ops.handover.style.local_values import local_values, values, with_changed_values, with_local_values
from ops.handover.style.name_prefix import beginning_of_names
from terraform.templates import Interpolation, Literal

_LEAST_USES = 3
_ARN = re.compile(r"arn:aws[\w-]*:([\w-]+):[^:*?]*:[^:*?]*:([a-z][\w-]*)[/:]([\w.+=@/-]*[\w])")
_GENERATED = re.compile(r"(?=.*\d)[0-9a-f-]{8,}|\w+-[0-9a-f]{8,}")


def with_arns(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with references in place of ARNs that stand three times or more. ARNs with wildcards stay."""
    taken = set(local_values(blocks))
    names: dict[Expression, str] = {}
    beginning = beginning_of_names(blocks)
    needless = [*(f"{it}-" for it in [beginning] if it), *(f"-{key}" for key in _single_keys(blocks))]
    for arn, uses in Counter(it for it in values(blocks) if isinstance(it, Template)).items():
        name = _name(arn, needless) if uses >= _LEAST_USES else None
        if name is not None and name not in taken:
            names[arn] = name
            taken.add(name)
    if not names:
        return blocks

    def change(it: Expression) -> Expression:
        return Template((Interpolation(f"local.{names[it]}"),)) if it in names else it

    changed = [with_changed_values(found, change) for found in blocks]
    return with_local_values(changed, {name: arn for arn, name in names.items()})


def _single_keys(blocks: Sequence[TopLevelBlock]) -> list[str]:
    """The keys of members without others: `example` where all constructs of `spaces` are below `spaces/example`."""
    keys: dict[str, set[str]] = {}
    for found in blocks:
        match found.path:
            case (scope, key, _, *_) if scope.endswith("s"):
                keys.setdefault(scope, set()).add(key)
    return sorted(key for of_scope in keys.values() for key in of_scope if len(of_scope) == 1)


def _name(template: Template, needless: Sequence[str]) -> str | None:
    """A local value's name for an ARN, without what is `needless` at the beginning or end of its own name.

    None if it is none, or has references to something else than local values.
    """
    text = ""
    for part in template.parts:
        if isinstance(part, Literal):
            text += part.text
        elif isinstance(part, Interpolation) and part.source in ("local.account_id", "local.region"):
            text += "x"
        else:
            return None
    match = _ARN.fullmatch(text)
    if match is None:
        return None
    service, kind, name = match.groups()
    last = name.split("/")[-1]
    for it in needless:
        last = last.removeprefix(it) if it.endswith("-") else last.removesuffix(it)
    words = [service, kind] if _GENERATED.fullmatch(last) else [last, kind]
    return identifier("_".join([*words, "arn"]).lower().lstrip("_0123456789"))
