"""Cron expressions by the rules of https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html."""

import pytest

from settings import cron
from tests.settings.whole_file import Refusal, error, last_line_of_change, spoilt


@pytest.mark.parametrize(
    "expression",
    [
        # From the vendor's pages.
        "cron(0 10 * * ? *)",
        "cron(15 12 * * ? *)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0 8 1 * ? *)",
        "cron(0/15 * * * ? *)",
        "cron(0/10 * ? * MON-FRI *)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(15 10 ? * 6L 2022-2023)",
        "cron(0/30 20-23,0-2 ? * MON-FRI *)",
        # Every field at its ends.
        "cron(0 0 1 1 ? 1970)",
        "cron(59 23 31 12 ? 2199)",
        "cron(0 0 ? JAN-DEC 1-7 *)",
        "cron(0 0 ? 1 SUN-SAT *)",
        "cron(* * * * ? *)",
        "cron(*/59 */23 */31 */12 ? */10)",
        "cron(1,2,3 4,5 6,7 8,9 ? 2026,2027)",
        "cron(0-10/5 0 ? jan mon 2026)",
        "cron(00 08 ? * MON *)",
        # Symbols that are not numbers.
        "cron(0 0 L * ? *)",
        "cron(0 0 3W * ? *)",
        "cron(0 0 31W * ? *)",
        "cron(0 0 ? * L *)",
        "cron(0 0 ? * 3#2 *)",
        "cron(0 0 ? * TUE#5 *)",
        "cron(0 0 ? * FRIL *)",
        # Days that some months have.
        "cron(0 0 29 2 ? *)",
        "cron(0 0 31 4-5 ? *)",
        "cron(0 0 29-31 2 ? 2028)",
    ],
)
def test_accepts_cron_expressions_that_eventbridge_documents(expression: str) -> None:
    assert cron.problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("0 9 ? * MON-FRI *", "is not written cron(...)"),
        ("rate(5 minutes)", "is not written cron(...)"),
        ("at(2026-01-31T09:00:00)", "is not written cron(...)"),
        ("cron(0 9 ? * MON-FRI *", "is not written cron(...)"),
        ("CRON(0 9 ? * MON-FRI *)", "is not written cron(...)"),
        ("cron(0 9 ? * MON-FRI *)\n", "is not written cron(...)"),
        ("", "is not written cron(...)"),
        ("cron()", "has 0 fields, EventBridge takes 6 with one space between them"),
        ("cron(0 9 * * *)", "has 5 fields, EventBridge takes 6 with one space between them"),
        ("cron(0 0 9 ? * MON-FRI *)", "has 7 fields, EventBridge takes 6 with one space between them"),
        ("cron(0  9 ? * MON-FRI *)", "has 6 fields, EventBridge takes 6 with one space between them"),
        ("cron( 0 9 ? * MON-FRI *)", "has 6 fields, EventBridge takes 6 with one space between them"),
        ("cron(0\t9 ? * MON-FRI *)", "has 6 fields, EventBridge takes 6 with one space between them"),
        ("cron(60 9 ? * MON *)", "has a wrong minutes, '60' (0-59)"),
        ("cron(-1 9 ? * MON *)", "has a wrong minutes, '-1' (0-59)"),
        ("cron(? 9 ? * MON *)", "has a wrong minutes, '?' (0-59)"),
        ("cron(L 9 ? * MON *)", "has a wrong minutes, 'L' (0-59)"),
        ("cron(0,60 9 ? * MON *)", "has a wrong minutes, '0,60' (0-59)"),
        ("cron(0, 9 ? * MON *)", "has a wrong minutes, '0,' (0-59)"),
        ("cron(10-5 9 ? * MON *)", "has a wrong minutes, '10-5' (0-59)"),
        ("cron(1-2-3 9 ? * MON *)", "has a wrong minutes, '1-2-3' (0-59)"),
        ("cron(*/0 9 ? * MON *)", "has a wrong minutes, '*/0' (0-59)"),
        ("cron(*/60 9 ? * MON *)", "has a wrong minutes, '*/60' (0-59)"),
        ("cron(*/ 9 ? * MON *)", "has a wrong minutes, '*/' (0-59)"),
        ("cron(/5 9 ? * MON *)", "has a wrong minutes, '/5' (0-59)"),
        ("cron(0/5/5 9 ? * MON *)", "has a wrong minutes, '0/5/5' (0-59)"),
        ("cron(** 9 ? * MON *)", "has a wrong minutes, '**' (0-59)"),
        ("cron(1.5 9 ? * MON *)", "has a wrong minutes, '1.5' (0-59)"),
        ("cron(\uff15 9 ? * MON *)", "has a wrong minutes, '\uff15' (0-59)"),
        ("cron(00000000000000000000 9 ? * MON *)", "has a wrong minutes, '00000000000000000000' (0-59)"),
        ("cron(0 24 ? * MON *)", "has a wrong hours, '24' (0-23)"),
        ("cron(0 22-2 ? * MON *)", "has a wrong hours, '22-2' (0-23)"),
        ("cron(0 9 0 * ? *)", "has a wrong day of month, '0' (1-31)"),
        ("cron(0 9 32 * ? *)", "has a wrong day of month, '32' (1-31)"),
        ("cron(0 9 32W * ? *)", "has a wrong day of month, '32W' (1-31)"),
        ("cron(0 9 W * ? *)", "has a wrong day of month, 'W' (1-31)"),
        ("cron(0 9 1,L * ? *)", "has a wrong day of month, '1,L' (1-31)"),
        ("cron(0 9 1,3W * ? *)", "has a wrong day of month, '1,3W' (1-31)"),
        ("cron(0 9 L-3 * ? *)", "has a wrong day of month, 'L-3' (1-31)"),
        ("cron(0 9 MON * ? *)", "has a wrong day of month, 'MON' (1-31)"),
        ("cron(0 9 ?,1 * ? *)", "has a wrong day of month, '?,1' (1-31)"),
        ("cron(0 9 ? 0 MON *)", "has a wrong month, '0' (1-12)"),
        ("cron(0 9 ? 13 MON *)", "has a wrong month, '13' (1-12)"),
        ("cron(0 9 ? JANUARY MON *)", "has a wrong month, 'JANUARY' (1-12)"),
        ("cron(0 9 ? DEC-JAN MON *)", "has a wrong month, 'DEC-JAN' (1-12)"),
        ("cron(0 9 ? * 0 *)", "has a wrong day of week, '0' (1-7)"),
        ("cron(0 9 ? * 8 *)", "has a wrong day of week, '8' (1-7)"),
        ("cron(0 9 ? * MONDAY *)", "has a wrong day of week, 'MONDAY' (1-7)"),
        ("cron(0 9 ? * FRI-MON *)", "has a wrong day of week, 'FRI-MON' (1-7)"),
        ("cron(0 9 ? * 2/2 *)", "has a wrong day of week, '2/2' (1-7)"),
        ("cron(0 9 ? * 3#6 *)", "has a wrong day of week, '3#6' (1-7)"),
        ("cron(0 9 ? * 3#0 *)", "has a wrong day of week, '3#0' (1-7)"),
        ("cron(0 9 ? * 3#1,6#3 *)", "has a wrong day of week, '3#1,6#3' (1-7)"),
        ("cron(0 9 ? * 8L *)", "has a wrong day of week, '8L' (1-7)"),
        ("cron(0 9 ? * MON 1969)", "has a wrong year, '1969' (1970-2199)"),
        ("cron(0 9 ? * MON 2200)", "has a wrong year, '2200' (1970-2199)"),
        ("cron(0 9 31 2 ? *)", "names a day that its months do not have"),
        ("cron(0 9 31 APR,6 ? *)", "names a day that its months do not have"),
        ("cron(0 9 29 2 ? 2027)", "names a day that its months do not have"),
        ("cron(0 9 * * MON *)", "needs '?' in exactly one of day of month and day of week"),
        ("cron(0 9 1 * MON *)", "needs '?' in exactly one of day of month and day of week"),
        ("cron(0 9 * * * *)", "needs '?' in exactly one of day of month and day of week"),
        ("cron(0 9 ? * ? *)", "needs '?' in exactly one of day of month and day of week"),
    ],
)
def test_refuses_cron_expressions_that_eventbridge_does_not_document_and_names_the_field(
    expression: str, problem: str
) -> None:
    assert cron.problem(expression) == problem


def test_refuses_a_wrong_expression_with_its_place_in_the_file(refusal: Refusal) -> None:
    old, new = "start: cron(0 8 ? * MON-FRI *)", "start: cron(0 8 * * MON-FRI *)"
    assert refusal(spoilt((old, new))) == error(
        last_line_of_change(old, new),
        "dev.gitlab.schedule.start",
        "'cron(0 8 * * MON-FRI *)' needs '?' in exactly one of day of month and day of week",
        "write six fields, for example cron(0 9 ? * MON-FRI *)",
    )


@pytest.mark.parametrize(
    "expression", ["rate(1 minute)", "rate(1 hour)", "rate(1 day)", "rate(2 minutes)", "rate(36 hours)"]
)
def test_accepts_rates_that_eventbridge_documents(expression: str) -> None:
    assert cron.rate_problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("rate(0 hours)", "needs a number from 1, and the plural from 2"),
        ("rate(1 hours)", "needs a number from 1, and the plural from 2"),
        ("rate(5 minute)", "needs a number from 1, and the plural from 2"),
        ("rate(1 week)", "is not written rate(...)"),
        ("rate(1.5 hours)", "is not written rate(...)"),
        ("rate()", "is not written rate(...)"),
        ("rate(1 hour) ", "is not written rate(...)"),
    ],
)
def test_refuses_rates_that_eventbridge_refuses(expression: str, problem: str) -> None:
    assert cron.rate_problem(expression) == problem


@pytest.mark.parametrize(
    ("start", "stop", "together"),
    [
        ("cron(0 8 ? * MON-FRI *)", "cron(00 08 ? * 2-6 *)", True),
        ("cron(0 22 ? * MON-FRI *)", "cron(0 22 ? * * *)", True),
        ("cron(0 8 1 * ? *)", "cron(0 8 ? * SAT *)", True),
        ("cron(0 8 ? * MON-FRI *)", "cron(0 22 ? * MON-FRI *)", False),
        ("cron(0 8 ? * MON-FRI *)", "cron(0 8 ? * SAT *)", False),
        ("cron(0 8 ? * MON 2027)", "cron(0 8 ? * MON 2028)", False),
    ],
)
def test_finds_that_two_expressions_run_in_the_same_minute(start: str, stop: str, together: bool) -> None:
    assert cron.meet(start, stop) == cron.meet(stop, start) == together


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("rate(90 minutes)", 1.5),
        ("rate(2 days)", 48),
        ("cron(0/30 * ? * * *)", 0.5),
        ("cron(0 0/6 * * ? *)", 6),
        ("cron(0 8,20 ? JAN-DEC SUN-SAT *)", 12),
        ("cron(0 9 ? * * *)", 24),
        ("cron(0 * ? * MON-FRI *)", 25),
        ("cron(0 8-18 * 1-7 ? *)", 38),
        ("cron(0 9 L * ? *)", 48),
    ],
)
def test_knows_the_longest_pause_of_an_expression(expression: str, hours: float) -> None:
    assert cron.longest_pause(expression) == hours * 60
