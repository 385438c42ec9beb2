"""Times in a deployment file: EventBridge schedules, times of day, time zones."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from errors.shown import shown
from settings import cron
from settings.forms import Matching, OneOf
from settings.problems import refuse


def _cron(value: str) -> str:
    if wrong := cron.problem(value):
        raise refuse(f"{shown(value)} {wrong}", "write six fields, for example cron(0 9 ? * MON-FRI *)")
    return value


def _cron_or_rate(value: str) -> str:
    if not value.startswith("rate"):
        return _cron(value)
    if wrong := cron.rate_problem(value):
        raise refuse(f"{shown(value)} {wrong}", "write it like rate(1 hour) or rate(30 minutes)")
    return value


TimeOfDay = Annotated[
    str,
    Matching(r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time of day", "write two digits each, for example '09:00'"),
]
TimeZone = Annotated[
    str,
    OneOf(
        "time_zones",
        "a time zone of the IANA database",
        "Asia/Tokyo",
        abbreviation_hint="name a place instead of an abbreviation, for example Asia/Tokyo",
    ),
]
Cron = Annotated[
    str, AfterValidator(_cron), WithJsonSchema({"type": "string", "pattern": r"^cron\([^ ()]+( [^ ()]+){5}\)$"})
]
ScheduleExpression = Annotated[
    str,
    AfterValidator(_cron_or_rate),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(cron\([^ ()]+( [^ ()]+){5}\)|rate\([0-9]+ (minute|hour|day)s?\))$"}
    ),
]
