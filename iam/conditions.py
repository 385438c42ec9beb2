"""Whether a statement's condition holds for a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from iam.matching import filled
from iam.operators import OPERATORS, boolean
from iam.requests import Request
from iam.statements import Condition, Statement, UnsupportedError

NULL = "Null"
"""The operator that asks whether a key exists."""


def holds(condition: Condition, statement: Statement, request: Request) -> bool:
    """Whether one condition of `statement` holds; raises UnsupportedError where that is not known."""
    values = request.values(condition.key, statement.place)
    if condition.operator == NULL:
        return _null_holds(condition, statement, values)
    if values is None and condition.if_exists:
        return True
    if condition.quantifier is not None:
        return _set_holds(condition, statement, request, values)
    if values is None:
        return OPERATORS[condition.operator].is_negated
    if len(values) != 1:
        raise UnsupportedError(statement.place, f"{condition.key!r} has {len(values)} values, and no set operator")
    return _value_holds(condition, statement, request, values[0])


def _null_holds(condition: Condition, statement: Statement, values: tuple[str, ...] | None) -> bool:
    if values == ("",):
        raise UnsupportedError(statement.place, f"whether an empty {condition.key!r} is null")
    return any(boolean(wanted) == (not values) for wanted in condition.values)


def _set_holds(condition: Condition, statement: Statement, request: Request, values: tuple[str, ...] | None) -> bool:
    """ForAllValues holds for no values, and ForAnyValue does not.

    An empty text counts as no value:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    given = () if values in (None, ("",)) else values or ()
    each = [_value_holds(condition, statement, request, value) for value in given]
    return all(each) if condition.quantifier == "ForAllValues" else any(each)


def _value_holds(condition: Condition, statement: Statement, request: Request, value: str) -> bool:
    """Whether a value of the request matches one of the condition's; for a negated operator, whether none does."""
    operator = OPERATORS[condition.operator]

    def fill(text: str, wildcards: bool) -> str:
        return filled(text, statement, request, wildcards=wildcards)

    # Every value is tried, because a variable without a value in any of them makes the statement invalid.
    matches = [operator.matches(value, wanted, fill) for wanted in condition.values]
    return any(matches) != operator.is_negated
