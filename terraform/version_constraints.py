"""Which versions a constraint allows, of Terraform or of a provider.

https://developer.hashicorp.com/terraform/language/expressions/version-constraints
"""

import re

_CONDITION = re.compile(r"(>=|<=|>|<)\s*(\d+(?:\.\d+){0,2})")
_ANY_CONDITION = re.compile(r"(=|!=|>=|<=|>|<|~>)?\s*(\d+(?:\.\d+){0,2})(?:[-+].*)?")


def is_narrower(before: str, after: str) -> bool:
    """Whether everything that `after` allows is surely allowed by `before`; two forms of the same are not known."""
    later = _conditions(after)
    return all(any(_implies(other, one) for other in later) for one in _conditions(before))


def _conditions(constraint: str) -> list[str]:
    return [condition for part in constraint.split(",") if (condition := " ".join(part.split()))]


def _implies(one: str, other: str) -> bool:
    """Whether a version that meets the condition `one` meets `other`."""
    if one == other:
        return True
    first, second = _CONDITION.fullmatch(one), _CONDITION.fullmatch(other)
    if first is None or second is None or first[1] != second[1]:
        return False
    higher = _version(first[2]) >= _version(second[2])
    return higher if first[1].startswith(">") else _version(first[2]) <= _version(second[2])


def _version(text: str) -> list[int]:
    """A version's three numbers: Terraform takes those that are not written for 0."""
    return [*map(int, text.split(".")), 0, 0][:3]


def allows_major(constraint: str, major: int) -> bool:
    """Whether a constraint may allow a version with this major number."""
    lowest, end = [major, 0, 0], [major + 1, 0, 0]
    for condition in _conditions(constraint):
        if found := _ANY_CONDITION.fullmatch(condition):
            operator, numbers = found[1] or "=", [*map(int, found[2].split("."))]
            version = _version(found[2])
            after = [*version[:2], version[2] + 1]
            if operator in ("=", ">=", "~>"):
                lowest = max(lowest, version)
            elif operator == ">":
                lowest = max(lowest, after)
            if operator in ("=", "<="):
                end = min(end, after)
            elif operator == "<":
                end = min(end, version)
            elif operator == "~>":
                *front, last = numbers[: max(1, len(numbers) - 1)]
                end = min(end, [*front, last + 1, 0, 0][:3])
    return lowest < end


def allows(constraint: str, version: str) -> bool:
    """Whether a constraint surely allows a version of three numbers."""
    found = _version(version)
    for condition in _conditions(constraint):
        match = _ANY_CONDITION.fullmatch(condition)
        if match is None or re.search("[-+]", condition):
            return False
        limit, numbers = _version(match[2]), match[2].split(".")
        *front, last = map(int, numbers[: max(1, len(numbers) - 1)])
        is_met = {
            "=": found == limit,
            "!=": found != limit,
            ">=": found >= limit,
            "<=": found <= limit,
            ">": found > limit,
            "<": found < limit,
            "~>": limit <= found < [*front, last + 1, 0, 0][:3],
        }
        if not is_met[match[1] or "="]:
            return False
    return True
