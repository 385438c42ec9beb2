"""A second evaluator, slow and plain: no cache, no regular expression, no library for addresses or dates.

It shares no code with `iam`: both agree only if both are right, or both have the same error.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

Values = list[str] | None


def decide(
    statements: Sequence[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, str | list[str]]
) -> bool:
    """Whether an identity's statements, of policy version 2012-10-17, allow a request."""
    values = {key.lower(): value if isinstance(value, list) else [value] for key, value in context.items()}
    applying = [s["Effect"] for s in statements if _applies(s, action, resource, values)]
    return "Deny" not in applying and "Allow" in applying


def _applies(statement: Mapping[str, Any], action: str, resource: str, values: Mapping[str, list[str]]) -> bool:
    if "Action" in statement:
        if not any(_like(pattern.lower(), action.lower()) for pattern in _listed(statement["Action"])):
            return False
    elif any(_like(pattern.lower(), action.lower()) for pattern in _listed(statement["NotAction"])):
        return False
    element = "Resource" if "Resource" in statement else "NotResource"
    patterns = [_filled(pattern, values) for pattern in _listed(statement[element])]
    if None in patterns:
        return False
    if any(_like_resource(p, resource) for p in patterns if p is not None) != (element == "Resource"):
        return False
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            if not _holds(operator, values.get(key.lower()), _listed(wanted), values):
                return False
    return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# A pattern is a list of characters, each with a mark for wildcards: ("*", True) is any text, ("*", False) a star.
Pattern = list[tuple[str, bool]]


def _filled(text: str, values: Mapping[str, list[str]]) -> Pattern | None:
    """A text with its variables replaced; None if one has no value."""
    found: Pattern = []
    while text:
        if not text.startswith("${"):
            found.append((text[0], text[0] in "*?"))
            text = text[1:]
            continue
        name, text = text[2:].split("}", 1)
        if name in ("*", "?", "$"):
            found.append((name, False))
            continue
        default = None
        if "," in name:
            name, default = name.split(",", 1)
            default = default.strip().strip("'")
        replacement = values.get(name.strip().lower(), [default])[0]
        if replacement is None:
            return None
        found += [(character, False) for character in replacement]
    return found


def _like(pattern: str | Pattern, text: str) -> bool:
    if isinstance(pattern, str):
        pattern = [(character, character in "*?") for character in pattern]
    if not pattern:
        return text == ""
    (character, wild), rest = pattern[0], pattern[1:]
    if wild and character == "*":
        return any(_like(rest, text[place:]) for place in range(len(text) + 1))
    return text != "" and (wild or text[0] == character) and _like(rest, text[1:])


def _like_resource(pattern: Pattern, text: str, colons: int = 0) -> bool:
    """Like `_like`, but in the first five parts a star matches a colon only at the end of its part."""
    if not pattern:
        return text == ""
    (character, wild), rest = pattern[0], pattern[1:]
    if wild and character == "*":
        unbound = colons >= 5 or not rest or rest[0][0] == ":"
        for place in range(len(text) + 1):
            if not unbound and ":" in text[:place]:
                break
            if _like_resource(rest, text[place:], colons):
                return True
        return False
    if text == "" or (wild and text[0] == ":" and colons < 5) or (not wild and text[0] != character):
        return False
    return _like_resource(rest, text[1:], colons + (character == ":"))


def _holds(operator: str, given: Values, wanted: Sequence[Any], values: Mapping[str, list[str]]) -> bool:
    wanted = [str(item).lower() if isinstance(item, bool) else str(item) for item in wanted]
    if operator == "Null":
        return ("true" in wanted and not given) or ("false" in wanted and bool(given))
    if operator.endswith("IfExists"):
        if given is None:
            return True
        operator = operator.removesuffix("IfExists")
    every, some = (operator.startswith(prefix) for prefix in ("ForAllValues:", "ForAnyValue:"))
    operator = operator.split(":")[-1]
    if given in ([], [""]) and (every or some):
        given = None
    if given is None:
        return every or (not some and "Not" in operator)
    results = [_value_holds(operator, value, wanted, values) for value in given]
    if None in results:
        return False
    return all(results) if every else any(results)


def _value_holds(operator: str, value: str, wanted: Sequence[str], values: Mapping[str, list[str]]) -> bool | None:
    negated = "Not" in operator
    kind = operator.replace("Not", "")
    if kind.startswith(("String", "Arn")):
        patterns = [_filled(item, values) for item in wanted]
        if None in patterns:
            return None
        matched = any(_text_matches(kind, value, pattern) for pattern in patterns if pattern is not None)
    elif kind == "IpAddress":
        matched = any(_in_network(value, item) for item in wanted)
    elif kind == "Bool":
        matched = value in wanted
    elif kind == "BinaryEquals":
        matched = any(base64.b64decode(value) == base64.b64decode(item) for item in wanted)
    else:
        read = float if kind.startswith("Numeric") else _seconds
        compare = kind.removeprefix("Numeric").removeprefix("Date")
        matched = any(_compares(compare, read(value), read(item)) for item in wanted)
    return matched != negated


def _text_matches(kind: str, value: str, pattern: Pattern) -> bool:
    if kind == "StringEquals":
        return "".join(character for character, _ in pattern) == value
    if kind == "StringEqualsIgnoreCase":
        return "".join(character for character, _ in pattern).lower() == value.lower()
    if kind == "StringLike":
        return _like(pattern, value)
    parts: list[Pattern] = [[]]
    for character in pattern:
        if character == (":", False) and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(character)
    given = value.split(":", 5)
    return len(given) == 6 and all(_like(part, text) for part, text in zip(parts, given, strict=True))


def _compares(kind: str, given: float, wanted: float) -> bool:
    return {
        "Equals": given == wanted,
        "LessThan": given < wanted,
        "LessThanEquals": given <= wanted,
        "GreaterThan": given > wanted,
        "GreaterThanEquals": given >= wanted,
    }[kind]


def _seconds(text: str) -> float:
    """Seconds since 1970 of a date such as `2020-02-03T04:05:06Z`, or of a text that is a number of seconds."""
    if "-" not in text:
        return float(text)
    date, _, time = text.removesuffix("Z").partition("T")
    year, month, day = (int(part) for part in date.split("-"))
    hour, minute, second = (int(part) for part in (time or "0:0:0").split(":"))
    leap = [y for y in range(1970, year + 1) if y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)]
    days = 365 * (year - 1970) + len([y for y in leap if y < year]) + day - 1
    lengths = [31, 29 if year in leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (days + sum(lengths[: month - 1])) * 86400 + hour * 3600 + minute * 60 + second


def _in_network(address: str, network: str) -> bool:
    base, _, prefix = network.partition("/")
    if (":" in address) != (":" in base):
        return False
    bits, given = (_bits_of_6(base), _bits_of_6(address)) if ":" in base else (_bits_of_4(base), _bits_of_4(address))
    length = int(prefix) if prefix else 32
    return bits[:length] == given[:length]


def _bits_of_4(text: str) -> str:
    return "".join(f"{int(part):08b}" for part in text.split("."))


def _bits_of_6(text: str) -> str:
    head, _, tail = text.partition("::")
    first, last = ([part for part in side.split(":") if part] for side in (head, tail))
    if "::" in text:
        first += ["0"] * (8 - len(first) - len(last))
    return "".join(f"{int(part, 16):016b}" for part in first + last)
